"""Money that came past Stripe, by a bank transfer or otherwise, written down by the team."""

from datetime import datetime
from uuid import uuid4

from lib import db
from payments import ledger
from payments.models import Bill, Payment

KINDS = {"bank": "Bank transfer", "other": "Cheque, cash or another way"}


def receive(bill: Bill, minor: int, *, kind: str, reference: str, at: datetime, now: datetime) -> Payment:
    """Write down that `minor` came at `at`, under the bill's lock."""
    if kind not in KINDS:
        raise ValueError(f"no such way to be paid past Stripe: {kind}")
    payment = Payment(
        organiser_id=bill.organiser_id,
        bill_id=bill.id,
        kind=kind,
        payment_intent=f"by-hand-{uuid4().hex}",
        reference=reference,
        state="succeeded",
        amount_minor=minor,
        currency=bill.currency,
        at=at,
    )
    db.session.add(payment)
    db.session.flush()
    ledger.came(payment, now)
    return payment
