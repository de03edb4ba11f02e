"""What is sold for a workshop: tickets with their prices, pools of places, questions."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from accounts import open_to
from accounts.models import Organiser
from bookings import invoice_terms
from courses import bundles_editing, places, tickets
from courses.editing import NotPossible
from courses.models import Question, TicketPrice, TicketType, Workshop
from lib import clock, db, money
from organisers import deposit_forms, rows
from organisers.choices import options
from organisers.routes import MANAGERS, Page, note, saved
from organisers.ticket_forms import (
    CapacityForm,
    PoolForm,
    QuestionForm,
    TicketForm,
    day_of,
    end_of,
    first_moment,
    last_day,
)

bp = Blueprint("organise_tickets", __name__, url_prefix="/organise/<organiser>/workshops/<slug>")
CURRENCIES = ("GBP", "EUR", "USD", "JPY")
PLAIN = (
    *("name", "hint", "kind", "seats", "least_people", "most_people", "proof", "is_in_room", "is_full_price"),
    *("includes_recording", "is_hidden"),
)


@bp.get("/tickets")
@open_to.team(*MANAGERS)
def shown(organiser: Organiser, slug: str) -> Page:
    return _page(organiser, rows.workshop(organiser, slug), PoolForm())


@bp.get("/tickets/new")
@open_to.team(*MANAGERS)
def new(organiser: Organiser, slug: str) -> Page:
    found = rows.workshop(organiser, slug)
    shared = [each.code for each in _shared(found)]
    currencies = dict.fromkeys((organiser.currency, *CURRENCIES))
    form = _form(found, pools=shared[:1], prices=[{"currency": each} for each in currencies], includes_recording=True)
    return _ticket_page(organiser, found, form, None)


@bp.post("/tickets")
@open_to.team(*MANAGERS)
def make(organiser: Organiser, slug: str) -> Page:
    return _save(organiser, slug, None)


@bp.get("/tickets/<code>")
@open_to.team(*MANAGERS)
def edit(organiser: Organiser, slug: str, code: str) -> Page:
    found = rows.workshop(organiser, slug)
    ticket = rows.ticket_of(found, code)
    prices = [_typed(each) for each in ticket.prices]
    known = {each.currency for each in ticket.prices}
    prices += [{"currency": each} for each in dict.fromkeys((organiser.currency, *CURRENCIES)) if each not in known]
    form = _form(
        found,
        data={
            **{name: getattr(ticket, name) for name in (*PLAIN, "limited_to")},
            "prices": prices,
            "pools": [each.code for each in ticket.pools if each.code != ticket.code],
            "sessions": [str(each.number) for each in ticket.sessions if each.cancelled_at is None],
            "sold_from": day_of(ticket.sold_from, organiser.zone),
            "sold_until": last_day(ticket.sold_until, organiser.zone),
            "by_invoice": ticket.payment == invoice_terms.PAYMENT,
            **deposit_forms.typed(ticket),
        },
    )
    return _ticket_page(organiser, found, form, ticket)


@bp.post("/tickets/<code>")
@open_to.team(*MANAGERS)
def change(organiser: Organiser, slug: str, code: str) -> Page:
    return _save(organiser, slug, code)


@bp.post("/tickets/<code>/delete")
@open_to.team(*MANAGERS)
def delete(organiser: Organiser, slug: str, code: str) -> Page:
    with db.writing():
        found = rows.workshop(organiser, slug)
        ticket = rows.ticket_of(found, code)
        if ticket.id in rows.booked_tickets(found.id):
            raise _back(
                organiser, slug, f"People have booked {ticket.name}. Hide it instead: nobody can choose it then."
            )
        bundles_editing.refuse_if_bundled([ticket.id])
        note(organiser, f"workshop:{found.id}", "ticket_deleted", {"ticket": ticket.code})
        tickets.remove(found, ticket)
    return _to(organiser, slug)


@bp.post("/pools")
@open_to.team(*MANAGERS)
def make_pool(organiser: Organiser, slug: str) -> Page:
    found = rows.workshop(organiser, slug)
    form = PoolForm(request.form)
    if not form.validate():
        return _page(organiser, found, form), 422
    with db.writing():
        found = rows.workshop(organiser, slug)
        made = tickets.add_pool(found, str(form.name.data), int(form.capacity.data or 0))
        note(organiser, f"workshop:{found.id}", "pool_made", {"pool": made.code, "capacity": made.capacity})
    return _to(organiser, slug)


@bp.post("/pools/<code>")
@open_to.team(*MANAGERS)
def change_pool(organiser: Organiser, slug: str, code: str) -> Page:
    found = rows.workshop(organiser, slug)
    rows.pool_of(found, code)
    form = CapacityForm(request.form)
    if not form.validate():
        said = next(iter(form.reserved.errors), "Please give the number of places in figures.")
        return _page(organiser, found, PoolForm(), {code: str(said)}), 422
    with db.writing():
        found = rows.workshop(organiser, slug)
        pool = rows.pool_of(found, code)
        try:
            capacity, reserved = int(form.capacity.data or 0), int(form.reserved.data or 0)
            tickets.set_capacity(pool, capacity, clock.now(), reserved=reserved)
        except NotPossible as refusal:
            raise _back(organiser, slug, refusal.message) from refusal
        for ticket in found.tickets:
            if ticket.code == pool.code:
                ticket.limited_to = pool.capacity
        note(
            organiser,
            f"workshop:{found.id}",
            "pool_changed",
            {"pool": pool.code, "capacity": pool.capacity, "reserved": pool.reserved},
        )
    return _to(organiser, slug)


@bp.post("/pools/<code>/delete")
@open_to.team(*MANAGERS)
def delete_pool(organiser: Organiser, slug: str, code: str) -> Page:
    with db.writing():
        found = rows.workshop(organiser, slug)
        pool = rows.pool_of(found, code)
        try:
            tickets.remove_pool(found, pool)
        except NotPossible as refusal:
            raise _back(organiser, slug, refusal.message) from refusal
        note(organiser, f"workshop:{found.id}", "pool_deleted", {"pool": code})
    return _to(organiser, slug)


@bp.get("/questions/new")
@open_to.team(*MANAGERS)
def new_question(organiser: Organiser, slug: str) -> Page:
    return _question_page(organiser, rows.workshop(organiser, slug), QuestionForm(), None)


@bp.post("/questions")
@open_to.team(*MANAGERS)
def make_question(organiser: Organiser, slug: str) -> Page:
    return _save_question(organiser, slug, None)


@bp.get("/questions/<code>")
@open_to.team(*MANAGERS)
def question(organiser: Organiser, slug: str, code: str) -> Page:
    found = rows.workshop(organiser, slug)
    asked = rows.question_of(found, code)
    form = QuestionForm(data={"choices": "\n".join(map(str, asked.choices))}, **_without_choices(asked))
    return _question_page(organiser, found, form, asked)


@bp.post("/questions/<code>")
@open_to.team(*MANAGERS)
def change_question(organiser: Organiser, slug: str, code: str) -> Page:
    return _save_question(organiser, slug, code)


@bp.post("/questions/<code>/delete")
@open_to.team(*MANAGERS)
def delete_question(organiser: Organiser, slug: str, code: str) -> Page:
    with db.writing():
        found = rows.workshop(organiser, slug)
        asked = rows.question_of(found, code)
        if rows.answered([asked.id]):
            raise _back(organiser, slug, "People have answered this question, so it stays. It can be made optional.")
        note(organiser, f"workshop:{found.id}", "question_deleted", {"question": asked.label})
        tickets.remove_question(found, asked)
    return _to(organiser, slug)


def _save(organiser: Organiser, slug: str, code: str | None) -> Page:
    found = rows.workshop(organiser, slug)
    ticket = rows.ticket_of(found, code) if code else None
    form = _form(found, request.form)
    form.last_day = day_of(found.ends_at, organiser.zone)
    if not form.validate():
        return _ticket_page(organiser, found, form, ticket), 422

    def save() -> None:
        there = rows.workshop(organiser, slug)
        wanted = _wanted(organiser, there, form, rows.ticket_of(there, code) if code else None)
        if code is None:
            made = tickets.make(there, wanted)
        else:
            made = rows.ticket_of(there, code)
            is_booked = made.id in rows.booked_tickets(there.id)
            tickets.change(there, made, wanted, is_booked=is_booked, now=clock.now())
        note(organiser, f"workshop:{there.id}", "ticket_saved", {"ticket": made.code, "prices": _noted(form)})

    try:
        saved(save)
    except NotPossible as refusal:
        form.name.errors = [refusal.message]
        return _ticket_page(organiser, rows.workshop(organiser, slug), form, ticket), 409
    return _to(organiser, slug)


def _wanted(organiser: Organiser, found: Workshop, form: TicketForm, ticket: TicketType | None) -> tickets.Wanted:
    columns: dict[str, Any] = {name: form[name].data for name in PLAIN}
    columns["includes_live"] = form.kind.data == "admission"
    columns["includes_recording"] = form.includes_recording.data or form.kind.data == "catch_up"
    columns["sold_from"] = first_moment(form.sold_from.data, organiser.zone)
    columns["sold_until"] = end_of(form.sold_until.data, organiser.zone)
    columns |= deposit_forms.columns(form.parts, ticket)
    if not form.parts:
        columns["payment"] = invoice_terms.PAYMENT if form.by_invoice.data else "now"
    return tickets.Wanted(
        columns,
        form.amounts,
        [each for each in found.pools if each.code in (form.pools.data or [])],
        [each for each in found.sessions if str(each.number) in (form.sessions.data or [])],
        form.limited_to.data,
    )


def _typed(price: TicketPrice) -> dict[str, str]:
    """A price as it was typed."""
    amounts = (price.minor, price.least_minor, price.suggested_minor, price.most_minor)
    named = zip(("amount", "least", "suggested", "most"), amounts, strict=True)
    typed = {name: money.plain(minor, price.currency) for name, minor in named if minor is not None}
    return {"currency": price.currency, **typed}


def _noted(form: TicketForm) -> dict[str, int | None]:
    return {currency: price.least if price.minor is None else price.minor for currency, price in form.amounts.items()}


def _shared(found: Workshop) -> list[Any]:
    """The pools that are no ticket's own limit."""
    own = {each.code for each in found.tickets}
    return [each for each in found.pools if each.code not in own]


