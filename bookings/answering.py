"""An attendee's answers to what the workshop asks, changed by the attendee until the workshop ends.

Whoever booked never sees them. What is private is erased 30 days after the workshop, whenever it was given. History
says that answers changed, not which and not to what.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import selectinload

from bookings import checkout, invites, letters
from bookings.models import Answer, Attendee, Booking
from courses.models import Question
from history import models as history
from lib import db, web


class AnswersClosed(web.Refusal):
    """The workshop is over, or the place is."""

    status = 409
    refusal = "answers_closed"
    title = "Answers cannot be changed any more"


def questions(attendee: Attendee) -> list[Question]:
    """What the workshop asks whoever has this ticket, in its order."""
    found = db.session.scalars(
        select(Question)
        .where(Question.workshop_id == attendee.workshop_id)
        .order_by(Question.position)
        .options(selectinload(Question.tickets))
    )
    ticket = attendee.ticket_type_id
    return [each for each in found if not each.tickets or ticket in {other.id for other in each.tickets}]


def given(attendee: Attendee) -> dict[int, str]:
    """What the attendee has answered, by the question's id."""
    rows = db.session.scalars(select(Answer).where(Answer.attendee_id == attendee.id))
    return {each.question_id: each.text for each in rows}


def is_open(attendee: Attendee, now: datetime) -> bool:
    """Whether answers may still be changed: the place stands, and a session it is for is still to end."""
    ends = [each.ends_at for each in invites.sessions_of(attendee)]
    stands = attendee.state == "confirmed" and attendee.workshop.status != "cancelled"
    return stands and any(each > now for each in ends)


def refuse_closed(attendee: Attendee, now: datetime) -> None:
    """Raise AnswersClosed where nothing can be changed any more."""
    if not is_open(attendee, now):
        organiser = attendee.booking.organiser
        raise AnswersClosed(
            "The workshop is over, or the place is not confirmed. What you told for the day alone is erased 30 days "
            f"after it; for anything else please write to {organiser.email}."
        )


def save(booking: Booking, n: int, asked: Sequence[Question], said: Mapping[int, str], now: datetime) -> bool:
    """Keep what was said to the questions asked, and tell the organiser that something changed, if so.

    The booking is locked. Raises AnswersClosed.
    """
    attendee = next(each for each in booking.attendees if each.n == n)
    refuse_closed(attendee, now)
    ids = [each.id for each in asked]
    before = {question: text for question, text in given(attendee).items() if question in ids}
    if before == dict(said):
        return False
    db.session.execute(delete(Answer).where(Answer.attendee_id == attendee.id, Answer.question_id.in_(ids)))
    db.session.add_all(
        Answer(organiser_id=attendee.organiser_id, attendee_id=attendee.id, question_id=question, text=text)
        for question, text in said.items()
    )
    checkout.erase_later(attendee.workshop_id, attendee.workshop.ends_at)
    facts = {"attendee": attendee.id, "who": attendee.name}
    about = f"booking:{booking.id}"
    history.record(about, "answers_changed", at=now, actor="attendee", organiser_id=attendee.organiser_id, facts=facts)
    title = f"{attendee.workshop.title}: {attendee.name} changed their answers"
    letters.to_organiser(booking, title, ["The list of people shows what they say now."], now)
    return True
