"""Places: all or none, counted while held, free again when their time is over."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import event, func, select, update
from sqlalchemy.engine import Engine

from bookings import checkout
from bookings.models import Booking
from courses import places
from courses.models import Place, Pool
from courses.places import WorkshopFull
from lib import db
from tests.bookings.making import ANN, BOB, a_wish
from tests.builders import a_pool, a_ticket, a_workshop, arranged
from tests.conftest import MORNING, Clock

pytestmark = pytest.mark.both_databases

HALF_AN_HOUR = timedelta(minutes=30)


def a_room(app: Flask, *capacities: int) -> list[int]:
    """Pools of these sizes; their ids in order."""
    with arranged(app):
        workshop = a_workshop(capacity=capacities[0])
        others = [a_pool(workshop, code=f"more-{n}", capacity=size) for n, size in enumerate(capacities[1:])]
        return [workshop.pools[0].id, *(pool.id for pool in others)]


def hold(app: Flask, wanted: dict[int, int], *, now: datetime = MORNING) -> dict[int, list[int]]:
    with arranged(app):
        organiser = db.session.scalars(select(Pool.organiser_id).limit(1)).one()
        return places.hold(wanted, organiser_id=organiser, until=now + HALF_AN_HOUR, now=now)


def keep(app: Flask, ids: list[int], *, now: datetime = MORNING) -> None:
    with arranged(app):
        places.keep(ids, now)


def claimed(app: Flask, *pools: int, now: datetime = MORNING) -> list[int]:
    with app.app_context():
        found = places.claimed(pools, now)
        return [found[pool] for pool in pools]


def states(app: Flask, ids: list[int]) -> list[tuple[str, datetime | None]]:
    with app.app_context():
        rows = db.session.execute(select(Place.state, Place.held_until).where(Place.id.in_(ids)).order_by(Place.id))
        return [(state, until) for state, until in rows]


def number_of_places(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(Place)) or 0


def test_places_are_held_until_their_time_and_told_by_pool(app: Flask) -> None:
    (room,) = a_room(app, 5)

    held = hold(app, {room: 3})

    assert set(held) == {room}
    assert len(set(held[room])) == 3
    assert states(app, held[room]) == [("held", MORNING + HALF_AN_HOUR)] * 3
    assert claimed(app, room) == [3]


@pytest.mark.parametrize(
    ("taken", "wanted", "left", "said"),
    [
        (17, 4, 3, "You asked for 4; 3 places are left. Nothing has been charged and nothing is held for you."),
        (19, 2, 1, "You asked for 2; 1 place is left. Nothing has been charged and nothing is held for you."),
        (20, 1, 0, "The last place has gone. Nothing has been charged and nothing is held for you."),
        (0, 21, 20, "You asked for 21; 20 places are left. Nothing has been charged and nothing is held for you."),
    ],
)
def test_more_than_is_left_holds_nothing_and_says_how_many_there_are(
    app: Flask, taken: int, wanted: int, left: int, said: str
) -> None:
    (room,) = a_room(app, 20)
    if taken:
        hold(app, {room: taken})

    with pytest.raises(WorkshopFull) as refused:
        hold(app, {room: wanted})

    assert refused.value.left == left
    assert refused.value.message == said
    assert (refused.value.status, refused.value.refusal) == (409, "workshop_full")
    assert claimed(app, room) == [taken]
    assert number_of_places(app) == taken


def test_exactly_what_is_left_can_be_had(app: Flask) -> None:
    (room,) = a_room(app, 20)
    hold(app, {room: 17})

    hold(app, {room: 3})

    assert claimed(app, room) == [20]


def test_held_and_taken_places_count_and_released_ones_do_not(app: Flask) -> None:
    (room,) = a_room(app, 3)
    held = hold(app, {room: 3})[room]
    keep(app, held[:1])
    with arranged(app):
        places.release(held[1:2], MORNING)

    assert states(app, held) == [("taken", None), ("released", None), ("held", MORNING + HALF_AN_HOUR)]
    assert claimed(app, room) == [2]
    hold(app, {room: 1})
    with pytest.raises(WorkshopFull):
        hold(app, {room: 1})


def test_a_hold_counts_up_to_its_last_moment_and_not_at_its_end(app: Flask) -> None:
    (room,) = a_room(app, 1)
    hold(app, {room: 1})
    end = MORNING + HALF_AN_HOUR

    with pytest.raises(WorkshopFull):
        hold(app, {room: 1}, now=end - timedelta(microseconds=1))
    assert claimed(app, room, now=end - timedelta(microseconds=1)) == [1]
    assert claimed(app, room, now=end) == [0]
    hold(app, {room: 1}, now=end)
    assert claimed(app, room, now=end) == [1]


def test_all_pools_or_none(app: Flask) -> None:
    wide, narrow = a_room(app, 10, 2)

    with pytest.raises(WorkshopFull) as refused:
        hold(app, {wide: 3, narrow: 3})

    assert refused.value.left == 2
    assert claimed(app, wide, narrow) == [0, 0]
    held = hold(app, {wide: 3, narrow: 2})
    assert {pool: len(ids) for pool, ids in held.items()} == {wide: 3, narrow: 2}
    assert claimed(app, wide, narrow) == [3, 2]
    with app.app_context():
        owners = {each.id: each.pool_id for each in db.session.scalars(select(Place))}
    assert {place: pool for pool, ids in held.items() for place in ids} == owners


def test_the_pool_with_least_left_is_the_one_that_is_told(app: Flask) -> None:
    one, other = a_room(app, 4, 2)

    with pytest.raises(WorkshopFull) as refused:
        hold(app, {one: 5, other: 5})

    assert refused.value.left == 2


def test_pools_are_locked_in_order_of_their_ids_before_anything_is_counted(app: Flask, database_kind: str) -> None:
    first, second, third = a_room(app, 5, 5, 5)
    said: list[tuple[str, object]] = []

    def note(_connection: object, _cursor: object, statement: str, values: object, *_rest: object) -> None:
        said.append((" ".join(statement.split()), values))

    with app.app_context():
        engine: Engine = db.engine()
    event.listen(engine, "before_cursor_execute", note)
    try:
        hold(app, {third: 1, first: 1, second: 1})
    finally:
        event.remove(engine, "before_cursor_execute", note)

    asked = [statement for statement, _ in said if " FROM pool" in statement or "place" in statement]
    lock = next(n for n, statement in enumerate(asked) if "ORDER BY pool.id" in statement)
    count = next(n for n, statement in enumerate(asked) if "count(*)" in statement)
    claim = next(n for n, statement in enumerate(asked) if statement.startswith("INSERT INTO place"))
    assert lock < count < claim
    assert ("FOR UPDATE" in asked[lock]) == (database_kind == "postgresql")


def test_a_hold_that_is_extended_counts_for_longer(app: Flask) -> None:
    (room,) = a_room(app, 1)
    held = hold(app, {room: 1})[room]
    later = MORNING + timedelta(hours=1)
    with arranged(app):
        places.extend(held, later, MORNING + timedelta(minutes=20))

    assert states(app, held) == [("held", later)]
    with pytest.raises(WorkshopFull):
        hold(app, {room: 1}, now=MORNING + timedelta(minutes=45))


def test_a_hold_that_ran_out_is_extended_while_nobody_has_the_place(app: Flask) -> None:
    (room,) = a_room(app, 1)
    held = hold(app, {room: 1})[room]
    after = MORNING + timedelta(hours=1)
    with arranged(app):
        places.extend(held, after + HALF_AN_HOUR, after)
    assert states(app, held) == [("held", after + HALF_AN_HOUR)]

    much_later = after + timedelta(hours=2)
    others = hold(app, {room: 1}, now=much_later)[room]
    with pytest.raises(WorkshopFull) as refused, arranged(app):
        places.extend(held, much_later + HALF_AN_HOUR, much_later)
    assert refused.value.left == 0
    assert states(app, held + others) == [
        ("released", None),
        ("held", much_later + HALF_AN_HOUR),
    ]


def test_who_asked_before_the_end_and_comes_after_it_does_not_claim_what_somebody_else_has(app: Flask) -> None:
    """Each brings the time of its own request; the lock decides who comes first."""
    (room,) = a_room(app, 1)
    held = hold(app, {room: 1})[room]
    end = MORNING + HALF_AN_HOUR
    hold(app, {room: 1}, now=end)
    a_moment_before = end - timedelta(milliseconds=1)
    with pytest.raises(WorkshopFull), arranged(app):
        places.extend(held, end + HALF_AN_HOUR, a_moment_before)
    with pytest.raises(WorkshopFull), arranged(app):
        places.keep(held, a_moment_before)


@pytest.mark.parametrize("is_tidied", [False, True], ids=["left lying", "tidied"])
def test_places_are_kept_after_their_hold_ran_out_while_they_are_free(app: Flask, is_tidied: bool) -> None:
    (room,) = a_room(app, 2)
    held = hold(app, {room: 2})[room]
    if is_tidied:
        with arranged(app):
            places.release(held, MORNING)

    keep(app, held, now=MORNING + timedelta(hours=3))

    assert states(app, held) == [("taken", None)] * 2
    assert claimed(app, room, now=MORNING + timedelta(days=400)) == [2]


@pytest.mark.parametrize("is_tidied", [False, True], ids=["left lying", "tidied"])
def test_places_that_others_have_since_cannot_be_kept(app: Flask, is_tidied: bool) -> None:
    (room,) = a_room(app, 2)
    held = hold(app, {room: 2})[room]
    if is_tidied:
        with arranged(app):
            places.release(held, MORNING)
    after = MORNING + timedelta(hours=1)
    others = hold(app, {room: 1}, now=after)[room]
    before = states(app, held)

    with pytest.raises(WorkshopFull) as refused:
        keep(app, held, now=after)

    assert refused.value.left == 1
    assert states(app, held) == before
    assert states(app, others) == [("held", after + HALF_AN_HOUR)]
    assert claimed(app, room, now=after) == [1]


def test_keeping_twice_is_keeping_once(app: Flask) -> None:
    (room,) = a_room(app, 1)
    held = hold(app, {room: 1})[room]
    keep(app, held)

    keep(app, held, now=MORNING + timedelta(days=1))

    assert states(app, held) == [("taken", None)]


def test_a_room_made_smaller_takes_nothing_from_anybody_and_gives_nothing_more(app: Flask) -> None:
    (room,) = a_room(app, 5)
    held = hold(app, {room: 3})[room]
    with arranged(app):
        db.session.execute(update(Pool).where(Pool.id == room).values(capacity=2))

    with pytest.raises(WorkshopFull) as refused:
        hold(app, {room: 1})
    keep(app, held)

    assert refused.value.left == 0
    assert claimed(app, room) == [3]


def test_seat_01_variant_two_lines_of_two_with_three_left_are_refused_as_a_whole(app: Flask, clock: Clock) -> None:
    """Counted over all lines of a booking, and over both tickets that draw from one room."""
    with arranged(app):
        workshop = a_workshop(capacity=20)
        a_ticket(workshop, code="reduced", prices={"GBP": 9000})
        slug, room, organiser = workshop.slug, workshop.pools[0].id, workshop.organiser_id
        places.hold({room: 17}, organiser_id=organiser, until=MORNING + timedelta(days=1), now=MORNING)
    people = [ANN, BOB, ("Cy Carr", "cy@clinic.example"), ("Di Dunn", "di@clinic.example")]
    wish = a_wish(slug, people=people, tickets=["standard", "standard", "reduced", "reduced"])

    with pytest.raises(WorkshopFull) as refused, arranged(app):
        checkout.start(wish, clock.now())

    assert refused.value.left == 3
    assert claimed(app, room) == [17]
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Booking)) == 0


def test_each_attendee_has_one_place_in_every_pool_of_their_own_ticket(app: Flask, clock: Clock) -> None:
    with arranged(app):
        workshop = a_workshop(capacity=10, price_minor=None)
        room, camera = workshop.pools[0], a_pool(workshop, code="online", capacity=10)
        a_ticket(workshop, code="early", pools=[room], limited_to=4)
        a_ticket(workshop, code="both", pools=[room, camera])
        slug = workshop.slug
    with arranged(app):
        booking = checkout.start(a_wish(slug, people=[ANN, BOB], tickets=["early", "both"]), clock.now())
        drawn = {each.name: sorted(_code(claim.place.pool_id) for claim in each.claims) for each in booking.attendees}

    assert drawn == {ANN[0]: ["early", "room"], BOB[0]: ["online", "room"]}


def _code(pool_id: int) -> str:
    return db.session.get_one(Pool, pool_id).code
