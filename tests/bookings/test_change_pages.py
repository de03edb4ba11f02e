"""The pages on which a booking is changed: as many statements however many people are on it, and a way back."""

from functools import partial

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from bookings.models import Change
from courses.models import Place
from demo.stripe.process import StandIn
from history.models import Entry
from tests.bookings.making import Made, a_wish, paid
from tests.bookings.test_adding import CY, add
from tests.bookings.test_changes import a_policy, a_slug, rows, sound
from tests.organisers.desk import statements
from tests.page import PageClient, form, main_text

PAGES = ("", "/cancellation", "/cancellation?{everybody}", "/corrections", "/attendees/0/substitution",
         "/transfer?attendee=0", "/attendees/0/correction", "/places")  # fmt: skip


def of(app: Flask, client: PageClient, number: int) -> Made:
    people = [(f"Person {n}", f"person-{n}@many.example") for n in range(number)]
    made = paid(app, a_wish(a_slug(app), people=people))
    client.get(made.url)
    return made


@pytest.mark.parametrize("page", PAGES)
def test_nine_people_cost_no_more_statements_than_three(app: Flask, client: PageClient, page: str) -> None:
    a_policy(app)
    counted = []
    for number in (3, 9):
        made = of(app, client, number)
        everybody = "&".join(f"attendee={n}" for n in range(number))
        address = f"/bookings/{made.reference}{page.format(everybody=everybody)}"
        client.get(address)
        counted.append(statements(app, partial(client.get, address)))

    assert counted[0] == counted[1]


def press(client: PageClient, made: Made) -> TestResponse:
    values = form(client.get(made.url), "/changes/withdrawal").values
    return client.post(f"/bookings/{made.reference}/changes/withdrawal", data=values)


@pytest.mark.both_databases
def test_a_change_that_waits_can_be_left(app: Flask, client: PageClient, stripe: StandIn) -> None:
    made = of(app, client, 1)
    add(client, made, CY)

    assert press(client, made).status_code == 303

    assert [each.state for each in rows(app, Change)] == ["lapsed"]
    assert [each.state for each in rows(app, Place)] == ["taken", "released"]
    assert [each.actor for each in rows(app, Entry) if each.verb == "change_lapsed"] == ["booker"]
    assert "A change waits" not in main_text(client.get(made.url))
    assert add(client, made, CY).status_code == 303, "and another one can be begun"
    sound(app)


def test_a_change_is_not_left_while_nobody_says_whether_it_was_paid(
    app: Flask, client: PageClient, stripe: StandIn
) -> None:
    made = of(app, client, 1)
    add(client, made, CY)
    stripe.faults({"path": "/v1/checkout/sessions/*", "method": "POST", "status": 500, "times": 9})

    assert press(client, made).status_code == 503

    assert [each.state for each in rows(app, Change)] == ["owing"]
