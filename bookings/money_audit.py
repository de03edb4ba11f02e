"""Whether the money adds up: bookings against the ledger, the ledger against the rows it was written for, and in all
money in = kept + returned + credit owed."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import exists, func, select

from bookings.models import Booking, Change
from lib import db, work
from payments import invoices, ledger, refunds
from payments.disputes import TAKEN
from payments.models import Bill, Credit, Dispute, Instalment, Invoice, Movement, Payment, Refund

Sums = dict[int, dict[str, int]]


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: what it is about, and what in a sentence."""

    about: str
    what: str


def faults() -> Iterator[Fault]:
    """Everything unsound about the money; nothing when all is well."""
    sums = _sums()
    rows = _rows()
    yield from _bookings(sums)
    yield from _movements(sums, rows)
    yield from _credits()
    yield from _apart(sums)
    yield from _whole(sums, rows)
    yield from _stuck()
    yield from _papers(sums)


def unpaid() -> list[tuple[str, str, int]]:
    """Confirmed bookings that more is owed on than is here, with a bank, or still to be paid in parts: reference,
    currency, minor units."""
    sums, parts, invoiced = _sums(), _parts(), _invoiced()
    found = []
    for reference, state, bill_id, currency, _total in _of_bookings():
        balance = ledger.balance(sums.get(bill_id, {}))
        missing = balance.due_minor - balance.disputed_minor - parts.get(bill_id, 0)
        if state == "confirmed" and missing > 0 and bill_id not in invoiced:
            found.append((reference, currency, missing))
    return found


def _bookings(sums: Sums) -> Iterator[Fault]:
    """What is confirmed is paid, less what went back; what came to nothing has no money here and none owed."""
    failed = set(db.session.scalars(select(Payment.bill_id).join(Refund).where(Refund.state == "failed")))
    parts, invoiced = _parts(), _invoiced()
    for reference, state, bill_id, _currency, total in _of_bookings():
        about, of_bill = f"booking {reference}", sums.get(bill_id, {})
        balance = ledger.balance(of_bill)
        here = balance.kept_minor + balance.disputed_minor
        if here < 0:
            yield Fault(about, f"{balance.refunded_minor + balance.credit_minor} went back of {balance.paid_minor}")
        if state == "held":
            if balance.owed_minor or of_bill.get("payment", 0) != balance.refunded_minor:
                yield Fault(about, f"is held with {here} paid and {balance.owed_minor} owed")
            continue
        if state == "lapsed" and balance.owed_minor:
            yield Fault(about, f"is lapsed and {balance.owed_minor} is owed on it")
        if balance.owed_minor > total:
            yield Fault(about, f"owes {balance.owed_minor} of a bill of {total}")
        if state in ("confirmed", "awaiting_bank", "awaiting_invoice") and total and not of_bill.get("charge"):
            yield Fault(about, f"is {state} and was charged nothing of {total}")
        is_short = balance.due_minor - parts.get(bill_id, 0) > balance.disputed_minor
        if state not in ("awaiting_bank", "awaiting_invoice") and is_short and bill_id not in invoiced:
            yield Fault(about, f"is {state} with {here} of {balance.owed_minor} paid")
        if balance.due_minor < 0 and bill_id not in failed:
            yield Fault(about, f"is {state} and {-balance.due_minor} of its booker's money is still here")
    yield from _in_parts(sums, parts, failed)
    for key, bill_id in db.session.execute(
        select(Refund.key, Payment.bill_id).join(Payment).where(Refund.state == "failed").order_by(Refund.id)
    ):
        if ledger.balance(sums.get(bill_id, {})).due_minor < 0:
            yield Fault(f"refund {key}", "failed at Stripe and needs somebody to look at it")


def _in_parts(sums: Sums, parts: dict[int, int], failed: set[int]) -> Iterator[Fault]:
    """What is still to be paid in parts is owed, on a booking that is confirmed."""
    for reference, state, bill_id, _currency, _total in _of_bookings():
        planned, due = parts.get(bill_id, 0), ledger.balance(sums.get(bill_id, {})).due_minor
        if planned and (state != "confirmed" or planned > due) and bill_id not in failed:
            yield Fault(f"booking {reference}", f"is {state}, {planned} is to be paid in parts and {due} is owed")


