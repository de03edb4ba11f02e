"""Places added to a confirmed booking: on sale now, at today's price and within the limits of one booking.

The new people come under what was agreed for the booking, its policy as it was frozen; their own time of purchase
counts. What is to be paid is paid first: the places are held until the page's end, and nobody is an attendee until
then. A ticket that could be paid in parts or on an invoice is paid whole here: with a credit as far as it goes, which
is set apart until the rest is paid by card.

A code counts for a booking as it was made. So a code with a limit of any kind (on its uses, on the places of a booking
or on what it may give, or one person's own) takes nothing off what is added: it would be had twice for one use. A code
without any, and an automatic one, does, if it holds for the added places alone.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select

from bookings import (
    attendee_rows,
    booked,
    change_letters,
    change_rows,
    changing,
    checkout,
    choosing,
    closed,
    coming,
    comping,
    credit_spending,
    discounts,
    invoice_papers,
    lifecycle,
)
from bookings.attendee_rows import Added, Seat
from bookings.change_rows import NotAllowed
from bookings.change_terms import Act, Deal
from bookings.choosing import TicketNotOnSale, Wish
from bookings.models import Booking, Change, DiscountCode, Redemption
from bookings.pricing import OddNumber, Quote
from courses import catalogue, places, schedule
from courses.models import TicketType, Workshop
from lib import db, web
from payments import credits, ledger
from payments.models import PaymentAttempt


@dataclass(frozen=True)
class Priced:
    """What the added places cost now. `took` is what each code takes off, by its id; `notes` say of the booking's own
    codes why they do not count. `credit_minor` is what credits pay of it."""

    quote: Quote
    took: Mapping[int, int]
    notes: tuple[str, ...]
    credit_minor: int = 0

    @property
    def to_pay_minor(self) -> int:
        """What is left for the card."""
        return self.quote.total_minor - self.credit_minor

    @property
    def promise(self) -> str:
        """What the page says, in short: sent back with the form."""
        return f"{self.quote.total_minor}:{self.quote.currency}{f':{self.credit_minor}' if self.credit_minor else ''}"


def workshop_of(booking: Booking, slug: str = "") -> Workshop:
    """The workshop of a confirmed booking that places are added at: the one named, or its first. Raises NotAllowed."""
    there = {each.workshop_id for each in booking.attendees if each.state == "confirmed"}
    found = [each for each in booked.workshops(booking) if each.id in there]
    if booking.bundle_id is not None:
        raise NotAllowed(
            "A bundle is booked as it is, so nobody can be added to it. Please book it for them as well; nothing was "
            "changed.",
            next_url=booked.form(booking),
            next_text="Book for somebody else",
        )
    chosen = next((each for each in found if each.slug == slug), None) if slug else next(iter(found), None)
    if chosen is None:
        raise NotAllowed("Nobody of this booking comes to that workshop. Nothing was changed.")
    return chosen


def listing(booking: Booking, workshop: Workshop, now: datetime) -> catalogue.Listing:
    """The workshop as it can be added to this booking: in its currency, and with the room that one booking has left.

    Raises the refusal that says why nothing can be added: full 409, over 410.
    """
    if booking.bill_id and ledger.of_bill(booking.bill_id).due_minor > 0:
        raise NotAllowed(
            "Something of this booking is still to be paid. Please pay that first, or make a booking of its own for "
            "the others. Nothing was changed.",
            next_url=web.url("bookings.shown", reference=booking.reference),
            next_text="Open the booking",
        )
    found = comping.listing_of(booking.organiser_id, workshop.slug, now)
    if found is None:
        raise NotAllowed("This workshop is not published any more, so nobody can be added. Nothing was changed.")
    closed.refuse_unless_bookable(found)
    here = [each for each in booking.attendees if each.state == "confirmed" and each.workshop_id == workshop.id]
    room = found.workshop.most_attendees - len(here)
    if room <= 0:
        raise NotAllowed(
            f"One booking takes up to {found.workshop.most_attendees} people, and this one has as many. Please make "
            "another one for the rest; nothing was changed.",
            next_url=web.url("bookings.new", slug=workshop.slug),
            next_text="Make another booking",
        )
    there = Counter(each.ticket.code for each in here)
    offers = tuple(
        _for_more(each, there[each.ticket.code])
        for each in found.offers
        if each.in_currency(booking.currency) is not None
    )
    fitting = replace(found, workshop=replace(found.workshop, most_attendees=room), offers=offers)
    if not fitting.bookable:
        raise NotAllowed(
            f"No ticket of {workshop.title} can be added in {booking.currency} now. Nothing was changed.",
            next_url=web.url("courses.workshop", slug=workshop.slug),
            next_text="See its tickets",
        )
    return fitting


def price(booking: Booking, wish: Wish, found: catalogue.Listing, now: datetime) -> Priced:
    """What the wish costs, with the codes that may count. Raises TicketNotOnSale or NotPossibleSo."""
    purchase = choosing.purchase(wish, found)
    counting: dict[str, tuple[int, Any]] = {}
    notes = []
    own = set(db.session.scalars(select(Redemption.code_id).where(Redemption.booking_id == booking.id)))
    codes = db.session.scalars(
        select(DiscountCode)
        .where(
            DiscountCode.organiser_id == booking.organiser_id,
            or_(DiscountCode.id.in_(own), DiscountCode.is_automatic),
        )
        .order_by(DiscountCode.id)
    )
    for code in codes:
        is_own = code.id in own and not code.is_automatic
        if not _is_open(code):
            if is_own:
                notes.append(
                    f"{code.code} counted for the booking as it was made. It is limited, so it takes nothing off "
                    "places that are added."
                )
            continue
        try:
            counting[code.code] = (code.id, discounts.check(code, purchase, now))
        except discounts.CodeRefused as refused:
            if is_own:
                notes.append(f"{code.code} is looked at for the added places alone. {refused.message}")
    try:
        quote = purchase.price([reduction for _, reduction in counting.values()])
    except OddNumber as odd:
        raise TicketNotOnSale(str(odd)) from odd
    took = {counting[reduction.code][0]: minor for reduction, minor in quote.given}
    due = quote.total_minor
    credit = credit_spending.would_take(wish.credit_of, booking.organiser_id, booking.currency, due, now)
    return Priced(quote, took, tuple(notes), credit)


def add(booking: Booking, wish: Wish, promised: str, act: Act, digest: str = "") -> PaymentAttempt | None:
    """Add the people of a wish to the locked booking, at once or once they are paid for; then the way to pay.

    Raises QuoteChanged, NotAllowed, Underway, WorkshopFull or whatever else stands against booking them.
    """
    if booking.state != "confirmed":
        raise changing.PlaceOver("The booking has ended meanwhile. Nothing was added and nothing is charged.")
    workshop = workshop_of(booking, wish.slug)
    schedule.hold_still(Workshop.id == workshop.id)
    found = listing(booking, workshop, act.at)
    if len(wish.attending) > found.workshop.most_attendees:
        raise NotAllowed("That is more people than one booking takes. Nothing was changed.")
    for person in wish.attending:
        offer = choosing.offer_of(found, person.ticket)
        if offer is None or not (offer.on_sale or offer.is_full):
            reason = offer.reason if offer else "There is no such ticket."
            raise TicketNotOnSale(f"{reason} Please choose another ticket. Nothing has been charged.")
    choosing.refuse_faults(wish, found)
    priced = price(booking, wish, found, act.at)
    if priced.promise != promised:
        raise change_rows.QuoteChanged("What you typed or today's price has changed since. Nothing was done.")
    seats = _hold(booking, wish, found, priced.quote, act)
    deal = Deal(due_minor=priced.quote.total_minor)
    names = catalogue.words([each.name for each in seats])
    line = f"{'Place' if len(seats) == 1 else 'Places'} for {names}"
    facts = {
        "workshop": workshop.id,
        "people": [_told(each) for each in seats],
        "places": {"all": [place for each in seats for place in each.place_ids]},
        "codes": {str(code): minor for code, minor in priced.took.items()},
        "digest": digest,
        "line": line,
    }
    if any(each.answers for each in seats):
        checkout.erase_later(workshop.id, workshop.ends_at)
    if priced.to_pay_minor:
        return change_rows.owe(
            booking,
            None,
            "add",
            deal,
            act,
            facts,
            line,
            title=workshop.title,
            credit_of=wish.credit_of,
            credit_minor=priced.credit_minor,
        )
    do(booking, facts, act)
    change = change_rows.write(booking, None, "add", deal, act, facts)
    change_rows.done(change)
    if priced.credit_minor:
        _pay_with_credit(booking, change, wish.credit_of, act)
    return None


def do(booking: Booking, facts: Mapping[str, Any], act: Act) -> None:
    """Whoever was added comes from now on, and everybody is told. Raises WorkshopFull, PlaceOver or CreditGone."""
    workshop = db.session.get_one(Workshop, facts["workshop"])
    if booking.state != "confirmed":
        raise changing.PlaceOver("The booking had ended before the payment arrived.")
    if workshop.status == "cancelled":
        raise changing.PlaceOver("The workshop was cancelled before the payment arrived.")
    seats = [_read(each) for each in facts["people"]]
    tickets = {each.ticket_id: db.session.get_one(TicketType, each.ticket_id) for each in seats}
    if not all(_takes_place(each, workshop) for each in tickets.values()):
        raise changing.PlaceOver("What the ticket is for was cancelled before the payment arrived.")
    _take(booking, seats, facts, act)
    following = 1 + max(each.n for each in booking.attendees)
    added = [attendee_rows.made(booking.organiser_id, following + at, seat) for at, seat in enumerate(seats)]
    for attendee in added:
        attendee.workshop, attendee.ticket = workshop, tickets[attendee.ticket_type_id]
    booking.attendees.extend(added)
    db.session.flush()
    took = {int(code): minor for code, minor in facts.get("codes", {}).items()}
    discounts.took_more(booking.id, booking.organiser_id, took, booking.booker_email, booking.currency)
    lifecycle.take_in(booking, added, actor=act.actor, now=act.at)
    names = catalogue.words([each.name for each in added])
    comes = "has a place" if len(added) == 1 else "have places"
    said = [f"{names} {comes} at {workshop.title} now. Each has a letter with links and invites of their own."]
    change_letters.both(booking, f"{names} {'comes' if len(added) == 1 else 'come'} as well", said, act)


def _take(booking: Booking, seats: Sequence[Seat], facts: Mapping[str, Any], act: Act) -> None:
    """Take the places for good, and what a credit pays of them. Raises WorkshopFull or CreditGone, with neither."""
    wanted = sorted(place for each in seats for place in each.place_ids)
    places.keep(wanted, act.at)
    if not (apart := facts.get("credit")):
        return
    discounts.lock([int(code) for code in facts.get("codes", {})])  # before the credits: they are locked last
    try:
        credit_spending.use_apart(booking, apart, facts["line"], act.actor, act.at)
    except credit_spending.CreditGone:
        places.release(wanted, act.at)
        raise


def _pay_with_credit(booking: Booking, change: Change, email: str, act: Act) -> None:
    """Raises QuoteChanged when the credit was spent at the same moment: then nobody is added either."""
    bill = ledger.lock(booking.bill_id)
    bill.total_minor += change.due_minor
    ledger.charge(bill, change.due_minor, about=f"change:{change.id}", note=change.kind, now=act.at)
    if credits.spend(bill.id, email, change.due_minor, act.at) < change.due_minor:
        raise change_rows.QuoteChanged("The credit was spent elsewhere meanwhile. Nothing was done.")
    credit_spending.remember(booking, change.due_minor, act.actor, act.at)
    invoice_papers.acknowledge(booking, act.at)


def _takes_place(ticket: TicketType, workshop: Workshop) -> bool:
    """Whether a session that the ticket is for is not cancelled."""
    return any(each.cancelled_at is None for each in ticket.sessions or workshop.sessions)


def _for_more(offer: catalogue.Offer, number: int) -> catalogue.Offer:
    """A ticket for more people on a booking where so many have it already."""
    ticket = offer.ticket
    most = None if ticket.most_people is None else ticket.most_people - number
    if most is not None and most <= 0:
        return replace(offer, on_sale=False, is_full=False, reason="This booking has as many of these as it may.")
    return replace(offer, ticket=replace(ticket, least_people=max(ticket.least_people - number, 1), most_people=most))


def _is_open(code: DiscountCode) -> bool:
    """Whether a code may count as often and for as many as anybody likes."""
    limits = (code.uses_total, code.uses_per_person, code.budget_minor, code.covers, code.person)
    return all(each is None for each in limits) and not (code.first_online_only or code.re_rate_on_cancellation)


def _hold(booking: Booking, wish: Wish, found: catalogue.Listing, quote: Quote, act: Act) -> list[Seat]:
    """Hold the places of everybody, until the page on which they are paid has ended. Raises WorkshopFull."""
    everybody = coming.of(wish, found, quote)
    wanted = Counter(pool for each in everybody for ticket in each.tickets for pool in ticket.pools)
    until = change_rows.page_ends(act) + checkout.GRACE
    try:
        held = places.hold(wanted, organiser_id=booking.organiser_id, until=until, now=act.at)
    except places.WorkshopFull as full:
        full.facts |= closed.other_dates(found)
        full.facts |= {"also_url": closed.waiting_page(found), "also_text": "Join the waiting list"}
        raise
    extras = {(each.n, each.ticket): each for each in quote.extras}
    return [coming.seat(each, extras, held) for each in everybody]


def _told(seat: Seat) -> dict[str, Any]:
    return {
        "workshop": seat.workshop_id,
        "ticket": seat.ticket_id,
        "name": seat.name,
        "email": seat.email,
        "price_minor": seat.price_minor,
        "discount_minor": seat.discount_minor,
        "places": list(seat.place_ids),
        "proof": seat.proof,
        "extras": [[each.ticket_id, each.price_minor, each.discount_minor] for each in seat.extras],
        "answers": {str(question): text for question, text in seat.answers.items()},
    }


def _read(told: Mapping[str, Any]) -> Seat:
    return Seat(
        told["workshop"],
        told["ticket"],
        told["name"],
        told["email"],
        told["price_minor"],
        told["discount_minor"],
        tuple(told["places"]),
        told["proof"],
        tuple(Added(*each) for each in told["extras"]),
        {int(question): text for question, text in told["answers"].items()},
    )


def same_underway(booking_id: int, digest: str) -> bool:
    """Whether these very people are waiting for their payment already: the form was sent twice."""
    waiting = change_rows.owing(booking_id)
    return waiting is not None and waiting.kind == "add" and waiting.facts.get("digest") == digest
