"""Secrets of others at rest: sealed under LINK_KEYS before they become a row, opened only where they are used.

A copy of the database without the settings opens none of them. The first of LINK_KEYS seals, any of them opens, so a
key is retired as it is for links; what was sealed under a key that is gone has to be typed again.
"""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lib import links

_PURPOSE = b"colloquy: secrets at rest"  # keeps these keys apart from those that sign links (RFC 5869, 3.2)


class SealBroken(Exception):
    """None of LINK_KEYS opens it: the key it was sealed under is gone, or it is none of ours."""


def seal(secret: str) -> str:
    """The text to keep in place of `secret`."""
    return _fernet().encrypt(secret.encode()).decode()


def opened(sealed: str) -> str:
    """The secret. Raises SealBroken."""
    try:
        return _fernet().decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise SealBroken("sealed under a key that is not among LINK_KEYS") from None


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(_derived(key)) for key in links.link_keys()])


def _derived(key: bytes) -> bytes:
    found = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(key)
    return base64.urlsafe_b64encode(found)
