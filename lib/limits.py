"""How often one address may ask for something that costs or annoys somebody.

Keys are a person's address or link and a purpose, never the network address: a whole clinic may sit behind one, and
behind a proxy everybody does.
"""

from collections.abc import Callable

from flask import request
from flask_limiter import Limiter


def by_field(name: str) -> Callable[[], str]:
    """The key of a limit: what was typed into a form's field, folded, with the page it was sent to."""

    def key() -> str:
        return f"{request.endpoint}:{request.path}:{request.form.get(name, '').strip().lower()}"

    return key


def by_path() -> str:
    """The key of a limit on a page with a token in its address: the token stands for one person and purpose."""
    return f"{request.endpoint}:{request.path}"


limiter = Limiter(key_func=by_path, headers_enabled=True, strategy="moving-window")
