"""Who loses a recording at once, who never does, and one device at a time. VID-06."""

import json
import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from accounts.models import Organiser
from bookings.models import Attendee
from lib import clock as product_clock
from lib import db
from payments import disputes, refunds
from payments.gateway import Contested
from payments.models import Payment
from recordings import sitting, tabs
from recordings.window_models import Sitting
from tests.bookings.making import ANN, BOB, a_wish, paid
from tests.builders import a_meeting, a_policy, arranged
from tests.conftest import Clock, at_once
from tests.page import PageClient, form, main_text
from tests.recordings.showing import PUBLISHED, a_film, a_recorded_workshop, address, booked, published

pytestmark = pytest.mark.both_databases


def bytes_of(client: PageClient, page: str, **asked: str) -> Any:
    query = f"?tab={asked['tab']}" if "tab" in asked else ""
    answer = client.get(f"{page}/media{query}", headers={"Range": "bytes=1000-1999"})
    answer.get_data()
    return answer


@pytest.fixture
def pages(app: Flask, clock: Clock) -> dict[str, str]:
    """Ann's and Bob's pages, each paid by a booking of their own, 5000 each."""
    slug = a_recorded_workshop(app, with_paid=True)
    made = [paid(app, a_wish(slug, people=[who], ticket="paid")) for who in (ANN, BOB)]
    kept = a_film(app, slug)
    clock.set(PUBLISHED)
    published(app, kept)
    return {who: address(app, each, kept) for who, each in zip(("ann", "bob"), made, strict=True)}


def payment() -> Payment:
    """Ann's."""
    return db.session.scalars(select(Payment).order_by(Payment.id)).first()  # type: ignore[return-value]


def statuses(client: PageClient, pages: dict[str, str]) -> dict[str, int]:
    return {who: bytes_of(client, page).status_code for who, page in pages.items()}


def test_vid_06_whose_money_all_went_back_loses_it_and_nobody_else(
    app: Flask, client: PageClient, pages: dict[str, str]
) -> None:
    assert statuses(client, pages) == {"ann": 206, "bob": 206}
    with arranged(app):
        refunds.refund_rest(payment(), reason="asked for", now=product_clock.now())

    assert statuses(client, pages) == {"ann": 404, "bob": 206}


def test_vid_06_part_of_the_money_back_takes_nothing(app: Flask, client: PageClient, pages: dict[str, str]) -> None:
    with arranged(app):
        refunds.refund_rest(payment(), reason="goodwill", now=product_clock.now(), most=2000)

    assert statuses(client, pages) == {"ann": 206, "bob": 206}


@pytest.mark.parametrize(
    ("bars", "status", "watches"),
    [
        (True, "needs_response", 404),
        (True, "lost", 404),
        (True, "warning_needs_response", 206),
        (True, "won", 206),
        (False, "needs_response", 206),
        (False, "lost", 206),
    ],
)
def test_a_payment_that_a_bank_took_back_counts_as_the_organiser_says(
    app: Flask, client: PageClient, pages: dict[str, str], bars: bool, status: str, watches: int
) -> None:
    with arranged(app):
        db.session.execute(update(Organiser).values(dispute_bars=bars))
        own = payment()
        assert own.payment_intent
        now = product_clock.now()
        found = Contested("du_1", own.payment_intent, status, "fraudulent", own.amount_minor, own.currency, now, now)
        assert disputes.hear(found, now)

    assert statuses(client, pages) == {"ann": watches, "bob": 206}


def test_whose_place_a_colleague_takes_loses_it_and_the_colleague_has_it(app: Flask, client: PageClient) -> None:
    with arranged(app):
        a_policy()
    slug = a_recorded_workshop(app, with_paid=True, sessions=[a_meeting(in_days=28), a_meeting(in_days=29)])
    made = paid(app, a_wish(slug, people=[ANN, BOB], ticket="paid"))
    kept = a_film(app, slug)
    published(app, kept)
    before = {who: address(app, made, kept, n) for n, who in enumerate(("ann", "bob"))}
    assert statuses(client, before) == {"ann": 206, "bob": 206}
    client.get(made.url)
    page = f"/bookings/{made.reference}/attendees/0/substitution"
    answer = client.submit(form(client.get(page), "/substitution"), {"name": "Cy Crane", "email": "cy@clinic.example"})
    assert answer.status_code == 303

    assert statuses(client, before) == {"ann": 404, "bob": 206}
    assert bytes_of(client, address(app, made, kept, 0)).status_code == 206


def test_a_cancelled_place_has_lost_it(app: Flask, client: PageClient, pages: dict[str, str]) -> None:
    with arranged(app):
        db.session.execute(update(Attendee).where(Attendee.email == ANN[1]).values(state="cancelled"))

    assert statuses(client, pages) == {"ann": 404, "bob": 206}


