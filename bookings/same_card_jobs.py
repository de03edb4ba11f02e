"""Compares the card of a first offer with those that have paid before. Needs no network: the card is read with the
payment."""

from datetime import datetime

from bookings import same_card
from lib import db, work


def compare_cards(task: work.Task, now: datetime) -> None:
    with db.writing():
        same_card.compare(int(task.arguments["bill"]), now)


HANDLERS: work.Handlers = {same_card.COMPARE: compare_cards}
