"""Looking through a recording before anybody sees it: the film as it was sent, what is cut out, and the word that it
may be published."""

from collections.abc import Callable

from flask import Blueprint, abort, jsonify, redirect, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as Answer

from accounts import open_to
from accounts.models import Organiser
from courses.models import Workshop, WorkshopSession
from lib import clock, db, web
from organisers import review_forms, rows
from organisers.people_routes import shown, workshop_of
from organisers.review_forms import CutsForm, OriginalsForm
from organisers.routes import MANAGERS, actor
from recordings import cutting, film, making, media, originals, part_order, probing, storage
from recordings.models import Recording
from recordings.probing import Facts

bp = Blueprint("organise_review", __name__, url_prefix="/organise/<organiser>")
ONE = "/workshops/<slug>/recordings/<int:number>"


@bp.get(f"{ONE}/review")
@open_to.team(*MANAGERS)
def review(organiser: Organiser, slug: str, number: int) -> Answer:
    recording = _recording(organiser, slug, number)
    return _page(organiser, slug, recording, review_forms.of(recording))


@bp.get(f"{ONE}/review/<which>")
@open_to.team(*MANAGERS)
def media_file(organiser: Organiser, slug: str, number: int, which: str) -> Answer:
    """The whole film, or the one that is made of it, for the team alone."""
    recording = _recording(organiser, slug, number)
    draft = recording.draft or {}
    known = {
        "whole": (recording.whole, film.MP4),
        "made": (draft.get("file") or recording.file, draft.get("content_type") or recording.content_type),
        "poster": (draft.get("poster") or recording.poster, "image/jpeg"),
    }
    key, content_type = known.get(which, ("", ""))
    if not key:
        abort(404)
    db.session.rollback()  # nothing of the database is held while the bytes leave
    answer = media.answer(key, content_type, request.method, dict(request.headers))
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@bp.get(f"{ONE}/making")
@open_to.team(*MANAGERS)
def progress(organiser: Organiser, slug: str, number: int) -> Answer:
    """How far it is, for the script that keeps the page fresh."""
    session = _session(organiser, slug, number)
    recording = db.session.scalars(select(Recording).where(Recording.session_id == session.id)).one_or_none()
    state = recording.making if recording else "waiting" if part_order.unseen([session.id]) else "ready"
    return web.private(jsonify({"making": state, "percent": recording.made_percent if recording else 0}))


@bp.post(f"{ONE}/review/cuts")
@open_to.team(*MANAGERS)
def cut(organiser: Organiser, slug: str, number: int) -> Answer:
    recording = _recording(organiser, slug, number)
    form = CutsForm(review_forms.length(recording), request.form)
    if not form.validate():
        return _page(organiser, slug, recording, form, status=422)
    number_of, by, now = recording.id, actor(), clock.now()
    with db.writing():
        is_asked = making.cut(
            number_of,
            trim_from=form.starts,
            trim_to=form.ends,
            cuts=form.stretches,
            marks=form.chapters,
            actor=by,
            now=now,
        )
    return _back(organiser, slug, number, "asked" if is_asked else "chapters")


@bp.post(f"{ONE}/review/parts")
@open_to.team(*MANAGERS)
def order(organiser: Organiser, slug: str, number: int) -> Answer:
    recording = _recording(organiser, slug, number)
    positions = {each.id: request.form.get(f"part-{each.id}", each.position, int) for each in recording.parts}
    recording_id, by, now = recording.id, actor(), clock.now()
    _forget(lambda: making.order(recording_id, positions, actor=by, now=now))
    return _back(organiser, slug, number, "asked")


@bp.post(f"{ONE}/review/done")
@open_to.team(*MANAGERS)
def done(organiser: Organiser, slug: str, number: int) -> Answer:
    recording_id, by, now = _recording(organiser, slug, number).id, actor(), clock.now()
    turn = request.form.get("turn", -1, int)
    _forget(lambda: making.accept(recording_id, turn, actor=by, now=now))
    return _back(organiser, slug, number, "reviewed")


