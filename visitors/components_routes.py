"""Every component of the pages in each of its states, for those who build pages. Only the demonstration shows it."""

from flask import Blueprint, abort, current_app, render_template

from accounts import open_to
from visitors import samples

bp = Blueprint("components", __name__)


@bp.get("/components")
@open_to.anyone
def shown() -> str:
    if current_app.config["COLLOQUY_DEMO"] != "1":
        abort(404)
    return render_template("visitors/components.html", **samples.shown())
