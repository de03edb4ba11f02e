"""Discount codes: looked up, checked, counted under the lock while held, and given back. The only door to a
redemption's state."""

from collections.abc import Collection
from datetime import datetime
from typing import ClassVar

from sqlalchemy import and_, func, or_, select, update

from bookings.models import DiscountCode, Redemption
from bookings.pricing import Reduction
from lib import db, web, zones
from lib.forms import person_of


class CodeRefused(web.Refusal):
    """A code that does not count here; the price stays as it is."""

    status = 422
    refusal = "code_refused"
    title = "This code cannot be used here"


class CodeUnknown(CodeRefused):
    refusal = "code_unknown"


class CodeExpired(CodeRefused):
    refusal = "code_expired"


class CodeNotYetValid(CodeRefused):
    refusal = "code_not_yet_valid"


class CodeNotForTicket(CodeRefused):
    refusal = "code_not_for_ticket"


class CodeUsedByYou(CodeRefused):
    refusal = "code_used_by_you"


class CodeSpent(CodeRefused):
    """Its last use has gone, for good or while somebody else is paying."""

    status: ClassVar[int] = 409
    refusal = "code_spent"


def fold(text: str | None) -> str:
    """How a code is kept and looked up: no white space, upper-case. Empty means no code was given."""
    return "".join((text or "").split()).upper()


def find(organiser_id: int, text: str) -> DiscountCode:
    """The organiser's code, however it was typed. Raises CodeUnknown."""
    code = db.session.scalars(
        select(DiscountCode).where(DiscountCode.organiser_id == organiser_id, DiscountCode.folded == fold(text))
    ).one_or_none()
    if code is None:
        raise CodeUnknown(f"We do not know the code {fold(text)[:40]}. Check it letter by letter, or go on without it.")
    return code


def check(code: DiscountCode, *, tickets: Collection[str], email: str | None, zone: str, now: datetime) -> Reduction:
    """Whether the code counts at `now` for these tickets and this booker's address; raises the CodeRefused that says
    why not. Inside `redeem` the answer is final, elsewhere it is a forecast."""
    if code.valid_from and now < code.valid_from:
        raise CodeNotYetValid(
            f"{code.code} begins on {zones.moment(code.valid_from, zone)}. Until then the price stays."
        )
    if code.valid_until and now > code.valid_until:
        raise CodeExpired(f"{code.code} ended on {zones.moment(code.valid_until, zone)}. The price stays as it is.")
    reduction = Reduction(code.code, code.percent, frozenset(code.tickets) if code.tickets is not None else None)
    if not any(reduction.covers(ticket) for ticket in tickets):
        raise CodeNotForTicket(f"{code.code} is not for the ticket you chose. The price stays as it is.")
    if email and code.uses_per_person is not None:
        used = _uses(code.id, now, person_of(email))
        if used >= code.uses_per_person:
            raise CodeUsedByYou(f"{code.code} has already been used with this address. The price stays as it is.")
    if code.uses_total is not None and _uses(code.id, now) >= code.uses_total:
        raise CodeSpent(f"{code.code} has been used as often as it may be. Nothing is booked; the full price is open.")
    return reduction


def redeem(code_id: int, *, tickets: Collection[str], email: str, zone: str, now: datetime) -> Reduction:
    """Check the code with its row locked, so that nobody else can use its last use meanwhile. Raises CodeRefused.

    The caller adds the redemption with `hold_use` in the same transaction.
    """
    code = _lock(code_id)
    return check(code, tickets=tickets, email=email, zone=zone, now=now)


def hold_use(code: DiscountCode, booking_id: int, email: str, until: datetime) -> None:
    """One use, held while the booking is."""
    db.session.add(
        Redemption(
            organiser_id=code.organiser_id,
            code_id=code.id,
            booking_id=booking_id,
            person=person_of(email),
            state="held",
            held_until=until,
        )
    )
    db.session.flush()


def extend_use(booking_id: int, until: datetime) -> None:
    """The hold of the booking moved: its use moves with it."""
    _set(booking_id, ("held",), state="held", held_until=until)


def keep_use(booking_id: int, now: datetime) -> None:
    """The booking is confirmed: its use counts for good.

    A use whose hold ran out is claimed again under the lock; raises CodeSpent when others have had it meanwhile.
    """
    use = db.session.scalars(select(Redemption).where(Redemption.booking_id == booking_id)).one_or_none()
    if use is None:
        return
    code = _lock(use.code_id)
    still_counts = use.state == "used" or (use.held_until is not None and use.held_until > now)
    if not still_counts and code.uses_total is not None and _uses(code.id, now) >= code.uses_total:
        raise CodeSpent(f"{code.code} was used up by others after the hold on this booking had run out.")
    _set(booking_id, ("held", "released"), state="used", held_until=None)


def release_use(booking_id: int) -> None:
    """The booking came to nothing: its use is free again."""
    _set(booking_id, ("held", "used"), state="released", held_until=None)


def _lock(code_id: int) -> DiscountCode:
    return db.session.scalars(
        select(DiscountCode)
        .where(DiscountCode.id == code_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def _set(booking_id: int, states: Collection[str], **values: object) -> None:
    db.session.execute(
        update(Redemption).where(Redemption.booking_id == booking_id, Redemption.state.in_(states)).values(**values)
    )


def _uses(code_id: int, now: datetime, person: str | None = None) -> int:
    counts = or_(Redemption.state == "used", and_(Redemption.state == "held", Redemption.held_until > now))
    query = select(func.count()).select_from(Redemption).where(Redemption.code_id == code_id, counts)
    if person is not None:
        query = query.where(Redemption.person == person)
    return db.session.scalar(query) or 0
