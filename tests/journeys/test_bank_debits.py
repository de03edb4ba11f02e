"""PAY-02: money that is on its way for days. The place is kept meanwhile, however long the hold was."""

import pytest

from bookings.models import Attendee, Booking, Redemption
from courses.models import Place
from payments.models import Payment, PaymentAttempt, Refund
from tests.builders import a_code, a_workshop, arranged
from tests.conftest import Person
from tests.journeys.steps import COMPLETED, REFUNDS, SESSIONS, Visitor, Walk
from tests.page import main_text

pytestmark = pytest.mark.both_databases
SUCCEEDED = "checkout.session.async_payment_succeeded"
FAILED = "checkout.session.async_payment_failed"
NEVER_SAID = ("failed", "not paid", "confirmed")


@pytest.fixture
def slug(walk: Walk) -> str:
    with arranged(walk.app):
        a_code(code="ONCE", uses_total=1)
        return a_workshop(capacity=1).slug


def debited(walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person) -> str:
    """Booked with the code's last use, and a bank debit begun; the payment page's address."""
    url = visitor.book(slug, bea, ann, discount_code="ONCE")
    assert walk.stripe.pay(url, "pay_later").status == 303
    assert walk.ring(COMPLETED) == 204
    assert visitor.state(walk.reference()) == "awaiting_bank"
    return url


def test_waiting_keeps_the_place_beyond_the_hold(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person, zed: Person
) -> None:
    debited(walk, visitor, slug, bea, ann)
    reference = walk.reference()
    page = visitor.page(reference, returned="paid")
    said = main_text(page).lower()
    assert "bank" in said
    assert all(word not in said for word in NEVER_SAID)
    assert walk.subjects() == [f"Booking {reference}: we are waiting for your bank"]
    walk.clock.shift(days=2)
    walk.work()
    assert visitor.state(reference) == "awaiting_bank"
    assert [each.state for each in walk.rows(Place)] == ["taken"]
    assert [each.state for each in walk.rows(Redemption)] == ["used"]
    assert [(each.state, each.amount_minor) for each in walk.rows(Payment)] == [("pending", 13440)]
    bill = visitor.told(reference)["bill"]
    assert (bill["paid_minor"], bill["refunded_minor"]) == (0, 0)
    assert walk.visitor().client.get(f"/workshops/{slug}/bookings/new").status_code == 409
    again = visitor.client.post(f"/bookings/{reference}/payment", data={"csrf_token": _token(visitor, reference)})
    assert (again.status_code, again.location) == (303, f"/bookings/{reference}")
    assert len(walk.calls("POST", SESSIONS)) == 1


def _token(visitor: Visitor, reference: str) -> str:
    """A token for a form that the page no longer shows: somebody has an old page open."""
    page = visitor.client.get("/links").get_data(as_text=True)
    return page.partition('name="csrf_token" value="')[2].partition('"')[0]


def test_the_money_arrives(walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person) -> None:
    url = debited(walk, visitor, slug, bea, ann)
    walk.clock.shift(days=3)
    walk.stripe.bank(url.rpartition("/")[2], "succeed")
    assert walk.ring(SUCCEEDED) == 204
    assert walk.ring("payment_intent.succeeded") == 204
    assert walk.ring(COMPLETED) == 204
    reference = walk.reference()
    assert visitor.state(reference) == "confirmed"
    assert [(each.state, each.amount_minor) for each in walk.rows(Payment)] == [("succeeded", 13440)]
    to = [each["To"].addresses[0].addr_spec for each in walk.letters()]
    assert sorted(to) == sorted([bea.email, ann.email, bea.email])
    assert walk.subjects(bea.email)[-1] == f"Your booking {reference} is confirmed"


