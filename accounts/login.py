"""Who is signed in: a session cookie that names a person and the version of their sessions."""

from typing import Any

from flask import Flask, redirect, request, session, url_for
from flask_login import LoginManager, login_user
from werkzeug.wrappers import Response

from accounts.models import User
from lib import db


def init_app(app: Flask) -> None:
    """Load people from their session; who must sign in first is led to the page and back.

    A permanent session instead of Flask-Login's second, remembering cookie; no fingerprint of the browser's network,
    since telephones change theirs on the way to work.
    """
    manager = LoginManager()
    manager.session_protection = None
    manager.user_loader(_load)
    manager.unauthorized_handler(lead_to_sign_in)
    manager.init_app(app)


def lead_to_sign_in() -> Response:
    """To the sign-in page, and afterwards back to where they wanted to go."""
    wanted = request.full_path.rstrip("?") if request.method in ("GET", "HEAD") else None
    return redirect(url_for("accounts.sign_in", next=wanted), code=303)


def sign_in(user: User) -> None:
    """Begin a session of `user`'s. Nothing of the one before stays: whoever planted it must not ride along."""
    session.clear()
    session.permanent = True
    login_user(user)


def _load(session_id: str) -> Any:
    number, _, version = session_id.partition(".")
    if not (number.isascii() and number.isdigit()):
        return None
    user = db.session.get(User, int(number))
    return user if user and str(user.session_version) == version else None
