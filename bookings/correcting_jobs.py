"""What the worker does for corrections: addresses that nobody answered from are not kept."""

from datetime import datetime

from bookings import correcting
from lib import db, work


def forget(_task: work.Task, now: datetime) -> None:
    """The time to answer a letter is over."""
    with db.writing():
        correcting.forget(now)


HANDLERS: work.Handlers = {correcting.FORGET: forget}
