"""SEAT-02: paid after the hold ran out. A place left is given, otherwise all of the money goes back, once."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import select

from bookings.models import Booking, Redemption
from courses.models import Place
from demo.stripe.process import Reply
from history.models import Entry
from lib import db, work
from payments import gateway
from payments.models import Payment, PaymentAttempt, Refund
from tests.builders import a_code, a_workshop, arranged
from tests.conftest import Person
from tests.journeys.steps import COMPLETED, EXPIRED, REFUNDS, Visitor, Walk, session_of
from tests.page import main_text

pytestmark = pytest.mark.both_databases
ORGANISER = "hello@olu-trains.example"


@pytest.fixture
def slug(walk: Walk) -> str:
    with arranged(walk.app):
        a_code(code="ONCE", percent=10, uses_total=1)
        return a_workshop(capacity=1).slug


def paid_late(walk: Walk, visitor: Visitor, slug: str, booker: Person, **changes: str | bool) -> Reply:
    """Booked, paid in the page's last minute, and the hold over before anybody hears of it."""
    url = visitor.book(slug, booker, booker, **changes)
    walk.clock.shift(minutes=30)
    back = walk.stripe.pay(url)
    assert back.status == 303
    walk.clock.shift(minutes=7)
    return back


def sold_to(walk: Walk, slug: str, person: Person, **changes: str | bool) -> str:
    """Somebody else books and pays; their reference."""
    other = walk.visitor()
    walk.stripe.pay(other.book(slug, person, person, **changes))
    assert walk.ring(COMPLETED) == 204
    reference = walk.reference()
    assert other.state(reference) == "confirmed"
    return reference


@pytest.mark.parametrize("is_tidied", [False, True])
def test_with_a_place_left_it_is_honoured(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, is_tidied: bool
) -> None:
    paid_late(walk, visitor, slug, bea)
    if is_tidied:
        walk.stripe.override(session_of(walk.rows(PaymentAttempt)[0].url or ""), status="expired")
        walk.work()
        assert visitor.state(walk.reference()) == "lapsed"
        assert [each.state for each in walk.rows(Place)] == ["released"]
        walk.stripe.override(session_of(walk.rows(PaymentAttempt)[0].url or ""), status="complete")
    assert walk.ring(COMPLETED) == 204
    assert visitor.state(walk.reference()) == "confirmed"
    assert [each.state for each in walk.rows(Place)] == ["taken"]
    assert len(walk.letters()) == 2
    assert walk.rows(Refund) == []


def test_without_one_all_of_it_goes_back(walk: Walk, visitor: Visitor, slug: str, bea: Person, zed: Person) -> None:
    back = paid_late(walk, visitor, slug, bea)
    hers = walk.reference()
    other = sold_to(walk, slug, zed)
    told = walk.stripe.events(COMPLETED)[0]
    assert walk.ring(told) == 204
    assert walk.ring(told) == 204
    assert walk.ring("payment_intent.succeeded") == 204
    refund = walk.one(Refund)
    assert (refund.state, refund.source, refund.amount_minor, refund.currency) == ("waiting", "rule", 16800, "GBP")
    walk.work()
    refund = walk.one(Refund)
    assert (refund.state, bool(refund.stripe_refund)) == ("succeeded", True)
    asked = walk.calls("POST", REFUNDS)
    assert [(each["key"], each["params"]["amount"]) for each in asked] == [(refund.key, 16800)]
    assert asked[0]["params"]["payment_intent"] == walk.rows(Payment)[-1].payment_intent
    for kind in ("refund.created", "charge.refunded"):
        assert walk.ring(kind) == 204
    assert len(walk.rows(Refund)) == 1

    assert visitor.state(hers) == "lapsed"
    bill = visitor.told(hers)["bill"]
    assert (bill["paid_minor"], bill["refunded_minor"], bill["total_minor"]) == (16800, 16800, 16800)
    said = main_text(visitor.client.get(back.location))
    assert "£168" in said
    assert "confirmed" not in said.lower()
    assert walk.visitor().client.get(back.location).status_code == 200
    pools = [each.state for each in walk.rows(Place)]
    assert sorted(pools) == ["released", "taken"]
    letter = walk.letters(bea.email)
    assert [str(each["Subject"]) for each in letter] == [f"Booking {hers}: all of your payment goes back"]
    text = letter[0].get_body(("plain",))
    assert text is not None
    assert "£168" in text.get_content()
    assert walk.subjects(ORGANISER) == [f"Booking {hers}: a payment is being sent back"]
    with walk.app.app_context():
        entries = db.session.scalars(select(Entry.verb).where(Entry.about == f"booking:{walk.rows(Booking)[0].id}"))
        assert set(entries) == {"booking_held", "booking_lapsed", "refund_begun"}
    assert visitor.state(hers) == "lapsed"
    assert [each.reference for each in walk.rows(Booking)] == [hers, other]


