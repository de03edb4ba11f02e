"""Who booked what for whom, with which code, and which invites they were sent."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from accounts.models import Organiser
from courses.models import Place, TicketType, Workshop
from lib import db
from lib.db import Owned, pair, same_organiser
from payments.models import Bill

STATES = ("held", "awaiting_bank", "awaiting_invoice", "confirmed", "lapsed", "cancelled")


class Booking(Owned, db.Base):
    """One act of one booker with one organiser in one currency. `lifecycle` is the only writer of its state."""

    __tablename__ = "booking"
    __table_args__ = (
        pair("booking"),
        same_organiser("bill_id", "bill"),
        same_organiser("bundle_id", "bundle"),
        UniqueConstraint("bill_id"),
        UniqueConstraint("once"),
        CheckConstraint(
            "state IN ('held', 'awaiting_bank', 'awaiting_invoice', 'confirmed', 'lapsed', 'cancelled')", name="state"
        ),
        CheckConstraint("(state = 'held') = (held_until IS NOT NULL)", name="held_until"),
    )

    reference: Mapped[str] = mapped_column(String(16), unique=True)
    bill_id: Mapped[db.Ref]
    bundle_id: Mapped[db.Ref | None] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(String(16))
    once: Mapped[str | None] = mapped_column(String(64))
    once_digest: Mapped[str | None] = mapped_column(String(64))
    booker_name: Mapped[str] = mapped_column(String(200))
    booker_email: Mapped[str] = mapped_column(String(254), index=True)
    zone: Mapped[db.Zone]
    currency: Mapped[db.Currency]
    quote: Mapped[db.Facts]
    terms_version: Mapped[str] = mapped_column(String(20))
    policy: Mapped[db.Facts] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    held_until: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    link_version: Mapped[int] = mapped_column(default=1)

    organiser: Mapped[Organiser] = relationship()
    bill: Mapped[Bill] = relationship(overlaps="organiser")
    attendees: Mapped[list["Attendee"]] = relationship(
        back_populates="booking", order_by="Attendee.n", overlaps="bill,organiser"
    )


class Attendee(Owned, db.Base):
    """One person at one workshop with one ticket; whoever comes to a bundle is one at each of its workshops.

    `price_minor` less `discount_minor` is their stored share, extras included. `proof` is what they gave for a ticket
    that asks for it: a number, or that they declared it. `added_at` is when the place was added to a booking that was
    confirmed already.
    """

    __tablename__ = "attendee"
    __table_args__ = (
        pair("attendee"),
        same_organiser("booking_id", "booking"),
        same_organiser("workshop_id", "workshop"),
        same_organiser("ticket_type_id", "ticket_type"),
        UniqueConstraint("booking_id", "n"),
        CheckConstraint("state IN ('held', 'confirmed', 'lapsed', 'cancelled')", name="state"),
        CheckConstraint("discount_minor BETWEEN 0 AND price_minor", name="discount_minor"),
    )

    booking_id: Mapped[db.Ref] = mapped_column(index=True)
    workshop_id: Mapped[db.Ref] = mapped_column(index=True)
    ticket_type_id: Mapped[db.Ref]
    n: Mapped[int]
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str] = mapped_column(String(254), index=True)
    state: Mapped[str] = mapped_column(String(10))
    price_minor: Mapped[db.Minor]
    discount_minor: Mapped[db.Minor] = mapped_column(default=0)
    proof: Mapped[str] = mapped_column(String(80), default="")
    proof_checked_at: Mapped[datetime | None]
    added_at: Mapped[datetime | None]
    link_version: Mapped[int] = mapped_column(default=1)

    booking: Mapped[Booking] = relationship(back_populates="attendees", overlaps="bill,organiser")
    workshop: Mapped[Workshop] = relationship(overlaps="attendees,booking")
    ticket: Mapped[TicketType] = relationship(overlaps="attendees,booking,workshop")
    claims: Mapped[list["AttendeePlace"]] = relationship(
        back_populates="attendee", overlaps="attendees,booking,workshop,ticket"
    )
    answers: Mapped[list["Answer"]] = relationship(overlaps="attendees,booking,workshop,ticket,claims")
    invites: Mapped[list["SentInvite"]] = relationship(overlaps="attendees,booking,workshop,ticket,claims,answers")
    extras: Mapped[list["AttendeeExtra"]] = relationship(
        overlaps="attendees,booking,workshop,ticket,claims,answers,invites", order_by="AttendeeExtra.id"
    )

    @property
    def confirmed_at(self) -> datetime | None:
        """Since when the place is theirs for good."""
        return self.added_at or self.booking.confirmed_at


class AttendeePlace(Owned, db.Base):
    """The place an attendee holds in one pool. Once they have given it back: when, and when it was sold again."""

    __tablename__ = "attendee_place"
    __table_args__ = (
        pair("attendee_place"),
        same_organiser("attendee_id", "attendee"),
        same_organiser("place_id", "place"),
        UniqueConstraint("place_id"),
    )

    attendee_id: Mapped[db.Ref] = mapped_column(index=True)
    place_id: Mapped[db.Ref]
    given_back_at: Mapped[datetime | None]
    resold_at: Mapped[datetime | None]

    attendee: Mapped[Attendee] = relationship(back_populates="claims", overlaps="claims")
    place: Mapped[Place] = relationship(overlaps="attendee,claims")


class AttendeeExtra(Owned, db.Base):
    """Something added to an attendee's place, such as lunch. Its price is part of the attendee's share."""

    __tablename__ = "attendee_extra"
    __table_args__ = (
        pair("attendee_extra"),
        same_organiser("attendee_id", "attendee"),
        same_organiser("ticket_type_id", "ticket_type"),
        UniqueConstraint("attendee_id", "ticket_type_id"),
    )

    attendee_id: Mapped[db.Ref]
    ticket_type_id: Mapped[db.Ref]
    price_minor: Mapped[db.Minor]
    discount_minor: Mapped[db.Minor] = mapped_column(default=0)

    ticket: Mapped[TicketType] = relationship(overlaps="extras")


class Answer(Owned, db.Base):
    """What an attendee answered to one of the workshop's questions."""

    __tablename__ = "answer"
    __table_args__ = (
        pair("answer"),
        same_organiser("attendee_id", "attendee"),
        same_organiser("question_id", "question"),
        UniqueConstraint("attendee_id", "question_id"),
    )

    attendee_id: Mapped[db.Ref]
    question_id: Mapped[db.Ref]
    text: Mapped[str] = mapped_column(Text)