@bp.post(f"{ONE}/review/discard")
@open_to.team(*MANAGERS)
def discard(organiser: Organiser, slug: str, number: int) -> Answer:
    recording_id, by, now = _recording(organiser, slug, number).id, actor(), clock.now()
    _forget(lambda: making.discard(recording_id, actor=by, now=now))
    return _back(organiser, slug, number, "discarded")


@bp.post(f"{ONE}/making")
@open_to.team(*MANAGERS)
def again(organiser: Organiser, slug: str, number: int) -> Answer:
    """Try once more what failed."""
    recording_id, by, now = _recording(organiser, slug, number).id, actor(), clock.now()
    name = organiser.slug
    with db.writing():
        making.again(recording_id, actor=by, now=now)
    return redirect(url_for("organise_recordings.board", organiser=name, slug=slug), code=303)


@bp.get("/recordings/originals")
@open_to.team(*MANAGERS)
def kept_for(organiser: Organiser) -> Answer:
    return _originals(organiser, OriginalsForm(data={"days": organiser.originals_days}))


@bp.post("/recordings/originals")
@open_to.team(*MANAGERS)
def keep_for(organiser: Organiser) -> Answer:
    form = OriginalsForm(request.form)
    if not form.validate():
        return _originals(organiser, form, status=422)
    organiser_id, name, by, now = organiser.id, organiser.slug, actor(), clock.now()
    with db.writing():
        originals.keep_for(organiser_id, form.days.data or 0, actor=by, now=now)
    return redirect(url_for("organise.board", organiser=name), code=303)


def _originals(organiser: Organiser, form: OriginalsForm, *, status: int = 200) -> Answer:
    return shown(
        "organisers/form.html",
        organiser,
        status=status,
        form=form,
        heading="How long the films you sent are kept",
        lead="Until a recording is published they are always kept.",
        action=url_for(".keep_for", organiser=organiser.slug),
        button="Save",
        back=("organise.board", "All workshops"),
        delete=None,
    )


def _page(organiser: Organiser, slug: str, recording: Recording, form: CutsForm, *, status: int = 200) -> Answer:
    workshop = workshop_of(organiser, slug)
    draft = recording.draft or {}
    kept = draft.get("kept", recording.kept)
    parts = [each for each in recording.parts if each.file]
    return shown(
        "organisers/review.html",
        organiser,
        status=status,
        workshop=workshop,
        session=recording.session,
        recording=recording,
        draft=draft,
        kept=kept,
        form=form,
        clock_of=cutting.clock,
        seconds=review_forms.length(recording),
        left_out=review_forms.length(recording) - cutting.length(kept) if kept else 0,
        parts=parts,
        remarks=_remarks(recording),
        can_cut=bool(recording.whole or (recording.file and not recording.parts)),
        unseen=part_order.unseen([recording.session_id]),
        done=request.args.get("done", "") if status == 200 else "",
    )


def _remarks(recording: Recording) -> list[str]:
    """What somebody should know of the parts, with their names where there are several."""
    parts = [each for each in recording.parts if each.position]
    found = [(each.filename, probing.remark(Facts(**each.facts))) for each in parts]
    return [f"{name}: {text}" if len(parts) > 1 else text for name, text in found if text]


def _forget(do: Callable[[], list[str]]) -> None:
    """Do it in a write transaction, then forget the films that no row names any more."""
    with db.writing():
        old = do()
    storage.forget(old)


def _back(organiser: Organiser, slug: str, number: int, what: str) -> Answer:
    return redirect(url_for(".review", organiser=organiser.slug, slug=slug, number=number, done=what), code=303)


def _session(organiser: Organiser, slug: str, number: int) -> WorkshopSession:
    workshop: Workshop = workshop_of(organiser, slug)
    return rows.session_of(workshop, number)


def _recording(organiser: Organiser, slug: str, number: int) -> Recording:
    session = _session(organiser, slug, number)
    found = db.session.scalars(select(Recording).where(Recording.session_id == session.id)).one_or_none()
    if found is None:
        abort(404)
    return found
