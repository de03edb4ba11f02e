"""Money the team sends back or keeps as a credit by hand, in full or in part, for one person or for nobody in
particular. Owners and managers only; each act is kept in history with its reason."""

from datetime import date, datetime, time

from flask import Blueprint, abort, redirect, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as Answer

from accounts import open_to
from accounts.models import Organiser
from bookings import credit_links, lifecycle, money_letters, returning
from bookings.models import Booking
from history import models as history
from lib import clock, db, forms, money, web, zones
from organisers.people_routes import Problems, booking_page
from organisers.routes import MANAGERS, actor
from payments import credits, refunds
from payments.models import Payment, Refund

bp = Blueprint("organise_money", __name__, url_prefix="/organise/<organiser>/bookings/<reference:reference>")
LONGEST_WHY = 180


@bp.post("/refunds")
@open_to.team(*MANAGERS)
def give_back(organiser: Organiser, reference: str) -> Answer:
    booking = _booking(organiser, reference)
    why, minor, problems = _why_and_amount(booking)
    whose, until, as_credit = request.form.get("whose", ""), None, request.form.get("way") == "credit"
    if whose and whose not in [str(each.n) for each in booking.attendees]:
        problems.append(("back-whose", "Please choose one of the people of this booking."))
    if as_credit and request.form.get("until"):
        try:
            until = _end_of(request.form["until"], organiser.zone)
        except ValueError:
            problems.append(("back-until", "Please give the last day as a date, such as 2027-12-31."))
    if problems:
        return booking_page(organiser, reference, problems, 422)
    bill_id, by, now = booking.bill_id, actor(), clock.now()
    try:
        with db.writing():
            _give(lifecycle.locked(bill_id), minor, why, whose, as_credit, until, by, now)
    except web.Refusal as refusal:
        return booking_page(organiser, reference, [("back-amount", refusal.message)], refusal.status)
    return _to_booking(organiser, reference, "credited" if as_credit else "back")


@bp.post("/refunds/<int:number>/again")
@open_to.team(*MANAGERS)
def again(organiser: Organiser, reference: str, number: int) -> Answer:
    booking = _booking(organiser, reference)
    of_bill = select(Refund.id).join(Payment, Payment.id == Refund.payment_id).where(Payment.bill_id == booking.bill_id)
    if db.session.scalar(of_bill.where(Refund.id == number)) is None:
        abort(404)
    about, by, now = f"booking:{booking.id}", actor(), clock.now()
    try:
        with db.writing():
            refund = refunds.again(number, now)
            facts = {"amount_minor": refund.amount_minor, "currency": refund.currency}
            history.record(about, "refund_repeated", at=now, actor=by, organiser_id=organiser.id, facts=facts)
    except web.Refusal as refusal:
        return booking_page(organiser, reference, [(f"refund-{number}", refusal.message)], refusal.status)
    return _to_booking(organiser, reference, "back")


@bp.post("/credits/<int:number>/link")
@open_to.team(*MANAGERS)
def renew_link(organiser: Organiser, reference: str, number: int) -> Answer:
    """End the links to the statement that a credit of this booking stands on; a new one goes to its person."""
    booking, by, now = _booking(organiser, reference), actor(), clock.now()
    credit = next((each for each in credits.of_bill(booking.bill_id) if each.id == number), None) or abort(404)
    with db.writing():
        credit_links.end(credit, actor=by, now=now)
    return _to_booking(organiser, reference, "link-ended")


def _give(
    booking: Booking,
    minor: int,
    why: str,
    whose: str,
    as_credit: bool,
    until: datetime | None,
    by: str,
    now: datetime,
) -> None:
    most = returning.remaining_of(booking.bill_id)
    if minor > most:
        raise refunds.MoreThanPaid(
            f"{money.text(most, booking.currency)} of this booking can go back. Nothing was sent."
        )
    if as_credit:
        email = booking.booker_email
        returning.keep_as_credit(booking, minor, email=email, reason=why, expires_at=until, actor=by, now=now)
        return
    shares = {each.id: minor for each in booking.attendees if str(each.n) == whose}
    back = returning.give(booking, minor, source="organiser", reason=why, actor=by, now=now, shares=shares)
    if back.refunds:
        money_letters.given_back(booking, back.refund_minor, now)


def _why_and_amount(booking: Booking) -> tuple[str, int, Problems]:
    why = forms.one_line(request.form.get("why"))[:LONGEST_WHY]
    problems: Problems = [] if why else [("back-why", "Please say why. It is kept in the booking's history.")]
    minor = 0
    try:
        minor = money.parse(request.form.get("amount", ""), booking.currency)
        if minor == 0:
            raise ValueError("Please give an amount of more than nothing.")
    except ValueError as problem:
        problems.insert(0, ("back-amount", str(problem)))
    return why, minor, problems


def _end_of(typed: str, zone: str) -> datetime:
    """The first instant after a day, in the organiser's zone. Raises ValueError."""
    last = date.fromisoformat(typed)
    return zones.instant(datetime.combine(date.fromordinal(last.toordinal() + 1), time()), zone)


def _booking(organiser: Organiser, reference: str) -> Booking:
    wanted = select(Booking).where(Booking.organiser_id == organiser.id, Booking.reference == reference)
    found = db.session.scalars(wanted).one_or_none()
    if found is None:
        abort(404)
    return found


def _to_booking(organiser: Organiser, reference: str, done: str) -> Answer:
    page = url_for("organise_people.booking", organiser=organiser.slug, reference=reference, done=done)
    return redirect(page, code=303)