class DiscountCode(Owned, db.Base):
    """A code and its limits. `folded` is how it is looked up: one code however it is typed.

    It takes `percent` off, or `minor` off the whole booking, or lets each place it covers cost `minor`. Lists of None
    limit nothing, but a bundle is only covered by a code that names it in `bundles`. `person` is whose it is alone;
    `covers` is how many places of one booking it counts for; nobody types a code that `is_automatic`.
    """

    __tablename__ = "discount_code"
    __table_args__ = (
        pair("discount_code"),
        UniqueConstraint("organiser_id", "folded"),
        CheckConstraint("kind IN ('percent', 'amount', 'fixed')", name="kind"),
        CheckConstraint("percent BETWEEN 1 AND 100", name="percent"),
        CheckConstraint("minor >= 0", name="minor"),
        CheckConstraint("(kind = 'percent') = (percent IS NOT NULL)", name="percent_of"),
        CheckConstraint("(kind = 'percent') = (minor IS NULL)", name="minor_of"),
        CheckConstraint(
            "currency IS NOT NULL OR (minor IS NULL AND least_order_minor IS NULL AND budget_minor IS NULL)",
            name="currency",
        ),
        CheckConstraint("uses_total >= 0", name="uses_total"),
        CheckConstraint("uses_per_person >= 1", name="uses_per_person"),
        CheckConstraint("covers >= 1", name="covers"),
        CheckConstraint("least_people >= 1", name="least_people"),
    )

    code: Mapped[str] = mapped_column(String(40))
    folded: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(10), default="percent")
    percent: Mapped[int | None]
    minor: Mapped[db.Minor | None]
    currency: Mapped[db.Currency | None]
    tickets: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    workshops: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    courses: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    topics: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    bundles: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    full_price_only: Mapped[bool] = mapped_column(default=False)
    first_online_only: Mapped[bool] = mapped_column(default=False)
    covers: Mapped[int | None]
    least_people: Mapped[int] = mapped_column(default=1)
    re_rate_on_cancellation: Mapped[bool] = mapped_column(default=False)
    least_order_minor: Mapped[db.Minor | None]
    budget_minor: Mapped[db.Minor | None]
    stacks: Mapped[bool] = mapped_column(default=False)
    is_automatic: Mapped[bool] = mapped_column(default=False)
    person: Mapped[str | None] = mapped_column(String(254))
    valid_from: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]
    uses_total: Mapped[int | None]
    uses_per_person: Mapped[int | None]


