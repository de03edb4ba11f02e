"""A place moved to another date or workshop of its organiser, with the difference paid or returned."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bookings import (
    behalf,
    change_letters,
    change_rows,
    change_terms,
    changing,
    checkout,
    invites,
    refund_bases,
    returning,
    waiting_list,
)
from bookings.attendee_rows import Added
from bookings.change_rows import NotAllowed
from bookings.change_terms import Act, Deal, Offer, Ruling
from bookings.models import Attendee, Booking
from bookings.returning import Back
from courses import catalogue, places, schedule, shelf, standing
from courses.models import TicketType, Workshop
from lib import db, zones
from payments import ledger
from payments.models import PaymentAttempt


@dataclass(frozen=True)
class Target:
    """A ticket of another workshop, its price in minor units of the booking's currency, and what the policy says.

    What was added to the place goes along where the same is sold there, in `extras`, at its price there and within
    `price_minor`; what is not, in `left`, is settled like the rest of the difference.
    """

    listing: catalogue.Listing
    ticket: shelf.TicketFacts
    price_minor: int
    offer: Offer
    extras: tuple[tuple[shelf.TicketFacts, int], ...] = ()
    left: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.listing.workshop.slug}:{self.ticket.code}"


def targets(attendee: Attendee, now: datetime, ruling: Ruling | None = None) -> list[Target]:
    """Where the place could move to: what its organiser sells now in the booking's currency, other dates of the same
    course first. A fixed number of statements, however many there are."""
    booking, here = attendee.booking, attendee.workshop
    count, paid = (
        change_rows.moved(booking)[attendee.id],
        refund_bases.of(booking, [attendee], keeps_code=True)[attendee.id],
    )
    is_waited_for = waiting_list.has_anybody(here.id)

    def wanted(kept: shelf.Shelf) -> list[shelf.WorkshopFacts]:
        coming = catalogue.upcoming(kept, now)
        return [each for each in coming if each.organiser.id == booking.organiser_id and each.id != here.id]

    found = shelf.read(now, wanted)
    made: list[Target] = []
    later = [each.id for each in wanted(found) if each.starts_at > here.starts_at and each.status == "published"]
    for workshop in wanted(found):
        listing = standing.of(found, workshop, now)
        for offer in listing.offers:
            is_plain = offer.ticket.kind == "admission" and offer.ticket.seats == 1 and offer.ticket.least_people == 1
            price = offer.price(booking.currency) if offer.on_sale and is_plain else None
            if price is None or offer.ticket.proof != "none":
                continue
            extras = _same_extras(attendee, listing)
            price += sum(minor for _, minor in extras)
            terms = change_terms.offer(
                attendee,
                "transfer",
                now,
                moved=count,
                new_price_minor=price,
                new_starts_at=workshop.starts_at,
                events_after=later.index(workshop.id) + 1 if workshop.id in later else 0,
                is_waited_for=is_waited_for,
                paid_minor=paid,
                ruling=ruling,
            )
            along = {ticket.code for ticket, _ in extras}
            left = tuple(each.ticket.name for each in attendee.extras if each.ticket.code not in along)
            made.append(Target(listing, offer.ticket, price, terms, extras, left))
    return sorted(made, key=lambda each: each.listing.workshop.course_id != here.course_id)


def transfer(
    booking: Booking, n: int, key: str, promised: str, act: Act, ruling: Ruling | None = None
) -> PaymentAttempt | None:
    """Move a place, at once or once the difference is paid; then the way to pay it.

    Raises PlaceOver, NotAllowed, QuoteChanged, MoreThanPaid, WorkshopFull or Underway.
    """
    (attendee,) = changing.of(booking, [n])
    target = next((each for each in targets(attendee, act.at, ruling) if each.key == key), None)
    if target is None:
        raise NotAllowed("That date can no longer be booked. The place stays as it is; please choose another one.")
    if ruling and ruling.instead:
        deal = behalf.parts(booking, [attendee], ruling.instead)[attendee]
    else:
        deal = change_rows.chosen(target.offer, 0)
        change_rows.refuse_unless_promised([deal], promised)
    schedule.hold_still(Workshop.slug == target.listing.workshop.slug)
    until = change_rows.page_ends(act) + checkout.GRACE
    wanted = Counter(pool for each in (target.ticket, *(e for e, _ in target.extras)) for pool in each.pools)
    held = places.hold(wanted, organiser_id=booking.organiser_id, until=until, now=act.at)
    facts = {
        "workshop": target.listing.workshop.id,
        "ticket": target.ticket.id,
        "from": attendee.workshop.slug,
        "to": target.listing.workshop.slug,
        "places": {str(pool): ids for pool, ids in held.items()},
        "extras": [[each.id, minor] for each, minor in target.extras],
    }
    if deal.due_minor:
        line = f"{attendee.name} moves to {target.listing.workshop.title}"
        return change_rows.owe(booking, attendee, "transfer", deal, act, facts, line)
    do(booking, attendee, facts, deal, act)
    change_rows.write(booking, attendee, "transfer", deal, act, facts)
    return None


def do(booking: Booking, attendee: Attendee, facts: Mapping[str, Any], deal: Deal, act: Act) -> None:
    """Move the place to what was held for it, settle the money, and tell everybody. Raises WorkshopFull or PlaceOver,
    with nothing changed.

    The difference counts from the date it was quoted for, and onto what the place costs now: while it was unpaid the
    place may have moved elsewhere, or have been priced again because others left.
    """
    if attendee.workshop.slug != facts["from"]:
        raise changing.PlaceOver("The place had moved to another date before the payment arrived.")
    workshop = db.session.get_one(Workshop, facts["workshop"])
    ticket = db.session.get_one(TicketType, facts["ticket"])
    held = {int(pool): ids for pool, ids in facts["places"].items()}
    old = attendee.workshop.title
    if workshop.status == "cancelled":
        raise changing.PlaceOver(f"{workshop.title} was cancelled before the payment arrived.")
    paid = attendee.price_minor - attendee.discount_minor
    share = max(paid - deal.refund_minor - deal.credit_minor + deal.due_minor - deal.fee_minor, 0)
    added, left = [], share
    for number, minor in facts.get("extras", []):
        added.append(Added(number, min(minor, left), 0))
        left -= added[-1].price_minor
    changing.move(booking, attendee, workshop, ticket, held, (share, 0), act, added)
    bill = ledger.lock(booking.bill_id)
    bill.total_minor -= deal.refund_minor + deal.credit_minor
    back = Back()
    if deal.refund_minor:
        shares = {attendee.id: deal.refund_minor}
        reason = f"Moved to {workshop.title}"
        back = returning.give(
            booking,
            deal.refund_minor,
            source=act.source,
            reason=reason,
            shares=shares,
            actor=act.actor,
            now=act.at,
        )
    if deal.credit_minor:
        returning.keep_as_credit(
            booking,
            deal.credit_minor,
            email=booking.booker_email,
            reason=f"Moved to {workshop.title}",
            expires_at=deal.credit_until,
            actor=act.actor,
            now=act.at,
        )
    first = invites.sessions_of(attendee)[0]
    line = zones.line(first.starts_at, first.ends_at, first.zone)
    said = [f"{attendee.name}'s place at {old} is now one at {workshop.title}: {line}."]
    said += change_letters.money_words(booking, [deal], back, act.at)
    change_letters.both(booking, f"{attendee.name} moved to another date", said, act)


def _same_extras(attendee: Attendee, listing: catalogue.Listing) -> tuple[tuple[shelf.TicketFacts, int], ...]:
    """What was added to the place and can be added there as well, by its code, with its price there."""
    currency = attendee.booking.currency
    codes = {each.ticket.code for each in attendee.extras}
    found = [
        (each.ticket, each.price(currency)) for each in listing.extras if each.on_sale and each.ticket.code in codes
    ]
    return tuple((ticket, minor) for ticket, minor in found if minor is not None)
