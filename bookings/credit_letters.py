"""The letters about credits: a new one, with the link to its person's statement, and one that something is on again."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bookings import letters
from bookings.models import Booking
from lib import links, web, zones
from lib.forms import person_of
from payments import ledger
from payments.credits import Left
from payments.models import Credit

LAST_SECOND = timedelta(seconds=1)


def url(credit: Credit, version: int = 1) -> str:
    """The statement of the person whose credit it is; a new credit's link has version 1."""
    return web.url("credits.statement", token=links.token("credit", credit.id, version))


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


def renewed(booking: Booking, credit: Credit, credit_url: str, now: datetime) -> None:
    """Earlier links have ended. To the address that the credit is kept for, and to nobody else: where the booking has
    another by now, without a way to the booking."""
    is_theirs = person_of(booking.booker_email) == credit.person
    letters.to_booker(
        booking,
        "credit_link",
        now,
        to_email=None if is_theirs else credit.person,
        subject=f"A new link to your credit with {booking.organiser.name}",
        credit_url=credit_url,
        is_theirs=is_theirs,
        booking_url=letters.booking_url(booking) if is_theirs else "",
    )


def back_words(booking: Booking, given: Sequence[Left], now: datetime) -> list[str]:
    """What of the booking goes back to credits, and until when it can be spent, a sentence a credit."""
    said = []
    for each in given:
        start = f"{letters.amount(booking, each.minor)} goes back to the credit it was paid with"
        if each.expires_at is None:
            said.append(f"{start}, which has no last day.")
            continue
        last = zones.moment(each.expires_at - LAST_SECOND, booking.organiser.zone)
        ends = f"can be spent until {last}" if each.expires_at > now else f"cannot be spent any more: it ended {last}"
        said.append(f"{start}, which {ends}.")
    return said


def back_on_it(booking: Booking, given: Sequence[Left], now: datetime) -> None:
    """What was paid with a credit is on it again. To the booker, without its link: it may be another's credit."""
    amount = letters.amount(booking, sum(each.minor for each in given))
    said = f"{amount} is on its credit again"
    is_shut = booking.state == "confirmed" and ledger.of_bill(booking.bill_id).is_all_back
    letters.to_booker(
        booking,
        "booking_changed",
        now,
        subject=f"Booking {booking.reference}: {said}",
        heading=said,
        sentences=[
            f"{amount} of this booking had been paid with a credit, so it is not sent to a card or an account.",
            *back_words(booking, given, now),
            *(["All that was paid is back, so the links to join and to watch have stopped working."] * is_shut),
            "The link in the letter that brought the credit opens it, and so does signing in with its address.",
        ],
    )
