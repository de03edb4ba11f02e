"""From a filled form to a held booking with a way to Stripe. All of it inside the caller's transaction; the call to
Stripe itself comes after, in `routes`."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from accounts import consent
from bookings import (
    attendee_rows,
    booked,
    change_terms,
    choosing,
    closed,
    coming,
    credit_spending,
    discounts,
    invoicing,
    letters,
    lifecycle,
    offers,
    plan_quotes,
    pricing,
    waiting,
    waiting_list,
)
from bookings.choosing import TicketNotOnSale, Wish, offer_of
from bookings.models import Booking, WaitingPerson
from courses import bundles, catalogue, places, schedule, shelf, standing
from courses.bundles import BundleListing
from courses.bundles_models import Bundle
from courses.models import TicketType, Workshop
from history import models as history
from lib import db, references, web, work, zones
from payments.models import Bill, PaymentAttempt

PAGE_LASTS = timedelta(minutes=31)  # Stripe refuses under 30:00, counted from its own receipt
GRACE = timedelta(minutes=5)  # between the page's end and the hold's, for money that is on its way
FRESH_PAGES_FOR = timedelta(hours=2)
WORTH_RETURNING = timedelta(minutes=2)
LAPSE = "bookings.lapse"
ERASE = "bookings.erase_private_answers"
PRIVATE_FOR = timedelta(days=30)  # after the workshop's end; the privacy page promises it


class HoldLapsed(web.Refusal):
    status = 410
    refusal = "hold_lapsed"
    title = "These places are no longer kept for you"


class PriceEnded(HoldLapsed):
    """The way to pay ended, and so did the price it was for: it is asked for anew at today's."""

    refusal = "price_ended"
    title = "The price you saw has ended"


def start(wish: Wish, now: datetime, offered: WaitingPerson | None = None) -> Booking:
    """Hold the places, freeze the price, and write down the booking with its first attempt at payment.

    What the waiting list has `offered` somebody passes over to the booking. One that is free, or paid with a credit, is
    confirmed at once and has no attempt. Raises the Refusal that names what stands against it.
    """
    schedule.hold_still(Workshop.slug == wish.slug)
    waited = waiting.claim(offered.id, offered.workshop_id, now) if offered else None
    return begin(wish, waiting_list.listing_for(waited, now) if waited else _listing(wish.slug, now), now, waited)


def begin(wish: Wish, listing: catalogue.Listing, now: datetime, waited: WaitingPerson | None = None) -> Booking:
    """Book what stands so: a workshop, or a bundle of several, kept still by the caller."""
    closed.refuse_unless_bookable(listing)
    for ticket in {person.ticket for person in wish.attending}:
        offer = offer_of(listing, ticket)
        if offer is None or not (offer.on_sale or offer.is_full):
            reason = offer.reason if offer else "There is no such ticket."
            raise TicketNotOnSale(f"{reason} Please choose another ticket. Nothing has been charged.")
    until = now + PAGE_LASTS + GRACE
    organiser_id = listing.workshop.organiser.id
    choosing.refuse_faults(wish, listing)
    reference = free_reference()
    held = _hold(wish, listing, until, now, waited)
    try:
        priced = offers.redeem(choosing.purchase(wish, listing), wish.code, now)
    except pricing.OddNumber as odd:
        raise TicketNotOnSale(str(odd)) from odd
    quote = priced.quote
    booking = write(reference, wish, listing, quote, held, until, now)
    plan = plan_quotes.of(wish, listing, quote, now)
    if plan:
        booking.quote = {**booking.quote, **plan.frozen(quote)}
    if waited:
        waiting.spend(waited, booking, now)
    discounts.hold_uses(priced.counting, quote, booking.id, wish.booker_email, until)
    if wish.wants_letters:
        consent.give(organiser_id, wish.booker_email, "marketing", about=f"booking:{booking.id}", now=now)
    if any(person.answers for person in wish.attending):
        for each in bundles.workshops(listing):
            erase_later(each.id, each.ends_at)
    charges = plan.charges(quote) if plan else quote.charges
    if not wish.invoice_to:
        charges = credit_spending.put(booking, wish.credit_of, charges, now)
    if not any(line.minor for line in charges):
        lifecycle.confirm(lifecycle.locked(booking.bill_id), actor="booker", now=now)
    elif wish.invoice_to:
        invoicing.begin(lifecycle.locked(booking.bill_id), wish.invoice_to, now)
    else:
        new_attempt(booking, charges, listing.workshop.title, now)
        work.post(LAPSE, f"booking:{booking.id}", until, {"booking": booking.id})
    return booking


