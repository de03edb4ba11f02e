"""Money that goes back: every attempt is a row, written before Stripe is asked."""

from datetime import datetime
from uuid import uuid4

from sqlalchemy import func, select

from history import models as history
from lib import db, work
from payments.gateway import SentBack
from payments.models import Payment, Refund

SEND_BACK = "payments.send_back"
_STATES = {"succeeded": "succeeded", "pending": "pending", "requires_action": "pending"}


def state_of(stripe_status: str) -> str:
    """Our word for Stripe's status of a refund; what is neither done nor on its way has failed."""
    return _STATES.get(stripe_status, "failed")


def refund_rest(payment: Payment, *, reason: str, source: str = "rule", now: datetime) -> Refund | None:
    """Write down a refund of all that remains of a payment and post the job that sends it. None if nothing remains."""
    return refund_part(payment, payment.amount_minor, reason=reason, source=source, now=now)


def refund_part(payment: Payment, most: int, *, reason: str, source: str, now: datetime) -> Refund | None:
    """The same for `most` of it, and never more than remains."""
    gone = db.session.scalar(
        select(func.coalesce(func.sum(Refund.amount_minor), 0)).where(
            Refund.payment_id == payment.id, Refund.state != "failed"
        )
    )
    amount = min(payment.amount_minor - int(gone or 0), most)
    if amount <= 0:
        return None
    refund = Refund(
        organiser_id=payment.organiser_id,
        payment_id=payment.id,
        key=f"refund-{uuid4().hex}",
        source=source,
        reason=reason,
        amount_minor=amount,
        currency=payment.currency,
        created_at=now,
    )
    db.session.add(refund)
    db.session.flush()
    work.post(SEND_BACK, f"refund:{refund.id}", now, {"refund": refund.id})
    return refund


def hear(sent: SentBack, now: datetime) -> bool:
    """Write down a refund Stripe tells of: one of ours by its key, or one made in Stripe's dashboard.

    False when it is of a payment we do not know.
    """
    known = db.session.scalars(
        select(Refund).where((Refund.stripe_refund == sent.refund_id) | (Refund.key == (sent.key or "")))
    ).one_or_none()
    if known is None:
        payment = db.session.scalars(
            select(Payment).where(Payment.payment_intent == sent.payment_intent).with_for_update()
        ).one_or_none()
        if payment is None:
            return False
        known = Refund(
            organiser_id=payment.organiser_id,
            payment_id=payment.id,
            key=f"stripe-{sent.refund_id}",
            source="stripe",
            reason="Made in Stripe's dashboard",
            amount_minor=sent.amount_minor,
            currency=sent.currency,
            created_at=now,
        )
        db.session.add(known)
        db.session.flush()
    record(known.id, state_of(sent.status), sent.refund_id, None, now)
    return True


def record(refund_id: int, state: str, stripe_refund: str | None, error: str | None, now: datetime) -> None:
    """Write down what Stripe said of a refund. A refund that succeeded may still fail at the bank later."""
    refund = db.session.scalars(
        select(Refund).where(Refund.id == refund_id).with_for_update().execution_options(populate_existing=True)
    ).one()
    if refund.state == state:
        return
    refund.state = state
    refund.stripe_refund = stripe_refund or refund.stripe_refund
    refund.last_error = error
    history.record(
        f"refund:{refund_id}",
        f"refund_{state}",
        at=now,
        actor="stripe",
        organiser_id=refund.organiser_id,
        facts={"amount_minor": refund.amount_minor, "currency": refund.currency, "error": error},
    )
