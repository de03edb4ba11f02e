"""Discount codes made and changed by their organiser, and how often they were used. Redemptions are `discounts`'."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from bookings import discounts, same_card
from bookings.models import Booking, DiscountCode, Redemption
from courses.editing import NotPossible
from lib import db, money
from payments import ledger
from payments.ledger import Balance
from payments.models import Bill


class CodeTaken(ValueError):
    """The organiser has this code already, however it is written."""


def save(
    organiser_id: int, code: DiscountCode | None, text: str, facts: Mapping[str, Any], now: datetime
) -> DiscountCode:
    """Make a code or change one. Raises CodeTaken, and NotPossible for fewer uses than there were."""
    folded = discounts.fold(text)
    other = db.session.scalar(
        select(DiscountCode).where(DiscountCode.organiser_id == organiser_id, DiscountCode.folded == folded)
    )
    if other is not None and (code is None or other.id != code.id):
        raise CodeTaken(f"You have the code {other.code} already. Please choose another one.")
    if code is None:
        code = DiscountCode(organiser_id=organiser_id)
        db.session.add(code)
    else:
        used, most = told([code.id], now).get(code.id, NOTHING).uses, facts.get("uses_total")
        if most is not None and most < used:
            raise NotPossible(f"{code.code} was used {used} times, so {most} uses in all are too few.")
    code.code, code.folded = "".join(text.split()), folded
    for name, value in facts.items():
        setattr(code, name, value)
    db.session.flush()
    return code


@dataclass(frozen=True)
class Told:
    """What became of a code: how often it is used or held, by how many people, and in each currency what it gave, what
    those bookings came to and what of that is here, in minor units. `released` uses count no more: the hold ran out,
    or the booking ended or was paid back. `known_cards` are uses for a first event, paid with a card that had paid."""

    uses: int = 0
    held: int = 0
    released: int = 0
    people: int = 0
    known_cards: int = 0
    given: Mapping[str, int] = field(default_factory=dict)
    taken: Mapping[str, int] = field(default_factory=dict)
    kept: Mapping[str, int] = field(default_factory=dict)

    @property
    def words(self) -> str:
        back = f" Given back {_times(self.released)}." if self.released else ""
        if not self.uses:
            return f"Not used so far.{back}"
        held = f", {self.held} of them being paid for" if self.held else ""
        by = "one person" if self.people == 1 else f"{self.people} people"
        known = f" A card that had paid before paid {_times(self.known_cards)}." if self.known_cards else ""
        return (
            f"Used {_times(self.uses)} by {by}{held}. It gave {_amounts(self.given)}; those bookings came to "
            f"{_amounts(self.taken)}, and {_amounts(self.kept)} of that is here.{known}{back}"
        )


NOTHING = Told()


def told(code_ids: Collection[int], now: datetime) -> dict[int, Told]:
    """The figures of each code that was ever used or held, as they are at `now`; four statements however many."""
    rows = db.session.execute(
        select(
            Redemption.code_id,
            Redemption.person,
            Redemption.minor,
            Redemption.state,
            discounts.counting(now),
            Booking.currency,
            Booking.bill_id,
            Bill.total_minor,
            Booking.id,
        )
        .join(Booking, Booking.id == Redemption.booking_id)
        .join(Bill, Bill.id == Booking.bill_id)
        .where(Redemption.code_id.in_(code_ids))
        .order_by(Booking.currency, Booking.id)
    ).all()
    balances = ledger.balances({row.bill_id for row in rows})
    known = same_card.seen({row.id for row in rows})
    uses: dict[int, list[Any]] = {}
    for row in rows:
        uses.setdefault(row.code_id, []).append(row)
    return {number: _of(own, balances, known) for number, own in uses.items()}


def _of(rows: Sequence[Any], balances: Mapping[int, Balance], known: Collection[int]) -> Told:
    given, taken, kept = Counter[str](), Counter[str](), Counter[str]()
    counting = [row for row in rows if row[4]]
    for _, _, minor, _, _, currency, bill_id, total, _ in counting:
        given[currency] += minor
        taken[currency] += total
        kept[currency] += max(balances[bill_id].kept_minor, 0)
    return Told(
        uses=len(counting),
        held=sum(row.state == "held" for row in counting),
        released=len(rows) - len(counting),
        people=len({row.person for row in counting}),
        known_cards=sum(row.id in known for row in counting),
        given=dict(given),
        taken=dict(taken),
        kept=dict(kept),
    )


def hidden(found: Sequence[DiscountCode]) -> dict[int, DiscountCode]:
    """Codes that nobody can use, by id, each with the one it is taken for: two that look alike were made before
    look-alikes were one code."""
    by_name = {each.folded: each for each in found}
    return {
        each.id: by_name[name]
        for each in found
        if not each.is_automatic and (name := discounts.fold(each.code)) != each.folded and name in by_name
    }


def gives(code: DiscountCode) -> str:
    """What a code takes off, in words."""
    if code.kind == "percent":
        return f"{code.percent}% off"
    amount = money.text(code.minor or 0, code.currency or "")
    return f"{amount} off" if code.kind == "amount" else f"{amount} a place"


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def _amounts(by_currency: Mapping[str, int]) -> str:
    return " and ".join(money.text(minor, currency) for currency, minor in by_currency.items())


def remove(code: DiscountCode) -> None:
    """Take away a code that was never used. Raises NotPossible otherwise."""
    if db.session.scalar(select(Redemption.id).where(Redemption.code_id == code.id).limit(1)):
        raise NotPossible(f"{code.code} is written on bookings and has to stay. Let it end today instead.")
    db.session.delete(code)
    db.session.flush()
