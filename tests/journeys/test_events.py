"""PAY-01, PAY-04, PAY-09: events twice, at once, late, out of order, from elsewhere, and such as do not fit."""

import json
import time
from typing import Any

import pytest
from flask.testing import FlaskClient
from stripe import WebhookSignature

from bookings.models import Attendee, Booking, Redemption, SentInvite
from courses.models import Place
from history.models import Entry
from payments.models import Payment, PaymentAttempt, Refund, StripeEvent
from tests.builders import a_code, a_workshop, arranged
from tests.conftest import WEBHOOK_SECRET, Person
from tests.journeys.steps import COMPLETED, EXPIRED, REFUNDS, SESSIONS, Visitor, Walk, session_of, together

pytestmark = pytest.mark.both_databases


@pytest.fixture
def slug(walk: Walk) -> str:
    with arranged(walk.app):
        a_code(code="ONCE", uses_total=1)
        return a_workshop().slug


def nothing_but_one_booking(walk: Walk) -> None:
    """One booking, place, payment, use, invite, and one letter for each of the two."""
    assert [each.state for each in walk.rows(Booking)] == ["confirmed"]
    assert [each.state for each in walk.rows(Attendee)] == ["confirmed"]
    assert [each.state for each in walk.rows(Place)] == ["taken"]
    assert [(each.state, each.amount_minor) for each in walk.rows(Payment)] == [("succeeded", 13440)]
    assert [each.state for each in walk.rows(Redemption)] == ["used"]
    assert len(walk.rows(SentInvite)) == 1
    assert walk.rows(Refund) == []
    assert len(walk.letters()) == 2


@pytest.mark.parametrize("repeat", range(3))
def test_three_deliveries_of_one_payment_at_once(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person, repeat: int
) -> None:
    walk.stripe.pay(visitor.book(slug, bea, ann, discount_code="ONCE"))
    completed, succeeded = walk.stripe.events(COMPLETED)[-1], walk.stripe.events("payment_intent.succeeded")[-1]
    calls = [lambda told=told: walk.ring(told) for told in (completed, completed, succeeded)]
    statuses = together(*calls)
    # A 503 asks Stripe to ring again, which it does.
    assert set(statuses) <= {204, 503}
    for told, status in zip((completed, completed, succeeded), statuses, strict=True):
        if status == 503:
            assert walk.ring(told) == 204
    nothing_but_one_booking(walk)
    assert sorted(each.stripe_id for each in walk.rows(StripeEvent)) == sorted({completed["id"], succeeded["id"]})


def test_the_same_event_again_and_again(walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person) -> None:
    walk.stripe.pay(visitor.book(slug, bea, ann, discount_code="ONCE"))
    told = walk.stripe.events(COMPLETED)[-1]
    assert [walk.ring(told) for _ in range(3)] == [204] * 3
    walk.clock.shift(days=3)
    assert walk.ring(told) == 204
    nothing_but_one_booking(walk)
    assert len(walk.rows(StripeEvent)) == 1


def test_every_event_in_reverse(walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person) -> None:
    url = visitor.book(slug, bea, ann, discount_code="ONCE")
    walk.stripe.pay(url, "4000000000000002")
    walk.stripe.pay(url)
    assert {walk.ring(told) for told in reversed(walk.stripe.events())} == {204}
    nothing_but_one_booking(walk)


def test_the_returning_buyer_and_the_event_at_once(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person
) -> None:
    back = walk.stripe.pay(visitor.book(slug, bea, ann, discount_code="ONCE"))
    status, page = together(lambda: walk.ring(COMPLETED), lambda: visitor.client.get(back.location))
    assert page.status_code == 200
    assert status in (204, 503)
    assert walk.ring(COMPLETED) == 204
    nothing_but_one_booking(walk)


