"""The catalogue's facts, kept in memory between requests for as long as nothing in them has changed.

Lists are read far more often than workshops are edited. One statement asks the database for the edition and for the
places claimed in the pools of the page; only when the edition is another one are the facts read again. What changes
with time or with each booking (places left, tickets on sale) is never kept, only counted and computed.
"""

import secrets
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from flask import Flask, current_app
from sqlalchemy import BigInteger, String, bindparam, event, func, insert, literal, select, union_all, update
from sqlalchemy.orm import ORMExecuteState, Session, joinedload

from accounts.models import Organiser
from courses.bundles_models import Bundle, BundlePrice
from courses.models import (
    Course,
    Edition,
    Place,
    Pool,
    Presenter,
    TicketPrice,
    TicketType,
    Venue,
    Workshop,
    WorkshopSession,
)
from courses.places import for_sale
from lib import db
from lib.db import UtcDateTime
from policies import versions
from policies.models import Policy

WATCHED = (
    *(Course, Workshop, WorkshopSession, Presenter, Venue, TicketType, TicketPrice, Pool, Organiser),
    *(Bundle, BundlePrice, Policy),
)
_TABLES = {kind.__tablename__ for kind in WATCHED} | {
    *("workshop_presenter", "ticket_session", "ticket_pool", "bundle_ticket"),
}


@dataclass(frozen=True, slots=True)
class SessionFacts:
    id: int
    number: int
    title: str
    wall_start: datetime
    zone: str
    starts_at: datetime
    ends_at: datetime
    is_recorded: bool
    watchable_from: datetime | None = None
    watchable_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class PriceFacts:
    """Fixed (`minor`), or chosen by the buyer from `least_minor` to `most_minor`."""

    currency: str
    minor: int | None
    least_minor: int | None = None
    suggested_minor: int | None = None
    most_minor: int | None = None


@dataclass(frozen=True, slots=True)
class TicketFacts:
    id: int
    code: str
    name: str
    hint: str
    kind: str
    seats: int
    is_full_price: bool
    includes_live: bool
    includes_recording: bool
    is_in_room: bool
    payment: str
    proof: str
    least_people: int
    most_people: int | None
    limited_to: int | None
    sold_from: datetime | None
    sold_until: datetime | None
    prices: tuple[PriceFacts, ...] = ()
    pools: tuple[int, ...] = ()
    sessions: tuple[int, ...] = ()
    terms: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PresenterFacts:
    slug: str
    name: str
    about: str


@dataclass(frozen=True, slots=True)
class OrganiserFacts:
    """`policy` is their default."""

    id: int
    slug: str
    name: str
    currency: str
    zone: str
    email: str
    address: str
    about: str
    colour: str = ""
    logo: str = ""
    vat_mode: str = "none"
    policy: versions.Version | None = None


@dataclass(frozen=True, slots=True)
class VenueFacts:
    name: str
    address: str
    access: str


@dataclass(frozen=True, slots=True)
class WorkshopFacts:
    """`policy` is what a booking made now goes by: the workshop's own or its organiser's default."""

    id: int
    course_id: int
    slug: str
    title: str
    format: str
    status: str
    zone: str
    cpd_minutes: int
    breaks_minutes: int
    most_attendees: int
    catch_up_offered: bool
    catch_up_days: int
    catch_up_from: str
    catch_up_note: str
    late_buyers_share: bool
    programme: str
    cancellation_terms: str
    access: str
    join_opens_minutes: int
    starts_at: datetime
    ends_at: datetime
    course_slug: str
    summary: str
    description: str
    topic: str
    audience: str
    outcomes: str
    organiser: OrganiserFacts
    venue: VenueFacts | None
    presenters: tuple[PresenterFacts, ...] = ()
    sessions: tuple[SessionFacts, ...] = ()
    tickets: tuple[TicketFacts, ...] = ()
    capacities: tuple[tuple[int, str, int], ...] = ()  # pool id, code, places for sale
    policy: versions.Version | None = None
    waited: tuple[tuple[int, int], ...] = ()  # pool id, the fewest places that somebody waiting for them would take

    @property
    def pool_ids(self) -> tuple[int, ...]:
        return tuple(pool for pool, _, _ in self.capacities)


