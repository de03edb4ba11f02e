"""Reading a workshop's times from New York, Kathmandu and Sydney: offered by script, asked for without."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect

from bench import serving
from tests.browser.conftest import PATIENCE_MS, WIDE
from tests.browser.keyboard import Keyboard

pytestmark = pytest.mark.browser
NEW_YORK, KATHMANDU, SYDNEY = "America/New_York", "Asia/Kathmandu", "Australia/Sydney"
CITIES = {NEW_YORK: "New York", KATHMANDU: "Kathmandu", SYDNEY: "Sydney"}
SLUG = "body-and-trauma-spring"


@pytest.fixture
def window(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    """A window whose machine stands in a zone, with scripts or without."""
    zone, has_script = request.param
    context = chromium.new_context(
        viewport={"width": WIDE[0], "height": WIDE[1]},
        java_script_enabled=has_script,
        timezone_id=zone,
        locale="en-GB",
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


@pytest.fixture
def taught(house: serving.House, workshops: list[dict[str, Any]]) -> dict[str, Any]:
    """One day online in London."""
    return next(each for each in workshops if each["course"] == SLUG)


def seen_from(zone: str, told: dict[str, Any]) -> tuple[datetime, datetime]:
    """The wall times of its one session there, worked out from the instants alone."""
    (session,) = told["sessions"]
    starts, ends = (
        datetime.fromisoformat(session[name]).astimezone(ZoneInfo(zone)) for name in ("starts_at", "ends_at")
    )
    return starts, ends


def check_times(page: Page, zone: str, told: dict[str, Any]) -> None:
    """The visitor's zone comes first with its times; then the workshop's own, and the line to copy begins with that."""
    starts, ends = seen_from(zone, told)
    first = page.locator("section.times")
    expect(first.locator(".times-day")).to_have_text(f"{starts:%A} {starts.day} {starts:%B %Y} in {CITIES[zone]}")
    expect(first.locator(".times-clock span")).to_have_text(f"{starts:%H:%M}–{ends:%H:%M}")
    label = "UTC+05:45" if zone == KATHMANDU else starts.tzname()
    expect(first.locator(".times-clock abbr")).to_have_text(str(label))
    marks = first.locator("> p .next-day")
    if starts.date() != ends.date():
        expect(marks).to_have_text(f"Ends the next day, {ends:%A} {ends.day} {ends:%B %Y}")
    else:
        expect(marks).to_have_count(0)
    own, own_ends = seen_from("Europe/London", told)
    home = first.locator(".times-others tbody tr").first
    expect(home.get_by_role("rowheader")).to_have_text("London")
    expect(home.get_by_role("cell").first).to_contain_text(f"{own:%a} {own.day} {own:%b}, {own:%H:%M}–{own_ends:%H:%M}")
    copied = first.locator(".times-copy").inner_text()
    assert copied.startswith(f"{own:%A} {own.day} {own:%B %Y}, {own:%H:%M}–{own_ends:%H:%M} {own.tzname()} (London) / ")


WINDOWS = [(zone, True) for zone in CITIES]


@pytest.mark.parametrize("window", WINDOWS, indirect=True, ids=lambda each: str(each[0]))
def test_the_visitors_own_zone_is_offered_and_comes_first(
    window: Page, house: serving.House, taught: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    zone = request.node.callspec.params["window"][0]
    window.goto(f"{house.web}/workshops/{taught['slug']}")
    expect(window.locator(".times-day")).to_contain_text("in London")

    offer = window.get_by_role("status").filter(has_text=f"Show times for {CITIES[zone]}?")
    expect(offer).to_be_visible()
    keys = Keyboard(window)
    keys.follow(".zone-offer a")
    check_times(window, zone, taught)
    expect(window.locator("details.zone summary")).to_contain_text(CITIES[zone])
    expect(window.locator(".zone-offer")).to_have_count(0)

    # It is remembered: on the list, and on the form that asks for the zone of the letters.
    window.goto(f"{house.web}/workshops?q=trauma")
    starts, _ = seen_from(zone, taught)
    row = window.locator("li", has=window.locator(f"a[href='/workshops/{taught['slug']}']")).first
    expect(row).to_contain_text(f"{starts:%H:%M}")
    window.goto(f"{house.web}/workshops/{taught['slug']}/bookings/new")
    expect(window.locator("#zone option:checked")).to_have_text(CITIES[zone])


@pytest.mark.parametrize("window", [(NEW_YORK, False)], indirect=True, ids=["no script"])
@pytest.mark.parametrize("zone", CITIES)
def test_without_scripts_the_address_or_the_list_of_zones_does_it(
    window: Page, house: serving.House, taught: dict[str, Any], zone: str
) -> None:
    page = f"{house.web}/workshops/{taught['slug']}"
    window.goto(f"{page}?zone={quote(zone, safe='')}")
    check_times(window, zone, taught)

    window.context.clear_cookies()
    window.goto(page)
    expect(window.locator(".times-day")).to_contain_text("in London")
    expect(window.locator(".zone-offer")).to_have_count(0)
    window.locator("details.zone summary").click()
    window.get_by_label("Show times for").select_option(label=CITIES[zone])
    window.get_by_role("button", name="Show these times").click()
    check_times(window, zone, taught)


@pytest.mark.parametrize("window", [(SYDNEY, True)], indirect=True, ids=["Sydney"])
def test_the_chooser_is_worked_by_keys_and_says_what_it_found(
    window: Page, house: serving.House, taught: dict[str, Any]
) -> None:
    keys = Keyboard(window)
    window.goto(f"{house.web}/workshops/{taught['slug']}")
    assert len(window.locator("#show-zone option").all()) > 400
    keys.to("details.zone summary")
    keys.press("Enter")
    expect(window.get_by_role("searchbox", name="Search by city")).to_be_visible()
    keys.fill("#find-zone", "york")
    found = window.locator(".zone-in [role=status]")
    expect(found).to_have_text("One city")
    keys.write("são")
    expect(window.locator("#show-zone option", has_text="Sao Paulo")).to_have_count(1)
    keys.write("nowhere at all")
    expect(found).to_have_text("No cities")
    keys.write("kathm")
    expect(found).to_have_text("One city")
    keys.to("#show-zone")
    assert window.get_by_label("Show times for").input_value() == KATHMANDU
    keys.follow(".zone-in button")
    check_times(window, KATHMANDU, taught)
