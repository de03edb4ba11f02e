"""Times at which nobody could watch a published recording, and what their end gives back.

An outage is open from the check that found the recording unreadable until one that can read it again. Its end adds its
length, rounded up to whole hours, to every window that was open meanwhile, once: the end is claimed by one UPDATE, the
recording is locked before its windows are looked for, and each window has one `Growth` of an outage.
See docs/decisions/0016-outages.md.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update

from bookings import joining
from bookings.models import Attendee
from courses import window
from courses.window import Window
from history import models as history
from lib import db, zones
from recordings import publishing, window_letters, windows
from recordings.models import AccessWindow, Recording
from recordings.window_models import Growth, Outage

Grown = dict[int, tuple[Attendee, list[tuple[Recording, AccessWindow]]]]


def watched_over(now: datetime) -> list[tuple[int, str, int]]:
    """Id, key and bytes of every recording that somebody may watch at `now`, or whose outage is open."""
    has_window = select(AccessWindow.id).where(AccessWindow.recording_id == Recording.id, AccessWindow.closes_at > now)
    has_outage = select(Outage.id).where(Outage.recording_id == Recording.id, Outage.ended_at.is_(None))
    is_watched = (Recording.state == "published") & has_window.exists()
    wanted = select(Recording.id, Recording.file, Recording.size).where(or_(is_watched, has_outage.exists()))
    return [(number, key, size) for number, key, size in db.session.execute(wanted.order_by(Recording.id))]


def note(found: Mapping[int, str], now: datetime) -> int:
    """Write down what a check found of recordings: why one cannot be watched, or nothing where it can.

    Outages are opened and closed by it; how many were closed.
    """
    open_ones = _open_ones(found)
    grown: Grown = {}
    closed = 0
    for recording_id, why in sorted(found.items()):
        if why and recording_id not in open_ones:
            _open(recording_id, why, now)
        elif not why and recording_id in open_ones:
            closed += _close(open_ones[recording_id], recording_id, now, grown)
    _tell(grown, now)
    return closed


def _open_ones(found: Iterable[int]) -> dict[int, int]:
    """The open outage of each recording that has one."""
    wanted = select(Outage).where(Outage.recording_id.in_(sorted(found)), Outage.ended_at.is_(None))
    return {each.recording_id: each.id for each in db.session.scalars(wanted)}


def was_down(since: datetime, until: datetime, why: str) -> None:
    """Nothing at all could be watched between two instants, and nobody could write that down meanwhile.

    Every worker that saw it may say so: what overlaps an outage that is known adds nothing.
    """
    grown: Grown = {}
    for recording_id, _, _ in watched_over(since):
        publishing.locked(recording_id)  # workers that tell the same come one after the other
        overlaps = select(Outage.id).where(
            Outage.recording_id == recording_id,
            Outage.began_at < until,
            or_(Outage.ended_at.is_(None), Outage.ended_at > since),
        )
        if db.session.scalar(overlaps.limit(1)) is None and (number := _open(recording_id, why, since)):
            _close(number, recording_id, until, grown)
    _tell(grown, until)


def _open(recording_id: int, why: str, now: datetime) -> int | None:
    recording = publishing.locked(recording_id)
    number: int | None = db.session.execute(
        db.insert_or(Outage)
        .values(organiser_id=recording.organiser_id, recording_id=recording_id, began_at=now, why=why[:300])
        .on_conflict_do_nothing(index_elements=["recording_id"], index_where=Outage.ended_at.is_(None))
        .returning(Outage.id)
    ).scalar()
    if number is not None:
        _record(recording, "outage_began", now, {"why": why[:300]})
    return number


def _close(number: int, recording_id: int, now: datetime, grown: Grown) -> int:
    """End an outage and let windows grow, unless another worker did; adds to `grown`. 1 when it was this one."""
    recording = publishing.locked(recording_id)
    began_at = _claim(number, now)
    if began_at is None:
        return 0
    hours = window.hours(began_at, now)
    more = timedelta(hours=hours)
    people = 0
    for own, attendee in windows.of_recording(recording_id):
        if not window.was_open(Window(own.opens_at, own.closes_at), began_at, now) or _stood_still(own, began_at):
            continue
        before = own.closes_at
        own.closes_at = before + more
        db.session.add(
            Growth(
                organiser_id=own.organiser_id, outage_id=number, window_id=own.id, before=before, after=own.closes_at
            )
        )
        facts = {"hours": hours, "session": recording.session.number, "outage": number, "window": own.id}
        windows.record(attendee, "window_grown", own, before, now, "worker", facts)
        grown.setdefault(attendee.id, (attendee, []))[1].append((recording, own))
        people += 1
    if recording.closes_at and recording.closes_at > began_at and not recording.paused_at:
        recording.closes_at += more
        publishing.tell_catalogue(recording)
    db.session.flush()
    _record(recording, "outage_ended", now, {"hours": hours, "people": people, "began_at": zones.z(began_at)})
    return 1


def _claim(number: int, now: datetime) -> datetime | None:
    """When the outage began, for the one worker that ends it; None for every other, and in its first instant."""
    began_at = db.session.scalars(select(Outage.began_at).where(Outage.id == number)).one()
    mine = db.session.scalar(
        update(Outage)
        .where(Outage.id == number, Outage.ended_at.is_(None), Outage.began_at < now)
        .values(ended_at=now, hours=window.hours(began_at, now))
        .returning(Outage.id)
        .execution_options(synchronize_session=False)
    )
    return began_at if mine is not None else None


def _stood_still(own: AccessWindow, began_at: datetime) -> bool:
    """Whether the window was paused before the outage began, so that it took nothing from it."""
    return own.paused_at is not None and own.paused_at <= began_at


def _tell(grown: Grown, now: datetime) -> None:
    """One letter to each person whose windows grew, however many recordings they are of."""
    gone = joining.paid_back({attendee.booking.bill_id for attendee, _ in grown.values()}) if grown else set()
    for attendee, theirs in grown.values():
        shown = [(recording, own) for recording, own in theirs if recording.state == "published" and not own.paused_at]
        if shown and attendee.state == "confirmed" and attendee.booking.bill_id not in gone:
            window_letters.longer(attendee, shown, "outage", now)


def _record(recording: Recording, verb: str, now: datetime, facts: dict[str, object]) -> None:
    history.record(
        f"recording:{recording.id}",
        verb,
        at=now,
        actor="worker",
        organiser_id=recording.organiser_id,
        facts={"session": recording.session.number, **facts},
    )


def of_recordings(ids: list[int]) -> dict[int, list[Outage]]:
    """The outages of each recording, newest first."""
    found: dict[int, list[Outage]] = defaultdict(list)
    for each in db.session.scalars(
        select(Outage).where(Outage.recording_id.in_(ids)).order_by(Outage.began_at.desc(), Outage.id.desc())
    ):
        found[each.recording_id].append(each)
    return found
