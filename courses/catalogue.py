"""What a visitor is told about a workshop at one moment: its state, what is on sale, how many places are left.

Pure: everything is worked out from the shelf's facts, the claimed places and `now`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from courses import sale
from courses.places import for_public
from courses.shelf import PriceFacts, SessionFacts, Shelf, TicketFacts, WorkshopFacts
from policies import versions
from policies.words import Passage, explain

State = Literal["scheduled", "running", "past", "cancelled"]
FORMATS = {
    "online_live": "Online via Zoom",
    "online_course": "Online course via Zoom",
    "online_series": "Online series via Zoom",
    "hybrid": "In the room and online",
    "room": "In the room",
}


@dataclass(frozen=True)
class Offer:
    """A ticket at one moment. `left` counts people, None where nothing runs out; `reason` says why it is not on sale,
    `is_full` that nothing else than the number of places stands against it; `until` is None for a sale without end."""

    ticket: TicketFacts
    on_sale: bool
    left: int | None
    reason: str
    until: datetime | None
    is_full: bool

    @property
    def last_moment(self) -> datetime | None:
        """The end of its sale for people to read: the last second of a sale that the ticket ends itself."""
        is_own = self.until is not None and self.until == self.ticket.sold_until
        return self.until - timedelta(seconds=1) if self.until and is_own else self.until

    @property
    def includes(self) -> list[str]:
        names = (("live", self.ticket.includes_live), ("recording", self.ticket.includes_recording))
        return [name for name, does in names if does]

    def in_currency(self, currency: str) -> PriceFacts | None:
        return next((each for each in self.ticket.prices if each.currency == currency), None)

    def price(self, currency: str) -> int | None:
        """Its fixed price, or what is suggested where the buyer chooses."""
        found = self.in_currency(currency)
        return None if found is None else found.suggested_minor if found.minor is None else found.minor


@dataclass(frozen=True, eq=False)
class Listing:
    """A workshop at one moment. The same object means the same facts; see standing.py.

    `extras` are what can be added to a place; nobody comes on one of them alone.
    """

    workshop: WorkshopFacts
    state: State
    offers: tuple[Offer, ...]
    places_left: int
    price_minor: int | None
    currency: str
    extras: tuple[Offer, ...] = ()

    @property
    def bookable(self) -> bool:
        return any(offer.on_sale for offer in self.offers)

    @property
    def sells_live(self) -> bool:
        """Whether somebody can still book the hours themselves."""
        return any(offer.on_sale and offer.ticket.includes_live for offer in self.offers)

    @property
    def catch_up(self) -> Offer | None:
        """The catch-up ticket on sale; of several the one that is sold longest."""
        on_sale = [each for each in self.offers if each.on_sale and each.ticket.kind == sale.CATCH_UP]
        return max(on_sale, key=lambda each: (each.until is None, each.until or self.workshop.ends_at), default=None)

    @property
    def can_be_watched(self) -> bool:
        """Whether something of what its catch-up ticket is for is published."""
        offer = self.catch_up
        return offer is not None and any(each.watchable_from for each in sale.admitted(offer.ticket, self.workshop))

    @property
    def format_words(self) -> str:
        return FORMATS[self.workshop.format]

    @property
    def presenters(self) -> str:
        return words([who.name for who in self.workshop.presenters])

    @property
    def first(self) -> SessionFacts:
        return self.workshop.sessions[0]

    @property
    def is_few(self) -> bool:
        """Whether the number of places left is worth saying."""
        return self.sells_live and self.places_left <= 5

    @property
    def currencies(self) -> list[str]:
        """The currencies something can be booked in now, the organiser's own first."""
        found = dict.fromkeys(p.currency for o in self.offers if o.on_sale for p in o.ticket.prices)
        own = self.workshop.organiser.currency
        return sorted(found, key=lambda each: each != own)

    @property
    def policy_words(self) -> tuple[Passage, ...]:
        """What the workshop's policy says to buyers, amounts in what they can pay in; nothing without one."""
        policy = self.workshop.policy
        currencies = self.currencies or [self.currency]
        return explain(versions.read(policy.data), *currencies) if policy else ()


