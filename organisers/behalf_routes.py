"""What the team does on a booker's behalf: end a place, pass it on, move it. By the terms of the booking, whose answer
is shown first, or on terms of the team's own with a reason. Owners and managers only."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from typing import Any, NamedTuple

from flask import Blueprint, abort, redirect, request, url_for
from werkzeug.wrappers import Response as Answer

from accounts import open_to
from accounts.models import Organiser
from bookings import behalf, change_rows, change_terms, changes, changing, lifecycle, pages, refund_bases, transfers
from bookings.behalf import Case
from bookings.change_routes import attendee_of
from bookings.change_terms import Act, Deal, Ruling
from bookings.models import Attendee, Booking
from lib import clock, db, forms, money, web, zones
from organisers.people_routes import Problems, shown
from organisers.routes import MANAGERS, actor
from payments.models import PaymentAttempt
from payments.refunds import MoreThanPaid

bp = Blueprint("organise_behalf", __name__, url_prefix="/organise/<organiser>/bookings/<reference:reference>")
LONGEST_NAME = 200
LONGEST_WHY = 300
NO_REASON = "Please say why. It is kept in the booking's history."
NO_WAY = "Please choose what becomes of the money."


class Chosen(NamedTuple):
    """What was ticked and typed about the money: the deal of the terms by its number, or terms of the team's own."""

    choice: int
    promised: str
    instead: Deal | None


@bp.get("/cancellation")
@open_to.team(*MANAGERS)
def ending(organiser: Organiser, reference: str) -> Answer:
    return _end_page(organiser, _confirmed(organiser, reference))


@bp.post("/cancellation")
@open_to.team(*MANAGERS)
def end(organiser: Organiser, reference: str) -> Answer:
    booking = _confirmed(organiser, reference)
    numbers = request.form.getlist("attendee", type=int)
    if not numbers:
        return _end_page(organiser, booking, [("people", "Please choose whose place ends.")], status=422)
    gone = [each for each in booking.attendees if each.n in numbers]
    chosen, problems = _chosen(booking, gone)
    if problems:
        return _end_page(organiser, booking, problems, status=422)
    ruling, act = _ruling(booking, chosen), _act(chosen)
    return _done(
        organiser,
        booking,
        lambda locked: changes.cancel(locked, numbers, chosen.choice, chosen.promised, act, ruling),
        lambda wrong, refusal: _end_page(organiser, booking, wrong, refusal=refusal, status=refusal.status),
        "ended",
    )


@bp.get("/attendees/<int:n>/substitution")
@open_to.team(*MANAGERS)
def passing_on(organiser: Organiser, reference: str, n: int) -> Answer:
    booking = _confirmed(organiser, reference)
    return _pass_on_page(organiser, booking, attendee_of(booking, n))


@bp.post("/attendees/<int:n>/substitution")
@open_to.team(*MANAGERS)
def pass_on(organiser: Organiser, reference: str, n: int) -> Answer:
    booking = _confirmed(organiser, reference)
    attendee = attendee_of(booking, n)
    name, email = forms.one_line(request.form.get("name")), ""
    chosen, problems = _chosen(booking, [attendee])
    try:
        email = forms.email(request.form.get("email"))
    except ValueError as problem:
        problems.insert(0, ("email", str(problem)))
    if not name or len(name) > LONGEST_NAME:
        problems.insert(0, ("name", f"Please give the colleague's name, of up to {LONGEST_NAME} characters."))
    if problems:
        return _pass_on_page(organiser, booking, attendee, problems, status=422)
    ruling, act, shared = _ruling(booking, chosen), _act(chosen), "shared" in request.form
    return _done(
        organiser,
        booking,
        lambda locked: changes.substitute(locked, n, name, email, chosen.promised, act, shared=shared, ruling=ruling),
        lambda wrong, refusal: _pass_on_page(
            organiser, booking, attendee, wrong, refusal=refusal, status=refusal.status
        ),
        "passed-on",
    )


