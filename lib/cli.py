"""`flask work`: do what is due, once or for ever."""

import signal
import threading
import time
from collections.abc import Collection
from datetime import date
from types import FrameType

import click
import structlog
from flask import Flask, current_app
from flask.cli import with_appcontext

from lib import clock, db, settings, work

log = structlog.get_logger()
IDLE_SECONDS = 0.5
LAST_SECONDS = 5  # for a long job to let go when the worker is asked to stop


def work_command(handlers: work.Handlers, nightly: Collection[str] = (), long: Collection[str] = ()) -> click.Command:
    """The command, bound to the handlers of all rooms, to the kinds of work that every night brings, and to those that
    take long: they are done beside the others, so that no letter waits for a film."""

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
            work.run_due(handlers)
            return
        _listen_for_stop()
        slow = {kind: each for kind, each in handlers.items() if kind in long}
        app = current_app._get_current_object()  # type: ignore[attr-defined]  # the proxy has it, its type says nothing
        beside = threading.Thread(target=_beside, args=(app, slow), name="long jobs", daemon=True)
        beside.start()
        _loop({kind: each for kind, each in handlers.items() if kind not in long}, nightly)
        beside.join(LAST_SECONDS)

    return run


def _beside(app: Flask, handlers: work.Handlers) -> None:
    with app.app_context():
        _loop(handlers)


def _loop(handlers: work.Handlers, nightly: Collection[str] = ()) -> None:
    planned: date | None = None
    while handlers and not work.stopping.is_set():
        try:
            if nightly and planned != clock.now().date():
                planned = _plan(nightly)
            if not work.run_due(handlers, most=50):
                time.sleep(IDLE_SECONDS)
        except Exception:
            # The database may be restarting; the rows are safe, so look again.
            log.exception("worker could not claim work")
            time.sleep(2)


def _plan(nightly: Collection[str]) -> date:
    """Post the coming night's work; the day that is taken care of."""
    now = clock.now()
    with db.writing():
        work.plan(nightly, now)
    return now.date()


def _listen_for_stop() -> None:
    """Let SIGTERM and SIGINT end the worker: the job in hand is finished first, a long one is left to the next."""

    def note(_number: int, _frame: FrameType | None) -> None:
        work.stopping.set()

    signal.signal(signal.SIGTERM, note)
    signal.signal(signal.SIGINT, note)
