"""Courses and workshops made, changed, copied, published, cancelled: under the caller's transaction.

Times are changed in `schedule`, what is sold in `tickets`; telling people is `bookings/moving.py`'s.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

from sqlalchemy import delete, select

from courses import places, schedule, slugs
from courses.models import (
    Course,
    OldAddress,
    Pool,
    Presenter,
    Question,
    TicketPrice,
    TicketType,
    Workshop,
    question_ticket,
    ticket_pool,
    ticket_session,
)
from courses.schedule import Meeting
from lib import db, web

Row = TypeVar("Row", Pool, TicketType, Question)
COPIED = (
    *(
        "course_id",
        "venue_id",
        "policy_id",
        "title",
        "format",
        "zone",
        "cpd_minutes",
        "breaks_minutes",
        "most_attendees",
    ),
    *("catch_up_offered", "catch_up_days", "catch_up_from", "catch_up_note", "late_buyers_share"),
    *("one_at_a_time", "programme"),
    *("policy_id", "cancellation_terms", "access", "join_opens_minutes", "reminders"),
    *("waiting_at_once", "waiting_hours", "waiting_first_come_hours"),
)
_TICKET = (
    *("code", "position", "name", "hint", "kind", "seats", "is_full_price", "includes_live", "includes_recording"),
    *("is_in_room", "payment", "proof", "terms", "least_people", "most_people", "limited_to", "is_hidden"),
)
_PRICE = ("currency", "minor", "least_minor", "suggested_minor", "most_minor")
_QUESTION = ("code", "position", "label", "kind", "choices", "is_required", "is_private")


class NotPossible(web.Refusal):
    """A change that would break what people were promised."""

    status: ClassVar[int] = 409
    refusal = "not_possible"
    title = "This cannot be done"


def make_course(organiser_id: int, facts: Mapping[str, Any]) -> Course:
    """A course with an address of its own."""
    course = Course(organiser_id=organiser_id, slug=slugs.for_course(facts["title"]), **facts)
    db.session.add(course)
    db.session.flush()
    return course


def change_course(course: Course, facts: Mapping[str, Any]) -> None:
    """Write the texts; another title gives another address, and the old one leads on."""
    is_renamed = slugs.folded(facts["title"]) != slugs.folded(course.title)
    for name, value in facts.items():
        setattr(course, name, value)
    if is_renamed:
        slugs.keep_old(course, slugs.for_course(course.title, course))
    db.session.flush()


def make_workshop(course: Course, facts: Mapping[str, Any], first: Meeting) -> Workshop:
    """A draft with its first session and one pool for the room. Raises TimeSkipped or ValueError for its times."""
    workshop = Workshop(organiser_id=course.organiser_id, course_id=course.id, zone=first.zone, **facts)
    schedule.set_sessions(workshop, [first])
    workshop.slug = _slug(course, workshop.title, first)
    db.session.add(workshop)
    db.session.flush()
    return workshop


def change_workshop(workshop: Workshop, facts: Mapping[str, Any], presenters: list[Presenter] | None = None) -> None:
    """Write the texts and settings, which change no time; another title gives another address."""
    is_renamed = slugs.folded(facts.get("title", workshop.title)) != slugs.folded(workshop.title)
    for name, value in facts.items():
        setattr(workshop, name, value)
    if presenters is not None:
        workshop.presenters = presenters
    if is_renamed:
        first = min(each.wall_start for each in workshop.sessions).date()
        slugs.keep_old(workshop, slugs.for_workshop(workshop.title, first, workshop))
    db.session.flush()


def clone(workshop: Workshop, days: int) -> Workshop:
    """A draft like it, `days` later by the clock on the wall: texts, sessions, tickets, pools and questions.

    Raises TimeSkipped when a session would fall into a gap of the clocks.
    """
    later = timedelta(days=days)
    copy = Workshop(organiser_id=workshop.organiser_id, **{name: getattr(workshop, name) for name in COPIED})
    meetings = [
        replace(schedule.meeting_of(each), wall_start=each.wall_start + later, wall_end=each.wall_end + later)
        for each in workshop.sessions
    ]
    schedule.set_sessions(copy, meetings)
    copy.slug = _slug(workshop.course, copy.title, meetings[0])
    copy.presenters = list(workshop.presenters)
    db.session.add(copy)
    db.session.flush()
    sessions = {old.id: new for old, new in zip(workshop.sessions, copy.sessions, strict=True)}
    pools = {each.id: _of(copy, Pool, each, ("code", "capacity", "reserved")) for each in workshop.pools}
    tickets = {}
    for each in workshop.tickets:
        ticket = _of(copy, TicketType, each, _TICKET)
        ticket.sessions = [sessions[one.id] for one in each.sessions if one.id in sessions]
        ticket.pools = [pools[one.id] for one in each.pools]
        for price in each.prices:
            values = {name: getattr(price, name) for name in _PRICE}
            ticket.prices.append(TicketPrice(organiser_id=copy.organiser_id, **values))
        tickets[each.id] = ticket
    for asked in workshop.questions:
        question = _of(copy, Question, asked, _QUESTION)
        question.tickets = [tickets[one.id] for one in asked.tickets]
    db.session.flush()
    db.session.expire(copy)
    return copy


def publish(workshop: Workshop) -> None:
    """Put a draft into the catalogue; `publishing.missing` is asked first."""
    if workshop.status == "draft":
        workshop.status = "published"


def archive(workshop: Workshop) -> None:
    """Take it out of the catalogue: a draft again, with all its records."""
    if workshop.status == "published":
        workshop.status = "draft"


def cancel(workshop: Workshop, why: str, now: datetime) -> None:
    """It does not take place; its address goes on saying so."""
    workshop.status, workshop.cancelled_at, workshop.cancelled_why = "cancelled", now, why[:500]


def delete_workshop(workshop: Workshop) -> None:
    """Remove a workshop that nobody ever booked, with all that hangs on it; the caller makes sure of that."""
    sessions = [each.id for each in [*workshop.sessions, *schedule.cancelled(workshop)]]
    tickets, pools = [each.id for each in workshop.tickets], [each.id for each in workshop.pools]
    questions = [each.id for each in workshop.questions]
    for table, column, ids in (
        (question_ticket, question_ticket.c.question_id, questions),
        (ticket_session, ticket_session.c.ticket_type_id, tickets),
        (ticket_pool, ticket_pool.c.ticket_type_id, tickets),
    ):
        db.session.execute(delete(table).where(column.in_(ids)))
    workshop.presenters = []
    db.session.flush()
    db.session.execute(delete(TicketPrice).where(TicketPrice.ticket_type_id.in_(tickets)))
    db.session.execute(delete(TicketType).where(TicketType.id.in_(tickets)))
    db.session.execute(delete(Question).where(Question.id.in_(questions)))
    places.forget(pools)
    db.session.execute(delete(Pool).where(Pool.id.in_(pools)))
    schedule.delete_rows(sessions)
    db.session.execute(delete(OldAddress).where(OldAddress.workshop_id == workshop.id))
    db.session.execute(delete(Workshop).where(Workshop.id == workshop.id))


def delete_course(course: Course) -> None:
    """Remove a course that has no workshop. Raises NotPossible for one that has."""
    if db.session.scalar(select(Workshop.id).where(Workshop.course_id == course.id).limit(1)):
        raise NotPossible(f"{course.title} has workshops, and they belong to their course. Remove those first.")
    db.session.execute(delete(OldAddress).where(OldAddress.course_id == course.id))
    db.session.delete(course)
    db.session.flush()


def _slug(course: Course, title: str, first: Meeting) -> str:
    """Its course's address and its first day, unless its title is its own."""
    day = first.wall_start.date()
    is_own = slugs.folded(title) != slugs.folded(course.title)
    return slugs.for_workshop(title if is_own else course.slug, day)


def _of(copy: Workshop, model: type[Row], row: Row, names: tuple[str, ...]) -> Row:
    values = {name: getattr(row, name) for name in names}
    made = model(organiser_id=copy.organiser_id, workshop_id=copy.id, **values)
    db.session.add(made)
    db.session.flush()
    return made