@dataclass(frozen=True, slots=True)
class BundleFacts:
    """Several workshops for one price. `tickets` are the ids of the ticket that it is for at each of them."""

    id: int
    organiser_id: int
    slug: str
    title: str
    about: str
    sold_from: datetime | None
    sold_until: datetime | None
    prices: tuple[PriceFacts, ...] = ()
    tickets: tuple[int, ...] = ()


@dataclass(frozen=True)
class Standing:
    """A listing, and for which counts of claimed places and from when until when it is right; see standing.py."""

    claims: tuple[int, ...]
    since: datetime
    until: datetime
    listing: Any


@dataclass(frozen=True)
class Shelf:
    """All published and cancelled workshops by first start, and how many places of the asked pools are claimed."""

    mark: str | None
    workshops: tuple[WorkshopFacts, ...]
    by_slug: dict[str, WorkshopFacts]
    claimed: Counter[int]
    standings: dict[int, Standing] = field(default_factory=dict)
    bundles: tuple[BundleFacts, ...] = ()


def read(now: datetime, pick: Any = None) -> Shelf:
    """The catalogue at `now`. `pick(shelf)` names the workshops whose places are to be counted; none if left out.

    One statement when nothing changed since this process looked last, six otherwise, however many workshops.
    """
    kept: Shelf | None = current_app.extensions.get("shelf")
    wanted = _pools(pick(kept)) if kept and pick else ()
    mark, claimed = _ask(wanted, now)
    if kept is None or kept.mark != mark:
        kept = _load(mark)
        current_app.extensions["shelf"] = kept
        claimed = _count(now)
    return replace(kept, claimed=claimed)


def _pools(workshops: Iterable[WorkshopFacts]) -> list[int]:
    return [pool for workshop in workshops for pool in workshop.pool_ids]


def _ask(pool_ids: Collection[int], now: datetime) -> tuple[str | None, Counter[int]]:
    rows = db.session.execute(_MARK_AND_COUNTS, {"pools": list(pool_ids), "now": now}).all()
    mark = next((found for pool, _, found in rows if pool == _NO_POOL), None)
    return mark, Counter({pool: number for pool, number, _ in rows if pool != _NO_POOL})


# Built once: putting the statement together costs more than asking it.
_NO_POOL = 0
_MARK_AND_COUNTS = union_all(
    select(literal(_NO_POOL, BigInteger), literal(0, BigInteger), Edition.mark).where(Edition.id == 1),
    select(Place.pool_id, func.count(), literal("", String(32)))
    .where(Place.pool_id.in_(bindparam("pools", expanding=True)), for_sale(bindparam("now", type_=UtcDateTime)))
    .group_by(Place.pool_id),
)


def _count(now: datetime) -> Counter[int]:
    rows = db.session.execute(select(Place.pool_id, func.count()).where(for_sale(now)).group_by(Place.pool_id))
    return Counter({pool: number for pool, number in rows})  # noqa: C416 - typed


def _load(mark: str | None) -> Shelf:
    tickets, capacities = _tickets()
    policies = versions.in_force()
    rows = db.session.execute(
        select(Workshop, Organiser)
        .join(Organiser, Organiser.id == Workshop.organiser_id)
        .where(Workshop.status != "draft")
        .order_by(Workshop.starts_at, Workshop.id)
        .options(
            joinedload(Workshop.course),
            joinedload(Workshop.venue),
            joinedload(Workshop.sessions),
            joinedload(Workshop.presenters),
        )
    ).unique()
    workshops = tuple(_facts(each, owner, tickets[each.id], capacities[each.id], policies) for each, owner in rows)
    return Shelf(mark, workshops, {each.slug: each for each in workshops}, Counter(), bundles=_bundles())


