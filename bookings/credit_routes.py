"""A person's credits with one organiser: the statement behind the link in their letter, and who may spend them.

Opening the link shows that a letter to the address was read; for that browser session its credits can be used on the
booking form. Nothing is spent by opening anything.
"""

from flask import Blueprint, Response, abort, render_template, session
from flask_login import current_user
from werkzeug.wrappers import Response as Answer

from accounts import open_to
from bookings import credit_pages
from lib import clock, links, web
from lib.forms import person_of

bp = Blueprint("credits", __name__)


@bp.get("/credits/<token>")
@open_to.holder_of_link
def statement(token: str) -> Answer:
    credit = credit_pages.by_id(links.row_of(token) or 0)
    if credit is None or not links.verify_token("credit", 1, token):
        abort(404)
    session["credits"] = {**session.get("credits", {}), str(credit.organiser_id): credit.person}
    view = credit_pages.statement(credit, clock.now())
    return web.private(Response(render_template("bookings/credits.html", view=view)))


def holder(organiser_id: int) -> str:
    """The address, of this organiser's credits, that whoever asks has shown to be theirs; empty for nobody."""
    kept = session.get("credits", {}).get(str(organiser_id))
    return str(kept or (person_of(current_user.email) if current_user.is_authenticated else ""))
