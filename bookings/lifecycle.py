"""A booking's states and the moves between them: the only door to `Booking.state` and `Attendee.state`.

held -> confirmed | awaiting_bank | awaiting_invoice | lapsed;  awaiting_bank -> confirmed | lapsed;
awaiting_invoice -> confirmed (paid, or let in unpaid);  lapsed -> confirmed | awaiting_bank
(money that came late and found its places free);  held | awaiting_bank | awaiting_invoice | confirmed -> cancelled.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from bookings import credit_spending, discounts, invites, invoice_papers, letters, plan_rows, reminders, reselling
from bookings.models import Attendee, Booking
from courses import places, schedule
from courses.models import TicketType, Workshop
from history import models as history
from lib import db, work
from payments import credits, ledger

MOVES = {
    "confirmed": {"held", "awaiting_bank", "awaiting_invoice", "lapsed"},
    "awaiting_bank": {"held", "lapsed"},
    "awaiting_invoice": {"held"},
    "lapsed": {"held", "awaiting_bank"},
    "cancelled": {"held", "awaiting_bank", "awaiting_invoice", "confirmed"},
}
OPEN_WINDOWS = "recordings.open_windows"  # who comes after publication has windows of their own: a room to the right
_ATTENDEE = {
    "confirmed": "confirmed",
    "awaiting_bank": "held",
    "awaiting_invoice": "held",
    "lapsed": "lapsed",
    "cancelled": "cancelled",
}


class WrongState(RuntimeError):
    """A move that the table above does not know: a fault of ours, never a visitor's."""


def locked(bill_id: int) -> Booking:
    """The booking of a bill with all that a move needs, locked in order: Workshop, Bill, Booking.

    Its workshops are only held still: an organiser who moves or cancels one at the same moment comes before or after.
    """
    there = select(Attendee.workshop_id).join(Attendee.booking).where(Booking.bill_id == bill_id)
    schedule.hold_still(Workshop.id.in_(there))
    ledger.lock(bill_id)
    return db.session.scalars(
        select(Booking)
        .where(Booking.bill_id == bill_id)
        .with_for_update(of=Booking)
        .options(
            joinedload(Booking.organiser),
            selectinload(Booking.attendees).selectinload(Attendee.claims),
            selectinload(Booking.attendees).selectinload(Attendee.invites),
            selectinload(Booking.attendees).joinedload(Attendee.workshop).selectinload(Workshop.sessions),
            selectinload(Booking.attendees).joinedload(Attendee.workshop).selectinload(Workshop.presenters),
            selectinload(Booking.attendees).joinedload(Attendee.workshop).joinedload(Workshop.venue),
            selectinload(Booking.attendees).joinedload(Attendee.ticket).selectinload(TicketType.sessions),
        )
        .execution_options(populate_existing=True)
    ).one()


def confirm(booking: Booking, *, actor: str, now: datetime) -> None:
    """Take the places for good, write the invites, post one letter an attendee and the receipt.

    Raises WorkshopFull, CodeSpent or CreditGone, with no place claimed, when a hold that ran out cannot be claimed
    again.
    """
    _may_move(booking, "confirmed")
    is_owed = booking.state in ("awaiting_bank", "awaiting_invoice")  # less what was forgiven since
    _claim(booking, now)
    _move(booking, "confirmed", actor, now)
    if not is_owed:
        ledger.charge_whole(booking.bill, now)
    plan_rows.begin(booking, now)
    booking.confirmed_at = now
    reselling.sold(place_ids(booking), now)
    _welcome(booking, booking.attendees, now)
    invoice_papers.acknowledge(booking, now)
    letters.receipt(booking, now)


def take_in(booking: Booking, added: Sequence[Attendee], *, actor: str, now: datetime) -> None:
    """More people come with a confirmed booking, from now on; their places are taken already."""
    reselling.sold(sorted(claim.place_id for attendee in added for claim in attendee.claims), now)
    for attendee in added:
        attendee.state, attendee.added_at = "confirmed", now
    db.session.flush()
    _welcome(booking, added, now)
    history.record(
        f"booking:{booking.id}",
        "places_added",
        at=now,
        actor=actor,
        organiser_id=booking.organiser_id,
        facts={"attendees": [attendee.id for attendee in added], "who": [attendee.name for attendee in added]},
    )


