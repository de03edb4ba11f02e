"""Two tabs that add somebody to a booking with room for one more, and two presses of the button behind one letter."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from bookings import adding, correcting, lifecycle
from bookings.address_models import NewAddress
from bookings.change_terms import Act
from bookings.models import Attendee, Booking
from history.models import Entry
from lib import clock as product_clock
from lib import db
from tests.bookings.making import ANN, Made, a_wish, paid
from tests.builders import a_workshop, arranged
from tests.conftest import Clock, at_once
from tests.races import racing
from tests.races.racing import Meeting

pytestmark = pytest.mark.both_databases
NEW = "ann.attwood@clinic.example"


def booked(app: Flask) -> tuple[Made, str]:
    """Ann is booked where everything is free and one booking takes two."""
    with arranged(app):
        slug = a_workshop(price_minor=0, most_attendees=2).slug
    return paid(app, a_wish(slug, people=[ANN])), slug


def within(app: Flask, made: Made, do: Callable[[Booking], object]) -> Callable[[], str]:
    with app.app_context():
        bill_id = db.session.get_one(Booking, made.id).bill_id

    def run() -> str:
        with db.writing():
            do(lifecycle.locked(bill_id))
        return "done"

    return run


def adds(app: Flask, made: Made, slug: str) -> list[Callable[[], str]]:
    act = Act("booker", "", product_clock.now())
    wishes = [
        replace(a_wish(slug, people=[(name, f"{name}@clinic.example")]), booker_email="bea@clinic.example")
        for name in ("cy", "di")
    ]
    return [
        within(app, made, lambda booking, wish=wish: adding.add(booking, wish, "0:GBP", act))  # type: ignore[misc]
        for wish in wishes
    ]


def kinds(results: list[Any]) -> list[str]:
    return sorted(type(each).__name__ if isinstance(each, Exception) else str(each) for each in results)


def people(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(Attendee)) or 0


def test_one_of_two_is_added(app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    made, slug = booked(app)
    racing.pausing(monkeypatch, adding, "price", Meeting(2))

    assert kinds(at_once(app, adds(app, made, slug))) == ["NotAllowed", "done"]

    assert people(app) == 2
    assert racing.faults(app) == []


def test_both_are_added_without_the_lock(
    app: Flask, clock: Clock, database_kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL refuses the second only by the number each attendee has on a booking, SQLite by its one writer."""
    made, slug = booked(app)
    racing.pausing(monkeypatch, adding, "price", Meeting(2, 5 if database_kind == "postgresql" else 1))
    with racing.without_locks(app):
        came = kinds(at_once(app, adds(app, made, slug)))

    assert came == {"postgresql": ["IntegrityError", "done"], "sqlite": ["OperationalError", "done"]}[database_kind]


def test_a_letter_is_answered_once(app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = booked(app)
    press = [presses(app, made)[0] for _ in range(2)]
    racing.pausing(monkeypatch, correcting, "refuse_spent", Meeting(2))

    assert kinds(at_once(app, press)) == ["LinkSpent", "done"]

    assert corrected(app) == 1


def test_it_is_answered_twice_without_the_lock(
    app: Flask, clock: Clock, database_kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = booked(app)
    press = presses(app, made) * 2
    racing.pausing(monkeypatch, correcting, "refuse_spent", Meeting(2, 5 if database_kind == "postgresql" else 1))
    with racing.without_locks(app):
        came = kinds(at_once(app, press))

    assert came == {"postgresql": ["done", "done"], "sqlite": ["OperationalError", "done"]}[database_kind]
    assert corrected(app) == {"postgresql": 2, "sqlite": 1}[database_kind]


def presses(app: Flask, made: Made) -> list[Callable[[], str]]:
    """The button of the one letter that asked Ann's new address."""
    with arranged(app):
        booking = lifecycle.locked(db.session.get_one(Booking, made.id).bill_id)
        if db.session.scalar(select(NewAddress.id)) is None:
            correcting.ask_address(booking, 0, NEW, Act("booker", "", product_clock.now()))

    def do(booking: Booking) -> None:
        new = db.session.scalars(select(NewAddress)).one()
        correcting.answer(booking, new, product_clock.now())

    return [within(app, made, do)]


def corrected(app: Flask) -> int:
    with app.app_context():
        return len(db.session.scalars(select(Entry).where(Entry.verb == "attendee_corrected")).all())
