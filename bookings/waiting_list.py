"""Who is on the waiting list of a workshop, in which order, and how it stands: read here, changed in `waiting`."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import joinedload, selectinload

from bookings import waiting_plan
from bookings.models import OfferedPlace, WaitingPerson
from bookings.waiting_plan import Waits
from courses import catalogue, places, sale, shelf
from courses.models import Workshop
from lib import db, links

OPEN = ("waiting", "offered", "accepted")
HOLDS = ("offered", "accepted")


@dataclass
class List:
    """The list of one workshop, locked: who is on it in order, and how many places of each pool are free."""

    workshop_id: int
    facts: shelf.WorkshopFacts | None
    people: list[WaitingPerson]
    free: dict[int, int]
    now: datetime

    def ticket(self, person: WaitingPerson) -> shelf.TicketFacts | None:
        """What the person waits for, while it is sold."""
        if self.facts is None or self.facts.status != "published":
            return None
        found = next((each for each in self.facts.tickets if each.id == person.ticket_type_id), None)
        return found if found and self.ends(found) > self.now else None

    def ends(self, ticket: shelf.TicketFacts) -> datetime:
        """The first instant at which the ticket is not sold any more; what has no end ends with its workshop."""
        return (sale.ends(ticket, self.facts) or self.facts.ends_at) if self.facts else self.now

    def queue(self) -> list[Waits]:
        """Who waits and has no offer, in order."""
        found = [(each, self.ticket(each)) for each in self.people if each.state == "waiting"]
        return [waits(each, ticket) for each, ticket in found if ticket]

    def keeping(self) -> list[Waits]:
        """Those of the queue who keep places from the public: not who was told of one that the first to answer has,
        and let the time pass."""
        return [each for each in self.queue() if (told := self.named(each.id).told_until) is None or told > self.now]

    def named(self, person_id: int) -> WaitingPerson:
        return next(each for each in self.people if each.id == person_id)

    @property
    def is_first_come(self) -> bool:
        """Whether the start is so near that a free place is for whoever answers first."""
        return bool(self.people) and is_first_come(self.people[0].workshop, self.now)


def is_first_come(workshop: Workshop, now: datetime) -> bool:
    return now >= first_come_from(workshop)


def first_come_from(workshop: Workshop) -> datetime:
    return workshop.starts_at - timedelta(hours=workshop.waiting_first_come_hours)


def waits(person: WaitingPerson, ticket: shelf.TicketFacts) -> Waits:
    return Waits(person.id, person.wanted, person.takes_fewer, ticket.pools, ticket.seats, ticket.least_people)


def by_id(person_id: int) -> WaitingPerson | None:
    found = people(WaitingPerson.id == person_id)
    return found[0] if found else None


def by_token(token: str) -> WaitingPerson | None:
    """Whose page of the list that is. Who left has none."""
    person = by_id(links.row_of(token) or 0)
    return person if person and links.verify_token("waiting", person.link_version, token) else None


def is_live(person: WaitingPerson, now: datetime) -> bool:
    """Whether places are held for them."""
    return person.state in HOLDS and person.held_until is not None and person.held_until > now


def number_held(person: WaitingPerson) -> int:
    """For how many people places are held."""
    return max(Counter(each.place.pool_id for each in person.offered).values(), default=0)


def on_list(workshop_id: int) -> list[WaitingPerson]:
    """Who waits or is offered something, in order."""
    return people(WaitingPerson.workshop_id == workshop_id, WaitingPerson.state.in_(OPEN))


def has_anybody(workshop_id: int) -> bool:
    """Whether somebody is on the list of a workshop and has no place of it yet."""
    found = select(WaitingPerson.id).where(WaitingPerson.workshop_id == workshop_id, WaitingPerson.state.in_(OPEN))
    return db.session.scalar(found.limit(1)) is not None


def everybody(workshop_id: int) -> list[WaitingPerson]:
    """Who is or ever was on the list, in order of joining."""
    return people(WaitingPerson.workshop_id == workshop_id)


def positions(found: Sequence[WaitingPerson]) -> dict[int, int]:
    """1 for who comes first on a list, by person; nobody whose wait is over."""
    there = {each.workshop_id for each in found}
    order = func.row_number().over(
        partition_by=WaitingPerson.workshop_id, order_by=(WaitingPerson.joined_at, WaitingPerson.id)
    )
    rows = db.session.execute(
        select(WaitingPerson.id, order).where(WaitingPerson.workshop_id.in_(there), WaitingPerson.state.in_(OPEN))
    )
    return {person: number for person, number in rows}  # noqa: C416 - typed


def numbers(workshop_ids: Sequence[int]) -> Counter[int]:
    """How many people are on the list, by workshop."""
    rows = db.session.execute(
        select(WaitingPerson.workshop_id, func.count())
        .where(WaitingPerson.workshop_id.in_(workshop_ids), WaitingPerson.state.in_(OPEN))
        .group_by(WaitingPerson.workshop_id)
    )
    return Counter({workshop: number for workshop, number in rows})  # noqa: C416 - typed


def of_address(email: str, now: datetime) -> list[WaitingPerson]:
    """Where somebody waits or has an offer, soonest workshop first."""
    there = Workshop.id.in_(select(Workshop.id).where(Workshop.ends_at > now, Workshop.status == "published"))
    found = people(WaitingPerson.email == email, WaitingPerson.state.in_(OPEN), WaitingPerson.workshop.has(there))
    return sorted(found, key=lambda each: each.workshop.starts_at)


def locked(workshop_id: int, now: datetime) -> List:
    """The list, with the pools of its workshop locked: changes of one list come one after the other."""
    free = places.locked_free(workshop_id, now)
    facts = next((each for each in shelf.read(now).workshops if each.id == workshop_id), None)
    return List(workshop_id, facts, on_list(workshop_id), free, now)


def mark(line: List) -> None:
    """Keep from the public what somebody in the queue would take."""
    db.session.flush()
    wanted = waiting_plan.waited(line.keeping(), line.free)
    places.keep_for_list({pool: wanted.get(pool) for pool in line.free})


def listing_for(person: WaitingPerson, now: datetime) -> catalogue.Listing:
    """The workshop as it stands for somebody with an offer: as many places left as are held for them."""
    slug = person.workshop.slug
    found = shelf.read(now, lambda kept: [kept.by_slug[slug]] if slug in kept.by_slug else [])
    held = Counter(each.place.pool_id for each in person.offered)
    facts = found.by_slug[slug]
    size = {pool: number for pool, _, number in facts.capacities}
    claimed = Counter({pool: size[pool] - held[pool] if pool in held else found.claimed[pool] for pool in size})
    others = tuple((pool, least) for pool, least in facts.waited if pool not in held)
    return catalogue.listing(replace(facts, waited=others), claimed, now)


def people(*where: ColumnElement[bool]) -> list[WaitingPerson]:
    return list(
        db.session.scalars(
            select(WaitingPerson)
            .where(*where)
            .order_by(WaitingPerson.joined_at, WaitingPerson.id)
            .options(
                joinedload(WaitingPerson.organiser),
                joinedload(WaitingPerson.workshop).joinedload(Workshop.course),
                joinedload(WaitingPerson.ticket),
                selectinload(WaitingPerson.offered).joinedload(OfferedPlace.place),
            )
            .execution_options(populate_existing=True)
        )
    )
