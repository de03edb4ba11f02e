"""The organiser's newsletter forms: where they stand, what they offer, and how many people they brought."""

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import BooleanField, IntegerField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional, Regexp

from accounts import open_to
from accounts.models import Organiser
from lib import db, forms
from newsletter import placements
from newsletter.models import Placement
from organisers.routes import MANAGERS, Page, note, saved

bp = Blueprint("organise_newsletter", __name__, url_prefix="/organise/<organiser>/newsletter")
FIELDS = ("name", "percent", "lasts_days", "is_open")


class PlacementForm(forms.Form):
    """Where people can ask for news, and what they get for it."""

    name = StringField(
        "Name",
        [
            InputRequired("Please give it a name."),
            Length(max=40),
            Regexp(r"^[a-z0-9]+(-[a-z0-9]+)*$", message="Small letters, figures and hyphens, please."),
        ],
        [lambda text: forms.one_line(text).lower()],
        description="“home” is the one on the home page. Others are for links: /newsletter?placement=their-name.",
    )
    percent = IntegerField(
        "Percent off a full-price ticket for a first online event",
        [Optional(), NumberRange(1, 100)],
        description="Empty: letters only, no code.",
    )
    lasts_days = IntegerField(
        "Days the code lasts", [Optional(), NumberRange(1, 3650)], description="Empty: it does not end."
    )
    is_open = BooleanField("People can ask here", default=True)


@bp.get("")
@open_to.team(*MANAGERS)
def shown(organiser: Organiser) -> Page:
    return render_template(
        "organisers/newsletter.html",
        organiser=organiser,
        placements=placements.of(organiser.id),
        figures=placements.figures(organiser.id),
    )


@bp.get("/new")
@open_to.team(*MANAGERS)
def new(organiser: Organiser) -> Page:
    return _page(organiser, PlacementForm(), None)


@bp.post("")
@open_to.team(*MANAGERS)
def make(organiser: Organiser) -> Page:
    return _save(organiser, None)


@bp.get("/<name>")
@open_to.team(*MANAGERS)
def edit(organiser: Organiser, name: str) -> Page:
    found = _found(organiser, name)
    return _page(organiser, PlacementForm(obj=found), found)


@bp.post("/<name>")
@open_to.team(*MANAGERS)
def change(organiser: Organiser, name: str) -> Page:
    return _save(organiser, _found(organiser, name))


def _found(organiser: Organiser, name: str) -> Placement:
    return next((each for each in placements.of(organiser.id) if each.name == name), None) or abort(404)


def _save(organiser: Organiser, found: Placement | None) -> Page:
    form = PlacementForm(request.form)
    if not form.validate():
        return _page(organiser, form, found), 422

    def save() -> None:
        there = db.session.merge(found, load=True) if found else None
        made = placements.save(organiser.id, there, {name: form[name].data for name in FIELDS})
        note(organiser, f"placement:{made.id}", "placement_saved", {"name": made.name, "percent": made.percent})

    try:
        saved(save)
    except placements.NameTaken as problem:
        form.name.errors = [str(problem)]
        return _page(organiser, form, found), 422
    return _to(organiser)


def _page(organiser: Organiser, form: PlacementForm, found: Placement | None) -> str:
    there: dict[str, Any] = {"organiser": organiser.slug}
    named: dict[str, Any] = {**there, "name": found.name} if found else there
    return render_template(
        "organisers/form.html",
        organiser=organiser,
        form=form,
        heading=f"Newsletter form {found.name}" if found else "A new newsletter form",
        lead="Whoever asks here confirms it from a letter. Then their code follows, if there is one.",
        action=url_for("organise_newsletter.change" if found else "organise_newsletter.make", **named),
        button="Save the form",
        back=("organise_newsletter.shown", "All newsletter forms"),
        delete=None,
    )


def _to(organiser: Organiser) -> Response:
    return redirect(url_for("organise_newsletter.shown", organiser=organiser.slug), code=303)
