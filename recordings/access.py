"""Who may watch what, and until when: read from the rows at each request, so that what stops must stop at once."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.sql.base import ExecutableOption

from bookings import invites, joining
from bookings.models import Attendee, Booking
from courses import window
from courses.models import TicketType, Workshop, WorkshopSession
from courses.window import Window
from lib import db, links, web, zones
from recordings import watching
from recordings.models import AccessWindow, Recording, Viewing


class WindowClosed(web.Refusal):
    """The recording could be watched, and no longer."""

    status = 403
    refusal = "window_closed"
    title = "This recording has closed"


class WindowNotOpen(web.Refusal):
    """The recording cannot be watched yet."""

    status = 403
    refusal = "window_not_open"
    title = "This recording is not open yet"


class WindowPaused(web.Refusal):
    """The attendee's time stands still."""

    status = 403
    refusal = "window_paused"
    title = "Your time to watch is paused"


class RecordingWithdrawn(web.Refusal):
    """The organiser took the recording back."""

    status = 403
    refusal = "recording_withdrawn"
    title = "This recording has been withdrawn"


@dataclass(frozen=True)
class Grant:
    """An attendee's right to a recording. `window` is None until it was written down."""

    attendee: Attendee
    recording: Recording
    window: AccessWindow | None


@dataclass(frozen=True)
class Shown:
    """One session's recording as its attendee's own page tells of it."""

    session: WorkshopSession
    state: str  # waiting | open | paused | closed | withdrawn
    window: Window | None
    url: str | None
    watched_percent: int

    def told(self) -> dict[str, Any]:
        return {
            "session": self.session.number,
            "state": self.state,
            "opens_at": zones.z(self.window.opens_at) if self.window else None,
            "closes_at": zones.z(self.window.closes_at) if self.window else None,
            "url": self.url,
            "watched_percent": self.watched_percent,
        }


def url(attendee: Attendee, recording_id: int) -> str:
    """The attendee's own address of a recording."""
    token = links.pair_token("recording", attendee.id, recording_id, attendee.link_version)
    return web.url("recordings.player", token=token)


PAGE = (
    joinedload(Attendee.workshop).selectinload(Workshop.sessions),
    joinedload(Attendee.workshop).selectinload(Workshop.presenters),
    joinedload(Attendee.workshop).joinedload(Workshop.course),
    joinedload(Attendee.ticket).selectinload(TicketType.sessions),
)


