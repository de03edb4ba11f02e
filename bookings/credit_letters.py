"""The letter to whoever has a credit: how much, until when, and the link to their statement."""

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
