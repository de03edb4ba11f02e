"""Watching a recording: the player's page, the film, its captions, and what was watched."""

from flask import Blueprint, Response, abort, jsonify, render_template, request
from sqlalchemy import select
from werkzeug.wrappers import Response as Answer

from accounts import open_to
from bookings.letters import place_url
from courses.window import Window
from lib import clock, db, web
from recordings import access, media, publishing, storage, watching
from recordings.access import Grant
from recordings.models import AccessWindow, Viewing
from recordings.watching import NoRanges

bp = Blueprint("recordings", __name__)
MOST_WATCHED = 32 * 1024


@bp.after_request
def keep_private(answer: Response) -> Response:
    """No answer here is kept by anybody but its rightful holder's own player, and no address is passed on."""
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@bp.get("/recordings/<token>")
@open_to.holder_of_link
def player(token: str) -> str:
    now = clock.now()
    grant = _granted(token)
    if grant.window is None:
        with db.writing():  # whoever comes before the worker does its work here
            publishing.open_for_attendee(grant.attendee.id, now)
        grant = _granted(token)
    window = _open(grant)
    shown = access.of_attendee(grant.attendee, now)
    return render_template(
        "recordings/player.html",
        attendee=grant.attendee,
        workshop=grant.attendee.workshop,
        recording=grant.recording,
        window=window,
        token=token,
        shown=shown,
        percent=next((each.watched_percent for each in shown if each.session.id == grant.recording.session_id), 0),
        own_place=place_url(grant.attendee),
        zone=access.zone_of(grant.recording),
        now=now,
    )


@bp.get("/recordings/<token>/media")
@open_to.holder_of_link
def film(token: str) -> Answer:
    grant = _granted(token)
    _open(grant)
    recording = grant.recording
    key, content_type = recording.file, recording.content_type
    db.session.rollback()  # nothing of the database is held while the bytes leave
    return media.answer(key, content_type, request.method, dict(request.headers))


@bp.get("/recordings/<token>/captions/<language>.vtt")
@open_to.holder_of_link
def captions(token: str, language: str) -> Answer:
    grant = _granted(token)
    _open(grant)
    found = grant.recording.captions.get(language)
    if found is None:
        abort(404)
    text = b"".join(storage.read(found["key"]))
    return Response(text, content_type="text/vtt; charset=utf-8")


@bp.post("/recordings/<token>/watched")
@open_to.holder_of_link
def watched(token: str) -> Answer:
    now = clock.now()
    request.max_content_length = MOST_WATCHED
    try:
        ranges = watching.read(request.get_json(silent=True))
    except NoRanges as problem:
        return web.refusal_json("no_ranges", f"Nothing was noted: {problem}.", 422)
    grant = _granted(token)
    _open(grant)
    with db.writing():
        if grant.window is None:
            publishing.open_for_attendee(grant.attendee.id, now)
        own = db.session.scalars(
            select(AccessWindow)
            .where(AccessWindow.attendee_id == grant.attendee.id, AccessWindow.recording_id == grant.recording.id)
            .with_for_update()
        ).one()
        viewing = db.session.scalars(select(Viewing).where(Viewing.window_id == own.id)).one_or_none()
        if viewing is None:
            viewing = Viewing(organiser_id=own.organiser_id, window_id=own.id, ranges=[])
            db.session.add(viewing)
        seconds = grant.recording.seconds
        viewing.ranges = watching.merge(viewing.ranges, ranges, seconds)
        viewing.last_at = now
        percent = watching.percent(viewing.ranges, seconds)
    return jsonify({"watched_percent": percent})


def _granted(token: str) -> Grant:
    grant = access.find(token)
    if grant is None:
        abort(404)
    return grant


def _open(grant: Grant) -> Window:
    """The open window. Raises a refusal that leads back to the attendee's own page."""
    try:
        return access.refuse_unless_open(grant, clock.now())
    except web.Refusal as refusal:
        refusal.facts.update(next_url=place_url(grant.attendee), next_text="Open my place")
        raise
