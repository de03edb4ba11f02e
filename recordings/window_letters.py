"""Letters about somebody's days: that they end soon, that they are more now, that they stand still; and, to those who
missed a session, that they are covered. Each to one attendee, with their own links alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from bookings import letters
from bookings.letters import place_url
from bookings.models import Attendee
from courses import window_words
from courses.models import WorkshopSession
from lib import zones
from recordings import access
from recordings.models import AccessWindow, Recording

Why = Literal["extend", "resume", "outage"]
REASONS: dict[Why, str] = {
    "extend": "You have more time to watch.",
    "resume": "Your time to watch was paused. It goes on now, with all that was left of it.",
    "outage": "For a while the recording could not be watched. That was not your doing, so your time is longer by as "
    "much, rounded up to whole hours.",
}


@dataclass(frozen=True)
class Left:
    """A recording that somebody may still watch, and how much of it they have watched, in per cent."""

    recording: Recording
    closes_at: datetime
    watched: int


def closing(attendee: Attendee, lefts: Sequence[Left], now: datetime) -> None:
    """It closes soon: how much time is left by the attendee's own calendar, and how much is watched."""
    first = min(each.closes_at for each in lefts)
    when = _until(first, now, attendee.booking.zone)
    seconds = sum(each.recording.seconds for each in lefts)
    watched = sum(each.watched * each.recording.seconds for each in lefts) // seconds if seconds else 0
    _send(
        attendee,
        "recording_closing",
        now,
        subject=f"{when[0].upper()}{when[1:]}: {attendee.workshop.title}",
        heading=f"{when[0].upper()}{when[1:]}",
        watched=watched,
        recordings=[_words(attendee, each.recording, each.closes_at, each.watched) for each in lefts],
    )


def longer(attendee: Attendee, windows: Sequence[tuple[Recording, AccessWindow]], why: Why, now: datetime) -> None:
    """There is more time: by the organiser's hand, after a pause, or because nobody could watch for a while."""
    _send(
        attendee,
        "recording_longer",
        now,
        subject=f"More time for your recording: {attendee.workshop.title}",
        reason=REASONS[why],
        recordings=[_words(attendee, recording, own.closes_at) for recording, own in windows],
    )


def paused(attendee: Attendee, recording: Recording, left: timedelta, now: datetime) -> None:
    """The days stand still, and what is left of them is kept."""
    session, many = recording.session, len(attendee.workshop.sessions) > 1
    _send(
        attendee,
        "recording_paused",
        now,
        subject=f"Your time to watch is paused: {attendee.workshop.title}",
        left=access.left(left),
        session_words=f"Session {session.number} of {len(attendee.workshop.sessions)}" if many else None,
        line=zones.line(session.starts_at, session.ends_at, session.zone),
        organiser_email=attendee.booking.organiser.email,
    )


def changed(attendee: Attendee, recording: Recording, own: AccessWindow, act: str, now: datetime) -> None:
    """What the team did to a window: `extend`, `pause` or `resume`."""
    if own.paused_at:
        paused(attendee, recording, own.closes_at - own.paused_at, now)
    else:
        longer(attendee, [(recording, own)], "resume" if act == "resume" else "extend", now)


def covered(attendee: Attendee, session: WorkshopSession, now: datetime) -> None:
    """Whoever was not seen at a session is told, soon after it, that its recording is theirs."""
    workshop, many = attendee.workshop, len(attendee.workshop.sessions) > 1
    _send(
        attendee,
        "recording_covers",
        now,
        subject=f"You are covered: {workshop.title}",
        session_words=f"Session {session.number} of {len(workshop.sessions)}" if many else None,
        line=zones.line(session.starts_at, session.ends_at, session.zone),
        own=letters.own_time(session, attendee.booking.zone),
        promise=window_words.from_publication(workshop),
        left_out=workshop.catch_up_note or None,
    )


def _send(attendee: Attendee, template: str, now: datetime, **values: Any) -> None:
    letters.to_attendee(attendee, template, now, place_url=place_url(attendee), **values)


def _words(attendee: Attendee, recording: Recording, closes_at: datetime, watched: int | None = None) -> dict[str, Any]:
    session, many = recording.session, len(attendee.workshop.sessions) > 1
    there, own = access.zone_of(recording), attendee.booking.zone
    return {
        "session_words": f"Session {session.number} of {len(attendee.workshop.sessions)}" if many else None,
        "closes": zones.moment(closes_at, there),
        "closes_own": None if zones.same_rules(there, own) else zones.moment(closes_at, own),
        "watched": watched,
        "url": access.url(attendee, recording.id),
    }


def _until(closes_at: datetime, now: datetime, zone: str) -> str:
    """How near an end is, by the calendar of `zone`: closes today, closes tomorrow, 7 days left."""
    days = (zones.wall(closes_at, zone).date() - zones.wall(now, zone).date()).days
    if days > 1:
        return f"{days} days left"
    return "closes tomorrow" if days else "closes today"
