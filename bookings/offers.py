"""Which of the codes typed, and of those nobody has to type, make a booking cheapest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select

from bookings import discounts
from bookings.discounts import CodeNotNeeded, CodeNotTogether, CodeRefused, CodeSpent, Purchase
from bookings.models import DiscountCode
from bookings.pricing import Quote, Reduction
from lib import db


@dataclass(frozen=True)
class Priced:
    """A purchase with the best of its codes: those that count, and why a typed one does not."""

    quote: Quote
    counting: tuple[DiscountCode, ...]
    refused: CodeRefused | None = None

    @property
    def accepted(self) -> tuple[Reduction, ...]:
        """What the typed codes take off."""
        typed = {code.code for code in self.counting if not code.is_automatic}
        return tuple(reduction for reduction, _ in self.quote.given if reduction.code in typed)


def price(purchase: Purchase, typed: str | None, now: datetime) -> Priced:
    """The best price with the codes typed, as far as can be told without the lock. Raises OddNumber."""
    automatic = _automatic(purchase, now)
    try:
        return _weigh(_found(purchase, typed), automatic, purchase, now)
    except CodeRefused as refused:
        return _weigh([], automatic, purchase, now, refused)


def redeem(purchase: Purchase, typed: str | None, now: datetime) -> Priced:
    """The same with the rows of scarce codes locked, so that nobody else can use a last use meanwhile.

    The caller holds the uses in the same transaction. Raises the CodeRefused that stands against the booking; a code
    that is not needed does not.
    """
    found, automatic = _found(purchase, typed), _automatic(purchase, now)
    discounts.lock([code.id for code in (*found, *automatic) if _is_scarce(code)])
    priced = _weigh(found, automatic, purchase, now)
    if priced.refused and not isinstance(priced.refused, CodeNotNeeded):
        raise priced.refused
    return priced


def _found(purchase: Purchase, typed: str | None) -> list[DiscountCode]:
    """The codes that were typed. Raises CodeUnknown, or CodeNotTogether."""
    texts = dict.fromkeys(map(discounts.fold, discounts.split(typed)))
    shown = {discounts.fold(each): each for each in discounts.split(typed)}
    found = [discounts.find(purchase.workshop.organiser.id, shown[each]) for each in texts]
    alone = next((code for code in found if not code.stacks), None)
    if alone and len(found) > 1:
        raise CodeNotTogether(f"{alone.code} cannot be added to another code. Please give one of them.")
    return found


def _automatic(purchase: Purchase, now: datetime) -> list[DiscountCode]:
    """The organiser's codes that count without being typed, while they last."""
    return list(
        db.session.scalars(
            select(DiscountCode)
            .where(
                DiscountCode.organiser_id == purchase.workshop.organiser.id,
                DiscountCode.is_automatic,
                or_(DiscountCode.valid_until.is_(None), DiscountCode.valid_until > now - discounts.LAST_SECOND),
            )
            .order_by(DiscountCode.id)
        )
    )


def _weigh(
    typed: Sequence[DiscountCode],
    automatic: Sequence[DiscountCode],
    purchase: Purchase,
    now: datetime,
    refused: CodeRefused | None = None,
) -> Priced:
    """The best of what may count. A code whose budget does not reach for what it would take off is not among it."""
    may_count: dict[DiscountCode, Reduction] = {}
    for code in (*typed, *automatic):
        try:
            may_count[code] = discounts.check(code, purchase, now)
        except CodeRefused as problem:
            refused = refused if code.is_automatic else refused or problem
    quote = purchase.price(list(may_count.values()))
    while over := [code for code in may_count if _is_over(code, quote.took(code.code), now)]:
        for code in over:
            del may_count[code]
            if not code.is_automatic:
                refused = refused or CodeSpent(f"What {code.code} may give away has gone. The full price is open.")
        quote = purchase.price(list(may_count.values()))
    by_text = {code.code: code for code in may_count}
    counting = tuple(by_text[reduction.code] for reduction, _ in quote.given)
    idle = next((code for code in typed if code in may_count and code not in counting), None)
    return Priced(quote, counting, refused or (_not_needed(idle, counting) if idle else None))


def _not_needed(idle: DiscountCode, counting: Sequence[DiscountCode]) -> CodeNotNeeded:
    others = " and ".join(code.code for code in counting)
    why = f"{others} takes off as much or more and counts instead" if others else "There is nothing to take off"
    return CodeNotNeeded(f"{why}, so {idle.code} stays unused.")


def _is_over(code: DiscountCode, minor: int, now: datetime) -> bool:
    """Whether taking off so much would be more than the code may still give."""
    if code.budget_minor is None or not minor:
        return False
    _, given = discounts.uses(code.id, now)
    return given + minor > code.budget_minor


def _is_scarce(code: DiscountCode) -> bool:
    return any(most is not None for most in (code.uses_total, code.uses_per_person, code.budget_minor))
