"""Watching a recording in Chromium: it plays, it seeks, it shows captions, and what was watched is noted."""

from typing import Any

import pytest
from sqlalchemy import select

from bench import serving
from bookings.letters import place_url
from bookings.models import Attendee
from lib import db
from recordings import access
from recordings.models import AccessWindow
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


@pytest.mark.parametrize("visit", [pytest.param((NARROW, False), id="no script")], indirect=True)
def test_without_scripts_the_player_is_there(visit: Visit, mine: list[tuple[str, str]]) -> None:
    visit.page.goto(mine[1][0])

    assert visit.page.locator("video[controls] track").count() == 1
    assert "Open until" in visit.page.inner_text("main")
    visit.look("player")
    assert visit.faults == []


def test_the_place_and_my_page_lead_to_what_is_open(visit: Visit, mine: list[tuple[str, str]]) -> None:
    for number, (recording, place) in enumerate(mine):
        visit.page.goto(place)
        assert visit.page.get_by_role("link", name="Watch").get_attribute("href") == recording
        visit.look(f"place-{number}")
    assert visit.faults == []
