"""Names and addresses put right by whoever booked and by attendees, and nobody let in as somebody else by that."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import select

from bookings import correcting, letters
from bookings.address_models import NewAddress
from bookings.models import Attendee, Booking, SentInvite
from history.models import Entry
from lib import db
from mail.models import Letter
from tests.bookings.making import ANN, BOB, Made, a_wish, paid
from tests.bookings.test_changes import CY, a_policy, a_slug, rows, sent, sound
from tests.bookings.test_changes import letters as posted
from tests.builders import arranged
from tests.conftest import Clock
from tests.page import PageClient, form, main_text

pytestmark = pytest.mark.proved_on_both
NEW = "ann.attwood@clinic.example"


@pytest.fixture
def made(app: Flask, client: PageClient) -> Made:
    a_policy(app)
    found = paid(app, a_wish(a_slug(app), people=[ANN, BOB]))
    client.get(found.url)
    return found


def correct(client: PageClient, page: str, **typed: str) -> Any:
    return sent(client, page, "/correction", **typed)


def of_booker(made: Made, n: int = 0) -> str:
    return f"/bookings/{made.reference}/attendees/{n}/correction"


def own(made: Made, n: int = 0) -> str:
    return f"{urlsplit(made.places[n]).path}/correction"


def link(app: Flask, to: str) -> str:
    """The newest letter that asks an address whether it is right."""
    found = [each for each in rows(app, Letter) if each.template == "address_asked" and each.to_email == to]
    return str(urlsplit(found[-1].values["confirm_url"]).path)


def press(client: PageClient, page: str) -> Any:
    return client.post(page, data=form(client.get(page), page).values)


def ann(app: Flask) -> Attendee:
    found: Attendee = next(each for each in rows(app, Attendee) if each.n == 0)
    return found


@pytest.mark.parametrize("page", [of_booker, own])
def test_a_name_is_put_right_and_the_same_person_gets_new_links(
    app: Flask, client: PageClient, made: Made, page: Callable[[Made], str]
) -> None:
    answer = correct(client, page(made), name="Anne Attwood")

    assert answer.status_code == 303
    assert "The name is put right" in main_text(client.get(answer.headers["Location"]))
    assert (ann(app).name, ann(app).email, ann(app).link_version) == ("Anne Attwood", ANN[1], 2)
    assert client.get(made.places[0]).status_code == 404
    told = posted(app)
    assert told.count((ANN[1], "confirmed")) == 2
    assert ("hello@olu-trains.example", "organiser_notice") in told
    (kept,) = [each.facts for each in rows(app, Entry) if each.verb == "attendee_corrected"]
    assert (kept["name_before"], kept["name"]) == (ANN[0], "Anne Attwood")
    sound(app)


def test_somebody_else_is_no_correction(app: Flask, client: PageClient, made: Made) -> None:
    answer = correct(client, of_booker(made), name="Cy Carter")

    assert answer.status_code == 422
    assert "looks like another person" in main_text(answer)
    assert ann(app).name == ANN[0]


def test_each_person_is_corrected_once_and_then_by_the_organiser(app: Flask, client: PageClient, made: Made) -> None:
    correct(client, of_booker(made), name="Anne Attwood")

    page = main_text(client.get(of_booker(made)))
    assert "the organiser does it now" in page
    values = {"name": "Anne Attwood", "email": NEW, "csrf_token": token(client, made)}
    refused = client.post(of_booker(made), data=values)
    assert refused.status_code == 409
    assert [each for each in posted(app) if each[1] == "address_asked"] == []
    assert correct(client, of_booker(made, 1), name="Rob Barnes").status_code == 303, "others are not meant"


def token(client: PageClient, made: Made) -> str:
    page = client.get(f"/bookings/{made.reference}/corrections")
    return form(page, "/corrections").values["csrf_token"]


def test_whoever_comes_instead_may_be_corrected_again(app: Flask, client: PageClient, made: Made) -> None:
    correct(client, of_booker(made), name="Anne Attwood")
    page = f"/bookings/{made.reference}/attendees/0/substitution"
    sent(client, page, "/substitution", name=CY[0], email=CY[1])

    assert correct(client, of_booker(made), name="Cyrus Carter").status_code == 303
    assert ann(app).name == "Cyrus Carter"


def test_both_at_once_are_the_organisers(app: Flask, client: PageClient, made: Made) -> None:
    answer = correct(client, of_booker(made), name="Anne Attwood", email=NEW)

    assert answer.status_code == 422
    assert "the organiser does both" in main_text(answer)
    assert ann(app).name == ANN[0]


@pytest.mark.parametrize("page", [of_booker, own])
def test_an_address_counts_once_it_answers(
    app: Flask, client: PageClient, made: Made, page: Callable[[Made], str]
) -> None:
    assert correct(client, page(made), email=NEW).status_code == 303
    assert (ann(app).email, ann(app).link_version) == (ANN[1], 1)
    assert client.get(link(app, NEW)).status_code == 200, "a scanner looks at it"
    assert ann(app).email == ANN[1]

    answer = press(client, link(app, NEW))

    assert answer.status_code == 303
    assert client.get(answer.headers["Location"]).status_code == 200
    assert (ann(app).name, ann(app).email, ann(app).link_version) == (ANN[0], NEW, 2)
    assert client.get(made.places[0]).status_code == 404
    told = posted(app)
    assert (NEW, "confirmed") in told
    assert [each for each in told if each[0] == ANN[1]] == [(ANN[1], "confirmed"), (ANN[1], "place_elsewhere")]
    assert max(each.sequence for each in rows(app, SentInvite)) > 0
    sound(app)


def test_the_old_address_is_told_nothing_private(app: Flask, client: PageClient, made: Made) -> None:
    correct(client, of_booker(made), email=NEW)
    press(client, link(app, NEW))

    (letter,) = [each for each in rows(app, Letter) if each.template == "place_elsewhere"]
    said = str(letter.values)
    assert NEW not in said
    assert "/places/" not in said
    assert "/join/" not in said


def test_a_link_in_a_letter_works_once_and_the_newest_only(
    app: Flask, client: PageClient, made: Made, clock: Clock
) -> None:
    correct(client, of_booker(made), email="slip@clinic.example")
    older = link(app, "slip@clinic.example")
    correct(client, of_booker(made), email=NEW)

    assert client.get(older).status_code == 410
    page = client.get(link(app, NEW))
    press(client, link(app, NEW))
    again = client.post(link(app, NEW), data=form(page, "/addresses/").values)
    assert again.status_code == 410
    assert "has done its work" in main_text(again)
    assert client.get("/addresses/1-" + "A" * 27).status_code == 404
    assert client.get("/addresses/none").status_code == 404


def test_a_letter_nobody_answered_ends_and_its_address_is_forgotten(
    app: Flask, client: PageClient, made: Made, clock: Clock
) -> None:
    correct(client, of_booker(made), email=NEW)
    page = link(app, NEW)
    clock.shift(days=7)

    assert client.get(page).status_code == 410
    with arranged(app):
        correcting.forget(clock.now())
    assert rows(app, NewAddress) == []


def test_an_address_that_somebody_else_has_is_refused(app: Flask, client: PageClient, made: Made) -> None:
    answer = correct(client, of_booker(made), email=BOB[1])

    assert answer.status_code == 409
    assert "belongs to another place" in main_text(answer)


def test_who_has_the_place_now_is_not_moved_by_an_old_letter(app: Flask, client: PageClient, made: Made) -> None:
    correct(client, of_booker(made), email=NEW)
    page = f"/bookings/{made.reference}/attendees/0/substitution"
    sent(client, page, "/substitution", name=CY[0], email=CY[1])

    assert client.get(link(app, NEW)).status_code == 410
    assert ann(app).email == CY[1]


def booker(app: Flask) -> Booking:
    (found,) = rows(app, Booking)
    assert isinstance(found, Booking)
    return found


def test_the_booker_has_another_name_at_once(app: Flask, client: PageClient, made: Made) -> None:
    page = f"/bookings/{made.reference}/corrections"

    assert sent(client, page, "/corrections", name="Beatrice Booker").status_code == 303

    assert booker(app).booker_name == "Beatrice Booker"
    (kept,) = [each.facts for each in rows(app, Entry) if each.verb == "booker_corrected"]
    assert kept["name_before"] == "Bea Booker"
    assert sent(client, page, "/corrections").status_code == 422


def test_the_bookers_new_address_answers_first_and_the_old_key_stops(
    app: Flask, client: PageClient, browser: Callable[[], PageClient], made: Made
) -> None:
    page, new = f"/bookings/{made.reference}/corrections", "bea@home.example"
    assert sent(client, page, "/corrections", email=new).status_code == 303
    assert booker(app).booker_email == "bea@clinic.example"
    other = browser()

    answer = press(other, link(app, new))

    assert other.get(answer.headers["Location"]).status_code == 200
    assert (booker(app).booker_email, booker(app).link_version) == (new, 2)
    assert client.get(made.url).status_code == 404
    assert browser().get(made.url).status_code == 404
    told = posted(app)
    assert {("bea@clinic.example", "address_changed"), (new, "receipt"), (new, "booking_changed")} <= set(told)
    (letter,) = [each for each in rows(app, Letter) if each.template == "address_changed"]
    assert not re.search("http|home.example", str(letter.values))
    assert ("hello@olu-trains.example", "organiser_notice") in told
    with app.app_context():
        found = db.session.scalars(select(Booking)).one()
        assert letters.booking_url(found) != made.url


def test_a_stranger_finds_none_of_it(made: Made, browser: Callable[[], PageClient]) -> None:
    stranger = browser()
    for page in (of_booker(made), f"/bookings/{made.reference}/corrections", "/places/1-" + "A" * 27 + "/correction"):
        assert stranger.get(page).status_code == 404


def test_after_the_end_the_organiser_is_named(client: PageClient, made: Made, clock: Clock) -> None:
    clock.shift(days=40)

    assert "The workshop is over" in main_text(client.get(of_booker(made)))
