"""Holds that run out, answers that are kept only for a while, news of money, and the nightly comparison with Stripe."""

from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from accounts.models import Organiser
from bookings import (
    change_rows,
    changes,
    checkout,
    invoice_letters,
    invoice_papers,
    joining,
    letters,
    lifecycle,
    money_letters,
    moving,
    payment_routes,
    reconciling,
    reminders,
    reselling,
    returning,
    webhook,
)
from bookings.models import Answer, Booking, Change
from bookings.reconciling import Difference
from courses.models import Question, Workshop, WorkshopSession
from history import models as history
from history.models import Entry
from lib import db, work
from meetings import points
from payments import attempts, disputes, gateway, ledger, refunds
from payments.models import Dispute, Payment, Refund

RECONCILE = "bookings.reconcile"
log = structlog.get_logger()


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


def lapse_change(task: work.Task, now: datetime) -> None:
    """End a change that nobody paid for in time; its page is closed at Stripe first."""
    change = change_rows.by_id(task.arguments["change"])
    if change.state != "owing" or change.held_until is None or change.held_until > now:
        return
    number, bill_id = change.id, db.session.get_one(Booking, change.booking_id).bill_id
    db.session.rollback()
    try:
        payment_routes.close_page(bill_id, now)
    except gateway.GatewayUnreachable as problem:
        raise work.Later(str(problem)) from problem
    with db.writing():
        lifecycle.locked(bill_id)
        change = change_rows.by_id(number)
        if change.state == "owing":
            change_rows.lapse(change, now)


def decide_resale(task: work.Task, now: datetime) -> None:
    """A place was sold again or its workshop begins: what goes back to whoever gave it up before."""
    of_attendee = select(Change.id, Booking.bill_id).join(Booking, Booking.id == Change.booking_id)
    pending = of_attendee.where(Change.attendee_id == task.arguments["attendee"], Change.state == "pending")
    found = db.session.execute(pending).all()
    db.session.rollback()
    for number, bill_id in found:
        with db.writing():
            booking = lifecycle.locked(bill_id)
            changes.decide_resale(booking, change_rows.by_id(number), now)


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


def tell_of_refund(task: work.Task, now: datetime) -> None:
    """A refund failed, or was made on Stripe's own pages: tell whom it concerns, once."""
    number = int(task.arguments["refund"])
    of_refund = select(Payment.bill_id).join(Refund, Refund.payment_id == Payment.id).where(Refund.id == number)
    bill_id = db.session.scalars(of_refund).one()
    with db.writing():
        booking = lifecycle.locked(bill_id)
        refund = db.session.get_one(Refund, number, populate_existing=True)
        is_failed, is_by_hand = refund.state == "failed", _is_by_hand(refund)
        word = "failed" if is_failed else "by_hand" if is_by_hand else "sent_back"
        if not _is_news(refunds.about(number), f"told_{word}", booking, now):
            return
        if is_by_hand:
            invoice_letters.by_hand(booking, refund.amount_minor, now)
            return
        if is_failed:
            money_letters.refund_failed(booking, refund, now)
            returning.take_code_again(booking, now)
            return
        money_letters.sent_back(booking, refund, ledger.of_bill(bill_id), now)
        returning.free_code_if_all_back(booking)
        invoice_papers.take_back(booking, now)


def tell_of_dispute(task: work.Task, now: datetime) -> None:
    """A dispute came to another state: tell the organiser, once each."""
    number = int(task.arguments["dispute"])
    of_dispute = select(Payment.bill_id).join(Dispute, Dispute.payment_id == Payment.id).where(Dispute.id == number)
    bill_id = db.session.scalars(of_dispute).one()
    with db.writing():
        booking = lifecycle.locked(bill_id)
        dispute = db.session.get_one(Dispute, number, populate_existing=True)
        if _is_news(f"dispute:{number}", f"told_{dispute.state}", booking, now):
            money_letters.disputed(booking, dispute, now)


@dataclass(frozen=True)
class Reconciled:
    """What differed and is good again, and what still differs."""

    repaired: list[Difference]
    left: list[Difference]


def reconcile(since: datetime) -> Reconciled:
    """Compare our rows with Stripe's lists since a moment, and make good what hearing Stripe again makes good.

    Raises GatewayUnreachable.
    """
    found = reconciling.differences(reconciling.fetch(since))
    db.session.rollback()
    repairs = [each.repair for each in found if each.repair]
    for repair in repairs:
        try:
            _repair(repair)
        except (gateway.GatewayRefused, IntegrityError) as problem:
            log.warning("could not repair", kind=repair.kind, id=repair.id, error=str(problem))
    left = reconciling.differences(reconciling.fetch(since)) if repairs else found
    db.session.rollback()
    still = {(each.kind, each.id) for each in left}
    return Reconciled([each for each in found if (each.kind, each.id) not in still], left)


def reconcile_nightly(task: work.Task, now: datetime) -> None:
    """The comparison of every night. What is left is told to the organiser whose it is, or to all of them."""
    try:
        done = reconcile(now - reconciling.STRIPE_KEEPS_EVENTS)
    except gateway.GatewayUnreachable as problem:
        raise work.Later(str(problem)) from problem
    with db.writing():
        for organiser in db.session.scalars(select(Organiser).order_by(Organiser.id)):
            theirs = [each for each in done.left if each.organiser_id in (None, organiser.id)]
            if theirs and _is_news(f"organiser:{organiser.id}", f"told_night_{task.due_at:%Y-%m-%d}", organiser, now):
                lines = [
                    money_letters.line_of(each.kind, each.id, each.minor, each.currency, each.what) for each in theirs
                ]
                money_letters.books_differ(organiser, lines, now)


def _repair(repair: reconciling.Repair) -> None:
    if repair.event:
        webhook.hear(repair.event)
    elif repair.kind == "page":
        webhook.hear_of_page(repair.id)
    elif repair.kind == "refunds":
        webhook.hear_of_refunds(repair.id)
    else:
        webhook.hear_of_dispute(repair.id)


def _is_news(about: str, verb: str, whose: Booking | Organiser, now: datetime) -> bool:
    """Whether this was not told yet; from now on it was. A worker that died may do its job twice."""
    if db.session.scalar(select(Entry.id).where(Entry.about == about, Entry.verb == verb).limit(1)):
        return False
    organiser_id = whose.id if isinstance(whose, Organiser) else whose.organiser_id
    history.record(about, verb, at=now, actor="worker", organiser_id=organiser_id)
    return True


def _is_by_hand(refund: Refund) -> bool:
    """Whether the money came past Stripe, so that somebody has to send it back from a bank."""
    return db.session.get_one(Payment, refund.payment_id).kind != "stripe"


def _is_over(booking: Booking, now: datetime) -> bool:
    return booking.state == "held" and booking.held_until is not None and booking.held_until <= now


HANDLERS: work.Handlers = {
    change_rows.LAPSE: lapse_change,
    change_rows.DECIDE: decide_resale,
    reselling.PLACE_RESOLD: decide_resale,
    checkout.LAPSE: lapse,
    checkout.ERASE: erase_private_answers,
    moving.CLOSE_PAGE: close_page,
    joining.MISSING_POINT: missing_point,
    reminders.REMIND: remind,
    refunds.NEWS: tell_of_refund,
    disputes.NEWS: tell_of_dispute,
    RECONCILE: reconcile_nightly,
}
NIGHTLY = (RECONCILE,)
