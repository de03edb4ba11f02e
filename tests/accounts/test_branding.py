"""An organiser's colour and logo: everybody can see the band, and read what stands on it."""

import colorsys
import re
from fractions import Fraction

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from accounts import branding
from tests.builders import a_presenter, a_workshop, an_organiser, arranged
from tests.page import PageClient

HOSTILE = (
    "#ff0000", "#00ff00", "#0000ff", "#ffff00", "#00ffff", "#ff00ff", "#767676", "#777777", "#808080", "#7f7f7f",
    "#ff7f00", "#747474", "#757575", "#000000", "#ffffff", "#127694",
)  # fmt: skip


@pytest.mark.parametrize("band", HOSTILE)
def test_words_on_any_band_can_be_read(band: str) -> None:
    assert branding.contrast(band, branding.words_on(band)) >= Fraction("4.5")


@given(st.integers(0, 0xFFFFFF))
def test_words_on_every_band_can_be_read(number: int) -> None:
    band = f"#{number:06x}"

    assert branding.contrast(band, branding.words_on(band)) >= Fraction("4.5")


def test_every_hue_has_a_colour_that_is_taken() -> None:
    for hue in range(0, 360, 10):
        shades = (colorsys.hls_to_rgb(hue / 360, light / 100, 0.6) for light in range(10, 90, 2))
        colours = ("#" + "".join(f"{round(part * 255):02x}" for part in each) for each in shades)
        assert any(_is_taken(each) for each in colours), hue


def _is_taken(colour: str) -> bool:
    try:
        return branding.colour(colour) == colour
    except branding.ColourRefused:
        return False


@pytest.mark.parametrize("typed", ["#ffffff", "#000000", "#ffff00", "#0f6c8a", "#00002a"])
def test_a_colour_that_vanishes_is_refused_with_its_ratio(typed: str) -> None:
    with pytest.raises(branding.ColourRefused, match=r"contrast of [12]\.\d\d:1"):
        branding.colour(typed)


@pytest.mark.parametrize("typed", ["red", "#12769", "#127694;}", "url(x)", "#127694 /*", "javascript:1", "#12769g"])
def test_what_is_no_colour_never_reaches_the_sheet(typed: str) -> None:
    with pytest.raises(branding.ColourRefused, match="six figures"):
        branding.colour(typed)


def test_the_example_that_is_given_is_taken() -> None:
    with pytest.raises(branding.ColourRefused) as refused:
        branding.colour("pink")

    (example,) = re.findall(r"#[0-9a-f]{6}", str(refused.value))
    assert branding.colour(example) == example


def test_the_page_of_an_organiser_wears_its_colour_and_its_logo(app: Flask, client: PageClient) -> None:
    with arranged(app):
        slug = an_organiser().slug
        a_workshop(presenters=[a_presenter(name="Dr Ines Marsh")])
    plain = client.get(f"/organisers/{slug}").get_data(as_text=True)
    with arranged(app):
        an_organiser().colour, an_organiser().logo = "#127694", "0" * 32 + ".png"
    page = client.get(f"/organisers/{slug}").get_data(as_text=True)

    assert "colours.css" not in plain
    assert "<img" not in plain
    assert f'<link rel="stylesheet" href="/organisers/{slug}/colours.css">' in page
    assert f'src="/organisers/{slug}/logo" alt="Olu Trains"' in page
    assert "colours.css" not in client.get(f"/presenters/{slug}/dr-ines-marsh").get_data(as_text=True)


def test_the_sheet_is_sent_once(app: Flask, client: PageClient) -> None:
    with arranged(app):
        an_organiser().colour = "#127694"
    first = client.get("/organisers/olu-trains/colours.css")
    again = client.get("/organisers/olu-trains/colours.css", headers={"If-None-Match": first.headers["ETag"]})
    with arranged(app):
        an_organiser().colour = "#b0553a"
    other = client.get("/organisers/olu-trains/colours.css", headers={"If-None-Match": first.headers["ETag"]})

    assert (first.status_code, again.status_code, other.status_code) == (200, 304, 200)
    assert again.data == b""
    assert "background: #b0553a; color: #ffffff" in other.get_data(as_text=True)
