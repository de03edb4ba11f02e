"""A free place given by the organiser: a booking like any other, through the same guard, with nothing to pay."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from bookings import checkout, choosing, lifecycle, pages, pricing
from bookings.models import Booking
from courses import catalogue, places, schedule, shelf, standing
from courses.models import Workshop
from history import models as history
from lib import db, web

UNASKED = ""  # the version of the terms agreed to: nobody was asked


class NotToGive(web.Refusal):
    """The workshop or the ticket cannot be given away."""

    status = 409
    refusal = "not_to_give"
    title = "This place cannot be given"


class AlreadyComing(web.Refusal):
    """The address has a place at this workshop."""

    status = 409
    refusal = "already_coming"
    title = "This address has a place already"


@dataclass(frozen=True)
class Gift:
    """Who gets which ticket of which workshop, and why. `again`: though the address has a place already."""

    slug: str
    ticket: str
    name: str
    email: str
    why: str
    again: bool = False


def tickets(listing: catalogue.Listing, now: datetime) -> list[shelf.TicketFacts]:
    """What can be given: tickets for one person, and once the workshop is over only those with its recording."""
    state = catalogue.state(listing.workshop, now)
    if state == "cancelled":
        return []
    return [
        offer.ticket
        for offer in listing.offers
        if offer.ticket.seats == 1
        and offer.ticket.kind != "extra"
        and (state != "past" or offer.ticket.includes_recording)
    ]


def listing_of(organiser_id: int, slug: str, now: datetime) -> catalogue.Listing | None:
    """The organiser's published workshop as it stands, or None."""
    found = shelf.read(now, lambda kept: [kept.by_slug[slug]] if slug in kept.by_slug else [])
    workshop = found.by_slug.get(slug)
    if workshop is None or workshop.organiser.id != organiser_id:
        return None
    return standing.of(found, workshop, now)


def give(organiser_id: int, gift: Gift, *, actor: str, now: datetime) -> Booking:
    """Confirm a place for one person for nothing. Raises WorkshopFull, NotToGive or AlreadyComing."""
    schedule.hold_still(Workshop.slug == gift.slug)
    listing = listing_of(organiser_id, gift.slug, now)
    ticket = next((each for each in tickets(listing, now) if each.code == gift.ticket), None) if listing else None
    if listing is None or ticket is None:
        raise NotToGive("The workshop is not published, is cancelled or over, or has no such ticket for one person.")
    if not gift.again and pages.already_there(listing.workshop.id, [gift.email], now):
        raise AlreadyComing(f"{gift.email} has a place at {listing.workshop.title}. Nothing was given.")
    until = now + checkout.GRACE
    held = places.hold(Counter(ticket.pools), organiser_id=organiser_id, until=until, now=now, of_reserve=True)
    currency = _currency(listing, ticket)
    booking = checkout.write(
        checkout.free_reference(),
        _wish(gift, listing, currency),
        listing,
        _quote(listing, ticket, currency),
        held,
        until,
        now,
        actor=actor,
    )
    booking.quote = {**booking.quote, "is_comp": True}
    db.session.flush()
    history.record(
        f"booking:{booking.id}",
        "place_given",
        at=now,
        actor=actor,
        organiser_id=organiser_id,
        facts={"why": gift.why, "ticket": ticket.code},
    )
    lifecycle.confirm(lifecycle.locked(booking.bill_id), actor=actor, now=now)
    return booking


def _currency(listing: catalogue.Listing, ticket: shelf.TicketFacts) -> str:
    own = listing.workshop.organiser.currency
    sold_in = [price.currency for price in ticket.prices]
    return own if own in sold_in or not sold_in else sold_in[0]


def _quote(listing: catalogue.Listing, ticket: shelf.TicketFacts, currency: str) -> pricing.Quote:
    """The ticket's price and, on a line below it, all of it taken off."""
    worth = next((price.minor for price in ticket.prices if price.currency == currency), None) or 0
    lines = [pricing.Line(ticket.name, worth)]
    if worth:
        lines.append(pricing.Line(f"A free place from {listing.workshop.organiser.name}", -worth))
    return pricing.Quote(currency, tuple(lines), (), 0, (pricing.Share(0, worth, worth),))


def _wish(gift: Gift, listing: catalogue.Listing, currency: str) -> choosing.Wish:
    return choosing.Wish(
        slug=gift.slug,
        currency=currency,
        attending=(choosing.Attending(0, gift.name, gift.email, gift.ticket, {}),),
        booker_name=gift.name,
        booker_email=gift.email,
        code="",
        zone=listing.workshop.zone,
        wants_letters=False,
        terms_version=UNASKED,
        once=None,
        once_digest=None,
    )
