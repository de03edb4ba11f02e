"""Whether waiting lists are sound: places are held for exactly those who have an offer, and kept from the public for
exactly those who wait."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import select

from bookings.models import AttendeePlace, OfferedPlace, WaitingPerson
from bookings.money_audit import Fault
from bookings.waiting_list import HOLDS, List, people
from courses import shelf
from courses.models import Place, Pool
from lib import db, zones

TIDY_WITHIN = timedelta(hours=1)


def faults(now: datetime) -> Iterator[Fault]:
    """Everything unsound about the lists at `now`."""
    yield from _offers(now)
    yield from _kept(now)


def _offers(now: datetime) -> Iterator[Fault]:
    """An offer's places are held until its own moment, as many in each pool, and are nobody else's."""
    twice = set(db.session.scalars(select(AttendeePlace.place_id).join(OfferedPlace, _same_place)))
    with_places = select(OfferedPlace.waiting_person_id)
    for person in people(WaitingPerson.state.in_(HOLDS) | WaitingPerson.id.in_(with_places)):
        about, held = f"waiting:{person.id}", [each.place for each in person.offered]
        if person.state not in HOLDS:
            yield Fault(about, f"is {person.state} and {len(held)} places are held as an offer")
            continue
        if person.held_until is not None and person.held_until < now - TIDY_WITHIN:
            yield Fault(about, f"has an offer that ended {zones.z(person.held_until)} and is not tidied")
        is_over = person.held_until is not None and person.held_until <= now
        if not is_over and any((each.state, each.held_until) != ("held", person.held_until) for each in held):
            yield Fault(about, f"is {person.state} and its places are not held until the same moment")
        yield from _number(person, about, held)
        if any(each.id in twice for each in held):
            yield Fault(about, "has a place that an attendee has too")


def _number(person: WaitingPerson, about: str, held: list[Place]) -> Iterator[Fault]:
    numbers = set(Counter(each.pool_id for each in held).values())
    if len(numbers) > 1:
        yield Fault(about, f"is offered {' and '.join(map(str, sorted(numbers)))} places in different pools")
    elif numbers and max(numbers) > person.wanted:
        yield Fault(about, f"is offered {max(numbers)} places and asked for {person.wanted}")
    elif not numbers and person.ticket.pools:
        yield Fault(about, f"is {person.state} and no place is held")


def _kept(now: datetime) -> Iterator[Fault]:
    """Whoever waits keeps the public from a pool, for no more places than would do; nobody else does."""
    waiting = defaultdict(list)
    for person in people(WaitingPerson.state == "waiting"):
        waiting[person.workshop_id].append(person)
    rows = db.session.execute(select(Pool.workshop_id, Pool.id, Pool.waited).where(Pool.waited.is_not(None))).all()
    kept = {pool: waited for _, pool, waited in rows if waited is not None}
    facts = {each.id: each for each in shelf.read(now).workshops if each.id in waiting}
    for workshop, found in waiting.items():
        for each in List(workshop, facts.get(workshop), found, {}, now).keeping():
            if each.pools and not any(kept.get(pool, each.least + 1) <= each.least for pool in each.pools):
                yield Fault(f"waiting:{each.id}", "waits for a place that anybody may buy")
    for workshop, pool, _ in rows:
        if not any(pool in {each.id for each in person.ticket.pools} for person in waiting[workshop]):
            yield Fault(f"pool:{pool}", "keeps places for somebody who waits, and nobody does")


_same_place = OfferedPlace.place_id == AttendeePlace.place_id
