"""Bundles booked: one booking with a place at every workshop, priced once, spread to the penny, all or nothing."""

from collections.abc import Sequence
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from bookings import audit, booked, coming
from bookings.models import Answer, Attendee, Booking
from bookings.pricing import Share
from courses import bundles
from courses.bundles_models import Bundle
from courses.models import Place, Workshop
from demo.stripe.process import StandIn
from lib import clock as clocks
from lib import db
from tests import facts
from tests.bookings.making import ANN, BOB, Made, a_wish, paid, receive
from tests.builders import a_bundle, a_code, a_question, a_ticket, a_workshop, arranged
from tests.conftest import Clock
from tests.page import PageClient, form

pytestmark = pytest.mark.both_databases
SLUGS = ("one", "two", "three")
BUNDLE = "/bundles/autumn-three"
JSON = {"Accept": "application/json"}


def three(app: Flask, *, prices: Sequence[int] = (10500,) * 3, capacity: int = 20, **bundle: Any) -> None:
    with arranged(app):
        made = [
            a_workshop(slug=slug, title=f"Day {slug}", price_minor=price, capacity=capacity, in_days=20 + 7 * n)
            for n, (slug, price) in enumerate(zip(SLUGS, prices, strict=True))
        ]
        a_bundle(*made, **bundle)


def typed(client: PageClient, people: Sequence[tuple[str, str]] = (ANN,), /, **changes: str) -> dict[str, str]:
    found = form(client.get(f"{BUNDLE}/bookings/new"), "/bookings")
    data = {**found.values, "booker_name": "Bea Booker", "booker_email": "bea@clinic.example", "agree_terms": "y"}
    for n, (name, email) in enumerate(people):
        data |= {f"attendee-{n}-name": name, f"attendee-{n}-email": email}
    return {**data, **changes}


def the_booking() -> Booking:
    return db.session.scalars(select(Booking)).one()


def shares(app: Flask) -> list[tuple[int, str, str, int]]:
    """Everybody's n, name, workshop and stored share."""
    with app.app_context():
        return [
            (each.n, each.name, each.workshop.slug, each.price_minor - each.discount_minor)
            for each in the_booking().attendees
        ]


def pay(app: Flask) -> None:
    with app.app_context():
        booking = the_booking()
        made = Made(booking.id, booking.reference, "", ())
    receive(app, made)


def faults(app: Flask) -> list[str]:
    with app.app_context():
        return [f"{each.about}: {each.what}" for each in audit.faults(clocks.now())]


def test_the_price_check_of_the_facts_through_the_pages(
    app: Flask, clock: Clock, client: PageClient, stripe: StandIn
) -> None:
    (fact,) = facts.catalogue()["bundles"]
    (check,) = [each for each in facts.catalogue()["price_checks"] if each["case"] == "bundle of three"]
    clock.set("2024-10-01T09:00:00Z")
    with arranged(app):
        made = []
        for n, slug in enumerate(fact["covers"]):
            known = next(each for each in facts.workshops() if each["slug"] == slug)
            ticket = next(each for each in known["tickets"] if each["type"] == "self_funded")
            workshop = a_workshop(slug=slug, title=known["title"], price_minor=None, in_days=20 + n)
            a_ticket(workshop, code="self_funded", prices={ticket["currency"]: ticket["price_minor"]})
            made.append(workshop)
        a_bundle(*made, slug="autumn-three", ticket="self_funded", prices={fact["currency"]: fact["price_minor"]})
    data = typed(client)

    told = client.post(f"{BUNDLE}/quote", data=data, headers=JSON).get_json()
    assert (told["total_minor"], told["currency"]) == (check["pay_minor"], "GBP")
    assert sum(line["minor"] for line in told["lines"]) == check["pay_minor"]
    answer = client.post(f"{BUNDLE}/bookings", data=data)
    assert answer.status_code == 303
    assert "/pay/" in answer.location
    with app.app_context():
        booking = the_booking()
        assert booking.bill.total_minor == check["pay_minor"] == 26775
        assert {each.workshop.slug for each in booking.attendees} == set(fact["covers"])
    assert [share for *_, share in shares(app)] == [8925, 8925, 8925]


