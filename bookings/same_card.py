"""Whether the card that paid for somebody's first online event has paid for an online event before.

Nothing is refused and nothing is charged for it: two people may share a card. The organiser is told once and decides.
"""

from datetime import datetime

from sqlalchemy import select

from bookings import first_event, letters
from bookings.models import Booking, DiscountCode, Redemption
from history import models as history
from lib import db
from payments.models import Payment

LOOK = "bookings.look_at_card"


def note(payment: Payment, card: str, now: datetime) -> None:
    """Keep the card's fingerprint on the payment, its bill locked; tell the organiser if an offer meant for once was
    paid with a card that is known."""
    if payment.card == card:
        return
    payment.card = card
    db.session.flush()
    booking = db.session.scalars(select(Booking).where(Booking.bill_id == payment.bill_id)).one()
    code = _offer_of(booking)
    earlier = _earlier(payment) if code else []
    if code and earlier:
        _tell(booking, code, earlier, now)


def _offer_of(booking: Booking) -> DiscountCode | None:
    """The code for a first online event that the booking was paid with."""
    return db.session.scalars(
        select(DiscountCode)
        .join(Redemption, Redemption.code_id == DiscountCode.id)
        .where(Redemption.booking_id == booking.id, Redemption.state == "used", DiscountCode.first_online_only)
    ).first()


def _earlier(payment: Payment) -> list[str]:
    """The references of other online bookings that the card has paid for, with the same organiser."""
    bills = select(Payment.bill_id).where(
        Payment.organiser_id == payment.organiser_id,
        Payment.card == payment.card,
        Payment.state == "succeeded",
        Payment.bill_id != payment.bill_id,
    )
    found = first_event.online(payment.organiser_id, Booking.bill_id.in_(bills))
    return list(db.session.scalars(select(Booking.reference).where(Booking.bill_id.in_(found)).order_by(Booking.id)))


def _tell(booking: Booking, code: DiscountCode, earlier: list[str], now: datetime) -> None:
    history.record(
        f"booking:{booking.id}",
        "same_card_seen",
        at=now,
        actor="worker",
        organiser_id=booking.organiser_id,
        facts={"code": code.code, "bookings": earlier},
    )
    others = "booking" if len(earlier) == 1 else "bookings"
    said = [
        f"{booking.booker_name} paid with the code {code.code}, which is for a first online event. The card that paid "
        f"has paid for {others} {', '.join(earlier)} before.",
        "It may be a family's or a practice's card, so nothing was refused and nothing more was charged. The booking "
        "stands; what follows from it, if anything, is yours to decide.",
    ]
    letters.to_organiser(booking, f"Booking {booking.reference}: a first offer, and a card we know", said, now)
