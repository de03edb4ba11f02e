"""Buyers read what becomes of their place when plans change: on the workshop's page, on the form, on their booking."""

from datetime import date
from typing import Any

import pytest
from flask import Flask

from lib import clock as now
from policies import templates, versions
from tests.bookings.making import ANN, BOB, a_wish, paid
from tests.builders import a_bundle, a_meeting, a_policy, a_ticket, a_workshop, an_organiser, arranged
from tests.conftest import Clock
from tests.courses.test_shelf import statements
from tests.page import PageClient, main_text

DATED = (
    "Until the end of Monday 3 May 2027 we return everything you paid, less £10.00.",
    "Then until the end of Thursday 20 May 2027 we return 50% of what you paid.",
    "After that nothing is returned.",
    "Somebody else may come instead until Tuesday 1 June 2027, 10:00 BST (London); it is free of charge.",
)
WHOLE = "If you cancel 14 days or more before the workshop, we return 50% of what you paid."
FORM = "/workshops/own/bookings/new"


@pytest.fixture(autouse=True)
def in_march(clock: Clock) -> Clock:
    clock.set("2027-03-02T12:00:00Z")
    return clock


def a_june_workshop(**columns: Any) -> None:
    a_workshop(slug="own", sessions=[a_meeting(day=date(2027, 6, 3))], **columns)


@pytest.mark.both_databases
def test_the_workshop_s_page_says_what_its_policy_says(app: Flask, client: PageClient) -> None:
    with arranged(app):
        a_policy()
        a_june_workshop(cancellation_terms="Ring us: we are people.")

    text = main_text(client.get("/workshops/own"))
    assert WHOLE in text
    assert "If somebody else takes your place 48 hours or more before the workshop, it is free of charge." in text
    assert "Ring us: we are people." in text


def test_a_workshop_with_a_policy_is_found_by_its_words(app: Flask, client: PageClient) -> None:
    with arranged(app):
        a_policy()
        a_june_workshop(title="Listening at Dusk")

    assert "Listening at Dusk" in main_text(client.get("/workshops?q=dusk"))


def test_a_later_version_is_on_the_page_at_once(app: Flask, client: PageClient) -> None:
    with arranged(app):
        a_june_workshop(policy_id=a_policy().id)
    assert WHOLE in main_text(client.get("/workshops/own"))
    with arranged(app):
        a_policy(key="no_refund_small")

    text = main_text(client.get("/workshops/own"))
    assert WHOLE not in text
    assert "If you cancel, nothing is returned." in text


def test_where_several_currencies_are_sold_each_amount_is_said(app: Flask, client: PageClient) -> None:
    with arranged(app):
        owner = an_organiser()
        data = templates.by_key("graded_30_14").data(owner.zone, "GBP", "EUR", "USD")
        versions.write(owner.id, "Ours", data, actor="user:1", now=now.now())
        a_workshop(slug="pounds", in_days=90)
    with arranged(app):
        workshop = a_workshop(slug="two", in_days=91, price_minor=None)
        a_ticket(workshop, prices={"GBP": 10000, "USD": 12000})

    assert "less £10.00 or US$13.00." in main_text(client.get("/workshops/two"))
    assert "less £10.00." in main_text(client.get("/workshops/pounds"))


def test_the_form_says_until_when_what_comes_back(app: Flask, client: PageClient, in_march: Clock) -> None:
    with arranged(app):
        a_policy()
        a_june_workshop()

    text = main_text(client.get(FORM))
    assert [each for each in DATED if each not in text] == []
    in_march.set("2027-05-04T09:00:00Z")
    text = main_text(client.get(FORM))
    assert DATED[0] not in text
    assert "Until the end of Thursday 20 May 2027 we return 50% of what you paid." in text


def test_without_a_policy_nothing_is_promised(app: Flask, client: PageClient) -> None:
    with arranged(app):
        a_june_workshop()
    made = paid(app, a_wish("own"))

    for page in ("/workshops/own", FORM, made.url):
        assert "is returned" not in main_text(client.get(page))


@pytest.mark.both_databases
def test_the_booking_s_page_keeps_what_was_agreed(app: Flask, client: PageClient) -> None:
    with arranged(app):
        a_policy()
        a_june_workshop()
    made = paid(app, a_wish("own", people=[ANN, BOB]))
    with arranged(app):
        a_policy(key="no_refund_small")

    text = main_text(client.get(made.url))
    assert [each for each in (*DATED, WHOLE) if each not in text] == []


def test_a_bundle_says_its_policy_without_dates(app: Flask, client: PageClient) -> None:
    with arranged(app):
        a_policy()
        a_bundle(a_workshop(in_days=60), a_workshop(in_days=70))

    assert WHOLE in main_text(client.get("/bundles/autumn-three"))
    form = client.get("/bundles/autumn-three/bookings/new")
    assert "Until the end of" not in main_text(form)
    assert '<a href="/bundles/autumn-three#plans">' in form.get_data(as_text=True)


def test_what_is_free_promises_no_money_back(app: Flask, client: PageClient) -> None:
    with arranged(app):
        a_policy()
        a_june_workshop(price_minor=0)
    made = paid(app, a_wish("own"))

    assert "is returned" not in main_text(client.get(made.url))


def test_the_words_cost_no_statement(app: Flask, client: PageClient) -> None:
    with arranged(app):
        a_june_workshop()
    made = paid(app, a_wish("own"))
    pages = ("/workshops/own", FORM, made.url)

    def asked() -> list[int]:
        numbers = []
        for page in pages:
            client.get(page)
            with statements(app) as found:
                client.get(page)
            numbers.append(len(found))
        return numbers

    before = asked()
    with arranged(app):
        a_policy()
    made = paid(app, a_wish("own"))
    pages = ("/workshops/own", FORM, made.url)

    assert asked() == before
