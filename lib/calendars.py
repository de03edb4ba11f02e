"""Calendar files from plain values. All times are instants in UTC: every reader tried gets those right.

The icalendar library's own VTIMEZONE is wrong (onsets an hour late, RDATE lists), so none is ever written.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urlencode

from icalendar import Calendar, Event, vCalAddress, vText

from lib.forms import one_line

Method = Literal["REQUEST", "CANCEL", "PUBLISH"]
PRODID = "-//Colloquy//Workshops//EN"


@dataclass(frozen=True)
class Person:
    """A name and an address in a calendar."""

    name: str
    email: str


@dataclass(frozen=True)
class Happening:
    """One entry: instants aware, `stamp` when it was last changed, `sequence` rising with each change of time."""

    uid: str
    starts_at: datetime
    ends_at: datetime
    stamp: datetime
    summary: str
    description: str
    location: str = ""
    url: str = ""
    sequence: int = 0
    is_cancelled: bool = False
    organiser: Person | None = None  # for listings, whose entries may have different ones


def invite(happening: Happening, organiser: Person, attendee: Person, method: Method | None) -> bytes:
    """A calendar with one entry for one attendee: REQUEST (RFC 5546 3.2.2), CANCEL (3.2.5), or a plain file.

    Raises ValueError for a naive instant.
    """
    event = _event(happening, organiser)
    role = {"CUTYPE": "INDIVIDUAL", "ROLE": "REQ-PARTICIPANT", "PARTSTAT": "ACCEPTED", "RSVP": "FALSE"}
    event.add("attendee", _address(attendee, role))
    return _calendar([event], method)


def listing(happenings: Iterable[Happening], name: str = "") -> bytes:
    """A calendar to publish: any number of entries, no attendees, each with its organiser (RFC 5546 3.2.1)."""
    return _calendar([_event(each, each.organiser) for each in happenings], "PUBLISH", name)


def _calendar(events: Sequence[Event], method: Method | None, name: str = "") -> bytes:
    calendar = Calendar()
    calendar.add("prodid", PRODID)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    if method:
        calendar.add("method", method)
    if name:
        calendar.add("x-wr-calname", one_line(name))
    for event in events:
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def _event(happening: Happening, organiser: Person | None) -> Event:
    for instant in (happening.starts_at, happening.ends_at, happening.stamp):
        if instant.tzinfo is None:
            raise ValueError("a calendar entry needs instants: a naive time would float from zone to zone")
    event = Event()
    event.add("uid", one_line(happening.uid))
    event.add("dtstamp", happening.stamp.astimezone(UTC))
    event.add("dtstart", happening.starts_at.astimezone(UTC))
    event.add("dtend", happening.ends_at.astimezone(UTC))
    event.add("summary", one_line(happening.summary))
    event.add("sequence", happening.sequence)
    event.add("status", "CANCELLED" if happening.is_cancelled else "CONFIRMED")
    event.add("transp", "OPAQUE")
    if organiser:
        event.add("organizer", _address(organiser, {}))
    if happening.description:
        event.add("description", "\n".join(one_line(each) for each in happening.description.splitlines()))
    if happening.location:
        event.add("location", one_line(happening.location))
    if happening.url:
        event.add("url", one_line(happening.url).replace(" ", ""))
    return event


def _address(person: Person, parameters: dict[str, str]) -> vCalAddress:
    address = vCalAddress(f"mailto:{one_line(person.email).replace(' ', '')}")
    if name := one_line(person.name):
        address.params["CN"] = vText(name)
    for key, value in parameters.items():
        address.params[key] = vText(value)
    return address


def google_link(title: str, starts_at: datetime, ends_at: datetime, details: str) -> str:
    """An address that opens Google's calendar with an entry filled in: both ends, both in UTC with Z."""
    dates = "/".join(at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ") for at in (starts_at, ends_at))
    query = urlencode({"action": "TEMPLATE", "text": title, "dates": dates, "details": details})
    return f"https://calendar.google.com/calendar/render?{query}"
