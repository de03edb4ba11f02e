"""One device at a time for a place, where its workshop says so: the page that was opened last is the one that plays.

Nothing is taken by opening a page, which scanners of letters do too: it is taken by its first piece of film. Older
pages are told who has it and can be opened anew, which takes it back.
"""

from datetime import datetime

from sqlalchemy import select

from bookings.models import Attendee
from lib import db, web, zones
from recordings.tabs import Tab
from recordings.window_models import Sitting


class WatchedElsewhere(web.Refusal):
    """A page that was opened later plays for this place."""

    status = 403
    refusal = "watched_elsewhere"
    title = "It is being watched on another device"


def plays(attendee: Attendee, tab: Tab) -> bool:
    """Whether this page plays already, so that nothing has to be written."""
    if not attendee.workshop.one_at_a_time:
        return True
    found = of_attendee(attendee.id)
    return found is not None and found.tab == tab.id and tab.id != ""


def take(attendee: Attendee, tab: Tab, now: datetime) -> None:
    """Let this page play, and no other of the place any more. Raises WatchedElsewhere for one that is not the newest.

    Two devices that begin at once: the row takes the page that was opened later, whichever comes first.
    """
    if not attendee.workshop.one_at_a_time:
        return
    if not tab.id:
        raise WatchedElsewhere("Please open the recording from your own page again.")
    row = db.insert_or(Sitting).values(
        organiser_id=attendee.organiser_id, attendee_id=attendee.id, tab=tab.id, opened_at=tab.opened_at, since=now
    )
    db.session.execute(
        row.on_conflict_do_update(
            index_elements=["attendee_id"],
            set_={"tab": row.excluded.tab, "opened_at": row.excluded.opened_at, "since": row.excluded.since},
            where=Sitting.opened_at < row.excluded.opened_at,
        )
    )
    newest = of_attendee(attendee.id)
    if newest is not None and newest.tab != tab.id:
        raise elsewhere(newest, attendee.booking.zone)


def refuse_elsewhere(attendee: Attendee, tab: Tab) -> None:
    """For what an open page reports: raises WatchedElsewhere once a newer one plays."""
    newest = of_attendee(attendee.id) if attendee.workshop.one_at_a_time else None
    if newest is not None and newest.tab != tab.id:
        raise elsewhere(newest, attendee.booking.zone)


def elsewhere(newest: Sitting, zone: str) -> WatchedElsewhere:
    """What the page is told that does not play any more."""
    return WatchedElsewhere(
        f"It was opened on another device and plays there since {zones.moment(newest.since, zone)}. Your place lets "
        "one device play at a time. Open this page again to go on here; the other one stops then."
    )


def of_attendee(attendee_id: int) -> Sitting | None:
    return db.session.scalars(
        select(Sitting).where(Sitting.attendee_id == attendee_id).execution_options(populate_existing=True)
    ).one_or_none()
