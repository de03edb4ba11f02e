"""Who on a waiting list is offered what, until when, and what the public may not buy meanwhile. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

LEAST_TO_ANSWER = timedelta(hours=2)  # an offer made just before whoever-answers-first begins


@dataclass(frozen=True)
class Waits:
    """Somebody in the queue. The ticket comes in multiples of `step`, for at least `least_people`."""

    id: int
    wanted: int
    takes_fewer: bool
    pools: tuple[int, ...]
    step: int = 1
    least_people: int = 1

    def takes_of(self, room: int) -> int:
        """How many of `room` free places they would take: all they want, or as many as make sense; 0 for none."""
        if room >= self.wanted:
            return self.wanted
        number = room - room % self.step
        return number if self.takes_fewer and number >= max(self.least_people, 1) else 0

    @property
    def least(self) -> int:
        """The fewest free places at which they would take any."""
        return next(room for room in range(1, self.wanted + 1) if self.takes_of(room))


@dataclass(frozen=True)
class Plan:
    """Offers as (person, places), in order; and how many were free when that was too few for somebody."""

    offers: list[tuple[int, int]] = field(default_factory=list)
    passed_over: dict[int, int] = field(default_factory=dict)


def plan(queue: Sequence[Waits], free: Mapping[int, int], most: int) -> Plan:
    """At most `most` offers for the free places of each pool, in the order of the queue.

    Whom they are too few for waits on, and the next person whom they are enough for comes first; only when they are
    enough for nobody is the first in the queue offered fewer than they asked for.
    """
    left, made = Counter(free), Plan()
    for whole in (True, False):
        for person in queue:
            if len(made.offers) >= most:
                return made
            if any(person.id == offered for offered, _ in made.offers):
                continue
            room = min((left[pool] for pool in person.pools), default=0)
            number = person.takes_of(room)
            if number and (number == person.wanted or not whole):
                made.offers.append((person.id, number))
                left.subtract(dict.fromkeys(person.pools, number))
            if 0 < room < person.wanted and number < person.wanted:
                made.passed_over.setdefault(person.id, room)
    return made


def waited(queue: Sequence[Waits], free: Mapping[int, int]) -> dict[int, int]:
    """The fewest places of each pool that somebody in the queue would take.

    Who waits for several pools at once waits for the scarcest: a reduced ticket that is gone keeps nobody from the
    room's other places.
    """
    found: dict[int, int] = {}
    for person in queue:
        scarcest = min((free.get(pool, 0) for pool in person.pools), default=0)
        for pool in person.pools:
            if free.get(pool, 0) == scarcest:
                found[pool] = min(person.least, found.get(pool, person.least))
    return found


def deadline(now: datetime, *, hours: int, first_come_from: datetime, sale_ends: datetime) -> datetime:
    """Until when an offer made now is held: so many hours, at the latest until whoever answers first may have the
    place or, if that is very near, for as long as anybody needs to answer; never beyond the end of the sale."""
    return min(now + timedelta(hours=hours), max(first_come_from, now + LEAST_TO_ANSWER), sale_ends)
