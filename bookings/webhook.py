"""Stripe's doorbell: check who rings, read the object again from Stripe, act once, answer."""

from collections.abc import Callable, Sequence

import structlog
from flask import Blueprint, abort, current_app, request
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from accounts import open_to
from bookings import settling
from lib import clock, db
from payments import attempts, disputes, gateway, inbox, refunds
from payments.models import Payment

bp = Blueprint("webhook", __name__)
log = structlog.get_logger()
Answer = tuple[str, int]


@bp.post("/stripe/webhook")
@open_to.sender_of_signature
def stripe_webhook() -> Answer:
    """204 when the event is kept, 400 for a wrong signature, 503 when Stripe should ring again."""
    secret = current_app.config["STRIPE_WEBHOOK_SECRET"]
    if not secret:
        log.error("STRIPE_WEBHOOK_SECRET is not set: no event can be checked")
        abort(503)
    try:
        event = inbox.verify(request.get_data(), request.headers.get("Stripe-Signature", ""), secret)
    except inbox.NotFromStripe as problem:
        log.warning("webhook refused", error=str(problem))
        abort(400)
    if not inbox.is_known(event):
        db.session.rollback()
        try:
            hear(event)
        except gateway.GatewayUnreachable as problem:
            log.warning("webhook waits for Stripe", error=str(problem))
            abort(503)
        except IntegrityError:
            # The same event, or another one of the same payment, was written at the same moment: ring again, and it
            # will be found done.
            if not inbox.is_known(event):
                abort(503)
    return "", 204


def hear(event: inbox.Event) -> None:
    """Make true what an event tells of, as Stripe has it now, and remember the event beside it.

    Raises GatewayUnreachable when Stripe does not answer, IntegrityError when another one was quicker.
    """
    is_live_key = not current_app.config["STRIPE_SECRET_KEY"].startswith("sk_test_")
    hears = next((each for name, each in HEARD.items() if event.kind.startswith(name)), None)
    try:
        if event.is_live != is_live_key:
            _remember(event, "mismatch", "live and test mode mixed")
        elif hears is None:
            _remember(event, "ignored", "not ours to act on")
        else:
            hears(event)
    except gateway.NotAtStripe:
        _remember(event, "mismatch", "Stripe has no such object")


def hear_of_page(session_id: str) -> None:
    """Make true what became of a checkout page. Raises NotAtStripe or GatewayUnreachable."""
    found = gateway.read_checkout(session_id)
    with db.writing():
        settling.settle(found, actor="stripe", now=clock.now())


def hear_of_refunds(payment_intent: str) -> None:
    """Write down every refund Stripe has of a payment. Raises NotAtStripe or GatewayUnreachable."""
    _write_refunds(gateway.read_refunds(payment_intent), None)


def hear_of_dispute(dispute_id: str) -> None:
    """Write down a dispute as Stripe has it. Raises NotAtStripe or GatewayUnreachable."""
    found = gateway.read_dispute(dispute_id)
    page = _page_of(found.payment_intent)
    with db.writing():
        _settle(page)
        disputes.hear(found, clock.now())


def _page_told(event: inbox.Event) -> None:
    _tell_of_page(event, event.object_id)


def _intent_told(event: inbox.Event) -> None:
    key = gateway.read_attempt_of_intent(event.object_id)
    page = attempts.page_of(key) if key else None
    db.session.rollback()
    if page is None:
        _remember(event, "ignored", "not a payment of this installation")
        return
    _tell_of_page(event, page)


def _tell_of_page(event: inbox.Event, session_id: str) -> None:
    found = gateway.read_checkout(session_id)
    now = clock.now()
    with db.writing():
        outcome, note = settling.settle(found, actor="stripe", now=now)
        inbox.remember(event, outcome, note, now)


def _refund_told(event: inbox.Event) -> None:
    _write_refunds([gateway.read_refund(event.object_id)], event)


def _charge_told(event: inbox.Event) -> None:
    """`amount_refunded` is all that went back so far, and says nothing of this one refund: so all of them are read."""
    charge = gateway.read_charge(event.object_id)
    _write_refunds(gateway.read_refunds(charge.payment_intent) if charge.payment_intent else [], event)


def _dispute_told(event: inbox.Event) -> None:
    found = gateway.read_dispute(event.object_id)
    page = _page_of(found.payment_intent)
    now = clock.now()
    with db.writing():
        _settle(page)
        is_ours = disputes.hear(found, now)
        inbox.remember(event, "handled" if is_ours else "ignored", f"dispute {found.status}", now)


def _write_refunds(found: Sequence[gateway.SentBack], event: inbox.Event | None) -> None:
    page = _page_of(found[0].payment_intent) if found else None
    now = clock.now()
    with db.writing():
        _settle(page)
        is_ours = [refunds.hear(each, now) for each in found]
        if event:
            note = f"refund {found[-1].status}" if found else "no refund"
            inbox.remember(event, "handled" if any(is_ours) else "ignored", note, now)


def _page_of(payment_intent: str) -> gateway.Checkout | None:
    """The page of a payment that we may not have heard of yet: what came back from it may be told of first."""
    known = select(Payment.id).where(Payment.payment_intent == payment_intent, Payment.state != "pending")
    is_known = db.session.scalar(known) is not None
    db.session.rollback()
    if is_known or not payment_intent:
        return None
    key = gateway.read_attempt_of_intent(payment_intent)
    session_id = attempts.page_of(key) if key else None
    db.session.rollback()
    return gateway.read_checkout(session_id) if session_id else None


def _settle(page: gateway.Checkout | None) -> None:
    if page:
        settling.settle(page, actor="stripe", now=clock.now())


def _remember(event: inbox.Event, outcome: inbox.Outcome, note: str) -> None:
    with db.writing():
        inbox.remember(event, outcome, note, clock.now())


HEARD: dict[str, Callable[[inbox.Event], None]] = {
    "checkout.session.": _page_told,
    "payment_intent.succeeded": _intent_told,
    "payment_intent.payment_failed": _intent_told,
    "refund.": _refund_told,
    "charge.refund.": _refund_told,
    "charge.refunded": _charge_told,
    "charge.dispute.": _dispute_told,
}
