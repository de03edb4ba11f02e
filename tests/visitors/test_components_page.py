"""The page of components: there in the demonstration alone, complete, and each component says what it must."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import html5lib
import pytest
from flask import Flask

from tests.house.source import ROOT
from tests.page import PageClient, words

MACROS = {each.stem: each for each in sorted((ROOT / "templates" / "macros").glob("*.html"))}
PAGE = ROOT / "templates" / "visitors" / "components.html"
LEVELS = ("h2", "h3", "h4")
Element = Any


@pytest.fixture
def shown(app: Flask, client: PageClient, monkeypatch: pytest.MonkeyPatch) -> dict[str, Element]:
    """The examples of each component, from the page as it is served."""
    monkeypatch.setitem(app.config, "COLLOQUY_DEMO", "1")
    page = client.get("/components")
    assert page.status_code == 200
    return parts(page.get_data(as_text=True))


@lru_cache(maxsize=2)
def parts(page: str) -> dict[str, Element]:
    root = html5lib.parse(page, namespaceHTMLElements=False)
    return {name: each for each in root.iter("section") if (name := each.get("data-component"))}


def test_only_the_demonstration_has_it(client: PageClient) -> None:
    unknown = client.get("/no-such-page")
    answer = client.get("/components")

    assert answer.status_code == 404
    assert answer.get_data() == unknown.get_data()


def missing(page: str, macros: dict[str, str]) -> list[str]:
    """Files and macros without an example: each is called on the page, or by another macro of its own file."""
    found = [f"{file} has no part of the page" for file in macros if f'part("{file}"' not in page]
    for file, text in macros.items():
        names = re.findall(r"{%-? macro (\w+)\(", text)
        for name in names:
            called = re.compile(rf"(?<!macro )\b{name}\(")
            if not (called.search(page) or called.search(text)):
                found.append(f"{file}: {name} is nowhere on the page")
    return found


def test_every_macro_has_an_example() -> None:
    assert missing(PAGE.read_text(), {name: path.read_text() for name, path in MACROS.items()}) == []


def test_a_macro_without_an_example_is_seen() -> None:
    macros = {"bell": "{% macro bell(x) %}{{ rope(x) }}{% endmacro %}{% macro rope(x) -%}{% endmacro %}"}

    assert missing("", macros) == ["bell has no part of the page", "bell: bell is nowhere on the page"]
    assert missing('{% call part("bell") %}{{ bell(1) }}', macros) == []


def test_every_macro_is_used_by_a_page() -> None:
    pages = [
        path.read_text()
        for path in (ROOT / "templates").rglob("*.html")
        if path != PAGE and "letters" not in path.parts
    ]

    assert [name for name in MACROS if not any(f'"macros/{name}.html"' in text for text in pages)] == []


def all_of(tree: Element, tag: str, kind: str = "") -> list[Element]:
    found = tree.iter(tag) if tag != "svg" else [each for each in tree.iter() if str(each.tag).endswith("svg")]
    return [each for each in found if not kind or kind in (each.get("class") or "").split()]


def by_id(tree: Element, id: str) -> Element:
    (found,) = [each for each in tree.iter() if each.get("id") == id]
    return found


def said_of(tree: Element, control: Element) -> list[str]:
    """What is read out after a control's name, in order."""
    return [words(by_id(tree, each)) for each in (control.get("aria-describedby") or "").split()]


# What each component must say: a check for each file of macros, on what the page shows of it.
Check = Callable[[Element], None]
CHECKS: dict[str, Check] = {}


def of(name: str) -> Callable[[Check], Check]:
    return lambda check: CHECKS.setdefault(name, check)


@of("badge")
def _badge(tree: Element) -> None:
    badges = all_of(tree, "span", "badge")
    assert [words(each) for each in badges][:5] == [
        "Over", "Under way", "Paid and confirmed", "3 places left", "Cancelled",
    ]  # fmt: skip
    assert badges[4].get("class") == "badge badge--bad"
    said = [words(each) for each in all_of(tree, "li")]
    assert "On sale: no badge" in said
    assert "Few places left: 2 places left" in said
    assert "Full: Full" in said


