"""Recordings, who may watch them from when until when, and what was watched."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from courses.models import WorkshopSession
from lib import db
from lib.db import Owned, pair, same_organiser


class Recording(Owned, db.Base):
    """The film of one session. `file` and `captions` are keys in the store, never addresses.

    `closes_at` is everybody's: the same clock time, the workshop's days later, in its zone.
    """

    __tablename__ = "recording"
    __table_args__ = (
        pair("recording"),
        same_organiser("session_id", "workshop_session"),
        UniqueConstraint("session_id"),
        CheckConstraint("state IN ('uploaded', 'published', 'withdrawn')", name="state"),
        CheckConstraint("(state = 'uploaded') = (published_at IS NULL)", name="published_at"),
        CheckConstraint("(published_at IS NULL) = (closes_at IS NULL)", name="closes_at"),
    )

    session_id: Mapped[db.Ref]
    state: Mapped[str] = mapped_column(String(10), default="uploaded")
    file: Mapped[str] = mapped_column(String(80))
    size: Mapped[db.Minor]
    content_type: Mapped[str] = mapped_column(String(40))
    seconds: Mapped[int] = mapped_column(default=0)
    captions: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    left_out: Mapped[str] = mapped_column(String(300), default="")
    uploaded_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    closes_at: Mapped[datetime | None]

    session: Mapped[WorkshopSession] = relationship()


class AccessWindow(Owned, db.Base):
    """One attendee's right to one recording: plays from `opens_at`, up to one second before `closes_at`."""

    __tablename__ = "access_window"
    __table_args__ = (
        pair("access_window"),
        same_organiser("attendee_id", "attendee"),
        same_organiser("recording_id", "recording"),
        UniqueConstraint("attendee_id", "recording_id"),
        CheckConstraint("closes_at > opens_at", name="closes_at"),
    )

    attendee_id: Mapped[db.Ref]
    recording_id: Mapped[db.Ref]
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]

    recording: Mapped[Recording] = relationship(overlaps="recording")


class Viewing(Owned, db.Base):
    """Which seconds an attendee has watched: sorted ranges [[from, to], ...] that do not touch."""

    __tablename__ = "viewing"
    __table_args__ = (
        pair("viewing"),
        same_organiser("window_id", "access_window"),
        UniqueConstraint("window_id"),
    )

    window_id: Mapped[db.Ref]
    ranges: Mapped[list[Any]] = mapped_column(JSON, default=list)
    last_at: Mapped[datetime]
