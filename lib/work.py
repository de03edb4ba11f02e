"""Work to do later, as rows: posted in the transaction of the fact it belongs to, claimed by one UPDATE.

Any number of workers on any number of machines may run against one PostgreSQL. A worker that dies leaves a lease that
runs out; its job is then done again, so handlers are idempotent.
"""

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from flask import current_app
from sqlalchemy import Index, String, Text, delete, insert, or_, select, text, update
from sqlalchemy.orm import Mapped, mapped_column

from lib import clock, db

LEASE = timedelta(minutes=2)
MOST_ATTEMPTS = 12
KEPT_MINUTES = 60
BACK = "database.back"  # could not be asked for a while: who watches over something else then hears of it
LONGEST_PAUSE = timedelta(hours=6)

log = structlog.get_logger()
stopping = threading.Event()  # set when this process is asked to end: long jobs look, and raise `Stopped`


class Job(db.Base):
    """One piece of work. `due_at` is the product's clock; leases and pauses are the machine's."""

    __tablename__ = "job"
    __table_args__ = (Index("ix_job_open", "due_at", "id", postgresql_where=text("ended_at IS NULL")),)

    id: Mapped[db.Id]
    kind: Mapped[str] = mapped_column(String(60))
    about: Mapped[str] = mapped_column(String(80))
    arguments: Mapped[db.Facts]
    due_at: Mapped[datetime]
    dedupe_key: Mapped[str | None] = mapped_column(String(120), unique=True)
    attempts: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    pause_until: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    is_dead: Mapped[bool] = mapped_column(default=False)
    last_error: Mapped[str | None] = mapped_column(Text)


@dataclass(frozen=True)
class Task:
    """What a handler gets: the job's facts, free of the database."""

    id: int
    kind: str
    about: str
    arguments: Mapping[str, Any]
    due_at: datetime
    attempts: int


Handler = Callable[[Task, datetime], None]
Handlers = Mapping[str, Handler]


