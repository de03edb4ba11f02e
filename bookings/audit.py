"""Whether bookings are sound: states, places, codes and shares told against each other, from the rows alone. The money
and the waiting lists have audits of their own beside this one."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, or_, select

from bookings import codes, money_audit, waiting_audit
from bookings.models import Attendee, AttendeeExtra, AttendeePlace, Booking, Change, DiscountCode, Redemption
from bookings.money_audit import Fault
from courses.models import Place, Pool, ticket_pool
from courses.places import counts
from lib import db
from payments import ledger
from payments.models import Bill, Instalment, Invoice, Payment, PaymentAttempt, Refund

KEEPS_PLACES = ("confirmed", "awaiting_bank", "awaiting_invoice")
ATTENDEE_STATES = {
    "held": ("held",),
    "awaiting_bank": ("held", "cancelled"),
    "awaiting_invoice": ("held", "cancelled"),
    "confirmed": ("confirmed", "cancelled"),
    "lapsed": ("lapsed",),
    "cancelled": ("cancelled",),
}
TIDY_WITHIN = timedelta(hours=1)


def faults(now: datetime) -> list[Fault]:
    """Everything unsound at `now`; empty when all is well."""
    checks = (_oversold, _places, _shares, _codes, _redemptions, _untidied)
    own = [fault for check in checks for fault in check(now)]
    return [*own, *waiting_audit.faults(now), *money_audit.faults()]


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


def _places(now: datetime) -> Iterator[Fault]:
    """Each attendee has one place in every pool of the ticket and its extras, in the state that the booking's asks for.
    What ran out somebody else may have claimed before the booking was tidied."""
    pools = select(ticket_pool.c.ticket_type_id, func.count()).group_by(ticket_pool.c.ticket_type_id)
    wanted: dict[int, int] = {ticket: number for ticket, number in db.session.execute(pools)}  # noqa: C416 - typed
    of_extras = select(AttendeeExtra.attendee_id, func.count()).join(
        ticket_pool, ticket_pool.c.ticket_type_id == AttendeeExtra.ticket_type_id
    )
    counted = db.session.execute(of_extras.group_by(AttendeeExtra.attendee_id))
    more = Counter({each: number for each, number in counted})  # noqa: C416 - typed
    rows = db.session.execute(
        select(
            Booking.reference,
            Booking.state,
            Attendee.id,
            Attendee.ticket_type_id,
            Attendee.state,
            Place.state,
            Booking.held_until,
        )
        .join(Attendee, Attendee.booking_id == Booking.id)
        .outerjoin(AttendeePlace, AttendeePlace.attendee_id == Attendee.id)
        .outerjoin(Place, Place.id == AttendeePlace.place_id)
        .order_by(Attendee.id)
    )
    found: dict[int, tuple[str, str, int, str, list[str]]] = {}
    for reference, state, attendee, ticket, own, place, until in rows:
        kept = "held" if place == "released" and until is not None and until <= now else place
        found.setdefault(attendee, (reference, state, ticket, own, []))[4].extend([kept] if kept else [])
    for attendee, (reference, state, ticket, own, states) in found.items():
        about = f"booking {reference}, attendee:{attendee}"
        if own not in ATTENDEE_STATES[state]:
            yield Fault(about, f"is {own} in a booking that is {state}")
        is_coming = own in ("held", "confirmed")
        right = "taken" if state in KEEPS_PLACES and is_coming else "held" if state == "held" else "released"
        number = wanted.get(ticket, 0) + more[attendee]
        if is_coming and len(states) != number:
            yield Fault(about, f"has {len(states)} places, the ticket draws from {number} pools")
        is_waiting_without = state == "awaiting_bank" and set(states) == {"released"}
        if any(each != right for each in states) and not is_waiting_without:
            yield Fault(about, f"booking is {state}, its places are {', '.join(sorted(set(states)))}")


def _shares(_now: datetime) -> Iterator[Fault]:
    """The attendees' stored shares and what was charged for changes add up to the bill, less what nobody has to pay any
    more of a place that was given up."""
    charges: Counter[str] = Counter()
    for reference, dropped in db.session.execute(
        select(Booking.reference, func.sum(Instalment.minor))
        .join(Instalment, Instalment.bill_id == Booking.bill_id)
        .where(Instalment.state == "dropped")
        .group_by(Booking.reference)
    ):
        charges[reference] -= int(dropped)
    for reference, facts in db.session.execute(
        select(Booking.reference, Change.facts)
        .join(Change, Change.booking_id == Booking.id)
        .where(Change.due_minor > 0, Change.state == "done")
    ):
        charges[reference] += int(facts["fee_minor"])
    rows = db.session.execute(
        select(Booking.reference, Bill.total_minor, func.sum(Attendee.price_minor - Attendee.discount_minor))
        .join(Bill, Bill.id == Booking.bill_id)
        .join(Attendee, Attendee.booking_id == Booking.id)
        .group_by(Booking.reference, Bill.total_minor)
    )
    for reference, total, shares in rows:
        if int(shares) + charges[reference] != total:
            said = int(shares) + charges[reference]
            yield Fault(f"booking {reference}", f"shares and charges add up to {said}, the bill says {total}")


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
    budgets = db.session.execute(
        select(DiscountCode.code, DiscountCode.budget_minor, func.sum(Redemption.minor))
        .join(Redemption, Redemption.code_id == DiscountCode.id)
        .where(is_used, DiscountCode.budget_minor.is_not(None))
        .group_by(DiscountCode.id, DiscountCode.code, DiscountCode.budget_minor)
    )
    for code, most, given in budgets:
        if most is not None and given > most:
            yield Fault(f"code {code}", f"gave {int(given)} of {most}")
    every = db.session.scalars(select(DiscountCode).order_by(DiscountCode.id)).all()
    for owner in sorted({each.organiser_id for each in every}):
        own = [each for each in every if each.organiser_id == owner]
        names = {each.id: each.code for each in own}
        for number, other in codes.hidden(own).items():
            yield Fault(f"code {names[number]}", f"cannot be used: typed, it is taken for {other.code}. Rename one")


def _redemptions(_now: datetime) -> Iterator[Fault]:
    """A code's use stands and falls with its booking, and with the money."""
    rows = db.session.execute(
        select(Booking.reference, Booking.state, Booking.bill_id, Redemption.state).join(
            Redemption, Redemption.booking_id == Booking.id
        )
    ).all()
    known = ledger.balances([bill_id for _, _, bill_id, _ in rows])
    failed = set(db.session.scalars(select(Payment.bill_id).join(Refund).where(Refund.state == "failed")))
    for reference, state, bill_id, use in rows:
        right = {"held": "held", "lapsed": "released", "cancelled": "released"}.get(state, "used")
        if right == "used" and known[bill_id].is_all_back:
            right = "released"
        if use != right and not (use == "released" and bill_id in failed):  # others may have had it meanwhile
            yield Fault(f"booking {reference}", f"is {state} and its code's use is {use}")


def _is_owing() -> ColumnElement[bool]:
    """Whether a change of the booking waits for its payment."""
    return exists().where(Change.booking_id == Booking.id, Change.state == "owing")


def _has_parts() -> ColumnElement[bool]:
    """Whether a part of the booking is still to be paid."""
    is_open = and_(Instalment.bill_id == Booking.bill_id, Instalment.state == "open")
    return and_(Booking.state == "confirmed", exists().where(is_open))


def _is_invoiced() -> ColumnElement[bool]:
    """Whether the booking stands and was sent on an invoice, which can be paid by card."""
    sent = and_(Invoice.bill_id == Booking.bill_id, Invoice.kind == "invoice")
    return and_(Booking.state == "confirmed", exists().where(sent))


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
        .where(
            PaymentAttempt.state.in_(("opening", "open")),
            Booking.state.in_(("confirmed", "lapsed", "cancelled")),
            or_(PaymentAttempt.expires_at < now - TIDY_WITHIN, ~or_(_is_owing(), _has_parts(), _is_invoiced())),
        )
    )
    for reference in opened:
        yield Fault(f"booking {reference}", "a payment page is still open though the booking is settled")
