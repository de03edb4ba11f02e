"""Stripe, through its SDK: checkout pages, what became of them, refunds, disputes, and its lists. Network only; no row
is touched here."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import stripe
from flask import current_app

TIMEOUT_SECONDS = 20
RETRIES = 2
MOST_A_PAGE = 100


class GatewayUnreachable(Exception):
    """Stripe did not answer, or answered that it cannot now. What was asked may have happened: ask again with the
    same key."""


class GatewayRefused(Exception):
    """Stripe understood and refused; asking the same again is refused again."""


class NotAtStripe(GatewayRefused):
    """Stripe has no such object: it belongs to another account, or was made up."""


@dataclass(frozen=True)
class Checkout:
    """A checkout page as Stripe has it now. Amounts in minor units, `currency` upper-case. `card` is Stripe's
    fingerprint of the card that paid; empty for any other way to pay, and unless the page was read by itself."""

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
    card: str = ""

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


@dataclass(frozen=True)
class Charge:
    """A charge as Stripe has it. `refunded_minor` is all that went back so far, not what an event tells of."""

    charge_id: str
    payment_intent: str
    is_paid: bool
    amount_minor: int
    refunded_minor: int
    currency: str
    attempt_key: str | None


@dataclass(frozen=True)
class Contested:
    """A dispute as Stripe has it, in Stripe's words for status and reason."""

    dispute_id: str
    payment_intent: str
    status: str
    reason: str
    amount_minor: int
    currency: str
    opened_at: datetime
    answer_by: datetime | None


@dataclass(frozen=True)
class Told:
    """An event in Stripe's list."""

    event_id: str
    kind: str
    object_id: str
    is_live: bool


def open_checkout(key: str, parameters: Mapping[str, Any]) -> Checkout:
    """Make the checkout page of an attempt. The same key and parameters give the same page, however often asked.

    Raises GatewayUnreachable or GatewayRefused.
    """
    with _answers():
        made = _client().v1.checkout.sessions.create(
            cast("stripe.params.checkout.SessionCreateParams", dict(parameters)), {"idempotency_key": key}
        )
    return _checkout(made)


def read_checkout(session_id: str) -> Checkout:
    """What became of a checkout page. Raises NotAtStripe, GatewayUnreachable or GatewayRefused."""
    with _answers():
        found = _client().v1.checkout.sessions.retrieve(session_id, {"expand": ["payment_intent.latest_charge"]})
    return _checkout(found)


def expire_checkout(session_id: str) -> Checkout:
    """Close a checkout page so that it cannot be paid any more, and say what it is now: it may have been paid.

    Raises GatewayUnreachable or GatewayRefused.
    """
    try:
        with _answers():
            return _checkout(_client().v1.checkout.sessions.expire(session_id))
    except NotAtStripe:
        raise
    except GatewayRefused:
        return read_checkout(session_id)


def read_attempt_of_intent(intent_id: str) -> str | None:
    """The key of the attempt a payment intent belongs to, from the metadata we gave it, or None.

    Raises NotAtStripe or GatewayUnreachable.
    """
    with _answers():
        found = _client().v1.payment_intents.retrieve(intent_id)
    return _metadata(found.metadata).get("attempt")


def send_back(key: str, payment_intent: str, amount_minor: int) -> SentBack:
    """Refund part or all of a payment to where it came from. Raises GatewayUnreachable or GatewayRefused."""
    with _answers():
        made = _client().v1.refunds.create(
            {"payment_intent": payment_intent, "amount": amount_minor, "metadata": {"refund": key}},
            {"idempotency_key": key},
        )
    return _sent_back(made)


def read_refund(refund_id: str) -> SentBack:
    """A refund as Stripe has it. Raises NotAtStripe or GatewayUnreachable."""
    with _answers():
        found = _client().v1.refunds.retrieve(refund_id)
    return _sent_back(found)


def read_refunds(payment_intent: str) -> list[SentBack]:
    """Every refund of a payment, oldest first. Raises NotAtStripe or GatewayUnreachable."""
    with _answers():
        found = _client().v1.refunds.list({"payment_intent": payment_intent, "limit": MOST_A_PAGE})
        return [_sent_back(each) for each in found.auto_paging_iter()][::-1]


def read_charge(charge_id: str) -> Charge:
    """A charge as Stripe has it. Raises NotAtStripe or GatewayUnreachable."""
    with _answers():
        return _charge(_client().v1.charges.retrieve(charge_id))


def read_dispute(dispute_id: str) -> Contested:
    """A dispute as Stripe has it. Raises NotAtStripe or GatewayUnreachable."""
    with _answers():
        return _contested(_client().v1.disputes.retrieve(dispute_id))


