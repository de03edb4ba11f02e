"""An attendee comes in from the letter, and later plays the recording with captions, with the keyboard alone."""

from typing import Any

import pytest
from playwright.sync_api import expect

from bench import serving
from tests.browser.conftest import Visit
from tests.browser.keyboard import Keyboard

pytestmark = pytest.mark.browser
ATTENDEE = "leonie.marsh@post.example"  # has a place in the session that starts twenty minutes after planting
OFF, ENGLISH = 2, 3  # below "Options" and "Caption settings"
MENU_MS = 300  # the browser draws its menu, of which the page learns nothing
FILM = "document.querySelector('video')"


def from_letter(visit: Visit, begins: str, path: str) -> Keyboard:
    """Open the newest letter to the attendee whose subject begins so, and follow its link below `path`.

    The mailbox shows a letter in a sandbox, as readers of mail do, so the link opens a window of its own.
    """
    told = [each for each in visit.letters(ATTENDEE, 2) if each["subject"].startswith(begins)]
    assert told, f"no letter to {ATTENDEE} begins with {begins!r}"
    reading = Keyboard(visit.page)
    visit.page.goto(f"{visit.house.mailbox}/letters/{told[0]['id']}/html")
    reading.to(f"a[href^='{visit.house.web}/{path}/']")
    with visit.page.expect_popup() as opened:
        reading.press("Enter")
    visit.page = opened.value
    visit.watch()
    visit.page.wait_for_load_state()
    return Keyboard(visit.page)


def ask(visit: Visit, what: str) -> Any:
    return visit.page.evaluate(f"{FILM}.{what}")


def until(visit: Visit, what: str) -> None:
    """Wait for it; asked again and again from outside, since the page lets nobody evaluate text."""
    assert serving.wait_for(lambda: bool(visit.page.evaluate(what)), 20), what


def test_in_time_into_the_room(visit: Visit) -> None:
    keys = from_letter(visit, "Your place: Reading Group", "join")
    page, house = visit.page, visit.house
    expect(page.get_by_role("heading", name="The room is open")).to_be_visible()
    keys.follow("main form button")
    page.wait_for_url(f"{house.mailbox}/room/**")
    expect(page.get_by_role("heading", name="You are in")).to_be_visible()
    assert visit.faults == []


def test_the_recording_plays_with_captions(visit: Visit) -> None:
    keys = from_letter(visit, "Your recording is ready", "recordings")
    until(visit, f"{FILM}.readyState >= 1")

    keys.to("video")
    keys.press("Space")
    until(visit, f"{FILM}.currentTime > 1")
    assert not ask(visit, "paused")
    until(visit, f"{FILM}.textTracks[0].activeCues?.length === 1")
    keys.press("Space")
    until(visit, f"{FILM}.paused")

    # The browser's own controls: play, whole screen, more; the first thing under "more" is the captions.
    assert ask(visit, "textTracks[0].mode") == "showing"
    keys.press("Tab", "Tab", "Tab")
    choose_captions(keys, OFF)
    until(visit, f"{FILM}.textTracks[0].mode !== 'showing'")
    choose_captions(keys, ENGLISH)
    until(visit, f"{FILM}.textTracks[0].mode === 'showing'")
    assert visit.page.evaluate("document.activeElement.tagName") == "VIDEO"
    assert visit.faults == []


def choose_captions(keys: Keyboard, below: int) -> None:
    """Open the controls' "more", there the captions, and choose what stands so far below its head."""
    for part in (["Enter"], ["Enter"], ["ArrowDown"] * below, ["Enter"]):
        keys.press(*part)
        keys.page.wait_for_timeout(MENU_MS)
