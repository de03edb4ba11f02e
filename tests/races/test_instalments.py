"""A part of a price that is paid from two tabs at the same moment: it is paid once, and the other money goes back."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select

from bookings import invoice_papers, settling
from bookings.models import Booking
from courses.deposits import Deposit, Part
from demo.stripe.process import StandIn
from lib import clock as product_clock
from lib import db, zones
from payments import attempts, instalments
from payments.gateway import Checkout
from payments.models import Instalment, Payment, PaymentAttempt, Refund
from tests.bookings import making
from tests.builders import a_ticket, a_workshop, arranged
from tests.conftest import Clock, at_once
from tests.page import PageClient, form
from tests.races import racing
from tests.races.racing import Meeting, page_of

pytestmark = pytest.mark.both_databases


def a_plan(app: Flask) -> making.Made:
    """A booking with its deposit paid and one part to come, in 40 days."""
    with arranged(app):
        workshop = a_workshop(in_days=90, price_minor=None)
        due_on = zones.wall(product_clock.now(), "Europe/London").date() + timedelta(days=40)
        parts = Deposit(12000, (Part(due_on, 15000),))
        a_ticket(workshop, prices={"GBP": 27000}, payment="deposit", terms=parts.terms())
        slug = workshop.slug
    return making.paid(app, making.a_wish(slug))


def two_pages(app: Flask, made: making.Made) -> list[Checkout]:
    """Two pages for the same part, both paid at Stripe: one was thought to be closed here."""
    with arranged(app):
        booking = db.session.get_one(Booking, made.id)
        now = product_clock.now()
        keys = [f"attempt-{uuid4()}" for _ in range(2)]
        for key, state in zip(keys, ("expired", "open"), strict=True):
            db.session.add(
                PaymentAttempt(
                    organiser_id=booking.organiser_id,
                    bill_id=booking.bill_id,
                    key=key,
                    state=state,
                    amount_minor=15000,
                    currency="GBP",
                    parameters={},
                    created_at=now,
                    expires_at=now + timedelta(minutes=31),
                )
            )
    return [
        Checkout(
            session_id=f"cs_test_{key}",
            url=None,
            status="complete",
            payment_status="paid",
            amount_minor=15000,
            currency="GBP",
            payment_intent=f"pi_{key}",
            intent_status=None,
            attempt_key=key,
            is_live=False,
        )
        for key in keys
    ]


def settling_of(page: Checkout) -> Callable[[], str]:
    def settle() -> str:
        with db.writing():
            settling.settle(page, actor="stripe", now=product_clock.now())
        return "settled"

    return settle


def told(app: Flask) -> dict[str, int]:
    with app.app_context():
        paid = select(func.count()).select_from(Payment).where(Payment.state == "succeeded")
        settled = select(func.count()).select_from(Instalment).where(Instalment.state == "paid")
        back = select(func.coalesce(func.sum(Refund.amount_minor), 0))
        found = {"payments": paid, "parts": settled, "back": back}
        return {name: int(db.session.scalar(query) or 0) for name, query in found.items()}


def test_is_paid_once_and_the_other_payment_goes_back(
    app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = two_pages(app, a_plan(app))
    racing.pausing(monkeypatch, instalments, "open_of", Meeting(2))
    assert racing.kinds(at_once(app, [settling_of(page) for page in pages])) == ["sold", "sold"]
    assert told(app) == {"payments": 3, "parts": 1, "back": 15000}
    assert [each for each in racing.faults(app) if "refund" not in each] == []


def test_keeps_both_when_the_look_stands_apart(app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks first and writes later takes the same part to be open twice: the second money stays, unsaid."""
    pages = two_pages(app, a_plan(app))
    monkeypatch.setattr(invoice_papers, "acknowledge", lambda *_: None)  # a receipt's key would notice it as well
    racing.set_apart(monkeypatch, instalments, "open_of", Meeting(2, 5))
    assert racing.kinds(at_once(app, [settling_of(page) for page in pages])) == ["sold", "sold"]
    assert told(app) == {"payments": 3, "parts": 1, "back": 0}
    assert any("of its booker's money is still here" in each for each in racing.faults(app))


def test_two_tabs_lead_to_one_page(
    app: Flask, stripe: StandIn, clock: Clock, browser: Callable[[], PageClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = a_plan(app)
    tabs = [browser(), browser()]
    sent = []
    for tab in tabs:
        tab.get(made.url)
        found = form(tab.get(f"/bookings/{made.reference}"), "/instalments")
        sent.append({**found.values, "until": found.buttons[0].value})
    racing.pausing(monkeypatch, attempts, "live", Meeting(2))

    def press(number: int) -> Callable[[], str]:
        return lambda: page_of(tabs[number].post(f"/bookings/{made.reference}/instalments", data=sent[number]))

    first, second = racing.together([press(0), press(1)])
    assert first == second
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(PaymentAttempt)) == 2  # the deposit's and this one
    stripe.pay(first.rpartition("/")[2])
    tabs[0].get(f"/bookings/{made.reference}?returned=paid")
    assert told(app) == {"payments": 2, "parts": 1, "back": 0}
    assert racing.faults(app) == []
