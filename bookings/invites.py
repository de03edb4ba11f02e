"""Invites: one calendar entry per attendee and session, its UID for ever, its SEQUENCE stored (RFC 5545 3.8.7.4)."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit
from uuid import uuid4

from flask import current_app

from bookings.models import Attendee, SentInvite
from courses.models import WorkshopSession
from lib import calendars, db, web, zones

MOST_INVITES = 12  # above that a person's calendar is better served by the file of all sessions


def sessions_of(attendee: Attendee) -> list[WorkshopSession]:
    """The sessions the attendee's ticket admits to that take place, in order."""
    admitted = attendee.ticket.sessions or attendee.workshop.sessions
    return [each for each in admitted if each.cancelled_at is None]


def make(attendee: Attendee, now: datetime) -> list[SentInvite]:
    """Write down the attendee's invites, once; later calls return the same ones. Who only watches has none."""
    known = {invite.session_id for invite in attendee.invites}
    host = urlsplit(str(current_app.config["BASE_URL"])).hostname
    for session in sessions_of(attendee) if attendee.ticket.includes_live else ():
        if session.id not in known:
            attendee.invites.append(
                SentInvite(
                    organiser_id=attendee.organiser_id,
                    session_id=session.id,
                    uid=f"{uuid4().hex}@{host}",
                    stamp=now,
                    starts_at=session.starts_at,
                    ends_at=session.ends_at,
                )
            )
    db.session.flush()
    return sorted(attendee.invites, key=lambda invite: invite.starts_at)


def raise_for(attendee: Attendee, session: WorkshopSession, now: datetime) -> None:
    """The session has other times: the same entry, one sequence on (RFC 5546 2.1.4)."""
    make(attendee, now)
    invite = _of(attendee, session)
    if (invite.starts_at, invite.ends_at) != (session.starts_at, session.ends_at):
        invite.sequence, invite.stamp = invite.sequence + 1, now
        invite.starts_at, invite.ends_at = session.starts_at, session.ends_at
        db.session.flush()


def withdrawable(attendee: Attendee, sessions: Sequence[WorkshopSession]) -> list[WorkshopSession]:
    """Those of the sessions that the attendee was sent an entry for, and no withdrawal of it yet."""
    there = {each.session_id for each in attendee.invites if not each.is_withdrawn}
    return [each for each in sessions if each.id in there]


def withdraw(attendee: Attendee, sessions: Sequence[WorkshopSession], now: datetime) -> list[WorkshopSession]:
    """These entries are to leave the calendar: one sequence on, once each. Those that were there to be withdrawn."""
    found = withdrawable(attendee, sessions)
    for session in found:
        invite = _of(attendee, session)
        invite.sequence, invite.stamp, invite.is_withdrawn = invite.sequence + 1, now, True
    db.session.flush()
    return found


def withdrawal(attendee: Attendee, session: WorkshopSession) -> bytes:
    """The CANCEL that takes a withdrawn entry out of the calendar (RFC 5546 3.2.5)."""
    return calendars.invite(_happening(attendee, session), _organiser(attendee), _person(attendee), "CANCEL")


def request(attendee: Attendee, session: WorkshopSession) -> bytes:
    """The REQUEST that goes with a letter: this attendee alone, no meeting address, no personal link."""
    return calendars.invite(_happening(attendee, session), _organiser(attendee), _person(attendee), "REQUEST")


def download(attendee: Attendee, session: WorkshopSession) -> bytes:
    """The same entry as a file without a method: opening it adds or replaces the entry and asks for no answer."""
    return calendars.invite(_happening(attendee, session), _organiser(attendee), _person(attendee), None)


def all_sessions(attendee: Attendee) -> bytes:
    """Every session of the attendee in one file to import, with the UIDs of their invites."""
    happenings = [_happening(attendee, session) for session in sessions_of(attendee)]
    return calendars.listing(happenings, attendee.workshop.title)


def _happening(attendee: Attendee, session: WorkshopSession) -> calendars.Happening:
    workshop = attendee.workshop
    invite = _of(attendee, session)
    many = len(workshop.sessions)
    page = web.url("courses.workshop", slug=workshop.slug)
    lines = [zones.line(invite.starts_at, invite.ends_at, session.zone)]
    if session.title:
        lines.append(session.title)
    lines.append("Your own page for the day is linked in our letter to you.")
    lines.append(page)
    return calendars.Happening(
        uid=invite.uid,
        starts_at=invite.starts_at,
        ends_at=invite.ends_at,
        stamp=invite.stamp,
        summary=f"{workshop.title} ({session.number} of {many})" if many > 1 else workshop.title,
        description="\n".join(lines),
        location=_location(attendee),
        url=page,
        sequence=invite.sequence,
        is_cancelled=invite.is_withdrawn,
        organiser=_organiser(attendee),
    )


def _of(attendee: Attendee, session: WorkshopSession) -> SentInvite:
    return next(each for each in attendee.invites if each.session_id == session.id)


def _location(attendee: Attendee) -> str:
    venue = attendee.workshop.venue
    return f"{venue.name}, {venue.address}" if venue else "Online via Zoom"


def _organiser(attendee: Attendee) -> calendars.Person:
    organiser = attendee.booking.organiser
    return calendars.Person(organiser.name, organiser.email)


def _person(attendee: Attendee) -> calendars.Person:
    return calendars.Person(attendee.name, attendee.email)