@bp.get("/attendees/<int:n>/transfer")
@open_to.team(*MANAGERS)
def moving(organiser: Organiser, reference: str, n: int) -> Answer:
    booking = _confirmed(organiser, reference)
    return _move_page(organiser, booking, attendee_of(booking, n))


@bp.post("/attendees/<int:n>/transfer")
@open_to.team(*MANAGERS)
def move(organiser: Organiser, reference: str, n: int) -> Answer:
    booking = _confirmed(organiser, reference)
    attendee = attendee_of(booking, n)
    key = request.form.get("to", "")
    chosen, problems = _chosen(booking, [attendee])
    if not key:
        problems.insert(0, ("to", "Please choose where to."))
    if problems:
        return _move_page(organiser, booking, attendee, problems, status=422)
    ruling, act = _ruling(booking, chosen), _act(chosen)
    promised = request.form.get(f"quoted-{key}", "")
    return _done(
        organiser,
        booking,
        lambda locked: transfers.transfer(locked, n, key, promised, act, ruling),
        lambda wrong, refusal: _move_page(organiser, booking, attendee, wrong, refusal=refusal, status=refusal.status),
        "place-moved",
    )


def _done(
    organiser: Organiser,
    booking: Booking,
    act: Callable[[Booking], PaymentAttempt | None],
    refused: Callable[[Problems, web.Refusal], Answer],
    done: str,
) -> Answer:
    """Do it to the locked booking and go back to its page; a refusal is shown with the terms as they are now."""
    reference, bill_id = booking.reference, booking.bill_id
    try:
        with db.writing():
            is_owing = act(lifecycle.locked(bill_id)) is not None
    except web.Refusal as refusal:
        fields = {MoreThanPaid: "back", changing.AddressTaken: "email"}
        field = fields.get(type(refusal))
        return refused([(field, refusal.message)] if field else [], refusal)
    done = "to-be-paid" if is_owing else done
    page = url_for("organise_people.booking", organiser=organiser.slug, reference=reference, done=done)
    return redirect(page, code=303)


def _chosen(booking: Booking, gone: Sequence[Attendee]) -> tuple[Chosen, Problems]:
    """What becomes of the money, and why: said at the fields what is missing."""
    way, problems = request.form.get("way", ""), Problems()
    choice, instead = 0, None
    if way.startswith("terms-") and way[6:].isdigit():
        choice = int(way[6:])
    elif way == "nothing":
        instead = behalf.decided(booking)
    elif way == "all":
        instead = behalf.decided(booking, behalf.most(booking, gone))
    elif way == "other":
        instead = _other(booking, problems)
    else:
        problems.append(("way", NO_WAY))
    if not _why():
        problems.append(("why", NO_REASON))
    return Chosen(choice, request.form.get(f"quoted-{way}", ""), instead), problems


def _other(booking: Booking, problems: Problems) -> Deal | None:
    amounts: dict[str, int] = {"back": 0, "credit": 0}
    for name in amounts:
        typed = request.form.get(name, "").strip()
        try:
            amounts[name] = money.parse(typed, booking.currency) if typed else 0
        except ValueError as problem:
            problems.append((name, str(problem)))
    until = None
    if amounts["credit"] and (last := request.form.get("until", "").strip()):
        try:
            until = _end_of(last, booking.organiser.zone)
        except ValueError:
            problems.append(("until", "Please give the last day as a date, such as 2027-12-31."))
        else:
            if until <= clock.now():
                problems.append(("until", "That day is over. Please give a day that is still to come."))
    if not problems and not any(amounts.values()):
        problems.append(("back", "Please give an amount, or choose that nothing goes back."))
    return None if problems else behalf.decided(booking, amounts["back"], amounts["credit"], until)


def _end_of(typed: str, zone: str) -> datetime:
    """The first instant after a day, in the organiser's zone. Raises ValueError."""
    last = date.fromisoformat(typed)
    return zones.instant(datetime.combine(date.fromordinal(last.toordinal() + 1), time()), zone)


def _why() -> str:
    return forms.one_line(request.form.get("why"))[:LONGEST_WHY]


