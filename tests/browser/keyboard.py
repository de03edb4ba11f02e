"""A person with nothing but a keyboard, who must see at every step where they are."""

from datetime import date, time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

MOST_STOPS = 150
# Where the focus is, and whether it can be seen: a ring on it or on the card it belongs to, and itself on the screen.
WHERE = """() => {
    const here = document.activeElement;
    if (!here || here === document.body || here === document.documentElement) return null;
    const rings = (each) => {
        const style = getComputedStyle(each);
        return style.outlineStyle === "auto" || (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2);
    };
    const card = here.closest(".card");
    const box = here.getBoundingClientRect();
    const x = Math.min(Math.max(box.left + box.width / 2, 1), innerWidth - 1);
    const y = Math.min(Math.max(box.top + Math.min(box.height, innerHeight) / 2, 1), innerHeight - 1);
    const top = document.elementFromPoint(x, y);
    return {
        what: here.outerHTML.slice(0, 160),
        rings: rings(here) || (card !== null && rings(card)),
        isOnScreen: box.width > 4 && box.height > 4 && box.bottom > 0 && box.top < innerHeight,
        isCovered: !(top && (here.contains(top) || top.contains(here) || here.labels?.[0]?.contains(top))),
    };
}"""


class Keyboard:
    """Everything is done by keys; each stop of the focus must be visible, on the screen and not covered."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def write(self, text: str) -> None:
        """Type it in place of what the field holds."""
        self.press("Control+a")
        self.page.keyboard.type(text)

    def here(self) -> dict[str, Any]:
        """Where the focus is. Raises AssertionError where it is nowhere or cannot be seen."""
        found: dict[str, Any] | None = self.page.evaluate(WHERE)
        assert found, "the focus is lost"
        for wrong in [name for name, is_so in self._faults(found).items() if is_so]:
            raise AssertionError(f"{wrong}: {found['what']}")
        return found

    def to(self, selector: str, key: str = "Tab") -> None:
        """Tab until the focus is on what `selector` means."""
        for _ in range(MOST_STOPS):
            self.press(key)
            if self.page.evaluate(WHERE) is None:
                continue  # past the page's end and round again
            self.here()
            if self.page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"{key} never comes to {selector} on {self.page.url}")

    def back_to(self, selector: str) -> None:
        self.to(selector, "Shift+Tab")

    def follow(self, selector: str, key: str = "Enter") -> None:
        """Go to a link or button and press it, and wait for the page it leads to."""
        self.to(selector)
        self.go(key)

    def go(self, key: str = "Enter") -> None:
        """Press the key and wait for the page it leads to."""
        with self.page.expect_navigation():
            self.press(key)

    def fill(self, selector: str, text: str) -> None:
        self.to(selector)
        self.write(text)

    def date(self, selector: str, day: date) -> None:
        """Type a day into the browser's field for one, month first as this Chromium has it."""
        self.to(selector)
        self.page.keyboard.type(f"{day:%m%d%Y}")
        assert self.page.locator(selector).input_value() == day.isoformat()

    def hour(self, selector: str, clock: str) -> None:
        """Type a time of day, 09:30, into the browser's field for one, with its half of the day."""
        self.to(selector)
        self.page.keyboard.type(f"{time.fromisoformat(clock):%I%M%p}")
        assert self.page.locator(selector).input_value() == clock

    def choose(self, selector: str, text: str) -> None:
        """Choose from a list by typing how the choice begins."""
        self.to(selector)
        self.page.keyboard.type(text)
        chosen = self.page.locator(f"{selector} option:checked").inner_text()
        assert chosen.startswith(text), f"{selector} stands at {chosen!r}"

    def attach(self, selector: str, file: Path) -> None:
        """Open the browser's chooser of files by a key; what happens in it is the browser's own."""
        self.to(selector)
        with self.page.expect_file_chooser() as opened:
            self.press("Space")
        opened.value.set_files(file)

    @staticmethod
    def _faults(found: dict[str, Any]) -> dict[str, bool]:
        return {
            "the focus does not show": not found["rings"],
            "the focus is off the screen": not found["isOnScreen"],
            "the focus is covered": found["isCovered"],
        }
