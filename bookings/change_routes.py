"""The booker's own changes: a place given up, passed on or moved, with the exact quote before the button."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from accounts import open_to
from bookings import (
    change_rows,
    change_terms,
    changes,
    changing,
    credit_letters,
    lifecycle,
    payment_routes,
    refund_bases,
    returning,
    transfers,
)
from bookings.change_terms import Act
from bookings.models import Attendee, Booking
from lib import clock, db, forms, web
from payments import gateway
from payments.models import PaymentAttempt

bp = Blueprint("changes", __name__)
LONGEST_NAME = 200
LONGEST_WHY = 300
Problems = list[tuple[str, str]]


@bp.get("/bookings/<reference:reference>/cancellation")
@open_to.holder_of_link
def cancelling(reference: str) -> Answer:
    return _cancel_page(confirmed(reference))


@bp.post("/bookings/<reference:reference>/cancellation")
@open_to.holder_of_link
def cancel(reference: str) -> Answer:
    booking = confirmed(reference)
    numbers = request.form.getlist("attendee", type=int)
    if not numbers:
        staying = [each.n for each in booking.attendees if each.state == "confirmed"]
        if len(staying) > 1:
            return _cancel_page(booking, problems=[("people", "Please choose who does not come.")], status=422)
        numbers = staying
    choice = request.form.get("choice", 0, int)
    promised = request.form.get(f"quoted-{choice}", "")
    act = Act("booker", forms.one_line(request.form.get("why"))[:LONGEST_WHY], clock.now())
    return _done(
        booking,
        lambda locked: changes.cancel(locked, numbers, choice, promised, act),
        lambda refusal: _cancel_page(booking, refusal=refusal, status=refusal.status),
    )


@bp.get("/bookings/<reference:reference>/attendees/<int:n>/substitution")
@open_to.holder_of_link
def substituting(reference: str, n: int) -> Answer:
    booking = confirmed(reference)
    return _substitute_page(booking, attendee_of(booking, n))


@bp.post("/bookings/<reference:reference>/attendees/<int:n>/substitution")
@open_to.holder_of_link
def substitute(reference: str, n: int) -> Answer:
    booking = confirmed(reference)
    attendee = attendee_of(booking, n)
    if not change_terms.offer(attendee, "substitute", clock.now()).deals:
        return _substitute_page(booking, attendee, status=409)
    name, problems = forms.one_line(request.form.get("name")), Problems()
    if not name or len(name) > LONGEST_NAME:
        problems.append(("name", f"Please give the colleague's name, of up to {LONGEST_NAME} characters."))
    email = ""
    try:
        email = forms.email(request.form.get("email"))
    except ValueError as problem:
        problems.append(("email", str(problem)))
    if problems:
        return _substitute_page(booking, attendee, problems=problems, status=422)
    act = Act("booker", "", clock.now())
    promised, shared = request.form.get("quoted", ""), "shared" in request.form

    def refused(refusal: web.Refusal) -> Answer:
        wrong = [("email", refusal.message)] if isinstance(refusal, changing.AddressTaken) else []
        return _substitute_page(
            booking, attendee, problems=wrong, refusal=None if wrong else refusal, status=refusal.status
        )

    return _done(
        booking, lambda locked: changes.substitute(locked, n, name, email, promised, act, shared=shared), refused
    )


@bp.get("/bookings/<reference:reference>/transfer")
@open_to.holder_of_link
def transferring(reference: str) -> Answer:
    booking = confirmed(reference)
    return _transfer_page(booking, attendee_of(booking, request.args.get("attendee", -1, int)))


@bp.post("/bookings/<reference:reference>/transfer")
@open_to.holder_of_link
def transfer(reference: str) -> Answer:
    booking = confirmed(reference)
    n = request.form.get("attendee", -1, int)
    attendee = attendee_of(booking, n)
    key = request.form.get("to", "")
    if not key:
        if not any(each.offer.deals for each in transfers.targets(attendee, clock.now())):
            return _transfer_page(booking, attendee, status=409)
        return _transfer_page(booking, attendee, problems=[("to", "Please choose where to.")], status=422)
    promised = request.form.get(f"quoted-{key}", "")
    act = Act("booker", "", clock.now())
    return _done(
        booking,
        lambda locked: transfers.transfer(locked, n, key, promised, act),
        lambda refusal: _transfer_page(booking, attendee, refusal=refusal, status=refusal.status),
    )


@bp.post("/bookings/<reference:reference>/changes/withdrawal")
@open_to.holder_of_link
def withdraw(reference: str) -> Answer:
    """Leave a change that waits for its payment; one that was paid meanwhile is made. Raises PaymentAway."""
    booking = confirmed(reference)
    waiting = change_rows.owing(booking.id)
    reference, bill_id, now = booking.reference, booking.bill_id, clock.now()
    if waiting:
        number = waiting.id
        try:
            payment_routes.close_page(bill_id, now)
        except gateway.GatewayUnreachable as problem:
            raise payment_routes.PaymentAway(
                "The change still waits, and nothing has been charged. Please try again in a minute."
            ) from problem
        with db.writing():
            lifecycle.locked(bill_id)
            change = change_rows.by_id(number)
            if change.state == "owing":
                change_rows.lapse(change, now, "booker")
    return redirect(url_for("bookings.shown", reference=reference, changed="no"), code=303)


def _done(
    booking: Booking,
    act: Callable[[Booking], PaymentAttempt | None],
    refused: Callable[[web.Refusal], Answer],
) -> Answer:
    """Do it to the locked booking, and go on to its page or to Stripe; a refusal is shown with a new quote."""
    reference, bill_id = booking.reference, booking.bill_id
    try:
        with db.writing():
            is_owing = act(lifecycle.locked(bill_id)) is not None
    except web.Refusal as refusal:
        if web.wants_json():
            raise
        return refused(refusal)
    if is_owing:
        return payment_routes.on_to_payment(reference)
    return redirect(url_for("bookings.shown", reference=reference, changed="yes"), code=303)


def _cancel_page(
    booking: Booking, *, problems: Problems | None = None, refusal: web.Refusal | None = None, status: int = 200
) -> Answer:
    now = clock.now()
    staying = [each for each in booking.attendees if each.state == "confirmed"]
    asked = set(request.values.getlist("attendee", type=int))
    leaving = staying if len(staying) == 1 else [each for each in staying if each.n in asked]
    offers = changes.offers(booking, leaving, now)
    deals, lost = change_terms.totals(offers), refund_bases.re_rated(booking, leaving)
    on_credits = [returning.to_credits(booking.bill_id, each.refund_minor) for each in deals]
    return _page(
        "bookings/cancellation.html",
        booking,
        status,
        staying=staying,
        leaving=leaving,
        offers=offers,
        deals=deals,
        credited=[credit_letters.back_words(booking, each, now) for each in on_credits],
        re_rated=lost.words if lost else "",
        passages=change_terms.passages(booking),
        problems=problems or [],
        refusal=refusal,
    )


def _substitute_page(
    booking: Booking,
    attendee: Attendee,
    *,
    problems: Problems | None = None,
    refusal: web.Refusal | None = None,
    status: int = 200,
) -> Answer:
    offer = change_terms.offer(
        attendee,
        "substitute",
        clock.now(),
        moved=change_rows.moved(booking)[attendee.id],
        passed_on=change_rows.passed_on(booking)[attendee.id],
    )
    return _page(
        "bookings/substitution.html",
        booking,
        status,
        attendee=attendee,
        offer=offer,
        problems=problems or [],
        refusal=refusal,
        typed=request.form,
    )


def _transfer_page(
    booking: Booking,
    attendee: Attendee,
    *,
    problems: Problems | None = None,
    refusal: web.Refusal | None = None,
    status: int = 200,
) -> Answer:
    found = transfers.targets(attendee, clock.now())
    return _page(
        "bookings/transfer.html",
        booking,
        status,
        attendee=attendee,
        targets=[each for each in found if each.offer.deals],
        refused=next((each.offer for each in found if not each.offer.deals), None),
        problems=problems or [],
        refusal=refusal,
    )


def _page(template: str, booking: Booking, status: int, **values: Any) -> Answer:
    page = render_template(template, booking=booking, quoted=change_rows.quoted, **values)
    return web.private(Response(page, status=status))


def confirmed(reference: str) -> Booking:
    """The booking for the holder of its key. Raises PlaceOver while it is not confirmed, or no more."""
    booking = payment_routes.opened(reference)
    if booking.state != "confirmed":
        raise changing.PlaceOver(
            "Only a confirmed booking can be changed here. Nothing was done; its page says how it stands.",
            next_url=url_for("bookings.shown", reference=reference),
            next_text="Open the booking",
        )
    return booking


def attendee_of(booking: Booking, n: int) -> Attendee:
    """The attendee of that n, or 404. Raises PlaceOver for one whose place has ended."""
    found = next((each for each in booking.attendees if each.n == n), None)
    if found is None:
        abort(404)
    if found.state != "confirmed":
        raise changing.PlaceOver("This place has ended already. Nothing was done.")
    return found
