"""The part of the booking form for whoever does not pay themselves: an invoice to their organisation."""

from typing import Any

from wtforms import BooleanField, EmailField, StringField, TextAreaField
from wtforms.validators import Length, StopValidation

from bookings import invoice_terms
from bookings.choosing import offer_of
from bookings.invoice_terms import InvoiceTo
from courses.catalogue import Listing
from lib import forms

LONGEST_ADDRESS = 500


class IfInvoiced:
    """A field's validator: what the invoice needs is asked for only where one is wanted."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence

    def __call__(self, form: Any, field: Any) -> None:
        field.errors = []
        if not form.by_invoice.data:
            raise StopValidation
        if not (field.data or "").strip():
            raise StopValidation(self.sentence)


def lines(text: str | None) -> str:
    """An address as it is printed: each line tidied, empty ones left out."""
    return "\n".join(filter(None, (forms.one_line(each) for each in (text or "").splitlines())))


class InvoiceFields:
    """Fields that the booking form has besides its own; they count only when the first is ticked."""

    by_invoice = BooleanField("Send an invoice to my organisation instead")
    invoice_organisation = StringField(
        "Organisation",
        [IfInvoiced("Please say which organisation pays."), Length(max=200)],
        filters=[forms.one_line],
    )
    invoice_address = TextAreaField(
        "Its postal address",
        [IfInvoiced("Please give the address that the invoice is made out to."), Length(max=LONGEST_ADDRESS)],
        filters=[lines],
    )
    invoice_email = EmailField(
        "Where the invoice goes by email", [IfInvoiced("Please say where the invoice goes."), forms.Email()]
    )
    purchase_order = StringField("Your order number", [IfInvoiced(""), Length(max=80)], filters=[forms.one_line])


def refused(form: Any, listing: Listing, chosen: set[str]) -> str:
    """Why an invoice that is asked for cannot be had for the tickets chosen, in a sentence; nothing when it can."""
    if not form.by_invoice.data:
        return ""
    tickets = [offer.ticket for code in chosen if (offer := offer_of(listing, code))]
    if invoice_terms.may_be(tickets):
        return ""
    names = " or ".join(f"“{each.ticket.name}”" for each in listing.offers if invoice_terms.may_be([each.ticket]))
    if not names:
        return "This workshop is paid by card. Please take the tick away, or write to us."
    return f"Only {names} can be paid on an invoice. Please choose that for everybody, or take the tick away."


def to(form: Any) -> InvoiceTo | None:
    """Whose organisation pays, if an invoice is asked for."""
    if not form.by_invoice.data:
        return None
    return InvoiceTo(
        form.invoice_organisation.data or "",
        form.invoice_address.data or "",
        form.invoice_email.data or "",
        form.purchase_order.data or "",
    )