def find(token: str, also: Sequence[ExecutableOption] = ()) -> Grant | None:
    """What a link gives a right to, or None for a link that gives none: wrong, too old, or its place is gone.

    `also` is loaded along with it, such as what a PAGE shows; a player asks for piece after piece of a film and needs
    none of that.
    """
    pair = links.pair_of(token)
    if pair is None:
        return None
    found = db.session.execute(
        select(Attendee, Recording, AccessWindow)
        .join(Recording, and_(Recording.id == pair[1], Recording.organiser_id == Attendee.organiser_id))
        .outerjoin(
            AccessWindow, and_(AccessWindow.attendee_id == Attendee.id, AccessWindow.recording_id == Recording.id)
        )
        .where(Attendee.id == pair[0])
        .options(
            joinedload(Attendee.booking).joinedload(Booking.organiser),
            joinedload(Attendee.workshop),
            joinedload(Recording.session),
            *also,
        )
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        return None
    grant = Grant(*found)
    if not links.verify_pair("recording", grant.attendee.link_version, token):
        return None
    if not _has_place(grant.attendee, joining.paid_back([grant.attendee.booking.bill_id])):
        return None
    if grant.window is None and not is_meant_for(grant.recording.session, grant.attendee):
        return None
    return grant


def refuse_unless_open(grant: Grant, now: datetime) -> Window:
    """The window, when it is open. Raises WindowClosed, WindowNotOpen, WindowPaused or RecordingWithdrawn."""
    there = zone_of(grant.recording)
    if grant.recording.state == "withdrawn":
        raise RecordingWithdrawn(
            f"{grant.attendee.booking.organiser.name} has taken it back. If you still expected it, write to "
            f"{grant.attendee.booking.organiser.email}."
        )
    found = window_of(grant)
    if found is None or now < found.opens_at:
        when = f"It opens on {zones.moment(found.opens_at, there)}." if found else "We write to you when it opens."
        raise WindowNotOpen(f"{when} Nothing is needed from you until then.")
    if paused_at := paused_since(grant):
        raise WindowPaused(
            f"{grant.attendee.booking.organiser.name} has paused it since {zones.moment(paused_at, there)}. What "
            f"you had left then, {left(found.closes_at - paused_at)}, is kept, and we write to you when it goes on."
        )
    if not window.plays(found, now):
        raise WindowClosed(
            f"It could be watched until {zones.moment(found.closes_at, there)}. What you have of the workshop's hours "
            f"stays yours; questions go to {grant.attendee.booking.organiser.email}."
        )
    return found


def window_of(grant: Grant) -> Window | None:
    """The window written down for the attendee, or the one that will be."""
    if grant.window is not None:
        return Window(grant.window.opens_at, grant.window.closes_at)
    return expected(grant.recording, grant.attendee)


def paused_since(grant: Grant) -> datetime | None:
    """Since when the attendee's time stands still; whoever has no window yet shares everybody's pause."""
    return grant.window.paused_at if grant.window is not None else grant.recording.paused_at


def left(time: timedelta) -> str:
    """A stretch of time that is kept for somebody: days from two on, hours from two on, else minutes."""
    return joining.in_words(max(-(-time // timedelta(seconds=1)), 0))


def expected(recording: Recording, attendee: Attendee) -> Window | None:
    """The window an attendee's ticket gives them, or None: not published, not theirs, or all over before they came."""
    confirmed_at = attendee.confirmed_at
    published_at, ends_at = recording.published_at, recording.closes_at
    if recording.state != "published" or published_at is None or ends_at is None or confirmed_at is None:
        return None
    if not is_meant_for(recording.session, attendee):
        return None
    workshop = attendee.workshop
    if recording.paused_at:
        ends_at = window.resumed(ends_at, recording.paused_at, max(recording.paused_at, confirmed_at))
    return window.of(
        published_at,
        ends_at,
        confirmed_at,
        workshop.catch_up_days,
        zone_of(recording),
        share=window.is_shared(workshop),
    )


def is_meant_for(session: WorkshopSession, attendee: Attendee) -> bool:
    """Whether the attendee's ticket has a place at the session and its recording with it."""
    is_sold_so = attendee.workshop.catch_up_offered and attendee.ticket.includes_recording
    return is_sold_so and session.id in {each.id for each in invites.sessions_of(attendee)}


def zone_of(recording: Recording) -> str:
    """The zone whose clock the days are counted by: the session's own."""
    return recording.session.zone


def of_attendees(attendees: Sequence[Attendee], now: datetime) -> dict[int, list[Shown]]:
    """What each attendee's page shows of recordings, by the attendee's id; as many statements for many as for one."""
    sessions = {each.id for attendee in attendees for each in invites.sessions_of(attendee)}
    recordings = _by_session(sessions)
    own = select(AccessWindow, Viewing).outerjoin(Viewing, Viewing.window_id == AccessWindow.id)
    rows = db.session.execute(own.where(AccessWindow.attendee_id.in_([each.id for each in attendees])))
    windows: dict[tuple[int, int], tuple[AccessWindow, Viewing | None]] = {}
    windows |= {(each.attendee_id, each.recording_id): (each, seen) for each, seen in rows}
    found: dict[int, list[Shown]] = {}
    gone = joining.paid_back({each.booking.bill_id for each in attendees})
    for attendee in attendees:
        shown = (
            _shown(attendee, each, recordings.get(each.id), windows, now) for each in invites.sessions_of(attendee)
        )
        found[attendee.id] = [each for each in shown if each] if _has_place(attendee, gone) else []
    return found


def _has_place(attendee: Attendee, paid_back: Collection[int]) -> bool:
    return attendee.state == "confirmed" and attendee.booking.bill_id not in paid_back


def of_attendee(attendee: Attendee, now: datetime) -> list[Shown]:
    """The same for one."""
    return of_attendees([attendee], now)[attendee.id]


def _by_session(sessions: Iterable[int]) -> dict[int, Recording]:
    wanted = (
        select(Recording).where(Recording.session_id.in_(sorted(sessions))).options(selectinload(Recording.session))
    )
    return {each.session_id: each for each in db.session.scalars(wanted)}


def _shown(
    attendee: Attendee,
    session: WorkshopSession,
    recording: Recording | None,
    windows: dict[tuple[int, int], tuple[AccessWindow, Viewing | None]],
    now: datetime,
) -> Shown | None:
    own, seen = windows.get((attendee.id, recording.id), (None, None)) if recording else (None, None)
    if own is None and not is_meant_for(session, attendee):
        return None
    if recording is None or recording.state == "uploaded":
        return Shown(session, "waiting", None, None, 0) if session.is_recorded else None
    grant = Grant(attendee, recording, own)
    found = window_of(grant)
    if found is None:
        return None
    state = "withdrawn" if recording.state == "withdrawn" else state_of(found, paused_since(grant), now)
    address = url(attendee, recording.id) if state != "withdrawn" else None
    return Shown(session, state, found, address, watched(seen, recording))


def watched(seen: Viewing | None, recording: Recording) -> int:
    """How much of the film as it is now the attendee has watched, in per cent."""
    return watching.percent(seen.ranges, recording.seconds) if seen else 0


def state_of(found: Window, paused_at: datetime | None, now: datetime) -> str:
    """waiting, paused, open or closed."""
    if now < found.opens_at:
        return "waiting"
    if paused_at:
        return "paused"
    return "open" if window.plays(found, now) else "closed"
