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
from lib import db, web, zones
from recordings import access, letters, notes, window_letters
from recordings.film import Film
from recordings.models import AccessWindow, Recording, Viewing


class NothingToPublish(web.Refusal):
    """There is no film, or the workshop promises no recording."""

    refusal = "nothing_to_publish"
    title = "There is nothing to publish"


class NotReviewed(web.Refusal):
    """Nobody has looked through the film as it is now."""

    refusal = "not_reviewed"
    title = "Somebody has to look through it first"


def expect_film(session: WorkshopSession, now: datetime) -> Recording:
    """The session's recording, locked; made where there was none, without a film yet."""
    recording = _locked_of(session.id)
    if recording is None:
        recording = Recording(
            organiser_id=session.organiser_id, session_id=session.id, state="uploaded", captions={}, uploaded_at=now
        )
        db.session.add(recording)
        db.session.flush()
    return recording


def put_film(session: WorkshopSession, key: str, size: int, film: Film, *, actor: str, now: datetime) -> list[str]:
    """Keep a stored film as the session's recording; returns the keys that are no longer needed.

    A published recording goes on with the new film: its dates, its windows and its captions stay. Any other has to be
    looked through before it is published.
    """
    recording = expect_film(session, now)
    before = keys(recording)
    recording.file, recording.size, recording.uploaded_at = key, size, now
    recording.content_type, recording.seconds = film.content_type, film.seconds
    recording.small, recording.poster = film.small, film.poster
    recording.chapters, recording.kept = [list(each) for each in film.chapters], [list(each) for each in film.kept]
    if recording.state != "published":
        recording.reviewed_at = None
    db.session.flush()
    _record(recording, "film_uploaded", actor, now, {"size": size, "seconds": film.seconds})
    return sorted(before - keys(recording))


def keys(recording: Recording) -> set[str]:
    """The films and pictures in the store that a recording names; its parts name theirs."""
    draft = recording.draft or {}
    named = (recording.file, recording.small, recording.poster, recording.whole)
    return {each for each in (*named, *(draft.get(name) for name in ("file", "small", "poster"))) if each}


def review(recording_id: int, *, actor: str, now: datetime) -> None:
    """Somebody has looked through the film as it is now."""
    recording = locked(recording_id)
    recording.reviewed_at, recording.reviewed_by = now, actor
    _record(recording, "recording_reviewed", actor, now, {"kept": recording.kept})


def put_captions(recording_id: int, language: str, label: str, key: str, *, actor: str, now: datetime) -> list[str]:
    """Keep stored captions in one language; returns the keys that are no longer needed.

    Their times are those of the whole film for as long as its originals are kept.
    """
    recording = locked(recording_id)
    old = [recording.captions[language]["key"]] if language in recording.captions else []
    entry: dict[str, Any] = {"key": key, "label": label}
    if recording.kept and not any(each.file for each in recording.parts):
        entry["cut"] = True  # nobody has the whole film any more: these are of the one that is shown
    recording.captions = {**recording.captions, language: entry}
    _record(recording, "captions_uploaded", actor, now, {"language": language})
    return old


def say_left_out(recording_id: int, text: str) -> None:
    """What the recording leaves out, in the organiser's words."""
    locked(recording_id).left_out = text


