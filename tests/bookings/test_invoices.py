"""Pay by invoice, and papers for everybody who paid: from the form to the last penny, and who may see what."""

import io
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pypdf
import pytest
from flask import Flask
from sqlalchemy import select

from accounts.models import Organiser
from bookings import (
    audit,
    invoice_cards,
    invoice_letters,
    invoice_terms,
    invoicing,
    lifecycle,
    money_audit,
    moving,
    returning,
)
from bookings.invoice_terms import InvoiceTo
from bookings.invoicing import Received
from bookings.models import Booking
from courses.models import TicketType, Workshop
from courses.places import WorkshopFull
from history.models import Entry
from lib import clock as product_clock
from lib import db, links, web
from lib.work import Job, run_due
from mail.models import Letter
from payments import invoices, ledger, refunds
from payments.models import Invoice, Payment, Refund
from tests.bookings.making import ANN, BOB, Made, a_wish, held, paid, receive, state_of
from tests.builders import a_code, a_ticket, a_workshop, an_organiser, arranged
from tests.conftest import Clock
from tests.page import PageClient, form, main_text

both = pytest.mark.both_databases
LONDON = "Europe/London"
TRUST = InvoiceTo("Leeds Community Trust", "1 Hospital Road\nLeeds LS1 1AA", "accounts@trust.example", "PO-4711")


@pytest.fixture
def slug(app: Flask) -> str:
    with arranged(app):
        organiser = an_organiser()
        organiser.legal_name = "Olu Trains Ltd"
        organiser.vat_mode, organiser.vat_number, organiser.vat_rate = "included", "GB980780684", 2000
        organiser.bank_details = "Sort code 00-00-00\nAccount 12345678"
        workshop = a_workshop(price_minor=16800, capacity=4)
        a_ticket(workshop, code="organisation", prices={"GBP": 21800}, payment="invoice")
        return workshop.slug


def invoiced(app: Flask, slug: str, people: Any = (ANN, BOB), **said: Any) -> Made:
    """A booking of an organisation that has its invoice."""
    return held(app, replace(a_wish(slug, people=people, ticket="organisation", **said), invoice_to=TRUST))


def locked(made: Made) -> Booking:
    return lifecycle.locked(db.session.get_one(Booking, made.id).bill_id)


def came(app: Flask, made: Made, minor: int, clock: Clock, *, kind: str = "bank", reference: str = "LCT 22") -> None:
    with arranged(app):
        got = Received(kind, minor, clock.at, reference, "on the statement of today")
        booking = locked(made)
        invoicing.receive(booking, got, invoicing.open_minor(booking), actor="user:1", now=clock.at)


def papers(app: Flask) -> list[Invoice]:
    with app.app_context():
        found = list(db.session.scalars(select(Invoice).order_by(Invoice.id)))
        db.session.expunge_all()
        return found


def named(app: Flask) -> list[tuple[str, int]]:
    return [(each.name, each.total_minor) for each in papers(app)]


def letters(app: Flask, *templates: str) -> list[Letter]:
    with app.app_context():
        found = list(db.session.scalars(select(Letter).order_by(Letter.id)))
        db.session.expunge_all()
    return [each for each in found if not templates or each.template in templates]


def sent(app: Flask, *but: str) -> list[tuple[str, str]]:
    return [(each.template, each.to_email) for each in letters(app) if each.template not in but]


def faults(app: Flask) -> list[str]:
    with app.app_context():
        return [f"{each.about}: {each.what}" for each in audit.faults(product_clock.now())]


def balance(app: Flask, made: Made) -> ledger.Balance:
    with app.app_context():
        return ledger.of_bill(db.session.get_one(Booking, made.id).bill_id)


def work(app: Flask) -> None:
    with app.app_context():
        run_due(app.extensions["handlers"])


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)


# When it is due. Pure.


@pytest.mark.parametrize(
    ("days", "starts_in", "due"),
    [
        (14, 60, date(2027, 3, 16)),
        (14, 10, date(2027, 3, 12)),
        (14, 0, date(2027, 3, 2)),
        (0, 60, date(2027, 3, 2)),
        (30, 30, date(2027, 4, 1)),
    ],
)
def test_it_is_due_after_so_many_days_and_never_after_the_workshop_begins(
    clock: Clock, days: int, starts_in: int, due: date
) -> None:
    found = invoice_terms.due_on(clock.at, days, clock.at + timedelta(days=starts_in), LONDON)
    assert found == due


