"""An organiser's rows found by what an address names; 404 for anything that is not theirs."""

from collections.abc import Collection
from typing import NoReturn

from flask import abort
from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload, selectinload

from accounts.models import Organiser
from bookings import discounts
from bookings.models import Answer, Attendee, DiscountCode
from courses.bundles_models import Bundle
from courses.models import Course, Pool, Question, TicketType, Workshop, WorkshopSession
from lib import db


def _missing() -> NoReturn:
    abort(404)


def workshop(organiser: Organiser, slug: str) -> Workshop:
    """One of the organiser's workshops, draft or not, with what its pages show; a statement a kind of row."""
    found = db.session.scalars(
        select(Workshop)
        .where(Workshop.organiser_id == organiser.id, Workshop.slug == slug)
        .options(
            joinedload(Workshop.course),
            joinedload(Workshop.venue),
            selectinload(Workshop.sessions),
            selectinload(Workshop.presenters),
            selectinload(Workshop.pools),
            selectinload(Workshop.questions),
            selectinload(Workshop.tickets).options(
                selectinload(TicketType.prices), selectinload(TicketType.pools), selectinload(TicketType.sessions)
            ),
        )
    ).one_or_none()
    return found or _missing()


def session_of(of: Workshop, number: int) -> WorkshopSession:
    return next((each for each in of.sessions if each.number == number), None) or _missing()


def ticket_of(of: Workshop, code: str) -> TicketType:
    return next((each for each in of.tickets if each.code == code), None) or _missing()


def pool_of(of: Workshop, code: str) -> Pool:
    return next((each for each in of.pools if each.code == code), None) or _missing()


def question_of(of: Workshop, code: str) -> Question:
    return next((each for each in of.questions if each.code == code), None) or _missing()


def course(organiser: Organiser, slug: str) -> Course:
    found = db.session.scalars(
        select(Course).where(Course.organiser_id == organiser.id, Course.slug == slug)
    ).one_or_none()
    return found or _missing()


def code(organiser: Organiser, folded: str) -> DiscountCode:
    """However it is written; of two that look alike, the one written just so."""
    named = or_(DiscountCode.folded == discounts.fold(folded), DiscountCode.code == folded)
    found = db.session.scalars(select(DiscountCode).where(DiscountCode.organiser_id == organiser.id, named)).all()
    return next((each for each in sorted(found, key=lambda each: each.code != folded)), None) or _missing()


def bundle(organiser: Organiser, slug: str) -> Bundle:
    """One of the organiser's bundles, published or not, with what its page shows."""
    found = db.session.scalars(
        select(Bundle)
        .where(Bundle.organiser_id == organiser.id, Bundle.slug == slug)
        .options(
            selectinload(Bundle.prices),
            selectinload(Bundle.tickets).options(joinedload(TicketType.workshop), selectinload(TicketType.pools)),
        )
    ).one_or_none()
    return found or _missing()


def is_ever_booked(workshop_id: int) -> bool:
    """Whether anybody booked it, whatever became of that."""
    return db.session.scalar(select(Attendee.id).where(Attendee.workshop_id == workshop_id).limit(1)) is not None


def is_live(workshop_id: int) -> bool:
    """Whether anybody comes, or is about to pay."""
    found = select(Attendee.id).where(Attendee.workshop_id == workshop_id, Attendee.state.in_(("held", "confirmed")))
    return db.session.scalar(found.limit(1)) is not None


def booked_tickets(workshop_id: int) -> set[int]:
    """The tickets that somebody ever chose."""
    return set(
        db.session.scalars(select(Attendee.ticket_type_id).where(Attendee.workshop_id == workshop_id).distinct())
    )


def answered(question_ids: Collection[int]) -> set[int]:
    return set(db.session.scalars(select(Answer.question_id).where(Answer.question_id.in_(question_ids)).distinct()))
