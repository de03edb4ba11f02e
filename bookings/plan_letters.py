"""The letters about what is paid in parts: asked for, paid, late."""

from datetime import datetime
from typing import Literal

from bookings import booked, letters
from bookings.models import Booking
from lib import zones
from payments import instalments
from payments.models import Instalment

When = Literal["week", "day", "late"]


def asked(booking: Booking, instalment: Instalment, when: When, now: datetime) -> None:
    """A part is due in a week, today, or is late: to the booker, with the way to pay it; a late one to the organiser
    as well."""
    amount, day = letters.amount(booking, instalment.minor), zones.day(instalment.due_on)
    headings = {
        "week": f"{amount} is due on {day}",
        "day": f"{amount} is due today, {day}",
        "late": f"{amount} was due on {day}",
    }
    later = [each for each in instalments.open_of(booking.bill) if each.due_at > instalment.due_at]
    letters.to_booker(
        booking,
        "instalment_due",
        now,
        subject=f"Booking {booking.reference}: {headings[when]}",
        heading=headings[when],
        is_late=when == "late",
        amount=amount,
        city=zones.city(booking.organiser.zone),
        later=letters.parts(booking, later),
        booking_url=f"{letters.booking_url(booking)}#plan",
        organiser_email=booking.organiser.email,
    )
    if when == "late":
        said = [
            f"{booking.booker_name} was to pay {amount} for {booked.title(booking)} on {day}, and has "
            "not yet. They have a letter with the way to pay.",
            "Nothing ends by itself: wait, write to them, or cancel the place from the booking's page.",
        ]
        letters.to_organiser(booking, f"Booking {booking.reference}: an instalment is late", said, now)


def paid(booking: Booking, minor: int, too_much: int, now: datetime) -> None:
    """Parts were paid: what came, what is still to come, and what was too much. To the booker."""
    letters.to_booker(
        booking,
        "instalment_paid",
        now,
        subject=f"Booking {booking.reference}: {letters.amount(booking, minor)} has arrived",
        amount=letters.amount(booking, minor),
        too_much=letters.amount(booking, too_much) if too_much else None,
        later=letters.parts(booking, instalments.open_of(booking.bill)),
        organiser_address=booking.organiser.address,
    )


def not_paid(booking: Booking, minor: int, now: datetime) -> None:
    """The bank did not pay a part. To the booker; the place is as it was."""
    amount = letters.amount(booking, minor)
    heading = f"Your bank did not send {amount}"
    said = [
        f"{amount} was to come from your bank and did not. Nothing was taken, and {_places(booking)} as before.",
        "Please pay it another way from your booking's page.",
    ]
    letters.to_booker(
        booking,
        "booking_changed",
        now,
        subject=f"Booking {booking.reference}: your bank did not send {amount}",
        heading=heading,
        sentences=said,
    )


def _places(booking: Booking) -> str:
    return "the place stays" if len(booking.attendees) == 1 else "the places stay"
