"""Invoices at the desk: what is open, money that came past Stripe, people let in unpaid, what is called off."""

from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select

from accounts.models import Organiser
from bookings import audit
from bookings.invoice_terms import InvoiceTo
from courses.models import TicketType
from history.models import Entry
from lib import clock as product_clock
from lib import db
from lib.work import run_due
from payments.models import Payment, Refund
from tests.bookings.making import Made, a_wish, held, state_of
from tests.builders import a_ticket, a_workshop, an_organiser, arranged
from tests.conftest import Clock
from tests.organisers.conftest import DESK
from tests.organisers.desk import press, statements
from tests.organisers.test_prices import without_delete
from tests.page import PageClient, form, main_text

TRUST = InvoiceTo("Leeds Community Trust", "1 Hospital Road\nLeeds", "accounts@trust.example", "PO-4711")
LIST = f"{DESK}/invoices"
FIRST = f"{LIST}/INV-2027-0001"


def invoiced(app: Flask, slug: str, *, currency: str = "GBP", n: int = 0) -> Made:
    who = (f"P {n}", f"p{n}@x.example")
    wish = a_wish(slug, people=[who], ticket="organisation", currency=currency, booker=who)
    return held(app, replace(wish, invoice_to=TRUST))


@pytest.fixture
def slug(app: Flask, owner: PageClient, clock: Clock) -> str:
    with arranged(app):
        workshop = a_workshop(capacity=100, in_days=60)
        a_ticket(workshop, code="organisation", prices={"GBP": 21800, "JPY": 24000}, payment="invoice")
        return workshop.slug


def sound(app: Flask) -> bool:
    with app.app_context():
        return audit.faults(product_clock.now()) == []


def test_nothing_is_open(owner: PageClient, slug: str) -> None:
    said = main_text(owner.get(LIST))
    assert "Nothing is open" in said
    assert "No invoice waits to be paid." in said


def test_what_is_open_and_how_late_by_currency(app: Flask, owner: PageClient, slug: str, clock: Clock) -> None:
    invoiced(app, slug)
    clock.shift(days=15)
    invoiced(app, slug, currency="JPY", n=1)
    said = main_text(owner.get(LIST))
    for part in (
        "£218.00 is open, £218.00 of it late; JP¥24,000 is open, JP¥0 of it late", "INV-2027-0001", "INV-2027-0002",
        "Leeds Community Trust", "Tuesday 16 March 2027", "1 day late", "JP¥24,000",
    ):  # fmt: skip
        assert part in said, part
    clock.shift(days=1)
    assert "2 days late" in main_text(owner.get(LIST))


def test_money_that_came_is_written_down(app: Flask, owner: PageClient, slug: str, clock: Clock) -> None:
    made = invoiced(app, slug)
    clock.shift(days=5)
    typed = {"amount": "100", "kind": "bank", "day": "2027-03-05", "reference": "LCT 22", "why": "on the statement"}
    done = press(owner, FIRST, "/payments", **typed)
    assert done.status_code == 303
    said = main_text(owner.get(done.location))
    assert "£100.00 came, £0.00 went back, £118.00 is open." in said
    with app.app_context():
        payment = db.session.scalars(select(Payment)).one()
        # The hour is not known: noon of the day, by London's clock.
        assert (payment.kind, payment.reference, str(payment.at)) == ("bank", "LCT 22", "2027-03-05 12:00:00+00:00")
        entry = db.session.scalars(select(Entry).where(Entry.verb == "payment_written_down")).one()
        assert entry.actor.startswith("user:")
        assert entry.facts["why"] == "on the statement"
    rest = press(owner, FIRST, "/payments", reference="LCT 23", why="on the statement")
    assert rest.status_code == 303  # the form begins with what is open, and with today
    assert state_of(app, made) == "confirmed"
    assert "Nothing is open" in main_text(owner.get(FIRST))
    booking = main_text(owner.get(f"{DESK}/bookings/{made.reference}"))
    for part in ("Payment past Stripe. LCT 22", "REC-2027-0002", "Money that came past Stripe, £118.00"):
        assert part in booking, part
    assert sound(app)