def test_days_are_those_of_the_organisers_clock(clock: Clock) -> None:
    late = clock.set("2027-03-02T23:30:00Z")
    starts = late + timedelta(days=60)
    assert invoice_terms.due_on(late, 14, starts, "Pacific/Auckland") == date(2027, 3, 17)
    assert invoice_terms.days_late(date(2027, 3, 2), late, LONDON) == 0
    assert invoice_terms.days_late(date(2027, 3, 2), late, "Pacific/Auckland") == 1


# The journey


@both
def test_from_the_invoice_to_the_confirmed_place(app: Flask, slug: str, clock: Clock) -> None:
    made = invoiced(app, slug)
    assert state_of(app, made) == "awaiting_invoice"
    assert named(app) == [("INV-2027-0001", 43600)]
    assert sent(app) == [("invoice", "accounts@trust.example"), ("awaiting_invoice", "bea@clinic.example")]
    (invoice,) = letters(app, "invoice")
    assert invoice.values["open"] == "£436.00"
    assert invoice.values["due"] == "Tuesday 16 March 2027"
    assert invoice.values["people"] == ["Ann Attwood", "Bob Barnes"]
    assert balance(app, made) == ledger.Balance(owed_minor=43600)
    assert faults(app) == []

    clock.shift(days=3)
    came(app, made, 10000, clock)
    assert state_of(app, made) == "awaiting_invoice"
    assert named(app)[1:] == [("REC-2027-0001", 10000)]
    assert sent(app)[2:] == [("booking_changed", "bea@clinic.example")]
    assert faults(app) == []

    came(app, made, 33600, clock, kind="other", reference="cheque 7")
    assert state_of(app, made) == "confirmed"
    assert named(app)[2:] == [("REC-2027-0002", 33600)]
    assert sent(app)[3:] == [
        ("confirmed", "ann@clinic.example"),
        ("confirmed", "bob@practice.example"),
        ("receipt", "bea@clinic.example"),
    ]
    (receipt,) = letters(app, "receipt")
    assert receipt.values["paid_by"] == "bank transfer and hand"
    assert receipt.values["receipt_number"] == "REC-2027-0002"
    assert balance(app, made) == ledger.Balance(owed_minor=43600, paid_minor=43600)
    assert faults(app) == []
    with app.app_context():
        kinds = [(each.kind, each.reference, each.attempt_id) for each in db.session.scalars(select(Payment))]
        entries = db.session.scalars(select(Entry).where(Entry.verb == "payment_written_down")).all()
        assert [each.facts["amount_minor"] for each in entries] == [10000, 33600]
    assert kinds == [("bank", "LCT 22", None), ("other", "cheque 7", None)]


@both
def test_places_are_taken_and_the_code_is_used_while_it_waits(app: Flask, slug: str, clock: Clock) -> None:
    with arranged(app):
        a_code(code="TEAM10", percent=10, uses_total=1)
    made = invoiced(app, slug, [ANN, BOB], code="TEAM10")
    clock.shift(days=20)
    work(app)
    assert state_of(app, made) == "awaiting_invoice"
    assert named(app) == [("INV-2027-0001", 39240)]
    people = [(f"P {n}", f"p{n}@x.example") for n in range(3)]
    with pytest.raises(WorkshopFull):
        held(app, a_wish(slug, people=people))
    assert faults(app) == []


@both
def test_what_is_wrong_is_not_written_down(app: Flask, slug: str, clock: Clock) -> None:
    made = invoiced(app, slug)
    with pytest.raises(invoicing.MoreThanOpen, match=r"£436\.00 is open"):
        came(app, made, 43601, clock)
    came(app, made, 43600, clock)
    with pytest.raises(invoicing.NothingOpen):
        came(app, made, 1, clock)
    assert balance(app, made).paid_minor == 43600


@both
def test_let_in_before_it_is_paid_and_paid_later(app: Flask, slug: str, clock: Clock) -> None:
    made = invoiced(app, slug)
    with arranged(app):
        invoicing.let_in(locked(made), "They always pay", actor="user:1", now=clock.at)
    assert state_of(app, made) == "confirmed"
    (receipt,) = letters(app, "receipt")
    assert receipt.values["invoice_open"] == "£436.00"
    assert receipt.values["receipt_url"] is None
    assert [each.to_email for each in letters(app, "confirmed")] == ["ann@clinic.example", "bob@practice.example"]
    assert faults(app) == []
    with app.app_context():
        assert money_audit.unpaid() == []  # nothing that Stripe could know of
    came(app, made, 43600, clock)
    assert balance(app, made).due_minor == 0
    assert sent(app)[-1] == ("booking_changed", "bea@clinic.example")
    assert named(app)[1:] == [("REC-2027-0001", 43600)]
    assert faults(app) == []
    with arranged(app), pytest.raises(invoicing.NothingOpen):
        invoicing.let_in(locked(made), "again", actor="user:1", now=clock.at)


