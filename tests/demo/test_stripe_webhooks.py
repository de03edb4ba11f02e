"""The stand-in's events: signed, sent again, held, dropped, out of turn, and as a test wants them."""

import time
from pathlib import Path

import pytest
import stripe

from demo.stripe.process import StandIn
from tests.demo.conftest import SECRET, wanted
from tests.demo.receiver import Receiver

PAID = [
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "checkout.session.completed",
]


def wait_for(stand_in: StandIn, state: str, count: int) -> None:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        if sum(event["delivery"]["state"] == state for event in stand_in.events()) == count:
            return
        time.sleep(0.02)
    raise AssertionError([event["delivery"] for event in stand_in.events()])


def pay(client: stripe.StripeClient, stand_in: StandIn) -> str:
    session = client.v1.checkout.sessions.create(wanted())
    assert stand_in.pay(session.id).status == 303
    return session.id


def test_events_arrive_signed_as_stripe_signs(
    client: stripe.StripeClient, stand_in: StandIn, receiver: Receiver
) -> None:
    session = pay(client, stand_in)
    events = receiver.wait(4, SECRET)
    assert sorted(e.type for e in events) == sorted(PAID)
    completed = next(e for e in events if e.type == "checkout.session.completed")
    assert (completed.object, completed.api_version, completed.livemode) == (
        "event",
        "2026-10-28.endive",
        False,
    )
    assert completed.data.object["id"] == session
    assert completed.data.object["payment_status"] == "paid"
    with pytest.raises(stripe.SignatureVerificationError):
        receiver.events("whsec_another")
    wait_for(stand_in, "delivered", 4)
    assert client.v1.events.retrieve(completed.id).pending_webhooks == 0
    assert client.v1.events.list({"type": "charge.succeeded"}).data[0].type == "charge.succeeded"
    assert len(client.v1.events.list({"types": PAID[:2]}).data) == 2


def test_the_sdks_own_signature_is_the_same(receiver: Receiver, client: stripe.StripeClient) -> None:
    client.v1.checkout.sessions.expire(client.v1.checkout.sessions.create(wanted()).id)
    receiver.wait(1, SECRET)
    body, header = receiver.arrived[0]
    at = int(header.partition(",")[0].removeprefix("t="))
    assert header == stripe.WebhookSignature.generate_signature_header(body.decode(), SECRET, timestamp=at)


def test_signatures_go_by_the_machines_clock(
    client: stripe.StripeClient, stand_in: StandIn, receiver: Receiver, clock_file: Path
) -> None:
    session = client.v1.checkout.sessions.create(wanted())
    clock_file.write_text("+P40D")
    client.v1.checkout.sessions.retrieve(session.id)
    event = receiver.wait(1, SECRET)[0]
    assert event.type == "checkout.session.expired"
    assert event.created > time.time() + 39 * 86400


def test_an_event_names_the_request_that_caused_it(
    client: stripe.StripeClient, stand_in: StandIn, receiver: Receiver
) -> None:
    session = client.v1.checkout.sessions.create(wanted())
    client.v1.checkout.sessions.expire(session.id, {}, {"idempotency_key": "expire-7"})
    event = receiver.wait(1, SECRET)[0]
    assert event.request is not None
    assert event.request.idempotency_key == "expire-7"
    stand_in.pay(client.v1.checkout.sessions.create(wanted()).id)
    assert stand_in.events("checkout.session.completed")[0]["request"]["id"] is None


def test_what_is_not_taken_is_sent_again(client: stripe.StripeClient, stand_in: StandIn, receiver: Receiver) -> None:
    receiver.statuses = [500, 302]
    for _ in range(2):
        client.v1.checkout.sessions.expire(client.v1.checkout.sessions.create(wanted()).id)
    wait_for(stand_in, "delivered", 2)
    assert len({e.id for e in receiver.wait(4, SECRET)}) == 2
    assert sorted(e["delivery"]["statuses"] for e in stand_in.events()) == [[302, 204], [500, 204]]


