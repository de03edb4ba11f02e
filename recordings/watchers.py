"""What the desk sees of a workshop's viewers: who has watched how much, whose time ends unseen, and what is stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import contains_eager, joinedload

from bookings import joining
from bookings.models import Attendee, Booking
from courses.models import Workshop, WorkshopSession
from courses.window import Window
from lib import db
from recordings import access
from recordings.models import AccessWindow, Recording, RecordingPart, Viewing
from recordings.reminders import FINISHED

NEAR = timedelta(days=7)
PAGE = 50
SHOWN = ("", "unseen", "open", "finished", "paused", "closed")
ORDERS = ("closes", "watched", "name")


@dataclass(frozen=True)
class Watcher:
    """One person's window at one recording at an instant. `state` is open, paused, closed or withdrawn."""

    own: AccessWindow
    attendee: Attendee
    state: str
    watched: int
    last_at: datetime | None
    is_unseen: bool  # it closes within NEAR, and nothing was watched

    @property
    def session(self) -> WorkshopSession:
        return self.own.recording.session

    def is_shown(self, show: str) -> bool:
        if show == "unseen":
            return self.is_unseen
        if show == "finished":
            return self.watched >= FINISHED
        return show in ("", self.state)


@dataclass(frozen=True)
class Wanted:
    """What the desk asks to see, and in which order."""

    show: str = ""
    order: str = "closes"
    page: int = 1


@dataclass(frozen=True)
class Board:
    """A page of the list, and the figures of all of it."""

    listed: Sequence[Watcher]
    everybody: int
    number: int
    unseen: int
    page: int
    pages: int


def read(workshop_id: int, wanted: Wanted, now: datetime) -> Board:
    """The viewers of a workshop's recordings: as many statements for many as for a few."""
    found = _all(workshop_id, now)
    shown = [each for each in found if each.is_shown(wanted.show)]
    if wanted.order == "watched":
        shown.sort(key=lambda each: (each.watched, each.own.closes_at, each.own.id))
    elif wanted.order == "name":
        shown.sort(key=lambda each: (each.attendee.name.casefold(), each.session.number, each.own.id))
    else:  # what ends next comes first, what is over last
        shown.sort(key=lambda each: (each.own.closes_at <= now, each.own.closes_at, each.watched, each.own.id))
    pages = max(-(-len(shown) // PAGE), 1)
    page = min(wanted.page, pages)
    unseen = sum(each.is_unseen for each in found)
    return Board(shown[(page - 1) * PAGE : page * PAGE], len(found), len(shown), unseen, page, pages)


def one(window_id: int, workshop_id: int, now: datetime) -> Watcher | None:
    """One of them, or None where the workshop has no such window."""
    return next(iter(_all(workshop_id, now, window_id)), None)


def _all(workshop_id: int, now: datetime, window_id: int | None = None) -> list[Watcher]:
    wanted = (
        select(AccessWindow, Viewing, Attendee)
        .join(AccessWindow.recording)
        .join(Recording.session)
        .join(Attendee, Attendee.id == AccessWindow.attendee_id)
        .outerjoin(Viewing, Viewing.window_id == AccessWindow.id)
        .where(WorkshopSession.workshop_id == workshop_id, Attendee.state == "confirmed")
        .order_by(AccessWindow.id)
        .options(
            contains_eager(AccessWindow.recording).contains_eager(Recording.session),
            joinedload(Attendee.booking).load_only(Booking.bill_id, Booking.reference),
        )
    )
    if window_id is not None:
        wanted = wanted.where(AccessWindow.id == window_id)
    rows = db.session.execute(wanted).all()
    gone = joining.paid_back({attendee.booking.bill_id for _, _, attendee in rows})
    return [_watcher(*row, now) for row in rows if row[2].booking.bill_id not in gone]


def _watcher(own: AccessWindow, seen: Viewing | None, attendee: Attendee, now: datetime) -> Watcher:
    watched = access.watched(seen, own.recording)
    state = access.state_of(Window(own.opens_at, own.closes_at), own.paused_at, now)
    if own.recording.state == "withdrawn":
        state = "withdrawn"
    is_unseen = state == "open" and not (seen and seen.ranges) and own.closes_at - now <= NEAR
    return Watcher(own, attendee, state, watched, seen.last_at if seen and seen.ranges else None, is_unseen)


def stored(organiser_id: int, workshop_id: int) -> tuple[int, int]:
    """Bytes of films kept for a workshop and for all of an organiser: what is played, and the parts it was made of."""
    films = select(Recording.size.label("size"), WorkshopSession.workshop_id.label("of")).join(Recording.session)
    parts = (
        select(RecordingPart.size, WorkshopSession.workshop_id)
        .join(Recording, Recording.id == RecordingPart.recording_id)
        .join(Recording.session)
    )
    kept = films.where(Recording.organiser_id == organiser_id).union_all(
        parts.where(RecordingPart.organiser_id == organiser_id)
    )
    rows = kept.subquery()
    by_workshop = select(rows.c.of, func.sum(rows.c.size)).group_by(rows.c.of)
    sizes = {number: int(size) for number, size in db.session.execute(by_workshop)}
    return sizes.get(workshop_id, 0), sum(sizes.values())


def recordings_of(workshop: Workshop) -> list[Recording]:
    """The workshop's published recordings, in the order of its sessions."""
    sessions = [each.id for each in workshop.sessions]
    wanted = (
        select(Recording)
        .join(Recording.session)
        .where(Recording.session_id.in_(sessions), Recording.published_at.is_not(None))
        .order_by(WorkshopSession.number)
        .options(contains_eager(Recording.session))
    )
    return list(db.session.scalars(wanted))
