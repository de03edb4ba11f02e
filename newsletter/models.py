"""Who asked to be written to about new workshops, and what they get for it."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from accounts.models import Organiser
from bookings.models import DiscountCode
from lib import db
from lib.db import Owned, pair, same_organiser


class Placement(Owned, db.Base):
    """A place where people can ask to be written to, such as `home`, and what whoever does gets: `percent` off a
    full-price ticket for their first online event, for `lasts_days` days. None is no offer, and no end."""

    __tablename__ = "newsletter_placement"
    __table_args__ = (
        pair("newsletter_placement"),
        UniqueConstraint("organiser_id", "name"),
        CheckConstraint("percent BETWEEN 1 AND 100", name="percent"),
        CheckConstraint("lasts_days >= 1", name="lasts_days"),
    )

    name: Mapped[str] = mapped_column(String(40))
    percent: Mapped[int | None]
    lasts_days: Mapped[int | None]
    is_open: Mapped[bool] = mapped_column(default=True)

    organiser: Mapped[Organiser] = relationship()


class Subscriber(Owned, db.Base):
    """An address that asked for an organiser's news. `subscribing` is the only writer of its state; it is written to
    while it is `subscribed`."""

    __tablename__ = "subscriber"
    __table_args__ = (
        pair("subscriber"),
        same_organiser("code_id", "discount_code"),
        same_organiser("placement_id", "newsletter_placement"),
        UniqueConstraint("organiser_id", "email"),
        CheckConstraint("state IN ('asked', 'subscribed', 'left')", name="state"),
        Index("ix_subscriber_person", "organiser_id", "person"),
    )

    email: Mapped[str] = mapped_column(String(254))
    person: Mapped[str] = mapped_column(String(254))
    state: Mapped[str] = mapped_column(String(12))
    placement_id: Mapped[db.Ref]
    code_id: Mapped[db.Ref | None]
    asked_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
    link_version: Mapped[int] = mapped_column(default=1)

    organiser: Mapped[Organiser] = relationship()
    placement: Mapped[Placement] = relationship(overlaps="organiser")
    code: Mapped[DiscountCode | None] = relationship(overlaps="organiser,placement")
