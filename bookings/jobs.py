"""Holds that run out: the page is closed at Stripe before the places go back on sale."""

from datetime import datetime

from sqlalchemy import select

from bookings import checkout, lifecycle, payment_routes
from bookings.models import Booking
from lib import db, work
from payments import gateway


def lapse(task: work.Task, now: datetime) -> None:
    """Give the places of an unpaid booking back, unless its hold has moved or its money came."""
    booking = db.session.scalars(select(Booking).where(Booking.id == task.arguments["booking"])).one()
    if not _is_over(booking, now):
        return
    bill_id = booking.bill_id
    db.session.rollback()
    try:
        payment_routes.close_page(bill_id, now)
    except gateway.GatewayUnreachable as problem:
        raise work.Later(str(problem)) from problem
    with db.writing():
        booking = lifecycle.locked(bill_id)
        if _is_over(booking, now):
            lifecycle.lapse(booking, actor="worker", why="not paid in time", now=now)


def _is_over(booking: Booking, now: datetime) -> bool:
    return booking.state == "held" and booking.held_until is not None and booking.held_until <= now


HANDLERS: work.Handlers = {checkout.LAPSE: lapse}
