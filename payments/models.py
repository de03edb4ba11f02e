"""What is owed, the ways to Stripe, what came in and what went back. Never names a booking."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lib import db
from lib.db import Owned, pair, same_organiser


class Bill(Owned, db.Base):
    """What one booking owes, in one currency. Paid and refunded sums are counted from the rows below it."""

    __tablename__ = "bill"
    __table_args__ = (pair("bill"), CheckConstraint("total_minor >= 0", name="total_minor"))

    currency: Mapped[db.Currency]
    total_minor: Mapped[db.Minor]
    created_at: Mapped[datetime]


class PaymentAttempt(Owned, db.Base):
    """One way to Stripe, written before the call with the parameters it sends, so that a retry sends the same bytes."""

    __tablename__ = "payment_attempt"
    __table_args__ = (
        pair("payment_attempt"),
        same_organiser("bill_id", "bill"),
        CheckConstraint("state IN ('opening', 'open', 'completed', 'expired', 'refused')", name="state"),
        # One way to Stripe at a time: two open pages could both be paid.
        Index(
            "uq_payment_attempt_live",
            "bill_id",
            unique=True,
            sqlite_where=text("state IN ('opening', 'open')"),
            postgresql_where=text("state IN ('opening', 'open')"),
        ),
    )

    bill_id: Mapped[db.Ref] = mapped_column(index=True)
    key: Mapped[str] = mapped_column(String(60), unique=True)
    state: Mapped[str] = mapped_column(String(10), default="opening")
    amount_minor: Mapped[db.Minor]
    currency: Mapped[db.Currency]
    parameters: Mapped[db.Facts]
    stripe_session: Mapped[str | None] = mapped_column(String(120), unique=True)
    url: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    asked_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)


class Payment(Owned, db.Base):
    """Money for a bill, once per Stripe payment intent. `pending` while a bank debit is on its way."""

    __tablename__ = "payment"
    __table_args__ = (
        pair("payment"),
        same_organiser("bill_id", "bill"),
        same_organiser("attempt_id", "payment_attempt"),
        CheckConstraint("state IN ('pending', 'succeeded', 'failed')", name="state"),
        CheckConstraint("amount_minor > 0", name="amount_minor"),
    )

    bill_id: Mapped[db.Ref] = mapped_column(index=True)
    attempt_id: Mapped[db.Ref]
    payment_intent: Mapped[str] = mapped_column(String(120), unique=True)
    state: Mapped[str] = mapped_column(String(10))
    amount_minor: Mapped[db.Minor]
    currency: Mapped[db.Currency]
    at: Mapped[datetime]


class Refund(Owned, db.Base):
    """One attempt to send money back. What remains of a payment = its amount less its refunds that did not fail."""

    __tablename__ = "refund"
    __table_args__ = (
        pair("refund"),
        same_organiser("payment_id", "payment"),
        CheckConstraint("state IN ('waiting', 'pending', 'succeeded', 'failed')", name="state"),
        CheckConstraint("source IN ('rule', 'organiser', 'booker', 'stripe')", name="source"),
        CheckConstraint("amount_minor > 0", name="amount_minor"),
    )

    payment_id: Mapped[db.Ref] = mapped_column(index=True)
    key: Mapped[str] = mapped_column(String(60), unique=True)
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    source: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(String(200))
    amount_minor: Mapped[db.Minor]
    currency: Mapped[db.Currency]
    stripe_refund: Mapped[str | None] = mapped_column(String(120), unique=True)
    created_at: Mapped[datetime]
    last_error: Mapped[str | None] = mapped_column(Text)


class StripeEvent(db.Base):
    """An event Stripe told us of, kept in the same transaction as the work it caused."""

    __tablename__ = "stripe_event"
    __table_args__ = (
        UniqueConstraint("stripe_id"),
        CheckConstraint("outcome IN ('handled', 'ignored', 'mismatch')", name="outcome"),
    )

    id: Mapped[db.Id]
    stripe_id: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(80))
    object_id: Mapped[str] = mapped_column(String(120), index=True)
    is_live: Mapped[bool]
    outcome: Mapped[str] = mapped_column(String(10))
    note: Mapped[str] = mapped_column(String(300), default="")
    received_at: Mapped[datetime]