def words(names: Sequence[str]) -> str:
    """Ann, Bob and Cy."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def listing(workshop: WorkshopFacts, claimed: Counter[int], now: datetime) -> Listing:
    """The workshop as it stands at `now`."""
    everything = [offer(ticket, workshop, claimed, now) for ticket in workshop.tickets]
    offers = tuple(each for each in everything if each.ticket.kind != "extra")
    extras = tuple(each for each in everything if each.ticket.kind == "extra")
    price, currency = _price_from(offers, workshop.organiser.currency)
    left = places_left(workshop, claimed, now)
    return Listing(workshop, state(workshop, now), offers, left, price, currency, extras)


def upcoming(shelf: Shelf, now: datetime) -> list[WorkshopFacts]:
    """Those whose last session has not ended, by first start."""
    return [each for each in shelf.workshops if each.ends_at > now]


def recorded(shelf: Shelf, now: datetime) -> list[WorkshopFacts]:
    """Those that are over and whose catch-up tickets are sold, unless they have run out; the latest first."""
    return [
        each
        for each in reversed(shelf.workshops)
        if state(each, now) == "past"
        and any(ticket.kind == sale.CATCH_UP and not sale.why_closed(ticket, each, now) for ticket in each.tickets)
    ]


def state(workshop: WorkshopFacts, now: datetime) -> State:
    if workshop.status == "cancelled":
        return "cancelled"
    if now < workshop.starts_at:
        return "scheduled"
    return "running" if now < workshop.ends_at else "past"


def offer(ticket: TicketFacts, workshop: WorkshopFacts, claimed: Counter[int], now: datetime) -> Offer:
    """Whether and how `ticket` can be bought at `now`."""
    left = seats_left(ticket, workshop, claimed)
    closed = sale.why_closed(ticket, workshop, now)
    full = "" if closed else _full(ticket, left)
    reason = closed or full
    return Offer(ticket, not reason, left, reason, sale.ends(ticket, workshop), bool(full))


def seats_left(ticket: TicketFacts, workshop: WorkshopFacts, claimed: Counter[int]) -> int | None:
    """How many people this ticket still has room for: the least that any of its pools has left; None without pools."""
    left = [_left(pool, size, workshop, claimed) for pool, _, size in workshop.capacities if pool in ticket.pools]
    return min(left, default=None)


def _left(pool: int, size: int, workshop: WorkshopFacts, claimed: Counter[int]) -> int:
    return for_public(max(size - claimed[pool], 0), dict(workshop.waited).get(pool))


def places_left(workshop: WorkshopFacts, claimed: Counter[int], now: datetime) -> int:
    """How many people could still come: in the sessions ahead, all rooms of the session that has most left.

    A room and its camera add up, evenings do not. A ticket's own limit is no room: the tickets that draw from it are
    some of those that draw from another pool. Pools with the very same tickets bind together, the smaller one counts.
    Who only watches takes no place in any room.
    """
    everything = frozenset(each.id for each in workshop.sessions)
    rooms: dict[frozenset[str], int] = {}
    comes = [ticket for ticket in workshop.tickets if ticket.kind != "extra"]
    for pool, _, size in workshop.capacities:
        drawing = frozenset(each.code for each in comes if pool in each.pools and each.includes_live)
        if not drawing:
            continue
        left = _left(pool, size, workshop, claimed)
        rooms[drawing] = min(left, rooms.get(drawing, left))
    admits = {ticket.code: frozenset(ticket.sessions) or everything for ticket in workshop.tickets}
    ahead = [each.id for each in workshop.sessions if each.starts_at > now]
    return max(
        (
            sum(
                left
                for drawing, left in rooms.items()
                if not any(drawing < other for other in rooms)
                and each in frozenset.intersection(*(admits[code] for code in drawing))
            )
            for each in ahead
        ),
        default=0,
    )


def _full(ticket: TicketFacts, left: int | None) -> str:
    if left is None or left >= max(ticket.seats, ticket.least_people):
        return ""
    if ticket.limited_to and left == 0:
        return f"All {ticket.limited_to} are taken."
    return "No place is left." if left == 0 else "Only one place is left." if left == 1 else f"Only {left} are left."


def _price_from(offers: Sequence[Offer], own: str) -> tuple[int | None, str]:
    """The cheapest price on sale in the organiser's currency; if nothing is sold in that, in the first there is.

    A price that buyers choose counts from the least they may."""
    on_sale = [price for each in offers if each.on_sale for price in each.ticket.prices]
    currencies = list(dict.fromkeys(price.currency for price in on_sale))
    if not currencies:
        sold_in = [price.currency for each in offers for price in each.ticket.prices]
        return None, own if own in sold_in or not sold_in else sold_in[0]
    currency = own if own in currencies else currencies[0]
    asked = (
        price.least_minor if price.minor is None else price.minor for price in on_sale if price.currency == currency
    )
    return min(minor or 0 for minor in asked), currency
