"""Waiting lists and several people at the same moment: no place twice, no offer given that is gone a moment later, and
nobody charged without a place."""

import threading
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from bookings import checkout, waiting, waiting_list
from bookings.models import Booking, WaitingPerson
from courses import places
from courses.models import Workshop
from lib import clock as product_clock
from lib import db
from tests.bookings.making import Made, receive
from tests.bookings.waiting_people import (
    a_full_workshop,
    book,
    give_up,
    left,
    person,
    receive_of,
    states,
    templates,
    waits,
    work_off,
)
from tests.conftest import MORNING, Clock, at_once
from tests.races import racing
from tests.races.racing import Meeting, a_wish, buying, claimed
from tests.races.test_cancelling import between

pytestmark = pytest.mark.both_databases
Deed = Callable[[], Any]
END = MORNING + timedelta(hours=48)  # of an offer made in the morning
A_MOMENT = timedelta(milliseconds=1)


def accepting(number: int, workshop_id: int, at: datetime) -> Deed:
    """Somebody presses the button; the time is that of their request, whenever they come to the lock."""

    def accept() -> str:
        with db.writing():
            waiting.accept(number, workshop_id, 1, at)
        return "accepted"

    return accept


def settling(workshop_id: int, at: datetime) -> Deed:
    def settle() -> str:
        with db.writing():
            waiting.settle(workshop_id, at, has_come_free=False)
        return "settled"

    return settle


def in_house(app: Flask, deed: Deed) -> Deed:
    def do() -> Any:
        with app.app_context():
            return deed()

    return do


def one_after_the_other(app: Flask, module: Any, name: str, first: Deed, second: Deed) -> list[Any]:
    """The second begins when the first is in the middle of it, at the end of `name`."""
    return between(module, name, in_house(app, first), in_house(app, second))


def workshop_of(app: Flask, slug: str) -> int:
    with app.app_context():
        return db.session.scalars(select(Workshop.id).where(Workshop.slug == slug)).one()


def kinds(results: list[Any]) -> list[str]:
    return [type(each).__name__ if isinstance(each, Exception) else str(each) for each in results]


def an_offer(app: Flask) -> tuple[str, int, int, int]:
    """The one place is offered to the first of two who wait: slug, workshop and both."""
    slug, (holder,) = a_full_workshop(app)
    first, second = waits(app, slug, "first"), waits(app, slug, "second")
    give_up(app, holder)
    work_off(app)
    assert states(app, first, second) == ["offered", "waiting"]
    return slug, workshop_of(app, slug), first, second


def nothing_is_sold_twice(app: Flask, slug: str) -> None:
    assert claimed(app, slug)["room"] <= 1
    assert racing.faults(app) == []


