"""Tickets, prices, pools, questions and codes through the forms of the back office."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import select

from bookings.models import DiscountCode
from courses.models import Pool, Question, TicketType
from lib import db
from tests.bookings.making import a_wish, paid
from tests.builders import a_code, a_meeting, a_workshop, arranged
from tests.organisers.conftest import DESK
from tests.page import Form, PageClient, form, main_text

pytestmark = pytest.mark.proved_on_both


@pytest.fixture
def slug(app: Flask) -> str:
    with arranged(app):
        return a_workshop(capacity=5, sessions=[a_meeting(in_days=28), a_meeting(in_days=35)]).slug


def new_ticket(owner: PageClient, slug: str) -> Form:
    return form(owner.get(f"{DESK}/workshops/{slug}/tickets/new"), "/tickets")


def ticket(app: Flask, code: str) -> tuple[TicketType, dict[str, int | None], list[str], list[int]]:
    with app.app_context():
        found = db.session.scalars(select(TicketType).where(TicketType.code == code)).one()
        return (
            found,
            {each.currency: each.minor for each in found.prices},
            [each.code for each in found.pools],
            [each.number for each in found.sessions],
        )


def test_a_ticket_with_everything(app: Flask, owner: PageClient, slug: str) -> None:
    typed = {
        "name": "Second evening, for two",
        "seats": "2",
        "prices-0-amount": "129.95",
        "prices-3-currency": "jpy",
        "prices-3-amount": "24,000",
        "sessions": "2",
        "limited_to": "4",
        "sold_from": "2027-03-03",
        "sold_until": "2027-03-28",
    }
    answer = owner.submit(new_ticket(owner, slug), typed)
    assert answer.status_code == 303, main_text(answer)
    found, prices, pools, sessions = ticket(app, "second-evening-for-two")
    assert prices == {"GBP": 12995, "JPY": 24000}
    assert (sorted(pools), sessions, found.seats, found.limited_to) == (
        ["room", "second-evening-for-two"], [2], 2, 4,
    )  # fmt: skip
    assert found.sold_from == datetime(2027, 3, 3, tzinfo=UTC)
    assert found.sold_until == datetime(2027, 3, 28, 23, tzinfo=UTC)  # the clocks went forward that day


def test_a_ticket_read_back_and_saved_is_the_same(app: Flask, owner: PageClient, slug: str) -> None:
    owner.submit(new_ticket(owner, slug), {"name": "Early", "prices-0-amount": "64.10", "sold_until": "2027-03-20"})
    before, *rest = ticket(app, "early")
    there = f"{DESK}/workshops/{slug}/tickets/early"
    page = owner.get(there).get_data(as_text=True)
    assert 'value="64.10"' in page
    assert 'value="2027-03-20"' in page
    answer = owner.submit(_first(owner, there))
    assert answer.status_code == 303
    after, *again = ticket(app, "early")
    assert rest == again
    assert (before.sold_until, before.name) == (after.sold_until, after.name)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({}, "Please give a price in at least one currency"),
        ({"prices-0-amount": "0.10"}, "Stripe takes £0.30 at the least"),
        ({"prices-0-amount": "105.001"}, "GBP has at most 2 decimals"),
        ({"prices-0-amount": "cheap"}, "Please write the amount in figures"),
        ({"prices-0-currency": "XXZ", "prices-0-amount": "5"}, "We do not know the currency"),
        ({"prices-0-amount": "5", "prices-1-currency": "GBP", "prices-1-amount": "6"}, "A currency is there twice"),
        ({"prices-0-amount": "5", "sold_from": "2027-04-02", "sold_until": "2027-04-01"}, "ends before it begins"),
    ],
)
def test_what_is_wrong_with_a_ticket_is_said(
    app: Flask, owner: PageClient, slug: str, typed: dict[str, str], sentence: str
) -> None:
    answer = owner.submit(new_ticket(owner, slug), {"name": "Odd", **typed})
    assert answer.status_code == 422
    assert sentence in main_text(answer)
    with app.app_context():
        assert list(db.session.scalars(select(TicketType.code))) == ["standard"]


def test_a_booked_ticket_keeps_what_was_booked(app: Flask, owner: PageClient, slug: str) -> None:
    made = paid(app, a_wish(slug))
    there = f"{DESK}/workshops/{slug}/tickets/standard"
    answer = owner.submit(_first(owner, there), {"seats": "2"})
    assert answer.status_code == 409
    assert "People have booked Standard" in main_text(answer)
    assert owner.submit(_first(owner, there), {"prices-0-amount": "200", "is_hidden": True}).status_code == 303
    assert ticket(app, "standard")[1] == {"GBP": 20000}
    assert "£168.00" in main_text(owner.get(made.url))  # the price at the hold is kept
    refused = owner.submit(form(owner.get(there), "/delete"))
    assert refused.status_code == 409
    assert "Hide it instead" in main_text(refused)


def test_a_ticket_nobody_booked_is_deleted(app: Flask, owner: PageClient, slug: str) -> None:
    owner.submit(new_ticket(owner, slug), {"name": "Odd", "prices-0-amount": "5", "limited_to": "2"})
    assert owner.submit(form(owner.get(f"{DESK}/workshops/{slug}/tickets/odd"), "/delete")).status_code == 303
    with app.app_context():
        assert list(db.session.scalars(select(TicketType.code))) == ["standard"]
        assert list(db.session.scalars(select(Pool.code))) == ["room"]


def test_a_pool_is_never_smaller_than_what_is_claimed(app: Flask, owner: PageClient, slug: str) -> None:
    paid(app, a_wish(slug, people=(("Ann Attwood", "ann@clinic.example"), ("Bob Barnes", "bob@practice.example"))))
    page = owner.get(f"{DESK}/workshops/{slug}/tickets")
    refused = owner.submit(form(page, "/pools/room"), {"capacity": "1"})
    assert refused.status_code == 409
    assert "2 places of “Room” are taken or held" in main_text(refused)
    assert owner.submit(form(page, "/pools/room"), {"capacity": "2"}).status_code == 303
    assert owner.submit(_adding_pool(owner, slug), {"name": "Gallery seats", "capacity": "8"}).status_code == 303
    with app.app_context():
        assert dict(db.session.execute(select(Pool.code, Pool.capacity)).all()) == {"room": 2, "gallery_seats": 8}
    filled = form(owner.get(f"{DESK}/workshops/{slug}/tickets"), "/pools/gallery_seats")
    away = next(each.action for each in filled.buttons if each.action.endswith("/delete"))
    assert owner.post(away, data=filled.sent()).status_code == 303


def test_questions(app: Flask, owner: PageClient, slug: str) -> None:
    there = f"{DESK}/workshops/{slug}/questions"
    page = form(owner.get(f"{there}/new"), "/questions")
    assert owner.submit(page, {"label": "What do you eat?", "kind": "choice", "choices": "All"}).status_code == 422
    typed: dict[str, str | bool] = {"label": "What do you eat?", "kind": "choice", "choices": "All\nNo meat"}
    answer = owner.submit(form(owner.get(f"{there}/new"), "/questions"), typed | {"is_private": True})
    assert answer.status_code == 303
    with app.app_context():
        asked = db.session.scalars(select(Question)).one()
        assert (asked.choices, asked.is_private, asked.is_required) == (["All", "No meat"], True, False)
    assert "What do you eat?" in owner.get(f"/workshops/{slug}/bookings/new").get_data(as_text=True)
    assert owner.submit(form(owner.get(f"{there}/{asked.code}"), "/delete")).status_code == 303


def test_a_code_ends_with_the_last_second_of_its_day(app: Flask, owner: PageClient, slug: str) -> None:
    typed = {
        "code": "Spring 20",
        "percent": "20",
        "valid_until": "2027-03-28",
        "uses_total": "2",
        "tickets": "standard",
    }
    page = form(owner.get(f"{DESK}/codes/new"), "/codes")
    assert owner.submit(page, typed).status_code == 303
    with app.app_context():
        code = db.session.scalars(select(DiscountCode)).one()
        assert (code.folded, code.tickets, code.valid_until) == (
            "SPR1NG20", ["standard"], datetime(2027, 3, 28, 22, 59, 59, tzinfo=UTC),
        )  # fmt: skip
    paid(app, a_wish(slug, code="spring20"))
    assert "1 of 2" in main_text(owner.get(f"{DESK}/codes"))
    there = f"{DESK}/codes/Spring20"
    assert owner.submit(_first(owner, there), {"uses_total": "0"}).status_code == 409
    assert owner.submit(form(owner.get(there), "/delete")).status_code == 409
    again = form(owner.get(f"{DESK}/codes/new"), "/codes")
    taken = owner.submit(again, {"code": "spring20", "percent": "5"})
    assert taken.status_code == 422
    assert "You have the code Spring20 already" in main_text(taken)


def test_an_unused_code_is_deleted(app: Flask, owner: PageClient) -> None:
    with arranged(app):
        a_code(code="ONCE")
    assert owner.submit(form(owner.get(f"{DESK}/codes/ONCE"), "/delete")).status_code == 303
    assert "No code yet." in main_text(owner.get(f"{DESK}/codes"))


def _first(client: PageClient, there: str) -> Form:
    """The form of a page that has one to delete besides."""
    answer = client.get(there)
    html = answer.get_data(as_text=True)
    answer.set_data(html.replace(f'action="{there}/delete"', 'action="/elsewhere"'))
    return form(answer, there)


def _adding_pool(client: PageClient, slug: str) -> Form:
    answer = client.get(f"{DESK}/workshops/{slug}/tickets")
    html = answer.get_data(as_text=True)
    answer.set_data(html.replace("/pools/", "/elsewhere/"))
    return form(answer, "/pools")
