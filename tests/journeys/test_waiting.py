"""From a full workshop over the waiting list into the room: letters, links, the offer taken, booked and paid."""

import re
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from werkzeug.test import TestResponse

from bookings.models import Booking, WaitingPerson
from courses.models import Place
from payments.models import Payment
from tests.bookings.making import Made
from tests.bookings.waiting_people import a_full_workshop, give_up
from tests.conftest import Person
from tests.journeys.steps import COMPLETED, Visitor, Walk, parts, typed
from tests.page import form, main_text

pytestmark = pytest.mark.both_databases
LINK = re.compile(r"http://localhost(/waiting/\S+)")


def join(walk: Walk, slug: str, person: Person, **typed: str | bool) -> str:
    """Fill in the form of the list, and follow the letter's link; the page's path."""
    visitor = walk.visitor()
    filled = form(visitor.client.get(f"/workshops/{slug}/waiting"), "/waiting")
    answer = visitor.client.submit(filled, {"name": person.name, "email": person.email, **typed})
    assert answer.status_code == 303, main_text(answer)
    assert "Look in your letters" in main_text(visitor.client.get(answer.location))
    return link_of(walk, person)


def link_of(walk: Walk, person: Person) -> str:
    """The link of the newest letter to somebody."""
    newest = walk.letters(person.email)[-1]
    (text,) = [each for kind, each in parts(newest).items() if kind.startswith("text/plain")]
    found = LINK.search(text)
    assert found, text
    return found[1]


def press(visitor: Visitor, page: str, act: str, **changes: str | bool) -> TestResponse:
    return visitor.client.submit(form(visitor.client.get(page), act), changes)


def book(walk: Walk, visitor: Visitor, page: str, person: Person, **changes: str | bool) -> TestResponse:
    """Take the offer and send the booking form as it stands filled in."""
    there = press(visitor, page, "/acceptance")
    assert there.status_code == 303, main_text(there)
    shown = visitor.client.get(there.location)
    assert "One place is held for you until" in main_text(shown)
    filled = form(shown, "/bookings")
    assert filled.values["attendee-0-email"] == person.email
    return visitor.client.submit(filled, {"agree_terms": True, **changes})


@pytest.fixture
def full(walk: Walk) -> tuple[str, Made]:
    slug, (holder,) = a_full_workshop(walk.app)
    return slug, holder


def test_from_a_full_workshop_to_a_place_paid_for(
    walk: Walk, visitor: Visitor, full: tuple[str, Made], bea: Person, zed: Person
) -> None:
    slug, holder = full
    shown = visitor.client.get(f"/workshops/{slug}").get_data(as_text=True)
    assert f'href="/workshops/{slug}/waiting"' in shown
    refused = visitor.client.get(f"/workshops/{slug}/bookings/new")
    assert refused.status_code == 409
    assert "Join the waiting list" in main_text(refused)
    page = join(walk, slug, bea)
    other = join(walk, slug, zed)
    assert "You are number 1 in the list." in main_text(visitor.client.get(page))
    assert "You are number 2 in the list. How it stands One person is ahead" in main_text(visitor.client.get(other))

    give_up(walk.app, holder)
    assert str(walk.letters(bea.email)[-1]["Subject"]).startswith("A place is yours to take")
    assert link_of(walk, bea) == page
    assert visitor.client.get(f"/workshops/{slug}/bookings/new").status_code == 409  # it is nobody else's
    for _ in range(2):  # a scanner opens every link, and nothing is spent
        assert "One place is held for you." in main_text(visitor.client.get(page))
    sent = book(walk, visitor, page, bea)
    assert sent.status_code == 303
    assert "/pay/cs_" in sent.location
    assert visitor.client.get(page).status_code == 410
    walk.stripe.pay(sent.location)
    assert walk.ring(COMPLETED) == 204
    assert visitor.state(walk.reference()) == "confirmed"
    assert [each.state for each in walk.rows(Place)] == ["released", "taken"]
    assert [each.state for each in walk.rows(WaitingPerson)] == ["booked", "waiting"]
    assert walk.subjects(bea.email) == [
        "You are on the waiting list: Reflective Practice",
        "A place is yours to take: Reflective Practice",
        "Your place: Reflective Practice, Tue 30 Mar 2027",
        f"Your booking {walk.reference()} is confirmed",
    ]


def test_an_offer_that_is_over_is_410_and_costs_nothing(
    walk: Walk, visitor: Visitor, full: tuple[str, Made], bea: Person
) -> None:
    slug, holder = full
    page = join(walk, slug, bea)
    give_up(walk.app, holder)
    walk.work()
    button = form(visitor.client.get(page), "/acceptance")
    walk.clock.shift(hours=48)
    late = visitor.client.submit(button)
    assert late.status_code == 410
    said = main_text(late)
    for sentence in ("Its time ran out", "Nothing has been charged", "Back to the workshop"):
        assert sentence in said
    gone = visitor.client.get(page)
    assert gone.status_code == 410
    assert "The offer was not used in time" in main_text(gone)
    token = urlsplit(page).path.rpartition("/")[2]
    assert visitor.client.get(f"/workshops/{slug}/bookings/new?waiting={token}").status_code == 410
    assert visitor.client.get(f"/workshops/{slug}/bookings/new").status_code == 200  # anybody may book it now
    assert len(walk.rows(Payment)) == 1  # the holder's


