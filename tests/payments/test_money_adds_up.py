"""Whatever happens in whatever order, and however Stripe tells of it: money in = kept + returned + credit owed, here
and at Stripe, no code goes beyond its limit and no place is sold twice."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from random import Random
from typing import Any

import pytest
import stripe as stripe_sdk
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from bookings import audit, jobs, lifecycle, money_audit, returning
from bookings.models import Booking
from demo.stripe import process
from demo.stripe.process import StandIn
from lib import db, web, work
from payments import attempts, credits, gateway, ledger
from payments.models import Bill, Credit, Payment
from tests.bookings.making import a_wish, held
from tests.builders import a_code, a_workshop, arranged
from tests.conftest import MORNING, Clock, House, Houses, deliver

SHORT = settings(max_examples=8, suppress_health_check=list(HealthCheck))
LONG = settings(
    max_examples=400,
    derandomize=False,
    suppress_health_check=list(HealthCheck),
)
NUMBERS = ("4242424242424242", "4000000000007726", "4000000000005126", "pay_later")
NEEDS_SOMEBODY = "failed at Stripe and needs somebody to look at it"
Step = tuple[str, int, int]

WEIGHED = [
    *("book", "book", "pay", "pay", "pay", "bank", "refund", "refund", "dashboard", "dashboard", "settle"),
    *("dispute", "judge", "cancel", "credit", "spend", "lapse", "work", "work", "ring", "ring", "ring", "ring", "ring"),
]
STEP = st.tuples(st.sampled_from(WEIGHED), st.integers(0, 3), st.integers(1, 20000))
# Two bookings are paid before anything else happens; whether that was told of is up to the steps.
STEPS = st.tuples(st.integers(0, 3), st.integers(0, 3), st.lists(STEP, min_size=8, max_size=24)).map(
    lambda drawn: [("book", 1, 1), ("pay", 0, drawn[0]), ("book", 0, 2), ("pay", 0, drawn[1]), *drawn[2]]
)


class World:
    """One house with five places, a code with two uses, and Stripe; everything a step can do to them."""

    def __init__(self, app: Flask, stripe: StandIn, clock: Clock) -> None:
        self.app, self.stripe, self.clock = app, stripe, clock
        self.api = stripe_sdk.StripeClient("sk_test_of_the_test", base_addresses={"api": stripe.url})
        self.client = FlaskClient(app, app.response_class)
        self.booked = 0
        kept = ("payments.", "bookings.lapse", "bookings.refund_news", "bookings.dispute_news", "bookings.close_page")
        self.handlers = {kind: each for kind, each in app.extensions["handlers"].items() if kind.startswith(kept)}
        with arranged(app):
            self.slug = a_workshop(capacity=5).slug
            a_code(code="TWICE", percent=10, uses_total=2)

    def do(self, step: Step) -> None:
        name, which, number = step
        with suppress(web.Refusal, _NothingThere, process.Refused):
            getattr(self, f"_{name}")(which, number)

    # What people do here

    def _book(self, which: int, number: int) -> None:
        self.booked += 1
        people = [(f"Attendee {self.booked}.{n}", f"a{self.booked}-{n}@clinic.example") for n in range(1 + which % 2)]
        made = held(self.app, a_wish(self.slug, people=people, code="TWICE" if number % 2 else ""))
        with self.app.app_context():
            attempt = attempts.live(db.session.get_one(Booking, made.id).bill_id)
            assert attempt is not None
            key, parameters = attempt.key, attempt.parameters
            db.session.rollback()
            page = gateway.open_checkout(key, parameters)
            if number % 3:  # else the answer was lost, and a webhook is the first to tell
                with db.writing():
                    attempts.opened(key, page)

    def _refund(self, which: int, number: int) -> None:
        with arranged(self.app):
            self._give(self._locked(which), number)

    def _cancel(self, which: int, number: int) -> None:
        with arranged(self.app):
            booking = self._locked(which)
            gone = [each for each in booking.attendees if each.state == "confirmed"][: 1 + number % 2]
            if booking.state == "confirmed" and gone:
                lifecycle.cancel(booking, gone, actor="booker", why="cannot come", now=self.clock.at)
                self._give(booking, sum(each.price_minor - each.discount_minor for each in gone))

    def _credit(self, which: int, number: int) -> None:
        with arranged(self.app):
            booking = self._locked(which)
            minor = min(number, ledger.of_bill(booking.bill_id).kept_minor)
            if booking.state == "confirmed" and minor > 0:
                until = self.clock.at + timedelta(minutes=number % 200)
                returning.keep_as_credit(
                    booking,
                    minor,
                    email=booking.booker_email,
                    reason="rather that",
                    expires_at=until,
                    actor="booker",
                    now=self.clock.at,
                )

    def _spend(self, which: int, number: int) -> None:
        """A credit pays what is open of another booking, as far as it goes."""
        with arranged(self.app):
            booking = self._locked(which)
            due = ledger.of_bill(booking.bill_id).due_minor
            if booking.state == "confirmed" and due > 0:
                credits.spend(booking.bill_id, booking.booker_email, min(due, number), self.clock.at)

    def _give(self, booking: Booking, minor: int) -> None:
        if booking.state in ("confirmed", "cancelled") and minor:
            returning.give(
                booking,
                min(minor, max(ledger.of_bill(booking.bill_id).kept_minor, 0)),
                source="organiser",
                reason="kindness",
                actor="user:1",
                now=self.clock.at,
            )

    def _locked(self, which: int) -> Booking:
        found = db.session.scalars(select(Bill.id).order_by(Bill.id)).all()
        return lifecycle.locked(found[which % len(found)]) if found else _nobody()

    # What happens at Stripe

    def _pay(self, which: int, number: int) -> None:
        pages = list(self.api.v1.checkout.sessions.list({"status": "open"}).data)
        if pages:
            self.stripe.pay(pages[which % len(pages)].id, NUMBERS[number % len(NUMBERS)])

    def _bank(self, which: int, number: int) -> None:
        complete = self.api.v1.checkout.sessions.list({"status": "complete"}).data
        waiting = [each for each in complete if each.payment_status == "unpaid"]
        if waiting:
            self.stripe.bank(waiting[which % len(waiting)].id, "succeed" if number % 3 else "fail")

    def _dashboard(self, which: int, number: int) -> None:
        charge = self._charge(which)
        rest = charge.amount - charge.amount_refunded
        if rest:
            self.stripe.refund(str(charge.payment_intent), min(number, rest))

    def _settle(self, which: int, number: int) -> None:
        found = self.api.v1.refunds.list({"limit": 100}).data
        if found:
            self.stripe.settle_refund(found[which % len(found)].id, "succeeded" if number % 2 else "failed")

    def _dispute(self, which: int, number: int) -> None:
        charge = self._charge(which)
        if charge.amount > charge.amount_refunded:
            self.stripe.dispute(str(charge.payment_intent), asks_only=number % 4 == 0)

    def _judge(self, which: int, number: int) -> None:
        found = self.api.v1.disputes.list({"limit": 100}).data
        if found:
            one = found[which % len(found)]
            if one.status == "warning_needs_response":
                if number % 2:
                    self.stripe.escalate_dispute(one.id)
                else:
                    self.stripe.close_dispute(one.id, "warning_closed")
            else:
                self.stripe.close_dispute(one.id, "won" if number % 2 else "lost")

    def _charge(self, which: int) -> stripe_sdk.Charge:
        found = [each for each in self.api.v1.charges.list({"limit": 100}).data if each.status == "succeeded"]
        return found[which % len(found)] if found else _nobody()

    # What time and the worker do, and what is told

    def _lapse(self, which: int, _number: int) -> None:
        self.clock.shift(minutes=37 if which % 2 else 5)

    def _work(self, _which: int, _number: int) -> None:
        with self.app.app_context():
            work.run_due(self.handlers)

    def _ring(self, which: int, number: int) -> None:
        """Some of all events there ever were, in no order, some of them twice."""
        self.ring(Random(number), 1 + which * 3)

    def ring(self, luck: Random, most: int | None = None) -> None:
        told = self.stripe.events()
        told += luck.sample(told, len(told) // 3)
        luck.shuffle(told)
        for event in told[:most]:
            assert deliver(self.client, event).status_code == 204

    def come_to_rest(self, luck: Random) -> None:
        """Everything is told at last, twice and shuffled, and everything due is done."""
        for refund in self.api.v1.refunds.list({"limit": 100}).data:
            if refund.status == "pending":
                self.stripe.settle_refund(refund.id, "succeeded")
        for _ in range(3):
            self.ring(luck)
            self._work(0, 0)


class _NothingThere(Exception):
    """Nothing to do this step to."""


def _nobody() -> Any:
    raise _NothingThere


def always(world: World) -> None:
    """What holds at any moment, with half of it not told yet."""
    with world.app.app_context():
        found = [*audit._oversold(world.clock.at), *audit._codes(world.clock.at), *audit._places(world.clock.at)]
        sums, rows = money_audit._sums(), money_audit._rows()
        found += [*money_audit._movements(sums, rows), *money_audit._credits(), *money_audit._whole(sums, rows)]
    assert found == []


def at_rest(world: World) -> None:
    """What holds once Stripe has told everything: the books are sound, and both sides have the same money."""
    with world.app.app_context():
        done = jobs.reconcile(MORNING - timedelta(days=1))
        assert done.left == []
        failed = [each for each in audit.faults(world.clock.at) if each.what == NEEDS_SOMEBODY]
        rest = [each for each in audit.faults(world.clock.at) if each.what != NEEDS_SOMEBODY]
        # A bank may take what was given away already, or give it back: that is for people to settle, and named.
        assert [each for each in rest if "ran out over an hour ago" not in each.what] == [], failed
        intents = db.session.scalars(select(Payment.payment_intent).where(Payment.state == "succeeded")).all()
        bills = db.session.scalars(select(Bill.id)).all()
        balances = ledger.balances(bills).values()
        left = sum(ledger.left_of(db.session.scalars(select(Credit.id)).all()).values())
        expired = sum(sums.get("credit_expired", 0) for sums in money_audit._sums().values())
    charges = [each for each in world.api.v1.charges.list({"limit": 100}).data if each.status == "succeeded"]
    assert sorted(str(each.payment_intent) for each in charges) == sorted(intents)
    came = sum(each.amount for each in charges)
    back = sum(each.amount_refunded for each in charges)
    taken = sum(
        each.amount
        for each in world.api.v1.disputes.list({"limit": 100}).data
        if each.status in ("needs_response", "under_review", "lost")
    )
    assert sum(each.refunded_minor for each in balances) == back
    assert sum(each.disputed_minor for each in balances) == taken
    assert came == sum(each.kept_minor for each in balances) + expired + back + taken + left


@pytest.fixture
def live(
    app: Flask, database_kind: str, houses: Houses, stripe: StandIn, clock: Clock
) -> Callable[[Sequence[Step], Random], None]:
    house: House = houses(database_kind)

    def run(steps: Sequence[Step], luck: Random) -> None:
        house.refresh()
        stripe.reset()
        clock.set(MORNING)
        world = World(app, stripe, clock)
        for step in steps:
            world.do(step)
            always(world)
        world.come_to_rest(luck)
        always(world)
        at_rest(world)

    return run


LUCK = st.integers(0, 2**16).map(Random)


@pytest.mark.both_databases
class TestInShort:
    @SHORT
    @given(STEPS, LUCK)
    def test_money_adds_up(self, live: Callable[..., None], steps: list[Step], luck: Random) -> None:
        live(steps, luck)


@pytest.mark.prove
@pytest.mark.both_databases
class TestAtLength:
    @LONG
    @given(STEPS, LUCK)
    def test_money_adds_up(self, live: Callable[..., None], steps: list[Step], luck: Random) -> None:
        live(steps, luck)