class Later(Exception):
    """The handler cannot finish now: try again after a pause that grows. `after` asks for an exact pause."""

    def __init__(self, reason: str, after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.after = after


class Stopped(Later):
    """The worker was asked to end in the middle of a long job: it is done again by the next one."""

    def __init__(self) -> None:
        super().__init__("the worker was asked to stop", timedelta())


class Never(Exception):
    """Trying again cannot help: the job is dead at once and shown."""


def post(
    kind: str,
    about: str,
    due_at: datetime,
    arguments: Mapping[str, Any] | None = None,
    dedupe_key: str | None = None,
) -> None:
    """Add a job to the open transaction. With a `dedupe_key` that was ever used, nothing is added."""
    values = {
        "kind": kind,
        "about": about,
        "arguments": dict(arguments or {}),
        "due_at": due_at,
        "dedupe_key": dedupe_key,
        "attempts": 0,
        "is_dead": False,
    }
    if dedupe_key is None:
        db.session.execute(insert(Job).values(values))
        return
    db.session.execute(db.insert_or(Job).values(values).on_conflict_do_nothing(index_elements=["dedupe_key"]))


def post_once(kind: str, about: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Several jobs in one statement, each {"due_at", "arguments", "dedupe_key"}; keys ever used add nothing."""
    if not rows:
        return
    values = [{"kind": kind, "about": about, "attempts": 0, "is_dead": False, **row} for row in rows]
    db.session.execute(db.insert_or(Job).values(values).on_conflict_do_nothing(index_elements=["dedupe_key"]))


def plan(nightly: Collection[str], now: datetime) -> None:
    """See that each kind of nightly work has its row for the coming night (03:00 UTC): one, however many workers look.

    Inside a write transaction.
    """
    due_at = now.replace(hour=3, minute=0, second=0, microsecond=0)
    if due_at <= now:
        due_at += timedelta(days=1)
    for kind in nightly:
        post(kind, "night", due_at, dedupe_key=f"{kind}:{due_at:%Y-%m-%d}")


def plan_minute(kinds: Collection[str], now: datetime) -> None:
    """See that each kind of work of every minute has its row for this one; rows of minutes long done are removed.

    A minute that no worker looked at is left out. Inside a write transaction.
    """
    due_at = now.replace(second=0, microsecond=0)
    for kind in kinds:
        post(kind, "minute", due_at, dedupe_key=_minute_key(kind, due_at))
    # Named one by one, so that nobody looks through all the work that was ever done.
    past = [due_at - timedelta(minutes=n) for n in range(KEPT_MINUTES, 2 * KEPT_MINUTES)]
    long_done = Job.dedupe_key.in_([_minute_key(kind, each) for kind in kinds for each in past])
    db.session.execute(delete(Job).where(long_done, Job.ended_at.is_not(None), ~Job.is_dead))


def _minute_key(kind: str, due_at: datetime) -> str:
    return f"{kind}:{due_at:%Y-%m-%dT%H:%M}"


def run_due(handlers: Handlers, *, most: int | None = None) -> int:
    """Do everything that is due, in order of `due_at`, and return how many jobs were run.

    A job posted by another one runs too. Failures are recorded on their rows and never raised.
    """
    done = 0
    while (most is None or done < most) and not stopping.is_set():
        task = claim(handlers)
        if task is None:
            break
        _run(task, handlers)
        done += 1
    return done


def claim(handlers: Handlers) -> Task | None:
    """Take the next due job of a known kind for LEASE, or None. One of many workers gets it."""
    while True:
        now, machine = clock.now(), clock.machine_now()
        is_free = (
            Job.ended_at.is_(None),
            Job.due_at <= now,
            or_(Job.lease_until.is_(None), Job.lease_until < machine),
            or_(Job.pause_until.is_(None), Job.pause_until < machine),
            Job.kind.in_(list(handlers)),
        )
        candidate = select(Job.id).where(*is_free).order_by(Job.due_at, Job.id).limit(1)
        found = db.session.scalar(candidate)
        db.session.rollback()
        if found is None:
            return None
        with db.writing():
            if db.is_postgresql():
                candidate = candidate.with_for_update(skip_locked=True)
            row = db.session.execute(
                update(Job)
                .where(Job.id == candidate.scalar_subquery())
                .values(lease_until=machine + LEASE, attempts=Job.attempts + 1)
                .returning(Job.id, Job.kind, Job.about, Job.arguments, Job.due_at, Job.attempts)
                .execution_options(synchronize_session=False)
            ).one_or_none()
            task = Task(*row) if row else None
        if task:  # else another worker was quicker: there may be more
            return task


def renew(task: Task) -> None:
    """Keep a long job's lease; call it more often than every LEASE."""
    with db.writing():
        db.session.execute(update(Job).where(Job.id == task.id).values(lease_until=clock.machine_now() + LEASE))


@contextmanager
def held(task: Task) -> Iterator[None]:
    """Keep a long job's lease, by a thread of its own, for as long as the block runs outside any transaction."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # the proxy has it, its type does not say so
    is_over = threading.Event()

    def keep() -> None:
        while not is_over.wait(LEASE.total_seconds() / 4):
            with app.app_context():
                try:
                    renew(task)
                except Exception:
                    log.exception("a lease could not be renewed", job=task.id)

    keeper = threading.Thread(target=keep, name=f"lease-{task.id}", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        is_over.set()
        keeper.join()


def pause(attempts: int) -> timedelta:
    """How long to wait after the n-th failure: 5 s, doubling, at most six hours."""
    return min(timedelta(seconds=5 * 2 ** min(attempts - 1, 16)), LONGEST_PAUSE)


def dead_jobs() -> list[Job]:
    return list(db.session.scalars(select(Job).where(Job.is_dead).order_by(Job.id)))


def _run(task: Task, handlers: Handlers) -> None:
    error: Exception | None = None
    try:
        handlers[task.kind](task, clock.now())
    except Exception as problem:
        error = problem
    db.session.rollback()
    with db.writing():
        _record(task, error)
    if error:
        log.warning("job failed", job=task.id, kind=task.kind, about=task.about, error=repr(error))


def _record(task: Task, error: Exception | None) -> None:
    machine = clock.machine_now()
    values: dict[str, Any] = {"lease_until": None}
    if error is None:
        values |= {"ended_at": machine, "last_error": None}
    elif isinstance(error, Stopped):
        values |= {"attempts": task.attempts - 1}  # a worker that is started anew is no failure of the job
    elif isinstance(error, Never) or task.attempts >= MOST_ATTEMPTS:
        values |= {"ended_at": machine, "is_dead": True, "last_error": repr(error)}
    else:
        asked = error.after if isinstance(error, Later) else None
        wait = pause(task.attempts) if asked is None else asked
        values |= {"pause_until": machine + wait, "last_error": repr(error)}
    mine = [Job.id == task.id, Job.ended_at.is_(None)]
    if error:
        mine.append(Job.attempts == task.attempts)  # a worker whose lease ran out says nothing against its successor
    db.session.execute(update(Job).where(*mine).values(values))
