"""Every movement of money or debt, a row each on its bill: the only module that writes them. Balances are their sums.

Amounts are in minor units of the bill's currency. Whoever writes holds the bill's lock, also where a credit runs out,
which changes no bill's balance.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select

from lib import db
from payments import instalments
from payments.models import OWED, Bill, Credit, Dispute, Movement, Payment, Refund


@dataclass(frozen=True)
class Balance:
    """Where a bill stands, each sum nothing or more.

    `paid` came by card, from a bank or out of a credit; `refunded` went back or is on its way back, refunds that
    failed not counted; `credit` went back as a credit; `disputed` is with the payer's bank.
    """

    owed_minor: int = 0
    paid_minor: int = 0
    refunded_minor: int = 0
    credit_minor: int = 0
    disputed_minor: int = 0

    @property
    def kept_minor(self) -> int:
        """What is here now of what came."""
        return self.paid_minor - self.refunded_minor - self.credit_minor - self.disputed_minor

    @property
    def due_minor(self) -> int:
        """What the booker still has to pay; below nothing: what is here and theirs."""
        return self.owed_minor - self.kept_minor

    @property
    def is_all_back(self) -> bool:
        """Whether all that came has gone back, to a card or as a credit."""
        return 0 < self.paid_minor <= self.refunded_minor + self.credit_minor


def balances(bill_ids: Collection[int]) -> dict[int, Balance]:
    """Where each of these bills stands; one statement however many."""
    rows = db.session.execute(
        select(Movement.bill_id, Movement.kind, func.sum(Movement.minor))
        .where(Movement.bill_id.in_(bill_ids))
        .group_by(Movement.bill_id, Movement.kind)
    )
    sums: dict[int, dict[str, int]] = {bill_id: {} for bill_id in bill_ids}
    for bill_id, kind, total in rows:
        sums[bill_id][kind] = int(total)
    return {bill_id: balance(found) for bill_id, found in sums.items()}


def balance(sums: Mapping[str, int]) -> Balance:
    """The balance that sums by kind of movement make."""

    def of(*kinds: str) -> int:
        return sum(sums.get(kind, 0) for kind in kinds)

    return Balance(
        owed_minor=of(*OWED),
        paid_minor=of("payment", "credit_spent"),
        refunded_minor=-of("refund", "refund_failed"),
        credit_minor=-of("credit_issued", "credit_returned"),
        disputed_minor=-of("dispute_withdrawn", "dispute_reinstated"),
    )


def of_bill(bill_id: int) -> Balance:
    return balances([bill_id])[bill_id]


def lock(bill_id: int) -> Bill:
    """The bill, locked: whoever changes what hangs on it waits here. First in the lock order."""
    return db.session.scalars(
        select(Bill).where(Bill.id == bill_id).with_for_update().execution_options(populate_existing=True)
    ).one()


# Debt


def charge_whole(bill: Bill, now: datetime) -> None:
    """The booking counts from now on: all of the bill is owed. Nothing is written for what is owed already."""
    _write(bill, "charge", bill.total_minor - of_bill(bill.id).owed_minor, now, about=f"bill:{bill.id}")


def charge(bill: Bill, minor: int, *, about: str, note: str, now: datetime) -> None:
    """So much more is owed, for what `about` names. The caller raises `Bill.total_minor` beside it."""
    _write(bill, "charge", minor, now, about=about, note=note)


def reduce(bill: Bill, minor: int, *, about: str, note: str, now: datetime) -> None:
    """So much less is owed. A refund or a credit does that by itself: this is for what was never paid."""
    _write(bill, "reduction", -minor, now, about=about, note=note)


def waive(bill: Bill, *, note: str, now: datetime) -> None:
    """The booking came to nothing: what is owed and was not paid is owed no more."""
    _write(bill, "reduction", -max(of_bill(bill.id).due_minor, 0), now, about=f"bill:{bill.id}", note=note)


def write_off(bill: Bill, minor: int, *, note: str, now: datetime) -> None:
    """The organiser gives up what they will not get, such as what a lost dispute took."""
    _write(bill, "write_off", -minor, now, about=f"bill:{bill.id}", note=note)


# Money


def came(payment: Payment, now: datetime) -> None:
    """A payment succeeded."""
    about = f"payment:{payment.id}"
    _write(_bill(payment), "payment", payment.amount_minor, now, about=about, key=about)


def went_back(payment: Payment, refund: Refund, now: datetime) -> None:
    """A refund was begun, here or at Stripe. What it gives back is owed no longer."""
    about = f"refund:{refund.id}"
    bill = _bill(payment)
    _write(bill, "refund", -refund.amount_minor, now, about=about, note=refund.reason, key=about)
    _forgive(bill, refund.amount_minor, about, refund.reason, now)


def stayed(payment: Payment, refund: Refund, now: datetime) -> None:
    """A refund failed: its money is still here, and the booker's."""
    about = f"refund:{refund.id}"
    _write(_bill(payment), "refund_failed", refund.amount_minor, now, about=about, key=f"failed-{about}")


