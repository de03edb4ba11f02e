"""Reminders of invoices that are not paid."""

from datetime import datetime

from bookings import invoicing, lifecycle
from lib import db, work


def remind(task: work.Task, now: datetime) -> None:
    """Say that an invoice is open, if it still is."""
    with db.writing():
        invoicing.remind(lifecycle.locked(task.arguments["bill"]), task.arguments["stage"], now)


HANDLERS: work.Handlers = {invoicing.REMIND: remind}
