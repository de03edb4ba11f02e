"""The desk's page of a workshop's recordings: upload, captions, publish, withdraw."""

import io
from collections.abc import Callable

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask_wtf.csrf import validate_csrf
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as Answer
from wtforms.validators import ValidationError

from accounts import open_to
from accounts.models import Organiser
from courses.models import Workshop, WorkshopSession
from lib import clock, db, forms, web
from organisers import rows
from organisers.people_routes import workshop_of
from organisers.routes import MANAGERS, actor
from organisers.upload_routes import most_bytes
from recordings import arriving, captions, film, part_order, publishing, storage, tus, uploads
from recordings.models import AccessWindow, Recording

bp = Blueprint("organise_recordings", __name__)
HERE = "/organise/<organiser>/workshops/<slug>/recordings"
FORM_AROUND = 64 * 1024  # what a form says beside its file
MOST_CAPTIONS = 2 * 1024 * 1024
MOST_AT_ONCE = 512 * 1024 * 1024  # of a film that comes as one form


@bp.get(HERE)
@open_to.team(*MANAGERS)
def board(organiser: Organiser, slug: str) -> Answer:
    return web.private(_page(organiser, slug))


@bp.post(f"{HERE}/<int:number>/film")
@open_to.team(*MANAGERS)
def upload_film(organiser: Organiser, slug: str, number: int) -> Answer:
    """The way without scripts: all of the film in one form."""
    session_id, by, now = _session(organiser, slug, number).id, actor(), clock.now()
    name = uploads.new_name()
    db.session.rollback()  # nothing of the database is held while half a gigabyte arrives
    try:
        sent = _file("film", min(MOST_AT_ONCE, most_bytes()))
        size = arriving.keep(sent.stream, name, min(MOST_AT_ONCE, most_bytes()))
    except web.Refusal as refusal:
        return _refused(organiser, slug, f"film-{number}", refusal)
    position = request.form.get("position", 1, int)
    called = sent.filename or ""
    to = organiser.slug
    try:
        with db.writing():
            session = db.session.get_one(WorkshopSession, session_id)
            made = uploads.begin(
                session,
                filename=called,
                length=size,
                source="desk",
                by=by,
                now=now,
                position=min(max(position, 1), 99),
                name=name,
            )
            uploads.came(made.id, size, now)
    except BaseException:
        arriving.forget(name)
        raise
    return redirect(url_for(".board", organiser=to, slug=slug, done="film"), code=303)


@bp.post(f"{HERE}/<int:number>/captions")
@open_to.team(*MANAGERS)
def upload_captions(organiser: Organiser, slug: str, number: int) -> Answer:
    recording_id = _recording(organiser, slug, number).id
    db.session.rollback()
    language = "en"
    try:
        sent = _file("captions", MOST_CAPTIONS)
        language = request.form.get("language", "en")
        if language not in captions.LANGUAGES:
            raise captions.CaptionsBroken("Please choose the captions' language from the list.")
        text = captions.clean(sent.stream.read(MOST_CAPTIONS))
    except web.Refusal as refusal:
        return _refused(organiser, slug, f"captions-{number}", refusal, language)
    key, _ = storage.keep(io.BytesIO(text.encode()))

    def keep() -> list[str]:
        label = captions.LANGUAGES[language]
        return publishing.put_captions(recording_id, language, label, key, actor=actor(), now=clock.now())

    return _kept(organiser, slug, key, keep, "captions")


@bp.post(f"{HERE}/<int:number>/publish")
@open_to.team(*MANAGERS)
def publish(organiser: Organiser, slug: str, number: int) -> Answer:
    recording_id, by, now = _recording(organiser, slug, number).id, actor(), clock.now()
    left_out = forms.one_line(request.form.get("left_out"))[:300]
    with db.writing():
        publishing.say_left_out(recording_id, left_out)
        publishing.publish(recording_id, actor=by, now=now)
    return _back(organiser, slug, "published")


