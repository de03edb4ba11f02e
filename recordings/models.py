"""Recordings, who may watch them from when until when, and what was watched."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from courses.models import WorkshopSession
from lib import db
from lib.db import Owned, pair, same_organiser


class Recording(Owned, db.Base):
    """The film of one session. `file`, `small`, `poster`, `whole` and those in `captions` are keys in the store.

    `closes_at` is everybody's: the same clock time, the workshop's days later, in its zone.

    What is played: `file`, `seconds`, `small`, `poster`, `chapters` [[seconds, title], ...] in its own times, and
    `kept` [[from, to], ...], the stretches of the whole film that it holds; none where it is all of it.
    What is asked for, in seconds of the whole film: `trim_from`, `trim_to` (None: its end), `cuts` and `marks`, its
    chapters. `draft` is a film made anew that waits to be looked through while the published one goes on.
    `turn` rises with everything asked of the worker: who works on an older one has nothing more to say.
    """

    __tablename__ = "recording"
    __table_args__ = (
        pair("recording"),
        same_organiser("session_id", "workshop_session"),
        UniqueConstraint("session_id"),
        CheckConstraint("state IN ('uploaded', 'published', 'withdrawn')", name="state"),
        CheckConstraint("(state = 'uploaded') = (published_at IS NULL)", name="published_at"),
        CheckConstraint("(published_at IS NULL) = (closes_at IS NULL)", name="closes_at"),
        CheckConstraint("making IN ('waiting', 'looking', 'making', 'ready', 'failed')", name="making"),
        CheckConstraint("made_percent BETWEEN 0 AND 100", name="made_percent"),
    )

    session_id: Mapped[db.Ref]
    state: Mapped[str] = mapped_column(String(10), default="uploaded")
    file: Mapped[str] = mapped_column(String(80), default="")
    size: Mapped[db.Minor] = mapped_column(default=0)
    content_type: Mapped[str] = mapped_column(String(40), default="")
    seconds: Mapped[int] = mapped_column(default=0)
    captions: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    left_out: Mapped[str] = mapped_column(String(300), default="")
    uploaded_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    closes_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    small: Mapped[str] = mapped_column(String(80), default="")
    poster: Mapped[str] = mapped_column(String(80), default="")
    chapters: Mapped[list[Any]] = mapped_column(JSON, default=list)
    kept: Mapped[list[Any]] = mapped_column(JSON, default=list)

    making: Mapped[str] = mapped_column(String(8), default="ready")
    turn: Mapped[int] = mapped_column(default=0)
    made_percent: Mapped[int] = mapped_column(default=100)
    problem: Mapped[str] = mapped_column(String(500), default="")
    whole: Mapped[str] = mapped_column(String(80), default="")
    whole_seconds: Mapped[int] = mapped_column(default=0)
    trim_from: Mapped[int] = mapped_column(default=0)
    trim_to: Mapped[int | None]
    cuts: Mapped[list[Any]] = mapped_column(JSON, default=list)
    marks: Mapped[list[Any]] = mapped_column(JSON, default=list)
    draft: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    reviewed_at: Mapped[datetime | None]
    reviewed_by: Mapped[str] = mapped_column(String(40), default="")

    session: Mapped[WorkshopSession] = relationship()
    parts: Mapped[list["RecordingPart"]] = relationship(
        order_by="RecordingPart.position, RecordingPart.id", overlaps="session"
    )


class RecordingPart(Owned, db.Base):
    """One film as it was sent, of which the recording is made. `position` 0: it is not in the recording.

    `file` is '' once the original has been removed. `facts` is what ffprobe said of it (`probing.Facts`).
    """

    __tablename__ = "recording_part"
    __table_args__ = (
        pair("recording_part"),
        same_organiser("recording_id", "recording"),
        UniqueConstraint("upload_id"),
        CheckConstraint("position >= 0", name="position"),
    )

    recording_id: Mapped[db.Ref]
    upload_id: Mapped[db.Ref | None]  # a plain value: the upload's own row goes before the part does
    position: Mapped[int]
    filename: Mapped[str] = mapped_column(String(200), default="")
    file: Mapped[str] = mapped_column(String(80))
    size: Mapped[db.Minor]
    seconds: Mapped[int]
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    added_at: Mapped[datetime]


class AccessWindow(Owned, db.Base):
    """One attendee's right to one recording: plays from `opens_at`, up to one second before `closes_at`.

    While it is paused it does not play and its time stands still; `closes_at` moves when it goes on. `windows.py` moves
    it, for a reason that the team gave. `told_week` and `told_day` are the ends that the letters before an end named.
    """

    __tablename__ = "access_window"
    __table_args__ = (
        pair("access_window"),
        same_organiser("attendee_id", "attendee"),
        same_organiser("recording_id", "recording"),
        UniqueConstraint("attendee_id", "recording_id"),
        CheckConstraint("closes_at > opens_at", name="closes_at"),
        Index("ix_access_window_recording_id", "recording_id", "closes_at"),
        Index("ix_access_window_closes_at", "closes_at"),
    )

    attendee_id: Mapped[db.Ref]
    recording_id: Mapped[db.Ref]
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    extended_why: Mapped[str] = mapped_column(String(300), default="")
    paused_at: Mapped[datetime | None]
    paused_why: Mapped[str] = mapped_column(String(300), default="")
    told_week: Mapped[datetime | None]
    told_day: Mapped[datetime | None]

    recording: Mapped[Recording] = relationship(overlaps="recording")


class Viewing(Owned, db.Base):
    """Which seconds an attendee has watched: sorted ranges [[from, to], ...] that do not touch.

    `position` is the second they left off at, on whatever device; `tabs` says when each open page last reported.
    """

    __tablename__ = "viewing"
    __table_args__ = (
        pair("viewing"),
        same_organiser("window_id", "access_window"),
        UniqueConstraint("window_id"),
    )

    window_id: Mapped[db.Ref]
    ranges: Mapped[list[Any]] = mapped_column(JSON, default=list)
    position: Mapped[int] = mapped_column(default=0)
    tabs: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    last_at: Mapped[datetime]
