"""Refunds: out of one payment or several, never more than remains, each attempt a row whose state goes forward only."""

from collections.abc import Sequence

import pytest
from flask import Flask
from sqlalchemy import select

from lib import db, work
from payments import credits, disputes, gateway, jobs, ledger, refunds
from payments.gateway import Contested, SentBack
from payments.models import Movement, Payment, Refund
from tests.builders import arranged
from tests.conftest import Clock
from tests.payments.paying import a_bill, a_payment, paid

pytestmark = pytest.mark.both_databases


def ask(app: Flask, bill: int, minor: int, clock: Clock, shares: dict[int, int] | None = None) -> list[int]:
    with arranged(app):
        made = refunds.ask(bill, minor, source="organiser", reason="kindness", shares=shares, now=clock.at)
        return [each.id for each in made]


def told(app: Flask) -> list[tuple[int, int, str]]:
    """Payment, amount and state of every refund, oldest first."""
    with app.app_context():
        rows = db.session.execute(select(Refund.payment_id, Refund.amount_minor, Refund.state).order_by(Refund.id))
        return [(payment, minor, state) for payment, minor, state in rows]


def send(app: Flask, refund: int, *, attempts: int = 1) -> None:
    """What the worker does."""
    with app.app_context():
        at = db.session.scalars(select(Refund.created_at)).first()
        db.session.rollback()
        assert at
        jobs.send_back(work.Task(0, refunds.SEND_BACK, "", {"refund": refund}, at, attempts), at)


@pytest.mark.parametrize(
    ("amounts", "minor", "expected"),
    [
        ((16800,), 16800, [(1, 16800)]),
        ((16800,), 1, [(1, 1)]),
        # The newest that has as much, so that one card gets one refund.
        ((10000, 4000, 3000), 4000, [(2, 4000)]),
        ((10000, 4000, 3000), 3000, [(3, 3000)]),
        ((10000, 4000, 3000), 9000, [(1, 9000)]),
        # None has as much: newest first.
        ((10000, 4000, 3000), 12000, [(3, 3000), (2, 4000), (1, 5000)]),
        ((10000, 4000, 3000), 17000, [(3, 3000), (2, 4000), (1, 10000)]),
    ],
)
def test_it_comes_out_of_one_payment_if_it_can(
    app: Flask, clock: Clock, amounts: Sequence[int], minor: int, expected: list[tuple[int, int]]
) -> None:
    bill = paid(app, *amounts)
    ask(app, bill, minor, clock)
    assert told(app) == [(payment, part, "waiting") for payment, part in expected]
    with app.app_context():
        balance = ledger.of_bill(bill)
        assert refunds.remaining(bill) == sum(amounts) - minor
    assert (balance.refunded_minor, balance.owed_minor, balance.due_minor) == (minor, sum(amounts) - minor, 0)


def test_each_refund_knows_whose_places_it_is_for(app: Flask, clock: Clock) -> None:
    bill = paid(app, 8400, 8400)
    ask(app, bill, 12600, clock, {7: 8400, 9: 4200})
    with app.app_context():
        assert [each.shares for each in db.session.scalars(select(Refund).order_by(Refund.id))] == [
            {"7": 8400},
            {"9": 4200},
        ]


@pytest.mark.parametrize(("minor", "shares"), [(0, None), (-1, None), (100, {7: 99})])
def test_what_makes_no_sense_is_a_fault_of_ours(
    app: Flask, clock: Clock, minor: int, shares: dict[int, int] | None
) -> None:
    bill = paid(app, 16800)
    with pytest.raises(ValueError):
        ask(app, bill, minor, clock, shares)


def test_never_more_than_remains(app: Flask, clock: Clock) -> None:
    bill = paid(app, 16800)
    ask(app, bill, 10000, clock)
    with pytest.raises(refunds.MoreThanPaid, match="£68"):
        ask(app, bill, 6801, clock)
    ask(app, bill, 6800, clock)
    with pytest.raises(refunds.MoreThanPaid):
        ask(app, bill, 1, clock)
    assert [minor for _, minor, _ in told(app)] == [10000, 6800]


def test_a_refund_that_failed_is_there_to_send_again_with_another_key(app: Flask, clock: Clock) -> None:
    bill = paid(app, 16800)
    number = ask(app, bill, 16800, clock)[0]
    with arranged(app):
        refunds.record(number, "failed", None, "the card is closed", clock.at)
    with app.app_context():
        balance = ledger.of_bill(bill)
        # The booker's debt is gone, and the money is here: it is owed to them.
        assert (balance.owed_minor, balance.kept_minor, balance.due_minor) == (0, 16800, -16800)
    with arranged(app):
        refunds.again(number, clock.at)
    with app.app_context():
        first, second = db.session.scalars(select(Refund).order_by(Refund.id)).all()
        assert (first.state, second.state, first.key != second.key) == ("failed", "waiting", True)
        assert ledger.of_bill(bill).due_minor == 0
        kinds = db.session.scalars(select(Movement.kind).order_by(Movement.id)).all()
    assert kinds == ["charge", "payment", "refund", "reduction", "refund_failed", "refund"]
    with pytest.raises(refunds.MoreThanPaid), arranged(app):
        refunds.again(number, clock.at)


