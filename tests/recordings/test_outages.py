"""Outages: opened and closed by the check of every minute, and made good once."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from flask import Flask
from sqlalchemy import func, select

from bookings.models import Attendee
from history.models import Entry
from lib import clock as product_clock
from lib import db, work, zones
from mail.models import Letter
from recordings import outages, storage, window_jobs
from recordings.models import Recording
from recordings.window_models import Growth, Outage
from tests.bookings.making import ANN, BOB
from tests.builders import a_meeting
from tests.conftest import Clock, at_once
from tests.races.racing import Meeting, pausing
from tests.recordings.showing import PUBLISHED, Kept, a_film, a_recorded_workshop, booked, published, windows

pytestmark = pytest.mark.both_databases
BEGAN = "2027-03-20T09:00:00Z"


def check(app: Flask) -> None:
    with app.app_context():
        window_jobs.check(work.Task(1, window_jobs.CHECK, "minute", {}, product_clock.now(), 1), product_clock.now())


def lose(app: Flask, kept: Kept) -> bytes:
    with app.app_context():
        body = storage.path(kept.key).read_bytes()
        storage.path(kept.key).unlink()
    return body


def find(app: Flask, kept: Kept, body: bytes) -> None:
    with app.app_context():
        storage.path(kept.key).write_bytes(body)


def ends(app: Flask) -> list[str]:
    return [closes for _, _, closes in windows(app)]


def told(app: Flask) -> list[str]:
    with app.app_context():
        return list(
            db.session.scalars(
                select(Letter.to_email).where(Letter.template == "recording_longer").order_by(Letter.to_email)
            )
        )


def seen(app: Flask) -> list[tuple[str, str | None, int | None]]:
    with app.app_context():
        rows = db.session.scalars(select(Outage).order_by(Outage.id)).all()
        return [
            (zones.z(each.began_at), zones.z(each.ended_at) if each.ended_at else None, each.hours) for each in rows
        ]


def test_a_film_that_is_replaced_while_it_is_checked_is_no_outage(
    app: Flask, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        slug = db.session.get_one(Recording, kept.id).session.workshop.slug
    real = window_jobs._unreadable

    def replaced(key: str, size: int) -> str:
        a_film(app, slug)
        why = real(key, size)
        assert why
        return why

    monkeypatch.setattr(window_jobs, "_unreadable", replaced)
    check(app)
    assert seen(app) == []


def test_a_lost_film_is_an_outage_until_it_is_back_and_every_window_grows(app: Flask, clock: Clock, kept: Kept) -> None:
    check(app)
    assert seen(app) == []
    body = lose(app, kept)
    clock.set(BEGAN)
    check(app)
    clock.shift(minutes=1)
    check(app)
    assert seen(app) == [(BEGAN, None, None)]

    find(app, kept, body)
    clock.set("2027-03-20T11:00:01Z")
    check(app)
    check(app)
    assert seen(app) == [(BEGAN, "2027-03-20T11:00:01Z", 3)]
    assert ends(app) == ["2027-04-13T20:00:00Z"] * 2
    assert told(app) == [ANN[1], BOB[1]]
    with app.app_context():
        recording = db.session.get_one(Recording, kept.id)
        assert recording.closes_at == datetime(2027, 4, 13, 20, tzinfo=UTC)
        assert recording.session.watchable_until == recording.closes_at
        entries = db.session.scalars(select(Entry).where(Entry.verb == "window_grown").order_by(Entry.id)).all()
        assert [(each.facts["hours"], each.actor) for each in entries] == [(3, "worker")] * 2
        verbs = db.session.scalars(select(Entry.verb).where(Entry.verb.like("outage_%")).order_by(Entry.id))
        assert list(verbs) == ["outage_began", "outage_ended"]


def test_a_film_that_is_cut_short_or_has_other_bytes_than_it_had_is_an_outage(
    app: Flask, clock: Clock, kept: Kept
) -> None:
    body = lose(app, kept)
    find(app, kept, body[:-1])
    check(app)

    assert [ended for _, ended, _ in seen(app)] == [None]
    with app.app_context():
        why = db.session.scalars(select(Outage.why)).one()
    assert "10239 bytes" in why
    assert kept.key not in why


def test_only_windows_that_were_open_meanwhile_grow(app: Flask, clock: Clock) -> None:
    slug = a_recorded_workshop(app, catch_up_days=4)
    booked(app, slug)
    kept = a_film(app, slug)
    clock.set(PUBLISHED)
    published(app, kept)
    body = lose(app, kept)
    clock.set("2027-03-20T17:59:00Z")  # a minute before it closes
    check(app)
    clock.set("2027-03-20T19:30:00Z")
    find(app, kept, body)
    check(app)
    assert ends(app) == ["2027-03-20T20:00:00Z"]  # as much is left as was, at least

    clock.set("2027-03-21T09:00:00Z")
    lose(app, kept)
    check(app)
    assert len(seen(app)) == 1, "nobody can watch it any more, so nobody loses anything"


def test_one_letter_to_a_person_however_many_recordings(app: Flask, clock: Clock) -> None:
    slug = a_recorded_workshop(app, sessions=[a_meeting(in_days=7), a_meeting(in_days=8)])
    booked(app, slug)
    films = [a_film(app, slug, number=n) for n in (1, 2)]
    clock.set(PUBLISHED)
    for each in films:
        published(app, each)
    with app.app_context(), db.writing():
        outages.was_down(clock.now() + timedelta(hours=1), clock.now() + timedelta(hours=2), "No database.")
        outages.was_down(clock.now() + timedelta(hours=1), clock.now() + timedelta(hours=2), "No database.")

    assert ends(app) == ["2027-04-13T18:00:00Z"] * 2
    assert told(app) == [ANN[1]]


def test_a_silent_store_is_asked_once_for_all_films(
    app: Flask, clock: Clock, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = a_recorded_workshop(app)
    booked(app, slug)
    published(app, a_film(app, slug))
    asked = []
    machine = [datetime.now(UTC)]

    def silent(key: str) -> int:
        asked.append(key)
        machine[0] += timedelta(seconds=15)
        raise TimeoutError

    monkeypatch.setattr("lib.clock.machine_now", lambda: machine[0])
    monkeypatch.setattr(storage, "size", silent)
    check(app)

    assert len(asked) == 1
    assert [ended for _, ended, _ in seen(app)] == [None, None]


# Two workers


def race(app: Flask, clock: Clock, kept: Kept) -> list[object]:
    with app.app_context(), db.writing():
        outages.note({kept.id: "It could not be read."}, clock.now())
    now = clock.shift(minutes=90)

    def close() -> int:
        with db.writing():
            return outages.note({kept.id: ""}, now)

    return at_once(app, [close, close])


def test_two_workers_close_an_outage_once(
    app: Flask, clock: Clock, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    pausing(monkeypatch, outages, "_open_ones", Meeting(2))

    assert sorted(map(str, race(app, clock, kept))) == ["0", "1"]
    assert ends(app) == ["2027-04-13T19:00:00Z"] * 2
    assert told(app) == [ANN[1], BOB[1]]


def test_without_the_claim_it_would_be_closed_twice(
    app: Flask, clock: Clock, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: each believes that it is the one. Then the key of Growth is what keeps a window's hours."""

    def everybodys(number: int, now: datetime) -> datetime:
        return db.session.scalars(select(Outage.began_at).where(Outage.id == number)).one()

    monkeypatch.setattr(outages, "_claim", everybodys)
    monkeypatch.setattr(outages, "_open_ones", every_outage)

    results = race(app, clock, kept)
    assert sorted(type(each).__name__ for each in results) == ["IntegrityError", "int"]
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Growth)) == 2


