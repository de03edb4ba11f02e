"""The letters that a move or a cancellation causes: to each attendee their own invite, to the booker the money."""

from collections.abc import Sequence
from datetime import datetime

from bookings import invites
from bookings.letters import amount, own_time, place_url, session_words, to_attendee, to_booker
from bookings.models import Attendee, Booking
from courses.models import WorkshopSession
from lib import web, zones


def moved(attendee: Attendee, session: WorkshopSession, old_line: str, now: datetime) -> None:
    """The session has another time: the new one with its update for the calendar, and the one it had."""
    to_attendee(
        attendee,
        "moved",
        now,
        method="REQUEST",
        calendar=invites.request(attendee, session),
        subject=f"Another time: {attendee.workshop.title}, {_day(session)}",
        own=own_time(session, attendee.booking.zone),
        session=session_words(session),
        old_line=old_line,
        place_url=place_url(attendee),
    )


def session_added(attendee: Attendee, session: WorkshopSession, now: datetime) -> None:
    """The workshop has a session more, which the attendee's ticket admits to."""
    to_attendee(
        attendee,
        "session_invite",
        now,
        method="REQUEST",
        calendar=invites.request(attendee, session),
        subject=f"A further session: {attendee.workshop.title}, {_day(session)}",
        session=session_words(session),
        number=session.number,
        session_count=len(attendee.workshop.sessions),
        place_url=place_url(attendee),
    )


def cancelled(
    attendee: Attendee,
    withdrawn: Sequence[WorkshopSession],
    why: str,
    *,
    is_over: bool,
    is_all: bool,
    now: datetime,
) -> None:
    """What does not take place: a letter with the first withdrawal, and a short one for each further session."""
    workshop = attendee.workshop
    # Above MOST_INVITES only the first session was sent as an invite of its own, so only that is withdrawn by one.
    sent = withdrawn if len(withdrawn) <= invites.MOST_INVITES else withdrawn[:1]
    thread = None
    for session in sent:
        is_first = thread is None
        subject = f"Cancelled: {workshop.title}"
        letter = to_attendee(
            attendee,
            "workshop_cancelled" if is_first else "session_cancelled",
            now,
            method="CANCEL",
            calendar=invites.withdrawal(attendee, session),
            thread_id=thread,
            subject=subject if is_first and is_all else f"{subject}, {_day(session)}",
            heading=f"{workshop.title} is cancelled" if is_all else f"A session of {workshop.title} is cancelled",
            sessions=[session_words(each) for each in withdrawn] if is_first else [session_words(session)["line"]],
            why=why,
            place_url=place_url(attendee),
            is_over=is_over,
        )
        thread = thread or letter.message_id


def recording_cancelled(
    attendee: Attendee, off: Sequence[WorkshopSession], why: str, *, is_over: bool, is_all: bool, now: datetime
) -> None:
    """To whoever has the recording alone: what does not take place is not recorded. No calendar has it."""
    workshop = attendee.workshop
    to_attendee(
        attendee,
        "workshop_cancelled",
        now,
        subject=f"Cancelled: {workshop.title}" if is_all else f"Cancelled: {workshop.title}, {_day(off[0])}",
        heading=f"{workshop.title} is cancelled" if is_all else f"A session of {workshop.title} is cancelled",
        sessions=[session_words(each) for each in off],
        why=why,
        place_url=place_url(attendee),
        is_over=is_over,
        is_in_calendar=False,
    )


def money_back(booking: Booking, gone: Sequence[Attendee], minor: int, why: str, now: datetime) -> None:
    """To the booker: whose places ended, and what goes back."""
    workshop = gone[0].workshop
    title = workshop.title
    to_booker(
        booking,
        "cancelled_booking",
        now,
        subject=f"Booking {booking.reference}: {title} is cancelled",
        amount=amount(booking, minor) if minor else None,
        why=why,
        attendees=[each.name for each in gone],
        workshops_url=web.url("courses.listed"),
        is_paid=True,
    )


def unpaid_cancelled(booking: Booking, why: str, now: datetime) -> None:
    """To a booker who has not paid yet: nothing is owed any more."""
    to_booker(
        booking,
        "cancelled_booking",
        now,
        subject=f"Booking {booking.reference}: {booking.attendees[0].workshop.title} is cancelled",
        amount=None,
        why=why,
        attendees=[each.name for each in booking.attendees],
        workshops_url=web.url("courses.listed"),
        is_paid=False,
    )


def _day(session: WorkshopSession) -> str:
    return zones.short_day(session.wall_start.date())
