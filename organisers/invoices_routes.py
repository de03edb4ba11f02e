"""The desk's invoices: what is open and since when, money that came past Stripe, who is let in unpaid, what is called
off; and what an organiser's papers say. Owners and managers only; each act is kept in history with its reason."""

from collections.abc import Callable

from flask import Blueprint, abort, redirect, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as Answer

from accounts import open_to, profile
from accounts.models import Organiser
from bookings import invoice_desk, invoice_routes, invoice_terms, invoicing, lifecycle
from bookings.models import Booking
from history import models as history
from lib import clock, db, forms, money, web, zones
from organisers.invoice_forms import InvoicingForm, ReceivedForm
from organisers.people_routes import Problems, booking_page, shown
from organisers.routes import MANAGERS, actor
from payments import invoices, ledger, refunds
from payments.models import Invoice, Payment, Refund

bp = Blueprint("organise_invoices", __name__, url_prefix="/organise/<organiser>")
LONGEST_WHY = 180
NO_REASON = "Please say why. It is kept in the booking's history."


@bp.get("/invoices")
@open_to.team(*MANAGERS)
def listed(organiser: Organiser) -> Answer:
    found = invoice_desk.open_invoices(organiser, clock.now())
    return shown(
        "organisers/invoices.html",
        organiser,
        open=found,
        totals=invoice_desk.totals(found),
        papers=invoice_desk.papers(organiser.id, min(max(request.args.get("page", 1, int), 1), 1_000_000)),
    )


@bp.get("/invoices/settings", endpoint="settings")
@open_to.team(*MANAGERS)
def settings_page(organiser: Organiser) -> Answer:
    percent = f"{organiser.vat_rate // 100}.{organiser.vat_rate % 100:02d}".rstrip("0").rstrip(".")
    form = InvoicingForm(obj=organiser, vat_percent=percent if organiser.vat_rate else "")
    return _settings(organiser, form)


@bp.post("/invoices/settings")
@open_to.team(*MANAGERS)
def save_settings(organiser: Organiser) -> Answer:
    form = InvoicingForm(request.form)
    if not form.validate():
        return _settings(organiser, form, 422)
    wanted = profile.Invoicing(
        legal_name=form.legal_name.data or "",
        vat_mode=form.vat_mode.data,
        vat_number=form.vat_number.data or "",
        vat_rate=form.rate,
        bank_details=(form.bank_details.data or "").replace("\x00", "").strip(),
        invoice_days=int(form.invoice_days.data or 0),
    )
    number, by, now = organiser.id, actor(), clock.now()
    with db.writing():
        profile.save_invoicing(number, wanted, actor=by, now=now)
    return redirect(url_for(".settings", organiser=organiser.slug, done="saved"), code=303)


@bp.get("/invoices/<paper>")
@open_to.team(*MANAGERS)
def invoice(organiser: Organiser, paper: str) -> Answer:
    return _page(organiser, _paper(organiser, paper))


@bp.get("/invoices/<paper>/file.pdf")
@open_to.team(*MANAGERS)
def file(organiser: Organiser, paper: str) -> Answer:
    return invoice_routes.as_file(_paper(organiser, paper))


@bp.post("/invoices/<paper>/payments")
@open_to.team(*MANAGERS)
def receive(organiser: Organiser, paper: str) -> Answer:
    found, now = _paper(organiser, paper), clock.now()
    form, today = ReceivedForm(request.form), zones.wall(now, organiser.zone).date()
    if not form.is_right(found.currency, today):
        return _page(organiser, found, form=form, status=422)
    got, by = form.received(now, organiser.zone), actor()
    seen = request.form.get("open", 0, int)

    def act(booking: Booking) -> None:
        invoicing.receive(booking, got, seen, actor=by, now=now)

    def refused(refusal: web.Refusal) -> Answer:
        form.amount.errors = [refusal.message]
        return _page(organiser, found, form=form, status=refusal.status)

    return _done(organiser, found, act, refused, "paid")


@bp.post("/invoices/<paper>/places")
@open_to.team(*MANAGERS)
def let_in(organiser: Organiser, paper: str) -> Answer:
    return _with_reason(organiser, paper, invoicing.let_in, "in")


