"""How often bundles were sold."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, case, func, or_, select

from bookings.models import Attendee, Booking
from lib import db

ALIVE = ("confirmed", "awaiting_bank", "awaiting_invoice")


@dataclass(frozen=True)
class Sold:
    """Bookings of a bundle that stand, the places of those, and how many more are being paid for just now."""

    bookings: int = 0
    places: int = 0
    held: int = 0


NOTHING = Sold()


def sold(bundle_ids: Collection[int], now: datetime) -> dict[int, Sold]:
    """By bundle; one statement however many. A bundle that nobody booked is not among them."""
    is_held = and_(Booking.state == "held", Booking.held_until > now)
    rows = db.session.execute(
        select(
            Booking.bundle_id,
            func.count(case((Booking.state.in_(ALIVE), Booking.id)).distinct()),
            func.sum(case((Booking.state.in_(ALIVE), 1), else_=0)),
            func.count(case((is_held, Booking.id)).distinct()),
        )
        .join(Attendee, Attendee.booking_id == Booking.id)
        .where(Booking.bundle_id.in_(bundle_ids), or_(Attendee.state != "cancelled", is_held))
        .group_by(Booking.bundle_id)
    )
    return {number: Sold(bookings, int(places), held) for number, bookings, places, held in rows}


def is_booked(bundle_id: int) -> bool:
    """Whether anybody ever booked it, whatever became of that."""
    return db.session.scalar(select(Booking.id).where(Booking.bundle_id == bundle_id).limit(1)) is not None
