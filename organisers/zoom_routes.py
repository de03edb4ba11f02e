"""The desk's page of recordings from Zoom: what came, what waits for somebody, and the organiser's app there."""

from datetime import datetime, timedelta

from flask import Blueprint, Response, abort, redirect, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response as Answer

from accounts import open_to
from accounts.models import Organiser
from courses.models import Workshop, WorkshopSession
from lib import clock, db, web, zones
from meetings import zoom_accounts
from organisers.people_routes import Problems, shown
from organisers.routes import MANAGERS, actor, saved
from organisers.upload_routes import most_bytes
from organisers.zoom_forms import ZoomForm
from recordings import from_zoom
from recordings.zoom_models import ZoomRecording

bp = Blueprint("organise_zoom", __name__, url_prefix="/organise/<organiser>/zoom")
LOOK_BACK = timedelta(days=60)
MOST_OFFERED = 200
MOST_SHOWN = 20
MISSING = {
    "client_secret": "Please copy the client secret from Zoom.",
    "webhook_secret": "Please copy the secret token from Zoom.",
}


@bp.get("", endpoint="shown")
@open_to.team(*MANAGERS)
def page(organiser: Organiser) -> Answer:
    return _page(organiser, ZoomForm(obj=zoom_accounts.of_organiser(organiser.id)))


@bp.post("/account")
@open_to.team(*MANAGERS)
def save(organiser: Organiser) -> Answer:
    form = ZoomForm(request.form)
    if not form.validate():
        return _page(organiser, form, status=422)
    number, by, now = organiser.id, actor(), clock.now()
    try:
        saved(lambda: zoom_accounts.save(number, **form.data, actor=by, now=now))
    except zoom_accounts.SecretMissing as missing:
        form[missing.field].errors = [MISSING[missing.field]]
        return _page(organiser, form, status=422)
    return _back(organiser, "saved")


@bp.post("/removal")
@open_to.team(*MANAGERS)
def forget(organiser: Organiser) -> Answer:
    number, by, now = organiser.id, actor(), clock.now()
    with db.writing():
        zoom_accounts.forget(number, actor=by, now=now)
    return _back(organiser, "forgotten")


@bp.post("/recordings/<int:number>/session")
@open_to.team(*MANAGERS)
def place(organiser: Organiser, number: int) -> Answer:
    """Say which session a recording is of."""
    organiser_id, by, now = organiser.id, actor(), clock.now()
    chosen = request.form.get("session", "")
    with db.writing():
        recording = from_zoom.find(organiser_id, number) or abort(404)
        session = next((each for each in _offered(organiser_id, now) if str(each.id) == chosen), None)
        if session:
            from_zoom.choose(recording, session, most_bytes(), actor=by, now=now)
    if session is None:
        field = (f"session-{number}", "Please choose the session that it is of from the list.")
        return _page(organiser, ZoomForm(obj=zoom_accounts.of_organiser(organiser_id)), [field], 422)
    return _back(organiser, "placed")


@bp.post("/recordings/<int:number>/removal")
@open_to.team(*MANAGERS)
def leave(organiser: Organiser, number: int) -> Answer:
    organiser_id, by, now = organiser.id, actor(), clock.now()
    with db.writing():
        from_zoom.leave(from_zoom.find(organiser_id, number) or abort(404), actor=by, now=now)
    return _back(organiser, "left")


@bp.post("/files/<int:number>/again")
@open_to.team(*MANAGERS)
def again(organiser: Organiser, number: int) -> Answer:
    """Fetch once more what failed."""
    organiser_id, by, now = organiser.id, actor(), clock.now()
    with db.writing():
        file = from_zoom.find_file(organiser_id, number) or abort(404)
        from_zoom.again(file, most_bytes(), actor=by, now=now)
    return _back(organiser, "again")


def _page(organiser: Organiser, form: ZoomForm, problems: Problems | None = None, status: int = 200) -> Answer:
    found = from_zoom.of_organiser(organiser.id)
    waiting = [each for each in found if each.state == "waiting"]
    sessions = _offered(organiser.id, clock.now()) if any(each.state != "placed" for each in found) else []
    account = zoom_accounts.of_organiser(organiser.id)
    wrong = [(bound.id, str(bound.errors[0])) for bound in form if bound.errors] + (problems or [])
    return shown(
        "organisers/zoom.html",
        organiser,
        status=status,
        form=form,
        account=account,
        webhook=web.url("zoom.zoom_webhook", organiser=organiser.slug),
        waiting=waiting,
        others=[each for each in found if each.state != "waiting"],
        offered={each.id: _nearest(each, sessions) for each in found if each.state != "placed"},
        problems=wrong,
        done=request.args.get("done", "") if not wrong else "",
    )


def _offered(organiser_id: int, now: datetime) -> list[WorkshopSession]:
    """The sessions of the last weeks, which a recording can be of."""
    wanted = (
        select(WorkshopSession)
        .join(WorkshopSession.workshop)
        .where(
            WorkshopSession.organiser_id == organiser_id,
            WorkshopSession.cancelled_at.is_(None),
            WorkshopSession.starts_at <= now + timedelta(days=1),
            WorkshopSession.ends_at >= now - LOOK_BACK,
            Workshop.status != "cancelled",
        )
        .order_by(WorkshopSession.starts_at.desc(), WorkshopSession.id)
        .limit(MOST_OFFERED)
        .options(joinedload(WorkshopSession.workshop))
    )
    return list(db.session.scalars(wanted))


def _nearest(recording: ZoomRecording, sessions: list[WorkshopSession]) -> list[tuple[int, str]]:
    """The sessions to choose from as an id and words, the nearest to when it began first."""
    near = sorted(sessions, key=lambda each: abs(each.starts_at - recording.started_at))
    return [  # as many as anybody reads through
        (each.id, f"{zones.moment(each.starts_at, each.zone)}: {each.workshop.title}, session {each.number}")
        for each in near[:MOST_SHOWN]
    ]


def _back(organiser: Organiser, done: str) -> Response | Answer:
    return redirect(url_for(".shown", organiser=organiser.slug, done=done), code=303)
