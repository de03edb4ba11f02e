"""What the team does for people: put a name or an address right, send a letter again, give a place.

Owners and managers only; each act is kept in history with its reason.
"""

from collections.abc import Callable

from flask import Blueprint, abort, redirect, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as Answer

from accounts import open_to
from accounts.models import Organiser
from bookings import comping, corrections, lifecycle
from bookings.models import Attendee, Booking
from lib import clock, db, forms, web
from organisers.people_routes import Problems, booking_page, shown, workshop_of
from organisers.routes import MANAGERS, actor

bp = Blueprint("organise_acts", __name__, url_prefix="/organise/<organiser>")
LONGEST_NAME = 200
LONGEST_WHY = 300
NO_REASON = "Please say why. It is kept in the booking's history."


@bp.post("/bookings/<reference:reference>/attendees/<int:n>/correction")
@open_to.team(*MANAGERS)
def correct(organiser: Organiser, reference: str, n: int) -> Answer:
    bill_id = _bill(organiser, reference, n)
    name, why, problems = _name_and_why(f"-{n}")
    email = ""
    try:
        email = forms.email(request.form.get("email"))
    except ValueError as problem:
        problems.append((f"email-{n}", str(problem)))
    if problems:
        return booking_page(organiser, reference, problems, 422)
    wanted = corrections.Correction(name, email, why, shared="shared" in request.form)
    by, now = actor(), clock.now()

    def act(booking: Booking) -> None:
        corrections.correct(booking, n, wanted, actor=by, now=now)

    return _done(organiser, reference, bill_id, act, f"email-{n}", "corrected")


@bp.post("/bookings/<reference:reference>/attendees/<int:n>/letter")
@open_to.team(*MANAGERS)
def resend_place(organiser: Organiser, reference: str, n: int) -> Answer:
    """From the booking's page, or from the list of a workshop's people, which it then leads back to."""
    bill_id = _bill(organiser, reference, n)
    why = _why()
    if not why:
        return booking_page(organiser, reference, [(f"again-{n}", NO_REASON)], 422)
    by, now = actor(), clock.now()

    def act(booking: Booking) -> None:
        corrections.resend_place(booking, n, why, actor=by, now=now)

    slug = forms.one_line(request.form.get("list"))
    back = None
    if slug:
        workshop_of(organiser, slug)
        back = url_for("organise_people.people", organiser=organiser.slug, slug=slug, done="sent")
    return _done(organiser, reference, bill_id, act, f"again-{n}", "sent", back)


@bp.post("/bookings/<reference:reference>/receipt")
@open_to.team(*MANAGERS)
def resend_receipt(organiser: Organiser, reference: str) -> Answer:
    bill_id = _bill(organiser, reference)
    why = _why()
    if not why:
        return booking_page(organiser, reference, [("again", NO_REASON)], 422)
    by, now = actor(), clock.now()

    def act(booking: Booking) -> None:
        corrections.resend_receipt(booking, why, actor=by, now=now)

    return _done(organiser, reference, bill_id, act, "again", "sent")


@bp.get("/workshops/<slug>/people/new")
@open_to.team(*MANAGERS)
def new_place(organiser: Organiser, slug: str) -> Answer:
    return _gift_page(organiser, slug, [])


@bp.post("/workshops/<slug>/people")
@open_to.team(*MANAGERS)
def give_place(organiser: Organiser, slug: str) -> Answer:
    workshop_of(organiser, slug)
    name, why, problems = _name_and_why()
    email = ""
    try:
        email = forms.email(request.form.get("email"))
    except ValueError as problem:
        problems.append(("email", str(problem)))
    if problems:
        return _gift_page(organiser, slug, problems, 422)
    ticket = forms.one_line(request.form.get("ticket"))
    gift = comping.Gift(slug, ticket, name, email, why, again="again" in request.form)
    number, by, now = organiser.id, actor(), clock.now()
    try:
        with db.writing():
            reference = comping.give(number, gift, actor=by, now=now).reference
    except comping.AlreadyComing as refusal:
        return _gift_page(organiser, slug, [("email", refusal.message)], refusal.status)
    except web.Refusal as refusal:
        return _gift_page(organiser, slug, [("ticket", refusal.message)], refusal.status)
    return _to_booking(organiser, reference, "given")


def _done(
    organiser: Organiser,
    reference: str,
    bill_id: int,
    act: Callable[[Booking], None],
    field: str,
    done: str,
    back: str | None = None,
) -> Answer:
    """Do it to the locked booking and go back to its page, or to `back`; a refusal stands at its field."""
    try:
        with db.writing():
            act(lifecycle.locked(bill_id))
    except web.Refusal as refusal:
        return booking_page(organiser, reference, [(field, refusal.message)], refusal.status)
    return redirect(back, code=303) if back else _to_booking(organiser, reference, done)


def _to_booking(organiser: Organiser, reference: str, done: str) -> Answer:
    page = url_for("organise_people.booking", organiser=organiser.slug, reference=reference, done=done)
    return redirect(page, code=303)


def _bill(organiser: Organiser, reference: str, n: int | None = None) -> int:
    """The bill of the organiser's booking, and that it has an attendee `n`; 404 otherwise."""
    wanted = select(Booking.bill_id).where(Booking.organiser_id == organiser.id, Booking.reference == reference)
    if n is not None:
        wanted = wanted.join(Attendee, Attendee.booking_id == Booking.id).where(Attendee.n == n)
    found = db.session.scalar(wanted)
    if found is None:
        abort(404)
    return found


def _why() -> str:
    return forms.one_line(request.form.get("why"))[:LONGEST_WHY]


def _name_and_why(tail: str = "") -> tuple[str, str, Problems]:
    name, why = forms.one_line(request.form.get("name")), _why()
    problems: Problems = []
    if not name or len(name) > LONGEST_NAME:
        problems.append((f"name{tail}", f"Please give a name of up to {LONGEST_NAME} characters."))
    if not why:
        problems.append((f"why{tail}", NO_REASON))
    return name, why, problems


def _gift_page(organiser: Organiser, slug: str, problems: Problems, status: int = 200) -> Answer:
    workshop = workshop_of(organiser, slug)
    now = clock.now()
    listing = comping.listing_of(organiser.id, slug, now)
    return shown(
        "organisers/place_new.html",
        organiser,
        status=status,
        workshop=workshop,
        tickets=[(each.code, each.name) for each in comping.tickets(listing, now)] if listing else [],
        problems=problems,
        typed=request.form if problems else {},
    )
