"""Tickets paid in parts, set up at the desk and looked after there."""

from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from bookings import audit, checkout, plan_rows
from bookings.models import Booking
from bookings.pricing import Line
from courses.deposits import Deposit, Part
from courses.models import TicketType, Workshop
from history.models import Entry
from lib import clock as clocks
from lib import db
from lib.work import Job
from mail.models import Letter
from payments.models import Instalment, Payment
from tests.bookings.making import a_wish, paid
from tests.builders import a_ticket, a_workshop, an_organiser, arranged
from tests.conftest import Clock
from tests.organisers.conftest import DESK
from tests.organisers.desk import press, statements
from tests.organisers.test_prices import new_ticket, without_delete
from tests.page import PageClient, form, main_text

pytestmark = pytest.mark.proved_on_both
APRIL, MAY = date(2027, 4, 5), date(2027, 5, 3)
IN_PARTS = {
    "name": "Self-funded",
    "prices-0-amount": "420.00",
    "deposit": "120",
    "instalments-0-due_on": "2027-04-05",
    "instalments-0-amount": "150.00",
    "instalments-1-due_on": "2027-05-03",
    "instalments-1-amount": "150.00",
}


@pytest.fixture
def slug(app: Flask, clock: Clock) -> str:
    """A workshop on 30 June 2027; the clock stands on 2 March."""
    with arranged(app):
        return a_workshop(slug="it", in_days=120, capacity=100).slug


def ticket(app: Flask, code: str = "self-funded") -> TicketType | None:
    with app.app_context():
        found = db.session.scalars(select(TicketType).where(TicketType.code == code)).one_or_none()
        db.session.expunge_all()
        return found


def test_a_deposit_and_instalments_are_read_back_and_sold(
    app: Flask, owner: PageClient, client: PageClient, slug: str
) -> None:
    assert owner.submit(new_ticket(owner, slug), IN_PARTS).status_code == 303
    there = f"{DESK}/workshops/{slug}/tickets/self-funded"
    for _ in range(2):
        found = ticket(app)
        assert found is not None
        assert (found.payment, found.terms) == (
            "deposit",
            Deposit(12000, (Part(APRIL, 15000), Part(MAY, 15000))).terms(),
        )
        assert owner.submit(without_delete(owner, there)).status_code == 303
    said = main_text(client.get(f"/workshops/{slug}/bookings/new"))
    assert "£120.00 now, £150.00 on Monday 5 April 2027 and £150.00 on Monday 3 May 2027" in said

    emptied = {name: "" for name in IN_PARTS if name.startswith(("deposit", "instalments"))}
    assert owner.submit(without_delete(owner, there), emptied).status_code == 303
    found = ticket(app)
    assert found is not None
    assert (found.payment, found.terms) == ("now", {})


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"deposit": "100"}, "come to £400.00, and the price is £420.00"),
        ({"deposit": ""}, "Instalments follow a deposit"),
        ({"instalments-0-due_on": "", "instalments-0-amount": "", "instalments-1-due_on": "",
          "instalments-1-amount": ""}, "at least one instalment"),
        ({"instalments-1-due_on": "2027-04-05"}, "due after the one above, which is due on Monday 5 April 2027"),
        ({"instalments-1-due_on": "2027-07-01"}, "after the workshop, which ends on Wednesday 30 June 2027"),
        ({"instalments-1-due_on": ""}, "Please give its day"),
        ({"instalments-1-amount": ""}, "Please give its amount"),
        ({"instalments-1-amount": "0.29"}, "Stripe takes £0.30 at the least"),
        ({"instalments-1-amount": "0"}, "more than nothing"),
        ({"deposit": "0.20"}, "The deposit: Stripe takes £0.30 at the least"),
        ({"deposit": "much"}, "in figures"),
        ({"prices-1-amount": "480"}, "one fixed price, in one currency"),
        ({"prices-0-amount": "", "prices-0-least": "1", "prices-0-suggested": "2"}, "one fixed price, in one currency"),
        ({"kind": "extra"}, "paid at once"),
    ],
)  # fmt: skip
def test_parts_that_cannot_be_are_refused(
    app: Flask, owner: PageClient, slug: str, typed: dict[str, str], sentence: str
) -> None:
    answer = owner.submit(new_ticket(owner, slug), IN_PARTS | typed)
    assert answer.status_code == 422
    assert sentence in main_text(answer)
    assert ticket(app) is None


