"""From a filled form to a held booking with a way to Stripe. All of it inside the caller's transaction; the call to
Stripe itself comes after, in `routes`."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from accounts import consent
from bookings import change_terms, choosing, discounts, letters, lifecycle, offers, pricing, waiting, waiting_list
from bookings.choosing import Attending, TicketNotOnSale, Wish, offer_of
from bookings.models import Answer, Attendee, AttendeeExtra, AttendeePlace, Booking, WaitingPerson
from courses import catalogue, places, sale, schedule, shelf, standing
from courses.models import Workshop
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


class SaleEnded(web.Refusal):
    status = 410
    refusal = "sale_ended"
    title = "Booking has ended for this date"


class WorkshopCancelled(web.Refusal):
    status = 410
    refusal = "workshop_cancelled"
    title = "This workshop is cancelled"


class NotSoldHere(web.Refusal):
    status = 409
    refusal = "not_on_sale"
    title = "This workshop is not on sale here"


class HoldLapsed(web.Refusal):
    status = 410
    refusal = "hold_lapsed"
    title = "These places are no longer kept for you"


class PriceEnded(HoldLapsed):
    """The way to pay ended, and so did the price it was for: it is asked for anew at today's."""

    refusal = "price_ended"
    title = "The price you saw has ended"


def refuse_unless_bookable(listing: catalogue.Listing) -> None:
    """Raise the refusal that says why nothing of this workshop can be booked, if so: full 409, over 410."""
    if listing.bookable:
        return
    facts = other_dates(listing)
    if listing.state == "cancelled":
        raise WorkshopCancelled("Nobody can book it any more. Nothing has been charged.", **facts)
    sold_here = [each for each in listing.offers if sale.is_sold_here(each.ticket)]
    if any(each.is_full for each in listing.offers):
        facts |= {"also_url": waiting_page(listing), "also_text": "Join the waiting list"}
        raise places.WorkshopFull(listing.places_left, listing.places_left + 1, **facts)
    if listing.state in ("running", "past") or sold_here:
        raise SaleEnded("You have not been charged. Other dates may still have places.", **facts)
    raise NotSoldHere("Its tickets need a rule this site does not handle yet. Nothing has been charged.", **facts)


def other_dates(listing: catalogue.Listing) -> dict[str, str]:
    """The way on from a refusal: the course with all its dates."""
    page = web.url("courses.course", slug=listing.workshop.course_slug)
    return {"next_url": page, "next_text": "See all dates of this course"}


def waiting_page(listing: catalogue.Listing) -> str:
    """Where somebody puts themselves on the waiting list."""
    return web.url("waiting.new", slug=listing.workshop.slug)


def start(wish: Wish, now: datetime, offered: WaitingPerson | None = None) -> Booking:
    """Hold the places, freeze the price, and write down the booking with its first attempt at payment.

    What the waiting list has `offered` somebody passes over to the booking. A free booking is confirmed at once and has
    no attempt. Raises the Refusal that names what stands against it.
    """
    schedule.hold_still(Workshop.slug == wish.slug)
    waited = waiting.claim(offered.id, offered.workshop_id, now) if offered else None
    listing = waiting_list.listing_for(waited, now) if waited else _listing(wish.slug, now)
    refuse_unless_bookable(listing)
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
    if waited:
        waiting.spend(waited, booking, now)
    discounts.hold_uses(priced.counting, quote, booking.id, wish.booker_email, until)
    if wish.wants_letters:
        consent.give(organiser_id, wish.booker_email, "marketing", about=f"booking:{booking.id}", now=now)
    if any(person.answers for person in wish.attending):
        erase_later(listing.workshop.id, listing.workshop.ends_at)
    if quote.total_minor == 0:
        lifecycle.confirm(lifecycle.locked(booking.bill_id), actor="booker", now=now)
    else:
        new_attempt(booking, quote.charges, listing.workshop.title, now)
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
    new_attempt(booking, charges, booking.attendees[0].workshop.title, now)
    work.post(LAPSE, f"booking:{booking.id}", until, {"booking": booking.id})