class Redemption(Owned, db.Base):
    """One use of a code by one booking, and what it took off; `discounts` is the only writer of its state."""

    __tablename__ = "redemption"
    __table_args__ = (
        pair("redemption"),
        same_organiser("code_id", "discount_code"),
        same_organiser("booking_id", "booking"),
        UniqueConstraint("code_id", "booking_id"),
        CheckConstraint("state IN ('held', 'used', 'released')", name="state"),
        CheckConstraint("(state = 'held') = (held_until IS NOT NULL)", name="held_until"),
        Index("ix_redemption_code_id_person", "code_id", "person"),
    )

    code_id: Mapped[db.Ref]
    booking_id: Mapped[db.Ref]
    person: Mapped[str] = mapped_column(String(254))
    minor: Mapped[db.Minor] = mapped_column(default=0)
    currency: Mapped[db.Currency | None]
    state: Mapped[str] = mapped_column(String(10))
    held_until: Mapped[datetime | None]

    code: Mapped[DiscountCode] = relationship()


class SentInvite(Owned, db.Base):
    """The calendar entry one attendee has for one session: its UID for ever, its SEQUENCE rising with each change."""

    __tablename__ = "sent_invite"
    __table_args__ = (
        pair("sent_invite"),
        same_organiser("attendee_id", "attendee"),
        same_organiser("session_id", "workshop_session"),
        UniqueConstraint("attendee_id", "session_id"),
    )

    attendee_id: Mapped[db.Ref]
    session_id: Mapped[db.Ref]
    uid: Mapped[str] = mapped_column(String(200), unique=True)
    sequence: Mapped[int] = mapped_column(default=0)
    stamp: Mapped[datetime]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    is_withdrawn: Mapped[bool] = mapped_column(default=False)


class Joining(Owned, db.Base):
    """That an attendee went through to a session's meeting: first, last, and how often."""

    __tablename__ = "joining"
    __table_args__ = (
        pair("joining"),
        same_organiser("attendee_id", "attendee"),
        same_organiser("session_id", "workshop_session"),
        UniqueConstraint("attendee_id", "session_id"),
    )

    attendee_id: Mapped[db.Ref]
    session_id: Mapped[db.Ref]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    times: Mapped[int] = mapped_column(default=1)


