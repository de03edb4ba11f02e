"""Our rows and Stripe's lists, told against each other: every difference named, and what would make it good.

One Stripe account belongs to one installation, so a payment there that is unknown here is a difference too.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute

from bookings import money_audit
from lib import db
from payments import disputes, gateway, refunds
from payments.inbox import Event
from payments.models import Dispute, Payment, PaymentAttempt, Refund, StripeEvent

STRIPE_KEEPS_EVENTS = timedelta(days=30)
AT_THE_EDGE = timedelta(days=1)  # what is as old as the lists' beginning may be missing in one and present in the other
AT_ONCE = 500
RepairKind = Literal["event", "page", "refunds", "dispute"]
# What is acted on, as Stripe lists it: at most 20 kinds.
KINDS = [
    "checkout.session.completed",
    "checkout.session.expired",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.refunded",
    "charge.refund.updated",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
]


@dataclass(frozen=True)
class Repair:
    """What a door does to make a difference good, and with which of Stripe's objects."""

    kind: RepairKind
    id: str
    event: Event | None = None


@dataclass(frozen=True)
class Difference:
    """One thing that Stripe and our rows tell differently. `minor` and `currency` where it is about an amount."""

    kind: str
    id: str
    what: str
    minor: int | None = None
    currency: str | None = None
    organiser_id: int | None = None
    repair: Repair | None = None


@dataclass(frozen=True)
class Lists:
    """What Stripe has since a moment."""

    since: datetime
    pages: list[gateway.Checkout]
    charges: list[gateway.Charge]
    refunds: list[gateway.SentBack]
    disputes: list[gateway.Contested]
    events: list[gateway.Told]


def fetch(since: datetime) -> Lists:
    """Read Stripe's lists, all pages of them. Raises GatewayUnreachable."""
    return Lists(
        since,
        gateway.list_checkouts(since),
        gateway.list_charges(since),
        gateway.list_refunds(since),
        gateway.list_disputes(since),
        gateway.list_events(since, KINDS),
    )


def differences(theirs: Lists) -> list[Difference]:
    """Everything that is told differently; what can be repaired by hearing Stripe again says how."""
    intents = [each.payment_intent for each in theirs.charges]
    intents += [each.payment_intent for each in theirs.refunds]
    intents += [each.payment_intent for each in theirs.disputes]
    intents += [each.payment_intent or "" for each in theirs.pages]
    ours = _rows(Payment, Payment.payment_intent, intents)
    by_intent: dict[str, Payment] = {each.payment_intent: each for each in ours}
    pages = list(_of_pages(theirs.pages, by_intent))
    told = {each.id for each in pages}
    return [
        *_of_events(theirs.events),
        *pages,
        *(each for each in _of_charges(theirs, by_intent) if each.id not in told),
        *_of_refunds(theirs.refunds, by_intent),
        *_of_disputes(theirs.disputes, by_intent),
        *_only_here(theirs),
    ]


def _of_events(told: Sequence[gateway.Told]) -> Iterator[Difference]:
    seen = {each.stripe_id for each in _rows(StripeEvent, StripeEvent.stripe_id, [each.event_id for each in told])}
    for each in told:
        if each.event_id not in seen:
            event = Event(each.event_id, each.kind, each.object_id, each.is_live)
            yield Difference(
                "event_never_seen",
                each.event_id,
                f"{each.kind} of {each.object_id}",
                repair=Repair("event", each.event_id, event),
            )


def _of_pages(pages: Sequence[gateway.Checkout], by_intent: dict[str, Payment]) -> Iterator[Difference]:
    """Pages of ours that were paid, and their payment has not been written down, or for another amount."""
    attempts = {each.key: each for each in _rows(PaymentAttempt, PaymentAttempt.key, [p.attempt_key for p in pages])}
    for page in pages:
        attempt = attempts.get(page.attempt_key or "")
        if attempt is None or page.payment_status != "paid" or not page.payment_intent:
            continue
        payment = by_intent.get(page.payment_intent)
        if payment is not None and payment.state != "pending":
            continue
        asked = (attempt.amount_minor, attempt.currency)
        is_right = asked == (page.amount_minor, page.currency)
        yield Difference(
            "payment_without_booking" if is_right else "amount",
            page.payment_intent,
            "was paid and is not written down" if is_right else f"was asked for as {asked[0]} {asked[1]}",
            page.amount_minor,
            page.currency,
            attempt.organiser_id,
            Repair("page", page.session_id) if is_right else None,
        )