def publish(recording_id: int, *, actor: str, now: datetime) -> int:
    """Open the recording to everybody whose ticket includes it, with a letter each. How many windows were made.

    Raises NotReviewed, and NothingToPublish without a film, where the workshop offers no catch-up, or counts its days
    from its end and they are over.
    """
    recording = locked(recording_id)
    if recording.state == "published":
        return 0
    if not recording.file:
        raise NothingToPublish(
            "The film is not ready yet. Nothing was published. The recordings' page says how far it is."
        )
    if recording.reviewed_at is None:
        raise NotReviewed(
            "People speak about themselves in a workshop. Nothing was published. Please look through the film, cut out "
            "what should not be seen, and publish it then."
        )
    workshop = db.session.get_one(Workshop, recording.session.workshop_id)
    if not workshop.catch_up_offered:
        raise NothingToPublish(
            "This workshop says that it offers no catch-up, so no ticket includes a recording. Nothing was published."
        )
    if recording.published_at is None:
        recording.published_at = now
        recording.closes_at = _closes_at(recording, workshop, now)
    before = recording.state
    recording.state = "published"
    tell_catalogue(recording)
    db.session.flush()
    _record(recording, "recording_published", actor, now, {"from": before})
    wanted = select(Attendee).where(Attendee.workshop_id == workshop.id, Attendee.state == "confirmed")
    return sum(_open(recording, attendee, now) for attendee in _attendees(wanted))


def _closes_at(recording: Recording, workshop: Workshop, now: datetime) -> datetime:
    zone, days = access.zone_of(recording), workshop.catch_up_days
    found = window.everybodys(now, workshop.ends_at, days, zone, workshop.catch_up_from)
    if found <= now:
        raise NothingToPublish(
            f"This workshop counts its days from the end of the last session, and they ended on "
            f"{zones.moment(found, zone)}. Nothing was published. Under Texts you can count them from publication."
        )
    return found


def withdraw(recording_id: int, *, actor: str, why: str, now: datetime) -> None:
    """Let nobody watch any more, from the next request on."""
    recording = locked(recording_id)
    if recording.state == "published":
        recording.state = "withdrawn"
        tell_catalogue(recording)
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
    for recording in [locked(each) for each in ids]:
        made += sum(
            _open(recording, each, now) for each in attendees if each.workshop_id == recording.session.workshop_id
        )
    return made


def _open(recording: Recording, attendee: Attendee, now: datetime) -> bool:
    """Write one window down and post its letter, unless it is there or none is due."""
    found = access.expected(recording, attendee)
    if found is None or (now >= found.closes_at and not recording.paused_at):
        return False
    paused_at = max(found.opens_at, recording.paused_at) if recording.paused_at else None
    made = db.session.execute(
        db.insert_or(AccessWindow)
        .values(
            organiser_id=recording.organiser_id,
            attendee_id=attendee.id,
            recording_id=recording.id,
            opens_at=found.opens_at,
            closes_at=found.closes_at,
            extended_why="",
            paused_at=paused_at,
            paused_why="",
        )
        .on_conflict_do_nothing(index_elements=["attendee_id", "recording_id"])
        .returning(AccessWindow.id)
    ).scalar()
    if made is None:
        return False
    if paused_at:
        window_letters.paused(attendee, recording, found.closes_at - paused_at, now)
    else:
        letters.ready(attendee, recording, found, now)
    return True


def tell_catalogue(recording: Recording) -> None:
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


def locked(recording_id: int) -> Recording:
    return db.session.scalars(
        select(Recording)
        .where(Recording.id == recording_id)
        .with_for_update(of=Recording)
        .options(selectinload(Recording.session))
        .execution_options(populate_existing=True)
    ).one()


def _locked_of(session_id: int) -> Recording | None:
    found = db.session.scalar(select(Recording.id).where(Recording.session_id == session_id))
    return locked(found) if found else None


def _record(recording: Recording, verb: str, actor: str, now: datetime, facts: Mapping[str, Any]) -> None:
    history.record(
        f"recording:{recording.id}", verb, at=now, actor=actor, organiser_id=recording.organiser_id, facts=dict(facts)
    )


def forget_watched(attendee_id: int, now: datetime) -> None:
    """Somebody else has the place from `now` on: their days are the same, and they have watched nothing yet."""
    own = select(AccessWindow.id).where(AccessWindow.attendee_id == attendee_id)
    nothing = {"ranges": [], "position": 0, "tabs": {}, "last_at": now}
    db.session.execute(update(Viewing).where(Viewing.window_id.in_(own)).values(nothing))
    notes.forget(attendee_id)
