"""An attendee's private notes on a recording: written while it plays, theirs to read after it has closed."""

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from accounts import open_to
from bookings.letters import place_url
from lib import clock, db, web
from recordings import access, media, notes, watching
from recordings.access import Grant
from recordings.note_forms import NoteForm
from recordings.note_models import Note
from recordings.routes import granted, keep_private

bp = Blueprint("notes", __name__)
HERE = "/recordings/<token>/notes"


@bp.after_request
def keep(answer: Response) -> Response:
    return keep_private(answer)


@bp.get(HERE)
@open_to.holder_of_link
def listed(token: str) -> str:
    return _page(token, granted(token), NoteForm(at=request.args.get("t", "")))


@bp.post(HERE)
@open_to.holder_of_link
def write(token: str) -> Answer:
    now, grant = clock.now(), granted(token)
    form = NoteForm(request.form)
    if not form.validate():
        return web.private(Response(_page(token, grant, form), 422))
    attendee, recording = grant.attendee, grant.recording
    organiser_id, attendee_id, recording_id = attendee.organiser_id, attendee.id, recording.id
    with db.writing():
        made = notes.write(organiser_id, attendee_id, recording_id, form.seconds, form.text.data or "", now).id
    return redirect(url_for(".listed", token=token, _anchor=f"note-{made}"), code=303)


@bp.post(f"{HERE}/<int:number>")
@open_to.holder_of_link
def change(token: str, number: int) -> Answer:
    now, grant = clock.now(), granted(token)
    _own(grant, number)
    form = NoteForm(request.form)
    if not form.validate():
        return web.private(Response(_page(token, grant, NoteForm(), (number, form)), 422))
    with db.writing():
        notes.change(_own(grant, number), form.seconds, form.text.data or "", now)
    return redirect(url_for(".listed", token=token, _anchor=f"note-{number}"), code=303)


@bp.post(f"{HERE}/<int:number>/removal")
@open_to.holder_of_link
def remove(token: str, number: int) -> Answer:
    grant = granted(token)
    with db.writing():
        notes.remove(_own(grant, number))
    return redirect(url_for(".listed", token=token, _anchor="notes"), code=303)


@bp.get(f"{HERE}.txt")
@open_to.holder_of_link
def as_text(token: str) -> Answer:
    grant = granted(token)
    workshop = grant.attendee.workshop
    text = notes.as_text(workshop.title, notes.of(grant.attendee.id, grant.recording.id))
    answer = Response(text, content_type="text/plain; charset=utf-8")
    answer.headers["Content-Disposition"] = media.disposition(f"notes-{workshop.slug}.txt")
    return answer


def _own(grant: Grant, number: int) -> Note:
    found = notes.find(grant.attendee.id, grant.recording.id, number)
    if found is None:
        abort(404)
    return found


def _is_open(grant: Grant) -> bool:
    try:
        access.refuse_unless_open(grant, clock.now())
    except web.Refusal:
        return False
    return True


def _page(token: str, grant: Grant, form: NoteForm, changed: tuple[int, NoteForm] | None = None) -> str:
    """The page of notes; `changed` is the note that was to be changed and what was typed for it."""
    return render_template(
        "recordings/notes.html",
        attendee=grant.attendee,
        workshop=grant.attendee.workshop,
        recording=grant.recording,
        token=token,
        notes=notes.of(grant.attendee.id, grant.recording.id),
        form=form,
        changed=changed,
        is_open=_is_open(grant),
        watching=watching,
        own_place=place_url(grant.attendee),
    )
