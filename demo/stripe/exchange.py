"""A request as it arrived and the answer to it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"


@dataclass(frozen=True)
class Request:
    """One HTTP request; header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Answer:
    """One HTTP answer; `dropped` closes the connection instead."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    dropped: bool = False


def as_json(status: int, value: Any) -> Answer:
    """An answer in JSON."""
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json"})


def as_page(status: int, text: str) -> Answer:
    """An answer in HTML that nothing else can frame, cache or script."""
    return Answer(
        status,
        text.encode(),
        {
            "Content-Type": "text/html; charset=utf-8",
            "Cache-Control": "no-store",
            "Content-Security-Policy": _POLICY,
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        },
    )


def see_other(address: str) -> Answer:
    """A redirect after a POST."""
    return Answer(303, b"", {"Location": address, "Cache-Control": "no-store"})
