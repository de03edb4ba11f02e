"""Wall times, zones and instants, and how they are written for people.

The wall time in the organiser's zone is the promise; each instant is worked out from the rules of its own date.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from importlib import resources
from zoneinfo import ZoneInfo, available_timezones

from babel.dates import get_timezone_name

LOCALE = "en_GB"
LONDON, PARIS, NEW_YORK = "Europe/London", "Europe/Paris", "America/New_York"
SHOWN = (LONDON, PARIS, NEW_YORK)
# What browsers still call a zone whose city has another name by now.
RENAMED = {
    "Africa/Asmera": "Africa/Asmara",
    "America/Godthab": "America/Nuuk",
    "Asia/Calcutta": "Asia/Kolkata",
    "Asia/Katmandu": "Asia/Kathmandu",
    "Asia/Rangoon": "Asia/Yangon",
    "Asia/Saigon": "Asia/Ho_Chi_Minh",
    "Atlantic/Faeroe": "Atlantic/Faroe",
    "Europe/Kiev": "Europe/Kyiv",
    "Pacific/Ponape": "Pacific/Pohnpei",
    "Pacific/Truk": "Pacific/Chuuk",
}
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


class TimeSkipped(ValueError):
    """The wall time does not exist: the clocks go forward over it. `until` is the first wall time after the gap."""

    def __init__(self, wall: datetime, zone: str, since: datetime, until: datetime) -> None:
        self.wall, self.zone, self.since, self.until = wall, zone, since, until
        super().__init__(
            f"{wall:%H:%M} does not exist on {day(wall.date())} in {city(zone)}: the clocks go forward from "
            f"{since:%H:%M} to {until:%H:%M} that day. Please choose another time."
        )


def is_zone(name: str) -> bool:
    """Whether `name` is a zone of the IANA list; old names (Europe/Kiev, US/Eastern) are."""
    return name in _names()


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(available_timezones()) - {"localtime", "Factory"}


@lru_cache(maxsize=1)
def regions() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The zones people choose from, some four hundred, by region and then by city; old names are left out."""
    text = (resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    found: dict[str, set[str]] = defaultdict(set)
    for row in text.splitlines():
        if row and not row.startswith("#"):
            name = row.split("\t")[2]
            found[name.split("/")[0]].add(name)
    return tuple((region, tuple(sorted(found[region], key=city))) for region in sorted(found))


@lru_cache(maxsize=64)
def same_rules(one: str, other: str) -> bool:
    """Whether two names stand for one zone (Europe/Kiev and Europe/Kyiv), by their clocks from 2000 to 2037."""
    a, b = ZoneInfo(one), ZoneInfo(other)
    start = datetime(2000, 1, 1, tzinfo=UTC)
    return all(
        (start + timedelta(days=7 * n)).astimezone(a).utcoffset()
        == (start + timedelta(days=7 * n)).astimezone(b).utcoffset()
        for n in range(52 * 38)
    )


def instant(wall: datetime, zone: str, fold: int = 0) -> datetime:
    """The instant, in UTC, at which clocks in `zone` show `wall` (naive).

    `fold` chooses between the two instants of a wall time that happens twice. Raises TimeSkipped for one that never
    happens, ZoneInfoNotFoundError for an unknown zone.
    """
    there = wall.replace(tzinfo=ZoneInfo(zone), fold=fold)
    found = there.astimezone(UTC)
    if found.astimezone(there.tzinfo).replace(tzinfo=None) != wall.replace(fold=0):
        before, after = there.replace(fold=1).utcoffset(), there.replace(fold=0).utcoffset()
        gap = abs((after or timedelta()) - (before or timedelta()))
        since, until = _gap(wall, zone, gap)
        raise TimeSkipped(wall, zone, since, until)
    return found


def happens_twice(wall: datetime, zone: str) -> bool:
    """Whether clocks in `zone` show `wall` (naive) at two instants, because they go back over it."""
    there = wall.replace(tzinfo=ZoneInfo(zone))
    return there.replace(fold=0).utcoffset() != there.replace(fold=1).utcoffset() and not _is_skipped(wall, zone)


def _is_skipped(wall: datetime, zone: str) -> bool:
    try:
        instant(wall, zone)
    except TimeSkipped:
        return True
    return False


def _gap(wall: datetime, zone: str, width: timedelta) -> tuple[datetime, datetime]:
    """The wall times between which the clocks jump over `wall`, to the minute."""
    tz = ZoneInfo(zone)
    low, high = wall - width - timedelta(minutes=1), wall
    step = timedelta(minutes=1)
    while high - low > step:
        middle = (low + (high - low) / 2).replace(second=0, microsecond=0)
        there = middle.replace(tzinfo=tz)
        exists = there.astimezone(UTC).astimezone(tz).replace(tzinfo=None) == middle
        low, high = (middle, high) if exists else (low, middle)
    return high, high + width


@lru_cache(maxsize=8192)
def wall(at: datetime, zone: str) -> datetime:
    """What clocks in `zone` show at the instant `at`, aware."""
    return at.astimezone(ZoneInfo(zone))


@lru_cache(maxsize=8192)
def label(at: datetime, zone: str) -> str:
    """The zone's abbreviation at that instant: BST in October, GMT in November; UTC+05:45 where there is none."""
    there = wall(at, zone)
    name = there.tzname() or ""
    if name.isalpha():
        return name
    minutes = int((there.utcoffset() or timedelta()).total_seconds() // 60)
    sign = "-" if minutes < 0 else "+"
    return f"UTC{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


@lru_cache(maxsize=8192)
def long_label(at: datetime, zone: str) -> str:
    """The zone's name in full at that instant: British Summer Time."""
    return get_timezone_name(wall(at, zone), locale=LOCALE)


def city(zone: str) -> str:
    """The place a zone is named after: New York for America/New_York, Kyiv for Europe/Kiev too."""
    return RENAMED.get(zone, zone).rsplit("/", 1)[-1].replace("_", " ")


def day(on: date) -> str:
    """Friday 18 October 2024."""
    return f"{_DAYS[on.weekday()]} {on.day} {_MONTHS[on.month - 1]} {on.year}"


def short_day(on: date) -> str:
    """Fri 18 Oct 2024."""
    return f"{_DAYS[on.weekday()][:3]} {on.day} {_MONTHS[on.month - 1][:3]} {on.year}"


@dataclass(frozen=True)
class Span:
    """One session as one zone sees it. `starts` and `ends` are aware, in that zone."""

    zone: str
    starts: datetime
    ends: datetime
    label: str

    @property
    def city(self) -> str:
        return city(self.zone)

    @property
    def day(self) -> str:
        return day(self.starts.date())

    @property
    def clock(self) -> str:
        """10:00–16:00."""
        return f"{self.starts:%H:%M}–{self.ends:%H:%M}"

    @property
    def ends_next_day(self) -> bool:
        return self.ends.date() != self.starts.date()

    @property
    def ends_day(self) -> str:
        return day(self.ends.date())


@lru_cache(maxsize=8192)
def span(starts_at: datetime, ends_at: datetime, zone: str) -> Span:
    """The session between two instants as people in `zone` see it."""
    return Span(zone, wall(starts_at, zone), wall(ends_at, zone), label(starts_at, zone))


def shown_zones(own: str, *others: str) -> tuple[str, ...]:
    """The workshop's own zone first, then others asked for, then London, Paris and New York, each once."""
    return tuple(dict.fromkeys((own, *others, *SHOWN)))


@lru_cache(maxsize=8192)
def line(starts_at: datetime, ends_at: datetime, own: str) -> str:
    """One session as a line to copy, in the workshop's zone and then in London, Paris and New York.

    `Friday 18 October 2024, 10:00-16:00 BST (London) / 11:00-17:00 CEST (Paris) / 05:00-11:00 EDT (New York)`, with
    typographic dashes; a zone where it falls on or ends another day than the workshop's own says so.
    """
    home = span(starts_at, ends_at, own)
    parts = [_part(span(starts_at, ends_at, zone), home.starts.date()) for zone in shown_zones(own)]
    return f"{home.day}, {' / '.join(parts)}"


def _part(there: Span, home_day: date) -> str:
    said = f"{there.clock} {there.label} ({there.city})"
    away = (there.starts.date() - home_day).days
    if away:
        said += ", the next day" if away == 1 else ", the day before" if away == -1 else f", {there.day}"
    if there.ends_next_day:
        is_long = (there.ends.date() - there.starts.date()).days > 1
        said += f", ends {there.ends_day}" if is_long or away else ", ends the next day"
    return said


@lru_cache(maxsize=1024)
def _differences(zone: str, own: str, year: int) -> Counter[int]:
    """On how many days of the year clocks in `zone` are how many minutes ahead of those in `own`."""
    noon = datetime(year, 1, 1, 12, tzinfo=UTC)
    return Counter(ahead(noon + timedelta(days=n), zone, own) for n in range(365))


def ahead(at: datetime, zone: str, own: str) -> int:
    """How many minutes clocks in `zone` are ahead of those in `own` at that instant."""
    here, there = (at.astimezone(ZoneInfo(each)).utcoffset() or timedelta() for each in (own, zone))
    return int((there - here).total_seconds() // 60)


def unusual(at: datetime, zone: str, own: str) -> str:
    """One sentence about the weeks in which the usual difference does not hold; nothing in all others.

    The clocks of two places change on different days: New York is four hours from London for some weeks of a year
    and five in all others. A difference that holds for two months or more is no surprise.
    """
    found = _differences(zone, own, wall(at, own).year)
    now = ahead(at, zone, own)
    usual, days = found.most_common(1)[0]
    if now == usual or found[now] > _A_SEASON:
        return ""
    said = f"On {day(wall(at, own).date())} {city(zone)} is {_apart(now)} {city(own)}"
    if days >= 365 - _A_SEASON:
        return f"{said}; on most days of the year it is {_apart(usual)} it."
    return f"{said}; that holds for only a few weeks of the year."


_A_SEASON = 60  # days


def _apart(minutes: int) -> str:
    """4 hours behind; 30 minutes ahead of; at the same hour as."""
    if minutes == 0:
        return "at the same hour as"
    hours, rest = divmod(abs(minutes), 60)
    parts = [f"{hours} hour{'s' * (hours != 1)}" if hours else "", f"{rest} minutes" if rest else ""]
    return f"{' '.join(filter(None, parts))} {'ahead of' if minutes > 0 else 'behind'}"


def moment(at: datetime, zone: str) -> str:
    """An instant for people: Friday 6 September 2024, 23:59 BST (London)."""
    there = wall(at, zone)
    return f"{day(there.date())}, {there:%H:%M} {label(at, zone)} ({city(zone)})"


def z(at: datetime) -> str:
    """An instant for programs: 2024-10-18T09:00:00Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
