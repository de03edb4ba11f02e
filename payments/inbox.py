"""Events of Stripe: checked, and remembered in the same transaction as the work they cause."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import stripe
from sqlalchemy import insert, select

from lib import db
from payments.models import StripeEvent

Outcome = Literal["handled", "ignored", "mismatch"]


class NotFromStripe(Exception):
    """The signature is missing, wrong or stale (300 s), or the body is no event."""


@dataclass(frozen=True)
class Event:
    """What a delivery says of itself; the object is read again from Stripe before anything is believed."""

    stripe_id: str
    kind: str
    object_id: str
    is_live: bool


def verify(body: bytes, signature: str, secret: str) -> Event:
    """Check the signature over the raw body (Stripe: HMAC-SHA-256, tolerance 300 s). Raises NotFromStripe."""
    try:
        stripe.WebhookSignature.verify_header(body.decode("utf-8"), signature, secret, 300)
        told = json.loads(body)
        about = told["data"]["object"]
        names = (str(told["id"])[:120], str(told["type"])[:80], str(about.get("id", ""))[:120])
        if b"\0" in "".join(names).encode():
            raise ValueError("an id of Stripe's is plain text; no database keeps a NUL or half a surrogate pair")
        return Event(*names, bool(told["livemode"]))
    except (stripe.SignatureVerificationError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise NotFromStripe(str(problem)) from problem


def is_known(event: Event) -> bool:
    """Whether this delivery is a repeat. A hint to save a call to Stripe; `remember` decides."""
    return db.session.scalar(select(StripeEvent.id).where(StripeEvent.stripe_id == event.stripe_id)) is not None


def remember(event: Event, outcome: Outcome, note: str, at: datetime) -> None:
    """Keep the event. Raises IntegrityError for a repeat that came meanwhile, which undoes the work beside it."""
    db.session.execute(
        insert(StripeEvent).values(
            stripe_id=event.stripe_id,
            kind=event.kind,
            object_id=event.object_id,
            is_live=event.is_live,
            outcome=outcome,
            note=note[:300],
            received_at=at,
        )
    )
