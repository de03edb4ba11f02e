"""Papers with numbers: invoices, receipts, credit notes. Issued only here, and never changed after.

A number is taken and its paper written in one transaction under the lock of its series, so each series counts 1, 2, 3
with none missing and none twice. The PDF is made later, by the worker.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select

from lib import db, work, zones
from payments.models import Bill, Invoice, InvoiceFile, InvoiceSeries, Movement, Payer, Payment

MAKE_PDF = "payments.make_pdf"
WAYS = {"stripe": "card", "bank": "bank transfer", "other": "hand"}
PREFIXES = {"invoice": "INV", "receipt": "REC", "credit_note": "CN"}


def issue(
    bill: Bill,
    kind: str,
    content: Mapping[str, Any],
    total_minor: int,
    *,
    key: str,
    zone: str,
    now: datetime,
    due_on: date | None = None,
    credits: Invoice | None = None,
) -> Invoice:
    """Give a paper its number and keep it with all it says, under the bill's lock; its PDF is posted for the worker.

    A series is a kind's papers of one calendar year by the clock in `zone`, the organiser's.
    """
    series = f"{PREFIXES[kind]}-{zones.wall(now, zone).year}"
    number = _next(bill.organiser_id, series)
    paper = Invoice(
        organiser_id=bill.organiser_id,
        bill_id=bill.id,
        kind=kind,
        series=series,
        number=number,
        credits_id=credits.id if credits else None,
        key=key,
        currency=bill.currency,
        total_minor=total_minor,
        due_on=due_on,
        content=dict(content),
        issued_at=now,
    )
    db.session.add(paper)
    db.session.flush()
    work.post(MAKE_PDF, f"invoice:{paper.id}", now, {"invoice": paper.id})
    return paper


def of_bill(bill_id: int) -> list[Invoice]:
    """Every paper of a bill, oldest first."""
    return list(db.session.scalars(select(Invoice).where(Invoice.bill_id == bill_id).order_by(Invoice.id)))


def invoice_of(bill_id: int) -> Invoice | None:
    """The invoice that a bill was sent on, if it was."""
    return next((each for each in of_bill(bill_id) if each.kind == "invoice"), None)


def by_name(organiser_id: int, name: str) -> Invoice | None:
    """An organiser's paper by its number as people quote it."""
    series, _, number = name.rpartition("-")
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        return None
    wanted = select(Invoice).where(
        Invoice.organiser_id == organiser_id, Invoice.series == series, Invoice.number == int(number)
    )
    found = db.session.scalars(wanted).one_or_none()
    return found if found and found.name == name else None


def pdf_of(invoice_id: int) -> bytes | None:
    """A paper's PDF once the worker has made it."""
    return db.session.scalar(select(InvoiceFile.pdf).where(InvoiceFile.invoice_id == invoice_id))


def keep_pdf(paper: Invoice, pdf: bytes, now: datetime) -> None:
    """Keep a paper's PDF, unless another worker was quicker."""
    values = {"organiser_id": paper.organiser_id, "invoice_id": paper.id, "pdf": pdf, "made_at": now}
    db.session.execute(db.insert_or(InvoiceFile).values(values).on_conflict_do_nothing(index_elements=["invoice_id"]))


def payer_of(bill_id: int) -> Payer | None:
    """The organisation a bill is invoiced to."""
    return db.session.scalars(select(Payer).where(Payer.bill_id == bill_id)).one_or_none()


def invoiced(bill_ids: Collection[int]) -> set[int]:
    """Those of the bills that were sent on an invoice."""
    wanted = select(Invoice.bill_id).where(Invoice.bill_id.in_(bill_ids), Invoice.kind == "invoice")
    return set(db.session.scalars(wanted))


def ways(bill_id: int) -> list[str]:
    """How a bill has been paid, each way once, in words."""
    kinds = db.session.scalars(
        select(Payment.kind).where(Payment.bill_id == bill_id, Payment.state == "succeeded").order_by(Payment.id)
    )
    spent = db.session.scalar(
        select(func.sum(Movement.minor)).where(
            Movement.bill_id == bill_id, Movement.kind.in_(("credit_spent", "credit_returned"))
        )
    )
    return list(dict.fromkeys(WAYS[kind] for kind in kinds)) + ["a credit"] * bool(spent)


def missing_numbers() -> Iterator[str]:
    """Series whose papers are not numbered 1, 2, 3 up to the last one given, each in a few words."""
    last = {
        (organiser, series): number
        for organiser, series, number in db.session.execute(
            select(InvoiceSeries.organiser_id, InvoiceSeries.series, InvoiceSeries.last)
        )
    }
    counted = {
        (organiser, series): (number, highest)
        for organiser, series, number, highest in db.session.execute(
            select(Invoice.organiser_id, Invoice.series, func.count(), func.max(Invoice.number)).group_by(
                Invoice.organiser_id, Invoice.series
            )
        )
    }
    for organiser, series in sorted(last.keys() | counted.keys()):
        given, (number, highest) = last.get((organiser, series), 0), counted.get((organiser, series), (0, 0))
        if not given == number == highest:
            yield f"series {series} of organiser:{organiser} gave {given} numbers, and has {number} papers to {highest}"


def _next(organiser_id: int, series: str) -> int:
    """The series' next number. One statement on both databases; it keeps the row locked until the transaction ends."""
    first = db.insert_or(InvoiceSeries).values(organiser_id=organiser_id, series=series, last=1)
    return int(
        db.session.execute(
            first.on_conflict_do_update(
                index_elements=["organiser_id", "series"], set_={"last": InvoiceSeries.last + 1}
            ).returning(InvoiceSeries.last)
        ).scalar_one()
    )
