"""When a workshop meets: wall times in a zone become instants, once, here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from courses.models import Workshop, WorkshopSession
from lib import zones


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


def slug(course_slug: str, first_day: date) -> str:
    """A workshop's slug: its course's, and the date of its first session in its own zone."""
    return f"{course_slug}-{first_day.isoformat()}"


def _session(workshop: Workshop, meeting: Meeting) -> WorkshopSession:
    starts_at = zones.instant(meeting.wall_start, meeting.zone, meeting.fold_start)
    ends_at = zones.instant(meeting.wall_end, meeting.zone, meeting.fold_end)
    if ends_at <= starts_at:
        raise ValueError(f"The session of {zones.day(meeting.wall_start.date())} ends before it starts.")
    return WorkshopSession(
        organiser_id=workshop.organiser_id,
        title=meeting.title,
        wall_start=meeting.wall_start,
        wall_end=meeting.wall_end,
        zone=meeting.zone,
        fold_start=meeting.fold_start,
        fold_end=meeting.fold_end,
        starts_at=starts_at,
        ends_at=ends_at,
        is_recorded=meeting.is_recorded,
    )
