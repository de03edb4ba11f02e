"""The stand-in for Stripe, a client of the real SDK, and a receiver of its events."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stripe

from demo.stripe import process
from demo.stripe.process import StandIn
from tests.demo.receiver import Receiver

SECRET = "whsec_for_the_tests"


@pytest.fixture(scope="session")
def receiver_server() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def clock_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stripe") / "clock"


@pytest.fixture(scope="session")
def started(receiver_server: Receiver, clock_file: Path) -> Iterator[StandIn]:
    with process.running(webhook=receiver_server.url, secret=SECRET, clock=clock_file) as stand_in:
        yield stand_in


@pytest.fixture
def receiver(receiver_server: Receiver) -> Receiver:
    receiver_server.clear()
    return receiver_server


@pytest.fixture
def stand_in(started: StandIn, receiver: Receiver, clock_file: Path) -> StandIn:
    """A stand-in that knows nothing yet, delivers events, and goes by the machine's time."""
    clock_file.write_text("")
    started.reset()
    receiver.clear()
    return started


@pytest.fixture
def client(stand_in: StandIn) -> Iterator[stripe.StripeClient]:
    yield from connected(stand_in)


def connected(stand_in: StandIn, key: str = "sk_test_of_the_tests") -> Iterator[stripe.StripeClient]:
    """The SDK, pointed at a stand-in."""
    http = stripe.RequestsClient(timeout=5)
    yield stripe.StripeClient(key, base_addresses={"api": stand_in.url}, max_network_retries=2, http_client=http)
    http.close()  # type: ignore[no-untyped-call]


def wanted(**changes: Any) -> Any:
    """Honest parameters of a session of GBP 95.00, changed as asked; None leaves one out."""
    params: dict[str, Any] = {
        "mode": "payment",
        "line_items": [
            {
                "price_data": {
                    "currency": "gbp",
                    "unit_amount": 9500,
                    "product_data": {"name": "Working with shame", "description": "18 October 2024"},
                },
                "quantity": 1,
            }
        ],
        "success_url": "http://localhost:9/paid?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://localhost:9/left",
        "client_reference_id": "CQ-7",
        "customer_email": "ada@example.org",
        "metadata": {"booking": "CQ-7"},
        "payment_intent_data": {"metadata": {"booking": "CQ-7"}, "description": "CQ-7"},
        "expires_at": int(time.time()) + 31 * 60,
    }
    params.update(changes)
    return {name: value for name, value in params.items() if value is not None}
