"""What Stripe says of a checkout page, made true here: the one function that the webhook, the returning buyer and the
worker call, in any order and as often as they like."""

from datetime import datetime

from flask import current_app
from sqlalchemy import select

from bookings import (
    change_rows,
    changes,
    invites,
    invoice_papers,
    invoicing,
    letters,
    lifecycle,
    plan_letters,
    plan_rows,
    same_card,
)
from bookings.credit_spending import CreditGone
from bookings.discounts import CodeSpent
from bookings.models import Booking
from courses.places import WorkshopFull
from history import models as history
from lib import db
from payments import attempts, ledger, refunds
from payments.gateway import Checkout
from payments.inbox import Outcome
from payments.models import Payment, PaymentAttempt

FULL = "The places had gone back on sale before the payment arrived, and none is left."
SPENT = "The code's last use had gone to somebody else before the payment arrived."
WHY: dict[type[Exception], str] = {WorkshopFull: FULL, CodeSpent: SPENT}
TWICE = "This booking had already been paid."
CANCELLED = "The workshop was cancelled before the payment arrived."
GIVEN_UP = "The booking had been cancelled before the payment arrived."


def settle(checkout: Checkout, *, actor: str, now: datetime) -> tuple[Outcome, str]:
    """Bring our rows in line with a checkout page just read from Stripe; says what came of it.

    Money is believed only when amount, currency and live or test mode are what the attempt froze. Money that comes
    too late takes its places again, or goes back in full.
    """
    attempt = attempts.of_page(checkout.session_id, checkout.attempt_key)
    if attempt is None:
        return "ignored", "not a checkout of this installation"
    booking = lifecycle.locked(attempt.bill_id)
    attempts.opened(attempt.key, checkout)  # the webhook may overtake the answer that was to tell us the page's id
    db.session.refresh(attempt)
    if checkout.status == "expired":
        attempts.expired(attempt)
        return "handled", "page is expired"
    if wrong := _mismatch(checkout, attempt):
        if attempts.doubted(attempt, wrong):
            _report_mismatch(booking, wrong, now)
        return "mismatch", wrong
    if checkout.status != "complete":
        return "handled", f"page is {checkout.status}"
    attempts.completed(attempt)
    if checkout.payment_intent is None:
        return "mismatch", "a completed page without a payment"
    if _is_of_another(checkout.payment_intent, attempt):
        return "mismatch", "this page has been paid by another payment"
    payment = _payment(checkout.payment_intent, attempt, now)
    if payment.state != "pending":
        return "handled", f"payment had {payment.state}"
    if checkout.is_paid:
        payment.state = "succeeded"
        ledger.came(payment, now)
        _receive(booking, payment, actor, now)
        same_card.keep(booking, payment, checkout.card, now)
        invoice_papers.acknowledge(booking, now)
    elif checkout.is_on_its_way:
        _expect(booking, actor, now)
    else:
        payment.state = "failed"
        _give_up(booking, payment, now)
    return "handled", f"payment {payment.state}, booking {booking.state}"


def _receive(booking: Booking, payment: Payment, actor: str, now: datetime) -> None:
    if payment.attempt_id and (change := change_rows.of_attempt(payment.attempt_id)):
        changes.paid(booking, change, payment, now)
        return
    if booking.state == "cancelled" or _is_off(booking):
        if booking.state in lifecycle.MOVES["lapsed"]:
            lifecycle.lapse(booking, actor=actor, why=CANCELLED, now=now)
        is_off = any(each.workshop.status == "cancelled" for each in booking.attendees)
        _return_all(booking, payment, CANCELLED if is_off else GIVEN_UP, now)
        return
    if booking.state == "confirmed" and plan_rows.receive(booking, payment, now):
        return
    if invoicing.received(booking, payment, actor=actor, now=now):
        return
    if booking.state not in lifecycle.MOVES["confirmed"]:
        _return_all(booking, payment, TWICE, now)
        return
    try:
        lifecycle.confirm(booking, actor=actor, now=now)
    except (WorkshopFull, CodeSpent, CreditGone) as refusal:
        why = WHY.get(type(refusal), refusal.message)
        if booking.state in lifecycle.MOVES["lapsed"]:
            lifecycle.lapse(booking, actor=actor, why=why, now=now)
        _return_all(booking, payment, why, now)


