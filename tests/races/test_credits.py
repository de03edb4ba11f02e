"""One credit and two bookings at the same moment: it pays once, and what is left to charge can be charged."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from bookings import checkout
from lib import clock as product_clock
from lib import db
from payments import credits
from payments.models import PaymentAttempt
from tests.bookings.making import a_wish
from tests.bookings.test_credit_spending import BEA, a_credit, faults, left
from tests.builders import a_workshop, arranged
from tests.conftest import Clock, at_once
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
