"""A person's credits with one organiser: the statement behind the link in their letter, and who may spend them.

Opening the link shows that a letter to the address was read; for that browser session its credits can be used on the
booking form, until the link is ended. Nothing is spent by opening anything.
"""

from flask import Blueprint, Response, abort, redirect, render_template, session, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as Answer

from accounts import open_to
from bookings import credit_links, credit_pages
from lib import clock, db, web
from lib.forms import person_of
from payments.models import Credit

bp = Blueprint("credits", __name__)


@bp.get("/credits/<token>")
@open_to.holder_of_link
def statement(token: str) -> Answer:
    credit = _opened(token)
    session["credits"] = {**session.get("credits", {}), str(credit.organiser_id): token}
    view = credit_pages.statement(credit, clock.now())
    return web.private(Response(render_template("bookings/credits.html", view=view, token=token)))


@bp.post("/credits/<token>/end")
@open_to.holder_of_link
def end(token: str) -> Answer:
    """The link got into the wrong hands, perhaps: whoever holds it may end it, and the new one goes by letter alone."""
    now = clock.now()
    with db.writing():
        credit_links.end(_opened(token), actor="booker", now=now)
    return redirect(url_for(".ended"), code=303)


@bp.get("/credits/ended")
@open_to.anyone
def ended() -> str:
    return render_template("bookings/credits_ended.html")


def holder(organiser_id: int) -> str:
    """The address, of this organiser's credits, that whoever asks has shown to be theirs; empty for nobody."""
    token = session.get("credits", {}).get(str(organiser_id))
    credit = credit_links.opened(token) if token else None
    if credit is not None and credit.organiser_id == organiser_id:
        return credit.person
    return person_of(current_user.email) if current_user.is_authenticated else ""


def _opened(token: str) -> Credit:
    return credit_links.opened(token) or abort(404)