def again(booking: Booking, now: datetime) -> None:
    """Another way to Stripe for a held booking whose page has ended; the hold moves with it.

    A price is kept for as long as the page on which it was seen. Raises HoldLapsed when the places are no longer the
    booking's or two hours have gone since the first hold, PriceEnded when the price would be another one today: an
    early ticket whose last day is over, or a code.
    """
    refuse_unless_held(booking, now)
    _refuse_ended_prices(booking, now)
    if now > booking.created_at + FRESH_PAGES_FOR:
        raise HoldLapsed("Places are kept for at most two hours. Nothing has been charged; please book again.")
    until = now + PAGE_LASTS + GRACE
    lifecycle.extend(booking, until, now)
    charges = tuple(pricing.Line(each["text"], each["minor"]) for each in booking.quote["charges"])
    new_attempt(booking, charges, booked.title(booking), now)
    work.post(LAPSE, f"booking:{booking.id}", until, {"booking": booking.id})


def _refuse_ended_prices(booking: Booking, now: datetime) -> None:
    zone = booking.organiser.zone if booking.bundle_id else booking.attendees[0].workshop.zone
    over = [(name, until) for name, until in _sold_until(booking) if until <= now]
    code = discounts.ended(booking.id, now)
    if over:
        name, at = f"“{over[0][0]}”", over[0][1] - timedelta(seconds=1)
    elif code and code.valid_until:
        name, at = code.code, code.valid_until
    else:
        return
    raise PriceEnded(
        f"The time to pay on that page is over, and {name} ended on {zones.moment(at, zone)}. Nothing has "
        "been charged. Your places go back on sale in a few minutes; please book again at today's price.",
        next_url=booked.form(booking),
        next_text="Book at today's price",
    )


def _sold_until(booking: Booking) -> list[tuple[str, datetime]]:
    """What the booking was bought as, with the ends of sale of that; a bundle's tickets have none of their own."""
    sold: list[Bundle | TicketType] = [each.ticket for each in booking.attendees]
    if booking.bundle_id:
        sold = [db.session.get_one(Bundle, booking.bundle_id)]
    found = ((each.title if isinstance(each, Bundle) else each.name, each.sold_until) for each in sold)
    return [(name, until) for name, until in found if until]


def erase_later(workshop_id: int, ends_at: datetime) -> None:
    """Post the job that erases private answers, once for each end a workshop has had."""
    due_at = ends_at + PRIVATE_FOR
    key = f"{ERASE}:{workshop_id}:{zones.z(due_at)}"
    work.post(ERASE, f"workshop:{workshop_id}", due_at, {"workshop": workshop_id}, dedupe_key=key)


def refuse_unless_held(booking: Booking, now: datetime) -> None:
    """Raise HoldLapsed unless the places are still kept for the booking."""
    if booking.state != "held" or booking.held_until is None or booking.held_until <= now:
        page = booked.page(booking)
        raise HoldLapsed(
            "The time to pay has run out, so the places went back on sale. Nothing has been charged; if a payment "
            "arrives all the same, you get your places or all of it back.",
            next_url=page,
            next_text="Book again",
        )


def by_once(once: str | None) -> Booking | None:
    """The booking that this very form has already made."""
    if not once:
        return None
    return db.session.scalars(select(Booking).where(Booking.once == once)).one_or_none()


