"""What of a booking is paid at once and what on which day, where its tickets are paid in parts. Pure arithmetic on
integers in minor units.

- Each person pays the parts of their own place; of a price for several people each has an equal part, by largest
  remainder.
- What is taken off a place lowers its last instalment first, then the one before, and the deposit last of all: whoever
  has a code pays nothing sooner for it.
- What is due by the day of booking is paid at once, with the deposit.
- A part of less than Stripe takes is paid with the part before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from bookings.pricing import Line, Quote
from courses.deposits import Deposit
from lib import money


@dataclass(frozen=True)
class OnTicket:
    """The people, by their n, who come on a ticket with a deposit; `seats` of them share one price."""

    deposit: Deposit
    seats: int
    people: tuple[int, ...]


@dataclass(frozen=True)
class Later:
    """What is due on one day, by the n of whose place it is for."""

    due_on: date
    shares: Mapping[int, int]

    @property
    def minor(self) -> int:
        return sum(self.shares.values())


@dataclass(frozen=True)
class Plan:
    """How a booking is paid. `deposits` is what of each place is a deposit, by n, however it is paid."""

    total_minor: int
    deposits: Mapping[int, int]
    later: tuple[Later, ...]

    @property
    def now_minor(self) -> int:
        return self.total_minor - sum(each.minor for each in self.later)

    def at_once(self) -> "Plan":
        """The same paid all at once."""
        return Plan(self.total_minor, self.deposits, ())

    def charges(self, quote: Quote) -> tuple[Line, ...]:
        """What Stripe is asked to charge now."""
        if not self.later:
            return quote.charges
        return (Line(f"To pay now, of {money.text(self.total_minor, quote.currency)} in all", self.now_minor),)

    def frozen(self, quote: Quote) -> dict[str, Any]:
        """As it is kept on the booking, beside the quote."""
        kept: dict[str, Any] = {"deposits": {str(n): minor for n, minor in self.deposits.items()}}
        if self.later:
            kept["charges"] = [{"text": line.text, "minor": line.minor} for line in self.charges(quote)]
            kept["later"] = [
                {"due_on": each.due_on.isoformat(), "shares": {str(n): minor for n, minor in each.shares.items()}}
                for each in self.later
            ]
        return kept


def arrange(quote: Quote, tickets: Sequence[OnTicket], today: date, least_minor: int) -> Plan:
    """The plan of a quote for people who book on `today`, a day of the organiser's calendar."""
    columns: dict[date, dict[int, int]] = {}
    deposits: dict[int, int] = {}
    for ticket in tickets:
        days = [each.due_on for each in ticket.deposit.instalments]
        for n, (deposit, *parts) in _by_person(quote, ticket).items():
            deposits[n] = deposit
            for due_on, minor in zip(days, parts, strict=True):
                if due_on > today and minor:
                    columns.setdefault(due_on, {})[n] = minor
    later = [Later(due_on, columns[due_on]) for due_on in sorted(columns)]
    return Plan(quote.total_minor, deposits, _payable(later, least_minor, money.step(quote.currency)))


def _by_person(quote: Quote, ticket: OnTicket) -> dict[int, list[int]]:
    """Deposit and instalments of each person, with what is taken off their place taken off them."""
    own = {each.n: each for each in quote.shares if each.n in ticket.people}
    prices = {n: each.price_minor for n, each in own.items()}
    offs = {n: each.discount_minor for n, each in own.items()}
    for extra in quote.extras:
        if extra.n in own:
            prices[extra.n] -= extra.price_minor
            offs[extra.n] -= extra.discount_minor
    units = len(ticket.people) // ticket.seats
    made: dict[int, list[int]] = {n: [] for n in own}
    left = list(prices.values())
    for part in (ticket.deposit.deposit_minor, *(each.minor for each in ticket.deposit.instalments)):
        for at, (n, minor) in enumerate(zip(own, money.spread(units * part, left), strict=True)):
            made[n].append(minor)
            left[at] -= minor
    return {n: _lowered(parts, offs[n]) for n, parts in made.items()}


def _lowered(parts: list[int], off: int) -> list[int]:
    """The parts less what is taken off, from the last one backwards."""
    lowered = []
    for minor in reversed(parts):
        lowered.append(max(minor - off, 0))
        off = max(off - minor, 0)
    return lowered[::-1]


def _payable(later: list[Later], least_minor: int, step: int) -> tuple[Later, ...]:
    """Move what no card can be charged by itself to the part before; before the first, it is paid at once."""
    kept: list[Later] = []
    carried: dict[int, int] = {}
    for each in reversed(later):
        shares = _added(each.shares, carried)
        whole = sum(shares.values())
        moved = whole if whole < least_minor else whole % step
        carried = _first(shares, moved)
        rest = {n: left for n, minor in shares.items() if (left := minor - carried.get(n, 0))}
        if rest:
            kept.append(Later(each.due_on, rest))
    return tuple(reversed(kept))


def _added(one: Mapping[int, int], other: Mapping[int, int]) -> dict[int, int]:
    return {n: one.get(n, 0) + other.get(n, 0) for n in sorted({*one, *other})}


def _first(shares: Mapping[int, int], minor: int) -> dict[int, int]:
    """The first `minor` of the shares, in their order."""
    taken: dict[int, int] = {}
    for n, share in shares.items():
        part = min(share, minor - sum(taken.values()))
        if part:
            taken[n] = part
    return taken