def list_checkouts(since: datetime) -> list[Checkout]:
    """Every checkout page made since, oldest first, all of Stripe's pages of them. So are the lists below.

    Raises GatewayUnreachable.
    """
    with _answers():
        found = _client().v1.checkout.sessions.list({"created": _since(since), "limit": MOST_A_PAGE})
        return [_checkout(each) for each in found.auto_paging_iter()][::-1]


def list_charges(since: datetime) -> list[Charge]:
    with _answers():
        found = _client().v1.charges.list({"created": _since(since), "limit": MOST_A_PAGE})
        return [_charge(each) for each in found.auto_paging_iter()][::-1]


def list_refunds(since: datetime) -> list[SentBack]:
    with _answers():
        found = _client().v1.refunds.list({"created": _since(since), "limit": MOST_A_PAGE})
        return [_sent_back(each) for each in found.auto_paging_iter()][::-1]


def list_disputes(since: datetime) -> list[Contested]:
    with _answers():
        found = _client().v1.disputes.list({"created": _since(since), "limit": MOST_A_PAGE})
        return [_contested(each) for each in found.auto_paging_iter()][::-1]


def list_events(since: datetime, kinds: list[str]) -> list[Told]:
    """Stripe keeps events for 30 days, and takes at most 20 kinds."""
    with _answers():
        found = _client().v1.events.list({"created": _since(since), "types": kinds, "limit": MOST_A_PAGE})
        return [_told(each) for each in found.auto_paging_iter()][::-1]


@contextmanager
def _answers() -> Iterator[None]:
    """Turns the SDK's errors into ours."""
    try:
        yield
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        raise GatewayUnreachable(str(error)) from error
    except stripe.StripeError as error:
        status = error.http_status or 500
        # 401 and 403 are about our key, not about what was asked: to be set right, then asked again.
        if status >= 500 or status in (401, 403, 409):
            raise GatewayUnreachable(str(error)) from error
        raise (NotAtStripe if status == 404 else GatewayRefused)(str(error)) from error


def _since(at: datetime) -> Any:
    return {"gte": int(at.timestamp())}


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


def _checkout(found: stripe.checkout.Session) -> Checkout:
    intent = found.payment_intent
    whole = intent if isinstance(intent, stripe.PaymentIntent) else None
    return Checkout(
        session_id=found.id,
        url=found.url,
        status=found.status or "open",
        payment_status=found.payment_status,
        amount_minor=found.amount_total or 0,
        currency=(found.currency or "").upper(),
        payment_intent=_id(intent) or None,
        intent_status=whole.status if whole else None,
        attempt_key=_metadata(found.metadata).get("attempt"),
        is_live=bool(found.livemode),
        card=_card(whole.latest_charge) if whole else "",
    )


def _card(charge: stripe.Charge | str | None) -> str:
    details = charge.payment_method_details if isinstance(charge, stripe.Charge) else None
    card = details.card if details and details.type == "card" else None
    return (card.fingerprint or "") if card else ""


def _sent_back(found: stripe.Refund) -> SentBack:
    return SentBack(
        refund_id=found.id,
        status=found.status or "pending",
        amount_minor=found.amount,
        currency=found.currency.upper(),
        payment_intent=_id(found.payment_intent),
        key=_metadata(found.metadata).get("refund"),
    )


def _charge(found: stripe.Charge) -> Charge:
    return Charge(
        charge_id=found.id,
        payment_intent=_id(found.payment_intent),
        is_paid=found.status == "succeeded" and bool(found.captured),
        amount_minor=found.amount,
        refunded_minor=found.amount_refunded,
        currency=found.currency.upper(),
        attempt_key=_metadata(found.metadata).get("attempt"),
    )


def _contested(found: stripe.Dispute) -> Contested:
    due_by = found.evidence_details.due_by
    return Contested(
        dispute_id=found.id,
        payment_intent=_id(found.payment_intent),
        status=found.status,
        reason=found.reason,
        amount_minor=found.amount,
        currency=found.currency.upper(),
        opened_at=datetime.fromtimestamp(found.created, UTC),
        answer_by=datetime.fromtimestamp(due_by, UTC) if due_by else None,
    )


def _told(found: stripe.Event) -> Told:
    return Told(found.id, found.type, str(found.data.object["id"]), bool(found.livemode))


def _id(found: stripe.PaymentIntent | str | None) -> str:
    return found if isinstance(found, str) else found.id if found else ""


def _metadata(found: stripe.StripeObject | None) -> dict[str, str]:
    return dict(found.to_dict()) if found is not None else {}
