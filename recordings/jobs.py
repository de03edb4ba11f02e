"""Windows of people who came after a recording was published."""

from datetime import datetime

from bookings.changing import NEW_PERSON
from bookings.lifecycle import OPEN_WINDOWS
from lib import db, work
from recordings import publishing


def open_windows(task: work.Task, now: datetime) -> None:
    """Posted by the transaction that confirms a booking; again as often as need be, each window is made once."""
    with db.writing():
        publishing.open_for_booking(int(task.arguments["booking"]), now)


def new_person(task: work.Task, now: datetime) -> None:
    """Posted when a colleague takes a place: the days stay, what was watched was watched by somebody else."""
    with db.writing():
        publishing.forget_watched(int(task.arguments["attendee"]), now)


HANDLERS: work.Handlers = {OPEN_WINDOWS: open_windows, NEW_PERSON: new_person}
