"""Credits: money kept for a person, spent before it ends, what ends soonest first, and given back."""

from datetime import datetime, timedelta

import pytest
from flask import Flask

from lib.work import run_due
from payments import credits, ledger
from payments.ledger import Balance
from tests.builders import arranged
from tests.conftest import Clock
from tests.payments.paying import a_bill, paid

pytestmark = pytest.mark.both_databases
BEA = "bea@clinic.example"


def issued(app: Flask, clock: Clock, minor: int, *, expires_at: datetime | None = None, email: str = BEA) -> int:
    """A booking paid and given back as a credit; the bill it came from."""
    bill = paid(app, minor)
    with arranged(app):
        credits.issue(bill, minor, email=email, reason="cancelled", expires_at=expires_at, now=clock.at)
    return bill


def left(app: Flask, clock: Clock, *, email: str = BEA, currency: str = "GBP") -> list[int]:
    with app.app_context():
        return [each.minor for each in credits.available(email, 1, currency, clock.at)]


def spend(app: Flask, clock: Clock, total: int, most: int) -> tuple[int, int]:
    """A new bill, and what was paid of it out of Bea's credits."""
    with arranged(app):
        bill = a_bill(total)
        return bill.id, credits.spend(bill.id, BEA, most, clock.at)


def test_a_credit_is_what_was_paid_and_is_owed_no_longer(app: Flask, clock: Clock) -> None:
    bill = issued(app, clock, 16800)
    assert left(app, clock) == [16800]
    with app.app_context():
        assert ledger.of_bill(bill) == Balance(owed_minor=0, paid_minor=16800, credit_minor=16800)


@pytest.mark.parametrize("minor", [0, -1, 16801])
def test_no_credit_without_money_behind_it(app: Flask, clock: Clock, minor: int) -> None:
    bill = paid(app, 16800)
    with pytest.raises(ValueError), arranged(app):
        credits.issue(bill, minor, email=BEA, reason="", expires_at=None, now=clock.at)


def test_it_is_the_persons_however_the_address_is_written_and_nobody_elses(app: Flask, clock: Clock) -> None:
    issued(app, clock, 16800)
    assert left(app, clock, email="BEA+work@Clinic.example") == [16800]
    assert left(app, clock, email="bob@clinic.example") == []
    assert left(app, clock, currency="EUR") == []
    with app.app_context():
        assert credits.available(BEA, 2, "GBP", clock.at) == []


def test_what_ends_soonest_is_spent_first(app: Flask, clock: Clock) -> None:
    issued(app, clock, 5000)
    issued(app, clock, 3000, expires_at=clock.at + timedelta(days=90))
    issued(app, clock, 2000, expires_at=clock.at + timedelta(days=30))
    assert left(app, clock) == [2000, 3000, 5000]
    bill, paid_minor = spend(app, clock, 4000, 4000)
    assert paid_minor == 4000
    assert left(app, clock) == [1000, 5000]
    with app.app_context():
        assert ledger.of_bill(bill).due_minor == 0
    assert spend(app, clock, 9000, 9000)[1] == 6000
    assert left(app, clock) == []
    assert spend(app, clock, 100, 100)[1] == 0


def test_the_last_instant_is_before_it_ends(app: Flask, clock: Clock) -> None:
    ends = clock.at + timedelta(days=30)
    bill = issued(app, clock, 5000, expires_at=ends)
    clock.set(ends - timedelta(microseconds=1))
    assert left(app, clock) == [5000]
    with arranged(app):
        assert credits.expire(1, clock.at) == 0
    clock.set(ends)
    assert left(app, clock) == []
    assert spend(app, clock, 100, 100)[1] == 0
    with arranged(app):
        assert credits.expire(1, clock.at) == 5000
    with arranged(app):
        assert credits.expire(1, clock.at) == 0
    with app.app_context():
        assert ledger.left_of([1]) == {1: 0}
        assert ledger.of_bill(bill).due_minor == 0


def test_what_came_to_nothing_is_given_back_the_last_first(app: Flask, clock: Clock) -> None:
    issued(app, clock, 2000, expires_at=clock.at + timedelta(days=30))
    issued(app, clock, 5000)
    bill, _ = spend(app, clock, 6000, 6000)
    assert left(app, clock) == [1000]
    with arranged(app):
        assert credits.spent_on(bill) == 6000
        told = credits.would_give_back(bill, 4500)
        assert [(each.minor, each.expires_at) for each in told] == [(4000, None), (500, clock.at + timedelta(days=30))]
        assert credits.give_back(bill, 4500, reason="one less", now=clock.at) == told
    assert left(app, clock) == [500, 5000]
    with arranged(app):
        assert [each.minor for each in credits.give_back(bill, 9999, reason="all of it", now=clock.at)] == [1500]
        assert credits.give_back(bill, 9999, reason="again", now=clock.at) == []
    assert left(app, clock) == [2000, 5000]
    with app.app_context():
        assert ledger.of_bill(bill) == Balance(owed_minor=0, paid_minor=6000, credit_minor=6000)


def test_a_credit_that_stood_still_has_its_time_again(app: Flask, clock: Clock) -> None:
    ends = clock.at + timedelta(days=3)
    issued(app, clock, 5000, expires_at=ends)
    clock.shift(days=1)
    first, _ = spend(app, clock, 2000, 2000)
    second, _ = spend(app, clock, 1000, 1000)
    clock.set(ends + timedelta(days=10))
    with arranged(app):
        assert credits.expire(1, clock.at) == 2000
        credits.give_back(first, 500, reason="cancelled by us", now=clock.at, stood_still=True)
    clock.shift(hours=6)
    with arranged(app):
        credits.give_back(first, 1500, reason="cancelled by us", now=clock.at, stood_still=True)
    clock.shift(days=2, microseconds=-1)
    assert left(app, clock) == [2000]
    clock.shift(microseconds=1)
    assert left(app, clock) == []
    with arranged(app):
        credits.give_back(second, 1000, reason="too late", now=clock.at)
        assert credits.expire(1, clock.at) == 3000


def test_the_worker_ends_it(app: Flask, clock: Clock) -> None:
    issued(app, clock, 5000, expires_at=clock.at + timedelta(days=30))
    clock.shift(days=30)
    with app.app_context():
        run_due(app.extensions["handlers"])
        (credit, rows), *_ = credits.statement(BEA, 1)
    assert [(each.kind, each.minor) for each in rows] == [("credit_issued", -5000), ("credit_expired", 5000)]
    assert credit.minor == 5000
