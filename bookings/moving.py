"""A session moved or cancelled, a workshop cancelled: first who is told what and what money moves, then doing it.

All of it is rows of one transaction: the session, the invites with their sequence, states, refunds, letters.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload, selectinload

from bookings import invites, letters, lifecycle, plan_rows, reminders, returning, telling
from bookings.models import Attendee, Booking
from courses import editing, places, schedule
from courses.editing import NotPossible
from courses.models import TicketType, Workshop, WorkshopSession
from courses.schedule import Meeting
from history import models as history
from lib import db, money, work
from payments import ledger
from payments.models import Bill

CLOSE_PAGE = "bookings.close_page"


@dataclass(frozen=True)
class Fate:
    """What becomes of one booking: who is told, whose calendars lose how many entries, whose places end.

    A booking not paid yet ends as a whole or goes on as a whole, and only its booker is told.
    """

    booking: Booking
    told: list[Attendee]
    entries: int
    ending: list[Attendee]
    is_confirmed: bool
    unpaid_minor: int = 0

    @property
    def due_minor(self) -> int:
        """What those whose places end had paid for them."""
        worth = sum(each.price_minor - each.discount_minor for each in self.ending)
        return worth - self.unpaid_minor if self.is_confirmed else 0


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

    fates: list[Fate]
    back: list[Back]

    @property
    def told(self) -> list[Attendee]:
        """The attendees who get a letter."""
        return sorted((one for each in self.fates for one in each.told), key=lambda one: one.id)

    @property
    def ending(self) -> list[Attendee]:
        return [one for each in self.fates for one in each.ending]

    @property
    def unpaid(self) -> list[Booking]:
        return [each.booking for each in self.fates if each.ending and not each.is_confirmed]

    @property
    def bookers(self) -> list[Booking]:
        """The bookings whose booker gets a letter about money, were it only that nothing is owed."""
        return [each.booking for each in self.fates if each.ending]

    @property
    def entries(self) -> int:
        """How many entries are taken out of calendars, each by a message of its own."""
        return sum(each.entries for each in self.fates)

    @property
    def totals(self) -> list[str]:
        """The money of all bookings together, a text a currency."""
        sums: dict[str, int] = {}
        for each in self.back:
            sums[each.booking.currency] = sums.get(each.booking.currency, 0) + each.minor
        return [money.text(minor, currency) for currency, minor in sums.items()]


def booked(workshop: Workshop) -> set[int]:
    """The ids of the sessions that somebody has, holds or waits for a place in."""
    everybody = _attendees(workshop.id)
    return {session.id for session in workshop.sessions if any(_admits(each, session) for each in everybody)}


def coming(session: WorkshopSession) -> list[Attendee]:
    """Whose calendar the session is in, and whom a move of it is told. Who only watches has no time to be told of."""
    confirmed = [each for each in _attendees(session.workshop_id) if each.state == "confirmed"]
    return [each for each in confirmed if _admits(each, session) and each.ticket.includes_live]


def plan_cancel(workshop: Workshop, session: WorkshopSession | None = None) -> Plan:
    """What cancelling the workshop, or one session of several, would do now.

    Without one session, places end that admitted to nothing else; the others go on, and their money stays.
    """
    by_booking: dict[int, list[Attendee]] = {}
    for each in _attendees(workshop.id):
        by_booking.setdefault(each.booking_id, []).append(each)
    _know_everybody([live[0].booking for live in by_booking.values()])
    fates = [_fate(live[0].booking, live, session) for live in by_booking.values()]
    known = ledger.balances([each.booking.bill_id for each in fates if each.due_minor])
    back = []
    for fate in fates:
        balance = known.get(fate.booking.bill_id)
        minor = min(fate.due_minor, balance.kept_minor) if balance else 0
        if minor > 0:
            back.append(Back(fate.booking, minor))
    return Plan(fates, back)


def move(session: WorkshopSession, meeting: Meeting, *, actor: str, now: datetime) -> list[Attendee]:
    """Move a session, raise its invites' sequence and tell everybody who comes to it; who was told.

    Nobody is told when the instants stay what they are. Raises TimeSkipped or ValueError for the time, NotPossible
    when the session or its workshop does not take place.
    """
    session_id = session.id
    workshop = schedule.lock(session.workshop_id)
    if workshop.status == "cancelled" or all(each.id != session_id for each in workshop.sessions):
        raise NotPossible("It was cancelled or taken away meanwhile. Nothing was moved, and nobody was told of a move.")
    before = session.starts_at, session.ends_at
    old_line = letters.session_words(session)["line"]
    if not schedule.change(session, meeting):
        schedule.settle(workshop)
        return []
    schedule.settle(workshop)
    told = coming(session)
    for attendee in told:
        invites.raise_for(attendee, session, now)
        telling.moved(attendee, session, old_line, now)
        reminders.post_for(attendee, session, now, missed=False)
    facts = {
        "session": session.id,
        "from": [each.isoformat() for each in before],
        "to": [session.starts_at.isoformat(), session.ends_at.isoformat()],
        "told": len(told),
    }
    _remember(workshop, "session_moved", facts, actor, now)
    return told


def added(session: WorkshopSession, *, now: datetime) -> list[Attendee]:
    """A further session: those whose ticket admits to all of them get its invite; who was told."""
    told = coming(session)
    for attendee in told:
        invites.make(attendee, now)
        telling.session_added(attendee, session, now)
        reminders.post_for(attendee, session, now, missed=False)
    return told


def cancel_workshop(workshop: Workshop, why: str, *, actor: str, now: datetime) -> None:
    """The workshop does not take place: invites withdrawn, places given back, all money refunded, everybody told."""
    workshop = schedule.lock(workshop.id)
    if workshop.status == "cancelled":
        return
    editing.cancel(workshop, why, now)
    places.came_free(workshop.id, now)  # whoever waits for a place hears that there will be none
    _end(workshop, None, why, actor, now)
    _remember(workshop, "workshop_cancelled", {"why": why}, actor, now)


def cancel_session(session: WorkshopSession, why: str, *, actor: str, now: datetime) -> None:
    """One session of several does not take place; once, however often. Raises NotPossible for the only one."""
    session_id = session.id
    workshop = schedule.lock(session.workshop_id)
    if workshop.status == "cancelled" or all(each.id != session_id for each in workshop.sessions):
        return
    if len(workshop.sessions) == 1:
        raise NotPossible("This is the only session left: cancel the workshop instead. Nothing was changed.")
    _end(workshop, session, why, actor, now)
    schedule.call_off(workshop, session, now)
    for ticket in workshop.tickets:
        if ticket.sessions and all(each.cancelled_at for each in ticket.sessions):
            ticket.is_hidden = True  # it admits to nothing any more
    _remember(workshop, "session_cancelled", {"session": session.id, "why": why}, actor, now)


def _end(workshop: Workshop, session: WorkshopSession | None, why: str, actor: str, now: datetime) -> None:
    bills = sorted({each.booking.bill_id for each in _attendees(workshop.id) if _admits(each, session)})
    for bill_id in bills:
        booking = lifecycle.locked(bill_id)
        live = [each for each in booking.attendees if each.workshop_id == workshop.id and each.state in _LIVE]
        _bring_about(_fate(booking, live, session), session, why, actor, now)


def _fate(booking: Booking, live: Sequence[Attendee], session: WorkshopSession | None) -> Fate:
    """What becomes of a booking and of those of it who have, hold or wait for a place: shown first, and then done."""
    is_confirmed = booking.state == "confirmed"
    admitted = [each for each in live if _admits(each, session)]
    ending = [each for each in admitted if _ends(each, session)]
    if not is_confirmed:
        every = booking.attendees if booking.bundle_id else live  # a bundle ends at its other workshops too
        return Fate(booking, [], 0, [each for each in every if each.state in _LIVE] if ending else [], False)
    entries = sum(len(invites.withdrawable(each, _off(each, session))) for each in admitted)
    return Fate(booking, admitted, entries, ending, True, sum(plan_rows.unpaid_of(each) for each in ending))


def _bring_about(fate: Fate, session: WorkshopSession | None, why: str, actor: str, now: datetime) -> None:
    booking, due = fate.booking, fate.due_minor
    shares = {each.id: plan_rows.paid_for(each) for each in fate.ending}
    if fate.ending:
        lifecycle.cancel(booking, fate.ending, actor=actor, why=why, now=now)
    for attendee in fate.told:
        off = _off(attendee, session)
        withdrawn = invites.withdraw(attendee, off, now)
        is_over = attendee in fate.ending
        telling.cancelled(attendee, off, withdrawn, why, is_over=is_over, is_all=session is None, now=now)
    if not fate.ending:
        return
    if not fate.is_confirmed:
        work.post(CLOSE_PAGE, f"booking:{booking.id}", now, {"bill": booking.bill_id})
        telling.unpaid_cancelled(booking, why, now)
        if came := returning.remaining_of(booking.bill_id):  # part of an invoice was paid
            returning.give(booking, came, source="organiser", reason=why, actor=actor, now=now)
        return
    reason = f"Cancelled by the organiser. {why}"
    back = returning.give(
        booking, due, source="organiser", reason=reason, shares=shares, actor=actor, now=now, stood_still=True
    )
    telling.money_back(booking, fate.ending, back, why, now)


_LIVE = ("held", "confirmed")


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
                joinedload(Attendee.booking).joinedload(Booking.bill).selectinload(Bill.instalments),
                joinedload(Attendee.workshop).selectinload(Workshop.sessions),
                joinedload(Attendee.workshop).joinedload(Workshop.venue),
                joinedload(Attendee.ticket).selectinload(TicketType.sessions),
                selectinload(Attendee.invites),
            )
            .execution_options(populate_existing=True)
        )
    )


def _know_everybody(bookings: Sequence[Booking]) -> None:
    """Read who else is on those bookings of bundles that would end as a whole, in one go."""
    wanted = [each.id for each in bookings if each.bundle_id and each.state != "confirmed"]
    if wanted:
        query = select(Booking).where(Booking.id.in_(wanted)).options(selectinload(Booking.attendees))
        db.session.scalars(query).all()


def _admits(attendee: Attendee, session: WorkshopSession | None) -> bool:
    named = attendee.ticket.sessions
    return session is None or not named or any(each.id == session.id for each in named)


def _off(attendee: Attendee, session: WorkshopSession | None) -> list[WorkshopSession]:
    """What does not take place of what the attendee would come to."""
    return [session] if session else invites.sessions_of(attendee)


def _ends(attendee: Attendee, session: WorkshopSession | None) -> bool:
    """Whether nothing is left of the place once the session is gone."""
    return session is None or all(each.id == session.id for each in invites.sessions_of(attendee))


def _remember(workshop: Workshop, verb: str, facts: dict[str, object], actor: str, now: datetime) -> None:
    history.record(
        f"workshop:{workshop.id}", verb, at=now, actor=actor, organiser_id=workshop.organiser_id, facts=facts
    )
