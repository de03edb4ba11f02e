"""Bills with money on them, below the bookings."""

from datetime import timedelta
from uuid import uuid4

from flask import Flask

from lib import clock, db
from payments import ledger
from payments.models import Bill, Payment, PaymentAttempt
from tests.builders import an_organiser, arranged


def a_bill(total_minor: int = 16800, *, currency: str = "GBP") -> Bill:
    """A bill that counts: all of it is owed."""
    bill = Bill(organiser_id=an_organiser().id, currency=currency, total_minor=total_minor, created_at=clock.now())
    db.session.add(bill)
    db.session.flush()
    ledger.charge_whole(bill, clock.now())
    return bill


def a_payment(bill: Bill, minor: int) -> Payment:
    """Money that came for it."""
    now = clock.now()
    attempt = PaymentAttempt(
        organiser_id=bill.organiser_id,
        bill_id=bill.id,
        key=f"attempt-{uuid4().hex}",
        state="completed",
        amount_minor=minor,
        currency=bill.currency,
        parameters={},
        created_at=now,
        expires_at=now + timedelta(minutes=31),
    )
    db.session.add(attempt)
    db.session.flush()
    payment = Payment(
        organiser_id=bill.organiser_id,
        bill_id=bill.id,
        attempt_id=attempt.id,
        payment_intent=f"pi_{uuid4().hex}",
        state="succeeded",
        amount_minor=minor,
        currency=bill.currency,
        at=now,
    )
    db.session.add(payment)
    db.session.flush()
    ledger.came(payment, now)
    return payment


def paid(app: Flask, *amounts: int) -> int:
    """A bill paid by as many payments; its id."""
    with arranged(app):
        bill = a_bill(sum(amounts))
        for minor in amounts:
            a_payment(bill, minor)
        return bill.id
