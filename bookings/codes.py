"""Discount codes made and changed by their organiser, and how often they were used. Redemptions are `discounts`'."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select

from bookings import discounts
from bookings.models import DiscountCode, Redemption
from courses.editing import NotPossible
from lib import db


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
        used, most = uses([code.id], now).get(code.id, 0), facts.get("uses_total")
        if most is not None and most < used:
            raise NotPossible(f"{code.code} was used {used} times, so {most} uses in all are too few.")
    code.code, code.folded = "".join(text.split()), folded
    for name, value in facts.items():
        setattr(code, name, value)
    db.session.flush()
    return code


def uses(code_ids: Collection[int], now: datetime) -> dict[int, int]:
    """How often each code is used or held at `now`."""
    rows = db.session.execute(
        select(Redemption.code_id, func.count())
        .where(
            Redemption.code_id.in_(code_ids),
            or_(Redemption.state == "used", and_(Redemption.state == "held", Redemption.held_until > now)),
        )
        .group_by(Redemption.code_id)
    )
    return {code: number for code, number in rows}  # noqa: C416 - typed


def remove(code: DiscountCode) -> None:
    """Take away a code that was never used. Raises NotPossible otherwise."""
    if db.session.scalar(select(Redemption.id).where(Redemption.code_id == code.id).limit(1)):
        raise NotPossible(f"{code.code} is written on bookings and has to stay. Let it end today instead.")
    db.session.delete(code)
    db.session.flush()
