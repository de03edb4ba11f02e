"""The letters that a move or a cancellation causes: to each attendee their own invite, to the booker the money."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bookings import booked, credit_letters, invites
from bookings.letters import amount, own_time, place_url, session_words, to_attendee, to_booker
from bookings.models import Attendee, Booking
from bookings.returning import Back
from courses import catalogue
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
    off: Sequence[WorkshopSession],
    withdrawn: Sequence[WorkshopSession],
    why: str,
    *,
    is_over: bool,
    is_all: bool,
    now: datetime,
) -> None:
    """What does not take place: a letter with the first withdrawal, then a short one for each further entry.

    No two entries in one message: a calendar acts on each withdrawal by its UID. Whoever has the recording alone has
    no entry, and gets the letter.
    """
    workshop = attendee.workshop
    subject = f"Cancelled: {workshop.title}"
    said: dict[str, Any] = {
        "heading": f"{workshop.title} is cancelled" if is_all else f"A session of {workshop.title} is cancelled",
        "why": why,
        "place_url": place_url(attendee),
        "is_over": is_over,
    }
    first = {"method": "CANCEL", "calendar": invites.withdrawal(attendee, withdrawn[0])} if withdrawn else {}
    letter = to_attendee(
        attendee,
        "workshop_cancelled",
        now,
        subject=subject if is_all else f"{subject}, {_day(off[0])}",
        sessions=[session_words(each) for each in off],
        is_in_calendar=bool(withdrawn),
        **said,
        **first,
    )
    for session in withdrawn[1:]:
        to_attendee(
            attendee,
            "session_cancelled",
            now,
            method="CANCEL",
            calendar=invites.withdrawal(attendee, session),
            thread_id=letter.message_id,
            subject=f"{subject}, {_day(session)}",
            sessions=[session_words(session)["line"]],
            **said,
        )


def money_back(booking: Booking, gone: Sequence[Attendee], back: Back, why: str, now: datetime) -> None:
    """To the booker: whose places ended, and what goes back."""
    title = gone[0].workshop.title
    stays = {each.workshop.title for each in booking.attendees if each.state == "confirmed"} - {title}
    to_booker(
        booking,
        "cancelled_booking",
        now,
        subject=f"Booking {booking.reference}: {title} is cancelled",
        amount=amount(booking, back.refund_minor) if back.refunds else None,
        credited=credit_letters.back_words(booking, back.credits, now),
        why=why,
        attendees=booked.names(gone),
        workshops_url=web.url("courses.listed"),
        is_paid=True,
        workshop_title=title,
        stays=catalogue.words(sorted(stays)),
    )


def unpaid_cancelled(booking: Booking, why: str, now: datetime) -> None:
    """To a booker who has not paid yet: nothing is owed any more. A bundle ends with any of its workshops."""
    off = [each.title for each in booked.workshops(booking) if each.status == "cancelled"]
    if booking.bundle_id and off:
        why = f"{catalogue.words(off)} does not take place, and a bundle is all of its workshops. {why}"
    to_booker(
        booking,
        "cancelled_booking",
        now,
        subject=f"Booking {booking.reference}: {booked.title(booking)} is cancelled",
        amount=None,
        why=why,
        attendees=booked.names(booking.attendees),
        workshops_url=web.url("courses.listed"),
        credited=[],
        is_paid=False,
        stays="",
    )


def _day(session: WorkshopSession) -> str:
    return zones.short_day(session.wall_start.date())
