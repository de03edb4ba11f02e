"""Links that are rights: a token signs (purpose, id, version) and is stored nowhere.

The same token can be made again for the next letter; raising the row's version kills every older one.
"""

import base64
import hashlib
import hmac
from typing import Literal

from flask import current_app

Purpose = Literal[
    "booking", "place", "join", "recording", "feed", "newsletter_confirm", "newsletter_leave", "waiting", "invoice",
    "credit", "address", "handout"
]  # fmt: skip

BYTES = 20  # 160 bits of HMAC-SHA-256
_LENGTH = 27  # of BYTES in base64 without padding


def sign(purpose: Purpose, row_id: int, version: int) -> str:
    """The signature alone, for addresses that name the row themselves (a booking's reference)."""
    return _signature(link_keys()[0], purpose, row_id, version)


def verify(purpose: Purpose, row_id: int, version: int, signature: str) -> bool:
    """Whether `signature` is right under any of LINK_KEYS; the first signs, the others are being retired."""
    given = signature.encode("utf-8", "replace")
    return any(hmac.compare_digest(_signature(key, purpose, row_id, version).encode(), given) for key in link_keys())


def token(purpose: Purpose, row_id: int, version: int) -> str:
    """A whole token: the row's number and the signature."""
    return f"{row_id}-{sign(purpose, row_id, version)}"


def row_of(text: str) -> int | None:
    """The number a token claims to be about, or None if it has no such shape. Proves nothing: `verify_token` does."""
    number, dash, signature = text.partition("-")
    fits = dash and number.isascii() and number.isdigit() and len(number) < 16 and len(signature) == _LENGTH
    return int(number) if fits and not number.startswith("0") else None


def verify_token(purpose: Purpose, version: int, text: str) -> bool:
    """Whether `text` is a token of this purpose for the row it names, at this version."""
    row_id = row_of(text)
    return row_id is not None and verify(purpose, row_id, version, text.partition("-")[2])


def pair_token(purpose: Purpose, row_id: int, other_id: int, version: int) -> str:
    """A token for one row's right to another one: `version` is the first row's."""
    return f"{row_id}.{other_id}-{_signature(link_keys()[0], purpose, f'{row_id}.{other_id}', version)}"


def pair_of(text: str) -> tuple[int, int] | None:
    """The two numbers a pair's token claims to be about. Proves nothing: `verify_pair` does."""
    numbers, dash, signature = text.partition("-")
    row, _, other = numbers.partition(".")
    first, second = row_of(f"{row}{dash}{signature}"), row_of(f"{other}{dash}{signature}")
    return (first, second) if first and second else None


def verify_pair(purpose: Purpose, version: int, text: str) -> bool:
    """Whether `text` is a pair's token of this purpose at this version of its first row."""
    numbers, _, signature = text.partition("-")
    given = signature.encode("utf-8", "replace")
    signed = (_signature(key, purpose, numbers, version).encode() for key in link_keys())
    return pair_of(text) is not None and any(hmac.compare_digest(each, given) for each in signed)


def link_keys() -> list[bytes]:
    """LINK_KEYS: the first is in use, the others are being retired."""
    return [key.strip().encode() for key in str(current_app.config["LINK_KEYS"]).split(",") if key.strip()]


def _signature(key: bytes, purpose: str, row_id: int | str, version: int) -> str:
    message = f"{purpose}:{row_id}:{version}".encode()
    digest = hmac.new(key, message, hashlib.sha256).digest()[:BYTES]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