class TestAcceptingWhileItLapses:
    """The request comes a moment before the end, the worker at it."""

    def test_who_comes_to_the_lock_first_has_it(self, app: Flask, clock: Clock) -> None:
        slug, workshop, first, second = an_offer(app)
        clock.set(END)
        accept, lapse = accepting(first, workshop, END - A_MOMENT), settling(workshop, END)
        results = one_after_the_other(app, waiting_list, "locked", accept, lapse)
        assert kinds(results) == ["accepted", "settled"]
        assert states(app, first, second) == ["accepted", "waiting"]
        assert book(app, first)
        nothing_is_sold_twice(app, slug)

    def test_who_comes_after_the_worker_is_told_that_it_is_over(self, app: Flask, clock: Clock) -> None:
        slug, workshop, first, second = an_offer(app)
        clock.set(END)
        accept, lapse = accepting(first, workshop, END - A_MOMENT), settling(workshop, END)
        results = one_after_the_other(app, waiting_list, "locked", lapse, accept)
        assert kinds(results) == ["settled", "OfferSpent"]
        assert states(app, first, second) == ["lapsed", "offered"]
        assert templates(app, second).count("waiting_offer") == 1
        nothing_is_sold_twice(app, slug)

    def test_together_it_is_one_or_the_other(self, app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        slug, workshop, first, second = an_offer(app)
        clock.set(END)
        racing.pausing(monkeypatch, waiting_list, "locked", Meeting(2))
        results = at_once(app, [accepting(first, workshop, END - A_MOMENT), settling(workshop, END)])
        found = (kinds(results)[0], states(app, first, second))
        assert found in [("accepted", ["accepted", "waiting"]), ("OfferSpent", ["lapsed", "offered"])]
        nothing_is_sold_twice(app, slug)

    def test_needs_the_lock(self, app: Flask, clock: Clock, database_kind: str) -> None:
        """On PostgreSQL it is given and taken away; on SQLite one of the two gets an error instead of an answer."""
        _, workshop, first, second = an_offer(app)
        clock.set(END)
        accept, lapse = accepting(first, workshop, END - A_MOMENT), settling(workshop, END)
        with racing.without_locks(app):
            results = one_after_the_other(app, waiting_list, "locked", lapse, accept)
        if database_kind == "postgresql":
            assert kinds(results)[1] == "accepted"
            assert states(app, first, second) == ["lapsed", "offered"]  # though the first was told it is theirs
        else:
            assert any(isinstance(each, OperationalError) for each in results)

    def test_what_ended_a_moment_ago_and_was_sold_is_not_accepted(self, app: Flask, clock: Clock) -> None:
        """Nobody else waits, so at its end the place is anybody's, whether or not the worker has come."""
        slug, (holder,) = a_full_workshop(app)
        first = waits(app, slug, "first")
        give_up(app, holder)
        work_off(app)
        clock.set(END)
        results = one_after_the_other(
            app, checkout, "_hold", buying(a_wish(slug)), accepting(first, workshop_of(app, slug), END - A_MOMENT)
        )
        assert kinds(results)[1] == "OfferSpent"
        assert claimed(app, slug) == {"room": 1}
        work_off(app)
        assert states(app, first) == ["lapsed"]
        nothing_is_sold_twice(app, slug)

    def test_it_is_sold_twice_where_what_ran_out_is_only_not_counted(
        self, app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(places, "_end_what_ran_out", lambda *_: None)
        slug, (holder,) = a_full_workshop(app)
        first = waits(app, slug, "first")
        give_up(app, holder)
        work_off(app)
        clock.set(END)
        results = one_after_the_other(
            app, checkout, "_hold", buying(a_wish(slug)), accepting(first, workshop_of(app, slug), END - A_MOMENT)
        )
        assert kinds(results)[1] == "accepted"
        assert claimed(app, slug) == {"room": 2}


class TestTwoAnswerFirst:
    """The start is near, one place is free, and two press the button."""

    def a_free_place(self, app: Flask, clock: Clock) -> tuple[str, list[int], list[Deed]]:
        slug, (holder,) = a_full_workshop(app, in_days=1)
        both = [waits(app, slug, "first"), waits(app, slug, "second")]
        clock.shift(hours=2)
        give_up(app, holder)
        work_off(app)
        workshop = workshop_of(app, slug)
        return slug, both, [accepting(each, workshop, product_clock.now()) for each in both]

    def test_one_has_it_and_the_other_keeps_the_place_in_the_list(
        self, app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        slug, both, deeds = self.a_free_place(app, clock)
        racing.pausing(monkeypatch, waiting_list, "locked", Meeting(2))
        results = at_once(app, deeds)
        assert sorted(kinds(results)) == ["SomebodyWasQuicker", "accepted"]
        assert sorted(states(app, *both)) == ["accepted", "waiting"]
        assert claimed(app, slug) == {"room": 1}
        nothing_is_sold_twice(app, slug)

    def test_both_have_it_when_the_count_stands_apart(
        self, app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        slug, both, deeds = self.a_free_place(app, clock)
        racing.set_apart(monkeypatch, places, "_lock_and_check", Meeting(2, 10))
        assert kinds(at_once(app, deeds)) == ["accepted", "accepted"]
        assert states(app, *both) == ["accepted", "accepted"]
        assert claimed(app, slug) == {"room": 2}
        assert racing.faults(app) != []


class TestBookingAnOfferWhileThePublicTries:
    def booking(self, number: int) -> Deed:
        def start() -> str:
            with db.writing():
                found = waiting_list.by_id(number)
                assert found
                return str(checkout.start(a_wish(found.workshop.slug), product_clock.now(), found).reference)

        return start

    @pytest.mark.parametrize("is_public_first", [False, True])
    def test_the_place_is_free_at_no_moment_between(self, app: Flask, clock: Clock, is_public_first: bool) -> None:
        slug, _, first, _ = an_offer(app)
        public = buying(a_wish(slug))
        pair = [public, self.booking(first)] if is_public_first else [self.booking(first), public]
        results = one_after_the_other(app, checkout, "_listing" if is_public_first else "_hold", *pair)
        assert sorted(racing.kinds(results)) == ["WorkshopFull", "sold"]
        assert isinstance(results[0 if is_public_first else 1], places.WorkshopFull)
        assert states(app, first) == ["booked"]
        made = [reference for reference, _ in racing.bookings(app)][-1]
        receive_of(app, made)
        nothing_is_sold_twice(app, slug)
        with app.app_context():
            assert db.session.scalar(select(Booking.state).where(Booking.reference == made)) == "confirmed"

    def test_it_goes_to_a_stranger_when_it_is_given_back_and_taken_again(
        self, app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The guard taken away: the offer ends, and its booking asks for the place like anybody else."""
        slug, (holder,) = a_full_workshop(app)
        first = waits(app, slug, "first")
        give_up(app, holder)
        work_off(app)
        is_free, is_sold = threading.Event(), threading.Event()

        def apart(offered: list[int], wanted: dict[int, int], **told: Any) -> dict[int, list[int]]:
            places.release(offered, told["now"])
            db.session.commit()
            is_free.set()
            is_sold.wait(20)
            db.session.connection(execution_options={"colloquy_writing": True})
            return places.hold(wanted, **told)

        def stranger() -> str:
            is_free.wait(20)
            try:
                return buying(a_wish(slug))()
            finally:
                is_sold.set()

        monkeypatch.setattr(db, "_turn", nullcontext)
        monkeypatch.setattr(places, "pass_over", apart)
        results = at_once(app, [self.booking(first), stranger])
        assert racing.kinds(results) == ["WorkshopFull", "sold"]
        assert isinstance(results[0], places.WorkshopFull)


class TestJoiningWhileAPlaceComesFree:
    """Somebody joins just as the last place is given up: they are offered it, however the two cross."""

    def joining(self, app: Flask, slug: str) -> Deed:
        return lambda: waits(app, slug, "late")

    def giving_up(self, app: Flask, made: Made) -> Deed:
        return lambda: give_up(app, made)

    @pytest.mark.parametrize("is_joining_first", [True, False])
    def test_the_place_is_offered_to_them(self, app: Flask, clock: Clock, is_joining_first: bool) -> None:
        slug, (holder,) = a_full_workshop(app)
        join, give = self.joining(app, slug), self.giving_up(app, holder)
        if is_joining_first:
            results = between(waiting_list, "locked", join, give)
        else:
            results = between(places, "release", give, join)
        assert not any(isinstance(each, Exception) for each in results), results
        number = results[0 if is_joining_first else 1]
        work_off(app)
        assert states(app, number) == ["offered"]
        assert (left(app, slug), templates(app, number)) == (0, ["waiting_joined", "waiting_offer"])
        with pytest.raises(places.WorkshopFull), app.app_context():
            buying(a_wish(slug))()
        nothing_is_sold_twice(app, slug)

    @pytest.mark.parametrize("is_joining_first", [True, False])
    @pytest.mark.parametrize("looks", [True, False])
    def test_both_have_to_look(
        self, app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch, is_joining_first: bool, looks: bool
    ) -> None:
        """Whoever comes second finds what the first left, by the job of its own transaction; without it nobody does."""
        if not looks:
            module, name = (places, "came_free") if is_joining_first else (waiting, "_turn")
            monkeypatch.setattr(module, name, lambda *_: None)
        slug, (holder,) = a_full_workshop(app)
        if is_joining_first:
            number = waits(app, slug, "late")
            work_off(app)
            give_up(app, holder)
        else:
            give_up(app, holder)
            work_off(app)
            number = waits(app, slug, "late")
        work_off(app)
        assert states(app, number) == ["offered" if looks else "waiting"]

    def test_two_who_join_with_one_address_are_one(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        slug, _ = a_full_workshop(app)
        racing.pausing(monkeypatch, waiting_list, "locked", Meeting(2))
        one, other = racing.together([self.joining(app, slug)] * 2)
        assert one == other
        with app.app_context():
            assert db.session.scalar(select(func.count()).select_from(WaitingPerson)) == 1


class TestPayingWhileTheNextIsOffered:
    def test_money_that_comes_as_the_hold_lapses_keeps_the_place_or_goes_back(
        self, app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An offer's booking runs out as its money arrives: the next is offered the place, or the money has it."""
        slug, _, first, second = an_offer(app)
        reference = book(app, first)
        with app.app_context():
            number = db.session.scalars(select(Booking.id).where(Booking.reference == reference)).one()
        made = Made(number, reference, "", ())
        clock.shift(minutes=37)
        racing.pausing(monkeypatch, places, "_lock", Meeting(2))
        results = racing.together([lambda: receive(app, made), lambda: work_off(app)])
        assert not any(isinstance(each, Exception) for each in results), results
        work_off(app)
        with app.app_context():
            state = db.session.get_one(Booking, number).state
        assert (state, states(app, second)) in [("confirmed", ["waiting"]), ("lapsed", ["offered"])]
        assert person(app, first).booking_id == number
        nothing_is_sold_twice(app, slug)
