"""Tickets that are paid in parts: a deposit at booking and instalments on days of the organiser's calendar. Pure.

Such a ticket is sold in one currency at a fixed price, and its parts add up to that price. An instalment is due from
the first instant of its day in the organiser's zone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from courses import least
from courses.shelf import TicketFacts
from lib import money, zones

PAYMENT = "deposit"


@dataclass(frozen=True)
class Part:
    """One instalment, in minor units of the ticket's currency."""

    due_on: date
    minor: int


@dataclass(frozen=True)
class Deposit:
    """What one price is paid in, first the deposit and then its instalments by their days."""

    deposit_minor: int
    instalments: tuple[Part, ...]

    @property
    def total_minor(self) -> int:
        return self.deposit_minor + sum(each.minor for each in self.instalments)

    def terms(self) -> dict[str, Any]:
        """As it is kept on the ticket."""
        rows = [{"due": each.due_on.isoformat(), "minor": each.minor} for each in self.instalments]
        return {"deposit_minor": self.deposit_minor, "instalments": rows}


def read(terms: Mapping[str, Any]) -> Deposit | None:
    """The parts kept on a ticket; None where there are none, or none that can be read."""
    try:
        parts = tuple(Part(date.fromisoformat(str(row["due"])), int(row["minor"])) for row in terms["instalments"])
        return Deposit(int(terms["deposit_minor"]), parts)
    except (KeyError, TypeError, ValueError):
        return None


def of(ticket: TicketFacts) -> Deposit | None:
    """What the ticket is paid in; None for one that is paid at once, or whose parts are not what it costs."""
    found = read(ticket.terms) if ticket.payment == PAYMENT else None
    is_right = found and len(ticket.prices) == 1 and ticket.prices[0].minor == found.total_minor
    return found if is_right else None


def faults(
    parts: Deposit, prices: Sequence[tuple[str, int | None]], last_day: date | None
) -> Iterator[tuple[int | None, str]]:
    """What is wrong with such a ticket: which instalment, counted from 0, or None for the whole; and a sentence.

    `prices` are its currencies with the fixed price in each; `last_day` is the workshop's last, in the organiser's
    zone, beyond which nothing may be due.
    """
    if len(prices) != 1 or prices[0][1] is None:
        yield None, "A ticket with a deposit has one fixed price, in one currency."
        return
    currency, price = prices[0]
    if wrong := least.not_chargeable(parts.deposit_minor, currency) or _nothing(parts.deposit_minor):
        yield None, f"The deposit: {wrong}"
    if not parts.instalments:
        yield None, "Please give at least one instalment, or leave the deposit empty."
    before: date | None = None
    for number, each in enumerate(parts.instalments):
        if wrong := least.not_chargeable(each.minor, currency) or _nothing(each.minor):
            yield number, wrong
        if before and each.due_on <= before:
            yield number, f"It has to be due after the one above, which is due on {zones.day(before)}."
        if last_day and each.due_on > last_day:
            yield number, f"It would be due after the workshop, which ends on {zones.day(last_day)}."
        before = each.due_on
    if price is not None and parts.total_minor != price:
        yield (
            None,
            f"Deposit and instalments come to {money.text(parts.total_minor, currency)}, and the price is "
            f"{money.text(price, currency)}. They have to be the same.",
        )


def due_at(due_on: date, zone: str, at: time = time()) -> datetime:
    """The instant from which an instalment is due: the first of its day in the zone; or another time of that day."""
    try:
        return zones.instant(datetime.combine(due_on, at), zone)
    except zones.TimeSkipped as gap:
        return zones.instant(gap.until, zone)


def _nothing(minor: int) -> str:
    return "" if minor > 0 else "Please give an amount of more than nothing."
