"""What a booking costs: pure arithmetic on integers in minor units, rounded half up once, on the line."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from lib import money

Kind = Literal["percent", "amount", "fixed"]
WAIVED = "Waived, under the least Stripe can take"


@dataclass(frozen=True)
class Person:
    """One attendee's ticket, or an extra on their place: `unit_minor` is the price, which `seats` people share.

    Extras have the `n` of the attendee they belong to, like everything that ends in that attendee's share.
    """

    n: int
    ticket: str
    ticket_name: str
    unit_minor: int
    seats: int = 1
    is_full_price: bool = False
    is_extra: bool = False
    is_online: bool = True


@dataclass(frozen=True)
class Reduction:
    """An accepted code: `percent` off, `minor` off the whole booking, or `minor` for each place it covers.

    `tickets` are the codes of the tickets it covers; None covers all. It counts for `covers` places, those of
    `prefers` first and then the dearest, or for all. `least_people` of them must stay if it is re-rated.
    """

    code: str
    percent: int = 0
    tickets: frozenset[str] | None = None
    kind: Kind = "percent"
    minor: int = 0
    full_price_only: bool = False
    online_only: bool = False
    covers: int | None = None
    prefers: frozenset[int] = frozenset()
    least_people: int = 1
    is_re_rated: bool = False
    stacks: bool = False

    def takes(self, person: Person) -> bool:
        """Whether it could count for this ticket; extras only come with a code that is for any ticket."""
        if (self.full_price_only and not person.is_full_price) or (self.online_only and not person.is_online):
            return False
        return self.tickets is None or person.ticket in self.tickets

    def words(self, currency: str) -> str:
        """What it does, for people."""
        if self.kind == "percent":
            return f"{self.percent}% off"
        amount = money.text(self.minor, currency)
        return f"{amount} off" if self.kind == "amount" else f"{amount} a place"


@dataclass(frozen=True)
class Line:
    """One line as people read it; a reduction's amount is negative."""

    text: str
    minor: int


@dataclass(frozen=True)
class Share:
    """What one attendee's place costs, extras included, and how much of it is taken off: kept, for refunds."""

    n: int
    price_minor: int
    discount_minor: int


@dataclass(frozen=True)
class Extra:
    """The part of an attendee's share that is an extra's."""

    n: int
    ticket: str
    price_minor: int
    discount_minor: int


@dataclass(frozen=True)
class Quote:
    """The price of a booking. Its lines add up to the total, its shares too, and so do its `charges`: one a ticket,
    with the reductions taken off. `given` is what each reduction took off, `waived_minor` what Stripe could not take.
    """

    currency: str
    lines: tuple[Line, ...]
    charges: tuple[Line, ...]
    total_minor: int
    shares: tuple[Share, ...]
    extras: tuple[Extra, ...] = ()
    given: tuple[tuple[Reduction, int], ...] = ()
    waived_minor: int = 0

    def took(self, code: str) -> int:
        """What a code took off here."""
        return sum(minor for reduction, minor in self.given if reduction.code == code)

    def frozen(self) -> dict[str, Any]:
        """As it is kept on the booking."""
        kept: dict[str, Any] = {
            "currency": self.currency,
            "total_minor": self.total_minor,
            "lines": [{"text": line.text, "minor": line.minor} for line in self.lines],
            "charges": [{"text": line.text, "minor": line.minor} for line in self.charges],
        }
        if self.given:
            kept["codes"] = [
                {
                    "code": reduction.code,
                    "minor": minor,
                    "least_people": reduction.least_people,
                    "is_re_rated": reduction.is_re_rated,
                }
                for reduction, minor in self.given
            ]
        return kept


class OddNumber(ValueError):
    """A ticket for several people was chosen by a number of people that does not divide."""

    def __init__(self, ticket_name: str, seats: int) -> None:
        self.ticket_name, self.seats = ticket_name, seats
        how = "two people" if seats == 2 else f"{seats} people"
        super().__init__(f"“{ticket_name}” is one price for {how}. Please add the others, or choose another ticket.")


