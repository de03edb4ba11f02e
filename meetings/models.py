"""Where a session meets."""

from datetime import datetime

from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lib import db
from lib.db import Owned, pair, same_organiser


class MeetingPoint(Owned, db.Base):
    """The pasted link of a session's meeting, and how to get in by telephone. In no letter and no file, ever."""

    __tablename__ = "meeting_point"
    __table_args__ = (
        pair("meeting_point"),
        same_organiser("session_id", "workshop_session"),
        UniqueConstraint("session_id"),
    )

    session_id: Mapped[db.Ref]
    url: Mapped[str] = mapped_column(Text)
    phone_numbers: Mapped[str] = mapped_column(Text, default="")
    passcode: Mapped[str] = mapped_column(String(40), default="")
    changed_at: Mapped[datetime]
