"""Recordings of what is over, as visitors and programs find them on sale."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from courses import schedule
from courses.models import TicketType, Workshop, WorkshopSession
from lib import db, zones
from tests.builders import a_course, a_meeting, a_presenter, a_ticket, a_workshop, arranged
from tests.conftest import MORNING, Clock
from tests.courses.test_routes import hrefs
from tests.courses.test_shelf import forget, many, number_asked
from tests.page import PageClient, form, main_text, tree

pytestmark = pytest.mark.proved_on_both
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
FILTERS = "q=a&topic=grief&format=hybrid&from=2020-01-01&to=2030-01-01&most=500"
PAGES = (
    "/",
    "/workshops?recordings=1",
    f"/workshops?{FILTERS}&free=1",
    f"/workshops?recordings=1&{FILTERS}&free=1",
    "/workshops?free=1",
    "/workshops?most=100",
    "/workshops?q=grief",
    "/workshops.json?past=1",
    "/organisers/olu-trains",
    "/presenters/olu-trains/presenter-0",
)


def a_past_workshop(slug: str = "loss", *, in_days: int = -10, is_shown: bool = True, **columns: Any) -> Workshop:
    """Over, with a live ticket and one for the recording, on sale until a month from now; its film is published."""
    workshop = a_workshop(slug=slug, in_days=in_days, **{"catch_up_offered": True, "title": slug, **columns})
    a_catch_up(workshop, sold_until=MORNING + 30 * DAY)
    for each in workshop.sessions if is_shown else ():
        show(each)
    return workshop


def a_catch_up(workshop: Workshop, **columns: Any) -> TicketType:
    return a_ticket(
        workshop, code="film", name="Recording only", kind="catch_up", pools=[], includes_live=False,
        prices={"GBP": 4500}, **columns,
    )  # fmt: skip


def show(session: WorkshopSession) -> None:
    session.watchable_from = session.ends_at + DAY
    session.watchable_until = session.ends_at + 29 * DAY
    db.session.flush()


def found(client: PageClient, path: str) -> list[str]:
    return [each for each in hrefs(tree(client.get(path).get_data(as_text=True))) if each.startswith("/workshops/")]


def test_programs_find_it_among_the_past_and_nowhere_else(app: Flask, clock: Clock, client: PageClient) -> None:
    with arranged(app):
        a_past_workshop()
        a_workshop(slug="ahead")

    ahead = client.get("/workshops.json").get_json()["workshops"]
    past = client.get("/workshops.json?past=1").get_json()["workshops"]

    assert [each["slug"] for each in ahead] == ["ahead"]
    assert [each["slug"] for each in past] == ["loss", "ahead"]
    assert {name: past[0][name] for name in ("state", "bookable", "places_left", "price_minor", "currency")} == {
        "state": "past",
        "bookable": True,
        "places_left": 0,
        "price_minor": 4500,
        "currency": "GBP",
    }
    assert [(each["code"], each["on_sale"], each["includes"]) for each in past[0]["tickets"]] == [
        ("standard", False, ["live", "recording"]),
        ("film", True, ["recording"]),
    ]
    assert "SUMMARY:loss" not in client.get("/workshops.ics").get_data(as_text=True)


def test_it_is_on_sale_to_the_last_second(app: Flask, clock: Clock, client: PageClient) -> None:
    with arranged(app):
        ends = next(each.sold_until for each in a_past_workshop().tickets if each.sold_until)

    clock.set(ends - SECOND)
    assert found(client, "/workshops?recordings=1") == ["/workshops/loss"]
    assert client.get("/workshops/loss/bookings/new").status_code == 200
    clock.set(ends)
    assert found(client, "/workshops?recordings=1") == []
    assert client.get("/workshops/loss/bookings/new").status_code == 410


def test_watch_now_leads_to_what_is_published_with_the_end_of_its_sale(
    app: Flask, clock: Clock, client: PageClient
) -> None:
    with arranged(app):
        a_past_workshop("earlier", in_days=-40)
        a_past_workshop("later")
        a_past_workshop("awaited", is_shown=False)
        a_workshop(slug="no-film", in_days=-9)
        a_workshop(slug="ahead")

    assert found(client, "/") == ["/workshops/ahead", "/workshops/later", "/workshops/earlier"]
    assert "/workshops?recordings=1" in hrefs(tree(client.get("/").get_data(as_text=True)))
    assert sorted(found(client, "/workshops?recordings=1")) == [
        f"/workshops/{n}" for n in ("awaited", "earlier", "later")
    ]
    assert found(client, "/workshops") == ["/workshops/ahead"]
    text = main_text(client.get("/workshops?recordings=1"))
    assert f"On sale until {zones.moment(MORNING + 30 * DAY - SECOND, 'Europe/London')}." in text
    assert "Not published yet; then yours for 28 days." in text
    assert "Watch it now, for 28 days." in text
    there = main_text(client.get("/workshops?recordings=1&zone=Australia/Sydney"))
    assert f"On sale until {zones.moment(MORNING + 30 * DAY - SECOND, 'Australia/Sydney')}." in there


def test_where_no_recording_is_on_sale_nothing_leads_there(app: Flask, clock: Clock, client: PageClient) -> None:
    with arranged(app):
        a_workshop(slug="gone", in_days=-9)

    for page in ("/", "/workshops"):
        assert "/workshops?recordings=1" not in hrefs(tree(client.get(page).get_data(as_text=True)))
    assert "No recording is on sale at the moment." in main_text(client.get("/workshops?recordings=1"))


def test_the_list_of_recordings_is_searched_without_leaving_it(app: Flask, clock: Clock, client: PageClient) -> None:
    with arranged(app):
        a_past_workshop("grief-then", course=a_course(topic="grief"))
        a_past_workshop("couples-then", course=a_course(topic="couples"), in_days=-12)

    page = client.get("/workshops?recordings=1")
    answer = client.submit(form(page, "/workshops"), {"topic": "couples", "most": "45"})

    assert answer.request.args["recordings"] == "1"
    assert [each for each in hrefs(tree(answer.get_data(as_text=True))) if each.startswith("/workshops/")] == [
        "/workshops/couples-then"
    ]
    assert found(client, "/workshops?recordings=1&most=44") == []
    assert 'rel="canonical" href="http://localhost/workshops?recordings=1"' in page.get_data(as_text=True)


def test_its_page_sells_the_recording_and_says_until_when_on_both_clocks(
    app: Flask, clock: Clock, client: PageClient
) -> None:
    with arranged(app):
        a_past_workshop()

    here, there = (client.get(f"/workshops/loss{query}") for query in ("", "?zone=America/New_York"))

    last = MORNING + 30 * DAY - SECOND
    for page in (here, there):
        text = main_text(page)
        assert "Buy the recording" in text
        assert "Book a place" not in text
        assert "for 28 days from the hour you buy it" in text
        assert f"It is on sale until {zones.moment(last, 'Europe/London')}" in text
    assert f", which is {zones.moment(last, 'America/New_York')}." in main_text(there)
    assert ", which is" not in main_text(here)
    assert "places left" not in main_text(here)


def test_whoever_shares_everybody_s_days_reads_when_they_end(app: Flask, clock: Clock, client: PageClient) -> None:
    with arranged(app):
        workshop = a_past_workshop(late_buyers_share=True)
        closes = workshop.sessions[0].watchable_until
        assert closes

    said = f"closes for everybody on {zones.moment(closes, 'Europe/London')}."
    assert said in main_text(client.get("/workshops/loss"))
    clock.set(closes)
    assert "Its recording has closed." in main_text(client.get("/workshops/loss"))


def test_a_workshop_under_way_sells_its_recording_and_no_place(app: Flask, clock: Clock, client: PageClient) -> None:
    with arranged(app):
        a_catch_up(a_workshop(slug="it", title="it", in_days=3, catch_up_offered=True))

    before = client.get("/workshops/it")
    clock.set(MORNING + 3 * DAY + timedelta(hours=1))
    after = client.get("/workshops/it")

    assert "Book a place" in main_text(before)
    assert "when the live sale has ended" in main_text(before)
    assert "It has begun; the recording is on sale" in main_text(after)
    assert "It is not published yet." in main_text(after)
    assert found(client, "/workshops?free=1") == []
    assert "Under way, recording on sale" in main_text(client.get("/workshops"))


@pytest.mark.parametrize(
    "path",
    ["/", "/workshops", "/workshops?recordings=1", "/workshops/loss", "/courses/grief", "/organisers/olu-trains",
     "/presenters/olu-trains/dr-ines-marsh"],
)  # fmt: skip
def test_whoever_passes_an_address_on_passes_its_name_on(
    app: Flask, clock: Clock, client: PageClient, path: str
) -> None:
    with arranged(app):
        a_past_workshop(course=a_course(slug="grief"), presenters=[a_presenter(about="She listens.")])

    root = tree(client.get(path).get_data(as_text=True))

    told = {each.get("property"): each.get("content") for each in root.iter("meta") if each.get("property")}
    (canonical,) = [each.get("href") for each in root.iter("link") if each.get("rel") == "canonical"]
    assert told["og:url"] == canonical == f"http://localhost{path}"
    assert told["og:type"] == "website"
    assert told["og:title"]
    assert told["og:description"]


@pytest.mark.parametrize("is_cold", [True, False], ids=["cold", "warm"])
def test_lists_and_pages_ask_as_much_of_3_as_of_300(
    app: Flask, clock: Clock, client: PageClient, is_cold: bool
) -> None:
    half(app, 0, 3)
    forget(app)
    few = {path: number_asked(app, client, path, is_cold=is_cold) for path in PAGES}
    half(app, 3, 300)
    lots = {path: number_asked(app, client, path, is_cold=is_cold) for path in PAGES}

    # The first page asks besides which letters it may offer.
    usual = 6 if is_cold else 1
    assert lots == few == dict.fromkeys(PAGES, usual) | {"/": usual + 1}


def half(app: Flask, first: int, last: int) -> None:
    """Half of the workshops ahead, half over with a limited recording on sale."""
    many(app, first, last)
    with arranged(app):
        for workshop in db.session.scalars(select(Workshop).where(Workshop.slug.like("number-%"))).all():
            n = int(workshop.slug.rpartition("-")[2])
            if first <= n < last and n % 2:
                workshop.catch_up_offered = True
                session = workshop.sessions[0]
                for each in workshop.sessions[1:]:
                    db.session.delete(each)
                workshop.sessions = [session]
                schedule.change(session, a_meeting(in_days=-20))
                workshop.starts_at, workshop.ends_at = session.starts_at, session.ends_at
                session.watchable_from, session.watchable_until = MORNING, MORNING + 28 * DAY
                film = workshop.tickets[0]
                film.kind, film.includes_live = "catch_up", False
