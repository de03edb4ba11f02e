"""What is owed, the ways to Stripe, what came in, what went back, and the ledger of it all. Never names a booking."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import DDL, CheckConstraint, Date, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lib import db
from lib.db import Owned, pair, same_organiser


class Bill(Owned, db.Base):
    """What one booking costs, in one currency. What is owed, paid and sent back is counted from its movements.

    One that is no booking's holds a part of a credit that is set apart until the rest of a price is paid by card.
    """

    __tablename__ = "bill"
    __table_args__ = (pair("bill"), CheckConstraint("total_minor >= 0", name="total_minor"))

    currency: Mapped[db.Currency]
    total_minor: Mapped[db.Minor]
    created_at: Mapped[datetime]

    instalments: Mapped[list["Instalment"]] = relationship(order_by="(Instalment.due_at, Instalment.id)", viewonly=True)


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
    """Money for a bill, once per Stripe payment intent. `pending` while a bank debit is on its way.

    What came past Stripe, by a bank transfer or otherwise, is written down by the team under the payer's `reference`;
    in the place of an intent it has a name of ours. `card` is Stripe's fingerprint of a card number: the same for the
    same card, and nothing can be read from it.
    """

    __tablename__ = "payment"
    __table_args__ = (
        pair("payment"),
        same_organiser("bill_id", "bill"),
        same_organiser("attempt_id", "payment_attempt"),
        CheckConstraint("state IN ('pending', 'succeeded', 'failed')", name="state"),
        CheckConstraint("kind IN ('stripe', 'bank', 'other')", name="kind"),
        CheckConstraint("(kind = 'stripe') = (attempt_id IS NOT NULL)", name="attempt_id"),
        CheckConstraint("amount_minor > 0", name="amount_minor"),
    )

    bill_id: Mapped[db.Ref] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(10), default="stripe")
    attempt_id: Mapped[db.Ref | None]
    payment_intent: Mapped[str] = mapped_column(String(120), unique=True)
    reference: Mapped[str] = mapped_column(String(80), default="")
    card: Mapped[str] = mapped_column(String(40), default="", index=True)
    state: Mapped[str] = mapped_column(String(10))
    amount_minor: Mapped[db.Minor]
    currency: Mapped[db.Currency]
    at: Mapped[datetime]


class Refund(Owned, db.Base):
    """One attempt to send money back. What remains of a payment = its amount less its refunds that did not fail.

    `shares` says whose places it is for: minor units by the attendee's id, as text; empty when it is for none.
    """

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
    shares: Mapped[db.Facts] = mapped_column(default=dict)
    stripe_refund: Mapped[str | None] = mapped_column(String(120), unique=True)
    created_at: Mapped[datetime]
    last_error: Mapped[str | None] = mapped_column(Text)


class Instalment(Owned, db.Base):
    """Part of a bill that is paid later: due from `due_at`, the first instant of `due_on` in the organiser's zone.

    `shares` says whose places it is for: minor units by the attendee's id, as text, adding up to `minor`. Whoever gives
    a place up owes its share no longer; that part is a row of its own, `dropped`. `instalments` is the only writer.
    """

    __tablename__ = "instalment"
    __table_args__ = (
        pair("instalment"),
        same_organiser("bill_id", "bill"),
        same_organiser("payment_id", "payment"),
        CheckConstraint("state IN ('open', 'paid', 'dropped')", name="state"),
        CheckConstraint("(state = 'paid') = (payment_id IS NOT NULL)", name="payment_id"),
        CheckConstraint("minor > 0", name="minor"),
        Index("ix_instalment_open", "organiser_id", "state", "due_at"),
    )

    bill_id: Mapped[db.Ref] = mapped_column(index=True)
    payment_id: Mapped[db.Ref | None]
    due_on: Mapped[date]
    due_at: Mapped[datetime]
    minor: Mapped[db.Minor]
    shares: Mapped[db.Facts]
    state: Mapped[str] = mapped_column(String(10), default="open")
    settled_at: Mapped[datetime | None]


class Dispute(Owned, db.Base):
    """A payer's bank asks for a payment back. An `inquiry` only asks; `open` and `lost` have taken the money."""

    __tablename__ = "dispute"
    __table_args__ = (
        pair("dispute"),
        same_organiser("payment_id", "payment"),
        CheckConstraint("state IN ('inquiry', 'open', 'won', 'lost', 'withdrawn')", name="state"),
        CheckConstraint("amount_minor > 0", name="amount_minor"),
    )

    payment_id: Mapped[db.Ref] = mapped_column(index=True)
    stripe_dispute: Mapped[str] = mapped_column(String(120), unique=True)
    state: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(String(80))
    amount_minor: Mapped[db.Minor]
    currency: Mapped[db.Currency]
    answer_by: Mapped[datetime | None]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class Credit(Owned, db.Base):
    """Money kept for a person with one organiser, to be spent on a later booking. What is left of it is counted from
    its movements; from `expires_at` on it cannot be spent."""

    __tablename__ = "credit"
    __table_args__ = (
        pair("credit"),
        same_organiser("source_bill_id", "bill"),
        CheckConstraint("minor > 0", name="minor"),
        Index("ix_credit_person", "organiser_id", "person", "currency"),
    )

    person: Mapped[str] = mapped_column(String(254))
    currency: Mapped[db.Currency]
    minor: Mapped[db.Minor]
    source_bill_id: Mapped[db.Ref] = mapped_column(index=True)
    reason: Mapped[str] = mapped_column(String(200))
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]


