"""Who comes where: from the people on a form to one attendee for each person and workshop, with their share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bookings import asking, choosing
from bookings.attendee_rows import Added, Seat
from bookings.choosing import Attending, Wish
from bookings.pricing import Extra, Quote, Share, in_steps
from courses.bundles import BundleListing
from courses.catalogue import Listing
from courses.shelf import TicketFacts
from lib import money


@dataclass(frozen=True)
class Coming:
    """One person at one workshop: what an attendee is made of. `tickets` are theirs and then the extras on it.

    `n` is the form's n of the person; of a bundle that holds at its first workshop, and the rows of the others go on
    counting behind the highest n of the form, workshop by workshop.
    """

    n: int
    person: Attending
    workshop_id: int
    tickets: tuple[TicketFacts, ...]
    share: Share
    answers: Mapping[int, str] = field(default_factory=dict)


def of(wish: Wish, listing: Listing, quote: Quote) -> list[Coming]:
    """Everybody of the wish, everywhere they come to, in the order of n."""
    shares = {share.n: share for share in quote.shares}
    if isinstance(listing, BundleListing):
        return _in_bundle(wish, listing, shares)
    return [
        Coming(
            person.n,
            person,
            listing.workshop.id,
            tuple(tickets_of(person, listing)),
            shares[person.n],
            person.answers,
        )
        for person in wish.attending
    ]


def seat(one: Coming, extras: Mapping[tuple[int, str], Extra], held: Mapping[int, list[int]]) -> Seat:
    """What one of them is written down as, with the next of the places `held` in each pool; those are used up."""
    ticket, *added = one.tickets
    return Seat(
        workshop_id=one.workshop_id,
        ticket_id=ticket.id,
        name=one.person.name,
        email=one.person.email,
        price_minor=one.share.price_minor,
        discount_minor=one.share.discount_minor,
        place_ids=tuple(held[pool].pop() for each in one.tickets for pool in each.pools),
        proof=one.person.proof if ticket.proof != "none" else "",
        extras=tuple(
            Added(each.id, extras[one.n, each.code].price_minor, extras[one.n, each.code].discount_minor)
            for each in added
        ),
        answers=one.answers,
    )


def tickets_of(person: Attending, listing: Listing) -> list[TicketFacts]:
    """A person's ticket, and the extras on it."""
    found = [choosing.offer_of(listing, person.ticket)]
    found += [choosing.extra_of(listing, each) for each in person.extras]
    return [offer.ticket for offer in found if offer]


def of_bundle(listing: Listing) -> dict[str, Any]:
    """What a booking keeps of the bundle it is of; nothing for a workshop."""
    if not isinstance(listing, BundleListing):
        return {}
    return {"bundle": {"slug": listing.bundle.slug, "title": listing.bundle.title}}


def split(share: Share, listing: BundleListing, currency: str) -> list[tuple[int, int]]:
    """One person's price for a bundle and what a code takes off it, spread over its workshops in order, by what each
    costs alone: by largest remainder, so that it adds up, and evenly where one of them has no such price."""
    alone = [each.offer.in_currency(currency) for each in listing.parts]
    known = [each.minor for each in alone if each and each.minor]
    weights = known if len(known) == len(alone) else [1] * len(alone)
    step = money.step(currency)
    prices = in_steps(share.price_minor, weights, step)
    discounts = in_steps(share.discount_minor, prices, step)
    return list(zip(prices, discounts, strict=True))


def _in_bundle(wish: Wish, listing: BundleListing, shares: Mapping[int, Share]) -> list[Coming]:
    parts = {person.n: split(shares[person.n], listing, wish.currency) for person in wish.attending}
    answered = asking.by_workshop(listing)
    following = 1 + max(person.n for person in wish.attending)
    made = []
    for position, part in enumerate(listing.parts):
        for person in wish.attending:
            n = following if position else person.n
            following += 1 if position else 0
            answers = {
                number: person.answers[asked]
                for number, asked in answered[part.workshop.id].items()
                if asked in person.answers
            }
            price, discount = parts[person.n][position]
            share = Share(n, price, discount)
            made.append(Coming(n, person, part.workshop.id, (part.ticket,), share, answers))
    return made
