"""Sending money back, outside any transaction, until Stripe has said yes or no; credits that run out; papers as PDF."""

from datetime import datetime

from sqlalchemy import select

from lib import db, work
from payments import credits, gateway, invoices, paper, refunds
from payments.models import Invoice, Payment, Refund


def send_back(task: work.Task, now: datetime) -> None:
    """Ask Stripe for the refund; the key is the row's, so asking twice refunds once.

    Stripe forgets a key after a day. So whoever comes again looks first whether the earlier call was done after all.
    """
    number = int(task.arguments["refund"])
    refund, payment = db.session.execute(
        select(Refund, Payment).join(Payment, Payment.id == Refund.payment_id).where(Refund.id == number)
    ).one()
    if refund.state != "waiting":
        return
    if payment.kind != "stripe":
        db.session.rollback()
        with db.writing():
            refunds.ask_by_hand(number, now)
        return
    key, intent, amount, is_first = refund.key, payment.payment_intent, refund.amount_minor, _is_first(number)
    db.session.rollback()
    try:
        done = [] if is_first and task.attempts == 1 else gateway.read_refunds(intent)
        sent = next((each for each in done if each.key == key), None) or gateway.send_back(key, intent, amount)
    except gateway.GatewayUnreachable as problem:
        raise work.Later(str(problem)) from problem
    except gateway.GatewayRefused as problem:
        _refused(number, intent, str(problem), now)
        raise work.Never(str(problem)) from problem
    with db.writing():
        refunds.record(number, refunds.state_of(sent.status), sent.refund_id, None, now)


def expire_credit(task: work.Task, now: datetime) -> None:
    """What is left of a credit whose time has come is the organiser's."""
    with db.writing():
        credits.expire(int(task.arguments["credit"]), now)


def make_pdf(task: work.Task, now: datetime) -> None:
    """Set a paper as PDF, with no transaction open meanwhile."""
    number = int(task.arguments["invoice"])
    found = db.session.get_one(Invoice, number)
    if invoices.pdf_of(number) is not None:
        return
    db.session.expunge(found)
    db.session.rollback()
    made = paper.pdf(found)
    with db.writing():
        invoices.keep_pdf(found, made, now)


def _is_first(refund_id: int) -> bool:
    """Whether no other job was ever posted for this refund."""
    jobs = select(work.Job.id).where(work.Job.kind == refunds.SEND_BACK, work.Job.about == refunds.about(refund_id))
    return len(db.session.scalars(jobs).all()) <= 1


def _refused(refund_id: int, intent: str, problem: str, now: datetime) -> None:
    """Stripe will not do it, most often because somebody has refunded in its dashboard: hear of that too."""
    try:
        there = gateway.read_refunds(intent)
    except (gateway.GatewayUnreachable, gateway.GatewayRefused):
        there = []
    with db.writing():
        for each in there:
            refunds.hear(each, now)
        refunds.record(refund_id, "failed", None, problem, now)


HANDLERS: work.Handlers = {refunds.SEND_BACK: send_back, credits.EXPIRE: expire_credit, invoices.MAKE_PDF: make_pdf}
