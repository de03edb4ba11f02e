"""NEWS-01's last line: an offer for a first event, paid with a card that has paid before. Told, never charged."""

import pytest

from bookings.models import Booking
from history.models import Entry
from payments.models import Payment
from tests.builders import a_code, a_workshop, arranged
from tests.conftest import Person
from tests.journeys.steps import COMPLETED, Visitor, Walk

pytestmark = pytest.mark.both_databases
ORGANISER = "hello@olu-trains.example"
CODE = "HELLO"
KNOWN = "a first offer, and a card we know"


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
    return [each for each in walk.subjects(ORGANISER) if KNOWN in each]


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

    walk.ring(COMPLETED)
    assert len(told(walk)) == 1


@pytest.mark.parametrize("what", ["other card", "no offer", "own booking"])
def test_nobody_is_told_without_a_reason(
    walk: Walk, visitor: Visitor, slugs: tuple[str, str], bea: Person, ann: Person, what: str
) -> None:
    if what != "own booking":
        pay(walk, visitor, slugs[0], bea)
        walk.work()
    card = "5555555555554444" if what == "other card" else "4242424242424242"
    pay(walk, visitor, slugs[1], ann, card, "" if what == "no offer" else CODE)
    assert told(walk) == []


def test_the_question_waits_while_stripe_is_away(
    walk: Walk, visitor: Visitor, slugs: tuple[str, str], bea: Person, ann: Person
) -> None:
    pay(walk, visitor, slugs[0], bea)
    walk.work()
    pay(walk, visitor, slugs[1], ann, code=CODE)
    walk.stripe.faults({"path": "/v1/payment_intents/*", "method": "GET", "status": 503, "times": 3})
    walk.work()
    assert told(walk) == []
    walk.forget_pauses()
    assert len(told(walk)) == 1
