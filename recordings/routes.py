"""Watching a recording: the player's page, the film, its captions, and what was watched."""

from collections.abc import Sequence
from datetime import datetime

from flask import Blueprint, Response, abort, jsonify, render_template, request
from sqlalchemy.sql.base import ExecutableOption
from werkzeug.wrappers import Response as Answer

from accounts import open_to
from bookings.letters import place_url
from courses.window import Window
from lib import clock, db, forms, web, zones
from recordings import (
    access,
    handouts,
    media,
    notes,
    publishing,
    sitting,
    spoken,
    tabs,
    viewings,
    watch_page,
    watching,
)
from recordings.access import Grant
from recordings.note_forms import NoteForm
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
    grant = granted(token, access.PAGE)
    if grant.window is None:
        with db.writing():  # whoever comes before the worker does its work here
            publishing.open_for_attendee(grant.attendee.id, now)
        grant = granted(token, access.PAGE)
    window = _open(grant)
    view = watch_page.of(grant, _asked())
    recordings = access.of_attendee(grant.attendee, now)
    return render_template(
        "recordings/player.html",
        attendee=grant.attendee,
        workshop=grant.attendee.workshop,
        recording=grant.recording,
        view=view,
        window=window,
        watching=watching,
        token=token,
        tab=tabs.stamp(grant.attendee.id, grant.recording.id, now),
        shown=recordings,
        handouts=[
            each
            for each in handouts.given(grant.attendee, recordings, now)
            if each.handout.session_id in (None, grant.recording.session_id)
        ],
        notes=notes.of(grant.attendee.id, grant.recording.id),
        form=NoteForm(at=watching.clock(view.starts_at)),
        own_place=place_url(grant.attendee),
        zone=access.zone_of(grant.recording),
        now=now,
    )


@bp.get("/recordings/<token>/media")
@open_to.holder_of_link
def film(token: str) -> Answer:
    grant = granted(token)
    until = _open(grant).closes_at
    recording = grant.recording
    key, content_type = recording.file, recording.content_type
    if request.args.get("size") == watch_page.SMALL and recording.small:
        key, content_type = recording.small, "video/mp4"
    tab = tabs.read(request.args.get("tab", ""), grant.attendee.id, recording.id, clock.now())
    if not sitting.plays(grant.attendee, tab):
        with db.writing():
            sitting.take(grant.attendee, tab, clock.now())
    db.session.rollback()  # nothing of the database is held while the bytes leave
    return media.answer(key, content_type, request.method, dict(request.headers), until=until, now=clock.now())


@bp.get("/recordings/<token>/poster")
@open_to.holder_of_link
def poster(token: str) -> Answer:
    grant = granted(token)
    _open(grant)
    key = grant.recording.poster
    if not key:
        abort(404)
    db.session.rollback()
    return media.answer(key, "image/jpeg", request.method, dict(request.headers))


@bp.get("/recordings/<token>/captions/<language>.vtt")
@open_to.holder_of_link
def captions(token: str, language: str) -> Answer:
    grant = granted(token)
    _open(grant)
    if language not in grant.recording.captions:
        abort(404)
    with media.or_said():
        text = spoken.text(grant.recording, language)
    return Response(text, content_type="text/vtt; charset=utf-8")


@bp.post("/recordings/<token>/watched")
@open_to.holder_of_link
def watched(token: str) -> Answer:
    now = clock.now()
    request.max_content_length = MOST_WATCHED
    sent = request.get_json(silent=True)
    try:
        ranges, position = watching.read(sent), watching.read_position(sent)
    except NoRanges as problem:
        return web.refusal_json("no_ranges", f"Nothing was noted: {problem}.", 422)
    grant = granted(token)
    attendee, recording = grant.attendee.id, grant.recording.id
    tab = tabs.read(watching.read_tab(sent), attendee, recording, now)
    try:
        window = _open(grant)
        sitting.refuse_elsewhere(grant.attendee, tab)
    except web.Refusal as refusal:
        if not web.wants_json():
            raise
        return _over(grant, refusal, now)
    with db.writing():
        if grant.window is None:
            publishing.open_for_attendee(attendee, now)
        covered, over = viewings.report(attendee, recording, tab, ranges, position, now)
    told = {"watched_percent": covered.percent, "left": watching.in_words(covered.left), "over": over}
    return jsonify({**told, "closes_at": zones.z(window.closes_at), "now": zones.z(now)})


def granted(token: str, also: Sequence[ExecutableOption] = ()) -> Grant:
    """What a link gives a right to, with what is `also` to be loaded; 404 for one that gives none."""
    grant = access.find(token, also)
    if grant is None:
        abort(404)
    return grant


def _asked() -> watch_page.Asked:
    at = request.args.get("t", "")
    return watch_page.Asked(
        at=int(at) if at.isascii() and at.isdigit() and len(at) < 7 else None,
        find=forms.one_line(request.args.get("find"))[: watch_page.LONGEST_SEARCH],
        size=watch_page.SMALL if request.args.get("size") == watch_page.SMALL else "",
        language=request.args.get("language", "")[:12],
    )


def _over(grant: Grant, refusal: web.Refusal, now: datetime) -> Answer:
    """Tell a player that is still playing why it stops, and when that was."""
    answer = web.refusal_json(refusal.refusal, refusal.message, refusal.status)
    window = access.window_of(grant)
    closes_at = zones.z(window.closes_at) if window else None
    told = {**answer.get_json(), "title": refusal.title, "closes_at": closes_at, "now": zones.z(now)}
    answer.set_data(jsonify(told).get_data())
    return answer


def _open(grant: Grant) -> Window:
    """The open window. Raises a refusal that leads back to the attendee's own page, and to their notes."""
    try:
        return access.refuse_unless_open(grant, clock.now())
    except web.Refusal as refusal:
        refusal.facts.update(next_url=place_url(grant.attendee), next_text="Open my place")
        if notes.of(grant.attendee.id, grant.recording.id):
            own_notes = f"{access.url(grant.attendee, grant.recording.id)}/notes"
            refusal.facts.update(also_url=own_notes, also_text="Read my notes")
        raise
