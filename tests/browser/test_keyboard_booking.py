"""A professional finds a workshop, books for two and pays, with the keyboard alone."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.keyboard import Keyboard

pytestmark = pytest.mark.browser
CARD = "4242 4242 4242 4242"
OFFER = ".zone-offer"


def test_found_booked_for_two_and_paid(visit: Visit) -> None:
    page, house, keys = visit.page, visit.house, Keyboard(visit.page)
    page.goto(house.web)

    # The first stop skips to the page; what follows is in it.
    keys.press("Tab")
    assert keys.here()["what"].startswith('<a class="skip"')
    keys.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    keys.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")

    keys.back_to(f"{OFFER} button")
    keys.press("Enter")
    expect(page.locator(OFFER)).to_have_count(0)
    assert keys.here()["what"].startswith("<summary")
    keys.press("Enter")
    keys.fill("#find-zone", "kathm")
    expect(page.get_by_role("status")).to_have_text("One city")
    keys.follow("details.zone button")
    expect(page.locator("details.zone summary")).to_contain_text("Kathmandu, UTC+05:45")

    keys.follow("nav.ways a[href='/workshops']")
    keys.fill("#q", "grief")
    keys.choose("#topic", "Loss and grief")
    keys.to("#format-online_live")
    keys.press("Space")
    keys.follow(".filters button")
    expect(page.get_by_role("heading", level=1)).to_have_text("Workshops")
    assert "topic=grief" in page.url
    keys.follow("main a[href^='/workshops/working-with-complexity-in-grief']")
    expect(page.locator(".times-day")).to_contain_text("in Kathmandu")

    keys.follow("a[href$='/bookings/new']")
    keys.to("[name=ticket_type]")
    keys.press("ArrowDown")
    assert page.locator("[name=ticket_type]:checked").count() == 1
    keys.fill("[name=attendee-0-name]", "Kay Keys")
    keys.fill("[name=attendee-0-email]", "kay-two@clinic.example")
    keys.follow("button[name=add]", "Space")
    assert keys.here()["what"].find('name="attendee-1-name"') > 0, "the new person's field has the focus"
    keys.write("Lee Locke")
    keys.fill("[name=attendee-1-email]", "lee-two@clinic.example")
    keys.fill("[name=booker_name]", "Kay Keys")
    keys.fill("[name=booker_email]", "kay-two@clinic.example")
    keys.to("[name=agree_terms]")
    keys.press("Space")
    assert page.locator("[name=agree_terms]").is_checked()
    keys.follow("button[form=booking-form]")

    page.wait_for_url(f"{house.stripe}/**")
    keys.fill("#number", CARD)
    keys.go()
    page.wait_for_url(f"{house.web}/bookings/**")
    expect(page.get_by_role("heading", level=1)).to_have_text("You and Lee Locke have places")
    expect(page.get_by_text("Paid and confirmed")).to_be_visible()
    assert visit.faults == []


def test_what_was_forgotten_is_reached_from_the_list(visit: Visit, workshops: list[dict[str, Any]]) -> None:
    page, keys = visit.page, Keyboard(visit.page)
    page.goto(f"{visit.house.web}/workshops/{workshops[0]['slug']}/bookings/new")
    keys.fill("[name=attendee-0-email]", "no address")
    keys.go()
    assert 'id="problems"' in keys.here()["what"], "the list of what to put right has the focus"
    sentences = page.locator("#problems a")
    assert sentences.count() > 2
    for number in range(sentences.count()):
        target = sentences.nth(number).get_attribute("href")
        assert target
        keys.to(f"#problems a[href='{target}']")
        keys.press("Enter")
        assert page.evaluate("(id) => document.activeElement.matches(id)", target), f"{target} is not reached"
        described = page.evaluate("document.activeElement.getAttribute('aria-describedby') ?? ''")
        assert f"{target[1:]}-error" in described.split()
        keys.back_to(f"#problems a[href='{target}']")
    assert [each for each in visit.faults if not re.search("422", each)] == []