# The last second, on either side of both changes of the clocks


@pytest.mark.parametrize(
    ("published_at", "closes"),
    [
        ("2027-03-09T18:00:00Z", "2027-04-06T17:00:00Z"),
        ("2027-10-12T17:00:00Z", "2027-11-09T18:00:00Z"),
    ],
)
def test_vid_05_the_page_the_film_and_the_report_end_in_the_same_second(
    app: Flask, client: PageClient, clock: Clock, published_at: str, closes: str
) -> None:
    clock.set("2027-03-01T09:00:00Z")
    slug = a_recorded_workshop(app)
    made = booked(app, slug)
    kept = a_film(app, slug)
    clock.set(published_at)
    published(app, kept)
    page = address(app, made, kept)
    clock.set(closes)
    clock.shift(seconds=-1)
    assert (client.get(page).status_code, bytes_of(client, page).status_code) == (200, 206)
    assert watched(client, page, "").status_code == 200
    clock.shift(seconds=1)

    assert (client.get(page).status_code, bytes_of(client, page).status_code) == (403, 403)


# One device at a time


@pytest.fixture
def page(app: Flask, clock: Clock) -> str:
    """Ann's, at a workshop where a place plays on one device."""
    slug = a_recorded_workshop(app, one_at_a_time=True)
    made = booked(app, slug)
    kept = a_film(app, slug)
    clock.set(PUBLISHED)
    published(app, kept)
    return address(app, made, kept)


def opened(client: PageClient, page: str) -> str:
    """Open the page; the mark in its film's address."""
    text = client.get(page).get_data(as_text=True)
    return re.search(r"/media\?tab=([^\"#&]+)", text)[1]  # type: ignore[index]


def test_the_newest_page_plays_and_the_older_one_is_told_why(client: PageClient, page: str, clock: Clock) -> None:
    laptop = opened(client, page)
    clock.shift(minutes=1)
    assert bytes_of(client, page, tab=laptop).status_code == 206
    clock.shift(minutes=1)
    phone = opened(client, page)
    assert bytes_of(client, page, tab=laptop).status_code == 206, "opening a page takes nothing yet"
    clock.shift(minutes=1)
    assert bytes_of(client, page, tab=phone).status_code == 206

    told = bytes_of(client, page, tab=laptop)
    assert told.status_code == 403
    assert "It was opened on another device and plays there since Tuesday 16 March 2027, 18:03 GMT" in main_text(told)
    said = watched(client, page, laptop)
    assert (said.status_code, said.get_json()["refusal"]) == (403, "watched_elsewhere")
    assert watched(client, page, phone).status_code == 200
    clock.shift(minutes=1)
    again = opened(client, page)
    assert bytes_of(client, page, tab=again).status_code == 206
    assert bytes_of(client, page, tab=phone).status_code == 403


def watched(client: PageClient, page: str, tab: str) -> Any:
    token = client.get(page).get_data(as_text=True).partition('data-token="')[2].partition('"')[0]
    headers = {"X-CSRFToken": token, "Content-Type": "application/json", "Accept": "application/json"}
    return client.post(f"{page}/watched", data=json.dumps({"ranges": [[0, 1]], "tab": tab}), headers=headers)


@pytest.mark.parametrize("tab", ["", "x", "WyJhIl0.AAAA"])
def test_the_film_s_bare_address_plays_nothing(app: Flask, client: PageClient, page: str, tab: str) -> None:
    answer = bytes_of(client, page, tab=tab)

    assert answer.status_code == 403
    assert "Content-Range" not in answer.headers
    with app.app_context():
        assert db.session.scalars(select(Sitting)).all() == []


def test_where_the_workshop_does_not_say_so_any_number_of_devices_play(
    app: Flask, client: PageClient, pages: dict[str, str]
) -> None:
    assert "tab=" not in re.findall(r'src="([^"]+/media[^"]*)"', client.get(pages["ann"]).get_data(as_text=True))[0]
    assert statuses(client, pages) == {"ann": 206, "bob": 206}


def test_two_devices_that_begin_at_once(app: Flask, clock: Clock, page: str) -> None:
    with app.app_context():
        attendee = db.session.scalars(select(Attendee)).one().id
        marks = [clock.shift(seconds=1) for _ in range(4)]

    def begin(n: int) -> str:
        with db.writing():
            own = db.session.get_one(Attendee, attendee)
            sitting.take(own, tabs.Tab(f"tab-{n}", marks[n]), marks[n])
        return "plays"

    results = at_once(app, [lambda n=n: begin(n) for n in range(4)])  # type: ignore[misc]
    assert results[3] == "plays"
    assert {type(each) for each in results if each != "plays"} <= {sitting.WatchedElsewhere}
    with app.app_context():
        assert db.session.scalars(select(Sitting.tab)).one() == "tab-3"