def test_two_people_at_three_workshops_are_six_attendees_of_one_bill(
    app: Flask, clock: Clock, client: PageClient, stripe: StandIn
) -> None:
    three(app, prices=(10000, 10000, 6500))
    data = typed(client, (ANN, BOB))
    assert client.post(f"{BUNDLE}/bookings", data=data).status_code == 303
    pay(app)

    assert [(n, name, slug) for n, name, slug, _ in shares(app)] == [
        (0, "Ann Attwood", "one"),
        (1, "Bob Barnes", "one"),
        (2, "Ann Attwood", "two"),
        (3, "Bob Barnes", "two"),
        (4, "Ann Attwood", "three"),
        (5, "Bob Barnes", "three"),
    ]
    for name in ("Ann Attwood", "Bob Barnes"):
        assert sum(share for _, who, _, share in shares(app) if who == name) == 26775
    with app.app_context():
        booking = the_booking()
        assert booking.state == "confirmed"
        assert booking.bundle_id == db.session.scalars(select(Bundle.id)).one()
        assert booked.title(booking) == "Three in autumn"
        assert [person.name for person in booked.people(booking.attendees)] == ["Ann Attwood", "Bob Barnes"]
        taken = db.session.scalar(select(func.count()).select_from(Place).where(Place.state == "taken"))
        assert taken == 6
    assert faults(app) == []


def test_the_form_s_n_stays_at_the_first_workshop_and_gaps_stay_gaps(
    app: Flask, clock: Clock, client: PageClient, stripe: StandIn
) -> None:
    three(app)
    data = typed(client, (ANN,))
    data |= {"attendee-7-name": BOB[0], "attendee-7-email": BOB[1]}
    assert client.post(f"{BUNDLE}/bookings", data=data).status_code == 303

    assert [(n, name) for n, name, _, _ in shares(app)] == [
        (0, "Ann Attwood"),
        (7, "Bob Barnes"),
        (8, "Ann Attwood"),
        (9, "Bob Barnes"),
        (10, "Ann Attwood"),
        (11, "Bob Barnes"),
    ]


@pytest.mark.parametrize(
    ("alone", "price", "discount", "expected"),
    [
        ((10500, 10500, 10500), 26775, 0, [(8925, 0)] * 3),
        ((1, 1, 1), 100, 0, [(34, 0), (33, 0), (33, 0)]),
        ((14500, 6500, 2400), 20000, 1, [(12393, 1), (5556, 0), (2051, 0)]),
        ((10500, 10500, 10500), 26775, 26775, [(8925, 8925)] * 3),
        ((10500, 0, 10500), 20001, 100, [(6667, 34), (6667, 33), (6667, 33)]),
    ],
)
def test_a_share_adds_up_and_no_discount_is_more_than_its_price(
    app: Flask, clock: Clock, alone: tuple[int, ...], price: int, discount: int, expected: list[tuple[int, int]]
) -> None:
    three(app, prices=alone)
    with app.app_context():
        listing = bundles.by_slug("autumn-three", clocks.now())
        assert listing
        parts = coming.split(Share(0, price, discount), listing, "GBP")

    assert parts == expected
    assert (sum(each for each, _ in parts), sum(off for _, off in parts)) == (price, discount)


def test_each_workshop_s_letter_goes_to_each_person_with_its_own_invite(app: Flask, clock: Clock) -> None:
    three(app)
    from_page(app)
    with app.app_context():
        booking = the_booking()
        assert all(len(each.invites) == 1 for each in booking.attendees)


def from_page(app: Flask) -> None:
    client: Any = app.test_client()
    assert client.post(f"{BUNDLE}/bookings", data=typed(client, (ANN, BOB))).status_code == 303
    pay(app)


