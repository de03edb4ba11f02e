"""What is sold for a workshop: tickets and their prices, pools of places, questions. Under the caller's transaction.

What people have booked stays what they booked: a ticket that is booked keeps its pools, sessions and seats, a pool
keeps room for the places that are claimed.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select

from courses import places, slugs
from courses.editing import NotPossible
from courses.models import (
    Place,
    Pool,
    Question,
    TicketPrice,
    TicketType,
    Workshop,
    WorkshopSession,
    question_ticket,
    ticket_pool,
    ticket_session,
)
from lib import db


@dataclass(frozen=True)
class Price:
    """A price in minor units: fixed, or chosen by the buyer between `least` and `most`."""

    minor: int | None
    least: int | None = None
    suggested: int | None = None
    most: int | None = None


@dataclass(frozen=True)
class Wanted:
    """A ticket as an organiser describes it, with its prices by currency."""

    columns: Mapping[str, Any]
    prices: Mapping[str, Price]
    pools: Sequence[Pool] = ()
    sessions: Sequence[WorkshopSession] = ()
    limited_to: int | None = None
    unchangeable: frozenset[str] = field(default=frozenset({"seats", "kind"}))


def make(workshop: Workshop, wanted: Wanted) -> TicketType:
    """A ticket behind the others, with a code of its own."""
    taken = {each.code for each in workshop.tickets} | {each.code for each in workshop.pools}
    ticket = TicketType(
        organiser_id=workshop.organiser_id,
        workshop_id=workshop.id,
        code=code_for(wanted.columns["name"], taken, "ticket"),
        position=1 + max((each.position for each in workshop.tickets), default=0),
        **wanted.columns,
    )
    db.session.add(ticket)
    db.session.flush()
    _draw(workshop, ticket, wanted)
    _set_prices(ticket, wanted.prices)
    db.session.expire(workshop, ["tickets", "pools"])
    return ticket


def change(workshop: Workshop, ticket: TicketType, wanted: Wanted, *, is_booked: bool, now: datetime) -> None:
    """Write the ticket as wanted. Raises NotPossible for what a booked one must keep."""
    if is_booked:
        drawn = {each.id for each in ticket.pools if each.code != ticket.code}
        is_other = (
            drawn != {each.id for each in wanted.pools}
            or {each.id for each in ticket.sessions} != {each.id for each in wanted.sessions}
            or any(wanted.columns[name] != getattr(ticket, name) for name in wanted.unchangeable)
            or (ticket.limited_to is None) != (wanted.limited_to is None)
        )
        if is_other:
            raise NotPossible(
                f"People have booked {ticket.name}, so its kind, its people, its sessions, its pools and whether it "
                "has a limit of its own stay as they were. Make another ticket for what is to be different."
            )
    for name, value in wanted.columns.items():
        setattr(ticket, name, value)
    own = next((each for each in ticket.pools if each.code == ticket.code), None)
    if is_booked and own is not None and wanted.limited_to is not None:
        set_capacity(own, wanted.limited_to, now, reserved=own.reserved)
        ticket.limited_to = wanted.limited_to
    elif not is_booked:
        _draw(workshop, ticket, wanted)
    _set_prices(ticket, wanted.prices)
    db.session.expire(workshop, ["tickets", "pools"])


def remove(workshop: Workshop, ticket: TicketType) -> None:
    """Take away a ticket that nobody ever booked."""
    ticket_id, own = ticket.id, [each.id for each in ticket.pools if each.code == ticket.code]
    for table in (question_ticket, ticket_session, ticket_pool):
        db.session.execute(delete(table).where(table.c.ticket_type_id == ticket_id))
    db.session.execute(delete(TicketPrice).where(TicketPrice.ticket_type_id == ticket_id))
    db.session.execute(delete(TicketType).where(TicketType.id == ticket_id))
    _delete_pools(own)
    db.session.expire(workshop, ["tickets", "pools"])


def add_pool(workshop: Workshop, name: str, capacity: int) -> Pool:
    """Another pool of places."""
    taken = {each.code for each in workshop.pools} | {each.code for each in workshop.tickets}
    code = code_for(name, taken, "pool").replace("-", "_")
    pool = Pool(organiser_id=workshop.organiser_id, workshop_id=workshop.id, code=code, capacity=capacity)
    db.session.add(pool)
    db.session.flush()
    db.session.expire(workshop, ["pools"])
    return pool


def set_capacity(pool: Pool, capacity: int, now: datetime, *, reserved: int = 0) -> None:
    """Make a pool larger or smaller, never smaller than what is claimed, and keep `reserved` of its places from the
    public, those given out of the reserve among them. Raises NotPossible."""
    db.session.scalars(select(Pool.id).where(Pool.id == pool.id).with_for_update()).one()
    claimed = places.claimed([pool.id], now)[pool.id]
    if capacity < claimed:
        raise NotPossible(
            f"{claimed} places of “{pool_name(pool)}” are taken or held, so it cannot have {capacity}. "
            f"Give it {claimed} or more."
        )
    pool.capacity, pool.reserved = capacity, min(reserved, capacity)
    db.session.flush()
    places.came_free(pool.workshop_id, now)


def remove_pool(workshop: Workshop, pool: Pool) -> None:
    """Take away a pool no ticket draws from and nobody ever claimed. Raises NotPossible."""
    drawn = db.session.scalar(select(func.count()).select_from(ticket_pool).where(ticket_pool.c.pool_id == pool.id))
    claimed = db.session.scalar(select(func.count()).select_from(Place).where(Place.pool_id == pool.id))
    if drawn or claimed:
        raise NotPossible(f"Tickets draw from “{pool_name(pool)}”, or places of it were claimed. It has to stay.")
    _delete_pools([pool.id])
    db.session.expire(workshop, ["pools"])


def save_question(workshop: Workshop, question: Question | None, facts: Mapping[str, Any]) -> Question:
    """Ask something more, or ask it otherwise."""
    if question is None:
        question = Question(
            organiser_id=workshop.organiser_id,
            workshop_id=workshop.id,
            code=code_for(facts["label"], {each.code for each in workshop.questions}, "question"),
            position=1 + max((each.position for each in workshop.questions), default=0),
        )
        db.session.add(question)
    for name, value in facts.items():
        setattr(question, name, value)
    db.session.flush()
    db.session.expire(workshop, ["questions"])
    return question


def remove_question(workshop: Workshop, question: Question) -> None:
    """Ask it no longer; the caller makes sure that nobody has answered it."""
    db.session.execute(delete(question_ticket).where(question_ticket.c.question_id == question.id))
    db.session.execute(delete(Question).where(Question.id == question.id))
    db.session.expire(workshop, ["questions"])


def code_for(name: str, taken: set[str], otherwise: str) -> str:
    """A short code from a name, not among `taken`."""
    base = slugs.folded(name, otherwise)[:32].strip("-")
    number, code = 1, base
    while code in taken or code.replace("-", "_") in taken:
        number += 1
        code = f"{base}-{number}"
    return code


def pool_name(pool: Pool) -> str:
    """What people call a pool: its code in words."""
    return re.sub(r"[-_]+", " ", pool.code).capitalize()


def _draw(workshop: Workshop, ticket: TicketType, wanted: Wanted) -> None:
    """Say which sessions the ticket admits to and which pools it draws from, its own limit among them."""
    own = next((each for each in ticket.pools if each.code == ticket.code), None)
    drawn = list(wanted.pools)
    if wanted.limited_to is not None:
        if own is None:
            own = Pool(organiser_id=workshop.organiser_id, workshop_id=workshop.id, code=ticket.code, capacity=0)
            db.session.add(own)
        own.capacity, own.reserved = wanted.limited_to, min(own.reserved or 0, wanted.limited_to)
        drawn.append(own)
    ticket.limited_to = wanted.limited_to
    ticket.pools = drawn
    ticket.sessions = list(wanted.sessions)
    db.session.flush()
    if wanted.limited_to is None and own is not None:
        _delete_pools([own.id])


def _delete_pools(ids: Sequence[int]) -> None:
    db.session.flush()
    places.forget(ids)
    db.session.execute(delete(Pool).where(Pool.id.in_(ids)))


def _set_prices(ticket: TicketType, prices: Mapping[str, Price]) -> None:
    known = {each.currency: each for each in ticket.prices}
    for currency, row in known.items():
        if currency not in prices:
            ticket.prices.remove(row)
            db.session.delete(row)
    for currency, price in prices.items():
        row = known.get(currency) or TicketPrice(organiser_id=ticket.organiser_id, currency=currency)
        row.minor, row.least_minor = price.minor, price.least
        row.suggested_minor, row.most_minor = price.suggested, price.most
        if currency not in known:
            ticket.prices.append(row)
    db.session.flush()
