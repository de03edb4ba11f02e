"""Names and addresses put right by whoever booked or by the attendee, and the page behind the letter that asks."""

from collections.abc import Callable

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from accounts import open_to
from bookings import change_routes, changing, correcting, corrections, letters, lifecycle, pages
from bookings.address_models import NewAddress
from bookings.change_terms import Act
from bookings.models import Attendee, Booking
from lib import clock, db, forms, limits, links, web

bp = Blueprint("correcting", __name__)
addresses = Blueprint("addresses", __name__)
LONGEST_NAME = 200
Problems = list[tuple[str, str]]
ONE_AT_A_TIME = "Please put the name or the address right; the organiser does both together."


@bp.get("/bookings/<reference:reference>/corrections")
@open_to.holder_of_link
def booker(reference: str) -> Answer:
    return _booker_page(change_routes.confirmed(reference))


@bp.post("/bookings/<reference:reference>/corrections")
@open_to.holder_of_link
@limits.limiter.limit("10 per hour", key_func=limits.by_path)
def correct_booker(reference: str) -> Answer:
    booking = change_routes.confirmed(reference)
    name, email, problems = _typed()
    if not problems and (name, email) == (booking.booker_name, booking.booker_email):
        problems.append(("name", "Name and address are what they were."))
    if problems:
        return _booker_page(booking, problems, 422)
    act = Act("booker", "", clock.now())
    reference, bill_id = booking.reference, booking.bill_id
    is_moved = email != booking.booker_email
    with db.writing():
        locked = lifecycle.locked(bill_id)
        if name != locked.booker_name:
            correcting.correct_booker_name(locked, name, act)
        if email != locked.booker_email:
            correcting.ask_booker_address(locked, email, act)
    done = "asked" if is_moved else "name"
    return redirect(url_for(".booker", reference=reference, done=done), code=303)


@bp.get("/bookings/<reference:reference>/attendees/<int:n>/correction")
@open_to.holder_of_link
def attendee(reference: str, n: int) -> Answer:
    booking = change_routes.confirmed(reference)
    return _page(_of(booking, n), f"/bookings/{booking.reference}", _action(booking, n))


@bp.post("/bookings/<reference:reference>/attendees/<int:n>/correction")
@open_to.holder_of_link
@limits.limiter.limit("10 per hour", key_func=limits.by_path)
def correct_attendee(reference: str, n: int) -> Answer:
    booking = change_routes.confirmed(reference)
    found = _of(booking, n)
    back = url_for(".booker", reference=booking.reference)

    def after(_corrected: Attendee, done: str) -> str:
        return f"{back}?done={done}"

    return _correct(found, "booker", f"/bookings/{booking.reference}", _action(booking, n), after)


@bp.get("/places/<token>/correction")
@open_to.holder_of_link
def own(token: str) -> Answer:
    return _page(_holder(token), f"/places/{token}", f"/places/{token}/correction")


@bp.post("/places/<token>/correction")
@open_to.holder_of_link
@limits.limiter.limit("10 per hour", key_func=limits.by_path)
def correct_own(token: str) -> Answer:
    def after(corrected: Attendee, done: str) -> str:
        return f"{letters.place_url(corrected)}/correction?done={done}"

    return _correct(_holder(token), "attendee", f"/places/{token}", f"/places/{token}/correction", after)


@addresses.get("/addresses/<token>")
@open_to.holder_of_link
def asked(token: str) -> Answer:
    new = _new(token)
    correcting.refuse_spent(new, clock.now())
    page = render_template(
        "bookings/address.html", new=new, attendee=correcting.attendee_of(new), booking=new.booking, token=token
    )
    return web.private(Response(page))


@addresses.post("/addresses/<token>")
@open_to.holder_of_link
def answer(token: str) -> Answer:
    new = _new(token)
    number, bill_id, now = new.id, new.booking.bill_id, clock.now()
    with db.writing():
        booking = lifecycle.locked(bill_id)
        new = db.session.get_one(NewAddress, number, populate_existing=True)
        correcting.answer(booking, new, now)
        whose = correcting.attendee_of(new)
        page = letters.place_url(whose) if whose else letters.booking_url(booking)
    return _on_to(page)