@bp.post("/invoices/<paper>/cancellation")
@open_to.team(*MANAGERS)
def call_off(organiser: Organiser, paper: str) -> Answer:
    return _with_reason(organiser, paper, invoicing.call_off, "off")


@bp.post("/bookings/<reference:reference>/refunds/<int:number>/sent")
@open_to.team(*MANAGERS)
def refund_sent(organiser: Organiser, reference: str, number: int) -> Answer:
    """Money that had come past Stripe was sent back from a bank."""
    of_booking = (
        select(Booking.id)
        .join(Payment, Payment.bill_id == Booking.bill_id)
        .join(Refund, Refund.payment_id == Payment.id)
        .where(Booking.organiser_id == organiser.id, Booking.reference == reference, Refund.id == number)
    )
    booking_id = db.session.scalar(of_booking)
    if booking_id is None:
        abort(404)
    by, now = actor(), clock.now()
    try:
        with db.writing():
            refund = refunds.sent_by_hand(number, by, now)
            facts = {"amount_minor": refund.amount_minor, "currency": refund.currency}
            history.record(
                f"booking:{booking_id}", "refund_sent_by_hand", at=now, actor=by, organiser_id=organiser.id, facts=facts
            )
    except web.Refusal as refusal:
        return booking_page(organiser, reference, [(f"refund-{number}", refusal.message)], refusal.status)
    page = url_for("organise_people.booking", organiser=organiser.slug, reference=reference, done="sent-back")
    return redirect(page, code=303)


def _with_reason(organiser: Organiser, paper: str, act: Callable[..., None], what: str) -> Answer:
    """Do it for a reason, which is asked for in the field `<what>-why`."""
    found, why, by, now = _paper(organiser, paper), _why(), actor(), clock.now()
    field = f"{what}-why"
    if not why:
        return _page(organiser, found, [(field, NO_REASON)], status=422)
    return _done(
        organiser,
        found,
        lambda booking: act(booking, why, actor=by, now=now),
        lambda refusal: _page(organiser, found, [(field, refusal.message)], status=refusal.status),
        what,
    )


def _done(
    organiser: Organiser,
    paper: Invoice,
    act: Callable[[Booking], None],
    refused: Callable[[web.Refusal], Answer],
    done: str,
) -> Answer:
    """Do it to the locked booking and go back to the invoice's page; a refusal stands at its field."""
    name, bill_id = paper.name, paper.bill_id
    try:
        with db.writing():
            act(lifecycle.locked(bill_id))
    except web.Refusal as refusal:
        return refused(refusal)
    return redirect(url_for(".invoice", organiser=organiser.slug, paper=name, done=done), code=303)


def _paper(organiser: Organiser, name: str) -> Invoice:
    return invoices.by_name(organiser.id, name) or abort(404)


def _page(
    organiser: Organiser,
    paper: Invoice,
    problems: Problems | None = None,
    *,
    form: ReceivedForm | None = None,
    status: int = 200,
) -> Answer:
    now = clock.now()
    booking = db.session.scalars(select(Booking).where(Booking.bill_id == paper.bill_id)).one()
    left = invoicing.open_minor(booking) if paper.kind == "invoice" else 0
    today = zones.wall(now, organiser.zone).date()
    blank = ReceivedForm(amount=money.plain(left, paper.currency), day=today)
    wrong = [(bound.id, str(bound.errors[0])) for bound in form or () if bound.errors]
    return shown(
        "organisers/invoice.html",
        organiser,
        status=status,
        paper=paper,
        booking=booking,
        balance=ledger.of_bill(paper.bill_id),
        left=left,
        days_late=invoice_terms.days_late(paper.due_on, now, organiser.zone) if paper.due_on else 0,
        others=[each for each in invoices.of_bill(paper.bill_id) if each.id != paper.id],
        form=form or blank,
        problems=[*wrong, *(problems or [])],
        done=request.args.get("done", "") if not (wrong or problems) else "",
    )


def _settings(organiser: Organiser, form: InvoicingForm, status: int = 200) -> Answer:
    return shown(
        "organisers/invoice_settings.html",
        organiser,
        status=status,
        form=form,
        done=request.args.get("done", "") if status == 200 else "",
    )


def _why() -> str:
    return forms.one_line(request.form.get("why"))[:LONGEST_WHY]
