"""Credits at the booking form: who may use them, what they pay, and what becomes of them when plans change."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import select

from bookings import audit, credit_letters, credit_links, credit_spending, lifecycle, moving, returning
from bookings.models import Booking
from courses.models import Workshop
from lib import db, links
from mail import render
from mail.models import Letter
from payments import credits, ledger
from payments.models import Credit, PaymentAttempt
from tests.bookings import filling
from tests.bookings.making import Made, a_wish, held, lapse, paid, receive, state_of
from tests.bookings.test_changes import a_policy, a_slug, sent
from tests.builders import a_course, a_ticket, a_workshop, an_organiser, arranged
from tests.conftest import Clock
from tests.page import PageClient, form, main_text

pytestmark = pytest.mark.both_databases
BEA = "bea@clinic.example"


@pytest.fixture
def slug(app: Flask) -> str:
    """A workshop of 168.00 a place."""
    with arranged(app):
        return a_workshop(capacity=20).slug


def a_credit(
    app: Flask, slug: str, clock: Clock, minor: int, *, email: str = BEA, expires_at: datetime | None = None
) -> int:
    """A booking of that address whose money is kept as a credit; the credit's id."""
    made = paid(app, a_wish(slug, booker=("Bea Booker", email), people=[("Cy", f"cy-of-{email}")]))
    with arranged(app):
        booking = lifecycle.locked(db.session.get_one(Booking, made.id).bill_id)
        lifecycle.cancel(booking, booking.attendees, actor="booker", why="", now=clock.at)
        reason = "Cy does not come"
        credit = returning.keep_as_credit(
            booking, minor, email=email, reason=reason, expires_at=expires_at, actor="booker", now=clock.at
        )
        returning.give(booking, 16800 - minor, source="rule", reason=reason, actor="rule", now=clock.at)
        return credit.id


def left(app: Flask, clock: Clock, email: str = BEA) -> int:
    with app.app_context():
        return sum(each.minor for each in credits.available(email, 1, "GBP", clock.at))


def bill_of(app: Flask, made: Made) -> ledger.Balance:
    with app.app_context():
        return ledger.of_bill(db.session.get_one(Booking, made.id).bill_id)


def asked_of_stripe(app: Flask, made: Made) -> list[int]:
    with app.app_context():
        bill_id = db.session.get_one(Booking, made.id).bill_id
        wanted = select(PaymentAttempt).where(PaymentAttempt.bill_id == bill_id).order_by(PaymentAttempt.id)
        return [each.amount_minor for each in db.session.scalars(wanted)]


def statement_of(app: Flask, credit_id: int) -> str:
    with app.test_request_context():
        return urlsplit(credit_letters.url(db.session.get_one(Credit, credit_id))).path


def faults(app: Flask, clock: Clock) -> list[object]:
    with app.app_context():
        return list(audit.faults(clock.at))


# At the form


def test_the_letter_leads_to_a_statement_that_opens_the_form(
    app: Flask, client: PageClient, clock: Clock, slug: str
) -> None:
    until = clock.at + timedelta(days=30)
    number = a_credit(app, slug, clock, 5000, expires_at=until)
    with app.app_context():
        letter = db.session.scalars(select(Letter).where(Letter.template == "credit_kept")).one()
        address = letter.values["credit_url"]
    assert urlsplit(address).path == statement_of(app, number)

    page = client.get(statement_of(app, number))
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    said = main_text(page)
    assert "£50.00 can be used for your next booking" in said
    assert "Thursday 1 April 2027, 09:59 BST (London)" in said
    form = main_text(client.get(f"/workshops/{slug}/bookings/new"))
    assert "Use my credit with Olu Trains: £50.00, all of it until Thursday 1 April 2027, 09:59 BST" in form

    data = filling.typed(client, slug)
    assert data["use_credit"]
    quote = filling.send(client, slug, data, to="quote", as_json=True).get_json()
    assert (quote["total_minor"], quote["credit_minor"], quote["due_now_minor"]) == (16800, 5000, 11800)
    shown = main_text(filling.send(client, slug, data, to="quote"))
    assert "From your credit £50.00" in shown
    assert "Pay £118.00 now" in shown
    assert left(app, clock) == 5000, "a look at the price spends nothing"


