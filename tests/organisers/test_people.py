"""Bookings and people at the desk: who may see what, what can be done, and how much it costs the database."""

import csv
import io
import re
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import select

from bookings import audit
from bookings.models import Attendee, Booking, Joining
from history.models import Entry
from lib import clock, db
from lib.work import run_due
from organisers import attendee_file
from tests.bookings.making import ANN, BOB, Made, a_wish, held, lapse, paid
from tests.builders import a_meeting, a_question, a_workshop, an_organiser, arranged
from tests.conftest import Mailbox
from tests.journeys.steps import refuse_mail
from tests.organisers.desk import a_team, press, signed_in, statements, status_of
from tests.page import PageClient, form, main_text

HOME = "/organise/olu-trains"


@pytest.fixture
def team(app: Flask) -> dict[str, str]:
    return a_team(app)


def a_booking(app: Flask, *, title: str = "Reflective Practice") -> tuple[str, Made]:
    with arranged(app):
        workshop = a_workshop(title=title)
        private = a_question(workshop, code="diet", label="What do you eat?", is_private=True)
        plain = a_question(workshop, code="work", label="Where do you work?")
        slug, answers = workshop.slug, {private.id: "No nuts", plain.id: "At the clinic"}
    return slug, paid(app, a_wish(slug, people=[ANN, BOB], answers=answers))


def entries(app: Flask, verb: str) -> list[Entry]:
    with app.app_context():
        found = list(db.session.scalars(select(Entry).where(Entry.verb == verb)))
        db.session.expunge_all()
        return found


def sound(app: Flask) -> None:
    with app.app_context():
        assert audit.faults(clock.now()) == []


def test_who_may_open_what(app: Flask, team: dict[str, str]) -> None:
    slug, made = a_booking(app)
    path = f"{HOME}/bookings/{made.reference}"
    people = f"{HOME}/workshops/{slug}/people"
    routes = [
        ("GET", f"{HOME}/bookings", {"owner": 200, "manager": 200}),
        ("GET", path, {"owner": 200, "manager": 200}),
        ("GET", f"{HOME}/letters/1", {"owner": 200, "manager": 200}),
        ("GET", people, {"owner": 200, "manager": 200, "presenter": 200}),
        ("GET", f"{people}.csv", {"owner": 200, "manager": 200}),
        ("GET", f"{people}/new", {"owner": 200, "manager": 200}),
        ("POST", people, {"owner": 422, "manager": 422}),
        ("POST", f"{path}/receipt", {"owner": 422, "manager": 422}),
        ("POST", f"{path}/attendees/0/letter", {"owner": 422, "manager": 422}),
        ("POST", f"{path}/attendees/0/correction", {"owner": 422, "manager": 422}),
        ("POST", f"{path}/attendees/9/letter", {}),
        ("GET", f"{HOME}/bookings/CQ-ZZZZ-ZZ", {}),
        ("GET", f"{HOME}/letters/999", {}),
    ]
    for who, session_id in team.items():
        client = signed_in(app, session_id)
        page = f"{HOME}/" if who in ("owner", "manager", "presenter") else "/me"
        for method, address, allowed in routes:
            assert status_of(client, method, address, page) == allowed.get(who, 404), f"{who} {method} {address}"
    nobody = signed_in(app, "")
    for method, address, _ in routes:
        assert status_of(nobody, method, address, "/sign-in") in (303, 404), f"nobody {method} {address}"


def test_another_organisers_bookings_do_not_exist(app: Flask, team: dict[str, str]) -> None:
    slug, made = a_booking(app)
    client = signed_in(app, team["other_owner"])

    for path in (f"/bookings/{made.reference}", "/letters/1", f"/workshops/{slug}/people"):
        assert client.get(f"/organise/pim{path}").status_code == 404
    assert "No booking" in main_text(client.get("/organise/pim/bookings?q=ann")) or made.reference not in main_text(
        client.get("/organise/pim/bookings")
    )