def _expect(booking: Booking, actor: str, now: datetime) -> None:
    if booking.state not in lifecycle.MOVES["awaiting_bank"]:
        return
    if _is_off(booking):
        return  # a debit under way cannot be called back; when it arrives, `_receive` sends it back
    try:
        lifecycle.await_bank(booking, actor=actor, now=now)
    except (WorkshopFull, CodeSpent, CreditGone):
        # A debit under way cannot be called back; when it arrives, `_receive` sends it back.
        if booking.state in lifecycle.MOVES["lapsed"]:
            lifecycle.lapse(booking, actor=actor, why=FULL, now=now)
        letters.to_organiser(booking, f"Booking {booking.reference}: a bank debit came too late", [FULL], now)


def _is_off(booking: Booking) -> bool:
    """Whether there is nothing left to come to: the workshop, or every session of a ticket, is cancelled."""
    return any(
        attendee.workshop.status == "cancelled" or not invites.sessions_of(attendee)
        for attendee in booking.attendees
        if attendee.state != "cancelled"
    )


def _give_up(booking: Booking, payment: Payment, now: datetime) -> None:
    if booking.state == "awaiting_bank":
        lifecycle.lapse(booking, actor="stripe", why="the bank did not pay", now=now)
        letters.payment_failed(booking, now)
    elif booking.state == "confirmed" and change_rows.of_attempt(payment.attempt_id or 0) is None:
        plan_letters.not_paid(booking, payment.amount_minor, now)


def _return_all(booking: Booking, payment: Payment, why: str, now: datetime) -> None:
    refund = refunds.refund_rest(payment, reason=why, now=now)
    if refund is None:
        return
    letters.refunded_late(booking, refund.amount_minor, why, now)
    history.record(
        f"booking:{booking.id}",
        "refund_begun",
        at=now,
        actor="rule",
        organiser_id=booking.organiser_id,
        facts={"amount_minor": refund.amount_minor, "currency": refund.currency, "why": why},
    )


def _payment(intent: str, attempt: PaymentAttempt, now: datetime) -> Payment:
    """The row of this payment intent: unique, so the change to paid happens once whatever events tell of it."""
    payment = db.session.scalars(select(Payment).where(Payment.payment_intent == intent)).one_or_none()
    if payment is None:
        payment = Payment(
            organiser_id=attempt.organiser_id,
            bill_id=attempt.bill_id,
            attempt_id=attempt.id,
            payment_intent=intent,
            state="pending",
            amount_minor=attempt.amount_minor,
            currency=attempt.currency,
            at=now,
        )
        db.session.add(payment)
        db.session.flush()
    return payment


def _is_of_another(intent: str, attempt: PaymentAttempt) -> bool:
    """Whether the attempt has a payment already, and not this one: a page is paid once, so somebody has to look."""
    other = select(Payment.id).where(Payment.attempt_id == attempt.id, Payment.payment_intent != intent)
    return db.session.scalar(other.limit(1)) is not None


def _mismatch(checkout: Checkout, attempt: PaymentAttempt) -> str:
    is_live_key = not str(current_app.config["STRIPE_SECRET_KEY"]).startswith("sk_test_")
    if checkout.is_live != is_live_key:
        return "live money and test money mixed"
    if (checkout.amount_minor, checkout.currency) != (attempt.amount_minor, attempt.currency):
        said = f"{checkout.amount_minor} {checkout.currency}"
        return f"Stripe says {said}, the booking {attempt.amount_minor} {attempt.currency}"
    return ""


def _report_mismatch(booking: Booking, wrong: str, now: datetime) -> None:
    history.record(
        f"booking:{booking.id}",
        "payment_mismatch",
        at=now,
        actor="stripe",
        organiser_id=booking.organiser_id,
        facts={"wrong": wrong},
    )
    title = f"Booking {booking.reference}: a payment does not fit"
    letters.to_organiser(booking, title, [f"{wrong}. Nothing was confirmed; please look at it in Stripe."], now)