def test_who_has_not_opened_it_is_offered_nothing(app: Flask, client: PageClient, clock: Clock, slug: str) -> None:
    a_credit(app, slug, clock, 5000)
    data = filling.typed(client, slug) | {"use_credit": "y", "booker_email": BEA}

    assert "credit" not in main_text(client.get(f"/workshops/{slug}/bookings/new"))
    quote = filling.send(client, slug, data, to="quote", as_json=True).get_json()
    assert "credit_minor" not in quote
    assert quote["total_minor"] == 16800


@pytest.mark.parametrize("spoil", ["version", "other", "words"])
def test_a_statement_opens_with_its_own_link_alone(
    app: Flask, client: PageClient, clock: Clock, slug: str, spoil: str
) -> None:
    number = a_credit(app, slug, clock, 5000)
    with app.app_context():
        bad = {
            "version": links.token("credit", number, 2),
            "other": links.token("booking", number, 1),
            "words": "anything",
        }[spoil]
    assert client.get(f"/credits/{bad}").status_code == 404


def test_a_statement_shows_one_person_with_one_organiser(
    app: Flask, client: PageClient, clock: Clock, slug: str
) -> None:
    with arranged(app):
        other = an_organiser(name="Hill Street", slug="hill-street")
        elsewhere = a_workshop(course=a_course(organiser=other), slug="elsewhere").slug
    number = a_credit(app, slug, clock, 5000)
    a_credit(app, slug, clock, 7000, email="bob@practice.example")
    a_credit(app, elsewhere, clock, 9000)

    said = main_text(client.get(statement_of(app, number)))
    assert "£50.00" in said
    assert "£70.00" not in said
    assert "£90.00" not in said
    form = main_text(client.get(f"/workshops/{elsewhere}/bookings/new"))
    assert "Your credit" not in form, "the link is for one organiser"


# What becomes of it


def test_part_is_paid_with_it_and_the_rest_by_card(app: Flask, clock: Clock, slug: str) -> None:
    a_credit(app, slug, clock, 5000)
    made = held(app, replace(a_wish(slug), credit_of=BEA))
    assert asked_of_stripe(app, made) == [11800]
    assert left(app, clock) == 0, "nobody else can use it while the booking is held"

    receive(app, made)
    assert state_of(app, made) == "confirmed"
    found = bill_of(app, made)
    assert (found.paid_minor, found.owed_minor, found.due_minor) == (16800, 16800, 0)
    assert faults(app, clock) == []


def test_all_of_it_needs_no_card(app: Flask, clock: Clock, slug: str) -> None:
    a_credit(app, slug, clock, 16800)
    made = held(app, replace(a_wish(slug), credit_of=BEA))
    assert state_of(app, made) == "confirmed"
    assert asked_of_stripe(app, made) == []
    assert bill_of(app, made).due_minor == 0
    assert faults(app, clock) == []


def test_a_hold_that_lapses_gives_it_back(app: Flask, clock: Clock, slug: str) -> None:
    a_credit(app, slug, clock, 5000)
    made = held(app, replace(a_wish(slug), credit_of=BEA))
    clock.shift(hours=1)
    lapse(app, made)
    assert left(app, clock) == 5000
    assert faults(app, clock) == []


def test_money_that_comes_late_takes_it_again(app: Flask, clock: Clock, slug: str) -> None:
    a_credit(app, slug, clock, 5000)
    made = held(app, replace(a_wish(slug), credit_of=BEA))
    clock.shift(hours=1)
    lapse(app, made)
    receive(app, made)
    assert state_of(app, made) == "confirmed"
    assert left(app, clock) == 0
    assert bill_of(app, made).due_minor == 0
    assert faults(app, clock) == []


