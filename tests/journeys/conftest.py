"""Journeys: from the form to the letter, with Stripe, the mail server and the worker. After each one the books are
sound, and everything that was sent to Stripe was something its SDK knows."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask

from demo.stripe.process import StandIn
from tests.conftest import Clock, Mailbox
from tests.journeys.steps import Visitor, Walk, refuse_mail
from tests.stripe_types import check_params

KINDS = (
    ("POST", r"/v1/checkout/sessions", "session create"),
    ("POST", r"/v1/checkout/sessions/\w+/expire", "session expire"),
    ("GET", r"/v1/checkout/sessions/\w+", "session retrieve"),
    ("GET", r"/v1/checkout/sessions", "session list"),
    ("GET", r"/v1/payment_intents/\w+", "intent retrieve"),
    ("POST", r"/v1/refunds", "refund create"),
    ("GET", r"/v1/refunds", "refund list"),
    ("GET", r"/v1/charges", "charge list"),
    ("GET", r"/v1/disputes", "dispute list"),
    ("GET", r"/v1/events", "event list"),
)
READ_PLAINLY = (r"/v1/refunds/\w+", r"/v1/charges/\w+", r"/v1/disputes/\w+")


@pytest.fixture(autouse=True)
def walk(app: Flask, stripe: StandIn, mailbox: Mailbox, clock: Clock) -> Iterator[Walk]:
    """Everything a journey needs. What it leaves behind is audited."""
    yield Walk(app, stripe, mailbox, clock)
    refuse_mail(mailbox)
    audited = app.test_cli_runner().invoke(args=["bookings", "audit"])
    assert (audited.exit_code, audited.output) == (0, "")
    for asked in stripe.requests():
        _check(asked["method"], asked["path"], asked["params"])


@pytest.fixture
def visitor(walk: Walk) -> Visitor:
    return walk.visitor()


def _check(method: str, path: str, params: dict[str, object]) -> None:
    for known, pattern, kind in KINDS:
        if method == known and re.fullmatch(pattern, path):
            check_params(kind, params)
            return
    assert method == "GET", f"{method} {path} is checked by no type"
    assert any(re.fullmatch(pattern, path) for pattern in READ_PLAINLY), f"{method} {path} is checked by no type"
    assert not params