@both
def test_called_off_it_is_taken_back_and_part_of_it_goes_back_by_hand(app: Flask, slug: str, clock: Clock) -> None:
    made = invoiced(app, slug)
    came(app, made, 10000, clock)
    with arranged(app):
        invoicing.call_off(locked(made), "Not paid after two reminders", actor="user:1", now=clock.at)
    assert state_of(app, made) == "cancelled"
    assert named(app)[2:] == [("CN-2027-0001", 43600)]
    note = papers(app)[-1]
    assert note.content["credits"] == "INV-2027-0001"
    assert "Not paid after two reminders" in note.content["remark"]
    assert balance(app, made) == ledger.Balance(paid_minor=10000, refunded_minor=10000)
    assert faults(app) == []
    work(app)
    with app.app_context():
        refund = db.session.scalars(select(Refund)).one()
        assert (refund.state, refund.stripe_refund) == ("pending", None)
    told = [each.values["title"] for each in letters(app, "organiser_notice")]
    assert told == [f"Booking {made.reference}: please send money back by hand"]
    assert ("credit_note", "accounts@trust.example") in sent(app)
    assert faults(app) == []
    with arranged(app):
        refunds.sent_by_hand(1, "user:1", clock.at)
        with pytest.raises(refunds.NothingToRepeat):
            refunds.sent_by_hand(1, "user:1", clock.at)
        with pytest.raises(invoicing.NothingOpen):
            invoicing.call_off(locked(made), "again", actor="user:1", now=clock.at)
    with app.app_context():
        assert db.session.scalars(select(Refund.state)).one() == "succeeded"
    assert len(held(app, a_wish(slug, people=[ANN, BOB])).places) == 2  # the places are on sale again


@both
def test_a_refund_of_an_invoiced_booking_has_its_credit_note(app: Flask, slug: str, clock: Clock) -> None:
    made = invoiced(app, slug)
    came(app, made, 43600, clock)
    with arranged(app):
        returning.give(locked(made), 21800, source="organiser", reason="Bob was ill", actor="user:1", now=clock.at)
    assert named(app)[-1] == ("CN-2027-0001", 21800)
    assert papers(app)[-1].content["lines"] == [{"text": "Part of invoice INV-2027-0001", "minor": 21800}]
    assert faults(app) == []


@both
def test_who_gives_up_what_was_let_in_unpaid_owes_it_no_longer(app: Flask, slug: str, clock: Clock) -> None:
    made = invoiced(app, slug)
    with arranged(app):
        booking = locked(made)
        invoicing.let_in(booking, "They always pay", actor="user:1", now=clock.at)
    with arranged(app):
        booking = locked(made)
        lifecycle.cancel(booking, booking.attendees[:1], actor="booker", why="ill", now=clock.at)
        returning.give(booking, 21800, source="rule", reason="Cancelled by the booker", actor="booker", now=clock.at)
    assert balance(app, made).owed_minor == 21800
    assert named(app)[-1] == ("CN-2027-0001", 21800)
    assert faults(app) == []


@both
def test_a_workshop_that_is_cancelled_takes_its_invoices_back(app: Flask, slug: str, clock: Clock) -> None:
    first, second = invoiced(app, slug, [ANN]), invoiced(app, slug, [BOB], booker=BOB)
    came(app, second, 100, clock)
    with arranged(app):
        workshop = db.session.scalars(select(Workshop)).one()
        moving.cancel_workshop(workshop, "Dr Marsh is ill", actor="user:1", now=clock.at)
    assert [state_of(app, each) for each in (first, second)] == ["cancelled", "cancelled"]
    assert [each for each in named(app) if each[0].startswith("CN")] == [
        ("CN-2027-0001", 21800),
        ("CN-2027-0002", 21800),
    ]
    assert balance(app, second) == ledger.Balance(paid_minor=100, refunded_minor=100)
    assert faults(app) == []


# Reminders