def test_an_instalment_on_the_workshop_s_last_day_is_possible(app: Flask, owner: PageClient, slug: str) -> None:
    typed = IN_PARTS | {"instalments-1-due_on": "2027-06-30"}
    assert owner.submit(new_ticket(owner, slug), typed).status_code == 303


def a_plan(app: Flask, name: str = "Ann Attwood") -> str:
    return paid(app, a_wish("it", ticket="parts", people=[(name, f"{name.split()[0].lower()}@x.example")])).reference


@pytest.fixture
def in_parts(app: Flask, slug: str) -> str:
    with arranged(app):
        workshop = db.session.scalars(select(Workshop).where(Workshop.slug == slug)).one()
        terms = Deposit(12000, (Part(APRIL, 15000), Part(MAY, 15000))).terms()
        a_ticket(workshop, code="parts", prices={"GBP": 42000}, payment="deposit", terms=terms)
    return slug


def test_what_is_late_is_shown_with_its_amount_and_days(
    app: Flask, owner: PageClient, clock: Clock, in_parts: str
) -> None:
    assert "Nobody has a part" in main_text(owner.get(f"{DESK}/instalments"))
    reference = a_plan(app)
    assert "In time" in main_text(owner.get(f"{DESK}/instalments"))
    clock.set("2027-04-09T12:00:00Z")
    said = main_text(owner.get(f"{DESK}/instalments"))
    assert reference in said
    assert "4 days late" in said
    assert "£150.00, Monday 5 April 2027" in said
    there = main_text(owner.get(f"{DESK}/bookings/{reference}"))
    assert "Paid in parts" in there
    assert "4 days late" in there
    assert "Still owed: £300.00" in there


def test_the_list_costs_the_same_however_many_there_are(app: Flask, owner: PageClient, in_parts: str) -> None:
    def cost() -> int:
        return statements(app, lambda: owner.get(f"{DESK}/instalments"))

    for name in ("Ann A", "Bob B"):
        a_plan(app, name)
    before = cost()
    for number in range(8):
        a_plan(app, f"P{number} Q")
    assert cost() == before


def test_a_free_place_on_such_a_ticket_has_no_plan(app: Flask, owner: PageClient, in_parts: str) -> None:
    found = form(owner.get(f"{DESK}/workshops/{in_parts}/people/new"), "/people")
    typed = {"name": "Gia Given", "email": "gia@x.example", "ticket": "parts", "why": "Speaker"}
    assert owner.submit(found, typed).status_code == 303
    assert "Nobody has a part" in main_text(owner.get(f"{DESK}/instalments"))


# A part that was paid past Stripe


def write_down(owner: PageClient, reference: str, amount: str, **more: str) -> TestResponse:
    typed = {"amount": amount, "reference": "ATTWOOD 2", "why": "on the statement"} | more
    return press(owner, f"{DESK}/bookings/{reference}/instalments", "/instalments", **typed)


def states(app: Flask) -> list[str]:
    with app.app_context():
        return [each.state for each in db.session.scalars(select(Instalment).order_by(Instalment.due_on))]


def sound(app: Flask) -> bool:
    with app.app_context():
        return audit.faults(clocks.now()) == []


