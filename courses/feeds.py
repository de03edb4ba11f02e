"""The catalogue for programs: JSON and calendars, from listings."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from courses.catalogue import Listing
from courses.shelf import PriceFacts, SessionFacts
from lib import calendars, texts, web, zones


def workshop(listing: Listing) -> dict[str, Any]:
    """One workshop as `/workshops.json` tells it; instants end in Z, prices are minor units."""
    facts = listing.workshop
    return {
        "slug": facts.slug,
        "course": facts.course_slug,
        "title": facts.title,
        "format": facts.format,
        "state": listing.state,
        "bookable": listing.bookable,
        "places_left": listing.places_left,
        "zone": facts.zone,
        "url": web.url("courses.workshop", slug=facts.slug),
        "price_minor": listing.price_minor,
        "currency": listing.currency,
        "catch_up": {
            "offered": facts.catch_up_offered,
            "days": facts.catch_up_days if facts.catch_up_offered else None,
            "from": facts.catch_up_from if facts.catch_up_offered else None,
        },
        "sessions": [
            {
                "starts_at": zones.z(each.starts_at),
                "ends_at": zones.z(each.ends_at),
                "wall_start": each.wall_start.strftime("%Y-%m-%dT%H:%M"),
                "zone": each.zone,
            }
            for each in facts.sessions
        ],
        "tickets": [
            {
                "code": offer.ticket.code,
                "name": offer.ticket.name,
                "on_sale": offer.on_sale,
                "full_price": offer.ticket.is_full_price,
                "includes": offer.includes,
                "prices": [_price(price) for price in offer.ticket.prices],
            }
            for offer in listing.offers
        ],
        "extras": [
            {
                "code": offer.ticket.code,
                "name": offer.ticket.name,
                "on_sale": offer.on_sale,
                "prices": [_price(price) for price in offer.ticket.prices],
            }
            for offer in listing.extras
        ],
    }


def _price(price: PriceFacts) -> dict[str, Any]:
    fixed = {"minor": price.minor, "currency": price.currency}
    if price.minor is not None:
        return fixed
    return {**fixed, "least": price.least_minor, "suggested": price.suggested_minor, "most": price.most_minor}


def calendar(listings: Iterable[Listing], name: str, now: datetime) -> bytes:
    """Every session of the listings, to subscribe to: PUBLISH, no attendees."""
    entries = [_entry(listing, each, now) for listing in listings for each in listing.workshop.sessions]
    return calendars.listing(entries, name)


def _entry(listing: Listing, session: SessionFacts, now: datetime) -> calendars.Happening:
    facts = listing.workshop
    address = web.url("courses.workshop", slug=facts.slug)
    host = urlsplit(address).hostname or "localhost"
    many = len(facts.sessions)
    title = f"{facts.title} ({session.number} of {many})" if many > 1 else facts.title
    line = zones.line(session.starts_at, session.ends_at, session.zone)
    return calendars.Happening(
        uid=f"{facts.slug}-{session.number}@{host}",
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        stamp=now,
        summary=title,
        description="\n".join((line, texts.plain(facts.summary), address)),
        location=f"{facts.venue.name}, {facts.venue.address}" if facts.venue else listing.format_words,
        url=address,
        is_cancelled=listing.state == "cancelled",
        organiser=calendars.Person(facts.organiser.name, facts.organiser.email),
    )
