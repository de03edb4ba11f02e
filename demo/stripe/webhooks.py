"""Events on their way to the application: signed, sent in the background, tried again, held or dropped on request."""

import contextlib
import hashlib
import heapq
import hmac
import http.client
import json
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from demo.stripe import shapes, views
from demo.stripe.store import Closed, Store
from lib import clock

MODES = ("deliver", "hold", "drop")
TRIES = 10
PATIENCE_SECONDS = 20
_SENDERS = 8

cause: ContextVar[dict[str, Any] | None] = ContextVar("cause", default=None)


@dataclass(frozen=True)
class Endpoint:
    """Where events go; `kinds` empty means all of them."""

    url: str
    secret: str
    kinds: tuple[str, ...] = ()


def signature(body: bytes, secret: str, at: int) -> str:
    """The `Stripe-Signature` of a body at a moment."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def post(endpoint: Endpoint, body: bytes) -> int:
    """Send one body; the status that came back, 0 if none did."""
    target = urlsplit(endpoint.url)
    connection = http.client.HTTPConnection(target.hostname or "", target.port or 80, timeout=PATIENCE_SECONDS)
    try:
        connection.request(
            "POST",
            target.path + (f"?{target.query}" if target.query else ""),
            body,
            {
                "Content-Type": "application/json; charset=utf-8",
                "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
                "Stripe-Signature": signature(body, endpoint.secret, int(clock.machine_now().timestamp())),
            },
        )
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        return 0
    else:
        return answer.status
    finally:
        connection.close()


class Outbox:
    """The events of one account and their deliveries."""

    def __init__(self, store: Store, endpoint: Endpoint | None) -> None:
        self.store = store
        self.endpoint = endpoint
        self._due: list[tuple[float, int, str]] = []
        self._pushed = 0
        self._stopping = False
        self._turn = threading.Condition()
        self._threads = [threading.Thread(target=self._work, name=f"webhook-{n}", daemon=True) for n in range(_SENDERS)]

    @property
    def mode(self) -> str:
        """What happens to a new event: deliver, hold or drop."""
        kept = self.store.get("setting", "mode")
        return kept["value"] if kept else "deliver"

    def set_mode(self, mode: str) -> None:
        """Change it from now on; what is held stays held."""
        with self.store.changing():
            self.store.put("setting", {"id": "mode", "value": mode})

    def start(self) -> None:
        """Begin to send, with what an earlier process left unsent."""
        with self.store.changing():
            for delivery in self.store.table("delivery").values():
                if delivery["state"] == "pending":
                    self._push(delivery["id"], 0)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Send nothing more; what is pending stays so."""
        with self._turn:
            self._stopping = True
            self._turn.notify_all()

    def emit(self, kind: str, thing: dict[str, Any]) -> dict[str, Any]:
        """Record that something happened to an object, and see to its delivery."""
        with self.store.changing():
            kept = thing if "id" not in thing else views.shown(self.store, thing)
            event = shapes.event(kind, json.loads(json.dumps(kept)), cause.get())
            self.store.put("event", event)
            wanted = self.endpoint and (not self.endpoint.kinds or kind in self.endpoint.kinds)
            state = {"deliver": "pending", "hold": "held", "drop": "dropped"}[self.mode] if wanted else "not_wanted"
            event["pending_webhooks"] = int(state in ("pending", "held"))
            self.store.put("delivery", {"id": event["id"], "state": state, "statuses": []})
            if state == "pending":
                self._push(event["id"], 0)
            return event

    def send(self, event_id: str, times: int, *, together: bool) -> list[int]:
        """Send an event now, as often as asked, whatever was sent before; the statuses that came back."""
        if together:
            with ThreadPoolExecutor(times) as pool:
                return list(pool.map(lambda _: self._post(event_id), range(times)))
        return [self._post(event_id) for _ in range(times)]

    def release(self, *, reverse: bool) -> list[dict[str, Any]]:
        """Send everything that is held, one after the other; each event's id, type and status."""
        with self.store.changing():
            held = [d["id"] for d in self.store.table("delivery").values() if d["state"] == "held"]
            for event_id in held:
                self._mark(event_id, state="pending")
            kinds = {event_id: self.store.table("event")[event_id]["type"] for event_id in held}
        ids: Iterable[str] = reversed(held) if reverse else held
        return [{"id": i, "type": kinds[i], "status": self._attempt(i)} for i in ids]

    def _post(self, event_id: str) -> int:
        with self.store.changing():
            event = self.store.get("event", event_id)
            if event is None or self.endpoint is None:
                return 0
            body = json.dumps(views.event_shown(self.store, event) | {"pending_webhooks": 1}).encode()
        status = post(self.endpoint, body)
        with self.store.changing():
            self._mark(event_id, status=status)
        return status

    def _attempt(self, event_id: str) -> int:
        status = self._post(event_id)
        with self.store.changing():
            delivery = self.store.get("delivery", event_id)
            if delivery is None or delivery["state"] != "pending":
                return status
            tries = len(delivery["statuses"])
            if tries >= TRIES:
                self._mark(event_id, state="failed")
            else:
                self._push(event_id, 2 ** (tries - 1))
        return status

    def _mark(self, event_id: str, *, status: int | None = None, state: str | None = None) -> None:
        delivery = self.store.get("delivery", event_id)
        event = self.store.get("event", event_id)
        if delivery is None or event is None:
            return
        if status is not None:
            delivery["statuses"].append(status)
            if 200 <= status < 300:
                state = "delivered"
        if state:
            delivery["state"] = state
            event["pending_webhooks"] = int(state in ("pending", "held"))
            self.store.put("event", event)
        self.store.put("delivery", delivery)

    def _push(self, event_id: str, seconds: int) -> None:
        with self._turn:
            self._pushed += 1
            heapq.heappush(self._due, (time.monotonic() + seconds, self._pushed, event_id))
            self._turn.notify()

    def _next(self) -> str | None:
        with self._turn:
            while not self._stopping:
                wait = self._due[0][0] - time.monotonic() if self._due else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._due)[2]
                self._turn.wait(wait)
            return None

    def _work(self) -> None:
        with contextlib.suppress(Closed):
            while event_id := self._next():
                if self._may_go(event_id):
                    self._attempt(event_id)

    def _may_go(self, event_id: str) -> bool:
        with self.store.changing():
            delivery = self.store.get("delivery", event_id)
            if delivery is None or delivery["state"] != "pending":
                return False
            mode = self.mode
            if mode != "deliver" and delivery["statuses"]:
                self._mark(event_id, state={"hold": "held", "drop": "dropped"}[mode])
                return False
            return True
