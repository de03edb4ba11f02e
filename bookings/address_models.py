"""Addresses that somebody gave instead of another one, until the letter sent there is answered."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bookings.models import Booking
from lib import db
from lib.db import Owned, pair, same_organiser


class NewAddress(Owned, db.Base):
    """The address of a booking's booker, or of the attendee it names, as `actor` would have it.

    `link_version` is that of what it belongs to when it was asked for: once that is another, the link is spent.
    """

    __tablename__ = "new_address"
    __table_args__ = (
        pair("new_address"),
        same_organiser("booking_id", "booking"),
        same_organiser("attendee_id", "attendee"),
    )

    booking_id: Mapped[db.Ref] = mapped_column(index=True)
    attendee_id: Mapped[db.Ref | None]
    email: Mapped[str] = mapped_column(String(254))
    is_shared: Mapped[bool] = mapped_column(default=False)
    actor: Mapped[str] = mapped_column(String(80))
    link_version: Mapped[int]
    asked_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    booking: Mapped[Booking] = relationship(overlaps="attendee")
