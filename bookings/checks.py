"""What stands against a filled booking form, all of it marked on its fields, before anything is locked."""

from collections.abc import Collection
from datetime import datetime

from bookings import choosing, closed, discounts, forms, offers, pages
from bookings.pricing import OddNumber
from courses import bundles
from courses.bundles import BundleListing
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
    closed.refuse_unless_bookable(listing)
    found = _priced(listing, form, now)
    if found and found.refused and not isinstance(found.refused, discounts.CodeNotNeeded):
        form.discount_code.errors = [found.refused.message]
        return found.refused
    if is_valid and found and _is_new_to_all(listing, form, now):
        return None
    first = next(iter(forms.errors(form).values()), ["Please look at the form again."])[0]
    return FormInvalid(first)


def _priced(listing: Listing, form: forms.BookingForm, now: datetime) -> offers.Priced | None:
    """What the form would cost, as far as can be told without the lock; None when it adds up to nothing buyable."""
    try:
        return priced(listing, form, now)
    except OddNumber as odd:
        form.ticket_type.errors = [*form.ticket_type.errors, str(odd)]
    except (choosing.TicketNotOnSale, choosing.NotPossibleSo) as refused:
        if not forms.errors(form):
            form.ticket_type.errors = [refused.message]
    return None


def priced(listing: Listing, form: forms.BookingForm, now: datetime) -> offers.Priced:
    """The price of the form as it is filled so far, whatever is still missing.

    Raises OddNumber, TicketNotOnSale or NotPossibleSo.
    """
    return offers.price(choosing.purchase(form.wish(listing.workshop.slug), listing), form.discount_code.data, now)


def _is_new_to_all(listing: Listing, form: forms.BookingForm, now: datetime) -> bool:
    """The same person twice on one date is said before anybody pays, and allowed by a tick."""
    emails = [entry.form.email.data for entry in form.attendee.entries]
    there = pages.already_at([each.id for each in bundles.workshops(listing)], emails, now)
    where = "at one of these workshops" if isinstance(listing, BundleListing) else "on this date"
    is_new = True
    for entry in form.attendee.entries:
        if entry.form.email.data in there and not entry.form.again.data:
            entry.form.is_known = True
            who = entry.form["name"].data
            entry.form.email.errors = [
                f"{who} already has a place {where}, or one that is being paid for. Tick the box below to book "
                "another one all the same."
            ]
            is_new = False
    return is_new
