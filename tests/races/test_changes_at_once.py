"""One place and two who change it at the same moment: its booker in two tabs, the booker and the team, the booker and
the money for a change. It ends once, its money goes back once, and nobody is left with half of two changes."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from bookings import change_rows, changes, lifecycle, settling, transfers
from bookings.behalf import decided
from bookings.change_terms import Act, Ruling
from bookings.models import Attendee, Booking, Change
from courses.models import Place
from lib import clock as product_clock
from lib import db
from payments import ledger
from payments.models import Refund
from policies import templates, versions
from tests.bookings.making import ANN, BOB, Made, a_wish, paid, receive
from tests.builders import a_workshop, an_organiser, arranged
from tests.conftest import Clock, at_once
from tests.races import racing
from tests.races.racing import Meeting

pytestmark = pytest.mark.both_databases
PRICE = 16800


class Scene:
    """Ann and Bob have a paid booking, there is another date, and the terms give half back 28 days before."""

    def __init__(self, app: Flask, other_price: int = 10000) -> None:
        self.app = app
        with arranged(app):
            owner = an_organiser()
            data = templates.by_key("graded_30_14").data(owner.zone, owner.currency)
            versions.write(owner.id, "Ours", data, actor="user:1", now=product_clock.now())
            slug, self.other = a_workshop(price_minor=PRICE).slug, a_workshop(in_days=60, price_minor=other_price).slug
        self.made: Made = paid(app, a_wish(slug, people=[ANN, BOB]))

    def act(self, do: Callable[[Booking], object]) -> Callable[[], str]:
        with self.app.app_context():
            bill_id = db.session.get_one(Booking, self.made.id).bill_id

        def run() -> str:
            with db.writing():
                do(lifecycle.locked(bill_id))
            return "done"

        return run

    def cancel(self, actor: str = "booker") -> Callable[[], str]:
        """Ann's place is given up, half of it comes back."""
        act = Act(actor, "", product_clock.now())
        return self.act(lambda booking: changes.cancel(booking, [0], 0, f"{PRICE // 2}:0:0:0", act))

    def end_with_everything(self) -> Callable[[], str]:
        """The team ends Ann's place and sends everything back."""
        act = Act("user:1", "A favour", product_clock.now(), "organiser")

        def do(booking: Booking) -> None:
            changes.cancel(booking, [0], 0, "", act, Ruling(instead=decided(booking, PRICE)))

        return self.act(do)

    def move(self, promised: str) -> Callable[[], str]:
        """Ann moves to the other date."""
        act = Act("booker", "", product_clock.now())
        return self.act(lambda booking: transfers.transfer(booking, 0, f"{self.other}:standard", promised, act))

    def arrive(self) -> Callable[[], str]:
        """The money of the newest way to Stripe is told of."""
        return lambda: receive(self.app, self.made)

    def told(self) -> tuple[str, list[int], list[str]]:
        """Ann's state, what goes back, and the changes that were written down."""
        with self.app.app_context():
            ann = db.session.scalars(select(Attendee.state).where(Attendee.n == 0)).one()
            back = sorted(each.amount_minor for each in db.session.scalars(select(Refund)))
            written = sorted(f"{each.kind} {each.state}" for each in db.session.scalars(select(Change)))
        return ann, back, written

    def kept(self) -> tuple[int, int]:
        with self.app.app_context():
            balance = ledger.of_bill(db.session.get_one(Booking, self.made.id).bill_id)
        return balance.kept_minor, balance.due_minor

    def taken(self) -> int:
        with self.app.app_context():
            return len(db.session.scalars(select(Place).where(Place.state == "taken")).all())


def kinds(results: list[Any]) -> list[str]:
    return sorted(type(each).__name__ if isinstance(each, Exception) else str(each) for each in results)


def without(
    app: Flask, database_kind: str, monkeypatch: pytest.MonkeyPatch, calls: list[Callable[[], Any]]
) -> list[str]:
    """The same race without a lock: both have seen the place as it was before either changes it."""
    racing.pausing(
        monkeypatch, change_rows, "refuse_unless_promised", Meeting(2, 5 if database_kind == "postgresql" else 1)
    )
    with racing.without_locks(app):
        return kinds(at_once(app, calls))


