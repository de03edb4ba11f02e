"""References people read out on the telephone: CQ-7K2M-4D."""

import secrets

from werkzeug.routing import BaseConverter

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # without 0 1 I L O U: nothing looks like anything else


def new() -> str:
    """A new reference, 30^6 of them: unique by the database, secret by nothing. Links carry their own signature."""
    letters = [secrets.choice(ALPHABET) for _ in range(6)]
    return f"CQ-{''.join(letters[:4])}-{''.join(letters[4:])}"


def tidy(text: str) -> str:
    """A reference as typed (any case, spaces or no dashes) in its stored form; anything else comes back upper-case."""
    bare = "".join(c for c in text.upper() if c.isalnum())
    return f"CQ-{bare[2:6]}-{bare[6:8]}" if bare.startswith("CQ") and len(bare) == 8 else text.upper()


class ReferenceConverter(BaseConverter):
    """A reference in an address; no dot, so that `.json` can follow it."""

    regex = r"[A-Za-z0-9-]{4,20}"
