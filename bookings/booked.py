"""What a booking is of: one workshop, several of a bundle, or what changes have made of it."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from bookings.models import Attendee, Booking, Change
from courses import catalogue
from courses.models import Workshop
from lib import db, web


@dataclass(frozen=True)
class Person:
    """Somebody who comes, with a place at each workshop in the order of their starts."""

    name: str
    email: str
    attendees: list[Attendee]


def workshops(booking: Booking) -> list[Workshop]:
    """The workshops of the booking, each once, the first to begin first."""
    found = {each.workshop_id: each.workshop for each in booking.attendees}
    return sorted(found.values(), key=lambda each: (each.starts_at, each.id))


def title(booking: Booking) -> str:
    """What it is called: the bundle's title as it was booked, or its workshops'."""
    bundle = booking.quote.get("bundle")
    if bundle:
        return str(bundle["title"])
    return catalogue.words(list(dict.fromkeys(each.title for each in workshops(booking))))


def page(booking: Booking) -> str:
    """The public page of what was booked."""
    bundle = booking.quote.get("bundle")
    if bundle:
        return web.url("bundles.shown", slug=bundle["slug"])
    return web.url("courses.workshop", slug=workshops(booking)[0].slug)


def form(booking: Booking) -> str:
    """Where the same can be booked again."""
    bundle = booking.quote.get("bundle")
    if bundle:
        return web.url("bundle_bookings.new", slug=bundle["slug"])
    return web.url("bookings.new", slug=workshops(booking)[0].slug)


def charged(booking: Booking) -> list[tuple[str, int]]:
    """What was paid for changes since it was booked: for what, and how much in minor units."""
    done = select(Change).where(Change.booking_id == booking.id, Change.state == "done", Change.due_minor > 0)
    found = db.session.scalars(done.order_by(Change.id))
    return [(str(each.facts.get("line", "A change")), each.due_minor) for each in found]


def people(attendees: Iterable[Attendee]) -> list[Person]:
    """Each person once, in the order of n, with all their places."""
    found: dict[tuple[str, str], list[Attendee]] = {}
    for each in attendees:
        found.setdefault((each.name, each.email), []).append(each)
    return [
        Person(name, email, sorted(places, key=lambda each: (each.workshop.starts_at, each.n)))
        for (name, email), places in found.items()
    ]


def names(attendees: Iterable[Attendee]) -> list[str]:
    """The names of the people, each person once."""
    return [each.name for each in people(attendees)]
