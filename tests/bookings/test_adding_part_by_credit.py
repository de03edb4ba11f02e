"""A credit that pays a part of places that are added: set apart until the card has paid the rest, and given away to
nobody meanwhile."""

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from bookings import lifecycle, returning
from bookings.models import Attendee, Booking, Change
from courses.models import Place
from history.models import Entry
from lib import clock as now
from lib import db
from mail.models import Letter
from payments import credits
from payments.models import Credit, Invoice, Refund
from tests.bookings.making import ANN, Made, a_wish, held, receive
from tests.bookings.test_adding import CY, booked, lapse, priced
from tests.bookings.test_changes import a_slug, rows, sound
from tests.bookings.test_credit_spending import BEA, a_credit, asked_of_stripe, bill_of, faults, left, statement_of
from tests.builders import a_workshop, arranged
from tests.conftest import Clock
from tests.page import PageClient, form, main_text

pytestmark = pytest.mark.both_databases
PART = 5000


@pytest.fixture
def waiting(app: Flask, client: PageClient, clock: Clock) -> Made:
    """Ann's booking, to which Cy is being added: 50.00 of a credit is set apart and 118.00 is to be paid by card."""
    slug = a_slug(app)
    client.get(statement_of(app, a_credit(app, slug, clock, PART, expires_at=clock.at + timedelta(minutes=20))))
    made = booked(client, app, slug)
    values = form(priced(client, made, CY, use_credit="y"), "/places").values
    assert client.post(f"/bookings/{made.reference}/places", data=values).status_code == 303
    return made


def names(app: Flask) -> list[str]:
    return [each.name for each in rows(app, Attendee) if each.state == "confirmed"]


def returns_all(app: Flask, made: Made) -> int:
    """What goes back when everything of the booking goes back, in minor units."""
    with arranged(app):
        booking = lifecycle.locked(db.session.get_one(Booking, made.id).bill_id)
        most = returning.remaining_of(booking.bill_id)
        back = returning.give(booking, 99999, source="organiser", reason="kindness", actor="user:1", now=now.now())
        assert back.credit_minor == 0
        assert back.minor == most
        return back.minor


def test_the_page_says_both_and_the_card_pays_the_rest(app: Flask, client: PageClient, clock: Clock) -> None:
    slug = a_slug(app)
    statement = statement_of(app, a_credit(app, slug, clock, PART))
    client.get(statement)
    made = booked(client, app, slug)
    page = f"/bookings/{made.reference}/places"
    shown = priced(client, made, CY, use_credit="y")
    said = main_text(shown)
    assert "From your credit £50.00" in said
    assert "Add and pay £118.00" in said
    assert left(app, clock) == PART, "a look at the price spends nothing"

    for _ in range(2):
        assert client.post(page, data=form(shown, "/places").values).status_code == 303

    assert asked_of_stripe(app, made) == [16800, 11800]
    assert left(app, clock) == 0
    assert "£118.00 is to be paid by" in (said := main_text(client.get(made.url)))
    assert "£50.00 of credit is set apart for the rest" in said
    assert "Set apart for people you are adding" in main_text(client.get(statement))
    assert bill_of(app, made).kept_minor == bill_of(app, made).owed_minor == 16800
    assert names(app) == [ANN[0]]
    sound(app)

    receive(app, made)

    assert names(app) == [ANN[0], CY[0]]
    found = bill_of(app, made)
    assert (found.owed_minor, found.paid_minor, found.due_minor) == (33600, 33600, 0)
    assert left(app, clock) == 0
    said = main_text(client.get(statement))
    assert f"Used for booking {made.reference}" in said
    assert "Set apart" not in said
    with app.app_context():
        receipts = db.session.scalars(select(Invoice.total_minor).where(Invoice.kind == "receipt").order_by(Invoice.id))
        assert list(receipts)[-1] == 16800
    spent = [each.facts for each in rows(app, Entry) if each.verb == "credit_spent"]
    assert spent == [{"amount_minor": PART, "currency": "GBP"}]
    sound(app)


def test_what_is_not_paid_gives_it_back(app: Flask, clock: Clock, waiting: Made) -> None:
    lapse(app)

    assert left(app, clock) == PART
    assert names(app) == [ANN[0]]
    sound(app)


def test_money_that_goes_back_to_the_booker_does_not_take_it_along(app: Flask, clock: Clock, waiting: Made) -> None:
    assert returns_all(app, waiting) == 16800
    assert left(app, clock) == 0, "it is still set apart"
    sound(app)

    lapse(app)

    assert left(app, clock) == PART
    sound(app)


def test_a_change_that_cannot_be_made_gives_both_back(app: Flask, clock: Clock, waiting: Made) -> None:
    with arranged(app):
        booking = lifecycle.locked(db.session.get_one(Booking, waiting.id).bill_id)
        lifecycle.cancel(booking, booking.attendees, actor="booker", why="", now=now.now())
    returns_all(app, waiting)

    receive(app, waiting)

    assert sorted(each.amount_minor for each in rows(app, Refund)) == [11800, 11800, 16800]
    assert left(app, clock) == PART
    told = [each.values for each in rows(app, Letter) if each.template == "booking_changed"][-1]
    assert "The £118.00 you paid for it goes back in full. So does the £50.00 of credit" in " ".join(told["sentences"])
    sound(app)


def test_a_credit_that_ends_while_it_is_set_apart_pays_all_the_same(app: Flask, clock: Clock, waiting: Made) -> None:
    clock.shift(minutes=25)
    with arranged(app):
        assert [credits.expire(each, clock.at) for each in db.session.scalars(select(Credit.id))] == [0]

    receive(app, waiting)

    assert names(app) == [ANN[0], CY[0]]
    assert bill_of(app, waiting).due_minor == 0
    sound(app)


@pytest.mark.parametrize("is_there", [True, False])
def test_money_that_comes_late_takes_it_again_or_goes_back(
    app: Flask, clock: Clock, waiting: Made, is_there: bool
) -> None:
    lapse(app)
    if not is_there:
        with arranged(app):
            other = a_workshop(slug="other").slug
        held(app, replace(a_wish(other), credit_of=BEA))

    receive(app, waiting)

    assert left(app, clock) == 0
    assert names(app) == ([ANN[0], CY[0]] if is_there else [ANN[0]])
    assert bill_of(app, waiting).kept_minor == (33600 if is_there else 16800)
    if not is_there:
        assert [each.amount_minor for each in rows(app, Refund)][-1] == 11800
        assert "released" in [each.state for each in rows(app, Place)], "the place of whoever was to be added"
        told = [each.values for each in rows(app, Letter) if each.template == "booking_changed"][-1]
        assert "was spent, or had ended, before the payment arrived" in " ".join(told["sentences"])
    sound(app)


def test_the_audit_names_what_is_set_apart_for_nothing(app: Flask, clock: Clock, waiting: Made) -> None:
    with arranged(app):
        db.session.execute(update(Change).values(state="lapsed", held_until=None))
    assert "has 5000 of a credit, and 0 is set apart" in str(faults(app, clock))
