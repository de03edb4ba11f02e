"""PAY-05: refunds made on Stripe's own pages flow back, each for what it is and once, in any order of telling."""

from itertools import permutations

import pytest

from bookings import lifecycle, returning
from bookings.models import Booking, Redemption
from courses.models import Place
from payments.models import Movement, Payment, Refund
from tests.builders import a_code, a_workshop, arranged
from tests.conftest import Person
from tests.journeys.steps import COMPLETED, REFUNDS, Visitor, Walk
from tests.page import main_text

pytestmark = pytest.mark.both_databases
ORGANISER = "hello@olu-trains.example"


@pytest.fixture
def slug(walk: Walk) -> str:
    with arranged(walk.app):
        a_code(code="ONCE", percent=10, uses_total=1)
        return a_workshop(price_minor=8500).slug


@pytest.fixture
def five(walk: Walk, visitor: Visitor, slug: str, bea: Person) -> str:
    """Five places at £85.00, paid; the payment intent."""
    people = [Person(f"Attendee {n}", f"attendee-{n}@clinic.example") for n in range(5)]
    walk.stripe.pay(visitor.book(slug, bea, *people))
    assert walk.ring(COMPLETED) == 204
    walk.letters()
    walk.mailbox.clear()
    return walk.one(Payment).payment_intent


def bill(visitor: Visitor, walk: Walk) -> tuple[int, int]:
    told = visitor.told(walk.reference())["bill"]
    return told["paid_minor"], told["refunded_minor"]


def test_a_part_is_a_part(walk: Walk, visitor: Visitor, five: str, bea: Person) -> None:
    walk.stripe.refund(five, 8500)
    assert walk.ring("charge.refunded") == 204
    assert bill(visitor, walk) == (42500, 8500)
    assert visitor.state(walk.reference()) == "confirmed"
    assert [each["state"] for each in visitor.told(walk.reference())["attendees"]] == ["confirmed"] * 5
    assert [each.state for each in walk.rows(Place)] == ["taken"] * 5
    letter = walk.letters(bea.email)
    assert [str(each["Subject"]) for each in letter] == [f"Booking {walk.reference()}: £85.00 is on its way back"]
    text = letter[0].get_body(("plain",))
    assert text is not None
    assert "£85" in text.get_content()
    assert "£425" not in text.get_content()
    assert walk.subjects(ORGANISER) == [f"Booking {walk.reference()}: a refund was made at Stripe"]

    walk.stripe.refund(five, 8500)
    assert walk.ring("charge.refunded") == 204
    assert bill(visitor, walk) == (42500, 17000)
    assert [(each.amount_minor, each.source, each.state) for each in walk.rows(Refund)] == [
        (8500, "stripe", "succeeded")
    ] * 2
    assert len(walk.letters(bea.email)) == 2
    assert walk.calls("POST", REFUNDS) == []
    assert "£170" in main_text(visitor.page(walk.reference()))


def test_all_of_it_ends_the_way_in_and_frees_the_code(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person
) -> None:
    walk.stripe.pay(visitor.book(slug, bea, ann, discount_code="ONCE"))
    assert walk.ring(COMPLETED) == 204
    walk.stripe.refund(walk.one(Payment).payment_intent)
    assert walk.ring("refund.created") == 204
    walk.work()
    assert bill(visitor, walk) == (7650, 7650)
    # Cancelling and refunding are separate acts: the place is the organiser's to put on sale.
    assert walk.one(Booking).state == "confirmed"
    assert [each.state for each in walk.rows(Redemption)] == ["released"]
    assert any("links lead nowhere" in each for each in _bodies(walk, ORGANISER))


def _bodies(walk: Walk, to: str) -> list[str]:
    return [part.get_content() for each in walk.letters(to) if (part := each.get_body(("plain",))) is not None]


@pytest.mark.parametrize("order", range(6))
def test_told_in_any_order_and_twice(walk: Walk, visitor: Visitor, five: str, bea: Person, order: int) -> None:
    walk.stripe.refund(five, 8500)
    walk.stripe.refund(five, 5000)
    told = [
        [each for each in walk.stripe.events() if each["type"].startswith(kind)]
        for kind in ("refund.created", "refund.updated", "charge.refunded")
    ]
    for group in list(permutations(told))[order]:
        for event in reversed(group):
            assert [walk.ring(event), walk.ring(event)] == [204, 204]
    assert sorted(each.amount_minor for each in walk.rows(Refund)) == [5000, 8500]
    assert bill(visitor, walk) == (42500, 13500)
    walk.work()
    assert sorted(walk.subjects(bea.email)) == sorted(
        f"Booking {walk.reference()}: {minor} is on its way back" for minor in ("£85.00", "£50.00")
    )


def test_a_refund_told_of_before_its_payment(walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person) -> None:
    walk.stripe.pay(visitor.book(slug, bea, ann))
    intent = walk.stripe.events("payment_intent.succeeded")[-1]["data"]["object"]["id"]
    walk.stripe.refund(intent, 500)
    assert walk.ring("refund.created") == 204
    assert (visitor.state(walk.reference()), bill(visitor, walk)) == ("confirmed", (8500, 500))
    assert walk.ring(COMPLETED) == 204
    assert bill(visitor, walk) == (8500, 500)


def test_one_that_fails_is_money_here_again(walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person) -> None:
    url = visitor.book(slug, bea, ann)
    walk.stripe.pay(url, "4000000000005126")
    assert walk.ring(COMPLETED) == 204
    refund = walk.stripe.refund(walk.one(Payment).payment_intent, 500)
    assert walk.ring("refund.created") == 204
    walk.work()
    walk.stripe.settle_refund(refund["id"], "failed")
    for kind in ("charge.refund.updated", "refund.failed", "refund.updated"):
        assert walk.ring(kind) == 204
    assert [each.state for each in walk.rows(Refund)] == ["failed"]
    assert bill(visitor, walk) == (8500, 0)
    assert [each.kind for each in walk.rows(Movement)] == ["payment", "charge", "refund", "reduction", "refund_failed"]
    assert walk.subjects(ORGANISER)[-1] == f"Booking {walk.reference()}: a refund failed"
    # Somebody has to look at it; sent again, it is settled.
    audited = walk.app.test_cli_runner().invoke(args=["bookings", "audit"])
    assert (audited.exit_code, audited.output.count("failed at Stripe")) == (1, 1)
    walk.stripe.refund(walk.one(Payment).payment_intent, 500)
    assert walk.ring("refund.created") == 204


def test_refunds_here_and_there_at_once_never_exceed(walk: Walk, visitor: Visitor, five: str, bea: Person) -> None:
    """Ours is asked while somebody refunds on Stripe's pages: Stripe refuses what is too much, and both are told."""
    with arranged(walk.app):
        booking = lifecycle.locked(walk.rows(Booking)[-1].bill_id)
        back = returning.give(booking, 42500, source="organiser", reason="goodwill", actor="user:1", now=walk.clock.at)
        assert back.minor == 42500
    walk.stripe.refund(five, 42500)
    walk.work()
    assert [(each.source, each.state) for each in walk.rows(Refund)] == [
        ("organiser", "failed"),
        ("stripe", "succeeded"),
    ]
    assert bill(visitor, walk) == (42500, 42500)