def _facts(
    each: Workshop,
    owner: Organiser,
    tickets: list[TicketFacts],
    capacities: dict[int, Pool],
    policies: versions.InForce,
) -> WorkshopFacts:
    default = policies.defaults.get(owner.id)
    return WorkshopFacts(
        **{name: getattr(each, name) for name in _OWN},
        course_slug=each.course.slug,
        summary=each.course.summary,
        description=each.course.description,
        topic=each.course.topic,
        audience=each.course.audience,
        outcomes=each.course.outcomes,
        organiser=OrganiserFacts(**{name: getattr(owner, name) for name in _ORGANISER}, policy=default),
        venue=VenueFacts(each.venue.name, each.venue.address, each.venue.access) if each.venue else None,
        presenters=tuple(PresenterFacts(who.slug, who.name, who.about) for who in each.presenters),
        sessions=tuple(
            SessionFacts(**{name: getattr(one, name) for name in SessionFacts.__slots__}) for one in each.sessions
        ),
        tickets=tuple(tickets),
        capacities=tuple((pool.id, pool.code, pool.capacity - pool.reserved) for pool in capacities.values()),
        policy=policies.newest[each.policy_id] if each.policy_id else default,
        waited=tuple((pool.id, pool.waited) for pool in capacities.values() if pool.waited is not None),
    )


def _tickets() -> tuple[dict[int, list[TicketFacts]], dict[int, dict[int, Pool]]]:
    tickets: dict[int, list[TicketFacts]] = defaultdict(list)
    capacities: dict[int, dict[int, Pool]] = defaultdict(dict)
    rows = db.session.scalars(
        select(TicketType)
        .where(~TicketType.is_hidden)
        .order_by(TicketType.workshop_id, TicketType.position)
        .options(
            joinedload(TicketType.prices),
            joinedload(TicketType.pools),
            joinedload(TicketType.sessions),
        )
    ).unique()
    for each in rows:
        tickets[each.workshop_id].append(
            TicketFacts(
                **{name: getattr(each, name) for name in _TICKET},
                prices=tuple(
                    PriceFacts(**{name: getattr(price, name) for name in PriceFacts.__slots__}) for price in each.prices
                ),
                pools=tuple(pool.id for pool in each.pools),
                sessions=tuple(one.id for one in each.sessions),
            )
        )
        capacities[each.workshop_id].update({pool.id: pool for pool in each.pools})
    return tickets, capacities


def _bundles() -> tuple[BundleFacts, ...]:
    rows = db.session.scalars(
        select(Bundle)
        .where(Bundle.is_published)
        .order_by(Bundle.id)
        .options(joinedload(Bundle.prices), joinedload(Bundle.tickets).load_only(TicketType.id))
    ).unique()
    return tuple(
        BundleFacts(
            **{name: getattr(each, name) for name in _BUNDLE},
            prices=tuple(PriceFacts(price.currency, price.minor) for price in each.prices),
            tickets=tuple(ticket.id for ticket in each.tickets),
        )
        for each in rows
    )


_BUNDLE = tuple(name for name in BundleFacts.__slots__ if name not in ("prices", "tickets"))
_TICKET = tuple(name for name in TicketFacts.__slots__ if name not in ("prices", "pools", "sessions"))
_PRICE = PriceFacts.__slots__
_ORGANISER = tuple(name for name in OrganiserFacts.__slots__ if name != "policy")
_OWN = tuple(
    name
    for name in WorkshopFacts.__slots__
    if name in Workshop.__table__.columns.keys()  # noqa: SIM118 - a column collection is no mapping
)


def init_app(_app: Flask) -> None:
    """Mark a new edition in every transaction that changes what the catalogue shows."""
    if not event.contains(Session, "before_flush", _note_objects):
        event.listen(Session, "before_flush", _note_objects)
        event.listen(Session, "do_orm_execute", _note_statements)


def _note_objects(session: Session, _context: object, _instances: object) -> None:
    changed = (*session.new, *session.dirty, *session.deleted)
    if any(isinstance(each, WATCHED) and session.is_modified(each) for each in changed) or any(
        isinstance(each, WATCHED) for each in session.deleted
    ):
        _mark(session)


def _note_statements(state: ORMExecuteState) -> None:
    if (state.is_insert or state.is_update or state.is_delete) and not state.is_select:
        table = getattr(state.statement, "table", None)
        if table is not None and table.name in _TABLES:
            _mark(state.session)


def _mark(session: Session) -> None:
    if session.info.get("edition_marked") is session.get_transaction():
        return
    session.info["edition_marked"] = session.get_transaction()
    mark = secrets.token_hex(12)
    connection = session.connection()
    if not connection.execute(update(Edition).where(Edition.id == 1).values(mark=mark)).rowcount:
        connection.execute(insert(Edition).values(id=1, mark=mark))
