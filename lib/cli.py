"""`flask work`: do what is due, once or for ever."""

import signal
import time
from types import FrameType

import click
import structlog
from flask import current_app
from flask.cli import with_appcontext

from lib import settings, work

log = structlog.get_logger()
IDLE_SECONDS = 0.5


def work_command(handlers: work.Handlers) -> click.Command:
    """The command, bound to the handlers of all rooms."""

    @click.command("work")
    @click.option("--once", is_flag=True, help="Do everything that is due and stop.")
    @with_appcontext
    def run(once: bool) -> None:
        """Do the work that is due: letters, refunds, lapsing holds."""
        if current_app.config["COLLOQUY_DEMO"] != "1":
            given = {name: current_app.config[name] for name in current_app.config["GIVEN"]}
            settings.require(given, settings.WORKING, "Working")
        if once:
            work.run_due(handlers)
            return
        stopping = _listen_for_stop()
        while not stopping:
            try:
                if not work.run_due(handlers, most=50):
                    time.sleep(IDLE_SECONDS)
            except Exception:
                # The database may be restarting; the rows are safe, so look again.
                log.exception("worker could not claim work")
                time.sleep(2)

    return run


def _listen_for_stop() -> list[int]:
    """A list that is empty until SIGTERM or SIGINT arrives: the job in hand is finished first."""
    received: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        received.append(number)

    signal.signal(signal.SIGTERM, note)
    signal.signal(signal.SIGINT, note)
    return received