def test_the_same_question_is_asked_once_and_answered_at_each_workshop(
    app: Flask, clock: Clock, client: PageClient, stripe: StandIn
) -> None:
    three(app)
    with arranged(app):
        one, two, three_ = (db.session.scalars(select(Workshop).where(Workshop.slug == slug)).one() for slug in SLUGS)
        a_question(one)
        a_question(two, is_required=True)
        a_question(two, code="needs", label="What helps?", is_private=True)
        a_question(three_, label="Which body are you with?")
        a_question(three_, code="special", label="Only some?", tickets=[a_ticket(three_, code="other")])
    found = form(client.get(f"{BUNDLE}/bookings/new"), "/bookings")
    asked = [name for name in found.names if "-answer-" in name]
    assert asked == [f"attendee-0-answer-{code}" for code in ("profession", "needs", "profession-2")]

    refused = client.post(f"{BUNDLE}/bookings", data=typed(client), headers=JSON)
    assert (refused.status_code, list(refused.get_json()["errors"])) == (422, ["attendee-0-answer-profession"])
    answers = dict(zip(asked, ("Nurse", "A quiet room", "BACP"), strict=True))
    assert client.post(f"{BUNDLE}/bookings", data=typed(client, **answers)).status_code == 303
    with app.app_context():
        said = db.session.execute(
            select(Workshop.slug, Answer.text)
            .join(Attendee, Attendee.id == Answer.attendee_id)
            .join(Workshop, Workshop.id == Attendee.workshop_id)
            .order_by(Workshop.id, Answer.question_id)
        ).all()
    assert [tuple(each) for each in said] == [
        ("one", "Nurse"),
        ("two", "Nurse"),
        ("two", "A quiet room"),
        ("three", "BACP"),
    ]


def test_one_full_workshop_is_409_and_nothing_is_held_anywhere(
    app: Flask, clock: Clock, client: PageClient, stripe: StandIn
) -> None:
    three(app, capacity=1)
    data = typed(client)
    paid(app, a_wish("two", people=[BOB]))

    assert client.get(f"{BUNDLE}/bookings/new").status_code == 409
    refused = client.post(f"{BUNDLE}/bookings", data=data, headers=JSON)
    assert (refused.status_code, refused.get_json()["refusal"]) == (409, "workshop_full")
    assert "Day two" in refused.get_json()["message"]
    page = client.post(f"{BUNDLE}/bookings", data=data)
    assert page.status_code == 409
    assert "See each of its workshops" in page.get_data(as_text=True)
    told = client.post(f"{BUNDLE}/quote", data=data, headers=JSON)
    assert (told.status_code, told.get_json()["total_minor"]) == (200, 26775)
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Place)) == 1


def test_too_many_for_one_of_the_rooms_is_all_or_nothing(
    app: Flask, clock: Clock, client: PageClient, stripe: StandIn
) -> None:
    three(app)
    with arranged(app):
        db.session.scalars(select(Workshop).where(Workshop.slug == "three")).one().pools[0].capacity = 1
    refused = client.post(f"{BUNDLE}/bookings", data=typed(client, (ANN, BOB)), headers=JSON)

    assert (refused.status_code, refused.get_json()["refusal"]) == (409, "workshop_full")
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Place)) == 0
        assert db.session.scalars(select(Booking)).all() == []


@pytest.mark.parametrize(("status", "refusal"), [("cancelled", "workshop_cancelled"), ("past", "sale_ended")])
def test_what_has_begun_or_is_cancelled_is_410(
    app: Flask, clock: Clock, client: PageClient, status: str, refusal: str
) -> None:
    three(app)
    data = typed(client)
    if status == "cancelled":
        with arranged(app):
            db.session.scalars(select(Workshop).where(Workshop.slug == "one")).one().status = "cancelled"
    else:
        clock.set("2027-03-22T10:00:00Z")
    assert client.get(f"{BUNDLE}/bookings/new").status_code == 410
    refused = client.post(f"{BUNDLE}/bookings", data=data, headers=JSON)
    assert (refused.status_code, refused.get_json()["refusal"]) == (410, refusal)


