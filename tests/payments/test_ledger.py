"""The ledger: rows that stay as they are, and the balances they come to."""

import pytest
from flask import Flask
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DatabaseError

from lib import db
from payments import ledger
from payments.ledger import Balance
from payments.models import MONEY, OWED, SIGNS, Movement
from tests.builders import arranged
from tests.conftest import Clock
from tests.payments.paying import a_bill, a_payment, paid

pytestmark = pytest.mark.both_databases


CHANGES = {
    "its amount": update(Movement).values(minor=1),
    "its note": update(Movement).values(note="something else"),
    "that it was": delete(Movement),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_database_itself_refuses_to_change_a_movement(app: Flask, change: str) -> None:
    bill = paid(app, 16800)
    with pytest.raises(DatabaseError, match="never changed"), arranged(app):
        db.session.execute(CHANGES[change])
    with app.app_context():
        assert ledger.of_bill(bill) == Balance(owed_minor=16800, paid_minor=16800)


@pytest.mark.parametrize("kind", SIGNS)
def test_each_kind_of_movement_has_its_sign(app: Flask, kind: str) -> None:
    with arranged(app):
        bill = a_bill()
        db.session.add(
            Movement(
                organiser_id=bill.organiser_id,
                bill_id=bill.id,
                kind=kind,
                minor=-SIGNS[kind],
                currency="GBP",
                about="bill:1",
                at=bill.created_at,
            )
        )
        with pytest.raises(DatabaseError, match=r"movement_(minor|credit_id)"):
            db.session.flush()
        db.session.rollback()


def test_every_kind_is_debt_or_money_or_the_end_of_a_credit(app: Flask) -> None:
    assert set(SIGNS) - set(OWED) - set(MONEY) == {"credit_expired"}


def test_a_bill_goes_from_owed_to_paid_to_given_up(app: Flask, clock: Clock) -> None:
    with arranged(app):
        bill = a_bill(16800)
        assert (ledger.of_bill(bill.id).due_minor, ledger.of_bill(bill.id).kept_minor) == (16800, 0)
        ledger.charge_whole(bill, clock.at)  # what is owed already is not owed twice
        a_payment(bill, 10000)
        assert ledger.of_bill(bill.id).due_minor == 6800
        ledger.charge(bill, 1200, about="attendee:2", note="one more", now=clock.at)
        ledger.reduce(bill, 200, about="attendee:2", note="a mistake", now=clock.at)
        assert ledger.of_bill(bill.id).due_minor == 7800
        ledger.write_off(bill, 800, note="not worth a letter", now=clock.at)
        assert ledger.of_bill(bill.id).due_minor == 7000
        ledger.waive(bill, note="came to nothing", now=clock.at)
        assert ledger.of_bill(bill.id) == Balance(owed_minor=10000, paid_minor=10000)
        ledger.waive(bill, note="again", now=clock.at)
        kinds = db.session.scalars(select(Movement.kind).order_by(Movement.id)).all()
    assert kinds == ["charge", "payment", "charge", "reduction", "write_off", "reduction"]


def test_many_balances_take_one_statement(app: Flask) -> None:
    first, second = paid(app, 16800), paid(app, 5000, 3000)
    with app.app_context():
        assert ledger.balances([first, second, 99]) == {
            first: Balance(owed_minor=16800, paid_minor=16800),
            second: Balance(owed_minor=8000, paid_minor=8000),
            99: Balance(),
        }
