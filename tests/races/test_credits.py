"""One credit and two bookings at the same moment: it pays once, and what is left to charge can be charged."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from bookings import adding, checkout, lifecycle
from bookings.change_terms import Act
from bookings.models import Booking
from lib import clock as product_clock
from lib import db
from payments import credits, ledger
from payments.models import Credit, PaymentAttempt
from tests.bookings import making
from tests.bookings.making import a_wish
from tests.bookings.test_credit_spending import BEA, a_credit, faults, left
from tests.builders import a_workshop, arranged
from tests.conftest import Clock, at_once
from tests.payments.paying import paid
from tests.races import racing
from tests.races.racing import Meeting

pytestmark = pytest.mark.both_databases


def buying(slug: str, n: int) -> Callable[[], str]:
    def buy() -> str:
        with db.writing():
            wish = replace(a_wish(slug, people=[(f"Guest {n}", f"guest-{n}@clinic.example")]), credit_of=BEA)
            return checkout.start(wish, product_clock.now()).reference

    return buy


def charged(app: Flask, references: list[Any]) -> list[int]:
    """What Stripe is asked to charge for these bookings, the least first."""
    with app.app_context():
        found = db.session.scalars(select(PaymentAttempt))
        return sorted(each.amount_minor for each in found if each.parameters["client_reference_id"] in references)


def racers(app: Flask, clock: Clock, minor: int) -> list[Callable[[], str]]:
    with arranged(app):
        slug = a_workshop(capacity=20).slug
    a_credit(app, slug, clock, minor)
    return [buying(slug, n) for n in range(2)]


def test_one_of_two_is_paid_with_it(app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    buyers = racers(app, clock, 5000)
    racing.pausing(monkeypatch, credits, "_locked", Meeting(2))
    assert charged(app, at_once(app, buyers)) == [11800, 16800]
    assert left(app, clock) == 0
    assert faults(app, clock) == []


def test_what_it_leaves_to_charge_can_be_charged(app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first takes all but 10p of what the second would have needed."""
    buyers = racers(app, clock, 16790)
    racing.pausing(monkeypatch, credits, "_locked", Meeting(2))
    assert charged(app, at_once(app, buyers)) == [30, 16780]
    assert left(app, clock) == 0


def test_needs_the_lock(app: Flask, clock: Clock, database_kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL lets it pay twice without; SQLite gives one of them an error instead of an answer."""
    buyers = racers(app, clock, 5000)
    racing.pausing(monkeypatch, credits, "_in_order", Meeting(2, 5 if database_kind == "postgresql" else 1))
    with racing.without_locks(app):
        results = at_once(app, buyers)
    if database_kind == "postgresql":
        assert charged(app, results) == [11800, 11800]
    else:
        assert sorted(type(each).__name__ for each in results) == ["OperationalError", "str"]


def adding_to(app: Flask, clock: Clock, n: int, slug: str) -> Callable[[], str]:
    """Adds somebody to a booking of its own, which the credit is to pay a part of."""
    made = making.paid(app, a_wish(slug, people=[(f"Guest {n}", f"guest-{n}@clinic.example")]))
    with app.app_context():
        bill_id = db.session.get_one(Booking, made.id).bill_id
    wish = replace(a_wish(slug, people=[(f"More {n}", f"more-{n}@clinic.example")]), credit_of=BEA)

    def add() -> str:
        with db.writing():
            adding.add(lifecycle.locked(bill_id), wish, "16800:GBP:5000", Act("booker", "", clock.at))
        return "set apart"

    return add


def adders(app: Flask, clock: Clock) -> list[Callable[[], str]]:
    with arranged(app):
        slug = a_workshop(capacity=20).slug
    a_credit(app, slug, clock, 5000)
    return [adding_to(app, clock, n, slug) for n in range(2)]


def test_it_is_set_apart_for_one_of_two_that_add_somebody(
    app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = adders(app, clock)
    racing.pausing(monkeypatch, credits, "_locked", Meeting(2))
    results = sorted(type(each).__name__ for each in at_once(app, both))
    assert results in (["CreditGone", "str"], ["QuoteChanged", "str"])
    assert left(app, clock) == 0
    assert faults(app, clock) == []


def test_setting_it_apart_needs_the_lock(
    app: Flask, clock: Clock, database_kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = adders(app, clock)
    racing.pausing(monkeypatch, ledger, "credit_spent", Meeting(2, 5 if database_kind == "postgresql" else 1))
    with racing.without_locks(app):
        results = at_once(app, both)
    if database_kind == "postgresql":
        assert results == ["set apart"] * 2
        assert "was overspent by 5000" in str(faults(app, clock))
    else:
        assert sorted(type(each).__name__ for each in results) == ["OperationalError", "str"]


# A credit that ends while the bill it came from is paid with it


def ending(app: Flask, clock: Clock, patch: pytest.MonkeyPatch, end: Callable[[int], int]) -> list[Any]:
    """What was spent of 5000 in its last moment, and what was left for its end; they meet with a lock each."""
    bill, ends = paid(app, 16800), clock.at + timedelta(days=30)
    with arranged(app):
        credits.issue(bill, 5000, email=BEA, reason="cancelled", expires_at=ends, now=clock.at)
    clock.set(ends)
    meeting = Meeting(2)
    racing.pausing(patch, ledger, "lock", meeting)
    racing.pausing(patch, ledger, "left_of", meeting)

    def spend() -> int:
        with db.writing():
            return credits.spend(bill, BEA, 1000, ends - timedelta(seconds=1))

    def over() -> int:
        with db.writing():
            return end(1)

    return at_once(app, [spend, over])


def test_its_end_waits_for_the_bill_it_came_from(app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    results = ending(app, clock, monkeypatch, lambda number: credits.expire(number, product_clock.now()))
    assert results in ([1000, 4000], [0, 5000])
    assert faults(app, clock) == []


def test_its_end_needs_the_order_of_the_locks(
    app: Flask, clock: Clock, database_kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL ends one of the two that wait for each other; SQLite lets one writer in after the other."""

    def credit_first(number: int) -> int:
        db.session.scalars(select(Credit).where(Credit.id == number).with_for_update()).one()
        ledger.left_of([number])
        return credits.expire(number, product_clock.now())

    results = ending(app, clock, monkeypatch, credit_first)
    assert ("OperationalError" in [type(each).__name__ for each in results]) == (database_kind == "postgresql")
