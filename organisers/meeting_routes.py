"""Where a session meets, pasted by the organiser. The link is shown to nobody but through the door of the session."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from accounts import open_to
from accounts.models import Organiser
from courses.models import WorkshopSession
from lib import clock, db
from meetings import points
from organisers import rows
from organisers.forms import MeetingForm
from organisers.routes import MANAGERS, Page, actor

bp = Blueprint("organise_meetings", __name__, url_prefix="/organise/<organiser>/workshops/<slug>/sessions/<int:number>")


@bp.get("/meeting")
@open_to.team(*MANAGERS)
def shown(organiser: Organiser, slug: str, number: int) -> Page:
    session = rows.session_of(rows.workshop(organiser, slug), number)
    point = points.of_session(session.id)
    data = {name: getattr(point, name) for name in ("url", "phone_numbers", "passcode")} if point else {}
    return _page(organiser, session, MeetingForm(data=data))


@bp.post("/meeting")
@open_to.team(*MANAGERS)
def save(organiser: Organiser, slug: str, number: int) -> Page:
    """Keep the link for this session, or for all of the workshop that have none yet and this one."""
    session = rows.session_of(rows.workshop(organiser, slug), number)
    form = MeetingForm(request.form)
    if not form.validate():
        return _page(organiser, session, form), 422
    try:
        with db.writing():
            found = rows.workshop(organiser, slug)
            session = rows.session_of(found, number)
            known = points.with_points([each.id for each in found.sessions])
            others = [each for each in found.sessions if each.id not in known and each.id != session.id]
            for each in [session, *(others if form.for_all.data else [])]:
                points.set_point(
                    each,
                    url=form.url.data or "",
                    phone_numbers=form.phone_numbers.data or "",
                    passcode=form.passcode.data or "",
                    actor=actor(),
                    now=clock.now(),
                )
    except points.PointRefused as refusal:
        form[refusal.field].errors = [str(refusal)]
        return _page(organiser, rows.session_of(rows.workshop(organiser, slug), number), form), 422
    return _to(organiser, slug)


@bp.post("/meeting/delete")
@open_to.team(*MANAGERS)
def delete(organiser: Organiser, slug: str, number: int) -> Page:
    with db.writing():
        session = rows.session_of(rows.workshop(organiser, slug), number)
        points.clear_point(session, actor=actor(), now=clock.now())
    return _to(organiser, slug)


def _page(organiser: Organiser, session: WorkshopSession, form: MeetingForm) -> str:
    there = {"organiser": organiser.slug, "slug": session.workshop.slug, "number": session.number}
    has_point = points.of_session(session.id) is not None
    return render_template(
        "organisers/form.html",
        organiser=organiser,
        workshop=session.workshop,
        form=form,
        heading=f"Meeting link of session {session.number}",
        lead="It stands in no letter and no file. People reach it through their own page, from when the door opens.",
        action=url_for("organise_meetings.save", **there),  # type: ignore[arg-type]  # these are the route's own values
        button="Save the link",
        back=None,
        delete=url_for("organise_meetings.delete", **there) if has_point else None,  # type: ignore[arg-type]  # as above
        delete_words="Take the link away",
    )


def _to(organiser: Organiser, slug: str) -> Response:
    return redirect(url_for("organise_workshops.shown", organiser=organiser.slug, slug=slug), code=303)
