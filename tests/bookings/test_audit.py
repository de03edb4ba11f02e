"""The audit: silent while the books are sound, and a line for every kind of fault."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from bookings import audit
from bookings.models import Attendee, AttendeePlace, Booking, DiscountCode, Redemption
from courses import places
from courses.models import Place, Pool
from lib import db, work
from payments import credits, refunds
from payments.gateway import SentBack
from payments.models import Bill, Credit, Movement, Payment, PaymentAttempt
from tests.bookings.making import ANN, BOB, a_wish, held, lapse, paid, receive, settle_again
from tests.builders import a_code, a_pool, a_ticket, a_workshop, arranged
from tests.conftest import MORNING, Clock

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


def movement(kind: str, minor: int, credit: Credit | None = None) -> None:
    """A movement that was never made by anything that moved."""
    bill = db.session.scalars(select(Bill)).one()
    db.session.add(
        Movement(
            organiser_id=bill.organiser_id,
            bill_id=bill.id,
            kind=kind,
            minor=minor,
            currency="GBP",
            credit_id=credit.id if credit else None,
            about="nothing",
            at=bill.created_at,
        )
    )
    db.session.flush()


def refund(status: str, minor: int) -> None:
    """A refund made at Stripe, heard of as it should be."""
    payment = db.session.scalars(select(Payment)).one()
    refunds.hear(SentBack("re_1", status, minor, "GBP", payment.payment_intent, None), payment.at)


def send_too_much() -> None:
    refund("succeeded", 25200)
    movement("refund", -100)


def ask_and_forget() -> None:
    """A refund of ours whose job is gone."""
    refund = refunds.ask(1, 100, source="organiser", reason="kindness", now=MORNING)[0]
    refund.key = "refund-1"
    db.session.execute(delete(work.Job).where(work.Job.kind == refunds.SEND_BACK))


def a_credit() -> Credit:
    return credits.issue(1, 5000, email="bea@clinic.example", reason="kindness", expires_at=None, now=MORNING)


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
    "a payment that is gone": (
        lambda: db.session.execute(delete(Payment)),
        [
            ("bill:1", "the ledger has 25200 of payments, the rows 0"),
            ("books GBP", "0 came in, and 25200 is kept, returned or owed as credit"),
        ],
    ),
    "a payment that failed": (
        lambda: set_all(Payment, state="failed"),
        [
            ("bill:1", "the ledger has 25200 of payments, the rows 0"),
            ("books GBP", "0 came in, and 25200 is kept, returned or owed as credit"),
        ],
    ),
    "a payment of another amount": (
        lambda: set_all(Payment, amount_minor=25199),
        [
            ("bill:1", "the ledger has 25200 of payments, the rows 25199"),
            ("books GBP", "25199 came in, and 25200 is kept, returned or owed as credit"),
        ],
    ),
    "confirmed and not all paid": (
        lambda: movement("charge", 100),
        [
            ("booking {ref}", "is confirmed with 25200 of 25300 paid"),
            ("booking {ref}", "owes 25300 of a bill of 25200"),
        ],
    ),
    "money nobody owes": (
        lambda: movement("reduction", -100),
        [("booking {ref}", "is confirmed and 100 of its booker's money is still here")],
    ),
    "lapsed with the money kept": (
        lapse_but_keep_the_money,
        [
            ("booking {ref}", "is lapsed and 25200 is owed on it"),
            ("booking {ref}", "is lapsed and its code's use is used"),
        ],
    ),
    "a refund of the ledger's alone": (
        lambda: movement("refund", -200),
        [
            ("bill:1", "the ledger has 200 of refunds, the rows 0"),
            ("booking {ref}", "is confirmed with 25000 of 25200 paid"),
            ("books GBP", "25200 came in, and 25000 is kept, returned or owed as credit"),
        ],
    ),
    "more sent back than came": (
        send_too_much,
        [
            ("bill:1", "the ledger has 25300 of refunds, the rows 25200"),
            ("booking {ref}", "25300 went back of 25200"),
            ("booking {ref}", "is confirmed and its code's use is used"),
            ("booking {ref}", "is confirmed with -100 of 0 paid"),
            ("books GBP", "25200 came in, and 25100 is kept, returned or owed as credit"),
        ],
    ),
    "a refund that failed": (
        lambda: refund("failed", 25200),
        [("refund stripe-re_1", "failed at Stripe and needs somebody to look at it")],
    ),
    "a refund that nobody sends": (
        ask_and_forget,
        [("refund refund-1", "was not sent: no job sends it")],
    ),
    "a credit overspent": (
        lambda: movement("credit_spent", 5001, a_credit()),
        [
            ("booking {ref}", "is confirmed and 5001 of its booker's money is still here"),
            ("credit:1", "was overspent by 1"),
        ],
    ),
    "a code's use given back": (
        lambda: set_all(Redemption, state="released"),
        [("booking {ref}", "is confirmed and its code's use is released")],
    ),
    "shares that do not add up": (
        lambda: db.session.execute(update(Attendee).where(Attendee.n == 0).values(discount_minor=4199)),
        [("booking {ref}", "shares and charges add up to 25201, the bill says 25200")],
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
        [
            ("booking {ref}, attendee:2", "booking is confirmed, its places are taken"),
            ("booking {ref}, attendee:2", "is lapsed in a booking that is confirmed"),
        ],
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
    paid(app, a_wish(slug, people=[ANN, BOB]))
    assert run(app) == (0, "")
    assert run(app, "--json") == (0, "[]\n")
    with arranged(app):
        set_all(Pool, capacity=1)
        db.session.execute(delete(Payment))

    code, said = run(app)

    assert code == 1
    assert said.splitlines() == [
        "pool:1: 2 places are claimed of 1",
        "bill:1: the ledger has 33600 of payments, the rows 0",
        "books GBP: 0 came in, and 33600 is kept, returned or owed as credit",
    ]
    code, said = run(app, "--json")
    assert code == 1
    assert json.loads(said) == [
        {"about": "pool:1", "what": "2 places are claimed of 1"},
        {"about": "bill:1", "what": "the ledger has 33600 of payments, the rows 0"},
        {"about": "books GBP", "what": "0 came in, and 33600 is kept, returned or owed as credit"},
    ]
