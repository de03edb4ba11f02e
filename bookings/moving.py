"""A session moved or cancelled, a workshop cancelled: first who is told what and what money moves, then doing it.

All of it is rows of one transaction: the session, the invites with their sequence, states, refunds, letters.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload, selectinload

from bookings import invites, letters, lifecycle, reminders, telling
from bookings.models import Attendee, Booking
from courses import editing, schedule
from courses.models import TicketType, Workshop, WorkshopSession
from courses.schedule import Meeting
from history import models as history
from lib import db, money, work
from payments import ledger, refunds
from payments.models import Payment

CLOSE_PAGE = "bookings.close_page"


@dataclass(frozen=True)
class Back:
    """Money that goes back to one booker."""

    booking: Booking
    minor: int

    @property
    def text(self) -> str:
        return money.text(self.minor, self.booking.currency)


@dataclass(frozen=True)
class Plan:
    """What would happen: who is told, whose place ends, which unpaid bookings end, what money goes back."""

    told: list[Attendee]
    ending: list[Attendee]
    unpaid: list[Booking]
    back: list[Back]

    @property
    def totals(self) -> list[str]:
        """The money of all bookings together, a text a currency."""
        sums: dict[str, int] = {}
        for each in self.back:
            sums[each.booking.currency] = sums.get(each.booking.currency, 0) + each.minor
        return [money.text(minor, currency) for currency, minor in sums.items()]


def is_booked(session: WorkshopSession) -> bool:
    """Whether somebody has, holds or waits for a place in this session."""
    return any(True for each in _attendees(session.workshop_id) if _comes(each, session))


def plan_move(session: WorkshopSession) -> Plan:
    """Whom a move of the session is told. No money moves."""
    return Plan(_coming(session), [], [], [])


def plan_cancel(workshop: Workshop, session: WorkshopSession | None = None) -> Plan:
    """What cancelling the workshop, or one session of several, would do now.

    Without one session, places end that admitted to nothing else; the others go on, and their money stays.
    """
    everybody = _attendees(workshop.id)
    told = [each for each in everybody if each.state == "confirmed" and _admits(each, session)]
    ending = [each for each in everybody if _admits(each, session) and _ends(each, session)]
    waiting = {each.booking.id: each.booking for each in ending if each.booking.state != "confirmed"}
    paid: dict[int, list[Attendee]] = {}
    for each in ending:
        if each.booking.state == "confirmed":
            paid.setdefault(each.booking_id, []).append(each)
    known = ledger.balances([each[0].booking.bill_id for each in paid.values()])
    back = []
    for gone in paid.values():
        booking = gone[0].booking
        balance = known[booking.bill_id]
        minor = min(_due(gone), balance.paid_minor - balance.refunded_minor)
        if minor > 0:
            back.append(Back(booking, minor))
    return Plan(told, ending, list(waiting.values()), back)


def move(session: WorkshopSession, meeting: Meeting, *, actor: str, now: datetime) -> list[Attendee]:
    """Move a session, raise its invites' sequence and tell everybody who comes to it; who was told.

    Nobody is told when the instants stay what they are. Raises TimeSkipped or ValueError for the time.
    """
    workshop = lock(session.workshop_id)
    before = session.starts_at, session.ends_at
    old_line = letters.session_words(session)["line"]
    if not schedule.change(session, meeting):
        schedule.settle(workshop)
        return []
    schedule.settle(workshop)
    told = _coming(session)
    for attendee in told:
        invites.raise_for(attendee, session, now)
        telling.moved(attendee, session, old_line, now)
        reminders.post_for(attendee, session, now, missed=False)
    history.record(
        f"workshop:{workshop.id}",
        "session_moved",
        at=now,
        actor=actor,
        organiser_id=workshop.organiser_id,
        facts={
            "session": session.id,
            "from": [each.isoformat() for each in before],
            "to": [session.starts_at.isoformat(), session.ends_at.isoformat()],
            "told": len(told),
        },
    )
    return told


def added(session: WorkshopSession, *, now: datetime) -> list[Attendee]:
    """A further session: those whose ticket admits to all of them get its invite; who was told."""
    told = _coming(session)
    for attendee in told:
        invites.make(attendee, now)
        telling.session_added(attendee, session, now)
        reminders.post_for(attendee, session, now, missed=False)
    return told


def cancel_workshop(workshop: Workshop, why: str, *, actor: str, now: datetime) -> None:
    """The workshop does not take place: invites withdrawn, places given back, all money refunded, everybody told."""
    workshop = lock(workshop.id)
    if workshop.status == "cancelled":
        return
    editing.cancel(workshop, why, now)
    _end(workshop, None, why, actor, now)
    _remember(workshop, "workshop_cancelled", {"why": why}, actor, now)


def cancel_session(session: WorkshopSession, why: str, *, actor: str, now: datetime) -> None:
    """One session of several does not take place. Raises ValueError for the only one."""
    workshop = lock(session.workshop_id)
    if session.cancelled_at is not None:
        return
    if len(workshop.sessions) == 1:
        raise ValueError("This is the only session: cancel the workshop instead.")
    _end(workshop, session, why, actor, now)
    schedule.call_off(workshop, session, now)
    for ticket in workshop.tickets:
        if ticket.sessions and all(each.cancelled_at for each in ticket.sessions):
            ticket.is_hidden = True  # it admits to nothing any more
    _remember(workshop, "session_cancelled", {"session": session.id, "why": why}, actor, now)


def lock(workshop_id: int) -> Workshop:
    """The workshop, locked: two who move or cancel at the same moment do it one after the other."""
    return db.session.scalars(
        select(Workshop).where(Workshop.id == workshop_id).with_for_update().execution_options(populate_existing=True)
    ).one()


def _end(workshop: Workshop, session: WorkshopSession | None, why: str, actor: str, now: datetime) -> None:
    bills = sorted({each.booking.bill_id for each in _attendees(workshop.id) if _admits(each, session)})
    for bill_id in bills:
        _end_booking(lifecycle.locked(bill_id), workshop, session, why, actor, now)


def _end_booking(
    booking: Booking, workshop: Workshop, session: WorkshopSession | None, why: str, actor: str, now: datetime
) -> None:
    live = [each for each in booking.attendees if each.workshop_id == workshop.id and each.state in _LIVE]
    admitted = [each for each in live if _admits(each, session)]
    confirmed = [each for each in admitted if each.state == "confirmed"]
    gone = [each for each in admitted if _ends(each, session)]
    was_confirmed = booking.state == "confirmed"
    if gone and not was_confirmed:
        gone = live  # what is not paid yet is asked for as a whole, or not at all
    due = _due(gone)
    if gone:
        lifecycle.cancel(booking, gone, actor=actor, why=why, now=now)
    for attendee in confirmed:
        off = [session] if session else invites.sessions_of(attendee)
        if not attendee.ticket.includes_live:
            over = attendee in gone
            telling.recording_cancelled(attendee, off, why, is_over=over, is_all=session is None, now=now)
            continue
        withdrawn = [each for each in off if invites.withdraw(attendee, each, now)]
        telling.cancelled(attendee, withdrawn, why, is_over=attendee in gone, is_all=session is None, now=now)
    if not gone:
        return
    if not was_confirmed:
        work.post(CLOSE_PAGE, f"booking:{booking.id}", now, {"bill": booking.bill_id})
        telling.unpaid_cancelled(booking, why, now)
        return
    back = _refund(booking, due, why, now)
    telling.money_back(booking, gone, back, why, now)


def _refund(booking: Booking, due: int, why: str, now: datetime) -> int:
    """Send `due` back, from the booking's payments in their order; what was sent."""
    sent = 0
    payments = db.session.scalars(
        select(Payment)
        .where(Payment.bill_id == booking.bill_id, Payment.state == "succeeded")
        .order_by(Payment.id)
        .with_for_update()
    ).all()
    for payment in payments:
        refund = refunds.refund_part(
            payment, due - sent, reason=f"Cancelled by the organiser. {why}"[:200], source="organiser", now=now
        )
        sent += refund.amount_minor if refund else 0
    return sent


