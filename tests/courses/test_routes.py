"""The public catalogue as people and programs get it."""

import json
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from flask import Flask
from icalendar import Calendar, Event

from courses.models import Workshop
from lib import zones
from tests.builders import (
    a_bundle,
    a_course,
    a_meeting,
    a_pool,
    a_presenter,
    a_ticket,
    a_venue,
    a_workshop,
    an_organiser,
    arranged,
)
from tests.conftest import MORNING, Clock
from tests.page import PageClient, main_text, tree, words

pytestmark = pytest.mark.proved_on_both

DESCRIPTION = (
    '<p>OK</p><img src=x onerror=alert(1)><a href="javascript:alert(1)">a</a>'
    '<a href="https://example.org" target="_blank">b</a><svg><script>alert(1)</script></svg>'
)
TITLE = "Safeguarding 101\r\nBEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nEND:VALARM\r\nSUMMARY:Moved"
PLACE = "Room 4\rATTENDEE:mailto:x@example.net"


def events(body: bytes) -> list[Event]:
    return [each for each in Calendar.from_ical(body).walk("VEVENT") if isinstance(each, Event)]


def slugs(client: PageClient, path: str = "/workshops.json") -> list[str]:
    return [each["slug"] for each in client.get(path).get_json()["workshops"]]


def hrefs(root: Element, part: str = "main") -> list[str]:
    (found,) = root.iter(part)
    return [each.get("href", "") for each in found.iter("a")]


def times_lines(root: Element) -> list[str]:
    """The lines to copy, each the whole text of one element without elements inside."""
    return [each.text or "" for each in root.iter("p") if each.get("class") == "times-copy" and len(each) == 0]


# JSON


def test_the_list_for_programs_word_for_word(app: Flask, clock: Clock, client: PageClient) -> None:
    with arranged(app):
        course = a_course(slug="grief-at-work", title="Grief at Work")
        workshop = a_workshop(
            course=course,
            capacity=30,
            sessions=[
                a_meeting(in_days=24, starts="10:00", ends="16:00"),
                a_meeting(in_days=31, starts="22:00", ends="01:00"),
            ],
            format="hybrid",
            venue=a_venue(),
            presenters=[a_presenter()],
            price_minor=None,
            catch_up_offered=True,
        )
        online = a_pool(workshop, code="online", capacity=60)
        a_ticket(workshop, code="in_room", name="In the room", pools=workshop.pools[:1], is_full_price=True)
        a_ticket(
            workshop,
            code="online",
            name="Online",
            pools=[online],
            prices={"USD": 9500, "GBP": 7900},
            includes_recording=False,
        )
        a_ticket(workshop, code="instalments", name="In three parts", payment="deposit", prices={"GBP": 100})

    answer = client.get("/workshops.json")

    assert answer.mimetype == "application/json"
    assert answer.get_json() == {
        "workshops": [
            {
                "slug": "grief-at-work-2027-03-26",
                "course": "grief-at-work",
                "title": "Grief at Work",
                "format": "hybrid",
                "state": "scheduled",
                "bookable": True,
                "places_left": 90,
                "zone": "Europe/London",
                "url": "http://localhost/workshops/grief-at-work-2027-03-26",
                "price_minor": 7900,
                "currency": "GBP",
                "catch_up": {"offered": True, "days": 28, "from": "published"},
                "sessions": [
                    {
                        "starts_at": "2027-03-26T10:00:00Z",
                        "ends_at": "2027-03-26T16:00:00Z",
                        "wall_start": "2027-03-26T10:00",
                        "zone": "Europe/London",
                    },
                    {
                        "starts_at": "2027-04-02T21:00:00Z",
                        "ends_at": "2027-04-03T00:00:00Z",
                        "wall_start": "2027-04-02T22:00",
                        "zone": "Europe/London",
                    },
                ],
                "tickets": [
                    {
                        "code": "in_room",
                        "name": "In the room",
                        "on_sale": True,
                        "full_price": True,
                        "includes": ["live", "recording"],
                        "prices": [{"minor": 16800, "currency": "GBP"}],
                    },
                    {
                        "code": "online",
                        "name": "Online",
                        "on_sale": True,
                        "full_price": False,
                        "includes": ["live"],
                        "prices": [{"minor": 9500, "currency": "USD"}, {"minor": 7900, "currency": "GBP"}],
                    },
                    {
                        "code": "instalments",
                        "name": "In three parts",
                        "on_sale": False,
                        "full_price": False,
                        "includes": ["live", "recording"],
                        "prices": [{"minor": 100, "currency": "GBP"}],
                    },
                ],
                "extras": [],
            }
        ]
    }


