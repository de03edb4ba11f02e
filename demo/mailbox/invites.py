"""The calendar card: what a calendar program will make of the invite in a letter."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Calendar

from demo.mailbox.letter import clean, clean_lines

CITIES = (
    ("UTC", UTC),
    ("London", ZoneInfo("Europe/London")),
    ("Paris", ZoneInfo("Europe/Paris")),
    ("New York", ZoneInfo("America/New_York")),
)
MOST_EVENTS = 100


@dataclass(frozen=True, kw_only=True)
class Event:
    """One VEVENT; `times` are (place, text) pairs, `facts` (name, text) pairs that were given."""

    summary: str
    times: tuple[tuple[str, str], ...]
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Card:
    """One VCALENDAR, or why it could not be read."""

    method: str
    events: tuple[Event, ...]
    problem: str


def read(content: bytes) -> list[Card]:
    """The cards of a calendar part; one that says what is wrong when the part cannot be read."""
    try:
        calendars = Calendar.from_ical(content, multiple=True)
        return [_card(calendar) for calendar in calendars] or [_unreadable("it is empty")]
    except Exception as error:
        return [_unreadable(str(error))]


def _unreadable(reason: str) -> Card:
    return Card(method="", events=(), problem=clean(reason)[:300] or "it is not a calendar")


def _card(calendar: Any) -> Card:
    events = tuple(_event(event) for event in islice(calendar.walk("VEVENT"), MOST_EVENTS))
    problem = "" if events else "it holds no event"
    return Card(method=clean(str(calendar.get("METHOD", ""))), events=events, problem=problem)


def _event(event: Any) -> Event:
    return Event(
        summary=clean(str(event.get("SUMMARY", ""))) or "(no summary)",
        times=tuple(_times(event)),
        facts=tuple((name, text) for name, text in _facts(event) if text),
    )


def _times(event: Any) -> Iterator[tuple[str, str]]:
    try:
        starts, ends = event.start, event.end
        if not isinstance(starts, datetime) or not isinstance(ends, datetime):
            yield "All day", _days(starts, ends)
        elif starts.tzinfo is None or ends.tzinfo is None:
            yield "Wherever one is", _span(starts, ends, "")
        else:
            for place, zone in CITIES:
                here = starts.astimezone(zone)
                yield place, _span(here, ends.astimezone(zone), _abbreviation(here, ends.astimezone(zone)))
    except Exception as error:
        yield "No times", clean(str(error))[:200]


def _days(starts: date, ends: date) -> str:
    return f"{starts:%a %-d %b %Y} to {ends:%a %-d %b %Y}"


def _span(starts: datetime, ends: datetime, abbreviation: str) -> str:
    until = f"{ends:%H:%M}" if starts.date() == ends.date() else f"{ends:%a %-d %b %Y, %H:%M}"
    return f"{starts:%a %-d %b %Y, %H:%M}–{until} {abbreviation}".strip()


def _abbreviation(starts: datetime, ends: datetime) -> str:
    first, last = f"{starts:%Z}", f"{ends:%Z}"
    return first if first == last else f"{first}/{last}"


def _facts(event: Any) -> Iterator[tuple[str, str]]:
    yield "Sequence", clean(str(event.get("SEQUENCE", "")))
    yield "UID", clean(str(event.get("UID", "")))
    yield "Status", clean(str(event.get("STATUS", "")))
    for organiser in _several(event.get("ORGANIZER")):
        yield "Organiser", _person(organiser)
    for attendee in _several(event.get("ATTENDEE")):
        yield "Attendee", _person(attendee)
    for name in ("LOCATION", "URL", "DESCRIPTION"):
        yield name.capitalize(), clean_lines(str(event.get(name, "")))[:2000].strip()
    for rule in _several(event.get("RRULE")):
        yield "Repeats", clean(rule.to_ical().decode("utf-8", "replace"))


def _several(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _person(person: Any) -> str:
    address = clean(str(person))
    if address.lower().startswith("mailto:"):
        address = address[len("mailto:") :]
    parameters = getattr(person, "params", {})
    name = clean(str(parameters.get("CN", "")))
    asked = ", ".join(clean(f"{key} {parameters[key]}") for key in ("PARTSTAT", "RSVP") if key in parameters)
    return f"{name} <{address}>".strip() + (f" ({asked})" if asked else "")
