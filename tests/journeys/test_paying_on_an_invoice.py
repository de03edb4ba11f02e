"""An organisation pays: from the form to the invite, by transfer and by card, with the worker and Stripe's page."""

import io
import re
from urllib.parse import urlsplit

import pypdf
import pytest

from bookings import reconciling
from lib import clock as product_clock
from payments.models import Invoice, Payment
from tests.builders import a_membership, a_ticket, a_user, a_workshop, an_organiser, arranged
from tests.conftest import Person
from tests.journeys.steps import COMPLETED, Visitor, Walk, parts
from tests.organisers.desk import press, signed_in
from tests.page import form, main_text

pytestmark = pytest.mark.both_databases
TRUST = Person("Leeds Community Trust", "accounts@trust.example")


@pytest.fixture
def slug(walk: Walk) -> str:
    with arranged(walk.app):
        workshop = a_workshop(capacity=2)
        a_ticket(workshop, code="organisation", prices={"GBP": 21800}, payment="invoice")
        return workshop.slug


def book(visitor: Visitor, slug: str, bea: Person, *people: Person) -> str:
    """Ask for an invoice; the reference of the booking it leads to."""
    answer = visitor.send(
        visitor.form(slug, len(people)),
        bea,
        people,
        ticket_type="organisation",
        by_invoice=True,
        invoice_organisation=TRUST.name,
        invoice_address="1 Hospital Road\nLeeds LS1 1AA",
        invoice_email=TRUST.email,
    )
    assert answer.status_code == 303, main_text(answer)
    return urlsplit(answer.location).path.rpartition("/")[2]


def test_a_transfer_from_the_letter_to_the_invites(
    walk: Walk, visitor: Visitor, slug: str, olu: Person, bea: Person, ann: Person, bob: Person
) -> None:
    reference = book(visitor, slug, bea, ann, bob)
    assert visitor.state(reference) == "awaiting_invoice"
    assert walk.stripe.requests() == []
    (invoice,) = walk.letters(TRUST.email)
    text = parts(invoice)["text/plain"]
    assert "£436.00, please by Tuesday 16 March 2027" in text
    (link,) = re.findall(r"http\S+/invoices/\S+\.pdf", text)
    theirs = walk.visitor().client
    pdf = theirs.get(link)
    assert pdf.headers["Content-Type"] == "application/pdf"
    assert "INV-2027-0001" in pypdf.PdfReader(io.BytesIO(pdf.get_data())).pages[0].extract_text()
    assert theirs.get(f"/bookings/{reference}").status_code == 404
    assert walk.letters(ann.email) == []

    with arranged(walk.app):
        user = a_user(email=olu.email)
        a_membership(user=user, organiser=an_organiser(), role="owner")
        session_id = user.get_id()
    desk = signed_in(walk.app, session_id)
    walk.clock.shift(days=9)
    done = press(desk, "/organise/olu-trains/invoices/INV-2027-0001", "/payments", reference="LCT 22", why="seen")
    assert done.status_code == 303
    told = visitor.told(reference)
    assert (told["state"], told["bill"]["paid_minor"]) == ("confirmed", 43600)
    assert [len(walk.letters(who.email)) for who in (ann, bob, bea)] == [1, 1, 2]
    receipt = visitor.client.get(f"/bookings/{reference}/invoice.pdf?number=REC-2027-0001")
    assert "Bank transfer, LCT 22" in pypdf.PdfReader(io.BytesIO(receipt.get_data())).pages[0].extract_text()
    with walk.app.app_context():
        found = reconciling.differences(reconciling.fetch(product_clock.now() - reconciling.STRIPE_KEEPS_EVENTS))
    assert found == []


def test_by_card_from_its_page(walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person) -> None:
    reference = book(visitor, slug, bea, ann)
    card = visitor.client.submit(form(visitor.page(reference), "/payment"))
    assert card.location.startswith(walk.stripe.url)
    walk.stripe.pay(card.location)
    assert visitor.state(reference) == "awaiting_invoice"
    assert walk.ring(COMPLETED) == 204
    assert visitor.state(reference) == "confirmed"
    assert [each.kind for each in walk.rows(Invoice)] == ["invoice", "receipt"]
    assert walk.one(Payment).kind == "stripe"
    assert "/payment" not in visitor.page(reference).get_data(as_text=True)


def test_a_page_that_ran_out_is_followed_by_another(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person
) -> None:
    reference = book(visitor, slug, bea, ann)
    first = visitor.client.submit(form(visitor.page(reference), "/payment")).location
    walk.clock.shift(hours=3)
    second = visitor.client.submit(form(visitor.page(reference), "/payment")).location
    assert first != second
    assert visitor.state(reference) == "awaiting_invoice"
    walk.stripe.pay(second)
    assert walk.ring(COMPLETED) == 204
    assert visitor.state(reference) == "confirmed"


def test_a_transfer_closes_the_page_that_was_open(
    walk: Walk, visitor: Visitor, slug: str, olu: Person, bea: Person, ann: Person
) -> None:
    reference = book(visitor, slug, bea, ann)
    page = visitor.client.submit(form(visitor.page(reference), "/payment")).location
    with arranged(walk.app):
        user = a_user(email=olu.email)
        a_membership(user=user, organiser=an_organiser(), role="owner")
        session_id = user.get_id()
    press(
        signed_in(walk.app, session_id),
        "/organise/olu-trains/invoices/INV-2027-0001",
        "/payments",
        reference="LCT 22",
        why="seen",
    )
    walk.work()
    assert walk.stripe.pay(page).status != 303
    assert visitor.told(reference)["bill"]["paid_minor"] == 21800
