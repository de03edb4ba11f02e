"""Passwords, by argon2id. Hash before `db.writing()`: it takes tens of milliseconds."""

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 10, 200
# OWASP's second choice: 19 MiB and two passes, so that several people signing in at once fit a small machine.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Of 32 random bytes that nobody kept. Verifying against it takes as long as against a real one.
NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$eUsE7fbfCucGaekcqBAONQ$d2ZUf7bnNoHwdlcAw38DYEVlc2pfrkOCzsZ8F6ZMtuQ"


def hashed(password: str) -> str:
    """The hash to store."""
    return _HASHER.hash(_same_letters(password))


def is_right(stored: str | None, password: str) -> bool:
    """Whether `password` is the one behind `stored`; as slow and always False when there is none."""
    try:
        _HASHER.verify(stored or NOBODY, _same_letters(password))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def needs_rehash(stored: str) -> bool:
    """Whether `stored` was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(stored)


def _same_letters(password: str) -> str:
    # Keyboards differ in how they compose an accent; the person typed the same word.
    return unicodedata.normalize("NFKC", password)
