"""Bundles: several workshops of one organiser, sold together for one price."""

from datetime import datetime

from sqlalchemy import CheckConstraint, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from courses.models import TicketType, bundle_ticket
from lib import db
from lib.db import Owned, pair, same_organiser


class Bundle(Owned, db.Base):
    """Several workshops for one price: `tickets` are what it is for, one at each of them. Its slug is for ever."""

    __tablename__ = "bundle"
    __table_args__ = (pair("bundle"),)

    slug: Mapped[str] = mapped_column(String(140), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    about: Mapped[str] = mapped_column(Text, default="")
    sold_from: Mapped[datetime | None]
    sold_until: Mapped[datetime | None]
    is_published: Mapped[bool] = mapped_column(default=False)

    prices: Mapped[list["BundlePrice"]] = relationship(
        order_by="BundlePrice.id", cascade="all, delete-orphan", back_populates="bundle"
    )
    tickets: Mapped[list[TicketType]] = relationship(secondary=bundle_ticket, order_by=TicketType.id)


class BundlePrice(Owned, db.Base):
    """What one person pays for a bundle, in one currency."""

    __tablename__ = "bundle_price"
    __table_args__ = (
        pair("bundle_price"),
        same_organiser("bundle_id", "bundle"),
        UniqueConstraint("bundle_id", "currency"),
        CheckConstraint("minor >= 0", name="minor"),
    )

    bundle_id: Mapped[db.Ref]
    currency: Mapped[db.Currency]
    minor: Mapped[db.Minor]

    bundle: Mapped[Bundle] = relationship(back_populates="prices")
