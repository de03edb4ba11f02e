"""Asking for news, confirming it, and leaving. A GET shows a button and changes nothing: scanners open links."""

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from accounts import open_to
from lib import clock, db, forms, limits, links, web, work
from newsletter import subscribing
from newsletter.jobs import ASK
from newsletter.models import Placement, Subscriber

HOME = "home"
bp = Blueprint("newsletter", __name__, url_prefix="/newsletter")


@bp.get("")
@open_to.anyone
def shown() -> str:
    return _form_page(_placement(request.args.get("organiser", ""), request.args.get("placement", HOME)))


@bp.post("")
@open_to.anyone
@limits.limiter.limit("5 per 15 minutes", key_func=limits.by_field("email"))
def ask() -> Answer | tuple[str, int]:
    placement = _placement(request.form.get("organiser", ""), request.form.get("placement", HOME))
    typed = forms.one_line(request.form.get("email"))
    try:
        email = forms.email(typed)
    except ValueError as problem:
        return _form_page(placement, error=str(problem), typed=typed), 422
    # The worker looks the address up: the answer and its time are the same for everybody.
    with db.writing():
        work.post(ASK, "address", clock.now(), {"placement": placement.id, "email": email})
    return redirect(url_for(".asked"), code=303)


@bp.get("/asked")
@open_to.anyone
def asked() -> str:
    return render_template("newsletter/asked.html")


@bp.get("/confirm/<token>")
@open_to.holder_of_link
def confirm(token: str) -> Answer:
    return _page("newsletter/confirm.html", _by_confirming(token), token)


@bp.post("/confirm/<token>", endpoint="confirmed")
@open_to.holder_of_link
def confirm_it(token: str) -> Answer:
    found = _by_confirming(token)
    with db.writing():
        db.session.refresh(found, with_for_update=True)
        subscribing.confirm(found, clock.now())
    return redirect(url_for(".confirm", token=token), code=303)


@bp.get("/unsubscribe/<token>")
@open_to.holder_of_link
def unsubscribe(token: str) -> Answer:
    return _page("newsletter/unsubscribe.html", _by_leaving(token), token)


@bp.post("/unsubscribe/<token>", endpoint="left")
@open_to.holder_of_link
def leave(token: str) -> Answer:
    """From the page's button, or from a mail program in one click (RFC 8058): no cookie, no CSRF token, 200."""
    found = _by_leaving(token)
    with db.writing():
        db.session.refresh(found, with_for_update=True)
        subscribing.leave(found, clock.now())
    return _page("newsletter/unsubscribe.html", found, token)


ONE_CLICK = leave


def _placement(organiser: str, name: str) -> Placement:
    return subscribing.placement(organiser, name) or abort(404)


def _by_confirming(token: str) -> Subscriber:
    found = subscribing.by_id(links.row_of(token) or 0)
    if found is None or not links.verify_token("newsletter_confirm", found.link_version, token):
        abort(404)
    return found


def _by_leaving(token: str) -> Subscriber:
    found = subscribing.by_id(links.row_of(token) or 0)
    if found is None or not links.verify_token("newsletter_leave", 1, token):
        abort(404)
    return found


def _page(template: str, subscriber: Subscriber, token: str) -> Answer:
    page = render_template(template, subscriber=subscriber, organiser=subscriber.organiser, token=token)
    return web.private(Response(page))


def _form_page(placement: Placement, error: str = "", typed: str = "") -> str:
    return render_template("newsletter/new.html", newsletter=placement, error=error, typed=typed)