def test_when_the_codes_last_use_has_gone(walk: Walk, visitor: Visitor, bea: Person, zed: Person) -> None:
    with arranged(walk.app):
        a_code(code="ONCE", percent=10, uses_total=1)
        slug = a_workshop(capacity=5).slug
    back = paid_late(walk, visitor, slug, bea, discount_code="ONCE")
    hers = walk.reference()
    sold_to(walk, slug, zed, discount_code="ONCE")
    assert walk.ring(walk.stripe.events(COMPLETED)[0]) == 204
    walk.work()
    assert visitor.state(hers) == "lapsed"
    assert [(each.amount_minor, each.state) for each in walk.rows(Refund)] == [(15120, "succeeded")]
    assert sorted(each.state for each in walk.rows(Redemption)) == ["released", "used"]
    assert sorted(each.state for each in walk.rows(Place)) == ["released", "taken"]
    assert len(walk.letters(bea.email)) == len(walk.letters(ORGANISER)) == 1
    # There are places left: nobody is told otherwise.
    said = main_text(visitor.client.get(back.location))
    assert "£151.20" in said
    assert "none was left" not in said


def test_the_page_is_closed_before_the_place_is_free(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, zed: Person
) -> None:
    url = visitor.book(slug, bea, bea)
    # The page at Stripe goes on for longer than we asked: only the call to end it makes it safe.
    walk.clock.shift(minutes=37)
    assert walk.stripe.requests()[-1]["path"] == "/v1/checkout/sessions"
    walk.work()
    assert len(walk.calls("POST", f"{session_of(url)}/expire")) == 1
    assert visitor.state(walk.reference()) == "lapsed"
    assert walk.stripe.pay(url).status == 410
    assert [each.state for each in walk.rows(PaymentAttempt)] == ["expired"]
    assert walk.ring(EXPIRED) == 204
    assert walk.letters() == []
    sold_to(walk, slug, zed)
    walk.work()
    assert sorted(each.state for each in walk.rows(Place)) == ["released", "taken"]


def test_what_was_paid_is_found_before_the_place_is_free(walk: Walk, visitor: Visitor, slug: str, bea: Person) -> None:
    paid_late(walk, visitor, slug, bea)
    walk.work()
    assert visitor.state(walk.reference()) == "confirmed"
    assert len(walk.letters()) == 2
    assert walk.ring(COMPLETED) == 204
    assert len(walk.letters()) == 2


def test_while_stripe_is_away_no_hold_is_tidied(walk: Walk, visitor: Visitor, slug: str, bea: Person) -> None:
    paid_late(walk, visitor, slug, bea)
    walk.stripe.faults({"path": "/v1/checkout/sessions/*", "status": 503, "times": 3})
    walk.work()
    assert [each.state for each in walk.rows(Booking)] == ["held"]
    assert visitor.state(walk.reference()) == "lapsed"
    walk.forget_pauses()
    walk.work()
    assert visitor.state(walk.reference()) == "confirmed"


