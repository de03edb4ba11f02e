"""Asks Stripe, once a payment has come, which card it came from."""

from datetime import datetime

from bookings import same_card
from lib import db, work
from payments import gateway, ledger
from payments.models import Payment


def look_at_card(task: work.Task, now: datetime) -> None:
    payment = db.session.get_one(Payment, task.arguments["payment"])
    number, bill_id, intent = payment.id, payment.bill_id, payment.payment_intent
    db.session.rollback()
    try:
        card = gateway.read_card(intent)
    except gateway.GatewayUnreachable as problem:
        raise work.Later(str(problem)) from problem
    except gateway.NotAtStripe:
        return
    if not card:
        return
    with db.writing():
        ledger.lock(bill_id)
        same_card.note(db.session.get_one(Payment, number), card, now)


HANDLERS: work.Handlers = {same_card.LOOK: look_at_card}
