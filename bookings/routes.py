"""Booking a place, paying for it, and the page of the booker."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, abort, jsonify, render_template, request
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response as Answer

from accounts import open_to
from bookings import (
    asking,
    booked,
    change_rows,
    checkout,
    checks,
    choosing,
    closed,
    credit_pages,
    credit_routes,
    discounts,
    forms,
    lifecycle,
    offers,
    pages,
    payment_routes,
    plan_pages,
    plan_quotes,
    policy_words,
    reselling,
    waiting,
    waiting_list,
    waiting_refusals,
)
from bookings.models import Booking, WaitingPerson
from bookings.pricing import Line, OddNumber
from courses import catalogue
from courses.routes import one
from lib import clock, db, limits, web
from payments import gateway

bp = Blueprint("bookings", __name__)


@dataclass(frozen=True)
class Sale:
    """What a form is for: a workshop, with what its waiting list has offered if anything, or a bundle of workshops.

    `address` is the page below which its form and its quote are, `begin` books a filled form in a write transaction.
    """

    listing: catalogue.Listing
    address: str
    begin: Callable[[choosing.Wish, datetime], Booking]
    offer: WaitingPerson | None = None
    template: str = "bookings/new.html"

    def form(self, typed: Any = None) -> forms.BookingForm:
        made = forms.build(self.listing, asking.of(self.listing), typed)
        made.credit_of = credit_routes.holder(self.listing.workshop.organiser.id)
        if typed is None:
            made.use_credit.data = True
        return made


@bp.get("/workshops/<slug>/bookings/new")
@open_to.anyone
def new(slug: str) -> Answer | str:
    return form_of(_seen(slug))


@bp.post("/workshops/<slug>/bookings")
@open_to.anyone
@limits.limiter.limit("30 per hour", key_func=limits.by_field("booker_email"))
def book(slug: str) -> Answer | str | tuple[str, int]:
    return book_from(lambda: _seen(slug))


@bp.post("/workshops/<slug>/quote")
@open_to.anyone
def quote(slug: str) -> Answer | str | tuple[str, int]:
    return quote_of(_seen(slug))


def form_of(sale: Sale) -> Answer | str:
    """The empty form, or the refusal that says why nothing can be booked."""
    closed.refuse_unless_bookable(sale.listing)
    form = sale.form()
    form.once.data = secrets.token_urlsafe(24)
    if sale.offer is None:
        return _form_page(sale, form, None)
    offer = sale.offer
    form.begin_with(offer.name, offer.email, offer.zone, offer.ticket.code, waiting_list.number_held(offer))
    return web.private(Response(_form_page(sale, form, None)))


def book_from(see: Callable[[], Sale]) -> Answer | str | tuple[str, int]:
    """Book what was typed; `see` looks at what is sold, and again once an earlier sending has given its places back."""
    sale = see()
    if not sale.listing.bookable and checkout.by_once(request.form.get("once")) is None:
        closed.refuse_unless_bookable(sale.listing)
    form = sale.form(request.form)
    if "add" in request.form or "remove" in request.form:
        return _changed_people(sale, form)
    digest = forms.digest(request.form)
    earlier = checkout.by_once(form.once.data)
    if earlier and earlier.once_digest == digest:
        return payment_routes.on_to_payment(earlier.reference)
    if earlier and form.validate():
        # The form was changed and sent again: what it held is free before it asks for places once more.
        _supersede(earlier.bill_id)
        sale = see()
        form = sale.form(request.form)
    try:
        refused = checks.refusal(sale.listing, form, forms.people_in(request.form), clock.now())
        if refused is None:
            wish = replace(form.wish(sale.listing.workshop.slug), once_digest=digest)
            return payment_routes.on_to_payment(_start(wish, sale))
    except discounts.CodeSpent as spent:
        form.discount_code.errors = [spent.message]
        refused = spent
    except web.Refusal:
        if twin := _twin(form.once.data, digest):
            return payment_routes.on_to_payment(twin)
        raise
    if twin := _twin(form.once.data, digest):
        return payment_routes.on_to_payment(twin)
    return _not_yet(sale, form, refused)


def quote_of(sale: Sale) -> Answer | str | tuple[str, int]:
    """What it would cost as it is filled in so far; nothing is written."""
    listing, now = sale.listing, clock.now()
    form = sale.form(request.form)
    form.validate()
    try:
        priced = checks.priced(listing, form, now)
    except OddNumber as odd:
        return _no_price(sale, form, choosing.TicketNotOnSale(str(odd)))
    except choosing.NotPossibleSo as refused:
        return _no_price(sale, form, refused)
    wish = form.wish(listing.workshop.slug)
    plan = plan_quotes.of(wish, listing, priced.quote, now)
    due = credit_pages.taken(wish, listing.workshop.organiser.id, plan_quotes.told(plan, priced.quote), now)
    if web.wants_json():
        return jsonify(_quote_json(priced) | (due if due["later"] or due["credit_minor"] else {}))
    for field in form:
        field.errors = []
    return _form_page(sale, form, priced.quote, priced.refused, plan, due)


@bp.get("/bookings/<reference:reference>")
@open_to.holder_of_link
def shown(reference: str) -> Answer:
    now = clock.now()
    booking = payment_routes.opened(reference)
    if request.args.get("returned"):
        payment_routes.ask_once(booking.bill_id, now)
        booking = payment_routes.opened(reference)
    view = pages.booking_view(booking, now)
    page = render_template(
        "bookings/booking.html",
        view=view,
        booking=booking,
        now=now,
        left=_has_left(),
        owing=change_rows.owing(booking.id) if view.state == "confirmed" else None,
        since=[Line(text, minor) for text, minor in booked.charged(booking)],
        resale=reselling.pending(booking.id),
        plan=plan_pages.view(booking, now),
        policy=policy_words.of_booking(view, now),
    )
    return web.private(Response(page))


@bp.get("/bookings/<reference:reference>.json")
@open_to.holder_of_link
def shown_json(reference: str) -> Answer:
    return web.private(jsonify(pages.booking_json(pages.booking_view(payment_routes.opened(reference), clock.now()))))


def _quote_json(priced: offers.Priced) -> dict[str, Any]:
    said = [f"{each.code}: {each.words(priced.quote.currency)}." for each in priced.accepted]
    return {
        "lines": [{"text": line.text, "minor": line.minor} for line in priced.quote.lines],
        "total_minor": priced.quote.total_minor,
        "currency": priced.quote.currency,
        "code": {
            "accepted": bool(priced.accepted) and priced.refused is None,
            "refusal": priced.refused.refusal if priced.refused else None,
            "message": priced.refused.message if priced.refused else " ".join(said),
        },
    }


def _seen(slug: str) -> Sale:
    """The workshop as whoever asks may book it: who holds an offer of its waiting list has the places of that.

    Raises OfferSpent, unless it was spent on the booking this very form has made.
    """

    def sale(listing: catalogue.Listing, offer: WaitingPerson | None = None) -> Sale:
        return Sale(listing, f"/workshops/{slug}", lambda wish, now: checkout.start(wish, now, offer), offer)

    token = request.values.get("waiting", "")
    if not token:
        return sale(one(slug))
    person = waiting_list.by_token(token)
    if person is None or person.workshop.slug != slug:
        abort(404)
    if waiting_list.is_live(person, now := clock.now()):
        return sale(waiting_list.listing_for(person, now), person)
    if checkout.by_once(request.form.get("once")) is None:
        raise waiting_refusals.spent(person)
    return sale(one(slug))


def _start(wish: choosing.Wish, sale: Sale) -> str:
    """Write the booking down. The same form sent at the same moment finds the other one's booking."""
    now = clock.now()
    try:
        with db.writing():
            earlier = checkout.by_once(wish.once)
            if earlier:
                return earlier.reference
            return sale.begin(wish, now).reference
    except IntegrityError:
        # Two requests with one form passed the look-up together: the unique key let one through.
        earlier = checkout.by_once(wish.once)
        if earlier is None:
            raise
        return earlier.reference


