"""What the organiser's desk shows of invoices and other papers, read with a fixed number of statements."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.orm import selectinload

from accounts.models import Organiser
from bookings import booked, invoice_terms
from bookings.models import Attendee, Booking
from lib import db, money
from payments import ledger
from payments.models import MONEY, OWED, Invoice, Movement

A_PAGE = 50
ASKED = ("awaiting_invoice", "confirmed")  # the states in which an invoice is still to be paid


@dataclass(frozen=True)
class Open:
    """An invoice with something left to pay, its booking, and how late it is: nothing or less while it is not."""

    invoice: Invoice
    booking: Booking
    minor: int
    paid_minor: int
    days_late: int

    @property
    def title(self) -> str:
        """What was booked."""
        return booked.title(self.booking)


@dataclass(frozen=True)
class Papers:
    """One page of all papers, newest first, each with its booking's reference."""

    listed: Sequence[tuple[Invoice, str]]
    page: int
    pages: int


def open_invoices(organiser: Organiser, now: datetime) -> list[Open]:
    """Every invoice that is not paid in full, the longest due first."""
    owed, here = Movement.kind.in_(tuple(OWED)), Movement.kind.in_(tuple(MONEY))
    due = func.sum(case((owed, Movement.minor), (here, -Movement.minor), else_=0))
    owing = select(Movement.bill_id).group_by(Movement.bill_id).having(due > 0)
    rows = db.session.execute(
        select(Invoice, Booking)
        .join(Booking, Booking.bill_id == Invoice.bill_id)
        .where(
            Invoice.organiser_id == organiser.id,
            Invoice.kind == "invoice",
            Booking.state.in_(ASKED),
            Invoice.bill_id.in_(owing),
        )
        .order_by(Invoice.due_on, Invoice.id)
        .options(selectinload(Booking.attendees).joinedload(Attendee.workshop))
    ).all()
    balances = ledger.balances([invoice.bill_id for invoice, _ in rows])
    found = []
    for invoice, booking in rows:
        balance = balances[invoice.bill_id]
        minor = balance.due_minor - balance.disputed_minor
        late = invoice_terms.days_late(invoice.due_on, now, organiser.zone) if invoice.due_on else 0
        if minor > 0:
            found.append(Open(invoice, booking, minor, balance.kept_minor, late))
    return found


def totals(found: Sequence[Open]) -> list[tuple[str, str]]:
    """What is open in each currency, and what of it is late, as amounts."""
    open_, late = Counter[str](), Counter[str]()
    for each in found:
        open_[each.invoice.currency] += each.minor
        late[each.invoice.currency] += each.minor if each.days_late > 0 else 0
    return [(money.text(minor, currency), money.text(late[currency], currency)) for currency, minor in open_.items()]


def papers(organiser_id: int, page: int) -> Papers:
    """All of an organiser's papers; a page beyond the last is the last."""
    mine = select(Invoice, Booking.reference).join(Booking, Booking.bill_id == Invoice.bill_id)
    mine = mine.where(Invoice.organiser_id == organiser_id)
    number = db.session.scalar(select(func.count()).select_from(mine.subquery())) or 0
    pages = max(1, -(-number // A_PAGE))
    wanted = min(max(page, 1), pages)
    rows = db.session.execute(mine.order_by(Invoice.id.desc()).limit(A_PAGE).offset((wanted - 1) * A_PAGE))
    return Papers([(invoice, reference) for invoice, reference in rows], wanted, pages)
