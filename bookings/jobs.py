"""Holds that run out, and answers that are kept only for a while."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import joinedload

from accounts.models import Organiser
from bookings import checkout, joining, letters, lifecycle, moving, payment_routes, reminders
from bookings.models import Answer, Booking
from courses.models import Question, Workshop, WorkshopSession
from lib import db, work
from meetings import points
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


def close_page(task: work.Task, now: datetime) -> None:
    """Close the payment page of a booking that was cancelled; money that came meanwhile goes back."""
    try:
        payment_routes.close_page(task.arguments["bill"], now)
    except gateway.GatewayUnreachable as problem:
        raise work.Later(str(problem)) from problem


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


def remind(task: work.Task, now: datetime) -> None:
    """Remind one attendee of one session, if that still makes sense."""
    told = task.arguments
    with db.writing():
        reminders.remind(told["attendee"], told["session"], told["lead"], told["starts_at"], now)


def missing_point(task: work.Task, now: datetime) -> None:
    """Write to the organiser that a session has no meeting point, unless it has one by now or is over."""
    session_id = int(task.arguments["session"])
    with db.writing():
        session = db.session.scalars(
            select(WorkshopSession)
            .where(WorkshopSession.id == session_id)
            .with_for_update(of=WorkshopSession)
            .options(joinedload(WorkshopSession.workshop))
        ).one_or_none()
        if session is None or session.ends_at <= now or points.of_session(session_id) is not None:
            return
        organiser = db.session.get_one(Organiser, session.organiser_id)
        letters.missing_point(session, session.workshop, organiser, now)


def _is_over(booking: Booking, now: datetime) -> bool:
    return booking.state == "held" and booking.held_until is not None and booking.held_until <= now


HANDLERS: work.Handlers = {
    checkout.LAPSE: lapse,
    checkout.ERASE: erase_private_answers,
    moving.CLOSE_PAGE: close_page,
    joining.MISSING_POINT: missing_point,
    reminders.REMIND: remind,
}
