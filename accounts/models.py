"""People who sign in, the organisers they work for, and what they consented to."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lib import db

ROLES = ("owner", "manager", "presenter")


class Organiser(db.Base):
    """A brand that schedules workshops and answers for the money."""

    __tablename__ = "organiser"
    __table_args__ = (
        CheckConstraint("vat_mode IN ('none', 'included', 'exempt')", name="vat_mode"),
        CheckConstraint("vat_rate BETWEEN 0 AND 9999", name="vat_rate"),
        CheckConstraint("invoice_days BETWEEN 0 AND 365", name="invoice_days"),
        CheckConstraint("originals_days BETWEEN 0 AND 3650", name="originals_days"),
    )

    id: Mapped[db.Id]
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    zone: Mapped[db.Zone]
    currency: Mapped[db.Currency]
    email: Mapped[str] = mapped_column(String(254))
    address: Mapped[str] = mapped_column(String(300), default="")
    about: Mapped[str] = mapped_column(Text, default="")
    phone: Mapped[str] = mapped_column(String(40), default="")
    colour: Mapped[str] = mapped_column(String(7), default="")
    logo: Mapped[str] = mapped_column(String(80), default="")
    holds_for_bank: Mapped[bool] = mapped_column(default=True)
    dispute_bars: Mapped[bool] = mapped_column(default=True)
    legal_name: Mapped[str] = mapped_column(String(200), default="")
    vat_mode: Mapped[str] = mapped_column(String(10), default="none")
    vat_number: Mapped[str] = mapped_column(String(20), default="")
    vat_rate: Mapped[int] = mapped_column(default=0)  # of a price without it, in hundredths of a per cent: 2000 is 20 %
    bank_details: Mapped[str] = mapped_column(Text, default="")
    invoice_days: Mapped[int] = mapped_column(default=14)
    originals_days: Mapped[int] = mapped_column(default=30)  # how long films that were sent are kept once published

    memberships: Mapped[list["Membership"]] = relationship(back_populates="organiser")


class Paper(db.Base):
    """A version of an organiser's terms, privacy notice or accessibility statement, in Markdown; never edited."""

    __tablename__ = "paper"
    __table_args__ = (
        UniqueConstraint("organiser_id", "kind", "version"),
        CheckConstraint("kind IN ('terms', 'privacy', 'accessibility')", name="kind"),
    )

    id: Mapped[db.Id]
    organiser_id: Mapped[db.Ref] = mapped_column(ForeignKey("organiser.id"))
    kind: Mapped[str] = mapped_column(String(14))
    version: Mapped[str] = mapped_column(String(20))
    text: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime]


class User(db.Base):
    """Somebody with a verified address. Written out instead of UserMixin, which has no types."""

    __tablename__ = "user_account"

    id: Mapped[db.Id]
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    password_hash: Mapped[str | None] = mapped_column(String(200))
    session_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]

    memberships: Mapped[list["Membership"]] = relationship(back_populates="user")

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """What the session keeps: changing the password raises the version and ends every other session."""
        return f"{self.id}.{self.session_version}"


class Membership(db.Base):
    """A person's role in an organiser's team."""

    __tablename__ = "membership"
    __table_args__ = (
        UniqueConstraint("user_id", "organiser_id"),
        CheckConstraint("role IN ('owner', 'manager', 'presenter')", name="role"),
    )

    id: Mapped[db.Id]
    user_id: Mapped[db.Ref] = mapped_column(ForeignKey("user_account.id"))
    organiser_id: Mapped[db.Ref] = mapped_column(ForeignKey("organiser.id"), index=True)
    role: Mapped[str] = mapped_column(String(10))

    user: Mapped[User] = relationship(back_populates="memberships")
    organiser: Mapped[Organiser] = relationship(back_populates="memberships")


class SignInLink(db.Base):
    """A one-time way in: random, stored hashed, spent by POST, for 20 minutes; an invitation for a week."""

    __tablename__ = "sign_in_link"
    __table_args__ = (CheckConstraint("purpose IN ('sign_in', 'password', 'invitation')", name="purpose"),)

    id: Mapped[db.Id]
    email: Mapped[str] = mapped_column(String(254), index=True)
    purpose: Mapped[str] = mapped_column(String(12))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    next_path: Mapped[str] = mapped_column(String(300), default="/me")
    organiser_id: Mapped[int | None] = mapped_column(ForeignKey("organiser.id"))
    role: Mapped[str | None] = mapped_column(String(10))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Consent(db.Base):
    """An address that agreed to be written to by an organiser, when, and on which page."""

    __tablename__ = "consent"
    __table_args__ = (UniqueConstraint("organiser_id", "email", "kind"),)

    id: Mapped[db.Id]
    organiser_id: Mapped[db.Ref] = mapped_column(ForeignKey("organiser.id"))
    email: Mapped[str] = mapped_column(String(254))
    kind: Mapped[str] = mapped_column(String(20))
    about: Mapped[str] = mapped_column(String(80))
    given_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
