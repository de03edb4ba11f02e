"""Whether a file can be a film, by its first bytes."""

import pytest

from recordings import kinds
from tests.recordings.test_storage import DEMO, mp4, webm

PACKETS = b"".join(b"\x47" + bytes(187) for _ in range(5))


@pytest.mark.parametrize(
    "head",
    [
        (DEMO / "film.mp4").read_bytes()[:64],
        mp4(),
        webm(),
        b"\0\0\0\x14ftypqt  " + bytes(60),
        b"\0\0\0\x14ftypM4A " + bytes(60),
        b"\0\0\0\x08wide" + bytes(60),
        b"RIFF\0\0\0\0AVI LIST",
        b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + bytes(60),
        b"\x00\x00\x01\xba" + bytes(60),
        PACKETS,
        b"".join(bytes(4) + b"\x47" + bytes(187) for _ in range(5)),
    ],
)
def test_films_are_taken(head: bytes) -> None:
    kinds.check(head)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"x" * kinds.ENOUGH,
        b"\xff\xfb" + bytes(100),
        b"%PDF-1.7",
        b"PK\x03\x04" + bytes(60),
        b"RIFF\0\0\0\0WAVEfmt ",
        b"<!doctype html>",
        b"\x47" + bytes(600),
        b"G" * 10,
        b"\0\0\0\x14ftypM4B " + bytes(60),
    ],
)
def test_what_is_no_film_is_refused_in_plain_words(head: bytes) -> None:
    with pytest.raises(kinds.NotAFilm) as refused:
        kinds.check(head)
    assert "Nothing was kept. Please" in refused.value.message
