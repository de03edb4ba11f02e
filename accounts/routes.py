"""Signing in and out, a new password, an invitation. Links from letters act by POST from a page with a button."""

from flask import Blueprint, make_response, redirect, render_template, request, session, url_for
from flask_login import current_user, logout_user
from sqlalchemy import select, update
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from accounts import letters, login, open_to, passwords, signing_in
from accounts.forms import LinkForm, NewPasswordForm, PasswordForm
from accounts.models import Organiser, User
from lib import clock, db, forms, web
from lib.limits import limiter
from lib.paths import safe_path

bp = Blueprint("accounts", __name__)

LETTERS_PER_ADDRESS = "5 per 15 minutes"
TRIES_PER_ADDRESS = "10 per 15 minutes"
DO_NOT_MATCH = "This address and this password do not belong together. A link by email always works."
_ASKED = "asked_for"


def _is_password() -> bool:
    return "password" in request.form


def _is_link() -> bool:
    return not _is_password()


def _person() -> str:
    """The key of a limit: the person whose address was typed, however they or somebody else spelt it."""
    typed = request.form.get("email", "")
    try:
        return f"{request.endpoint}:{forms.person_of(forms.email(typed))}"
    except ValueError:
        return f"{request.endpoint}:{typed.strip().lower()}"


@bp.get("/sign-in")
@open_to.anyone
def sign_in() -> Response | str:
    wanted = _wanted(request.args)
    if current_user.is_authenticated:
        return redirect(wanted, code=303)
    return _sign_in_page(LinkForm(), PasswordForm(), wanted)


@bp.post("/sign-in")
@open_to.anyone
@limiter.limit(LETTERS_PER_ADDRESS, key_func=_person, exempt_when=_is_password)
@limiter.limit(TRIES_PER_ADDRESS, key_func=_person, exempt_when=_is_link)
def ask_to_sign_in() -> Response | tuple[str, int]:
    wanted = _wanted(request.form)
    return _by_password(wanted) if _is_password() else _by_link(wanted)


@bp.get("/sign-in/sent")
@open_to.anyone
def link_sent() -> str:
    return render_template("accounts/link_sent.html", email=session.get(_ASKED))


@bp.get("/sign-in/<token>")
@open_to.holder_of_link
def sign_in_link(token: str) -> Response:
    link = signing_in.find(token, "sign_in", clock.now())
    if link is None:
        return _dead_link("sign_in")
    return web.private(make_response(render_template("accounts/sign_in_link.html", token=token, email=link.email)))


@bp.post("/sign-in/<token>")
@open_to.holder_of_link
def spend_sign_in_link(token: str) -> Response:
    return _come_in(token, "sign_in")


@bp.post("/sign-out")
@open_to.anyone
def sign_out() -> Response:
    logout_user()
    session.clear()
    return redirect("/", code=303)


@bp.get("/password")
@open_to.anyone
def password() -> str:
    return render_template("accounts/password.html", form=LinkForm())


@bp.post("/password")
@open_to.anyone
@limiter.limit(LETTERS_PER_ADDRESS, key_func=_person)
def ask_for_password() -> Response | tuple[str, int]:
    form = LinkForm(request.form)
    if not form.validate():
        return render_template("accounts/password.html", form=form), 422
    return _post_letter(str(form.email.data), "password", signing_in.HOME)


@bp.get("/password/<token>")
@open_to.holder_of_link
def password_link(token: str) -> Response:
    link = signing_in.find(token, "password", clock.now())
    if link is None:
        return _dead_link("password")
    return _new_password_page(NewPasswordForm(), token, link.email)


@bp.post("/password/<token>")
@open_to.holder_of_link
def set_password(token: str) -> Response:
    form = NewPasswordForm(request.form)
    link = signing_in.find(token, "password", clock.now())
    if link is None:
        return _dead_link("password")
    if not form.validate():
        return _new_password_page(form, token, link.email, 422)
    return _come_in(token, "password", passwords.hashed(str(form.password.data)))


@bp.get("/invitations/<token>")
@open_to.holder_of_link
def invitation(token: str) -> Response:
    link = signing_in.find(token, "invitation", clock.now())
    if link is None:
        return _dead_link("invitation")
    page = render_template(
        "accounts/invitation.html",
        token=token,
        email=link.email,
        organiser=db.session.get_one(Organiser, link.organiser_id),
        role_words=letters.ROLE_WORDS[str(link.role)],
        may_words=letters.MAY_WORDS[str(link.role)],
    )
    return web.private(make_response(page))


@bp.post("/invitations/<token>")
@open_to.holder_of_link
def accept_invitation(token: str) -> Response:
    return _come_in(token, "invitation")


def _wanted(typed: MultiDict[str, str]) -> str:
    return safe_path(typed.get("next"), signing_in.HOME)


def _by_link(wanted: str) -> Response | tuple[str, int]:
    form = LinkForm(request.form)
    if not form.validate():
        return _sign_in_page(form, PasswordForm(), wanted), 422
    return _post_letter(str(form.email.data), "sign_in", wanted)


def _post_letter(email: str, purpose: signing_in.Purpose, wanted: str) -> Response:
    now = clock.now()
    with db.writing():
        letters.post_link(email, purpose, now, next_path=wanted)
    session[_ASKED] = email
    return redirect(url_for("accounts.link_sent"), code=303)


def _by_password(wanted: str) -> Response | tuple[str, int]:
    form = PasswordForm(request.form)
    if not form.validate():
        return _sign_in_page(LinkForm(), form, wanted), 422
    user = db.session.scalar(select(User).where(User.email == form.email.data))
    typed = str(form.password.data)
    is_right = passwords.is_right(user.password_hash if user else None, typed)
    if user is None or user.password_hash is None or not is_right:
        form.password.errors = [DO_NOT_MATCH]
        return _sign_in_page(LinkForm(), form, wanted), 422
    if passwords.needs_rehash(user.password_hash):
        _rehash(user.id, user.password_hash, passwords.hashed(typed))
    login.sign_in(user)
    return redirect(wanted, code=303)


def _rehash(user_id: int, old: str, new: str) -> None:
    with db.writing():
        db.session.execute(update(User).where(User.id == user_id, User.password_hash == old).values(password_hash=new))


def _come_in(token: str, purpose: signing_in.Purpose, password_hash: str | None = None) -> Response:
    now = clock.now()
    with db.writing():
        spent = signing_in.spend(token, purpose, now, password_hash=password_hash)
    if spent is None:
        return _dead_link(purpose)
    login.sign_in(spent.user)
    return web.private(make_response(redirect(safe_path(spent.next_path, signing_in.HOME), code=303)))


def _sign_in_page(link_form: LinkForm, password_form: PasswordForm, wanted: str) -> str:
    return render_template(
        "accounts/sign_in.html", link_form=link_form, password_form=password_form, wanted=wanted, home=signing_in.HOME
    )


def _new_password_page(form: NewPasswordForm, token: str, email: str, status: int = 200) -> Response:
    page = render_template(
        "accounts/password_link.html", form=form, token=token, email=email, shortest=passwords.SHORTEST
    )
    return web.private(make_response(page, status))


def _dead_link(purpose: signing_in.Purpose) -> Response:
    return web.private(make_response(render_template("accounts/dead_link.html", purpose=purpose), 410))