def test_a_refund_nobody_answered_goes_again_under_its_own_key(app: Flask, clock: Clock) -> None:
    bill = paid(app, 16800)
    number = ask(app, bill, 16800, clock)[0]
    with arranged(app):
        assert refunds.again(number, clock.at).id == number
        refunds.record(number, "succeeded", "re_1", None, clock.at)
    assert len(told(app)) == 1
    with pytest.raises(refunds.NothingToRepeat), arranged(app):
        refunds.again(number, clock.at)


class TestAtStripe:
    """What Stripe is asked, and what is believed of its answers."""

    def answer(self, monkeypatch: pytest.MonkeyPatch, *answers: SentBack | Exception) -> list[str]:
        asked: list[str] = []
        left = list(answers)

        def send_back(key: str, _intent: str, _amount: int) -> SentBack:
            asked.append(key)
            said = left.pop(0)
            if isinstance(said, Exception):
                raise said
            return said

        monkeypatch.setattr(gateway, "send_back", send_back)
        monkeypatch.setattr(gateway, "read_refunds", lambda _intent: self.there)
        return asked

    there: list[SentBack] = []  # noqa: RUF012 - each test sets its own

    def test_a_call_that_came_to_nothing_is_made_again_with_the_same_key(
        self, app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        number = ask(app, paid(app, 16800), 16800, clock)[0]
        done = SentBack("re_1", "succeeded", 16800, "GBP", "pi", None)
        asked = self.answer(monkeypatch, gateway.GatewayUnreachable("gone"), done)
        with pytest.raises(work.Later):
            send(app, number)
        assert told(app)[0][2] == "waiting"
        send(app, number, attempts=2)
        assert len(set(asked)) == 1
        assert told(app)[0][2] == "succeeded"
        send(app, number, attempts=3)
        assert len(asked) == 2

    def test_a_key_that_stripe_has_forgotten_is_looked_for_first(
        self, app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        number = ask(app, paid(app, 16800), 16800, clock)[0]
        with app.app_context():
            key = db.session.get_one(Refund, number).key
        self.there = [SentBack("re_1", "pending", 16800, "GBP", "pi", key)]
        asked = self.answer(monkeypatch)
        send(app, number, attempts=2)
        assert (asked, told(app)[0][2]) == ([], "pending")

    def test_what_stripe_refuses_has_failed_and_what_it_did_by_itself_is_heard_of(
        self, app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bill = paid(app, 16800)
        number = ask(app, bill, 16800, clock)[0]
        with app.app_context():
            intent = db.session.scalars(select(Payment.payment_intent)).one()
        self.there = [SentBack("re_9", "succeeded", 16800, "GBP", intent, None)]
        self.answer(monkeypatch, gateway.GatewayRefused("has already been refunded"))
        with pytest.raises(work.Never):
            send(app, number)
        assert told(app) == [(1, 16800, "failed"), (1, 16800, "succeeded")]
        with app.app_context():
            assert ledger.of_bill(bill).refunded_minor == 16800
            assert ledger.of_bill(bill).due_minor == 0


@pytest.mark.parametrize(
    ("said", "ends"),
    [
        (["pending", "succeeded"], "succeeded"),
        (["succeeded", "pending"], "succeeded"),
        (["succeeded", "failed"], "failed"),
        (["failed", "succeeded"], "failed"),
        (["failed", "pending", "failed"], "failed"),
        (["canceled", "succeeded"], "failed"),
        (["requires_action", "succeeded", "succeeded"], "succeeded"),
    ],
)
def test_answers_in_any_order_end_the_same(app: Flask, clock: Clock, said: list[str], ends: str) -> None:
    bill = paid(app, 16800)
    with arranged(app):
        intent = db.session.scalars(select(Payment.payment_intent)).one()
        for status in said:
            assert refunds.hear(SentBack("re_1", status, 5000, "GBP", intent, None), clock.at)
    assert told(app) == [(1, 5000, ends)]
    with app.app_context():
        assert ledger.of_bill(bill).refunded_minor == (0 if ends == "failed" else 5000)


def test_a_refund_of_a_payment_that_is_not_ours_is_nobodys(app: Flask, clock: Clock) -> None:
    with arranged(app):
        assert not refunds.hear(SentBack("re_1", "succeeded", 5000, "GBP", "pi_elsewhere", None), clock.at)
    assert told(app) == []


def test_what_a_bank_took_cannot_be_sent_back_too(app: Flask, clock: Clock) -> None:
    with arranged(app):
        bill = a_bill(20000)
        first, second = a_payment(bill, 12000), a_payment(bill, 8000)
        number = bill.id
        found = Contested("du_1", second.payment_intent, "needs_response", "fraudulent", 8000, "GBP", clock.at, None)
        assert disputes.hear(found, clock.at)
        assert refunds.remaining(number) == first.amount_minor
        refunds.ask(number, 100, source="organiser", reason="kindness", now=clock.at)
    assert [payment for payment, _, _ in told(app)] == [1]


def test_what_was_kept_as_a_credit_after_a_refund_failed_is_not_sent_again(app: Flask, clock: Clock) -> None:
    bill = paid(app, 16800)
    (number,) = ask(app, bill, 16800, clock)
    with arranged(app):
        refunds.record(number, "failed", "re_1", "no such account", clock.at)
        credits.issue(bill, 16800, email="bea@clinic.example", reason="instead", expires_at=None, now=clock.at)
    with pytest.raises(refunds.MoreThanPaid), arranged(app):
        refunds.again(number, clock.at)
    assert told(app) == [(1, 16800, "failed")]
