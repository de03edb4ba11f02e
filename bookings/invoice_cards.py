"""Paying by card what is open of an invoice."""

from datetime import datetime

from sqlalchemy import select

from bookings import booked, checkout, invoicing
from bookings.models import Booking
from bookings.pricing import Line
from lib import db
from payments import invoices
from payments.models import Payment, PaymentAttempt


def new_page(booking: Booking, now: datetime) -> PaymentAttempt:
    """Write down a way to Stripe for all that is open, under the booking's lock. Raises NothingOpen."""
    left = invoicing.open_minor(booking)
    invoice = invoices.invoice_of(booking.bill_id)
    if not left or invoice is None:
        raise invoicing.NothingOpen("It is paid, or there is nothing to pay any more. Nothing has been charged.")
    on_its_way = select(Payment.id).where(Payment.bill_id == booking.bill_id, Payment.state == "pending").limit(1)
    if db.session.scalar(on_its_way) is not None:
        raise invoicing.NothingOpen("Its money is on its way from your bank. Nothing more has been charged.")
    charges = (Line(f"Invoice {invoice.name}", left),)
    return checkout.new_attempt(booking, charges, booked.title(booking), now)
