"""Who watches a workshop's recordings: how much, until when, and what the team changes of it."""

from typing import Any

from flask import Blueprint, abort, redirect, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from accounts import open_to
from accounts.models import Organiser
from bookings import desk
from courses.models import Workshop
from history.models import Entry
from lib import clock, db, forms
from organisers import rows, words
from organisers.choices import options
from organisers.people_routes import shown as desk_page
from organisers.routes import MANAGERS, actor
from organisers.watching_forms import EverybodyForm, WindowForm
from recordings import outages, tus, watchers, windows
from recordings.watchers import ORDERS, SHOWN, Wanted, Watcher

bp = Blueprint("organise_watching", __name__, url_prefix="/organise/<organiser>/workshops/<slug>/watching")


@bp.get("")
@open_to.team(*MANAGERS)
def shown(organiser: Organiser, slug: str) -> Response:
    return _page(organiser, rows.workshop(organiser, slug), None)


@bp.post("/everybody")
@open_to.team(*MANAGERS)
def change_all(organiser: Organiser, slug: str) -> Response:
    found = rows.workshop(organiser, slug)
    form = _everybody(found, request.form)
    if not form.session.choices:
        raise windows.NothingToChange("No recording is published yet, so nobody has days to watch it.")
    if not form.validate():
        return _page(organiser, found, form, 422)
    recording_id, wish, by, now = int(form.session.data or 0), form.wish, actor(), clock.now()
    try:
        with db.writing():
            windows.change_all(recording_id, wish, actor=by, now=now)
    except windows.NothingToChange as refusal:
        form.act.errors = [refusal.message]
        return _page(organiser, rows.workshop(organiser, slug), form, refusal.status)
    return redirect(url_for(".shown", organiser=organiser.slug, slug=slug, done=wish.act), code=303)


@bp.get("/<int:number>")
@open_to.team(*MANAGERS)
def person(organiser: Organiser, slug: str, number: int) -> Response:
    return _person_page(organiser, rows.workshop(organiser, slug), number, WindowForm())


@bp.post("/<int:number>")
@open_to.team(*MANAGERS)
def change_one(organiser: Organiser, slug: str, number: int) -> Response:
    found = rows.workshop(organiser, slug)
    _watcher(found, number)
    form = WindowForm(request.form)
    if not form.validate():
        return _person_page(organiser, found, number, form, 422)
    wish, by, now = form.wish, actor(), clock.now()
    try:
        with db.writing():
            windows.change_one(number, wish, actor=by, now=now)
    except windows.NothingToChange as refusal:
        form.act.errors = [refusal.message]
        return _person_page(organiser, rows.workshop(organiser, slug), number, form, refusal.status)
    return redirect(url_for(".person", organiser=organiser.slug, slug=slug, number=number, done=wish.act), code=303)


def _watcher(found: Workshop, number: int) -> Watcher:
    return watchers.one(number, found.id, clock.now()) or abort(404)


def _everybody(found: Workshop, typed: Any = None) -> EverybodyForm:
    """The form for all, which offers what was published."""
    form = EverybodyForm(typed)
    many = len(found.sessions) > 1
    form.session.choices = options(
        (str(each.id), f"Session {each.session.number}" if many else "The recording")
        for each in watchers.recordings_of(found)
    )
    if len(form.session.choices) == 1 or not form.session.data:
        form.session.data = next((each.value for each in form.session.choices), "")
    return form


def _page(organiser: Organiser, found: Workshop, form: EverybodyForm | None, status: int = 200) -> Response:
    now = clock.now()
    wanted = Wanted(
        show=_known(request.args.get("show"), SHOWN),
        order=_known(request.args.get("order"), ORDERS),
        page=min(max(request.args.get("page", 1, int), 1), 1_000_000),
    )
    published = watchers.recordings_of(found)
    down = outages.of_recordings([each.id for each in published])
    here, everything = watchers.stored(organiser.id, found.id)
    return desk_page(
        "organisers/watching.html",
        organiser,
        status=status,
        workshop=found,
        board=watchers.read(found.id, wanted, now),
        wanted=wanted,
        form=form or _everybody(found),
        paused=[each for each in published if each.paused_at],
        outages=[(each, one) for each in published for one in down[each.id]],
        stored=(here, everything),
        bytes=tus.size,
        done=request.args.get("done", "") if request.method == "GET" else "",
        now=now,
    )


def _person_page(organiser: Organiser, found: Workshop, number: int, form: WindowForm, status: int = 200) -> Response:
    watcher = _watcher(found, number)
    about = f"attendee:{watcher.attendee.id}"
    wanted = select(Entry).where(Entry.about == about, Entry.verb.like("window\\_%", escape="\\"))
    entries = [
        each
        for each in db.session.scalars(wanted.order_by(Entry.id.desc()))
        if each.facts.get("window", number) == number
    ]
    names = desk.names(entries)
    return desk_page(
        "organisers/watcher.html",
        organiser,
        status=status,
        workshop=found,
        watcher=watcher,
        form=form,
        happened=[(each, words.actor(each, names), words.entry(each)) for each in entries],
        done=request.args.get("done", "") if request.method == "GET" else "",
        now=clock.now(),
    )


def _known(text: str | None, names: tuple[str, ...]) -> str:
    found = forms.one_line(text)
    return found if found in names else names[0]
