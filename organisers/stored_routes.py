"""A session's film that is in the store already: named at the desk, taken over by the worker."""

from flask import Blueprint, redirect, render_template, request, url_for
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from accounts import open_to
from accounts.models import Organiser
from courses.models import WorkshopSession
from lib import clock, db, work
from lib.forms import Form, one_line
from organisers import rows
from organisers.routes import MANAGERS, Page, actor
from organisers.upload_routes import most_bytes
from recordings import stored, uploads

bp = Blueprint("organise_stored", __name__, url_prefix="/organise/<organiser>/workshops/<slug>/recordings")


class StoredForm(Form):
    """What the object is called."""

    name = StringField(
        "Name of the object",
        [InputRequired("Please give the object's name."), Length(max=stored.LONGEST)],
        [one_line],
    )


@bp.get("/<int:number>/stored")
@open_to.team(*MANAGERS)
def shown(organiser: Organiser, slug: str, number: int) -> Page:
    return _page(organiser, rows.session_of(rows.workshop(organiser, slug), number), StoredForm())


@bp.post("/<int:number>/stored")
@open_to.team(*MANAGERS)
def take(organiser: Organiser, slug: str, number: int) -> Page:
    session_id, to = rows.session_of(rows.workshop(organiser, slug), number).id, organiser.slug
    form = StoredForm(request.form)
    if not form.validate():
        return _refused(organiser, slug, number, form)
    by, now = actor(), clock.now()
    db.session.rollback()  # nothing of the database is held while the store is asked
    try:
        name, length = stored.find(to, form.name.data or "", most_bytes())
    except stored.NoSuchObject as refusal:
        form.name.errors = [refusal.message]
        return _refused(organiser, slug, number, form)
    except OSError:
        form.name.errors = ["The store does not answer. Nothing was changed: please try again in a while."]
        return _refused(organiser, slug, number, form)
    with db.writing():
        session = db.session.get_one(WorkshopSession, session_id)
        made = uploads.begin(
            session,
            filename=name.rpartition("/")[2],
            length=length,
            source="store",
            by=by,
            now=now,
            position=uploads.next_position(session_id),
        )
        work.post(stored.COPY, f"upload:{made.id}", now, {"upload": made.id, "object": name})
    return redirect(url_for("organise_recordings.board", organiser=to, slug=slug, done="film"), code=303)


def _refused(organiser: Organiser, slug: str, number: int, form: StoredForm) -> Page:
    return _page(organiser, rows.session_of(rows.workshop(organiser, slug), number), form), 422


def _page(organiser: Organiser, session: WorkshopSession, form: StoredForm) -> str:
    there = {"organiser": organiser.slug, "slug": session.workshop.slug, "number": str(session.number)}
    return render_template(
        "organisers/form.html",
        organiser=organiser,
        workshop=session.workshop,
        form=form,
        heading=f"A film of session {session.number} that is in the store",
        lead=f"Name an object below {stored.prefix(organiser.slug)} there. It is copied, comes after what the session "
        "has already, and is made ready like any other film. The object itself stays as it is.",
        action=url_for(".take", **there),  # type: ignore[arg-type]  # these are the route's own values
        button="Take the film",
        back=None,
        delete=None,
        delete_words="",
    )
