"""Prices with rules, codes of every kind, reserves, proofs and newsletter forms, through the back office."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from bookings import audit, discounts
from bookings.models import Attendee, DiscountCode
from courses.models import Pool, TicketType
from lib import clock as now
from lib import db
from newsletter.models import Placement
from tests.bookings.making import ANN, a_wish, held, lapse, paid
from tests.builders import a_code, a_placement, a_pool, a_ticket, a_workshop, an_organiser, arranged
from tests.conftest import Clock
from tests.organisers.conftest import DESK
from tests.organisers.desk import statements
from tests.page import Form, PageClient, form, main_text

pytestmark = pytest.mark.proved_on_both
NEW_CODE = {"code": "TRY", "percent": "20"}


@pytest.fixture
def slug(app: Flask) -> str:
    with arranged(app):
        return a_workshop(slug="it", capacity=10).slug


def new_ticket(owner: PageClient, slug: str) -> Form:
    return form(owner.get(f"{DESK}/workshops/{slug}/tickets/new"), "/tickets")


def new_code(owner: PageClient) -> Form:
    return form(owner.get(f"{DESK}/codes/new"), "/codes")


def saved_code(app: Flask) -> DiscountCode:
    with app.app_context():
        found = db.session.scalars(select(DiscountCode)).one()
        db.session.expunge_all()
        return found


def without_delete(owner: PageClient, there: str) -> Form:
    """The form of a page that has one to delete besides."""
    answer = owner.get(there)
    html = answer.get_data(as_text=True)
    answer.set_data(html.replace(f'action="{there}/delete"', 'action="/elsewhere"'))
    return form(answer, there)


# Tickets


def test_a_ticket_with_a_price_buyers_choose_is_read_back_as_it_was(app: Flask, owner: PageClient, slug: str) -> None:
    typed = {
        "name": "What you can",
        "prices-0-least": "1",
        "prices-0-suggested": "10.00",
        "prices-0-most": "50",
        "least_people": "2",
        "most_people": "6",
        "proof": "number",
    }
    assert owner.submit(new_ticket(owner, slug), typed).status_code == 303
    there = f"{DESK}/workshops/{slug}/tickets/what-you-can"

    for _ in range(2):
        with app.app_context():
            ticket = db.session.scalars(select(TicketType).where(TicketType.code == "what-you-can")).one()
            (price,) = ticket.prices
            assert (price.minor, price.least_minor, price.suggested_minor, price.most_minor) == (None, 100, 1000, 5000)
            assert (ticket.least_people, ticket.most_people, ticket.proof) == (2, 6, "number")
        assert owner.submit(without_delete(owner, there)).status_code == 303
    assert "chosen by the buyer, from £1.00" in main_text(owner.get(f"{DESK}/workshops/{slug}/tickets"))


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"prices-0-least": "1"}, "please give the least and a suggestion"),
        ({"prices-0-least": "0.10", "prices-0-suggested": "5"}, "Stripe takes £0.30 at the least"),
        ({"prices-0-least": "10", "prices-0-suggested": "5"}, "The suggestion is less than the least."),
        ({"prices-0-least": "1", "prices-0-suggested": "5", "prices-0-most": "4"}, "less than the suggestion"),
        ({"prices-0-amount": "9", "prices-0-least": "1", "prices-0-suggested": "5"}, "not both"),
        ({"prices-0-currency": "JPY", "prices-0-amount": "49"}, "Stripe takes JP¥50 at the least"),
        ({"prices-0-currency": "JPY", "prices-0-amount": "500.50"}, "JPY has no decimals"),
        ({"prices-0-currency": "KWD", "prices-0-amount": "5.005"}, "a nought as the third decimal"),
        ({"prices-0-currency": "ISK", "prices-0-amount": "5000"}, "or nothing can be sold in it here"),
        ({"prices-0-amount": "9", "seats": "2", "most_people": "1"}, "fewer than have to come"),
        ({"prices-0-amount": "9", "least_people": "5", "most_people": "4"}, "fewer than have to come"),
    ],
)
def test_what_is_wrong_with_a_price_is_said(owner: PageClient, slug: str, typed: dict[str, str], sentence: str) -> None:
    answer = owner.submit(new_ticket(owner, slug), {"name": "Another", **typed})

    assert answer.status_code == 422
    assert sentence in main_text(answer)


@pytest.mark.parametrize(
    ("currency", "typed", "minor"), [("JPY", "24,000", 24000), ("KWD", "5.010", 5010), ("GBP", "0.30", 30)]
)
def test_prices_in_currencies_with_and_without_decimals(
    app: Flask, owner: PageClient, slug: str, currency: str, typed: str, minor: int
) -> None:
    price = {"prices-0-currency": currency, "prices-0-amount": typed}
    assert owner.submit(new_ticket(owner, slug), {"name": "Another", **price}).status_code == 303

    with app.app_context():
        ticket = db.session.scalars(select(TicketType).where(TicketType.code == "another")).one()
        assert [(each.currency, each.minor) for each in ticket.prices] == [(currency, minor)]


def test_places_are_kept_back_and_not_more_than_there_are(
    app: Flask, owner: PageClient, client: PageClient, slug: str
) -> None:
    with arranged(app):
        a_pool(db.session.scalars(select(Pool)).one().workshop, code="gallery")

    def keep(number: str) -> Any:
        page = owner.get(f"{DESK}/workshops/{slug}/tickets")
        return owner.submit(form(page, "/pools/room"), {"reserved": number})

    page = owner.get(f"{DESK}/workshops/{slug}/tickets").get_data(as_text=True)
    assert 'id="reserved-room"' in page
    assert keep("4").status_code == 303
    with app.app_context():
        room = db.session.scalars(select(Pool).where(Pool.code == "room")).one()
        assert (room.capacity, room.reserved) == (10, 4)
    refused = keep("11")
    assert refused.status_code == 422
    assert "More cannot be kept back than there are." in main_text(refused)


# Codes


def test_a_code_with_everything_is_read_back_as_it_was(app: Flask, owner: PageClient, slug: str) -> None:
    with app.app_context():
        workshop = db.session.scalars(select(TicketType)).one().workshop
        number, course = workshop.id, workshop.course_id
    typed: dict[str, Any] = {
        "code": "Team-5",
        "kind": "amount",
        "minor": "12.50",
        "currency": "gbp",
        "tickets": "standard",
        "workshops": str(number),
        "courses": str(course),
        "topics": "grief",
        "least_people": "5",
        "re_rate_on_cancellation": True,
        "least_order_minor": "100",
        "covers": "9",
        "budget_minor": "1,000",
        "person": "Bea+x@Clinic.example",
        "full_price_only": True,
        "first_online_only": True,
        "stacks": True,
    }
    assert owner.submit(new_code(owner), typed).status_code == 303

    for _ in range(2):
        code = saved_code(app)
        assert (code.code, code.folded, code.kind, code.percent, code.minor, code.currency) == (
            "Team-5", "TEAM5", "amount", None, 1250, "GBP",
        )  # fmt: skip
        assert (code.tickets, code.workshops, code.courses, code.topics) == (
            ["standard"],
            [number],
            [course],
            ["grief"],
        )
        assert (code.least_people, code.least_order_minor, code.covers, code.budget_minor) == (5, 10000, 9, 100000)
        assert (code.person, code.is_automatic) == ("bea@clinic.example", False)
        assert all((code.full_price_only, code.first_online_only, code.stacks, code.re_rate_on_cancellation))
        assert owner.submit(without_delete(owner, f"{DESK}/codes/Team-5")).status_code == 303


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"percent": "101"}, "from 1 to 100"),
        ({"percent": "0"}, "from 1 to 100"),
        ({"percent": ""}, "Please give the percent."),
        ({"minor": "5", "currency": "GBP"}, "A percentage needs no amount."),
        ({"kind": "amount", "percent": ""}, "Please give the amount."),
        ({"kind": "amount", "minor": "0", "currency": "GBP"}, "takes nothing off"),
        ({"kind": "fixed", "minor": "0.10", "currency": "GBP"}, "Stripe takes £0.30 at the least"),
        ({"kind": "amount", "minor": "5", "currency": "XXZ"}, "We do not know the currency"),
        ({"kind": "amount", "minor": "five", "currency": "GBP"}, "Please write the amount in figures"),
        ({"budget_minor": "1.001", "currency": "GBP"}, "GBP has at most 2 decimals"),
        ({"re_rate_on_cancellation": True}, "Nothing can be lost where one person is enough."),
        ({"person": "bea@"}, "is not a whole email address"),
        ({"code": "??"}, "Letters, figures and hyphens, please"),
        ({"valid_from": "2027-03-05", "valid_until": "2027-03-04"}, "It ends before it begins."),
    ],
)
def test_what_is_wrong_with_a_code_is_said(
    app: Flask, owner: PageClient, slug: str, typed: dict[str, Any], sentence: str
) -> None:
    answer = owner.submit(new_code(owner), {**NEW_CODE, **typed})

    assert answer.status_code == 422
    assert sentence in main_text(answer)
    with app.app_context():
        assert list(db.session.scalars(select(DiscountCode))) == []


@pytest.mark.parametrize("other", ["W-E-L-C-O-M-E", "we1c0me", "ＷＥＬＣＯＭＥ"])
def test_a_code_that_looks_like_another_is_that_one(owner: PageClient, slug: str, other: str) -> None:
    assert owner.submit(new_code(owner), {**NEW_CODE, "code": "WELCOME"}).status_code == 303

    answer = owner.submit(new_code(owner), {**NEW_CODE, "code": other})

    assert answer.status_code == 422
    assert "You have the code WELCOME already" in main_text(answer)


def test_what_became_of_a_code_stands_on_its_page(app: Flask, owner: PageClient, slug: str, clock: Clock) -> None:
    with arranged(app):
        a_code(code="TRY", percent=25)
        a_code(code="Three", percent=10, is_automatic=True, least_people=3)
        a_code(code="OFF", minor=1000)
    paid(app, a_wish(slug, code="TRY"))
    held(app, a_wish(slug, code="TRY", people=[("Bob", "bob@x.example")]))
    lapse(app, held(app, a_wish(slug, code="TRY", people=[("Cy", "cy@x.example")])))

    listed = main_text(owner.get(f"{DESK}/codes"))
    alone = main_text(owner.get(f"{DESK}/codes/TRY"))

    assert "£84.00" in listed
    assert "1 being paid for" in listed
    assert "by itself" in listed
    assert "1 given back" in listed
    assert "£252.00£126.00 of it here" in listed
    assert (
        "Used twice by one person, 1 of them being paid for. It gave £84.00; those bookings came to £252.00, and "
        "£126.00 of that is here. Given back once."
    ) in alone
    assert "Not used so far." in main_text(owner.get(f"{DESK}/codes/OFF"))


def test_two_codes_that_look_alike_in_an_older_house_are_told_apart(app: Flask, owner: PageClient) -> None:
    """Made before look-alikes were one code: whoever types the second gets the first, until one is renamed."""
    with arranged(app):
        a_code(code="SAVE10", percent=10)
        older = a_code(code="OLDER", percent=50)
        older.code = older.folded = "SAVE1O"
    said = main_text(owner.get(f"{DESK}/codes"))
    assert "SAVE1O cannot be used Whoever types it gets SAVE10" in said
    with app.app_context():
        assert [each.about for each in audit.faults(now.now())] == ["code SAVE1O"]

    shown = owner.get(f"{DESK}/codes/SAVE1O")
    assert "Code SAVE1O" in main_text(shown)
    again = without_delete(owner, f"{DESK}/codes/SAVE1O")
    assert "You have the code SAVE10 already" in main_text(owner.submit(again))
    assert owner.submit(again, {"code": "HALF"}).status_code == 303

    assert "cannot be used" not in main_text(owner.get(f"{DESK}/codes"))
    with app.app_context():
        assert audit.faults(now.now()) == []
        assert discounts.find(1, "half").percent == 50


# Proofs and extras


def test_a_number_is_checked_and_looked_at_again(app: Flask, owner: PageClient, slug: str, clock: Clock) -> None:
    with arranged(app):
        workshop = db.session.scalars(select(TicketType)).one().workshop
        a_ticket(workshop, code="member", prices={"GBP": 0}, proof="number")
        a_ticket(workshop, code="lunch", name="Lunch", kind="extra", prices={"GBP": 0}, pools=[])
    paid(app, a_wish(slug, ticket="member", proof="BACP 12345", extras=["lunch"]))
    there = f"{DESK}/workshops/{slug}/proofs"

    for expected in (clock.at, None):
        page = owner.get(there)
        assert "BACP 12345" in main_text(page)
        assert f"{ANN[0]}: Lunch" in main_text(page)
        assert owner.submit(form(page, "/proofs/")).status_code == 303
        with app.app_context():
            assert db.session.scalars(select(Attendee)).one().proof_checked_at == expected


def test_a_page_of_proofs_costs_the_same_however_many_come(app: Flask, owner: PageClient, slug: str) -> None:
    with arranged(app):
        workshop = db.session.scalars(select(TicketType)).one().workshop
        a_ticket(workshop, code="member", prices={"GBP": 0}, proof="declaration")
        a_ticket(workshop, code="lunch", kind="extra", prices={"GBP": 0}, pools=[])
    people = [(f"Person {n}", f"person-{n}@x.example") for n in range(5)]
    counted = []
    for some in (people[:1], people[1:]):
        paid(app, a_wish(slug, ticket="member", people=some, proof="declared", extras=["lunch"]))
        owner.get(f"{DESK}/workshops/{slug}/proofs")
        counted.append(statements(app, lambda: owner.get(f"{DESK}/workshops/{slug}/proofs")))
    assert counted[0] == counted[1]


def test_another_organiser_s_attendee_is_nobody_here(app: Flask, owner: PageClient, slug: str) -> None:
    assert "Nobody has a ticket that asks for anything." in main_text(owner.get(f"{DESK}/workshops/{slug}/proofs"))
    paid(app, a_wish(slug))

    page = form(owner.get(f"{DESK}/workshops/{slug}/tickets/standard"), "/delete")
    page.action = f"{DESK}/workshops/{slug}/proofs/1"
    assert owner.submit(page).status_code == 404


# Newsletter forms


def test_a_newsletter_form_is_made_changed_and_closed(app: Flask, owner: PageClient) -> None:
    new = form(owner.get(f"{DESK}/newsletter/new"), "/newsletter")
    assert owner.submit(new, {"name": "home", "percent": "25", "lasts_days": "30"}).status_code == 303
    assert "25% off your first online event" in main_text(owner.get("/"))

    taken = owner.submit(form(owner.get(f"{DESK}/newsletter/new"), "/newsletter"), {"name": "home"})
    assert taken.status_code == 422
    assert "You have a form called home already." in main_text(taken)

    change = form(owner.get(f"{DESK}/newsletter/home"), "/newsletter/home")
    assert owner.submit(change, {"is_open": False}).status_code == 303
    assert "off your first online event" not in main_text(owner.get("/"))
    assert "home closed" in main_text(owner.get(f"{DESK}/newsletter"))
    with app.app_context():
        found = db.session.scalars(select(Placement)).one()
        assert (found.percent, found.lasts_days, found.is_open) == (25, 30, False)


@pytest.mark.parametrize("name", ["", "Two words", "ärger"])
def test_a_newsletter_form_has_a_name_for_addresses(owner: PageClient, name: str) -> None:
    new = form(owner.get(f"{DESK}/newsletter/new"), "/newsletter")

    assert owner.submit(new, {"name": name}).status_code == 422


def test_another_organiser_s_newsletter_form_is_not_here(app: Flask, owner: PageClient) -> None:
    with arranged(app):
        a_placement(name="theirs", organiser=an_organiser(slug="other", name="Other"))

    assert owner.get(f"{DESK}/newsletter/theirs").status_code == 404
    assert "No form yet" in main_text(owner.get(f"{DESK}/newsletter"))
