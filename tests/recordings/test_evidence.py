"""Evidence of watching: what many pages report adds up, and none reports more than can have been played in it."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from lib import db
from recordings import viewings
from recordings.models import AccessWindow, Viewing
from recordings.tabs import Tab
from tests.conftest import Clock, at_once
from tests.page import PageClient, main_text
from tests.races.racing import Meeting, pausing, without_locks
from tests.recordings.showing import Playing, a_film, a_recorded_workshop, address, booked, published

pytestmark = pytest.mark.both_databases
LENGTH = 192


@pytest.fixture
def page(app: Flask, clock: Clock) -> str:
    """A player page that is open from the start of the test on."""
    slug = a_recorded_workshop(app)
    made = booked(app, slug)
    kept = a_film(app, slug, seconds=LENGTH)
    published(app, kept)
    return address(app, made, kept)


def known(app: Flask) -> list[list[int]]:
    with app.app_context():
        return list(db.session.scalars(select(Viewing.ranges)).one())


def test_a_page_adds_at_most_twice_the_time_since_it_last_reported(
    app: Flask, client: PageClient, page: str, clock: Clock
) -> None:
    tab = Playing(client, page)
    assert tab.report([[0, LENGTH]]).get_json()["over"] == [[0, LENGTH]]
    clock.shift(seconds=10)
    assert tab.report([[0, LENGTH]]).get_json()["over"] == [[20, LENGTH]]
    assert tab.report([[0, LENGTH]]).get_json()["over"] == [[20, LENGTH]]
    clock.shift(seconds=1)
    assert tab.report([[100, 130]]).get_json()["over"] == [[102, 130]]
    assert known(app) == [[0, 20], [100, 102]]


def test_what_could_not_be_watched_adds_nothing(app: Flask, client: PageClient, page: str, clock: Clock) -> None:
    tab = Playing(client, page)
    clock.shift(hours=1)
    for ranges in ([[-60, 0]], [[LENGTH, 9999]], [[30, 10]], [[5, 5]], []):
        assert tab.report(ranges).get_json()["watched_percent"] == 0
    assert known(app) == []


def test_the_same_report_again_adds_nothing_and_takes_nothing(
    app: Flask, client: PageClient, page: str, clock: Clock
) -> None:
    tab = Playing(client, page)
    clock.shift(seconds=30)
    answers = [tab.report([[0, 30]]).get_json() for _ in range(3)]
    clock.shift(hours=2)
    answers.append({**tab.report([[0, 30]]).get_json(), "now": answers[0]["now"]})
    assert answers == [answers[0]] * 4
    assert known(app) == [[0, 30]]


def test_what_is_no_page_of_ours_begins_to_count_when_it_first_speaks(
    app: Flask, client: PageClient, page: str, clock: Clock
) -> None:
    forged = Playing(client, page)
    other = Playing(client, page)
    clock.shift(hours=1)
    for stamp in ("", "x", f"{forged.said['tab']}x", forged.said["tab"][1:]):
        forged.said["tab"] = stamp
        assert forged.report([[0, LENGTH]]).get_json()["watched_percent"] == 0
    assert other.report([[0, LENGTH]]).get_json()["watched_percent"] == 100


def test_a_page_loaded_again_goes_on_where_it_was_with_what_was_watched(
    client: PageClient, page: str, clock: Clock
) -> None:
    tab = Playing(client, page)
    clock.shift(seconds=60)
    tab.report([[0, 60]], at=60)
    shown = client.get(page)
    assert 'media#t=60"' in shown.get_data(as_text=True)
    said = main_text(shown)
    assert "It goes on at 0:01:00, where you left off. Start at the beginning" in said
    assert "3 min left to watch, closes" in said
    again = Playing(client, page)
    clock.shift(seconds=66)
    assert again.report([[60, LENGTH]], at=LENGTH).get_json() | {"now": ""} == {
        "watched_percent": 100,
        "left": "",
        "over": [],
        "closes_at": "2027-03-30T08:00:00Z",
        "now": "",
    }
    over = client.get(page)
    assert 'media"' in over.get_data(as_text=True)
    assert "You have watched all of it, closes" in main_text(over)
    asked = client.get(f"{page}?t=41")
    assert 'media#t=41"' in asked.get_data(as_text=True)


def test_two_pages_side_by_side_add_up(app: Flask, client: PageClient, page: str, clock: Clock) -> None:
    one, other = Playing(client, page), Playing(client, page)
    clock.shift(seconds=30)
    one.report([[0, 30]], at=30)
    clock.shift(seconds=1)
    other.report([[100, 131]], at=131)
    assert known(app) == [[0, 30], [100, 131]]


def race(app: Flask, clock: Clock) -> list[list[int]]:
    """Two pages report other stretches at the same moment: both have read what is known before either writes."""
    with app.app_context():
        own = db.session.scalars(select(AccessWindow)).one()
        attendee, recording = own.attendee_id, own.recording_id
    now, opened = clock.now(), clock.now() - timedelta(minutes=5)

    def reporting(name: str, first: int) -> None:
        with db.writing():
            viewings.report(attendee, recording, Tab(name, opened), [(first, first + 40)], first, now)

    with app.app_context(), db.writing():
        viewings.report(attendee, recording, Tab("first", opened), [(0, 10)], 0, now)
    with pytest.MonkeyPatch.context() as patch:
        pausing(patch, viewings, "of_window", Meeting(2))
        at_once(app, [lambda: reporting("one", 20), lambda: reporting("other", 100)])
    return known(app)


def test_two_reports_at_once_lose_nothing(app: Flask, page: str, clock: Clock) -> None:
    assert race(app, clock) == [[0, 10], [20, 60], [100, 140]]


def test_without_the_lock_one_of_them_is_lost(app: Flask, page: str, clock: Clock) -> None:
    with without_locks(app):
        assert race(app, clock) in ([[0, 10], [20, 60]], [[0, 10], [100, 140]])
