"""The zone a visitor reads in: chosen, remembered, shown first, and never an address to elsewhere."""

from datetime import UTC, datetime

import pytest
from flask import Flask

from lib import zones
from tests.builders import a_meeting, a_workshop, arranged
from tests.conftest import Clock, Person
from tests.organisers.conftest import signed_in
from tests.page import PageClient, form, main_text

SYDNEY, NEW_YORK = "Australia/Sydney", "America/New_York"


@pytest.fixture
def slug(app: Flask, clock: Clock) -> str:
    with arranged(app):
        return a_workshop(sessions=[a_meeting(in_days=15, starts="13:30", ends="16:00")]).slug


def test_the_chooser_offers_every_city_and_is_remembered(slug: str, client: PageClient) -> None:
    page = client.get(f"/workshops/{slug}")
    chooser = form(page, "/zone")
    assert len(chooser.fields[0].choices) > 400
    answer = client.submit(chooser, {"zone": SYDNEY})

    assert answer.location == f"/workshops/{slug}"
    assert "SameSite=Lax" in answer.headers["Set-Cookie"]
    assert "Sydney" in main_text(client.get(f"/workshops/{slug}"))
    assert "(Sydney)" in main_text(client.get("/workshops"))
    assert "(Sydney)" in main_text(client.get("/"))


def test_the_visitors_zone_comes_first_and_the_next_day_is_said(slug: str, client: PageClient) -> None:
    answer = client.get(f"/workshops/{slug}?zone={SYDNEY}")
    text = main_text(answer)

    assert "Thursday 18 March 2027 in Sydney" in text
    assert text.index("00:30–03:00") < text.index("13:30–16:00")
    assert text.count("13:30–16:00 GMT (London) /") == 1
    assert "zone=Australia/Sydney" in answer.headers["Set-Cookie"]


def test_a_week_in_which_the_usual_difference_does_not_hold_is_told(slug: str, client: PageClient) -> None:
    text = main_text(client.get(f"/workshops/{slug}"))

    said = "On Wednesday 17 March 2027 New York is 4 hours behind London; on most days of the year it is 5 hours behind"
    assert said in text


@pytest.mark.parametrize(
    ("on", "zone", "says"),
    [
        ((2027, 3, 10), NEW_YORK, False),
        ((2027, 3, 17), NEW_YORK, True),
        ((2027, 3, 29), NEW_YORK, False),
        ((2027, 11, 10), NEW_YORK, False),
        ((2027, 7, 1), SYDNEY, False),
        ((2027, 1, 10), SYDNEY, False),
        ((2027, 3, 30), SYDNEY, True),
        ((2027, 7, 1), "Australia/Brisbane", False),
        ((2027, 7, 1), "Europe/London", False),
    ],
)
def test_only_odd_weeks_are_odd(on: tuple[int, int, int], zone: str, says: bool) -> None:
    assert bool(zones.unusual(datetime(*on, 12, tzinfo=UTC), zone, "Europe/London")) is says


@pytest.mark.parametrize("asked", ["", "Mars/Olympus", "../etc/passwd", "x" * 9000, "Europe/London\0"])
def test_an_unknown_zone_changes_nothing(slug: str, client: PageClient, asked: str) -> None:
    answer = client.get("/zone", query_string={"zone": asked, "next": "/workshops"})

    assert answer.status_code == 422
    assert "Set-Cookie" not in answer.headers or "zone=" not in answer.headers["Set-Cookie"]
    assert client.get("/workshops", query_string={"zone": asked}).status_code == 200
    client.set_cookie("zone", asked[:3000].replace("\0", ""))
    assert client.get("/workshops").status_code == 200


@pytest.mark.parametrize("elsewhere", ["https://example.net/", "//example.net", "/\t/example.net", "\\\\example.net"])
def test_it_leads_back_only_to_this_site(client: PageClient, elsewhere: str) -> None:
    assert client.get("/zone", query_string={"zone": SYDNEY, "next": elsewhere}).location == "/workshops"


def test_two_visitors_of_one_page_each_read_their_own_zone(app: Flask, slug: str, client: PageClient) -> None:
    client.get("/zone", query_string={"zone": SYDNEY})
    other = app.test_client()
    for _ in range(2):
        assert "(Sydney)" in main_text(client.get("/workshops"))
        assert "(London)" in other.get("/workshops").get_data(as_text=True)


def test_a_page_of_one_person_offers_no_other_zone(app: Flask, client: PageClient, olu: Person, slug: str) -> None:
    assert 'action="/zone"' in client.get("/workshops").get_data(as_text=True)
    signed_in(app, client, olu)
    assert 'action="/zone"' not in client.get("/me").get_data(as_text=True)