@bp.post(f"{HERE}/<int:number>/withdraw")
@open_to.team(*MANAGERS)
def withdraw(organiser: Organiser, slug: str, number: int) -> Answer:
    recording_id, by, now = _recording(organiser, slug, number).id, actor(), clock.now()
    why = forms.one_line(request.form.get("why"))[:300]
    with db.writing():
        publishing.withdraw(recording_id, actor=by, why=why, now=now)
    return _back(organiser, slug, "withdrawn")


# A body of half a gigabyte is not read before its sender is known to be of the team: the views check the token.
TOKEN_CHECKED_INSIDE = (upload_film, upload_captions)


def _file(name: str, most: int) -> FileStorage:
    """The file of an upload form, its token checked. Raises TooLarge, or NoFilm where none was chosen."""
    if (request.content_length or 0) > most + FORM_AROUND:
        raise storage.TooLarge(
            f"It may have {most // 1024 // 1024} MB and this one has more. Nothing was kept. Export it smaller, "
            "720p is plenty, and upload it again."
        )
    request.max_content_length = most + FORM_AROUND
    try:
        validate_csrf(request.form.get("csrf_token"))
    except ValidationError:
        abort(400)
    found = request.files.get(name)
    if found is None or not found.filename:
        raise film.NoFilm("Please choose a file first.")
    return found


def _kept(organiser: Organiser, slug: str, key: str, keep: Callable[[], list[str]], what: str) -> Answer:
    """Name the stored file in the rows; only then forget the one it replaces. No row, no file."""
    name = organiser.slug
    try:
        with db.writing():
            old = keep()
    except BaseException:
        storage.forget([key])
        raise
    storage.forget(old)
    return redirect(url_for(".board", organiser=name, slug=slug, done=what), code=303)


def _back(organiser: Organiser, slug: str, what: str) -> Answer:
    return redirect(url_for(".board", organiser=organiser.slug, slug=slug, done=what), code=303)


def _refused(organiser: Organiser, slug: str, field: str, refusal: web.Refusal, language: str = "en") -> Answer:
    if web.wants_json():
        return web.refusal_json(refusal.refusal, refusal.message, refusal.status)
    answer = _page(organiser, slug, (field, refusal.message), language)
    answer.status_code = refusal.status
    return web.private(answer)


def _page(organiser: Organiser, slug: str, problem: tuple[str, str] | None = None, language: str = "en") -> Response:
    workshop, now = workshop_of(organiser, slug), clock.now()
    found = _recordings(workshop)
    told = {
        row.recording_id: row.number
        for row in db.session.execute(
            select(AccessWindow.recording_id, func.count().label("number"))
            .where(AccessWindow.recording_id.in_([each.id for each in found.values()]))
            .group_by(AccessWindow.recording_id)
        )
    }
    text = render_template(
        "organisers/recordings.html",
        organiser=organiser,
        workshop=workshop,
        rows=[(each, found.get(each.id)) for each in workshop.sessions],
        windows=told,
        unseen=part_order.unseen([each.id for each in workshop.sessions]),
        on_the_desk=uploads.on_the_desk([each.id for each in workshop.sessions], now),
        parts=part_order.taken([each.id for each in workshop.sessions]),
        bytes=tus.size,
        most=most_bytes(),
        most_at_once=min(MOST_AT_ONCE, most_bytes()),
        languages=list(captions.LANGUAGES.items()),
        language=language,
        problem=problem,
        done=request.args.get("done") if problem is None else None,
        now=now,
    )
    return Response(text)


def _session(organiser: Organiser, slug: str, number: int) -> WorkshopSession:
    return rows.session_of(workshop_of(organiser, slug), number)


def _recording(organiser: Organiser, slug: str, number: int) -> Recording:
    session = _session(organiser, slug, number)
    found = db.session.scalars(select(Recording).where(Recording.session_id == session.id)).one_or_none()
    if found is None:
        abort(404)
    return found


def _recordings(workshop: Workshop) -> dict[int, Recording]:
    wanted = select(Recording).where(Recording.session_id.in_([each.id for each in workshop.sessions]))
    return {each.session_id: each for each in db.session.scalars(wanted)}