def _due(gone: Sequence[Attendee]) -> int:
    return sum(each.price_minor - each.discount_minor for each in gone)


_LIVE = ("held", "confirmed")


def _coming(session: WorkshopSession) -> list[Attendee]:
    """Whose calendar the session is in: who only watches its recording has no time to be told of."""
    confirmed = [each for each in _attendees(session.workshop_id) if each.state == "confirmed"]
    return [each for each in confirmed if _admits(each, session) and each.ticket.includes_live]


def _attendees(workshop_id: int) -> list[Attendee]:
    """Everybody who has, holds or waits for a place, in order; a few statements however many."""
    return list(
        db.session.scalars(
            select(Attendee)
            .join(Attendee.booking)
            .where(
                Attendee.workshop_id == workshop_id,
                or_(Attendee.state == "confirmed", Attendee.state == "held"),
            )
            .order_by(Attendee.id)
            .options(
                joinedload(Attendee.booking).joinedload(Booking.organiser),
                joinedload(Attendee.booking).selectinload(Booking.attendees),
                joinedload(Attendee.workshop).selectinload(Workshop.sessions),
                joinedload(Attendee.workshop).joinedload(Workshop.venue),
                joinedload(Attendee.ticket).selectinload(TicketType.sessions),
                selectinload(Attendee.invites),
            )
            .execution_options(populate_existing=True)
        )
    )


def _comes(attendee: Attendee, session: WorkshopSession) -> bool:
    return attendee.state in _LIVE and _admits(attendee, session)


def _admits(attendee: Attendee, session: WorkshopSession | None) -> bool:
    named = attendee.ticket.sessions
    return session is None or not named or any(each.id == session.id for each in named)


def _ends(attendee: Attendee, session: WorkshopSession | None) -> bool:
    """Whether nothing is left of the place once the session is gone."""
    return session is None or all(each.id == session.id for each in invites.sessions_of(attendee))


def _remember(workshop: Workshop, verb: str, facts: dict[str, object], actor: str, now: datetime) -> None:
    history.record(
        f"workshop:{workshop.id}", verb, at=now, actor=actor, organiser_id=workshop.organiser_id, facts=facts
    )