def _of_charges(theirs: Lists, by_intent: dict[str, Payment]) -> Iterator[Difference]:
    gone = _sent_back([each.id for each in by_intent.values()])
    for charge in theirs.charges:
        payment = by_intent.get(charge.payment_intent)
        about = charge.payment_intent or charge.charge_id
        if payment is None:
            if charge.is_paid:
                what = "was paid, and no booking here is for it"
                yield Difference("payment_without_booking", about, what, charge.amount_minor, charge.currency)
            continue
        if not charge.is_paid:
            continue
        if (payment.amount_minor, payment.currency) != (charge.amount_minor, charge.currency):
            what = f"is written down as {payment.amount_minor} {payment.currency}"
            yield Difference("amount", about, what, charge.amount_minor, charge.currency, payment.organiser_id)
        if gone.get(payment.id, 0) != charge.refunded_minor:
            what = f"{charge.refunded_minor} of it went back, and {gone.get(payment.id, 0)} is written down"
            yield Difference(
                "refunded_amount",
                about,
                what,
                charge.refunded_minor,
                charge.currency,
                payment.organiser_id,
                Repair("refunds", charge.payment_intent),
            )


def _of_refunds(found: Sequence[gateway.SentBack], by_intent: dict[str, Payment]) -> Iterator[Difference]:
    by_id = {each.stripe_refund: each for each in _rows(Refund, Refund.stripe_refund, [e.refund_id for e in found])}
    for each in found:
        payment, refund = by_intent.get(each.payment_intent), by_id.get(each.refund_id)
        rest = (each.refund_id, each.amount_minor, each.currency)
        if payment is None:
            yield _difference("refund_without_payment", "is of a payment that is not written down", rest, None, None)
            continue
        repair = Repair("refunds", each.payment_intent)
        if refund is None:
            yield _difference("refund_never_seen", "is not written down", rest, payment.organiser_id, repair)
        elif refund.amount_minor != each.amount_minor:
            what = f"is written down as {refund.amount_minor} {refund.currency}"
            yield _difference("amount", what, rest, payment.organiser_id, None)
        elif refund.state != refunds.state_of(each.status):
            what = f"has {each.status}, and is written down as {refund.state}"
            yield _difference("refund_state", what, rest, payment.organiser_id, repair)


def _of_disputes(found: Sequence[gateway.Contested], by_intent: dict[str, Payment]) -> Iterator[Difference]:
    wanted = [each.dispute_id for each in found]
    by_id = {each.stripe_dispute: each for each in _rows(Dispute, Dispute.stripe_dispute, wanted)}
    for each in found:
        payment, dispute = by_intent.get(each.payment_intent), by_id.get(each.dispute_id)
        rest = (each.dispute_id, each.amount_minor, each.currency)
        if payment is None:
            yield _difference("dispute_without_payment", "is of a payment that is not written down", rest, None, None)
        elif dispute is None or dispute.state != disputes.state_of(each.status):
            what = f"is {each.status}, and is written down as {dispute.state if dispute else 'nothing'}"
            yield _difference("dispute", what, rest, payment.organiser_id, Repair("dispute", each.dispute_id))


def _only_here(theirs: Lists) -> Iterator[Difference]:
    """Payments that Stripe does not know, and bookings that nobody paid for."""
    there = {each.payment_intent for each in theirs.charges if each.is_paid}
    for payment in db.session.scalars(
        select(Payment)
        .where(Payment.kind == "stripe", Payment.state == "succeeded", Payment.at >= theirs.since + AT_THE_EDGE)
        .order_by(Payment.id)
    ):
        if payment.payment_intent not in there:
            rest = (payment.payment_intent, payment.amount_minor, payment.currency)
            what = "is written down as paid, and Stripe has no such payment"
            yield _difference("booking_without_payment", what, rest, payment.organiser_id, None)
    for reference, currency, minor in money_audit.unpaid():
        yield Difference("booking_without_payment", reference, "is confirmed and not paid in full", minor, currency)


def _difference(
    kind: str, what: str, rest: tuple[str, int, str], organiser_id: int | None, repair: Repair | None
) -> Difference:
    about, minor, currency = rest
    return Difference(kind, about, what, minor, currency, organiser_id, repair)


def _sent_back(payment_ids: Sequence[int]) -> dict[int, int]:
    """What Stripe was told to send back of each payment, or did by itself; refunds that failed not counted."""
    found: dict[int, int] = {}
    for part in _parts(payment_ids):
        rows = db.session.execute(
            select(Refund.payment_id, func.sum(Refund.amount_minor))
            .where(Refund.payment_id.in_(part), Refund.state.in_(("pending", "succeeded")))
            .group_by(Refund.payment_id)
        )
        found |= {number: int(total) for number, total in rows}
    return found


def _rows(model: type[Any], column: InstrumentedAttribute[Any], values: Collection[Any]) -> list[Any]:
    """The rows of a model whose column is one of the values."""
    wanted = sorted({each for each in values if each})
    return [row for part in _parts(wanted) for row in db.session.scalars(select(model).where(column.in_(part)))]


def _parts(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """No database takes any number of values in one statement."""
    return (values[at : at + AT_ONCE] for at in range(0, len(values), AT_ONCE))
