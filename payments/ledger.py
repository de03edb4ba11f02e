"""What a bill got and gave back, counted from its rows. Amounts in minor units of the bill's currency."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select

from lib import db
from payments.models import Bill, Payment, Refund


@dataclass(frozen=True)
class Balance:
    paid_minor: int
    refunded_minor: int


def balances(bill_ids: Collection[int]) -> dict[int, Balance]:
    """For each bill what came in and what went back or is on its way back; refunds that failed do not count."""
    paid = db.session.execute(
        select(Payment.bill_id, func.sum(Payment.amount_minor))
        .where(Payment.bill_id.in_(bill_ids), Payment.state == "succeeded")
        .group_by(Payment.bill_id)
    )
    back = db.session.execute(
        select(Payment.bill_id, func.sum(Refund.amount_minor))
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Payment.bill_id.in_(bill_ids), Refund.state != "failed")
        .group_by(Payment.bill_id)
    )
    came = {bill: int(total) for bill, total in paid}
    went = {bill: int(total) for bill, total in back}
    return {bill: Balance(came.get(bill, 0), went.get(bill, 0)) for bill in bill_ids}


def lock(bill_id: int) -> Bill:
    """The bill, locked: whoever changes what hangs on it waits here. First in the lock order."""
    return db.session.scalars(
        select(Bill).where(Bill.id == bill_id).with_for_update().execution_options(populate_existing=True)
    ).one()
