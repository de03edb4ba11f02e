"""Stripe's doorbell: check who rings, read the object again from Stripe, act once, answer."""

import structlog
from flask import Blueprint, abort, current_app, request
from sqlalchemy.exc import IntegrityError

from accounts import open_to
from bookings import settling
from lib import clock, db
from payments import attempts, gateway, inbox, refunds

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
    if inbox.is_known(event):
        return "", 204
    db.session.rollback()
    is_live_key = not current_app.config["STRIPE_SECRET_KEY"].startswith("sk_test_")
    try:
        if event.is_live != is_live_key:
            _remember(event, "mismatch", "live and test mode mixed")
        elif event.kind.startswith("checkout.session."):
            _hear_of_page(event, event.object_id)
        elif event.kind in ("payment_intent.succeeded", "payment_intent.payment_failed"):
            _hear_of_intent(event)
        elif event.kind.startswith("refund."):
            _hear_of_refund(event)
        else:
            _remember(event, "ignored", "not ours to act on")
    except gateway.GatewayUnreachable as problem:
        log.warning("webhook waits for Stripe", error=str(problem))
        abort(503)
    except gateway.NotAtStripe:
        _remember(event, "mismatch", "Stripe has no such object")
    except IntegrityError:
        # The same event, or another one of the same payment, was written at the same moment: ring again, and it
        # will be found done.
        if not inbox.is_known(event):
            abort(503)
    return "", 204


def _hear_of_page(event: inbox.Event, session_id: str) -> None:
    found = gateway.read_checkout(session_id)
    now = clock.now()
    with db.writing():
        outcome, note = settling.settle(found, actor="stripe", now=now)
        inbox.remember(event, outcome, note, now)


def _hear_of_intent(event: inbox.Event) -> None:
    key = gateway.read_attempt_of_intent(event.object_id)
    page = attempts.page_of(key) if key else None
    db.session.rollback()
    if page is None:
        _remember(event, "ignored", "not a payment of this installation")
        return
    _hear_of_page(event, page)


def _hear_of_refund(event: inbox.Event) -> None:
    found = gateway.read_refund(event.object_id)
    now = clock.now()
    with db.writing():
        is_ours = refunds.hear(found, now)
        inbox.remember(event, "handled" if is_ours else "ignored", f"refund {found.status}", now)


def _remember(event: inbox.Event, outcome: inbox.Outcome, note: str) -> None:
    with db.writing():
        inbox.remember(event, outcome, note, clock.now())
