"""An organiser schedules, publishes, moves, cancels and shows a recording, with the keyboard alone."""

import json
from datetime import date, timedelta

import pytest
from playwright.sync_api import expect

from bench import serving
from lib import clock
from lib.settings import ROOT
from tests.browser.conftest import Visit
from tests.browser.keyboard import Keyboard

pytestmark = pytest.mark.browser
FILM = ROOT / "demo" / "film" / "film.mp4"
CAPTIONS = ROOT / "demo" / "film" / "film.vtt"
RECORDED = "working-with-complexity-in-grief-2024-10-18"  # over, with catch-up, and without a film


def sign_in(keys: Keyboard, house: serving.House) -> None:
    """By the password, and on to the back office."""
    owner = json.loads(house.instance.people(house.database).read_text(encoding="utf-8"))["owner"]
    keys.page.goto(f"{house.web}/sign-in")
    keys.to("main summary")
    keys.press("Enter")
    keys.fill("main details [name=email]", owner["email"])
    keys.fill("main details [name=password]", owner["password"])
    keys.go()
    keys.follow("main a[href='/organise/sea-street/']")


def test_from_a_course_to_a_cancelled_workshop(visit: Visit) -> None:
    page, keys = visit.page, Keyboard(visit.page)
    day = clock.machine_now().date() + timedelta(days=60)
    sign_in(keys, visit.house)

    keys.follow(".office a[href$='/courses']")
    keys.follow("main a[href$='/courses/new']")
    keys.fill("#title", "By Keys Alone")
    keys.fill("#summary", "A morning without a mouse.")
    keys.choose("#topic", "Groups")
    keys.follow("main form button")

    keys.follow(".office a[href='/organise/sea-street/']")
    keys.follow("main a[href$='/workshops/new']")
    keys.choose("#course", "By Keys Alone")
    keys.date("#day", day)
    keys.hour("#starts", "09:30")
    keys.hour("#ends", "12:30")
    keys.to("#recorded")
    expect(page.locator("#says-0")).to_contain_text("(New York)")
    assert page.locator("#recorded").is_checked()
    keys.fill("#places", "12")
    keys.follow("#times button.button:not([name])")

    keys.follow("nav a[href$='/schedule']")
    keys.follow("button[name=add]")
    keys.follow("#times button.button:not([name]):not(.off-screen)")
    keys.follow("nav a[href$='/tickets']")
    keys.follow("main a[href$='/tickets/new']")
    keys.fill("#name", "Self-funded")
    keys.fill("[name=prices-0-amount]", "42")
    keys.follow("main form button.button")
    keys.follow(f"nav a[href$='/by-keys-alone-{day}']")
    keys.follow("form[action$='/publish'] button")
    assert page.request.get(f"{visit.house.web}/workshops/by-keys-alone-{day}").status == 200

    move(keys, day + timedelta(days=1))
    cancel(keys)
    keys.follow("main a[href^='/workshops/']")
    expect(page.locator("main .badge", has_text="Cancelled")).to_be_visible()
    expect(page.locator("a[href$='/bookings/new']")).to_have_count(0)
    # A refused form is answered by 422, which Chromium tells its console: no fault of the page.
    assert [each for each in visit.faults if "422" not in each] == []


def move(keys: Keyboard, day: date) -> None:
    keys.follow("main a[href$='/sessions/1/move']")
    keys.date("#day", day)
    keys.follow("main form[method=get] button")
    expect(keys.page.get_by_role("heading", name="What it will do")).to_be_visible()
    keys.follow("main form[method=post] button")
    expect(keys.page.locator("main .checks").first).to_contain_text(f"{day.day} {day:%B %Y}, 09:30–12:30")


def cancel(keys: Keyboard) -> None:
    keys.follow("main a[href$='/cancel']:not([href*='/sessions/'])")
    keys.follow("button.button--bad")
    keys.here()  # the list of what to put right
    keys.fill("#why", "The presenter is ill.")
    keys.follow("button.button--bad")
    expect(keys.page.locator("main .badge").first).to_have_text("Cancelled")


def test_a_recording_is_uploaded_and_published(visit: Visit) -> None:
    page, keys = visit.page, Keyboard(visit.page)
    sign_in(keys, visit.house)
    page.goto(f"{visit.house.web}/organise/sea-street/workshops/{RECORDED}")

    keys.follow("nav a[href$='/recordings']")
    keys.attach("#film-1", FILM)
    keys.follow("form[action$='/film'] button")
    page.wait_for_url("**/recordings?done=film")
    ready = page.get_by_text("Look through it, then publish it")
    while not ready.count():  # the worker makes it ready
        page.wait_for_timeout(500)
        page.reload()
    keys.attach("#captions-1", CAPTIONS)
    keys.follow("form[action$='/captions'] button")
    expect(page.get_by_text("Captions: English.")).to_be_visible()
    keys.follow("main a[href$='/review']")
    keys.follow("form[action$='/review/done'] button")
    keys.follow("form[action$='/publish'] button")
    expect(page.get_by_text("The recording is published.")).to_be_visible()
    expect(page.locator("main .badge").first).to_have_text("Published")
    assert visit.faults == []
