"""Bundles made, changed, published and withdrawn, under the caller's transaction. What people booked stays theirs."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from courses import bundles, least, slugs
from courses.bundles_models import Bundle, BundlePrice
from courses.editing import NotPossible
from courses.models import TicketType, bundle_ticket
from lib import db, money


@dataclass(frozen=True)
class Wanted:
    """A bundle as its organiser describes it: prices in minor units by currency, a ticket for each workshop."""

    title: str
    about: str
    sold_from: datetime | None
    sold_until: datetime | None
    prices: Mapping[str, int]
    tickets: Sequence[TicketType]


def make(organiser_id: int, wanted: Wanted) -> Bundle:
    """A bundle nobody sees yet, with an address of its own that stays."""
    bundle = Bundle(organiser_id=organiser_id, slug=_slug(wanted.title), title=wanted.title)
    db.session.add(bundle)
    _write(bundle, wanted)
    return bundle


def change(bundle: Bundle, wanted: Wanted, *, is_booked: bool) -> None:
    """Write it as wanted. Raises NotPossible for other workshops than people have booked."""
    if is_booked and {each.id for each in bundle.tickets} != {each.id for each in wanted.tickets}:
        raise NotPossible(
            f"People have booked “{bundle.title}”, so its workshops and tickets stay as they were. Withdraw it and "
            "make another bundle for what is to be different."
        )
    _write(bundle, wanted)


def publish(bundle: Bundle, now: datetime) -> None:
    """Put it on its page. Raises NotPossible with what is still missing."""
    if said := missing(bundle, now):
        raise NotPossible(" ".join(said))
    bundle.is_published = True


def withdraw(bundle: Bundle) -> None:
    """Take it off its page; whoever booked it keeps their places."""
    bundle.is_published = False


def remove(bundle: Bundle, *, is_booked: bool) -> None:
    """Take away a bundle that nobody ever booked. Raises NotPossible."""
    if is_booked:
        raise NotPossible(f"“{bundle.title}” is written on bookings and has to stay. Withdraw it instead.")
    bundle.tickets = []
    db.session.flush()
    db.session.delete(bundle)
    db.session.flush()


def missing(bundle: Bundle, now: datetime) -> list[str]:
    """A sentence for each thing that is missing before people can book it."""
    said = [] if len(bundle.tickets) >= bundles.LEAST else ["Two workshops make a bundle: please choose more."]
    if not bundle.prices:
        said.append("It has no price.")
    for price in bundle.prices:
        if wrong := least.not_chargeable(price.minor, price.currency):
            said.append(f"{money.text(price.minor, price.currency)}: {wrong}")
    for ticket in bundle.tickets:
        workshop = ticket.workshop
        if workshop.status != "published":
            said.append(f"“{workshop.title}” is {'cancelled' if workshop.status == 'cancelled' else 'still a draft'}.")
        elif workshop.starts_at <= now:
            said.append(f"“{workshop.title}” has begun.")
        if ticket.is_hidden or not bundles.is_plain(ticket):
            said.append(f"{ticket.name} of “{workshop.title}” cannot be in a bundle.")
    return said


def refuse_if_bundled(ticket_ids: Collection[int]) -> None:
    """Raise NotPossible when one of the tickets is in a bundle, whether or not that is published."""
    inside = select(Bundle.title).join(bundle_ticket, bundle_ticket.c.bundle_id == Bundle.id)
    title = db.session.scalar(inside.where(bundle_ticket.c.ticket_type_id.in_(ticket_ids)).limit(1))
    if title is not None:
        raise NotPossible(f"It is part of the bundle “{title}”. Take it out of that first, or delete the bundle.")


def _write(bundle: Bundle, wanted: Wanted) -> None:
    bundle.title, bundle.about = wanted.title, wanted.about
    bundle.sold_from, bundle.sold_until = wanted.sold_from, wanted.sold_until
    bundle.tickets = list(wanted.tickets)
    known = {each.currency: each for each in bundle.prices}
    for currency, price in known.items():
        if currency not in wanted.prices:
            bundle.prices.remove(price)
    for currency, minor in wanted.prices.items():
        if currency in known:
            known[currency].minor = minor
        else:
            bundle.prices.append(BundlePrice(organiser_id=bundle.organiser_id, currency=currency, minor=minor))
    db.session.flush()


def _slug(title: str) -> str:
    base = slugs.folded(title, "bundle")
    taken = set(db.session.scalars(select(Bundle.slug).where(Bundle.slug.like(f"{base}%")))) | slugs.RESERVED
    number = 1
    while (slug := base if number == 1 else f"{base}-{number}") in taken:
        number += 1
    return slug
