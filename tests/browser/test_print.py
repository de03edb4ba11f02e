"""What somebody keeps on paper: a workshop, a booking, a list of who comes."""

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from bench import serving
from tests.browser import world
from tests.browser.conftest import PATIENCE_MS
from tests.browser.sights import OWN

pytestmark = pytest.mark.browser

PAPER = {"width": 660, "height": 930}  # A4 within its margins, at 96 dots an inch
ONLY_ON_SCREEN = (".demo", ".head-side", ".ways", ".foot", ".button", ".office", "form", "video")
SEEN = """selectors => selectors.filter(selector =>
    [...document.querySelectorAll(selector)].some(each => each.checkVisibility()))"""
COLOURS = """() => [...document.querySelectorAll("main :is(p, h1, h2, h3, td, th, dd, a)")]
    .filter(each => each.checkVisibility() && !each.closest(".badge, .price-no, .next-day, .error"))
    .map(each => getComputedStyle(each).color)"""


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport=PAPER, color_scheme="dark", locale="en-GB", timezone_id="Europe/London")  # type: ignore[arg-type]  # the two names of a ViewportSize
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


def printed(page: Page, address: str) -> str:
    """The page as paper shows it, whatever the screen's scheme; its text."""
    page.emulate_media(media="print")
    page.goto(address)
    assert page.evaluate(SEEN, ONLY_ON_SCREEN) == []
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert set(page.evaluate(COLOURS)) <= {"rgb(0, 0, 0)", "rgb(51, 51, 51)"}
    return page.locator("main").inner_text()


def test_a_workshop_brings_its_terms_along(house: serving.House, page: Page) -> None:
    listed = json.loads(page.request.get(f"{house.web}/workshops.json").text())["workshops"]
    slug = next(str(each["slug"]) for each in listed if each["course"] == "working-with-complexity-in-grief")

    said = printed(page, f"{house.web}/workshops/{slug}")

    assert "London" in said
    assert page.locator("details:not([open])").count() > 0
    closed = page.locator("details:not([open]) .opens-in p").first
    assert closed.evaluate("each => each.getBoundingClientRect().height") > 0


def test_a_booking_is_printed_with_its_times_and_its_total(
    house: serving.House, page: Page, planted: world.World
) -> None:
    said = printed(page, house.web + planted["confirmed"])

    assert "Ann Attwood" in said
    assert "Total" in said
    assert "10:00" in said


def test_a_list_of_who_comes_is_a_table(house: serving.House, page: Page, planted: world.World) -> None:
    page.emulate_media(media="screen")
    page.goto(f"{house.web}/sign-in")
    person = json.loads(house.instance.people(house.database).read_text(encoding="utf-8"))["owner"]
    page.locator("details.opens > summary").click()
    form = page.locator("details.opens form")
    form.locator("[type=email]").fill(person["email"])
    form.locator("[type=password]").fill(person["password"])
    form.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/me")
    assert urlsplit(page.url).path == "/me"

    said = printed(page, f"{house.web}{OWN}/people")

    assert "Ann Attwood" in said
    assert page.locator("thead").evaluate("each => getComputedStyle(each).display") == "table-header-group"
    assert page.locator("tbody tr").first.evaluate("each => getComputedStyle(each).breakInside") == "avoid"
