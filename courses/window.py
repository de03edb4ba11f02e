"""The 28 days: when a recording opens and closes for somebody, and what moves that. Pure; instants in, instants out.

A workshop counts its days from one of `COUNTED_FROM`. Whoever books after publication has days of their own from the
hour they book, and never fewer than everybody has, unless the workshop says that late buyers share everybody's.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from courses.models import Workshop, WorkshopSession
from courses.shelf import SessionFacts, WorkshopFacts

COUNTED_FROM = ("published", "each session published", "last session", "purchase")
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Window:
    """Plays from `opens_at`, up to one second before `closes_at`."""

    opens_at: datetime
    closes_at: datetime


def closes_at(opens_at: datetime, days: int, zone: str) -> datetime:
    """The same clock time `days` calendar days later in `zone`, as an instant in UTC.

    A closing time that does not exist is the first instant after the gap, one that exists twice the second: in doubt
    the recording stays open.
    """
    there = ZoneInfo(zone)
    wall = opens_at.astimezone(there).replace(tzinfo=None, fold=0) + timedelta(days=days)
    early, late = (wall.replace(tzinfo=there, fold=fold).astimezone(UTC) for fold in (0, 1))
    if late >= early:
        return late
    # The wall time is skipped: read by the rules after the jump it comes out before it, and the other way round.
    return _first_after_jump(late, early, there)


def everybodys(published_at: datetime, last_ends_at: datetime, days: int, zone: str, counted_from: str) -> datetime:
    """When it closes for all who had their place at publication: the days after that, or after the last session."""
    return closes_at(last_ends_at if counted_from == "last session" else published_at, days, zone)


def of(
    published_at: datetime, everybody_closes_at: datetime, confirmed_at: datetime, days: int, zone: str, *, share: bool
) -> Window | None:
    """The window of an attendee confirmed at `confirmed_at`, or None where nothing is left of it.

    Who was there at publication has everybody's window. Late buyers have as many days of their own from the hour they
    came, and at least until it closes for everybody, unless the workshop says they `share` everybody's.
    """
    opens_at = max(published_at, confirmed_at)
    is_late = confirmed_at > published_at
    ends_at = everybody_closes_at
    if is_late and not share:
        ends_at = max(ends_at, closes_at(opens_at, days, zone))
    return Window(opens_at, ends_at) if opens_at < ends_at else None


def of_session(
    session: SessionFacts | WorkshopSession, workshop: WorkshopFacts | Workshop, at: datetime
) -> Window | None:
    """The window at a session's recording of somebody confirmed at that instant, or None: not published, or over."""
    if session.watchable_from is None or session.watchable_until is None:
        return None
    opened, closes = session.watchable_from, session.watchable_until
    return of(opened, closes, at, workshop.catch_up_days, session.zone, share=is_shared(workshop))


def is_shared(workshop: WorkshopFacts | Workshop) -> bool:
    """Whether late buyers share everybody's days; they cannot where everybody's are counted from their own booking."""
    return workshop.late_buyers_share and workshop.catch_up_from != "purchase"


def extended(ends_at: datetime, days: int, zone: str, since: datetime) -> datetime:
    """So many calendar days more: from its end on, or from `since` where that end is past."""
    return closes_at(max(ends_at, since), days, zone)


def resumed(ends_at: datetime, paused_at: datetime, now: datetime) -> datetime:
    """The end of a window that stood still: what was left of it at the pause, to the second, is left at `now`."""
    return ends_at + (now - paused_at)


def hours(began_at: datetime, ended_at: datetime) -> int:
    """The length of an outage in whole hours, begun ones counted."""
    return -(-(ended_at - began_at) // HOUR)


def was_open(window: Window, began_at: datetime, ended_at: datetime) -> bool:
    """Whether somebody could have watched at any instant of a stretch of time."""
    return window.opens_at < ended_at and window.closes_at > began_at


def plays(window: Window, now: datetime) -> bool:
    return window.opens_at <= now < window.closes_at


def _first_after_jump(low: datetime, high: datetime, there: ZoneInfo) -> datetime:
    """The first instant between two at which the later one's rules hold, to the second."""
    after = high.astimezone(there).utcoffset()
    low, high = low.replace(microsecond=0) - timedelta(seconds=1), high.replace(microsecond=0)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        low, high = (low, middle) if middle.astimezone(there).utcoffset() == after else (middle, high)
    return high
