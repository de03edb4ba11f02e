"""Payments that a payer's bank asks back: heard of from Stripe, and what they take and give back. A state only ever
goes forward, whatever order Stripe's answers are heard in."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select

from accounts.models import Organiser
from history import models as history
from lib import db, work
from payments import ledger
from payments.gateway import Contested
from payments.models import Dispute, Payment

NEWS = "bookings.dispute_news"  # the organiser is told by a room to the right
# Stripe's words (Disputes, "status"): a warning only asks, and takes nothing until it becomes a dispute.
_STATES = {
    "warning_needs_response": "inquiry",
    "warning_under_review": "inquiry",
    "warning_closed": "withdrawn",
    "needs_response": "open",
    "under_review": "open",
    "prevented": "withdrawn",
    "won": "won",
    "lost": "lost",
}
_ORDER = {"inquiry": 0, "open": 1, "withdrawn": 2, "won": 2, "lost": 2}
TAKEN = ("open", "lost")


def state_of(stripe_status: str) -> str:
    """Our word for Stripe's status of a dispute; one we do not know is taken for open."""
    return _STATES.get(stripe_status, "open")


def hear(found: Contested, now: datetime) -> bool:
    """Write down a dispute as Stripe has it. False when it is of a payment we do not know."""
    payment = db.session.scalars(select(Payment).where(Payment.payment_intent == found.payment_intent)).one_or_none()
    if payment is None:
        return False
    ledger.lock(payment.bill_id)
    state = state_of(found.status)
    dispute = db.session.scalars(
        select(Dispute).where(Dispute.stripe_dispute == found.dispute_id).execution_options(populate_existing=True)
    ).one_or_none()
    before = dispute.state if dispute else None
    if dispute is None:
        dispute = Dispute(
            organiser_id=payment.organiser_id,
            payment_id=payment.id,
            stripe_dispute=found.dispute_id,
            state=state,
            reason=found.reason.replace("_", " ")[:80],
            amount_minor=found.amount_minor,
            currency=found.currency,
            answer_by=found.answer_by,
            opened_at=found.opened_at,
        )
        db.session.add(dispute)
        db.session.flush()
    elif _ORDER[state] <= _ORDER[dispute.state]:
        return True
    dispute.state = state
    if _ORDER[state] == _ORDER["won"]:
        dispute.closed_at = now
    _move(payment, dispute, before, now)
    history.record(
        f"dispute:{dispute.id}",
        f"dispute_{state}",
        at=now,
        actor="stripe",
        organiser_id=dispute.organiser_id,
        facts={"amount_minor": dispute.amount_minor, "currency": dispute.currency, "reason": dispute.reason},
    )
    work.post(NEWS, f"dispute:{dispute.id}", now, {"dispute": dispute.id, "state": state})
    return True


def of_bill(bill_id: int) -> list[Dispute]:
    """The disputes about a bill's payments, oldest first."""
    return list(
        db.session.scalars(
            select(Dispute)
            .join(Payment, Payment.id == Dispute.payment_id)
            .where(Payment.bill_id == bill_id)
            .order_by(Dispute.id)
        )
    )


def barring(bill_ids: Collection[int]) -> set[int]:
    """Which of these bills were taken back by a bank, where the organiser lets nobody in meanwhile."""
    return set(
        db.session.scalars(
            select(Payment.bill_id)
            .join(Dispute, Dispute.payment_id == Payment.id)
            .join(Organiser, Organiser.id == Dispute.organiser_id)
            .where(Payment.bill_id.in_(bill_ids), Dispute.state.in_(TAKEN), Organiser.dispute_bars)
        )
    )


def _move(payment: Payment, dispute: Dispute, before: str | None, now: datetime) -> None:
    """The money that the new state means: taken when the dispute opens, here again when it is won."""
    was_taken = before in TAKEN
    if dispute.state in TAKEN and not was_taken:
        ledger.disputed(payment, dispute, is_back=False, now=now)
    elif dispute.state == "won":
        if not was_taken:  # heard of only now: both happened
            ledger.disputed(payment, dispute, is_back=False, now=now)
        ledger.disputed(payment, dispute, is_back=True, now=now)
