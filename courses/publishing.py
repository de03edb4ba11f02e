"""What a draft still lacks before people may see and book it. Pure, from the rows of one workshop."""

from datetime import datetime

from courses import least
from courses.models import TicketType, Workshop
from lib import money

NEEDS_ROOM = ("hybrid", "room")


def missing(workshop: Workshop, now: datetime) -> list[str]:
    """A sentence for each thing that is missing; none when it can be published."""
    said = []
    if not workshop.course.summary.strip():
        said.append("The course has no summary. The catalogue shows one.")
    ahead = [each for each in workshop.sessions if each.starts_at > now]
    if not ahead:
        said.append("No session lies ahead. Give it a date that is still to come.")
    if workshop.format in NEEDS_ROOM and workshop.venue is None:
        said.append("People come to a room, and it has no venue yet.")
    sold = [each for each in workshop.tickets if not each.is_hidden]
    if not sold:
        said.append("There is no ticket on sale. Add one with a price.")
    for ticket in sold:
        said += _of(ticket, now)
    return said


def _of(ticket: TicketType, now: datetime) -> list[str]:
    said = []
    if not ticket.prices:
        said.append(f"{ticket.name} has no price.")
    for price in ticket.prices:
        minor = price.minor if price.minor is not None else price.least_minor or 0
        if wrong := least.not_chargeable(minor, price.currency):
            said.append(f"{ticket.name}, {money.text(minor, price.currency)}: {wrong}")
    if ticket.kind == "admission" and not any(pool.capacity for pool in ticket.pools):
        said.append(f"{ticket.name} draws from no pool with places in it.")
    if ticket.sold_until and ticket.sold_until <= now:
        said.append(f"The sale of {ticket.name} is over before it began.")
    return said
