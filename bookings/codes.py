"""Discount codes made and changed by their organiser, and how often they were used. Redemptions are `discounts`'."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select

from bookings import discounts
from bookings.models import Booking, DiscountCode, Redemption
from courses.editing import NotPossible
from lib import db, money
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
    """What became of a code: how often it is used or held, by how many people, and in each currency what it gave and
    what those bookings came to, in minor units."""

    uses: int = 0
    held: int = 0
    people: int = 0
    given: Mapping[str, int] = field(default_factory=dict)
    taken: Mapping[str, int] = field(default_factory=dict)

    @property
    def words(self) -> str:
        if not self.uses:
            return "Not used so far."
        often = "Used once" if self.uses == 1 else f"Used {self.uses} times"
        held = f", {self.held} of them being paid for" if self.held else ""
        by = "one person" if self.people == 1 else f"{self.people} people"
        return f"{often} by {by}{held}. It gave {_amounts(self.given)}; those bookings came to {_amounts(self.taken)}."


NOTHING = Told()


def told(code_ids: Collection[int], now: datetime) -> dict[int, Told]:
    """The figures of each code that is used or held at `now`."""
    is_held = case((Redemption.state == "held", 1), else_=0)
    found: dict[int, Told] = {}
    counted = db.session.execute(
        select(Redemption.code_id, func.count(), func.sum(is_held), func.count(Redemption.person.distinct()))
        .where(Redemption.code_id.in_(code_ids), discounts.counting(now))
        .group_by(Redemption.code_id)
    )
    for code_id, number, held, people in counted:
        found[code_id] = Told(number, int(held), people, {}, {})
    sums = db.session.execute(
        select(Redemption.code_id, Booking.currency, func.sum(Redemption.minor), func.sum(Bill.total_minor))
        .join(Booking, Booking.id == Redemption.booking_id)
        .join(Bill, Bill.id == Booking.bill_id)
        .where(Redemption.code_id.in_(code_ids), discounts.counting(now))
        .group_by(Redemption.code_id, Booking.currency)
        .order_by(Booking.currency)
    )
    for code_id, currency, given, taken in sums:
        known = found[code_id]
        found[code_id] = replace(
            known, given={**known.given, currency: int(given)}, taken={**known.taken, currency: int(taken)}
        )
    return found


def gives(code: DiscountCode) -> str:
    """What a code takes off, in words."""
    if code.kind == "percent":
        return f"{code.percent}% off"
    amount = money.text(code.minor or 0, code.currency or "")
    return f"{amount} off" if code.kind == "amount" else f"{amount} a place"


def _amounts(by_currency: Mapping[str, int]) -> str:
    return " and ".join(money.text(minor, currency) for currency, minor in by_currency.items())


def remove(code: DiscountCode) -> None:
    """Take away a code that was never used. Raises NotPossible otherwise."""
    if db.session.scalar(select(Redemption.id).where(Redemption.code_id == code.id).limit(1)):
        raise NotPossible(f"{code.code} is written on bookings and has to stay. Let it end today instead.")
    db.session.delete(code)
    db.session.flush()
