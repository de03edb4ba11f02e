"""Searching, and the organiser's way, in a browser without scripts; booking, joining and watching are beside."""

import json
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from lib import clock
from tests.browser.conftest import NARROW, Visit

pytestmark = pytest.mark.browser
NO_SCRIPT = pytest.mark.parametrize("visit", [pytest.param((NARROW, False), id="no script")], indirect=True)


@NO_SCRIPT
def test_a_professional_searches_and_filters(visit: Visit) -> None:
    page = visit.page
    page.goto(f"{visit.house.web}/workshops")
    page.get_by_label("Search", exact=True).fill("couples")
    page.get_by_text("Topic, format, dates and price").click()
    page.get_by_label("Topic").select_option(label="Couples")
    page.get_by_label("Price up to").fill("200")
    page.get_by_role("button", name="Show workshops").click()
    expect(page.locator("main a[href^='/workshops/couples-new-york-seminar']").first).to_be_visible()
    expect(page.locator("main a[href^='/workshops/groups-weekend']")).to_have_count(0)
    visit.look("found")
    assert visit.faults == []


@NO_SCRIPT
def test_an_organiser_schedules_publishes_moves_and_cancels(visit: Visit) -> None:
    page, house = visit.page, visit.house
    owner = json.loads(house.instance.people(house.database).read_text(encoding="utf-8"))["owner"]
    day = clock.machine_now().date() + timedelta(days=80)
    page.goto(f"{house.web}/sign-in")
    page.get_by_text("I would rather use a password").click()
    page.locator("details [name=email]").fill(owner["email"])
    page.get_by_label("Password", exact=True).fill(owner["password"])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Back office of Sea Street CPD").click()
    visit.look("board")

    page.get_by_role("link", name="Courses").click()
    page.locator("main a[href$='/courses/new']").click()
    page.get_by_label("Title").fill("Plainly Done")
    page.get_by_label("Summary").fill("A morning without scripts.")
    with page.expect_navigation():
        page.get_by_role("button", name="Save the course").click()
    page.goto(f"{house.web}/organise/sea-street/workshops/new")
    page.get_by_label("Course").select_option(label="Plainly Done")
    page.get_by_label("Date").fill(day.isoformat())
    page.get_by_label("Starts").fill("09:30")
    page.get_by_label("Ends").fill("12:30")
    page.get_by_role("button", name="Check the times").click()
    expect(page.locator("#says-0")).to_contain_text("(New York)")
    visit.look("checked")
    page.get_by_role("button", name="Make the draft").click()
    page.get_by_role("link", name="Tickets").first.click()
    page.get_by_role("link", name="Add a ticket").click()
    page.get_by_label("Name", exact=True).fill("Self-funded")
    page.get_by_label("Price 1", exact=True).fill("42")
    with page.expect_navigation():
        page.get_by_role("button", name="Save the ticket").click()
    page.goto(f"{house.web}/organise/sea-street/workshops/plainly-done-{day}")
    page.get_by_role("button", name="Publish").click()
    page.get_by_role("link", name="Move session 1").click()
    page.get_by_label("Date").fill((day + timedelta(days=1)).isoformat())
    page.get_by_role("button", name="Show what this would do").click()
    visit.look("move")
    page.get_by_role("button", name="Move it").click()
    page.get_by_role("link", name="Cancel this workshop").click()
    page.locator("#why").fill("The presenter is ill.")
    page.get_by_role("button", name="Cancel it").click()
    expect(page.locator("main .badge").first).to_have_text("Cancelled")
    visit.look("cancelled")
    assert visit.faults == []
