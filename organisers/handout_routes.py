"""The desk's page of a workshop's handouts: upload, and take away."""

from datetime import timedelta

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask_wtf.csrf import validate_csrf
from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as Answer
from wtforms.validators import ValidationError

from accounts import open_to
from accounts.models import Organiser
from courses.models import Workshop
from lib import clock, db, web
from organisers import handout_forms, rows
from organisers.handout_forms import HandoutForm
from organisers.people_routes import workshop_of
from organisers.routes import MANAGERS, note
from organisers.ticket_forms import first_moment
from recordings import handout_kinds, handouts, storage
from recordings.handout_kinds import HandoutRefused
from recordings.handout_models import Handout

bp = Blueprint("organise_handouts", __name__)
HERE = "/organise/<organiser>/workshops/<slug>/handouts"
FORM_AROUND = 64 * 1024  # what a form says beside its file


@bp.get(HERE)
@open_to.team(*MANAGERS)
def listed(organiser: Organiser, slug: str) -> Answer:
    workshop = workshop_of(organiser, slug)
    return _page(organiser, workshop, handout_forms.of(workshop))


@bp.post(HERE)
@open_to.team(*MANAGERS)
def add(organiser: Organiser, slug: str) -> Answer:
    workshop = workshop_of(organiser, slug)
    workshop_id = workshop.id
    try:
        sent = _file()
    except HandoutRefused as refusal:
        return _page(organiser, workshop, handout_forms.of(workshop), refusal.message)
    form = handout_forms.of(workshop, request.form)
    wrong, kind = "", None
    try:
        kind = handout_kinds.look(sent.stream)
    except HandoutRefused as refusal:
        wrong = refusal.message
    if not form.validate() or kind is None:
        return _page(organiser, workshop, form, wrong)
    number = form.session.data
    session_id = rows.session_of(workshop, int(number)).id if number else None
    if len(workshop.sessions) == 1:
        session_id = workshop.sessions[0].id
    name = handout_forms.safe(form.name.data or handout_forms.name_of(sent.filename or ""))
    day = form.until.data if form.access.data == "until" else None
    until_at = first_moment(day + timedelta(days=1), workshop.zone) if day else None
    now, access = clock.now(), form.access.data
    db.session.rollback()  # nothing of the database is held while the file is written
    sent.stream.seek(0)
    key, size = storage.keep(sent.stream, handout_kinds.MOST_BYTES)
    try:
        with db.writing():
            owner = db.session.get_one(Workshop, workshop_id)
            made = handouts.add(
                owner, session_id=session_id, name=name, kind=kind, key=key, size=size, access=access,
                until_at=until_at, now=now,
            )  # fmt: skip
            note(organiser, f"workshop:{workshop_id}", "handout_added", {"handout": made.id, "name": name})
    except BaseException:
        storage.forget([key])  # no row, no file
        raise
    return _back(organiser, slug, "added")


@bp.post(f"{HERE}/<int:number>/removal")
@open_to.team(*MANAGERS)
def remove(organiser: Organiser, slug: str, number: int) -> Answer:
    workshop_id = workshop_of(organiser, slug).id
    with db.writing():
        found = db.session.scalars(
            select(Handout).where(Handout.id == number, Handout.workshop_id == workshop_id).with_for_update()
        ).one_or_none()
        if found is None:
            abort(404)
        note(organiser, f"workshop:{workshop_id}", "handout_removed", {"handout": number, "name": found.name})
        old = handouts.remove(found)
    storage.forget(old)
    return _back(organiser, slug, "removed")


# A large body is not read before its sender is known to be of the team: the view checks the token.
TOKEN_CHECKED_INSIDE = (add,)


def _file() -> FileStorage:
    """The file of the form, its token checked. Raises HandoutRefused where none was chosen or it is too large."""
    most = handout_kinds.MOST_BYTES + FORM_AROUND
    if (request.content_length or 0) > most:
        raise HandoutRefused(
            f"It may have {handout_kinds.MOST_BYTES // 1024 // 1024} MB and this one has more. Nothing was kept. "
            "Please make it smaller and upload it again."
        )
    request.max_content_length = most
    try:
        validate_csrf(request.form.get("csrf_token"))
    except ValidationError:
        abort(400)
    found = request.files.get("file")
    if found is None or not found.filename:
        raise HandoutRefused("Please choose a file first.")
    return found


def _back(organiser: Organiser, slug: str, what: str) -> Answer:
    return redirect(url_for(".listed", organiser=organiser.slug, slug=slug, done=what), code=303)


def _page(organiser: Organiser, workshop: Workshop, form: HandoutForm, wrong: str = "") -> Answer:
    """The page; `wrong` is what is wrong with the file that was sent."""
    found = handouts.of_workshop(workshop.id)
    numbers = {each.id: each.number for each in workshop.sessions}
    text = render_template(
        "organisers/handouts.html",
        organiser=organiser,
        workshop=workshop,
        handouts=found,
        numbers=numbers,
        kinds=handout_kinds.KINDS,
        size_of=handouts.in_words,
        form=form,
        wrong=wrong,
        done=request.args.get("done"),
    )
    is_refused = bool(wrong or form.errors)
    return web.private(Response(text, 422 if is_refused else 200))
