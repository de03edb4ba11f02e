"""The organiser's policies: made from a template or written as data, looked at, replaced by a next version."""

from typing import Any

from flask import Blueprint, abort, redirect, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from accounts import open_to
from accounts.models import Organiser
from lib import clock, db
from organisers import policy_uses
from organisers.people_routes import shown as page
from organisers.policy_forms import START, FiguresForm, PolicyForm, TextForm, filled
from organisers.routes import MANAGERS, actor, saved
from policies import templates, versions, written
from policies.models import Policy
from policies.words import explain

bp = Blueprint("organise_policies", __name__, url_prefix="/organise/<organiser>/policies")
TEXT = "text"  # written as data; any other way is the key of a template


@bp.get("")
@open_to.team(*MANAGERS)
def listed(organiser: Organiser) -> Response:
    return page("organisers/policies.html", organiser, uses=policy_uses.read(organiser, clock.now()))


@bp.get("/new")
@open_to.team(*MANAGERS)
def choose(organiser: Organiser) -> Response:
    return page("organisers/policy_new.html", organiser, templates=templates.everything())


@bp.get("/new/<way>")
@open_to.team(*MANAGERS)
def new(organiser: Organiser, way: str) -> Response:
    return _form_page(organiser, _form(organiser, way, None), way, None)


@bp.post("/new/<way>")
@open_to.team(*MANAGERS)
def make(organiser: Organiser, way: str) -> Response:
    return _write(organiser, way, None)


@bp.post("/new/<way>/preview")
@open_to.team(*MANAGERS)
def preview_new(organiser: Organiser, way: str) -> Response:
    return _preview(organiser, way, None)


@bp.get("/<int:number>")
@open_to.team(*MANAGERS)
def shown(organiser: Organiser, number: int) -> Response:
    found = _policy(organiser, number)
    every = policy_uses.history(organiser, found.name)
    uses = {each.policy.name: each.workshops for each in policy_uses.read(organiser, clock.now())}
    return page(
        "organisers/policy.html",
        organiser,
        policy=found,
        newest=every[0],
        every=every,
        passages=explain(versions.read(found.data), *policy_uses.currencies(organiser)),
        text=written.write(found.data),
        workshops=uses[found.name],
        way=_way(organiser, every[0]),
        done=request.args.get("done", ""),
    )


@bp.get("/<int:number>/<way>")
@open_to.team(*MANAGERS)
def edit(organiser: Organiser, number: int, way: str) -> Response:
    found = _newest(organiser, number)
    return _form_page(organiser, _form(organiser, way, found), way, found)


@bp.post("/<int:number>/<way>")
@open_to.team(*MANAGERS)
def change(organiser: Organiser, number: int, way: str) -> Response:
    return _write(organiser, way, _newest(organiser, number))


@bp.post("/<int:number>/<way>/preview")
@open_to.team(*MANAGERS)
def preview(organiser: Organiser, number: int, way: str) -> Response:
    return _preview(organiser, way, _newest(organiser, number))


@bp.post("/<int:number>/default")
@open_to.team(*MANAGERS)
def make_default(organiser: Organiser, number: int) -> Response:
    found = _newest(organiser, number)
    with db.writing():
        versions.make_default(found, actor=actor(), now=clock.now())
    return redirect(url_for(".listed", organiser=organiser.slug), code=303)


def _write(organiser: Organiser, way: str, found: Policy | None) -> Response:
    form = _form(organiser, way, found, request.form)
    data = form.keepable()
    if data is None:
        return _form_page(organiser, form, way, found, 422)
    name, by = str(data["name"]), actor()
    kept = saved(lambda: versions.write(organiser.id, name, data, actor=by, now=clock.now()))
    return redirect(url_for(".shown", organiser=organiser.slug, number=kept.id, done="written"), code=303)


def _preview(organiser: Organiser, way: str, found: Policy | None) -> Response:
    form = _form(organiser, way, found, request.form)
    data = form.keepable()
    if data is None:
        return _form_page(organiser, form, way, found, 422)
    passages = explain(versions.read(data), *policy_uses.currencies(organiser))
    return _form_page(organiser, form, way, found, passages=passages)


def _form(organiser: Organiser, way: str, found: Policy | None, typed: Any = None) -> PolicyForm:
    """The form for a new policy, or for the next version of one; 404 for a way that it cannot be written in."""
    form = _text_form(found, typed) if way == TEXT else _figures_form(organiser, way, found, typed)
    if found:
        form.of(found)
    else:
        form.taken = [each.name for each in versions.offered(organiser.id)]
    return form


def _text_form(found: Policy | None, typed: Any) -> TextForm:
    return TextForm(typed, data={"text": written.write(found.data) if found else START})


def _figures_form(organiser: Organiser, way: str, found: Policy | None, typed: Any) -> FiguresForm:
    template = next((each for each in templates.everything() if each.key == way), None)
    figures = template.figures(found.data, organiser.zone) if template and found else None
    if template is None or (found is not None and figures is None):
        abort(404)
    amounts = [each for each in (figures or {}).values() if isinstance(each, dict)]
    known = [currency for each in amounts for currency in each]
    currencies = dict.fromkeys([*policy_uses.currencies(organiser), *known])
    return filled(template, organiser, list(currencies), figures, typed)


def _form_page(
    organiser: Organiser, form: PolicyForm, way: str, found: Policy | None, status: int = 200, *, passages: Any = None
) -> Response:
    return page(
        "organisers/policy_form.html",
        organiser,
        status=status,
        form=form,
        policy=found,
        start=form.template if isinstance(form, FiguresForm) else None,
        way=way,
        passages=passages,
    )


def _policy(organiser: Organiser, number: int) -> Policy:
    found = db.session.scalars(select(Policy).where(Policy.organiser_id == organiser.id, Policy.id == number))
    return found.one_or_none() or abort(404)


def _newest(organiser: Organiser, number: int) -> Policy:
    """What is changed is always the newest version, whichever was looked at."""
    return versions.current(organiser.id, _policy(organiser, number).name) or abort(404)


def _way(organiser: Organiser, policy: Policy) -> str:
    """How a policy is best changed: by the figures of its template if there are some, else as data."""
    template = templates.of(policy.data, organiser.zone)
    return template.key if template and template.asks else TEXT
