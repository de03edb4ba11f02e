"""What can be chosen on one booking: group rates, prices buyers name, extras, declarations and numbers, the reserve."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from bookings import comping
from bookings.models import Attendee, AttendeeExtra, Booking
from courses.models import Place, Pool
from courses.places import WorkshopFull
from demo.stripe.process import StandIn
from lib import db
from tests.bookings.filling import problems, send, typed
from tests.bookings.making import ANN, BOB, a_wish, held, lapse, rows
from tests.builders import a_pool, a_ticket, a_workshop, arranged
from tests.conftest import Clock
from tests.page import PageClient, form, main_text

pytestmark = pytest.mark.proved_on_both
SLUG = "it"


def offered(app: Flask, *tickets: dict[str, Any], capacity: int = 20) -> None:
    with arranged(app):
        workshop = a_workshop(slug=SLUG, price_minor=None, capacity=capacity)
        for each in tickets:
            a_ticket(workshop, **each)


def crowd(number: int) -> list[tuple[str, str]]:
    return [(f"Person {n}", f"person-{n}@x.example") for n in range(number)]


def one(app: Flask) -> Booking:
    booking = db.session.scalars(select(Booking).order_by(Booking.id.desc())).first()
    assert booking
    return booking


# How many


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (1, "is for 3 people or more"),
        (2, "is for 3 people or more"),
        (3, None),
        (4, None),
        (5, "is for 4 people at most"),
    ],
)
def test_a_group_rate_is_for_a_group(
    app: Flask, clock: Clock, client: PageClient, number: int, said: str | None
) -> None:
    offered(app, {"code": "group", "prices": {"GBP": 0}, "least_people": 3, "most_people": 4})

    answer = send(client, SLUG, typed(client, SLUG, crowd(number)))

    assert answer.status_code == (422 if said else 303)
    if said:
        assert said in problems(answer)["ticket_type"]


def test_two_tickets_do_not_make_one_group(app: Flask, clock: Clock, client: PageClient) -> None:
    offered(app, {"code": "group", "prices": {"GBP": 0}, "least_people": 3}, {"code": "alone", "prices": {"GBP": 0}})

    answer = send(client, SLUG, typed(client, SLUG, crowd(3), {"attendee-2-ticket": "alone"}))

    assert answer.status_code == 422


# A price the buyer names


def test_the_price_a_buyer_names_is_the_price(app: Flask, clock: Clock, client: PageClient, stripe: StandIn) -> None:
    offered(app, {"code": "taster", "name": "What you can", "prices": {"GBP": (100, 1000, 5000)}})
    page = client.get(f"/workshops/{SLUG}/bookings/new")
    assert form(page, "/bookings").values["amount-taster"] == "10.00"
    assert "From £1.00 to £50.00" in main_text(page)

    data = typed(client, SLUG, [ANN, BOB], {"amount-taster": "7.50"})
    told = send(client, SLUG, data, to="quote", as_json=True).get_json()

    assert told["lines"] == [{"text": "What you can, 2 at £7.50", "minor": 1500}]
    assert send(client, SLUG, data).status_code == 303
    with app.app_context():
        assert [each.price_minor for each in one(app).attendees] == [750, 750]


@pytest.mark.parametrize(
    ("prices", "amount", "said"),
    [
        ({"GBP": (100, 1000, 5000)}, "", "Please write what you would like to pay"),
        ({"GBP": (100, 1000, 5000)}, "0.99", "from £1.00 to £50.00"),
        ({"GBP": (100, 1000, 5000)}, "50.01", "from £1.00 to £50.00"),
        ({"GBP": (100, 1000, 5000)}, "ten", "Please write the amount in figures"),
        ({"GBP": (100, 1000, 5000)}, "1.005", "at most 2 decimals"),
        ({"GBP": (0, 1000, 5000)}, "0.29", "A card can pay £0.30 at the least"),
        ({"JPY": (100, 1000, 5000)}, "150.5", "JPY has no decimals"),
        ({"KWD": (1000, 5000, 9000)}, "1.005", "a nought as the third decimal"),
    ],
)
def test_an_amount_that_cannot_be_paid_is_said_at_its_field(
    app: Flask, clock: Clock, client: PageClient, prices: dict[str, Any], amount: str, said: str
) -> None:
    offered(app, {"code": "taster", "prices": prices})
    before = rows(app)

    answer = send(client, SLUG, typed(client, SLUG, changes={"amount-taster": amount}))

    assert answer.status_code == 422
    assert said in problems(answer)["amount-taster"]
    assert form(answer, "/bookings").values["amount-taster"] == amount
    assert rows(app) == before


@pytest.mark.parametrize("amount", ["0.99", "50.01"])
def test_a_quote_says_at_the_field_that_an_amount_cannot_be_paid(
    app: Flask, clock: Clock, client: PageClient, amount: str
) -> None:
    """Also while the rest is still to be filled in, and nothing typed is lost."""
    offered(app, {"code": "taster", "prices": {"GBP": (100, 1000, 5000)}})
    data = typed(client, SLUG, [("Ann Attwood", "")], {"amount-taster": amount, "booker_email": ""})

    answer = send(client, SLUG, data, to="quote")

    assert answer.status_code == 422
    assert list(problems(answer)) == ["amount-taster"]
    assert form(answer, "/bookings").values["amount-taster"] == amount
    told = send(client, SLUG, data, to="quote", as_json=True)
    assert (told.status_code, told.get_json()["refusal"]) == (422, "choice_not_possible")
    assert "from £1.00 to £50.00" in told.get_json()["message"]
    everything = problems(send(client, SLUG, data))
    assert {"amount-taster", "booker_email"} <= set(everything)


def test_a_quote_for_half_a_pair_says_so_at_the_ticket(app: Flask, clock: Clock, client: PageClient) -> None:
    offered(app, {"code": "pair", "name": "For two", "prices": {"GBP": 16800}, "seats": 2})

    answer = send(client, SLUG, typed(client, SLUG, [ANN]), to="quote")

    assert answer.status_code == 422
    assert "one price for two people" in problems(answer)["ticket_type"]


@pytest.mark.parametrize(
    ("currency", "amount", "minor"), [("GBP", "0", 0), ("GBP", "0.30", 30), ("JPY", "150", 150), ("KWD", "1.500", 1500)]
)
def test_amounts_in_any_currency(
    app: Flask, clock: Clock, client: PageClient, stripe: StandIn, currency: str, amount: str, minor: int
) -> None:
    offered(app, {"code": "taster", "prices": {currency: (0, 1000, 9000)}})

    answer = send(client, SLUG, typed(client, SLUG, changes={"amount-taster": amount}))

    assert answer.status_code == 303
    with app.app_context():
        assert (one(app).bill.total_minor, one(app).currency) == (minor, currency)


def test_an_amount_for_a_ticket_nobody_chose_does_not_matter(app: Flask, clock: Clock, client: PageClient) -> None:
    offered(app, {"code": "free", "prices": {"GBP": 0}}, {"code": "taster", "prices": {"GBP": (100, 1000, 5000)}})

    assert send(client, SLUG, typed(client, SLUG, changes={"amount-taster": "nonsense"})).status_code == 303


# Extras


def test_an_extra_is_on_one_person_s_place_and_in_their_share(
    app: Flask, clock: Clock, client: PageClient, stripe: StandIn
) -> None:
    with arranged(app):
        workshop = a_workshop(slug=SLUG, price_minor=9500)
        lunches = a_pool(workshop, code="lunches", capacity=1)
        a_ticket(workshop, code="lunch", name="Lunch", kind="extra", prices={"GBP": 1200}, pools=[lunches])
    assert "Lunch" in main_text(client.get(f"/workshops/{SLUG}"))
    assert "Can be added to a place." in main_text(client.get(f"/workshops/{SLUG}"))

    data = typed(client, SLUG, [ANN, BOB], {"attendee-1-extra": "lunch"})
    told = send(client, SLUG, data, to="quote", as_json=True).get_json()
    assert [line["minor"] for line in told["lines"]] == [19000, 1200]
    assert send(client, SLUG, data).status_code == 303

    with app.app_context():
        booking = one(app)
        assert [each.price_minor for each in booking.attendees] == [9500, 10700]
        (extra,) = db.session.scalars(select(AttendeeExtra))
        assert (extra.attendee_id, extra.price_minor, extra.ticket.code) == (booking.attendees[1].id, 1200, "lunch")
        assert [len(each.claims) for each in booking.attendees] == [1, 2]
    taken = send(client, SLUG, typed(client, SLUG, crowd(1), {"attendee-0-extra": "lunch"}))
    assert taken.status_code == 422
    assert "“Lunch” cannot be added" in problems(taken)["attendee-0-extra"]


def test_an_extra_comes_free_with_the_place_it_is_on(app: Flask, clock: Clock) -> None:
    with arranged(app):
        workshop = a_workshop(slug=SLUG, price_minor=9500)
        lunches = a_pool(workshop, code="lunches", capacity=1)
        a_ticket(workshop, code="lunch", kind="extra", prices={"GBP": 1200}, pools=[lunches])
    made = held(app, a_wish(SLUG, extras=["lunch"]))
    with pytest.raises(Exception, match="cannot be added"):
        held(app, a_wish(SLUG, people=[BOB], extras=["lunch"]))

    lapse(app, made)

    held(app, a_wish(SLUG, people=[BOB], extras=["lunch"]))


@pytest.mark.parametrize("code", ["lunch", "standard"])
def test_nobody_comes_on_an_extra_and_no_ticket_is_one(app: Flask, clock: Clock, client: PageClient, code: str) -> None:
    with arranged(app):
        workshop = a_workshop(slug=SLUG, price_minor=0)
        a_ticket(workshop, code="lunch", kind="extra", prices={"GBP": 0}, pools=[])
    field = "ticket_type" if code == "lunch" else "attendee-0-extra"

    assert send(client, SLUG, typed(client, SLUG, changes={field: code})).status_code == 422


# Declarations and numbers


def test_who_takes_a_reduced_ticket_declares_it(app: Flask, clock: Clock, client: PageClient) -> None:
    reduced = {"code": "trainee", "prices": {"GBP": 0}, "proof": "declaration", "limited_to": 1}
    offered(app, reduced, {"code": "free", "prices": {"GBP": 0}})

    without = send(client, SLUG, typed(client, SLUG))
    assert without.status_code == 422
    assert "Please tick if you are." in problems(without)["attendee-0-declared"]
    assert send(client, SLUG, typed(client, SLUG, changes={"attendee-0-declared": "y"})).status_code == 303
    assert send(client, SLUG, typed(client, SLUG, [BOB], {"ticket_type": "free"})).status_code == 303

    with app.app_context():
        assert [each.proof for each in db.session.scalars(select(Attendee).order_by(Attendee.id))] == ["declared", ""]


def test_a_member_gives_a_number_to_be_checked_later(app: Flask, clock: Clock, client: PageClient) -> None:
    offered(app, {"code": "member", "prices": {"GBP": 0}, "proof": "number"})

    without = send(client, SLUG, typed(client, SLUG))
    assert "is checked later" in problems(without)["attendee-0-number"]
    assert send(client, SLUG, typed(client, SLUG, changes={"attendee-0-number": " 12-345 "})).status_code == 303

    with app.app_context():
        (attendee,) = db.session.scalars(select(Attendee))
        assert (attendee.proof, attendee.proof_checked_at) == ("12-345", None)


# The organiser's reserve


def test_what_is_kept_back_is_not_for_sale_and_is_the_organiser_s_to_give(
    app: Flask, clock: Clock, client: PageClient
) -> None:
    offered(app, {"code": "free", "prices": {"GBP": 0}}, capacity=3)
    with arranged(app):
        pool = db.session.scalars(select(Pool)).one()
        pool.reserved, organiser_id = 2, pool.organiser_id
    assert client.get("/workshops.json").get_json()["workshops"][0]["places_left"] == 1
    held(app, a_wish(SLUG, ticket="free"))
    with pytest.raises(WorkshopFull) as full:
        held(app, a_wish(SLUG, ticket="free", people=[BOB]))
    assert full.value.left == 0

    for number in range(2):
        gift = comping.Gift(SLUG, "free", f"Guest {number}", f"guest-{number}@x.example", "A helper")
        with arranged(app):
            comping.give(organiser_id, gift, actor="user:1", now=clock.at)
    with pytest.raises(WorkshopFull), arranged(app):
        comping.give(organiser_id, comping.Gift(SLUG, "free", "Zed", "zed@x.example", ""), actor="user:1", now=clock.at)
    with app.app_context():
        assert [each.is_reserve for each in db.session.scalars(select(Place).order_by(Place.id))] == [False, True, True]


def test_the_organiser_gives_of_what_is_for_sale_when_the_reserve_is_gone(
    app: Flask, clock: Clock, client: PageClient
) -> None:
    offered(app, {"code": "free", "prices": {"GBP": 0}}, capacity=3)
    with arranged(app):
        pool = db.session.scalars(select(Pool)).one()
        pool.reserved, organiser_id = 1, pool.organiser_id
        for number in range(2):
            gift = comping.Gift(SLUG, "free", f"Guest {number}", f"guest-{number}@x.example", "A helper")
            comping.give(organiser_id, gift, actor="user:1", now=clock.at)

    assert client.get("/workshops.json").get_json()["workshops"][0]["places_left"] == 1