def too_late(walk: Walk, visitor: Visitor, slug: str, bea: Person, zed: Person) -> None:
    """A refund is written down and not yet sent."""
    paid_late(walk, visitor, slug, bea)
    sold_to(walk, slug, zed)
    assert walk.ring(walk.stripe.events(COMPLETED)[0]) == 204
    assert walk.one(Refund).state == "waiting"


@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"status": "drop"}, {"status": "commit_then_drop"}, {"status": 429}]
)
@pytest.mark.parametrize("times", [1, 4])
def test_a_refund_happens_once_through_any_trouble(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, zed: Person, fault: Mapping[str, Any], times: int
) -> None:
    too_late(walk, visitor, slug, bea, zed)
    walk.stripe.faults({"path": REFUNDS, "method": "POST", "times": times, **fault})
    for _ in range(times + 1):
        walk.work()
        walk.forget_pauses()
    refund = walk.one(Refund)
    assert (refund.state, refund.amount_minor) == ("succeeded", 16800)
    assert {each["key"] for each in walk.calls("POST", REFUNDS)} == {refund.key}
    assert len({each["data"]["object"]["id"] for each in walk.stripe.events("refund.created")}) == 1
    assert len(walk.subjects(bea.email)) == 1


def test_a_worker_killed_after_stripe_said_yes(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, zed: Person
) -> None:
    too_late(walk, visitor, slug, bea, zed)
    refund = walk.one(Refund)
    handlers = {kind: each for kind, each in walk.app.extensions["handlers"].items() if kind == "payments.send_back"}
    with walk.app.app_context():
        assert work.claim(handlers) is not None
        gateway.send_back(refund.key, walk.rows(Payment)[-1].payment_intent, refund.amount_minor)
    assert walk.one(Refund).state == "waiting"
    walk.forget_pauses()
    walk.work()
    assert walk.one(Refund).state == "succeeded"
    assert len(walk.stripe.events("refund.created")) == 1


def test_the_event_of_the_refund_is_quicker_than_the_worker(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, zed: Person
) -> None:
    too_late(walk, visitor, slug, bea, zed)
    refund = walk.one(Refund)
    with walk.app.app_context():
        gateway.send_back(refund.key, walk.rows(Payment)[-1].payment_intent, refund.amount_minor)
    assert walk.ring("refund.created") == 204
    assert walk.one(Refund).state == "succeeded"
    walk.work()
    assert len(walk.calls("POST", REFUNDS)) == 1
    assert len(walk.rows(Refund)) == 1


def test_a_refund_that_takes_its_time(walk: Walk, visitor: Visitor, slug: str, bea: Person, zed: Person) -> None:
    url = visitor.book(slug, bea, bea)
    walk.clock.shift(minutes=30)
    walk.stripe.pay(url, "4000000000007726")
    walk.clock.shift(minutes=7)
    sold_to(walk, slug, zed)
    assert walk.ring(walk.stripe.events(COMPLETED)[0]) == 204
    walk.work()
    refund = walk.one(Refund)
    assert refund.state == "pending"
    assert refund.stripe_refund is not None
    walk.stripe.settle_refund(refund.stripe_refund, "succeeded")
    assert walk.ring("refund.updated") == 204
    assert walk.one(Refund).state == "succeeded"


def test_a_refund_made_by_hand_in_stripe_is_written_down(walk: Walk, visitor: Visitor, slug: str, bea: Person) -> None:
    walk.stripe.pay(visitor.book(slug, bea, bea))
    assert walk.ring(COMPLETED) == 204
    walk.stripe.refund(walk.one(Payment).payment_intent, 5000)
    for kind in ("refund.created", "refund.updated", "charge.refunded"):
        assert walk.ring(kind) == 204
    refund = walk.one(Refund)
    assert (refund.source, refund.amount_minor, refund.state) == ("stripe", 5000, "succeeded")
    bill = visitor.told(walk.reference())["bill"]
    assert (bill["paid_minor"], bill["refunded_minor"]) == (16800, 5000)
    assert visitor.state(walk.reference()) == "confirmed"