@both
def test_reminders_before_and_after_and_the_organiser_is_told(app: Flask, slug: str, clock: Clock) -> None:
    made = invoiced(app, slug)
    clock.set("2027-03-13T08:59:59Z")
    work(app)
    assert letters(app, "invoice_reminder") == []
    clock.set("2027-03-13T09:00:00Z")
    work(app)
    (before,) = letters(app, "invoice_reminder")
    assert before.values["heading"] == "£436.00 is due on Tuesday 16 March 2027"
    clock.set("2027-03-17T09:00:00Z")
    work(app)
    assert [each.values["is_late"] for each in letters(app, "invoice_reminder")] == [False, True]
    assert [each.values["title"] for each in letters(app, "organiser_notice")] == ["Invoice INV-2027-0001 is late"]
    assert state_of(app, made) == "awaiting_invoice"  # nothing ends by itself
    clock.set("2027-03-28T10:00:00Z")
    work(app)
    told = [each.values["title"] for each in letters(app, "organiser_notice")]
    assert told[1:] == ["Invoice INV-2027-0001: it begins soon, and is not paid"]


@both
def test_nobody_is_reminded_of_what_is_paid(app: Flask, slug: str, clock: Clock) -> None:
    made = invoiced(app, slug)
    came(app, made, 43600, clock)
    clock.shift(days=60)
    work(app)
    assert letters(app, "invoice_reminder", "organiser_notice") == []


# By card


@both
def test_it_is_paid_by_card_from_its_page(app: Flask, slug: str, clock: Clock) -> None:
    made = invoiced(app, slug)
    came(app, made, 3600, clock)
    with arranged(app):
        attempt = invoice_cards.new_page(locked(made), clock.at)
        assert (attempt.amount_minor, attempt.parameters["metadata"]["booking"]) == (40000, made.reference)
    assert receive(app, made) == "payment succeeded, booking confirmed"
    assert balance(app, made) == ledger.Balance(owed_minor=43600, paid_minor=43600)
    assert named(app)[-1] == ("REC-2027-0002", 40000)
    assert faults(app) == []


@both
def test_a_card_and_a_transfer_at_once_are_not_both_kept(app: Flask, slug: str, clock: Clock) -> None:
    made = invoiced(app, slug)
    with arranged(app):
        invoice_cards.new_page(locked(made), clock.at)
    came(app, made, 3600, clock)
    with app.app_context():
        assert len(db.session.scalars(select(Job).where(Job.kind == "bookings.close_page")).all()) == 1
    receive(app, made)  # paid in the same minute
    assert state_of(app, made) == "confirmed"
    assert balance(app, made) == ledger.Balance(owed_minor=43600, paid_minor=47200, refunded_minor=3600)
    assert faults(app) == []


@both
def test_a_card_after_all_of_it_came_goes_back(app: Flask, slug: str, clock: Clock) -> None:
    made = invoiced(app, slug)
    with arranged(app):
        invoice_cards.new_page(locked(made), clock.at)
    came(app, made, 43600, clock)
    receive(app, made)
    assert balance(app, made) == ledger.Balance(owed_minor=43600, paid_minor=87200, refunded_minor=43600)
    assert [each for each in named(app) if each[0].startswith("REC")] == [("REC-2027-0001", 43600)]
    assert faults(app) == []


@both
def test_who_was_let_in_pays_by_card_too(app: Flask, slug: str, clock: Clock) -> None:
    made = invoiced(app, slug)
    with arranged(app):
        invoicing.let_in(locked(made), "They always pay", actor="user:1", now=clock.at)
    with arranged(app):
        invoice_cards.new_page(locked(made), clock.at)
    assert faults(app) == []
    assert receive(app, made) == "payment succeeded, booking confirmed"
    assert balance(app, made).due_minor == 0
    assert faults(app) == []


# Receipts


@both
def test_everybody_who_paid_has_a_receipt(app: Flask, slug: str, clock: Clock) -> None:
    made = paid(app, a_wish(slug, people=[ANN, BOB]))
    assert named(app) == [("REC-2027-0001", 33600)]
    (receipt,) = papers(app)
    assert receipt.content["buyer"]["name"] == "Bea Booker"
    assert receipt.content["vat"] == {"mode": "included", "rate": 2000, "minor": 5600}
    assert receipt.content["received"] == [{"on": "2027-03-02", "how": "Paid online", "minor": 33600}]
    assert receipt.content["seller"]["name"] == "Olu Trains Ltd"
    (letter,) = letters(app, "receipt")
    assert f"/bookings/{made.reference}/invoice.pdf?key=" in letter.values["receipt_url"]
    assert faults(app) == []


