"""The walk of a booking in real Chromium: found, booked for two, paid, confirmed, invited."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NARROW, WIDE, Visit

pytestmark = pytest.mark.browser

CARD = "4242 4242 4242 4242"


def fill_in(page: Page, mark: str) -> None:
    """Two people and who pays; `mark` makes the addresses nobody else's."""
    page.get_by_label("Name, as on the certificate").first.fill("Ann Attwood")
    page.get_by_label("Email address").first.fill(f"ann-{mark}@clinic.example")
    page.get_by_role("button", name="Add a second person").click()
    expect(page.get_by_label("Name, as on the certificate")).to_have_count(2)
    page.get_by_label("Name, as on the certificate").nth(1).fill("Bob Barnes")
    page.get_by_label("Email address").nth(1).fill(f"bob-{mark}@practice.example")
    page.get_by_label("Your name", exact=True).fill("Bea Booker")
    page.get_by_label("Email for the receipt").fill(f"bea-{mark}@clinic.example")
    page.get_by_label("I have read the booking terms").check()


@pytest.mark.parametrize("visit", [(WIDE, True), (NARROW, False), (NARROW, True)], indirect=True, ids=str)
def test_from_the_listing_to_the_attendees_page(
    visit: Visit, workshops: list[dict[str, Any]], request: pytest.FixtureRequest
) -> None:
    page, house = visit.page, visit.house
    mark = visit.name[-12:].strip("-").lower()
    title = workshops[0]["title"]

    page.goto(house.web)
    visit.look("home")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Workshops").click()
    visit.look("list")
    page.locator(f"a[href='/workshops/{workshops[0]['slug']}']").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    visit.look("workshop")
    page.locator("a[href$='/bookings/new']:visible").first.click()
    visit.look("form")

    fill_in(page, mark)
    page.get_by_label("Discount code, if you have one").fill("NO-SUCH-CODE")
    page.get_by_role("button", name="Check code and total").click()
    expect(page.get_by_text("We do not know the code NO-SUCH-CODE").first).to_be_visible()
    assert page.get_by_label("Name, as on the certificate").nth(1).input_value() == "Bob Barnes"
    visit.look("code-refused")
    page.get_by_label("Discount code, if you have one").fill("")
    page.get_by_role("button", name=re.compile("^(Pay|Go on to pay)")).click()

    page.wait_for_url(f"{house.stripe}/**")
    visit.look("payment")
    page.get_by_label("Card number or bank account").fill(CARD)
    page.get_by_role("button", name=re.compile("^Pay")).click()

    page.wait_for_url(f"{house.web}/bookings/**")
    expect(page.get_by_role("heading", level=1)).to_have_text("Ann Attwood and Bob Barnes have places")
    expect(page.get_by_text("Paid and confirmed")).to_be_visible()
    assert "/places/" not in page.content()
    visit.look("confirmed")

    letter = visit.letters(f"ann-{mark}@clinic.example")[-1]
    page.goto(f"{house.mailbox}/letters/{letter['id']}")
    invite = page.locator("section.card").first
    for place in ("London", "Paris", "New York"):
        expect(invite.get_by_text(place, exact=False).first).to_be_visible()
    visit.look("letter")

    address = re.search(re.escape(house.web) + r"/places/[\w.~-]+", page.content())
    assert address is not None
    page.goto(address[0])
    expect(page.get_by_text("Ann Attwood").first).to_be_visible()
    assert "Bob" not in page.content()
    visit.look("place")
    assert visit.letters(f"bea-{mark}@clinic.example")
    assert visit.faults == []


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus, and see that it shows."""
    for _ in range(120):
        if page.evaluate("(selector) => document.activeElement?.matches(selector) ?? false", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard never comes to {selector}")


def test_by_the_keyboard_alone(visit: Visit, workshops: list[dict[str, Any]]) -> None:
    page, house = visit.page, visit.house
    page.goto(f"{house.web}/workshops/{workshops[1]['slug']}")
    tab_to(page, "a[href$='/bookings/new']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/bookings/new")
    typed = {
        "[name=ticket_type]": None,
        "[name=attendee-0-name]": "Kay Keys",
        "[name=attendee-0-email]": "kay@clinic.example",
        "[name=booker_name]": "Kay Keys",
        "[name=booker_email]": "kay@clinic.example",
        "[name=agree_terms]": " ",
    }
    for selector, text in typed.items():
        tab_to(page, selector)
        ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert ring != "none", f"{selector} does not show that it has the focus"
        if text == " ":
            page.keyboard.press("Space")
        elif text:
            page.keyboard.type(text)
    assert page.get_by_label("I have read the booking terms").is_checked()
    tab_to(page, "button[form=booking-form]")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{house.stripe}/**")
    tab_to(page, "#number")
    page.keyboard.type(CARD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{house.web}/bookings/**")
    expect(page.get_by_role("heading", level=1)).to_have_text("You have a place")
    assert visit.faults == []


def test_a_form_with_faults_leads_to_them(visit: Visit, workshops: list[dict[str, Any]]) -> None:
    page, house = visit.page, visit.house
    page.goto(f"{house.web}/workshops/{workshops[0]['slug']}/bookings/new")
    page.get_by_label("Email address").first.fill("no address")
    page.get_by_role("button", name=re.compile("^(Pay|Go on to pay)")).click()
    faulty = page.locator("[aria-invalid=true]")
    expect(faulty.first).to_be_visible()
    assert page.get_by_label("Email address").first.input_value() == "no address"
    visit.look("faults")
    page.locator("a[href='#agree_terms']").click()
    assert page.evaluate("document.activeElement.id") == "agree_terms" or page.url.endswith("#agree_terms")
    # A refused form is answered by 422, which Chromium tells its console: no fault of the page.
    assert [each for each in visit.faults if "422" not in each] == []


def test_the_eyes_see(visit: Visit) -> None:
    """What the other tests rest on: a bad page is noticed in every way they look."""
    visit.page.goto(f"{visit.house.web}/terms")
    visit.page.evaluate(
        """() => {
            document.body.innerHTML = '<h1>One</h1><h1>Two</h1><input><p>wide</p>';
            document.querySelector("p").style.minWidth = "3000px";
            fetch("http://127.0.0.1:9/").catch(() => null);
            console.error("a fault");
            setTimeout(() => { throw new Error("broken"); });
        }"""
    )
    visit.page.wait_for_timeout(200)
    visit.look("bad")
    said = " | ".join(visit.faults)
    for expected in ("2 h1", "px wide", "label", "127.0.0.1:9", "a fault", "broken"):
        assert expected in said, said
