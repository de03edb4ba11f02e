"""The way into the room: when it opens, for whom, what is noted, and that the meeting's address is nowhere else."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from bookings import joining, letters
from bookings.models import Attendee, Booking, Joining
from courses.models import TicketType, Workshop, WorkshopSession
from history.models import Entry
from lib import db, links, work
from mail.models import Letter
from meetings import points
from payments import refunds
from payments.gateway import SentBack
from payments.models import Payment
from tests.bookings.making import ANN, BOB, Made, a_wish, held, lapse, paid, receive
from tests.builders import a_meeting, a_ticket, a_venue, a_workshop, arranged
from tests.conftest import Clock, at_once
from tests.page import PageClient, form, main_text, tree
from tests.races.racing import Meeting, without_locks

pytestmark = pytest.mark.proved_on_both

Browser = Callable[[], PageClient]
SECRET = "zoom.example/j/912345678"
LINK = f"https://{SECRET}?pwd=c2VjcmV0"
NUMBER = "+44 20 7946 0000"
STARTS = "2027-03-12T10:00:00Z"


@pytest.fixture
def slug(app: Flask) -> str:
    """A workshop of one session with a meeting point, on Friday 12 March 2027 from 10:00 to 16:00 GMT."""
    with arranged(app):
        return with_point(a_workshop(slug="supervision", title="Supervision Skills", in_days=10)).slug


def with_point(workshop: Workshop) -> Workshop:
    for session in workshop.sessions:
        points.set_point(
            session, url=LINK, phone_numbers=NUMBER, passcode="4711", actor="user:1", now=datetime.fromisoformat(STARTS)
        )
    return workshop


def door(app: Flask, made: Made, n: int = 0) -> str:
    """The path of an attendee's joining page."""
    with app.app_context():
        attendee = db.session.scalars(select(Attendee).where(Attendee.booking_id == made.id, Attendee.n == n)).one()
        return urlsplit(letters.join_url(attendee)).path


def press(client: PageClient, path: str, **headers: str) -> TestResponse:
    """Press the button that goes in, or send what it would send where the page has none."""
    again = form(client.get(path), "/letters")
    return client.post(path, data={"csrf_token": again.values["csrf_token"]}, headers=headers)


def joined(app: Flask) -> list[tuple[int, datetime, datetime, int]]:
    with app.app_context():
        rows = db.session.scalars(select(Joining).order_by(Joining.id))
        return [(each.attendee_id, each.first_at, each.last_at, each.times) for each in rows]


def entries(app: Flask, verb: str) -> list[Entry]:
    with app.app_context():
        found = list(db.session.scalars(select(Entry).where(Entry.verb == verb).order_by(Entry.id)))
        db.session.expunge_all()
        return found


def missing(client: PageClient, path: str, method: str = "GET") -> bool:
    """Whether there is no such page for anybody: the very body of an address nobody ever had."""
    if method == "GET":
        answer = client.get(path)
    else:
        token = form(client.get("/links")).values["csrf_token"]
        answer = client.post(path, data={"csrf_token": token})
    nothing = client.get("/nowhere")
    return (answer.status_code, answer.get_data()) == (404, nothing.get_data())


def assert_private(answer: TestResponse) -> None:
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


# To the second


