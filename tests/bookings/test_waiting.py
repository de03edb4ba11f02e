"""The waiting list: order, offers that are held places, what the public may not buy meanwhile, and how it ends."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from bookings import audit, moving, waiting, waiting_list, waiting_pages, waiting_plan, waiting_refusals
from bookings.models import Attendee, Booking, WaitingPerson
from bookings.waiting_plan import Waits
from courses import places, tickets
from courses.models import Pool, TicketType, Workshop
from lib import clock as clocks
from lib import db
from tests.bookings.making import Made, a_wish, held, lapse, receive
from tests.bookings.waiting_people import (
    NEW_YORK,
    a_full_workshop,
    accept,
    book,
    give_up,
    left,
    letters,
    person,
    sold,
    states,
    templates,
    until,
    waits,
    work_off,
)
from tests.builders import a_ticket, a_workshop, arranged
from tests.conftest import MORNING, Clock

both = pytest.mark.both_databases
ROOM, OWN = 1, 2


def refuse_unsound(app: Flask) -> None:
    with app.app_context():
        assert audit.faults(clocks.now()) == []


def made_of(app: Flask, reference: str) -> Made:
    with app.app_context():
        number = db.session.scalars(select(Booking.id).where(Booking.reference == reference)).one()
    return Made(number, reference, "", ())


# Who is offered what


def queue(*people: tuple[int, bool] | int) -> list[Waits]:
    """People who want so many places of the room, and whether they take fewer."""
    pairs = [each if isinstance(each, tuple) else (each, True) for each in people]
    return [Waits(n, wanted, fewer, (ROOM,)) for n, (wanted, fewer) in enumerate(pairs, 1)]


@pytest.mark.parametrize(
    ("people", "free", "most", "offers", "passed"),
    [
        ([1, 1], 0, 10, [], {}),
        ([1, 1], 1, 10, [(1, 1)], {}),
        ([1, 1, 1], 2, 10, [(1, 1), (2, 1)], {}),
        ([1, 1, 1], 3, 1, [(1, 1)], {}),  # one at a time
        ([1, 1, 1], 3, 2, [(1, 1), (2, 1)], {}),  # in batches of two
        ([1, 1], 3, 0, [], {}),  # as many offers are open as may be
        ([2, 1], 1, 10, [(2, 1)], {1: 1}),  # too few for the first: the next whom it fits
        ([2, 1], 3, 10, [(1, 2), (2, 1)], {}),
        ([2, 2], 1, 10, [(1, 1)], {1: 1, 2: 1}),  # enough for nobody: the first may take fewer
        ([(2, False), 2], 1, 10, [(2, 1)], {1: 1, 2: 1}),
        ([(2, False)], 1, 10, [], {1: 1}),
        ([3], 2, 10, [(1, 2)], {1: 2}),
    ],
)
def test_free_places_go_down_the_list(
    people: list[tuple[int, bool] | int],
    free: int,
    most: int,
    offers: list[tuple[int, int]],
    passed: dict[int, int],
) -> None:
    made = waiting_plan.plan(queue(*people), {ROOM: free}, most)
    assert made.offers == offers
    assert made.passed_over == passed


def test_a_pair_is_offered_in_pairs() -> None:
    pairs = Waits(1, 4, True, (ROOM,), step=2, least_people=2)
    assert [pairs.takes_of(room) for room in range(6)] == [0, 0, 2, 2, 4, 4]
    assert pairs.least == 2
    assert Waits(1, 4, False, (ROOM,), step=2).least == 4


def test_every_pool_of_a_ticket_has_to_have_room() -> None:
    student = Waits(1, 1, True, (ROOM, OWN))
    assert waiting_plan.plan([student], {ROOM: 3, OWN: 0}, 9).offers == []
    assert waiting_plan.plan([student], {ROOM: 3, OWN: 1}, 9).offers == [(1, 1)]


def test_the_public_is_kept_from_the_scarcest_pool_alone() -> None:
    student, plain = Waits(1, 1, True, (ROOM, OWN)), Waits(2, 2, False, (ROOM,))
    assert waiting_plan.waited([student], {ROOM: 3, OWN: 0}) == {OWN: 1}
    assert waiting_plan.waited([student], {ROOM: 0, OWN: 0}) == {ROOM: 1, OWN: 1}
    assert waiting_plan.waited([student, plain], {ROOM: 3, OWN: 0}) == {ROOM: 2, OWN: 1}
    assert waiting_plan.waited([], {ROOM: 0}) == {}


@pytest.mark.parametrize(
    ("in_hours", "ends"),
    [(24 * 20, 48), (60, 36), (25, 2), (25.5, 2), (1, 1)],
)
def test_an_offer_ends_before_the_first_to_answer_has_the_place(in_hours: float, ends: float) -> None:
    start = MORNING + timedelta(hours=in_hours)
    found = waiting_plan.deadline(MORNING, hours=48, first_come_from=start - timedelta(hours=24), sale_ends=start)
    assert found == MORNING + timedelta(hours=ends)


@pytest.mark.parametrize(
    ("left_over", "waited_for", "public"),
    [(0, None, 0), (3, None, 3), (1, 1, 0), (3, 1, 0), (1, 2, 1), (2, 2, 0), (0, 1, 0)],
)
def test_what_somebody_waits_for_is_not_for_the_public(left_over: int, waited_for: int | None, public: int) -> None:
    assert places.for_public(left_over, waited_for) == public


# From a place given back to a booking


@both
def test_wait_01_an_offer_taken_and_cancelled_goes_to_the_next_and_never_comes_alive_again(
    app: Flask, clock: Clock
) -> None:
    slug, (holder,) = a_full_workshop(app)
    first, second = waits(app, slug, "w1"), waits(app, slug, "w2")
    give_up(app, holder)
    work_off(app)
    assert states(app, first, second) == ["offered", "waiting"]
    assert left(app, slug) == 0
    clock.shift(minutes=20)
    reference = book(app, first)
    made = made_of(app, reference)
    receive(app, made)
    assert states(app, first, second) == ["booked", "waiting"]
    clock.shift(minutes=8)
    give_up(app, made)
    assert left(app, slug) == 0  # not even before the worker comes
    work_off(app)
    assert states(app, first, second) == ["booked", "offered"]
    assert left(app, slug) == 0
    with pytest.raises(waiting_refusals.OfferSpent):
        accept(app, first)
    with pytest.raises(waiting_refusals.OfferSpent):
        book(app, first)
    with pytest.raises(places.WorkshopFull):
        held(app, a_wish(slug))
    refuse_unsound(app)


@both
def test_a_place_that_comes_free_is_not_sold_past_the_list(app: Flask, clock: Clock) -> None:
    with arranged(app):
        slug = a_workshop(capacity=1).slug
    holder = held(app, a_wish(slug))
    first = waits(app, slug, "w1")
    clock.shift(minutes=37)  # nobody paid, and no worker has tidied yet
    assert left(app, slug) == 0
    with pytest.raises(places.WorkshopFull):
        held(app, a_wish(slug, people=[("Quick", "quick@clinic.example")]))
    lapse(app, holder)
    work_off(app)
    assert states(app, first) == ["offered"]


@both
def test_an_offer_is_a_held_place_until_a_moment_on_the_person_s_clock(app: Flask, clock: Clock) -> None:
    slug, (holder,) = a_full_workshop(app)
    first, second = waits(app, slug, "w1", zone=NEW_YORK), waits(app, slug, "w2")
    give_up(app, holder)
    work_off(app)
    assert until(app, first) == MORNING + timedelta(hours=48)
    told = letters(app, first)[-1]
    assert told.template == "waiting_offer"
    assert told.values["until"] == "Thursday 4 March 2027, 04:00 EST (New York)"
    assert told.values["until_there"] == "Thursday 4 March 2027, 09:00 GMT (London)"
    clock.shift(hours=47, minutes=59)
    work_off(app)
    assert states(app, first, second) == ["offered", "waiting"]
    clock.shift(minutes=1)
    with pytest.raises(waiting_refusals.OfferSpent):  # at the deadline itself, whether or not the worker came
        accept(app, first)
    work_off(app)
    assert states(app, first, second) == ["lapsed", "offered"]
    assert templates(app, first)[-1] == "waiting_over"
    refuse_unsound(app)


@both
def test_the_held_place_itself_becomes_the_booking_s(app: Flask) -> None:
    slug, (holder,) = a_full_workshop(app)
    first = waits(app, slug, "w1")
    give_up(app, holder)
    work_off(app)
    ids = [each.place_id for each in person(app, first).offered]
    reference = book(app, first)
    with app.app_context():
        claims = (
            db.session.scalars(select(Attendee).join(Attendee.booking).where(Booking.reference == reference))
            .one()
            .claims
        )
        assert [each.place_id for each in claims] == ids
    assert person(app, first).offered == []
    receive(app, made_of(app, reference))
    refuse_unsound(app)


@both
def test_an_unpaid_booking_of_an_offer_goes_to_the_next(app: Flask, clock: Clock) -> None:
    slug, (holder,) = a_full_workshop(app)
    first, second = waits(app, slug, "w1"), waits(app, slug, "w2")
    give_up(app, holder)
    work_off(app)
    made = made_of(app, book(app, first))
    clock.shift(minutes=37)
    lapse(app, made)
    work_off(app)
    assert states(app, first, second) == ["booked", "offered"]


@both
def test_accepting_leaves_time_to_book_and_only_once(app: Flask, clock: Clock) -> None:
    slug, (holder,) = a_full_workshop(app)
    first = waits(app, slug, "w1")
    give_up(app, holder)
    work_off(app)
    clock.shift(hours=47, minutes=58)
    accept(app, first)
    assert until(app, first) == MORNING + timedelta(hours=47, minutes=58) + waiting.TO_BOOK
    clock.shift(minutes=20)
    accept(app, first)  # pressed again
    assert until(app, first) == MORNING + timedelta(hours=47, minutes=58) + waiting.TO_BOOK
    clock.shift(minutes=10)
    work_off(app)
    assert states(app, first) == ["lapsed"]
    assert left(app, slug) == 1  # nobody waits any more


@both
def test_one_at_a_time_leaves_the_others_waiting_and_the_public_out(app: Flask) -> None:
    slug, holders = a_full_workshop(app, capacity=2, waiting_at_once=1)
    first, second = waits(app, slug, "w1"), waits(app, slug, "w2")
    for each in holders:
        give_up(app, each)
    work_off(app)
    assert states(app, first, second) == ["offered", "waiting"]
    assert left(app, slug) == 0
    with app.app_context(), db.writing():
        waiting.leave(first, person(app, first).workshop_id, clocks.now())
    work_off(app)
    assert states(app, first, second) == ["left", "offered"]


# Groups


@both
def test_one_place_is_too_few_for_two_and_both_sides_see_why(app: Flask) -> None:
    slug, (holder,) = a_full_workshop(app)
    pair, single = waits(app, slug, "pair", wanted=2), waits(app, slug, "single")
    give_up(app, holder)
    work_off(app)
    assert states(app, pair, single) == ["waiting", "offered"]
    with app.app_context():
        found = waiting_list.by_id(pair)
        assert found
        view = waiting_pages.view(found, waiting_list.positions([found]), clocks.now())
    assert view.position == 1
    assert view.reasons[1].startswith("One place came free, and 2 places were asked for.")


@both
def test_who_wants_two_may_take_one_and_waits_on_for_two_if_not(app: Flask, clock: Clock) -> None:
    slug, holders = a_full_workshop(app, capacity=2)
    pair = waits(app, slug, "pair", wanted=2)
    give_up(app, holders[0])
    work_off(app)
    assert states(app, pair) == ["offered"]
    assert letters(app, pair)[-1].values["wanted"] == "2 places"
    clock.shift(hours=48)
    work_off(app)
    assert states(app, pair) == ["waiting"]
    assert left(app, slug) == 1  # one is of no use to them, so anybody may have it
    give_up(app, holders[1])
    assert left(app, slug) == 0  # two are theirs
    work_off(app)
    assert states(app, pair) == ["offered"]
    assert waiting_list.number_held(person(app, pair)) == 2
    accept(app, pair, 1)
    work_off(app)
    assert waiting_list.number_held(person(app, pair)) == 1
    assert left(app, slug) == 1
    refuse_unsound(app)


@both
def test_an_offer_for_two_booked_for_one_gives_the_other_back(app: Flask) -> None:
    slug, holders = a_full_workshop(app, capacity=2)
    pair, next_one = waits(app, slug, "pair", wanted=2), waits(app, slug, "next")
    for each in holders:
        give_up(app, each)
    work_off(app)
    assert states(app, pair, next_one) == ["offered", "waiting"]
    book(app, pair)
    work_off(app)
    assert states(app, pair, next_one) == ["booked", "offered"]
    refuse_unsound(app)


@both
def test_an_offer_for_one_cannot_be_booked_for_two(app: Flask) -> None:
    slug, holders = a_full_workshop(app, capacity=2)
    first, second = waits(app, slug, "w1"), waits(app, slug, "w2")
    for each in holders:
        give_up(app, each)
    work_off(app)
    with pytest.raises(places.WorkshopFull):
        book(app, first, people=2)
    assert states(app, first, second) == ["offered", "offered"]


# Near the start


@both
def test_near_the_start_everybody_is_told_and_the_first_to_answer_has_it(app: Flask, clock: Clock) -> None:
    slug, (holder,) = a_full_workshop(app, in_days=1)
    first, second = waits(app, slug, "w1"), waits(app, slug, "w2")
    clock.shift(hours=2)
    give_up(app, holder)
    work_off(app)
    assert states(app, first, second) == ["waiting", "waiting"]
    assert [templates(app, each)[-1] for each in (first, second)] == ["waiting_first_come"] * 2
    assert left(app, slug) == 0
    accept(app, second)
    with pytest.raises(waiting_refusals.SomebodyWasQuicker):
        accept(app, first)
    assert states(app, first, second) == ["waiting", "accepted"]
    assert book(app, second)
    refuse_unsound(app)


@both
def test_who_is_told_is_told_once_and_the_place_is_the_list_s_for_two_hours(app: Flask, clock: Clock) -> None:
    slug, (holder,) = a_full_workshop(app, in_days=1)
    first = waits(app, slug, "w1")
    clock.shift(hours=2)
    give_up(app, holder)
    work_off(app)
    work_off(app)
    clock.shift(hours=1, minutes=59)
    work_off(app)
    assert left(app, slug) == 0
    clock.shift(minutes=1)
    work_off(app)
    assert left(app, slug) == 1
    assert templates(app, first) == ["waiting_joined", "waiting_first_come"]
    accept(app, first)  # still free, so still theirs to take
    assert left(app, slug) == 0


@both
def test_long_before_the_start_nobody_answers_out_of_turn(app: Flask) -> None:
    slug, _ = a_full_workshop(app)
    first = waits(app, slug, "w1")
    with pytest.raises(waiting_refusals.NothingOffered):
        accept(app, first)


# The end of it


@both
def test_offers_stop_when_sale_ends_and_people_are_told(app: Flask, clock: Clock) -> None:
    slug, holders = a_full_workshop(app, capacity=2, in_days=3)
    first, second = waits(app, slug, "w1"), waits(app, slug, "w2")
    give_up(app, holders[0])
    work_off(app)
    assert states(app, first, second) == ["offered", "waiting"]
    clock.set("2027-03-05T10:00:00Z")
    give_up(app, holders[1])
    work_off(app)
    assert states(app, first, second) == ["closed", "closed"]
    assert [templates(app, each)[-1] for each in (first, second)] == ["waiting_over"] * 2


@both
def test_a_cancelled_workshop_has_no_list(app: Flask) -> None:
    slug, holders = a_full_workshop(app, capacity=2)
    first, second = waits(app, slug, "w1"), waits(app, slug, "w2")
    give_up(app, holders[0])
    work_off(app)
    with app.app_context(), db.writing():
        workshop = db.session.scalars(select(Workshop).where(Workshop.slug == slug)).one()
        moving.cancel_workshop(workshop, "Ill.", actor="user:1", now=clocks.now())
    work_off(app)
    assert states(app, first, second) == ["closed", "closed"]
    assert letters(app, second)[-1].values["heading"] == "The workshop is cancelled"
    refuse_unsound(app)


@both
def test_joining_twice_is_one_row_and_the_same_letter(app: Flask) -> None:
    slug, _ = a_full_workshop(app)
    first = waits(app, slug, "w1")
    assert waits(app, slug, "w1", wanted=2) == first
    assert person(app, first).wanted == 1
    assert templates(app, first) == ["waiting_joined"] * 2
    one, other = letters(app, first)
    assert one.values == other.values


@both
def test_who_left_comes_back_at_the_end(app: Flask, clock: Clock) -> None:
    slug, _ = a_full_workshop(app)
    first, second = waits(app, slug, "w1"), waits(app, slug, "w2")
    version = person(app, first).link_version
    with app.app_context(), db.writing():
        waiting.leave(first, person(app, first).workshop_id, clocks.now())
    clock.shift(minutes=1)
    assert waits(app, slug, "w1") == first
    assert person(app, first).link_version > version
    with app.app_context():
        assert [each.id for each in waiting_list.on_list(person(app, first).workshop_id)] == [second, first]


@both
def test_more_places_are_offered_too(app: Flask) -> None:
    slug, _ = a_full_workshop(app)
    first = waits(app, slug, "w1")
    with arranged(app):
        tickets.set_capacity(db.session.scalars(select(Pool)).one(), 2, clocks.now())
    assert left(app, slug) == 0
    work_off(app)
    assert states(app, first) == ["offered"]


# Tickets with limits of their own


@both
def test_who_waits_for_a_reduced_ticket_keeps_nobody_from_the_room(app: Flask) -> None:
    with arranged(app):
        workshop = a_workshop(capacity=5)
        a_ticket(workshop, code="student", prices={"GBP": 6000}, limited_to=1)
        slug = workshop.slug
    student = sold(app, slug, "student", ticket="student")
    first = waits(app, slug, "w1", ticket="student")
    held(app, a_wish(slug))
    give_up(app, student)
    with pytest.raises(places.WorkshopFull):
        held(app, a_wish(slug, people=[("Quick", "quick@clinic.example")], ticket="student"))
    work_off(app)
    assert states(app, first) == ["offered"]
    book(app, first, ticket="student")
    refuse_unsound(app)


@both
def test_a_room_that_fills_up_later_is_kept_for_who_waits_for_a_reduced_ticket_in_it(app: Flask) -> None:
    with arranged(app):
        workshop = a_workshop(capacity=2)
        a_ticket(workshop, code="student", prices={"GBP": 6000}, limited_to=1)
        slug = workshop.slug
    student = sold(app, slug, "student", ticket="student")
    first = waits(app, slug, "w1", ticket="student")
    sold(app, slug, "last")  # while a place of the room was free, only the student's own was waited for
    work_off(app)
    give_up(app, student)
    with pytest.raises(places.WorkshopFull):  # before the worker comes
        held(app, a_wish(slug, people=[("Quick", "quick@clinic.example")]))
    work_off(app)
    assert states(app, first) == ["offered"]
    refuse_unsound(app)


@both
def test_the_organiser_offers_by_hand_out_of_the_reserve(app: Flask) -> None:
    with arranged(app):
        workshop = a_workshop(capacity=2)
        workshop.pools[0].reserved = 1
        slug, number = workshop.slug, workshop.id
    sold(app, slug, "holder")
    first, second = waits(app, slug, "w1"), waits(app, slug, "w2")
    with arranged(app):
        waiting.offer_by_hand(second, number, actor="user:1", now=clocks.now())
    assert states(app, first, second) == ["waiting", "offered"]
    with pytest.raises(places.WorkshopFull), arranged(app):
        waiting.offer_by_hand(first, number, actor="user:1", now=clocks.now())
    receive(app, made_of(app, book(app, second)))
    assert states(app, first, second) == ["waiting", "booked"]
    refuse_unsound(app)


@both
def test_prices_are_those_of_the_day_of_booking(app: Flask) -> None:
    slug, (holder,) = a_full_workshop(app)
    first = waits(app, slug, "w1")
    give_up(app, holder)
    work_off(app)
    with arranged(app):
        ticket = db.session.scalars(select(TicketType)).one()
        ticket.prices[0].minor = 19900
    reference = book(app, first)
    with app.app_context():
        assert (
            db.session.scalars(select(Booking).where(Booking.reference == reference)).one().quote["total_minor"]
            == 19900
        )


@both
def test_the_database_refuses_an_offer_without_an_end(app: Flask) -> None:
    slug, _ = a_full_workshop(app)
    first = waits(app, slug, "w1")
    with pytest.raises(Exception, match="held_until"), arranged(app):
        db.session.get_one(WaitingPerson, first).held_until = MORNING
