"""Policies and facts for tests: what is named is what the test is about."""

from datetime import UTC, datetime
from typing import Any

from policies.facts import Facts
from policies.rules import Rules, read

START = datetime(2027, 6, 11, 9, tzinfo=UTC)  # 10:00 in London, a Friday


def rules(*said: dict[str, Any], **above: Any) -> Rules:
    return read({"rules": list(said), **above})


def cancelling(notice: str | None = None, **says: Any) -> dict[str, Any]:
    condition = {} if notice is None else {"if": {"notice": notice}}
    return {"action": "cancel", **condition, **says}


def facts(**changed: Any) -> Facts:
    plain: dict[str, Any] = {"price_minor": 10_000, "currency": "GBP", "sessions": (START,)}
    plain |= changed
    plain.setdefault("paid_minor", plain["price_minor"])
    return Facts(**plain)


def at(said: str) -> datetime:
    """An instant, as 2027-06-01T09:00Z."""
    return datetime.fromisoformat(said)
