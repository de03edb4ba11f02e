"""What is taught, when, by whom, for how much, and how many places there are."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lib import db
from lib.db import Owned, pair, same_organiser

REMINDERS = (7 * 24 * 60, 24 * 60, 60)  # minutes before a session, elapsed


def _link(name: str, left: str, right: str) -> Table:
    """A plain join of two rows of one organiser."""
    return Table(
        name,
        db.Base.metadata,
        Column("organiser_id", db.BIG, nullable=False),
        Column(f"{left}_id", db.BIG, primary_key=True),
        Column(f"{right}_id", db.BIG, primary_key=True),
        same_organiser(f"{left}_id", left),
        same_organiser(f"{right}_id", right),
        Index(f"ix_{name}_{right}_id", f"{right}_id"),
    )


workshop_presenter = _link("workshop_presenter", "workshop", "presenter")
ticket_session = _link("ticket_session", "ticket_type", "workshop_session")
ticket_pool = _link("ticket_pool", "ticket_type", "pool")
question_ticket = _link("question_ticket", "question", "ticket_type")
bundle_ticket = _link("bundle_ticket", "bundle", "ticket_type")


class Presenter(Owned, db.Base):
    """Somebody who teaches."""

    __tablename__ = "presenter"
    __table_args__ = (UniqueConstraint("organiser_id", "slug"), pair("presenter"))

    slug: Mapped[str] = mapped_column(String(80))
    name: Mapped[str] = mapped_column(String(200))
    about: Mapped[str] = mapped_column(Text, default="")


class Venue(Owned, db.Base):
    """A room people travel to."""

    __tablename__ = "venue"
    __table_args__ = (pair("venue"),)

    name: Mapped[str] = mapped_column(String(200))
    address: Mapped[str] = mapped_column(String(300))
    access: Mapped[str] = mapped_column(Text, default="")


class Course(Owned, db.Base):
    """What is taught, whatever the date."""

    __tablename__ = "course"
    __table_args__ = (pair("course"),)

    slug: Mapped[str] = mapped_column(String(120), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    summary: Mapped[str] = mapped_column(String(500))
    description: Mapped[str] = mapped_column(Text, default="")
    topic: Mapped[str] = mapped_column(String(40), default="")
    audience: Mapped[str] = mapped_column(Text, default="")
    outcomes: Mapped[str] = mapped_column(Text, default="")

    workshops: Mapped[list["Workshop"]] = relationship(back_populates="course", order_by="Workshop.starts_at")


class Workshop(Owned, db.Base):
    """One delivery of a course on dates: the catalogue's unit.

    `starts_at` and `ends_at` are its first session's start and its last one's end, kept beside the sessions so that
    lists can be sorted by the database; `schedule.set_sessions` is their only writer. `policy_id` is any version of the
    policy it goes by, which is sold in its newest; without one it goes by its organiser's default.
    """

    __tablename__ = "workshop"
    __table_args__ = (
        pair("workshop"),
        same_organiser("course_id", "course"),
        same_organiser("venue_id", "venue"),
        same_organiser("policy_id", "policy"),
        CheckConstraint("status IN ('draft', 'published', 'cancelled')", name="status"),
        CheckConstraint("format IN ('online_live', 'online_course', 'online_series', 'hybrid', 'room')", name="format"),
        Index("ix_workshop_status_ends_at", "status", "ends_at"),
    )

    course_id: Mapped[db.Ref] = mapped_column(index=True)
    venue_id: Mapped[db.Ref | None]
    policy_id: Mapped[db.Ref | None]
    slug: Mapped[str] = mapped_column(String(140), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    format: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(10), default="draft")
    zone: Mapped[db.Zone]
    cpd_minutes: Mapped[int] = mapped_column(default=0)
    breaks_minutes: Mapped[int] = mapped_column(default=0)
    most_attendees: Mapped[int] = mapped_column(default=20)
    catch_up_offered: Mapped[bool] = mapped_column(default=False)
    catch_up_days: Mapped[int] = mapped_column(default=28)
    catch_up_from: Mapped[str] = mapped_column(String(30), default="published")
    catch_up_note: Mapped[str] = mapped_column(String(300), default="")
    late_buyers_share: Mapped[bool] = mapped_column(default=False)
    one_at_a_time: Mapped[bool] = mapped_column(default=False)
    programme: Mapped[str] = mapped_column(Text, default="")
    cancellation_terms: Mapped[str] = mapped_column(Text, default="")
    access: Mapped[str] = mapped_column(Text, default="")
    join_opens_minutes: Mapped[int] = mapped_column(default=30)
    reminders: Mapped[list[Any]] = mapped_column(JSON, default=lambda: list(REMINDERS))
    waiting_at_once: Mapped[int] = mapped_column(default=10)
    waiting_hours: Mapped[int] = mapped_column(default=48)
    waiting_first_come_hours: Mapped[int] = mapped_column(default=24)
    cancelled_at: Mapped[datetime | None]
    cancelled_why: Mapped[str] = mapped_column(String(500), default="")
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]

    course: Mapped[Course] = relationship(back_populates="workshops")
    venue: Mapped[Venue | None] = relationship(overlaps="course,workshops")
    sessions: Mapped[list["WorkshopSession"]] = relationship(
        back_populates="workshop",
        order_by="WorkshopSession.number",
        primaryjoin="and_(Workshop.organiser_id == WorkshopSession.organiser_id, "
        "Workshop.id == WorkshopSession.workshop_id, WorkshopSession.cancelled_at.is_(None))",
    )
    tickets: Mapped[list["TicketType"]] = relationship(back_populates="workshop", order_by="TicketType.position")
    pools: Mapped[list["Pool"]] = relationship(back_populates="workshop", order_by="Pool.id")
    questions: Mapped[list["Question"]] = relationship(back_populates="workshop", order_by="Question.position")
    presenters: Mapped[list[Presenter]] = relationship(secondary=workshop_presenter, order_by=Presenter.name)


class OldAddress(Owned, db.Base):
    """A slug that a course or a workshop had before it was renamed; its address leads on for ever."""

    __tablename__ = "old_address"
    __table_args__ = (
        pair("old_address"),
        same_organiser("course_id", "course"),
        same_organiser("workshop_id", "workshop"),
        UniqueConstraint("kind", "slug"),
        CheckConstraint("(kind = 'course') = (course_id IS NOT NULL)", name="course_id"),
        CheckConstraint("(kind = 'workshop') = (workshop_id IS NOT NULL)", name="workshop_id"),
    )

    kind: Mapped[str] = mapped_column(String(8))
    slug: Mapped[str] = mapped_column(String(140))
    course_id: Mapped[db.Ref | None]
    workshop_id: Mapped[db.Ref | None]


class WorkshopSession(Owned, db.Base):
    """One meeting. The wall times, the zone and the fold are the truth; the instants are derived from them.

    A cancelled one stays for the invites that name it, under a negative number, and is no session of its workshop.
    `watchable_from` and `watchable_until` say when its recording was published and when it closes for those who came;
    of a withdrawn one only the second is left. The room of recordings is their only writer.
    """

    __tablename__ = "workshop_session"
    __table_args__ = (
        pair("workshop_session"),
        same_organiser("workshop_id", "workshop"),
        UniqueConstraint("workshop_id", "number"),
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
    )

    workshop_id: Mapped[db.Ref]
    number: Mapped[int]
    title: Mapped[str] = mapped_column(String(200), default="")
    wall_start: Mapped[db.Wall]
    wall_end: Mapped[db.Wall]
    zone: Mapped[db.Zone]
    fold_start: Mapped[int] = mapped_column(default=0)
    fold_end: Mapped[int] = mapped_column(default=0)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    is_recorded: Mapped[bool] = mapped_column(default=True)
    watchable_from: Mapped[datetime | None]
    watchable_until: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]

    workshop: Mapped[Workshop] = relationship(back_populates="sessions")


class Question(Owned, db.Base):
    """What the workshop asks each attendee. Private answers are erased 30 days after."""

    __tablename__ = "question"
    __table_args__ = (
        pair("question"),
        same_organiser("workshop_id", "workshop"),
        UniqueConstraint("workshop_id", "code"),
        CheckConstraint("kind IN ('text', 'choice', 'tick')", name="kind"),
    )

    workshop_id: Mapped[db.Ref]
    code: Mapped[str] = mapped_column(String(40))
    position: Mapped[int]
    label: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(10), default="text")
    choices: Mapped[list[Any]] = mapped_column(JSON, default=list)
    is_required: Mapped[bool] = mapped_column(default=False)
    is_private: Mapped[bool] = mapped_column(default=False)

    workshop: Mapped[Workshop] = relationship(back_populates="questions")
    tickets: Mapped[list["TicketType"]] = relationship(secondary=question_ticket)


class Pool(Owned, db.Base):
    """Places that run out together: a room, an evening, a ticket's own limit. `reserved` of them are the organiser's
    to give; the public cannot buy those. While `waited` or more are free, they are for the waiting list first."""

    __tablename__ = "pool"
    __table_args__ = (
        pair("pool"),
        same_organiser("workshop_id", "workshop"),
        UniqueConstraint("workshop_id", "code"),
        CheckConstraint("capacity >= 0", name="capacity"),
        CheckConstraint("reserved BETWEEN 0 AND capacity", name="reserved"),
        CheckConstraint("waited >= 1", name="waited"),
    )

    workshop_id: Mapped[db.Ref]
    code: Mapped[str] = mapped_column(String(60))
    capacity: Mapped[int]
    reserved: Mapped[int] = mapped_column(default=0)
    waited: Mapped[int | None]

    workshop: Mapped[Workshop] = relationship(back_populates="pools")


class Place(Owned, db.Base):
    """One claimed seat of a pool; `courses/places.py` is the only writer of its state."""

    __tablename__ = "place"
    __table_args__ = (
        pair("place"),
        same_organiser("pool_id", "pool"),
        CheckConstraint("state IN ('held', 'taken', 'released')", name="state"),
        CheckConstraint("(state = 'held') = (held_until IS NOT NULL)", name="held_until"),
        Index("ix_place_pool_id_state", "pool_id", "state", "held_until"),
    )

    pool_id: Mapped[db.Ref]
    state: Mapped[str] = mapped_column(String(10))
    held_until: Mapped[datetime | None]
    is_reserve: Mapped[bool] = mapped_column(default=False)


class TicketType(Owned, db.Base):
    """A way to take part and what it costs.

    `seats` people come on one price. A booking takes at least `least_people` on it or none (a group rate), and at most
    `most_people`. `proof` says what the person must give for it; an `extra` is added to somebody's place. Of a hybrid
    workshop's tickets some are `is_in_room`.
    """

    __tablename__ = "ticket_type"
    __table_args__ = (
        pair("ticket_type"),
        same_organiser("workshop_id", "workshop"),
        UniqueConstraint("workshop_id", "code"),
        CheckConstraint("kind IN ('admission', 'catch_up', 'extra')", name="kind"),
        CheckConstraint("seats >= 1", name="seats"),
        CheckConstraint("payment IN ('now', 'invoice', 'deposit')", name="payment"),
        CheckConstraint("proof IN ('none', 'declaration', 'number')", name="proof"),
        CheckConstraint("least_people >= 1", name="least_people"),
        CheckConstraint("most_people >= least_people", name="most_people"),
    )

    workshop_id: Mapped[db.Ref]
    code: Mapped[str] = mapped_column(String(60))
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(120))
    hint: Mapped[str] = mapped_column(String(200), default="")
    kind: Mapped[str] = mapped_column(String(10), default="admission")
    seats: Mapped[int] = mapped_column(default=1)
    is_full_price: Mapped[bool] = mapped_column(default=False)
    includes_live: Mapped[bool] = mapped_column(default=True)
    includes_recording: Mapped[bool] = mapped_column(default=True)
    is_in_room: Mapped[bool] = mapped_column(default=False)
    payment: Mapped[str] = mapped_column(String(10), default="now")
    proof: Mapped[str] = mapped_column(String(12), default="none")
    terms: Mapped[db.Facts] = mapped_column(default=dict)
    least_people: Mapped[int] = mapped_column(default=1)
    most_people: Mapped[int | None]
    limited_to: Mapped[int | None]
    sold_from: Mapped[datetime | None]
    sold_until: Mapped[datetime | None]
    is_hidden: Mapped[bool] = mapped_column(Boolean, default=False)

    workshop: Mapped[Workshop] = relationship(back_populates="tickets")
    prices: Mapped[list["TicketPrice"]] = relationship(back_populates="ticket", order_by="TicketPrice.id")
    sessions: Mapped[list[WorkshopSession]] = relationship(secondary=ticket_session, order_by=WorkshopSession.number)
    pools: Mapped[list[Pool]] = relationship(secondary=ticket_pool, order_by=Pool.id)


class TicketPrice(Owned, db.Base):
    """A ticket's price in one currency: fixed (`minor`), or chosen by the buyer between `least` and `most`."""

    __tablename__ = "ticket_price"
    __table_args__ = (
        pair("ticket_price"),
        same_organiser("ticket_type_id", "ticket_type"),
        UniqueConstraint("ticket_type_id", "currency"),
        CheckConstraint("(minor IS NULL) = (least_minor IS NOT NULL)", name="fixed_or_chosen"),
        CheckConstraint("minor >= 0", name="minor"),
        CheckConstraint("least_minor >= 0 AND least_minor <= suggested_minor", name="least_minor"),
        CheckConstraint("suggested_minor <= most_minor", name="most_minor"),
    )

    ticket_type_id: Mapped[db.Ref]
    currency: Mapped[db.Currency]
    minor: Mapped[int | None]
    least_minor: Mapped[int | None]
    suggested_minor: Mapped[int | None]
    most_minor: Mapped[int | None]

    ticket: Mapped[TicketType] = relationship(back_populates="prices")


class Edition(db.Base):
    """A mark that changes whenever anything the catalogue shows does; see courses/shelf.py."""

    __tablename__ = "edition"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    mark: Mapped[str] = mapped_column(String(32))
