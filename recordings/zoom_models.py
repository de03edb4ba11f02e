"""What Zoom recorded, and where each of its files stands on the way in."""

from datetime import datetime

from sqlalchemy import CheckConstraint, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from courses.models import WorkshopSession
from lib import db
from lib.db import Owned, pair, same_organiser


class ZoomRecording(Owned, db.Base):
    """One meeting that Zoom recorded; a meeting that is held weekly under one number has a `uuid` each time.

    waiting (for somebody to say which session it is of, `why`: none, several or has_film) -> placed, or left.
    """

    __tablename__ = "zoom_recording"
    __table_args__ = (
        pair("zoom_recording"),
        same_organiser("session_id", "workshop_session"),
        UniqueConstraint("organiser_id", "uuid"),
        CheckConstraint("state IN ('waiting', 'placed', 'left')", name="state"),
        CheckConstraint("(state = 'placed') = (session_id IS NOT NULL)", name="session_id"),
    )

    uuid: Mapped[str] = mapped_column(String(120))
    meeting_id: Mapped[str] = mapped_column(String(20))
    topic: Mapped[str] = mapped_column(String(200), default="")
    started_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    why: Mapped[str] = mapped_column(String(10), default="")
    session_id: Mapped[db.Ref | None]
    heard_at: Mapped[datetime]

    session: Mapped[WorkshopSession | None] = relationship()
    files: Mapped[list["ZoomFile"]] = relationship(
        back_populates="recording", order_by="ZoomFile.starts_at, ZoomFile.id", overlaps="session"
    )


class ZoomFile(Owned, db.Base):
    """A film or its transcript at Zoom. `token` (sealed) opens it until `token_until`, the organiser's app also after.

    listed -> fetching -> fetched, or failed, for a reason that is a sentence for the team; failed -> fetching.
    `etag` is that of the bytes that have come, `upload_id` the film's own way in.
    """

    __tablename__ = "zoom_file"
    __table_args__ = (
        pair("zoom_file"),
        same_organiser("zoom_recording_id", "zoom_recording"),
        UniqueConstraint("organiser_id", "zoom_id"),
        CheckConstraint("kind IN ('film', 'transcript')", name="kind"),
        CheckConstraint("state IN ('listed', 'fetching', 'fetched', 'failed')", name="state"),
    )

    zoom_recording_id: Mapped[db.Ref] = mapped_column(index=True)
    zoom_id: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(10))
    starts_at: Mapped[datetime]
    size: Mapped[db.Minor]
    url: Mapped[str] = mapped_column(Text)
    token: Mapped[str] = mapped_column(Text, default="")
    token_until: Mapped[datetime]
    etag: Mapped[str] = mapped_column(String(200), default="")
    state: Mapped[str] = mapped_column(String(10), default="listed")
    why: Mapped[str] = mapped_column(String(300), default="")
    upload_id: Mapped[db.Ref | None]  # a plain value: the upload's own row may go first

    recording: Mapped[ZoomRecording] = relationship(back_populates="files", overlaps="session")
