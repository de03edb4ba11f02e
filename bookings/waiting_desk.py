"""What the team sees of a workshop's waiting list: who is on it and who was, since when, and what happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from bookings import waiting_list, waiting_pages
from bookings.models import Booking, WaitingPerson
from bookings.waiting_pages import View
from history.models import Entry
from lib import db

NEWEST = 100  # entries of the history on the page


@dataclass(frozen=True)
class Row:
    """Somebody on the list or off it, in this state since `since`; `booking` is the reference of what they booked."""

    view: View
    since: datetime
    booking: str

    @property
    def person(self) -> WaitingPerson:
        return self.view.person


@dataclass(frozen=True)
class Desk:
    """A list as the team sees it: who is on it in order, who was, and the newest of what happened by name."""

    on_list: list[Row]
    over: list[Row]
    happened: list[tuple[Entry, str]]


def read(workshop_id: int, now: datetime) -> Desk:
    """The list at `now`; a fixed number of statements."""
    everybody = waiting_list.everybody(workshop_id)
    positions = waiting_list.positions(everybody)
    entries = _entries(workshop_id)
    booked = _references([each.booking_id for each in everybody if each.booking_id is not None])
    since = {_whose(entry): entry.at for entry in entries}
    made = []
    for person in everybody:
        view = waiting_pages.view(person, positions, now)
        made.append(Row(view, _since(view, since), booked.get(person.booking_id or 0, "")))
    names = {each.id: each.name for each in everybody}
    newest = [(each, names.get(_whose(each), "")) for each in reversed(entries)]
    return Desk(
        [each for each in made if each.view.state in waiting_list.OPEN],
        [each for each in made if each.view.state not in waiting_list.OPEN],
        newest[:NEWEST],
    )


def _whose(entry: Entry) -> int:
    return int(entry.facts.get("waiting", 0))


def _since(view: View, changed: dict[int, datetime]) -> datetime:
    """When the state began; who waits does so since they joined, whatever was offered to them meanwhile."""
    person = view.person
    if view.state == "waiting":
        return person.joined_at
    if view.state != person.state:
        return person.held_until or person.workshop.ends_at  # over by the clock, and not tidied yet
    return changed.get(person.id, person.joined_at)


def _entries(workshop_id: int) -> Sequence[Entry]:
    return db.session.scalars(
        select(Entry)
        .where(Entry.about == f"workshop:{workshop_id}", Entry.verb.startswith("waiting_", autoescape=True))
        .order_by(Entry.id)
    ).all()


def _references(booking_ids: Sequence[int]) -> dict[int, str]:
    rows = db.session.execute(select(Booking.id, Booking.reference).where(Booking.id.in_(booking_ids)))
    return {number: reference for number, reference in rows}  # noqa: C416 - typed