def await_bank(booking: Booking, *, actor: str, now: datetime) -> None:
    """Keep the places while the bank debit is on its way, or give them back until it arrives, as the organiser has
    set. The code's use is kept either way. Raises WorkshopFull, CodeSpent or CreditGone
    like `confirm`."""
    _may_move(booking, "awaiting_bank")
    if booking.organiser.holds_for_bank:
        _claim(booking, now)
    else:
        places.release(place_ids(booking), now)
        discounts.keep_use(booking.id, now)
    _move(booking, "awaiting_bank", actor, now)
    ledger.charge_whole(booking.bill, now)
    letters.awaiting_bank(booking, now)


def await_invoice(booking: Booking, *, actor: str, now: datetime) -> None:
    """Take the places and the code's use for whoever pays on an invoice. Raises WorkshopFull or CodeSpent like
    `confirm`."""
    _may_move(booking, "awaiting_invoice")
    _claim(booking, now)
    _move(booking, "awaiting_invoice", actor, now)
    ledger.charge_whole(booking.bill, now)


def lapse(booking: Booking, *, actor: str, why: str, now: datetime) -> None:
    """Give the places and the code's use back."""
    _may_move(booking, "lapsed")
    places.release(place_ids(booking), now)
    discounts.release_use(booking.id)
    _move(booking, "lapsed", actor, now, why)
    _owe_nothing(booking, why, now)


def cancel(booking: Booking, gone: Sequence[Attendee], *, actor: str, why: str, now: datetime) -> None:
    """End the places of these attendees; with the last one the booking ends, and gives its code's use back."""
    _may_move(booking, "cancelled")
    if booking.state == "confirmed":
        reselling.give_back(gone, now)
    places.release(sorted(claim.place_id for attendee in gone for claim in attendee.claims), now)
    plan_rows.drop(booking, gone, actor=actor, now=now)
    for attendee in gone:
        attendee.state = "cancelled"
    if all(attendee.state == "cancelled" for attendee in booking.attendees):
        is_unpaid = booking.state != "confirmed"
        discounts.release_use(booking.id)
        _move(booking, "cancelled", actor, now, why)
        if is_unpaid:
            _owe_nothing(booking, why, now)
        return
    history.record(
        f"booking:{booking.id}",
        "attendees_cancelled",
        at=now,
        actor=actor,
        organiser_id=booking.organiser_id,
        facts={"attendees": [attendee.id for attendee in gone], "why": why},
    )


def extend(booking: Booking, until: datetime, now: datetime) -> None:
    """Hold the same places for another way to Stripe. Raises WorkshopFull when their time had run out and others
    have them."""
    places.extend(place_ids(booking), until, now)
    discounts.extend_use(booking.id, until)
    booking.held_until = until


def place_ids(booking: Booking) -> list[int]:
    return sorted(claim.place_id for attendee in booking.attendees for claim in attendee.claims)


def _welcome(booking: Booking, coming: Sequence[Attendee], now: datetime) -> None:
    """Invites, a letter and reminders for each of them, and the windows of what is published."""
    for attendee in coming:
        invites.make(attendee, now)
        letters.confirmed(attendee, now)
        reminders.post_all(attendee, now)
    if any(each.workshop.catch_up_offered and each.ticket.includes_recording for each in coming):
        work.post(OPEN_WINDOWS, f"booking:{booking.id}", now, {"booking": booking.id})


def _claim(booking: Booking, now: datetime) -> None:
    places.keep(place_ids(booking), now)
    try:
        discounts.keep_use(booking.id, now)
        credit_spending.take_again(booking, now)
    except (discounts.CodeSpent, credit_spending.CreditGone):
        places.release(place_ids(booking), now)
        discounts.release_use(booking.id)
        raise


def _owe_nothing(booking: Booking, why: str, now: datetime) -> None:
    """What was not paid falls away, and credits that were put towards it can be spent again."""
    credits.give_back(booking.bill_id, credits.spent_on(booking.bill_id), reason=why, now=now)
    ledger.waive(booking.bill, note=why, now=now)
    if ledger.of_bill(booking.bill_id).kept_minor <= 0:  # else whoever gives that back takes the whole invoice back
        invoice_papers.take_back(booking, now)


def _may_move(booking: Booking, state: str) -> None:
    if booking.state not in MOVES[state]:
        raise WrongState(f"{booking.reference} cannot go from {booking.state} to {state}")


def _move(booking: Booking, state: str, actor: str, now: datetime, why: str = "") -> None:
    before = booking.state
    booking.state = state
    booking.held_until = None
    for attendee in booking.attendees:
        attendee.state = _ATTENDEE[state]
    history.record(
        f"booking:{booking.id}",
        f"booking_{state}",
        at=now,
        actor=actor,
        organiser_id=booking.organiser_id,
        facts={"from": before, "why": why} if why else {"from": before},
    )
