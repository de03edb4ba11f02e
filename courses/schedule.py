"""When a workshop meets: wall times in a zone become instants, once, here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, select

from courses.models import Workshop, WorkshopSession, ticket_session
from lib import db, zones


@dataclass(frozen=True)
class Meeting:
    """One session as an organiser writes it down: naive wall times, and which of two if the clocks go back over it."""

    wall_start: datetime
    wall_end: datetime
    zone: str
    title: str = ""
    fold_start: int = 0
    fold_end: int = 0
    is_recorded: bool = True


def hold_still(which: ColumnElement[bool]) -> None:
    """Keep the workshops that `which` names from being moved or cancelled before the transaction ends.

    First in the order of locks, before the Bill. Bookings hold the same workshop side by side; whoever moves or
    cancels it (`lock`) waits for them, and they for it: what is read of the workshop from here on stays true.
    """
    held = select(Workshop.id).where(which).order_by(Workshop.id).with_for_update(read=True, key_share=True)
    db.session.execute(held)


def lock(workshop_id: int) -> Workshop:
    """The workshop, locked: two who move or cancel at the same moment do it one after the other.

    Everything read earlier in the transaction is read again when it is next looked at.
    """
    db.session.flush()
    db.session.expire_all()
    return db.session.scalars(select(Workshop).where(Workshop.id == workshop_id).with_for_update()).one()


def set_sessions(workshop: Workshop, meetings: Sequence[Meeting]) -> None:
    """Give a new workshop its sessions, numbered from 1 in order of their start.

    Raises TimeSkipped for a wall time that does not exist, ValueError for none or for an end before its start.
    """
    if not meetings:
        raise ValueError("A workshop needs at least one session.")
    sessions = sorted((_session(workshop, meeting) for meeting in meetings), key=lambda each: each.starts_at)
    for number, each in enumerate(sessions, 1):
        each.number = number
    workshop.sessions = sessions
    workshop.starts_at = sessions[0].starts_at
    workshop.ends_at = max(each.ends_at for each in sessions)


def change(session: WorkshopSession, meeting: Meeting) -> bool:
    """Write a session as `meeting` says; whether its instants are others now.

    Raises like `set_sessions`. The caller then calls `settle` for the workshop, and tells those who were to come.
    """
    before = session.starts_at, session.ends_at
    made = _columns(meeting)
    for name, value in made.items():
        setattr(session, name, value)
    return before != (session.starts_at, session.ends_at)


def add(workshop: Workshop, meeting: Meeting) -> WorkshopSession:
    """A further session. The caller then calls `settle`."""
    number = 1 + max((each.number for each in workshop.sessions), default=0)
    session = WorkshopSession(organiser_id=workshop.organiser_id, number=number, **_columns(meeting))
    workshop.sessions.append(session)
    db.session.flush()
    return session


def remove(workshop: Workshop, session: WorkshopSession) -> None:
    """Take away a session nobody was invited to, and no other row but a ticket's names. The caller calls `settle`."""
    if len(workshop.sessions) == 1:
        raise ValueError("A workshop needs at least one session.")
    db.session.flush()
    delete_rows([session.id])
    db.session.expire(workshop, ["sessions"])


def call_off(workshop: Workshop, session: WorkshopSession, now: datetime) -> None:
    """Cancel one session of several: its row stays, the workshop goes on without it."""
    session.cancelled_at = now
    session.number = -session.id
    db.session.flush()
    db.session.expire(workshop, ["sessions"])
    settle(workshop)


def cancelled(workshop: Workshop) -> list[WorkshopSession]:
    """The sessions that were cancelled one by one."""
    return list(
        db.session.scalars(
            select(WorkshopSession).where(
                WorkshopSession.workshop_id == workshop.id, WorkshopSession.cancelled_at.is_not(None)
            )
        )
    )


def delete_rows(session_ids: Sequence[int]) -> None:
    db.session.execute(delete(ticket_session).where(ticket_session.c.workshop_session_id.in_(session_ids)))
    db.session.execute(delete(WorkshopSession).where(WorkshopSession.id.in_(session_ids)))


def settle(workshop: Workshop) -> None:
    """Number the sessions by their start again, and keep the workshop's own first start and last end right."""
    ordered = sorted(workshop.sessions, key=lambda each: (each.starts_at, each.id))
    if [each.number for each in ordered] != list(range(1, len(ordered) + 1)):
        for number, each in enumerate(ordered, 1):
            each.number = 10_000 + number  # no two of a workshop have one number, not even for a moment
        db.session.flush()
        for number, each in enumerate(ordered, 1):
            each.number = number
    workshop.starts_at = ordered[0].starts_at
    workshop.ends_at = max(each.ends_at for each in ordered)
    db.session.flush()
    db.session.expire(workshop, ["sessions"])


def meeting_of(session: WorkshopSession) -> Meeting:
    """A session as an organiser wrote it down."""
    return Meeting(
        session.wall_start,
        session.wall_end,
        session.zone,
        session.title,
        session.fold_start,
        session.fold_end,
        session.is_recorded,
    )


def slug(course_slug: str, first_day: date) -> str:
    """A workshop's slug: its course's, and the date of its first session in its own zone."""
    return f"{course_slug}-{first_day.isoformat()}"


def instants(meeting: Meeting) -> tuple[datetime, datetime]:
    """When a session starts and ends. Raises TimeSkipped, or ValueError for an end before its start."""
    starts_at = zones.instant(meeting.wall_start, meeting.zone, meeting.fold_start)
    ends_at = zones.instant(meeting.wall_end, meeting.zone, meeting.fold_end)
    if ends_at <= starts_at:
        raise ValueError(f"The session of {zones.day(meeting.wall_start.date())} ends before it starts.")
    return starts_at, ends_at


def _session(workshop: Workshop, meeting: Meeting) -> WorkshopSession:
    return WorkshopSession(organiser_id=workshop.organiser_id, **_columns(meeting))


def _columns(meeting: Meeting) -> dict[str, Any]:
    starts_at, ends_at = instants(meeting)
    return {
        "title": meeting.title,
        "wall_start": meeting.wall_start,
        "wall_end": meeting.wall_end,
        "zone": meeting.zone,
        "fold_start": meeting.fold_start,
        "fold_end": meeting.fold_end,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "is_recorded": meeting.is_recorded,
    }
