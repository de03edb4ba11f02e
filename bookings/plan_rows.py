"""A booking that is paid in parts, as rows: begun when it is confirmed, paid part by part, and dropped with the places
it was for. Nothing is ever charged by itself and no place ends because a part is late: that is for people to decide.

Each works on a booking that `lifecycle.locked` gave.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from bookings import plan_letters
from bookings.models import Attendee, Booking
from courses import deposits
from history import models as history
from lib import work
from payments import attempts, instalments, ledger, refunds
from payments.instalments import Planned
from payments.models import Instalment, Payment

ASK = "bookings.ask_for_instalment"
CLOSE = "bookings.close_instalment_page"
HOUR = time(9)  # when letters about a day leave, by the organiser's clock
AHEAD = timedelta(days=7)
PATIENCE = timedelta(days=3)
TOO_MUCH = "More was paid than was still to pay."


def begin(booking: Booking, now: datetime) -> None:
    """Write down what of the booking is still to be paid, and post the letters that ask for it."""
    ids = {each.n: each.id for each in booking.attendees}
    parts = [
        Planned(
            due_on=(day := date.fromisoformat(each["due_on"])),
            due_at=deposits.due_at(day, booking.organiser.zone),
            shares={ids[int(n)]: minor for n, minor in each["shares"].items()},
        )
        for each in booking.quote.get("later", ())
    ]
    for made in instalments.plan(booking.bill, parts) if parts else ():
        _post_letters(made, booking.organiser.zone, now)


def receive(booking: Booking, payment: Payment, now: datetime) -> bool:
    """Let money that came for a confirmed booking pay its next parts; what is over goes back. False, with nothing done,
    when it pays none."""
    settled, left = instalments.settle(booking.bill, payment, now)
    if not settled:
        return False
    if left:
        refunds.refund_rest(payment, reason=TOO_MUCH, now=now, most=left)
    paid = payment.amount_minor - left
    facts = {"amount_minor": paid, "currency": booking.currency, "instalments": [each.id for each in settled]}
    _remember(booking, "instalment_paid", facts, "booker", now)
    plan_letters.paid(booking, paid, left, now)
    return True


def drop(booking: Booking, gone: Sequence[Attendee], *, actor: str, now: datetime) -> None:
    """Whoever gives a place up no longer owes what of it is not paid, late or not."""
    less = instalments.drop(booking.bill, [each.id for each in gone], now)
    if not less:
        return
    booking.bill.total_minor -= less
    note = "Not paid yet, and no longer owed"
    ledger.reduce(booking.bill, less, about=f"booking:{booking.id}", note=note, now=now)
    _remember(booking, "instalments_dropped", {"amount_minor": less, "currency": booking.currency}, actor, now)
    if live := attempts.live(booking.bill_id):  # its page asks for more than is owed now
        work.post(CLOSE, f"booking:{booking.id}", now, {"attempt": live.key, "bill": booking.bill_id})


def unpaid_of(attendee: Attendee) -> int:
    """What of the attendee's place is still to be paid in parts."""
    return instalments.open_share(attendee.booking.bill, attendee.id)


def paid_for(attendee: Attendee) -> int:
    """What was really paid for the attendee's place."""
    return attendee.price_minor - attendee.discount_minor - unpaid_of(attendee)


def deposit_of(attendee: Attendee) -> int | None:
    """What of the place's price is a deposit, however it was paid; None where its ticket has none."""
    kept = attendee.booking.quote.get("deposits", {}).get(str(attendee.n))
    if kept is not None:
        return int(kept)
    if attendee.booking.bundle_id is not None:
        return None  # a bundle is paid at once, whatever its tickets are by themselves
    parts = deposits.read(attendee.ticket.terms) if attendee.ticket.payment == deposits.PAYMENT else None
    share = attendee.price_minor - attendee.discount_minor
    return min(parts.deposit_minor // attendee.ticket.seats, share) if parts else None


def _post_letters(instalment: Instalment, zone: str, now: datetime) -> None:
    moments = {
        "week": deposits.due_at(instalment.due_on - AHEAD, zone, HOUR),
        "day": deposits.due_at(instalment.due_on, zone, HOUR),
        "late": max(deposits.due_at(instalment.due_on + PATIENCE, zone, HOUR), now),
    }
    rows = [
        {
            "due_at": at,
            "arguments": {"instalment": instalment.id, "when": when},
            "dedupe_key": f"instalment:{instalment.id}:{when}",
        }
        for when, at in moments.items()
        if at >= now
    ]
    work.post_once(ASK, f"instalment:{instalment.id}", rows)


def _remember(booking: Booking, verb: str, facts: dict[str, object], actor: str, now: datetime) -> None:
    history.record(f"booking:{booking.id}", verb, at=now, actor=actor, organiser_id=booking.organiser_id, facts=facts)