def _movements(sums: Sums, rows: Sums) -> Iterator[Fault]:
    """The ledger has what payments, refunds and disputes come to, bill by bill."""
    for bill_id in sorted(sums.keys() | rows.keys()):
        of_bill, told = sums.get(bill_id, {}), rows.get(bill_id, {})
        written = {
            "payments": of_bill.get("payment", 0),
            "refunds": -of_bill.get("refund", 0) - of_bill.get("refund_failed", 0),
            "disputes": -of_bill.get("dispute_withdrawn", 0) - of_bill.get("dispute_reinstated", 0),
        }
        for what, minor in written.items():
            if minor != told.get(what, 0):
                yield Fault(f"bill:{bill_id}", f"the ledger has {minor} of {what}, the rows {told.get(what, 0)}")


def _credits() -> Iterator[Fault]:
    issued = dict(
        db.session.execute(
            select(Movement.credit_id, func.sum(Movement.minor))
            .where(Movement.kind == "credit_issued")
            .group_by(Movement.credit_id)
        ).all()
    )
    found = db.session.execute(select(Credit.id, Credit.minor).order_by(Credit.id)).all()
    left = ledger.left_of([number for number, _ in found])
    for number, minor in found:
        if -int(issued.get(number, 0)) != minor:
            yield Fault(f"credit:{number}", f"is {minor} and the ledger issued {-int(issued.get(number, 0))}")
        if left[number] < 0:
            yield Fault(f"credit:{number}", f"was overspent by {-left[number]}")


def _apart(sums: Sums) -> Iterator[Fault]:
    """A bill that is no booking's has what a change that waits for its payment set apart of a credit, and no more."""
    waiting = db.session.scalars(select(Change).where(Change.state == "owing"))
    wanted = {int(each.facts["credit"]["bill"]): each.credit_minor_apart for each in waiting if "credit" in each.facts}
    is_of_booking, is_paid = exists().where(Booking.bill_id == Bill.id), exists().where(Payment.bill_id == Bill.id)
    for bill_id in db.session.scalars(select(Bill.id).where(~is_of_booking, ~is_paid).order_by(Bill.id)):
        here = ledger.balance(sums.get(bill_id, {})).kept_minor
        if here != wanted.get(bill_id, 0):
            yield Fault(f"bill:{bill_id}", f"has {here} of a credit, and {wanted.get(bill_id, 0)} is set apart")


def _whole(sums: Sums, rows: Sums) -> Iterator[Fault]:
    """Money in = kept + returned + credit owed, in each currency: in and returned from their rows, the rest from the
    ledger."""
    came: Counter[str] = Counter()
    went: Counter[str] = Counter()
    for bill_id, currency in db.session.execute(select(Bill.id, Bill.currency)):
        of_bill, told = sums.get(bill_id, {}), rows.get(bill_id, {})
        came[currency] += told.get("payments", 0)
        went[currency] += told.get("refunds", 0) + told.get("disputes", 0)
        went[currency] += ledger.balance(of_bill).kept_minor + of_bill.get("credit_expired", 0)
    found = db.session.execute(select(Credit.id, Credit.currency)).all()
    left = ledger.left_of([number for number, _ in found])
    for number, currency in found:
        went[currency] += left[number]
    for currency in sorted(came):
        if came[currency] != went[currency]:
            what = f"{came[currency]} came in, and {went[currency]} is kept, returned or owed as credit"
            yield Fault(f"books {currency}", what)