def test_money_that_comes_after_it_was_spent_elsewhere_goes_back_in_full(app: Flask, clock: Clock, slug: str) -> None:
    a_credit(app, slug, clock, 5000)
    made = held(app, replace(a_wish(slug), credit_of=BEA))
    clock.shift(hours=1)
    lapse(app, made)
    other = replace(a_wish(slug, people=[("Dee", "dee@clinic.example")]), credit_of=BEA)
    receive(app, held(app, other))

    receive(app, made)
    assert state_of(app, made) == "lapsed"
    found = bill_of(app, made)
    assert (found.paid_minor, found.refunded_minor, found.credit_minor, found.kept_minor) == (16800, 11800, 5000, 0)
    with app.app_context():
        told = db.session.scalars(select(Letter).where(Letter.template == "refunded_late")).one()
        assert "credit" in str(told.values)
    assert faults(app, clock) == []


def test_what_is_given_back_while_the_bank_debit_is_on_its_way_stays_given_back(
    app: Flask, clock: Clock, slug: str
) -> None:
    a_credit(app, slug, clock, 5000)
    made = held(app, replace(a_wish(slug), credit_of=BEA))
    intent = "pi_of_a_bank"
    receive(app, made, payment_status="unpaid", intent_status="processing", intent=intent)
    assert state_of(app, made) == "awaiting_bank"
    with arranged(app):
        bill_id = db.session.get_one(Booking, made.id).bill_id
        credits.give_back(bill_id, 2000, reason="Cy stays half a day", now=clock.at)

    receive(app, made, intent=intent)
    assert state_of(app, made) == "confirmed"
    assert left(app, clock) == 2000
    found = bill_of(app, made)
    assert (found.owed_minor, found.paid_minor, found.credit_minor, found.due_minor) == (14800, 16800, 2000, 0)
    assert faults(app, clock) == []


@pytest.mark.parametrize(("seconds", "used"), [(-1, 5000), (0, 0)])
def test_it_pays_up_to_its_last_second(app: Flask, clock: Clock, slug: str, seconds: int, used: int) -> None:
    until = clock.at + timedelta(days=3)
    a_credit(app, slug, clock, 5000, expires_at=until)
    clock.set(until + timedelta(seconds=seconds))
    made = held(app, replace(a_wish(slug), credit_of=BEA))
    assert asked_of_stripe(app, made) == [16800 - used]


def test_money_goes_back_to_the_card_first_and_never_more_than_came_from_it(
    app: Flask, clock: Clock, slug: str
) -> None:
    a_credit(app, slug, clock, 5000)
    made = held(app, replace(a_wish(slug), credit_of=BEA))
    receive(app, made)
    with arranged(app):
        booking = lifecycle.locked(db.session.get_one(Booking, made.id).bill_id)
        lifecycle.cancel(booking, booking.attendees, actor="booker", why="", now=clock.at)
        back = returning.give(booking, 16800, source="rule", reason="cancelled", actor="rule", now=clock.at)
        assert [each.amount_minor for each in back.refunds] == [11800]
        assert back.credit_minor == 5000
    assert left(app, clock) == 5000
    assert faults(app, clock) == []


def test_an_invoice_is_not_paid_with_it(app: Flask, client: PageClient, clock: Clock, slug: str) -> None:
    with arranged(app):
        by_invoice = a_workshop(course=a_course(slug="invoiced"), slug="invoiced", price_minor=None)
        a_ticket(by_invoice, code="organisation", prices={"GBP": 20000}, payment="invoice")
    number = a_credit(app, slug, clock, 5000)
    client.get(statement_of(app, number))
    to = {
        "by_invoice": "y",
        "payer_name": "Leeds Trust",
        "payer_address": "1 Hospital Road",
        "payer_email": "accounts@trust.example",
    }
    data = filling.typed(client, "invoiced") | to
    quote = filling.send(client, "invoiced", data, to="quote", as_json=True).get_json()
    assert "credit_minor" not in quote