def _refuse_ended_prices(booking: Booking, now: datetime) -> None:
    workshop = booking.attendees[0].workshop
    early = next(
        (each.ticket for each in booking.attendees if each.ticket.sold_until and each.ticket.sold_until <= now), None
    )
    code = discounts.ended(booking.id, now)
    if early and early.sold_until:
        name, at = f"“{early.name}”", early.sold_until - timedelta(seconds=1)
    elif code and code.valid_until:
        name, at = code.code, code.valid_until
    else:
        return
    raise PriceEnded(
        f"The time to pay on that page is over, and {name} ended on {zones.moment(at, workshop.zone)}. Nothing has "
        "been charged. Your places go back on sale in a few minutes; please book again at today's price.",
        next_url=web.url("bookings.new", slug=workshop.slug),
        next_text="Book at today's price",
    )


def erase_later(workshop_id: int, ends_at: datetime) -> None:
    """Post the job that erases private answers, once for each end a workshop has had."""
    due_at = ends_at + PRIVATE_FOR
    key = f"{ERASE}:{workshop_id}:{zones.z(due_at)}"
    work.post(ERASE, f"workshop:{workshop_id}", due_at, {"workshop": workshop_id}, dedupe_key=key)


def refuse_unless_held(booking: Booking, now: datetime) -> None:
    """Raise HoldLapsed unless the places are still kept for the booking."""
    if booking.state != "held" or booking.held_until is None or booking.held_until <= now:
        page = web.url("courses.workshop", slug=booking.attendees[0].workshop.slug)
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


def new_attempt(booking: Booking, charges: tuple[pricing.Line, ...], title: str, now: datetime) -> PaymentAttempt:
    """Write down a way to Stripe with its frozen parameters."""
    key = f"attempt-{uuid4()}"
    expires_at = now + PAGE_LASTS
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
        full.facts |= other_dates(listing)
        raise


def _pools(wish: Wish, listing: catalogue.Listing) -> Counter[int]:
    wanted: Counter[int] = Counter()
    for person in wish.attending:
        for ticket in _tickets_of(person, listing):
            wanted.update(ticket.pools)
    return wanted


def _tickets_of(person: Attending, listing: catalogue.Listing) -> list[shelf.TicketFacts]:
    """A person's ticket, and the extras on it."""
    found = [offer_of(listing, person.ticket), *(choosing.extra_of(listing, each) for each in person.extras)]
    return [offer.ticket for offer in found if offer]


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
        quote=quote.frozen(),
        terms_version=wish.terms_version,
        policy=change_terms.frozen(organiser_id),
        created_at=now,
        held_until=until,
    )
    shares = {share.n: share for share in quote.shares}
    added = {(each.n, each.ticket): each for each in quote.extras}
    for person in wish.attending:
        ticket, *extras = _tickets_of(person, listing)
        booking.attendees.append(
            Attendee(
                organiser_id=organiser_id,
                workshop_id=listing.workshop.id,
                ticket_type_id=ticket.id,
                n=person.n,
                name=person.name,
                email=person.email,
                state="held",
                price_minor=shares[person.n].price_minor,
                discount_minor=shares[person.n].discount_minor,
                proof=person.proof if ticket.proof != "none" else "",
                claims=[
                    AttendeePlace(organiser_id=organiser_id, place_id=held[pool].pop())
                    for each in (ticket, *extras)
                    for pool in each.pools
                ],
                extras=[
                    AttendeeExtra(
                        organiser_id=organiser_id,
                        ticket_type_id=each.id,
                        price_minor=added[person.n, each.code].price_minor,
                        discount_minor=added[person.n, each.code].discount_minor,
                    )
                    for each in extras
                ],
                answers=[
                    Answer(organiser_id=organiser_id, question_id=question, text=text)
                    for question, text in person.answers.items()
                ],
            )
        )
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
