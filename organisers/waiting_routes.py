"""A workshop's waiting list at the desk: who waits, a place offered by hand, somebody taken off, how it works."""

from flask import Blueprint, abort, redirect, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from accounts import open_to
from accounts.models import Organiser
from bookings import desk, waiting, waiting_desk, waiting_refusals
from bookings.models import WaitingPerson
from courses import places
from courses.editing import NotPossible
from courses.models import Workshop
from history.models import Entry
from lib import clock, db, forms
from organisers import rows, words
from organisers.people_routes import shown as desk_page
from organisers.routes import MANAGERS, actor, note
from organisers.waiting_forms import WaitingSettingsForm

bp = Blueprint("organise_waiting", __name__, url_prefix="/organise/<organiser>/workshops/<slug>/waiting")
LONGEST_WHY = 300


@bp.get("")
@open_to.team(*MANAGERS)
def shown(organiser: Organiser, slug: str) -> Response:
    found = rows.workshop(organiser, slug)
    return _page(organiser, found, WaitingSettingsForm(obj=found))


@bp.post("/settings")
@open_to.team(*MANAGERS)
def save_settings(organiser: Organiser, slug: str) -> Response:
    found = rows.workshop(organiser, slug)
    form = WaitingSettingsForm(request.form)
    if not form.validate():
        return _page(organiser, found, form, 422)
    with db.writing():
        found = rows.workshop(organiser, slug)
        form.populate_obj(found)
        note(organiser, f"workshop:{found.id}", "waiting_set", form.data)
        places.came_free(found.id, clock.now())  # more offers may be open at once now
    return _done(organiser, slug, "saved")


@bp.post("/<int:number>/offer")
@open_to.team(*MANAGERS)
def offer(organiser: Organiser, slug: str, number: int) -> Response:
    found = _person(rows.workshop(organiser, slug), number)
    name, workshop_id, by, now = found.name, found.workshop_id, actor(), clock.now()
    try:
        with db.writing():
            waiting.offer_by_hand(number, workshop_id, actor=by, now=now)
    except places.WorkshopFull as full:
        few = "no place is" if full.left == 0 else "too few places are"
        raise _refusal(
            organiser, slug, f"Of what {name} waits for, {few} free, in the reserve or beside it. Nothing was offered."
        ) from full
    except (waiting_refusals.NothingOffered, waiting_refusals.OfferSpent) as gone:
        raise _refusal(
            organiser, slug, f"{name} has an offer already or is off the list, or the ticket is no longer sold."
        ) from gone
    return _done(organiser, slug, "offered")


@bp.post("/<int:number>/removal")
@open_to.team(*MANAGERS)
def remove(organiser: Organiser, slug: str, number: int) -> Response:
    found = _person(rows.workshop(organiser, slug), number)
    why = forms.one_line(request.form.get("why"))[:LONGEST_WHY]
    workshop_id, by, now = found.workshop_id, actor(), clock.now()
    try:
        with db.writing():
            waiting.leave(number, workshop_id, now, actor=by, why=why)
    except waiting_refusals.OfferSpent as gone:
        raise _refusal(organiser, slug, "This person is not on the list any more. Nothing was changed.") from gone
    return _done(organiser, slug, "removed")


def _person(workshop: Workshop, number: int) -> WaitingPerson:
    wanted = select(WaitingPerson).where(WaitingPerson.id == number, WaitingPerson.workshop_id == workshop.id)
    return db.session.scalars(wanted).one_or_none() or abort(404)


def _page(organiser: Organiser, found: Workshop, form: WaitingSettingsForm, status: int = 200) -> Response:
    listed = waiting_desk.read(found.id, clock.now())
    names = desk.names([entry for entry, _ in listed.happened])
    return desk_page(
        "organisers/waiting.html",
        organiser,
        status=status,
        workshop=found,
        on_list=listed.on_list,
        over=listed.over,
        happened=[(entry, _who(entry, name, names), words.entry(entry), name) for entry, name in listed.happened],
        form=form,
        done=request.args.get("done", "") if request.method == "GET" else "",
    )


def _who(entry: Entry, name: str, team: dict[str, str]) -> str:
    return name if name and entry.actor == "waiting" else words.actor(entry, team)


def _refusal(organiser: Organiser, slug: str, message: str) -> NotPossible:
    there = url_for(".shown", organiser=organiser.slug, slug=slug)
    return NotPossible(message, next_url=there, next_text="Back to the waiting list")


def _done(organiser: Organiser, slug: str, what: str) -> Response:
    return redirect(url_for(".shown", organiser=organiser.slug, slug=slug, done=what), code=303)
