"""What every minute brings for recordings: whether they can be watched, whose time ends, and who missed a session."""

from datetime import datetime, timedelta

import urllib3
from flask import current_app

from lib import clock, db, web, work
from recordings import missed, outages, reminders, storage
from recordings.ranges import Piece

CHECK = "recordings.check"
REMIND = "recordings.remind"
# A restart takes a few seconds and is no outage.
TRIES = urllib3.Retry(3, backoff_factor=2, status_forcelist=[500, 502, 503, 504], raise_on_status=False)
SILENCE = timedelta(seconds=5)
ANSWERED = "site_answered"


def check(_task: work.Task, now: datetime) -> None:
    """See whether what is published can be read, and whether the site is ready; outages begin and end here."""
    watched = outages.watched_over(now)
    db.session.rollback()
    if not watched:
        return
    nothing = _not_ready()  # why no film can be watched at all
    found: dict[int, str] = {}
    for number, key, size in watched:
        asked_at = clock.machine_now()
        found[number] = nothing or _unreadable(key, size)
        if found[number] and clock.machine_now() - asked_at > SILENCE:
            nothing = "The store of films does not answer."  # asking it for each would keep letters waiting
    # What was replaced or taken back meanwhile tells nothing.
    still = {(number, key) for number, key, _ in outages.watched_over(now)}
    db.session.rollback()
    with db.writing():
        outages.note({number: found[number] for number, key, _ in watched if (number, key) in still}, now)


def database_back(task: work.Task, _now: datetime) -> None:
    """The database could not be asked for a while, so nothing could be watched, and no check could say so."""
    since, until = (datetime.fromisoformat(task.arguments[name]) for name in ("since", "until"))
    with db.writing():
        outages.was_down(since, until, "The database did not answer.")


def remind(_task: work.Task, now: datetime) -> None:
    """Write to those whose time ends soon, some people at a time, and see who missed a session."""
    with db.writing():
        missed.post(now)
    last: int | None = 0
    while last is not None:
        with db.writing():
            last = reminders.remind(now, last)


def cover(task: work.Task, now: datetime) -> None:
    """Tell those who missed a session that its recording is theirs."""
    with db.writing():
        missed.cover(int(task.arguments["session"]), now)


def _unreadable(key: str, size: int) -> str:
    """Why a film cannot be watched, without a word about where it is; nothing where its first and last byte come."""
    try:
        if (found := storage.size(key)) != size:
            return f"The film has {found} bytes in the store, and it should have {size}."
        for at in {0, size - 1}:
            if len(b"".join(storage.read(key, Piece(at, at)))) != 1:
                return "The film broke off while it was read."
    except OSError as problem:
        return f"The film could not be read ({type(problem).__name__})."
    return ""


def _not_ready() -> str:
    """Why the site is not ready, asked as anybody would ask it.

    Only a worker that was answered before can tell: for one that never was, the way there may be what is missing.
    """
    can_tell = bool(current_app.extensions.get(ANSWERED))
    try:
        answer = urllib3.request(
            "GET", web.url("health.readyz"), timeout=10, retries=TRIES if can_tell else False, redirect=False
        )
    except urllib3.exceptions.HTTPError:
        return "The site does not answer." if can_tell else ""
    if answer.status == 200:
        current_app.extensions[ANSWERED] = True
        return ""
    return f"The site says that it is not ready ({answer.status})." if can_tell else ""


HANDLERS: work.Handlers = {
    CHECK: check,
    REMIND: remind,
    missed.COVER: cover,
    work.BACK: database_back,
}
MINUTELY = (CHECK, REMIND)
