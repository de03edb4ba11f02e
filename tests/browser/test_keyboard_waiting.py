"""From a full workshop over the waiting list to a place paid for, and what is refused, with the keyboard alone."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from accounts.models import Organiser
from lib import db
from tests.bookings import waiting_people
from tests.bookings.making import Made
from tests.bookings.waiting_people import sold
from tests.browser.conftest import Visit
from tests.browser.keyboard import Keyboard
from tests.builders import a_course, a_workshop, arranged

pytestmark = pytest.mark.browser
CARD = "4242 4242 4242 4242"
KAY, LEE = "kay-waits@clinic.example", "lee-waits@clinic.example"


def full(visit: Visit, slug: str, **columns: Any) -> Made:
    """A workshop with one place, which is sold."""
    with visit.house.app() as app:
        with arranged(app):
            organiser = db.session.scalars(select(Organiser).where(Organiser.slug == "sea-street")).one()
            course = a_course(organiser=organiser, slug=f"course-{slug}", title="One Place Only")
            a_workshop(course=course, in_days=50, slug=slug, capacity=1, **columns)
        return sold(app, slug, "holder")


def give_up(visit: Visit, made: Made) -> None:
    with visit.house.app() as app:
        waiting_people.give_up(app, made)


def join(visit: Visit, slug: str, name: str, email: str) -> None:
    """From the workshop's page onto its list."""
    page, keys = visit.page, Keyboard(visit.page)
    page.goto(f"{visit.house.web}/workshops/{slug}")
    keys.follow(f"main a[href='/workshops/{slug}/waiting']")
    keys.fill("#name", name)
    keys.fill("#email", email)
    keys.follow("main form button")
    expect(page.get_by_role("heading", level=1)).to_have_text("Look in your letters")


def from_letter(visit: Visit, email: str, number: int) -> Keyboard:
    """Follow the link of the newest of so many letters, in the window it opens."""
    newest = visit.letters(email, number)[0]
    reading = Keyboard(visit.page)
    visit.page.goto(f"{visit.house.mailbox}/letters/{newest['id']}/html")
    reading.to(f"a[href^='{visit.house.web}/waiting/']")
    with visit.page.expect_popup() as opened:
        reading.press("Enter")
    visit.page = opened.value
    visit.watch()
    visit.page.wait_for_load_state()
    return Keyboard(visit.page)


def test_from_a_full_workshop_to_a_place_paid_for(visit: Visit) -> None:
    holder = full(visit, "keys-wait")
    join(visit, "keys-wait", "Kay Keys", KAY)
    from_letter(visit, KAY, 1)
    expect(visit.page.get_by_text("You are number 1 in the list.")).to_be_visible()
    visit.look("the place in the list")

    give_up(visit, holder)
    keys = from_letter(visit, KAY, 2)
    page, house, offer = visit.page, visit.house, visit.page.url
    expect(page.get_by_text("One place is held for you.")).to_be_visible()
    visit.look("the offer")
    keys.follow("main form[action$='/acceptance'] button")
    assert page.input_value("[name=attendee-0-email]") == KAY
    keys.to("[name=agree_terms]")
    keys.press("Space")
    keys.follow("button[form=booking-form]")
    page.wait_for_url(f"{house.stripe}/**")
    keys.fill("#number", CARD)
    keys.go()
    page.wait_for_url(f"{house.web}/bookings/**")
    expect(page.get_by_text("Paid and confirmed")).to_be_visible()
    assert visit.faults == []

    page.goto(offer)
    expect(page.get_by_text("The offer was used for a booking.")).to_be_visible()
    keys.follow("main a.button")
    expect(page.get_by_role("heading", level=1)).to_have_text("One Place Only")
    assert [each for each in visit.faults if not re.search("410", each)] == []


def test_somebody_was_quicker(visit: Visit) -> None:
    """So near the start that whoever answers first has it."""
    holder = full(visit, "keys-race", waiting_first_come_hours=24 * 90)
    join(visit, "keys-race", "Lee Locke", LEE)
    join(visit, "keys-race", "Kay Keys", "kay-quick@clinic.example")
    give_up(visit, holder)
    keys = from_letter(visit, LEE, 2)
    with visit.house.app() as app:
        quick = waiting_people.named(app, "kay-quick@clinic.example")
        waiting_people.accept(app, quick)
    keys.follow("main form[action$='/acceptance'] button")
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("Somebody was a moment quicker")
    visit.look("the refusal")
    keys.follow("main a.button")
    expect(visit.page.get_by_text("You are number 1 in the list.")).to_be_visible()
    keys.follow("main form[action$='/leaving'] button")
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("You have left the list")
    assert [each for each in visit.faults if not re.search("409", each)] == []