def _correct(found: Attendee, actor: str, back: str, action: str, after: Callable[[Attendee, str], str]) -> Answer:
    """Correct the name at once or write to the new address, and go on; what stands against it is said at its field."""
    name, email, problems = _typed()
    is_renamed, is_moved = name != found.name, email != found.email
    if not problems and is_renamed and is_moved:
        problems = [("name", ONE_AT_A_TIME), ("email", ONE_AT_A_TIME)]
    elif not problems and not (is_renamed or is_moved):
        problems = [("name", "Name and address are what they were.")]
    if problems:
        return _page(found, back, action, problems, status=422)
    n, number, bill_id = found.n, found.id, found.booking.bill_id
    act, is_shared = Act(actor, "", clock.now()), "shared" in request.form
    try:
        with db.writing():
            booking = lifecycle.locked(bill_id)
            if is_renamed:
                correcting.correct_name(booking, n, name, act)
            else:
                correcting.ask_address(booking, n, email, act, is_shared=is_shared)
    except (correcting.SomebodyElse, corrections.AddressTaken) as refusal:
        field = "name" if is_renamed else "email"
        return _page(_again(number), back, action, [(field, refusal.message)], status=refusal.status)
    except web.Refusal as refusal:
        if web.wants_json():
            raise
        return _page(_again(number), back, action, refusal=refusal, status=refusal.status)
    return _on_to(after(_again(number), "name" if is_renamed else "asked"))


def _on_to(address: str) -> Answer:
    return web.private(Response(status=303, headers={"Location": address}))


def _typed() -> tuple[str, str, Problems]:
    name, email, problems = forms.one_line(request.form.get("name")), "", Problems()
    if not name or len(name) > LONGEST_NAME:
        problems.append(("name", f"Please give a name of up to {LONGEST_NAME} characters."))
    try:
        email = forms.email(request.form.get("email"))
    except ValueError as problem:
        problems.append(("email", str(problem)))
    return name, email, problems


def _page(
    found: Attendee,
    back: str,
    action: str,
    problems: Problems | None = None,
    *,
    refusal: web.Refusal | None = None,
    status: int = 200,
) -> Answer:
    page = render_template(
        "bookings/correction.html",
        attendee=found,
        back=back,
        action=action,
        why_not=correcting.why_not(found, clock.now()),
        problems=problems or [],
        refusal=refusal,
        typed=request.form,
        done=request.args.get("done", ""),
    )
    return web.private(Response(page, status=status))


def _booker_page(booking: Booking, problems: Problems | None = None, status: int = 200) -> Answer:
    page = render_template(
        "bookings/corrections.html",
        booking=booking,
        problems=problems or [],
        typed=request.form,
        done=request.args.get("done", ""),
    )
    return web.private(Response(page, status=status))


def _action(booking: Booking, n: int) -> str:
    return f"/bookings/{booking.reference}/attendees/{n}/correction"


def _of(booking: Booking, n: int) -> Attendee:
    found = next((each for each in booking.attendees if each.n == n), None)
    if found is None:
        abort(404)
    return found


def _holder(token: str) -> Attendee:
    """The attendee whose place this is."""
    number = links.row_of(token)
    found = pages.attendee_by_id(number) if number else None
    if found is None or not links.verify_token("place", found.link_version, token):
        abort(404)
    if found.state != "confirmed":
        raise changing.PlaceOver("This place has ended, or is not confirmed yet. Nothing was done.")
    return found


def _again(number: int) -> Attendee:
    found = pages.attendee_by_id(number)
    if found is None:
        abort(404)
    return found


def _new(token: str) -> NewAddress:
    found = correcting.by_token(token)
    if found is None:
        abort(404)
    return found
