"""What the worker does for waiting lists: when places came free, and when something of a list ends."""

from datetime import datetime

from bookings import waiting
from courses import places
from lib import db, work


def places_free(task: work.Task, now: datetime) -> None:
    """Places of a workshop were given back, or it has more: offer them."""
    with db.writing():
        waiting.settle(task.arguments["workshop"], now, has_come_free=True)


def turn(task: work.Task, now: datetime) -> None:
    """An offer, or the time of the list alone, or a sale has ended; or a pool has run out."""
    with db.writing():
        waiting.settle(task.arguments["workshop"], now, has_come_free=False)


HANDLERS: work.Handlers = {places.PLACES_FREE: places_free, places.PLACES_GONE: turn, waiting.TURN: turn}
