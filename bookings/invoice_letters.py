"""The letters about an invoice: to whoever pays it, to whoever booked, and to the organiser when it is late."""

from datetime import datetime
from typing import Any

from bookings import booked, letters
from bookings.models import Booking
from lib import links, web, zones
from mail import outbox
from payments import invoices, ledger
from payments.models import Invoice, Payer

VERSION = 1  # of the links to papers: what was issued stays, and so do they


def paper_url(paper: Invoice) -> str:
    """The address of one paper alone, for whoever pays: it opens nothing else of the booking."""
    return web.url("booking_invoices.paper", token=links.token("invoice", paper.id, VERSION))


def sent(booking: Booking, invoice: Invoice, payer: Payer, now: datetime) -> None:
    """The invoice goes out: to whoever pays, with how and by when; to whoever booked, that places are kept."""
    _to_payer(
        booking,
        invoice,
        payer,
        "invoice",
        now,
        subject=f"Invoice {invoice.name} from {booking.organiser.name}",
        **_asked(booking, invoice),
        booker_name=booking.booker_name,
        total=letters.amount(booking, invoice.total_minor),
        lines=[{"text": each["text"], "amount": letters.amount(booking, each["minor"])} for each in _lines(invoice)],
    )
    letters.to_booker(
        booking,
        "awaiting_invoice",
        now,
        subject=f"Booking {booking.reference}: your places are kept, and the invoice is on its way",
        number=invoice.name,
        payer_name=payer.name,
        payer_email=payer.email,
        due=_due_day(invoice),
        open=_open(booking),
    )


def reminder(booking: Booking, invoice: Invoice, *, is_late: bool, now: datetime) -> None:
    """The day it is due comes, or is over: to whoever pays; a late one to the organiser as well."""
    payer = invoices.payer_of(booking.bill_id)
    if payer is None:
        return
    heading = f"{_open(booking)} {'was' if is_late else 'is'} due on {_due_day(invoice)}"
    _to_payer(
        booking,
        invoice,
        payer,
        "invoice_reminder",
        now,
        subject=f"Invoice {invoice.name}: {heading}",
        **_asked(booking, invoice),
        heading=heading,
        is_late=is_late,
    )
    if is_late:
        said = [
            f"{payer.name} was to pay {_open(booking)} on invoice {invoice.name} by {_due_day(invoice)}, and has not "
            f"yet. A reminder went to {payer.email}.",
            "Nothing ends by itself: wait, let the people in, or cancel the booking from the invoice's page.",
        ]
        letters.to_organiser(booking, f"Invoice {invoice.name} is late", said, now)


def starts_unpaid(booking: Booking, invoice: Invoice, starts_at: datetime, now: datetime) -> None:
    """The workshop is near and the invoice open: the organiser says whether the people come in all the same."""
    names = ", ".join(booked.names(each for each in booking.attendees if each.state == "held"))
    said = [
        f"{booked.title(booking)} begins {zones.moment(starts_at, booking.organiser.zone)}, and "
        f"{_open(booking)} of invoice {invoice.name} is open.",
        f"Until it is paid {names} cannot come in. Press “Let them in” on the invoice's page if they may: "
        "organisations pay late. They get their letters then, and the invoice stays open.",
    ]
    letters.to_organiser(booking, f"Invoice {invoice.name}: it begins soon, and is not paid", said, now)


def part_paid(booking: Booking, invoice: Invoice, minor: int, now: datetime) -> None:
    """Part of it came: what, and what is still open. To whoever booked."""
    said = [f"{letters.amount(booking, minor)} of invoice {invoice.name} has arrived. {_open(booking)} is still open."]
    _changed(booking, f"Part of invoice {invoice.name} has arrived", said, now)


def all_paid(booking: Booking, invoice: Invoice, now: datetime) -> None:
    """The rest came for people who had been let in already. To whoever booked."""
    _changed(booking, f"Invoice {invoice.name} is paid", ["All of it has arrived. Thank you."], now)


def called_off(booking: Booking, invoice: Invoice, why: str, now: datetime) -> None:
    """The organiser ended a booking whose invoice was not paid. To whoever booked."""
    said = [f"Invoice {invoice.name} was not paid, so the places went back on sale.", f"Reason given: {why}"]
    _changed(booking, "This booking is cancelled", said, now)


def credit_note(booking: Booking, invoice: Invoice, note: Invoice, now: datetime) -> None:
    """What an invoice asked for is taken back, all or part of it. To whoever pays it."""
    payer = invoices.payer_of(booking.bill_id)
    if payer is None:
        return
    is_all = ledger.of_bill(booking.bill_id).owed_minor == 0
    _to_payer(
        booking,
        note,
        payer,
        "credit_note",
        now,
        subject=f"Credit note {note.name} for invoice {invoice.name}",
        invoice_number=invoice.name,
        amount=letters.amount(booking, note.total_minor),
        open=None if is_all else _open(booking),
    )


def by_hand(booking: Booking, minor: int, now: datetime) -> None:
    """Money that came past Stripe has to go back past it. To the organiser, who sends it."""
    payer = invoices.payer_of(booking.bill_id)
    whom = f"{payer.name} ({payer.email})" if payer else f"{booking.booker_name} ({booking.booker_email})"
    said = [
        f"{letters.amount(booking, minor)} has to go back to {whom}. It came by bank transfer or by hand, so Stripe "
        "cannot send it.",
        "Please send it from your bank, then press “It is sent” on the booking's page.",
    ]
    letters.to_organiser(booking, f"Booking {booking.reference}: please send money back by hand", said, now)


def _changed(booking: Booking, heading: str, sentences: list[str], now: datetime) -> None:
    subject = f"Booking {booking.reference}: {heading[:1].lower()}{heading[1:]}"
    letters.to_booker(booking, "booking_changed", now, subject=subject, heading=heading, sentences=sentences)


def _to_payer(
    booking: Booking, paper: Invoice, payer: Payer, template: str, now: datetime, *, subject: str, **rest: Any
) -> None:
    organiser = booking.organiser
    outbox.post(
        template,
        to_name=payer.name,
        to_email=payer.email,
        sender=outbox.Sender(organiser.name, organiser.email, organiser.id),
        about=f"booking:{booking.id}",
        lane=f"invoice:{booking.bill_id}",
        at=now,
        values={
            "subject": subject,
            "name": payer.name,
            "number": paper.name,
            "paper_url": paper_url(paper),
            "reference": booking.reference,
            "organiser_name": organiser.name,
            "organiser_address": organiser.address,
            **rest,
        },
    )


def _asked(booking: Booking, invoice: Invoice) -> dict[str, Any]:
    """What a letter that asks for money says."""
    said = invoice.content
    bank = said["seller"]["bank_details"]
    return {
        "about": said["about"],
        "people": said["people"],
        "purchase_order": said["buyer"]["purchase_order"],
        "open": _open(booking),
        "due": _due_day(invoice),
        "bank_details": bank.split("\n") if bank else [],
    }


def _lines(paper: Invoice) -> list[dict[str, Any]]:
    return list(paper.content["lines"])


def _open(booking: Booking) -> str:
    return letters.amount(booking, max(ledger.of_bill(booking.bill_id).due_minor, 0))


def _due_day(invoice: Invoice) -> str:
    return zones.day(invoice.due_on) if invoice.due_on else ""
