"""Whether the card that paid for somebody's first online event has paid for an online event before.

Nothing is refused and nothing is charged for it: two people may share a card. The organiser is told once and decides.
Of a card only Stripe's fingerprint is kept, and only where it paid for a place online.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import func, select

from bookings import first_event, letters
from bookings.models import Booking, DiscountCode, Redemption
from history import models as history
from history.models import Entry
from lib import db, work
from payments import ledger
from payments.models import Payment, Refund

COMPARE = "bookings.compare_cards"
SEEN = "same_card_seen"
AFTER = timedelta(minutes=1)  # what was paid at the same moment is written down by then


def keep(booking: Booking, payment: Payment, card: str, now: datetime) -> None:
    """Keep the fingerprint of the card on a payment for a place online, and post the question where a code for a first
    online event was used. The booking is locked; money that is on its way back keeps nothing."""
    if not card or booking.state != "confirmed":
        return
    db.session.flush()
    if db.session.scalar(select(Refund.id).where(Refund.payment_id == payment.id).limit(1)):
        return
    if not first_event.online(booking.organiser_id, Booking.id == booking.id):
        return
    payment.card = card
    if _offer_of(booking):
        work.post(COMPARE, f"booking:{booking.id}", now + AFTER, {"bill": booking.bill_id})


def compare(bill_id: int, now: datetime) -> None:
    """Tell the organiser, once, if a card that paid this bill paid for another online event before."""
    ledger.lock(bill_id)
    booking = db.session.scalars(select(Booking).where(Booking.bill_id == bill_id)).one()
    code = _offer_of(booking)
    earlier = _earlier(booking) if code else []
    if code and earlier and not seen([booking.id]):
        _tell(booking, code, earlier, now)


def seen(booking_ids: Collection[int]) -> dict[int, list[str]]:
    """Of these bookings those that were told of, each with the references of what its card had paid before."""
    by_about = {f"booking:{each}": each for each in booking_ids}
    told = db.session.scalars(select(Entry).where(Entry.verb == SEEN, Entry.about.in_(by_about)))
    return {by_about[each.about]: list(each.facts["bookings"]) for each in told}


def _offer_of(booking: Booking) -> DiscountCode | None:
    """The code for a first online event that the booking was paid with."""
    return db.session.scalars(
        select(DiscountCode)
        .join(Redemption, Redemption.code_id == DiscountCode.id)
        .where(Redemption.booking_id == booking.id, Redemption.state == "used", DiscountCode.first_online_only)
    ).first()


def _earlier(booking: Booking) -> list[str]:
    """The references of the online bookings that its cards had paid, with the same organiser, before it was paid."""
    own = Payment.bill_id == booking.bill_id
    first = select(func.min(Payment.id)).where(own).scalar_subquery()
    cards = select(Payment.card).where(own, Payment.card != "")
    bills = select(Payment.bill_id).where(
        Payment.organiser_id == booking.organiser_id,
        Payment.card.in_(cards),
        Payment.state == "succeeded",
        Payment.id < first,
    )
    found = first_event.online(booking.organiser_id, Booking.bill_id.in_(bills))
    return list(db.session.scalars(select(Booking.reference).where(Booking.bill_id.in_(found)).order_by(Booking.id)))


def _tell(booking: Booking, code: DiscountCode, earlier: list[str], now: datetime) -> None:
    history.record(
        f"booking:{booking.id}",
        SEEN,
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
