"""Reminders: a letter so many minutes before a session, counted as time goes by and not as clocks show it.

A job is posted for each session and lead time when the place is confirmed, and decides when its time comes: whether
the attendee still comes, the session still starts then, and nothing later has been or must be said instead.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from bookings import invites, joining, letters
from bookings.models import Attendee, Booking
from courses import schedule
from courses.models import TicketType, Workshop, WorkshopSession
from history import models as history
from history.models import Entry
from lib import db, work, zones
from meetings import points

REMIND = "bookings.remind"
SENT = "reminded"
SOON = timedelta(days=1)  # from then on a missing way into the meeting is worth the organiser's attention


def post_all(attendee: Attendee, now: datetime) -> None:
    """Reminders of every session that the attendee's ticket admits to, in the open transaction."""
    _post(attendee, [row for each in invites.sessions_of(attendee) for row in _rows(attendee, each, now, missed=True)])


def post_for(attendee: Attendee, session: WorkshopSession, now: datetime, *, missed: bool = True) -> None:
    """Reminders of one session: those still ahead, and of those whose time has passed only the latest, at once.

    `missed=False` leaves that one out: for a change that has just been told in a letter of its own. Nothing is posted
    for a session that has begun, nor twice for one start.
    """
    _post(attendee, _rows(attendee, session, now, missed=missed))


def post_coming(workshop_id: int, now: datetime) -> None:
    """After the workshop's lead times have changed: reminders that are ahead now, for everybody who comes.

    Nobody is written to at once; a lead time that was taken away is found gone when its job runs.
    """
    for attendee in db.session.scalars(
        _whole(select(Attendee).where(Attendee.workshop_id == workshop_id, Attendee.state == "confirmed"))
    ):
        for session in invites.sessions_of(attendee):
            post_for(attendee, session, now, missed=False)


def leads(workshop: Workshop) -> list[int]:
    """The workshop's lead times in minutes, the longest first, each once."""
    return sorted({int(each) for each in workshop.reminders if int(each) > 0}, reverse=True)


def remind(attendee_id: int, session_id: int, lead: int, starts_at: str, now: datetime) -> bool:
    """Post the reminder if it is still due; whether it was. Once for an attendee, session, start and lead time.

    Call it inside `db.writing()`.
    """
    there = select(Attendee.workshop_id).where(Attendee.id == attendee_id)
    schedule.hold_still(Workshop.id.in_(there))  # nobody is reminded of a time that is being moved
    attendee = db.session.scalars(
        _whole(select(Attendee).where(Attendee.id == attendee_id)).with_for_update(of=Attendee)
    ).one_or_none()
    session = (
        next((each for each in invites.sessions_of(attendee) if each.id == session_id), None) if attendee else None
    )
    if attendee is None or session is None or not _is_due(attendee, session, lead, starts_at, now):
        return False
    facts = {"session": session.id, "lead": lead, "starts_at": starts_at}
    about = f"attendee:{attendee.id}"
    if facts in db.session.scalars(select(Entry.facts).where(Entry.about == about, Entry.verb == SENT)).all():
        return False
    history.record(about, SENT, at=now, actor="worker", organiser_id=attendee.organiser_id, facts=facts)
    letters.reminder(attendee, session, now)
    is_soon = session.starts_at - now <= SOON
    if is_soon and joining.admits_online(attendee) and points.of_session(session.id) is None:
        joining.ask_organiser(session, now, actor="worker")
    return True


def _is_due(attendee: Attendee, session: WorkshopSession, lead: int, starts_at: str, now: datetime) -> bool:
    workshop = attendee.workshop
    times = leads(workshop)
    is_told_later = any(_due(session.starts_at, each) <= now for each in times if each < lead)
    return (
        zones.z(session.starts_at) == starts_at
        and now < session.starts_at
        and lead in times
        and not is_told_later
        and workshop.status != "cancelled"
        and attendee.ticket.includes_live
        and joining.comes(attendee)
    )


def _rows(attendee: Attendee, session: WorkshopSession, now: datetime, *, missed: bool) -> list[dict[str, Any]]:
    if not attendee.ticket.includes_live or session.starts_at <= now:
        return []
    times = leads(attendee.workshop)
    passed = [lead for lead in times if _due(session.starts_at, lead) <= now]
    latest = [min(passed)] if passed and missed else []
    starts_at = zones.z(session.starts_at)
    return [
        {
            "due_at": max(_due(session.starts_at, lead), now),
            "arguments": {"attendee": attendee.id, "session": session.id, "lead": lead, "starts_at": starts_at},
            "dedupe_key": f"remind:{attendee.id}:{session.id}:{lead}:{starts_at}",
        }
        for lead in times
        if lead not in passed or lead in latest
    ]


def _post(attendee: Attendee, rows: list[dict[str, Any]]) -> None:
    work.post_once(REMIND, f"attendee:{attendee.id}", rows)


def _due(starts_at: datetime, lead: int) -> datetime:
    return starts_at - timedelta(minutes=lead)


def _whole(attendees: Select[Attendee]) -> Select[Attendee]:
    return attendees.options(
        joinedload(Attendee.booking).joinedload(Booking.organiser),
        joinedload(Attendee.workshop).selectinload(Workshop.sessions),
        joinedload(Attendee.workshop).joinedload(Workshop.venue),
        joinedload(Attendee.ticket).selectinload(TicketType.sessions),
    ).execution_options(populate_existing=True)
