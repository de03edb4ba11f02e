"""The row of one person at one workshop, as every booking begins with it: the only maker of attendees."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bookings.models import Answer, Attendee, AttendeeExtra, AttendeePlace


@dataclass(frozen=True)
class Added:
    """An extra on somebody's place, with the part of their share that is its own, in minor units."""

    ticket_id: int
    price_minor: int
    discount_minor: int


@dataclass(frozen=True)
class Seat:
    """What an attendee is made of. `place_ids` are those held for them in every pool, those of extras among them."""

    workshop_id: int
    ticket_id: int
    name: str
    email: str
    price_minor: int
    discount_minor: int
    place_ids: tuple[int, ...]
    proof: str = ""
    extras: tuple[Added, ...] = ()
    answers: Mapping[int, str] = field(default_factory=dict)


def made(organiser_id: int, n: int, seat: Seat) -> Attendee:
    """Somebody whose places are held."""
    return Attendee(
        organiser_id=organiser_id,
        workshop_id=seat.workshop_id,
        ticket_type_id=seat.ticket_id,
        n=n,
        name=seat.name,
        email=seat.email,
        state="held",
        price_minor=seat.price_minor,
        discount_minor=seat.discount_minor,
        proof=seat.proof,
        claims=[AttendeePlace(organiser_id=organiser_id, place_id=each) for each in seat.place_ids],
        extras=list(extras(organiser_id, seat.extras)),
        answers=[
            Answer(organiser_id=organiser_id, question_id=question, text=text)
            for question, text in seat.answers.items()
        ],
    )


def extras(organiser_id: int, found: Iterable[Added]) -> Iterable[AttendeeExtra]:
    """The rows of what is added to a place."""
    for each in found:
        yield AttendeeExtra(
            organiser_id=organiser_id,
            ticket_type_id=each.ticket_id,
            price_minor=each.price_minor,
            discount_minor=each.discount_minor,
        )
