"""Paying a part of a booking that is paid in parts, or all the rest of it, on Stripe's page."""

from datetime import datetime

from flask import Blueprint, redirect, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as Answer

from accounts import open_to
from bookings import booked, change_rows, checkout, lifecycle, payment_routes, plan_rows
from bookings.models import Booking
from bookings.pricing import Line
from lib import clock, db, money, web, work, zones
from payments import attempts, gateway, instalments
from payments.models import Instalment, Payment

bp = Blueprint("plans", __name__)


class NothingToPay(web.Refusal):
    """The part is paid, dropped, or its money is on its way."""

    status = 409
    refusal = "nothing_to_pay"
    title = "There is nothing to pay here now"


@bp.post("/bookings/<reference:reference>/instalments")
@open_to.holder_of_link
def pay(reference: str) -> Answer:
    """Go on to pay everything that is open up to and with the instalment `until`."""
    booking = payment_routes.opened(reference)
    number = request.form.get("until", 0, int)
    back = url_for("bookings.shown", reference=booking.reference)
    try:
        page = _page(booking.bill_id, number, clock.now())
    except gateway.GatewayUnreachable:
        page = None
    except web.Refusal as refusal:
        refusal.facts |= {"next_url": back, "next_text": "Back to the booking"}
        raise
    if page is None:
        raise payment_routes.PaymentAway(
            "Nothing has been charged. Please try again in a minute.", next_url=back, next_text="Back to the booking"
        )
    return redirect(page, code=303)


def _page(bill_id: int, number: int, now: datetime) -> str | None:
    """The address at Stripe; a page that is open already and asks for the same is used again, another one is closed
    first, so that no two of one booking can be paid. Raises NothingToPay, Underway or GatewayUnreachable."""
    minor = sum(each.minor for each in _wanted(_booking(bill_id), number))
    live = attempts.live(bill_id)
    if live and change_rows.of_attempt(live.id):
        raise change_rows.Underway("Please pay for that one first, or let it run out. Nothing has been charged.")
    is_same = live is not None and live.amount_minor == minor
    if live and is_same and live.state == "open" and live.expires_at - now >= checkout.WORTH_RETURNING:
        return live.url
    if live and not (is_same and live.state == "opening" and live.expires_at - now >= payment_routes.STILL_SENDABLE):
        payment_routes.close_page(bill_id, now)
    with db.writing():
        booking = lifecycle.locked(bill_id)
        parts = _wanted(booking, number)  # it may have been paid on the page that was closed
        if attempts.live(bill_id) is None:
            _ask(booking, parts, now)
    live = attempts.live(bill_id)
    if live is None or live.state == "open":
        return live.url if live else None
    return payment_routes.send(live)


def _wanted(booking: Booking, number: int) -> list[Instalment]:
    """What is open of the booking up to an instalment. Raises NothingToPay."""
    parts = instalments.open_of(booking.bill)
    at = next((at for at, each in enumerate(parts) if each.id == number), None)
    if booking.state != "confirmed" or at is None:
        raise NothingToPay("This part is paid, or is no longer owed. Nothing has been charged.")
    of_bank = select(Payment.amount_minor).where(Payment.bill_id == booking.bill_id, Payment.state == "pending")
    if coming := db.session.scalar(of_bank.limit(1)):
        amount = money.text(coming, booking.currency)
        raise NothingToPay(f"{amount} is on its way from your bank. When it arrives we write to you.")
    return parts[: at + 1]


def _ask(booking: Booking, parts: list[Instalment], now: datetime) -> None:
    lines = tuple(Line(f"Due on {zones.day(each.due_on)}", each.minor) for each in parts)
    attempt = checkout.new_attempt(booking, lines, booked.title(booking), now)
    facts = {"attempt": attempt.key, "bill": booking.bill_id}
    work.post(plan_rows.CLOSE, f"booking:{booking.id}", attempt.expires_at + checkout.GRACE, facts)


def _booking(bill_id: int) -> Booking:
    return db.session.scalars(select(Booking).where(Booking.bill_id == bill_id)).one()