# What is owed, what came and went, and the credits that ran out. The sign is the movement's own: plus is owed or came.
OWED = {"charge": 1, "reduction": -1, "write_off": -1}
MONEY = {
    "payment": 1,
    "refund": -1,
    "refund_failed": 1,
    "credit_issued": -1,
    "credit_spent": 1,
    "credit_returned": -1,
    "dispute_withdrawn": -1,
    "dispute_reinstated": 1,
}
SIGNS = OWED | MONEY | {"credit_expired": 1}
_PLUS = ", ".join(f"'{kind}'" for kind, sign in SIGNS.items() if sign > 0)
_MINUS = ", ".join(f"'{kind}'" for kind, sign in SIGNS.items() if sign < 0)
_KEPT = "a movement of the ledger is never changed; write another one"
# Triggers, by the database's name: made with the table, here and in the migrations.
GUARDS = (
    (
        "sqlite",
        f"CREATE TRIGGER movement_no_update BEFORE UPDATE ON movement BEGIN SELECT RAISE(ABORT, '{_KEPT}'); END",
    ),
    (
        "sqlite",
        f"CREATE TRIGGER movement_no_delete BEFORE DELETE ON movement BEGIN SELECT RAISE(ABORT, '{_KEPT}'); END",
    ),
    (
        "postgresql",
        "CREATE OR REPLACE FUNCTION movement_is_kept() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_KEPT}'; END $$",
    ),
    (
        "postgresql",
        "CREATE TRIGGER movement_is_kept BEFORE UPDATE OR DELETE ON movement "
        "FOR EACH ROW EXECUTE FUNCTION movement_is_kept()",
    ),
)


def _guard(dialect: str, statement: str) -> Any:
    return DDL(statement).execute_if(dialect=dialect)  # type: ignore[no-untyped-call]


class Movement(Owned, db.Base):
    """One movement of money or debt on a bill, written by `ledger` with the change it tells of and never changed after:
    the database refuses to. `key` names what may happen once only."""

    __tablename__ = "movement"
    __table_args__ = (
        pair("movement"),
        same_organiser("bill_id", "bill"),
        same_organiser("credit_id", "credit"),
        CheckConstraint(f"(kind IN ({_PLUS}) AND minor > 0) OR (kind IN ({_MINUS}) AND minor < 0)", name="minor"),
        CheckConstraint("(kind LIKE 'credit%') = (credit_id IS NOT NULL)", name="credit_id"),
        {"listeners": [("after_create", _guard(*each)) for each in GUARDS]},
    )

    bill_id: Mapped[db.Ref] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(20))
    minor: Mapped[db.Minor]
    currency: Mapped[db.Currency]
    credit_id: Mapped[db.Ref | None] = mapped_column(index=True)
    about: Mapped[str] = mapped_column(String(80))
    note: Mapped[str] = mapped_column(String(200), default="")
    key: Mapped[str | None] = mapped_column(String(80), unique=True)
    at: Mapped[datetime]