def test_a_workshop_that_cannot_be_booked_has_no_price_and_no_recording_no_days(
    app: Flask, clock: Clock, client: PageClient
) -> None:
    with arranged(app):
        a_workshop(capacity=0)

    (found,) = client.get("/workshops.json").get_json()["workshops"]

    assert (found["bookable"], found["places_left"], found["price_minor"], found["currency"]) == (False, 0, None, "GBP")
    assert found["catch_up"] == {"offered": False, "days": None, "from": None}


def many_dates(app: Flask) -> None:
    with arranged(app):
        course = a_course(slug="loss")
        for name, days, status in (
            ("third", 9, "published"),
            ("first", 5, "published"),
            ("second", 7, "cancelled"),
            ("draft", 6, "draft"),
            ("gone", -9, "published"),
            ("gone-cancelled", -12, "cancelled"),
        ):
            a_workshop(course=course, slug=name, in_days=days, status=status)
        a_workshop(course=course, slug="begun", sessions=[a_meeting(in_days=-3), a_meeting(in_days=4)])


def test_the_list_holds_what_has_not_ended_by_first_start(app: Flask, clock: Clock, client: PageClient) -> None:
    many_dates(app)

    assert slugs(client) == ["begun", "first", "second", "third"]
    assert slugs(client, "/workshops.json?past=1") == [
        "gone-cancelled",
        "gone",
        "begun",
        "first",
        "second",
        "third",
    ]
    assert slugs(client, "/workshops.json?past=0") == slugs(client)
    states = {each["slug"]: each["state"] for each in client.get("/workshops.json?past=1").get_json()["workshops"]}
    assert states == {
        "gone-cancelled": "cancelled",
        "gone": "past",
        "begun": "running",
        "first": "scheduled",
        "second": "cancelled",
        "third": "scheduled",
    }


def test_a_workshop_leaves_the_list_at_the_second_its_last_session_ends(
    app: Flask, clock: Clock, client: PageClient
) -> None:
    with arranged(app):
        ends_at = a_workshop(slug="it", in_days=3).ends_at

    clock.set(ends_at - timedelta(seconds=1))
    assert slugs(client) == ["it"]
    clock.set(ends_at)
    assert slugs(client) == []
    assert slugs(client, "/workshops.json?past=1") == ["it"]


