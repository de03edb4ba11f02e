"""What a player reports, written down: the door to `Viewing`."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from lib import db
from recordings import cutting, tabs, watching
from recordings.models import AccessWindow, Recording, Viewing
from recordings.tabs import Tab
from recordings.watching import Coverage, Span


def report(
    attendee_id: int, recording_id: int, tab: Tab, ranges: Sequence[Span], position: int | None, now: datetime
) -> tuple[Coverage, list[Span]]:
    """Note what a page played and where it stands; what is covered now, and what was more than it can have played.

    The window's row is locked first, so that two pages that report at once both add to what the other one left.
    """
    own = db.session.scalars(
        select(AccessWindow)
        .where(AccessWindow.attendee_id == attendee_id, AccessWindow.recording_id == recording_id)
        .with_for_update(of=AccessWindow)
    ).one()
    seconds = own.recording.seconds
    viewing = of_window(own.id)
    if viewing is None:
        viewing = Viewing(organiser_id=own.organiser_id, window_id=own.id, ranges=[], position=0, tabs={}, last_at=now)
        db.session.add(viewing)
    viewing.ranges, over = watching.add(viewing.ranges, ranges, seconds, tabs.most(viewing.tabs, tab, now))
    viewing.tabs = tabs.reported(viewing.tabs, tab, now)
    viewing.last_at = now
    if position is not None:
        viewing.position = min(position, seconds) if seconds else position
    db.session.flush()
    return watching.coverage(viewing.ranges, seconds), over


def carry(recording: Recording, before: Sequence[Sequence[int]]) -> None:
    """Another cut of the same film is shown, and the one until now kept the stretches `before`: what was watched, and
    where people left off, come to be the same moments in the new one.

    The windows are locked first, so that a page that reports meanwhile is either carried along or comes after.
    """
    wanted = select(AccessWindow.id).where(AccessWindow.recording_id == recording.id)
    ids = db.session.scalars(wanted.order_by(AccessWindow.id).with_for_update(of=AccessWindow)).all()
    seconds = recording.seconds
    for viewing in db.session.scalars(
        select(Viewing).where(Viewing.window_id.in_(ids)).execution_options(populate_existing=True)
    ):
        viewing.ranges = watching.merge((), cutting.carried(viewing.ranges, before, recording.kept), seconds)
        position = cutting.carried_to(viewing.position, before, recording.kept)
        viewing.position = min(position, seconds) if seconds else position
    db.session.flush()


def of_window(window_id: int) -> Viewing | None:
    """What is known of a window; read again from the database."""
    return db.session.scalars(
        select(Viewing).where(Viewing.window_id == window_id).execution_options(populate_existing=True)
    ).one_or_none()
