"""A booking that an organisation pays on an invoice: begun, paid in full or in part past Stripe or by card, let in
before it is paid, reminded of, ended. Each act is on a booking that `lifecycle.locked` gave.

Nothing ends by itself: whether people come in unpaid and whether their places go is the organiser's to say.
"""

from dataclasses import dataclass
from datetime import datetime

from bookings import invites, invoice_letters, invoice_papers, invoice_terms, lifecycle, returning
from bookings.invoice_terms import InvoiceTo
from bookings.models import Booking
from history import models as history
from lib import db, money, web, work
from payments import attempts, by_hand, invoices, ledger, refunds
from payments.models import Invoice, Payer, Payment

REMIND = "bookings.remind_of_invoice"
CLOSE_PAGE = "bookings.close_page"
TOO_MUCH = "More was paid than was open."


class NothingOpen(web.Refusal):
    """The invoice is paid, or taken back."""

    status = 409
    refusal = "nothing_open"
    title = "Nothing of this invoice is open"


class MoreThanOpen(web.Refusal):
    """More than is still to be paid."""

    status = 409
    refusal = "more_than_open"
    title = "That is more than is open"


class InvoiceChanged(web.Refusal):
    """Another amount is open than the page said."""

    status = 409
    refusal = "invoice_changed"
    title = "Another amount is open now"


@dataclass(frozen=True)
class Received:
    """Money that came past Stripe: how, how much in minor units, when, under which reference of the payer's, and what
    the team notes about it."""

    kind: str
    minor: int
    at: datetime
    reference: str
    why: str


def begin(booking: Booking, to: InvoiceTo, now: datetime) -> Invoice:
    """Keep the places, and send the invoice for them to the organisation that pays."""
    payer = Payer(
        organiser_id=booking.organiser_id,
        bill_id=booking.bill_id,
        name=to.name,
        address=to.address,
        email=to.email,
        purchase_order=to.purchase_order,
    )
    db.session.add(payer)
    lifecycle.await_invoice(booking, actor="booker", now=now)
    organiser, starts_at = booking.organiser, _starts_at(booking, now)
    due_on = invoice_terms.due_on(now, organiser.invoice_days, starts_at, organiser.zone)
    invoice = invoice_papers.invoice(booking, due_on, now)
    invoice_letters.sent(booking, invoice, payer, now)
    rows = [
        {
            "due_at": at,
            "arguments": {"bill": booking.bill_id, "stage": stage},
            "dedupe_key": f"{REMIND}:{invoice.id}:{stage}",
        }
        for stage, at in invoice_terms.reminders(due_on, starts_at, organiser.zone, now).items()
    ]
    work.post_once(REMIND, f"invoice:{invoice.id}", rows)
    return invoice


def open_minor(booking: Booking) -> int:
    """What of an invoice is still to be paid; nothing for a booking that has none, or came to nothing."""
    if booking.state not in ("awaiting_invoice", "confirmed") or invoices.invoice_of(booking.bill_id) is None:
        return 0
    balance = ledger.of_bill(booking.bill_id)
    return max(balance.due_minor - balance.disputed_minor, 0)


def receive(booking: Booking, got: Received, seen_minor: int, *, actor: str, now: datetime) -> None:
    """Write down money that came past Stripe. With the last of it the places are confirmed.

    `seen_minor` is what was open on the page: a form sent twice is written down once. Raises NothingOpen,
    InvoiceChanged or MoreThanOpen, with nothing written.
    """
    left = open_minor(booking)
    if not left:
        raise NothingOpen("It is paid, or taken back. Nothing was written down.")
    if left != seen_minor:
        raise InvoiceChanged("Something was paid, or written down, since this page was opened. Is it the same money?")
    if got.minor > left:
        raise MoreThanOpen(
            f"{money.text(left, booking.currency)} is open. Write that down, and send the rest back from your bank."
        )
    by_hand.receive(booking.bill, got.minor, kind=got.kind, reference=got.reference, at=got.at, now=now)
    facts = {"amount_minor": got.minor, "currency": booking.currency, "why": got.why}
    _remember(booking, "payment_written_down", facts, actor, now)
    _settle(booking, got.minor, actor=actor, now=now)
    if live := attempts.live(booking.bill_id):  # its page asks for what has been paid another way
        work.post(CLOSE_PAGE, f"booking:{booking.id}", now, {"bill": booking.bill_id, "attempt": live.key})


