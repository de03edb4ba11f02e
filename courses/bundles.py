"""Bundles at one moment: what they cost, what they save, and why one cannot be bought, from the shelf's facts.

A bundle is on sale while its own days last, none of its workshops has begun or is cancelled, and each has room on the
ticket that the bundle is for: one place sold out closes it. The ticket's own days of sale do not matter to it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from courses import catalogue, sale, shelf, standing
from courses.catalogue import Listing, Offer
from courses.models import TicketType
from courses.shelf import BundleFacts, Shelf, TicketFacts, WorkshopFacts
from lib import zones

TICKET = "bundle"  # the code of the one ticket a bundle has
LEAST, MOST = 2, 12  # workshops in a bundle


@dataclass(frozen=True)
class Part:
    """One of a bundle's workshops, and the ticket that the bundle is for there."""

    listing: Listing
    offer: Offer

    @property
    def workshop(self) -> WorkshopFacts:
        return self.listing.workshop

    @property
    def ticket(self) -> TicketFacts:
        return self.offer.ticket


@dataclass(frozen=True, eq=False, kw_only=True)
class BundleListing(Listing):
    """A bundle at one moment, to be booked like a workshop with one ticket, which takes a place at each of its parts.

    `workshop` has what is theirs together: sessions, the fewest people on one booking, the zone of the first. It is in
    no catalogue and has no id. `parts` stand in the order of their first sessions.
    """

    bundle: BundleFacts
    parts: tuple[Part, ...]

    @property
    def offer(self) -> Offer:
        return self.offers[0]

    def saving(self, currency: str) -> int | None:
        """What it costs less than its workshops one by one, as long as all of those can be bought so; else None."""
        singles = [each.offer.in_currency(currency) for each in self.parts if each.offer.on_sale]
        whole, alone = self.offer.price(currency), [each.minor for each in singles if each and each.minor is not None]
        if whole is None or len(alone) < len(self.parts) or sum(alone) <= whole:
            return None
        return sum(alone) - whole


def is_plain(ticket: TicketFacts | TicketType) -> bool:
    """Whether a bundle can be for this ticket: a place for one person, who pays at once and proves nothing."""
    one = ticket.kind == "admission" and bool(ticket.pools) and ticket.seats == 1 and ticket.least_people == 1
    return one and ticket.proof == "none" and ticket.payment in ("now", "invoice")


def workshops(stands: Listing) -> tuple[WorkshopFacts, ...]:
    """The catalogue's workshops that a listing is of: its own, or those of the bundle it is."""
    return tuple(each.workshop for each in stands.parts) if isinstance(stands, BundleListing) else (stands.workshop,)


def by_slug(slug: str, now: datetime) -> BundleListing | None:
    """The published bundle of that slug as it stands at `now`."""

    def meant(kept: Shelf) -> list[BundleFacts]:
        return [each for each in kept.bundles if each.slug == slug]

    found = shelf.read(now, lambda kept: all_workshops(kept, meant(kept)))
    return next((stands for each in meant(found) if (stands := of(found, each, now))), None)


def of(found: Shelf, bundle: BundleFacts, now: datetime) -> BundleListing | None:
    """The bundle as it stands at `now`; None while one of its workshops or tickets is in no catalogue.

    The places of all its workshops must be among those that were counted for `found`.
    """
    if not is_whole(found, bundle):
        return None
    parts = []
    for workshop, ticket in sorted(_tickets(found, bundle), key=lambda each: (each[0].starts_at, each[0].id)):
        stands = standing.of(found, workshop, now)
        parts.append(Part(stands, next(each for each in stands.offers if each.ticket.id == ticket.id)))
    return _listing(bundle, tuple(parts), found.claimed, now)


def is_whole(kept: Shelf, bundle: BundleFacts) -> bool:
    """Whether all that it is of can be seen: a workshop may be a draft again, or a ticket hidden."""
    return len(_tickets(kept, bundle)) >= max(len(bundle.tickets), LEAST)


def all_workshops(kept: Shelf, wanted: Iterable[BundleFacts]) -> list[WorkshopFacts]:
    """Every workshop of these bundles."""
    return [workshop for bundle in wanted for workshop, _ in _tickets(kept, bundle)]


def with_those_beside(kept: Shelf, wanted: Sequence[WorkshopFacts]) -> list[WorkshopFacts]:
    """These workshops, and all that are in a bundle with one of them."""
    found = {each.id: each for each in [*wanted, *all_workshops(kept, _with(kept, wanted))]}
    return list(found.values())


def on_sale(found: Shelf, wanted: Sequence[WorkshopFacts], now: datetime) -> dict[int, list[BundleListing]]:
    """The bundles that can be bought now, by the id of each of these workshops; counted as `with_those_beside` says."""
    told: dict[int, list[BundleListing]] = {each.id: [] for each in wanted}
    for bundle in _with(found, wanted):
        stands = of(found, bundle, now)
        for each in workshops(stands) if stands and stands.bookable else ():
            if each.id in told and stands:
                told[each.id].append(stands)
    return told


def _with(kept: Shelf, wanted: Sequence[WorkshopFacts]) -> list[BundleFacts]:
    tickets = {ticket.id for each in wanted for ticket in each.tickets}
    return [each for each in kept.bundles if tickets & set(each.tickets)]