@of("band")
def _band(tree: Element) -> None:
    (band,) = all_of(tree, "div", "organiser-band")
    assert words(band) == "A Sample House"
    assert not all_of(band, "img")  # a house without a logo shows none


@of("card")
def _card(tree: Element) -> None:
    cards = all_of(tree, "article", "card")
    assert len(cards) == 8
    for card in cards:
        (link,) = all_of(card, "a")  # one link, whatever else the card says
        assert words(link) == "Listening at Dusk"
        assert link.get("href") == "/workshops/listening-at-dusk-2025-03-14"
        assert any(link in list(heading) for level in LEVELS for heading in card.iter(level))
        (hour,) = all_of(card, "time")
        assert hour.get("datetime", "").endswith("Z")
    assert "AEDT (Sydney)" in words(cards[1])
    assert "from £109.00" in words(cards[2])
    assert "from £69.00" in words(cards[-2])
    days = all_of(tree, "p", "card-day")
    assert days
    assert all(each.get("aria-hidden") == "true" for each in days)


@of("check")
def _check(tree: Element) -> None:
    rows = [each for listed in all_of(tree, "ul", "checks") for each in all_of(listed, "li")]
    assert [each.get("class") for each in rows] == ["is-bad", "is-warn", "is-good"]
    assert all(each.find("h3") is not None for each in rows)
    assert words(all_of(rows[0], "a")[0]) == "Open Listening at Dusk"


@of("countdown")
def _countdown(tree: Element) -> None:
    first, second = all_of(tree, "div", "countdown")
    assert "Kept for you until 14:35 GMT" in words(first)
    assert "28 minutes left." in words(first)
    assert "1 minute left." in words(second)
    bar = first.find(".//progress")
    assert (bar.get("value"), bar.get("max"), bar.get("aria-label")) == ("28", "31", "Minutes left")
    assert first.find(".//time").get("datetime") == "2025-02-03T14:35:00Z"


@of("cover")
def _cover(tree: Element) -> None:
    drawings = all_of(tree, "svg")
    assert len(drawings) == len(list((ROOT / "templates" / "art").glob("*.svg")))
    assert all(each.get("aria-hidden") == "true" or each.get("role") == "img" for each in drawings)


@of("days")
def _days(tree: Element) -> None:
    lines = all_of(tree, "svg", "days")
    assert all(each.get("aria-hidden") == "true" for each in lines)
    marks = [[mark.get("class") for mark in line] for line in lines]
    assert [len(each) for each in marks] == [28, 28]
    assert marks[0].count("days-gone") == 16
    assert marks[0][16] == "days-today"
    assert "Day 17 of 28; 12 days are left." in words(tree)
    assert "This is the last day." in words(tree)


@of("empty")
def _empty(tree: Element) -> None:
    first, second = all_of(tree, "div", "empty")
    assert words(first) == "You have no place at a workshop yet. See what is coming up"
    assert all_of(first, "svg")
    assert words(second) == "Nobody has booked yet."


@of("error_list")
def _error_list(tree: Element) -> None:
    (summary,) = [each for each in tree.iter() if each.get("role") == "alert"]
    assert summary.get("tabindex") == "-1"
    assert words(summary.find("h2")) == "Two things to put right"
    links = all_of(summary, "a")
    assert len(links) == 2
    for link in links:
        control = by_id(tree, link.get("href")[1:])
        assert control.tag == "input"
        assert control.get("aria-invalid") == "true"
        assert said_of(tree, control)[-1] == words(link)


@of("facts")
def _facts(tree: Element) -> None:
    (listed,) = all_of(tree, "dl", "facts")
    assert [each.tag for each in listed] == ["dt", "dd", "dt", "dd"]
    assert [words(each) for each in listed][2:] == ["Sent", "not yet"]


