"""Credits put towards a booking: taken when its places are held, given back when they lapse, taken again when money
comes late. Whoever spends one has shown that the address is theirs; an address that was only typed opens nothing.

What a credit pays of places that are added waits, set apart, on a bill of its own until the card has paid the rest.
Meanwhile it is no money of the booking's: nothing that goes back to its booker can take it along.

`returning` says where money of such a booking goes back to: to the card what came from the card, the rest to the
credits, which then last as long as before.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bookings.models import Booking
from bookings.pricing import Line
from courses import least
from history import models as history
from lib import money, web
from payments import credits


class CreditGone(web.Refusal):
    """The credit that a booking was to be paid with was spent, or has ended, before its money came."""

    status = 409
    refusal = "credit_gone"
    title = "The credit is no longer there"


def usable(left_minor: int, due_minor: int, currency: str) -> int:
    """How much of a credit a booking takes, in minor units: as much as is left, and as much as leaves Stripe nothing
    to charge, or enough of it to be charged."""
    rest = due_minor - min(left_minor, due_minor)
    if rest:
        step = money.step(currency)
        rest = max(rest + -rest % step, least.least(currency))
    return max(due_minor - rest, 0)


def offered(email: str, organiser_id: int, currency: str, now: datetime) -> list[credits.Left]:
    """What the person can spend here, what ends soonest first; nothing for nobody."""
    return credits.available(email, organiser_id, currency, now) if email else []


def would_take(email: str, organiser_id: int, currency: str, due_minor: int, now: datetime) -> int:
    """How much of what is due now the person's credits would pay, in minor units."""
    left = sum(each.minor for each in offered(email, organiser_id, currency, now))
    return usable(left, due_minor, currency)


def put(booking: Booking, email: str, charges: Sequence[Line], now: datetime) -> tuple[Line, ...]:
    """Pay what is due now, the sum of `charges`, out of the person's credits as far as they go; what is left to charge.

    The credits are locked before they are counted: what is left to charge stays an amount that Stripe takes.
    """
    due = sum(line.minor for line in charges)
    left = credits.locked(email, booking.organiser_id, booking.currency, now) if email else 0
    most = usable(left, due, booking.currency)
    taken = credits.spend(booking.bill_id, email, most, now) if most else 0
    if not taken:
        return tuple(charges)
    said = money.text(taken, booking.currency)
    rest = (Line(f"What is left to pay after {said} of credit", due - taken),) if taken < due else ()
    booking.quote = {
        **booking.quote,
        "charges": [{"text": line.text, "minor": line.minor} for line in rest],
        "credit": {"of": email, "minor": taken},
    }
    remember(booking, taken, "booker", now)
    return rest


def take_again(booking: Booking, now: datetime) -> None:
    """Make sure that a lapsed booking has the credit it was to be paid with: it was given back when the hold ran out.

    Any other has what it had, less what somebody gave back meanwhile. Raises CreditGone, with nothing taken.
    """
    promised = booking.quote.get("credit")
    if not promised or booking.state != "lapsed":
        return
    short = promised["minor"] - credits.spent_on(booking.bill_id)
    if short <= 0:
        return
    if credits.locked(promised["of"], booking.organiser_id, booking.currency, now) < short:
        raise CreditGone("The credit that was to pay a part of it was spent, or had ended, before the payment arrived.")
    credits.spend(booking.bill_id, promised["of"], short, now)


def set_apart(booking: Booking, email: str, minor: int, now: datetime) -> dict[str, Any]:
    """Take a part of a price out of the person's credits until the rest of it is paid; what the change keeps of that.

    Raises CreditGone where less is left.
    """
    owner, currency = booking.organiser_id, booking.currency
    bill_id = credits.set_apart(email, minor, organiser_id=owner, currency=currency, now=now)
    if credits.spent_on(bill_id) < minor:
        raise CreditGone("The credit was spent elsewhere meanwhile. Nothing was done.")
    return {"of": email, "minor": minor, "bill": bill_id}


def use_apart(booking: Booking, apart: Mapping[str, Any], note: str, actor: str, now: datetime) -> None:
    """The rest was paid: what was set apart pays its part; where it was given back before the money came, it is taken
    again. Raises CreditGone, with nothing taken, where it cannot be."""
    minor, bill_id = apart["minor"], booking.bill_id
    if credits.spent_on(apart["bill"]):
        credits.pass_on(apart["bill"], bill_id, note, now)
    elif credits.locked(apart["of"], booking.organiser_id, booking.currency, now) < minor:
        raise CreditGone("The credit that was to pay a part of it was spent, or had ended, before the payment arrived.")
    else:
        credits.spend(bill_id, apart["of"], minor, now)
    remember(booking, minor, actor, now)


def give_apart_back(apart: Mapping[str, Any], why: str, now: datetime) -> None:
    """The rest will not be paid: what was set apart can be spent again until its credit ends."""
    credits.give_back(apart["bill"], apart["minor"], reason=why, now=now)


def remember(booking: Booking, minor: int, actor: str, now: datetime) -> None:
    """Put down in the booking's history that a credit paid for it."""
    facts = {"amount_minor": minor, "currency": booking.currency}
    about, owner = f"booking:{booking.id}", booking.organiser_id
    history.record(about, "credit_spent", at=now, actor=actor, organiser_id=owner, facts=facts)
