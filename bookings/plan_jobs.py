"""Letters that ask for a part when its day is near, come or gone; and pages at Stripe that nobody paid."""

from datetime import datetime, timedelta

from sqlalchemy import select

from bookings import change_rows, lifecycle, payment_routes, plan_letters, plan_rows
from bookings.models import Booking
from courses import deposits
from history import models as history
from history.models import Entry
from lib import db, work
from payments import attempts, gateway, ledger
from payments.models import Instalment, Payment

ASKED = "instalment_asked"


def ask(task: work.Task, now: datetime) -> None:
    """Ask for one part, once for each time there is to ask, if it is still to be paid."""
    number, when = int(task.arguments["instalment"]), task.arguments["when"]
    bill_id = db.session.scalars(select(Instalment.bill_id).where(Instalment.id == number)).one_or_none()
    if bill_id is None:
        return  # paid together with another part
    with db.writing():
        booking = lifecycle.locked(bill_id)
        instalment = db.session.get(Instalment, number, populate_existing=True)
        if instalment is None or not _is_asked_for(booking, instalment, when, now):
            return
        facts = {"instalment": number, "when": when}
        about = f"booking:{booking.id}"
        if facts in db.session.scalars(select(Entry.facts).where(Entry.about == about, Entry.verb == ASKED)).all():
            return  # a worker that died may do its job twice
        history.record(about, ASKED, at=now, actor="worker", organiser_id=booking.organiser_id, facts=facts)
        plan_letters.asked(booking, instalment, when, now)


def close_page(task: work.Task, now: datetime) -> None:
    """Close a page at Stripe that was opened for parts and not paid; money that came meanwhile counts."""
    key, bill_id = task.arguments["attempt"], int(task.arguments["bill"])
    live = attempts.live(bill_id)
    if live is None or live.key != key or change_rows.of_attempt(live.id):
        return
    try:
        payment_routes.close_page(bill_id, now)
    except gateway.GatewayUnreachable as problem:
        raise work.Later(str(problem)) from problem


def _is_asked_for(booking: Booking, instalment: Instalment, when: plan_letters.When, now: datetime) -> bool:
    zone = booking.organiser.zone
    ends = {
        "week": instalment.due_at,
        "day": deposits.due_at(instalment.due_on + timedelta(days=1), zone),
        "late": None,
    }[when]
    is_coming = select(Payment.id).where(Payment.bill_id == booking.bill_id, Payment.state == "pending").limit(1)
    return (
        instalment.state == "open"
        and booking.state == "confirmed"
        and (ends is None or now < ends)
        and db.session.scalar(is_coming) is None
        and not ledger.of_bill(booking.bill_id).is_all_back
    )


HANDLERS: work.Handlers = {plan_rows.ASK: ask, plan_rows.CLOSE: close_page}
