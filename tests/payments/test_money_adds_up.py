"""Whatever happens in whatever order, and however Stripe tells of it: money in = kept + returned + credit owed, here
and at Stripe, no code goes beyond its limit and no place is sold twice."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any, cast

import pytest
import stripe as stripe_sdk
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from bookings import (
    adding,
    audit,
    behalf,
    change_rows,
    change_terms,
    changes,
    jobs,
    letters,
    lifecycle,
    money_audit,
    plan_rows,
    reselling,
    returning,
    transfers,
)
from bookings.change_terms import Act, Ruling
from bookings.models import Attendee, Booking
from courses.deposits import Deposit, Part
from demo.stripe import process
from demo.stripe.process import StandIn
from lib import db, web, work
from payments import attempts, credits, gateway, ledger
from payments.models import Bill, Credit, Instalment, Payment
from policies import versions
from tests.bookings.making import Made, a_wish, held, held_bundle
from tests.builders import a_bundle, a_code, a_ticket, a_workshop, an_organiser, arranged
from tests.conftest import MORNING, Clock, House, Houses, deliver
from tests.page import PageClient, form

SHORT = settings(max_examples=5, suppress_health_check=list(HealthCheck))
LONG = settings(
    max_examples=400,
    derandomize=False,
    suppress_health_check=list(HealthCheck),
)
NUMBERS = ("4242424242424242", "4000000000007726", "4000000000005126", "pay_later")
FOR_PEOPLE = (
    "failed at Stripe and needs somebody to look at it",
    "its hold ran out over an hour ago and was not tidied",
)
Step = tuple[str, int, int]
CODES = ("", "TWICE", "DUO")
# Half back at once and all of it once the place is sold again; or a credit; or both parts for who comes late.
TERMS: list[dict[str, Any]] = [
    {
        "action": "cancel",
        "if": {"booked_ago": "<1h"},
        "choose": [{"refund_pct": 90}, {"credit_pct": 100, "credit_expires": "1d"}],
    },
    {"action": "cancel", "if": {"seat_resold": True}, "refund_pct": 100},
    {"action": "cancel", "refund_pct": 50, "credit_pct": 25, "credit_expires": "2d"},
    {"action": "substitute", "charge_minor": 1000},
    {"action": "transfer", "charge_minor": 0, "price_difference": "both"},
]

WEIGHED = [
    *("book", "book", "pay", "pay", "pay", "bank", "refund", "refund", "dashboard", "dashboard", "settle"),
    *("dispute", "judge", "cancel", "credit", "spend", "lapse", "work", "work", "ring", "ring", "ring", "ring", "ring"),
    *("policy", "policy", "team", "substitute", "substitute", "transfer", "transfer", "pay_change", "pay_change"),
    *("bundle", "deposit", "part", "part", "add", "add"),
]
STEP = st.tuples(st.sampled_from(WEIGHED), st.integers(0, 3), st.integers(1, 20000))


def begun(drawn: tuple[tuple[str, str], int, int, bool, list[Step]]) -> list[Step]:
    """Two bookings are paid before anything else happens; whether that was told of is up to what was drawn."""
    (one, other), first, second, is_told, rest = drawn
    told: list[Step] = [("ring", 3, first), ("ring", 3, second + 7)] if is_told else []
    return [(one, 1, 2), ("pay", 0, first), (other, 0, 1), ("pay", 0, second), *told, *rest]


KIND = st.sampled_from(("book", "book", "bundle", "deposit"))
STEPS = st.tuples(
    st.tuples(KIND, KIND), st.integers(0, 3), st.integers(0, 3), st.booleans(), st.lists(STEP, min_size=8, max_size=24)
).map(begun)


class World:
    """One house with five places, a cheaper and a dearer date with two each, a code with two uses and one for two
    people, terms for changes, and Stripe; everything a step can do to them."""

    def __init__(self, app: Flask, stripe: StandIn, clock: Clock) -> None:
        self.app, self.stripe, self.clock = app, stripe, clock
        self.api = stripe_sdk.StripeClient("sk_test_of_the_test", base_addresses={"api": stripe.url})
        self.client = FlaskClient(app, app.response_class)
        self.booked = 0
        money = ("payments.", "bookings.lapse", "bookings.refund_news", "bookings.dispute_news", "bookings.close_page")
        kept = (*money, change_rows.DECIDE, reselling.PLACE_RESOLD, plan_rows.CLOSE)
        self.handlers = {kind: each for kind, each in app.extensions["handlers"].items() if kind.startswith(kept)}
        stripe.settle_by_hand()
        with arranged(app):
            owner = an_organiser()
            terms = {"tz": owner.zone, "currency": "GBP", "rules": TERMS}
            versions.write(owner.id, "Ours", terms, actor="user:1", now=clock.at)
            self.slug = a_workshop(capacity=5).slug
            cheaper = a_workshop(capacity=2, in_days=50, price_minor=9000)
            dearer = a_workshop(capacity=2, in_days=60, price_minor=20000)
            self.bundle = a_bundle(cheaper, dearer, prices={"GBP": 26000}).slug
            parts = Deposit(6000, (Part(date(2027, 3, 20), 7000), Part(date(2027, 4, 20), 8000)))
            course = a_workshop(capacity=2, in_days=90, price_minor=None)
            a_ticket(course, prices={"GBP": parts.total_minor}, payment="deposit", terms=parts.terms())
            self.course = course.slug
            a_code(code="TWICE", percent=10, uses_total=2)
            a_code(code="DUO", percent=20, uses_total=3, least_people=2, re_rate_on_cancellation=True)

    def do(self, step: Step) -> None:
        name, which, number = step
        with suppress(web.Refusal, _NothingThere, process.Refused):
            getattr(self, f"_{name}")(which, number)

    # What people do here

    def _book(self, which: int, number: int) -> None:
        people = self._people(1 + which % 2)
        code = CODES[number % 3] if which % 2 else CODES[number % 2]
        made = held(self.app, a_wish(self.slug, people=people, code=code))
        self._go_to_pay(made, number)

    def _bundle(self, which: int, number: int) -> None:
        """Both other dates for one price."""
        self._go_to_pay(held_bundle(self.app, self.bundle, self._people(1 + which % 2)), number)

    def _deposit(self, which: int, number: int) -> None:
        """A place that is paid in three parts."""
        self._go_to_pay(held(self.app, a_wish(self.course, people=self._people(1 + which % 2))), number)

    def _part(self, which: int, number: int) -> None:
        """The next part of what is paid in parts, or all that is left of it, from the booking's page."""
        with self.app.test_request_context():
            open_bills = select(Instalment.bill_id).where(Instalment.state == "open")
            found = db.session.scalars(
                select(Booking).where(Booking.bill_id.in_(open_bills)).order_by(Booking.id)
            ).all()
            booking = found[which % len(found)] if found else _nobody()
            page, reference = letters.booking_url(booking), booking.reference
        client = cast(PageClient, self.app.test_client())
        client.get(page)
        shown = client.get(f"/bookings/{reference}")
        if f"/bookings/{reference}/instalments" in shown.text:
            asked = form(shown, "/instalments")
            until = asked.buttons[-1 if number % 2 else 0].value
            client.post(f"/bookings/{reference}/instalments", data={**asked.values, "until": until})

    def _add(self, which: int, number: int) -> None:
        """One more person, or two, on a booking that is paid; a credit pays of it what it can."""
        with arranged(self.app):
            booking, (first, *_) = self._coming(which, 1)
            act = Act("booker", "", self.clock.at)
            wish = a_wish(first.workshop.slug, people=self._people(1 + number % 2), ticket=first.ticket.code)
            wish = replace(wish, credit_of=booking.booker_email if number % 3 else "")
            found = adding.listing(booking, first.workshop, self.clock.at)
            promise = adding.price(booking, wish, found, self.clock.at).promise
            attempt = adding.add(booking, wish, promise, act)
            way = (attempt.key, attempt.parameters) if attempt else None
        if way:
            self._open(*way, is_lost=number % 4 == 0)

    def _people(self, number: int) -> list[tuple[str, str]]:
        self.booked += 1
        return [(f"Attendee {self.booked}.{n}", f"a{self.booked}-{n}@clinic.example") for n in range(number)]

    def _go_to_pay(self, made: Made, number: int) -> None:
        with self.app.app_context():
            attempt = attempts.live(db.session.get_one(Booking, made.id).bill_id)
            assert attempt is not None
            way = attempt.key, attempt.parameters
        self._open(*way, is_lost=number % 4 == 0)

    def _open(self, key: str, parameters: Any, *, is_lost: bool) -> None:
        """The page at Stripe; when the answer is lost, a webhook is the first to tell."""
        with self.app.app_context():
            page = gateway.open_checkout(key, parameters)
            if not is_lost:
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

    def _policy(self, which: int, number: int) -> None:
        """The booker gives one or two places up as the terms say: what the page promised is what goes back."""
        with arranged(self.app):
            booking, gone = self._coming(which, 1 + number % 2)
            offered = change_terms.totals(changes.offers(booking, gone, self.clock.at))
            choice = number % max(len(offered), 1)
            deal = offered[choice] if offered else _nobody()
            before = ledger.of_bill(booking.bill_id)
            act = Act("booker", "", self.clock.at)
            changes.cancel(booking, [each.n for each in gone], choice, change_rows.quoted([deal]), act)
            after = ledger.of_bill(booking.bill_id)
            assert after.kept_minor == before.kept_minor - deal.refund_minor - deal.credit_minor

    def _team(self, which: int, number: int) -> None:
        """The team ends places on terms of its own: part goes back, part is kept as a credit."""
        with arranged(self.app):
            booking, gone = self._coming(which, 1 + number % 2)
            most = behalf.most(booking, gone)
            refund = number % (most + 1)
            credit = (most - refund) // 3
            ruling = Ruling(instead=behalf.decided(booking, refund, credit, self.clock.at + timedelta(hours=2)))
            before = ledger.of_bill(booking.bill_id)
            act = Act("user:1", "kindness", self.clock.at, "organiser")
            changes.cancel(booking, [each.n for each in gone], 0, "", act, ruling)
            assert ledger.of_bill(booking.bill_id).kept_minor == before.kept_minor - refund - credit

    def _substitute(self, which: int, number: int) -> None:
        with arranged(self.app):
            booking, (attendee, *_) = self._coming(which, 1)
            offer = change_terms.offer(attendee, "substitute", self.clock.at)
            deal = offer.deals[0] if offer.deals else _nobody()
            self.booked += 1
            name, act = f"Colleague {self.booked}", Act("booker", "", self.clock.at)
            promised = change_rows.quoted([deal])
            attempt = changes.substitute(booking, attendee.n, name, f"c{self.booked}@clinic.example", promised, act)
            way = (attempt.key, attempt.parameters) if attempt else None
        if way:
            self._open(*way, is_lost=number % 4 == 0)

    def _transfer(self, which: int, number: int) -> None:
        """To a cheaper date, with the difference returned, or to a dearer one once it is paid."""
        with arranged(self.app):
            booking, (attendee, *_) = self._coming(which, 1)
            there = [each for each in transfers.targets(attendee, self.clock.at) if each.offer.deals]
            target = there[number % len(there)] if there else _nobody()
            deal, before = target.offer.deals[0], ledger.of_bill(booking.bill_id)
            act, promised = Act("booker", "", self.clock.at), change_rows.quoted([deal])
            attempt = transfers.transfer(booking, attendee.n, target.key, promised, act)
            way = (attempt.key, attempt.parameters) if attempt else None
            after = ledger.of_bill(booking.bill_id)
            assert way or after.kept_minor == before.kept_minor - deal.refund_minor - deal.credit_minor
        if way:
            self._open(*way, is_lost=number % 4 == 0)

    def _pay_change(self, which: int, number: int) -> None:
        """The newest page at Stripe is paid: most often one for a change."""
        pages = list(self.api.v1.checkout.sessions.list({"status": "open"}).data)
        if pages:
            self.stripe.pay(pages[0].id, NUMBERS[number % 2])

    def _coming(self, which: int, most: int) -> tuple[Booking, list[Attendee]]:
        booking = self._locked(which)
        coming = [each for each in booking.attendees if each.state == "confirmed"][:most]
        return (booking, coming) if booking.state == "confirmed" and coming else _nobody()

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
        for _ in range(3):
            self.stripe.settle_all()
            self.ring(luck)
            self._work(0, 0)