def test_a_part_paid_by_transfer_is_written_down(app: Flask, owner: PageClient, clock: Clock, in_parts: str) -> None:
    reference = a_plan(app)
    clock.set("2027-04-09T12:00:00Z")
    page = f"{DESK}/bookings/{reference}"
    assert f"{page}/instalments" in owner.get(page).get_data(as_text=True)

    done = write_down(owner, reference, "150.00", day="2027-04-07")

    assert done.status_code == 303
    said = main_text(owner.get(done.location))
    for part in ("Payment past Stripe. ATTWOOD 2", "REC-2027-0002", "Still owed: £150.00", "on the statement"):
        assert part in said, part
    assert states(app) == ["paid", "open"]
    with app.app_context():
        payment = db.session.scalars(select(Payment).where(Payment.kind == "bank")).one()
        # The hour is not known: noon of the day, by London's clock.
        assert (payment.amount_minor, str(payment.at)) == (15000, "2027-04-07 11:00:00+00:00")
        entry = db.session.scalars(select(Entry).where(Entry.verb == "payment_written_down")).one()
        assert entry.actor.startswith("user:")
        letter = db.session.scalars(select(Letter).where(Letter.template == "instalment_paid")).one()
        assert (letter.values["amount"], letter.values["later"]) == ("£150.00", ["£150.00 on Monday 3 May 2027"])
    assert write_down(owner, reference, "150").status_code == 303
    assert states(app) == ["paid", "paid"]
    assert "Nothing of this booking is still to be paid" in main_text(owner.get(f"{page}/instalments"))
    assert sound(app)


@pytest.mark.parametrize(
    ("amount", "status", "said"),
    [
        ("100", 409, "less than the next part: £150.00, due on Monday 5 April 2027"),
        ("200", 409, "£150.00 or £300.00 would"),
        ("300.01", 409, "Only £300.00 is still to be paid"),
        ("0", 422, "more than nothing"),
        ("much", 422, ""),
    ],
)
def test_another_amount_is_refused_and_nothing_is_written(
    app: Flask, owner: PageClient, in_parts: str, amount: str, status: int, said: str
) -> None:
    refused = write_down(owner, a_plan(app), amount)

    assert refused.status_code == status
    assert said in main_text(refused)
    assert states(app) == ["open", "open"]
    with app.app_context():
        assert db.session.scalars(select(Payment.kind)).all() == ["stripe"]
        assert db.session.scalars(select(Letter).where(Letter.template == "instalment_paid")).all() == []
    assert sound(app)


def test_all_the_rest_at_once_and_a_form_sent_twice(app: Flask, owner: PageClient, in_parts: str) -> None:
    reference = a_plan(app)
    address = f"{DESK}/bookings/{reference}/instalments"
    found = form(owner.get(address), "/instalments")
    typed = {"amount": "150", "reference": "ATTWOOD 2", "why": "on the statement"}
    assert [owner.submit(found, typed).status_code for _ in range(2)] == [303, 409]
    assert states(app) == ["paid", "open"]

    other = a_plan(app, "Bob Brown")
    assert write_down(owner, other, "300").status_code == 303
    assert states(app).count("paid") == 3
    assert sound(app)


def test_a_page_at_stripe_for_a_part_that_was_written_down_is_closed(
    app: Flask, owner: PageClient, in_parts: str
) -> None:
    reference = a_plan(app)
    with arranged(app):
        booking = db.session.scalars(select(Booking).where(Booking.reference == reference)).one()
        checkout.new_attempt(booking, (Line("Due", 15000),), "It", clocks.now())
    assert write_down(owner, reference, "150").status_code == 303
    with app.app_context():
        closing = db.session.scalars(select(Job).where(Job.kind == plan_rows.CLOSE)).one()
        assert closing.arguments["bill"] == db.session.scalars(select(Booking.bill_id)).one()


def test_no_other_organiser_finds_it(app: Flask, owner: PageClient, in_parts: str) -> None:
    with arranged(app):
        an_organiser(slug="pim")
    reference = a_plan(app)
    assert owner.get(f"/organise/pim/bookings/{reference}/instalments").status_code in (403, 404)
    assert owner.get(f"{DESK}/bookings/CQ-0000-00/instalments").status_code == 404