def test_the_list_is_searched_and_filtered(app: Flask, team: dict[str, str]) -> None:
    slug, made = a_booking(app)
    with arranged(app):
        other = a_workshop(title="Siblings").slug
    waits = held(app, a_wish(other, people=[("Cy Cole", "cy@clinic.example")], booker=("Cy Cole", "cy@clinic.example")))
    gone = held(app, a_wish(other, people=[("Di Dale", "di_d@x.example")], booker=("Di Dale", "di_d@x.example")))
    lapse(app, gone)
    client = signed_in(app, team["manager"])

    def found(**query: str) -> set[str]:
        text = main_text(client.get(f"{HOME}/bookings", query_string=query))
        return {each.reference for each in (made, waits, gone) if each.reference in text}

    every = {made.reference, waits.reference, gone.reference}
    assert found() == every
    assert found(q="bob@PRACTICE") == {made.reference}
    assert found(q="cole cy") == {waits.reference}
    assert found(q=made.reference.lower()) == {made.reference}
    assert found(q="di_d") == {gone.reference}
    assert found(q="%") == set()
    assert found(workshop=other) == {waits.reference, gone.reference}
    assert found(state="held") == {waits.reference}
    assert found(state="lapsed") == {gone.reference}
    assert found(state="confirmed", workshop=slug) == {made.reference}
    assert found(state="nonsense", page="9999999999") == every


def test_a_hundred_bookings_cost_no_more_than_three(app: Flask, team: dict[str, str]) -> None:
    with arranged(app):
        slug = a_workshop(capacity=400).slug
    client = signed_in(app, team["owner"])
    pages = (f"{HOME}/bookings", f"{HOME}/workshops/{slug}/people")

    def book(numbers: range) -> None:
        for n in numbers:
            paid(app, a_wish(slug, people=[(f"P {n}", f"p{n}@x.example")], booker=(f"P {n}", f"p{n}@x.example")))

    book(range(3))
    few = [statements(app, lambda page=page: client.get(page)) for page in pages]  # type: ignore[misc]
    book(range(3, 101))
    many = [statements(app, lambda page=page: client.get(page)) for page in pages]  # type: ignore[misc]
    assert many == few
    assert max(few) <= 14
    assert "Page 1 of 3" in main_text(client.get(pages[0]))


def test_the_booking_page_tells_all_but_the_links(app: Flask, team: dict[str, str], mailbox: Mailbox) -> None:
    _, made = a_booking(app)
    with app.app_context():
        run_due(app.extensions["handlers"])
    client = signed_in(app, team["manager"])
    page = client.get(f"{HOME}/bookings/{made.reference}")
    text = main_text(page)

    for words in ("No nuts", "Private", "At the clinic", "£336.00", "Receipt", "Sent", "250", "Confirmed", "arrived"):
        assert words in text, words
    assert page.headers["Cache-Control"] == "no-store"
    letters = re.findall(rf"{HOME}/letters/\d+", page.get_data(as_text=True))
    for each in letters:
        seen = client.get(each).get_data(as_text=True)
        assert "/places/" not in seen
        assert "key=" not in seen
        assert "a link of their own" in seen


def test_presenters_see_people_without_addresses_money_or_private_answers(app: Flask, team: dict[str, str]) -> None:
    slug, made = a_booking(app)
    text = signed_in(app, team["presenter"]).get(f"{HOME}/workshops/{slug}/people").get_data(as_text=True)

    assert ANN[0] in text
    assert "At the clinic" in text
    for hidden in (ANN[1], "No nuts", "£", made.reference):
        assert hidden not in text
    whole = signed_in(app, team["manager"]).get(f"{HOME}/workshops/{slug}/people").get_data(as_text=True)
    assert ANN[1] in whole
    assert "No nuts" in whole