def every_outage(_found: object) -> dict[int, int]:
    """Every outage there is, open or not: what a worker read before the other one closed it."""
    return {each.recording_id: each.id for each in db.session.scalars(select(Outage))}


def test_two_workers_open_one(app: Flask, clock: Clock, kept: Kept) -> None:
    def open_it() -> int:
        with db.writing():
            return outages.note({kept.id: "It could not be read."}, clock.now())

    assert at_once(app, [open_it, open_it, open_it]) == [0, 0, 0]
    assert len(seen(app)) == 1


def test_two_workers_tell_of_the_same_silence(app: Flask, clock: Clock, kept: Kept) -> None:
    def tell(shift: int) -> None:
        with db.writing():
            since = clock.now() + timedelta(seconds=shift)
            outages.was_down(since, since + timedelta(minutes=70), "No database.")

    assert at_once(app, [lambda: tell(0), lambda: tell(2)]) == [None, None]
    assert ends(app) == ["2027-04-13T19:00:00Z"] * 2
    assert told(app) == [ANN[1], BOB[1]]


# The site itself


class Site(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(type(self).status)
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def site(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Site]]:
    monkeypatch.setattr(window_jobs, "TRIES", window_jobs.TRIES.new(backoff_factor=0))
    Site.status = 200
    with HTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        monkeypatch.setitem(app.config, "BASE_URL", f"http://localhost:{server.server_port}")
        app.extensions.pop(window_jobs.ANSWERED, None)
        yield Site
        server.shutdown()
        thread.join()
    app.extensions.pop(window_jobs.ANSWERED, None)


def test_a_site_that_is_not_ready_is_an_outage(app: Flask, clock: Clock, kept: Kept, site: type[Site]) -> None:
    site.status = 503
    check(app)
    assert seen(app) == [], "who was never answered cannot tell"

    site.status = 200
    check(app)
    site.status = 503
    clock.set(BEGAN)
    check(app)
    site.status = 200
    clock.shift(minutes=2)
    check(app)
    assert seen(app) == [(BEGAN, "2027-03-20T09:02:00Z", 1)]
    with app.app_context():
        assert db.session.scalars(select(Outage.why)).one() == "The site says that it is not ready (503)."
        assert db.session.scalar(select(func.count()).select_from(Attendee)) == 2