def test_held_events_are_released_in_reverse(
    client: stripe.StripeClient, stand_in: StandIn, receiver: Receiver
) -> None:
    stand_in.webhooks("hold")
    pay(client, stand_in)
    time.sleep(0.1)
    assert receiver.arrived == []
    sent = stand_in.release("reverse")
    assert [one["type"] for one in sent] == PAID[::-1]
    assert {one["status"] for one in sent} == {204}
    assert [e.type for e in receiver.events(SECRET)] == PAID[::-1]
    assert stand_in.release() == []
    pay(client, stand_in)
    assert [one["type"] for one in stand_in.release()] == PAID


def test_dropped_events_never_arrive_unless_sent(
    client: stripe.StripeClient, stand_in: StandIn, receiver: Receiver
) -> None:
    stand_in.webhooks("drop")
    pay(client, stand_in)
    stand_in.webhooks("deliver")
    assert stand_in.release() == []
    assert receiver.arrived == []
    event = stand_in.events("checkout.session.completed")[0]
    assert stand_in.send(event["id"]) == [204]
    assert [e.id for e in receiver.events(SECRET)] == [event["id"]]


@pytest.mark.parametrize("together", [False, True])
def test_one_event_can_come_twice(
    client: stripe.StripeClient, stand_in: StandIn, receiver: Receiver, together: bool
) -> None:
    pay(client, stand_in)
    receiver.wait(4, SECRET)
    wait_for(stand_in, "delivered", 4)
    event = stand_in.events("checkout.session.completed")[0]["id"]
    receiver.arrived.clear()
    assert stand_in.send(event, 2, together=together) == [204, 204]
    assert [e.id for e in receiver.events(SECRET)] == [event, event]
    assert receiver.arrived[0][0] == receiver.arrived[1][0]


def test_a_session_can_be_made_to_say_something_else(
    client: stripe.StripeClient, stand_in: StandIn, receiver: Receiver
) -> None:
    stand_in.webhooks("hold")
    session = pay(client, stand_in)
    stand_in.override(session, amount_total=100, currency="usd", livemode=True)
    wrong = client.v1.checkout.sessions.retrieve(session)
    assert (wrong.amount_total, wrong.currency, wrong.livemode) == (100, "usd", True)
    stand_in.release()
    event = receiver.events(SECRET)[-1]
    assert event.livemode
    assert (event.data.object["amount_total"], event.data.object["currency"]) == (100, "usd")


def test_an_event_of_another_application_can_be_made_up(stand_in: StandIn, receiver: Receiver) -> None:
    made = stand_in.emit("checkout.session.completed", {"id": "cs_test_other", "object": "checkout.session"})
    event = receiver.wait(1, SECRET)[0]
    assert (event.id, event.data.object["id"]) == (made, "cs_test_other")


def test_a_receiver_that_is_away_does_not_hold_up_the_payer(
    client: stripe.StripeClient, stand_in: StandIn, receiver: Receiver
) -> None:
    stand_in.webhooks(url="http://127.0.0.1:9/nobody")
    started = time.monotonic()
    pay(client, stand_in)
    assert time.monotonic() - started < 1
    stand_in.webhooks(url=receiver.url)
    wait_for(stand_in, "delivered", 4)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/webhooks", {"mode": "later"}),
        ("/webhooks", {"url": "http://example.org/"}),
        ("/release", {"order": "random"}),
        ("/events", {}),
        ("/faults", {"faults": [{"path": "/v1/refunds", "status": "flood"}]}),
        ("/bank", {"session": "cs_test_none"}),
        ("/sessions/cs_test_none", {"livemode": True}),
        ("/nothing", {}),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(stand_in: StandIn, path: str, body: dict[str, object]) -> None:
    with pytest.raises(RuntimeError, match=r": 40[04] "):
        stand_in.control("POST", path, body)
