"""Sending a film from Chromium: the line drops, the laptop closes, and what has come stays."""

import random
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from accounts.models import Organiser
from bench import serving
from demo.run import programs
from lib import clock, db
from recordings import uploads
from recordings.uploads import Upload
from tests.browser.conftest import PATIENCE_MS, Visit
from tests.browser.keyboard import Keyboard
from tests.browser.test_keyboard_desk import sign_in
from tests.builders import a_course, a_workshop, arranged
from tests.recordings.test_storage import webm

pytestmark = pytest.mark.browser
SPEED = 3 * 1024 * 1024  # bytes a second
LENGTH = 22 * 1024 * 1024
LINE_IS_DOWN = "ERR_INTERNET_DISCONNECTED"


@pytest.fixture
def film(tmp_path: Path) -> Path:
    file = tmp_path / "an evening – part 1.webm"
    file.write_bytes(webm() + random.Random(7).randbytes(LENGTH - len(webm())))
    return file


@pytest.fixture
def page_of_recordings(house: serving.House) -> Iterator[str]:
    """A workshop nobody else looks at, and no worker that takes its film in."""
    with house.app() as app:
        with arranged(app):
            organiser = db.session.scalars(select(Organiser).where(Organiser.slug == "sea-street")).one()
            course = a_course(organiser=organiser, slug=f"sent-{secrets.token_hex(3)}", title="Sent From Here")
            slug = a_workshop(course=course, status="draft", price_minor=None).slug
        house.family.stop(["worker"], 8)
        yield f"{house.web}/organise/sea-street/workshops/{slug}/recordings"
        with arranged(app):
            for row in db.session.scalars(select(Upload).where(Upload.state == "arriving")):
                uploads.remove(row, by="worker", now=clock.now())
        house.family.start(programs.worker())


class Line:
    """The line of one window: slow enough to be caught in the middle, and down when it is told."""

    def __init__(self, page: Page) -> None:
        self.session = page.context.new_cdp_session(page)
        self.set(is_down=False)

    def set(self, *, is_down: bool) -> None:
        conditions = {"offline": is_down, "latency": 0, "downloadThroughput": -1, "uploadThroughput": SPEED}
        self.session.send("Network.emulateNetworkConditions", conditions)


def percent(page: Page) -> int:
    return int(page.locator("progress").first.evaluate("(bar) => bar.value"))


def test_a_film_arrives_though_the_line_drops_and_the_page_is_closed(
    visit: Visit, house: serving.House, film: Path, page_of_recordings: str
) -> None:
    page = visit.page
    sign_in(Keyboard(page), house)
    page.goto(page_of_recordings)
    line = Line(page)
    page.set_input_files("#film-1", film)
    page.get_by_role("button", name="Upload the film").click()
    figures, status = page.locator("[data-figures]"), page.get_by_role("status")
    expect(figures).to_have_text(re.compile(r"^[1-9]\d? %: .* MB of 22 MB, .* a second, .* left$"), timeout=PATIENCE_MS)

    line.set(is_down=True)
    expect(status).to_contain_text("The line is down. What has come is safe", timeout=PATIENCE_MS)
    line.set(is_down=False)
    expect(status).to_have_text(re.compile("is back|per cent"), timeout=PATIENCE_MS)

    page.get_by_role("button", name="Pause").click()
    expect(status).to_contain_text("Paused.", timeout=PATIENCE_MS)
    had = percent(page)
    assert 0 < had < 100
    visit.look("a paused upload")
    page.goto(page_of_recordings)  # as after the laptop was closed
    expect(page.locator("main")).to_contain_text(f"{film.name}: ", timeout=PATIENCE_MS)
    visit.look("an unfinished upload")
    with page.expect_file_chooser() as chosen:
        page.get_by_role("button", name="Go on with it").click()
    chosen.value.set_files(film)
    page.wait_for_url(f"{page_of_recordings}?done=film")
    expect(page.locator("main")).to_contain_text("All of the film has arrived.", timeout=PATIENCE_MS)
    visit.look("an upload that has come")
    assert [each for each in visit.faults if LINE_IS_DOWN not in each] == []

    with house.app() as app, app.app_context():
        (row,) = db.session.scalars(select(Upload).where(Upload.filename == film.name))
        name = row.name
    assert (house.instance.folder / "media" / "arriving" / name).read_bytes() == film.read_bytes()


def test_what_is_no_film_is_refused_at_once(
    visit: Visit, house: serving.House, tmp_path: Path, page_of_recordings: str
) -> None:
    page, text = visit.page, tmp_path / "notes.mp4"
    text.write_bytes(b"These are notes.\n" * 1_000_000)
    sign_in(Keyboard(page), house)
    page.goto(page_of_recordings)
    page.set_input_files("#film-1", text)
    page.get_by_role("button", name="Upload the film").click()
    expect(page.get_by_role("status")).to_contain_text("This file is not a film", timeout=PATIENCE_MS)
    page.reload()
    page.get_by_role("button", name="Remove notes.mp4").click()
    expect(page.locator("main")).to_contain_text("The upload is removed.", timeout=PATIENCE_MS)
    assert [each for each in visit.faults if "422" not in each] == []