def _stuck() -> Iterator[Fault]:
    """Refunds that nobody is sending any more."""
    waiting = db.session.execute(select(Refund.id, Refund.key).where(Refund.state == "waiting").order_by(Refund.id))
    jobs = db.session.execute(
        select(work.Job.about, work.Job.ended_at, work.Job.last_error)
        .where(work.Job.kind == refunds.SEND_BACK)
        .order_by(work.Job.id)
    ).all()
    open_jobs = {about for about, ended_at, _ in jobs if ended_at is None}
    errors = {about: error for about, _, error in jobs if error}
    for number, key in waiting:
        about = refunds.about(number)
        if about not in open_jobs:
            yield Fault(f"refund {key}", f"was not sent: {errors.get(about, 'no job sends it')}")


def _papers(sums: Sums) -> Iterator[Fault]:
    """No number is missing; what waits for an invoice has one; what is taken back of an invoice is what is owed no
    more; no receipt is for more than came."""
    yield from (Fault("papers", said) for said in invoices.missing_numbers())
    of_bill: dict[int, Counter[str]] = {}
    rows = db.session.execute(
        select(Invoice.bill_id, Invoice.kind, func.sum(Invoice.total_minor)).group_by(Invoice.bill_id, Invoice.kind)
    )
    for bill_id, kind, total in rows:
        of_bill.setdefault(bill_id, Counter())[kind] += int(total)
    for bill_id, told in of_bill.items():
        less = -sums.get(bill_id, {}).get("reduction", 0)
        if told["invoice"] and told["credit_note"] != min(less, told["invoice"]):
            what = f"{less} of its invoice is owed no more, and {told['credit_note']} was taken back"
            yield Fault(f"bill:{bill_id}", what)
        came = ledger.balance(sums.get(bill_id, {})).paid_minor
        if told["receipt"] > came:
            yield Fault(f"bill:{bill_id}", f"{came} came, and there are receipts for {told['receipt']}")
    for reference, state, bill_id, _currency, _total in _of_bookings():
        if state == "awaiting_invoice" and not of_bill.get(bill_id, Counter())["invoice"]:
            yield Fault(f"booking {reference}", "waits for an invoice that was never issued")


def _invoiced() -> set[int]:
    """The bills that were sent on an invoice: organisations pay late, and may be let in before they do."""
    return set(db.session.scalars(select(Invoice.bill_id).where(Invoice.kind == "invoice")))


def _parts() -> dict[int, int]:
    """What is still to be paid in parts, by bill."""
    rows = db.session.execute(
        select(Instalment.bill_id, func.sum(Instalment.minor))
        .where(Instalment.state == "open")
        .group_by(Instalment.bill_id)
    )
    return {bill_id: int(minor) for bill_id, minor in rows}


def _of_bookings() -> list[tuple[str, str, int, str, int]]:
    rows = db.session.execute(
        select(Booking.reference, Booking.state, Bill.id, Bill.currency, Bill.total_minor)
        .join(Bill, Bill.id == Booking.bill_id)
        .order_by(Booking.id)
    )
    return [(reference, state, bill, currency, total) for reference, state, bill, currency, total in rows]


def _sums() -> Sums:
    rows = db.session.execute(
        select(Movement.bill_id, Movement.kind, func.sum(Movement.minor)).group_by(Movement.bill_id, Movement.kind)
    )
    found: Sums = {}
    for bill_id, kind, total in rows:
        found.setdefault(bill_id, {})[kind] = int(total)
    return found


def _rows() -> Sums:
    """What payments, refunds and disputes come to by bill, from their own rows."""
    told = {
        "payments": select(Payment.bill_id, func.sum(Payment.amount_minor)).where(Payment.state == "succeeded"),
        "refunds": select(Payment.bill_id, func.sum(Refund.amount_minor))
        .join(Refund, Refund.payment_id == Payment.id)
        .where(Refund.state != "failed"),
        "disputes": select(Payment.bill_id, func.sum(Dispute.amount_minor))
        .join(Dispute, Dispute.payment_id == Payment.id)
        .where(Dispute.state.in_(TAKEN)),
    }
    found: Sums = {}
    for what, query in told.items():
        for bill_id, total in db.session.execute(query.group_by(Payment.bill_id)):
            found.setdefault(bill_id, {})[what] = int(total)
    return found
