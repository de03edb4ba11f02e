"""The letters about money that moved at Stripe without anybody here: to the booker what is theirs to know, to the
organiser what they may have to act on."""

from collections.abc import Sequence
from datetime import datetime

from accounts.models import Organiser
from bookings.letters import amount, notice, to_booker, to_organiser
from bookings.models import Booking
from lib import money, zones
from payments import ledger
from payments.models import Dispute, Refund


def sent_back(booking: Booking, refund: Refund, balance: ledger.Balance, now: datetime) -> None:
    """Somebody refunded on Stripe's own pages: this one refund to the booker, and where it leaves the booking to the
    organiser."""
    minor = amount(booking, refund.amount_minor)
    to_booker(
        booking,
        "sent_back",
        now,
        subject=f"Booking {booking.reference}: {minor} is on its way back",
        amount=minor,
        is_all=balance.is_all_back,
    )
    said = [
        f"{minor} went back to {booking.booker_name}, sent from Stripe's own pages. In all "
        f"{amount(booking, balance.refunded_minor)} of {amount(booking, balance.paid_minor)} has gone back.",
        "All of the money is back, so its links lead nowhere any more. Its places are still taken: cancel the booking "
        "to put them on sale."
        if balance.is_all_back and booking.state == "confirmed"
        else "The places are as they were; cancel whoever it was for.",
    ]
    to_organiser(booking, f"Booking {booking.reference}: a refund was made at Stripe", said, now)


def given_back(booking: Booking, minor: int, now: datetime) -> None:
    """The organiser sent money back by hand, `minor` of it to a card or account: to the booker."""
    said = amount(booking, minor)
    to_booker(
        booking,
        "sent_back",
        now,
        subject=f"Booking {booking.reference}: {said} is on its way back",
        amount=said,
        is_all=ledger.of_bill(booking.bill_id).is_all_back,
    )


def refund_failed(booking: Booking, refund: Refund, now: datetime) -> None:
    """Money that was to go back is still here."""
    said = [
        f"{amount(booking, refund.amount_minor)} was to go back to {booking.booker_name} and did not. "
        f"{refund.last_error or 'The bank behind the card or account did not take it.'}",
        "The money is still here and still theirs. Send it again from the booking's page, or ask them for another "
        "way; nothing is tried again by itself.",
    ]
    to_organiser(booking, f"Booking {booking.reference}: a refund failed", said, now)


def disputed(booking: Booking, dispute: Dispute, now: datetime) -> None:
    """A payer's bank asks for money back, or has decided."""
    minor, who = amount(booking, dispute.amount_minor), booking.booker_name
    way_in = (
        "The links of this booking let nobody in meanwhile; your settings can change that."
        if booking.organiser.dispute_bars
        else "The links of this booking go on working, as your settings say."
    )
    until = f" Answer by {zones.moment(dispute.answer_by, booking.organiser.zone)}." if dispute.answer_by else ""
    titles = {
        "inquiry": "the payer's bank asks about a payment",
        "open": "the payer's bank has taken a payment back",
        "won": "a dispute is won",
        "lost": "a dispute is lost",
        "withdrawn": "a dispute is over",
    }
    sentences = {
        "inquiry": [
            f"The bank of {who} asks about {minor} (reason: {dispute.reason}). Nothing was taken yet.",
            f"Answer on Stripe's pages, or send the money back before it becomes a dispute.{until}",
        ],
        "open": [
            f"The bank of {who} has taken {minor} back (reason: {dispute.reason}).",
            f"Show on Stripe's pages what they booked and when they came.{until} {way_in}",
        ],
        "won": [f"The bank decided for you: {minor} is here again, and the links of this booking work."],
        "lost": [f"The bank decided for {who}: {minor} stays with them. {way_in}"],
        "withdrawn": [f"The bank asks no more about {minor}."],
    }
    to_organiser(booking, f"Booking {booking.reference}: {titles[dispute.state]}", sentences[dispute.state], now)


def books_differ(organiser: Organiser, lines: Sequence[str], now: datetime) -> None:
    """What the night's comparison with Stripe found and could not make good by itself."""
    title = "Stripe and the bookings differ"
    said = [*lines, "Nothing was changed. Please look at each in Stripe; the next night compares again."]
    notice(organiser, f"organiser:{organiser.id}", title, said, None, now)


def line_of(kind: str, about: str, minor: int | None, currency: str | None, what: str) -> str:
    """A difference as one line."""
    said = f" {money.text(minor, currency)}" if minor is not None and currency else ""
    return f"{kind.replace('_', ' ')}: {about}{said} {what}"
