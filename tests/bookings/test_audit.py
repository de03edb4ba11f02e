"""The audit: silent while the books are sound, and a line for every kind of fault."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from bookings import audit
from bookings.models import Attendee, AttendeePlace, Booking, DiscountCode
from courses import places
from courses.models import Place, Pool
from lib import db
from payments.models import Payment, PaymentAttempt, Refund
from tests.bookings.making import ANN, BOB, Made, a_wish, held, lapse, paid, receive, settle_again
from tests.builders import a_code, a_pool, a_ticket, a_workshop, arranged
from tests.conftest import Clock

pytestmark = pytest.mark.both_databases


def faults(app: Flask, now: datetime) -> list[tuple[str, str]]:
    with app.app_context():
        return sorted((each.about, each.what) for each in audit.faults(now))


@pytest.fixture
def slug(app: Flask) -> str:
    """A workshop with a room and a ticket that has its own limit besides."""
    with arranged(app):
        workshop = a_workshop(slug="it", capacity=20)
        a_ticket(workshop, code="early", prices={"GBP": 8500}, limited_to=5)
        a_code(code="SPRING25", percent=25, uses_total=9, uses_per_person=9)
        a_code(code="FREE", percent=100)
        return workshop.slug


def test_an_empty_house_is_sound(app: Flask, clock: Clock) -> None:
    assert faults(app, clock.at) == []


def test_the_books_are_sound_after_every_way_a_booking_can_go(app: Flask, clock: Clock, slug: str) -> None:
    paid(app, a_wish(slug, people=[ANN, BOB], ticket="early", code="spring25"))
    paid(app, a_wish(slug, people=[ANN, BOB], tickets=["early", "standard"]))
    held(app, a_wish(slug, code="FREE"))
    waiting = held(app, a_wish(slug, code="SPRING25"))
    receive(app, waiting, payment_status="unpaid", intent_status="processing")
    refused = held(app, a_wish(slug, code="SPRING25"))
    receive(app, refused, payment_status="unpaid", intent_status="processing")
    settle_again(app, refused, payment_status="unpaid", intent_status="requires_payment_method")
    lapsed, late, too_late = (held(app, a_wish(slug, code="SPRING25")) for _ in range(3))
    assert faults(app, clock.at) == []

    clock.shift(hours=1)
    for made in (lapsed, late, too_late):
        lapse(app, made)
    receive(app, late)
    fill(app, clock.at)
    receive(app, too_late)
    held(app, a_wish(another(app)))

    assert faults(app, clock.at) == []
    with app.app_context():
        states = list(db.session.scalars(select(Booking.state).order_by(Booking.id)))
    assert states == [*["confirmed"] * 3, "awaiting_bank", "lapsed", "lapsed", "confirmed", "lapsed", "held"]


def another(app: Flask) -> str:
    with arranged(app):
        return a_workshop(slug="another").slug


def fill(app: Flask, now: datetime) -> None:
    """Let others have every place that is left in the room."""
    with arranged(app):
        room = db.session.scalars(select(Pool).where(Pool.code == "room")).one()
        left = room.capacity - places.claimed([room.id], now)[room.id]
        places.hold({room.id: left}, organiser_id=room.organiser_id, until=now + timedelta(days=1), now=now)


def set_all(model: type[db.Base], **values: object) -> None:
    db.session.execute(update(model).values(**values))


def place_of(attendee_id: int) -> int:
    return db.session.scalars(select(AttendeePlace.place_id).where(AttendeePlace.attendee_id == attendee_id)).one()


def refund(state: str, amount_minor: int) -> None:
    payment = db.session.scalars(select(Payment)).one()
    db.session.add(
        Refund(
            organiser_id=payment.organiser_id,
            payment_id=payment.id,
            key="refund-1",
            state=state,
            source="organiser",
            reason="",
            amount_minor=amount_minor,
            currency="GBP",
            created_at=payment.at,
        )
    )
    db.session.flush()


def lapse_but_keep_the_money() -> None:
    set_all(Booking, state="lapsed")
    set_all(Attendee, state="lapsed")
    set_all(Place, state="released")


def a_pool_more() -> None:
    """The ticket draws from one pool more than its attendees have places in."""
    workshop = db.session.scalars(select(Booking)).one().attendees[0].workshop
    workshop.tickets[0].pools.append(a_pool(workshop, code="late", capacity=9))
    db.session.flush()


PLANTED: dict[str, tuple[Callable[[], object], list[tuple[str, str]]]] = {
    "more places than the pool has": (
        lambda: set_all(Pool, capacity=1),
        [("pool:1", "2 places are claimed of 1")],
    ),
    "confirmed and not paid": (
        lambda: db.session.execute(delete(Payment)),
        [("booking {ref}", "is confirmed with 0 of 25200 paid")],
    ),
    "confirmed and paid with a payment that failed": (
        lambda: set_all(Payment, state="failed"),
        [("booking {ref}", "is confirmed with 0 of 25200 paid")],
    ),
    "confirmed and not all paid": (
        lambda: set_all(Payment, amount_minor=25199),
        [("booking {ref}", "is confirmed with 25199 of 25200 paid")],
    ),
    "lapsed with the money kept": (
        lapse_but_keep_the_money,
        [("booking {ref}", "is lapsed and 25200 of its money is still here")],
    ),
    "confirmed and sent back": (
        lambda: refund("succeeded", 200),
        [("booking {ref}", "is confirmed with 25000 of 25200 paid")],
    ),
    "more sent back than came": (
        lambda: refund("pending", 25300),
        [
            ("booking {ref}", "25300 went back of 25200 that came"),
            ("booking {ref}", "is confirmed with -100 of 25200 paid"),
        ],
    ),
    "a refund that failed": (
        lambda: refund("failed", 25200),
        [("refund refund-1", "failed at Stripe and needs somebody to look at it")],
    ),
    "shares that do not add up": (
        lambda: db.session.execute(update(Attendee).where(Attendee.n == 0).values(discount_minor=4199)),
        [("booking {ref}", "shares add up to 25201, the bill says 25200")],
    ),
    "a code over its limit": (
        lambda: set_all(DiscountCode, uses_total=0),
        [("code SPRING25", "was used 1 times of 0")],
    ),
    "a place given back": (
        lambda: db.session.execute(update(Place).where(Place.id == place_of(1)).values(state="released")),
        [("booking {ref}, attendee:1", "booking is confirmed, its places are released")],
    ),
    "a place that is nobody's": (
        lambda: db.session.execute(delete(AttendeePlace).where(AttendeePlace.attendee_id == 1)),
        [("booking {ref}, attendee:1", "has 0 places, the ticket draws from 1 pools")],
    ),
    "a place in too few pools": (
        a_pool_more,
        [
            ("booking {ref}, attendee:1", "has 1 places, the ticket draws from 2 pools"),
            ("booking {ref}, attendee:2", "has 1 places, the ticket draws from 2 pools"),
        ],
    ),
    "an attendee left behind": (
        lambda: db.session.execute(update(Attendee).where(Attendee.n == 1).values(state="lapsed")),
        [("booking {ref}, attendee:2", "booking is confirmed, its places are taken")],
    ),
    "a page that can still be paid": (
        lambda: set_all(PaymentAttempt, state="open"),
        [("booking {ref}", "a payment page is still open though the booking is settled")],
    ),
}


@pytest.mark.parametrize(("plant", "expected"), [pytest.param(*planted, id=name) for name, planted in PLANTED.items()])
def test_each_kind_of_fault_is_found_and_no_other(
    app: Flask, clock: Clock, slug: str, plant: Callable[[], object], expected: list[tuple[str, str]]
) -> None:
    made = paid(app, a_wish(slug, people=[ANN, BOB], code="SPRING25"))
    assert faults(app, clock.at) == []

    with arranged(app):
        plant()

    assert faults(app, clock.at) == sorted((about.format(ref=made.reference), what) for about, what in expected)


def test_one_person_over_their_limit(app: Flask, clock: Clock, slug: str) -> None:
    for _ in range(2):
        paid(app, a_wish(slug, code="SPRING25"))
    with arranged(app):
        set_all(DiscountCode, uses_per_person=1)

    assert faults(app, clock.at) == [("code SPRING25", "was used 2 times by one person, 1 allowed")]


@pytest.mark.parametrize(("minutes", "is_found"), [(60, False), (61, True)])
def test_a_hold_that_nobody_tidies_is_a_fault_after_an_hour(
    app: Flask, clock: Clock, slug: str, minutes: int, is_found: bool
) -> None:
    made = held(app, a_wish(slug))
    with app.app_context():
        until = db.session.get_one(Booking, made.id).held_until
        assert until

    found = faults(app, until + timedelta(minutes=minutes))

    untidied = (f"booking {made.reference}", "its hold ran out over an hour ago and was not tidied")
    assert found == ([untidied] if is_found else [])


def test_a_hold_that_ran_out_is_no_place_too_many(app: Flask, clock: Clock, slug: str) -> None:
    held(app, a_wish(slug, people=[ANN, BOB]))
    with arranged(app):
        set_all(Pool, capacity=1)
    assert [what for _, what in faults(app, clock.at)] == ["2 places are claimed of 1"]

    assert faults(app, clock.shift(minutes=36)) == []


def run(app: Flask, *options: str) -> tuple[int, str]:
    done = app.test_cli_runner().invoke(args=["bookings", "audit", *options])
    return done.exit_code, done.output


def test_the_command_is_silent_when_sound_and_prints_a_line_a_fault_else(app: Flask, clock: Clock, slug: str) -> None:
    made: Made = paid(app, a_wish(slug, people=[ANN, BOB]))
    assert run(app) == (0, "")
    assert run(app, "--json") == (0, "[]\n")
    with arranged(app):
        set_all(Pool, capacity=1)
        db.session.execute(delete(Payment))

    code, said = run(app)

    assert code == 1
    assert said.splitlines() == [
        "pool:1: 2 places are claimed of 1",
        f"booking {made.reference}: is confirmed with 0 of 33600 paid",
    ]
    code, said = run(app, "--json")
    assert code == 1
    assert json.loads(said) == [
        {"about": "pool:1", "what": "2 places are claimed of 1"},
        {"about": f"booking {made.reference}", "what": "is confirmed with 0 of 33600 paid"},
    ]