def _form(found: Workshop, typed: MultiDict[str, str] | None = None, **known: Any) -> TicketForm:
    form = TicketForm(typed, **known)
    form.pools.choices = options(
        (each.code, f"{tickets.pool_name(each)}, {each.capacity} places") for each in _shared(found)
    )
    form.sessions.choices = options(
        (str(each.number), f"Session {each.number}, {each.wall_start:%d.%m.%Y, %H:%M}") for each in found.sessions
    )
    return form


def _page(organiser: Organiser, found: Workshop, form: PoolForm, wrong: Mapping[str, str] | None = None) -> str:
    """`wrong` is what is wrong with the typed number of places, by the pool's code."""
    return render_template(
        "organisers/tickets.html",
        organiser=organiser,
        workshop=found,
        form=form,
        pools=found.pools,
        claimed=places.claimed([each.id for each in found.pools], clock.now()),
        pool_name=tickets.pool_name,
        last_day=last_day,
        wrong=wrong or {},
    )


def _ticket_page(organiser: Organiser, found: Workshop, form: TicketForm, ticket: TicketType | None) -> str:
    return render_template("organisers/ticket.html", organiser=organiser, workshop=found, form=form, ticket=ticket)


def _without_choices(asked: Question) -> dict[str, Any]:
    return {name: getattr(asked, name) for name in ("label", "kind", "is_required", "is_private")}