def test_a_form_that_is_sent_twice_is_written_down_once(app: Flask, owner: PageClient, slug: str) -> None:
    invoiced(app, slug)
    filled, typed = form(owner.get(FIRST), "/payments"), {"amount": "100", "reference": "LCT 22", "why": "seen"}
    assert owner.submit(filled, typed).status_code == 303

    again = owner.submit(filled, typed)

    assert again.status_code == 409
    assert "Is it the same money?" in main_text(again)
    with app.app_context():
        assert [each.amount_minor for each in db.session.scalars(select(Payment))] == [10000]
    assert owner.submit(form(again, "/payments"), {}).status_code == 303, "as much came once more, under the same name"
    with app.app_context():
        assert [each.amount_minor for each in db.session.scalars(select(Payment))] == [10000, 10000]
    assert sound(app)


def test_what_is_wrong_is_said_and_nothing_is_written(app: Flask, owner: PageClient, slug: str) -> None:
    invoiced(app, slug)
    good = {"amount": "100", "reference": "x", "why": "x"}
    wrong: list[tuple[dict[str, str], int, str]] = [
        ({"amount": "0"}, 422, "more than nothing"),
        ({"amount": "1.005"}, 422, "at most 2 decimals"),
        ({"day": "2027-03-03"}, 422, "still to come"),
        ({"day": "soon"}, 422, "date"),
        ({"reference": ""}, 422, "reference"),
        ({"why": ""}, 422, "how you know"),
        ({"amount": "218.01"}, 409, "£218.00 is open"),
    ]
    for typed, status, said in wrong:
        answer = press(owner, FIRST, "/payments", **{**good, **typed})
        assert answer.status_code == status, typed
        assert said in main_text(answer), typed
    with app.app_context():
        assert db.session.scalars(select(Payment)).all() == []


def test_let_in_before_it_is_paid(app: Flask, owner: PageClient, slug: str) -> None:
    made = invoiced(app, slug)
    assert press(owner, FIRST, "/places").status_code == 422
    done = press(owner, FIRST, "/places", why="They always pay")
    assert done.status_code == 303
    assert state_of(app, made) == "confirmed"
    assert "The invoice stays open" in main_text(owner.get(done.location))
    assert f"{made.reference}, let in" in main_text(owner.get(LIST))
    assert "Reason: They always pay." in main_text(owner.get(f"{DESK}/bookings/{made.reference}"))
    assert sound(app)


def test_called_off_with_a_part_of_it_to_send_back(app: Flask, owner: PageClient, slug: str) -> None:
    made = invoiced(app, slug)
    press(owner, FIRST, "/payments", amount="18", reference="LCT 22", why="on the statement")
    assert press(owner, FIRST, "/cancellation").status_code == 422
    done = press(owner, FIRST, "/cancellation", why="Never answered")
    assert done.status_code == 303
    assert state_of(app, made) == "cancelled"
    said = main_text(owner.get(done.location))
    assert "Taken back" in said
    assert "CN-2027-0001" in said
    with app.app_context():
        run_due(app.extensions["handlers"])
    page = f"{DESK}/bookings/{made.reference}"
    assert "It is sent" in main_text(owner.get(page))
    assert press(owner, page, "/refunds/1/sent").status_code == 303
    with app.app_context():
        assert db.session.scalars(select(Refund.state)).one() == "succeeded"
    assert "A refund was sent from the bank, £18.00" in main_text(owner.get(page))
    assert "Nothing is open" in main_text(owner.get(LIST))
    assert sound(app)


def test_another_organisers_paper_and_refund_are_not_there(app: Flask, owner: PageClient, slug: str) -> None:
    with arranged(app):
        an_organiser(slug="pim", name="Pim")
        other = a_workshop(organiser=an_organiser(slug="pim"))
        a_ticket(other, code="organisation", payment="invoice")
        elsewhere = other.slug
    invoiced(app, elsewhere)
    assert owner.get(FIRST).status_code == 404
    assert owner.get(f"{FIRST}/file.pdf").status_code == 404
    made = invoiced(app, slug, n=2)
    token = owner.get(FIRST).get_data(as_text=True).split('name="csrf_token" value="')[1].split('"')[0]
    gone = owner.post(f"{DESK}/bookings/{made.reference}/refunds/1/sent", data={"csrf_token": token})
    assert gone.status_code == 404


def test_the_file_is_had_from_the_desk(app: Flask, owner: PageClient, slug: str) -> None:
    invoiced(app, slug)
    assert owner.get(f"{FIRST}/file.pdf").status_code == 202
    with app.app_context():
        run_due(app.extensions["handlers"])
    answer = owner.get(f"{FIRST}/file.pdf")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/pdf")
    assert owner.get(f"{LIST}/INV-2027-0002").status_code == 404


