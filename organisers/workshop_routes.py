"""A workshop in the back office: made, looked at, edited, published, copied, taken away."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from accounts import open_to
from accounts.models import Organiser
from bookings import reminders, waiting_list
from courses import bundles_editing, editing, places, publishing, schedule, tickets
from courses.editing import NotPossible
from courses.models import Course, Presenter, Venue, Workshop
from lib import clock, db, zones
from meetings import points
from organisers import board as boards
from organisers import policy_uses, rows, times
from organisers.choices import options
from organisers.forms import CloneForm, NewWorkshopForm, WorkshopForm
from organisers.routes import MANAGERS, Page, actor, may_manage, note, saved
from recordings import from_zoom, uploads
from recordings.models import Recording

bp = Blueprint("organise_workshops", __name__, url_prefix="/organise/<organiser>/workshops")
HOUR = 60


@bp.get("/new")
@open_to.team(*MANAGERS)
def new(organiser: Organiser) -> Page:
    form = _new_form(organiser, zone=organiser.zone, course=request.args.get("course"), recorded=True)
    if not form.course.choices:
        return redirect(url_for("organise.new_course", organiser=organiser.slug), code=303)
    return _new_page(organiser, form)


@bp.post("/")
@open_to.team(*MANAGERS)
def make(organiser: Organiser) -> Page:
    form = _new_form(organiser, request.form)
    is_valid = form.validate()
    zone = form.zone.data or ""
    if not zones.is_zone(zone) or not (form.check(zone) and is_valid) or form.typed is None:
        return _new_page(organiser, form), 422
    typed, course = form.typed, rows.course(organiser, str(form.course.data))

    def save() -> Workshop:
        made = editing.make_workshop(
            course,
            {"title": course.title, "format": form.format.data, "status": "draft"},
            times.meeting(typed, zone),
        )
        tickets.add_pool(made, "room", int(form.places.data or 0))
        note(organiser, f"workshop:{made.id}", "workshop_made")
        return made

    return _to(organiser, saved(save))


@bp.post("/preview")
@open_to.team(*MANAGERS)
def preview_new(organiser: Organiser) -> Page:
    form = _new_form(organiser, request.form)
    zone = form.zone.data or ""
    if zones.is_zone(zone):
        form.check(zone)
    else:
        form.zone.validate(form)
    return _new_page(organiser, form)


@bp.get("/<slug>")
@open_to.team()
def shown(organiser: Organiser, slug: str) -> Page:
    return _overview(organiser, rows.workshop(organiser, slug), CloneForm())


@bp.get("/<slug>/edit")
@open_to.team(*MANAGERS)
def edit(organiser: Organiser, slug: str) -> Page:
    found = rows.workshop(organiser, slug)
    plain = (name for name in WorkshopForm().data if hasattr(Workshop, name))
    data = {name: getattr(found, name) for name in plain}
    if found.venue:
        data |= {f"venue_{name}": getattr(found.venue, name) for name in ("name", "address", "access")}
    data["presenters"] = "\n".join(each.name for each in found.presenters)
    data["reminders"] = ", ".join(f"{minutes // HOUR}" for minutes in reminders.leads(found))
    data["policy"] = policy_uses.chosen(organiser, found)
    form = _form(organiser, data=data)
    return _edit_page(organiser, found, form)


@bp.post("/<slug>/edit")
@open_to.team(*MANAGERS)
def change(organiser: Organiser, slug: str) -> Page:
    found = rows.workshop(organiser, slug)
    form = _form(organiser, request.form)
    if not form.validate():
        return _edit_page(organiser, found, form), 422
    others = ("venue_name", "venue_address", "venue_access", "presenters", "reminders", "policy")
    facts = {name: value for name, value in form.data.items() if name not in others}

    def save() -> None:
        before = reminders.leads(found)
        facts["venue_id"] = _venue(organiser, form)
        facts["reminders"] = form.reminder_minutes
        wanted = form.policy.data or ""
        is_other = wanted != policy_uses.chosen(organiser, found)
        chosen = {"policy": dict(policy_uses.choices(organiser))[wanted]} if is_other else None
        facts["policy_id"] = int(wanted) if wanted else None
        editing.change_workshop(found, facts, _presenters(organiser, form.presenters.data or ""))
        db.session.expire(found, ["venue"])
        if reminders.leads(found) != before:
            reminders.post_coming(found.id, clock.now())
        note(organiser, f"workshop:{found.id}", "workshop_changed", chosen)

    saved(save)
    return _to(organiser, found)


@bp.post("/<slug>/publish")
@open_to.team(*MANAGERS)
def publish(organiser: Organiser, slug: str) -> Page:
    with db.writing():
        found = _locked(organiser, slug)
        missing = publishing.missing(found, clock.now())
        if missing:
            raise _refusal(organiser, found, "It cannot be published yet. " + " ".join(missing))
        editing.publish(found)
        note(organiser, f"workshop:{found.id}", "workshop_published")
    return _to(organiser, found)


@bp.post("/<slug>/archive")
@open_to.team(*MANAGERS)
def archive(organiser: Organiser, slug: str) -> Page:
    with db.writing():
        found = _locked(organiser, slug)
        if rows.is_live(found.id):
            raise _refusal(
                organiser, found, "People have places at this workshop, or are paying for one. Cancel it instead."
            )
        editing.archive(found)
        note(organiser, f"workshop:{found.id}", "workshop_archived")
    return _to(organiser, found)


@bp.post("/<slug>/clone")
@open_to.team(*MANAGERS)
def clone(organiser: Organiser, slug: str) -> Page:
    found = rows.workshop(organiser, slug)
    form = CloneForm(request.form)
    if not form.validate():
        return _overview(organiser, found, form), 422

    def copy() -> Workshop:
        made = editing.clone(found, int(form.days.data or 0))
        note(organiser, f"workshop:{made.id}", "workshop_cloned", {"from": found.id})
        return made

    try:
        made = saved(copy)
    except ValueError as problem:
        raise _refusal(organiser, found, f"A session of the copy cannot be: {problem}") from problem
    return redirect(url_for("organise_dates.shown", organiser=organiser.slug, slug=made.slug), code=303)


@bp.post("/<slug>/delete")
@open_to.team(*MANAGERS)
def delete(organiser: Organiser, slug: str) -> Page:
    with db.writing():
        found = _locked(organiser, slug)
        if rows.is_ever_booked(found.id):
            raise _refusal(
                organiser,
                found,
                "It was booked, and bookings, payments and invoices have to stay readable. Cancel the workshop, which "
                "tells everybody and sends all money back, or, with nobody coming, take it out of the catalogue.",
            )
        bundles_editing.refuse_if_bundled([each.id for each in found.tickets])
        sessions = [*found.sessions, *schedule.cancelled(found)]
        if db.session.scalar(
            select(Recording.id).where(Recording.session_id.in_([each.id for each in sessions])).limit(1)
        ):
            raise _refusal(
                organiser, found, "One of its sessions has a recording. Take it out of the catalogue instead."
            )
        if uploads.are_there([each.id for each in sessions], clock.now()):
            raise _refusal(
                organiser,
                found,
                "A film of one of its sessions is on its way. Remove it on the page of recordings first.",
            )
        from_zoom.let_go([each.id for each in sessions])
        uploads.drop([each.id for each in sessions])
        for session in sessions:
            points.clear_point(session, actor=actor(), now=clock.now())
        note(organiser, f"workshop:{found.id}", "workshop_deleted", {"title": found.title, "slug": found.slug})
        editing.delete_workshop(found)
    return redirect(url_for("organise.board", organiser=organiser.slug), code=303)


def _locked(organiser: Organiser, slug: str) -> Workshop:
    """The workshop, locked: nobody books it between what is asked of it and what is done."""
    schedule.lock(rows.workshop(organiser, slug).id)
    return rows.workshop(organiser, slug)


def _overview(organiser: Organiser, found: Workshop, clone: CloneForm) -> str:
    now = clock.now()
    sold, held = boards.counts([found.id], now)
    return render_template(
        "organisers/workshop.html",
        organiser=organiser,
        workshop=found,
        sold=sold[found.id],
        held=held[found.id],
        claimed=places.claimed([each.id for each in found.pools], now),
        waiting=waiting_list.numbers([found.id])[found.id],
        missing=publishing.missing(found, now) if found.status == "draft" else [],
        is_live=rows.is_live(found.id),
        linked=points.with_points([each.id for each in found.sessions]),
        pool_name=tickets.pool_name,
        clone=clone,
        may_manage=may_manage(organiser),
        now=now,
    )


def _refusal(organiser: Organiser, found: Workshop, message: str) -> NotPossible:
    there = url_for("organise_workshops.shown", organiser=organiser.slug, slug=found.slug)
    return NotPossible(message, next_url=there, next_text="Back to the workshop")


def _to(organiser: Organiser, found: Workshop) -> Response:
    return redirect(url_for("organise_workshops.shown", organiser=organiser.slug, slug=found.slug), code=303)


def _venue(organiser: Organiser, form: WorkshopForm) -> int | None:
    """The venue named in the form: the one the workshop has when only its words changed there, else one of its own."""
    name, address, access = (str(form[each].data or "") for each in ("venue_name", "venue_address", "venue_access"))
    if not name:
        return None
    same = db.session.scalars(
        select(Venue).where(Venue.organiser_id == organiser.id, Venue.name == name, Venue.address == address)
    ).first()
    if same is None:
        same = Venue(organiser_id=organiser.id, name=name, address=address)
        db.session.add(same)
    same.access = access
    db.session.flush()
    return same.id


def _presenters(organiser: Organiser, typed: str) -> list[Presenter]:
    """The people named, a line each; who is not known yet is written down."""
    known = {
        each.name: each for each in db.session.scalars(select(Presenter).where(Presenter.organiser_id == organiser.id))
    }
    taken = {each.slug for each in known.values()}
    found = []
    for name in dict.fromkeys(" ".join(each.split())[:200] for each in typed.splitlines() if each.strip()):
        if name not in known:
            slug = tickets.code_for(name, taken, "presenter")
            taken.add(slug)
            known[name] = Presenter(organiser_id=organiser.id, slug=slug, name=name)
            db.session.add(known[name])
        found.append(known[name])
    db.session.flush()
    return found


def _new_form(organiser: Organiser, typed: Any = None, **known: Any) -> NewWorkshopForm:
    form = NewWorkshopForm(typed, **known)
    courses = db.session.execute(
        select(Course.slug, Course.title).where(Course.organiser_id == organiser.id).order_by(Course.title)
    ).all()
    form.course.choices = options((slug, title) for slug, title in courses)
    return form


def _new_page(organiser: Organiser, form: NewWorkshopForm) -> str:
    return render_template("organisers/workshop_new.html", organiser=organiser, form=form, zone=form.zone.data or "")


def _form(organiser: Organiser, typed: Any = None, data: Any = None) -> WorkshopForm:
    form = WorkshopForm(typed, data=data)
    form.policy.choices = options(policy_uses.choices(organiser))
    return form


def _edit_page(organiser: Organiser, found: Workshop, form: WorkshopForm) -> str:
    return render_template(
        "organisers/form.html",
        organiser=organiser,
        workshop=found,
        form=form,
        heading="Texts and settings",
        lead=f"{found.title}. Nothing here changes a time, and nobody is written to.",
        action=url_for("organise_workshops.change", organiser=organiser.slug, slug=found.slug),
        button="Save",
        back=None,
        delete=None,
        delete_words="",
    )
