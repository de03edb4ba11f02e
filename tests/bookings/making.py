"""Bookings for tests, made by the doors' own functions, without a browser or a network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from flask import Flask
from sqlalchemy import func, select

from bookings import bundle_sale, checkout, letters, lifecycle, settling, terms
from bookings.choosing import Attending, Wish
from bookings.models import Booking
from courses import bundles
from lib import clock, db
from payments.gateway import Checkout
from payments.models import Payment, PaymentAttempt

ANN = ("Ann Attwood", "ann@clinic.example")
BOB = ("Bob Barnes", "bob@practice.example")
People = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Made:
    """A booking as its booker and its attendees know it."""

    id: int
    reference: str
    url: str
    places: tuple[str, ...]


def a_wish(
    slug: str,
    *,
    people: People = (ANN,),
    ticket: str = "standard",
    tickets: Sequence[str] = (),
    currency: str = "GBP",
    code: str = "",
    booker: tuple[str, str] = ("Bea Booker", "bea@clinic.example"),
    wants_letters: bool = False,
    answers: Mapping[int, str] | None = None,
    extras: Sequence[str] = (),
    proof: str = "",
    amounts: Mapping[str, int] | None = None,
) -> Wish:
    """A filled form; `tickets` names one for each person where they differ."""
    each = list(tickets) or [ticket] * len(people)
    return Wish(
        slug=slug,
        currency=currency,
        attending=tuple(
            Attending(n, name, email, each[n], dict(answers or {}), tuple(extras), proof)
            for n, (name, email) in enumerate(people)
        ),
        booker_name=booker[0],
        booker_email=booker[1],
        code=code,
        zone="Europe/London",
        wants_letters=wants_letters,
        terms_version=terms.CURRENT,
        once=None,
        once_digest=None,
        amounts=dict(amounts or {}),
    )


def held(app: Flask, wish: Wish) -> Made:
    """Places held while the booker pays; a free booking is confirmed."""
    with app.app_context(), db.writing():
        return _made(checkout.start(wish, clock.now()))


def held_bundle(app: Flask, slug: str, people: People = (ANN,)) -> Made:
    """Places at every workshop of a bundle, held while the booker pays."""
    with app.app_context(), db.writing():
        return _made(bundle_sale.start(a_wish(slug, people=people, ticket=bundles.TICKET), clock.now()))


def paid_bundle(app: Flask, slug: str, people: People = (ANN,)) -> Made:
    """A bundle whose money came."""
    made = held_bundle(app, slug, people)
    receive(app, made)
    return made


def paid(app: Flask, wish: Wish) -> Made:
    """A booking whose money came."""
    made = held(app, wish)
    receive(app, made)
    return made


def receive(
    app: Flask,
    made: Made,
    *,
    payment_status: str = "paid",
    intent_status: str | None = None,
    intent: str = "",
    card: str = "",
) -> str:
    """What Stripe would say of the booking's page once it was paid; returns what came of it."""
    with app.app_context(), db.writing():
        booking = db.session.get_one(Booking, made.id)
        newest = (
            select(PaymentAttempt).where(PaymentAttempt.bill_id == booking.bill_id).order_by(PaymentAttempt.id.desc())
        )
        attempt = db.session.scalars(newest).first()
        if attempt is None:
            return "nothing to pay"
        said = Checkout(
            session_id=attempt.stripe_session or f"cs_test_{uuid4().hex}",
            url=None,
            status="complete",
            payment_status=payment_status,
            amount_minor=attempt.amount_minor,
            currency=attempt.currency,
            payment_intent=intent or f"pi_{uuid4().hex}",
            intent_status=intent_status,
            attempt_key=attempt.key,
            is_live=False,
            card=card,
        )
        return settling.settle(said, actor="stripe", now=clock.now())[1]


def settle_again(app: Flask, made: Made, *, payment_status: str, intent_status: str | None) -> str:
    """What Stripe says later of a page that was completed while its money was still on its way."""
    with app.app_context(), db.writing():
        bill_id = db.session.get_one(Booking, made.id).bill_id
        attempt = db.session.scalars(
            select(PaymentAttempt).where(PaymentAttempt.bill_id == bill_id, PaymentAttempt.state == "completed")
        ).one()
        payment = db.session.scalars(select(Payment).where(Payment.bill_id == bill_id)).one()
        said = Checkout(
            session_id=attempt.stripe_session or "",
            url=None,
            status="complete",
            payment_status=payment_status,
            amount_minor=attempt.amount_minor,
            currency=attempt.currency,
            payment_intent=payment.payment_intent,
            intent_status=intent_status,
            attempt_key=attempt.key,
            is_live=False,
        )
        return settling.settle(said, actor="stripe", now=clock.now())[1]


def lapse(app: Flask, made: Made) -> None:
    """What the worker does when nobody paid, the page at Stripe being closed."""
    with app.app_context(), db.writing():
        booking = lifecycle.locked(db.session.get_one(Booking, made.id).bill_id)
        attempt = page_of(booking)
        if attempt:
            attempt.state = "expired"
        lifecycle.lapse(booking, actor="worker", why="not paid in time", now=clock.now())


def page_of(booking: Booking) -> PaymentAttempt | None:
    """The booking's way to Stripe that may still be paid, as the row stands."""
    return db.session.scalars(
        select(PaymentAttempt).where(
            PaymentAttempt.bill_id == booking.bill_id, PaymentAttempt.state.in_(("opening", "open"))
        )
    ).one_or_none()


def state_of(app: Flask, made: Made) -> str:
    with app.app_context():
        return db.session.get_one(Booking, made.id).state


def rows(app: Flask) -> dict[str, int]:
    """How many rows each table has; empty ones are left out."""
    with app.app_context():
        counted = {
            name: db.session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in db.Base.metadata.tables.items()
        }
    return {name: number for name, number in counted.items() if number}


def _made(booking: Booking) -> Made:
    return Made(
        booking.id,
        booking.reference,
        letters.booking_url(booking),
        tuple(letters.place_url(each) for each in booking.attendees),
    )