def test_somebody_quicker_is_409_and_the_place_in_the_list_stays(
    walk: Walk, visitor: Visitor, bea: Person, zed: Person
) -> None:
    slug, (holder,) = a_full_workshop(walk.app, in_days=1)
    walk.clock.shift(hours=2)
    hers, his = join(walk, slug, bea), join(walk, slug, zed)
    give_up(walk.app, holder)
    assert str(walk.letters(zed.email)[-1]["Subject"]).startswith("A place is free, and the first to answer has it")
    button = form(visitor.client.get(his), "/acceptance")
    assert book(walk, walk.visitor(), hers, bea).status_code == 303
    slow = visitor.client.submit(button)
    assert slow.status_code == 409
    assert "Somebody was a moment quicker" in main_text(slow)
    assert "Nothing has been charged" in main_text(slow)
    assert "You are number 1 in the list." in main_text(visitor.client.get(his))


def test_a_form_that_is_changed_and_sent_again_keeps_the_place(
    walk: Walk, visitor: Visitor, full: tuple[str, Made], bea: Person, zed: Person
) -> None:
    slug, holder = full
    page = join(walk, slug, bea)
    join(walk, slug, zed)
    give_up(walk.app, holder)
    walk.work()
    there = press(visitor, page, "/acceptance").location
    filled = form(visitor.client.get(there), "/bookings")
    assert visitor.client.submit(filled, {"agree_terms": True}).status_code == 303
    again = visitor.client.submit(filled, {"attendee-0-name": "Bea Put Right"})
    assert again.status_code == 303
    walk.stripe.pay(again.location)
    assert walk.ring(COMPLETED) == 204
    assert [each.state for each in walk.rows(Booking)] == ["cancelled", "lapsed", "confirmed"]
    assert [each.state for each in walk.rows(WaitingPerson)] == ["booked", "waiting"]


def test_two_are_offered_and_one_is_taken(walk: Walk, visitor: Visitor, bea: Person) -> None:
    slug, holders = a_full_workshop(walk.app, capacity=2)
    page = join(walk, slug, bea, places="2")
    for each in holders:
        give_up(walk.app, each)
    walk.work()
    assert "2 places are held for you." in main_text(visitor.client.get(page))
    there = press(visitor, page, "/acceptance", number="1")
    assert there.status_code == 303
    walk.work()
    filled = form(visitor.client.get(there.location), "/bookings")
    assert "attendee-1-name" not in filled.names
    assert visitor.client.get(f"/workshops/{slug}/bookings/new").status_code == 200  # the other is anybody's


def test_a_wish_changed_and_a_list_left(walk: Walk, visitor: Visitor, full: tuple[str, Made], bea: Person) -> None:
    slug, _ = full
    page = join(walk, slug, bea)
    assert press(visitor, page, "/wish", places="3", takes_fewer=False).status_code == 303
    assert "3 places, Standard." in main_text(visitor.client.get(page))
    assert [(each.wanted, each.takes_fewer) for each in walk.rows(WaitingPerson)] == [(3, False)]
    left = press(visitor, page, "/leaving")
    assert "You have left the list" in main_text(visitor.client.get(left.location))
    assert visitor.client.get(page).status_code == 404
    again = join(walk, slug, bea)
    assert again != page
    assert "You are number 1 in the list." in main_text(visitor.client.get(again))


def test_nobody_learns_who_is_on_a_list(
    walk: Walk, visitor: Visitor, full: tuple[str, Made], bea: Person, zed: Person
) -> None:
    slug, _ = full
    page = join(walk, slug, bea)
    filled = form(visitor.client.get(f"/workshops/{slug}/waiting"), "/waiting")
    answers = [visitor.client.submit(filled, {"name": "X", "email": each.email}) for each in (bea, zed)]
    assert answers[0].location == answers[1].location
    assert len({visitor.client.get(each.location).get_data() for each in answers}) == 1
    assert link_of(walk, bea) == page  # the same letter again, and she stays where she was
    number, dash, rest = page.rpartition("/")[2].partition("-")
    for token in (f"{int(number) + 1}{dash}{rest}", f"{number}{dash}{rest[:-1]}", "none-of-ours"):
        for address in (f"/waiting/{token}", f"/workshops/{slug}/bookings/new?waiting={token}"):
            assert visitor.client.get(address).status_code == 404
    other, _ = a_full_workshop(walk.app)
    token = page.rpartition("/")[2]
    assert visitor.client.get(f"/workshops/{other}/bookings/new?waiting={token}").status_code == 404


def test_a_page_of_the_list_is_private(walk: Walk, visitor: Visitor, full: tuple[str, Made], bea: Person) -> None:
    slug, holder = full
    page = join(walk, slug, bea)
    give_up(walk.app, holder)
    walk.work()
    there = press(visitor, page, "/acceptance")
    for answer in (visitor.client.get(page), visitor.client.get(there.location)):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_with_places_there_is_no_need_to_wait(
    walk: Walk, visitor: Visitor, full: tuple[str, Made], bea: Person
) -> None:
    slug, holder = full
    filled = form(visitor.client.get(f"/workshops/{slug}/waiting"), "/waiting")
    give_up(walk.app, holder)
    answer = visitor.client.submit(filled, {"name": bea.name, "email": bea.email})
    assert answer.status_code == 409
    assert "One place can be booked now." in main_text(answer)
    assert walk.rows(WaitingPerson) == []


def test_an_offer_is_booked_in_another_name(
    walk: Walk, visitor: Visitor, full: tuple[str, Made], bea: Person, zed: Person
) -> None:
    """Who waited books for a colleague: the place is theirs to give."""
    slug, holder = full
    page = join(walk, slug, bea)
    give_up(walk.app, holder)
    walk.work()
    sent = book(walk, visitor, page, bea, **typed(bea, [replace(zed, name="Zed Other")]))
    walk.stripe.pay(sent.location)
    assert walk.ring(COMPLETED) == 204
    assert visitor.state(walk.reference()) == "confirmed"
