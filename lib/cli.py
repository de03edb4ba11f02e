"""`flask work`: do what is due, once or for ever."""

import signal
import time
from collections.abc import Collection
from datetime import date
from types import FrameType

import click
import structlog
from flask import current_app
from flask.cli import with_appcontext

from lib import clock, db, settings, work

log = structlog.get_logger()
IDLE_SECONDS = 0.5


def work_command(handlers: work.Handlers, nightly: Collection[str] = ()) -> click.Command:
    """The command, bound to the handlers of all rooms and to the kinds of work that every night brings."""

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
        stopping = _listen_for_stop()
        planned: date | None = None
        while not stopping:
            try:
                if planned != clock.now().date():
                    planned = _plan(nightly)
                if not work.run_due(handlers, most=50):
                    time.sleep(IDLE_SECONDS)
            except Exception:
                # The database may be restarting; the rows are safe, so look again.
                log.exception("worker could not claim work")
                time.sleep(2)

    return run


def _plan(nightly: Collection[str]) -> date:
    """Post the coming night's work; the day that is taken care of."""
    now = clock.now()
    with db.writing():
        work.plan(nightly, now)
    return now.date()


def _listen_for_stop() -> list[int]:
    """A list that is empty until SIGTERM or SIGINT arrives: the job in hand is finished first."""
    received: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        received.append(number)

    signal.signal(signal.SIGTERM, note)
    signal.signal(signal.SIGINT, note)
    return received
