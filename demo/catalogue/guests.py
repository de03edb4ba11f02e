"""Places that are taken already, by invented people who were asked along and owe nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from uuid import uuid4

from bookings.models import Attendee, AttendeePlace, Booking, SentInvite
from courses import places
from courses.models import Workshop
from lib import db, references
from payments.models import Bill

AT_ONCE = 4  # how many one booker brings
TERMS_VERSION = "1"
FIRST = (
    "Ada", "Bashir", "Cleo", "Dilys", "Emeka", "Freya", "Gus", "Hana", "Idris", "Jo",
    "Kit", "Leila", "Magnus", "Nell", "Oona", "Piers", "Quinn", "Rhona", "Silas", "Tamsin",
)  # fmt: skip
LAST = ("Ashgrove", "Bellweather", "Coldharbour", "Dunmarsh", "Elderfield", "Foxholt", "Greywater", "Hazelhurst")


@dataclass(frozen=True)
class Guest:
    name: str
    email: str


def everybody() -> Iterator[Guest]:
    """Invented people, each once, always in the same order."""
    for last in LAST:
        for first in FIRST:
            yield Guest(f"{first} {last}", f"{first}.{last}@post.example".lower())


def fill(workshop: Workshop, now: datetime) -> None:
    """Take every place of the pool that the workshop's first ticket draws from."""
    take(workshop, workshop.tickets[0].pools[0].capacity, now)


def take(workshop: Workshop, number: int, now: datetime) -> None:
    """Take `number` places, a few people to a booking."""
    guests = list(islice(everybody(), number))
    for start in range(0, number, AT_ONCE):
        book(workshop, guests[start : start + AT_ONCE], now)


def welcome(workshop: Workshop, guest: Guest, now: datetime) -> None:
    """Book one person whose place has its calendar entries too."""
    [attendee] = book(workshop, [guest], now)
    db.session.add_all(
        SentInvite(
            organiser_id=workshop.organiser_id,
            attendee_id=attendee.id,
            session_id=session.id,
            uid=f"{uuid4()}@sea-street.example",
            stamp=now,
            starts_at=session.starts_at,
            ends_at=session.ends_at,
        )
        for session in workshop.sessions
    )


def book(workshop: Workshop, guests: Sequence[Guest], now: datetime) -> Sequence[Attendee]:
    """One confirmed booking of these people on the workshop's first ticket, with nothing to pay."""
    ticket = workshop.tickets[0]
    wanted = {pool.id: len(guests) for pool in ticket.pools}
    held = places.hold(wanted, organiser_id=workshop.organiser_id, until=now + timedelta(minutes=1), now=now)
    places.keep([place for ids in held.values() for place in ids], now)
    booked_at = min(now, ticket.sold_until or now) - timedelta(days=1)
    booking = _booking(workshop, guests[0], booked_at)
    booking.attendees = [
        Attendee(
            organiser_id=workshop.organiser_id,
            workshop_id=workshop.id,
            ticket_type_id=ticket.id,
            n=n,
            name=guest.name,
            email=guest.email,
            state="confirmed",
            price_minor=0,
            claims=[AttendeePlace(organiser_id=workshop.organiser_id, place_id=ids[n]) for ids in held.values()],
        )
        for n, guest in enumerate(guests)
    ]
    db.session.add(booking)
    db.session.flush()
    return booking.attendees


def _booking(workshop: Workshop, booker: Guest, at: datetime) -> Booking:
    currency = workshop.tickets[0].prices[0].currency
    return Booking(
        organiser_id=workshop.organiser_id,
        bill=Bill(organiser_id=workshop.organiser_id, currency=currency, total_minor=0, created_at=at),
        reference=references.new(),
        state="confirmed",
        booker_name=booker.name,
        booker_email=booker.email,
        zone=workshop.zone,
        currency=currency,
        quote={"lines": [{"text": f"{workshop.title}: invited, nothing to pay", "minor": 0}], "total_minor": 0},
        terms_version=TERMS_VERSION,
        created_at=at,
        confirmed_at=at,
    )