def _save_question(organiser: Organiser, slug: str, code: str | None) -> Page:
    found = rows.workshop(organiser, slug)
    asked = rows.question_of(found, code) if code else None
    form = QuestionForm(request.form)
    if not form.validate():
        return _question_page(organiser, found, form, asked), 422
    facts = {name: form[name].data for name in ("label", "kind", "is_required", "is_private")}
    facts["choices"] = form.answers if form.kind.data == "choice" else []

    def save() -> None:
        there = rows.workshop(organiser, slug)
        made = tickets.save_question(there, rows.question_of(there, code) if code else None, facts)
        note(organiser, f"workshop:{there.id}", "question_saved", {"question": made.code})

    saved(save)
    return _to(organiser, slug)


def _question_page(organiser: Organiser, found: Workshop, form: QuestionForm, asked: Question | None) -> str:
    there: dict[str, Any] = {"organiser": organiser.slug, "slug": found.slug}
    named = {**there, "code": asked.code} if asked else there
    return render_template(
        "organisers/form.html",
        organiser=organiser,
        workshop=found,
        form=form,
        heading="A question" if asked else "A new question",
        lead="Everybody who is booked in is asked it.",
        action=url_for("organise_tickets.change_question" if asked else "organise_tickets.make_question", **named),
        button="Save the question",
        back=None,
        delete=url_for("organise_tickets.delete_question", **named) if asked else None,
        delete_words="Delete this question",
    )


def _back(organiser: Organiser, slug: str, message: str) -> NotPossible:
    there = url_for("organise_tickets.shown", organiser=organiser.slug, slug=slug)
    return NotPossible(message, next_url=there, next_text="Back to the tickets")


def _to(organiser: Organiser, slug: str) -> Response:
    return redirect(url_for("organise_tickets.shown", organiser=organiser.slug, slug=slug), code=303)