@of("field")
def _field(tree: Element) -> None:
    named = {label.get("for"): words(label) for label in all_of(tree, "label")}
    controls = [each for tag in ("input", "select", "textarea") for each in tree.iter(tag)]
    assert len(controls) == 9
    assert all(named[each.get("id")] for each in controls)
    wrong = [each for each in controls if each.get("aria-invalid") == "true"]
    assert [each.get("id") for each in wrong] == ["wrong", "file", "choice-wrong"]
    assert said_of(tree, by_id(tree, "wrong")) == [
        "How many people the room takes.", "A room has at least one place. Please give a number from 1 to 5,000.",
    ]  # fmt: skip
    assert said_of(tree, by_id(tree, "file")) == [
        "PNG, up to 512 kB.", "This is no picture. Please save it as PNG.",
    ]  # fmt: skip
    assert said_of(tree, by_id(tree, "ticked")) == ["You can stop this at any time."]
    assert named["hinted"] == "Telephone (optional)"
    assert by_id(tree, "plain").get("aria-describedby") is None
    assert by_id(tree, "long").text.strip() == "Two lines,\nand a second."
    assert by_id(tree, "ticked").get("checked") is not None


@of("icon")
def _icon(tree: Element) -> None:
    drawings = all_of(tree, "svg")
    assert len(drawings) >= 8
    assert all(each.get("aria-hidden") == "true" and each.get("focusable") == "false" for each in drawings)


@of("notice")
def _notice(tree: Element) -> None:
    notices = all_of(tree, "div", "notice")
    assert [each.get("class") for each in notices] == [
        "notice", "notice notice--good", "notice notice--warn", "notice notice--bad", "notice",
    ]  # fmt: skip
    assert [each.get("role") for each in notices] == [None, None, None, "alert", None]
    assert all(each.find("h3") is not None for each in notices)


@of("offers")
def _offers(tree: Element) -> None:
    rows = [words(each) for each in all_of(tree, "tr")]
    assert rows[0].startswith("Early bird")
    assert words(all_of(tree, "s")[0]) == "£89.00"  # what cannot be bought stays, struck through
    assert any("Self-funded or €129.00" in each and each.endswith("£109.00") for each in rows)
    assert tree.find(".//caption") is not None
    titles = [words(each.find("h2")) for each in all_of(tree, "div", "notice")]
    assert titles == ["All places are taken", "This workshop is cancelled"]
    assert "10:00 GMT (London), which is Friday 14 March 2025, 21:00 AEDT (Sydney)" in words(tree)


@of("office")
def _office(tree: Element) -> None:
    first, second = all_of(tree, "nav", "office")
    assert first.get("aria-label") == "A sample house"
    assert [each.get("aria-current") for each in all_of(first, "a")] == [None, "true", None]
    assert [each.get("aria-current") for each in all_of(second, "a")] == ["page", None]


@of("opens")
def _opens(tree: Element) -> None:
    closed, opened = all_of(tree, "details")
    assert closed.get("open") is None
    assert opened.get("open") is not None
    assert words(closed.find("summary")) == "When the link comes"


@of("policy")
def _policy(tree: Element) -> None:
    assert [words(each) for each in all_of(tree, "h3")] == ["If you cancel", "If we cancel"]
    listed = [words(each) for each in all_of(tree, "li")]
    assert listed[1] == "In all other cases nothing is returned."
    assert listed[-1] == "After that nothing is returned."


@of("pages")
def _pages(tree: Element) -> None:
    first, second, last = all_of(tree, "nav")
    assert [each.get("rel") for each in all_of(first, "a")] == ["next"]
    assert [each.get("rel") for each in all_of(second, "a")] == ["prev", "next"]
    assert [each.get("href") for each in all_of(last, "a")] == ["?page=2"]
    assert "Page 2 of 3" in words(second)