@pytest.mark.parametrize(
    ("at", "state"),
    [
        ("2027-03-12T09:29:59Z", "window_not_open"),
        ("2027-03-12T09:29:59.999999Z", "window_not_open"),
        ("2027-03-12T09:30:00Z", ""),
        ("2027-03-12T15:59:59Z", ""),
        ("2027-03-12T16:00:00Z", "window_closed"),
        ("2027-03-14T10:00:00Z", "window_closed"),
    ],
)
def test_the_door_opens_half_an_hour_before_and_closes_with_the_session(
    app: Flask, clock: Clock, client: PageClient, slug: str, at: str, state: str
) -> None:
    path = door(app, paid(app, a_wish(slug)))
    clock.set(at)

    page = client.get(path)
    told = press(client, path, Accept="application/json")
    pressed = press(client, path)

    assert page.status_code == 200
    for each in (page, told, pressed):
        assert_private(each)
        assert SECRET not in each.get_data(as_text=True) or each.status_code == 303
    if state:
        assert told.status_code == pressed.status_code == 403
        assert told.get_json()["refusal"] == state
        assert "GMT" in told.get_json()["message"]
        assert pressed.mimetype == "text/html"
        assert joined(app) == []
        assert [each for each in tree(page.get_data(as_text=True)).iter("form") if each.get("action") == path] == []
    else:
        assert told.status_code == pressed.status_code == 303
        assert pressed.location == told.location == LINK
        assert SECRET not in pressed.get_data(as_text=True)
        assert len(joined(app)) == 1


def test_the_workshop_sets_how_long_before(app: Flask, clock: Clock, client: PageClient, slug: str) -> None:
    with arranged(app):
        db.session.execute(update(Workshop).values(join_opens_minutes=15))
    path = door(app, paid(app, a_wish(slug)))

    clock.set("2027-03-12T09:44:59Z")
    assert press(client, path).status_code == 403
    clock.shift(seconds=1)
    assert press(client, path).status_code == 303


def test_the_first_time_is_an_entry_and_each_further_one_counts(
    app: Flask, clock: Clock, client: PageClient, slug: str
) -> None:
    path = door(app, paid(app, a_wish(slug)))
    first = clock.set("2027-03-12T09:40:00Z")
    client.submit(form_in(client, path))
    last = clock.shift(minutes=50)
    client.submit(form_in(client, path))

    ((_, first_at, last_at, times),) = joined(app)
    assert (first_at, last_at, times) == (first, last, 2)
    (entry,) = entries(app, "joined")
    assert (entry.at, entry.actor, entry.about) == (first, "attendee", "attendee:1")


def form_in(client: PageClient, path: str) -> Any:
    """The form of the button that goes in."""
    answer = client.get(path)
    root = tree(answer.get_data(as_text=True))
    assert path in [each.get("action") for each in root.iter("form")]
    found = form(answer, "/letters")
    found.action = path
    return found


def test_get_spends_nothing(app: Flask, clock: Clock, client: PageClient, slug: str) -> None:
    path = door(app, paid(app, a_wish(slug)))
    clock.set(STARTS)
    for _ in range(3):
        assert client.get(path).status_code == 200
    assert client.head(path).status_code == 200
    assert joined(app) == []


# What the page says


def test_before_it_opens_the_page_gives_the_clock_both_zones_and_the_minutes(
    app: Flask, clock: Clock, client: PageClient, slug: str
) -> None:
    made = paid(app, a_wish(slug))
    with arranged(app):
        db.session.execute(update(Booking).values(zone="Asia/Kathmandu"))
        db.session.execute(update(Workshop).values(catch_up_note="Practice in pairs is not recorded."))
    clock.set("2027-03-12T09:22:30Z")

    answer = client.get(door(app, made))
    said = main_text(answer)

    for expected in (
        "The room opens at 15:15 UTC+05:45",
        "Friday 12 March 2027",
        "09:30 GMT in London",
        "8 minutes to go",
        "made at 15:07",
        "This session is recorded",
        "Practice in pairs is not recorded.",
        "10:00–16:00 GMT (London)",
        "Olu Trains",
        "hello@olu-trains.example",
        "The numbers stand here once the room is open",
    ):
        assert expected in said, expected
    root = tree(answer.get_data(as_text=True))
    (panel,) = [each for each in root.iter() if each.get("data-countdown")]
    assert panel.get("data-countdown") == "450"
    for never in (SECRET, NUMBER, "4711"):
        assert never not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("before", "words"),
    [({"days": 9}, "9 days to go"), ({"hours": 30}, "30 hours to go"), ({"minutes": 1}, "1 minute")],
)
def test_far_ahead_it_counts_days_and_hours(
    app: Flask, clock: Clock, client: PageClient, slug: str, before: dict[str, int], words: str
) -> None:
    path = door(app, paid(app, a_wish(slug)))
    clock.set(datetime.fromisoformat("2027-03-12T09:30:00Z") - timedelta(**before))

    assert words in main_text(client.get(path))


