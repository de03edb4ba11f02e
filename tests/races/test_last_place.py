"""The last places and several buyers at the same moment (SEAT-01): never one too many, never one too few."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from bookings import checkout, choosing, jobs
from bookings.models import Booking
from courses import places
from courses.models import Place
from lib import clock, db, work
from tests.builders import a_pool, a_ticket, a_workshop, arranged
from tests.conftest import at_once
from tests.races import racing
from tests.races.racing import Meeting, a_buyer, a_wish, buying, claimed

pytestmark = pytest.mark.both_databases


def a_race(app: Flask, *, capacity: int, taken: int, wanted: list[int]) -> tuple[list[Any], int]:
    """Buyers who each want so many places, all of them past the count before any goes on; what counts afterwards."""
    with arranged(app):
        slug = a_workshop(capacity=capacity).slug
    if taken:
        with app.app_context():
            buying(a_wish(slug, people=taken))()
    results = at_once(app, [buying(a_wish(slug, people=number)) for number in wanted])
    return results, claimed(app, slug)["room"]


class TestTheLastPlace:
    def test_goes_to_one_of_two_buyers(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        for _ in range(5):
            with monkeypatch.context() as patch:
                racing.pausing(patch, places, "_lock_and_check", Meeting(2))
                results, sold = a_race(app, capacity=1, taken=0, wanted=[1, 1])
            assert racing.kinds(results) == ["WorkshopFull", "sold"]
            assert [each.left for each in results if isinstance(each, places.WorkshopFull)] == [0]
            assert sold == 1
        assert racing.faults(app) == []

    def test_is_sold_twice_when_the_count_stands_apart(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        racing.set_apart(monkeypatch, places, "_lock_and_check", Meeting(2, 10))
        results, sold = a_race(app, capacity=1, taken=0, wanted=[1, 1])
        assert racing.kinds(results) == ["sold", "sold"]
        assert sold == 2
        assert racing.faults(app) != []

    def test_needs_the_lock(self, app: Flask, database_kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """PostgreSQL sells it twice without; SQLite gives the second buyer an error instead of an answer."""
        racing.pausing(monkeypatch, places, "_lock_and_check", Meeting(2, 10))
        with racing.without_locks(app):
            results, sold = a_race(app, capacity=1, taken=0, wanted=[1, 1])
        if database_kind == "postgresql":
            assert (racing.kinds(results), sold) == (["sold", "sold"], 2)
        else:
            assert (racing.kinds(results), sold) == (["OperationalError", "sold"], 1)


class TestSeventeenOfTwentyTaken:
    def test_three_and_two_are_not_both_sold(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        for _ in range(3):
            with monkeypatch.context() as patch:
                racing.pausing(patch, places, "_lock_and_check", Meeting(2))
                results, sold = a_race(app, capacity=20, taken=17, wanted=[3, 2])
            full = [each for each in results if isinstance(each, places.WorkshopFull)]
            assert racing.kinds(results) == ["WorkshopFull", "sold"]
            assert (sold, full[0].left) in [(20, 0), (19, 1)]

    def test_are_oversold_when_the_count_stands_apart(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        racing.set_apart(monkeypatch, places, "_lock_and_check", Meeting(2, 10, after=1))
        results, sold = a_race(app, capacity=20, taken=17, wanted=[3, 2])
        assert racing.kinds(results) == ["sold", "sold"]
        assert sold == 22

    def test_two_lines_in_one_booking_are_counted_together(self, app: Flask) -> None:
        with arranged(app):
            workshop = a_workshop(capacity=20)
            a_ticket(workshop, code="concession", prices={"GBP": 9000})
            slug = workshop.slug
        with app.app_context():
            buying(a_wish(slug, people=17))()
            lines = a_wish(slug, people=2).attending + tuple(
                choosing.Attending(n, f"P{n}", f"p{n}@clinic.example", "concession", {}) for n in (2, 3)
            )
            wish = choosing.Wish(**{**vars(a_wish(slug)), "attending": lines})
            with pytest.raises(places.WorkshopFull) as full:
                buying(wish)()
        assert full.value.left == 3
        assert claimed(app, slug)["room"] == 17


def test_a_crowd_in_browsers_buys_what_there_is(app: Flask, browser: Callable[[], Any], stripe: Any) -> None:
    with arranged(app):
        slug = a_workshop(capacity=3).slug
    buyers = [a_buyer(browser(), slug) for _ in range(6)]
    answers = racing.together([buyer.press for buyer in buyers])
    told = sorted((answer.status_code, (answer.get_json(silent=True) or {}).get("refusal")) for answer in answers)
    assert told == [(303, None)] * 3 + [(409, "workshop_full")] * 3
    assert claimed(app, slug) == {"room": 3}
    assert racing.faults(app) == []


class TestTwoPools:
    """Tickets that draw from two pools, asked for in opposite order, never wait for each other in a circle."""

    def a_hold(self, pools: list[int], organiser_id: int) -> Callable[[], str]:
        def hold() -> str:
            now = clock.now()
            with db.writing():
                wanted = dict.fromkeys(pools, 1)
                places.hold(wanted, organiser_id=organiser_id, until=now + timedelta(minutes=30), now=now)
            return "held"

        return hold

    def two_evenings(self, app: Flask) -> tuple[int, int, int]:
        with arranged(app):
            workshop = a_workshop(price_minor=None)
            other = a_pool(workshop, code="second")
            return workshop.pools[0].id, other.id, workshop.organiser_id

    def test_are_locked_in_one_order(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        first, second, organiser = self.two_evenings(app)
        for _ in range(3):
            with monkeypatch.context() as patch:
                racing.pausing(patch, places, "_lock", Meeting(2))
                holds = [self.a_hold([first, second], organiser), self.a_hold([second, first], organiser)]
                assert at_once(app, holds) == ["held", "held"]

    def test_lock_each_other_out_in_the_order_of_asking(
        self, app: Flask, database_kind: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """SQLite has one lock for everything and so no circle."""
        first, second, organiser = self.two_evenings(app)
        meeting = Meeting(2, 1)

        def one_by_one(wanted: Any, *_: Any, **__: Any) -> set[int]:
            for pool in wanted:
                places._lock({pool})
                meeting.wait()
            return set()

        monkeypatch.setattr(places, "_lock_and_check", one_by_one)
        results = at_once(app, [self.a_hold([first, second], organiser), self.a_hold([second, first], organiser)])
        if database_kind == "postgresql":
            assert sorted(type(each).__name__ for each in results) == ["OperationalError", "str"]
            assert "deadlock" in " ".join(map(str, results))
        else:
            assert results == ["held", "held"]


class TestAHoldThatRanOut:
    """A's hold ran out and B buys: freeing A's places cannot touch B's (SEAT-02)."""

    @pytest.fixture(autouse=True)
    def _stripe(self, stripe: Any) -> None:
        """The page of A's booking is closed at Stripe."""

    def run_out(self, app: Flask, clock: Any) -> tuple[str, Callable[[], str]]:
        """A workshop whose one place A held for too long; the job that frees it."""
        with arranged(app):
            slug = a_workshop(capacity=1).slug
        with app.app_context():
            reference = buying(a_wish(slug))()
            number = db.session.scalars(select(Booking.id).where(Booking.reference == reference)).one()
        clock.shift(minutes=37)
        task = work.Task(0, checkout.LAPSE, f"booking:{number}", {"booking": number}, clock.now(), 1)

        def lapse() -> str:
            jobs.lapse(task, clock.now())
            return "lapsed"

        return slug, lapse

    def test_gives_nothing_of_the_next_buyer_away(self, app: Flask, clock: Any) -> None:
        for _ in range(3):
            slug, lapse = self.run_out(app, clock)
            results = at_once(app, [lapse, buying(a_wish(slug))])
            assert [each for each in results if isinstance(each, Exception)] == []
            assert [state for _, state in racing.bookings(app)][-2:] == ["lapsed", "held"]
            assert claimed(app, slug)["room"] == 1

    def test_gives_nothing_away_when_the_next_buyer_was_first(self, app: Flask, clock: Any) -> None:
        slug, lapse = self.run_out(app, clock)
        at_once(app, [buying(a_wish(slug))])
        assert at_once(app, [lapse]) == ["lapsed"]
        assert claimed(app, slug)["room"] == 1

    def test_would_give_it_away_when_places_were_only_counted(
        self, app: Flask, clock: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Freeing "one place of this workshop" instead of A's own."""
        slug, lapse = self.run_out(app, clock)
        real = places.release

        def free_one(_places: Any, now: Any) -> None:
            real([db.session.scalars(select(Place.id).order_by(Place.id.desc()).limit(1)).one()], now)

        at_once(app, [buying(a_wish(slug))])
        monkeypatch.setattr(places, "release", free_one)
        assert at_once(app, [lapse]) == ["lapsed"]
        assert claimed(app, slug)["room"] == 0