class Payer(Owned, db.Base):
    """The organisation that a bill is invoiced to, as its booker gave it."""

    __tablename__ = "payer"
    __table_args__ = (pair("payer"), same_organiser("bill_id", "bill"), UniqueConstraint("bill_id"))

    bill_id: Mapped[db.Ref]
    name: Mapped[str] = mapped_column(String(200))
    address: Mapped[str] = mapped_column(String(500))
    email: Mapped[str] = mapped_column(String(254))
    purchase_order: Mapped[str] = mapped_column(String(80), default="")


class InvoiceSeries(Owned, db.Base):
    """The last number an organiser gave in a series. Its row is locked from the number's taking to the end of the
    transaction, so a number nobody kept is given again and none is missing."""

    __tablename__ = "invoice_series"
    __table_args__ = (pair("invoice_series"), UniqueConstraint("organiser_id", "series"))

    series: Mapped[str] = mapped_column(String(20))
    last: Mapped[int]


_AS_ISSUED = "a paper is never changed once it has its number; issue another one"
INVOICE_GUARDS = (
    (
        "sqlite",
        f"CREATE TRIGGER invoice_no_update BEFORE UPDATE ON invoice BEGIN SELECT RAISE(ABORT, '{_AS_ISSUED}'); END",
    ),
    (
        "sqlite",
        f"CREATE TRIGGER invoice_no_delete BEFORE DELETE ON invoice BEGIN SELECT RAISE(ABORT, '{_AS_ISSUED}'); END",
    ),
    (
        "postgresql",
        "CREATE OR REPLACE FUNCTION invoice_is_kept() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_AS_ISSUED}'; END $$",
    ),
    (
        "postgresql",
        "CREATE TRIGGER invoice_is_kept BEFORE UPDATE OR DELETE ON invoice "
        "FOR EACH ROW EXECUTE FUNCTION invoice_is_kept()",
    ),
)


class Invoice(Owned, db.Base):
    """A paper with a number: an invoice, a receipt for money that came, or a credit note for an invoice.

    `content` is all that it says, frozen when it was issued; `total_minor` what it asks for, acknowledges or takes
    back. `key` names what may be papered once only. The database refuses to change it.
    """

    __tablename__ = "invoice"
    __table_args__ = (
        pair("invoice"),
        same_organiser("bill_id", "bill"),
        same_organiser("credits_id", "invoice"),
        UniqueConstraint("organiser_id", "series", "number"),
        UniqueConstraint("key"),
        CheckConstraint("kind IN ('invoice', 'receipt', 'credit_note')", name="kind"),
        CheckConstraint("(kind = 'invoice') = (due_on IS NOT NULL)", name="due_on"),
        CheckConstraint("(kind = 'credit_note') = (credits_id IS NOT NULL)", name="credits_id"),
        CheckConstraint("total_minor > 0", name="total_minor"),
        CheckConstraint("number > 0", name="number"),
        {"listeners": [("after_create", _guard(*each)) for each in INVOICE_GUARDS]},
    )

    bill_id: Mapped[db.Ref] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(12))
    series: Mapped[str] = mapped_column(String(20))
    number: Mapped[int]
    credits_id: Mapped[db.Ref | None]
    key: Mapped[str] = mapped_column(String(80))
    currency: Mapped[db.Currency]
    total_minor: Mapped[db.Minor]
    due_on: Mapped[date | None] = mapped_column(Date)
    content: Mapped[db.Facts]
    issued_at: Mapped[datetime]

    @property
    def name(self) -> str:
        """The number as people quote it: INV-2027-0001."""
        return f"{self.series}-{self.number:04d}"


class InvoiceFile(Owned, db.Base):
    """A paper as PDF, made by the worker from its content alone."""

    __tablename__ = "invoice_file"
    __table_args__ = (pair("invoice_file"), same_organiser("invoice_id", "invoice"), UniqueConstraint("invoice_id"))

    invoice_id: Mapped[db.Ref]
    pdf: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[datetime]


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
