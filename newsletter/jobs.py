"""Writing to an address that was typed into a newsletter's form."""

from datetime import datetime

from lib import db, work
from newsletter import subscribing
from newsletter.models import Placement

ASK = "newsletter.ask"


def ask(task: work.Task, now: datetime) -> None:
    """One letter; which one depends on whether the address is known, and only its owner learns that."""
    with db.writing():
        placement = db.session.get(Placement, task.arguments["placement"])
        if placement and placement.is_open:
            subscribing.ask(placement, task.arguments["email"], now)


HANDLERS: work.Handlers = {ASK: ask}
