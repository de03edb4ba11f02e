"""A real Chromium before a real house: web, worker, stand-in for Stripe and mailbox as `make run` starts them."""

import json
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.request import ProxyHandler, build_opener

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, Request, sync_playwright

from bench import serving
from tests.browser import world

CHROMIUM = "/usr/bin/chromium"
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NARROW, WIDE = (360, 740), (1280, 900)
PATIENCE_MS = 20_000
HAS_FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[serving.House]:
    folder = tmp_path_factory.mktemp("house")
    names = ("stripe", "mailbox", "worker", "web")
    with serving.running(folder / "instance", names=names, has_catalogue=True) as running:
        yield running


@pytest.fixture(scope="session")
def planted(house: serving.House) -> world.World:
    with house.app() as app:
        return world.make(app)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a window know at its end whether its test failed."""
    report = yield
    if report.when == "call":
        item.stash[HAS_FAILED] = report.failed
    return report


def violations(page: Page, *rules: str) -> Iterator[str]:
    """What axe finds on the page as it stands, by all of its rules unless some are named."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    wanted: dict[str, Any] = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    found: Any = page.evaluate("(wanted) => axe.run(wanted).then((found) => found.violations)", wanted)
    for violation in found:
        where = ", ".join(str(node["target"]) for node in violation["nodes"][:3])
        yield f"{violation['id']} at {where}: {violation['help']}"


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
    yield browser
    browser.close()


@dataclass
class Visit:
    """One person's window, and everything that was wrong in it."""

    page: Page
    house: serving.House
    name: str
    has_script: bool
    faults: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("console", self._note_console)
        self.page.on("pageerror", lambda error: self.faults.append(f"script failed: {error}"))
        self.page.on("request", self._note_request)

    def look(self, name: str) -> None:
        """Note what a person could not read, see or use on the page."""
        headings = self.page.locator("h1").count()
        if headings != 1:
            self.faults.append(f"{name}: {headings} h1")
        if not self.has_script:
            return
        wide, seen = self.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        if wide > seen:
            self.faults.append(f"{name}: {wide} px wide in a window of {seen}")
        self.faults += [f"{name}: {fault}" for fault in violations(self.page)]

    def letters(self, to: str, number: int = 1) -> list[dict[str, Any]]:
        """The letters that have come for an address, newest first, once there are so many."""
        found: list[dict[str, Any]] = []

        def came() -> bool:
            found[:] = _json(f"{self.house.mailbox}/letters.json?to={to}")
            return len(found) >= number

        assert serving.wait_for(came, 30), f"{len(found)} letters for {to} instead of {number}"
        return found

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"the console says: {message.text}")

    def _note_request(self, request: Request) -> None:
        own = (self.house.web, self.house.stripe, self.house.mailbox)
        if not request.url.startswith((*own, "data:", "about:")):
            self.faults.append(f"a request to {request.url}")


@pytest.fixture
def visit(
    request: pytest.FixtureRequest, chromium: Browser, house: serving.House, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Visit]:
    """A window: wide with scripts, unless parametrised with (width and height, whether scripts run).

    When the test fails, a picture of its last page is kept.
    """
    size, has_script = getattr(request, "param", (WIDE, True))
    context = chromium.new_context(
        viewport={"width": size[0], "height": size[1]},
        java_script_enabled=has_script,
        locale="en-GB",
        timezone_id="Europe/Paris",
        reduced_motion="reduce",  # no picture is taken in the middle of a turn of the page
    )
    context.set_default_timeout(PATIENCE_MS)
    name = re.sub(r"\W+", "-", request.node.name).strip("-")
    made = Visit(context.new_page(), house, name, has_script)
    made.watch()
    yield made
    if request.node.stash.get(HAS_FAILED, False):
        picture = tmp_path_factory.mktemp("failed") / f"{name}.png"
        made.page.screenshot(path=picture, full_page=True)
        print(f"its last page: {picture}")
    context.close()


@pytest.fixture(scope="session")
def workshops(house: serving.House) -> list[dict[str, Any]]:
    """What can be booked for a price, by first start, as programs are told."""
    listed = _json(f"{house.web}/workshops.json")["workshops"]
    return [each for each in listed if each["bookable"] and each["price_minor"]]


def _json(url: str) -> Any:
    with build_opener(ProxyHandler({})).open(url, timeout=20) as answer:
        return json.load(answer)