class Change(Owned, db.Base):
    """One place given up, passed on or moved by its booker or for them, or places added; and what was agreed about the
    money. No attendee is named where they are only made once it is paid.

    `owing` waits for a payment and `pending` for the place to be sold again; `bookings.changes` is the only writer of
    its state.
    """

    __tablename__ = "change"
    __table_args__ = (
        pair("change"),
        same_organiser("booking_id", "booking"),
        same_organiser("attendee_id", "attendee"),
        same_organiser("attempt_id", "payment_attempt"),
        UniqueConstraint("attempt_id"),
        CheckConstraint("kind IN ('cancel', 'substitute', 'transfer', 'add')", name="kind"),
        CheckConstraint("state IN ('owing', 'pending', 'done', 'lapsed')", name="state"),
        CheckConstraint("(state = 'owing') = (held_until IS NOT NULL)", name="held_until"),
    )

    booking_id: Mapped[db.Ref] = mapped_column(index=True)
    attendee_id: Mapped[db.Ref | None] = mapped_column(index=True)
    attempt_id: Mapped[db.Ref | None]
    kind: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10))
    due_minor: Mapped[db.Minor] = mapped_column(default=0)
    refund_minor: Mapped[db.Minor] = mapped_column(default=0)
    credit_minor: Mapped[db.Minor] = mapped_column(default=0)
    facts: Mapped[db.Facts] = mapped_column(default=dict)
    actor: Mapped[str] = mapped_column(String(80))
    why: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime]
    held_until: Mapped[datetime | None]

    attendee: Mapped[Attendee | None] = relationship(overlaps="booking")
    booking: Mapped[Booking] = relationship(overlaps="attendee")

    @property
    def credit_minor_apart(self) -> int:
        """What of it a credit pays, in minor units."""
        return int(self.facts.get("credit", {}).get("minor", 0))

    @property
    def to_pay_minor(self) -> int:
        """What of it is paid by card, in minor units."""
        return self.due_minor - self.credit_minor_apart


class WaitingPerson(Owned, db.Base):
    """Somebody on a workshop's waiting list, by the order of `joined_at`. `waiting` is the only writer of the state.

    `wanted` places of a ticket, or fewer if `takes_fewer`. An offer or an accepted one is held until `held_until`.
    `told_until` is set once a free place was for whoever answers first: until then nobody outside the list gets it.
    `passed_over` is how many were free when that was too few for them.
    """

    __tablename__ = "waiting_person"
    __table_args__ = (
        pair("waiting_person"),
        same_organiser("workshop_id", "workshop"),
        same_organiser("ticket_type_id", "ticket_type"),
        same_organiser("booking_id", "booking"),
        UniqueConstraint("workshop_id", "email"),
        CheckConstraint(
            "state IN ('waiting', 'offered', 'accepted', 'booked', 'lapsed', 'left', 'removed', 'closed')", name="state"
        ),
        CheckConstraint("(state IN ('offered', 'accepted')) = (held_until IS NOT NULL)", name="held_until"),
        CheckConstraint("wanted >= 1", name="wanted"),
    )

    workshop_id: Mapped[db.Ref]
    ticket_type_id: Mapped[db.Ref]
    booking_id: Mapped[db.Ref | None] = mapped_column(index=True)
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str] = mapped_column(String(254))
    zone: Mapped[db.Zone]
    wanted: Mapped[int]
    takes_fewer: Mapped[bool] = mapped_column(default=True)
    state: Mapped[str] = mapped_column(String(10))
    joined_at: Mapped[datetime]
    held_until: Mapped[datetime | None]
    told_until: Mapped[datetime | None]
    passed_over: Mapped[int | None]
    link_version: Mapped[int] = mapped_column(default=1)

    organiser: Mapped[Organiser] = relationship()
    workshop: Mapped[Workshop] = relationship(overlaps="organiser")
    ticket: Mapped[TicketType] = relationship(overlaps="organiser,workshop")
    offered: Mapped[list["OfferedPlace"]] = relationship(
        cascade="all, delete-orphan", order_by="OfferedPlace.place_id", overlaps="organiser,workshop,ticket"
    )


class OfferedPlace(Owned, db.Base):
    """A place held for somebody who waited for it."""

    __tablename__ = "offered_place"
    __table_args__ = (
        pair("offered_place"),
        same_organiser("waiting_person_id", "waiting_person"),
        same_organiser("place_id", "place"),
        UniqueConstraint("place_id"),
    )

    waiting_person_id: Mapped[db.Ref] = mapped_column(index=True)
    place_id: Mapped[db.Ref]

    place: Mapped[Place] = relationship(overlaps="offered")
