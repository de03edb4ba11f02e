"""What we rely on of Stripe, held against our stand-in in every run, and against Stripe's own test mode when
STRIPE_TEST_KEY is in the environment: `STRIPE_TEST_KEY=sk_test_... .venv/bin/python -m pytest <this file>`."""

import os
import socket
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import stripe
from flask import Flask

from demo.stripe.process import StandIn
from payments import gateway
from tests.stripe_types import check_params

STRIPE = "https://api.stripe.com"
KEY = os.environ.get("STRIPE_TEST_KEY", "")
TARGETS = ["stand_in", "stripe"] if KEY.startswith("sk_test_") else ["stand_in"]
PLAIN_CONNECT = socket.socket.connect


@pytest.fixture(params=TARGETS)
def house(request: pytest.FixtureRequest, app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """The application, its gateway pointed at one of them, at the machine's own time."""
    app.extensions.pop("stripe", None)
    if request.param == "stand_in":
        stand_in: StandIn = request.getfixturevalue("stripe")
        request.getfixturevalue("clock").file.write_text("", encoding="utf-8")
        stand_in.reset()
    else:
        monkeypatch.setattr(socket.socket, "connect", PLAIN_CONNECT)
        monkeypatch.setitem(app.config, "STRIPE_SECRET_KEY", KEY)
        monkeypatch.setitem(app.config, "STRIPE_API_BASE", STRIPE)
    with app.app_context():
        yield app
    app.extensions.pop("stripe", None)


def wanted(minutes: float = 31, **changes: Any) -> dict[str, Any]:
    """The parameters of a page of GBP 168.00, as an attempt freezes them."""
    marks = {"organiser": "1", "booking": "CQ-CONTRACT", "attempt": f"attempt-{uuid4()}"}
    params = {
        "mode": "payment",
        "client_reference_id": "CQ-CONTRACT",
        "customer_email": "bea@example.com",
        "expires_at": int(time.time() + minutes * 60),
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": "gbp",
                    "unit_amount": 16800,
                    "product_data": {"name": "Standard", "description": "Reflective Practice"},
                },
            }
        ],
        "metadata": marks,
        "payment_intent_data": {"metadata": marks, "description": "CQ-CONTRACT: Reflective Practice"},
        "success_url": "http://localhost/bookings/CQ-CONTRACT?returned=paid",
        "cancel_url": "http://localhost/bookings/CQ-CONTRACT?returned=left",
        **changes,
    }
    check_params("session create", params)
    return params


def key() -> str:
    return f"attempt-{uuid4()}"


def test_a_page_is_made_and_read_again(house: Flask) -> None:
    asked = wanted()
    made = gateway.open_checkout(key(), asked)
    assert (made.status, made.payment_status, made.is_live) == ("open", "unpaid", False)
    assert (made.amount_minor, made.currency) == (16800, "GBP")
    assert made.attempt_key == asked["metadata"]["attempt"]
    assert made.url
    assert made.url.startswith("http")
    found = gateway.read_checkout(made.session_id)
    assert found == made
    assert not any((found.is_paid, found.is_on_its_way, found.has_failed))


def test_the_same_key_gives_the_same_page(house: Flask) -> None:
    asked, once = wanted(), key()
    first, second = gateway.open_checkout(once, asked), gateway.open_checkout(once, asked)
    assert first == second
    gateway.expire_checkout(first.session_id)
    # A replay is the answer of then: what the page is now has to be read.
    assert gateway.open_checkout(once, asked).status == "open"
    assert gateway.read_checkout(first.session_id).status == "expired"


def test_the_same_key_for_something_else_is_refused(house: Flask) -> None:
    asked, once = wanted(), key()
    gateway.open_checkout(once, asked)
    with pytest.raises(gateway.GatewayRefused):
        gateway.open_checkout(once, {**asked, "client_reference_id": "CQ-OTHER"})


