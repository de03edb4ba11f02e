"""What a booking's papers say, and which are still missing: a receipt for money that came, a credit note for what an
invoice asks for no longer. Issued with the change they belong to, on a booking that `lifecycle.locked` gave."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select

from bookings import invites, invoice_letters
from bookings.models import Booking
from lib import db, money, zones
from payments import invoices, ledger
from payments.models import Invoice, Movement, Payment, Refund

HOW = {"stripe": "Paid online", "bank": "Bank transfer", "other": "Received by us"}
FROM_CREDIT = "From a credit"


def invoice(booking: Booking, due_on: date, now: datetime) -> Invoice:
    """Ask the booking's payer for all that is owed on it. Its debt is written down already."""
    lines = booking.quote["lines"]
    content = _content(booking, lines, _received(booking, _money(booking.bill_id)), now)
    total = sum(each["minor"] for each in lines)
    content["open_minor"] = ledger.of_bill(booking.bill_id).due_minor
    key = f"invoice:{booking.bill_id}"
    zone = booking.organiser.zone
    return invoices.issue(booking.bill, "invoice", content, total, key=key, zone=zone, now=now, due_on=due_on)


def acknowledge(booking: Booking, now: datetime) -> None:
    """Issue a receipt for the money that came and has none yet; nothing when there is no such money."""
    _receipt(booking, invoices.of_bill(booking.bill_id), now)


def take_back(booking: Booking, now: datetime) -> None:
    """Issue a credit note for what an invoice asks for and is owed no more; nothing without an invoice."""
    papers = invoices.of_bill(booking.bill_id)
    sent = next((each for each in papers if each.kind == "invoice"), None)
    if sent:
        _credit_note(booking, sent, papers, now)


def _receipt(booking: Booking, papers: Sequence[Invoice], now: datetime) -> None:
    """Acknowledge money that came and was not sent back as too late, from a card, a bank or a credit."""
    earlier = [each for each in papers if each.kind == "receipt"]
    told = {number for each in earlier for number in each.content["movements"]}
    news = [each for each in _money(booking.bill_id) if each.id not in told]
    total = sum(each.minor for each in news)
    if total <= 0:
        return
    sent = next((each for each in papers if each.kind == "invoice"), None)
    if sent or earlier or total != booking.quote["total_minor"]:
        towards = f"Payment of invoice {sent.name}" if sent else f"Payment towards booking {booking.reference}"
        lines = [{"text": towards, "minor": total}]
    else:
        lines = booking.quote["lines"]
    content = _content(booking, lines, _received(booking, news), now, vat_of=total)
    content |= {"open_minor": max(ledger.of_bill(booking.bill_id).due_minor, 0), "movements": [e.id for e in news]}
    key = f"receipt:{booking.bill_id}:{news[-1].id}"
    invoices.issue(booking.bill, "receipt", content, total, key=key, zone=booking.organiser.zone, now=now)


def _credit_note(booking: Booking, sent: Invoice, papers: Sequence[Invoice], now: datetime) -> None:
    """Take back of an invoice what is owed no more: a refund took it away, or the booking came to nothing."""
    less, last = db.session.execute(
        select(func.sum(Movement.minor), func.max(Movement.id)).where(
            Movement.bill_id == booking.bill_id, Movement.kind == "reduction"
        )
    ).one()
    credited = sum(each.total_minor for each in papers if each.kind == "credit_note")
    total = min(-int(less or 0), sent.total_minor) - credited
    if total <= 0:
        return
    why = db.session.get_one(Movement, last).note
    text = f"Invoice {sent.name}" if total == sent.total_minor else f"Part of invoice {sent.name}"
    content = _content(booking, [{"text": text, "minor": total}], [], now)
    reason = f" Reason: {why.rstrip('.')}." if why else ""
    content |= {"credits": sent.name, "open_minor": 0, "remark": f"This takes back what the invoice asked for.{reason}"}
    key = f"credit:{booking.bill_id}:{last}"
    zone = booking.organiser.zone
    note = invoices.issue(booking.bill, "credit_note", content, total, key=key, zone=zone, now=now, credits=sent)
    invoice_letters.credit_note(booking, sent, note, now)


