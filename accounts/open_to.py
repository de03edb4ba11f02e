"""Who may open a page. Every route carries exactly one of these; a house test reads them."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import abort
from flask_login import current_user
from sqlalchemy import select

from accounts.login import lead_to_sign_in
from accounts.models import ROLES, Membership, Organiser
from lib import db

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


def signed_in(view: View) -> View:
    """Whoever is signed in; others are led to the sign-in page and back."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if not current_user.is_authenticated:
            return lead_to_sign_in()
        return view(*args, **kwargs)

    return _marked(guarded, "signed_in")  # type: ignore[return-value]  # the guard takes what the view takes


def team(*roles: str) -> Callable[[View], View]:
    """Members of the organiser named by the route's `organiser`, in one of `roles` (none named: any role).

    The view gets the Organiser in place of its slug. Who is signed out is led to sign in, whether or not there is
    such an organiser; to anybody else the page does not exist.
    """
    wanted = roles or ROLES
    if unknown := set(wanted) - set(ROLES):
        raise ValueError(f"no such role: {', '.join(sorted(unknown))}")

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, organiser: str, **kwargs: Any) -> Any:
            if not current_user.is_authenticated:
                return lead_to_sign_in()
            found = db.session.scalar(
                select(Organiser)
                .join(Membership, Membership.organiser_id == Organiser.id)
                .where(Organiser.slug == organiser, Membership.user_id == current_user.id, Membership.role.in_(wanted))
            )
            if found is None:
                abort(404)
            return view(*args, organiser=found, **kwargs)

        return _marked(guarded, f"team:{','.join(wanted)}")  # type: ignore[return-value]  # as above, slug for row

    return guard
