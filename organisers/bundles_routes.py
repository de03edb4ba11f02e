"""Bundles: which of the organiser's workshops are sold together, for how much, from when to when."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import contains_eager, selectinload
from werkzeug.wrappers import Response

from accounts import open_to
from accounts.models import Organiser
from bookings import bundle_figures
from courses import bundles, bundles_editing
from courses.bundles_editing import Wanted
from courses.bundles_models import Bundle
from courses.editing import NotPossible
from courses.models import TicketType, Workshop
from lib import clock, db, money, zones
from organisers import rows
from organisers.bundle_forms import BundleForm
from organisers.choices import options
from organisers.routes import MANAGERS, Page, note, saved
from organisers.ticket_forms import day_of, end_of, first_moment, last_day

bp = Blueprint("organise_bundles", __name__, url_prefix="/organise/<organiser>/bundles")
CURRENCIES = ("GBP", "EUR", "USD")


@bp.get("")
@open_to.team(*MANAGERS)
def listed(organiser: Organiser) -> Page:
    every = db.session.scalars(
        select(Bundle)
        .where(Bundle.organiser_id == organiser.id)
        .order_by(Bundle.id.desc())
        .options(selectinload(Bundle.prices), selectinload(Bundle.tickets).joinedload(TicketType.workshop))
    ).all()
    now = clock.now()
    return render_template(
        "organisers/bundles.html",
        organiser=organiser,
        bundles=every,
        sold=bundle_figures.sold([each.id for each in every], now),
        nothing=bundle_figures.NOTHING,
        last_day=last_day,
    )


@bp.get("/new")
@open_to.team(*MANAGERS)
def new(organiser: Organiser) -> Page:
    return _page(organiser, _form(organiser, prices=_prices(organiser, None)), None)


@bp.post("")
@open_to.team(*MANAGERS)
def make(organiser: Organiser) -> Page:
    return _save(organiser, None)


@bp.get("/<bundle>")
@open_to.team(*MANAGERS)
def edit(organiser: Organiser, bundle: str) -> Page:
    found = rows.bundle(organiser, bundle)
    form = _form(
        organiser,
        found,
        title=found.title,
        about=found.about,
        tickets=[str(each.id) for each in found.tickets],
        prices=_prices(organiser, found),
        sold_from=day_of(found.sold_from, organiser.zone),
        sold_until=last_day(found.sold_until, organiser.zone),
    )
    return _page(organiser, form, found)


@bp.post("/<bundle>")
@open_to.team(*MANAGERS)
def change(organiser: Organiser, bundle: str) -> Page:
    return _save(organiser, rows.bundle(organiser, bundle))


@bp.post("/<bundle>/publication")
@open_to.team(*MANAGERS)
def publish(organiser: Organiser, bundle: str) -> Page:
    return _do(organiser, bundle, "bundle_published", lambda found: bundles_editing.publish(found, clock.now()))


@bp.post("/<bundle>/withdrawal")
@open_to.team(*MANAGERS)
def withdraw(organiser: Organiser, bundle: str) -> Page:
    return _do(organiser, bundle, "bundle_withdrawn", bundles_editing.withdraw)


@bp.post("/<bundle>/delete")
@open_to.team(*MANAGERS)
def delete(organiser: Organiser, bundle: str) -> Page:
    found = rows.bundle(organiser, bundle)
    with db.writing():
        there = rows.bundle(organiser, bundle)
        note(organiser, f"bundle:{found.id}", "bundle_deleted", {"title": there.title})
        bundles_editing.remove(there, is_booked=bundle_figures.is_booked(there.id))
    return redirect(url_for("organise_bundles.listed", organiser=organiser.slug), code=303)


def _do(organiser: Organiser, slug: str, verb: str, act: Callable[[Bundle], None]) -> Response:
    """Do it to the bundle, remember it, and go back to its page."""
    there = url_for("organise_bundles.edit", organiser=organiser.slug, bundle=slug)
    try:
        with db.writing():
            found = rows.bundle(organiser, slug)
            act(found)
            note(organiser, f"bundle:{found.id}", verb, {"title": found.title})
    except NotPossible as refusal:
        raise NotPossible(refusal.message, next_url=there, next_text="Back to the bundle") from refusal
    return redirect(there, code=303)


def _save(organiser: Organiser, found: Bundle | None) -> Page:
    form = _form(organiser, found, request.form)
    if not form.validate():
        return _page(organiser, form, found), 422
    slug, chosen = found.slug if found else None, {int(each) for each in form.tickets.data or []}

    def save() -> str:
        there = rows.bundle(organiser, slug) if slug else None
        wanted = Wanted(
            title=str(form.title.data),
            about=str(form.about.data or ""),
            sold_from=first_moment(form.sold_from.data, organiser.zone),
            sold_until=end_of(form.sold_until.data, organiser.zone),
            prices=form.amounts,
            tickets=[each for each in _offered(organiser, there) if each.id in chosen],
        )
        if there is None:
            there = bundles_editing.make(organiser.id, wanted)
        else:
            bundles_editing.change(there, wanted, is_booked=bundle_figures.is_booked(there.id))
        prices = [money.text(minor, currency) for currency, minor in wanted.prices.items()]
        note(organiser, f"bundle:{there.id}", "bundle_saved", {"title": there.title, "prices": prices})
        return there.slug

    try:
        made = saved(save)
    except NotPossible as refusal:
        form.tickets.errors = [refusal.message]
        return _page(organiser, form, found), 409
    return redirect(url_for("organise_bundles.edit", organiser=organiser.slug, bundle=made), code=303)


def _offered(organiser: Organiser, found: Bundle | None) -> list[TicketType]:
    """The tickets a bundle can be for: of workshops that are still to come, and those it has."""
    own = {each.id for each in found.tickets} if found else set()
    every = db.session.scalars(
        select(TicketType)
        .join(TicketType.workshop)
        .where(
            TicketType.organiser_id == organiser.id,
            or_(
                TicketType.id.in_(own),
                and_(
                    TicketType.kind == "admission",
                    TicketType.is_hidden.is_(False),
                    Workshop.status != "cancelled",
                    Workshop.starts_at > clock.now(),
                ),
            ),
        )
        .order_by(Workshop.starts_at, Workshop.id, TicketType.position)
        .options(contains_eager(TicketType.workshop), selectinload(TicketType.pools), selectinload(TicketType.prices))
    )
    return [each for each in every if each.id in own or bundles.is_plain(each)]


def _form(organiser: Organiser, found: Bundle | None = None, typed: Any = None, **known: Any) -> BundleForm:
    form = BundleForm(typed, data=known)
    offered = _offered(organiser, found)
    form.workshops = {str(each.id): each.workshop_id for each in offered}
    form.tickets.choices = options((str(each.id), _words(each)) for each in offered)
    return form


def _words(ticket: TicketType) -> str:
    """A ticket as the form offers it: where, when, what, and what it costs alone."""
    workshop = ticket.workshop
    day = zones.day(zones.wall(workshop.starts_at, workshop.zone).date())
    prices = ", ".join(money.text(each.minor, each.currency) for each in ticket.prices if each.minor is not None)
    draft = " (a draft)" if workshop.status == "draft" else ""
    return f"{workshop.title}, {day}{draft}: {ticket.name}{f', {prices}' if prices else ''}"


def _prices(organiser: Organiser, found: Bundle | None) -> list[dict[str, str]]:
    known = {each.currency: money.plain(each.minor, each.currency) for each in found.prices} if found else {}
    currencies = dict.fromkeys((*known, organiser.currency, *CURRENCIES))
    return [{"currency": each, "amount": known.get(each, "")} for each in currencies]


def _page(organiser: Organiser, form: BundleForm, found: Bundle | None) -> str:
    now = clock.now()
    return render_template(
        "organisers/bundle.html",
        organiser=organiser,
        form=form,
        bundle=found,
        listing=bundles.by_slug(found.slug, now) if found else None,
        missing=bundles_editing.missing(found, now) if found and not found.is_published else [],
        sold=bundle_figures.sold([found.id], now).get(found.id, bundle_figures.NOTHING) if found else None,
    )