class TestTwoCancelsOfOnePlace:
    def test_give_the_money_back_once(self, app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        scene = Scene(app)
        racing.pausing(monkeypatch, change_rows, "refuse_unless_promised", Meeting(2))

        assert kinds(at_once(app, [scene.cancel(), scene.cancel()])) == ["PlaceOver", "done"]

        assert scene.told() == ("cancelled", [PRICE // 2], ["cancel done"])
        assert (scene.kept(), scene.taken()) == ((PRICE + PRICE // 2, 0), 1)
        assert racing.faults(app) == []

    def test_by_the_booker_and_the_team_are_one(
        self, app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        scene = Scene(app)

        assert kinds(at_once(app, [scene.cancel(), scene.end_with_everything()])) == ["PlaceOver", "done"]

        state, back, written = scene.told()
        assert (state, written) == ("cancelled", ["cancel done"])
        assert back in ([PRICE // 2], [PRICE])
        assert racing.faults(app) == []

    def test_give_it_back_twice_without_the_lock(
        self, app: Flask, clock: Clock, database_kind: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """PostgreSQL does both; SQLite gives one of them an error instead of an answer."""
        scene = Scene(app)
        came = without(app, database_kind, monkeypatch, [scene.cancel(), scene.cancel()])

        assert came == {"postgresql": ["done", "done"], "sqlite": ["OperationalError", "done"]}[database_kind]
        assert len(scene.told()[1]) == {"postgresql": 2, "sqlite": 1}[database_kind]


class TestATransferAndACancelOfOnePlace:
    def test_one_of_them_is_done(self, app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        scene = Scene(app)
        racing.pausing(monkeypatch, change_rows, "refuse_unless_promised", Meeting(2))

        came = kinds(at_once(app, [scene.move(f"{PRICE - 10000}:0:0:0"), scene.cancel()]))

        # The cancel after the move finds another date with other terms, the move after the cancel no place.
        state, back, written = scene.told()
        if state == "cancelled":
            assert (came, back, written) == (["PlaceOver", "done"], [PRICE // 2], ["cancel done"])
        else:
            assert (came, back, written) == (["QuoteChanged", "done"], [PRICE - 10000], ["transfer done"])
        assert scene.kept()[1] == 0
        assert racing.faults(app) == []

    def test_both_are_done_without_the_lock(
        self, app: Flask, clock: Clock, database_kind: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        scene = Scene(app)
        calls = [scene.move(f"{PRICE - 10000}:0:0:0"), scene.cancel()]

        came = without(app, database_kind, monkeypatch, calls)

        assert came == {"postgresql": ["done", "done"], "sqlite": ["OperationalError", "done"]}[database_kind]
        if database_kind == "postgresql":
            assert len(scene.told()[2]) == 2
            assert racing.faults(app) != []


class TestACancelWhileTheMoneyForAMoveArrives:
    """Ann's move to a dearer date waits for its payment; it arrives as she gives the place up in another tab."""

    def owing(self, app: Flask) -> Scene:
        scene = Scene(app, other_price=20000)
        with app.app_context():
            assert scene.move("0:0:3200:0")() == "done"
        assert scene.told()[2] == ["transfer owing"]
        return scene

    def test_she_has_the_place_or_all_that_it_cost(
        self, app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        scene = self.owing(app)
        racing.pausing(monkeypatch, change_rows, "refuse_unless_promised", Meeting(2))
        racing.pausing(monkeypatch, settling, "_payment", Meeting(2))

        cancelled, _ = racing.together([self.within(app, scene.cancel()), scene.arrive()])

        state, back, written = scene.told()
        if state == "cancelled":
            assert (cancelled, back) == ("done", [3200, PRICE // 2])
            assert written == ["cancel done", "transfer lapsed"]
            assert (scene.kept(), scene.taken()) == ((PRICE + PRICE // 2, 0), 1)
        else:
            assert (type(cancelled).__name__, back, written) == ("QuoteChanged", [], ["transfer done"])
            assert (scene.kept(), scene.taken()) == ((2 * PRICE + 3200, 0), 2)
        assert racing.faults(app) == []

    def test_she_has_neither_right_without_the_lock(
        self, app: Flask, clock: Clock, database_kind: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        scene = self.owing(app)
        patience = 5 if database_kind == "postgresql" else 1
        meeting = Meeting(2, patience)
        racing.pausing(monkeypatch, change_rows, "refuse_unless_promised", meeting)
        racing.pausing(monkeypatch, settling, "_payment", meeting)
        with racing.without_locks(app):
            came = racing.together([self.within(app, scene.cancel()), scene.arrive()])

        is_error = [isinstance(each, Exception) for each in came]
        assert any(is_error) is (database_kind == "sqlite")
        if database_kind == "postgresql":
            assert racing.faults(app) != []

    def within(self, app: Flask, call: Callable[[], str]) -> Callable[[], str]:
        def run() -> str:
            with app.app_context():
                return call()

        return run