def test_a_draft_is_nowhere(app: Flask, clock: Clock, client: PageClient) -> None:
    with arranged(app):
        a_workshop(course=a_course(slug="secret", title="Secret Plans"), slug="secret-2027", status="draft")

    for path in ("/workshops.json?past=1", "/workshops", "/workshops.ics", "/"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "secret" not in answer.get_data(as_text=True).lower()
    missing = client.get("/workshops/never-was").get_data()
    for path in (
        "/workshops/secret-2027",
        "/workshops/secret-2027/calendar.ics",
        "/workshops/secret-2027/bookings/new",
        "/courses/secret",
    ):
        answer = client.get(path)
        assert (answer.status_code, answer.get_data()) == (404, missing)


# Pages


def test_the_list_leads_to_each_workshop_and_says_what_it_is(app: Flask, clock: Clock, client: PageClient) -> None:
    many_dates(app)

    page = client.get("/workshops")

    found = [each for each in hrefs(tree(page.get_data(as_text=True))) if each.startswith("/workshops/")]
    assert found == ["/workshops/begun", "/workshops/first", "/workshops/second", "/workshops/third"]
    assert "£168.00" in main_text(page)


@pytest.mark.parametrize(("number", "sizes"), [(1, [1]), (24, [24]), (25, [24, 1]), (49, [24, 24, 1])])
def test_the_list_comes_in_pages_of_24(
    app: Flask, clock: Clock, client: PageClient, number: int, sizes: list[int]
) -> None:
    with arranged(app):
        course = a_course()
        for n in range(number):
            a_workshop(course=course, slug=f"number-{n:02}", in_days=10 + n)

    seen: list[list[str]] = []
    path = "/workshops"
    while path:
        found = hrefs(tree(client.get(path).get_data(as_text=True)))
        seen.append([each for each in found if each.startswith("/workshops/")])
        further = f"/workshops?page={len(seen) + 1}"
        path = further if further in found else ""

    assert [len(each) for each in seen] == sizes
    assert list(chain(*seen)) == [f"/workshops/number-{n:02}" for n in range(number)]
    assert client.get(f"/workshops?page={len(sizes) + 1}").status_code == 404


@pytest.mark.parametrize("page", ["0", "-3", "x", "", "1.5", "9" * 20])
def test_a_page_number_that_is_none_is_the_first_page_or_no_page(
    app: Flask, clock: Clock, client: PageClient, page: str
) -> None:
    with arranged(app):
        a_workshop()

    assert client.get("/workshops", query_string={"page": page}).status_code == (404 if page.startswith("9") else 200)


def test_each_session_stands_once_as_one_piece_of_text(app: Flask, clock: Clock, client: PageClient) -> None:
    with arranged(app):
        friday = datetime(2027, 10, 15, tzinfo=UTC).date()
        single = a_workshop(slug="single", sessions=[a_meeting(day=friday, zone="Asia/Kathmandu")])
        lines = [zones.line(each.starts_at, each.ends_at, each.zone) for each in single.sessions]
        many = a_workshop(
            slug="many",
            zone="America/New_York",
            sessions=[
                a_meeting(in_days=days, zone="America/New_York", starts="19:00", ends="21:00") for days in (10, 17, 24)
            ],
        )
        more = [zones.line(each.starts_at, each.ends_at, each.zone) for each in many.sessions]

    for slug, expected in (("single", lines), ("many", more)):
        html = client.get(f"/workshops/{slug}").get_data(as_text=True)
        assert times_lines(tree(html)) == expected
        for line in expected:
            assert html.count(line) == 1
    assert lines == [
        "Friday 15 October 2027, 10:00–16:00 UTC+05:45 (Kathmandu) / 05:15–11:15 BST (London) / "
        "06:15–12:15 CEST (Paris) / 00:15–06:15 EDT (New York)"
    ]
    assert more[0].startswith(
        "Friday 12 March 2027, 19:00–21:00 EST (New York) / 00:00–02:00 GMT (London), the next day"
    )


def test_programs_are_told_of_extras_and_of_prices_that_buyers_name(
    app: Flask, clock: Clock, client: PageClient
) -> None:
    with arranged(app):
        workshop = a_workshop(price_minor=None)
        a_ticket(workshop, code="taster", prices={"GBP": (100, 1000, 5000)})
        a_ticket(workshop, code="lunch", name="Lunch", kind="extra", prices={"GBP": 1200}, pools=[])

    (told,) = client.get("/workshops.json").get_json()["workshops"]

    (ticket,) = told["tickets"]
    assert (ticket["code"], told["price_minor"]) == ("taster", 100)
    assert ticket["prices"] == [{"minor": None, "currency": "GBP", "least": 100, "suggested": 1000, "most": 5000}]
    lunch = {"code": "lunch", "name": "Lunch", "on_sale": True, "prices": [{"minor": 1200, "currency": "GBP"}]}
    assert told["extras"] == [lunch]


def test_a_workshop_s_page_shows_its_tickets_and_places(app: Flask, clock: Clock, client: PageClient) -> None:
    with arranged(app):
        workshop = a_workshop(slug="it", capacity=4, presenters=[a_presenter(about="She listens.")])
        a_ticket(workshop, code="early", name="Early bird", prices={"GBP": 8500}, sold_until=MORNING)
        a_ticket(workshop, code="parts", name="In three parts", payment="deposit", prices={"GBP": 5600})

    page = client.get("/workshops/it")

    text = main_text(page)
    for said in (
        "Standard",
        "£168.00",
        "Early bird",
        "Ended on",
        "In three parts",
        "Not yet on sale here.",
        "4 places",
    ):
        assert said in text
    assert "She listens." in text
    links = hrefs(tree(page.get_data(as_text=True)))
    assert {"/workshops/it/bookings/new", "/workshops/it/calendar.ics"} <= set(links)


@pytest.mark.parametrize(
    ("columns", "days"),
    [({"status": "cancelled"}, 9), ({}, -9), ({"capacity": 0}, 9)],
    ids=["cancelled", "past", "full"],
)
def test_what_cannot_be_booked_has_no_way_to_the_form_and_one_to_other_dates(
    app: Flask, clock: Clock, client: PageClient, columns: dict[str, Any], days: int
) -> None:
    with arranged(app):
        a_workshop(course=a_course(slug="loss"), slug="it", in_days=days, **columns)

    page = client.get("/workshops/it")

    assert page.status_code == 200
    links = hrefs(tree(page.get_data(as_text=True)))
    assert "/workshops/it/bookings/new" not in links
    assert "/courses/loss" in links


def test_a_course_links_every_date_ahead_first_and_past_ones_newest_first(
    app: Flask, clock: Clock, client: PageClient
) -> None:
    many_dates(app)
    with arranged(app):
        a_workshop(slug="of-another-course")

    page = client.get("/courses/loss")

    found = [each for each in hrefs(tree(page.get_data(as_text=True))) if each.startswith("/workshops/")]
    ahead, gone = ("begun", "first", "third"), ("second", "gone", "gone-cancelled")
    assert found == [f"/workshops/{each}" for each in (*ahead, *gone)]


def test_a_course_without_a_date_that_was_ever_published_is_no_page(
    app: Flask, clock: Clock, client: PageClient
) -> None:
    with arranged(app):
        a_course(slug="someday")

    assert client.get("/courses/someday").status_code == 404


# Calendars


def test_the_feed_holds_every_session_of_the_list(app: Flask, clock: Clock, client: PageClient) -> None:
    many_dates(app)

    answer = client.get("/workshops.ics")

    assert answer.content_type == "text/calendar; charset=utf-8"
    calendar = Calendar.from_ical(answer.get_data())
    assert calendar["METHOD"] == "PUBLISH"
    found = events(answer.get_data())
    assert [str(each["UID"]) for each in found] == [
        "begun-1@localhost",
        "begun-2@localhost",
        "first-1@localhost",
        "second-1@localhost",
        "third-1@localhost",
    ]
    assert {str(each["UID"]): str(each["STATUS"]) for each in found}["second-1@localhost"] == "CANCELLED"
    assert all("ATTENDEE" not in each for each in found)


def test_ics_06_the_download_of_three_sessions(app: Flask, clock: Clock, client: PageClient) -> None:
    days = [datetime(2027, 2, day, tzinfo=UTC).date() for day in (2, 9, 16)]
    with arranged(app):
        a_workshop(
            slug="supervision",
            title="Supervision Skills",
            sessions=[a_meeting(day=day, starts="18:00", ends="20:00") for day in days],
        )

    answer = client.get("/workshops/supervision/calendar.ics")

    body = answer.get_data()
    assert answer.headers["Content-Disposition"] == 'attachment; filename="supervision.ics"'
    assert b"METHOD:PUBLISH\r\n" in body
    assert b"ATTENDEE" not in body
    assert b"TZID" not in body
    found = events(body)
    assert len({str(each["UID"]) for each in found}) == 3
    assert [(each.to_ical().count(b"DTSTART:"), each.to_ical().count(b"DTEND:")) for each in found] == [(1, 1)] * 3
    for each, day in zip(found, days, strict=True):
        lines = each.to_ical().split(b"\r\n")
        assert f"DTSTART:{day:%Y%m%d}T180000Z".encode() in lines
        assert f"DTEND:{day:%Y%m%d}T200000Z".encode() in lines
    assert [str(each["SUMMARY"]) for each in found] == [f"Supervision Skills ({n} of 3)" for n in (1, 2, 3)]


@pytest.mark.parametrize("path", ["/workshops.ics", "/workshops/hostile/calendar.ics"])
def test_ics_08_a_hostile_title_and_place_stay_text(app: Flask, clock: Clock, client: PageClient, path: str) -> None:
    with arranged(app):
        organiser = an_organiser(name="Olu\r\nATTENDEE:mailto:y@example.net", email="hello@olu-trains.example")
        venue = a_venue(organiser=organiser, name=PLACE, address="4 Mill Lane\r\nBEGIN:VALARM")
        course = a_course(organiser=organiser, summary="One.\r\nBEGIN:VALARM\r\nX")
        a_workshop(course=course, slug="hostile", title=TITLE, format="room", venue=venue)

    body = client.get(path).get_data()

    (event,) = events(body)
    unfolded = body.replace(b"\r\n ", b"").split(b"\r\n")
    names = [line.split(b":")[0].split(b";")[0] for line in unfolded]
    assert names.count(b"SUMMARY") == 1
    assert names.count(b"BEGIN") == 2  # the calendar and its one entry
    assert {b"ATTENDEE", b"ACTION"} & set(names) == set()
    assert not [each for each in body.splitlines() if each.lstrip().startswith((b"BEGIN:VALARM", b"ATTENDEE"))]
    assert str(event["SUMMARY"]).startswith("Safeguarding 101 BEGIN:VALARM")
    assert client.get("/workshops/hostile").status_code == 200
    assert json.loads(client.get("/workshops.json").get_data())["workshops"][0]["slug"] == "hostile"


# What an organiser's text may do


def test_sec_05_a_script_in_a_description_stays_outside_every_form_of_it(
    app: Flask, clock: Clock, client: PageClient
) -> None:
    with arranged(app):
        course = a_course(slug="it", description=DESCRIPTION, summary="Loss & <b>grief</b> - a day")
        a_workshop(course=course, slug="it-1", presenters=[a_presenter(name="<script>alert(2)</script>")])

    for path in ("/workshops/it-1", "/courses/it"):
        page = client.get(path)
        root = tree(page.get_data(as_text=True))
        (main,) = root.iter("main")
        everything = list(main.iter())
        assert "OK" in [words(each) for each in main.iter("p")]
        (kept,) = [each for each in main.iter("a") if each.get("href") == "https://example.org"]
        assert "noopener" in (kept.get("rel") or "")
        assert kept.get("target") is None
        assert not [each for each in everything if each.tag == "script"]
        assert not [a for each in everything for a in each.attrib if a.startswith("on")]
        assert not [each for each in everything if (each.get("href") or "").lower().startswith("javascript:")]
        assert not [each for each in everything if each.tag == "img"]
        assert "unsafe-inline" not in page.headers["Content-Security-Policy"]
        for meta in root.iter("meta"):
            if meta.get("name") == "description":
                assert "<" not in (meta.get("content") or "")
                assert "&" not in (meta.get("content") or "").replace("Loss & grief", "")
    for path in ("/", "/workshops"):
        page = client.get(path)
        (main,) = tree(page.get_data(as_text=True)).iter("main")
        assert not [each for each in main.iter() if each.tag in ("script", "b") and "alert" in words(each)]
    (event,) = events(client.get("/workshops/it-1/calendar.ics").get_data())
    said = str(event["DESCRIPTION"])
    assert "Loss & grief - a day" in said
    assert "<" not in said
    assert "&amp;" not in said
    assert "alert" not in client.get("/workshops.json").get_data(as_text=True)


# Every answer


HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "Referrer-Policy": "strict-origin-when-cross-origin",
}
POLICY = {
    "default-src": {"'none'"},
    "script-src": {"'self'"},
    "style-src": {"'self'"},
    "img-src": {"'self'"},
    "font-src": {"'self'"},
    "media-src": {"'self'"},
    "connect-src": {"'self'"},
    "base-uri": {"'none'"},
    "frame-ancestors": {"'none'"},
}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/workshops", 200),
        ("GET", "/workshops/it", 200),
        ("GET", "/workshops.json", 200),
        ("GET", "/workshops.ics", 200),
        ("GET", "/workshops/it/calendar.ics", 200),
        ("GET", "/workshops/it/bookings/new", 200),
        ("GET", "/workshops/nothing", 404),
        ("GET", "/me", 303),
        ("POST", "/workshops", 405),
        ("POST", "/workshops/it/bookings", 400),
        ("GET", "/static/css/colloquy.css", 200),
        ("HEAD", "/workshops", 200),
    ],
)
def test_every_kind_of_answer_has_its_headers(
    app: Flask, clock: Clock, client: PageClient, method: str, path: str, status: int
) -> None:
    with arranged(app):
        a_workshop(slug="it")

    answer = client.open(path, method=method)

    assert answer.status_code == status
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert answer.headers["X-Request-Id"]
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    to_pay = set(policy.pop("form-action").split())
    assert {name: set(value.split()) for name, value in policy.items()} == POLICY
    assert to_pay == {"'self'", app.config["STRIPE_API_BASE"]}
    answer.close()


