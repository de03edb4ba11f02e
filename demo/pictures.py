"""`python -m demo.pictures [FOLDER]`: take the pictures in docs/pictures of a private demonstration.

Everything runs in a folder of its own that is thrown away, with the clock stopped, so that the next pictures differ
from the last only where the pages do. Needs the development environment (Chromium).
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from lib.settings import ROOT

FOLDER = ROOT / "docs" / "pictures"
MOMENT = "2027-03-02T09:00:00Z"
SIZES = {"narrow": (390, 2400), "wide": (1280, 1500)}  # how wide, and how much of a long page at most
PATIENCE = 180.0
CHROMIUM = shutil.which("chromium")
BOOKER = ("Ines Moor", "ines.moor@clinic.example")
PAGES = {
    "home": "Home",
    "list": "The list of workshops",
    "workshop": "A workshop",
    "form": "The booking form, with its total",
    "booking": "A confirmed booking, as the booker sees it",
    "join": "The way into the room, before it opens",
    "recording": "A recording to catch up with",
    "mine": "Everything of one person",
    "board": "The back office: workshops",
    "schedule": "The back office: a workshop's schedule",
}


class NoPictures(Exception):
    """The demonstration did not come up or did not do what a visitor expects; the message says what."""


@dataclass(frozen=True)
class Demo:
    """The addresses of the demonstration and the people who can sign in."""

    web: str
    mailbox: str
    people: Mapping[str, Mapping[str, str]]


def main(arguments: list[str]) -> int:
    folder = Path(arguments[0]) if arguments else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="colloquy-pictures-") as instance:
        try:
            with running(Path(instance)) as demo, sync_playwright() as playwright:
                chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
                take(chromium, demo, folder)
        except NoPictures as refusal:
            print(refusal, file=sys.stderr)
            return 1
    (folder / "README.md").write_text(index(), encoding="utf-8")
    return 0


@contextmanager
def running(instance: Path) -> Iterator[Demo]:
    """The demonstration as `make run` starts it, with its clock stopped at MOMENT. Raises NoPictures."""
    (instance / "clock").write_text(MOMENT, encoding="utf-8")
    environment = {**os.environ, "COLLOQUY_INSTANCE": str(instance)}
    process = subprocess.Popen([sys.executable, "-m", "demo.run"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    addresses = instance / "addresses.json"
    try:
        until = time.monotonic() + PATIENCE
        while not addresses.exists():
            if process.poll() is not None or time.monotonic() > until:
                raise NoPictures("The demonstration does not start. `make run` says why.")
            time.sleep(0.2)
        told = json.loads(addresses.read_text(encoding="utf-8"))
        yield Demo(told["web"], told["mailbox"], told["people"])
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def take(chromium: Browser, demo: Demo, folder: Path) -> None:
    """Walk the ways of the three kinds of people and take a picture of each page, narrow and wide."""
    visitor, attendee, owner = (_context(chromium, demo) for _ in range(3))
    page = visitor.new_page()
    page.goto(f"{demo.web}/zone?zone=Europe/London")
    slug = _first_to_book(demo)
    _picture(page, folder, "home", f"{demo.web}/")
    _picture(page, folder, "list", f"{demo.web}/workshops")
    _picture(page, folder, "workshop", f"{demo.web}/workshops/{slug}")
    _fill(page, f"{demo.web}/workshops/{slug}/bookings/new")
    _picture(page, folder, "form")
    booking = _pay(page)
    _picture(page, folder, "booking", booking)
    page.goto(_place(demo))
    page.get_by_role("link", name="Go to the room").click()
    _picture(page, folder, "join")

    page = attendee.new_page()
    _sign_in(page, demo, "attendee")
    _picture(page, folder, "mine", f"{demo.web}/me")
    page.get_by_role("link", name="Watch").first.click()
    page.locator("video").evaluate(
        "film => new Promise(done => { film.addEventListener('seeked', done, {once: true}); film.currentTime = 30; })"
    )
    _picture(page, folder, "recording")

    page = owner.new_page()
    _sign_in(page, demo, "owner")
    page.get_by_role("link", name="Back office").first.click()
    _picture(page, folder, "board")
    page.get_by_role("link", name="Evening Seminars").first.click()
    page.get_by_role("link", name="Schedule", exact=True).first.click()
    _picture(page, folder, "schedule")


def index() -> str:
    """The table of the pictures, as Markdown."""
    rows = [f"| {words} | [narrow]({name}-narrow.png) | [wide]({name}-wide.png) |" for name, words in PAGES.items()]
    return "\n".join(
        (
            "# Pictures of ten pages",
            "",
            f"Taken by `make pictures` of the demonstration with its clock stopped at {MOMENT}: 390 and 1280 pixels",
            "wide, in daylight. A page longer than the picture is cut off. Take them again when a page has changed.",
            "",
            "| page | | |",
            "|---|---|---|",
            *rows,
            "",
        )
    )


def _context(chromium: Browser, demo: Demo) -> BrowserContext:
    context = chromium.new_context(
        base_url=demo.web, locale="en-GB", timezone_id="Europe/London", reduced_motion="reduce", color_scheme="light"
    )
    context.set_default_timeout(20_000)
    return context


def _picture(page: Page, folder: Path, name: str, address: str = "") -> None:
    if address:
        page.goto(address)
    for size, (wide, most) in SIZES.items():
        page.set_viewport_size({"width": wide, "height": 844})
        page.evaluate("scrollTo(0, 0)")
        page.evaluate("document.fonts.ready.then(() => true)")
        high = min(int(page.evaluate("document.documentElement.scrollHeight")), most)
        page.screenshot(
            path=folder / f"{name}-{size}.png",
            full_page=True,
            clip={"x": 0, "y": 0, "width": wide, "height": high},
            animations="disabled",
            caret="hide",
        )


def _json(address: str) -> Any:
    with urllib.request.urlopen(address) as answer:  # noqa: S310 - the demonstration's own addresses
        return json.load(answer)


def _first_to_book(demo: Demo) -> str:
    listed = _json(f"{demo.web}/workshops.json")["workshops"]
    return next(str(each["slug"]) for each in listed if each["bookable"] and each["price_minor"])


def _fill(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(address)
    name, email = BOOKER
    for field, typed in {
        "attendee-0-name": name, "attendee-0-email": email, "booker_name": name, "booker_email": email,
    }.items():  # fmt: skip
        page.locator(f"[name='{field}']").fill(typed)
    page.locator("[name=agree_terms]").check()
    page.locator("[data-quote] .price:not([hidden])").wait_for()


def _pay(page: Page) -> str:
    """Go on from the filled form, pay, and come back; the booking's address."""
    page.locator("[form=booking-form]").click()
    page.locator("[name=number]").fill("4242 4242 4242 4242")
    page.locator("[name=pay], [value=pay]").first.click()
    until = time.monotonic() + PATIENCE
    while "confirmed" not in page.locator("main").inner_text():
        if time.monotonic() > until:
            raise NoPictures(f"The booking is not confirmed: {page.url}")
        time.sleep(0.5)
        page.reload()
    return str(page.url)


def _place(demo: Demo) -> str:
    """The attendee's link, out of the letter that the booking sent."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        for letter in _json(f"{demo.mailbox}/letters.json?to={BOOKER[1]}"):
            with urllib.request.urlopen(f"{demo.mailbox}/letters/{letter['id']}.eml") as answer:  # noqa: S310 - as above
                text = str(answer.read().decode("utf-8")).replace("=\r\n", "").replace("=\n", "")
            if found := re.search(r"/places/[\w.~-]+", text):
                return demo.web + found[0]
        time.sleep(0.5)
    raise NoPictures("No letter with a place has come.")


def _sign_in(page: Page, demo: Demo, who: str) -> None:
    page.goto(f"{demo.web}/sign-in")
    page.locator("details.opens > summary").click()
    form = page.locator("details.opens form")
    form.locator("[type=email]").fill(demo.people[who]["email"])
    form.locator("[type=password]").fill(demo.people[who]["password"])
    form.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/me")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
