"""The letters themselves: both forms say the same, and neither believes what people type."""

import re
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import pytest
from flask import Flask
from jinja2 import UndefinedError

from mail import render
from mail.compose import Parts
from mail.models import Letter
from tests.mail.values import LATER, LINE, VALUES, values_of

EVIL = '<a href="https://evil.example">Reset your password</a>'
TEMPLATES = sorted(VALUES)


def rendered(app: Flask, template: str, **changes: Any) -> Parts:
    with app.app_context():
        letter = Letter(
            template=template, values=values_of(template, **changes), to_email="ines@carraway.example", reply_to="a@b.c"
        )
        return render.parts(letter)


def tree(html: str) -> Element:
    root = html5lib.HTMLParser(namespaceHTMLElements=False).parse(html)
    assert isinstance(root, Element)
    return root


def said(html: str) -> str:
    """What a reader of the HTML sees, as one line."""
    body = tree(html).find("body")
    assert body is not None
    seen = " ".join("".join(each.itertext()) for each in body if each.get("aria-hidden") != "true")
    return " ".join(seen.split())


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)


@pytest.mark.parametrize("template", TEMPLATES)
def test_both_forms_say_everything(app: Flask, template: str) -> None:
    parts = rendered(app, template)
    links = [each.get("href") for each in tree(parts.html).iter("a")]
    seen = said(parts.html)
    for text in texts(VALUES[template]):
        assert text in parts.text
        assert text in links if text.startswith("https://") else text.rstrip(".") in seen, text
    assert "ines@carraway.example" in parts.text
    assert "ines@carraway.example" in seen
    assert "\n\n\n" not in parts.text


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_letter_loads_nothing_and_has_one_heading_and_one_button(app: Flask, template: str) -> None:
    root = tree(rendered(app, template).html)
    assert root.get("lang") == "en-GB"
    assert len(list(root.iter("h1"))) == 1
    assert not [each for each in root.iter() if each.tag in ("img", "script", "link", "form", "iframe")]
    buttons = [each for each in root.iter("a") if each.get("class") == "l-act"]
    assert len(buttons) == (0 if template in ("organiser_notice", "my_links", "address_changed") else 1)
    for each in root.iter():
        names = (each.get("class") or "").split()
        assert not names or each.get("style") or names == ["l-total"], f"{each.tag} {names} has no style of its own"


@pytest.mark.parametrize("template", [each for each in TEMPLATES if "name" in VALUES[each]])
def test_mail_03_markup_in_a_name_is_text(app: Flask, template: str) -> None:
    parts = rendered(app, template, name=EVIL, subject=f"For {EVIL}")
    assert not [each for each in tree(parts.html).iter("a") if "evil" in (each.get("href") or "")]
    assert "&lt;a href=" in parts.html
    assert EVIL in said(parts.html)
    assert f"Dear {EVIL}," in parts.text
    assert parts.subject == f"For {EVIL}"


def test_each_session_stands_once_as_one_piece_of_text(app: Flask) -> None:
    parts = rendered(app, "confirmed")
    pieces = [text.strip() for text in tree(parts.html).itertext()]
    for line in (LINE, LATER):
        assert pieces.count(line) == 1
        assert [text.strip() for text in parts.text.splitlines()].count(line) == 1
    assert "First session: Friday 14 March 2025 in London" in parts.text


def test_a_confirmation_says_only_what_is_so(app: Flask) -> None:
    parts = rendered(
        app,
        "confirmed",
        booker_name=None,
        catch_up=None,
        shared_address=False,
        session_count=1,
        sessions=[{"title": None, "line": LINE, "lines": []}],
        presenters="Dr Marsh",
    )
    for text in (parts.text, said(parts.html)):
        assert "booked it for you" not in text
        assert "miss it" not in text.lower()
        assert "this address too" not in text
        assert "First session" not in text
        assert "With Dr Marsh." in text
        assert "The attached invitation puts it in your calendar" in text
        assert "None" not in text


def test_a_long_course_points_to_the_page_instead_of_further_letters(app: Flask) -> None:
    assert "Your place's page has all of them" in rendered(app, "confirmed", session_count=13).text
    assert "follows in a short letter" in rendered(app, "confirmed", session_count=12).text


def test_a_receipt_for_nothing_says_so(app: Flask) -> None:
    assert "There was nothing to pay." in rendered(app, "receipt", paid_by="nothing to pay").text


def test_links_of_an_address_without_any(app: Flask) -> None:
    parts = rendered(app, "my_links", places=[], bookings=[], waiting=[], name="")
    assert "no booking and no place under this address" in parts.text
    assert parts.text.startswith("Hello,")


def test_a_missing_value_is_an_error_and_no_gap(app: Flask) -> None:
    with app.app_context(), pytest.raises(UndefinedError):
        render.parts(Letter(template="awaiting_bank", values={"subject": "x", "name": "y"}, to_email="a@b.c"))


@pytest.mark.parametrize("template", TEMPLATES)
def test_no_letter_promises_a_person_where_no_answer_goes(app: Flask, template: str) -> None:
    with app.app_context():
        parts = render.parts(Letter(template=template, values=values_of(template), to_email="a@b.c"))
    assert not re.search("Answer it", parts.text + parts.html)


# What each of these was told later than it was first written: letters that wait while a house is brought up to date
# have their values from before.
ADDED = {
    "my_links": ("waiting",),
    "cancelled_booking": ("stays", "credited"),
    "credit_kept": ("credit_url",),
    "receipt": ("receipt_number", "receipt_url", "gets"),
}


@pytest.mark.parametrize("template", sorted(ADDED))
def test_a_letter_from_before_an_upgrade_still_reads(
    app: Flask, template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set(ADDED[template]) <= set(VALUES[template])
    before = {name: value for name, value in VALUES[template].items() if name not in ADDED[template]}
    monkeypatch.setitem(VALUES, template, before)

    assert rendered(app, template).text