def test_as_many_statements_however_many_there_are(app: Flask, owner: PageClient, slug: str, clock: Clock) -> None:
    for n in range(3):
        invoiced(app, slug, n=n)
    before = statements(app, lambda: owner.get(LIST))
    for n in range(3, 20):
        invoiced(app, slug, n=n)
    assert statements(app, lambda: owner.get(LIST)) == before


def test_a_page_of_papers_at_a_time(app: Flask, owner: PageClient, slug: str, clock: Clock) -> None:
    for n in range(51):
        invoiced(app, slug, n=n)
    assert "INV-2027-0001" in main_text(owner.get(f"{LIST}?page=2")).split("All papers")[1]
    assert "INV-2027-0051" in main_text(owner.get(f"{LIST}?page=1")).split("All papers")[1]
    assert owner.get(f"{LIST}?page=99").status_code == 200


# What stands on them


def test_the_settings_of_papers(app: Flask, owner: PageClient, slug: str, clock: Clock) -> None:
    done = press(
        owner,
        f"{LIST}/settings",
        "/invoices/settings",
        legal_name="Olu Trains Ltd",
        vat_mode="included",
        vat_number="gb 980 7806 84",
        vat_percent="5.5",
        bank_details="Account 12345678",
        invoice_days="30",
    )
    assert done.status_code == 303
    with app.app_context():
        found = db.session.scalars(select(Organiser)).one()
        kept = (found.legal_name, found.vat_mode, found.vat_number, found.vat_rate, found.invoice_days)
        assert kept == ("Olu Trains Ltd", "included", "GB980780684", 550, 30)
        entry = db.session.scalars(select(Entry).where(Entry.verb == "invoicing_changed")).one()
        assert "vat_rate" in entry.facts["fields"]
    page = owner.get(done.location).get_data(as_text=True)
    assert 'value="5.5"' in page
    invoiced(app, slug)
    assert "Thursday 1 April 2027" in main_text(owner.get(FIRST))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"vat_mode": "included"}, "Please give your VAT number"),
        ({"vat_mode": "included", "vat_number": "GB980780685", "vat_percent": "20"}, "This is no VAT number"),
        ({"vat_mode": "included", "vat_number": "DE136695977", "vat_percent": "20"}, "This is no VAT number"),
        ({"vat_mode": "included", "vat_number": "12345", "vat_percent": "20"}, "This is no VAT number"),
        ({"vat_mode": "included", "vat_number": "GB980780684", "vat_percent": "0"}, "Please give the percentage"),
        ({"vat_mode": "included", "vat_number": "GB980780684", "vat_percent": "twenty"}, "Please give the percentage"),
        ({"vat_mode": "exempt"}, "Please give your VAT number"),
        ({"invoice_days": "-1"}, "Please give a number from 0 to 365."),
    ],
)
def test_what_cannot_stand_on_an_invoice(owner: PageClient, slug: str, typed: dict[str, str], said: str) -> None:
    answer = press(owner, f"{LIST}/settings", "/invoices/settings", **{"invoice_days": "14", **typed})
    assert answer.status_code == 422
    assert said in main_text(answer)


@pytest.mark.parametrize("number", ["GB980780684", "DE136695976", "CHE123456788", "NO923609016MVA"])
def test_numbers_of_other_countries_are_taken(app: Flask, owner: PageClient, slug: str, number: str) -> None:
    typed = {"vat_mode": "included", "vat_number": number, "vat_percent": "20", "invoice_days": "14"}
    assert press(owner, f"{LIST}/settings", "/invoices/settings", **typed).status_code == 303


def test_a_ticket_may_be_paid_on_an_invoice(app: Flask, owner: PageClient, slug: str) -> None:
    there = f"{DESK}/workshops/{slug}/tickets/standard"
    payments = select(TicketType.payment).where(TicketType.code == "standard")
    for is_so, kept in ((True, "invoice"), (False, "now")):
        assert owner.submit(without_delete(owner, there), {"by_invoice": is_so}).status_code == 303
        with app.app_context():
            assert db.session.scalars(payments).one() == kept
    both = owner.submit(without_delete(owner, there), {"by_invoice": True, "deposit": "50"})
    assert both.status_code == 422
    assert "in parts or on an invoice, not both" in main_text(both)