def test_while_it_is_open_the_numbers_and_the_passcode_are_there(
    app: Flask, clock: Clock, client: PageClient, slug: str
) -> None:
    path = door(app, paid(app, a_wish(slug)))
    clock.set("2027-03-12T09:55:00Z")
    said = main_text(client.get(path))
    assert NUMBER in said
    assert "4711" in said
    assert "in 5 minutes" in said
    clock.set("2027-03-12T11:00:00Z")
    assert "We began at 10:00 GMT" in main_text(client.get(path))
    clock.set("2027-03-12T16:00:00Z")
    over = client.get(path)
    assert "This is over" in main_text(over)
    assert "sessions" not in main_text(over)
    assert NUMBER not in over.get_data(as_text=True)
    assert "/places/" in over.get_data(as_text=True)


def test_a_session_without_a_camera_says_so(app: Flask, clock: Clock, client: PageClient, slug: str) -> None:
    path = door(app, paid(app, a_wish(slug)))
    with arranged(app):
        db.session.execute(update(WorkshopSession).values(is_recorded=False))
    assert "This session is not recorded" in main_text(client.get(path))


def test_the_page_lets_its_button_lead_to_any_https_address_and_names_none(
    app: Flask, clock: Clock, client: PageClient, slug: str
) -> None:
    answer = client.get(door(app, paid(app, a_wish(slug))))

    policy = answer.headers["Content-Security-Policy"]
    assert "form-action 'self'" in policy
    assert policy.split("form-action")[1].split(";")[0].split()[-1] == "https:"
    assert "zoom" not in policy
    assert "https:" not in client.get("/links").headers["Content-Security-Policy"].replace("https://", "")


# Several sessions


@pytest.fixture
def evenings(app: Flask) -> str:
    """Three evenings in London over the change of clocks, and a ticket for the first and the last."""
    with arranged(app):
        workshop = a_workshop(
            slug="evenings",
            title="Three Evenings",
            sessions=[a_meeting(in_days=day, starts="18:00", ends="20:00") for day in (19, 26, 33)],
        )
        a_ticket(workshop, code="two", prices={"GBP": 1000}, sessions=[1, 3])
        return with_point(workshop).slug


def test_the_one_link_leads_to_the_session_that_runs_or_comes_next(
    app: Flask, clock: Clock, client: PageClient, evenings: str
) -> None:
    path = door(app, paid(app, a_wish(evenings)))

    clock.set("2027-03-21T17:45:00Z")
    said = main_text(client.get(path))
    assert "Session 1 of 3" in said
    assert said.count("This page lets you in then too.") == 2
    assert press(client, path).status_code == 303
    clock.set("2027-03-21T20:00:00Z")
    assert "Session 2 of 3" in main_text(client.get(path))
    assert press(client, path).status_code == 403
    clock.set("2027-03-28T16:29:59Z")  # the clocks went forward that morning: 18:00 is 17:00 UTC
    assert press(client, path).status_code == 403
    clock.shift(seconds=1)
    assert press(client, path).status_code == 303
    clock.set("2027-04-04T19:00:00Z")
    assert "All sessions are over" in main_text(client.get(path))

    assert [each[3] for each in joined(app)] == [1, 1]
    assert [each.facts["number"] for each in entries(app, "joined")] == [1, 2]


def test_a_ticket_for_some_sessions_waits_for_the_next_of_its_own(
    app: Flask, clock: Clock, client: PageClient, evenings: str
) -> None:
    path = door(app, paid(app, a_wish(evenings, ticket="two")))

    clock.set("2027-03-28T18:00:00Z")  # the second evening, which is not in the ticket
    assert press(client, path).status_code == 403
    assert "Session 3" in main_text(client.get(path))
    clock.set("2027-04-04T17:00:00Z")
    assert press(client, path).status_code == 303


