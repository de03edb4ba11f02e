"""Whoever was not seen at a live session hears within the hour that its recording is theirs.

Only where the door was ours: joining is what shows who came. Nobody in a room, and nobody who has the recording alone.
"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from bookings import joining
from bookings.models import Attendee, Booking, Joining
from courses import schedule
from courses.models import TicketType, Workshop, WorkshopSession
from history import models as history
from history.models import Entry
from lib import db, work, zones
from recordings import access, window_letters

COVER = "recordings.cover"
TOLD = "told_covered"
AFTER = timedelta(minutes=15)  # sessions run over
UP_TO = timedelta(hours=12)  # a worker that was away: later it is no news


def post(now: datetime) -> None:
    """A job for each session that has ended and was recorded; for each end of it one, however often this is called."""
    ended = db.session.execute(
        select(WorkshopSession.id, WorkshopSession.ends_at)
        .join(Workshop, Workshop.id == WorkshopSession.workshop_id)
        .where(
            WorkshopSession.ends_at <= now - AFTER,
            WorkshopSession.ends_at > now - UP_TO,
            WorkshopSession.cancelled_at.is_(None),
            WorkshopSession.is_recorded,
            WorkshopSession.watchable_from.is_(None),
            Workshop.status == "published",
            Workshop.catch_up_offered,
            Workshop.format != "room",
        )
        .order_by(WorkshopSession.id)
    )
    for number, ends_at in ended:
        key = f"{COVER}:{number}:{zones.z(ends_at)}"
        work.post(COVER, f"session:{number}", now, {"session": number}, dedupe_key=key)


def cover(session_id: int, now: datetime) -> int:
    """Write to everybody who missed the session and was not written to yet; how many."""
    there = select(WorkshopSession.workshop_id).where(WorkshopSession.id == session_id)
    schedule.hold_still(Workshop.id.in_(there))  # one worker at a time, and nobody moves the session
    session = db.session.get_one(WorkshopSession, session_id, populate_existing=True)
    if session.cancelled_at or session.watchable_from or not now - UP_TO < session.ends_at <= now - AFTER:
        return 0
    came = select(Joining.id).where(Joining.attendee_id == Attendee.id, Joining.session_id == session_id)
    missing = db.session.scalars(
        select(Attendee)
        .where(Attendee.workshop_id == session.workshop_id, Attendee.state == "confirmed", ~came.exists())
        .order_by(Attendee.id)
        .options(
            joinedload(Attendee.booking).joinedload(Booking.organiser),
            joinedload(Attendee.workshop).selectinload(Workshop.sessions),
            joinedload(Attendee.ticket).selectinload(TicketType.sessions),
        )
        .execution_options(populate_existing=True)
    ).all()
    gone = joining.paid_back({each.booking.bill_id for each in missing})
    abouts = [f"attendee:{each.id}" for each in missing]
    told = db.session.execute(select(Entry.about, Entry.facts).where(Entry.about.in_(abouts), Entry.verb == TOLD))
    known = {about for about, facts in told if facts.get("session_id") == session_id}
    written = 0
    for each in missing:
        about = f"attendee:{each.id}"
        is_due = each.booking.bill_id not in gone and about not in known and _was_to_come(each, session)
        if is_due:
            facts = {"session": session.number, "session_id": session_id}
            history.record(about, TOLD, at=now, actor="worker", organiser_id=each.organiser_id, facts=facts)
            window_letters.covered(each, session, now)
            written += 1
    return written


def _was_to_come(attendee: Attendee, session: WorkshopSession) -> bool:
    """Whether the attendee could have come through our door, and has the recording."""
    ticket, workshop = attendee.ticket, attendee.workshop
    is_in_time = attendee.confirmed_at is not None and attendee.confirmed_at <= session.ends_at
    is_online = joining.admits_online(attendee) and not ticket.is_in_room
    return workshop.status == "published" and is_in_time and is_online and access.is_meant_for(session, attendee)
