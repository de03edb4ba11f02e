"""Colours that stand on each other can be told apart, by day and by night (WCAG 2.2, 1.4.3 and 1.4.11)."""

import re
from fractions import Fraction

import pytest

from accounts.branding import contrast
from tests.house.source import ROOT

SCHEMES = ("light", "dark")
TEXT, PARTS = Fraction("4.5"), Fraction(3)
_TOKEN = re.compile(r"--([a-z0-9-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);")
# Words, and what they stand on.
WORDS = {
    "ink": ("paper", "sheet", "quiet", "sky", "tell-ground", "mark-ground", "warn-ground", "bad-ground", "good-ground"),
    "soft": ("paper", "sheet", "quiet", "sky", "tell-ground"),
    "link": ("paper", "sheet", "sky", "quiet", "tell-ground", "warn-ground", "bad-ground", "good-ground"),
    "on-act": ("act", "act-deep"),
    "act": ("paper", "sheet", "sky"),
    "act-deep": ("paper", "sheet", "tell-ground"),
    "warm": ("paper", "sheet", "sky"),
    "good": ("good-ground", "paper", "sheet"),
    "warn": ("warn-ground", "paper", "sheet"),
    "bad": ("bad-ground", "paper", "sheet"),
    "on-night": ("night",),
    "on-night-soft": ("night",),
}
# Borders of fields, rings of focus, marks that say something.
MARKS = {
    "edge": ("paper", "sheet"),
    "focus": ("paper", "sheet", "sky", "quiet", "tell-ground"),
    "warm": ("quiet", "sheet", "paper"),
    "act": ("paper", "sheet", "quiet", "tell-ground"),
    "bad": ("sheet", "paper"),
}


def tokens() -> dict[str, tuple[str, str]]:
    """Each colour by its name: in the light, in the dark."""
    text = (ROOT / "static" / "css" / "tokens.css").read_text(encoding="utf-8")
    return {name: (light, dark) for name, light, dark in _TOKEN.findall(text)}


def pairs(listed: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(front, ground) for front, grounds in listed.items() for ground in grounds]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("front", "ground"), pairs(WORDS))
def test_words_can_be_read(front: str, ground: str, scheme: str) -> None:
    known, number = tokens(), SCHEMES.index(scheme)

    assert contrast(known[front][number], known[ground][number]) >= TEXT


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("front", "ground"), pairs(MARKS))
def test_marks_can_be_seen(front: str, ground: str, scheme: str) -> None:
    known, number = tokens(), SCHEMES.index(scheme)

    assert contrast(known[front][number], known[ground][number]) >= PARTS


def test_every_colour_of_words_is_in_the_list() -> None:
    """Whatever a style sheet writes words in is tried here: decoration and covers are not words."""
    sheets = [path.read_text(encoding="utf-8") for path in (ROOT / "static" / "css").glob("*.css")]
    written = {name for text in sheets for name in re.findall(r"(?<![-\w])color: var\(--([a-z0-9-]+)\)", text)}

    assert written - set(WORDS) == set()


def test_covers_are_no_ground_for_words() -> None:
    text = (ROOT / "static" / "css" / "parts.css").read_text(encoding="utf-8")

    assert re.findall(r"(?<![-\w])color: var\(--(?:stock|print)", text) == []
