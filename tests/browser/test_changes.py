"""What bookers and attendees change by themselves, in real Chromium, under a real policy: each act and its refusals."""

import re
from collections.abc import Callable
from itertools import count
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from accounts.models import Organiser
from bench import serving
from bookings import letters
from bookings.models import Attendee, Booking
from courses.models import Workshop
from lib import db
from tests.bookings import making
from tests.browser.conftest import NARROW, WIDE, Visit
from tests.browser.keyboard import Keyboard
from tests.builders import a_course, a_question, a_ticket, a_workshop, arranged

pytestmark = pytest.mark.browser
WAYS = [pytest.param((WIDE, True), id="wide"), pytest.param((NARROW, False), id="narrow-no-script")]
BOTH = pytest.mark.parametrize("visit", WAYS, indirect=True)
CARD = "4242 4242 4242 4242"
NEAR, DEAR, FULL = "changes-near", "changes-dear", "changes-full"
_marks = count(1)


@pytest.fixture(scope="module", autouse=True)
def ground(house: serving.House) -> None:
    """A workshop three weeks ahead, where the demo's policy gives half back, a dearer date of it and a full one."""
    with house.app() as app, arranged(app):
        organiser = db.session.scalars(select(Organiser).where(Organiser.slug == "sea-street")).one()
        course = a_course(organiser=organiser, slug="changes", title="Plans That Change")
        near = a_workshop(course=course, in_days=21, slug=NEAR, capacity=60)
        a_ticket(near, code="lunch", kind="extra", prices={"GBP": 1500}, pools=[])
        a_question(near, code="diet", label="What do you not eat?", is_private=True)
        a_workshop(course=course, in_days=70, slug=DEAR, price_minor=20000, capacity=60)
        full = a_workshop(course=course, in_days=80, slug=FULL, capacity=1)
        full.most_attendees = 3


def somebody(name: str) -> tuple[str, str]:
    """Somebody with an address that nobody had before."""
    return name, f"{name.split()[0].lower()}-{next(_marks)}@clinic.example"


def booked(house: serving.House, *people: tuple[str, str], slug: str = NEAR) -> making.Made:
    """A confirmed booking, as if its money had come."""
    with house.app() as app:
        return making.paid(app, making.a_wish(slug, people=people, booker=somebody("Bea Booker")))


def paid_on_the_page(visit: Visit, *people: tuple[str, str]) -> making.Made:
    """A booking that was paid on the stand-in's page, so that money can go back there."""
    with visit.house.app() as app:
        made = making.held(app, making.a_wish(NEAR, people=people, booker=somebody("Bea Booker")))
    visit.page.goto(f"{made.url}&returned=left")
    visit.page.get_by_role("button", name=re.compile("^Pay £")).click()
    pay(visit)
    return made


def pay(visit: Visit) -> None:
    page, house = visit.page, visit.house
    page.wait_for_url(f"{house.stripe}/**")
    page.get_by_label("Card number or bank account").fill(CARD)
    page.get_by_role("button", name=re.compile("^Pay")).click()
    page.wait_for_url(f"{house.web}/bookings/**")