# No meeting point


def test_without_an_address_the_organiser_is_told_once_and_nobody_is_left_standing(
    app: Flask, clock: Clock, client: PageClient, browser: Browser
) -> None:
    with arranged(app):
        slug = a_workshop(slug="bare", in_days=10).slug
    made = paid(app, a_wish(slug, people=[ANN, BOB]))
    clock.set("2027-03-12T09:40:00Z")
    page = client.get(door(app, made))
    assert "has not entered the meeting's address yet" in main_text(page)
    assert "Ask for the way in" in main_text(page)

    pressed = press(client, door(app, made))
    told = press(browser(), door(app, made, 1), Accept="application/json")

    assert pressed.status_code == told.status_code == 409
    assert_private(pressed)
    assert told.get_json()["refusal"] == "no_meeting_point"
    assert "We wrote to them at 09:40 GMT" in main_text(pressed)
    assert joined(app) == []
    run_jobs(app)
    notices = posted(app, "organiser_notice")
    assert [each.to_email for each in notices] == ["hello@olu-trains.example"]
    assert "Friday 12 March 2027, 10:00 GMT (London)" in str(notices[0].values)

    with arranged(app):
        with_point(db.session.scalars(select(Workshop)).one())
    assert press(client, door(app, made)).location == LINK


def test_an_address_entered_meanwhile_needs_no_notice(app: Flask, clock: Clock, client: PageClient) -> None:
    with arranged(app):
        slug = a_workshop(slug="bare", in_days=10).slug
    path = door(app, paid(app, a_wish(slug)))
    clock.set(STARTS)
    press(client, path)
    with arranged(app):
        with_point(db.session.scalars(select(Workshop)).one())
    run_jobs(app)
    assert posted(app, "organiser_notice") == []


# For whom


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("rest", ["", "/letters"])
def test_a_stranger_finds_nothing_on_any_route(
    app: Flask, clock: Clock, browser: Browser, slug: str, method: str, rest: str
) -> None:
    """Zed guesses, cuts, raises and borrows from other purposes."""
    made = paid(app, a_wish(slug, people=[ANN, BOB]))
    clock.set(STARTS)
    right = door(app, made).rpartition("/")[2]
    with app.app_context():
        tokens = [
            "1",
            "1-",
            f"1-{'A' * 27}",
            right[:-1],
            right + "A",
            right.replace("1-", "2-", 1),
            links.token("join", 1, 2),
            links.token("place", 1, 1),
            links.token("booking", 1, 1),
            links.token("join", 99, 1),
            "é",
        ]
    zed = browser()
    for token in tokens:
        if method == "GET" and rest:
            assert zed.get(f"/join/{token}{rest}").status_code in (404, 405)
        else:
            assert missing(zed, f"/join/{token}{rest}", method), token
    assert joined(app) == []
    assert posted(app, "join_link") == []


def assert_shut(app: Flask, client: PageClient, made: Made, n: int = 0) -> None:
    path = door(app, made, n)
    assert missing(client, path)
    assert missing(client, path, "POST")
    assert missing(client, f"{path}/letters", "POST")
    told = client.get(urlsplit(made.places[n]).path + ".json").get_json()
    assert {each["join_url"] for each in told["sessions"]} <= {None}
    assert joined(app) == []


