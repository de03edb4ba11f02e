"""Trouble that a test orders in advance, and the record of what was asked."""

import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

KINDS = ("drop", "commit_then_drop")
_REMEMBERED = 10_000


@dataclass
class Fault:
    """What goes wrong with the next requests of a method to a path (`*` stands for anything in it)."""

    path: str
    method: str | None = None
    status: int | str | None = None
    times: int = 1
    delay: float = 0
    answer_delay: float = 0


class Faults:
    """The faults still to come, oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queue: list[Fault] = []

    def add(self, asked: list[dict[str, Any]]) -> None:
        """Queue faults. Raises ValueError or TypeError on what is none."""
        faults = [Fault(**one) for one in asked]
        for fault in faults:
            right = fault.status is None or fault.status in KINDS or isinstance(fault.status, int)
            if not right or fault.times < 1:
                raise ValueError(f"no such fault: {fault}")
        with self._lock:
            self._queue.extend(faults)

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that this request meets, used once."""
        with self._lock:
            for fault in self._queue:
                if fault.method in (None, method) and fnmatchcase(path, fault.path):
                    fault.times -= 1
                    if not fault.times:
                        self._queue.remove(fault)
                    return fault
        return None

    def clear(self) -> None:
        """No more faults."""
        with self._lock:
            self._queue.clear()


class Journal:
    """The latest requests to the API, oldest first."""

    def __init__(self) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=_REMEMBERED)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(list(self._entries))

    def add(self, **entry: Any) -> dict[str, Any]:
        """Write one down; the caller adds the status to what is returned."""
        entry["at"] = time.time()
        entry["status"] = None
        self._entries.append(entry)
        return entry

    def clear(self) -> None:
        """Forget them."""
        self._entries.clear()
