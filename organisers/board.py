"""What the board shows: an organiser's workshops with sold, held and left, and what needs somebody first."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload

from accounts.models import Organiser
from bookings import waiting_list
from bookings.models import Attendee, Booking
from courses import publishing, shelf, standing
from courses.models import TicketType, Workshop, WorkshopSession
from lib import db
from meetings import points

A_PAGE = 50
SOON = timedelta(hours=48)


@dataclass(frozen=True)
class Line:
    """One workshop on the board. `left` is None where nothing is sold; `waiting` people are on its list."""

    workshop: Workshop
    sold: int
    held: int
    left: int | None
    waiting: int
    next: WorkshopSession | None
    missing: list[str]
    is_without_link: bool


@dataclass(frozen=True)
class Board:
    upcoming: list[Line]
    drafts: list[Line]
    past: list[Line]
    pages: int


def read(organiser: Organiser, page: int, now: datetime) -> Board:
    """The board at `now`: everything ahead and all drafts, and a page of what is over. A fixed number of statements."""
    mine = select(Workshop).where(Workshop.organiser_id == organiser.id)
    is_over = (Workshop.status != "draft") & ((Workshop.ends_at <= now) | (Workshop.status == "cancelled"))
    number = db.session.scalar(select(func.count()).select_from(mine.where(is_over).subquery())) or 0
    loaded = (
        joinedload(Workshop.course),
        joinedload(Workshop.venue),
        selectinload(Workshop.sessions),
        selectinload(Workshop.tickets).options(joinedload(TicketType.prices), joinedload(TicketType.pools)),
    )
    ahead = db.session.scalars(mine.where(~is_over).order_by(Workshop.starts_at, Workshop.id).options(*loaded)).all()
    over = db.session.scalars(
        mine.where(is_over)
        .order_by(Workshop.starts_at.desc(), Workshop.id.desc())
        .limit(A_PAGE)
        .offset((page - 1) * A_PAGE)
        .options(*loaded)
    ).all()
    ids = [each.id for each in (*ahead, *over)]
    sold, held = counts(ids, now)
    slugs = {each.slug for each in ahead if each.status == "published"}
    found = shelf.read(now, lambda kept: [each for each in kept.workshops if each.slug in slugs])
    left = {each.id: standing.of(found, each, now).places_left for each in found.workshops if each.slug in slugs}
    linked = points.with_points([session.id for each in ahead for session in each.sessions])
    waiting = waiting_list.numbers(ids)
    lines = {each.id: _line(each, sold, held, left, waiting, linked, now) for each in (*ahead, *over)}
    return Board(
        [lines[each.id] for each in ahead if each.status != "draft"],
        [lines[each.id] for each in ahead if each.status == "draft"],
        [lines[each.id] for each in over],
        max((number + A_PAGE - 1) // A_PAGE, 1),
    )


def counts(workshop_ids: Sequence[int], now: datetime) -> tuple[Counter[int], Counter[int]]:
    """How many people have a place, and for how many one is held or waits for its money, by workshop."""
    waits = (Booking.state == "awaiting_bank") | (Booking.state == "awaiting_invoice")
    is_held = (Attendee.state == "held") & (waits | (Booking.held_until > now))
    rows = db.session.execute(
        select(Attendee.workshop_id, Attendee.state, func.count())
        .join(Booking, Booking.id == Attendee.booking_id)
        .where(Attendee.workshop_id.in_(workshop_ids), (Attendee.state == "confirmed") | is_held)
        .group_by(Attendee.workshop_id, Attendee.state)
    ).all()
    sold = Counter({workshop: number for workshop, state, number in rows if state == "confirmed"})
    return sold, Counter({workshop: number for workshop, state, number in rows if state == "held"})


def _line(
    workshop: Workshop,
    sold: Counter[int],
    held: Counter[int],
    left: dict[int, int],
    waiting: Counter[int],
    linked: set[int],
    now: datetime,
) -> Line:
    coming = next((each for each in workshop.sessions if each.ends_at > now), None)
    is_online = workshop.format != "room" and workshop.status == "published"
    is_soon = coming is not None and coming.starts_at - now <= SOON
    return Line(
        workshop,
        sold[workshop.id],
        held[workshop.id],
        left.get(workshop.id),
        waiting[workshop.id],
        coming,
        publishing.missing(workshop, now) if workshop.status == "draft" else [],
        bool(is_online and is_soon and coming is not None and coming.id not in linked),
    )