def disputed(payment: Payment, dispute: Dispute, *, is_back: bool, now: datetime) -> None:
    """The payer's bank took a payment away, or gave it back. What is owed stays owed."""
    about = f"dispute:{dispute.id}"
    kind, sign = ("dispute_reinstated", 1) if is_back else ("dispute_withdrawn", -1)
    _write(
        _bill(payment), kind, sign * dispute.amount_minor, now, about=about, note=dispute.reason, key=f"{kind}-{about}"
    )


# Credits


def credit_issued(bill: Bill, credit: Credit, now: datetime) -> None:
    """Money of this bill is kept for the person instead of sent back."""
    about = f"credit:{credit.id}"
    _write(bill, "credit_issued", -credit.minor, now, about=about, note=credit.reason, credit=credit, key=about)
    _forgive(bill, credit.minor, about, credit.reason, now)


def credit_spent(bill: Bill, credit: Credit, minor: int, now: datetime) -> None:
    """Part of a credit pays for this bill."""
    _write(bill, "credit_spent", minor, now, about=f"credit:{credit.id}", credit=credit)


def credit_returned(bill: Bill, credit: Credit, minor: int, note: str, now: datetime) -> None:
    """What this bill had from a credit goes back to it. What it gives back is owed no longer."""
    about = f"credit:{credit.id}"
    _write(bill, "credit_returned", -minor, now, about=about, note=note, credit=credit)
    _forgive(bill, minor, about, note, now)


def credit_expired(credit: Credit, minor: int, now: datetime) -> None:
    """What is left of a credit is the organiser's."""
    bill = db.session.get_one(Bill, credit.source_bill_id)
    _write(bill, "credit_expired", minor, now, about=f"credit:{credit.id}", credit=credit)


def left_of(credit_ids: Collection[int]) -> dict[int, int]:
    """What is left of each credit, whether or not it may still be spent."""
    rows = db.session.execute(
        select(Movement.credit_id, -func.sum(Movement.minor))
        .where(Movement.credit_id.in_(credit_ids))
        .group_by(Movement.credit_id)
    )
    return dict.fromkeys(credit_ids, 0) | {number: int(total) for number, total in rows if number is not None}


def _forgive(bill: Bill, minor: int, about: str, note: str, now: datetime) -> None:
    """Take what went back off what is owed, unless more is here than is owed: then it was a payment too many. What is
    still to be paid in parts stays owed."""
    found = of_bill(bill.id)
    due = found.due_minor - instalments.open_minor([bill.id])[bill.id]
    _write(bill, "reduction", -max(min(minor, due, found.owed_minor), 0), now, about=about, note=note)


def _bill(payment: Payment) -> Bill:
    return db.session.get_one(Bill, payment.bill_id)


def _write(
    bill: Bill,
    kind: str,
    minor: int,
    now: datetime,
    *,
    about: str,
    note: str = "",
    credit: Credit | None = None,
    key: str | None = None,
) -> None:
    if minor == 0:
        return
    db.session.execute(
        insert(Movement).values(
            organiser_id=bill.organiser_id,
            bill_id=bill.id,
            kind=kind,
            minor=minor,
            currency=bill.currency,
            credit_id=credit.id if credit else None,
            about=about,
            note=note[:200],
            key=key,
            at=now,
        )
    )
