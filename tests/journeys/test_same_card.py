"""NEWS-01's last line: an offer for a first event, paid with a card that has paid before. Told, never charged."""

import pytest

from bookings.models import Booking
from history.models import Entry
from payments.models import Payment
from tests.builders import a_code, a_workshop, an_organiser, arranged
from tests.conftest import Person
from tests.journeys.steps import COMPLETED, Visitor, Walk, session_of

pytestmark = pytest.mark.both_databases
ORGANISER = "hello@olu-trains.example"
CODE = "HELLO"
KNOWN = "a first offer, and a card we know"
BANK = "GB82WEST12345698765432"


@pytest.fixture
def slugs(walk: Walk) -> tuple[str, str]:
    """Two online workshops, and an offer for whose first event it is."""
    with arranged(walk.app):
        a_code(code=CODE, percent=20, first_online_only=True)
        return a_workshop(slug="one").slug, a_workshop(slug="other").slug


def pay(walk: Walk, visitor: Visitor, slug: str, who: Person, card: str = "4242424242424242", code: str = "") -> str:
    """Book for oneself and pay with a card; the booking's reference."""
    walk.stripe.pay(visitor.book(slug, who, who, discount_code=code), card)
    assert walk.ring(COMPLETED) == 204
    return walk.reference()


def told(walk: Walk) -> list[str]:
    """What the organiser has been told of cards, once the worker has had time."""
    walk.clock.shift(minutes=2)
    return [each for each in walk.subjects(ORGANISER) if KNOWN in each]


def cards(walk: Walk) -> list[bool]:
    """Of each payment whether a card is kept with it."""
    return [bool(each.card) for each in walk.rows(Payment)]


def test_the_organiser_is_told_once_and_nothing_is_charged(
    walk: Walk, visitor: Visitor, slugs: tuple[str, str], bea: Person, ann: Person
) -> None:
    earlier = pay(walk, visitor, slugs[0], bea)
    walk.work()
    later = pay(walk, visitor, slugs[1], ann, code=CODE)

    assert told(walk) == [f"Booking {later}: {KNOWN}"]
    (letter,) = [each for each in walk.letters(ORGANISER) if KNOWN in str(each["Subject"])]
    text = letter.get_body(("plain",))
    assert text is not None
    assert earlier in text.get_content()
    assert [each.amount_minor for each in walk.rows(Payment)] == [16800, 13440]
    assert {each.state for each in walk.rows(Booking)} == {"confirmed"}
    (entry,) = walk.rows(Entry, Entry.verb == "same_card_seen")
    assert entry.facts == {"code": CODE, "bookings": [earlier]}
    assert walk.calls("POST", "/v1/refunds") == []

    walk.ring(COMPLETED)
    assert len(told(walk)) == 1


@pytest.mark.parametrize("what", ["other card", "no offer", "bank"])
def test_nobody_is_told_without_a_reason(
    walk: Walk, visitor: Visitor, slugs: tuple[str, str], bea: Person, ann: Person, what: str
) -> None:
    pay(walk, visitor, slugs[0], bea)
    walk.work()
    card = "5555555555554444" if what == "other card" else "4242424242424242"
    if what == "bank":
        page = visitor.book(slugs[1], ann, ann, discount_code=CODE)
        walk.stripe.pay(page, BANK)
        walk.ring(COMPLETED)
        walk.stripe.bank(session_of(page), "succeed")
        assert walk.ring("checkout.session.async_payment_succeeded") == 204
        assert visitor.state(walk.reference()) == "confirmed"
    else:
        pay(walk, visitor, slugs[1], ann, card, "" if what == "no offer" else CODE)
    assert told(walk) == []
    assert cards(walk) == [True, what != "bank"]


def test_a_card_that_pays_again_afterwards_says_nothing_of_the_first_event(
    walk: Walk, visitor: Visitor, slugs: tuple[str, str], bea: Person
) -> None:
    """The worker comes to the question late: what was paid since is no reason."""
    pay(walk, visitor, slugs[0], bea, code=CODE)
    walk.clock.shift(seconds=10)
    pay(walk, visitor, slugs[1], bea)
    assert told(walk) == []


def test_two_first_offers_at_the_same_moment_are_told_of_once(
    walk: Walk, visitor: Visitor, slugs: tuple[str, str], bea: Person, ann: Person
) -> None:
    pages = [
        each.book(slug, who, who, discount_code=CODE)
        for each, slug, who in ((visitor, slugs[0], bea), (walk.visitor(), slugs[1], ann))
    ]
    for page in pages:
        walk.stripe.pay(page)
    for event in walk.stripe.events(COMPLETED):
        assert walk.ring(event) == 204
    later = walk.rows(Booking)[-1].reference
    assert told(walk) == [f"Booking {later}: {KNOWN}"]


@pytest.mark.parametrize("what", ["in the room", "paid back", "another organiser"])
def test_only_an_online_event_of_this_organiser_that_was_paid_counts(
    walk: Walk, visitor: Visitor, slugs: tuple[str, str], bea: Person, ann: Person, what: str
) -> None:
    slug = slugs[0]
    with arranged(walk.app):
        if what == "in the room":
            slug = a_workshop(slug="room", format="room").slug
        elif what == "another organiser":
            slug = a_workshop(slug="elsewhere", organiser=an_organiser(slug="pim", name="Pim")).slug
    pay(walk, visitor, slug, bea)
    if what == "paid back":
        walk.stripe.refund(walk.rows(Payment)[0].payment_intent, 16800)
        assert walk.ring("charge.refunded") == 204
    pay(walk, visitor, slugs[1], ann, code=CODE)
    assert told(walk) == []
    assert cards(walk) == [what != "in the room", True]


def test_money_that_came_too_late_leaves_no_card(
    walk: Walk, visitor: Visitor, slugs: tuple[str, str], bea: Person, ann: Person
) -> None:
    with arranged(walk.app):
        full = a_workshop(slug="full", capacity=1).slug
    walk.stripe.pay(visitor.book(full, bea, bea))
    walk.clock.shift(hours=1)
    pay(walk, walk.visitor(), full, ann)
    assert walk.ring(walk.stripe.events(COMPLETED)[0]) == 204  # told of so late that the place has gone
    assert [each.state for each in walk.rows(Booking)] == ["lapsed", "confirmed"]
    assert cards(walk) == [True, False]
    walk.work()