def _act(chosen: Chosen) -> Act:
    source = "organiser" if chosen.instead else "rule"
    return Act(actor(), _why(), clock.now(), source, is_told="is_told" in request.form)


def _ruling(booking: Booking, chosen: Chosen) -> Ruling:
    found = _case(booking)
    return Ruling(found.action, found.reason, chosen.instead)


def _case(booking: Booking, *asked: str) -> Case:
    """What happened, as it was chosen; the first the policy knows where nothing was."""
    every = behalf.cases(booking, *asked)
    return next((each for each in every if each.key == request.values.get("case")), every[0])


def _end_page(
    organiser: Organiser,
    booking: Booking,
    problems: Problems | None = None,
    *,
    refusal: web.Refusal | None = None,
    status: int = 200,
) -> Answer:
    staying = [each for each in booking.attendees if each.state == "confirmed"]
    asked = set(request.values.getlist("attendee", type=int))
    leaving = staying if len(staying) == 1 else [each for each in staying if each.n in asked]
    case = _case(booking)
    offers = changes.offers(booking, leaving, clock.now(), Ruling(case.action, case.reason))
    lost = refund_bases.re_rated(booking, leaving)
    return _page(
        "organisers/behalf_end.html",
        organiser,
        booking,
        problems,
        refusal,
        status,
        staying=staying,
        leaving=leaving,
        cases=[(each.key, each.words) for each in behalf.cases(booking)],
        case=case,
        offers=offers,
        deals=change_terms.totals(offers),
        re_rated=lost.words if lost else "",
        most=behalf.most(booking, leaving),
    )


def _pass_on_page(
    organiser: Organiser,
    booking: Booking,
    attendee: Attendee,
    problems: Problems | None = None,
    *,
    refusal: web.Refusal | None = None,
    status: int = 200,
) -> Answer:
    case = _case(booking, "substitute")
    moved, passed_on = change_rows.moved(booking)[attendee.id], change_rows.passed_on(booking)[attendee.id]
    ruling = Ruling(case.action, case.reason)
    return _page(
        "organisers/behalf_pass_on.html",
        organiser,
        booking,
        problems,
        refusal,
        status,
        attendee=attendee,
        cases=[(each.key, each.words) for each in behalf.cases(booking, "substitute")],
        case=case,
        offer=change_terms.offer(attendee, "substitute", clock.now(), moved=moved, passed_on=passed_on, ruling=ruling),
    )


def _move_page(
    organiser: Organiser,
    booking: Booking,
    attendee: Attendee,
    problems: Problems | None = None,
    *,
    refusal: web.Refusal | None = None,
    status: int = 200,
) -> Answer:
    case = _case(booking, "transfer")
    return _page(
        "organisers/behalf_move.html",
        organiser,
        booking,
        problems,
        refusal,
        status,
        attendee=attendee,
        cases=[(each.key, each.words) for each in behalf.cases(booking, "transfer")],
        case=case,
        targets=transfers.targets(attendee, clock.now(), Ruling(case.action, case.reason)),
        most=behalf.most(booking, [attendee]),
    )


def _page(
    template: str,
    organiser: Organiser,
    booking: Booking,
    problems: Problems | None,
    refusal: web.Refusal | None,
    status: int,
    **values: Any,
) -> Answer:
    return shown(
        template,
        organiser,
        status=status,
        booking=booking,
        problems=problems or [],
        refusal=None if problems else refusal,
        typed=request.form,
        quoted=change_rows.quoted,
        **values,
    )


def _confirmed(organiser: Organiser, reference: str) -> Booking:
    """The organiser's booking, or 404. Raises PlaceOver while it is not confirmed, or no more."""
    found = pages.booking_by_reference(reference)
    if found is None or found.organiser_id != organiser.id:
        abort(404)
    if found.state != "confirmed":
        raise changing.PlaceOver(
            "Only the places of a confirmed booking can be changed. Nothing was done; its page says how it stands.",
            next_url=url_for("organise_people.booking", organiser=organiser.slug, reference=reference),
            next_text="Open the booking",
        )
    return found
