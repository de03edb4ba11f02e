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


class ZoomAccount(Owned, db.Base):
    """An organiser's own app at Zoom. `client_secret` and `webhook_secret` are sealed (lib.sealing) and never shown.

    `heard_at` is when Zoom's signature was last right.
    """

    __tablename__ = "zoom_account"
    __table_args__ = (pair("zoom_account"), UniqueConstraint("organiser_id"))

    account_id: Mapped[str] = mapped_column(String(100))
    client_id: Mapped[str] = mapped_column(String(100))
    client_secret: Mapped[str] = mapped_column(Text)
    webhook_secret: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime]
    heard_at: Mapped[datetime | None]


class ZoomEvent(Owned, db.Base):
    """An event of Zoom's, kept in the transaction that posts its work; a repeat has the same `identity`.

    `told` is what rooms to the right read of it and no more: neither the host's address nor a passcode. `token` opens
    the files of the event for 24 hours and is sealed.
    """

    __tablename__ = "zoom_event"
    __table_args__ = (pair("zoom_event"), UniqueConstraint("organiser_id", "identity"))

    identity: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(80))
    told: Mapped[db.Facts]
    token: Mapped[str] = mapped_column(Text, default="")
    received_at: Mapped[datetime]
