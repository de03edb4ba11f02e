"""Whatever is sent to the booking form and to the webhook, the answer is never an error of ours."""

import copy
import json
import string
from collections.abc import Callable
from typing import Any, cast

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete
from stripe import WebhookSignature

from demo.stripe.process import StandIn
from lib import db
from payments.models import StripeEvent
from tests.builders import a_code, a_question, a_ticket, a_workshop, arranged
from tests.conftest import WEBHOOK_SECRET
from tests.page import PageClient, form, inspect_page
from tests.races import racing

SHORT = settings(max_examples=60, suppress_health_check=list(HealthCheck))
LONG = settings(max_examples=1500, derandomize=False, suppress_health_check=list(HealthCheck))
Answer = Callable[..., Any]

TEXT = st.one_of(
    st.text(max_size=40),
    st.text(string.printable, max_size=40),
    st.sampled_from(
        [
            "",
            "0",
            "-1",
            "y",
            "GBP",
            "EUR",
            "gbp ",
            "standard",
            "pair",
            "FIRST4",
            "first 4",
            "Europe/Kyiv",
            "Mars/Olympus",
            "ann@clinic.example",
            "ANN@clinic.example",
            "a@b",
            "ann@bücher.example",
            "x" * 5000,
            "\x00",
            "\r\nBcc: x@y.example",
            "'; DROP TABLE place; --",
            "{{ 7 * 7 }}",
            "9" * 400,
            "\u202e\u0000\ufeff",
        ]
    ),
)
NUMBER = st.one_of(st.integers(-1, 25).map(str), st.sampled_from(["", "x", "9" * 12, "00", "٣", "1e3"]))
PERSON = st.sampled_from(
    ["name", "email", "ticket", "shared", "again", "extra", "answer-diet", "answer-size", "answer-x"]
)
NAME = st.one_of(
    st.sampled_from(
        [
            "ticket_type",
            "currency",
            "booker_name",
            "booker_email",
            "discount_code",
            "zone",
            "agree_terms",
            "marketing",
            "once",
            "add",
            "remove",
            "attendee",
            "csrf_token",
        ]
    ),
    st.builds("attendee-{}-{}".format, NUMBER, PERSON),
    st.text(max_size=10),
)
CHANGES = st.lists(st.tuples(NAME, st.lists(TEXT, max_size=3)), max_size=8)
BODY = st.tuples(
    st.one_of(st.binary(max_size=300), st.text(string.printable, max_size=300).map(str.encode)),
    st.sampled_from(
        [
            "application/x-www-form-urlencoded",
            "application/x-www-form-urlencoded; charset=utf-16",
            "multipart/form-data",
            "multipart/form-data; boundary=x",
            "multipart/form-data; boundary=",
            "application/json",
            "text/plain",
            "",
        ]
    ),
)
JSON_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KIND = st.sampled_from(
    [
        "checkout.session.completed",
        "checkout.session.expired",
        "checkout.session.async_payment_failed",
        "payment_intent.succeeded",
        "payment_intent.payment_failed",
        "refund.updated",
        "charge.dispute.created",
        "checkout.session.",
        "",
    ]
)
OBJECT_ID = st.one_of(
    st.sampled_from(
        [
            "cs_test_x",
            "pi_x",
            "re_x",
            "",
            "..",
            "../refunds",
            "a/b",
            "a?b=c",
            "a#b",
            "%2e%2e",
            " ",
            "é",
            "\0",
            "x" * 300,
            "\ud800",
        ]
    ),
    st.text(max_size=20),
)


@pytest.fixture
def send(app: Flask, stripe: StandIn) -> Answer:
    """POST something to the form or to its quote; the answer, inspected if it is a page."""
    with arranged(app):
        workshop = a_workshop(capacity=10_000, slug="fuzzed")
        a_ticket(workshop, code="pair", seats=2, prices={"GBP": 16800, "EUR": 19900})
        a_question(workshop, code="diet", is_private=True)
        a_question(workshop, code="size", kind="choice", choices=["S", "M"], is_required=True)
        a_code(code="FIRST4", percent=100)
    client = cast(PageClient, app.test_client())
    filled = form(client.get("/workshops/fuzzed/bookings/new"), "bookings")
    filled.fill(
        {
            "attendee-0-name": "Ann",
            "attendee-0-email": "ann@clinic.example",
            "attendee-0-answer-size": "S",
            "booker_name": "Bea",
            "booker_email": "bea@clinic.example",
            "agree_terms": True,
        }
    )
    base = filled.sent()

    def post(path: str, changes: list[tuple[str, list[str]]] | None, **raw: Any) -> Any:
        if changes is not None:
            raw["data"] = base | dict(changes)
        answer = FlaskClient.open(client, f"/workshops/fuzzed/{path}", method="POST", **raw)
        if answer.mimetype == "text/html" and not 300 <= answer.status_code < 400:
            assert inspect_page(answer.get_data(as_text=True)) == []
        return answer

    return post


