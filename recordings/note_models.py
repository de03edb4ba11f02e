"""What an attendee writes down for themselves while they watch."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from lib import db
from lib.db import Owned, same_organiser


class Note(Owned, db.Base):
    """An attendee's own words at second `at` of a recording: shown to them alone, as long as their place is theirs."""

    __tablename__ = "note"
    __table_args__ = (
        same_organiser("attendee_id", "attendee"),
        same_organiser("recording_id", "recording"),
        CheckConstraint("at >= 0", name="at"),
        Index(None, "attendee_id", "recording_id"),
    )

    attendee_id: Mapped[db.Ref]
    recording_id: Mapped[db.Ref]
    at: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
