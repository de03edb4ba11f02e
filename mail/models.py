"""Letters: what was promised to whom, frozen when posted, and what became of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from lib import db


class Letter(db.Base):
    """One letter to one address.

    `lane` names what letters must leave in order about (one person's place). `calendar` is the invite's bytes with its
    method; `files` are further attachments as [{"name", "type", "text"}]. `sent` holds the very bytes handed over.
    """

    __tablename__ = "letter"
    __table_args__ = (CheckConstraint("state IN ('waiting', 'sent', 'failed')", name="state"),)

    id: Mapped[db.Id]
    organiser_id: Mapped[int | None] = mapped_column(index=True)
    about: Mapped[str] = mapped_column(String(80), index=True)
    lane: Mapped[str] = mapped_column(String(80), index=True)
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    message_id: Mapped[str] = mapped_column(String(200), unique=True)
    thread_id: Mapped[str | None] = mapped_column(String(200))
    to_name: Mapped[str] = mapped_column(String(200))
    to_email: Mapped[str] = mapped_column(String(254), index=True)
    from_name: Mapped[str] = mapped_column(String(200))
    reply_to: Mapped[str | None] = mapped_column(String(254))
    template: Mapped[str] = mapped_column(String(60))
    values: Mapped[db.Facts]
    method: Mapped[str | None] = mapped_column(String(10))
    calendar: Mapped[str | None] = mapped_column(Text)
    files: Mapped[list[Any]] = mapped_column(JSON, default=list)
    posted_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    answer: Mapped[str | None] = mapped_column(Text)
    sent: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
