"""Holds that run out, and answers that are kept only for a while."""

from datetime import datetime

from sqlalchemy import delete, select

from bookings import checkout, lifecycle, payment_routes
from bookings.models import Answer, Booking
from courses.models import Question, Workshop
from lib import db, work
from payments import attempts, gateway


def lapse(task: work.Task, now: datetime) -> None:
    """Give the places of an unpaid booking back, unless its hold has moved or its money came.

    The page is closed at Stripe first, so that nobody pays for places that are on sale again.
    """
    booking = db.session.scalars(select(Booking).where(Booking.id == task.arguments["booking"])).one()
    if not _is_over(booking, now):
        return
    bill_id = booking.bill_id
    db.session.rollback()
    try:
        payment_routes.close_page(bill_id, now)
    except gateway.GatewayUnreachable as problem:
        raise work.Later(str(problem)) from problem
    with db.writing():
        booking = lifecycle.locked(bill_id)
        if _is_over(booking, now):
            lifecycle.lapse(booking, actor="worker", why="not paid in time", now=now)
            if doubtful := attempts.live(bill_id):
                # Stripe has closed the page, with a payment that does not fit: reported, and for people to look at.
                attempts.completed(doubtful)


def erase_private_answers(task: work.Task, now: datetime) -> None:
    """Erase what attendees told of themselves for the day alone, 30 days after it; later if the day was moved."""
    workshop_id = task.arguments["workshop"]
    with db.writing():
        ends_at = db.session.scalars(select(Workshop.ends_at).where(Workshop.id == workshop_id)).one()
        if now < ends_at + checkout.PRIVATE_FOR:
            checkout.erase_later(workshop_id, ends_at)
            return
        private = select(Question.id).where(Question.workshop_id == workshop_id, Question.is_private)
        db.session.execute(delete(Answer).where(Answer.question_id.in_(private)))


def _is_over(booking: Booking, now: datetime) -> bool:
    return booking.state == "held" and booking.held_until is not None and booking.held_until <= now


HANDLERS: work.Handlers = {checkout.LAPSE: lapse, checkout.ERASE: erase_private_answers}
