"""What a page of the desk costs the database, however much it shows."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from courses import schedule
from courses.models import Workshop
from lib import db
from tests.bookings.making import a_wish, paid
from tests.builders import (
    a_code,
    a_meeting,
    a_membership,
    a_question,
    a_ticket,
    a_user,
    a_workshop,
    an_organiser,
    arranged,
)
from tests.organisers.conftest import DESK
from tests.organisers.desk import statements
from tests.page import PageClient
from tests.recordings.showing import a_film
from tests.recordings.test_handouts import add as add_handout

FEW, MANY = 3, 30


def costs(app: Flask, client: PageClient, addresses: list[str]) -> list[int]:
    return [statements(app, lambda page=each: client.get(f"{DESK}{page}")) for each in addresses]  # type: ignore[misc]


def same(app: Flask, client: PageClient, addresses: list[str], grow: Callable[[range], None], many: int = MANY) -> None:
    """Each page takes as many statements with `many` rows as with a few."""
    grow(range(FEW))
    before = costs(app, client, addresses)
    grow(range(FEW, many))
    after = costs(app, client, addresses)
    assert dict(zip(addresses, after, strict=True)) == dict(zip(addresses, before, strict=True))


def test_people_of_a_workshop(app: Flask, owner: PageClient) -> None:
    with arranged(app):
        slug = a_workshop(capacity=1000, sessions=[a_meeting(in_days=28), a_meeting(in_days=35)]).slug
    there = f"/workshops/{slug}"

    def book(numbers: range) -> None:
        for n in numbers:
            who = (f"P {n}", f"p{n}@x.example")
            paid(app, a_wish(slug, people=[who], booker=who))

    pages = ["", "/people", "/people.csv", "/people?q=p", "/cancel", "/schedule", "/sessions/1/cancel"]
    pages.append("/sessions/1/move?day=2027-03-30&starts=11:00&ends=16:00")
    same(app, owner, [there + each for each in pages], book, 60)


@pytest.mark.parametrize("number", [FEW, MANY])
def test_attendees_of_a_booking(app: Flask, owner: PageClient, number: int) -> None:
    with arranged(app):
        workshop = a_workshop(capacity=100)
        asked = a_question(workshop, code="work", label="Where?", is_private=True)
        slug, answers = workshop.slug, {asked.id: "At the clinic"}
    people = [(f"P {n}", f"p{n}@x.example") for n in range(number)]
    made = paid(app, a_wish(slug, people=people, answers=answers))
    assert costs(app, owner, [f"/bookings/{made.reference}", "/bookings"]) == [24, 10]


def test_sessions_and_recordings_of_a_workshop(app: Flask, owner: PageClient) -> None:
    with arranged(app):
        slug = a_workshop(catch_up_offered=True, price_minor=0, sessions=[a_meeting(in_days=2)]).slug
    paid(app, a_wish(slug))

    def grow(numbers: range) -> None:
        with app.app_context(), db.writing():
            workshop = db.session.scalars(select(Workshop)).one()
            for n in numbers:
                schedule.add(workshop, a_meeting(in_days=3 + n))
            schedule.settle(workshop)
        for n in numbers:
            a_film(app, slug, number=n + 1)
            add_handout(app, slug, f"Paper {n}", "always", number=n + 1)

    pages = ["", "/schedule", "/recordings", "/handouts", "/tickets", "/cancel", "/people", "/edit"]
    same(app, owner, [f"/workshops/{slug}{each}" for each in pages], grow)


def test_tickets_and_questions_of_a_workshop(app: Flask, owner: PageClient) -> None:
    with arranged(app):
        slug = a_workshop().slug

    def grow(numbers: range) -> None:
        with arranged(app):
            workshop = db.session.scalars(select(Workshop)).one()
            for n in numbers:
                ticket = a_ticket(workshop, code=f"kind-{n}", prices={"GBP": 5000, "EUR": 6000}, limited_to=5)
                a_question(workshop, code=f"asked-{n}", tickets=[ticket])

    same(app, owner, [f"/workshops/{slug}{each}" for each in ("", "/tickets")], grow)


def test_codes_and_the_team(app: Flask, owner: PageClient) -> None:
    with arranged(app):
        slug = a_workshop(capacity=1000).slug

    def grow(numbers: range) -> None:
        with arranged(app):
            for n in numbers:
                a_code(code=f"CODE{n}", percent=10)
                user = a_user(email=f"colleague-{n}@olu-trains.example")
                a_membership(user=user, organiser=an_organiser(), role="presenter")
        for n in list(numbers)[:20]:
            paid(app, a_wish(slug, code=f"CODE{n}"))

    same(app, owner, ["/codes", "/team", "/papers", "/settings"], grow, 300)
