"""What was added to a place goes with it: given up, passed on or moved, its money and its own places with it."""

from typing import Any

import pytest
from flask import Flask

from bookings.models import Attendee, AttendeeExtra
from courses.models import Place
from payments.models import Refund
from tests.bookings.making import BOB, Made, a_wish, paid, receive
from tests.bookings.test_adding import lapse
from tests.bookings.test_changes import CY, a_policy, rows, sent, sound
from tests.builders import a_ticket, a_workshop, arranged
from tests.page import PageClient, main_text

pytestmark = pytest.mark.both_databases


def a_day(app: Flask, *, in_days: int = 28, lunch_minor: int | None = 1500, **columns: Any) -> str:
    with arranged(app):
        workshop = a_workshop(in_days=in_days, **columns)
        if lunch_minor is not None:
            prices = {"GBP": lunch_minor}
            a_ticket(workshop, code="lunch", kind="extra", prices=prices, limited_to=5, pools=[], includes_live=False)
        return workshop.slug


def with_lunch(app: Flask, client: PageClient) -> Made:
    a_policy(app)
    made = paid(app, a_wish(a_day(app), extras=["lunch"]))
    assert "Lunch" in main_text(client.get(made.url))
    return made


def places(app: Flask) -> list[str]:
    return sorted(each.state for each in rows(app, Place))


def test_giving_a_place_up_gives_lunch_back_and_the_money_for_it(app: Flask, client: PageClient) -> None:
    made = with_lunch(app, client)
    page = f"/bookings/{made.reference}/cancellation"
    assert "£91.50" in main_text(client.get(page)), "half of 168 and 15"

    assert sent(client, page, "/cancellation#quote").status_code == 303

    assert [each.amount_minor for each in rows(app, Refund)] == [9150]
    assert places(app) == ["released", "released"]
    sound(app)


def test_a_colleague_has_the_lunch(app: Flask, client: PageClient) -> None:
    made = with_lunch(app, client)
    page = f"/bookings/{made.reference}/attendees/0/substitution"
    assert "Lunch: added to the place" in main_text(client.get(page))

    assert sent(client, page, "/substitution", name=CY[0], email=CY[1]).status_code == 303

    assert [each.name for each in rows(app, Attendee)] == [CY[0]]
    assert len(rows(app, AttendeeExtra)) == 1
    assert places(app) == ["taken", "taken"]
    sound(app)


def moved(app: Flask, client: PageClient, made: Made, target: str) -> Any:
    page = f"/bookings/{made.reference}/transfer?attendee=0"
    return sent(client, page, "/transfer", to=f"{target}:standard")


def test_lunch_moves_along_where_it_is_sold(app: Flask, client: PageClient) -> None:
    made = with_lunch(app, client)
    target = a_day(app, in_days=60, lunch_minor=2000, price_minor=10000)
    assert "With “Lunch”, £20.00 of it" in main_text(client.get(f"/bookings/{made.reference}/transfer?attendee=0"))

    assert moved(app, client, made, target).status_code == 303

    assert [each.amount_minor for each in rows(app, Refund)] == [16800 + 1500 - 10000 - 2000]
    assert [each.price_minor for each in rows(app, Attendee)] == [12000]
    assert [each.price_minor for each in rows(app, AttendeeExtra)] == [2000]
    assert places(app) == ["released", "released", "taken", "taken"]
    sound(app)


def test_lunch_ends_where_it_is_not_sold(app: Flask, client: PageClient) -> None:
    made = with_lunch(app, client)
    target = a_day(app, in_days=60, lunch_minor=None)
    said = main_text(client.get(f"/bookings/{made.reference}/transfer?attendee=0"))
    assert "“Lunch” is not sold there and ends" in said

    assert moved(app, client, made, target).status_code == 303

    assert [each.amount_minor for each in rows(app, Refund)] == [1500]
    assert rows(app, AttendeeExtra) == []
    assert places(app) == ["released", "released", "taken"]
    sound(app)


def test_a_dearer_date_with_lunch_is_paid_first(app: Flask, client: PageClient) -> None:
    made = with_lunch(app, client)
    target = a_day(app, in_days=60, lunch_minor=1800, price_minor=20000)
    assert moved(app, client, made, target).status_code == 303
    assert places(app) == ["held", "held", "taken", "taken"]

    receive(app, made)

    assert [each.price_minor for each in rows(app, Attendee)] == [21800]
    assert places(app) == ["released", "released", "taken", "taken"]
    sound(app)


def test_money_for_a_move_that_comes_when_all_is_full_leaves_the_place_as_it_was(
    app: Flask, client: PageClient
) -> None:
    made = with_lunch(app, client)
    target = a_day(app, in_days=60, price_minor=20000, capacity=1)
    moved(app, client, made, target)
    lapse(app)
    paid(app, a_wish(target, people=[BOB]))

    receive(app, made)

    assert [each.amount_minor for each in rows(app, Refund)] == [3200]
    assert [each.state for each in rows(app, Attendee)] == ["confirmed", "confirmed"]
    assert len(rows(app, AttendeeExtra)) == 1
    sound(app)
