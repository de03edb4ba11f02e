"""The letter that a recording can be watched."""

from datetime import datetime

from bookings.letters import place_url
from bookings.models import Attendee
from courses.window import Window
from lib import zones
from mail import outbox
from recordings import access
from recordings.models import Recording


def ready(attendee: Attendee, recording: Recording, window: Window, now: datetime) -> None:
    """To the attendee alone: what, from when, until when in the workshop's zone and in theirs, and their own link."""
    booking, workshop = attendee.booking, attendee.workshop
    there, own = access.zone_of(recording), booking.zone
    is_elsewhere = not zones.same_rules(there, own)
    session = recording.session
    many = len(workshop.sessions) > 1
    outbox.post(
        "recording_ready",
        to_name=attendee.name,
        to_email=attendee.email,
        sender=outbox.Sender(booking.organiser.name, booking.organiser.email, booking.organiser_id),
        about=f"attendee:{attendee.id}",
        lane=f"attendee:{attendee.id}",
        at=now,
        values={
            "subject": f"Your recording is ready: {workshop.title}",
            "name": attendee.name,
            "workshop_title": workshop.title,
            "organiser_name": booking.organiser.name,
            "session_words": f"Session {session.number} of {len(workshop.sessions)}" if many else None,
            "line": zones.line(session.starts_at, session.ends_at, session.zone),
            "opens": zones.moment(window.opens_at, there),
            "closes": zones.moment(window.closes_at, there),
            "closes_own": zones.moment(window.closes_at, own) if is_elsewhere else None,
            "left_out": recording.left_out or workshop.catch_up_note or None,
            "recording_url": access.url(attendee, recording.id),
            "place_url": place_url(attendee),
        },
    )