def test_the_money_does_not_arrive(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person, zed: Person
) -> None:
    url = debited(walk, visitor, slug, bea, ann)
    reference = walk.reference()
    walk.clock.shift(days=3)
    walk.stripe.bank(url.rpartition("/")[2], "fail")
    assert walk.ring(FAILED) == 204
    assert walk.ring("payment_intent.payment_failed") == 204
    assert visitor.state(reference) == "lapsed"
    assert [each.state for each in walk.rows(Place)] == ["released"]
    assert [each.state for each in walk.rows(Redemption)] == ["released"]
    assert [each.state for each in walk.rows(Attendee)] == ["lapsed"]
    assert [each.state for each in walk.rows(Payment)] == ["failed"]
    assert walk.subjects() == [
        f"Booking {reference}: we are waiting for your bank",
        f"Booking {reference}: your bank did not pay",
    ]
    assert {each["To"].addresses[0].addr_spec for each in walk.letters()} == {bea.email}
    assert walk.rows(Refund) == []
    other = walk.visitor()
    walk.stripe.pay(other.book(slug, zed, zed, discount_code="ONCE"))
    assert walk.ring(COMPLETED) == 204
    assert other.state(walk.reference()) == "confirmed"


def test_the_end_is_heard_before_the_beginning(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person
) -> None:
    url = visitor.book(slug, bea, ann)
    walk.stripe.pay(url, "pay_later")
    walk.stripe.bank(url.rpartition("/")[2], "succeed")
    assert {walk.ring(told) for told in reversed(walk.stripe.events())} == {204}
    assert visitor.state(walk.reference()) == "confirmed"
    assert len(walk.letters()) == 2
    assert len(walk.rows(Payment)) == 1


def test_a_failure_heard_before_the_beginning(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person
) -> None:
    url = visitor.book(slug, bea, ann)
    walk.stripe.pay(url, "pay_later_fail")
    walk.stripe.bank(url.rpartition("/")[2])
    assert {walk.ring(told) for told in reversed(walk.stripe.events())} == {204}
    assert visitor.page(walk.reference()).status_code == 200
    # The page at Stripe is spent, the place is still held: another way to pay is open.
    assert visitor.state(walk.reference()) == "held"
    again = visitor.pay_again(walk.reference())
    assert again.location not in (url, f"/bookings/{walk.reference()}")
    walk.stripe.pay(again.location)
    assert walk.ring(COMPLETED) == 204
    assert visitor.state(walk.reference()) == "confirmed"
    assert [each.state for each in walk.rows(PaymentAttempt)] == ["completed"] * 2


@pytest.mark.parametrize("outcome", ["succeed", "fail"])
def test_a_debit_begun_too_late(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person, zed: Person, outcome: str
) -> None:
    url = visitor.book(slug, bea, ann)
    reference = walk.reference()
    walk.clock.shift(minutes=30)
    walk.stripe.pay(url, "pay_later")
    walk.clock.shift(minutes=10)
    other = walk.visitor()
    walk.stripe.pay(other.book(slug, zed, zed))
    assert walk.ring(COMPLETED) == 204
    first = walk.stripe.events(COMPLETED)[0]
    assert walk.ring(first) == 204
    assert visitor.state(reference) == "lapsed"
    assert other.state(walk.reference()) == "confirmed"
    notices = walk.subjects("hello@olu-trains.example")
    assert notices == [f"Booking {reference}: a bank debit came too late"]
    walk.clock.shift(days=3)
    walk.stripe.bank(url.rpartition("/")[2], outcome)
    assert walk.ring(SUCCEEDED if outcome == "succeed" else FAILED) == 204
    walk.work()
    assert visitor.state(reference) == "lapsed"
    sent_back = [16800] if outcome == "succeed" else []
    assert [each.amount_minor for each in walk.rows(Refund)] == sent_back
    assert len(walk.calls("POST", REFUNDS)) == len(sent_back)
    assert len(walk.subjects("hello@olu-trains.example")) == 1 + len(sent_back)
    assert len(walk.rows(Booking)) == 2


def test_a_debit_begun_late_with_a_place_left(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person
) -> None:
    url = visitor.book(slug, bea, ann)
    walk.clock.shift(minutes=30)
    walk.stripe.pay(url, "pay_later")
    walk.clock.shift(minutes=10)
    walk.work()
    assert visitor.state(walk.reference()) == "awaiting_bank"
    assert [each.state for each in walk.rows(Place)] == ["taken"]
    walk.stripe.bank(url.rpartition("/")[2], "succeed")
    assert walk.ring(SUCCEEDED) == 204
    assert visitor.state(walk.reference()) == "confirmed"
