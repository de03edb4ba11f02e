"""Refunds and disputes at the stand-in."""

import time

import pytest
import stripe

from demo.stripe.process import StandIn
from tests.demo.conftest import wanted


def paid(client: stripe.StripeClient, stand_in: StandIn, number: str = "4242424242424242") -> str:
    """The intent of a session of GBP 95.00 that somebody paid."""
    session = client.v1.checkout.sessions.create(wanted())
    stand_in.pay(session.id, number)
    intent = client.v1.checkout.sessions.retrieve(session.id).payment_intent
    assert isinstance(intent, str)
    return intent


def charge_of(client: stripe.StripeClient, intent: str) -> stripe.Charge:
    charge = client.v1.payment_intents.retrieve(intent, {"expand": ["latest_charge"]}).latest_charge
    assert isinstance(charge, stripe.Charge)
    return charge


def kinds(stand_in: StandIn) -> list[str]:
    return [event["type"] for event in stand_in.events()]


def test_a_part_then_the_rest_then_nothing_more(client: stripe.StripeClient, stand_in: StandIn) -> None:
    intent = paid(client, stand_in)
    part = client.v1.refunds.create(
        {
            "payment_intent": intent,
            "amount": 2500,
            "reason": "requested_by_customer",
            "metadata": {"refund": "7"},
        }
    )
    assert (part.object, part.status, part.amount, part.reason) == (
        "refund",
        "succeeded",
        2500,
        "requested_by_customer",
    )
    assert part.metadata is not None
    assert part.metadata["refund"] == "7"
    assert (charge_of(client, intent).amount_refunded, charge_of(client, intent).refunded) == (2500, False)
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount") as refusal:
        client.v1.refunds.create({"payment_intent": intent, "amount": 7001})
    assert (refusal.value.http_status, refusal.value.param) == (400, "amount")
    rest = client.v1.refunds.create({"payment_intent": intent})
    assert rest.amount == 7000
    assert (charge_of(client, intent).amount_refunded, charge_of(client, intent).refunded) == (9500, True)
    with pytest.raises(stripe.InvalidRequestError) as again:
        client.v1.refunds.create({"payment_intent": intent})
    assert again.value.code == "charge_already_refunded"
    assert kinds(stand_in)[-4:] == ["refund.created", "charge.refunded"] * 2
    assert [r.id for r in client.v1.refunds.list({"payment_intent": intent}).data] == [rest.id, part.id]
    assert client.v1.refunds.retrieve(part.id).amount == 2500


def test_the_charge_can_be_named_instead(client: stripe.StripeClient, stand_in: StandIn) -> None:
    charge = charge_of(client, paid(client, stand_in))
    refund = client.v1.refunds.create({"charge": charge.id, "expand": ["charge"]})
    assert isinstance(refund.charge, stripe.Charge)
    assert refund.charge.amount_refunded == 9500
    expanded = client.v1.charges.retrieve(charge.id, {"expand": ["refunds"]})
    assert expanded.refunds is not None
    assert [r.id for r in expanded.refunds.data] == [refund.id]


def test_refunds_that_make_no_sense_are_refused(client: stripe.StripeClient, stand_in: StandIn) -> None:
    intent = paid(client, stand_in)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.refunds.create({"payment_intent": "pi_none"})
    assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")
    for params, words in (
        ({}, "One of the following params"),
        ({"payment_intent": intent, "amount": 0}, "greater than or equal to 1"),
        ({"payment_intent": intent, "reason": "regret"}, "must be one of"),
        ({"payment_intent": intent, "amount": 9501}, "greater than charge amount"),
        ({"payment_intent": intent, "ammount": 5}, "unknown parameter"),
    ):
        with pytest.raises(stripe.InvalidRequestError, match=words):
            client.v1.refunds.create(params)  # type: ignore[arg-type]
    waiting = client.v1.checkout.sessions.create(wanted())
    stand_in.pay(waiting.id, "pay_later")
    unpaid = client.v1.checkout.sessions.retrieve(waiting.id).payment_intent
    assert isinstance(unpaid, str)
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge"):
        client.v1.refunds.create({"payment_intent": unpaid})


