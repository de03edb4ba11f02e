"""When the demo's workshops meet, counted from the moment it is planted."""

import calendar
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from courses.schedule import Meeting
from demo.catalogue.read import GAP_WEEK, Taught
from lib import zones

MONTHS = 6
NOTICE = timedelta(days=10)
USUAL = timedelta(hours=5)
WEEK = timedelta(days=7)
GAPS_WITHIN = 60  # weeks: the clocks of London and New York part twice a year


def months_after(at: datetime, months: int) -> datetime:
    """The same time of day `months` later in UTC; the last day of a month that is too short."""
    at = at.astimezone(UTC)
    years, month = divmod(at.month - 1 + months, 12)
    year, month = at.year + years, month + 1
    return at.replace(year=year, month=month, day=min(at.day, calendar.monthrange(year, month)[1]))


def reruns(courses: Sequence[Taught], now: datetime) -> dict[str, timedelta]:
    """How far each course's past sessions are moved for its next date: whole weeks, so the weekdays stay.

    No two courses meet on one day, and none from Christmas Eve to 2 January. The one that asks for a gap
    week comes first, since few days will do for it.
    """
    moves: dict[str, timedelta] = {}
    busy: set[date] = set()
    for course in sorted(courses, key=lambda each: (each.when.rerun != GAP_WEEK, each.slug)):
        after = course.when.rerun
        move = (
            _into_gap(course, now) if after == GAP_WEEK else _after(course, now, timedelta(days=int(after or 0)), busy)
        )
        moves[course.slug] = move
        busy |= {each.wall_start.date() for each in moved(course.past, move)}
    return moves


def moved(meetings: Sequence[Meeting], by: timedelta) -> list[Meeting]:
    """The same wall times `by` later."""
    return [replace(each, wall_start=each.wall_start + by, wall_end=each.wall_end + by) for each in meetings]


def start(meetings: Sequence[Meeting]) -> datetime:
    """When the first of them starts."""
    return zones.instant(meetings[0].wall_start, meetings[0].zone)


def end(meetings: Sequence[Meeting]) -> datetime:
    """When the last of them ends."""
    return zones.instant(meetings[-1].wall_end, meetings[-1].zone)


def is_gap(meeting: Meeting) -> bool:
    """Whether London and New York are not their usual five hours apart when the meeting starts."""
    at = zones.instant(meeting.wall_start, meeting.zone)
    london, new_york = (zones.wall(at, zone).utcoffset() or timedelta() for zone in (zones.LONDON, zones.NEW_YORK))
    return london - new_york != USUAL


def on_a_weekday(course: Taught, now: datetime) -> list[Meeting]:
    """One meeting on the first fitting weekday at least so many days away."""
    when = course.when
    day = zones.wall(now, course.zone).date() + timedelta(days=when.after_days)
    day += timedelta(days=(when.weekday - day.weekday()) % 7)
    starts, ends = when.hours
    meeting = Meeting(datetime.combine(day, starts), datetime.combine(day, ends), course.zone)
    while not _exists([meeting]) or _is_quiet(day):
        [meeting] = moved([meeting], WEEK)
        day = meeting.wall_start.date()
    return [meeting]


def minutes_from(course: Taught, now: datetime) -> list[Meeting]:
    """One meeting that starts, to the whole minute, so many minutes from now; a negative number has begun."""
    minute = timedelta(minutes=1)
    starts_at = now.astimezone(UTC).replace(second=0, microsecond=0) + minute * (course.when.starts_in_minutes or 0)
    if starts_at > now and now != now.replace(second=0, microsecond=0):
        starts_at += minute
    starts, ends = (zones.wall(at, course.zone) for at in (starts_at, starts_at + minute * course.when.minutes))
    return [
        Meeting(
            starts.replace(tzinfo=None, fold=0),
            ends.replace(tzinfo=None, fold=0),
            course.zone,
            fold_start=starts.fold,
            fold_end=ends.fold,
        )
    ]


def _after(course: Taught, now: datetime, notice: timedelta, busy: set[date]) -> timedelta:
    earliest = zones.wall(now + notice, course.zone).date()
    weeks = -(-(earliest - course.past[0].wall_start.date()).days // 7)
    move = weeks * WEEK
    while not _suits(moved(course.past, move), busy):
        move += WEEK
    return move


def _into_gap(course: Taught, now: datetime) -> timedelta:
    """The first gap week with due notice inside the months ahead, else with less notice, else the next one after.

    From late March to the end of April the months ahead hold none: the next is at the end of October.
    """
    first = _after(course, now, timedelta(), set())
    moves = [first + n * WEEK for n in range(GAPS_WITHIN)]
    found = [(meetings, move) for move in moves if _exists(meetings := moved(course.past, move))]
    gaps = [(meetings, move) for meetings, move in found if any(map(is_gap, meetings)) and start(meetings) > now]
    limit = months_after(now, MONTHS)
    in_time = [(meetings, move) for meetings, move in gaps if end(meetings) <= limit]
    with_notice = [(meetings, move) for meetings, move in in_time if start(meetings) >= now + NOTICE]
    return (with_notice or in_time or gaps)[0][1]


def _suits(meetings: Sequence[Meeting], busy: set[date]) -> bool:
    days = {each.wall_start.date() for each in meetings}
    return _exists(meetings) and not busy & days and not any(map(_is_quiet, days))


def _is_quiet(day: date) -> bool:
    """Whether the office is closed for Christmas and New Year."""
    return (day.month == 12 and day.day >= 24) or (day.month == 1 and day.day <= 2)


def _exists(meetings: Sequence[Meeting]) -> bool:
    try:
        for each in meetings:
            zones.instant(each.wall_start, each.zone)
            zones.instant(each.wall_end, each.zone)
    except zones.TimeSkipped:
        return False
    return True
