"""Reminders and cancelling, joining and cancelling, at the same moment."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from bookings import letters, reminders
from bookings.models import Attendee, Joining
from courses.models import WorkshopSession
from history.models import Entry
from lib import clock as product_clock
from lib import db, work, zones
from mail.models import Letter
from meetings import points
from tests.bookings.making import a_wish, paid
from tests.builders import a_workshop, arranged
from tests.conftest import Clock, at_once
from tests.page import PageClient, form
from tests.races import racing

pytestmark = pytest.mark.both_databases


@pytest.fixture
def path(app: Flask, clock: Clock) -> str:
    """The joining page of somebody whose room is open."""
    with arranged(app):
        workshop = a_workshop(in_days=10)
        points.set_point(workshop.sessions[0], url="https://meet.example/7", actor="user:1", now=clock.at)
        slug = workshop.slug
    paid(app, a_wish(slug))
    clock.set("2027-03-12T09:45:00Z")
    with app.app_context():
        return urlsplit(letters.join_url(db.session.scalars(select(Attendee)).one())).path


def test_one_person_on_many_devices_joins_once(app: Flask, path: str) -> None:
    clients: list[PageClient] = [app.test_client() for _ in range(6)]  # type: ignore[misc]  # as conftest sets it
    tokens = [form(each.get(path), "/letters").values["csrf_token"] for each in clients]

    def pressing(client: PageClient, token: str) -> Callable[[], int]:
        return lambda: client.post(path, data={"csrf_token": token}).status_code

    answers = racing.together([pressing(*each) for each in zip(clients, tokens, strict=True)])

    assert answers == [303] * 6
    with app.app_context():
        (row,) = db.session.scalars(select(Joining))
        assert row.times == 6
        joined = select(func.count()).select_from(Entry).where(Entry.verb == "joined")
        assert db.session.scalar(joined) == 1


def test_who_is_cancelled_while_joining_is_in_or_out_and_nothing_between(app: Flask, path: str) -> None:
    client: PageClient = app.test_client()  # type: ignore[assignment]  # as conftest sets it
    token = form(client.get(path), "/letters").values["csrf_token"]

    def cancel() -> int:
        with app.app_context(), db.writing():
            db.session.execute(update(Attendee).values(state="cancelled"))
        return 0

    status, _ = racing.together([lambda: client.post(path, data={"csrf_token": token}).status_code, cancel])

    with app.app_context():
        rows = db.session.scalar(select(func.count()).select_from(Joining))
    assert (status, rows) in [(303, 1), (404, 0)]
    assert client.get(path).status_code == 404


def test_a_reminder_and_a_cancelling_at_once_end_with_one_letter_or_none(app: Flask, clock: Clock, path: str) -> None:
    with app.app_context():
        starts = zones.z(db.session.scalars(select(WorkshopSession.starts_at)).one())

    def remind() -> bool:
        with db.writing():
            return reminders.remind(1, 1, 60, starts, product_clock.now())

    def cancel() -> bool:
        with db.writing():
            db.session.execute(update(Attendee).values(state="cancelled"))
        return False

    found = at_once(app, [remind, cancel, remind])

    assert sorted(found) in ([False] * 3, [False, False, True])
    with app.app_context():
        sent = db.session.scalar(select(func.count()).select_from(Letter).where(Letter.template == "reminder"))
        assert sent == sum(found)
        assert work.dead_jobs() == []