def test_an_event_of_an_older_page_changes_nothing(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person
) -> None:
    old = visitor.book(slug, bea, ann, discount_code="ONCE")
    walk.stripe.pay(old, "4000000000000002")
    walk.clock.shift(minutes=30)
    new = visitor.pay_again(walk.reference()).location
    assert new != old
    assert len(walk.calls("POST", f"{session_of(old)}/expire")) == 1
    assert walk.stripe.pay(old).status == 410
    walk.stripe.pay(new)
    assert walk.ring(COMPLETED) == 204
    walk.clock.shift(minutes=24)
    assert walk.ring(EXPIRED) == 204
    assert walk.ring("payment_intent.payment_failed") == 204
    nothing_but_one_booking(walk)
    assert {each.state for each in walk.rows(PaymentAttempt)} == {"expired", "completed"}


def test_both_pages_paid_all_the_same(walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person) -> None:
    old = visitor.book(slug, bea, ann)
    walk.stripe.pay(old)
    # Stripe's answers lag behind what happened: the old page looks ended while it is being paid.
    walk.stripe.override(session_of(old), status="expired", payment_status="unpaid")
    walk.clock.shift(minutes=30)
    new = visitor.pay_again(walk.reference()).location
    assert new not in (old, f"/bookings/{walk.reference()}")
    walk.stripe.pay(new)
    assert walk.ring(COMPLETED) == 204
    assert visitor.state(walk.reference()) == "confirmed"
    walk.stripe.override(session_of(old), status="complete", payment_status="paid")
    late = walk.stripe.events(COMPLETED)[0]
    assert walk.ring(late) == 204
    assert walk.ring(late) == 204
    letters = walk.letters()
    walk.work()
    assert visitor.state(walk.reference()) == "confirmed"
    first, second = walk.rows(Payment)
    assert first.amount_minor == second.amount_minor == 16800
    refund = walk.one(Refund)
    assert (refund.payment_id, refund.amount_minor, refund.state, refund.source) == (
        second.id,
        16800,
        "succeeded",
        "rule",
    )
    assert [call["key"] for call in walk.calls("POST", REFUNDS)] == [refund.key]
    bill = visitor.told(walk.reference())["bill"]
    assert (bill["paid_minor"], bill["refunded_minor"]) == (33600, 16800)
    to = [str(each["To"].addresses[0].addr_spec) for each in letters]
    assert sorted(to) == sorted([ann.email, bea.email, bea.email, "hello@olu-trains.example"])


def mismatched(walk: Walk, wrong: str) -> None:
    """The booking waits as before, and the organiser is told."""
    assert [each.state for each in walk.rows(Booking)] == ["held"]
    assert walk.rows(Payment) == []
    assert [each.outcome for each in walk.rows(StripeEvent)] == ["mismatch"]
    assert wrong in walk.one(StripeEvent).note
    assert [str(each["To"].addresses[0].addr_spec) for each in walk.letters()] == ["hello@olu-trains.example"]
    assert [each.verb for each in walk.rows(Entry)] == ["booking_held", "payment_mismatch"]


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({"amount_total": 100, "currency": "usd"}, "100 USD"),
        ({"amount_total": 100}, "100 GBP"),
        ({"currency": "usd"}, "16800 USD"),
    ],
)
def test_money_that_does_not_fit(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person, said: dict[str, Any], wrong: str
) -> None:
    url = visitor.book(slug, bea, ann)
    walk.stripe.pay(url)
    walk.stripe.override(session_of(url), **said)
    assert walk.ring(COMPLETED) == 204
    mismatched(walk, wrong)
    # Said once, however often it is seen again.
    assert walk.ring("payment_intent.succeeded") == 204
    assert visitor.page(walk.reference(), returned="paid").status_code == 200
    assert len(walk.letters()) == 1
    assert [each.verb for each in walk.rows(Entry)] == ["booking_held", "payment_mismatch"]
    assert visitor.state(walk.reference()) == "held"


def test_live_money_with_a_test_key(walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person) -> None:
    url = visitor.book(slug, bea, ann)
    walk.stripe.pay(url)
    walk.stripe.override(session_of(url), livemode=True)
    assert walk.ring(COMPLETED) == 204
    assert walk.one(Booking).state == "held"
    event = walk.one(StripeEvent)
    assert (event.outcome, event.is_live) == ("mismatch", True)
    assert walk.rows(Payment) == []