def received(booking: Booking, payment: Payment, *, actor: str, now: datetime) -> bool:
    """Let money that Stripe brought pay what was open of an invoice; what is over goes back. False, with nothing done,
    when nothing was open before it came."""
    if booking.state not in ("awaiting_invoice", "confirmed") or invoices.invoice_of(booking.bill_id) is None:
        return False
    over = -ledger.of_bill(booking.bill_id).due_minor
    if over >= payment.amount_minor:
        return False
    if over > 0:
        refunds.refund_rest(payment, reason=TOO_MUCH, now=now, most=over)
    _settle(booking, payment.amount_minor, actor=actor, now=now)
    return True


def _settle(booking: Booking, minor: int, *, actor: str, now: datetime) -> None:
    """Confirm with the last of it, acknowledge it, tell whoever booked."""
    invoice = invoices.invoice_of(booking.bill_id)
    is_all = ledger.of_bill(booking.bill_id).due_minor <= 0
    if booking.state == "awaiting_invoice" and is_all:
        lifecycle.confirm(booking, actor=actor, now=now)
        return
    invoice_papers.acknowledge(booking, now)
    if invoice and is_all:
        invoice_letters.all_paid(booking, invoice, now)
    elif invoice:
        invoice_letters.part_paid(booking, invoice, minor, now)


def let_in(booking: Booking, why: str, *, actor: str, now: datetime) -> None:
    """Confirm the places before the invoice is paid; it stays open. Raises NothingOpen where nobody waits."""
    if booking.state != "awaiting_invoice":
        raise NothingOpen("Nobody of this booking waits for it any more. Nothing was changed.")
    _remember(booking, "let_in_unpaid", {"why": why}, actor, now)
    lifecycle.confirm(booking, actor=actor, now=now)


def call_off(booking: Booking, why: str, *, actor: str, now: datetime) -> None:
    """End a booking whose invoice is not paid: places go back on sale, the invoice is taken back, and money that came
    in part goes back. Raises NothingOpen for a booking that does not wait for its invoice."""
    invoice = invoices.invoice_of(booking.bill_id)
    if booking.state != "awaiting_invoice" or invoice is None:
        raise NothingOpen("This booking does not wait for its invoice any more. Nothing was cancelled.")
    came = returning.remaining_of(booking.bill_id)
    live = [each for each in booking.attendees if each.state != "cancelled"]
    lifecycle.cancel(booking, live, actor=actor, why=why, now=now)
    if came:
        returning.give(booking, came, source="organiser", reason=why, actor=actor, now=now)
    invoice_letters.called_off(booking, invoice, why, now)
    if attempts.live(booking.bill_id):
        work.post(CLOSE_PAGE, f"booking:{booking.id}", now, {"bill": booking.bill_id})


def remind(booking: Booking, stage: str, now: datetime) -> None:
    """Say what is open, to whom it concerns; nothing when it is paid or over."""
    invoice = invoices.invoice_of(booking.bill_id)
    if invoice is None or not open_minor(booking):
        return
    starts_at = _starts_at(booking, now)
    if stage != "starts":
        invoice_letters.reminder(booking, invoice, is_late=stage == "late", now=now)
    elif booking.state == "awaiting_invoice":
        if starts_at - invoice_terms.DECIDE_AHEAD > now:  # it was moved meanwhile
            due_at = starts_at - invoice_terms.DECIDE_AHEAD
            work.post(REMIND, f"invoice:{invoice.id}", due_at, {"bill": booking.bill_id, "stage": stage})
            return
        invoice_letters.starts_unpaid(booking, invoice, starts_at, now)


def _starts_at(booking: Booking, now: datetime) -> datetime:
    """When the first of what is booked begins; `now` for what is over, such as a recording."""
    sessions = [each for attendee in booking.attendees for each in invites.sessions_of(attendee)]
    return max(min((each.starts_at for each in sessions), default=now), now)


def _remember(booking: Booking, verb: str, facts: dict[str, object], actor: str, now: datetime) -> None:
    history.record(f"booking:{booking.id}", verb, at=now, actor=actor, organiser_id=booking.organiser_id, facts=facts)