def test_looking_sets_no_cookie(app: Flask, clock: Clock, client: PageClient) -> None:
    with arranged(app):
        a_workshop(course=a_course(slug="loss"), slug="it")

    for path in ("/", "/workshops", "/workshops/it", "/courses/loss", "/workshops.json", "/workshops.ics"):
        assert "Set-Cookie" not in client.get(path).headers


def test_one_body_for_all_that_is_not_there(app: Flask, clock: Clock, client: PageClient) -> None:
    bodies = {
        client.get(path).get_data()
        for path in (
            "/nowhere",
            "/workshops/nothing",
            "/workshops/nothing/calendar.ics",
            "/workshops/nothing/bookings/new",
            "/courses/nothing",
            "/workshops?page=2",
            "/places/1-x",
            "/bookings/CQ-AAAA-AA",
            "/bookings/x",
        )
    }

    assert len(bodies) == 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/workshops/nothing", 404), ("GET", "/nowhere", 404), ("POST", "/workshops", 405)],
)
def test_programs_are_refused_in_json(
    app: Flask, clock: Clock, client: PageClient, method: str, path: str, status: int
) -> None:
    answer = client.open(path, method=method, headers={"Accept": "application/json"})

    assert answer.status_code == status
    assert answer.mimetype == "application/json"
    assert set(answer.get_json()) == {"refusal", "message"}
    assert answer.get_json()["refusal"] == f"http_{status}"


