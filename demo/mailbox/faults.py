"""Refusals on request, so that each class of delivery failure can be tried."""

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

DROP = "drop"


class FaultRefused(ValueError):
    """The faults asked for make no sense; the message says which part."""


@dataclass(kw_only=True)
class Fault:
    """Refuse `to` (everybody when None) with an SMTP code or by hanging up, `left` times (always when None)."""

    to: str | None
    code: int | str
    left: int | None

    def as_json(self) -> dict[str, Any]:
        return {"to": self.to, "code": self.code, "times": self.left}


class Faults:
    """The refusals in force; the first one that fits a recipient is used."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = Lock()

    def replace(self, wanted: object) -> None:
        """Put the faults of a request's JSON in force. Raises FaultRefused and keeps the old ones."""
        if not isinstance(wanted, Mapping) or not isinstance(wanted.get("faults"), list):
            raise FaultRefused('give {"faults": [...]}')
        faults = [_read(fault) for fault in wanted["faults"]]
        with self._lock:
            self._faults = faults

    def take(self, recipient: str) -> int | str | None:
        """The code to refuse `recipient` with, counted as used, or None to accept."""
        with self._lock:
            for fault in self._faults:
                fits = fault.to is None or fault.to.casefold() == recipient.casefold()
                if fits and fault.left != 0:
                    if fault.left is not None:
                        fault.left -= 1
                    return fault.code
        return None

    def as_json(self) -> list[dict[str, Any]]:
        with self._lock:
            return [fault.as_json() for fault in self._faults]


def _read(fault: object) -> Fault:
    if not isinstance(fault, Mapping):
        raise FaultRefused(f"{fault!r} is no fault")
    to, code, times = fault.get("to"), fault.get("code"), fault.get("times")
    if code != DROP and not (isinstance(code, int) and 400 <= code <= 599):
        raise FaultRefused(f'code {code!r} is neither 400 to 599 nor "drop"')
    if to is not None and not isinstance(to, str):
        raise FaultRefused(f"to {to!r} is no address")
    if times is not None and not (isinstance(times, int) and times >= 1):
        raise FaultRefused(f"times {times!r} is no count")
    return Fault(to=to, code=code, left=times)
