"""Windows of people who came after a recording was published."""

from datetime import datetime

from bookings.lifecycle import OPEN_WINDOWS
from lib import db, work
from recordings import publishing


def open_windows(task: work.Task, now: datetime) -> None:
    """Posted by the transaction that confirms a booking; again as often as need be, each window is made once."""
    with db.writing():
        publishing.open_for_booking(int(task.arguments["booking"]), now)


HANDLERS: work.Handlers = {OPEN_WINDOWS: open_windows}
