"""Paying on an invoice: to whom it goes, by when it is to be paid, when people are reminded of it. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from courses.shelf import TicketFacts
from lib import zones

PAYMENT = "invoice"  # what a ticket's `payment` says when it may be paid so
AHEAD = timedelta(days=3)
HOUR = time(9)  # when letters about a day leave, by the organiser's clock
DECIDE_AHEAD = timedelta(days=2)


@dataclass(frozen=True)
class InvoiceTo:
    """The organisation that pays, as the booker gave it."""

    name: str
    address: str
    email: str
    purchase_order: str = ""


def may_be(tickets: Iterable[TicketFacts]) -> bool:
    """Whether a booking of these tickets may be paid on an invoice: each of them says so."""
    found = list(tickets)
    return bool(found) and all(each.payment == PAYMENT for each in found)


def due_on(issued_at: datetime, days: int, starts_at: datetime, zone: str) -> date:
    """The last day to pay, by the organiser's clock: so many days from the invoice's own, never after the day the
    workshop begins, and never before the invoice's."""
    issued, starts = (zones.wall(at, zone).date() for at in (issued_at, starts_at))
    return max(min(issued + timedelta(days=days), starts), issued)


def days_late(due: date, now: datetime, zone: str) -> int:
    """How many days the last day is over; nothing or less while it is not."""
    return (zones.wall(now, zone).date() - due).days


def reminders(due: date, starts_at: datetime, zone: str, now: datetime) -> Mapping[str, datetime]:
    """What is still ahead: `before` and `late` for whoever pays, `starts` for the organiser to let people in or not."""
    found = {
        "before": zones.instant(datetime.combine(due - AHEAD, HOUR), zone),
        "late": zones.instant(datetime.combine(due + timedelta(days=1), HOUR), zone),
        "starts": max(starts_at - DECIDE_AHEAD, now),
    }
    return {stage: at for stage, at in found.items() if at >= now}
