"""The same request twice is done once: answers kept by path and Idempotency-Key."""

import threading
import time
from dataclasses import dataclass

from demo.stripe.errors import Refused
from demo.stripe.exchange import Answer
from demo.stripe.store import Store

KEPT_SECONDS = 24 * 60 * 60
_NEVER_KEPT = (401, 409, 429)


@dataclass(frozen=True)
class Turn:
    """A request with a key, while it is being answered."""

    id: str
    fingerprint: str


class Keys:
    """The keys of one account."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._in_flight: set[str] = set()

    def begin(self, turn: Turn) -> Answer | None:
        """The kept answer, or None: do the work and `finish`. Refused: other parameters, or still in flight."""
        with self._lock:
            if turn.id in self._in_flight:
                raise Refused(
                    409,
                    "There is currently another in-progress request using this Idempotent Key (that probably means "
                    "you submitted twice, and the other request is still going through). Please try again later.",
                    kind="idempotency_error",
                    code="idempotency_key_in_use",
                )
            kept = self._kept(turn)
            if kept is None:
                self._in_flight.add(turn.id)
            return kept

    def keep(self, turn: Turn, answer: Answer) -> None:
        """Remember an answer, unless the same request may fare better next time."""
        if answer.status < 500 and answer.status not in _NEVER_KEPT:
            self._store.put(
                "answer",
                {
                    "id": turn.id,
                    "fingerprint": turn.fingerprint,
                    "at": time.time(),
                    "status": answer.status,
                    "body": answer.body.decode(),
                    "headers": answer.headers,
                },
            )

    def finish(self, turn: Turn) -> None:
        """The request is no longer in flight."""
        with self._lock:
            self._in_flight.discard(turn.id)

    def _kept(self, turn: Turn) -> Answer | None:
        with self._store.changing():
            kept = self._store.get("answer", turn.id)
            if kept is None:
                return None
            if kept["at"] < time.time() - KEPT_SECONDS:
                self._store.remove("answer", turn.id)
                return None
            if kept["fingerprint"] != turn.fingerprint:
                raise Refused(
                    400,
                    "Keys for idempotent requests can only be used with the same parameters they were first used "
                    f"with. Try using a key other than '{turn.id.partition(' ')[2]}' if you meant to execute a "
                    "different request.",
                    kind="idempotency_error",
                )
            return Answer(kept["status"], kept["body"].encode(), kept["headers"] | {"Idempotent-Replayed": "true"})
