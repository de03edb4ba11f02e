"""`flask payments reconcile`: what Stripe has and what is written down; differences named, what is safe repaired."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from bookings import jobs
from bookings.models import Booking
from lib import db, work
from payments import gateway, ledger
from payments.models import Dispute, Payment, PaymentAttempt, Refund, StripeEvent
from tests.builders import a_workshop, arranged
from tests.conftest import Person
from tests.journeys.steps import COMPLETED, SESSIONS, Visitor, Walk, session_of

pytestmark = pytest.mark.both_databases
ORGANISER = "hello@olu-trains.example"


@pytest.fixture
def slug(walk: Walk) -> str:
    with arranged(walk.app):
        return a_workshop().slug


def reconcile(walk: Walk) -> tuple[int, list[dict[str, Any]]]:
    done = walk.app.test_cli_runner().invoke(args=["payments", "reconcile", "--json"])
    return done.exit_code, json.loads(done.output)


def kinds(found: list[dict[str, Any]]) -> list[tuple[str, int | None, bool]]:
    return sorted({(each["kind"], each["minor"], each["repaired"]) for each in found}, key=str)


def heard(walk: Walk, visitor: Visitor, slug: str, bea: Person) -> str:
    """Booked, paid, and every event of it heard; the payment intent."""
    walk.stripe.pay(visitor.book(slug, bea, bea))
    for event in walk.stripe.events():
        assert walk.ring(event) == 204
    return walk.rows(Payment)[-1].payment_intent


def test_nothing_to_say(walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person) -> None:
    assert reconcile(walk) == (0, [])
    heard(walk, visitor, slug, bea)
    visitor.book(slug, bea, ann)
    assert reconcile(walk) == (0, [])
    done = walk.app.test_cli_runner().invoke(args=["payments", "reconcile"])
    assert (done.exit_code, done.output) == (0, "")


def test_everything_missed_is_heard_after_all(walk: Walk, visitor: Visitor, slug: str, bea: Person) -> None:
    url = visitor.book(slug, bea, bea)
    walk.stripe.pay(url)
    intent = walk.stripe.events("payment_intent.succeeded")[-1]["data"]["object"]["id"]
    walk.stripe.refund(intent, 500)
    walk.stripe.dispute(intent)
    reference = walk.reference()
    code, found = reconcile(walk)
    assert code == 0
    assert {each["repaired"] for each in found} == {True}
    assert {each["kind"] for each in found} == {
        "event_never_seen",
        "payment_without_booking",
        "refund_without_payment",
        "dispute_without_payment",
    }
    (missed,) = (each for each in found if each["kind"] == "payment_without_booking")
    assert (missed["id"], missed["minor"], missed["currency"]) == (intent, 16800, "GBP")
    assert visitor.state(reference) == "confirmed"
    assert (walk.one(Refund).amount_minor, walk.one(Dispute).state) == (500, "open")
    assert reconcile(walk) == (0, [])
    assert walk.work() > 0
    assert reconcile(walk) == (0, [])


def test_a_refund_without_its_event(walk: Walk, visitor: Visitor, slug: str, bea: Person) -> None:
    intent = heard(walk, visitor, slug, bea)
    refund = walk.stripe.refund(intent, 500)
    with arranged(walk.app):
        known = db.session.scalars(select(StripeEvent).limit(1)).one()
        for event in walk.stripe.events():
            if event["type"].startswith(("refund.", "charge.refund")):
                db.session.add(
                    StripeEvent(
                        stripe_id=event["id"],
                        kind=event["type"],
                        object_id="",
                        is_live=False,
                        outcome="handled",
                        received_at=known.received_at,
                    )
                )
    code, found = reconcile(walk)
    assert code == 0
    assert kinds(found) == [("refund_never_seen", 500, True), ("refunded_amount", 500, True)]
    assert {each["id"] for each in found} == {refund["id"], intent}
    assert walk.one(Refund).source == "stripe"
    assert reconcile(walk) == (0, [])


def test_a_refund_that_ended_otherwise(walk: Walk, visitor: Visitor, slug: str, bea: Person) -> None:
    walk.stripe.pay(visitor.book(slug, bea, bea), "4000000000007726")
    assert walk.ring(COMPLETED) == 204
    refund = walk.stripe.refund(walk.one(Payment).payment_intent, 500)
    assert walk.ring("refund.created") == 204
    assert walk.one(Refund).state == "pending"
    walk.stripe.settle_refund(refund["id"], "succeeded")
    code, found = reconcile(walk)
    assert code == 0
    assert ("refund_state", 500, True) in kinds(found)
    assert walk.one(Refund).state == "succeeded"


def a_charge_of_nobody(walk: Walk) -> None:
    body = "&".join(
        (
            "mode=payment",
            "success_url=http://localhost:9/",
            "line_items[0][quantity]=1",
            "line_items[0][price_data][currency]=gbp",
            "line_items[0][price_data][unit_amount]=4200",
            "line_items[0][price_data][product_data][name]=A",
        )
    )
    headers = {"Authorization": "Bearer sk_test_of_another", "Idempotency-Key": "theirs"}
    walk.stripe.pay(json.loads(walk.stripe.http("POST", SESSIONS, body, headers=headers).text)["id"])


LEFT: dict[str, tuple[Callable[[Walk], object], tuple[str, int]]] = {
    "a payment that no booking is for": (a_charge_of_nobody, ("payment_without_booking", 4200)),
    "a payment that Stripe does not know": (
        lambda _: db.session.execute(update(Payment).values(payment_intent="pi_madeup")),
        ("booking_without_payment", 16800),
    ),
    "a payment of another amount": (
        lambda _: db.session.execute(update(Payment).values(amount_minor=16700)),
        ("amount", 16800),
    ),
    "a refund that Stripe does not know": (
        lambda walk: db.session.add(
            Refund(
                organiser_id=1,
                payment_id=1,
                key="refund-of-the-test",
                state="succeeded",
                source="organiser",
                reason="",
                amount_minor=100,
                currency="GBP",
                stripe_refund="re_madeup",
                created_at=walk.clock.at,
            )
        ),
        ("refunded_amount", 0),
    ),
}


@pytest.mark.parametrize("name", LEFT)
def test_what_nobody_can_repair_is_left_and_said(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, name: str
) -> None:
    plant, expected = LEFT[name]
    heard(walk, visitor, slug, bea)
    with arranged(walk.app):
        before = walk.rows(Payment)[0]
        plant(walk)
    code, found = reconcile(walk)
    assert code == 1
    assert expected in [(each["kind"], each["minor"]) for each in found if not each["repaired"]]
    lines = walk.app.test_cli_runner().invoke(args=["payments", "reconcile"])
    assert lines.exit_code == 1
    assert any(expected[0].replace("_", " ") in line for line in lines.output.splitlines())
    with arranged(walk.app):
        values = {"payment_intent": before.payment_intent, "amount_minor": before.amount_minor}
        db.session.execute(update(Payment).values(values))
        db.session.execute(delete(Refund))


def test_money_of_another_amount_is_never_taken_for_right(walk: Walk, visitor: Visitor, slug: str, bea: Person) -> None:
    """PAY-09, seen from the lists: asked for 168.00, and Stripe says something else."""
    url = visitor.book(slug, bea, bea)
    walk.stripe.pay(url)
    walk.stripe.override(session_of(url), amount_total=100)
    code, found = reconcile(walk)
    assert code == 1
    assert ("amount", 100, False) in kinds(found)
    assert walk.one(Booking).state == "held"


def test_a_confirmed_booking_that_nobody_paid(walk: Walk, visitor: Visitor, slug: str, bea: Person) -> None:
    heard(walk, visitor, slug, bea)
    reference = walk.reference()
    bill = walk.rows(Booking)[0].bill_id
    with arranged(walk.app):
        ledger.charge(ledger.lock(bill), 500, about="attendee:1", note="one more", now=walk.clock.at)
    code, found = reconcile(walk)
    assert (code, [(each["kind"], each["id"], each["minor"]) for each in found]) == (
        1,
        [("booking_without_payment", reference, 500)],
    )
    with arranged(walk.app):
        ledger.write_off(ledger.lock(bill), 500, note="a mistake", now=walk.clock.at)
    assert reconcile(walk) == (0, [])


def test_every_page_of_stripes_lists_is_read(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "MOST_A_PAGE", 2)
    for n in range(3):
        walk.stripe.pay(walk.visitor().book(slug, bea, Person(f"Attendee {n}", f"attendee-{n}@clinic.example")))
    code, found = reconcile(walk)
    assert code == 0
    assert len([each for each in found if each["kind"] == "payment_without_booking"]) == 3
    assert [each.state for each in walk.rows(Booking)] == ["confirmed"] * 3
    assert len(walk.calls("GET", "/v1/charges")) > 2
    assert all(each.state == "completed" for each in walk.rows(PaymentAttempt))


def test_when_stripe_does_not_answer_nothing_is_said(walk: Walk) -> None:
    walk.stripe.faults({"path": "/v1/charges", "method": "GET", "status": 500, "times": 9})
    done = walk.app.test_cli_runner().invoke(args=["payments", "reconcile"])
    assert done.exit_code == 2
    assert "does not answer" in done.output
    walk.stripe.faults()


def test_every_night_it_is_done_once_and_what_is_left_is_told(
    walk: Walk, visitor: Visitor, slug: str, bea: Person
) -> None:
    heard(walk, visitor, slug, bea)
    a_charge_of_nobody(walk)
    walk.letters()
    walk.mailbox.clear()
    for _ in range(2):
        with arranged(walk.app):
            work.plan([jobs.RECONCILE], walk.clock.at)
    walk.work()
    assert walk.letters() == []
    walk.clock.set("2027-03-03T03:00:00Z")
    walk.work()
    assert walk.subjects() == ["Stripe and the bookings differ"]
    text = walk.letters(ORGANISER)[0].get_body(("plain",))
    assert text is not None
    assert "£42" in text.get_content()
    assert [each.due_at.isoformat() for each in walk.rows(work.Job, work.Job.kind == jobs.RECONCILE)] == [
        "2027-03-03T03:00:00+00:00"
    ]
