"""A part of a price that was paid past Stripe, by a bank transfer or otherwise, written down by the team. Works on a
booking that `lifecycle.locked` gave."""

from datetime import datetime
from itertools import accumulate

from bookings import invoice_papers, plan_rows
from bookings.invoicing import Received
from bookings.models import Booking
from history import models as history
from lib import money, web, work, zones
from payments import attempts, by_hand, instalments
from payments.models import Instalment


class NoPartOpen(web.Refusal):
    """Everything is paid, or what is not is no longer owed."""

    status = 409
    refusal = "nothing_to_pay"
    title = "Nothing is still to be paid"


class PlanChanged(web.Refusal):
    """The part that was next is not next any more."""

    status = 409
    refusal = "plan_changed"
    title = "Another part is next now"


class NoWholeParts(web.Refusal):
    """The amount is not that of the next part, nor of the next ones together."""

    status = 409
    refusal = "no_whole_parts"
    title = "That amount pays no part"


def open_of(booking: Booking) -> list[Instalment]:
    """What of a booking is still to be paid in parts, the oldest first."""
    return instalments.open_of(booking.bill) if booking.state == "confirmed" else []


def receive(booking: Booking, got: Received, next_part: int, *, actor: str, now: datetime) -> None:
    """Write down money that came past Stripe and pays the next part, or the next ones together.

    `next_part` is the id of the one that was next on the page: a form sent twice is written down once. Raises
    NoPartOpen, PlanChanged or NoWholeParts, with nothing written.
    """
    parts = open_of(booking)
    if not parts:
        raise NoPartOpen("Every part is paid, or no longer owed. Nothing was written down.")
    if parts[0].id != next_part:
        raise PlanChanged("Something was paid, or written down, since this page was opened. Is it the same money?")
    sums = list(accumulate(each.minor for each in parts))
    if got.minor not in sums:
        raise NoWholeParts(_why_not(booking, parts, sums, got.minor))
    payment = by_hand.receive(booking.bill, got.minor, kind=got.kind, reference=got.reference, at=got.at, now=now)
    about, number = f"booking:{booking.id}", booking.organiser_id
    facts = {"amount_minor": got.minor, "currency": booking.currency, "why": got.why}
    history.record(about, "payment_written_down", at=now, actor=actor, organiser_id=number, facts=facts)
    plan_rows.receive(booking, payment, now)
    invoice_papers.acknowledge(booking, now)
    if live := attempts.live(booking.bill_id):  # its page asks for what has been paid another way
        work.post(plan_rows.CLOSE, about, now, {"attempt": live.key, "bill": booking.bill_id})


def _why_not(booking: Booking, parts: list[Instalment], sums: list[int], minor: int) -> str:
    amounts = [money.text(each, booking.currency) for each in sums]
    if minor < sums[0]:
        first = f"{amounts[0]}, due on {zones.day(parts[0].due_on)}"
        return f"That is less than the next part: {first}. A part is written down once all of it is there."
    if minor > sums[-1]:
        return f"Only {amounts[-1]} is still to be paid. Write that down, and send the rest back from your bank."
    return (
        f"That pays no whole number of parts: {' or '.join(amounts)} would. Write one of these down, and send the rest "
        "back from your bank or wait until the next part is all there."
    )