@both
def test_a_free_place_and_money_that_came_too_late_have_none(app: Flask, clock: Clock) -> None:
    with arranged(app):
        free, small = a_workshop(price_minor=0).slug, a_workshop(capacity=1).slug
    paid(app, a_wish(free))
    late = held(app, a_wish(small))
    clock.shift(hours=1)
    paid(app, a_wish(small, people=[BOB], booker=BOB))
    receive(app, late)
    assert named(app) == [("REC-2027-0001", 16800)]
    assert faults(app) == []


@both
def test_an_organiser_without_vat_says_so(app: Flask, clock: Clock) -> None:
    with arranged(app):
        slug = a_workshop().slug
    paid(app, a_wish(slug))
    assert papers(app)[0].content["vat"] == {"mode": "none", "rate": 0, "minor": 0}


@both
def test_what_it_says_stays_whatever_changes(app: Flask, slug: str, clock: Clock) -> None:
    invoiced(app, slug)
    before = papers(app)[0].content
    with arranged(app):
        organiser = db.session.scalars(select(Organiser)).one()
        organiser.legal_name, organiser.address, organiser.vat_rate = "Another", "Elsewhere", 0
        for ticket in db.session.scalars(select(TicketType)):
            ticket.name = "Renamed"
    assert papers(app)[0].content == before
    work(app)
    with app.app_context():
        pdf = invoices.pdf_of(1)
    assert pdf
    said = text_of(pdf)
    for part in ("Olu Trains Ltd", "Organisation", "£436.00", "PO-4711", "VAT at 20%", "£72.67", "Sort code 00-00-00"):
        assert part in said, part


# What the audit sees


@both
def test_a_broken_book_is_seen(app: Flask, slug: str, clock: Clock) -> None:
    made = invoiced(app, slug)
    with arranged(app):
        booking = locked(made)
        ledger.reduce(booking.bill, 100, about="x", note="by mistake", now=clock.at)
    assert faults(app) == ["bill:1: 100 of its invoice is owed no more, and 0 was taken back"]


@both
def test_a_booking_that_waits_for_no_invoice_is_seen(app: Flask, slug: str, clock: Clock) -> None:
    made = held(app, a_wish(slug))
    with arranged(app):
        lifecycle.await_invoice(locked(made), actor="booker", now=clock.at)
    assert faults(app) == [f"booking {made.reference}: waits for an invoice that was never issued"]


# The form


def fill(client: PageClient, slug: str, **changes: str | bool) -> Any:
    filled = form(client.get(f"/workshops/{slug}/bookings/new"), "/bookings")
    typed: dict[str, str | bool] = {
        "ticket_type": "organisation",
        "attendee-0-name": "Ann Attwood",
        "attendee-0-email": "ann@clinic.example",
        "booker_name": "Bea Booker",
        "booker_email": "bea@clinic.example",
        "agree_terms": True,
        "by_invoice": True,
        "invoice_organisation": "Leeds Community Trust",
        "invoice_address": "1 Hospital Road\n\n  Leeds LS1 1AA ",
        "invoice_email": "Accounts@trust.example",
        "purchase_order": "PO-4711",
    }
    return client.submit(filled, {**typed, **changes})


def test_the_form_asks_for_what_an_invoice_needs(app: Flask, client: PageClient, slug: str) -> None:
    answer = fill(client, slug, invoice_organisation="", invoice_address=" ", invoice_email="nowhere")
    assert answer.status_code == 422
    said = main_text(answer)
    for part in ("Please say which organisation pays.", "Please give the address", "not a whole email address"):
        assert part in said
    assert papers(app) == []


def test_a_ticket_that_is_paid_at_once_cannot_be_invoiced(app: Flask, client: PageClient, slug: str) -> None:
    answer = fill(client, slug, ticket_type="standard")
    assert answer.status_code == 422
    assert "Only “Organisation” can be paid on an invoice." in main_text(answer)


def test_without_the_tick_the_fields_do_not_count(app: Flask, client: PageClient, slug: str, stripe: Any) -> None:
    answer = fill(client, slug, by_invoice=False, invoice_organisation="", invoice_email="nowhere")
    assert answer.status_code == 303
    assert "/pay/cs_" in answer.location


def test_a_workshop_without_such_tickets_does_not_offer_it(app: Flask, client: PageClient) -> None:
    with arranged(app):
        slug = a_workshop().slug
    assert "by_invoice" not in client.get(f"/workshops/{slug}/bookings/new").get_data(as_text=True)


