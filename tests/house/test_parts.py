"""The parts that tests rely on do what they promise."""

import socket
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from smtplib import SMTP
from urllib.parse import urlsplit

import pytest
from flask import Flask
from stripe import SignatureVerificationError, WebhookSignature

from demo.stripe.process import StandIn
from lib import clock as product_clock
from lib import limits
from tests.conftest import MORNING, WEBHOOK_SECRET, Clock, Mailbox


@pytest.mark.parametrize("address", [("203.0.113.7", 80), ("example.org", 443)])
def test_only_this_machine_can_be_reached(address: tuple[str, int]) -> None:
    with socket.socket() as sock, pytest.raises(RuntimeError, match="tried to reach"):
        sock.connect(address)


def test_time_stands_still_until_it_is_moved(clock: Clock) -> None:
    assert product_clock.now() == MORNING == clock.at
    clock.shift(days=1, minutes=-1)
    assert product_clock.now() == MORNING + timedelta(days=1, minutes=-1)
    clock.set("2027-03-28T02:30:00+01:00")
    assert product_clock.now() == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
    assert product_clock.read(clock.file.read_text(), MORNING) == clock.at
    assert product_clock.machine_now() != clock.at


def test_the_stand_in_follows_the_clock_and_starts_empty(app: Flask, stripe: StandIn, clock: Clock) -> None:
    assert stripe.url == app.config["STRIPE_API_BASE"]
    assert stripe.events() == []
    clock.set("2027-03-05T12:00:00Z")
    stripe.emit("customer.created", {"id": "cus_1", "object": "customer"})
    (event,) = stripe.events()
    assert event["created"] == int(clock.at.timestamp())


def test_an_event_is_signed_as_stripe_signs() -> None:
    header = WebhookSignature.generate_signature_header("{}", WEBHOOK_SECRET)

    assert WebhookSignature.verify_header("{}", header, WEBHOOK_SECRET, tolerance=300)
    with pytest.raises(SignatureVerificationError):
        WebhookSignature.verify_header("{} ", header, WEBHOOK_SECRET, tolerance=300)


@pytest.mark.parametrize("turn", [1, 2])
def test_the_mailbox_starts_empty_and_keeps_what_comes(app: Flask, mailbox: Mailbox, turn: int) -> None:
    assert mailbox.letters() == []
    target = urlsplit(app.config["SMTP_URL"])
    for name in ("ann", "bob"):
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = "olu@x.example", f"{name}@x.example", f"For {name}"
        letter.set_content("Hello")
        with SMTP(str(target.hostname), target.port or 0) as smtp:
            smtp.send_message(letter)

    assert [each["Subject"] for each in mailbox.letters()] == ["For ann", "For bob"]
    assert [each["Subject"] for each in mailbox.letters(to="bob@x.example")] == ["For bob"]


def test_limits_count_only_where_a_test_asks(app: Flask) -> None:
    assert limits.limiter.enabled is False


def test_asking_for_limits(app: Flask, limited: None) -> None:
    assert limits.limiter.enabled is True
