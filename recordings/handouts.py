"""Handouts: kept for a workshop, and given to those whose place they go with, as long as the desk says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from bookings import invites, joining
from bookings.models import Attendee, Booking
from courses.models import TicketType, Workshop
from lib import db, links, web
from recordings.access import Shown
from recordings.handout_kinds import KINDS, Kind
from recordings.handout_models import Handout

MOST_HANDOUTS = 60


class TooManyHandouts(web.Refusal):
    """As many handouts as anybody looks through."""

    refusal = "too_many_handouts"
    title = "There is no room for another handout"


@dataclass(frozen=True)
class Given:
    """A handout as one attendee finds it: open now, `until` when (None: as long as the place is theirs)."""

    handout: Handout
    url: str
    until: datetime | None

    @property
    def kind(self) -> str:
        return KINDS[self.handout.kind].words

    @property
    def size(self) -> str:
        return in_words(self.handout.size)


def in_words(size: int) -> str:
    """A number of bytes for people: 1.2 MB, 40 kB."""
    return f"{size / 1_000_000:.1f} MB" if size >= 1_000_000 else f"{max(size // 1000, 1)} kB"


def of_workshop(workshop_id: int) -> list[Handout]:
    """All of a workshop's, those of the whole workshop first, then by session as they were added."""
    found = db.session.scalars(select(Handout).where(Handout.workshop_id == workshop_id).order_by(Handout.id))
    return sorted(found, key=lambda each: each.session_id or 0)


def add(
    workshop: Workshop,
    *,
    session_id: int | None,
    name: str,
    kind: Kind,
    key: str,
    size: int,
    access: str,
    until_at: datetime | None,
    now: datetime,
) -> Handout:
    """Keep a stored file as a handout. Raises TooManyHandouts."""
    if len(of_workshop(workshop.id)) >= MOST_HANDOUTS:
        raise TooManyHandouts(
            f"A workshop has room for {MOST_HANDOUTS}. Please remove one first, or put some together."
        )
    made = Handout(
        organiser_id=workshop.organiser_id,
        workshop_id=workshop.id,
        session_id=session_id,
        name=name,
        kind=kind.name,
        key=key,
        size=size,
        access=access,
        until_at=until_at,
        added_at=now,
    )
    db.session.add(made)
    db.session.flush()
    return made


def remove(handout: Handout) -> list[str]:
    """Forget a handout; returns the keys that are no longer needed."""
    db.session.delete(handout)
    return [handout.key]


def given(attendee: Attendee, shown: Sequence[Shown], now: datetime) -> list[Given]:
    """What an attendee can download now; `shown` are their recordings, which say how long those play."""
    if not has_place(attendee):
        return []
    own = {each.id for each in invites.sessions_of(attendee)}
    found = [each for each in of_workshop(attendee.workshop_id) if each.session_id is None or each.session_id in own]
    return [
        Given(each, url(attendee, each.id), until)
        for each in found
        for is_open, until in [opened(each, shown, now)]
        if is_open
    ]


def opened(handout: Handout, shown: Sequence[Shown], now: datetime) -> tuple[bool, datetime | None]:
    """Whether somebody with these recordings may have it now, and until when; exact to the second, as the film is."""
    if handout.access == "always":
        return True, None
    ends = [
        each.window.closes_at
        for each in shown
        if each.window and each.state == "open" and handout.session_id in (None, each.session.id)
    ]
    if handout.until_at is not None and now < handout.until_at:
        ends.append(handout.until_at)
    return bool(ends), max(ends, default=None)


def url(attendee: Attendee, handout_id: int) -> str:
    """The attendee's own address of a handout."""
    token = links.pair_token("handout", attendee.id, handout_id, attendee.link_version)
    return web.url("handouts.download", token=token)


def find(token: str) -> tuple[Attendee, Handout] | None:
    """Whose a link is and to what, or None for one that gives nothing: wrong, too old, or its place is gone."""
    pair = links.pair_of(token)
    if pair is None:
        return None
    attendee = db.session.scalars(
        select(Attendee)
        .where(Attendee.id == pair[0])
        .options(
            joinedload(Attendee.booking).joinedload(Booking.organiser),
            joinedload(Attendee.workshop).selectinload(Workshop.sessions),
            joinedload(Attendee.ticket).selectinload(TicketType.sessions),
        )
        .execution_options(populate_existing=True)
    ).one_or_none()
    if attendee is None or not links.verify_pair("handout", attendee.link_version, token) or not has_place(attendee):
        return None
    handout = db.session.scalars(
        select(Handout).where(Handout.id == pair[1], Handout.workshop_id == attendee.workshop_id)
    ).one_or_none()
    if handout is None:
        return None
    own = {each.id for each in invites.sessions_of(attendee)}
    return (attendee, handout) if handout.session_id is None or handout.session_id in own else None


def has_place(attendee: Attendee) -> bool:
    """Whether the place is theirs still: neither cancelled nor paid back."""
    return attendee.state == "confirmed" and not joining.paid_back([attendee.booking.bill_id])
