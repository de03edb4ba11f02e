"""Lengths of time as policies say them (72h, 14d, 5wd, 4w, 3mo) and the stretch of time at which each is exact. Pure.

A length in hours or minutes is elapsed time and exact for one instant. A length in days, working days, weeks, months
or years compares calendar dates in the policy's zone and is exact from the first instant of a date to the last. A clock
time may follow (1d@17:00): then it is exact at that time of that date.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from lib import zones

TICK = timedelta(microseconds=1)  # the finest step of an instant
_A_DAY = timedelta(days=1)
_LENGTH = re.compile(r"(\d{1,4}) ?([a-z]+(?: days?)?)(?: ?@ ?(\d\d?):(\d\d))?")
_UNITS = {
    "min": ("min", "minute", "minutes"),
    "h": ("h", "hour", "hours"),
    "d": ("d", "day", "days"),
    "wd": ("wd", "working day", "working days"),
    "w": ("w", "week", "weeks"),
    "mo": ("mo", "month", "months"),
    "y": ("y", "year", "years"),
}
_NOMINAL = {"min": 1, "h": 60, "d": 1440, "wd": 2016, "w": 10_080, "mo": 43_830, "y": 525_960}  # minutes
_LONGEST = 100 * _NOMINAL["y"]


@dataclass(frozen=True)
class Length:
    """So many of a unit, and the clock time of the day it ends on if the policy names one."""

    count: int
    unit: str
    clock: time | None = None

    @property
    def is_elapsed(self) -> bool:
        return self.unit in ("min", "h")

    @property
    def nominal(self) -> int:
        """Minutes, for putting lengths of different units in order."""
        minutes = self.count * _NOMINAL[self.unit]
        return minutes - (self.clock.hour * 60 + self.clock.minute) if self.clock else minutes

    @property
    def days(self) -> int | None:
        """How many calendar days it is, where that does not depend on the date."""
        return {"d": self.count, "w": 7 * self.count}.get(self.unit) if self.clock is None else None

    def __str__(self) -> str:
        return f"{self.count} {_UNITS[self.unit][1 if self.count == 1 else 2]}"


def length(said: str) -> Length:
    """Read a length: 14d, 72h, 5wd, 4w, 3mo, 2 weeks, 1d@17:00. Raises ValueError with a sentence for who wrote it."""
    found = _LENGTH.fullmatch(said.strip().lower())
    unit = next((unit for unit, names in _UNITS.items() if found and found[2] in names), None)
    if found is None or unit is None:
        raise ValueError(f"{said!r} is no length of time. One looks like 14d, 72h, 5wd, 4w or 3mo.")
    clock = time(int(found[3]), int(found[4])) if found[3] and int(found[3]) < 24 and int(found[4]) < 60 else None
    if found[3] and (clock is None or unit in ("min", "h")):
        raise ValueError(f"{said!r} names a clock time that does not fit. One looks like 1d@17:00.")
    made = Length(int(found[1]), unit, clock)
    if made.nominal > _LONGEST:
        raise ValueError(f"{said!r} is longer than a hundred years.")
    return made


@dataclass(frozen=True)
class Stretch:
    """A stretch of time: from `start`, up to but not including `end`. Instants in UTC."""

    start: datetime
    end: datetime

    def side(self, at: datetime) -> int:
        """-1 before it, 0 within, 1 after."""
        return -1 if at < self.start else 1 if at >= self.end else 0


@dataclass(frozen=True)
class Calendar:
    """Dates as a policy counts them: in its zone, with the days off that are no working days."""

    zone: str
    holidays: frozenset[date] = frozenset()

    def date_of(self, at: datetime) -> date:
        return at.astimezone(ZoneInfo(self.zone)).date()

    def instant(self, wall: datetime) -> datetime:
        """The instant of a wall time; the first after the gap if the clocks skip it, the second if it comes twice."""
        return _instant(wall, self.zone)

    def dates(self, first: date, last: date) -> Stretch:
        """From the first instant of one date to the last of another."""
        return Stretch(_start_of(first, self.zone), _start_of(last + _A_DAY, self.zone))

    def is_working(self, day: date) -> bool:
        return day.weekday() < 5 and day not in self.holidays

    def before(self, of: Length, moment: datetime) -> Stretch:
        """When exactly `of` is left until `moment`."""
        if of.is_elapsed:
            return _at(moment - _elapsed(of))
        day = self.date_of(moment)
        first, last = self._working_before(day, of.count) if of.unit == "wd" else 2 * (_moved(day, of, -1),)
        return _at(self.instant(datetime.combine(last, of.clock))) if of.clock else self.dates(first, last)

    def after(self, of: Length, moment: datetime) -> Stretch:
        """When exactly `of` has gone by since `moment`."""
        if of.is_elapsed:
            return _at(moment + _elapsed(of))
        day = self.date_of(moment)
        first, last = self._working_after(day, of.count) if of.unit == "wd" else 2 * (_moved(day, of, 1),)
        return _at(self.instant(datetime.combine(first, of.clock))) if of.clock else self.dates(first, last)

    def _working_before(self, day: date, count: int) -> tuple[date, date]:
        """The dates from which `count` working days are left, up to and not including `day`."""
        last = day
        for _ in range(count):
            last = self._next_working(last, -1)
        return self._next_working(last, -1) + _A_DAY, last

    def _working_after(self, day: date, count: int) -> tuple[date, date]:
        """The dates by which `count` working days have gone by, not counting `day`."""
        first = day
        for _ in range(count):
            first = self._next_working(first, 1)
        return first, self._next_working(first, 1) - _A_DAY

    def _next_working(self, day: date, step: int) -> date:
        day += step * _A_DAY
        while not self.is_working(day):
            day += step * _A_DAY
        return day


def add_months(day: date, months: int) -> date:
    """The same day of another month, or that month's last: a month before 31 March is 28 or 29 February."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return date(year, month + 1, min(day.day, (following - _A_DAY).day))


def later(day: date, of: Length) -> date:
    """The date `of` after `day`. Raises ValueError for lengths that are not of days, weeks, months or years."""
    return _moved(day, of, 1)


def _moved(day: date, of: Length, sign: int) -> date:
    if of.unit in ("mo", "y"):
        return add_months(day, sign * of.count * (12 if of.unit == "y" else 1))
    days = {"d": of.count, "w": 7 * of.count}.get(of.unit)
    if days is None:
        raise ValueError(f"{of} is not counted in days, weeks, months or years.")
    return day + sign * days * _A_DAY


def _elapsed(of: Length) -> timedelta:
    return timedelta(minutes=of.count * _NOMINAL[of.unit])


def _at(moment: datetime) -> Stretch:
    moment = moment.astimezone(UTC)
    return Stretch(moment, moment + TICK)


@lru_cache(maxsize=4096)
def _instant(wall: datetime, zone: str) -> datetime:
    try:
        return zones.instant(wall, zone, fold=1)
    except zones.TimeSkipped as skipped:
        return zones.instant(skipped.until, zone)


@lru_cache(maxsize=4096)
def _start_of(day: date, zone: str) -> datetime:
    try:
        return zones.instant(datetime.combine(day, time()), zone)
    except zones.TimeSkipped as skipped:
        return zones.instant(skipped.until, zone)
