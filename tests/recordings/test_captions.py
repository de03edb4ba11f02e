"""Captions are read strictly and written again cleanly."""

import pytest

from recordings import captions

CUES = """00:00:01.000 --> 00:00:04.000
Welcome.

two
01:00:05.500 --> 01:00:08.000 align:start line:0
<v Ann>Pacing is <i>matched</i>,
not slow.
"""


def test_cues_are_kept_and_the_rest_is_dropped() -> None:
    text = "\ufeffWEBVTT - made by hand\nKind: captions\n\nSTYLE\n::cue { color: red }\n\nNOTE by\nsomebody\n\n" + CUES

    assert captions.clean(text.replace("\n", "\r\n").encode()) == f"WEBVTT\n\n{CUES}"


def test_a_cue_without_words_is_dropped() -> None:
    body = b"WEBVTT\n\n00:01.000 --> 00:02.000\n\n00:03.000 --> 00:04.000\nYes.\n"

    assert captions.clean(body) == "WEBVTT\n\n00:03.000 --> 00:04.000\nYes.\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "WEBVTT"),
        ("1\n00:00:01,000 --> 00:00:04,000\nSRT\n", "WEBVTT"),
        ("WEBVTTX\n\n" + CUES, "WEBVTT"),
        ("WEBVTT\n", "no cue"),
        ("WEBVTT\n\nNOTE nothing else\n", "no cue"),
        ("WEBVTT\n\n00:00:01,000 --> 00:00:04,000\nA comma.\n", "Line 3"),
        ("WEBVTT\n\nname\nno times\n", "Line 4"),
        ("WEBVTT\n\n00:00:04.000 --> 00:00:04.000\nNo time.\n", "ends before"),
        ("WEBVTT\n\n00:09.000 --> 00:10.000\nA.\n\n00:01.000 --> 00:02.000\nB.\n", "line 6 begins before"),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\nA.\n00:03.000 --> 00:04.000\nB.\n", "empty line is missing"),
        ("WEBVTT\n\n00:61.000 --> 00:02.000\nA.\n", "Line 3"),
    ],
)
def test_what_cannot_be_read_says_where(text: str, says: str) -> None:
    with pytest.raises(captions.CaptionsBroken, match=says):
        captions.clean(text.encode())


def test_another_encoding_is_refused() -> None:
    with pytest.raises(captions.CaptionsBroken, match="UTF-8"):
        captions.clean("WEBVTT\n\n00:01.000 --> 00:02.000\né\n".encode("latin-1"))
