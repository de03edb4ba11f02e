"""How often one address may ask for something that costs or annoys somebody.

Keys are an address and a purpose, never the network address alone: a whole clinic may sit behind one.
"""

from flask import request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

limiter = Limiter(key_func=get_remote_address, headers_enabled=True, strategy="moving-window")


def by_field(name: str) -> str:
    """The key of a limit: what was typed into a form's field, folded, with the purpose's route."""
    return f"{request.endpoint}:{request.form.get(name, '').strip().lower()}"
