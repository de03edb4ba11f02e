"""The back office of one organiser: its board, courses and codes."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from flask import Blueprint, current_app, g, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response

from accounts import open_to
from accounts.models import Membership, Organiser
from bookings import codes
from bookings.models import DiscountCode
from courses import editing
from courses.models import Course, TicketType, Workshop
from history import models as history
from lib import clock, db, zones
from organisers import board as boards
from organisers import rows
from organisers.choices import options
from organisers.forms import TOPICS, CourseForm
from organisers.ticket_forms import CodeForm, day_of, first_moment, last_second

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


@bp.get("/codes", endpoint="codes")
@open_to.team(*MANAGERS)
def listed_codes(organiser: Organiser) -> Page:
    listed = db.session.scalars(
        select(DiscountCode).where(DiscountCode.organiser_id == organiser.id).order_by(DiscountCode.folded)
    ).all()
    uses = codes.uses([each.id for each in listed], clock.now())
    return render_template("organisers/codes.html", organiser=organiser, codes=listed, uses=uses)


@bp.get("/codes/new")
@open_to.team(*MANAGERS)
def new_code(organiser: Organiser) -> Page:
    return _code_page(organiser, _code_form(organiser), None)


@bp.post("/codes")
@open_to.team(*MANAGERS)
def make_code(organiser: Organiser) -> Page:
    return _save_code(organiser, None)


@bp.get("/codes/<folded>")
@open_to.team(*MANAGERS)
def code(organiser: Organiser, folded: str) -> Page:
    found = rows.code(organiser, folded)
    form = _code_form(
        organiser,
        code=found.code,
        percent=found.percent,
        valid_from=day_of(found.valid_from, organiser.zone),
        valid_until=day_of(found.valid_until, organiser.zone),
        tickets=list(found.tickets or []),
        uses_total=found.uses_total,
        uses_per_person=found.uses_per_person,
    )
    return _code_page(organiser, form, found)


@bp.post("/codes/<folded>")
@open_to.team(*MANAGERS)
def change_code(organiser: Organiser, folded: str) -> Page:
    return _save_code(organiser, rows.code(organiser, folded))


@bp.post("/codes/<folded>/delete")
@open_to.team(*MANAGERS)
def delete_code(organiser: Organiser, folded: str) -> Page:
    found = rows.code(organiser, folded)
    with db.writing():
        note(organiser, f"code:{found.id}", "code_deleted", {"code": found.code})
        codes.remove(found)
    return redirect(url_for("organise.codes", organiser=organiser.slug), code=303)


def _save_code(organiser: Organiser, found: DiscountCode | None) -> Page:
    form = _code_form(organiser, request.form)
    if not form.validate():
        return _code_page(organiser, form, found), 422
    facts = {
        "percent": form.percent.data,
        "valid_from": first_moment(form.valid_from.data, organiser.zone),
        "valid_until": last_second(form.valid_until.data, organiser.zone),
        "tickets": form.tickets.data or None,
        "uses_total": form.uses_total.data,
        "uses_per_person": form.uses_per_person.data,
    }

    def save() -> None:
        made = codes.save(organiser.id, found, str(form.code.data), facts, clock.now())
        note(organiser, f"code:{made.id}", "code_saved", {"code": made.code, "percent": made.percent})

    try:
        saved(save)
    except codes.CodeTaken as problem:
        form.code.errors = [str(problem)]
        return _code_page(organiser, form, found), 422
    return redirect(url_for("organise.codes", organiser=organiser.slug), code=303)


def _code_form(organiser: Organiser, typed: Any = None, **known: Any) -> CodeForm:
    form = CodeForm(typed, **known)
    sold = db.session.execute(
        select(TicketType.code, func.min(TicketType.name))
        .where(TicketType.organiser_id == organiser.id)
        .group_by(TicketType.code)
        .order_by(TicketType.code)
    ).all()
    names = {code: f"{name} ({code})" for code, name in sold}
    names |= {code: code for code in known.get("tickets", []) if code not in names}
    form.tickets.choices = options(names.items())
    return form


def _code_page(organiser: Organiser, form: CodeForm, found: DiscountCode | None) -> str:
    action = (
        url_for("organise.change_code", organiser=organiser.slug, folded=found.folded)
        if found
        else url_for("organise.make_code", organiser=organiser.slug)
    )
    return render_template(
        "organisers/form.html",
        organiser=organiser,
        form=form,
        heading=f"Code {found.code}" if found else "A new code",
        lead=f"Days begin and end by the clocks of {zones.city(organiser.zone)}.",
        action=action,
        button="Save the code",
        back=("organise.codes", "All codes"),
        delete=url_for("organise.delete_code", organiser=organiser.slug, folded=found.folded) if found else None,
        delete_words="Delete this code",
    )


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
