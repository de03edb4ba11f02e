"""What becomes of a place when plans change, told before it is booked and on the booking's page.

Until when comes out of the same rules that answer on the day, so what is told here is what happens then.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bookings import change_terms
from bookings.pages import BookingView
from courses.bundles import BundleListing
from courses.catalogue import Listing
from policies import deadlines, versions
from policies.facts import Facts
from policies.words import Passage

_ANY_PRICE = 10_000  # where nothing is fixed: for steps that are shares of it, any will do


@dataclass(frozen=True)
class Told:
    """What comes back until when, until when a colleague may come instead, and the whole policy."""

    passages: tuple[Passage, ...]
    dated: tuple[str, ...] = ()
    colleague: str = ""


def of_listing(listing: Listing, currency: str, now: datetime) -> Told | None:
    """What a booking made now in this currency would go by; None where nothing is settled beforehand."""
    workshop = listing.workshop
    if workshop.policy is None:
        return None
    if isinstance(listing, BundleListing):
        return Told(listing.policy_words)  # each part has dates of its own
    prices = [offer.price(currency) for offer in listing.offers if offer.on_sale]
    price = next(filter(None, prices), _ANY_PRICE)
    facts = Facts(
        price_minor=price,
        paid_minor=price,
        currency=currency,
        sessions=tuple(each.starts_at for each in workshop.sessions),
        ends_at=workshop.ends_at,
        zone=workshop.zone,
        booked_at=now,
        paid_at=now,
        ticket="full_price",
        product=workshop.format,
    )
    return _told(listing.policy_words, workshop.policy.data, facts, now)


def of_booking(view: BookingView, now: datetime) -> Told | None:
    """What the booking goes by; None where it keeps no policy, or nothing was paid that could come back."""
    booking, sessions = view.booking, view.sessions
    if not booking.policy or not booking.quote["total_minor"]:
        return None
    passages = change_terms.passages(booking)
    first = booking.attendees[0]
    if view.is_several or view.is_catch_up or not sessions:
        return Told(passages)
    facts = Facts(
        price_minor=first.price_minor,
        paid_minor=first.price_minor - first.discount_minor,
        currency=booking.currency,
        sessions=tuple(each.starts_at for each in sessions),
        ends_at=max(each.ends_at for each in sessions),
        zone=view.workshop.zone,
        booked_at=booking.created_at,
        paid_at=booking.confirmed_at,
        ticket="full_price" if first.ticket.is_full_price and not first.discount_minor else "discounted",
        product=view.workshop.format,
    )
    return _told(passages, booking.policy, facts, now)


def _told(passages: tuple[Passage, ...], data: Mapping[str, Any], facts: Facts, now: datetime) -> Told:
    rules = versions.read(data)
    colleague = deadlines.of_substitutes(rules, facts, now)
    dated = tuple(each.sentence for each in deadlines.of_cancelling(rules, facts, now))
    return Told(passages, dated, colleague.sentence if colleague else "")
