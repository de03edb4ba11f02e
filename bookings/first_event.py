"""Whether a person comes to an online event of an organiser for the first time."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, or_, select

from bookings import joining
from bookings.models import Attendee, Booking
from courses.models import TicketType, Workshop
from lib import db
from lib.forms import person_of


def is_first_online(organiser_id: int, emails: Collection[str]) -> bool:
    """Whether none of these addresses of one person, in any of the ways they can be written, has a confirmed and paid
    place at an online event of the organiser.

    Free places and those paid back, cancelled, in the room or for the recording alone do not count.
    """
    if not emails:
        return True
    return not online(organiser_id, or_(*(_is_person(email) for email in sorted(emails))))


def online(organiser_id: int, where: ColumnElement[bool]) -> set[int]:
    """The bills of bookings with such a place, as far as `where` holds for the booking or its attendee."""
    bills = db.session.scalars(
        select(Booking.bill_id)
        .join(Attendee, Attendee.booking_id == Booking.id)
        .join(Workshop, Workshop.id == Attendee.workshop_id)
        .join(TicketType, TicketType.id == Attendee.ticket_type_id)
        .where(
            Attendee.organiser_id == organiser_id,
            Attendee.state == "confirmed",
            Attendee.price_minor > Attendee.discount_minor,
            Workshop.format != "room",
            TicketType.kind == "admission",
            TicketType.includes_live,
            TicketType.is_in_room.is_(False),
            where,
        )
    ).all()
    return set(bills) - joining.paid_back(set(bills))


def _is_person(email: str) -> ColumnElement[bool]:
    """The condition that a place is under this address, with whatever tag."""
    person = person_of(email)
    local, _, domain = person.rpartition("@")
    escaped = local.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    tagged = Attendee.email.like(f"{escaped}+%@{domain}", escape="\\")
    return or_(Attendee.email == person, tagged)
