"""A recording's states and the windows that follow from them: the only door to `Recording.state`.

uploaded -> published -> withdrawn -> published (put back: the dates that people were told stay).

Nobody is left without a window and nobody gets two: publishing locks the recording before it looks for attendees, and
who is confirmed later locks it too, so that one of them sees the other; the windows' unique key does the rest.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import joinedload, selectinload

from bookings import joining
from bookings.models import Attendee, Booking
from courses import window
from courses.models import TicketType, Workshop, WorkshopSession
from history import models as history
from lib import db, web
from recordings import access, letters
from recordings.film import Film
from recordings.models import AccessWindow, Recording, Viewing


class NothingToPublish(web.Refusal):
    """There is no film, or the workshop promises no recording."""

    refusal = "nothing_to_publish"
    title = "There is nothing to publish"


def put_film(session: WorkshopSession, key: str, size: int, film: Film, *, actor: str, now: datetime) -> list[str]:
    """Keep a stored film as the session's recording; returns the keys that are no longer needed.

    A published recording goes on with the new film: its dates, its windows and its captions stay.
    """
    recording = _locked_of(session.id)
    old = []
    if recording is None:
        recording = Recording(
            organiser_id=session.organiser_id, session_id=session.id, state="uploaded", captions={}, uploaded_at=now
        )
        db.session.add(recording)
    else:
        old = [recording.file]
    recording.file, recording.size, recording.uploaded_at = key, size, now
    recording.content_type, recording.seconds = film.content_type, film.seconds
    db.session.flush()
    _record(recording, "film_uploaded", actor, now, {"size": size, "seconds": film.seconds})
    return old


def put_captions(recording_id: int, language: str, label: str, key: str, *, actor: str, now: datetime) -> list[str]:
    """Keep stored captions in one language; returns the keys that are no longer needed."""
    recording = _locked(recording_id)
    old = [recording.captions[language]["key"]] if language in recording.captions else []
    recording.captions = {**recording.captions, language: {"key": key, "label": label}}
    _record(recording, "captions_uploaded", actor, now, {"language": language})
    return old


def say_left_out(recording_id: int, text: str) -> None:
    """What the recording leaves out, in the organiser's words."""
    _locked(recording_id).left_out = text


def publish(recording_id: int, *, actor: str, now: datetime) -> int:
    """Open the recording to everybody whose ticket includes it, with a letter each. How many windows were made.

    Raises NothingToPublish where the workshop offers no catch-up.
    """
    recording = _locked(recording_id)
    if recording.state == "published":
        return 0
    workshop = db.session.get_one(Workshop, recording.session.workshop_id)
    if not workshop.catch_up_offered:
        raise NothingToPublish(
            "This workshop says that it offers no catch-up, so no ticket includes a recording. Nothing was published."
        )
    if recording.published_at is None:
        recording.published_at = now
        recording.closes_at = window.closes_at(now, workshop.catch_up_days, access.zone_of(recording))
    before = recording.state
    recording.state = "published"
    _tell_catalogue(recording)
    db.session.flush()
    _record(recording, "recording_published", actor, now, {"from": before})
    wanted = select(Attendee).where(Attendee.workshop_id == workshop.id, Attendee.state == "confirmed")
    return sum(_open(recording, attendee, now) for attendee in _attendees(wanted))


def withdraw(recording_id: int, *, actor: str, why: str, now: datetime) -> None:
    """Let nobody watch any more, from the next request on."""
    recording = _locked(recording_id)
    if recording.state == "published":
        recording.state = "withdrawn"
        _tell_catalogue(recording)
        _record(recording, "recording_withdrawn", actor, now, {"why": why})


def open_for_booking(booking_id: int, now: datetime) -> int:
    """The windows of a booking's attendees at what is published already. How many were made."""
    wanted = select(Attendee).where(Attendee.booking_id == booking_id, Attendee.state == "confirmed")
    return _open_published(_attendees(wanted), now)


def open_for_attendee(attendee_id: int, now: datetime) -> int:
    """The same for one attendee."""
    return _open_published(
        _attendees(select(Attendee).where(Attendee.id == attendee_id, Attendee.state == "confirmed")), now
    )


def _open_published(attendees: Sequence[Attendee], now: datetime) -> int:
    workshops = {each.workshop_id for each in attendees}
    ids = db.session.scalars(
        select(Recording.id)
        .join(Recording.session)
        .where(WorkshopSession.workshop_id.in_(sorted(workshops)))
        .order_by(Recording.id)
    ).all()
    made = 0
    for recording in [_locked(each) for each in ids]:
        made += sum(
            _open(recording, each, now) for each in attendees if each.workshop_id == recording.session.workshop_id
        )
    return made


def _open(recording: Recording, attendee: Attendee, now: datetime) -> bool:
    """Write one window down and post its letter, unless it is there or none is due."""
    found = access.expected(recording, attendee)
    if found is None or now >= found.closes_at:
        return False
    made = db.session.execute(
        db.insert_or(AccessWindow)
        .values(
            organiser_id=recording.organiser_id,
            attendee_id=attendee.id,
            recording_id=recording.id,
            opens_at=found.opens_at,
            closes_at=found.closes_at,
        )
        .on_conflict_do_nothing(index_elements=["attendee_id", "recording_id"])
        .returning(AccessWindow.id)
    ).scalar()
    if made is None:
        return False
    letters.ready(attendee, recording, found, now)
    return True


def _tell_catalogue(recording: Recording) -> None:
    """The catalogue sells what can be watched, and knows nothing of recordings: its session says so."""
    recording.session.watchable_from = recording.published_at if recording.state == "published" else None
    recording.session.watchable_until = recording.closes_at


def _attendees(wanted: Any) -> list[Attendee]:
    """Those among `wanted` who have their place still: whose money all went back has none."""
    found = list(
        db.session.scalars(
            wanted.order_by(Attendee.id)
            .options(
                joinedload(Attendee.booking).joinedload(Booking.organiser),
                joinedload(Attendee.workshop).selectinload(Workshop.sessions),
                joinedload(Attendee.ticket).selectinload(TicketType.sessions),
            )
            .execution_options(populate_existing=True)
        )
    )
    gone = joining.paid_back({each.booking.bill_id for each in found})
    return [each for each in found if each.booking.bill_id not in gone]


def _locked(recording_id: int) -> Recording:
    return db.session.scalars(
        select(Recording)
        .where(Recording.id == recording_id)
        .with_for_update(of=Recording)
        .options(selectinload(Recording.session))
        .execution_options(populate_existing=True)
    ).one()


def _locked_of(session_id: int) -> Recording | None:
    found = db.session.scalar(select(Recording.id).where(Recording.session_id == session_id))
    return _locked(found) if found else None


def _record(recording: Recording, verb: str, actor: str, now: datetime, facts: Mapping[str, Any]) -> None:
    history.record(
        f"recording:{recording.id}", verb, at=now, actor=actor, organiser_id=recording.organiser_id, facts=dict(facts)
    )


def forget_watched(attendee_id: int, now: datetime) -> None:
    """Somebody else has the place from `now` on: their days are the same, and they have watched nothing yet."""
    own = select(AccessWindow.id).where(AccessWindow.attendee_id == attendee_id)
    db.session.execute(update(Viewing).where(Viewing.window_id.in_(own)).values(ranges=[], last_at=now))
