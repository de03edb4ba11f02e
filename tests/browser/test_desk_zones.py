"""The desk's forms on a machine in Denver: they show the workshop's own times and send those back (TZ-03)."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from bench import serving
from tests.browser.conftest import PATIENCE_MS, WIDE, _json
from tests.browser.keyboard import Keyboard
from tests.browser.test_keyboard_desk import sign_in

pytestmark = pytest.mark.browser


@pytest.fixture
def denver(chromium: Browser) -> Iterator[Page]:
    """A window in Denver that writes dates and hours the American way."""
    context = chromium.new_context(
        viewport={"width": WIDE[0], "height": WIDE[1]},
        timezone_id="America/Denver",
        locale="en-US",
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


def sessions(house: serving.House, slug: str) -> Any:
    listed = _json(f"{house.web}/workshops.json?past=1")["workshops"]
    return next(each["sessions"] for each in listed if each["slug"] == slug)


def letters(house: serving.House) -> int:
    return len(_json(f"{house.mailbox}/letters.json"))


def test_saving_a_text_twice_from_denver_changes_no_time_and_mails_nobody(denver: Page, house: serving.House) -> None:
    listed = _json(f"{house.web}/workshops.json")["workshops"]
    slug = next(each["slug"] for each in listed if each["course"] == "internal-family-systems-an-introduction")
    before, sent = sessions(house, slug), letters(house)
    sign_in(Keyboard(denver), house)
    there = f"{house.web}/organise/sea-street/workshops/{slug}"
    for words in ("A morning and an afternoon.", "A morning, a lunch and an afternoon."):
        denver.goto(f"{there}/edit")
        denver.locator("#programme").fill(words)
        denver.locator("main form.form button.button").first.click()
        denver.wait_for_url(f"{there}")
        denver.goto(f"{there}/schedule")
        expect(denver.locator("#zone")).to_have_value("Europe/London")
        expect(denver.locator("#sessions-0-starts")).to_have_value(before[0]["wall_start"][11:16])
        denver.locator("#times button.button:not([name])").click()
        denver.wait_for_url(f"{there}")
    assert json.dumps(sessions(house, slug)) == json.dumps(before)
    assert letters(house) == sent
