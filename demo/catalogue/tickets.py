"""The pools, tickets and questions of one planted workshop."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from courses.models import Pool, Question, TicketPrice, TicketType, Workshop, WorkshopSession
from demo.catalogue import read
from lib import zones

SECOND = timedelta(seconds=1)


def add_pools(workshop: Workshop, taught: read.Taught) -> dict[str, Pool]:
    """The workshop's pools by code: one for all, one a room, or one an evening; and each limited ticket's own."""
    capacities = dict(taught.capacity)
    if each_session := capacities.pop("each_session", None):
        capacities |= {f"evening_{session.number}": each_session for session in workshop.sessions}
    capacities |= {ticket.code: ticket.limited_to for ticket in taught.tickets if ticket.limited_to}
    workshop.pools = [
        Pool(organiser_id=workshop.organiser_id, code=code, capacity=capacity) for code, capacity in capacities.items()
    ]
    return {pool.code: pool for pool in workshop.pools}


def add_tickets(workshop: Workshop, taught: read.Taught, moved_by: timedelta) -> None:
    """The workshop's tickets in the files' order, with their ends of sale and instalments moved by as much."""
    pools = add_pools(workshop, taught)
    for ticket in taught.tickets:
        if ticket.for_each_session:
            for session in workshop.sessions:
                _add_evening(workshop, ticket, session, pools, moved_by)
        else:
            row = _add(workshop, ticket, moved_by)
            row.pools = _pools(ticket, pools)


def add_questions(workshop: Workshop, taught: read.Taught, *, is_rerun: bool) -> None:
    """What the workshop asks. Nothing is required but what the files require of a rerun."""
    in_the_room = [ticket for ticket in workshop.tickets if "room" in {pool.code for pool in ticket.pools}]
    workshop.questions = [
        Question(
            organiser_id=workshop.organiser_id,
            code=question.code,
            position=position,
            label=question.label,
            kind="choice" if question.choices else "tick" if question.is_tick else "text",
            choices=list(question.choices),
            is_required=is_rerun and question.code in taught.required_at_rerun,
            is_private=question.is_private,
            tickets=in_the_room if question.code in taught.asked_in_the_room else [],
        )
        for position, question in enumerate(taught.questions, 1)
    ]


def _add_evening(
    workshop: Workshop, ticket: read.Ticket, session: WorkshopSession, pools: dict[str, Pool], moved_by: timedelta
) -> None:
    row = _add(workshop, ticket, moved_by)
    day = session.wall_start.date()
    row.code = f"{ticket.code}_{session.number}"
    row.name = f"{ticket.name}: {zones.day(day).rsplit(' ', 1)[0]}"
    row.sessions = [session]
    row.pools = [pools[f"evening_{session.number}"]]


def _add(workshop: Workshop, ticket: read.Ticket, moved_by: timedelta) -> TicketType:
    row = TicketType(
        organiser_id=workshop.organiser_id,
        code=ticket.code,
        position=len(workshop.tickets) + 1,
        name=ticket.name,
        hint=ticket.hint,
        kind=ticket.kind,
        seats=ticket.seats,
        is_full_price=ticket.is_full_price,
        includes_live=ticket.kind == "admission",
        includes_recording=ticket.has_recording,
        is_in_room=ticket.pool == "room",
        payment=ticket.payment,
        proof=ticket.proof,
        terms=_terms(ticket, moved_by),
        limited_to=ticket.limited_to,
        sold_until=_sold_until(workshop, ticket, moved_by),
        prices=_prices(workshop, ticket),
    )
    workshop.tickets.append(row)
    return row


def _pools(ticket: read.Ticket, pools: dict[str, Pool]) -> list[Pool]:
    if ticket.kind != "admission":
        return []
    shared = [pools[ticket.pool]] if ticket.pool in pools else [p for c, p in pools.items() if c.startswith("evening_")]
    return shared + ([pools[ticket.code]] if ticket.limited_to else [])


def _prices(workshop: Workshop, ticket: read.Ticket) -> list[TicketPrice]:
    prices = [
        TicketPrice(organiser_id=workshop.organiser_id, currency=currency, minor=minor)
        for currency, minor in ticket.prices.items()
    ]
    if ticket.chosen:
        prices.append(TicketPrice(organiser_id=workshop.organiser_id, minor=None, **ticket.chosen))
    return prices


def _sold_until(workshop: Workshop, ticket: read.Ticket, moved_by: timedelta) -> datetime | None:
    """The first instant at which the ticket is no longer sold, or None where it has no end of its own."""
    if ticket.sold_days_after is not None:
        day = zones.wall(workshop.ends_at, workshop.zone).date() + timedelta(days=ticket.sold_days_after + 1)
        return zones.instant(datetime.combine(day, time()), workshop.zone)
    if ticket.closes_minutes_before is not None:
        return workshop.starts_at - timedelta(minutes=ticket.closes_minutes_before)
    if ticket.until is None:
        return None
    return zones.instant(ticket.until + moved_by, workshop.zone) + SECOND


def _terms(ticket: read.Ticket, moved_by: timedelta) -> dict[str, Any]:
    if ticket.deposit is None:
        return dict(ticket.terms)
    return {
        "deposit_minor": ticket.deposit["deposit_minor"],
        "instalments": _instalments(ticket.deposit["instalments"], moved_by),
    }


def _instalments(rows: Sequence[dict[str, Any]], moved_by: timedelta) -> list[dict[str, Any]]:
    return [{"due": (date.fromisoformat(row["due"]) + moved_by).isoformat(), "minor": row["minor"]} for row in rows]
