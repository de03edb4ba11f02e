"""Places that are taken already, by invented people who were asked along and owe nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from bookings import invites, lifecycle, pricing, terms
from bookings.models import Attendee, AttendeePlace, Booking
from courses import places
from courses.models import Workshop
from demo.catalogue import promises
from history import models as history
from lib import db, references
from payments.models import Bill

AT_ONCE = 4  # how many one booker brings
HELD_FOR = timedelta(minutes=36)
FIRST = (
    "Ada", "Bashir", "Cleo", "Dilys", "Emeka", "Freya", "Gus", "Hana", "Idris", "Jo",
    "Kit", "Leila", "Magnus", "Nell", "Oona", "Piers", "Quinn", "Rhona", "Silas", "Tamsin",
)  # fmt: skip
LAST = ("Ashgrove", "Bellweather", "Coldharbour", "Dunmarsh", "Elderfield", "Foxholt", "Greywater", "Hazelhurst")


@dataclass(frozen=True)
class Guest:
    """A name and an address."""

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
    """Take `number` places, a few people to a booking. Nobody is written to: a hundred letters would hide the rest."""
    people = list(islice(everybody(), number))
    for start in range(0, number, AT_ONCE):
        booking = _hold(workshop, people[start : start + AT_ONCE], _day_before(workshop, now))
        _confirm_quietly(booking)


def welcome(workshop: Workshop, guest: Guest, now: datetime) -> None:
    """Book one person, with the letters that everybody gets."""
    at = _day_before(workshop, now)
    booking = _hold(workshop, [guest], at)
    lifecycle.confirm(lifecycle.locked(booking.bill_id), actor="booker", now=at)


def invite_quietly(workshop: Workshop, guest: Guest, at: datetime) -> None:
    """Book one person at that moment. They are not written to."""
    _confirm_quietly(_hold(workshop, [guest], at))


def _day_before(workshop: Workshop, now: datetime) -> datetime:
    """A day before now, or before the sale ended."""
    return min(now, workshop.tickets[0].sold_until or now) - timedelta(days=1)


def _hold(workshop: Workshop, people: Sequence[Guest], at: datetime) -> Booking:
    """A booking of these people on the workshop's first ticket, with nothing to pay."""
    organiser_id, ticket = workshop.organiser_id, workshop.tickets[0]
    until = at + HELD_FOR
    wanted = {pool.id: len(people) for pool in ticket.pools}
    held = places.hold(wanted, organiser_id=organiser_id, until=until, now=at)
    booking = _booking(workshop, people, at, until)
    booking.attendees = [
        Attendee(
            organiser_id=organiser_id,
            workshop_id=workshop.id,
            ticket_type_id=ticket.id,
            n=n,
            name=guest.name,
            email=guest.email,
            state="held",
            price_minor=0,
            claims=[AttendeePlace(organiser_id=organiser_id, place_id=ids[n]) for ids in held.values()],
        )
        for n, guest in enumerate(people)
    ]
    db.session.add(booking)
    db.session.flush()
    history.record(
        f"booking:{booking.id}",
        "booking_held",
        at=at,
        actor="booker",
        organiser_id=organiser_id,
        facts={"invited": True},
    )
    return booking


def _confirm_quietly(booking: Booking) -> None:
    at = booking.created_at
    places.keep(lifecycle.place_ids(booking), at)
    booking.state, booking.held_until, booking.confirmed_at = "confirmed", None, at
    for attendee in booking.attendees:
        attendee.state = "confirmed"
        invites.make(attendee, at)
    history.record(
        f"booking:{booking.id}",
        "booking_confirmed",
        at=at,
        actor="booker",
        organiser_id=booking.organiser_id,
        facts={"from": "held"},
    )


def _booking(workshop: Workshop, people: Sequence[Guest], at: datetime, until: datetime) -> Booking:
    currency = workshop.tickets[0].prices[0].currency
    name = f"{workshop.tickets[0].name}, invited"
    seats = tuple(pricing.Person(n, workshop.tickets[0].code, name, 0) for n, _ in enumerate(people))
    bill = Bill(organiser_id=workshop.organiser_id, currency=currency, total_minor=0, created_at=at)
    db.session.add(bill)
    db.session.flush()
    return Booking(
        organiser_id=workshop.organiser_id,
        bill_id=bill.id,
        reference=references.new(),
        state="held",
        booker_name=people[0].name,
        booker_email=people[0].email,
        zone=workshop.zone,
        currency=currency,
        quote=pricing.quote(seats, currency).frozen(),
        terms_version=terms.CURRENT,
        policy=promises.frozen(workshop),
        created_at=at,
        held_until=until,
    )
