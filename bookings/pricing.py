"""What a booking costs: pure arithmetic on integers in minor units, rounded half up once, on the line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lib import money


@dataclass(frozen=True)
class Person:
    """One attendee's ticket: `unit_minor` is the price of the ticket, which `seats` people share."""

    n: int
    ticket: str
    ticket_name: str
    unit_minor: int
    seats: int = 1


@dataclass(frozen=True)
class Reduction:
    """An accepted code. `tickets` are the codes of the tickets it covers; None covers all."""

    code: str
    percent: int
    tickets: frozenset[str] | None = None

    def covers(self, ticket: str) -> bool:
        return self.tickets is None or ticket in self.tickets


@dataclass(frozen=True)
class Line:
    """One line as people read it; a reduction's amount is negative."""

    text: str
    minor: int


@dataclass(frozen=True)
class Share:
    """What one attendee's place costs and how much of it a code takes off: kept, for refunds."""

    n: int
    price_minor: int
    discount_minor: int


@dataclass(frozen=True)
class Quote:
    """The price of a booking. Its lines add up to the total, its shares too, and so do its `charges`: one a ticket,
    with the reduction taken off."""

    currency: str
    lines: tuple[Line, ...]
    charges: tuple[Line, ...]
    total_minor: int
    shares: tuple[Share, ...]

    def frozen(self) -> dict[str, Any]:
        """As it is kept on the booking."""
        return {
            "currency": self.currency,
            "total_minor": self.total_minor,
            "lines": [{"text": line.text, "minor": line.minor} for line in self.lines],
            "charges": [{"text": line.text, "minor": line.minor} for line in self.charges],
        }


class OddNumber(ValueError):
    """A ticket for several people was chosen by a number of people that does not divide."""

    def __init__(self, ticket_name: str, seats: int) -> None:
        self.ticket_name, self.seats = ticket_name, seats
        how = "two people" if seats == 2 else f"{seats} people"
        super().__init__(f"“{ticket_name}” is one price for {how}. Please add the others, or choose another ticket.")


def quote(people: Sequence[Person], currency: str, reduction: Reduction | None = None) -> Quote:
    """Price a booking. Each ticket is a line; a reduction is a line below each ticket it covers.

    Raises OddNumber when people do not come in multiples of their ticket's seats.
    """
    lines: list[Line] = []
    charges: list[Line] = []
    shares: list[Share] = []
    for ticket in dict.fromkeys(person.ticket for person in people):
        group = [person for person in people if person.ticket == ticket]
        one = group[0]
        if len(group) % one.seats:
            raise OddNumber(one.ticket_name, one.seats)
        units = len(group) // one.seats
        price = units * one.unit_minor
        lines.append(Line(_text(one, units, currency), price))
        off = 0
        if reduction and reduction.covers(ticket):
            off = money.percent_of(price, reduction.percent)
            lines.append(Line(f"{reduction.code}, {reduction.percent}% off {one.ticket_name}", -off))
        charges.append(Line(_text(one, units, currency), price - off))
        prices = money.spread(price, [1] * len(group))
        discounts = money.spread(off, prices)
        shares += [Share(p.n, each, less) for p, each, less in zip(group, prices, discounts, strict=True)]
    total = sum(line.minor for line in lines)
    return Quote(currency, tuple(lines), tuple(charges), total, tuple(sorted(shares, key=lambda share: share.n)))


def _text(one: Person, units: int, currency: str) -> str:
    return one.ticket_name if units == 1 else f"{one.ticket_name}, {units} at {money.text(one.unit_minor, currency)}"
