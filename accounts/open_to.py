"""Who may open a page. Every route carries exactly one of these; a house test reads them."""

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


def _marked(view: View, who: str) -> View:
    view.open_to = who  # type: ignore[attr-defined]  # functions take attributes, their type does not say so
    return view


def anyone(view: View) -> View:
    """The public."""
    return _marked(view, "anyone")


def holder_of_link(view: View) -> View:
    """Whoever holds a signed link; the view verifies it and answers 404 otherwise."""
    return _marked(view, "holder_of_link")


def sender_of_signature(view: View) -> View:
    """A machine that signs its request; the view verifies it and answers 400 otherwise."""
    return _marked(view, "sender_of_signature")
