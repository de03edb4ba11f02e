"""Repeated requests and trouble on the way, as the SDK lives through them."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import stripe

from demo.stripe.process import StandIn
from tests.demo.conftest import wanted

SESSIONS = "/v1/checkout/sessions"


def test_the_same_request_twice_is_done_once(client: stripe.StripeClient, stand_in: StandIn) -> None:
    params = wanted()
    first = client.v1.checkout.sessions.create(params, {"idempotency_key": "attempt-1"})
    second = client.v1.checkout.sessions.create(params, {"idempotency_key": "attempt-1"})
    assert first.to_dict() == second.to_dict()
    assert first.last_response is not None
    assert second.last_response is not None
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert second.last_response.headers["Idempotent-Replayed"] == "true"
    assert len(client.v1.checkout.sessions.list().data) == 1


def test_a_key_with_other_parameters_is_refused(client: stripe.StripeClient) -> None:
    client.v1.checkout.sessions.create(wanted(), {"idempotency_key": "attempt-1"})
    with pytest.raises(stripe.IdempotencyError) as refusal:
        client.v1.checkout.sessions.create(wanted(client_reference_id="CQ-8"), {"idempotency_key": "attempt-1"})
    assert refusal.value.http_status == 400


def test_a_key_belongs_to_its_path(client: stripe.StripeClient, stand_in: StandIn) -> None:
    session = client.v1.checkout.sessions.create(wanted(), {"idempotency_key": "one"})
    assert client.v1.checkout.sessions.expire(session.id, {}, {"idempotency_key": "one"}).status == "expired"
    assert client.v1.checkout.sessions.expire(session.id, {}, {"idempotency_key": "one"}).status == "expired"
    assert len(stand_in.events("checkout.session.expired")) == 1


def test_a_refusal_before_any_work_is_not_remembered(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.create(wanted(metdata={}, locale="xx"), {"idempotency_key": "one"})
    assert client.v1.checkout.sessions.create(wanted(), {"idempotency_key": "one"}).status == "open"


def test_while_the_first_is_under_way_the_second_waits(client: stripe.StripeClient, stand_in: StandIn) -> None:
    stand_in.faults({"path": SESSIONS, "method": "POST", "delay": 0.3})
    params = wanted()

    def create() -> str:
        return client.v1.checkout.sessions.create(params, {"idempotency_key": "one"}).id

    with ThreadPoolExecutor(2) as pool:
        ids = [running.result() for running in (pool.submit(create), pool.submit(create))]
    assert ids[0] == ids[1]
    assert sorted(r["status"] for r in stand_in.requests()) == [200, 200, 409]


def test_many_with_one_key_make_one_session(client: stripe.StripeClient, stand_in: StandIn) -> None:
    body = "&".join(
        (
            "mode=payment",
            "success_url=http://localhost:9/",
            "line_items[0][quantity]=1",
            "line_items[0][price_data][currency]=gbp",
            "line_items[0][price_data][unit_amount]=500",
            "line_items[0][price_data][product_data][name]=A",
        )
    )
    gate = threading.Barrier(12)

    def create(_: int) -> int:
        gate.wait()
        headers = {"Authorization": "Bearer sk_test_x", "Idempotency-Key": "one"}
        return stand_in.http("POST", SESSIONS, body, headers=headers).status

    with ThreadPoolExecutor(12) as pool:
        statuses = set(pool.map(create, range(12)))
    assert statuses <= {200, 409}
    assert len(client.v1.checkout.sessions.list().data) == 1


@pytest.mark.parametrize("status", [500, 409, "drop", "commit_then_drop"])
def test_the_sdk_comes_through(client: stripe.StripeClient, stand_in: StandIn, status: int | str) -> None:
    stand_in.faults({"path": SESSIONS, "method": "POST", "status": status})
    session = client.v1.checkout.sessions.create(wanted(), {"idempotency_key": "attempt-1"})
    assert session.status == "open"
    asked = stand_in.requests()
    assert [r["key"] for r in asked] == ["attempt-1"] * 2
    assert {r["version"] for r in asked} == {"2026-10-28.endive"}
    assert asked[0]["params"]["line_items"][0]["price_data"]["unit_amount"] == 9500
    assert (asked[0]["method"], asked[0]["path"]) == ("POST", SESSIONS)
    assert len(client.v1.checkout.sessions.list().data) == 1
    assert session.last_response is not None
    replayed = session.last_response.headers.get("Idempotent-Replayed")
    assert replayed == ("true" if status == "commit_then_drop" else None)


def test_being_asked_to_slow_down_is_not_retried(client: stripe.StripeClient, stand_in: StandIn) -> None:
    stand_in.faults({"path": SESSIONS, "status": 429})
    with pytest.raises(stripe.RateLimitError):
        client.v1.checkout.sessions.create(wanted())
    assert [r["status"] for r in stand_in.requests()] == [429]


def test_trouble_that_stays_is_an_error(client: stripe.StripeClient, stand_in: StandIn) -> None:
    stand_in.faults({"path": f"{SESSIONS}/*/expire", "status": 503, "times": 3})
    session = client.v1.checkout.sessions.create(wanted())
    with pytest.raises(stripe.APIError) as trouble:
        client.v1.checkout.sessions.expire(session.id)
    assert trouble.value.http_status == 503
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"


def test_a_refund_whose_answer_is_lost_happens_once(client: stripe.StripeClient, stand_in: StandIn) -> None:
    session = client.v1.checkout.sessions.create(wanted())
    stand_in.pay(session.id)
    intent = client.v1.checkout.sessions.retrieve(session.id).payment_intent
    assert isinstance(intent, str)
    stand_in.faults({"path": "/v1/refunds", "method": "POST", "status": "commit_then_drop"})
    client.v1.refunds.create({"payment_intent": intent, "amount": 500}, {"idempotency_key": "refund-1"})
    assert len(client.v1.refunds.list({"payment_intent": intent}).data) == 1


def test_an_answer_can_be_late(client: stripe.StripeClient, stand_in: StandIn) -> None:
    stand_in.faults({"path": SESSIONS, "method": "POST", "answer_delay": 0.3})
    started = time.monotonic()
    client.v1.checkout.sessions.create(wanted())
    assert time.monotonic() - started >= 0.3
