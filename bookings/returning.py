"""Money back to a booker, whoever decided on it: to where it came from, then credits that were spent, or as a credit.

The booking is locked by `lifecycle.locked`. Ending places is a separate act (`lifecycle.cancel`), and the first of the
two where both are done.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from bookings import credit_letters, discounts, invoice_papers
from bookings.models import Booking
from history import models as history
from payments import credits, invoices, ledger, refunds
from payments.credits import Left
from payments.models import Credit, Refund


@dataclass(frozen=True)
class Back:
    """What goes back: refunds on their way, and what was put back on credits the booking was paid with."""

    refunds: list[Refund] = field(default_factory=list)
    credits: list[Left] = field(default_factory=list)

    @property
    def refund_minor(self) -> int:
        return sum(each.amount_minor for each in self.refunds)

    @property
    def credit_minor(self) -> int:
        return sum(each.minor for each in self.credits)

    @property
    def minor(self) -> int:
        return self.refund_minor + self.credit_minor


def remaining_of(bill_id: int) -> int:
    """The most that `give` could return now, in minor units: what was kept as a credit is not there a second time."""
    return min(refunds.remaining(bill_id) + credits.spent_on(bill_id), max(ledger.of_bill(bill_id).kept_minor, 0))


def to_credits(bill_id: int, minor: int) -> list[Left]:
    """What of `minor` would go back to credits if `give` returned it now."""
    most = min(minor, remaining_of(bill_id))
    return credits.would_give_back(bill_id, max(most - refunds.remaining(bill_id), 0))


def give(
    booking: Booking,
    minor: int,
    *,
    source: str,
    reason: str,
    actor: str,
    now: datetime,
    shares: Mapping[int, int] | None = None,
    stood_still: bool = False,
) -> Back:
    """Return up to `minor`, never more than remains: first to the cards and accounts the booking was paid from, never
    more than they were charged, the rest to the credits it was paid with, never to a card. Those end when they did
    before; as much later as they were with the booking where they `stood_still`, the organiser having cancelled.

    `source` is who decided: rule, organiser or booker. `shares` are attendees' ids with what of `minor` is theirs.
    """
    most = min(minor, remaining_of(booking.bill_id))
    to_cards = min(most, refunds.remaining(booking.bill_id))
    made: list[Refund] = []
    if to_cards:
        whose = refunds.part_of(shares, to_cards) if shares else None
        made = refunds.ask(booking.bill_id, to_cards, source=source, reason=reason, shares=whose, now=now)
    rest = most - to_cards
    given = credits.give_back(booking.bill_id, rest, reason=reason, stood_still=stood_still, now=now)
    if given:
        credit_letters.back_on_it(booking, given, now)
    back = Back(made, given)
    if back.minor:
        _record(booking, "refund_begun", {"amount_minor": back.minor, "why": reason}, actor, now)
        free_code_if_all_back(booking)
    _owe_less(booking, minor - back.minor, reason, now)
    return back


def keep_as_credit(
    booking: Booking, minor: int, *, email: str, reason: str, expires_at: datetime | None, actor: str, now: datetime
) -> Credit:
    """Keep `minor` of what was paid as a credit of the person behind `email`, instead of sending it back."""
    credit = credits.issue(booking.bill_id, minor, email=email, reason=reason, expires_at=expires_at, now=now)
    _record(booking, "credit_issued", {"amount_minor": minor, "credit": credit.id, "why": reason}, actor, now)
    credit_letters.kept(booking, credit, now)
    free_code_if_all_back(booking)
    return credit


def free_code_if_all_back(booking: Booking) -> None:
    """A booking that got all of its money back has used no code."""
    if ledger.of_bill(booking.bill_id).is_all_back:
        discounts.release_use(booking.id)


def take_code_again(booking: Booking, now: datetime) -> None:
    """A refund failed, so not all of the money is back after all: the code counts again, unless others had its use."""
    if booking.state != "confirmed" or ledger.of_bill(booking.bill_id).is_all_back:
        return
    with suppress(discounts.CodeSpent):
        discounts.keep_use(booking.id, now)


def _owe_less(booking: Booking, minor: int, reason: str, now: datetime) -> None:
    """What would go back and was never paid, its invoice being open, is owed no longer; the invoice is taken back as
    far as nobody owes it any more."""
    if invoices.invoice_of(booking.bill_id) is None:
        return
    less = min(minor, ledger.of_bill(booking.bill_id).due_minor)
    if less > 0:
        ledger.reduce(booking.bill, less, about=f"booking:{booking.id}", note=reason, now=now)
    invoice_papers.take_back(booking, now)


def _record(booking: Booking, verb: str, facts: Mapping[str, object], actor: str, now: datetime) -> None:
    history.record(
        f"booking:{booking.id}",
        verb,
        at=now,
        actor=actor,
        organiser_id=booking.organiser_id,
        facts={**facts, "currency": booking.currency},
    )