def _money(bill_id: int) -> list[Movement]:
    """What came for a bill, oldest first, without payments all of which went back."""
    found = db.session.scalars(
        select(Movement)
        .where(Movement.bill_id == bill_id, Movement.kind.in_(("payment", "credit_spent")))
        .order_by(Movement.id)
    ).all()
    gone = db.session.execute(
        select(Payment.id, Payment.amount_minor - func.sum(Refund.amount_minor))
        .join(Refund, Refund.payment_id == Payment.id)
        .where(Payment.bill_id == bill_id, Refund.state != "failed")
        .group_by(Payment.id, Payment.amount_minor)
    )
    all_back = {f"payment:{number}" for number, left in gone if left <= 0}
    return [each for each in found if each.about not in all_back]


def _received(booking: Booking, found: Sequence[Movement]) -> list[dict[str, Any]]:
    payments = {
        f"payment:{each.id}": each
        for each in db.session.scalars(select(Payment).where(Payment.bill_id == booking.bill_id))
    }
    said = []
    for each in found:
        payment = payments.get(each.about)
        how = HOW[payment.kind] if payment else FROM_CREDIT
        if payment and payment.reference:
            how = f"{how}, {payment.reference}"
        on = _day(payment.at if payment else each.at, booking.organiser.zone)
        said.append({"on": on.isoformat(), "how": how, "minor": each.minor})
    return said


def _content(
    booking: Booking,
    lines: Sequence[Mapping[str, Any]],
    received: list[dict[str, Any]],
    now: datetime,
    *,
    vat_of: int | None = None,
) -> dict[str, Any]:
    """What every paper says; the VAT is that in `vat_of`, in all of the lines where that is not given."""
    organiser, payer = booking.organiser, invoices.payer_of(booking.bill_id)
    whole = sum(each["minor"] for each in lines) if vat_of is None else vat_of
    is_included = organiser.vat_mode == "included"
    return {
        "seller": {
            "name": organiser.legal_name or organiser.name,
            "address": organiser.address,
            "email": organiser.email,
            "phone": organiser.phone,
            "vat_number": organiser.vat_number if organiser.vat_mode != "none" else "",
            "colour": organiser.colour,
            "bank_details": organiser.bank_details.replace("\r\n", "\n").strip(),
        },
        "buyer": {
            "name": payer.name if payer else booking.booker_name,
            "address": payer.address if payer else "",
            "email": payer.email if payer else booking.booker_email,
            "purchase_order": payer.purchase_order if payer else "",
        },
        "reference": booking.reference,
        "about": "\n".join(dict.fromkeys(_about(booking))),
        "people": list(dict.fromkeys(each.name for each in booking.attendees if each.state != "cancelled")),
        "lines": [{"text": each["text"], "minor": each["minor"]} for each in lines],
        "vat": {
            "mode": organiser.vat_mode,
            "rate": organiser.vat_rate if is_included else 0,
            "minor": money.part_included(whole, organiser.vat_rate) if is_included else 0,
        },
        "received": received,
        "issued_on": _day(now, organiser.zone).isoformat(),
    }


def _about(booking: Booking) -> list[str]:
    """The workshops it is for, each with its first session's day there."""
    said = []
    for attendee in booking.attendees:
        workshop, sessions = attendee.workshop, invites.sessions_of(attendee)
        first = zones.span(sessions[0].starts_at, sessions[0].ends_at, workshop.zone) if sessions else None
        if first is None:
            said.append(workshop.title)
        elif not attendee.ticket.includes_live:
            said.append(f"{workshop.title}, the recording")
        elif len(sessions) > 1:
            said.append(f"{workshop.title}, {len(sessions)} sessions from {first.day} ({first.city})")
        else:
            said.append(f"{workshop.title}, {first.day}, {first.clock} {first.label} ({first.city})")
    return said


def _day(at: datetime, zone: str) -> date:
    return zones.wall(at, zone).date()
