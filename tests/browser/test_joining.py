"""Going into the room in real Chromium: from the letter, through the countdown, to the page that says one is in."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.request import ProxyHandler, build_opener

import pytest
from playwright.sync_api import expect

from bench import serving
from tests.browser.conftest import NARROW, WIDE, Visit

pytestmark = pytest.mark.browser

ATTENDEE = "leonie.marsh@post.example"  # has a place in the session that starts twenty minutes after planting


@pytest.fixture
def clock(house: serving.House) -> Iterator[object]:
    """Turn the house's clock; afterwards it goes right again."""

    def turn(offset: str) -> None:
        house.instance.clock.write_text(offset, encoding="utf-8")

    yield turn
    house.instance.clock.unlink(missing_ok=True)


def way_in(visit: Visit) -> str:
    """The joining page as the attendee's letter has it."""
    for told in visit.letters(ATTENDEE):
        if told["subject"].startswith("Your place: Reading Group"):
            with build_opener(ProxyHandler({})).open(f"{visit.house.mailbox}/letters/{told['id']}.eml") as answer:
                whole = answer.read().decode().replace("=\r\n", "").replace("=3D", "=")
            found = re.search(r"http://localhost:\d+/join/[\w-]+", whole)
            assert found
            return found[0]
    raise AssertionError("the attendee has no letter about the place")


def starts_at(house: serving.House) -> datetime:
    with build_opener(ProxyHandler({})).open(f"{house.web}/workshops.json?past=1") as answer:
        listed = json.load(answer)["workshops"]
    (group,) = [each for each in listed if each["course"] == "reading-group-for-supervisors"]
    return datetime.fromisoformat(group["sessions"][0]["starts_at"])


@pytest.mark.parametrize("visit", [(WIDE, True), (NARROW, True), (NARROW, False)], indirect=True, ids=str)
def test_from_the_letter_into_the_room(visit: Visit, clock: object) -> None:
    assert callable(clock)
    page, house = visit.page, visit.house
    address = way_in(visit)

    clock((starts_at(house) - timedelta(minutes=40)).isoformat())  # the room opens thirty minutes before
    page.goto(address)
    expect(page.get_by_role("heading", name="The room opens at")).to_be_visible()
    expect(page.get_by_text(re.compile(r"^(9|10) minutes to go\.$"))).to_be_visible()
    visit.look("early")

    clock("")
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_role("heading", name="The room is open")).to_be_visible()
    visit.look("open")
    page.get_by_role("button", name="Go to the room").click()
    page.wait_for_url(f"{house.mailbox}/room/**")
    expect(page.get_by_role("heading", name="You are in")).to_be_visible()

    page.goto(address)
    page.get_by_role("button", name="Send my way in again", exact=True).click()
    expect(page.get_by_text("Your way in is on its way to you")).to_be_visible()

    clock("+PT3H")
    page.goto(address)
    expect(page.get_by_role("heading", name="This is over")).to_be_visible()
    visit.look("over")
    assert visit.faults == []
