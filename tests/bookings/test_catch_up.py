"""Buying the recording of what has begun or is over: what its holder gets, and what they do not."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import func, select

from bookings import comping, letters, moving, reminders
from bookings.models import Attendee, Booking, SentInvite
from courses import places, schedule
from courses.models import Place, Workshop
from lib import clock as real_clock
from lib import db, links, work, zones
from mail.models import Letter
from tests.bookings.filling import JSON, send, typed
from tests.bookings.making import ANN, BOB, Made, a_wish, paid
from tests.builders import a_meeting, a_question, a_ticket, a_workshop, arranged
from tests.conftest import MORNING, Clock
from tests.page import PageClient, main_text
from tests.recordings.showing import a_film, published, session_of, windows, withdrawn

pytestmark = pytest.mark.both_databases
BOUGHT = datetime.fromisoformat("2027-03-20T08:30:00Z")
PUBLISHED = datetime.fromisoformat("2027-03-11T12:00:00Z")
DAY = timedelta(days=1)


def a_workshop_to_catch_up(app: Flask, **columns: Any) -> str:
    """Of one session a week from now, with a ticket for its recording alone; its slug."""
    with arranged(app):
        workshop = a_workshop(**{"slug": "loss", "in_days": 7, "catch_up_offered": True, **columns})
        return with_catch_up(workshop).slug


def with_catch_up(workshop: Workshop, **columns: Any) -> Workshop:
    facts = {"prices": {"GBP": 4500}, "pools": [], "name": "Recording only", **columns}
    a_ticket(workshop, code="film", kind="catch_up", includes_live=False, **facts)
    return workshop


@pytest.fixture
def slug(app: Flask, clock: Clock) -> str:
    """Over since Tuesday 9 March 2027, its film published two days later."""
    found = a_workshop_to_catch_up(app, title="Loss")
    clock.set(PUBLISHED)
    published(app, a_film(app, found))
    clock.set(BOUGHT)
    return found


def bought(app: Flask, slug: str, *people: tuple[str, str]) -> Made:
    return paid(app, a_wish(slug, people=people or (ANN,), ticket="film"))


def run_due(app: Flask) -> None:
    with app.app_context():
        work.run_due(app.extensions["handlers"])


def letters_to(app: Flask, email: str) -> list[Letter]:
    with app.app_context():
        found = list(db.session.scalars(select(Letter).where(Letter.to_email == email).order_by(Letter.id)))
        db.session.expunge_all()
        return found


def place(made: Made, n: int = 0) -> str:
    return urlsplit(made.places[n]).path


def test_the_form_sells_the_recording_and_asks_nothing_about_the_day(app: Flask, slug: str, client: PageClient) -> None:
    with arranged(app):
        workshop = db.session.scalars(select(Workshop)).one()
        a_question(workshop, code="diet", label="What do you not eat?", is_required=True, is_private=True)
        a_question(workshop, code="body", label="Your professional body")

    page = client.get(f"/workshops/{slug}/bookings/new")
    text = main_text(page)
    data = typed(client, slug, changes={"attendee-0-answer-body": "BACP"})
    answer = send(client, slug, data, to="quote", as_json=True)

    assert "Buy the recording" in text
    assert "What do you not eat?" not in text
    assert "Your professional body" in text
    assert "left" not in text
    assert data["ticket_type"] == "film"
    assert answer.get_json()["total_minor"] == 4500


def test_a_live_ticket_of_what_is_over_is_refused_and_the_recording_is_not(
    app: Flask, slug: str, client: PageClient
) -> None:
    data = {**typed(client, slug), "ticket_type": "standard"}

    refused = send(client, slug, data, as_json=True)

    assert (refused.status_code, refused.get_json()["refusal"]) == (422, "form_invalid")  # a field that says why
    assert "This date is over." in str(refused.get_json()["errors"]["ticket_type"])
    assert bought(app, slug).reference


def test_a_place_without_a_pool_claims_no_seat(app: Flask, slug: str) -> None:
    made = bought(app, slug, ANN, BOB)

    with app.app_context():
        booking = db.session.get_one(Booking, made.id)
        assert booking.state == "confirmed"
        assert [(each.state, each.claims) for each in booking.attendees] == [("confirmed", [])] * 2
        assert db.session.scalar(select(func.count()).select_from(Place)) == 0
        assert places.hold({}, organiser_id=booking.organiser_id, until=BOUGHT + DAY, now=BOUGHT) == {}


def test_a_limited_recording_runs_out(app: Flask, clock: Clock, client: PageClient) -> None:
    with arranged(app):
        workshop = a_workshop(slug="loss", in_days=7, catch_up_offered=True)
        with_catch_up(workshop, limited_to=1)
    clock.set(BOUGHT)
    bought(app, "loss")

    answer = client.get("/workshops/loss/bookings/new", headers=JSON)

    assert (answer.status_code, answer.get_json()["refusal"]) == (409, "workshop_full")


def test_the_letter_says_that_the_recording_is_theirs_and_until_when(app: Flask, slug: str) -> None:
    bought(app, slug)
    run_due(app)

    first, ready = letters_to(app, ANN[1])
    closes = zones.moment(BOUGHT + 28 * DAY - timedelta(hours=1), "Europe/London")  # the same hour, in summer time
    assert (first.template, first.calendar, first.method) == ("catch_up_booked", None, None)
    assert first.values["closes"] == closes == ready.values["closes"]
    assert first.values["awaited"] is None
    assert "join" not in str(first.values)
    assert windows(app) == [(ANN[1], "2027-03-20T08:30:00Z", "2027-04-17T07:30:00Z")]
    (receipt,) = letters_to(app, "bea@clinic.example")
    assert receipt.values["gets"] == "the recording"


def test_before_publication_the_letter_promises_the_days_that_come_then(app: Flask, clock: Clock) -> None:
    slug = a_workshop_to_catch_up(app)
    clock.set(MORNING + 8 * DAY)
    bought(app, slug)
    run_due(app)

    (letter,) = letters_to(app, ANN[1])
    assert letter.values["closes"] is None
    assert "It is not published yet." in letter.values["awaited"]
    assert "for 28 days from then on" in letter.values["awaited"]
    clock.set(PUBLISHED)
    assert published(app, a_film(app, slug)) == 1
    assert windows(app) == [(ANN[1], "2027-03-11T12:00:00Z", "2027-04-08T11:00:00Z")]


def test_who_shares_everybody_s_days_is_told_everybody_s_end(app: Flask, clock: Clock) -> None:
    slug = a_workshop_to_catch_up(app, late_buyers_share=True)
    clock.set(PUBLISHED)
    published(app, a_film(app, slug))
    clock.set(BOUGHT)
    bought(app, slug)
    run_due(app)

    first, _ = letters_to(app, ANN[1])
    assert first.values["closes"] == "Thursday 8 April 2027, 12:00 BST (London)"
    assert windows(app) == [(ANN[1], "2027-03-20T08:30:00Z", "2027-04-08T11:00:00Z")]


def test_of_several_sessions_the_letter_tells_what_is_there_and_what_is_to_come(app: Flask, clock: Clock) -> None:
    with arranged(app):
        meetings = [a_meeting(in_days=7), a_meeting(in_days=30)]
        slug = with_catch_up(a_workshop(slug="loss", sessions=meetings, catch_up_offered=True)).slug
    clock.set(PUBLISHED)
    published(app, a_film(app, slug))
    clock.set(BOUGHT)
    bought(app, slug)

    (letter,) = letters_to(app, ANN[1])
    assert letter.values["closes"] == "Saturday 17 April 2027, 08:30 BST (London)"
    assert letter.values["awaited"].startswith("The rest is not published yet.")
    assert len(letter.values["sessions"]) == 2


def test_their_pages_lead_to_the_recording_and_to_nothing_that_is_over(
    app: Flask, slug: str, client: PageClient
) -> None:
    made = bought(app, slug)

    mine = client.get(place(made))
    told = client.get(f"{place(made)}.json").get_json()
    booking = client.get(made.url)

    assert "The recording is yours" in main_text(mine)
    assert "Open until Saturday 17 April 2027, 08:30 BST (London)." in main_text(mine)
    assert "In your calendar" not in main_text(mine)
    assert "Go to the room" not in main_text(mine)
    assert [each["join_url"] for each in told["sessions"]] == [None]
    assert (told["state"], told["invite_urls"], told["calendar_links"]) == ("confirmed", [], [])
    (film,) = told["recordings"]
    assert (film["state"], film["closes_at"]) == ("open", "2027-04-17T07:30:00Z")
    assert client.get(urlsplit(film["url"]).path).status_code == 200
    assert client.get(f"{place(made)}/invites/1.ics").status_code == 404
    assert "confirmed" in main_text(booking)
    assert "The recording is Ann Attwood’s to watch" in main_text(booking)


def test_they_come_through_no_door_and_are_reminded_of_nothing(app: Flask, clock: Clock, client: PageClient) -> None:
    with arranged(app):
        meetings = [a_meeting(in_days=7), a_meeting(in_days=30)]
        slug = with_catch_up(a_workshop(slug="loss", sessions=meetings, catch_up_offered=True)).slug
    clock.set(MORNING + 8 * DAY)
    made = bought(app, slug)

    with app.app_context():
        attendee = db.session.scalars(select(Attendee).where(Attendee.booking_id == made.id)).one()
        door = f"/join/{links.token('join', attendee.id, attendee.link_version)}"
        assert db.session.scalar(select(func.count()).select_from(SentInvite)) == 0
        assert reminders.REMIND not in db.session.scalars(select(work.Job.kind)).all()
    assert client.get(door).status_code == 404


def test_a_moved_session_is_not_their_concern_and_a_cancelled_workshop_is(app: Flask, clock: Clock) -> None:
    with arranged(app):
        meetings = [a_meeting(in_days=7), a_meeting(in_days=30)]
        slug = with_catch_up(a_workshop(slug="loss", sessions=meetings, catch_up_offered=True)).slug
    paid(app, a_wish(slug, people=[BOB]))
    clock.set(MORNING + 8 * DAY)
    made = bought(app, slug)

    with app.app_context(), db.writing():
        later = session_of(slug, 2)
        meeting = schedule.meeting_of(later)
        shifted = replace(meeting, wall_start=meeting.wall_start + DAY, wall_end=meeting.wall_end + DAY)
        told = moving.move(later, shifted, actor="user:1", now=real_clock.now())
        assert [each.email for each in told] == [BOB[1]]
    assert len(letters_to(app, ANN[1])) == 1
    with app.app_context(), db.writing():
        workshop = db.session.scalars(select(Workshop)).one()
        moving.cancel_workshop(workshop, "Dr Marsh is ill", actor="user:1", now=real_clock.now())
    letter = letters_to(app, ANN[1])[-1]
    assert (letter.template, letter.calendar, letter.values["is_in_calendar"]) == ("workshop_cancelled", None, False)
    with app.app_context():
        assert db.session.get_one(Booking, made.id).state == "cancelled"


@pytest.mark.parametrize("days", [1, 60], ids=["while one could still wait for it", "long after"])
def test_a_withdrawn_recording_is_sold_no_more_and_put_back_is(
    app: Flask, clock: Clock, client: PageClient, days: int
) -> None:
    slug = a_workshop_to_catch_up(app)
    clock.set(PUBLISHED)
    film = a_film(app, slug)
    published(app, film)
    clock.set(PUBLISHED + days * DAY)

    assert on_sale(client) == ["film"]
    withdrawn(app, film)
    assert on_sale(client) == []
    published(app, film)
    assert on_sale(client) == ["film"]


def on_sale(client: PageClient) -> list[str]:
    (found,) = client.get("/workshops.json?past=1").get_json()["workshops"]
    return [each["code"] for each in found["tickets"] if each["on_sale"]]


def test_a_given_recording_takes_no_place_and_no_invite(app: Flask, slug: str) -> None:
    with app.app_context(), db.writing():
        organiser = db.session.scalars(select(Workshop)).one().organiser_id
        gift = comping.Gift(slug, "film", *ANN, why="She taught it.")
        booking = comping.give(organiser, gift, actor="user:1", now=real_clock.now())
        assert booking.state == "confirmed"
        assert letters.place_url(booking.attendees[0])
    assert [each.template for each in letters_to(app, ANN[1])][:1] == ["catch_up_booked"]
