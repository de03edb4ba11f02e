import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone

import pytest
from flask import Flask
from sqlalchemy import event, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError

from courses.models import Workshop, WorkshopSession
from lib import db, work
from lib.work import Job
from tests.builders import a_course, a_meeting, a_workshop, an_organiser, arranged
from tests.conftest import MORNING, at_once

both = pytest.mark.both_databases


def jobs() -> int:
    return db.session.scalar(select(func.count()).select_from(Job)) or 0


def post(about: str = "a:1") -> None:
    work.post("test", about, MORNING)


@contextmanager
def statements(app: Flask) -> Iterator[list[str]]:
    """Every statement sent to the database, transactions' starts among them."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    with app.app_context():
        engine = db.engine()
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


@both
def test_a_block_is_kept_at_its_end(app: Flask) -> None:
    with app.app_context(), db.writing():
        post()
        assert at_once(app, [jobs]) == [0]
    with app.app_context():
        assert jobs() == 1


@both
def test_an_exception_leaves_nothing_and_goes_on(app: Flask) -> None:
    def broken() -> None:
        with db.writing():
            post()
            raise LookupError

    with app.app_context():
        with pytest.raises(LookupError):
            broken()
        assert jobs() == 0
        with db.writing():
            post()
        assert jobs() == 1


@both
def test_a_block_within_a_block_is_refused_and_nothing_is_kept(app: Flask) -> None:
    def nested() -> None:
        with db.writing():
            post()
            with db.writing():
                post()

    with app.app_context():
        with pytest.raises(RuntimeError, match="inside"):
            nested()
        assert jobs() == 0


@both
def test_what_was_read_before_is_read_again_inside(app: Flask) -> None:
    with app.app_context():
        with db.writing():
            post("old")
        row = db.session.scalars(select(Job)).one()
        assert row.about == "old"
        at_once(app, [lambda: _rename("new")])
        assert row.about == "old"
        with db.writing():
            assert db.session.scalars(select(Job)).one().about == "new"
            db.session.execute(update(Job).values(about="newest"))
        assert db.session.scalars(select(Job)).one().about == "newest"


def _rename(about: str) -> None:
    with db.writing():
        db.session.execute(update(Job).values(about=about))


@both
def test_what_was_added_before_the_block_is_not_smuggled_into_it(app: Flask) -> None:
    with app.app_context():
        db.session.add(Job(kind="test", about="stray", arguments={}, due_at=MORNING))
        with db.writing():
            post("meant")
        assert list(db.session.scalars(select(Job.about))) == ["meant"]


def test_on_sqlite_a_writer_takes_the_lock_at_once_and_a_reader_none(app: Flask) -> None:
    with statements(app) as seen, app.app_context():
        jobs()
        db.session.rollback()
        with db.writing():
            post()
        jobs()

    assert [each for each in seen if each.startswith("BEGIN")] == ["BEGIN", "BEGIN IMMEDIATE", "BEGIN"]


def test_sqlite_is_set_as_meant(app: Flask) -> None:
    with app.app_context():
        found = {
            name: db.session.scalar(text(f"PRAGMA {name}"))
            for name in ("foreign_keys", "journal_mode", "busy_timeout", "synchronous")
        }

    assert found == {"foreign_keys": 1, "journal_mode": "wal", "busy_timeout": db.BUSY_TIMEOUT_MS, "synchronous": 1}


@both
def test_twelve_writers_who_read_first_all_get_their_turn(app: Flask) -> None:
    def read_and_write() -> None:
        jobs()
        with db.writing():
            post(f"n:{jobs()}")

    assert at_once(app, [read_and_write] * 12) == [None] * 12
    with app.app_context():
        assert jobs() == 12
        abouts = list(db.session.scalars(select(Job.about)))
        assert db.is_postgresql() or len(set(abouts)) == 12


def test_without_it_readers_who_turn_writers_are_told_the_database_is_locked(app: Flask) -> None:
    """The control: the same twelve with a transaction that begins as a reader."""
    have_read = threading.Barrier(12)

    def read_and_write() -> None:
        jobs()
        have_read.wait(30)
        db.session.execute(insert(Job).values(kind="test", about="n:1", arguments={}, due_at=MORNING))
        db.session.commit()

    ended = at_once(app, [read_and_write] * 12)
    assert [each for each in ended if isinstance(each, OperationalError) and "locked" in str(each)]


@both
def test_instants_come_back_in_utc_from_wherever_they_were_given(app: Flask) -> None:
    given = datetime(2027, 3, 2, 12, 30, 15, 250000, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    with app.app_context():
        with db.writing():
            work.post("test", "a:1", given)
        found = db.session.scalars(select(Job.due_at)).one()
        same = db.session.scalar(select(func.count()).where(Job.due_at == given))

    assert (found, found.tzinfo) == (datetime(2027, 3, 2, 6, 45, 15, 250000, tzinfo=UTC), UTC)
    assert same == 1


@both
def test_a_naive_instant_is_refused(app: Flask) -> None:
    with app.app_context():
        with pytest.raises(StatementError, match="naive"), db.writing():
            work.post("test", "a:1", datetime(2027, 3, 2))  # noqa: DTZ001
        assert jobs() == 0


@both
def test_a_wall_time_comes_back_as_it_was_given_and_takes_no_zone(app: Flask) -> None:
    with arranged(app):
        workshop = a_workshop(sessions=[a_meeting(starts="10:00", ends="16:00", zone="Asia/Kathmandu")])
        number = workshop.sessions[0].id
    with app.app_context():
        found = db.session.get_one(WorkshopSession, number)
        assert (found.wall_start.hour, found.wall_start.tzinfo) == (10, None)
        assert (found.starts_at.hour, found.starts_at.minute) == (4, 15)
        with pytest.raises(StatementError, match="no zone"), db.writing():
            db.session.execute(update(WorkshopSession).values(wall_start=MORNING))


@both
def test_the_database_refuses_a_pair_of_two_organisers(app: Flask) -> None:
    with arranged(app):
        ours = a_workshop().id
        theirs = a_course(organiser=an_organiser(slug="zed-trains")).id
    with app.app_context():
        with pytest.raises(IntegrityError), db.writing():
            db.session.execute(update(Workshop).where(Workshop.id == ours).values(course_id=theirs))
        with pytest.raises(IntegrityError), db.writing():
            db.session.execute(update(Workshop).where(Workshop.id == ours).values(organiser_id=999))


@both
@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_begins_with_an_empty_database_and_fresh_numbers(app: Flask, turn: int) -> None:
    with arranged(app):
        assert jobs() == 0
        workshop = a_workshop()
        assert (workshop.id, workshop.organiser_id) == (1, 1)
    with app.app_context():
        db.ping()
