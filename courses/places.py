"""Places: the only door to claiming, keeping and giving back a seat of a pool.

What becomes scarcer is locked, in order of id, before it is counted; what becomes freer is not. A held place counts
while its time runs, whether or not anybody has tidied it away.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import BindParameter, ColumnElement, and_, delete, func, insert, or_, select, update

from courses.models import Place, Pool
from lib import db, web, work

PLACES_FREE = "bookings.places_free"  # the waiting list is in a room to the right
PLACES_GONE = "bookings.places_gone"


class WorkshopFull(web.Refusal):
    """Fewer places are left than were asked for. `left` says how many there are."""

    status = 409
    refusal = "workshop_full"
    title = "There are not enough places left"

    def __init__(self, left: int, wanted: int, **facts: str) -> None:
        few = "place is" if left == 1 else "places are"
        said = "The last place has gone." if left == 0 else f"You asked for {wanted}; {left} {few} left."
        super().__init__(f"{said} Nothing has been charged and nothing is held for you.", left=left, **facts)
        self.left = left


def claimed(pool_ids: Collection[int], now: datetime) -> Counter[int]:
    """How many places of each pool are taken, or held at `now`."""
    return _counted(pool_ids, counts(now))


def counts(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """The condition under which a place is not free at `now`."""
    return or_(Place.state == "taken", and_(Place.state == "held", Place.held_until > now))


def for_sale(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """The condition under which a place counts against what the public can buy: not those of the reserve."""
    return and_(counts(now), Place.is_reserve.is_(False))


def for_public(left: int, waited: int | None) -> int:
    """How many of the places that are left anybody may buy: none while as many are free as somebody waits for."""
    return 0 if waited is not None and left >= waited else left


def hold(
    wanted: Mapping[int, int],
    *,
    organiser_id: int,
    until: datetime,
    now: datetime,
    of_reserve: bool = False,
    for_list: bool = False,
) -> dict[int, list[int]]:
    """Hold `wanted[pool]` places in each pool until `until`; all of them or none.

    The organiser gives `of_reserve` first, and of what is for sale once that is gone. Only they and offers `for_list`
    get what somebody waits for. Returns the new places' ids by pool; none for what draws from no pool. Raises
    WorkshopFull.
    """
    if not wanted:
        return {}
    reserve = _reserve(wanted, now) if of_reserve else Counter[int]()
    asked = {pool: number - reserve[pool] for pool, number in wanted.items()}
    emptied = _lock_and_check(asked, now, is_first=of_reserve or for_list)
    ids = db.session.scalars(
        insert(Place).returning(Place.id, sort_by_parameter_order=True),
        [
            {
                "organiser_id": organiser_id,
                "pool_id": pool,
                "state": "held",
                "held_until": until,
                "is_reserve": each < reserve[pool],
            }
            for pool, number in sorted(wanted.items())
            for each in range(number)
        ],
    ).all()
    _tell_lists(emptied, now)
    left = iter(ids)
    return {pool: [next(left) for _ in range(number)] for pool, number in sorted(wanted.items())}


def extend(place_ids: Sequence[int], until: datetime, now: datetime) -> None:
    """Hold the same places until `until`, claiming them again if their time ran out. Raises WorkshopFull."""
    _claim_again(place_ids, now)
    db.session.execute(update(Place).where(Place.id.in_(place_ids)).values(state="held", held_until=until))


def keep(place_ids: Sequence[int], now: datetime) -> None:
    """Take the places for good, claiming again those whose hold ran out. Raises WorkshopFull when others have them."""
    _claim_again(place_ids, now)
    db.session.execute(update(Place).where(Place.id.in_(place_ids)).values(state="taken", held_until=None))


def pass_over(
    offered: Sequence[int], wanted: Mapping[int, int], *, organiser_id: int, until: datetime, now: datetime
) -> dict[int, list[int]]:
    """Hold for a booking what was held as an offer, which is free at no moment between.

    What is wanted beyond the offer is held like anybody else's, what is left of it is given back. Returns places'
    ids by pool. Raises WorkshopFull.
    """
    still = select(Place.pool_id, Place.id).where(Place.id.in_(offered), counts(now)).order_by(Place.id)
    mine: dict[int, list[int]] = {pool: [] for pool in wanted}
    for pool, place in db.session.execute(still):
        mine.setdefault(pool, []).append(place)
    more = {pool: number - len(mine[pool]) for pool, number in wanted.items() if number > len(mine[pool])}
    fresh = hold(more, organiser_id=organiser_id, until=until, now=now) if more else {}
    kept = {pool: mine[pool][:number] for pool, number in wanted.items()}
    over = [place for pool, ids in mine.items() for place in ids[wanted.get(pool, 0) :]]
    passed = [place for ids in kept.values() for place in ids]
    db.session.execute(update(Place).where(Place.id.in_(passed)).values(state="held", held_until=until))
    if over:
        release(over, now)
    return {pool: kept[pool] + fresh.get(pool, []) for pool in wanted}


def release(place_ids: Sequence[int], now: datetime) -> None:
    """Give the places back. They are never used again: a later claim makes new ones or claims these under the lock.

    Whoever waits for such a place hears of it from a job of this transaction.
    """
    db.session.execute(update(Place).where(Place.id.in_(place_ids)).values(state="released", held_until=None))
    of = select(Pool.workshop_id).join(Place, Place.pool_id == Pool.id).where(Place.id.in_(place_ids)).distinct()
    for workshop in db.session.scalars(of).all():
        came_free(workshop, now)


def came_free(workshop_id: int, now: datetime) -> None:
    """Something about the places of a workshop changed, so that its waiting list has to be looked at."""
    work.post(PLACES_FREE, f"workshop:{workshop_id}", now, {"workshop": workshop_id})


def locked_free(workshop_id: int, now: datetime) -> dict[int, int]:
    """Lock all pools of a workshop; how many places of each are free at `now`, the reserve left aside."""
    ids = db.session.scalars(select(Pool.id).where(Pool.workshop_id == workshop_id)).all()
    pools = _lock(set(ids))
    gone = _counted(ids, for_sale(now))
    return {pool.id: max(pool.capacity - pool.reserved - gone[pool.id], 0) for pool in pools}


def keep_for_list(waited: Mapping[int, int | None]) -> None:
    """Of each of these pools, locked, keep free places from the public while as many are free as somebody waits for;
    None is nobody."""
    for pool in db.session.scalars(select(Pool).where(Pool.id.in_(waited)).order_by(Pool.id)):
        pool.waited = waited[pool.id]
    db.session.flush()


def forget(pool_ids: Sequence[int]) -> None:
    """Remove what was ever claimed of pools that are about to be deleted; whoever deletes them made sure of it."""
    db.session.execute(delete(Place).where(Place.pool_id.in_(pool_ids)))


def _claim_again(place_ids: Sequence[int], now: datetime) -> None:
    """Lock the pools of `place_ids` and make sure there is room for those of them that no longer count."""
    rows = db.session.execute(select(Place.pool_id, Place.id, counts(now)).where(Place.id.in_(place_ids))).all()
    pools = {pool for pool, _, _ in rows}
    _lock(pools)
    # Only the lock makes the answer final: the lapse job or another buyer may have come between.
    rows = db.session.execute(select(Place.pool_id, Place.id, counts(now)).where(Place.id.in_(place_ids))).all()
    missing = Counter(pool for pool, _, does_count in rows if not does_count)
    if missing:
        # Who once held the place comes before who waits for one.
        _tell_lists(_lock_and_check(missing, now, is_first=True), now)


def _reserve(wanted: Mapping[int, int], now: datetime) -> Counter[int]:
    """How many of the wanted places the reserve of each pool still has."""
    pools = _lock(set(wanted))
    given = _counted(list(wanted), and_(counts(now), Place.is_reserve))
    return Counter({pool.id: max(min(wanted[pool.id], pool.reserved - given[pool.id]), 0) for pool in pools})


def _lock_and_check(wanted: Mapping[int, int], now: datetime, *, is_first: bool = False) -> set[int]:
    """Lock the pools and make sure there is room. Returns the workshops of those that have none left then."""
    pools = _lock(set(wanted))
    _end_what_ran_out(wanted, now)
    gone = _counted(list(wanted), for_sale(now))
    free = {pool.id: max(pool.capacity - pool.reserved - gone[pool.id], 0) for pool in pools}
    left = {pool.id: free[pool.id] if is_first else for_public(free[pool.id], pool.waited) for pool in pools}
    short = [pool for pool, number in wanted.items() if number > left[pool]]
    if short:
        worst = min(short, key=lambda pool: left[pool])
        raise WorkshopFull(left[worst], wanted[worst])
    return {pool.workshop_id for pool in pools if free[pool.id] == wanted[pool.id]}


def _tell_lists(workshop_ids: Collection[int], now: datetime) -> None:
    """A pool has run out: it may now be the scarcest of those that somebody waits for."""
    if not workshop_ids:
        return
    waited = select(Pool.workshop_id).where(Pool.workshop_id.in_(workshop_ids), Pool.waited.is_not(None)).distinct()
    for workshop in db.session.scalars(waited).all():
        work.post(PLACES_GONE, f"workshop:{workshop}", now, {"workshop": workshop})


def _end_what_ran_out(pool_ids: Collection[int], now: datetime) -> None:
    """Holds that are over are given back before anybody counts on that. Whoever held one and asked for more time a
    moment before its end, but comes to the lock after its end, finds it gone instead of claiming it a second time."""
    is_over = (Place.state == "held") & (Place.held_until <= now)
    over = db.session.scalars(select(Place.id).where(Place.pool_id.in_(pool_ids), is_over)).all()
    if over:
        db.session.execute(update(Place).where(Place.id.in_(over)).values(state="released", held_until=None))


def _counted(pool_ids: Collection[int], condition: ColumnElement[bool]) -> Counter[int]:
    rows = db.session.execute(
        select(Place.pool_id, func.count()).where(Place.pool_id.in_(pool_ids), condition).group_by(Place.pool_id)
    )
    return Counter({pool: number for pool, number in rows})  # noqa: C416 - typed


def _lock(pool_ids: Collection[int]) -> Sequence[Pool]:
    return db.session.scalars(
        select(Pool)
        .where(Pool.id.in_(pool_ids))
        .order_by(Pool.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
