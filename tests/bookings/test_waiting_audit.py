"""The audit of waiting lists: silent while they are sound, and a line for every kind of fault."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from bookings import audit
from bookings.models import AttendeePlace, OfferedPlace, WaitingPerson
from courses.models import Place, Pool
from lib import clock as clocks
from lib import db
from tests.bookings.waiting_people import a_full_workshop, accept, book, give_up, receive_of, waits, work_off
from tests.builders import arranged
from tests.conftest import MORNING, Clock

pytestmark = pytest.mark.both_databases
Break = Callable[[], object]


def faults(app: Flask) -> list[str]:
    with app.app_context():
        return [f"{each.about}: {each.what}" for each in audit.faults(clocks.now())]


@pytest.fixture
def offered(app: Flask) -> int:
    """Somebody with an offer for two, and the number of somebody behind them who waits."""
    slug, holders = a_full_workshop(app, capacity=2)
    first = waits(app, slug, "first", wanted=2)
    waits(app, slug, "second")
    for each in holders:
        give_up(app, each)
    work_off(app)
    return first


def test_every_way_through_a_list_is_sound(app: Flask, offered: int, clock: Clock) -> None:
    assert faults(app) == []
    accept(app, offered, 1)
    assert faults(app) == []
    work_off(app)
    reference = book(app, offered)
    assert faults(app) == []
    receive_of(app, reference)
    work_off(app)
    clock.shift(days=2)
    assert faults(app) == []
    work_off(app)
    assert faults(app) == []


def spoil(statement: Any) -> Break:
    return lambda: db.session.execute(statement)


def of_the_offer() -> Any:
    return select(OfferedPlace.place_id)


BREAKS: dict[str, tuple[Break, str]] = {
    "a place of the offer is released": (
        spoil(update(Place).where(Place.id.in_(of_the_offer())).values(state="released", held_until=None)),
        "waiting:1: is offered and its places are not held until the same moment",
    ),
    "it is held for longer than the offer": (
        spoil(update(WaitingPerson).where(WaitingPerson.id == 1).values(held_until=MORNING + timedelta(hours=1))),
        "waiting:1: is offered and its places are not held until the same moment",
    ),
    "the offer has ended and its places are still held": (
        spoil(update(WaitingPerson).where(WaitingPerson.id == 1).values(state="left", held_until=None)),
        "waiting:1: is left and 2 places are held as an offer",
    ),
    "more is held than was asked for": (
        spoil(update(WaitingPerson).where(WaitingPerson.id == 1).values(wanted=1)),
        "waiting:1: is offered 2 places and asked for 1",
    ),
    "nothing is held": (
        spoil(delete(OfferedPlace)),
        "waiting:1: is offered and no place is held",
    ),
    "an attendee has the place too": (
        lambda: db.session.execute(
            update(AttendeePlace)
            .where(AttendeePlace.id == 1)
            .values(place_id=db.session.scalars(of_the_offer()).first())
        ),
        "waiting:1: has a place that an attendee has too",
    ),
    "the public may buy what somebody waits for": (
        spoil(update(Pool).values(waited=None)),
        "waiting:2: waits for a place that anybody may buy",
    ),
    "too much may be left before it is kept": (
        spoil(update(Pool).values(waited=2)),
        "waiting:2: waits for a place that anybody may buy",
    ),
    "places are kept for nobody": (
        spoil(update(WaitingPerson).where(WaitingPerson.id == 2).values(state="left")),
        "pool:1: keeps places for somebody who waits, and nobody does",
    ),
}


@pytest.mark.parametrize("broken", BREAKS)
def test_each_kind_of_fault_has_a_line(app: Flask, offered: int, broken: str) -> None:
    spoilt, line = BREAKS[broken]
    with arranged(app):
        spoilt()
    assert line in faults(app)


def test_an_offer_nobody_tidied_is_seen_after_an_hour(app: Flask, offered: int, clock: Clock) -> None:
    clock.shift(hours=48, minutes=59)
    assert faults(app) == []
    clock.shift(minutes=2)
    assert any("waiting:1: has an offer that ended 2027-03-04T09:00:00Z" in each for each in faults(app))