def test_an_address_is_put_right_from_the_page(app: Flask, team: dict[str, str], mailbox: Mailbox) -> None:
    _, made = a_booking(app)
    client = signed_in(app, team["manager"])
    page = f"{HOME}/bookings/{made.reference}"

    refused = press(client, page, "/attendees/0/correction", email="ann@", why="")
    assert refused.status_code == 422
    assert "is not a whole email address" in main_text(refused)
    assert "Please say why" in main_text(refused)
    taken = press(client, page, "/attendees/0/correction", email=BOB[1], why="She says so")
    assert taken.status_code == 409
    done = press(client, page, "/attendees/0/correction", email="ann@new.example", why="She says so")
    assert done.status_code == 303

    text = main_text(client.get(done.location))
    assert f"address from {ANN[1]} to ann@new.example" in text
    assert "Reason: She says so" in text
    assert client.get(made.places[0]).status_code == 404
    with app.app_context():
        run_due(app.extensions["handlers"])
    assert len(mailbox.letters("ann@new.example")) == 1
    sound(app)


def test_a_failed_letter_is_marked_and_sent_again(app: Flask, team: dict[str, str], mailbox: Mailbox) -> None:
    _, made = a_booking(app)
    refuse_mail(mailbox, {"to": ANN[1], "code": 550})
    with app.app_context():
        run_due(app.extensions["handlers"])
    refuse_mail(mailbox)
    client = signed_in(app, team["manager"])
    page = f"{HOME}/bookings/{made.reference}"

    assert "A letter failed" in main_text(client.get(f"{HOME}/bookings"))
    assert f"The newest letter to {ANN[0]} failed" in main_text(client.get(page))
    assert press(client, page, "/attendees/0/letter", why="Their server is back").status_code == 303
    assert press(client, page, "/receipt", why="For the accountant").status_code == 303
    with app.app_context():
        run_due(app.extensions["handlers"])

    assert len(mailbox.letters(ANN[1])) == 1
    assert len(mailbox.letters("bea@clinic.example")) == 2
    assert "A letter failed" not in main_text(client.get(f"{HOME}/bookings"))
    assert [each.facts["why"] for each in entries(app, "letter_resent")] == [
        "Their server is back",
        "For the accountant",
    ]


def test_a_place_is_given_from_the_page(app: Flask, team: dict[str, str]) -> None:
    with arranged(app):
        slug = a_workshop(capacity=1).slug
    client = signed_in(app, team["manager"])
    page = f"{HOME}/workshops/{slug}/people/new"
    typed = {"name": "Ann Attwood", "email": ANN[1], "ticket": "standard", "why": "She speaks on it"}

    assert press(client, page, "/people", name="", email="x", why="").status_code == 422
    done = press(client, page, "/people", **typed)
    assert done.status_code == 303
    assert "A free place, given" in main_text(client.get(done.location))
    again = press(client, page, "/people", **typed)
    assert again.status_code == 409
    assert "has a place" in main_text(again)
    full = press(client, page, "/people", **{**typed, "email": BOB[1]})
    assert full.status_code == 409
    assert "The last place has gone" in main_text(full)
    with app.app_context():
        assert db.session.scalars(select(Booking.state)).all() == ["confirmed"]
        assert db.session.scalars(select(Attendee.name)).all() == ["Ann Attwood"]
        assert an_organiser().slug == "olu-trains"
    sound(app)


def test_somebody_is_found_and_sent_their_letter_in_two_steps(
    app: Flask, team: dict[str, str], mailbox: Mailbox
) -> None:
    slug, made = a_booking(app)
    client = signed_in(app, team["manager"])
    with app.app_context():
        run_due(app.extensions["handlers"])
    before = len(mailbox.letters(BOB[1]))
    page = f"{HOME}/workshops/{slug}/people"

    found = client.submit(form(client.get(page), f"{slug}/people"), {"q": "barn"})
    text = main_text(found)
    assert BOB[0] in text
    assert ANN[0] not in text
    assert "2 people have places" in text
    done = client.submit(form(found, "/attendees/1/letter"))
    assert (done.status_code, done.location) == (303, f"{page}?done=sent")
    assert "The letter is on its way." in main_text(client.get(done.location))
    with app.app_context():
        run_due(app.extensions["handlers"])
    assert len(mailbox.letters(BOB[1])) == before + 1
    (kept,) = entries(app, "letter_resent")
    assert kept.facts["why"] == "Asked for, from the list of people"
    assert "Nobody fits." in main_text(client.get(f"{page}?q=%25"))
    assert BOB[0] in main_text(client.get(f"{page}?q={made.reference.lower()}+PRACTICE"))


