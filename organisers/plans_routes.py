"""Who still has parts of a price to pay, and who is late with them; parts that were paid past Stripe. What else follows
is decided on the booking's page."""

from flask import Blueprint, abort, redirect, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as Answer

from accounts import open_to
from accounts.models import Organiser
from bookings import lifecycle, plan_desk, plan_pages
from bookings.models import Booking
from lib import clock, db, money, web, zones
from organisers.invoice_forms import ReceivedForm
from organisers.people_routes import shown
from organisers.routes import MANAGERS, actor

bp = Blueprint("organise_plans", __name__, url_prefix="/organise/<organiser>")


@bp.get("/instalments")
@open_to.team(*MANAGERS)
def listed(organiser: Organiser) -> Answer:
    return shown("organisers/plans.html", organiser, plans=plan_pages.open_plans(organiser.id, clock.now()))


@bp.get("/bookings/<reference:reference>/instalments")
@open_to.team(*MANAGERS)
def paying(organiser: Organiser, reference: str) -> Answer:
    return _page(organiser, _booking(organiser, reference))


@bp.post("/bookings/<reference:reference>/instalments")
@open_to.team(*MANAGERS)
def receive(organiser: Organiser, reference: str) -> Answer:
    booking, now = _booking(organiser, reference), clock.now()
    form = ReceivedForm(request.form)
    if not form.is_right(booking.currency, zones.wall(now, organiser.zone).date()):
        return _page(organiser, booking, form, 422)
    bill_id, next_part = booking.bill_id, request.form.get("next", 0, int)
    got, by = form.received(now, organiser.zone), actor()
    try:
        with db.writing():
            plan_desk.receive(lifecycle.locked(bill_id), got, next_part, actor=by, now=now)
    except web.Refusal as refusal:
        form.amount.errors = [refusal.message]
        return _page(organiser, booking, form, refusal.status)
    page = url_for("organise_people.booking", organiser=organiser.slug, reference=reference, done="part-paid")
    return redirect(page, code=303)


def _booking(organiser: Organiser, reference: str) -> Booking:
    wanted = select(Booking).where(Booking.organiser_id == organiser.id, Booking.reference == reference)
    return db.session.scalars(wanted).one_or_none() or abort(404)


def _page(organiser: Organiser, booking: Booking, form: ReceivedForm | None = None, status: int = 200) -> Answer:
    now, parts = clock.now(), plan_desk.open_of(booking)
    blank = ReceivedForm(
        amount=money.plain(parts[0].minor if parts else 0, booking.currency),
        day=zones.wall(now, organiser.zone).date(),
    )
    return shown(
        "organisers/instalment.html",
        organiser,
        status=status,
        booking=booking,
        plan=plan_pages.view(booking, now),
        parts=parts,
        form=form or blank,
        problems=[(bound.id, str(bound.errors[0])) for bound in form or () if bound.errors],
    )