def test_the_dashboard_refunds_behind_the_applications_back(client: stripe.StripeClient, stand_in: StandIn) -> None:
    intent = paid(client, stand_in)
    refund = stand_in.refund(intent, 500)
    assert client.v1.refunds.retrieve(refund["id"]).amount == 500
    assert kinds(stand_in)[-3:] == ["refund.created", "charge.refunded", "refund.updated"]
    assert stand_in.events("charge.refunded")[0]["request"] == {"id": None, "idempotency_key": None}
    assert stand_in.refund(intent)["amount"] == 9000
    with pytest.raises(RuntimeError, match="already been refunded"):
        stand_in.refund(intent)


def test_a_refund_fails_after_all(client: stripe.StripeClient, stand_in: StandIn) -> None:
    intent = paid(client, stand_in, "4000000000005126")
    refund = client.v1.refunds.create({"payment_intent": intent})
    assert refund.status == "succeeded"
    stand_in.settle_refund(refund.id, "failed")
    failed = client.v1.refunds.retrieve(refund.id)
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    assert charge_of(client, intent).amount_refunded == 0
    assert "refund.failed" in kinds(stand_in)


def test_a_pending_refund_ends_by_itself(client: stripe.StripeClient, stand_in: StandIn) -> None:
    refund = client.v1.refunds.create({"payment_intent": paid(client, stand_in, "4000000000007726")})
    assert refund.status == "pending"
    until = time.monotonic() + 6
    while client.v1.refunds.retrieve(refund.id).status == "pending" and time.monotonic() < until:
        time.sleep(0.1)
    assert client.v1.refunds.retrieve(refund.id).status == "succeeded"
    assert "refund.updated" in kinds(stand_in)


def test_a_dispute_stops_refunds_and_ends(client: stripe.StripeClient, stand_in: StandIn) -> None:
    intent = paid(client, stand_in)
    dispute = stand_in.dispute(intent, "fraudulent")
    assert charge_of(client, intent).disputed
    assert client.v1.disputes.retrieve(dispute["id"]).status == "needs_response"
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.refunds.create({"payment_intent": intent})
    assert refusal.value.code == "charge_disputed"
    stand_in.close_dispute(dispute["id"], "lost")
    assert [d.status for d in client.v1.disputes.list({"payment_intent": intent}).data] == ["lost"]
    assert kinds(stand_in)[-3:] == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.closed",
    ]


def test_a_dispute_that_is_won_gives_the_money_back(client: stripe.StripeClient, stand_in: StandIn) -> None:
    intent = paid(client, stand_in)
    dispute = stand_in.dispute(intent)
    stand_in.close_dispute(dispute["id"], "won")
    found = client.v1.disputes.retrieve(dispute["id"])
    assert [each.amount for each in found.balance_transactions] == [-found.amount, found.amount]
    assert kinds(stand_in)[-2:] == ["charge.dispute.closed", "charge.dispute.funds_reinstated"]
    assert client.v1.refunds.create({"payment_intent": intent}).status == "succeeded"


def test_an_inquiry_takes_nothing_until_it_is_a_dispute(client: stripe.StripeClient, stand_in: StandIn) -> None:
    intent = paid(client, stand_in)
    inquiry = stand_in.dispute(intent, asks_only=True)
    assert client.v1.refunds.create({"payment_intent": intent, "amount": 100}).status == "succeeded"
    assert client.v1.disputes.retrieve(inquiry["id"]).balance_transactions == []
    stand_in.escalate_dispute(inquiry["id"])
    assert client.v1.disputes.retrieve(inquiry["id"]).status == "needs_response"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.create({"payment_intent": intent, "amount": 100})
