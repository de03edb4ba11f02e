"""What people do that no form expects: back after paying, two clicks, a reload, two tabs. Nothing is sold twice."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser
CARD = "4242 4242 4242 4242"
SLUG = "siblings-same-parents-different-experience"


@pytest.fixture
def slug(workshops: list[dict[str, Any]]) -> str:
    return next(str(each["slug"]) for each in workshops if each["course"] == SLUG)


def places_left(visit: Visit, slug: str) -> int:
    listed = visit.page.request.get(f"{visit.house.web}/workshops.json").json()["workshops"]
    return next(int(each["places_left"]) for each in listed if each["slug"] == slug)


def fill_in(page: Page, email: str) -> None:
    page.get_by_label("Name, as on the certificate").fill("Ruth Rush")
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Your name", exact=True).fill("Ruth Rush")
    page.get_by_label("Email for the receipt").fill(email)
    page.get_by_label("I have read the booking terms").check()


def form(visit: Visit, slug: str, email: str) -> None:
    visit.page.goto(f"{visit.house.web}/workshops/{slug}/bookings/new")
    fill_in(visit.page, email)


def send(page: Page) -> None:
    page.locator("button[form=booking-form]").click()


def pay(page: Page) -> None:
    page.get_by_label("Card number or bank account").fill(CARD)
    page.get_by_role("button", name=re.compile("^Pay")).click()


def bill(visit: Visit, page: Page) -> dict[str, Any]:
    """The money of the booking whose page is open."""
    reference = re.search(r"/bookings/([\w-]+)", page.url)
    assert reference, page.url
    told: dict[str, dict[str, Any]] = page.request.get(f"{visit.house.web}/bookings/{reference[1]}.json").json()
    return told["bill"]


def test_back_after_paying_pays_nothing_twice(visit: Visit, slug: str) -> None:
    page, house, email = visit.page, visit.house, "ruth-back@clinic.example"
    left = places_left(visit, slug)
    form(visit, slug, email)
    send(page)
    page.wait_for_url(f"{house.stripe}/**")
    pay(page)
    page.wait_for_url(f"{house.web}/bookings/**")
    expect(page.get_by_text("Paid and confirmed")).to_be_visible()
    booking = page.url.partition("?")[0]
    money = bill(visit, page)
    assert money["paid_minor"] == money["total_minor"] > 0

    # Back to the payment page, which has nothing to be paid any more.
    page.go_back()
    page.wait_for_url(f"{house.stripe}/**")
    if page.get_by_label("Card number or bank account").count():
        pay(page)
    else:
        page.get_by_role("link").first.click()
    page.wait_for_url(f"{house.web}/bookings/**")
    expect(page.get_by_text("Paid and confirmed")).to_be_visible()

    # Back to the form and sent once more: it is told that this person has a place.
    while "/bookings/new" not in page.url:
        page.go_back()
    fill_in(page, email)
    send(page)
    expect(page.locator("#problems")).to_contain_text("already")
    page.goto(booking)
    assert bill(visit, page) == money
    assert places_left(visit, slug) == left - 1
    assert len(visit.letters(email, 2)) == 2  # the place and the receipt, once each


def test_two_clicks_book_once(visit: Visit, slug: str) -> None:
    page = visit.page
    left = places_left(visit, slug)
    form(visit, slug, "ruth-twice@clinic.example")
    page.locator("button[form=booking-form]").dblclick()
    expect(page).to_have_url(re.compile(re.escape(visit.house.stripe)))  # the second click ends the first one's way
    assert places_left(visit, slug) == left - 1


def test_a_reload_of_the_confirmation_changes_nothing(visit: Visit, slug: str) -> None:
    page, email = visit.page, "ruth-reload@clinic.example"
    form(visit, slug, email)
    send(page)
    page.wait_for_url(f"{visit.house.stripe}/**")
    pay(page)
    page.wait_for_url(f"{visit.house.web}/bookings/**")
    expect(page.get_by_text("Paid and confirmed")).to_be_visible()
    money, left = bill(visit, page), places_left(visit, slug)
    visit.letters(email, 2)
    for _ in range(2):
        page.reload()
        expect(page.get_by_text("Paid and confirmed")).to_be_visible()
    assert bill(visit, page) == money
    assert places_left(visit, slug) == left
    assert len(visit.letters(email, 2)) == 2
    assert visit.faults == []


def test_two_tabs_pay_one_booking_once(visit: Visit, slug: str) -> None:
    page, house = visit.page, visit.house
    form(visit, slug, "ruth-tabs@clinic.example")
    send(page)
    page.wait_for_url(f"{house.stripe}/**")
    other = page.context.new_page()
    other.goto(page.url)
    pay(page)
    page.wait_for_url(f"{house.web}/bookings/**")
    expect(page.get_by_text("Paid and confirmed")).to_be_visible()
    pay(other)
    if other.url.startswith(house.stripe):
        other.get_by_role("link").first.click()
    other.wait_for_url(f"{house.web}/bookings/**")
    expect(other.get_by_text("Paid and confirmed")).to_be_visible()
    money = bill(visit, page)
    assert money["paid_minor"] == money["total_minor"]
    assert money["refunded_minor"] == 0


def test_two_tabs_with_one_form_each_book_one_person_once(visit: Visit, slug: str) -> None:
    page, house, email = visit.page, visit.house, "ruth-forms@clinic.example"
    left = places_left(visit, slug)
    form(visit, slug, email)
    other = page.context.new_page()
    other.goto(page.url)
    fill_in(other, email)
    send(page)
    page.wait_for_url(f"{house.stripe}/**")
    pay(page)
    page.wait_for_url(f"{house.web}/bookings/**")
    expect(page.get_by_text("Paid and confirmed")).to_be_visible()

    send(other)
    expect(other.locator("#problems")).to_contain_text("already")
    expect(other.get_by_label("Book another place for this person all the same")).to_be_visible()
    assert places_left(visit, slug) == left - 1
