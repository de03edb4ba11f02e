"""One Stripe account as the stand-in keeps it."""

from dataclasses import dataclass

from demo.stripe.store import Store
from demo.stripe.webhooks import Outbox


@dataclass(frozen=True)
class Account:
    """What every duty works on: the objects, the events, and the stand-in's own address."""

    store: Store
    outbox: Outbox
    address: str