def quote(people: Sequence[Person], currency: str, *reductions: Reduction | None, least_minor: int = 0) -> Quote:
    """Price a booking. Each ticket is a line, reductions are lines below, taken off one after another.

    A total under `least_minor`, the least Stripe takes in the currency, is waived. Raises OddNumber when people do
    not come in multiples of their ticket's seats.
    """
    tally = _Tally(currency, _groups(people))
    for reduction in reductions:
        if reduction:
            tally.take(reduction)
    if 0 < tally.total < least_minor:
        tally.waive()
    return tally.quote()


def best(people: Sequence[Person], currency: str, offers: Sequence[Reduction], *, least_minor: int = 0) -> Quote:
    """The lowest price any of the offers gives: each alone, or all those together that may be added to others.

    Of two that give the same the earlier counts; one that would take nothing off is left unused.
    """
    together = [each for each in offers if each.stacks]
    ways: list[list[Reduction]] = [[], *([each] for each in offers)]
    if len(together) > 1:
        ways.append(sorted(together, key=lambda each: ("fixed", "percent", "amount").index(each.kind)))
    priced = [quote(people, currency, *way, least_minor=least_minor) for way in ways]
    return min(priced, key=lambda each: (each.total_minor, len(each.given)))


def re_rated(shares: Sequence[Share], gone: Collection[int], *, least_people: int, is_re_rated: bool) -> int:
    """What is the base of a refund, in minor units, when the attendees `gone` leave a booking whose attendees still
    in it have `shares`.

    The stored shares of those who go; but when a code asked for `least_people` and fewer stay, and it says
    `is_re_rated`: all that these shares cost, less the price of those who stay without the code (DESIGN decision 8).
    Whoever pays that back sets the discount of those who stay to nothing, so that nobody is re-rated twice.
    """
    leaving = sum(each.price_minor - each.discount_minor for each in shares if each.n in gone)
    staying = [each for each in shares if each.n not in gone]
    reduced = [each for each in staying if each.discount_minor]
    if not is_re_rated or not reduced or len(reduced) >= least_people:
        return leaving
    held = sum(each.price_minor - each.discount_minor for each in shares)
    return max(held - sum(each.price_minor for each in staying), 0)


@dataclass
class _Group:
    """The people on one ticket at one price; `prices` and `off` stand beside `people`, by position."""

    people: list[Person]
    price: int
    prices: list[int]
    off: list[int] = field(default_factory=list)

    @property
    def units(self) -> int:
        return len(self.people) // self.people[0].seats

    def left(self, position: int) -> int:
        return self.prices[position] - self.off[position]


Spot = tuple[_Group, int]


def _groups(people: Sequence[Person]) -> list[_Group]:
    groups = []
    for key in dict.fromkeys((person.ticket, person.unit_minor) for person in people):
        coming = [person for person in people if (person.ticket, person.unit_minor) == key]
        one = coming[0]
        if len(coming) % one.seats:
            raise OddNumber(one.ticket_name, one.seats)
        price = len(coming) // one.seats * one.unit_minor
        prices = money.spread(price, [1] * len(coming))
        groups.append(_Group(coming, price, prices, [0] * len(coming)))
    return groups