def new_attempt(
    booking: Booking, charges: tuple[pricing.Line, ...], title: str, now: datetime, *, ends_at: datetime | None = None
) -> PaymentAttempt:
    """Write down a way to Stripe with its frozen parameters."""
    key = f"attempt-{uuid4()}"
    expires_at = ends_at or now + PAGE_LASTS
    attempt = PaymentAttempt(
        organiser_id=booking.organiser_id,
        bill_id=booking.bill_id,
        key=key,
        amount_minor=sum(line.minor for line in charges),
        currency=booking.currency,
        parameters=_parameters(booking, charges, title, key, expires_at),
        created_at=now,
        expires_at=expires_at,
    )
    db.session.add(attempt)
    return attempt


def _parameters(
    booking: Booking, charges: tuple[pricing.Line, ...], title: str, key: str, expires_at: datetime
) -> dict[str, Any]:
    marks = {"organiser": str(booking.organiser_id), "booking": booking.reference, "attempt": key}
    return {
        "mode": "payment",
        "client_reference_id": booking.reference,
        "customer_email": booking.booker_email,
        "expires_at": int(expires_at.timestamp()),
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": booking.currency.lower(),
                    "unit_amount": line.minor,
                    "product_data": {"name": line.text, "description": title},
                },
            }
            for line in charges
            if line.minor
        ],
        "metadata": marks,
        "payment_intent_data": {"metadata": marks, "description": f"{booking.reference}: {title}"[:500]},
        "success_url": letters.booking_url(booking, returned="paid"),
        "cancel_url": letters.booking_url(booking, returned="left"),
    }


def _listing(slug: str, now: datetime) -> catalogue.Listing:
    found = shelf.read(now, lambda kept: [kept.by_slug[slug]] if slug in kept.by_slug else [])
    return standing.of(found, found.by_slug[slug], now)


def _hold(
    wish: Wish, listing: catalogue.Listing, until: datetime, now: datetime, waited: WaitingPerson | None
) -> dict[int, list[int]]:
    try:
        if waited:
            return waiting.pass_over(waited, _pools(wish, listing), until, now)
        return places.hold(_pools(wish, listing), organiser_id=listing.workshop.organiser.id, until=until, now=now)
    except places.WorkshopFull as full:
        full.facts |= closed.other_dates(listing)
        raise


def _pools(wish: Wish, listing: catalogue.Listing) -> Counter[int]:
    wanted: Counter[int] = Counter()
    for person in wish.attending:
        for ticket in coming.tickets_of(person, listing):
            wanted.update(ticket.pools)
    return wanted


def write(
    reference: str,
    wish: Wish,
    listing: catalogue.Listing,
    quote: pricing.Quote,
    held: dict[int, list[int]],
    until: datetime,
    now: datetime,
    *,
    actor: str = "booker",
) -> Booking:
    """Add a held booking with its bill, attendees and places, all in the open transaction."""
    organiser_id = listing.workshop.organiser.id
    bill = Bill(organiser_id=organiser_id, currency=wish.currency, total_minor=quote.total_minor, created_at=now)
    booking = Booking(
        organiser_id=organiser_id,
        reference=reference,
        bill=bill,
        state="held",
        once=wish.once,
        once_digest=wish.once_digest,
        booker_name=wish.booker_name,
        booker_email=wish.booker_email,
        zone=wish.zone,
        currency=wish.currency,
        quote={**quote.frozen(), **coming.of_bundle(listing)},
        bundle_id=listing.bundle.id if isinstance(listing, BundleListing) else None,
        terms_version=wish.terms_version,
        policy=change_terms.frozen(listing.workshop),
        created_at=now,
        held_until=until,
    )
    added = {(each.n, each.ticket): each for each in quote.extras}
    for one in coming.of(wish, listing, quote):
        booking.attendees.append(attendee_rows.made(organiser_id, one.n, coming.seat(one, added, held)))
    db.session.add(booking)
    db.session.flush()
    history.record(
        f"booking:{booking.id}",
        "booking_held",
        at=now,
        actor=actor,
        organiser_id=organiser_id,
        facts={"until": zones.z(until), "total_minor": quote.total_minor, "currency": wish.currency},
    )
    return booking


def free_reference() -> str:
    while True:
        reference = references.new()
        if not db.session.scalar(select(Booking.id).where(Booking.reference == reference)):
            return reference