@pytest.fixture
def ring(app: Flask, stripe: StandIn) -> Callable[[bytes], int]:
    """Deliver a body to the webhook with the right signature; the status."""
    client = FlaskClient(app, app.response_class)

    def post(body: bytes) -> int:
        try:
            text = body.decode()
        except UnicodeDecodeError:
            text = ""
        signature = WebhookSignature.generate_signature_header(text, WEBHOOK_SECRET)
        status = client.post("/stripe/webhook", data=body, headers={"Stripe-Signature": signature}).status_code
        with arranged(app):
            db.session.execute(delete(StripeEvent))  # the same event again is to be heard again
        return status

    return post


def check_form(send: Answer, path: str, changes: list[tuple[str, list[str]]], as_json: bool) -> None:
    answer = send(path, changes, headers={"Accept": "application/json"} if as_json else {})
    assert answer.status_code < 500, f"{answer.status_code} for {changes}"


def check_body(send: Answer, path: str, body: tuple[bytes, str]) -> None:
    answer = send(path, None, data=body[0], content_type=body[1])
    assert 200 <= answer.status_code < 500


def an_event(number: Any, kind: Any, object_id: Any, is_live: Any, extra: Any) -> dict[str, Any]:
    return {
        "id": f"evt_{number}",
        "type": kind,
        "livemode": is_live,
        "data": {"object": {"id": object_id}},
        "extra": extra,
    }


def spoilt(event: dict[str, Any], path: str, value: Any) -> Any:
    """The event with one part of it replaced by anything."""
    made = copy.deepcopy(event)
    if path == "whole":
        return value
    if path == "object":
        made["data"]["object"] = value
    else:
        made[path] = value
    return made


EVENT = st.builds(an_event, st.uuids(), KIND, OBJECT_ID, st.sampled_from([False, False, False, True]), JSON_VALUE)
SPOILT = st.builds(spoilt, EVENT, st.sampled_from(["whole", "object", "id", "type", "livemode", "data"]), JSON_VALUE)
PATH = st.sampled_from(["bookings", "quote"])


class TestInShort:
    @SHORT
    @given(PATH, CHANGES, st.booleans())
    def test_a_form_with_anything_in_it(self, send: Answer, path: str, changes: list[Any], as_json: bool) -> None:
        check_form(send, path, changes, as_json)

    @SHORT
    @given(PATH, BODY)
    def test_a_body_that_is_no_form(self, send: Answer, path: str, body: tuple[bytes, str]) -> None:
        check_body(send, path, body)

    @SHORT
    @given(st.one_of(EVENT, SPOILT).map(lambda event: json.dumps(event).encode()) | st.binary(max_size=200))
    def test_an_event_with_anything_in_it(self, ring: Callable[[bytes], int], body: bytes) -> None:
        assert ring(body) in (204, 400)


@pytest.mark.prove
@pytest.mark.both_databases
class TestAtLength:
    @LONG
    @given(PATH, CHANGES, st.booleans())
    def test_a_form_with_anything_in_it(self, send: Answer, path: str, changes: list[Any], as_json: bool) -> None:
        check_form(send, path, changes, as_json)

    @LONG
    @given(PATH, BODY)
    def test_a_body_that_is_no_form(self, send: Answer, path: str, body: tuple[bytes, str]) -> None:
        check_body(send, path, body)

    @LONG
    @given(st.one_of(EVENT, SPOILT).map(lambda event: json.dumps(event).encode()) | st.binary(max_size=200))
    def test_an_event_with_anything_in_it(self, ring: Callable[[bytes], int], body: bytes) -> None:
        assert ring(body) in (204, 400)


def test_what_was_booked_meanwhile_is_sound(send: Answer, app: Flask) -> None:
    @settings(max_examples=25, suppress_health_check=list(HealthCheck))
    @given(CHANGES)
    def book(changes: list[Any]) -> None:
        send("bookings", changes)

    book()
    assert racing.faults(app) == []