def _tickets(kept: Shelf, bundle: BundleFacts) -> list[tuple[WorkshopFacts, TicketFacts]]:
    if not bundle.tickets:
        return []
    return [
        (workshop, ticket)
        for workshop in kept.workshops
        for ticket in workshop.tickets
        if ticket.id in bundle.tickets and ticket.kind != "extra"
    ]


def _listing(bundle: BundleFacts, parts: tuple[Part, ...], claimed: Counter[int], now: datetime) -> BundleListing:
    left = min(catalogue.seats_left(each.ticket, each.workshop, claimed) or 0 for each in parts)
    ticket = _ticket(bundle, parts)
    together = _together(bundle, parts, ticket)
    closed = _why_closed(bundle, parts, now)
    full = "" if closed else _full(parts, claimed)
    ends = min(each.workshop.starts_at for each in parts)
    until = min(ends, bundle.sold_until) if bundle.sold_until else ends
    offer = Offer(ticket, not (closed or full), left, closed or full, until, bool(full))
    own = together.organiser.currency
    currencies = [each.currency for each in bundle.prices]
    currency = own if own in currencies or not currencies else currencies[0]
    minor = next((each.minor for each in bundle.prices if each.currency == currency), None)
    return BundleListing(
        together,
        _state(parts),
        (offer,),
        left,
        minor if offer.on_sale else None,
        currency,
        bundle=bundle,
        parts=parts,
    )


def _ticket(bundle: BundleFacts, parts: tuple[Part, ...]) -> TicketFacts:
    tickets = [each.ticket for each in parts]
    return replace(
        tickets[0],
        id=0,
        code=TICKET,
        name=bundle.title,
        hint="",
        is_full_price=False,
        includes_recording=all(each.includes_recording for each in tickets),
        is_in_room=any(each.is_in_room for each in tickets),
        payment="invoice" if all(each.payment == "invoice" for each in tickets) else "now",
        most_people=min((each.most_people for each in tickets if each.most_people), default=None),
        limited_to=None,
        sold_from=bundle.sold_from,
        sold_until=bundle.sold_until,
        prices=bundle.prices,
        pools=tuple(pool for each in tickets for pool in each.pools),
        sessions=(),
    )


def _together(bundle: BundleFacts, parts: tuple[Part, ...], ticket: TicketFacts) -> WorkshopFacts:
    """What the parts have in common, as facts of one workshop. Where each goes by a policy of its own, the bundle goes
    by their organiser's default."""
    every = [each.workshop for each in parts]
    sessions = sorted(
        (
            replace(session, title=f"{each.workshop.title}{': ' if session.title else ''}{session.title}")
            for each in parts
            for session in sale.admitted(each.ticket, each.workshop)
        ),
        key=lambda each: (each.starts_at, each.id),
    )
    presenters = {each.slug: each for workshop in every for each in workshop.presenters}
    return replace(
        every[0],
        id=0,
        course_id=0,
        slug=bundle.slug,
        title=bundle.title,
        summary=bundle.about,
        description=bundle.about,
        format=every[0].format if len({each.format for each in every}) == 1 else "hybrid",
        most_attendees=min(each.most_attendees for each in every),
        starts_at=min(each.starts_at for each in every),
        ends_at=max(each.ends_at for each in every),
        cpd_minutes=sum(each.cpd_minutes for each in every),
        presenters=tuple(presenters.values()),
        policy=every[0].policy if len({_policy_id(each) for each in every}) == 1 else every[0].organiser.policy,
        sessions=tuple(replace(each, number=number) for number, each in enumerate(sessions, 1)),
        tickets=(ticket,),
        capacities=(),
        waited=(),
    )


def _policy_id(workshop: WorkshopFacts) -> int | None:
    return workshop.policy.id if workshop.policy else None


def _state(parts: tuple[Part, ...]) -> catalogue.State:
    states = [each.listing.state for each in parts]
    if "cancelled" in states:
        return "cancelled"
    if all(each == "scheduled" for each in states):
        return "scheduled"
    return "past" if all(each == "past" for each in states) else "running"


def _why_closed(bundle: BundleFacts, parts: tuple[Part, ...], now: datetime) -> str:
    zone = parts[0].workshop.organiser.zone
    for each in parts:
        if each.listing.state == "cancelled":
            return f"“{each.workshop.title}” is cancelled."
    if bundle.sold_until and now >= bundle.sold_until:
        return f"Ended on {zones.moment(bundle.sold_until - timedelta(seconds=1), zone)}."
    for each in parts:
        if now >= min(one.starts_at for one in sale.admitted(each.ticket, each.workshop)):
            return f"“{each.workshop.title}” {'is over' if each.listing.state == 'past' else 'has begun'}."
    if bundle.sold_from and now < bundle.sold_from:
        return f"On sale from {zones.moment(bundle.sold_from, zone)}."
    return "" if all(is_plain(each.ticket) for each in parts) and bundle.prices else sale.NOT_HERE


def _full(parts: tuple[Part, ...], claimed: Counter[int]) -> str:
    full = [each for each in parts if not catalogue.seats_left(each.ticket, each.workshop, claimed)]
    titles = catalogue.words([f"“{each.workshop.title}”" for each in full])
    return f"No place is left at {titles}." if full else ""