def test_the_form_leads_to_a_page_that_says_who_pays(app: Flask, client: PageClient, slug: str, stripe: Any) -> None:
    answer = fill(client, slug)
    assert answer.status_code == 303
    assert "/bookings/" in answer.location
    page = client.get(answer.location)
    said = main_text(page)
    for part in (
        "Your place is kept while your organisation pays", "INV-2027-0001", "£218.00 of invoice INV-2027-0001 is open",
        "accounts@trust.example",
        "Tuesday 16 March 2027", "Pay £218.00 by card",
    ):  # fmt: skip
        assert part in said, part
    for word in ("failed", "not paid", "confirmed"):
        assert word not in said.lower(), word
    with app.app_context():
        assert invoices.of_bill(1)[0].content["buyer"]["address"] == "1 Hospital Road\nLeeds LS1 1AA"
    card = client.submit(form(page, "/payment"))
    assert card.status_code == 303
    assert "/pay/cs_" in card.location
    assert client.submit(form(page, "/payment")).location == card.location  # the open page is used again


def test_the_attendee_sees_that_the_place_is_kept(app: Flask, client: PageClient, slug: str) -> None:
    made = invoiced(app, slug)
    for place in made.places:
        assert "Kept for you" in main_text(client.get(place))


def test_who_books_twice_for_one_person_is_told(app: Flask, client: PageClient, slug: str) -> None:
    invoiced(app, slug, [ANN])
    answer = fill(client, slug)
    assert answer.status_code == 422
    assert "Ann Attwood already has a place" in main_text(answer)


# The file


def test_the_booker_gets_the_file_and_first_hears_that_it_is_made(app: Flask, client: PageClient, slug: str) -> None:
    made = invoiced(app, slug)
    client.get(made.url)
    path = f"/bookings/{made.reference}/invoice.pdf"
    waiting = client.get(path)
    assert (waiting.status_code, waiting.headers["Retry-After"]) == (202, "5")
    assert "Your invoice is being made" in main_text(waiting)
    work(app)
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="INV-2027-0001.pdf"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert "INV-2027-0001" in text_of(answer.get_data())
    page = client.get(f"/bookings/{made.reference}").get_data(as_text=True)
    assert f"{path}?number=INV-2027-0001" in page


def test_each_paper_is_had_by_its_number(app: Flask, client: PageClient, slug: str, clock: Clock) -> None:
    made = invoiced(app, slug)
    came(app, made, 100, clock)
    work(app)
    client.get(made.url)
    path = f"/bookings/{made.reference}/invoice.pdf"
    assert "Received from" in text_of(client.get(f"{path}?number=REC-2027-0001").get_data())
    assert "Please pay" in text_of(client.get(path).get_data())
    assert client.get(f"{path}?number=REC-2027-0002").status_code == 404


def test_a_stranger_finds_nothing(app: Flask, client: PageClient, slug: str) -> None:
    made = invoiced(app, slug)
    work(app)
    unknown = client.get("/nowhere").get_data(as_text=True)
    answer = client.get(f"/bookings/{made.reference}/invoice.pdf")
    assert (answer.status_code, answer.get_data(as_text=True)) == (404, unknown)
    with app.app_context():
        other = links.token("place", 1, 1)
        wrong = [
            web.url("booking_invoices.paper", token=each)
            for each in (other, f"2{links.token('invoice', 1, 1)[1:]}", "1-x")
        ]
        gone = web.url("booking_invoices.paper", token=links.token("invoice", 99, 1))
    assert [client.get(each).status_code for each in (*wrong, gone)] == [404] * 4


def test_a_booking_of_nothing_has_no_paper(app: Flask, client: PageClient) -> None:
    with arranged(app):
        slug = a_workshop(price_minor=0).slug
    made = paid(app, a_wish(slug))
    client.get(made.url)
    assert client.get(f"/bookings/{made.reference}/invoice.pdf").status_code == 404


def test_whoever_pays_opens_the_paper_and_nothing_else(app: Flask, client: PageClient, slug: str) -> None:
    made = invoiced(app, slug)
    work(app)
    (letter,) = letters(app, "invoice")
    answer = client.get(letter.values["paper_url"])
    assert "INV-2027-0001" in text_of(answer.get_data())
    assert client.get(f"/bookings/{made.reference}").status_code == 404
    with app.app_context():
        assert letter.values["paper_url"] == invoice_letters.paper_url(db.session.get_one(Invoice, 1))