class _NothingThere(Exception):
    """Nothing to do this step to."""


def _nobody() -> Any:
    raise _NothingThere


def always(world: World) -> None:
    """What holds at any moment, with half of it not told yet."""
    with world.app.app_context():
        at = world.clock.at
        found = [*audit._oversold(at), *audit._codes(at), *audit._places(at), *audit._shares(at)]
        sums, rows = money_audit._sums(), money_audit._rows()
        found += [*money_audit._movements(sums, rows), *money_audit._credits(), *money_audit._whole(sums, rows)]
        found += money_audit._apart(sums)
    assert found == []


def given_twice() -> set[str]:
    """Bookings whose money was kept as a credit and then sent back from Stripe's pages too: nothing here can prevent
    that, and the audit names them."""
    rows = db.session.execute(select(Booking.reference, Booking.bill_id)).all()
    known = ledger.balances([bill for _, bill in rows])
    return {
        f"booking {reference}"
        for reference, bill in rows
        if known[bill].credit_minor and known[bill].kept_minor + known[bill].disputed_minor < 0
    }


def at_rest(world: World) -> None:
    """What holds once Stripe has told everything: the books are sound, and both sides have the same money."""
    with world.app.app_context():
        done = jobs.reconcile(MORNING - timedelta(days=1))
        twice = given_twice()
        assert [each for each in done.left if f"booking {each.id}" not in twice] == []
        rest = [each for each in audit.faults(world.clock.at) if each.about not in twice]
        assert [each for each in rest if each.what not in FOR_PEOPLE] == []
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
