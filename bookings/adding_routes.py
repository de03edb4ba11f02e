"""The booker adds places to a confirmed booking: a form like the first one, the exact price, and then the button."""

from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as Answer

from accounts import open_to
from bookings import (
    adding,
    asking,
    change_routes,
    change_terms,
    checks,
    credit_pages,
    credit_routes,
    forms,
    lifecycle,
    payment_routes,
)
from bookings.change_terms import Act
from bookings.models import Booking
from courses import catalogue
from lib import clock, db, web

bp = Blueprint("adding", __name__)


@bp.get("/bookings/<reference:reference>/places")
@open_to.holder_of_link
def new(reference: str) -> Answer:
    booking, listing = _seen(reference)
    form = forms.build(listing, asking.of(listing), None)
    form.credit_of, form.use_credit.data = credit_routes.holder(booking.organiser_id), True
    return _page(booking, listing, form)


@bp.post("/bookings/<reference:reference>/places/quote")
@open_to.holder_of_link
def quote(reference: str) -> Answer:
    """What the people typed would cost; nothing is written."""
    booking, listing = _seen(reference)
    form = _filled(booking, listing)
    if "add" in request.form or "remove" in request.form:
        return _other_people(booking, listing, form)
    return _refused(booking, listing, form) or _page(booking, listing, form, is_priced=True)


@bp.post("/bookings/<reference:reference>/places")
@open_to.holder_of_link
def add(reference: str) -> Answer:
    digest = forms.digest(request.form)
    booking = change_routes.confirmed(reference)
    if adding.same_underway(booking.id, digest):
        return payment_routes.on_to_payment(booking.reference)
    booking, listing = _seen(reference)
    form = _filled(booking, listing)
    if "add" in request.form or "remove" in request.form:
        return _other_people(booking, listing, form)
    if answer := _refused(booking, listing, form):
        return answer
    wish, promised = form.wish(listing.workshop.slug), request.form.get("quoted", "")
    act = Act("booker", "", clock.now())
    found, bill_id = booking.reference, booking.bill_id
    try:
        with db.writing():
            is_owing = adding.add(lifecycle.locked(bill_id), wish, promised, act, digest) is not None
    except web.Refusal as refusal:
        if web.wants_json() or refusal.facts:
            raise
        booking, listing = _seen(reference)
        form = _filled(booking, listing)
        form.validate()
        return _page(booking, listing, form, refusal=refusal, is_priced=True)
    if is_owing:
        return payment_routes.on_to_payment(found)
    return redirect(url_for("bookings.shown", reference=found, changed="yes"), code=303)


def _seen(reference: str) -> tuple[Booking, catalogue.Listing]:
    booking = change_routes.confirmed(reference)
    workshop = adding.workshop_of(booking, request.values.get("workshop", ""))
    return booking, adding.listing(booking, workshop, clock.now())


def _filled(booking: Booking, listing: catalogue.Listing) -> forms.BookingForm:
    """The booking form with what the booking has said already: who pays, how, and that the terms were agreed to."""
    typed = MultiDict(request.form)
    typed.update({"currency": "", "discount_code": "", "by_invoice": ""})
    for name in ("currency", "discount_code", "by_invoice", "once", "marketing"):
        typed.poplist(name)
    typed["currency"], typed["zone"], typed["pay"] = booking.currency, booking.zone, forms.ALL_AT_ONCE
    typed["booker_name"], typed["booker_email"], typed["agree_terms"] = booking.booker_name, booking.booker_email, "y"
    form = forms.build(listing, asking.of(listing), typed)
    form.credit_of = credit_routes.holder(booking.organiser_id)
    return form


def _refused(booking: Booking, listing: catalogue.Listing, form: forms.BookingForm) -> Answer | None:
    """What stands against the people typed, all of it on its fields; None when all is well."""
    people = forms.people_in(request.form)
    refusal = checks.refusal(listing, form, people, clock.now())
    room = listing.workshop.most_attendees
    if len(people) > room:
        more = "One more person" if room == 1 else f"{room} more people"
        form.ticket_type.errors = [f"{more} can come with this booking. Please make another one for the rest."]
    return _page(booking, listing, form, status=refusal.status) if refusal else None


def _other_people(booking: Booking, listing: catalogue.Listing, form: forms.BookingForm) -> Answer:
    """The same form with one person more or fewer: for browsers without script."""
    entries = form.attendee.entries
    if "add" in request.form and len(entries) < listing.workshop.most_attendees:
        form.attendee.append_entry()
    gone = request.form.get("remove", type=int)
    if len(entries) > 1 and gone is not None:
        form.attendee.entries = [entry for number, entry in zip(form.numbers(), entries, strict=True) if number != gone]
    return _page(booking, listing, form)


def _page(
    booking: Booking,
    listing: catalogue.Listing,
    form: forms.BookingForm,
    *,
    refusal: web.Refusal | None = None,
    is_priced: bool = False,
    status: int = 200,
) -> Answer:
    form.currency.data = booking.currency
    now = clock.now()
    priced: Any = adding.price(booking, form.wish(listing.workshop.slug), listing, now) if is_priced else None
    page = render_template(
        "bookings/adding.html",
        booking=booking,
        listing=listing,
        workshop=listing.workshop,
        form=form,
        errors=forms.errors(form),
        priced=priced,
        credit=credit_pages.offered(form.credit_of, booking.currency, listing.workshop.organiser, now),
        refusal=refusal,
        passages=change_terms.passages(booking),
    )
    return web.private(Response(page, status=refusal.status if refusal else status))