def test_a_browser_that_takes_anything_gets_a_page(app: Flask, clock: Clock, client: PageClient) -> None:
    for accept in ("*/*", "text/html,application/xhtml+xml,*/*;q=0.8", ""):
        answer = client.get("/nowhere", headers={"Accept": accept})
        assert (answer.status_code, answer.mimetype) == (404, "text/html")


def test_the_row_says_when_it_begins_and_ends(app: Flask, clock: Clock) -> None:
    with arranged(app):
        workshop: Workshop = a_workshop(sessions=[a_meeting(in_days=9), a_meeting(in_days=2)])
        assert workshop.starts_at == workshop.sessions[0].starts_at == MORNING + timedelta(days=2, hours=1)
        assert workshop.ends_at == workshop.sessions[1].ends_at


# VAT


@pytest.mark.parametrize(("mode", "is_said"), [("none", False), ("exempt", False), ("included", True)])
def test_vat_is_spoken_of_only_where_its_organiser_charges_it(
    app: Flask, clock: Clock, client: PageClient, mode: str, is_said: bool
) -> None:
    with arranged(app):
        organiser = an_organiser()
        organiser.vat_mode = mode
        single, other = a_workshop(slug="grief"), a_workshop(slug="loss")
        a_bundle(single, other, slug="both")
    pages = ("/workshops/grief", "/workshops/grief/bookings/new", "/bundles/both", "/bundles/both/bookings/new")

    shown = {path: "VAT" in client.get(path).get_data(as_text=True) for path in pages}

    assert shown == dict.fromkeys(pages, is_said)
    assert "VAT" not in client.get("/").get_data(as_text=True), "the first page is of every organiser"
