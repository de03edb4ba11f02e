"""The organiser's discount codes: what they give, to whom, and what became of them."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy import func, select

from accounts import open_to
from accounts.models import Organiser
from bookings import codes
from bookings.models import DiscountCode
from courses.bundles_models import Bundle
from courses.models import Course, TicketType, Workshop
from lib import clock, db, money, zones
from organisers import rows
from organisers.choices import options
from organisers.code_forms import AMOUNTS, PLAIN, CodeForm
from organisers.forms import TOPICS
from organisers.routes import MANAGERS, Page, note, saved
from organisers.ticket_forms import day_of, first_moment, last_second

bp = Blueprint("organise_codes", __name__, url_prefix="/organise/<organiser>/codes")


@bp.get("")
@open_to.team(*MANAGERS)
def listed(organiser: Organiser) -> Page:
    every = db.session.scalars(
        select(DiscountCode).where(DiscountCode.organiser_id == organiser.id).order_by(DiscountCode.folded)
    ).all()
    told = codes.told([each.id for each in every], clock.now())
    return render_template(
        "organisers/codes.html",
        organiser=organiser,
        codes=every,
        told=told,
        nothing=codes.NOTHING,
        hidden=codes.hidden(every),
    )


@bp.get("/new")
@open_to.team(*MANAGERS)
def new(organiser: Organiser) -> Page:
    return _page(organiser, _form(organiser, currency=organiser.currency), None)


@bp.post("")
@open_to.team(*MANAGERS)
def make(organiser: Organiser) -> Page:
    return _save(organiser, None)


@bp.get("/<folded>")
@open_to.team(*MANAGERS)
def code(organiser: Organiser, folded: str) -> Page:
    found = rows.code(organiser, folded)
    amounts = {name: getattr(found, name) for name in AMOUNTS}
    currency = found.currency or organiser.currency
    form = _form(
        organiser,
        **{name: getattr(found, name) for name in (*PLAIN, "code", "percent", "person")},
        **{name: money.plain(minor, currency) for name, minor in amounts.items() if minor is not None},
        currency=currency,
        valid_from=day_of(found.valid_from, organiser.zone),
        valid_until=day_of(found.valid_until, organiser.zone),
        tickets=list(found.tickets or []),
        workshops=[str(each) for each in found.workshops or []],
        courses=[str(each) for each in found.courses or []],
        topics=list(found.topics or []),
        bundles=[str(each) for each in found.bundles or []],
    )
    return _page(organiser, form, found)


@bp.post("/<folded>")
@open_to.team(*MANAGERS)
def change(organiser: Organiser, folded: str) -> Page:
    return _save(organiser, rows.code(organiser, folded))


@bp.post("/<folded>/delete")
@open_to.team(*MANAGERS)
def delete(organiser: Organiser, folded: str) -> Page:
    found = rows.code(organiser, folded)
    with db.writing():
        note(organiser, f"code:{found.id}", "code_deleted", {"code": found.code})
        codes.remove(found)
    return redirect(url_for("organise_codes.listed", organiser=organiser.slug), code=303)


def _save(organiser: Organiser, found: DiscountCode | None) -> Page:
    form = _form(organiser, request.form)
    if not form.validate():
        return _page(organiser, form, found), 422
    amounts = {name: form.amount(name) for name in AMOUNTS}
    facts: dict[str, Any] = {
        **{name: form[name].data for name in PLAIN},
        **amounts,
        "percent": form.percent.data if form.kind.data == "percent" else None,
        "currency": form.currency.data if any(minor is not None for minor in amounts.values()) else None,
        "valid_from": first_moment(form.valid_from.data, organiser.zone),
        "valid_until": last_second(form.valid_until.data, organiser.zone),
        "tickets": form.tickets.data or None,
        "workshops": [int(each) for each in form.workshops.data or []] or None,
        "courses": [int(each) for each in form.courses.data or []] or None,
        "topics": form.topics.data or None,
        "bundles": [int(each) for each in form.bundles.data or []] or None,
        "person": form.person.data or None,
    }

    def save() -> None:
        made = codes.save(organiser.id, found, str(form.code.data), facts, clock.now())
        note(organiser, f"code:{made.id}", "code_saved", {"code": made.code, "gives": codes.gives(made)})

    try:
        saved(save)
    except codes.CodeTaken as problem:
        form.code.errors = [str(problem)]
        return _page(organiser, form, found), 422
    return redirect(url_for("organise_codes.listed", organiser=organiser.slug), code=303)


def _form(organiser: Organiser, typed: Any = None, **known: Any) -> CodeForm:
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
    dates = db.session.scalars(
        select(Workshop).where(Workshop.organiser_id == organiser.id).order_by(Workshop.starts_at.desc())
    )
    form.workshops.choices = options((str(each.id), each.slug) for each in dates)
    taught = db.session.scalars(select(Course).where(Course.organiser_id == organiser.id).order_by(Course.title)).all()
    form.courses.choices = options((str(each.id), each.title) for each in taught)
    topics = dict(TOPICS) | {each.topic: each.topic.capitalize() for each in taught if each.topic not in dict(TOPICS)}
    form.topics.choices = options(topics.items())
    sets = db.session.scalars(select(Bundle).where(Bundle.organiser_id == organiser.id).order_by(Bundle.title))
    form.bundles.choices = options((str(each.id), each.title) for each in sets)
    return form


def _page(organiser: Organiser, form: CodeForm, found: DiscountCode | None) -> str:
    there: dict[str, Any] = {"organiser": organiser.slug}
    named: dict[str, Any] = {**there, "folded": found.code} if found else there
    return render_template(
        "organisers/form.html",
        organiser=organiser,
        form=form,
        heading=f"Code {found.code}" if found else "A new code",
        lead=_lead(organiser, found),
        action=url_for("organise_codes.change" if found else "organise_codes.make", **named),
        button="Save the code",
        back=("organise_codes.listed", "All codes"),
        delete=url_for("organise_codes.delete", **named) if found else None,
        delete_words="Delete this code",
    )


def _lead(organiser: Organiser, found: DiscountCode | None) -> str:
    days = f"Days begin and end by the clocks of {zones.city(organiser.zone)}."
    if found is None:
        return days
    told = codes.told([found.id], clock.now()).get(found.id, codes.NOTHING)
    return f"{told.words} {days}"
