"""Who is told that their time to watch ends: a week before and a day before, each end once, and nobody who is done.

The windows that a letter named are marked with the end it named, under a lock, so that any number of workers write it
once. A window that has grown is told of again only when the new end is further away than the letter's own lead.
"""

from collections import defaultdict
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, contains_eager, joinedload

from bookings import joining
from bookings.models import Attendee, Booking
from courses.models import Workshop
from lib import db
from recordings import access, window_letters
from recordings.models import AccessWindow, Recording, Viewing
from recordings.window_letters import Left

WEEK, DAY = timedelta(days=7), timedelta(days=1)
FINISHED = 95  # per cent: the rest is the closing credits
AT_ONCE = 50  # people in one transaction, so that nobody who books waits for all the letters


def remind(now: datetime, after: int = 0) -> int | None:
    """Write to the next people whose time ends soon, by their ids from `after` on; the last id, None at the end."""
    people = list(
        db.session.scalars(
            select(AccessWindow.attendee_id)
            .join(Recording, Recording.id == AccessWindow.recording_id)
            .where(_is_near(now), Recording.state == "published", AccessWindow.attendee_id > after)
            .distinct()
            .order_by(AccessWindow.attendee_id)
            .limit(AT_ONCE)
        )
    )
    if not people:
        return None
    rows = db.session.execute(
        select(AccessWindow, Viewing, Attendee)
        .join(Recording, Recording.id == AccessWindow.recording_id)
        .join(Attendee, Attendee.id == AccessWindow.attendee_id)
        .outerjoin(Viewing, Viewing.window_id == AccessWindow.id)
        .where(AccessWindow.attendee_id.in_(people), _is_near(now), Recording.state == "published")
        .where(Attendee.state == "confirmed")
        .order_by(AccessWindow.closes_at, AccessWindow.id)
        .with_for_update(of=AccessWindow)
        .options(
            contains_eager(AccessWindow.recording).joinedload(Recording.session),
            joinedload(Attendee.booking).joinedload(Booking.organiser),
            joinedload(Attendee.workshop).selectinload(Workshop.sessions),
        )
        .execution_options(populate_existing=True)
    ).all()
    gone = joining.paid_back({attendee.booking.bill_id for _, _, attendee in rows})
    lefts: dict[int, list[Left]] = defaultdict(list)
    known: dict[int, Attendee] = {}
    for own, seen, attendee in rows:
        if attendee.booking.bill_id in gone:
            continue
        watched = access.watched(seen, own.recording)
        if _marked(own, now) and watched < FINISHED:
            lefts[attendee.id].append(Left(own.recording, own.closes_at, watched))
            known[attendee.id] = attendee
    for number, theirs in lefts.items():
        window_letters.closing(known[number], theirs, now)
    return people[-1]


def _is_near(now: datetime) -> ColumnElement[bool]:
    ends = AccessWindow.closes_at
    week = and_(ends > now + DAY, ends <= now + WEEK, _untold(AccessWindow.told_week))
    day = and_(ends > now, ends <= now + DAY, _untold(AccessWindow.told_day))
    return and_(AccessWindow.paused_at.is_(None), or_(week, day))


def _untold(told: InstrumentedAttribute[datetime | None]) -> ColumnElement[bool]:
    return or_(told.is_(None), told < AccessWindow.closes_at)


def _marked(own: AccessWindow, now: datetime) -> bool:
    """Mark the window's end as told; whether it is worth a letter.

    It is not where the window was opened, or an earlier letter was written, so late that it said the same.
    """
    is_last_day = own.closes_at <= now + DAY
    lead, told = (DAY, own.told_day) if is_last_day else (WEEK, own.told_week)
    own.told_week = own.closes_at
    if is_last_day:
        own.told_day = own.closes_at
    is_news = told is None or own.closes_at - told > lead
    return is_news and own.opens_at <= own.closes_at - lead - DAY
