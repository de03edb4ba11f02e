"""Whether the books are sound: bookings, places, codes and money told against each other, from the rows alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from bookings.models import Attendee, AttendeePlace, Booking, DiscountCode, Redemption
from courses.models import Place, Pool, ticket_pool
from courses.places import counts
from lib import db
from payments.models import Bill, Payment, PaymentAttempt, Refund

KEEPS_PLACES = ("confirmed", "awaiting_bank", "awaiting_invoice")
TIDY_WITHIN = timedelta(hours=1)


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: what it is about, and what in a sentence."""

    about: str
    what: str


def faults(now: datetime) -> list[Fault]:
    """Everything unsound at `now`; empty when all is well."""
    checks = (_oversold, _places, _money, _shares, _codes, _untidied)
    return [fault for check in checks for fault in check(now)]


def _oversold(now: datetime) -> Iterator[Fault]:
    rows = db.session.execute(
        select(Pool.id, Pool.capacity, func.count())
        .join(Place, Place.pool_id == Pool.id)
        .where(counts(now))
        .group_by(Pool.id, Pool.capacity)
    )
    for pool, capacity, number in rows:
        if number > capacity:
            yield Fault(f"pool:{pool}", f"{number} places are claimed of {capacity}")


def _places(_now: datetime) -> Iterator[Fault]:
    """Each attendee has one place in every pool of the ticket, in the state that the booking's asks for."""
    pools = select(ticket_pool.c.ticket_type_id, func.count()).group_by(ticket_pool.c.ticket_type_id)
    wanted: dict[int, int] = {ticket: number for ticket, number in db.session.execute(pools)}  # noqa: C416 - typed
    rows = db.session.execute(
        select(Booking.reference, Booking.state, Attendee.id, Attendee.ticket_type_id, Attendee.state, Place.state)
        .join(Attendee, Attendee.booking_id == Booking.id)
        .outerjoin(AttendeePlace, AttendeePlace.attendee_id == Attendee.id)
        .outerjoin(Place, Place.id == AttendeePlace.place_id)
        .order_by(Attendee.id)
    )
    found: dict[int, tuple[str, str, int, str, list[str]]] = {}
    for reference, state, attendee, ticket, own, place in rows:
        found.setdefault(attendee, (reference, state, ticket, own, []))[4].extend([place] if place else [])
    for attendee, (reference, state, ticket, own, states) in found.items():
        about = f"booking {reference}, attendee:{attendee}"
        is_coming = own in ("held", "confirmed")
        right = "taken" if state in KEEPS_PLACES and is_coming else "held" if state == "held" else "released"
        if is_coming and len(states) != wanted.get(ticket, 0):
            yield Fault(about, f"has {len(states)} places, the ticket draws from {wanted.get(ticket, 0)} pools")
        if any(each != right for each in states):
            yield Fault(about, f"booking is {state}, its places are {', '.join(sorted(set(states)))}")


