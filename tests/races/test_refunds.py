"""Money that is sent back, or spent, by two at the same moment: never more than there is."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from lib import clock as product_clock
from lib import db
from payments import credits, ledger, refunds
from payments.gateway import SentBack
from payments.models import Movement, Payment, Refund
from tests.builders import arranged
from tests.conftest import Clock, at_once
from tests.payments.paying import a_bill, paid
from tests.races import racing
from tests.races.racing import Meeting

pytestmark = pytest.mark.both_databases
BEA = "bea@clinic.example"


def asking(bill: int, minor: int) -> Callable[[], str]:
    def ask() -> str:
        with db.writing():
            refunds.ask(bill, minor, source="organiser", reason="kindness", now=product_clock.now())
        return "sent"

    return ask


def kinds(results: list[Any]) -> list[str]:
    return sorted(type(each).__name__ if isinstance(each, Exception) else str(each) for each in results)


def went(app: Flask) -> int:
    with app.app_context():
        return int(db.session.scalar(select(func.coalesce(func.sum(Refund.amount_minor), 0))) or 0)


class TestTwoRefundsOfTheRest:
    def test_one_is_sent_and_one_is_told(self, app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        bill = paid(app, 10000, 6800)
        racing.pausing(monkeypatch, refunds, "_refundable", Meeting(2))
        assert kinds(at_once(app, [asking(bill, 16800)] * 2)) == ["MoreThanPaid", "sent"]
        assert went(app) == 16800

    def test_parts_of_it_add_up_to_what_there_is(
        self, app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bill = paid(app, 16800)
        racing.pausing(monkeypatch, refunds, "_refundable", Meeting(4, 0.1))
        assert kinds(at_once(app, [asking(bill, 6000)] * 4)) == ["MoreThanPaid", "MoreThanPaid", "sent", "sent"]
        assert went(app) == 12000

    def test_both_are_sent_when_the_count_stands_apart(
        self, app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bill = paid(app, 16800)
        racing.set_apart(monkeypatch, refunds, "_refundable", Meeting(2, 5))
        assert kinds(at_once(app, [asking(bill, 16800)] * 2)) == ["sent", "sent"]

    def test_needs_the_lock(
        self, app: Flask, clock: Clock, database_kind: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """PostgreSQL sends it twice without; SQLite gives one of them an error instead of an answer."""
        bill = paid(app, 16800)
        racing.pausing(monkeypatch, refunds, "_refundable", Meeting(2, 5 if database_kind == "postgresql" else 1))
        with racing.without_locks(app):
            results = at_once(app, [asking(bill, 16800)] * 2)
        expected = {"postgresql": ["sent", "sent"], "sqlite": ["OperationalError", "sent"]}
        assert kinds(results) == expected[database_kind]


class TestARefundInTheDashboardHeardOfTwice:
    def hearing(self, app: Flask) -> Callable[[], bool]:
        with app.app_context():
            intent = db.session.scalars(select(Payment.payment_intent)).one()
        said = SentBack("re_1", "succeeded", 5000, "GBP", intent, None)

        def hear() -> bool:
            with db.writing():
                return refunds.hear(said, product_clock.now())

        return hear

    def test_is_one_row(self, app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        bill = paid(app, 16800)
        racing.pausing(monkeypatch, ledger, "lock", Meeting(2))
        assert at_once(app, [self.hearing(app)] * 2) == [True, True]
        with app.app_context():
            assert ledger.of_bill(bill).refunded_minor == 5000
            assert len(db.session.scalars(select(Refund)).all()) == 1


def spending(bill: int, most: int) -> Callable[[], int]:
    def spend() -> int:
        with db.writing():
            return credits.spend(bill, BEA, most, product_clock.now())

    return spend


class TestOneCreditAndTwoBills:
    @pytest.fixture
    def bills(self, app: Flask, clock: Clock) -> list[int]:
        source = paid(app, 5000)
        with arranged(app):
            ends = clock.at + timedelta(days=30)
            credits.issue(source, 5000, email=BEA, reason="cancelled", expires_at=ends, now=clock.at)
            return [a_bill(4000).id for _ in range(2)]

    def test_it_is_spent_once(self, app: Flask, bills: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
        racing.pausing(monkeypatch, credits, "_in_order", Meeting(2))
        assert sorted(at_once(app, [spending(bill, 4000) for bill in bills])) == [1000, 4000]
        with app.app_context():
            assert ledger.left_of([1]) == {1: 0}

    def test_it_is_spent_twice_when_the_count_stands_apart(
        self, app: Flask, bills: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        racing.set_apart(monkeypatch, credits, "_in_order", Meeting(2, 5))
        assert kinds(at_once(app, [spending(bill, 4000) for bill in bills])) == ["4000", "4000"]

    def test_it_ends_while_it_is_spent(
        self, app: Flask, clock: Clock, bills: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The worker ends what the buyer spends in its last instant: one of the two has it."""
        at = clock.at

        def spend() -> int:
            with db.writing():
                return credits.spend(bills[0], BEA, 4000, at)

        def end() -> int:
            with db.writing():
                return credits.expire(1, at + timedelta(days=30))

        spent, ended = at_once(app, [spend, end])
        assert (spent, ended) in [(4000, 1000), (0, 5000)]
        with app.app_context():
            rows = db.session.scalars(select(func.sum(Movement.minor)).where(Movement.credit_id == 1)).one()
        assert int(rows) == 0