def test_whoever_is_signed_in_finds_their_credits(app: Flask, clock: Clock, slug: str) -> None:
    number = a_credit(app, slug, clock, 5000)
    with app.app_context():
        assert credit_spending.offered("Bea+tag@Clinic.example", 1, "GBP", clock.at)[0].credit_id == number
        assert credit_spending.offered("", 1, "GBP", clock.at) == []


def test_what_the_organiser_cancels_after_the_credit_has_ended_can_be_used_again(
    app: Flask, clock: Clock, slug: str
) -> None:
    a_credit(app, slug, clock, 5000, expires_at=clock.at + timedelta(days=2))
    receive(app, held(app, replace(a_wish(slug), credit_of=BEA)))
    clock.shift(days=5)
    with arranged(app):
        workshop = db.session.scalars(select(Workshop).where(Workshop.slug == slug)).one()
        moving.cancel_workshop(workshop, "The presenter is ill.", actor="user:1", now=clock.at)
        told = db.session.scalars(select(Letter).where(Letter.template == "booking_changed")).one()
        assert told.values["heading"] == "£50.00 is on its credit again"
        assert "/credits/" not in str(told.values), "whoever booked need not be whose credit it is"
        assert "can be spent until Tuesday 9 March 2027, 08:59 GMT (London)" in str(told.values), (
            "its time stood still for five days"
        )
    assert left(app, clock) == 5000
    clock.shift(days=2)
    assert left(app, clock) == 0
    assert faults(app, clock) == []


def test_money_kept_as_a_credit_does_not_go_back_as_well(app: Flask, clock: Clock, slug: str) -> None:
    made = paid(app, a_wish(slug))
    with arranged(app):
        booking = lifecycle.locked(db.session.get_one(Booking, made.id).bill_id)
        returning.keep_as_credit(
            booking, 10000, email=BEA, reason="rather that", expires_at=None, actor="user:1", now=clock.at
        )
        assert returning.remaining_of(booking.bill_id) == 6800
        back = returning.give(booking, 16800, source="organiser", reason="all", actor="user:1", now=clock.at)
        assert back.minor == 6800
    found = bill_of(app, made)
    assert (found.refunded_minor, found.credit_minor, found.kept_minor) == (6800, 10000, 0)


# Where money goes back to


def told_of(app: Flask, *templates: str) -> list[str]:
    with app.app_context():
        found = db.session.scalars(select(Letter).where(Letter.template.in_(templates)).order_by(Letter.id))
        return [render.parts(each).text for each in found if each.to_email == BEA]


@pytest.mark.parametrize(
    ("days", "ends"),
    [(30, "can be spent until Thursday 1 April 2027, 09:59 BST (London)"), (None, "has no last day")],
)
def test_a_place_paid_with_a_credit_alone_goes_back_to_it_and_no_bank_is_spoken_of(
    app: Flask, client: PageClient, clock: Clock, days: int | None, ends: str
) -> None:
    a_policy(app)
    slug = a_slug(app, in_days=40)
    a_credit(app, slug, clock, 16800, expires_at=clock.at + timedelta(days=days) if days else None)
    made = held(app, replace(a_wish(slug), credit_of=BEA))
    client.get(made.url)
    page = f"/bookings/{made.reference}/cancellation"
    said = f"£158.00 goes back to the credit it was paid with, which {ends}."
    assert said in main_text(client.get(page))

    assert sent(client, page, "/cancellation#quote").status_code == 303

    letters = told_of(app, "booking_changed")
    assert len(letters) == 2
    assert all(said in " ".join(each.split()) for each in letters)
    assert not any("bank" in each.lower() for each in letters)
    assert left(app, clock) == 15800