def test_who_has_no_place_yet_or_any_more_finds_nothing_either(
    app: Flask, clock: Clock, client: PageClient, slug: str
) -> None:
    waiting = held(app, a_wish(slug))
    assert_shut(app, client, waiting)
    receive(app, waiting, payment_status="unpaid", intent_status="processing")
    assert_shut(app, client, waiting)
    gone = held(app, a_wish(slug, people=[BOB]))
    clock.shift(hours=1)
    lapse(app, gone)
    assert_shut(app, client, gone)
    cancelled = paid(app, a_wish(slug, people=[("Cy Carr", "cy@third.example")]))
    clock.set(STARTS)
    assert client.get(door(app, cancelled)).status_code == 200
    with arranged(app):
        db.session.execute(update(Attendee).where(Attendee.booking_id == cancelled.id).values(state="cancelled"))
    assert_shut(app, client, cancelled)


def test_who_got_all_of_their_money_back_has_no_way_in(app: Flask, clock: Clock, client: PageClient, slug: str) -> None:
    made = paid(app, a_wish(slug))
    with arranged(app):
        payment = db.session.scalars(select(Payment)).one()
        for key, minor in (("first", 800), ("second", payment.amount_minor - 800)):
            refunds.hear(a_refund(payment, key, minor), clock.at)
            if key == "first":
                assert joining.paid_back([payment.bill_id]) == set()
    clock.set(STARTS)
    assert_shut(app, client, made)


def a_refund(payment: Payment, key: str, minor: int) -> SentBack:
    return SentBack(key, "succeeded", minor, payment.currency, payment.payment_intent, None)


def test_a_ticket_without_the_live_session_has_no_way_in(
    app: Flask, clock: Clock, client: PageClient, slug: str
) -> None:
    made = paid(app, a_wish(slug))
    with arranged(app):
        db.session.execute(update(TicketType).values(includes_live=False))
    assert_shut(app, client, made)


def test_a_cancelled_workshop_and_one_in_a_room_say_what_they_are(
    app: Flask, clock: Clock, client: PageClient, slug: str
) -> None:
    made = paid(app, a_wish(slug))
    with arranged(app):
        there = a_workshop(slug="there", format="room", venue=a_venue(), in_days=10).slug
        db.session.execute(update(Workshop).where(Workshop.slug == slug).values(status="cancelled"))
    in_a_room = paid(app, a_wish(there, people=[BOB]))
    clock.set(STARTS)

    assert "This workshop was cancelled" in main_text(client.get(door(app, made)))
    assert press(client, door(app, made), Accept="application/json").get_json()["refusal"] == "workshop_cancelled"
    assert "The Old Library, 4 Mill Lane, Leeds" in main_text(client.get(door(app, in_a_room)))
    assert press(client, door(app, in_a_room)).status_code == 409
    told = client.get(urlsplit(in_a_room.places[0]).path + ".json").get_json()
    assert told["sessions"][0]["join_url"] is None
    assert joined(app) == []


# The place page, the letter that sends the way in again, and what is nowhere


def test_the_place_leads_to_the_room(app: Flask, clock: Clock, client: PageClient, slug: str) -> None:
    made = paid(app, a_wish(slug))
    place = urlsplit(made.places[0]).path

    (session,) = client.get(f"{place}.json").get_json()["sessions"]
    page = client.get(place).get_data(as_text=True)

    assert session == {"starts_at": STARTS, "join_url": f"http://localhost{door(app, made)}"}
    assert f'href="{session["join_url"]}"' in page
    clock.set("2027-03-12T16:00:00Z")
    assert "Go to the room" not in main_text(client.get(place))


def test_the_way_in_goes_out_again_to_the_attendee_alone(
    app: Flask, clock: Clock, client: PageClient, slug: str
) -> None:
    made = paid(app, a_wish(slug))
    path = door(app, made)

    answer = client.submit(form(client.get(path), "/letters"))

    assert (answer.status_code, answer.location) == (303, f"{path}?sent=1")
    assert f"goes to {ANN[1]}" in main_text(client.get(answer.location))
    (letter,) = posted(app, "join_link")
    assert letter.to_email == ANN[1]
    assert letter.values["join_url"] == f"http://localhost{path}"
    assert letter.values["place_url"] == made.places[0]


