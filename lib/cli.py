"""`flask work`: do what is due, once or for ever."""

import signal
import threading
import time
from collections.abc import Collection
from datetime import date, datetime, timedelta
from types import FrameType

import click
import structlog
from flask import Flask, current_app
from flask.cli import with_appcontext

from lib import clock, db, settings, work

log = structlog.get_logger()
IDLE_SECONDS = 0.5
LONG_FAILING = timedelta(minutes=1)
LAST_SECONDS = 5  # for a long job to let go when the worker is asked to stop


def work_command(
    handlers: work.Handlers,
    nightly: Collection[str] = (),
    long: Collection[str] = (),
    minutely: Collection[str] = (),
) -> click.Command:
    """The command, bound to the handlers of all rooms, to the kinds of work that every night and every minute bring,
    and to those that take long: they are done beside the others, so that no letter waits for a film."""

    @click.command("work")
    @click.option("--once", is_flag=True, help="Do everything that is due and stop.")
    @with_appcontext
    def run(once: bool) -> None:
        """Do the work that is due: letters, refunds, lapsing holds."""
        if current_app.config["COLLOQUY_DEMO"] != "1":
            given = {name: current_app.config[name] for name in current_app.config["GIVEN"]}
            settings.require(given, settings.WORKING, "Working")
        if once:
            _plan(nightly)
            _plan_minute(minutely)
            work.run_due(handlers)
            return
        _listen_for_stop()
        slow = {kind: each for kind, each in handlers.items() if kind in long}
        app = current_app._get_current_object()  # type: ignore[attr-defined]  # the proxy has it, its type says nothing
        beside = threading.Thread(target=_beside, args=(app, slow), name="long jobs", daemon=True)
        beside.start()
        _loop({kind: each for kind, each in handlers.items() if kind not in long}, nightly, minutely)
        beside.join(LAST_SECONDS)

    return run


def _beside(app: Flask, handlers: work.Handlers) -> None:
    with app.app_context():
        _loop(handlers)


def _loop(handlers: work.Handlers, nightly: Collection[str] = (), minutely: Collection[str] = ()) -> None:
    planned: date | None = None
    minute: datetime | None = None
    failing_since: datetime | None = None
    while handlers and not work.stopping.is_set():
        try:
            if nightly and planned != clock.now().date():
                planned = _plan(nightly)
            if minutely and minute != clock.now().replace(second=0, microsecond=0):
                minute = _plan_minute(minutely)
            if minutely and failing_since:
                _tell_back(failing_since)
            failing_since = None
            if not work.run_due(handlers, most=50):
                time.sleep(IDLE_SECONDS)
        except Exception:
            # The database may be restarting; the rows are safe, so look again.
            failing_since = failing_since or clock.now()
            log.exception("worker could not claim work")
            time.sleep(2)


def _plan(nightly: Collection[str]) -> date:
    """Post the coming night's work; the day that is taken care of."""
    now = clock.now()
    with db.writing():
        work.plan(nightly, now)
    return now.date()


def _plan_minute(minutely: Collection[str]) -> datetime:
    """Post the work of this minute; the minute that is taken care of."""
    now = clock.now()
    with db.writing():
        work.plan_minute(minutely, now)
    return now.replace(second=0, microsecond=0)


def _tell_back(since: datetime) -> None:
    """The database answers again after a minute or more: post what nobody could write down meanwhile."""
    now = clock.now()
    if now - since < LONG_FAILING:
        return
    with db.writing():
        work.post(work.BACK, "database", now, {"since": since.isoformat(), "until": now.isoformat()})


def _listen_for_stop() -> None:
    """Let SIGTERM and SIGINT end the worker: the job in hand is finished first, a long one is left to the next."""

    def note(_number: int, _frame: FrameType | None) -> None:
        work.stopping.set()

    signal.signal(signal.SIGTERM, note)
    signal.signal(signal.SIGINT, note)