def _supersede(bill_id: int) -> None:
    """Give back what the earlier sending of a form holds, its payment page closed first. Raises PaymentAway."""
    now = clock.now()
    try:
        payment_routes.close_page(bill_id, now)
    except gateway.GatewayUnreachable as problem:
        raise payment_routes.PaymentAway(
            "What you sent before still stands and its places are kept, but the payment service does not answer, so "
            "it cannot be changed just now. Nothing has been charged. Please go back and try again in a minute."
        ) from problem
    with db.writing():
        earlier = lifecycle.locked(bill_id)
        earlier.once = None
        if earlier.state == "held":
            lifecycle.lapse(earlier, actor="booker", why="the form was changed and sent again", now=now)
            waiting.take_up_again(earlier, now)


def _twin(once: str | None, digest: str) -> str | None:
    """The booking that this very form made at the same moment: it has what this request was told is gone."""
    db.session.rollback()
    earlier = checkout.by_once(once)
    return earlier.reference if earlier and earlier.once_digest == digest else None


def _form_page(
    sale: Sale,
    form: forms.BookingForm,
    priced: Any,
    refusal: web.Refusal | None = None,
    plan: Any = None,
    due: Any = None,
) -> str:
    listing, now = sale.listing, clock.now()
    return render_template(
        sale.template,
        address=sale.address,
        listing=listing,
        workshop=listing.workshop,
        form=form,
        quote=priced,
        refusal=refusal,
        errors=forms.errors(form),
        now=now,
        waiting=request.values.get("waiting", ""),
        waited=sale.offer,
        plan=plan,
        due=due,
        credit=credit_pages.offered(form.credit_of, form.currency.data or "", listing.workshop.organiser, now),
        in_parts=plan_quotes.choices(listing, now),
        policy=policy_words.of_listing(listing, form.currency.data or listing.currency, now),
    )


def _changed_people(sale: Sale, form: forms.BookingForm) -> str:
    """The same form with one person more or fewer: for browsers without script."""
    entries = form.attendee.entries
    if "add" in request.form and len(entries) < sale.listing.workshop.most_attendees:
        form.attendee.append_entry()
    gone = request.form.get("remove", type=int)
    if len(entries) > 1 and gone is not None:
        form.attendee.entries = [entry for number, entry in zip(form.numbers(), entries, strict=True) if number != gone]
    return _form_page(sale, form, None)


def _not_yet(sale: Sale, form: forms.BookingForm, refusal: web.Refusal) -> Answer | tuple[str, int]:
    if web.wants_json():
        answer = web.refusal_json(refusal.refusal, refusal.message, refusal.status)
        answer.set_data(
            jsonify({"refusal": refusal.refusal, "message": refusal.message, "errors": forms.errors(form)}).get_data()
        )
        return answer
    return _form_page(sale, form, None, refusal), refusal.status


def _no_price(sale: Sale, form: forms.BookingForm, refusal: web.Refusal) -> Answer | tuple[str, int]:
    """The form as it is filled so far, with what keeps it from having a price: an amount, or a number of people."""
    if web.wants_json():
        raise refusal
    for field in (*form, *(each for entry in form.attendee.entries for each in entry.form)):
        if not field.name.startswith("amount-"):
            field.errors = []
    if not forms.errors(form):
        form.ticket_type.errors = [refusal.message]
    return _not_yet(sale, form, refusal)


def _has_left() -> bool:
    return request.args.get("returned") == "left"
