"""Every page in both colour schemes, narrow and wide: axe finds nothing on it and nothing runs over its edge."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask, render_template
from playwright.sync_api import Browser, Page, Response

from bench import serving
from tests.browser import sights, world
from tests.browser.conftest import PATIENCE_MS, violations
from tests.browser.sights import Sight

pytestmark = pytest.mark.browser

NARROW, WIDE = {"width": 320, "height": 640}, {"width": 1280, "height": 900}
LOOKS = ("color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size")
POST = """({path, typed}) => {
    const form = document.createElement("form");
    form.method = "post";
    form.action = path;
    const token = document.querySelector("[name=csrf_token]").value;
    for (const [name, value] of Object.entries({csrf_token: token, ...typed})) {
        const field = document.createElement("input");
        field.type = "hidden";
        field.name = name;
        field.value = value;
        form.append(field);
    }
    document.body.append(form);
    form.submit();
}"""


@pytest.fixture(scope="module")
def slug_of(house: serving.House, page: Page) -> Callable[[str], str]:
    """The next workshop of a course in the demo's catalogue."""
    listed = json.loads(page.request.get(f"{house.web}/workshops.json").text())["workshops"]
    return lambda course: next(str(each["slug"]) for each in listed if each["course"] == course)


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    """One window for all of them: a new one for each would take longer than looking."""
    context = chromium.new_context(reduced_motion="reduce", locale="en-GB", timezone_id="Europe/Paris")
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


def sign_in(page: Page, house: serving.House, who: str) -> None:
    page.context.clear_cookies()
    if who == "nobody":
        return
    person = json.loads(house.instance.people(house.database).read_text(encoding="utf-8"))[who]
    _post(page, house, "/sign-in", person)
    assert urlsplit(page.url).path == "/me", f"{who} cannot sign in"


def come_to(sight: Sight, page: Page, house: serving.House, planted: world.World) -> int:
    """Open the page, or post what leads to it; its status."""
    path = sight.at(planted)
    if sight.typed is None:
        answer = page.goto(house.web + path)
    else:
        answer = None
        for _ in range(sight.times):
            answer = _post(page, house, path, sight.typed)
    assert answer is not None
    return answer.status


def _post(page: Page, house: serving.House, path: str, typed: Any) -> Response:
    page.goto(f"{house.web}/sign-in")  # a page with a token, for everybody
    with page.expect_navigation() as gone:
        page.evaluate(POST, {"path": path, "typed": dict(typed)})
    return gone.value


def faults(page: Page) -> Iterator[str]:
    """What axe finds and what runs over the edge: wide in daylight, narrow at night.

    The second time it is the same page in other colours and sizes, so only the rules that look at those are asked.
    """
    for size, scheme, rules in ((WIDE, "light", ()), (NARROW, "dark", LOOKS)):
        page.set_viewport_size(size)  # type: ignore[arg-type]  # the two names of a ViewportSize
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of the two
        wide, seen = page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
        if wide > seen:
            yield f"{wide} px wide in a window of {seen}"
        yield from (f"{scheme}: {found}" for found in violations(page, *rules))
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]  # as above
    page.emulate_media(color_scheme="light")


def tour(wanted: list[Sight], page: Page, house: serving.House, planted: world.World) -> list[str]:
    found = []
    people = list(dict.fromkeys(who for each in wanted for who in each.who))
    for who in people:
        sign_in(page, house, who)
        for sight in [each for each in wanted if who in each.who]:
            status = come_to(sight, page, house, planted)
            what = f"{sight.endpoint} ({urlsplit(page.url).path} as {who})"
            if status != sight.status:
                found.append(f"{what}: answered by {status} instead of {sight.status}")
            if page.locator("h1").count() != 1:
                found.append(f"{what}: {page.locator('h1').count()} h1")
            found += [f"{what}: {fault}" for fault in faults(page)]
    return found


def test_the_catalogue(page: Page, house: serving.House, planted: world.World, slug_of: Callable[[str], str]) -> None:
    found = tour(sights.catalogue(slug_of), page, house, planted)
    assert not found, "\n".join(found)


def test_the_pages_of_one_person(page: Page, house: serving.House, planted: world.World) -> None:
    found = tour(sights.ONE_PERSON, page, house, planted)
    assert not found, "\n".join(found)


def test_the_refusals(page: Page, house: serving.House, planted: world.World) -> None:
    found = tour(sights.REFUSALS, page, house, planted)
    assert not found, "\n".join(found)


def test_the_back_office(page: Page, house: serving.House, planted: world.World) -> None:
    found = tour(sights.BACK_OFFICE, page, house, planted)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("status", ["403", "500", "503"])
def test_the_pages_of_a_broken_house(page: Page, house: serving.House, status: str) -> None:
    """No address brings these up at will: they are drawn here and shown at one of the house's."""
    with house.app() as app, app.test_request_context("/"):
        drawn = render_template(f"errors/{status}.html")
    page.route("**/broken", lambda route: route.fulfill(status=int(status), body=drawn, content_type="text/html"))
    page.goto(f"{house.web}/broken")
    assert page.locator("h1").count() == 1
    assert list(faults(page)) == []


def test_every_page_is_looked_at(app: Flask) -> None:
    listed = [*sights.catalogue(lambda course: course), *sights.ONE_PERSON, *sights.BACK_OFFICE]
    seen = {each.endpoint for each in listed if each.typed is None} | sights.NO_PAGE
    pages = {rule.endpoint for rule in app.url_map.iter_rules() if rule.methods and "GET" in rule.methods}

    assert sorted(pages - seen) == []
    assert sorted(seen - pages) == []


def test_a_bad_page_is_noticed(page: Page, house: serving.House) -> None:
    page.goto(f"{house.web}/terms")
    page.evaluate(
        """() => {
            document.body.innerHTML = '<main><h1>One</h1><input><p class="pale">pale</p><p class="wide">wide</p>';
            document.querySelector(".wide").style.minWidth = "600px";
            document.querySelector(".pale").style.color = "light-dark(#000, #222)";
            document.querySelector(".pale").style.colorScheme = "light dark";
        }"""
    )
    said = " | ".join(faults(page))
    for expected in ("600 px wide in a window of 320", "light: label", "dark: color-contrast"):
        assert expected in said, said
    assert "light: color-contrast" not in said
