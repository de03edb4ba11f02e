"""Windows moved by hand: more days, a pause, and going on, for one person or for all. The writer of AccessWindow's end.

Publishing makes windows, the end of an outage adds to them (`outages.py`), everything else that changes one is here.
The recording is locked first, as publishing does, so that nobody who comes meanwhile is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from bookings import joining
from bookings.models import Attendee, Booking
from courses import window
from courses.models import Workshop
from courses.window import Window
from history import models as history
from lib import db, web, zones
from recordings import access, publishing, window_letters
from recordings.models import AccessWindow, Recording

Act = Literal["extend", "pause", "resume"]
DEEDS: dict[Act, str] = {"extend": "window_extended", "pause": "window_paused", "resume": "window_resumed"}


class NothingToChange(web.Refusal):
    """No window is in a state in which this could be done."""

    status = 409
    refusal = "nothing_to_change"
    title = "Nothing was changed"


@dataclass(frozen=True)
class Wish:
    """What the team wants of windows, and why; `days` only to extend."""

    act: Act
    why: str
    days: int = 0


def change_one(window_id: int, wish: Wish, *, actor: str, now: datetime) -> None:
    """Do it to one person's window, with a letter to them. Raises NothingToChange."""
    recording_id = db.session.scalars(select(AccessWindow.recording_id).where(AccessWindow.id == window_id)).one()
    recording = publishing.locked(recording_id)
    if not _change(recording, wish, actor, now, only=window_id):
        raise NothingToChange(_SAID[wish.act])


def change_all(recording_id: int, wish: Wish, *, actor: str, now: datetime) -> int:
    """Do it to every window of a recording that it can be done to, and to what everybody who comes later is given.

    How many windows that were. A pause that one person was given by name goes on. Raises NothingToChange.
    """
    recording = publishing.locked(recording_id)
    if recording.closes_at is None:
        raise NothingToChange("The recording is not published yet, so nobody has a window.")
    if wish.act == "pause" and recording.paused_at:
        raise NothingToChange("It is paused for everybody already.")
    if wish.act == "resume" and not recording.paused_at:
        raise NothingToChange("It is not paused for everybody.")
    zone, paused_at = access.zone_of(recording), recording.paused_at
    changed = _change(recording, wish, actor, now)
    if wish.act == "extend":
        recording.closes_at = window.extended(recording.closes_at, wish.days, zone, paused_at or now)
    elif wish.act == "pause":
        recording.paused_at = now
    elif paused_at:
        recording.paused_at = None
        if paused_at < recording.closes_at:
            recording.closes_at = window.resumed(recording.closes_at, paused_at, now)
    publishing.tell_catalogue(recording)
    facts = {"why": wish.why, "people": len(changed), **({"days": wish.days} if wish.act == "extend" else {})}
    history.record(
        f"recording:{recording.id}",
        DEEDS[wish.act],
        at=now,
        actor=actor,
        organiser_id=recording.organiser_id,
        facts={**facts, "session": recording.session.number},
    )
    return len(changed)


_SAID: dict[Act, str] = {
    "extend": "There is no window to extend.",
    "pause": "These days are paused already, or they are over. More days can be given instead.",
    "resume": "These days are not paused.",
}


def _change(
    recording: Recording, wish: Wish, actor: str, now: datetime, *, only: int | None = None
) -> list[tuple[AccessWindow, Attendee]]:
    found = [
        (own, attendee)
        for own, attendee in of_recording(recording.id, only)
        if _can(own, wish.act, now) and (only or _is_for_all(own, recording, wish.act))
    ]
    zone = access.zone_of(recording)
    for own, attendee in found:
        before = own.closes_at
        if wish.act == "extend":
            own.closes_at = window.extended(before, wish.days, zone, own.paused_at or now)
            own.extended_why = wish.why
        elif wish.act == "pause":
            own.paused_at, own.paused_why = now, wish.why
        elif own.paused_at:
            own.closes_at = window.resumed(before, own.paused_at, now)
            own.paused_at, own.paused_why = None, ""
        facts = {"why": wish.why, "session": recording.session.number, "window": own.id}
        record(attendee, DEEDS[wish.act], own, before, now, actor, facts)
    db.session.flush()
    gone = joining.paid_back({attendee.booking.bill_id for _, attendee in found})
    for own, attendee in found:
        if attendee.state == "confirmed" and attendee.booking.bill_id not in gone and recording.state == "published":
            window_letters.changed(attendee, recording, own, wish.act, now)
    return found


def _can(own: AccessWindow, act: Act, now: datetime) -> bool:
    if act == "pause":
        return own.paused_at is None and window.plays(Window(own.opens_at, own.closes_at), now)
    return own.paused_at is not None if act == "resume" else True


def _is_for_all(own: AccessWindow, recording: Recording, act: Act) -> bool:
    """Whether what is done to everybody's windows is done to this one: a pause of one's own outlasts everybody's."""
    if act != "resume" or own.paused_at is None:
        return True
    return recording.paused_at is not None and own.paused_at >= recording.paused_at


def of_recording(recording_id: int, only: int | None = None) -> Sequence[tuple[AccessWindow, Attendee]]:
    """The windows of a recording, locked, each with its attendee; one of them alone if asked."""
    wanted = (
        select(AccessWindow, Attendee)
        .join(Attendee, Attendee.id == AccessWindow.attendee_id)
        .where(AccessWindow.recording_id == recording_id)
        .order_by(AccessWindow.id)
        .with_for_update(of=AccessWindow)
        .options(
            joinedload(Attendee.booking).joinedload(Booking.organiser),
            joinedload(Attendee.workshop).selectinload(Workshop.sessions),
        )
        .execution_options(populate_existing=True)
    )
    if only is not None:
        wanted = wanted.where(AccessWindow.id == only)
    return [(own, attendee) for own, attendee in db.session.execute(wanted)]


def record(
    attendee: Attendee,
    verb: str,
    own: AccessWindow,
    before: datetime,
    now: datetime,
    actor: str,
    facts: Mapping[str, Any],
) -> None:
    """Say in the attendee's history what became of a window."""
    ends = {}
    if own.closes_at != before:
        until = zones.moment(own.closes_at, access.zone_of(own.recording))
        ends = {"closed_at": zones.z(before), "closes_at": zones.z(own.closes_at), "until": until}
    history.record(
        f"attendee:{attendee.id}",
        verb,
        at=now,
        actor=actor,
        organiser_id=attendee.organiser_id,
        facts={**facts, **ends},
    )
