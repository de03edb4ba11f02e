"""Stripe, through its SDK: checkout pages, what became of them, refunds. Network only; no row is touched here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import stripe
from flask import current_app

TIMEOUT_SECONDS = 20
RETRIES = 2


class GatewayUnreachable(Exception):
    """Stripe did not answer, or answered that it cannot now. What was asked may have happened: ask again with the
    same key."""


class GatewayRefused(Exception):
    """Stripe understood and refused; asking the same again is refused again."""


class NotAtStripe(GatewayRefused):
    """Stripe has no such object: it belongs to another account, or was made up."""


@dataclass(frozen=True)
class Checkout:
    """A checkout page as Stripe has it now. Amounts in minor units, `currency` upper-case."""

    session_id: str
    url: str | None
    status: str
    payment_status: str
    amount_minor: int
    currency: str
    payment_intent: str | None
    intent_status: str | None
    attempt_key: str | None
    is_live: bool

    @property
    def is_paid(self) -> bool:
        return self.status == "complete" and self.payment_status == "paid"

    @property
    def is_on_its_way(self) -> bool:
        """Completed with a method that pays later, and not failed since (Stripe: fulfil only when paid)."""
        return self.status == "complete" and self.payment_status == "unpaid" and self.intent_status == "processing"

    @property
    def has_failed(self) -> bool:
        return self.status == "complete" and self.payment_status == "unpaid" and self.intent_status != "processing"


@dataclass(frozen=True)
class SentBack:
    """A refund as Stripe has it: status succeeded, pending, failed or canceled."""

    refund_id: str
    status: str
    amount_minor: int
    currency: str
    payment_intent: str
    key: str | None


def open_checkout(key: str, parameters: Mapping[str, Any]) -> Checkout:
    """Make the checkout page of an attempt. The same key and parameters give the same page, however often asked.

    Raises GatewayUnreachable or GatewayRefused.
    """
    with _Answers():
        made = _client().v1.checkout.sessions.create(
            cast("stripe.params.checkout.SessionCreateParams", dict(parameters)), {"idempotency_key": key}
        )
    return _checkout(made, None)


def read_checkout(session_id: str) -> Checkout:
    """What became of a checkout page. Raises NotAtStripe, GatewayUnreachable or GatewayRefused."""
    with _Answers():
        found = _client().v1.checkout.sessions.retrieve(session_id)
    return _with_intent(found)


def expire_checkout(session_id: str) -> Checkout:
    """Close a checkout page so that it cannot be paid any more, and say what it is now: it may have been paid.

    Raises GatewayUnreachable or GatewayRefused.
    """
    try:
        with _Answers():
            return _checkout(_client().v1.checkout.sessions.expire(session_id), None)
    except NotAtStripe:
        raise
    except GatewayRefused:
        return read_checkout(session_id)


def read_attempt_of_intent(intent_id: str) -> str | None:
    """The key of the attempt a payment intent belongs to, from the metadata we gave it, or None.

    Raises NotAtStripe or GatewayUnreachable.
    """
    with _Answers():
        found = _client().v1.payment_intents.retrieve(intent_id)
    return _metadata(found.metadata).get("attempt")


def send_back(key: str, payment_intent: str, amount_minor: int) -> SentBack:
    """Refund part or all of a payment to where it came from. Raises GatewayUnreachable or GatewayRefused."""
    with _Answers():
        made = _client().v1.refunds.create(
            {"payment_intent": payment_intent, "amount": amount_minor, "metadata": {"refund": key}},
            {"idempotency_key": key},
        )
    return _sent_back(made)


def read_refund(refund_id: str) -> SentBack:
    """A refund as Stripe has it. Raises NotAtStripe or GatewayUnreachable."""
    with _Answers():
        found = _client().v1.refunds.retrieve(refund_id)
    return _sent_back(found)


class _Answers:
    """Turns the SDK's errors into ours."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, stripe.APIConnectionError | stripe.RateLimitError):
            raise GatewayUnreachable(str(error)) from error
        if isinstance(error, stripe.StripeError):
            status = error.http_status or 500
            # 401 and 403 are about our key, not about what was asked: to be set right, then asked again.
            if status >= 500 or status in (401, 403, 409):
                raise GatewayUnreachable(str(error)) from error
            raise (NotAtStripe if status == 404 else GatewayRefused)(str(error)) from error


def _client() -> stripe.StripeClient:
    client = current_app.extensions.get("stripe")
    if client is None:
        client = stripe.StripeClient(
            current_app.config["STRIPE_SECRET_KEY"],
            base_addresses={"api": current_app.config["STRIPE_API_BASE"]},
            max_network_retries=RETRIES,
            http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
        )
        current_app.extensions["stripe"] = client
    return cast("stripe.StripeClient", client)


def _with_intent(found: stripe.checkout.Session) -> Checkout:
    intent = found.payment_intent
    if found.status == "complete" and found.payment_status == "unpaid" and isinstance(intent, str):
        with _Answers():
            return _checkout(found, _client().v1.payment_intents.retrieve(intent).status)
    return _checkout(found, None)


def _checkout(found: stripe.checkout.Session, intent_status: str | None) -> Checkout:
    intent = found.payment_intent
    return Checkout(
        session_id=found.id,
        url=found.url,
        status=found.status or "open",
        payment_status=found.payment_status,
        amount_minor=found.amount_total or 0,
        currency=(found.currency or "").upper(),
        payment_intent=intent if isinstance(intent, str) or intent is None else intent.id,
        intent_status=intent_status,
        attempt_key=_metadata(found.metadata).get("attempt"),
        is_live=bool(found.livemode),
    )


def _sent_back(found: stripe.Refund) -> SentBack:
    intent = found.payment_intent
    return SentBack(
        refund_id=found.id,
        status=found.status or "pending",
        amount_minor=found.amount,
        currency=found.currency.upper(),
        payment_intent=intent if isinstance(intent, str) else intent.id if intent else "",
        key=_metadata(found.metadata).get("refund"),
    )


def _metadata(found: stripe.StripeObject | None) -> dict[str, str]:
    return dict(found.to_dict()) if found is not None else {}
