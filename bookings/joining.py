"""Being in the room at the right hour: which session an attendee can go to at a moment, and that they went."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Literal

from sqlalchemy import select

from bookings import invites
from bookings.models import Attendee, Joining
from courses.models import Workshop, WorkshopSession
from history import models as history
from history.models import Entry
from lib import db, web, work, zones
from payments import disputes, ledger

MISSING_POINT = "bookings.missing_point"
ASKED = "meeting_point_missing"
State = Literal["early", "open", "over", "cancelled", "in_a_room"]


class WindowNotOpen(web.Refusal):
    status = 403
    refusal = "window_not_open"
    title = "The room is not open yet"


class WindowClosed(web.Refusal):
    status = 403
    refusal = "window_closed"
    title = "This session is over"


class MeetsInARoom(web.Refusal):
    status = 409
    refusal = "meets_in_a_room"
    title = "This workshop meets in a room"


class NoMeetingPoint(web.Refusal):
    status = 409
    refusal = "no_meeting_point"
    title = "The way in is still missing"


class WorkshopOff(web.Refusal):
    status = 410
    refusal = "workshop_cancelled"
    title = "This workshop was cancelled"


@dataclass(frozen=True)
class Room:
    """The session an attendee is let into or waits for at `now`; none when all of theirs are over."""

    state: State
    now: datetime
    session: WorkshopSession | None
    sessions: list[WorkshopSession]
    opens_at: datetime | None

    refusals: ClassVar[dict[State, type[web.Refusal]]] = {
        "early": WindowNotOpen,
        "over": WindowClosed,
        "cancelled": WorkshopOff,
        "in_a_room": MeetsInARoom,
    }

    @property
    def others(self) -> list[WorkshopSession]:
        return [each for each in self.sessions if each is not self.session]

    @property
    def has_begun(self) -> bool:
        return self.session is not None and self.session.starts_at <= self.now

    @property
    def seconds_to_opening(self) -> int:
        """Whole seconds, never too few: a room that opens in half a second is not open."""
        return _seconds(self.opens_at - self.now) if self.opens_at else 0

    @property
    def to_opening(self) -> str:
        return in_words(self.seconds_to_opening)

    @property
    def to_start(self) -> str:
        return in_words(_seconds(self.session.starts_at - self.now)) if self.session else ""


def opens_at(session: WorkshopSession, workshop: Workshop) -> datetime:
    """The first instant at which the room of `session` lets people in."""
    return session.starts_at - timedelta(minutes=max(workshop.join_opens_minutes, 0))


def admits_online(attendee: Attendee) -> bool:
    """Whether the attendee's ticket is for meetings that one joins over the network."""
    return attendee.ticket.includes_live and attendee.workshop.format != "room"


def comes(attendee: Attendee) -> bool:
    """Whether the attendee has a place that has not been taken back or paid back."""
    bill_id = attendee.booking.bill_id
    return attendee.state == "confirmed" and bill_id not in paid_back([bill_id])


def paid_back(bill_ids: Collection[int]) -> set[int]:
    """Which of these bills got all of their money back: from here, or from the payer's bank where the organiser lets
    nobody in for that."""
    back = {bill_id for bill_id, balance in ledger.balances(bill_ids).items() if balance.is_all_back}
    return back | disputes.barring(bill_ids)


def room_of(attendee: Attendee, now: datetime) -> Room:
    """Where the attendee stands: in front of the session that runs or comes next among those the ticket admits to."""
    workshop = attendee.workshop
    sessions = sorted(invites.sessions_of(attendee), key=lambda each: (each.starts_at, each.number))
    session = next((each for each in sessions if each.ends_at > now), None)
    opening = opens_at(session, workshop) if session else None
    state: State = "over"
    if workshop.status == "cancelled" or not sessions:
        state = "cancelled"
    elif workshop.format == "room":
        state = "in_a_room"
    elif opening is not None:
        state = "open" if opening <= now else "early"
    return Room(state, now, session, sessions, opening)


def refusal(room: Room, zone: str) -> web.Refusal:
    """Why nobody is let in, said in the attendee's zone. For a room that is open: that its way in is missing."""
    if room.state == "open":
        return NoMeetingPoint("The organiser has not entered the meeting's address yet. We have written to them.")
    kind = room.refusals[room.state]
    if room.state == "early" and room.opens_at:
        return kind(f"It opens on {zones.moment(room.opens_at, zone)}.")
    if room.state == "over":
        ended = max(each.ends_at for each in room.sessions)
        return kind(f"It ended on {zones.moment(ended, zone)}.")
    if room.state == "cancelled":
        return kind("The organiser has called it off; our letter about it says what happens to your money.")
    return kind("There is nothing to join over the network: your place's page has the address and how to get there.")


def note(attendee: Attendee, session: WorkshopSession, now: datetime) -> None:
    """Write down that the attendee went in; the first time the history says so too. Two at once make one row."""
    row = db.insert_or(Joining).values(
        organiser_id=attendee.organiser_id,
        attendee_id=attendee.id,
        session_id=session.id,
        first_at=now,
        last_at=now,
        times=1,
    )
    times = db.session.scalar(
        row.on_conflict_do_update(
            index_elements=["attendee_id", "session_id"],
            set_={"last_at": row.excluded.last_at, "times": Joining.times + 1},
        ).returning(Joining.times)
    )
    if times == 1:
        history.record(
            f"attendee:{attendee.id}",
            "joined",
            at=now,
            actor="attendee",
            organiser_id=attendee.organiser_id,
            facts={"session": session.id, "number": session.number},
        )


def ask_organiser(session: WorkshopSession, now: datetime, *, actor: str = "attendee") -> None:
    """Have the organiser told, once a session, that its meeting has no address."""
    if asked_at(session.id) is not None:
        return
    work.post(
        MISSING_POINT,
        f"session:{session.id}",
        now,
        {"session": session.id},
        dedupe_key=f"missing-point:{session.id}",
    )
    history.record(f"session:{session.id}", ASKED, at=now, actor=actor, organiser_id=session.organiser_id)


def asked_at(session_id: int) -> datetime | None:
    """When the organiser was told that the session's meeting point is missing."""
    told = select(Entry.at).where(Entry.about == f"session:{session_id}", Entry.verb == ASKED)
    return db.session.scalar(told.order_by(Entry.id).limit(1))


def in_words(seconds: int) -> str:
    """A stretch of time as one counts it: days from two on, hours from two on, else minutes, begun ones counted."""
    minutes = (seconds + 59) // 60
    if minutes >= 48 * 60:
        return f"{minutes // (24 * 60)} days"
    if minutes > 120:
        return f"{minutes // 60} hours"
    return "1 minute" if minutes == 1 else f"{minutes} minutes"


def _seconds(left: timedelta) -> int:
    return max(-(-left // timedelta(seconds=1)), 0)