@pytest.mark.usefixtures("limited")
def test_the_way_in_goes_out_again_only_so_often(app: Flask, clock: Clock, client: PageClient, slug: str) -> None:
    made = paid(app, a_wish(slug, people=[ANN, BOB]))
    answers = [client.submit(form(client.get(door(app, made)), "/letters")) for _ in range(4)]

    assert [each.status_code for each in answers] == [303, 303, 303, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert client.submit(form(client.get(door(app, made, 1)), "/letters")).status_code == 303


def test_the_meeting_s_address_is_in_no_page_no_letter_and_no_file(
    app: Flask, clock: Clock, client: PageClient, slug: str
) -> None:
    made = paid(app, a_wish(slug))
    place, path = urlsplit(made.places[0]).path, door(app, made)
    client.submit(form(client.get(path), "/letters"))
    said = []
    for at in ("2027-03-12T09:00:00Z", STARTS, "2027-03-12T17:00:00Z"):
        clock.set(at)
        said += [
            client.get(each).get_data(as_text=True)
            for each in (
                path,
                place,
                f"{place}.json",
                f"{place}/invites/1.ics",
                made.url,
                f"/workshops/{slug}",
                f"/workshops/{slug}/calendar.ics",
                "/workshops.json?past=1",
                "/workshops.ics",
            )
        ]
        press(client, path)
    run_jobs(app)
    with app.app_context():
        for letter in db.session.scalars(select(Letter)):
            said += [str(letter.values), str(letter.calendar), str(letter.files)]
        said += [str(each) for each in db.session.scalars(select(Entry.facts))]
        said += [str(each) for each in db.session.scalars(select(work.Job.arguments))]

    assert len(said) > 30
    for text in said:
        assert SECRET not in text
        assert "c2VjcmV0" not in text


# Races


def test_two_first_times_at_once_are_one_row_and_one_entry(app: Flask, clock: Clock, slug: str) -> None:
    made = paid(app, a_wish(slug))
    clock.set(STARTS)

    def go_in() -> int:
        with db.writing():
            attendee = db.session.scalars(select(Attendee).where(Attendee.booking_id == made.id)).one()
            joining.note(attendee, attendee.workshop.sessions[0], clock.now())
        return 1

    assert at_once(app, [go_in] * 6) == [1] * 6
    ((_, _, _, times),) = joined(app)
    assert times == 6
    assert len(entries(app, "joined")) == 1


def test_without_the_guard_the_same_race_goes_wrong(app: Flask, clock: Clock, slug: str, database_kind: str) -> None:
    """A look first and a row after it: the second of two is an error, or a second row."""
    made = paid(app, a_wish(slug))
    clock.set(STARTS)

    def look_then_write() -> int:
        with db.writing():
            attendee = db.session.scalars(select(Attendee).where(Attendee.booking_id == made.id)).one()
            session = attendee.workshop.sessions[0]
            known = db.session.scalars(select(Joining)).all()
            gate.wait()
            if not known:
                db.session.add(
                    Joining(
                        organiser_id=attendee.organiser_id,
                        attendee_id=attendee.id,
                        session_id=session.id,
                        first_at=clock.now(),
                        last_at=clock.now(),
                    )
                )
        return 1

    gate = Meeting(2, 10)
    with without_locks(app):
        results = at_once(app, [look_then_write] * 2)
    assert [each for each in results if each != 1], results


def posted(app: Flask, template: str) -> list[Letter]:
    with app.app_context():
        found = list(db.session.scalars(select(Letter).where(Letter.template == template).order_by(Letter.id)))
        db.session.expunge_all()
        return found


def run_jobs(app: Flask) -> None:
    """Everything due but the post itself."""
    handlers = {kind: done for kind, done in app.extensions["handlers"].items() if kind.startswith("bookings.")}
    with app.app_context():
        work.run_due(handlers)


@pytest.fixture(autouse=True)
def _no_dead_jobs(app: Flask) -> Iterator[None]:
    yield
    with app.app_context():
        assert work.dead_jobs() == []
