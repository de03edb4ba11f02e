"""What happens to windows: times at which nobody could watch, what they added, and who watches now."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lib import db
from lib.db import Owned, pair, same_organiser
from recordings.models import AccessWindow, Recording


class Outage(Owned, db.Base):
    """A published recording could not be watched by anybody. At most one of a recording is open; `hours` is what its
    end added to the windows that were open meanwhile."""

    __tablename__ = "outage"
    __table_args__ = (
        pair("outage"),
        same_organiser("recording_id", "recording"),
        CheckConstraint("ended_at > began_at", name="ended_at"),
        CheckConstraint("(ended_at IS NULL) = (hours IS NULL)", name="hours"),
        Index(
            "ix_outage_open",
            "recording_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_outage_recording_id", "recording_id", "began_at"),
    )

    recording_id: Mapped[db.Ref]
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    hours: Mapped[int | None]
    why: Mapped[str] = mapped_column(String(300), default="")

    recording: Mapped[Recording] = relationship(overlaps="recording")


class Growth(Owned, db.Base):
    """What an outage added to one window: one row, so that nothing adds it twice."""

    __tablename__ = "growth"
    __table_args__ = (
        pair("growth"),
        same_organiser("outage_id", "outage"),
        same_organiser("window_id", "access_window"),
        UniqueConstraint("outage_id", "window_id"),
        Index("ix_growth_window_id", "window_id"),
    )

    outage_id: Mapped[db.Ref]
    window_id: Mapped[db.Ref]
    before: Mapped[datetime]
    after: Mapped[datetime]

    window: Mapped[AccessWindow] = relationship(overlaps="window")


class Sitting(Owned, db.Base):
    """The one open page that plays for an attendee, where the workshop lets one at a time: the newest that began."""

    __tablename__ = "sitting"
    __table_args__ = (
        pair("sitting"),
        same_organiser("attendee_id", "attendee"),
        UniqueConstraint("attendee_id"),
    )

    attendee_id: Mapped[db.Ref]
    tab: Mapped[str] = mapped_column(String(40))
    opened_at: Mapped[datetime]
    since: Mapped[datetime]
