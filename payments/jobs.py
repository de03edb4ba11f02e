"""Sending money back, outside any transaction, until Stripe has said yes or no."""

from datetime import datetime

from sqlalchemy import select

from lib import db, work
from payments import gateway, refunds
from payments.models import Payment, Refund


def send_back(task: work.Task, now: datetime) -> None:
    """Ask Stripe for the refund; the key is the row's, so asking twice refunds once."""
    refund, payment = db.session.execute(
        select(Refund, Payment)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Refund.id == task.arguments["refund"])
    ).one()
    if refund.state != "waiting":
        return
    key, intent, amount = refund.key, payment.payment_intent, refund.amount_minor
    db.session.rollback()
    try:
        sent = gateway.send_back(key, intent, amount)
    except gateway.GatewayUnreachable as problem:
        raise work.Later(str(problem)) from problem
    except gateway.GatewayRefused as problem:
        with db.writing():
            refunds.record(task.arguments["refund"], "failed", None, str(problem), now)
        raise work.Never(str(problem)) from problem
    with db.writing():
        refunds.record(task.arguments["refund"], refunds.state_of(sent.status), sent.refund_id, None, now)


HANDLERS: work.Handlers = {refunds.SEND_BACK: send_back}