def follow(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()


def clean(visit: Visit, *statuses: str) -> bool:
    """Whether nothing was wrong, but for the statuses of refusals, which Chromium tells its console."""
    return [each for each in visit.faults if not any(status in each for status in statuses)] == []


def alter(house: serving.House, change: Callable[[], None]) -> None:
    """Change rows behind the back of the open page."""
    with house.app() as app, arranged(app):
        change()


@BOTH
def test_one_of_three_is_given_up(visit: Visit) -> None:
    page, cy = visit.page, somebody("Cy Carter")
    made = paid_on_the_page(visit, somebody("Ann Attwood"), somebody("Bob Barnes"), cy)
    page.goto(made.url)
    follow(page, "Give places up, and see first what comes back")
    page.get_by_label("Cy Carter").check()
    page.get_by_role("button", name="Show what comes back").click()
    expect(page.get_by_text("£84.00").first).to_be_visible()
    expect(page.get_by_text("after that, less comes back")).to_be_visible()
    visit.look("quote")
    page.get_by_label("Would you tell the organiser why?").fill("A cold")
    page.get_by_role("button", name="Give this place up").click()

    expect(page.get_by_text(re.compile("Standard.*Cancelled"))).to_have_count(1)
    expect(page.get_by_text("£84.00 has been sent back.")).to_be_visible()
    visit.look("after")
    assert any("has ended" in each["subject"] for each in visit.letters(cy[1], 2))
    assert clean(visit)


@BOTH
def test_a_colleague_comes_instead(visit: Visit) -> None:
    page, di = visit.page, somebody("Di Dunn")
    made = booked(visit.house, somebody("Ann Attwood"))
    page.goto(made.url)
    follow(page, "A colleague comes instead of Ann Attwood")
    visit.look("form")
    page.get_by_label("The colleague's name").fill(di[0])
    page.get_by_label("Their own email address").fill(di[1])
    page.get_by_role("button", name="Pass the place on").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Di Dunn has a place")
    assert visit.letters(di[1])
    page.goto(made.places[0])
    expect(page.get_by_role("heading", level=1)).not_to_contain_text("Plans That Change")
    assert clean(visit, "404")


@BOTH
def test_a_move_to_a_dearer_date_is_paid_for(visit: Visit) -> None:
    page, ann = visit.page, somebody("Ann Attwood")
    made = booked(visit.house, ann)
    page.goto(made.url)
    follow(page, "Move Ann Attwood to another date")
    page.locator(f"input[value='{DEAR}:standard']").check()
    expect(page.locator("label", has=page.get_by_text("You pay £32.00"))).to_have_count(1)
    visit.look("targets")
    page.get_by_role("button", name="Move the place").click()
    pay(visit)

    expect(page.get_by_text("Paid since for changes")).to_be_visible()
    expect(page.get_by_text("£32.00").first).to_be_visible()
    visit.look("moved")
    assert any("no longer come" in each["subject"] for each in visit.letters(ann[1], 3))
    assert clean(visit)


@BOTH
def test_somebody_is_added_and_paid_for(visit: Visit) -> None:
    page, cy = visit.page, somebody("Cy Carter")
    made = booked(visit.house, somebody("Ann Attwood"))
    page.goto(made.url)
    follow(page, "Add somebody")
    visit.look("form")
    page.get_by_label("Name, as on the certificate").fill(cy[0])
    page.get_by_label("Email address").fill("nowhere")
    page.get_by_role("button", name="Show the price").click()
    expect(page.locator("[aria-invalid=true]")).to_have_count(1)
    visit.look("faults")
    page.get_by_label("Email address").fill(cy[1])
    page.get_by_label(re.compile("^Lunch")).check()
    page.get_by_role("button", name="Show the price").click()
    expect(page.get_by_role("button", name="Add and pay £183.00")).to_be_visible()
    visit.look("priced")
    page.get_by_role("button", name="Add and pay £183.00").click()
    pay(visit)

    expect(page.get_by_role("heading", level=1)).to_have_text("Ann Attwood and Cy Carter have places")
    expect(page.get_by_text("Place for Cy Carter")).to_be_visible()
    visit.look("added")
    assert visit.letters(cy[1])
    assert clean(visit, "422")


@BOTH
def test_names_and_addresses_are_put_right(visit: Visit) -> None:
    page, house, ann = visit.page, visit.house, somebody("Ann Atwood")
    new, home = somebody("Ann Attwood")[1], somebody("Bea Booker")[1]
    made = booked(house, ann, somebody("Bob Barnes"))
    page.goto(made.url)
    follow(page, "Put a name or an address right")
    visit.look("people")
    follow(page, "Put right Bob Barnes")
    page.get_by_label("Name, as on the certificate").fill("Cy Carter")
    page.get_by_role("button", name="Put it right").click()
    expect(page.get_by_text("looks like another person").first).to_be_visible()
    visit.look("refused")
    page.get_by_label("Name, as on the certificate").fill("Robert Barnes")
    page.get_by_role("button", name="Put it right").click()
    expect(page.get_by_role("heading", name="The name is put right")).to_be_visible()

    follow(page, "Put right Ann Atwood")
    page.get_by_label("Email address").fill(new)
    page.get_by_role("button", name="Put it right").click()
    expect(page.get_by_role("heading", name="We have written to the new address")).to_be_visible()
    answer(visit, new)
    expect(page.get_by_role("heading", level=1)).to_have_text("Plans That Change")
    assert any("Your place" in each["subject"] for each in visit.letters(new, 2))

    page.goto(f"{house.web}/bookings/{made.reference}/corrections")
    page.get_by_label("Your email address").fill(home)
    page.get_by_role("button", name="Put it right").click()
    answer(visit, home)
    expect(page.get_by_text(f"Booking {made.reference}")).to_be_visible()
    page.context.clear_cookies()  # as in any other browser: only the key counts
    page.goto(made.url)
    expect(page.get_by_role("heading", level=1)).not_to_contain_text("have places")
    assert clean(visit, "404", "422")


def answer(visit: Visit, to: str) -> None:
    """Open the letter that asks, follow its link and press the button."""
    page = visit.page
    letter = next(each for each in visit.letters(to) if each["subject"] == "Is this your address?")
    page.goto(f"{visit.house.mailbox}/letters/{letter['id']}")
    found = re.search(re.escape(visit.house.web) + r"/addresses/[\w.~-]+", page.content())
    assert found is not None
    page.goto(found[0])
    visit.look("asked")
    with page.expect_navigation():  # what follows must not overtake the answer
        page.get_by_role("button", name="Yes, use this address").click()


@BOTH
def test_an_attendee_changes_answers(visit: Visit) -> None:
    page = visit.page
    made = booked(visit.house, somebody("Ann Attwood"))
    page.goto(made.places[0])
    follow(page, "What the workshop asks you")
    page.get_by_label("What do you not eat?").fill("Celery")
    visit.look("answers")
    page.get_by_role("button", name="Keep my answers").click()
    expect(page.get_by_role("heading", name="Kept")).to_be_visible()
    expect(page.get_by_label("What do you not eat?")).to_have_value("Celery")
    page.goto(made.url)
    assert "Celery" not in page.content()
    assert clean(visit)


def test_somebody_is_added_by_the_keyboard_alone(visit: Visit) -> None:
    page, keys, cy = visit.page, Keyboard(visit.page), somebody("Cy Carter")
    made = booked(visit.house, somebody("Ann Attwood"))
    page.goto(made.url)
    keys.follow("a[href*='/places?']")
    keys.fill("[name=attendee-0-name]", cy[0])
    keys.fill("[name=attendee-0-email]", cy[1])
    keys.go()  # Enter shows the price and does nothing yet
    keys.follow("aside button:not([formaction])")
    page.wait_for_url(f"{visit.house.stripe}/**")
    keys.fill("#number", CARD)
    keys.go()
    page.wait_for_url(f"{visit.house.web}/bookings/**")
    expect(page.get_by_role("heading", level=1)).to_have_text("Ann Attwood and Cy Carter have places")
    assert clean(visit)


def at_price(minor: int) -> None:
    workshop = db.session.scalars(select(Workshop).where(Workshop.slug == DEAR)).one()
    workshop.tickets[0].prices[0].minor = minor


def test_a_price_that_changed_meanwhile_is_said(visit: Visit) -> None:
    page, house = visit.page, visit.house
    made = booked(house, somebody("Ann Attwood"), slug=DEAR)
    page.goto(f"{made.url}")
    follow(page, "Add somebody")
    for label, text in zip(("Name, as on the certificate", "Email address"), somebody("Cy Carter"), strict=True):
        page.get_by_label(label).fill(text)
    page.get_by_role("button", name="Show the price").click()
    alter(house, lambda: at_price(20100))
    page.get_by_role("button", name=re.compile("^Add and pay")).click()
    expect(page.get_by_role("heading", name="What comes back has changed")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Add and pay £201.00"))).to_be_visible()
    visit.look("changed")
    alter(house, lambda: at_price(20000))
    assert clean(visit, "409")


def test_without_terms_the_organiser_decides(visit: Visit) -> None:
    page, house = visit.page, visit.house
    made = booked(house, somebody("Ann Attwood"))

    def forget() -> None:
        db.session.get_one(Booking, made.id).policy = {}

    alter(house, forget)
    page.goto(made.url)
    page.goto(f"{house.web}/bookings/{made.reference}/cancellation")
    expect(page.get_by_text("settles this with you in person")).to_be_visible()
    expect(page.get_by_role("button", name="Give this place up")).to_have_count(0)
    visit.look("not-allowed")
    assert clean(visit)


def test_a_place_that_ended_in_another_window_is_over(visit: Visit) -> None:
    page, house = visit.page, visit.house
    made = booked(house, somebody("Ann Attwood"), somebody("Bob Barnes"))
    page.goto(made.url)
    follow(page, "A colleague comes instead of Ann Attwood")
    other = page.context.new_page()
    other.goto(f"{house.web}/bookings/{made.reference}/cancellation?attendee=0")
    other.get_by_role("button", name="Give this place up").click()
    page.get_by_label("The colleague's name").fill("Di Dunn")
    page.get_by_label("Their own email address").fill(somebody("Di Dunn")[1])
    page.get_by_role("button", name="Pass the place on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This place cannot be changed any more")
    visit.look("over")
    assert clean(visit, "409")


def test_a_full_workshop_leads_to_its_waiting_list(visit: Visit) -> None:
    page = visit.page
    made = booked(visit.house, somebody("Ann Attwood"), slug=FULL)
    page.goto(made.url)
    follow(page, "Add somebody")
    expect(page.get_by_role("heading", level=1)).to_have_text("There are not enough places left")
    visit.look("full")
    follow(page, "Join the waiting list")
    assert urlsplit(page.url).path == f"/workshops/{FULL}/waiting"
    assert clean(visit, "409")


def test_an_old_link_in_a_letter_says_that_it_has_done_its_work(visit: Visit) -> None:
    page, house, new = visit.page, visit.house, somebody("Ann Attwood")[1]
    made = booked(house, somebody("Ann Attwood"))
    page.goto(f"{made.places[0]}/correction")
    page.get_by_label("Email address").fill(new)
    page.get_by_role("button", name="Put it right").click()
    answer(visit, new)
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("This link has done its work")
    with house.app() as app, app.app_context():
        attendee = db.session.scalars(select(Attendee).where(Attendee.booking_id == made.id)).one()
        assert attendee.email == new
        page.goto(letters.place_url(attendee))
    expect(page.get_by_role("heading", level=1)).to_have_text("Plans That Change")
    assert clean(visit, "410")
