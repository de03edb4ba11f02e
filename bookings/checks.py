"""What stands against a filled booking form, all of it marked on its fields, before anything is locked."""

from collections.abc import Collection
from datetime import datetime

from bookings import checkout, discounts, forms, pages
from bookings.pricing import OddNumber, Reduction
from courses.catalogue import Listing
from lib import web


class FormInvalid(web.Refusal):
    """A form with something to put right; nothing typed is lost."""

    status = 422
    refusal = "form_invalid"
    title = "Something to put right"


def refusal(listing: Listing, form: forms.BookingForm, people: Collection[int], now: datetime) -> web.Refusal | None:
    """Check the form and mark its fields; the refusal for programs comes back, None when all is well.

    `people` are the n typed, also those the form has no room for. Raises when nothing can be booked at all.
    """
    is_valid = form.validate()
    most = listing.workshop.most_attendees
    if len(people) > most:
        form.ticket_type.errors = [f"One booking takes up to {most} people. Please make a second one for the rest."]
        is_valid = False
    checkout.refuse_unless_bookable(listing)
    _, refused = code(listing, form, now)
    if refused:
        form.discount_code.errors = [refused.message]
        return refused
    if is_valid and _is_new_to_all(listing, form, now) and _adds_up(listing, form):
        return None
    first = next(iter(forms.errors(form).values()), ["Please look at the form again."])[0]
    return FormInvalid(first)


def code(
    listing: Listing, form: forms.BookingForm, now: datetime
) -> tuple[Reduction | None, discounts.CodeRefused | None]:
    """The typed code's reduction, or why it would not count, as far as can be told without the lock."""
    typed = discounts.fold(form.discount_code.data)
    if not typed:
        return None, None
    tickets = {form.ticket_of(entry.form) for entry in form.attendee.entries}
    email = form.booker_email.data if form.booker_email.data and not form.booker_email.errors else None
    try:
        found = discounts.find(listing.workshop.organiser.id, typed)
        return discounts.check(found, tickets=tickets, email=email, zone=listing.workshop.zone, now=now), None
    except discounts.CodeRefused as refused:
        return None, refused


def _is_new_to_all(listing: Listing, form: forms.BookingForm, now: datetime) -> bool:
    """The same person twice on one date is said before anybody pays, and allowed by a tick."""
    emails = [entry.form.email.data for entry in form.attendee.entries]
    there = pages.already_there(listing.workshop.id, emails, now)
    is_new = True
    for entry in form.attendee.entries:
        if entry.form.email.data in there and not entry.form.again.data:
            entry.form.is_known = True
            who = entry.form["name"].data
            entry.form.email.errors = [
                f"{who} already has a place on this date, or one that is being paid for. Tick the box below to book "
                "another one all the same."
            ]
            is_new = False
    return is_new


def _adds_up(listing: Listing, form: forms.BookingForm) -> bool:
    try:
        checkout.price(form.wish(listing.workshop.slug), listing, None)
    except OddNumber as odd:
        form.ticket_type.errors = [str(odd)]
        return False
    return True