@of("person")
def _person(tree: Element) -> None:
    first, second = all_of(tree, "div", "person")
    assert words(first.find(".//h2")) == "First person"
    assert words(all_of(first, "button")[0]) == "Remove Ines Moor"
    for person, named in ((first, "attendee-0"), (second, "attendee-1")):
        labels = {label.get("for") for label in all_of(person, "label")}
        assert {f"{named}-name", f"{named}-email", f"{named}-answer-needs", f"{named}-answer-loop"} <= labels
    name = by_id(tree, "attendee-1-name")
    assert name.get("aria-invalid") == "true"
    assert said_of(tree, name) == ["Please give this person's name."]
    assert by_id(tree, "attendee-1-shared").get("type") == "checkbox"
    body = by_id(tree, "attendee-0-answer-body")
    assert said_of(tree, body) == ["Please answer: Your professional body"]
    assert said_of(tree, by_id(tree, "attendee-0-answer-needs"))[0].startswith("Read only by those who need it")


@of("price")
def _price(tree: Element) -> None:
    (table,) = all_of(tree, "table", "price")
    assert words(table.find("caption")) == "You pay"
    assert all(row.find("th").get("scope") == "row" for row in all_of(table, "tr"))
    assert words(all_of(table, "tr", "price-sum")[0]) == "Total £174.40"
    assert words(all_of(table, "th", "price-no")[0]) == "SPRINGEnded on 31 January 2025."


@of("shared")
def _shared(tree: Element) -> None:
    assert words(tree).endswith("This page says so of itself.")


@of("ticket")
def _ticket(tree: Element) -> None:
    chosen, pair, early = all_of(tree, "input")
    assert tree.find(".//fieldset/legend") is not None
    assert chosen.get("checked") is not None
    assert early.get("disabled") is not None
    assert said_of(tree, pair) == ["One price for two people."]
    assert said_of(tree, early) == ["Ended on 31 January 2025."]


@of("times")
def _times(tree: Element) -> None:
    london, sydney, evenings = all_of(tree, "section", "times")
    for block in (london, sydney, evenings):
        named = [words(by_id(tree, each)) for each in (block.get("aria-labelledby") or "").split()]
        assert named[0] == "When it is"
        assert block.find(".//caption") is not None
        assert all(each.get("aria-hidden") == "true" for each in all_of(block, "svg"))
    assert "Ends the next day" in words(sydney)
    assert "Ends the next day" not in words(london)
    line = "Friday 14 March 2025"
    assert [words(each).startswith(line) for each in all_of(sydney, "p", "times-copy")] == [True]
    assert len(all_of(evenings, "p", "times-copy")) == 4
    assert "The clocks in London go forward here: GMT before, BST after" in words(evenings)


@of("views")
def _views(tree: Element) -> None:
    (nav,) = all_of(tree, "nav")
    assert nav.get("aria-label") == "What to show"
    assert [each.get("aria-current") for each in all_of(nav, "a")] == ["page", None]


@of("zones")
def _zones(tree: Element) -> None:
    chosen, chooser = by_id(tree, "sample-zone"), tree.find(".//details")
    assert words(chooser.find("summary")) == "Times for London, GMT"
    asked = chooser.find(".//form")
    assert (asked.get("method"), asked.get("action")) == ("get", "/zone")
    assert words(asked.find(".//label")) == "Show times for"
    assert words(asked.find(".//button")) == "Show these times"
    options = {each.get("value"): each for each in all_of(chosen, "option")}
    assert options["Asia/Kathmandu"].get("selected") is not None
    assert words(options["America/New_York"]) == "New York"
    assert next(iter(options)) == "Europe/London"


@pytest.mark.parametrize("name", MACROS)
def test_each_component_says_what_it_must(shown: dict[str, Element], name: str) -> None:
    tree = shown[name]
    heading = by_id(tree, tree.get("aria-labelledby"))
    assert heading.tag == "h2"

    CHECKS[name](tree)


def test_what_is_shared_stands_in_the_head(app: Flask, client: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "COLLOQUY_DEMO", "1")
    head = client.get("/components").get_data(as_text=True).partition("</head>")[0]

    assert '<meta property="og:title" content="Components">' in head
    assert '<meta property="og:url" content="http' in head
