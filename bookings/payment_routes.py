"""The way to Stripe and back, in short transactions with the network between them and never inside."""

from datetime import datetime, timedelta

import structlog
from flask import Blueprint, abort, redirect, request, session, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as Answer

from accounts import open_to
from bookings import checkout, invoice_cards, invoicing, lifecycle, pages, settling
from bookings.models import Booking
from lib import clock, db, links, references, web
from payments import attempts, gateway
from payments.models import PaymentAttempt

bp = Blueprint("booking_payments", __name__)
log = structlog.get_logger()
REMEMBERED = 20
ASK_EVERY = timedelta(seconds=5)
STILL_SENDABLE = timedelta(minutes=30, seconds=10)  # Stripe refuses a page that would end under 30:00 from its receipt


class PaymentAway(web.Refusal):
    """Stripe does not answer, and without its answer nothing can be changed safely."""

    status = 503
    refusal = "payment_away"
    title = "The payment service does not answer"


@bp.post("/bookings/<reference:reference>/payment")
@open_to.holder_of_link
def payment(reference: str) -> Answer:
    return on_to_payment(opened(reference).reference, of_invoice=True)


def opened(reference: str) -> Booking:
    """The booking for the holder of its key, or for the browser that used it before; 404 for anybody else."""
    booking = pages.booking_by_reference(references.tidy(reference))
    if booking is None:
        abort(404)
    if links.verify("booking", booking.id, booking.link_version, request.args.get("key", "")):
        _remember(booking)
    elif [booking.reference, booking.link_version] not in session.get("bookings", []):
        abort(404)
    return booking


def on_to_payment(reference: str, *, of_invoice: bool = False) -> Answer:
    """303 to Stripe, or to the booking's page when there is nothing to pay or Stripe cannot be reached. What is paid on
    an invoice is paid by card only when somebody asks for that."""
    booking = db.session.scalars(select(Booking).where(Booking.reference == reference)).one()
    _remember(booking)
    page = page_for(booking, clock.now()) if of_invoice or booking.state != "awaiting_invoice" else None
    return redirect(page or url_for("bookings.shown", reference=reference), code=303)


def page_for(booking: Booking, now: datetime) -> str | None:
    """The address at Stripe where the booking is paid; None when nothing is owed or Stripe is away.

    Reuses the open page while two minutes of it are left; otherwise closes it at Stripe first, so that no two pages
    of one booking can be paid. What is open of an invoice is paid so as well. Raises HoldLapsed or NothingOpen.
    """
    is_invoiced = invoicing.open_minor(booking) > 0
    if not is_invoiced and booking.state in ("confirmed", "awaiting_bank", "awaiting_invoice"):
        waiting = attempts.live(booking.bill_id)  # a change that is made once it is paid
        return (send(waiting) if waiting.state == "opening" else waiting.url) if waiting else None
    if not is_invoiced:
        checkout.refuse_unless_held(booking, now)
    bill_id = booking.bill_id
    attempt = attempts.live(bill_id)
    if attempt and attempt.state == "open" and attempt.expires_at - now >= checkout.WORTH_RETURNING:
        return attempt.url
    if attempt and attempt.state == "opening" and attempt.expires_at - now >= STILL_SENDABLE:
        return send(attempt)
    if attempt:
        try:
            close_page(bill_id, now)
        except gateway.GatewayUnreachable as problem:
            log.warning("payment page not closed", error=str(problem))
            return None
        if not is_invoiced and _booking(bill_id).state in ("confirmed", "awaiting_bank"):
            return None
    with db.writing():
        booking = lifecycle.locked(bill_id)
        attempt = attempts.live(bill_id)
        if attempt is None:
            (invoice_cards.new_page if is_invoiced else checkout.again)(booking, now)
    attempt = attempts.live(bill_id)
    if attempt is None or attempt.state == "open":
        return attempt.url if attempt else None
    return send(attempt)


def close_page(bill_id: int, now: datetime) -> None:
    """Close the open page of a bill at Stripe and make true what came of it: it may have been paid meanwhile.

    Raises GatewayUnreachable when Stripe does not say; then nothing is known and nothing is changed.
    """
    attempt = attempts.live(bill_id)
    if attempt is None:
        return
    key, parameters, page = attempt.key, attempt.parameters, attempt.stripe_session
    db.session.rollback()
    try:
        found = gateway.expire_checkout(page or gateway.open_checkout(key, parameters).session_id)
    except gateway.GatewayRefused as problem:
        # Stripe never had this page, or will not make it any more: nobody can pay it.
        with db.writing():
            lifecycle.locked(bill_id)
            attempts.refused(attempts.by_key(key), str(problem))
        return
    with db.writing():
        settling.settle(found, actor="worker", now=now)


def ask_once(bill_id: int, now: datetime) -> None:
    """Ask Stripe what became of the open page, at most every five seconds: the buyer may be back before the webhook."""
    attempt = attempts.live(bill_id)
    machine = clock.machine_now()
    if (
        attempt is None
        or attempt.stripe_session is None
        or (attempt.asked_at and machine - attempt.asked_at < ASK_EVERY)
    ):
        return
    key, page = attempt.key, attempt.stripe_session
    db.session.rollback()
    try:
        found = gateway.read_checkout(page)
    except (gateway.GatewayUnreachable, gateway.GatewayRefused) as problem:
        log.warning("could not ask about a page", error=str(problem))
        return
    with db.writing():
        settling.settle(found, actor="booker", now=now)
        attempts.by_key(key).asked_at = machine


def send(attempt: PaymentAttempt) -> str | None:
    """Make the page of an attempt at Stripe: its address, or None when Stripe is away or will not make it."""
    key, parameters, bill_id = attempt.key, attempt.parameters, attempt.bill_id
    db.session.rollback()
    try:
        made = gateway.open_checkout(key, parameters)
    except gateway.GatewayUnreachable as problem:
        log.warning("payment page not opened", error=str(problem))
        return None
    except gateway.GatewayRefused as problem:
        log.error("payment page refused", error=str(problem))
        with db.writing():
            lifecycle.locked(bill_id)
            attempts.refused(attempts.by_key(key), str(problem))
        return None
    with db.writing():
        attempts.opened(key, made)
    return made.url


def _booking(bill_id: int) -> Booking:
    return db.session.scalars(select(Booking).where(Booking.bill_id == bill_id)).one()


def _remember(booking: Booking) -> None:
    known = [each for each in session.get("bookings", []) if each[0] != booking.reference]
    session["bookings"] = [*known, [booking.reference, booking.link_version]][-REMEMBERED:]
    session.permanent = True