def test_a_credit_that_has_ended_is_not_said_to_be_there(app: Flask, clock: Clock, slug: str) -> None:
    a_credit(app, slug, clock, 5000, expires_at=clock.at + timedelta(days=2))
    made = paid(app, replace(a_wish(slug), credit_of=BEA))
    clock.shift(days=5)
    with arranged(app):
        booking = lifecycle.locked(db.session.get_one(Booking, made.id).bill_id)
        returning.give(booking, 16800, source="organiser", reason="ill", actor="user:1", now=clock.at)
    (said,) = told_of(app, "booking_changed")
    assert "cannot be spent any more: it ended Thursday 4 March 2027, 08:59 GMT (London)" in " ".join(said.split())
    assert "the links to join and to watch have stopped working" in " ".join(said.split())
    assert left(app, clock) == 0


def test_the_letter_about_a_cancelled_workshop_says_what_goes_where(app: Flask, clock: Clock, slug: str) -> None:
    for minor in (16800, 5000):
        a_credit(app, slug, clock, minor)
    whole = paid(app, replace(a_wish(slug), credit_of=BEA))
    part = paid(app, replace(a_wish(slug, people=[("Dee", "dee@clinic.example")]), credit_of=BEA))
    with arranged(app):
        workshop = db.session.scalars(select(Workshop).where(Workshop.slug == slug)).one()
        moving.cancel_workshop(workshop, "The presenter is ill.", actor="user:1", now=clock.at)
    first, second = (" ".join(each.split()) for each in told_of(app, "cancelled_booking"))
    on_credit = "goes back to the credit it was paid with, which has no last day."
    assert whole.reference in first
    assert f"£168.00 {on_credit}" in first
    assert "bank" not in first
    assert part.reference in second
    assert "£118.00 goes back the way you paid" in second
    assert f"five to ten days. £50.00 {on_credit}" in second


# The link itself


def test_a_link_that_is_ended_opens_nothing_in_any_browser_and_a_new_one_goes_by_letter(
    app: Flask, client: PageClient, clock: Clock, slug: str
) -> None:
    number, other = a_credit(app, slug, clock, 5000), a_credit(app, slug, clock, 7000)
    first, second = statement_of(app, number), statement_of(app, other)
    booking_form = f"/workshops/{slug}/bookings/new"
    elsewhere = cast(PageClient, app.test_client())
    elsewhere.get(first)
    assert "Use my credit" in main_text(elsewhere.get(booking_form))

    done = client.submit(form(client.get(first), "/end"))

    assert done.status_code == 303
    assert "A new one is on its way" in main_text(client.get(done.location))
    assert [client.get(each).status_code for each in (first, second)] == [404, 404]
    for browser in (client, elsewhere):
        assert "Use my credit" not in main_text(browser.get(booking_form))
    assert elsewhere.post(f"{first}/end").status_code in (400, 404)
    with app.app_context():
        (letter,) = db.session.scalars(select(Letter).where(Letter.template == "credit_link"))
        assert letter.to_email == BEA
        address = urlsplit(letter.values["credit_url"]).path
    assert "£120.00 can be used" in main_text(client.get(address))
    assert "Use my credit" in main_text(client.get(booking_form))
    assert left(app, clock) == 12000


def test_a_new_link_goes_to_whose_credit_it_is(app: Flask, clock: Clock, slug: str) -> None:
    number = a_credit(app, slug, clock, 5000)
    with arranged(app):
        credit = db.session.get_one(Credit, number)
        booking = db.session.scalars(select(Booking).where(Booking.bill_id == credit.source_bill_id)).one()
        booking.booker_email = "bea@elsewhere.example"
        credit_links.end(credit, actor="user:1", now=clock.at)
        letter = db.session.scalars(select(Letter).where(Letter.template == "credit_link")).one()
        assert letter.to_email == BEA
        assert "/bookings/" not in render.parts(letter).text, "the booking has another address by now"
