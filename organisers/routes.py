"""The back office of one organiser: its board and its courses."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from flask import Blueprint, current_app, g, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response

from accounts import open_to
from accounts.models import Membership, Organiser
from courses import editing
from courses.models import Course, Workshop
from history import models as history
from lib import clock, db
from organisers import board as boards
from organisers import rows
from organisers.choices import options
from organisers.forms import TOPICS, CourseForm

bp = Blueprint("organise", __name__, url_prefix="/organise/<organiser>")
MANAGERS = ("owner", "manager")
TRIES = 6
Made = TypeVar("Made")
Page = str | Response | tuple[str, int]


def saved(do: Callable[[], Made]) -> Made:
    """Do it in a write transaction; again when somebody else took the same address at the same moment."""
    for left in reversed(range(TRIES)):
        try:
            with db.writing():
                return do()
        except IntegrityError:
            if not left:
                raise
    raise AssertionError("unreachable")


def actor() -> str:
    return f"user:{current_user.id}"


def note(organiser: Organiser, about: str, verb: str, facts: Mapping[str, Any] | None = None) -> None:
    """Remember in the open transaction who did it."""
    history.record(about, verb, at=clock.now(), actor=actor(), organiser_id=organiser.id, facts=facts)


def role(organiser: Organiser) -> str:
    """The role of the person at hand, asked once a request."""
    known: dict[int, str] = g.setdefault("roles", {})
    if organiser.id not in known:
        found = db.session.scalar(
            select(Membership.role).where(
                Membership.organiser_id == organiser.id, Membership.user_id == current_user.id
            )
        )
        known[organiser.id] = found or ""
    return known[organiser.id]


def may_manage(organiser: Organiser) -> bool:
    """Whether the person at hand may change what is sold and who is told; presenters look on."""
    return role(organiser) in MANAGERS


def may_open(organiser: Organiser, endpoint: str) -> bool:
    """Whether there is such a page and it is open to the person at hand."""
    said = str(getattr(current_app.view_functions.get(endpoint), "open_to", ""))
    return role(organiser) in said.removeprefix("team:").split(",")


@bp.app_context_processor
def words() -> dict[str, Any]:
    """What the back office's templates ask."""
    return {"may_open": may_open}


@bp.get("/")
@open_to.team()
def board(organiser: Organiser) -> Page:
    now = clock.now()
    page = max(request.args.get("page", 1, int), 1)
    return render_template(
        "organisers/board.html",
        organiser=organiser,
        board=boards.read(organiser, page, now),
        page=page,
        has_course=db.session.scalar(select(Course.id).where(Course.organiser_id == organiser.id).limit(1)),
        may_manage=may_manage(organiser),
        now=now,
    )


@bp.get("/courses")
@open_to.team()
def courses(organiser: Organiser) -> Page:
    listed = db.session.execute(
        select(Course, func.count(Workshop.id))
        .outerjoin(Workshop, Workshop.course_id == Course.id)
        .where(Course.organiser_id == organiser.id)
        .group_by(Course.id)
        .order_by(Course.title)
    ).all()
    return render_template(
        "organisers/courses.html", organiser=organiser, courses=listed, may_manage=may_manage(organiser)
    )


@bp.get("/courses/new")
@open_to.team(*MANAGERS)
def new_course(organiser: Organiser) -> Page:
    return _course_page(organiser, CourseForm(), None)


@bp.post("/courses")
@open_to.team(*MANAGERS)
def make_course(organiser: Organiser) -> Page:
    form = CourseForm(request.form)
    if not form.validate():
        return _course_page(organiser, form, None), 422

    def make() -> Course:
        made = editing.make_course(organiser.id, form.data)
        note(organiser, f"course:{made.id}", "course_made")
        return made

    course = saved(make)
    has_workshops = db.session.scalar(select(Workshop.id).where(Workshop.organiser_id == organiser.id).limit(1))
    if has_workshops:
        return redirect(url_for("organise.courses", organiser=organiser.slug), code=303)
    return redirect(url_for("organise_workshops.new", organiser=organiser.slug, course=course.slug), code=303)


@bp.get("/courses/<slug>")
@open_to.team(*MANAGERS)
def course(organiser: Organiser, slug: str) -> Page:
    found = rows.course(organiser, slug)
    return _course_page(organiser, _course_form(found, obj=found), found)


@bp.post("/courses/<slug>")
@open_to.team(*MANAGERS)
def change_course(organiser: Organiser, slug: str) -> Page:
    found = rows.course(organiser, slug)
    form = _course_form(found, request.form)
    if not form.validate():
        return _course_page(organiser, form, found), 422

    def change() -> None:
        editing.change_course(found, form.data)
        note(organiser, f"course:{found.id}", "course_changed")

    saved(change)
    return redirect(url_for("organise.courses", organiser=organiser.slug), code=303)


@bp.post("/courses/<slug>/delete")
@open_to.team(*MANAGERS)
def delete_course(organiser: Organiser, slug: str) -> Page:
    found = rows.course(organiser, slug)
    with db.writing():
        note(organiser, f"course:{found.id}", "course_deleted", {"title": found.title})
        editing.delete_course(found)
    return redirect(url_for("organise.courses", organiser=organiser.slug), code=303)


def _course_form(found: Course, typed: Any = None, obj: Course | None = None) -> CourseForm:
    form = CourseForm(typed, obj=obj)
    if found.topic not in dict(TOPICS):
        form.topic.choices = options([*TOPICS, (found.topic, found.topic.capitalize())])
    return form


def _course_page(organiser: Organiser, form: CourseForm, found: Course | None) -> str:
    action = (
        url_for("organise.change_course", organiser=organiser.slug, slug=found.slug)
        if found
        else url_for("organise.make_course", organiser=organiser.slug)
    )
    return render_template(
        "organisers/form.html",
        organiser=organiser,
        form=form,
        heading=found.title if found else "A new course",
        lead="What is taught, whatever the date. Dates, prices and places belong to its workshops.",
        action=action,
        button="Save the course",
        back=("organise.courses", "All courses"),
        delete=url_for("organise.delete_course", organiser=organiser.slug, slug=found.slug) if found else None,
        delete_words="Delete this course",
    )