def _money(_now: datetime) -> Iterator[Fault]:
    """What is confirmed is paid in full, less the shares of those who were cancelled; what is not has no money left."""
    paid = (
        select(Payment.bill_id, func.sum(Payment.amount_minor).label("sum"))
        .where(Payment.state == "succeeded")
        .group_by(Payment.bill_id)
        .subquery()
    )
    back = (
        select(Payment.bill_id, func.sum(Refund.amount_minor).label("sum"))
        .join(Refund, Refund.payment_id == Payment.id)
        .where(Refund.state != "failed")
        .group_by(Payment.bill_id)
        .subquery()
    )
    by_hand = (
        select(Payment.bill_id, func.sum(Refund.amount_minor).label("sum"))
        .join(Refund, Refund.payment_id == Payment.id)
        .where(Refund.state != "failed", Refund.source == "stripe")
        .group_by(Payment.bill_id)
        .subquery()
    )
    cancelled = (
        select(Attendee.booking_id, func.sum(Attendee.price_minor - Attendee.discount_minor).label("sum"))
        .where(Attendee.state == "cancelled")
        .group_by(Attendee.booking_id)
        .subquery()
    )
    rows = db.session.execute(
        select(
            Booking.reference,
            Booking.state,
            Bill.total_minor - func.coalesce(cancelled.c.sum, 0),
            func.coalesce(paid.c.sum, 0),
            func.coalesce(back.c.sum, 0),
            func.coalesce(by_hand.c.sum, 0),
        )
        .join(Bill, Bill.id == Booking.bill_id)
        .outerjoin(paid, paid.c.bill_id == Bill.id)
        .outerjoin(back, back.c.bill_id == Bill.id)
        .outerjoin(by_hand, by_hand.c.bill_id == Bill.id)
        .outerjoin(cancelled, cancelled.c.booking_id == Booking.id)
    )
    for reference, state, total, came, went, dashboard in rows:
        kept = int(came) - int(went)
        about = f"booking {reference}"
        if went > came:
            yield Fault(about, f"{went} went back of {came} that came")
        if state == "confirmed" and kept + int(dashboard) != int(total):
            yield Fault(about, f"is confirmed with {kept} of {total} paid")
        if state in ("held", "lapsed", "cancelled") and kept > 0:
            yield Fault(about, f"is {state} and {kept} of its money is still here")
    for reference in db.session.scalars(
        select(Refund.key).join(Payment, Payment.id == Refund.payment_id).where(Refund.state == "failed")
    ):
        yield Fault(f"refund {reference}", "failed at Stripe and needs somebody to look at it")


def _shares(_now: datetime) -> Iterator[Fault]:
    """The attendees' stored shares add up to the bill."""
    rows = db.session.execute(
        select(Booking.reference, Bill.total_minor, func.sum(Attendee.price_minor - Attendee.discount_minor))
        .join(Bill, Bill.id == Booking.bill_id)
        .join(Attendee, Attendee.booking_id == Booking.id)
        .group_by(Booking.reference, Bill.total_minor)
    )
    for reference, total, shares in rows:
        if int(shares) != total:
            yield Fault(f"booking {reference}", f"shares add up to {shares}, the bill says {total}")


def _codes(now: datetime) -> Iterator[Fault]:
    is_used = (Redemption.state == "used") | ((Redemption.state == "held") & (Redemption.held_until > now))
    totals = db.session.execute(
        select(DiscountCode.code, DiscountCode.uses_total, func.count())
        .join(Redemption, Redemption.code_id == DiscountCode.id)
        .where(is_used, DiscountCode.uses_total.is_not(None))
        .group_by(DiscountCode.id, DiscountCode.code, DiscountCode.uses_total)
    )
    for code, most, number in totals:
        if most is not None and number > most:
            yield Fault(f"code {code}", f"was used {number} times of {most}")
    persons = db.session.execute(
        select(DiscountCode.code, DiscountCode.uses_per_person, func.count())
        .join(Redemption, Redemption.code_id == DiscountCode.id)
        .where(is_used, DiscountCode.uses_per_person.is_not(None))
        .group_by(DiscountCode.id, DiscountCode.code, DiscountCode.uses_per_person, Redemption.person)
    )
    for code, most, number in persons:
        if most is not None and number > most:
            yield Fault(f"code {code}", f"was used {number} times by one person, {most} allowed")


def _untidied(now: datetime) -> Iterator[Fault]:
    """Holds that ran out long ago: the worker is not running, or Stripe has not answered it."""
    rows = db.session.scalars(
        select(Booking.reference).where(Booking.state == "held", Booking.held_until < now - TIDY_WITHIN)
    )
    for reference in rows:
        yield Fault(f"booking {reference}", "its hold ran out over an hour ago and was not tidied")
    opened = db.session.scalars(
        select(Booking.reference)
        .join(PaymentAttempt, PaymentAttempt.bill_id == Booking.bill_id)
        .where(PaymentAttempt.state.in_(("opening", "open")), Booking.state.in_(("confirmed", "lapsed", "cancelled")))
    )
    for reference in opened:
        yield Fault(f"booking {reference}", "a payment page is still open though the booking is settled")
