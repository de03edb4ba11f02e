"""The list of a workshop's people as a file for a spreadsheet. Private answers stay out of it: they are erased here
after the workshop, and a file is not."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import datetime

from bookings import desk
from bookings.models import Attendee
from courses.models import Workshop
from lib import zones

FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula: what begins like one gets an apostrophe before it."""
    return f"'{text}" if text.startswith(FORMULA_BEGINS) else text


def write(
    workshop: Workshop, listed: Sequence[tuple[Attendee, str]], joined: Mapping[tuple[int, int], datetime]
) -> str:
    """Lines of name, address, ticket, state, booking, answers and when they came in, in the workshop's zone.

    `listed` are the attendees with their state in words, `joined` the first joining by attendee and session.
    """
    questions = [each for each in workshop.questions if not each.is_private]
    sessions = workshop.sessions
    out = io.StringIO()
    rows = csv.writer(out)
    came = [f"Came in, session {each.number}" for each in sessions] if len(sessions) > 1 else ["Came in"]
    rows.writerow(
        [cell(each) for each in ("Name", "Address", "Ticket", "State", "Booking", "Booked by", "Booker's address")]
        + [cell(each.label) for each in questions]
        + came
    )
    for attendee, state in listed:
        said = dict(desk.answers(attendee, questions, private=False))
        booking = attendee.booking
        texts = [attendee.name, attendee.email, attendee.ticket.name, state, booking.reference]
        texts += [booking.booker_name, booking.booker_email, *(said.get(each, "") for each in questions)]
        times = [joined.get((attendee.id, each.id)) for each in sessions]
        texts += [_moment(at, workshop.zone) if at else "" for at in times]
        rows.writerow([cell(each) for each in texts])
    return out.getvalue()


def _moment(at: datetime, zone: str) -> str:
    return f"{zones.wall(at, zone):%Y-%m-%d %H:%M} {zones.label(at, zone)}"