class _Tally:
    """A quote in the making."""

    def __init__(self, currency: str, groups: list[_Group]) -> None:
        self.currency, self.groups = currency, groups
        self.step = money.step(currency)
        self.below: dict[int, list[Line]] = {id(group): [] for group in groups}
        self.last: list[Line] = []
        self.given: list[tuple[Reduction, int]] = []
        self.waived = 0

    @property
    def total(self) -> int:
        return sum(group.price - sum(group.off) for group in self.groups)

    def take(self, reduction: Reduction) -> None:
        """Take one reduction off what is left."""
        spots = self._covered(reduction)
        took = self._amount(reduction, spots) if reduction.kind == "amount" and spots else 0
        if reduction.kind != "amount":
            for group in self.groups:
                mine = [spot for spot in spots if spot[0] is group]
                took += self._on_line(reduction, mine) if mine else 0
        if spots:
            self.given.append((reduction, took))

    def waive(self) -> None:
        """Ask for nothing: what is left is less than Stripe would take."""
        self.waived = self.total
        self.last.append(Line(WAIVED, -self.waived))
        self._spread(self.waived, [(group, at) for group in self.groups for at in range(len(group.people))], 1)

    def quote(self) -> Quote:
        lines: list[Line] = []
        charges: list[Line] = []
        prices: Counter[int] = Counter()
        offs: Counter[int] = Counter()
        extras = []
        for group in self.groups:
            text = _text(group, self.currency)
            lines += [Line(text, group.price), *self.below[id(group)]]
            charges.append(Line(text, group.price - sum(group.off)))
            for person, price, off in zip(group.people, group.prices, group.off, strict=True):
                prices[person.n] += price
                offs[person.n] += off
                if person.is_extra:
                    extras.append(Extra(person.n, person.ticket, price, off))
        return Quote(
            self.currency,
            (*lines, *self.last),
            tuple(charges),
            self.total,
            tuple(Share(n, prices[n], offs[n]) for n in sorted(prices)),
            tuple(extras),
            tuple(self.given),
            self.waived,
        )

    def _covered(self, reduction: Reduction) -> list[Spot]:
        """The places it counts for."""
        spots = [
            (group, at)
            for group in self.groups
            for at, person in enumerate(group.people)
            if reduction.takes(person) and not (person.is_extra and reduction.covers is not None)
        ]
        if reduction.covers is None:
            return spots
        spots.sort(key=lambda spot: (spot[0].people[spot[1]].n not in reduction.prefers, -spot[0].left(spot[1])))
        return spots[: reduction.covers]

    def _on_line(self, reduction: Reduction, spots: list[Spot]) -> int:
        """A percentage or a fixed price, on the line of one ticket."""
        group = spots[0][0]
        left = sum(group.left(at) for _, at in spots)
        name = group.people[0].ticket_name
        if reduction.kind == "percent":
            off = min(money.percent_of(left, reduction.percent, self.step), self._whole(left))
            text = f"{reduction.code}, {reduction.words(self.currency)} {name}"
        else:
            off = self._whole(sum(max(group.left(at) - reduction.minor, 0) for _, at in spots))
            text = f"{reduction.code}, {name} for {money.text(reduction.minor, self.currency)}"
        self.below[id(group)].append(Line(text, -off))
        self._spread(off, spots, self.step)
        return off

    def _amount(self, reduction: Reduction, spots: list[Spot]) -> int:
        """An amount off everything it covers, never more than that costs."""
        off = self._whole(min(reduction.minor, sum(group.left(at) for group, at in spots)))
        self.last.append(Line(f"{reduction.code}, {reduction.words(self.currency)}", -off))
        self._spread(off, spots, self.step)
        return off

    def _whole(self, off: int) -> int:
        return off - off % self.step

    def _spread(self, off: int, spots: list[Spot], step: int) -> None:
        """Share what is taken off among the tickets and then among the people, by what each still costs."""
        groups = [group for group in self.groups if any(spot[0] is group for spot in spots)]
        mine = [[at for of, at in spots if of is group] for group in groups]
        parts = in_steps(off, [sum(map(group.left, ats)) for group, ats in zip(groups, mine, strict=True)], step)
        for group, ats, part in zip(groups, mine, parts, strict=True):
            for at, minor in zip(ats, in_steps(part, [group.left(at) for at in ats], step), strict=True):
                group.off[at] += minor


def in_steps(total: int, weights: Sequence[int], step: int) -> list[int]:
    """Spread `total` in multiples of `step`, where it and the weights are that."""
    step = step if all(each % step == 0 for each in (total, *weights)) else 1
    return [part * step for part in money.spread(total // step, [each // step for each in weights])]


def _text(group: _Group, currency: str) -> str:
    one = group.people[0]
    if group.units == 1:
        return one.ticket_name
    return f"{one.ticket_name}, {group.units} at {money.text(one.unit_minor, currency)}"
