"""The letters about credits: a new one, with the link to its person's statement, and one that something is on again."""

from datetime import datetime, timedelta

from bookings import letters
from bookings.models import Booking
from lib import links, web, zones
from payments.models import Credit

LAST_SECOND = timedelta(seconds=1)


def url(credit: Credit) -> str:
    """The statement of the person whose credit it is."""
    return web.url("credits.statement", token=links.token("credit", credit.id, 1))


def until(credit: Credit, zone: str) -> str | None:
    """The last moment at which it can be spent, in words; None without end."""
    return zones.moment(credit.expires_at - LAST_SECOND, zone) if credit.expires_at else None


def kept(booking: Booking, credit: Credit, now: datetime) -> None:
    """Money of the booking is kept for its booker to spend later."""
    amount = letters.amount(booking, credit.minor)
    letters.to_booker(
        booking,
        "credit_kept",
        now,
        subject=f"A credit of {amount} with {booking.organiser.name}",
        amount=amount,
        until=until(credit, booking.organiser.zone),
        credit_url=url(credit),
    )


def back_on_it(booking: Booking, minor: int, now: datetime, *, stood_still: bool) -> None:
    """What was paid with a credit is on it again. To the booker, without its link: it may be another's credit."""
    amount = letters.amount(booking, minor)
    ends = "moves by the time it was with this booking" if stood_still else "is the one it had"
    said = f"{amount} is on its credit again"
    letters.to_booker(
        booking,
        "booking_changed",
        now,
        subject=f"Booking {booking.reference}: {said}",
        heading=said,
        sentences=[
            f"{amount} of this booking had been paid with a credit, so it is not sent to a card or an account: it "
            f"can be used for another booking. The credit's last day, where it has one, {ends}.",
            "The link in the letter that brought the credit opens it, and so does signing in with its address.",
        ],
    )