def test_a_page_is_closed_and_closing_twice_is_no_harm(house: Flask) -> None:
    made = gateway.open_checkout(key(), wanted())
    closed = gateway.expire_checkout(made.session_id)
    assert (closed.status, closed.url, closed.payment_status) == ("expired", None, "unpaid")
    assert gateway.expire_checkout(made.session_id) == closed


@pytest.mark.parametrize("minutes", [29, 24 * 60 + 2])
def test_a_page_ends_within_stripes_bounds(house: Flask, minutes: int) -> None:
    with pytest.raises(gateway.GatewayRefused):
        gateway.open_checkout(key(), wanted(minutes))


def test_what_stripe_never_had_is_not_there(house: Flask) -> None:
    with pytest.raises(gateway.NotAtStripe):
        gateway.read_checkout("cs_test_a1madeupbyatest")
    with pytest.raises(gateway.NotAtStripe):
        gateway.read_attempt_of_intent("pi_madeupbyatest")
    with pytest.raises(gateway.NotAtStripe):
        gateway.read_refund("re_madeupbyatest")


def test_too_little_to_charge_is_refused(house: Flask) -> None:
    asked = wanted()
    asked["line_items"][0]["price_data"]["unit_amount"] = 1
    with pytest.raises(gateway.GatewayRefused):
        gateway.open_checkout(key(), asked)


def test_a_refund_of_nothing_we_know_is_refused(house: Flask) -> None:
    check_params("refund create", {"payment_intent": "pi_x", "amount": 100, "metadata": {"refund": "r"}})
    with pytest.raises(gateway.GatewayRefused):
        gateway.send_back(f"refund-{uuid4().hex}", "pi_madeupbyatest", 100)


@pytest.fixture
def paid(house: Flask, request: pytest.FixtureRequest) -> str:
    """A payment of GBP 168.00 that succeeded; its intent. Stripe's hosted page is pressed by no program, so there a
    payment is made as its test mode allows."""
    if house.config["STRIPE_API_BASE"] == STRIPE:
        client = stripe.StripeClient(KEY)
        intent = client.v1.payment_intents.create(
            {
                "amount": 16800,
                "currency": "gbp",
                "confirm": True,
                "payment_method": "pm_card_visa",
                "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
                "metadata": {"attempt": "attempt-of-the-contract"},
            }
        )
        return intent.id
    marks = {"attempt": "attempt-of-the-contract"}
    made = gateway.open_checkout(key(), wanted(payment_intent_data={"metadata": marks}))
    request.getfixturevalue("stripe").pay(made.session_id)
    found = gateway.read_checkout(made.session_id)
    assert found.is_paid
    assert found.payment_intent is not None
    return found.payment_intent


def test_a_refund_in_parts_once_a_key_and_never_too_much(house: Flask, paid: str) -> None:
    assert gateway.read_attempt_of_intent(paid) == "attempt-of-the-contract"
    once = f"refund-{uuid4().hex}"
    first = gateway.send_back(once, paid, 6800)
    assert (first.status, first.amount_minor, first.currency, first.key) == ("succeeded", 6800, "GBP", once)
    assert first.payment_intent == paid
    assert gateway.send_back(once, paid, 6800) == first
    assert gateway.read_refund(first.refund_id) == first
    with pytest.raises(gateway.GatewayRefused):
        gateway.send_back(once, paid, 6700)
    with pytest.raises(gateway.GatewayRefused):
        gateway.send_back(f"refund-{uuid4().hex}", paid, 10001)
    assert gateway.send_back(f"refund-{uuid4().hex}", paid, 10000).status == "succeeded"
    with pytest.raises(gateway.GatewayRefused):
        gateway.send_back(f"refund-{uuid4().hex}", paid, 1)


def test_a_wrong_secret_says_nothing_about_what_was_asked(house: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    house.extensions.pop("stripe", None)
    monkeypatch.setitem(house.config, "STRIPE_SECRET_KEY", "sk_of_nobody")
    with pytest.raises(gateway.GatewayUnreachable):
        gateway.open_checkout(key(), wanted())
