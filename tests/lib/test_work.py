import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from lib import cli, clock, db, settings, work
from lib.work import LEASE, Job, Later, Never, Task
from tests.conftest import MORNING, Clock, at_once

pytestmark = pytest.mark.both_databases


class MachineClock:
    """The machine's clock, which leases and pauses go by, moved by a test."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> MachineClock:
    moved = MachineClock()
    monkeypatch.setattr("lib.clock.machine_now", moved.now)
    return moved


class Log:
    """A handler that keeps what it was given and does what it is told."""

    def __init__(self, does: Callable[[Task], None] = lambda _task: None) -> None:
        self.does = does
        self.seen: list[str] = []

    def __call__(self, task: Task, _now: datetime) -> None:
        self.seen.append(task.about)
        self.does(task)


def post(*abouts: str, due_at: datetime = MORNING, key: str | None = None, kind: str = "test") -> None:
    with db.writing():
        for about in abouts:
            work.post(kind, about, due_at, {"n": 1}, key)


def job(about: str = "a:1") -> Job:
    db.session.rollback()
    return db.session.scalars(select(Job).where(Job.about == about)).one()


def abouts() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Job.about).order_by(Job.id)))


def test_a_job_is_posted_with_its_fact_or_not_at_all(app: Flask) -> None:
    def broken() -> None:
        with db.writing():
            work.post("test", "a:1", MORNING, dedupe_key="once")
            work.post("test", "a:2", MORNING)
            raise LookupError

    with app.app_context():
        with pytest.raises(LookupError):
            broken()
        assert abouts() == []
        post("a:1", key="once")
        assert abouts() == ["a:1"]


def test_a_key_is_used_once_for_ever(app: Flask) -> None:
    with app.app_context():
        post("a:1", key="once")
        post("a:2", key="once")
        assert work.run_due({"test": Log()}) == 1
        post("a:3", key="once")
        post("a:4", key="other")
        post("a:5")
        post("a:6")

        assert abouts() == ["a:1", "a:4", "a:5", "a:6"]


def test_two_who_post_under_one_key_at_once_make_one_job(app: Flask) -> None:
    assert at_once(app, [lambda: post("a:1", key="once")] * 6) == [None] * 6
    with app.app_context():
        assert abouts() == ["a:1"]


def test_what_is_due_is_done_in_order_and_the_rest_waits(app: Flask, clock: Clock) -> None:
    log = Log()
    with app.app_context():
        post("later", due_at=MORNING + timedelta(seconds=1))
        post("second", "third")
        post("first", due_at=MORNING - timedelta(days=1))
        post("foreign", kind="unknown")

        assert work.run_due({"test": log}) == 3
        assert log.seen == ["first", "second", "third"]
        clock.shift(seconds=1)
        assert work.run_due({"test": log}) == 1
        assert work.run_due({"test": log}) == 0
    assert log.seen[3:] == ["later"]


def test_a_handler_gets_the_facts_and_the_time(app: Flask) -> None:
    got: list[tuple[Task, datetime]] = []
    with app.app_context():
        post("a:1")
        work.run_due({"test": lambda task, now: got.append((task, now))})

    ((task, now),) = got
    assert (task.kind, task.about, dict(task.arguments), task.due_at, task.attempts) == (
        "test", "a:1", {"n": 1}, MORNING, 1,
    )  # fmt: skip
    assert now == MORNING


def test_a_job_posted_by_a_job_is_done_in_the_same_run(app: Flask) -> None:
    log = Log(lambda task: post("a:2") if task.about == "a:1" else None)
    with app.app_context():
        post("a:1")
        assert work.run_due({"test": log}) == 2
    assert log.seen == ["a:1", "a:2"]


def test_a_run_can_be_given_an_end(app: Flask) -> None:
    log = Log()
    with app.app_context():
        post("a:1", "a:2", "a:3")
        assert work.run_due({"test": log}, most=2) == 2
    assert log.seen == ["a:1", "a:2"]


def test_four_workers_share_the_jobs_and_none_is_done_twice(app: Flask) -> None:
    names = [f"a:{n}" for n in range(30)]
    with app.app_context():
        post(*names)
    log = Log()

    done = at_once(app, [lambda: work.run_due({"test": log})] * 4)

    assert sum(done) == 30
    assert sorted(log.seen) == sorted(names)


def test_one_job_goes_to_one_of_two_workers(app: Flask) -> None:
    with app.app_context():
        post("a:1")

    got = at_once(app, [lambda: work.claim({"test": Log()})] * 2)

    assert sorted(each is None for each in got) == [False, True]
    with app.app_context():
        assert job().attempts == 1


def test_without_the_guard_both_get_it(app: Flask) -> None:
    """The control: found by one statement, taken by another that does not look again."""
    have_found = threading.Barrier(2)
    with app.app_context():
        post("a:1")

    def careless() -> int | None:
        number = db.session.scalar(select(Job.id).where(Job.lease_until.is_(None)))
        db.session.rollback()
        have_found.wait(30)
        with db.writing():
            taken = update(Job).where(Job.id == number).values(lease_until=clock.machine_now() + LEASE)
            return db.session.scalar(taken.returning(Job.id))

    assert at_once(app, [careless] * 2) == [1, 1]


def test_a_worker_that_dies_leaves_a_lease_that_runs_out(app: Flask, machine: MachineClock) -> None:
    log = Log()
    with app.app_context():
        post("a:1")
        assert work.claim({"test": log})
        assert work.run_due({"test": log}) == 0
        machine.ahead = LEASE - timedelta(seconds=5)
        assert work.run_due({"test": log}) == 0
        machine.ahead = LEASE + timedelta(seconds=5)
        assert work.run_due({"test": log}) == 1
        done = job()
        assert (done.attempts, done.lease_until, done.ended_at is not None) == (2, None, True)


def test_a_renewed_lease_is_kept(app: Flask, machine: MachineClock) -> None:
    with app.app_context():
        post("a:1")
        task = work.claim({"test": Log()})
        assert task
        machine.ahead = LEASE - timedelta(seconds=5)
        work.renew(task)
        machine.ahead = LEASE + timedelta(seconds=5)
        assert work.claim({"test": Log()}) is None
        machine.ahead = 2 * LEASE + timedelta(seconds=5)
        assert work.claim({"test": Log()})


def test_a_late_failure_says_nothing_against_the_worker_that_took_over(app: Flask, machine: MachineClock) -> None:
    def overtaken(task: Task) -> None:
        machine.ahead = LEASE + timedelta(seconds=5)
        assert work.run_due({"test": Log()}) == 1
        raise OSError("the line went dead")

    with app.app_context():
        post("a:1")
        work.run_due({"test": Log(overtaken)})
        done = job()
        assert (done.ended_at is not None, done.is_dead, done.pause_until, done.last_error) == (True, False, None, None)


def test_a_worker_asked_to_end_claims_nothing_more_and_the_job_is_none_the_worse(app: Flask) -> None:
    def let_go(_task: Task) -> None:
        work.stopping.set()
        raise work.Stopped

    with app.app_context():
        post("a:1", "a:2")
        with db.writing():
            db.session.execute(update(Job).values(attempts=work.MOST_ATTEMPTS - 1))
        log = Log(let_go)
        try:
            assert work.run_due({"test": log}) == 1
        finally:
            work.stopping.clear()
        stopped = job("a:1")
        assert (stopped.is_dead, stopped.attempts, stopped.lease_until) == (False, work.MOST_ATTEMPTS - 1, None)
        assert work.run_due({"test": Log()}) == 2


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 5), (2, 10), (3, 20), (5, 80), (12, 10240), (13, 20480), (14, 21600), (400, 21600)]
)
def test_pauses_grow_to_six_hours(app: Flask, attempts: int, seconds: int) -> None:
    assert work.pause(attempts) == timedelta(seconds=seconds)


def test_a_failure_is_tried_again_after_its_pause(app: Flask, machine: MachineClock) -> None:
    def fail(_task: Task) -> None:
        raise OSError("no route")

    log = Log(fail)
    with app.app_context():
        post("a:1")
        assert work.run_due({"test": log}) == 1
        assert job().last_error == "OSError('no route')"
        assert work.run_due({"test": log}) == 0
        machine.ahead = timedelta(seconds=6)
        assert work.run_due({"test": log}) == 1
        machine.ahead = timedelta(seconds=13)
        assert work.run_due({"test": log}) == 0
        machine.ahead = timedelta(seconds=17)
        log.does = lambda _task: None
        assert work.run_due({"test": log}) == 1
        done = job()
        assert (done.attempts, done.last_error, done.is_dead) == (3, None, False)


def test_a_handler_may_ask_for_its_own_pause(app: Flask, machine: MachineClock) -> None:
    def later(_task: Task) -> None:
        raise Later("the server is busy", after=timedelta(minutes=10))

    with app.app_context():
        post("a:1")
        work.run_due({"test": Log(later)})
        machine.ahead = timedelta(minutes=9, seconds=50)
        assert work.claim({"test": Log()}) is None
        machine.ahead = timedelta(minutes=10, seconds=10)
        assert work.claim({"test": Log()})


def test_never_is_dead_at_once_and_shown(app: Flask, machine: MachineClock) -> None:
    def never(_task: Task) -> None:
        raise Never("no such address")

    with app.app_context():
        post("a:1", "a:2")
        work.run_due({"test": Log(lambda task: never(task) if task.about == "a:1" else None)})
        machine.ahead = timedelta(days=30)
        assert work.run_due({"test": Log()}) == 0
        assert [(each.about, each.last_error) for each in work.dead_jobs()] == [("a:1", "Never('no such address')")]


def test_after_twelve_failures_a_job_is_dead(app: Flask, machine: MachineClock) -> None:
    def fail(_task: Task) -> None:
        raise ValueError("still wrong")

    log = Log(fail)
    with app.app_context():
        post("a:1")
        for _ in range(work.MOST_ATTEMPTS + 3):
            work.run_due({"test": log})
            machine.ahead += timedelta(hours=7)
        assert [each.about for each in work.dead_jobs()] == ["a:1"]
    assert len(log.seen) == work.MOST_ATTEMPTS


def test_one_failure_stops_nobody_else_and_keeps_nothing_it_wrote(app: Flask) -> None:
    def half(task: Task) -> None:
        if task.about == "a:1":
            with db.writing():
                work.post("test", "half", MORNING)
                raise ZeroDivisionError

    log = Log(half)
    with app.app_context():
        post("a:1", "a:2")
        assert work.run_due({"test": log}) == 2
        assert abouts() == ["a:1", "a:2"]
        assert (job("a:1").ended_at, job("a:2").ended_at is not None) == (None, True)


def test_a_handler_that_leaves_its_session_in_a_mess_is_recorded_all_the_same(app: Flask) -> None:
    def mess(_task: Task) -> None:
        db.session.add(Job(kind="test", about="unfinished", arguments={}, due_at=MORNING))

    with app.app_context():
        post("a:1")
        assert work.run_due({"test": Log(mess)}) == 1
        assert abouts() == ["a:1"]
        assert job().ended_at


def test_kill_minus_9_in_mid_job_loses_nothing(app: Flask, machine: MachineClock) -> None:
    with app.app_context():
        post("a:1", due_at=datetime.now(UTC) - timedelta(minutes=1))
    environment = {**os.environ, "DATABASE_URL": str(app.config["DATABASE_URL"]), "PYTHONPATH": str(settings.ROOT)}
    command = [sys.executable, "-m", "tests.lib.worker"]
    with subprocess.Popen(command, cwd=settings.ROOT, env=environment, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout
        assert worker.stdout.readline() == "begun\n"
        worker.send_signal(signal.SIGKILL)
    log = Log()
    with app.app_context():
        left = job()
        assert (left.attempts, left.ended_at) == (1, None)
        assert work.run_due({"test": log}) == 0
        machine.ahead = LEASE + timedelta(seconds=5)
        assert work.run_due({"test": log}) == 1
        assert job().ended_at
    assert log.seen == ["a:1"]


def test_several_jobs_in_one_statement_each_once(app: Flask, clock: Clock) -> None:
    rows = [{"due_at": clock.at, "arguments": {"n": n}, "dedupe_key": f"key-{n}"} for n in (1, 2)]
    for wanted in ([], rows, [*rows, {**rows[0], "dedupe_key": "key-3"}]):
        with app.app_context(), db.writing():
            work.post_once("test.note", "test:1", wanted)

    with app.app_context():
        found = db.session.execute(select(work.Job.dedupe_key, work.Job.arguments).order_by(work.Job.id)).all()
        assert [(key, arguments["n"]) for key, arguments in found] == [("key-1", 1), ("key-2", 2), ("key-3", 1)]


def test_the_lease_of_a_long_job_is_kept_while_it_runs(
    app: Flask, machine: MachineClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.work.LEASE", timedelta(seconds=0.2))
    with app.app_context():
        post("a:1")
        task = work.claim({"test": Log()})
        assert task is not None
        with work.held(task):
            first = leased(task)
            assert eventually(lambda: leased(task) > first)
        last = leased(task)
        machine.ahead = timedelta(seconds=30)
        assert leased(task) == last
        assert work.claim({"test": Log()}) is not None


def leased(task: Task) -> datetime:
    db.session.rollback()
    found = db.session.scalars(select(Job.lease_until).where(Job.id == task.id)).one()
    assert found is not None
    return found


def eventually(holds: Callable[[], bool]) -> bool:
    for _ in range(200):
        if holds():
            return True
        time.sleep(0.02)
    return False


def minutes() -> list[tuple[str, str]]:
    db.session.rollback()
    rows = db.session.scalars(select(Job).where(Job.about == "minute").order_by(Job.id))
    return [(each.kind, f"{each.due_at:%H:%M:%S}") for each in rows]


def test_each_minute_has_its_work_once_and_what_is_long_done_goes(app: Flask, clock: Clock) -> None:
    with app.app_context():
        for _ in range(2):
            with db.writing():
                work.plan_minute(["look", "tell"], MORNING + timedelta(seconds=42))
        assert minutes() == [("look", "09:00:00"), ("tell", "09:00:00")]
        assert work.run_due({"look": Log(), "tell": Log()}) == 2
        for now in (clock.shift(minutes=59), clock.shift(minutes=1)):
            with db.writing():
                work.plan_minute(["look"], now)

        assert minutes() == [("tell", "09:00:00"), ("look", "09:59:00"), ("look", "10:00:00")]


def test_a_worker_whose_database_was_away_says_for_how_long(
    app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def away(_handlers: work.Handlers, *, most: int | None = None) -> int:
        calls.append(most)
        if len(calls) == 1:
            raise ConnectionError("no database")
        work.stopping.set()
        return 1

    monkeypatch.setattr(work, "run_due", away)
    monkeypatch.setattr("lib.cli.time.sleep", lambda _seconds: clock.shift(minutes=12))
    try:
        with app.app_context():
            cli._loop({"look": Log()}, minutely=["look"])
    finally:
        work.stopping.clear()

    with app.app_context():
        told = db.session.scalars(select(Job).where(Job.kind == work.BACK)).one().arguments
    assert told == {"since": MORNING.isoformat(), "until": (MORNING + timedelta(minutes=12)).isoformat()}
