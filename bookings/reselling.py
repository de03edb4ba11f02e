"""Whether a place that was given back has been sold again: refunds may hang on it.

The places of a pool are all alike, so those that were never sold go first: one that was given back counts as sold
again once fewer places are unsold than were given back, the longest given back first. A hold is no sale, and neither
is a bank debit under way.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from bookings.models import Attendee, AttendeePlace, Change
from courses.models import Place, Pool, TicketType
from lib import db, work

PLACE_RESOLD = "bookings.place_resold"  # about the attendee, once: whoever owes them something registers a handler


def give_back(gone: Sequence[Attendee], now: datetime) -> None:
    """These attendees, whose places were sold, no longer come."""
    for attendee in gone:
        for claim in attendee.claims:
            claim.given_back_at, claim.resold_at = now, None


def sold(place_ids: Sequence[int], now: datetime) -> None:
    """These places are sold, their pools locked by whoever took them: note which given-back ones that makes good."""
    pools = select(Place.pool_id).where(Place.id.in_(place_ids))
    rows = db.session.execute(
        select(Place.pool_id, AttendeePlace)
        .join(AttendeePlace, AttendeePlace.place_id == Place.id)
        .where(Place.pool_id.in_(pools), AttendeePlace.given_back_at.is_not(None), AttendeePlace.resold_at.is_(None))
        .order_by(AttendeePlace.given_back_at, AttendeePlace.id)
    ).all()
    back: dict[int, list[AttendeePlace]] = {}
    for pool, claim in rows:
        back.setdefault(pool, []).append(claim)
    unsold = _unsold(list(back))
    made_good = [claim for pool, claims in back.items() for claim in claims[: max(len(claims) - unsold[pool], 0)]]
    for claim in made_good:
        claim.resold_at = now
    db.session.flush()
    for attendee_id in sorted({claim.attendee_id for claim in made_good}):
        if resold(attendee_id):
            key = f"{PLACE_RESOLD}:{attendee_id}"
            work.post(PLACE_RESOLD, f"attendee:{attendee_id}", now, {"attendee": attendee_id}, dedupe_key=key)


def resold(attendee_id: int) -> bool:
    """Whether the place this attendee gave back has been sold again, in every pool it was one of.

    A ticket's own limit does not matter: a student's place may be filled at the full price.
    """
    rows = db.session.execute(
        select(Pool.code == TicketType.code, AttendeePlace.resold_at)
        .select_from(AttendeePlace)
        .join(Attendee, Attendee.id == AttendeePlace.attendee_id)
        .join(TicketType, TicketType.id == Attendee.ticket_type_id)
        .join(Place, Place.id == AttendeePlace.place_id)
        .join(Pool, Pool.id == Place.pool_id)
        .where(AttendeePlace.attendee_id == attendee_id)
    ).all()
    rooms = [at for is_own_limit, at in rows if not is_own_limit] or [at for _, at in rows]
    return bool(rooms) and all(rooms)


def pending(booking_id: int) -> list[Change]:
    """What was given up and waits, at the latest until its workshop begins, for somebody else to take the place."""
    wanted = (
        select(Change)
        .where(Change.booking_id == booking_id, Change.state == "pending")
        .order_by(Change.id)
        .options(joinedload(Change.attendee).joinedload(Attendee.workshop))
    )
    return list(db.session.scalars(wanted))


def _unsold(pool_ids: Sequence[int]) -> dict[int, int]:
    """How many places of each pool nobody has bought, held or not; the reserve left aside."""
    bought = (
        select(Place.pool_id, func.count().label("number"))
        .join(AttendeePlace, AttendeePlace.place_id == Place.id)
        .join(Attendee, Attendee.id == AttendeePlace.attendee_id)
        .where(Place.state == "taken", Place.is_reserve.is_(False), Attendee.state == "confirmed")
        .group_by(Place.pool_id)
        .subquery()
    )
    rows = db.session.execute(
        select(Pool.id, Pool.capacity - Pool.reserved - func.coalesce(bought.c.number, 0))
        .outerjoin(bought, bought.c.pool_id == Pool.id)
        .where(Pool.id.in_(pool_ids))
    )
    return {pool: max(left, 0) for pool, left in rows}
