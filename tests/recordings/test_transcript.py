"""The transcript: captions as a text beside the film."""

import io

import pytest
from flask import Flask

from lib import clock, db
from recordings import captions, publishing, storage, transcript
from recordings.transcript import Line
from tests.page import PageClient, main_text
from tests.recordings.showing import a_film, a_recorded_workshop, address, booked, published

VTT = b"""WEBVTT

NOTE not said

1
00:00:01.000 --> 00:00:04.000 align:start
<v Marin Fabrica>When I say <i>pacing</i>,

00:00:04.500 --> 00:00:07.000
<v Marin Fabrica>I do not mean slow &amp; careful.

00:00:07.000 --> 00:00:09.000
<v Marin Fabrica>I mean <00:00:08.000>matched.

01:00:20.000 --> 01:00:24.000
<v Jo>And <script>pacing</script>
"""


def test_cues_become_sentences_and_name_who_begins_to_speak() -> None:
    assert transcript.lines(captions.clean(VTT)) == [
        Line(1, 7, "Marin Fabrica", "When I say pacing, I do not mean slow & careful."),
        Line(7, 9, "", "I mean matched."),
        Line(3620, 3624, "Jo", "And pacing"),
    ]


@pytest.mark.parametrize(
    ("second", "said", "joined"),
    [
        ("00:03.000 --> 00:05.000", "and goes on", True),
        ("00:09.000 --> 00:10.000", "after a pause", False),
        ("00:03.000 --> 00:05.000", "x" * 220, False),
        ("00:03.000 --> 00:05.000", "<v Jo>says another", False),
    ],
)
def test_a_line_goes_on_until_something_ends_it(second: str, said: str, joined: bool) -> None:
    vtt = f"WEBVTT\n\n00:01.000 --> 00:03.000\nIt begins\n\n{second}\n{said}\n"

    assert len(transcript.lines(vtt)) == (1 if joined else 2)


def test_what_is_looked_for_is_found_in_any_letter_case() -> None:
    lines = transcript.lines(captions.clean(VTT))

    assert [each.at for each in transcript.matching(lines, "PACING")] == [1, 3620]
    assert [each.at for each in transcript.matching(lines, "jo")] == [3620]
    assert transcript.pieces("Pacing is pacing (.*)", "pacing") == [
        ("Pacing", True),
        (" is ", False),
        ("pacing", True),
        (" (.*)", False),
    ]
    assert transcript.pieces("a (.*) b", "(.*)") == [("a ", False), ("(.*)", True), (" b", False)]
    assert transcript.pieces("as it is", "") == [("as it is", False)]


@pytest.fixture
def page(app: Flask) -> str:
    slug = a_recorded_workshop(app)
    made = booked(app, slug)
    kept = a_film(app, slug, seconds=4000)
    with app.app_context():
        key, _ = storage.keep(io.BytesIO(captions.clean(VTT).encode()))
        with db.writing():
            publishing.put_captions(kept.id, "en", "English", key, actor="user:1", now=clock.now())
    published(app, kept)
    return address(app, made, kept)


def test_the_page_finds_and_jumps_without_scripts(client: PageClient, page: str) -> None:
    whole = client.get(page)
    assert f'href="{page}?t=3620" data-at="3620"' in whole.get_data(as_text=True)
    assert "1:00:20 Jo: And pacing" in main_text(whole)

    found = client.get(f"{page}?find=pacing&t=7")
    assert f'src="{page}/media#t=7"' in found.get_data(as_text=True)
    assert f'href="{page}?t=1&amp;find=pacing"' in found.get_data(as_text=True)
    assert found.get_data(as_text=True).count("<mark>pacing</mark>") == 2
    assert "2 lines with “pacing”. Show everything" in main_text(found)
    assert "I mean matched." not in main_text(found)
    assert "No lines with “<b>”." in main_text(client.get(f"{page}?find=<b>"))


@pytest.mark.parametrize("asked", ["?t=-5", "?t=x", "?t=99999999999", "?t=٣", "?language=xx&size=huge", "?find=%00%0A"])
def test_an_odd_address_is_a_plain_page(client: PageClient, page: str, asked: str) -> None:
    answer = client.get(f"{page}{asked}")

    assert answer.status_code == 200
    assert f'src="{page}/media"' in answer.get_data(as_text=True)


def test_the_film_is_there_when_its_captions_are_lost(app: Flask, client: PageClient, page: str) -> None:
    with app.app_context():
        for file in storage.folder().iterdir():
            if file.is_file() and file.read_bytes().startswith(b"WEBVTT"):
                file.unlink()
    answer = client.get(page)

    assert answer.status_code == 200
    assert "Transcript" not in main_text(answer)
