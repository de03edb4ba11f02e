"""A booking's papers as PDF: for its booker, and for whoever pays an invoice."""

from flask import Blueprint, Response, abort, render_template, request
from werkzeug.wrappers import Response as Answer

from accounts import open_to
from bookings import invoice_letters, payment_routes
from lib import db, links, web
from payments import invoices
from payments.models import Invoice

bp = Blueprint("booking_invoices", __name__)
READY_IN = 5  # seconds, for programs; people press a button


@bp.get("/bookings/<reference:reference>/invoice.pdf")
@open_to.holder_of_link
def of_booking(reference: str) -> Answer:
    """The paper of this `number`; without one the invoice, or the newest receipt where there is none."""
    booking = payment_routes.opened(reference)
    papers = invoices.of_bill(booking.bill_id)
    wanted = request.args.get("number")
    first = [each for each in papers if each.kind == "invoice"] or papers[-1:]
    found = [each for each in papers if each.name == wanted] if wanted else first
    if not found:
        abort(404)
    return as_file(found[0])


@bp.get("/invoices/<token>.pdf")
@open_to.holder_of_link
def paper(token: str) -> Answer:
    """One paper alone, for whoever its letter went to."""
    if not links.verify_token("invoice", invoice_letters.VERSION, token):
        abort(404)
    found = db.session.get(Invoice, links.row_of(token))
    if found is None:
        abort(404)
    return as_file(found)


def as_file(paper: Invoice) -> Answer:
    """The PDF to keep, or 202 and a page that says it is being made."""
    pdf = invoices.pdf_of(paper.id)
    if pdf is None:
        answer = web.private(Response(render_template("bookings/invoice_wait.html", paper=paper), 202))
        answer.headers["Retry-After"] = str(READY_IN)
        return answer
    answer = Response(pdf, content_type="application/pdf")
    answer.headers["Content-Disposition"] = f'attachment; filename="{paper.name}.pdf"'
    return web.private(answer)