def test_a_letter_is_not_sent_by_way_of_another_organisers_list(app: Flask, team: dict[str, str]) -> None:
    slug, _ = a_booking(app)
    with arranged(app):
        other = a_workshop(organiser=an_organiser(slug="pim", name="Pim")).slug
    client = signed_in(app, team["manager"])
    button = form(client.get(f"{HOME}/workshops/{slug}/people?q=ann"), "/letter")
    sent = button.sent() | {"list": [other]}
    assert client.post(button.action, data=sent).status_code == 404
    assert entries(app, "letter_resent") == []


def test_who_came_in_is_seen_by_the_whole_team(app: Flask, team: dict[str, str]) -> None:
    with arranged(app):
        workshop = a_workshop(sessions=[a_meeting(in_days=28), a_meeting(in_days=35)])
        slug, sessions = workshop.slug, [each.id for each in workshop.sessions]
    paid(app, a_wish(slug, people=[ANN, BOB]))
    with app.app_context(), db.writing():
        ann = db.session.scalars(select(Attendee).where(Attendee.n == 0)).one()
        for session, at in zip(sessions, ("2027-03-30T08:58:00Z", "2027-04-06T09:01:00Z"), strict=True):
            when = datetime.fromisoformat(at)
            row = {"organiser_id": ann.organiser_id, "attendee_id": ann.id, "first_at": when, "last_at": when}
            db.session.add(Joining(session_id=session, **row))
    for who in ("manager", "presenter"):
        text = main_text(signed_in(app, team[who]).get(f"{HOME}/workshops/{slug}/people"))
        assert "session 1 at 09:58 BST, session 2 at 10:01 BST" in text
        assert text.count("not yet") == 1
    rows = spreadsheet(signed_in(app, team["manager"]), slug)
    assert [row["Came in, session 1"] for row in rows] == ["2027-03-30 09:58 BST", ""]


def spreadsheet(client: PageClient, slug: str) -> list[dict[str, str]]:
    """The rows of the file, by the words of its first line."""
    answer = client.get(f"{HOME}/workshops/{slug}/people.csv")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Disposition"] == f"attachment; filename={slug}-people.csv"
    return list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))


def test_the_list_is_a_file_without_private_answers(app: Flask, team: dict[str, str]) -> None:
    slug, made = a_booking(app)
    first, second = spreadsheet(signed_in(app, team["owner"]), slug)
    assert first == {
        "Name": ANN[0],
        "Address": ANN[1],
        "Ticket": "Standard",
        "State": "Confirmed",
        "Booking": made.reference,
        "Booked by": "Bea Booker",
        "Booker's address": "bea@clinic.example",
        "Where do you work?": "At the clinic",
        "Came in": "",
    }
    assert second["Name"] == BOB[0]


@pytest.mark.parametrize("name", ["=1+1", "+44 20", "-2", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1", "＠x"])
def test_no_cell_is_a_formula(name: str) -> None:
    assert attendee_file.cell(name) == f"'{name}"


def test_a_name_that_is_a_formula_is_a_text_in_the_file(app: Flask, team: dict[str, str]) -> None:
    with arranged(app):
        workshop = a_workshop()
        asked = a_question(workshop, code="work", label="=HYPERLINK(1)")
        slug, answers = workshop.slug, {asked.id: '@SUM("1,2")'}
    evil = ("=cmd|' /C calc'!A0", "ann@clinic.example")
    paid(app, a_wish(slug, people=[evil], answers=answers, booker=("-2+3", "bea@clinic.example")))
    (row,) = spreadsheet(signed_in(app, team["owner"]), slug)
    assert row["Name"] == f"'{evil[0]}"
    assert row["Booked by"] == "'-2+3"
    assert row["'=HYPERLINK(1)"] == '\'@SUM("1,2")'
