"""Checkout sessions of the stand-in, asked for by the real SDK."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import stripe

from demo.stripe.process import StandIn
from tests.demo.conftest import connected, wanted


def test_a_new_session_looks_like_stripes(client: stripe.StripeClient, stand_in: StandIn) -> None:
    session = client.v1.checkout.sessions.create(wanted())
    assert session.object == "checkout.session"
    assert session.id.startswith("cs_test_")
    assert (session.status, session.payment_status, session.payment_intent) == ("open", "unpaid", None)
    assert (session.amount_total, session.currency, session.livemode) == (9500, "gbp", False)
    assert session.url == f"{stand_in.url}/pay/{session.id}"
    assert session.metadata is not None
    assert session.metadata["booking"] == "CQ-7"
    assert session.last_response is not None
    assert session.last_response.request_id is not None
    assert session.last_response.request_id.startswith("req_")
    again = client.v1.checkout.sessions.retrieve(session.id)
    assert again.to_dict() == session.to_dict()


def test_every_field_of_the_sdks_session_is_there(client: stripe.StripeClient) -> None:
    session = client.v1.checkout.sessions.create(wanted())
    known = {name for name in stripe.checkout.Session.__annotations__ if not name.startswith("_")}
    assert known - {"line_items", "OBJECT_NAME"} <= set(session.to_dict())


def test_line_items_are_listed_and_expanded(client: stripe.StripeClient) -> None:
    line = wanted()["line_items"][0]
    session = client.v1.checkout.sessions.create(wanted(line_items=[line, line | {"quantity": 2}]))
    assert session.amount_total == 28500
    listed = client.v1.checkout.sessions.line_items.list(session.id)
    assert [(item.description, item.amount_total) for item in listed.data] == [
        ("Working with shame", 9500),
        ("Working with shame", 19000),
    ]
    expanded = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["line_items"]})
    assert expanded.line_items is not None
    assert len(expanded.line_items.data) == 2


def test_lists_are_newest_first_and_page(client: stripe.StripeClient) -> None:
    made = [client.v1.checkout.sessions.create(wanted()).id for _ in range(5)]
    client.v1.checkout.sessions.expire(made[0])
    first = client.v1.checkout.sessions.list({"limit": 2})
    assert ([s.id for s in first.data], first.has_more) == ([made[4], made[3]], True)
    assert [s.id for s in first.auto_paging_iter()] == made[::-1]
    assert [s.id for s in client.v1.checkout.sessions.list({"status": "expired"}).data] == [made[0]]
    before = client.v1.checkout.sessions.list({"ending_before": made[1], "limit": 2})
    assert [s.id for s in before.data] == [made[3], made[2]]
    assert client.v1.checkout.sessions.list({"created": {"gt": int(time.time()) + 5}}).data == []


def test_an_open_session_expires_once(client: stripe.StripeClient, stand_in: StandIn) -> None:
    session = client.v1.checkout.sessions.create(wanted())
    expired = client.v1.checkout.sessions.expire(session.id)
    assert (expired.status, expired.url) == ("expired", None)
    with pytest.raises(stripe.InvalidRequestError, match="has a status of `expired`") as refusal:
        client.v1.checkout.sessions.expire(session.id)
    assert refusal.value.http_status == 400
    assert len(stand_in.events("checkout.session.expired")) == 1


def test_a_paid_session_does_not_expire(client: stripe.StripeClient, stand_in: StandIn) -> None:
    session = client.v1.checkout.sessions.create(wanted())
    stand_in.pay(session.id)
    with pytest.raises(stripe.InvalidRequestError, match="has a status of `complete`"):
        client.v1.checkout.sessions.expire(session.id)


def test_time_expires_a_session_and_says_so_once(
    client: stripe.StripeClient, stand_in: StandIn, clock_file: Path
) -> None:
    start = datetime(2026, 11, 18, 12, tzinfo=UTC)
    clock_file.write_text(start.isoformat())
    at = int(start.timestamp())
    session = client.v1.checkout.sessions.create(wanted(expires_at=at + 1800))
    assert session.created == at
    clock_file.write_text((start + timedelta(seconds=1799)).isoformat())
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    clock_file.write_text((start + timedelta(seconds=1800)).isoformat())
    assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"
    assert stand_in.pay(session.id).status == 410
    assert len(stand_in.events("checkout.session.expired")) == 1


def test_nobody_has_to_look_for_a_session_to_expire(
    client: stripe.StripeClient, stand_in: StandIn, clock_file: Path
) -> None:
    client.v1.checkout.sessions.create(wanted())
    clock_file.write_text("+PT1H")
    until = time.monotonic() + 4
    while not stand_in.events("checkout.session.expired") and time.monotonic() < until:
        time.sleep(0.05)
    assert len(stand_in.events("checkout.session.expired")) == 1


def test_expiry_is_thirty_minutes_to_a_day_from_receipt(client: stripe.StripeClient) -> None:
    now = int(time.time())
    for seconds, words in ((1795, "at least 30 minutes"), (86405, "less than 24 hours")):
        with pytest.raises(stripe.InvalidRequestError, match=words) as refusal:
            client.v1.checkout.sessions.create(wanted(expires_at=now + seconds))
        assert refusal.value.param == "expires_at"
    session = client.v1.checkout.sessions.create(wanted(expires_at=None))
    assert session.expires_at - session.created == 86400


@pytest.mark.parametrize(
    ("changes", "param", "code"),
    [
        ({"metdata": {"a": "b"}}, "metdata", "parameter_unknown"),
        ({"payment_method_types": ["card"]}, "payment_method_types", "parameter_unknown"),
        ({"payment_intent_data": {"metdata": {"a": "b"}}}, "payment_intent_data[metdata]", "parameter_unknown"),
        ({"success_url": None}, "success_url", "parameter_missing"),
        ({"success_url": "somewhere"}, "success_url", "url_invalid"),
        ({"customer_email": "nobody"}, "customer_email", "email_invalid"),
        ({"mode": "gift"}, "mode", None),
        ({"locale": "tlh"}, "locale", None),
        ({"client_reference_id": "x" * 201}, "client_reference_id", "parameter_invalid_string_length"),
        ({"client_reference_id": ""}, "client_reference_id", "parameter_invalid_empty"),
        ({"metadata": {"k" * 41: "v"}}, "metadata", None),
        ({"metadata": {"k": "v" * 501}}, "metadata[k]", None),
        ({"metadata": {f"k{n}": "v" for n in range(51)}}, "metadata", None),
        ({"expires_at": "soon"}, "expires_at", "parameter_invalid_integer"),
    ],
)
def test_what_stripe_refuses_is_refused(
    client: stripe.StripeClient, changes: dict[str, Any], param: str, code: str | None
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.checkout.sessions.create(wanted(**changes))
    assert refusal.value.http_status == 400
    assert (refusal.value.param, refusal.value.code) == (param, code)


def test_an_unknown_parameter_deep_in_a_line_is_named(client: stripe.StripeClient) -> None:
    line = wanted()["line_items"][0]
    line["price_data"]["product_data"]["nmae"] = "x"
    with pytest.raises(stripe.InvalidRequestError, match="Received unknown parameter: ") as refusal:
        client.v1.checkout.sessions.create(wanted(line_items=[line]))
    assert refusal.value.param == "line_items[0][price_data][product_data][nmae]"
    assert refusal.value.code == "parameter_unknown"


@pytest.mark.parametrize(
    ("currency", "minor", "accepted"),
    [
        ("gbp", 30, True),
        ("gbp", 29, False),
        ("EUR", 50, True),
        ("eur", 49, False),
        ("usd", 49, False),
        ("aud", 49, False),
        ("jpy", 50, True),
        ("jpy", 49, False),
        ("kwd", 12345, True),
        ("gbp", 100_000_000, False),
        ("xyz", 5000, False),
    ],
)
def test_totals_are_those_that_stripe_charges(
    client: stripe.StripeClient, currency: str, minor: int, accepted: bool
) -> None:
    line = wanted()["line_items"][0]
    line["price_data"] |= {"currency": currency, "unit_amount": minor}
    if accepted:
        session = client.v1.checkout.sessions.create(wanted(line_items=[line]))
        assert (session.amount_total, session.currency) == (minor, currency.lower())
        return
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.create(wanted(line_items=[line]))


def test_lines_have_one_currency(client: stripe.StripeClient) -> None:
    line, other = wanted()["line_items"][0], wanted()["line_items"][0]
    other["price_data"]["currency"] = "eur"
    with pytest.raises(stripe.InvalidRequestError, match="same currency"):
        client.v1.checkout.sessions.create(wanted(line_items=[line, other]))


def test_nothing_to_pay_needs_no_payment(client: stripe.StripeClient, stand_in: StandIn) -> None:
    line = wanted()["line_items"][0]
    line["price_data"]["unit_amount"] = 0
    session = client.v1.checkout.sessions.create(wanted(line_items=[line]))
    assert session.payment_status == "no_payment_required"
    assert stand_in.pay(session.id, "").status == 303
    done = client.v1.checkout.sessions.retrieve(session.id)
    assert (done.status, done.payment_status, done.payment_intent) == (
        "complete",
        "no_payment_required",
        None,
    )


def test_what_is_not_there_is_404(client: stripe.StripeClient, stand_in: StandIn) -> None:
    for ask in (
        lambda: client.v1.checkout.sessions.retrieve("cs_test_none"),
        lambda: client.v1.payment_intents.retrieve("pi_none"),
        lambda: client.v1.charges.retrieve("ch_none"),
        lambda: client.v1.refunds.retrieve("re_none"),
        lambda: client.v1.events.retrieve("evt_none"),
        lambda: client.v1.checkout.sessions.expire("cs_test_none"),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            ask()
        assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")
    with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL"):
        client.v1.customers.list()


def test_only_test_keys_are_taken(stand_in: StandIn) -> None:
    for client in connected(stand_in, "sk_live_never"):
        with pytest.raises(stripe.AuthenticationError) as refusal:
            client.v1.checkout.sessions.create(wanted())
        assert refusal.value.http_status == 401
    assert stand_in.http("GET", "/v1/charges").status == 401