def test_a_body_that_lies_is_not_believed(walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person) -> None:
    url = visitor.book(slug, bea, ann)
    walk.stripe.pay(url)
    told = walk.stripe.events(COMPLETED)[-1]
    walk.stripe.override(session_of(url), status="open", payment_status="unpaid")
    assert walk.ring(told) == 204
    assert walk.one(Booking).state == "held"
    assert walk.rows(Payment) == []


def post(walk: Walk, body: str, header: str | None) -> int:
    headers = {"Content-Type": "application/json"} | ({"Stripe-Signature": header} if header is not None else {})
    return (
        FlaskClient(walk.app, walk.app.response_class).post("/stripe/webhook", data=body, headers=headers).status_code
    )


def test_signatures_that_are_wrong(walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person) -> None:
    walk.stripe.pay(visitor.book(slug, bea, ann))
    told = json.dumps(walk.stripe.events(COMPLETED)[-1])
    right = WebhookSignature.generate_signature_header(told, WEBHOOK_SECRET)
    stale = WebhookSignature.generate_signature_header(told, WEBHOOK_SECRET, timestamp=int(time.time()) - 360)
    assert walk.ring(COMPLETED, secret="whsec_of_somebody_else") == 400
    for header in (stale, None, "", "t=1", right.replace("v1=", "v0="), right.rpartition(",")[0]):
        assert post(walk, told, header) == 400
    assert post(walk, told.replace("paid", "free"), right) == 400
    for nonsense in ("{}", "[]", "null", '{"id": 1}', "", "\x00"):
        assert post(walk, nonsense, WebhookSignature.generate_signature_header(nonsense, WEBHOOK_SECRET)) == 400
    assert walk.rows(StripeEvent) == []
    assert walk.one(Booking).state == "held"
    fresh = WebhookSignature.generate_signature_header(told, WEBHOOK_SECRET, timestamp=int(time.time()) - 240)
    assert post(walk, told, fresh) == 204
    assert walk.one(Booking).state == "confirmed"


def test_without_a_secret_nothing_can_be_checked(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk.stripe.pay(visitor.book(slug, bea, ann))
    monkeypatch.setitem(walk.app.config, "STRIPE_WEBHOOK_SECRET", "")
    assert walk.ring(COMPLETED) == 503
    assert walk.ring(COMPLETED, secret="whsec_test") == 503
    assert walk.rows(StripeEvent) == []
    assert walk.one(Booking).state == "held"


def test_events_of_another_application(walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person) -> None:
    ours = visitor.book(slug, bea, ann)
    body = "&".join(
        (
            "mode=payment",
            "success_url=http://localhost:9/",
            f"client_reference_id={walk.reference()}",
            "line_items[0][quantity]=1",
            "line_items[0][price_data][currency]=gbp",
            "line_items[0][price_data][unit_amount]=16800",
            "line_items[0][price_data][product_data][name]=A",
        )
    )
    headers = {"Authorization": "Bearer sk_test_of_another", "Idempotency-Key": "theirs"}
    theirs = json.loads(walk.stripe.http("POST", SESSIONS, body, headers=headers).text)["id"]
    walk.stripe.pay(theirs)
    # This one names a booking of ours, but is no page of ours.
    assert {walk.ring(told) for told in walk.stripe.events()} == {204}
    assert walk.one(Booking).state == "held"
    assert {each.outcome for each in walk.rows(StripeEvent)} == {"ignored"}
    assert walk.rows(Payment) == []
    walk.stripe.pay(ours)
    assert walk.ring(COMPLETED) == 204
    assert walk.one(Booking).state == "confirmed"


def test_an_object_that_stripe_does_not_have(walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person) -> None:
    visitor.book(slug, bea, ann)
    walk.stripe.emit(COMPLETED, {"id": "cs_test_madeup", "object": "checkout.session"})
    assert walk.ring(COMPLETED) == 204
    assert walk.one(StripeEvent).outcome == "mismatch"
    assert walk.one(Booking).state == "held"
