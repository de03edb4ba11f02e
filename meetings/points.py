"""Where a session meets: a pasted link, and numbers to dial. Shown to nobody but through the door of a session."""

import ipaddress
from collections.abc import Collection
from datetime import datetime
from urllib.parse import urlsplit

from flask import current_app
from sqlalchemy import delete, select

from courses.models import WorkshopSession
from history import models as history
from lib import db
from lib.forms import one_line
from meetings.models import MeetingPoint

LONGEST_URL = 2000
LONGEST_PASSCODE = 40
MOST_NUMBERS = 12
LONGEST_NUMBER = 120


class PointRefused(ValueError):
    """What was typed is no way into a meeting; `field` is url, phone_numbers or passcode."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def set_point(
    session: WorkshopSession, *, url: str, phone_numbers: str = "", passcode: str = "", actor: str, now: datetime
) -> None:
    """Write down where `session` meets, in place of what stood there. Raises PointRefused and changes nothing.

    The history keeps that it was changed, never to what.
    """
    values = {
        "url": checked_url(url),
        "phone_numbers": checked_numbers(phone_numbers),
        "passcode": _checked_passcode(passcode),
        "changed_at": now,
    }
    row = db.insert_or(MeetingPoint).values(organiser_id=session.organiser_id, session_id=session.id, **values)
    db.session.execute(row.on_conflict_do_update(index_elements=["session_id"], set_=values))
    _remember(session, "meeting_point_set", actor, now)


def clear_point(session: WorkshopSession, *, actor: str, now: datetime) -> None:
    """Take the meeting point of `session` away; nothing happens when it has none."""
    gone = db.session.execute(
        delete(MeetingPoint).where(MeetingPoint.session_id == session.id).returning(MeetingPoint.id)
    )
    if gone.first():
        _remember(session, "meeting_point_cleared", actor, now)


def of_session(session_id: int) -> MeetingPoint | None:
    """Where a session meets, as the row stands now."""
    return db.session.scalars(
        select(MeetingPoint).where(MeetingPoint.session_id == session_id).execution_options(populate_existing=True)
    ).one_or_none()


def with_points(session_ids: Collection[int]) -> set[int]:
    """Which of these sessions have a meeting point."""
    known = select(MeetingPoint.session_id).where(MeetingPoint.session_id.in_(session_ids))
    return set(db.session.scalars(known))


def checked_url(text: str) -> str:
    """A link as it is stored: https, one line; in the demo also http on this machine. Raises PointRefused."""
    typed = text.strip()
    if not typed:
        raise PointRefused("url", "Please paste the meeting's link. It begins with https://.")
    if any(not c.isprintable() or c.isspace() for c in typed) or typed != one_line(typed):
        raise PointRefused("url", "A link is one line without spaces. Please paste the meeting's link alone.")
    if len(typed) > LONGEST_URL:
        raise PointRefused("url", f"This link is longer than {LONGEST_URL} characters. Please paste the meeting's own.")
    try:
        parts = urlsplit(typed)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or "\\" in typed:
        raise PointRefused("url", "This is not a whole link. One looks like https://zoom.us/j/123456789.")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_demo() and _is_loopback(host)):
        raise PointRefused("url", "A meeting's link begins with https://. This one does not.")
    if parts.username is not None or parts.password is not None:
        raise PointRefused("url", "A link with a name or a password before the @ opens nothing safely. Leave that out.")
    return typed


def checked_numbers(text: str) -> str:
    """Numbers to dial, one a line, without control characters. Raises PointRefused."""
    lines = [line for each in text.replace("\r\n", "\n").replace("\r", "\n").split("\n") if (line := one_line(each))]
    if len(lines) > MOST_NUMBERS:
        raise PointRefused("phone_numbers", f"Please give at most {MOST_NUMBERS} telephone numbers, one a line.")
    if any(len(line) > LONGEST_NUMBER for line in lines):
        raise PointRefused("phone_numbers", f"A line with a telephone number has at most {LONGEST_NUMBER} characters.")
    return "\n".join(lines)


def _checked_passcode(text: str) -> str:
    typed = one_line(text)
    if len(typed) > LONGEST_PASSCODE:
        raise PointRefused("passcode", f"A passcode has at most {LONGEST_PASSCODE} characters.")
    return typed


def _is_demo() -> bool:
    return str(current_app.config["COLLOQUY_DEMO"]) == "1"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _remember(session: WorkshopSession, verb: str, actor: str, now: datetime) -> None:
    history.record(f"session:{session.id}", verb, at=now, actor=actor, organiser_id=session.organiser_id)
