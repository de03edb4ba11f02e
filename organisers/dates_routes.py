"""When a workshop meets: its schedule, a session moved or cancelled, all of it cancelled. First shown, then done."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from accounts import open_to
from accounts.models import Organiser
from bookings import moving
from courses import schedule
from courses.models import Workshop, WorkshopSession
from lib import clock, db, zones
from meetings import points
from organisers import rows
from organisers.forms import MOST_SESSIONS, ScheduleForm, TimesForm, WhyForm
from organisers.routes import MANAGERS, Page, actor, note
from recordings import from_zoom, uploads
from recordings.models import Recording

bp = Blueprint("organise_dates", __name__, url_prefix="/organise/<organiser>/workshops/<slug>")
BOOKED = "People come to this session: move or cancel it on its own page, which shows first who is told."


@bp.get("/schedule")
@open_to.team(*MANAGERS)
def shown(organiser: Organiser, slug: str) -> Page:
    found = rows.workshop(organiser, slug)
    form = ScheduleForm(zone=found.zone, sessions=[_row(each) for each in found.sessions])
    return _schedule_page(organiser, found, form)


@bp.post("/schedule/preview")
@open_to.team(*MANAGERS)
def preview(organiser: Organiser, slug: str) -> Page:
    """The same page with the times worked out, one session more or one fewer; nothing is saved."""
    found = rows.workshop(organiser, slug)
    form = ScheduleForm(request.form)
    removed = request.form.get("remove", "")
    if removed.isdecimal():
        form.sessions.entries = [each for each in form.sessions.entries if not each.name.endswith(f"-{removed}")]
    if "add" in request.form and len(form.sessions.entries) < MOST_SESSIONS:
        _add_row(form)
    zone = form.zone.data or ""
    if zones.is_zone(zone):
        for entry in form.sessions.entries:
            entry.form.check(zone)
    else:
        form.zone.validate(form)
    return _schedule_page(organiser, found, form)


@bp.post("/schedule")
@open_to.team(*MANAGERS)
def save(organiser: Organiser, slug: str) -> Page:
    found = rows.workshop(organiser, slug)
    form = ScheduleForm(request.form)
    if not form.is_right() or not _may_save(found, form):
        return _schedule_page(organiser, found, form), 422
    with db.writing():
        is_saved = _write(organiser, slug, form)
    if not is_saved:
        return _schedule_page(organiser, rows.workshop(organiser, slug), form), 422
    return _done(organiser, slug)


@bp.get("/sessions/<int:number>/move")
@open_to.team(*MANAGERS)
def moved(organiser: Organiser, slug: str, number: int) -> Page:
    """The new time, asked for in the address; with one, who would be told of it."""
    found = rows.workshop(organiser, slug)
    session = rows.session_of(found, number)
    is_asked = "day" in request.args
    form = TimesForm(request.args if is_asked else None, data=_row(session))
    is_right = is_asked and form.validate() and form.check(session.zone)
    return _move_page(organiser, found, session, form, is_shown=is_right), 200 if is_right or not is_asked else 422


@bp.post("/sessions/<int:number>/move")
@open_to.team(*MANAGERS)
def move(organiser: Organiser, slug: str, number: int) -> Page:
    found = rows.workshop(organiser, slug)
    session = rows.session_of(found, number)
    form = TimesForm(request.form)
    if not (form.validate() and form.check(session.zone)):
        return _move_page(organiser, found, session, form, is_shown=False), 422
    with db.writing():
        session = rows.session_of(rows.workshop(organiser, slug), number)
        if str(session.id) != form.id.data:
            abort(404)  # the sessions were put into another order meanwhile
        meeting = replace(form.meeting(session.zone), title=session.title, is_recorded=session.is_recorded)
        moving.move(session, meeting, actor=actor(), now=clock.now())
    return _done(organiser, slug)


@bp.get("/sessions/<int:number>/cancel")
@open_to.team(*MANAGERS)
def session_cancelling(organiser: Organiser, slug: str, number: int) -> Page:
    found = rows.workshop(organiser, slug)
    return _cancel_page(organiser, found, rows.session_of(found, number), WhyForm())


@bp.post("/sessions/<int:number>/cancel")
@open_to.team(*MANAGERS)
def cancel_session(organiser: Organiser, slug: str, number: int) -> Page:
    found = rows.workshop(organiser, slug)
    session = rows.session_of(found, number)
    form = WhyForm(request.form)
    if not form.validate() or len(found.sessions) == 1:
        return _cancel_page(organiser, found, session, form), 422
    with db.writing():
        session = rows.session_of(rows.workshop(organiser, slug), number)
        if str(session.id) != request.form.get("id"):
            abort(404)
        moving.cancel_session(session, str(form.why.data), actor=actor(), now=clock.now())
    return _done(organiser, slug)


@bp.get("/cancel")
@open_to.team(*MANAGERS)
def cancelling(organiser: Organiser, slug: str) -> Page:
    return _cancel_page(organiser, rows.workshop(organiser, slug), None, WhyForm())


@bp.post("/cancel")
@open_to.team(*MANAGERS)
def cancel(organiser: Organiser, slug: str) -> Page:
    found = rows.workshop(organiser, slug)
    form = WhyForm(request.form)
    if not form.validate():
        return _cancel_page(organiser, found, None, form), 422
    with db.writing():
        found = rows.workshop(organiser, slug)
        moving.cancel_workshop(found, str(form.why.data), actor=actor(), now=clock.now())
    return _done(organiser, slug)


def _write(organiser: Organiser, slug: str, form: ScheduleForm) -> bool:
    """Write the sessions in the open transaction; nothing when somebody has booked one meanwhile that would move."""
    zone, now = str(form.zone.data), clock.now()
    schedule.lock(rows.workshop(organiser, slug).id)
    found = rows.workshop(organiser, slug)
    if not _may_save(found, form):
        return False
    known = {str(each.id): each for each in found.sessions}
    kept = {entry.form.id.data for entry in form.sessions.entries}
    fresh = []
    for entry in form.sessions.entries:
        meeting = entry.form.meeting(zone)
        if session := known.get(entry.form.id.data or ""):
            schedule.change(session, meeting)
        else:
            fresh.append(schedule.add(found, meeting))
    for session in [each for key, each in known.items() if key not in kept]:
        points.clear_point(session, actor=actor(), now=now)
        from_zoom.let_go([session.id])
        uploads.drop([session.id])
        schedule.remove(found, session)
    found.zone = zone
    schedule.settle(found)
    told = {each.email for session in fresh for each in moving.added(session, now=now)}
    note(organiser, f"workshop:{found.id}", "schedule_saved", {"told": len(told)})
    return True


def _may_save(found: Workshop, form: ScheduleForm) -> bool:
    """Whether the form leaves alone what people come to; what it does not is written to its fields."""
    if found.status == "cancelled":
        form.zone.errors = ["The workshop is cancelled: its times stay as people were told. Nothing was saved."]
        return False
    zone = str(form.zone.data)
    rows_by_id = {entry.form.id.data: entry.form for entry in form.sessions.entries}
    booked = moving.booked(found)
    is_fine = True
    for session in found.sessions:
        row = rows_by_id.get(str(session.id))
        if row is None:
            if session.id in booked or _has_recording(session):
                form.zone.errors = [
                    f"Session {session.number} cannot be taken away: people come to it, or it has a film. "
                    "Cancel it on its own page."
                ]
                is_fine = False
            continue
        wanted = schedule.instants(row.meeting(zone))
        if wanted != (session.starts_at, session.ends_at) and session.id in booked:
            row.starts.errors = [BOOKED]
            is_fine = False
    return is_fine


def _has_recording(session: WorkshopSession) -> bool:
    has = db.session.scalar(select(Recording.id).where(Recording.session_id == session.id)) is not None
    return has or uploads.are_there([session.id], clock.now())


def _row(session: WorkshopSession) -> dict[str, Any]:
    """A session as the form shows it: wall times in its own zone, never instants (TZ-03)."""
    is_twice = [zones.happens_twice(wall, session.zone) for wall in (session.wall_start, session.wall_end)]
    return {
        "id": str(session.id),
        "day": session.wall_start.date(),
        "starts": session.wall_start.time(),
        "ends": session.wall_end.time(),
        "title": session.title,
        "recorded": session.is_recorded,
        "which_start": str(session.fold_start) if is_twice[0] else "",
        "which_end": str(session.fold_end) if is_twice[1] else "",
    }


def _add_row(form: ScheduleForm) -> None:
    """One session more, a week after the last and at the same time of day."""
    last = form.sessions.entries[-1].form.typed if form.sessions.entries else None
    data: dict[str, Any] = {"recorded": True}
    if last:
        day = last.day + timedelta(days=7)
        data = {"day": day, "starts": last.starts, "ends": last.ends, "recorded": last.is_recorded}
    form.sessions.append_entry(data)


def _schedule_page(organiser: Organiser, found: Workshop, form: ScheduleForm) -> str:
    numbers = {str(each.id): each.number for each in found.sessions}
    booked = {str(each) for each in moving.booked(found)}
    return render_template(
        "organisers/schedule.html",
        organiser=organiser,
        workshop=found,
        form=form,
        zone=form.zone.data or "",
        numbers=numbers,
        booked=booked,
        joining=len({each.id for each in moving.plan_cancel(found).told}) if booked else 0,
    )


def _move_page(
    organiser: Organiser, found: Workshop, session: WorkshopSession, form: TimesForm, *, is_shown: bool
) -> str:
    is_other = not is_shown or schedule.instants(form.meeting(session.zone)) != (session.starts_at, session.ends_at)
    return render_template(
        "organisers/move.html",
        organiser=organiser,
        workshop=found,
        session=session,
        form=form,
        is_shown=is_shown,
        new_line=form.says(session.zone),
        told=moving.coming(session) if is_other else [],
        is_other=is_other,
        fields=_fields(form),
    )


def _fields(form: TimesForm) -> dict[str, str]:
    """What was asked for, to be sent again by the form that does it."""
    typed = form.typed
    if typed is None:
        return {}
    return {
        "id": form.id.data or "",
        "day": typed.day.isoformat(),
        "starts": f"{typed.starts:%H:%M}",
        "ends": f"{typed.ends:%H:%M}",
        "which_start": typed.which_start,
        "which_end": typed.which_end,
    }


def _cancel_page(organiser: Organiser, found: Workshop, session: WorkshopSession | None, form: WhyForm) -> str:
    return render_template(
        "organisers/cancel.html",
        organiser=organiser,
        workshop=found,
        session=session,
        form=form,
        plan=moving.plan_cancel(found, session),
    )


def _done(organiser: Organiser, slug: str) -> Response:
    return redirect(url_for("organise_workshops.shown", organiser=organiser.slug, slug=slug), code=303)
