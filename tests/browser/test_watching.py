"""Watching a recording in Chromium: it plays, it seeks, it shows captions, and what was watched is noted."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bench import serving
from bookings.letters import place_url
from bookings.models import Attendee
from demo.catalogue import guests
from lib import clock, db
from recordings import access, publishing
from recordings.models import AccessWindow
from tests.browser import webkit
from tests.browser.conftest import NARROW, WIDE, Visit

pytestmark = pytest.mark.browser
FILM = "document.querySelector('video')"


@pytest.fixture(scope="module")
def mine(house: serving.House) -> list[tuple[str, str]]:
    """The demo's attendee's addresses: each recording with the place it belongs to. Other tests add other people."""
    with house.app() as app, app.app_context():
        windows = db.session.scalars(select(AccessWindow).order_by(AccessWindow.id)).all()
        people = [(db.session.get_one(Attendee, each.attendee_id), each.recording_id) for each in windows]
        own = [each for each in people if each[0].email == people[0][0].email]
        return [(access.url(person, recording), place_url(person)) for person, recording in own]


def ask(visit: Visit, what: str) -> Any:
    return visit.page.evaluate(what)


def until(visit: Visit, what: str) -> None:
    """Wait for it; asked again and again from outside, since the page lets nobody evaluate text."""
    assert serving.wait_for(lambda: bool(ask(visit, what)), 20), what


@pytest.mark.parametrize(
    "visit",
    [pytest.param((NARROW, True), id="telephone"), pytest.param((WIDE, True), id="desk")],
    indirect=True,
)
def test_a_recording_plays_from_any_place(visit: Visit, mine: list[tuple[str, str]]) -> None:
    page = visit.page
    page.goto(mine[0][1])
    page.get_by_role("link", name="Watch").click()
    until(visit, f"{FILM}.readyState >= 1")
    assert ask(visit, f"{FILM}.duration") == pytest.approx(192, abs=1)

    ask(visit, f"{FILM}.muted = true")
    ask(visit, f"{FILM}.play()")
    until(visit, f"{FILM}.currentTime > 2")
    ask(visit, f"{FILM}.currentTime = 150")
    until(visit, f"{FILM}.currentTime > 152 && {FILM}.textTracks[0].activeCues.length === 1")
    assert "come a little nearer" in ask(visit, f"{FILM}.textTracks[0].activeCues[0].text")
    with page.expect_response(lambda answer: answer.url.endswith("/watched")) as noted:
        ask(visit, f"{FILM}.pause()")
    assert noted.value.status == 200
    percent = noted.value.json()["watched_percent"]
    assert 1 <= percent <= 10
    until(visit, f"document.querySelector('[data-percent]').textContent === '{percent}'")
    visit.look("player")
    assert visit.faults == []


def test_what_stands_beside_the_film_goes_with_it(visit: Visit, mine: list[tuple[str, str]]) -> None:
    page = visit.page
    page.goto(f"{mine[0][0]}?t=0")
    until(visit, f"{FILM}.readyState >= 1")
    ask(visit, f"{FILM}.muted = true")
    page.get_by_role("link", name="Pacing is not slow").click()
    until(visit, f"{FILM}.currentTime > 73 && !{FILM}.paused")
    until(visit, "document.querySelector('.line[aria-current]')?.dataset.at === '73'")

    page.get_by_label("Find in the transcript").fill("NEARER")
    assert page.get_by_text("1 line with “NEARER”.").is_visible()
    assert page.locator(".transcript-lines li:visible").all_inner_texts() == [
        "0:02:25\nWhat was apart has come a little nearer."
    ]
    page.get_by_label("New note").fill("Kept while it plays.")
    assert "0:01:13" <= page.get_by_label("Place in the film").last.input_value() < "0:03:12"  # it plays on
    page.get_by_role("button", name="Keep this note").click()
    page.get_by_role("paragraph").filter(has_text="Kept while it plays.").wait_for()
    assert not ask(visit, f"{FILM}.paused")

    page.get_by_label("Speed").select_option("1.5")
    assert ask(visit, f"{FILM}.playbackRate") == 1.5
    page.get_by_label("Captions").select_option("")
    assert ask(visit, f"{FILM}.textTracks[0].mode") == "disabled"
    with page.expect_response(lambda answer: answer.url.endswith("/watched")):
        ask(visit, f"{FILM}.pause()")
    left_off = int(ask(visit, f"{FILM}.currentTime"))
    page.goto(mine[0][0])
    until(visit, f"Math.floor({FILM}.currentTime) === {left_off}")
    visit.look("player with a note")
    assert visit.faults == []


@pytest.fixture
def ending(house: serving.House) -> str:
    """The page of somebody whose days end in a few seconds."""
    with house.app() as app, app.app_context(), db.writing():
        now = clock.now()
        first = db.session.scalars(select(AccessWindow).order_by(AccessWindow.id)).first()
        assert first
        workshop = db.session.get_one(Attendee, first.attendee_id).workshop
        guests.invite_quietly(workshop, guests.Guest("Eve Ending", "eve@post.example"), now - timedelta(days=20))
        eve = db.session.scalars(select(Attendee).where(Attendee.email == "eve@post.example")).one()
        publishing.open_for_attendee(eve.id, now)
        own = db.session.scalars(select(AccessWindow).where(AccessWindow.attendee_id == eve.id)).first()
        assert own
        own.opens_at, own.closes_at = now - timedelta(days=20), now + timedelta(seconds=10)
        return access.url(eve, own.recording_id)


def test_the_film_stops_kindly_when_the_days_are_over(visit: Visit, ending: str) -> None:
    visit.page.goto(ending)
    until(visit, f"{FILM}.readyState >= 1")
    ask(visit, f"{FILM}.muted = true")
    ask(visit, f"{FILM}.play()")
    until(visit, f"{FILM}.currentTime > 1")
    visit.page.get_by_role("alert").get_by_text("This recording has closed").wait_for()
    assert visit.page.get_by_role("alert").get_by_text("It could be watched until").is_visible()
    assert not visit.page.locator("video").is_visible()
    assert ask(visit, f"{FILM}.paused && {FILM}.readyState === 0")
    visit.look("player that stopped")
    # The browser notes by itself that the last question was refused.
    assert [each for each in visit.faults if "403" not in each] == []


def test_it_plays_in_webkit_too(mine: list[tuple[str, str]]) -> None:
    """The engine of telephones and tablets that ask for two bytes first and show captions only when told to."""
    with webkit.running() as window:
        window.go(f"{mine[0][0]}?t=0")
        window.until(f"{FILM}.readyState >= 1 && Math.abs({FILM}.duration - 192) < 1")
        window.ask(f"{FILM}.muted = true")
        window.ask(f"{FILM}.play().then(() => true)")
        window.until(f"{FILM}.currentTime > 1")
        window.ask(f"{FILM}.currentTime = 150")
        window.ask("document.querySelector('[data-captions]').value = 'en'")
        window.ask("document.querySelector('[data-captions]').dispatchEvent(new Event('change'))")
        window.until(f"{FILM}.currentTime > 151 && {FILM}.textTracks[0].activeCues.length === 1")
        assert "come a little nearer" in window.ask(f"{FILM}.textTracks[0].activeCues[0].text")


@pytest.mark.parametrize("visit", [pytest.param((NARROW, False), id="no script")], indirect=True)
def test_without_scripts_the_player_is_there(visit: Visit, mine: list[tuple[str, str]]) -> None:
    visit.page.goto(mine[1][0])

    assert visit.page.locator("video[controls] track").count() == 1
    assert "left to watch, closes" in visit.page.inner_text("main")
    visit.page.get_by_role("link", name="Pacing is not slow").click()
    assert visit.page.locator("video").get_attribute("src").endswith("/media#t=73")  # type: ignore[union-attr]
    visit.page.get_by_label("Find in the transcript").fill("nearer")
    visit.page.get_by_role("button", name="Find").click()
    assert visit.page.locator(".transcript-lines li").count() == 1
    visit.look("player")
    assert visit.faults == []


def test_the_place_and_my_page_lead_to_what_is_open(visit: Visit, mine: list[tuple[str, str]]) -> None:
    for number, (recording, place) in enumerate(mine):
        visit.page.goto(place)
        assert visit.page.get_by_role("link", name="Watch").get_attribute("href") == recording
        visit.look(f"place-{number}")
    assert visit.faults == []