def test_codes_count_for_a_bundle_only_if_they_name_it(
    app: Flask, clock: Clock, client: PageClient, stripe: StandIn
) -> None:
    three(app)
    with arranged(app):
        bundle = db.session.scalars(select(Bundle)).one()
        a_code(code="ANYWHERE")
        a_code(code="AUTO", is_automatic=True)
        a_code(code="OURS", bundles=[bundle.id], percent=10)
    told = client.post(f"{BUNDLE}/quote", data=typed(client, discount_code="anywhere"), headers=JSON).get_json()
    assert (told["total_minor"], told["code"]["refusal"]) == (26775, "code_not_for_bundle")
    assert "one by one" in told["code"]["message"]
    refused = client.post(f"{BUNDLE}/bookings", data=typed(client, discount_code="anywhere"), headers=JSON)
    assert (refused.status_code, refused.get_json()["refusal"]) == (422, "code_not_for_bundle")

    assert client.post(f"{BUNDLE}/bookings", data=typed(client, discount_code="ours")).status_code == 303
    assert [share for *_, share in shares(app)] == [8032, 8032, 8033]  # 26775 less 2678
    plain = form(client.get("/workshops/one/bookings/new"), "/bookings").values | {"discount_code": "ours"}
    alone = client.post("/workshops/one/quote", data=plain, headers=JSON).get_json()
    assert alone["code"]["refusal"] == "code_not_for_workshop"


def test_the_same_form_sent_twice_is_one_booking(app: Flask, clock: Clock, client: PageClient, stripe: StandIn) -> None:
    three(app)
    data = typed(client)
    first, second = (client.post(f"{BUNDLE}/bookings", data=data) for _ in range(2))
    assert first.location == second.location
    with app.app_context():
        assert len(db.session.scalars(select(Attendee)).all()) == 3


def test_a_person_who_is_at_one_of_them_already_is_asked_first(
    app: Flask, clock: Clock, client: PageClient, stripe: StandIn
) -> None:
    three(app)
    paid(app, a_wish("two"))
    refused = client.post(f"{BUNDLE}/bookings", data=typed(client))
    assert refused.status_code == 422
    assert "already has a place at one of these workshops" in refused.get_data(as_text=True)
    again = {**typed(client), "attendee-0-again": "y"}
    assert client.post(f"{BUNDLE}/bookings", data=again).status_code == 303


def test_whatever_ticket_is_typed_the_bundle_has_one(
    app: Flask, clock: Clock, client: PageClient, stripe: StandIn
) -> None:
    three(app)
    data = typed(client, ticket_type="self_funded", **{"attendee-0-ticket": "standard"})
    assert client.post(f"{BUNDLE}/bookings", data=data).status_code == 303


def test_an_organisation_pays_a_bundle_of_its_tickets_on_one_invoice(
    app: Flask, clock: Clock, client: PageClient, stripe: StandIn
) -> None:
    with arranged(app):
        made = [a_workshop(slug=slug, price_minor=None, in_days=40 + n) for n, slug in enumerate(SLUGS)]
        for each in made:
            a_ticket(each, code="organisation", prices={"GBP": 14500}, payment="invoice")
        a_bundle(*made, ticket="organisation", prices={"GBP": 36975})
    paying = {
        "by_invoice": "y",
        "invoice_organisation": "The Clinic",
        "invoice_address": "1 High Street, Leeds",
        "invoice_email": "accounts@clinic.example",
    }
    assert client.post(f"{BUNDLE}/bookings", data=typed(client, **paying)).status_code == 303

    with app.app_context():
        booking = the_booking()
        assert (booking.state, booking.bill.total_minor) == ("awaiting_invoice", 36975)
        states = [place.state for place in db.session.scalars(select(Place))]
        assert states == ["taken"] * 3
    assert [share for *_, share in shares(app)] == [12325] * 3
    assert faults(app) == []
