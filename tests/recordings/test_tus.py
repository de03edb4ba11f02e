"""The rules of the tus protocol 1.0.0, as a table: what a header may say, and what is answered to one that may not."""

import base64
import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib import web
from recordings import tus

MOST = 6 * 1024**3
CHUNK = {"Content-Type": tus.BODY, "Upload-Offset": "0", "Content-Length": "5"}


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


NAMED = f"filename {b64('Séance 1.mp4'.encode())}"


@pytest.mark.parametrize("said", [{}, {"Tus-Resumable": "0.2.2"}, {"Tus-Resumable": "1.0"}, {"Tus-Resumable": ""}])
def test_another_version_is_refused(said: dict[str, str]) -> None:
    with pytest.raises(tus.VersionUnknown) as refused:
        tus.check_version(said)
    assert refused.value.status == 412


def test_our_version_is_taken() -> None:
    tus.check_version({"Tus-Resumable": "1.0.0"})


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 400),
        ({"Upload-Length": ""}, 400),
        ({"Upload-Length": "-1"}, 400),
        ({"Upload-Length": "+1"}, 400),
        ({"Upload-Length": "1e3"}, 400),
        ({"Upload-Length": "٣"}, 400),
        ({"Upload-Length": "9" * 19}, 400),
        ({"Upload-Length": "0"}, 400),
        ({"Upload-Length": "5", "Upload-Defer-Length": "1"}, 400),
        ({"Upload-Length": str(MOST + 1)}, 413),
        ({"Upload-Length": "5", "Upload-Metadata": "filename !!!"}, 400),
        ({"Upload-Length": "5", "Upload-Metadata": f"filename {b64(bytes([255]))}"}, 400),
        ({"Upload-Length": "5", "Upload-Metadata": f"{NAMED},{NAMED}"}, 400),
        ({"Upload-Length": "5", "Upload-Metadata": f"{NAMED},"}, 400),
        ({"Upload-Length": "5", "Upload-Metadata": f"position {b64(b'0')}"}, 400),
        ({"Upload-Length": "5", "Upload-Metadata": f"position {b64(b'100')}"}, 400),
    ],
)
def test_what_cannot_begin(headers: dict[str, str], status: int) -> None:
    with pytest.raises(web.Refusal) as refused:
        tus.creation(headers, MOST)
    assert refused.value.status == status
    assert refused.value.message.endswith(".")


@pytest.mark.parametrize(
    ("headers", "begun"),
    [
        ({"Upload-Length": "1"}, tus.Creation(1, "", 1)),
        ({"Upload-Length": str(MOST), "Upload-Metadata": ""}, tus.Creation(MOST, "", 1)),
        ({"Upload-Length": "5", "Upload-Metadata": NAMED}, tus.Creation(5, "Séance 1.mp4", 1)),
        ({"Upload-Length": "5", "Upload-Metadata": f"{NAMED}, position Mg==, x"}, tus.Creation(5, "Séance 1.mp4", 2)),
    ],
)
def test_what_begins(headers: dict[str, str], begun: tus.Creation) -> None:
    assert tus.creation(headers, MOST) == begun


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"Content-Type": "video/mp4"}, 415),
        ({"Content-Type": ""}, 415),
        ({"Upload-Offset": ""}, 400),
        ({"Upload-Offset": "-1"}, 400),
        ({"Content-Length": "many"}, 400),
        ({"Upload-Checksum": "md5 xxxx"}, 400),
        ({"Upload-Checksum": "sha1 !"}, 400),
        ({"Upload-Checksum": ""}, 400),
    ],
)
def test_what_is_no_piece(changed: dict[str, str], status: int) -> None:
    with pytest.raises(web.Refusal) as refused:
        tus.chunk({**CHUNK, **changed})
    assert refused.value.status == status


def test_a_piece_says_what_it_is() -> None:
    digest = hashlib.sha256(b"x").digest()
    assert tus.chunk(CHUNK) == tus.Chunk(0, 5, None)
    assert tus.chunk({"Content-Type": f"{tus.BODY}; x=y", "Upload-Offset": "7"}) == tus.Chunk(7, None, None)
    checked = tus.chunk({**CHUNK, "Upload-Checksum": f"sha256 {b64(digest)}"})
    assert checked.checksum == ("sha256", digest)


@pytest.mark.parametrize(
    ("offset", "length", "has", "refusal"),
    [
        (0, 5, 0, None),
        (3, 2, 3, None),
        (5, 0, 5, None),
        (3, None, 3, None),
        (0, 5, 3, tus.OffsetConflict),
        (4, 1, 3, tus.OffsetConflict),
        (3, 3, 3, tus.TooMuch),
        (5, 1, 5, tus.TooMuch),
    ],
)
def test_a_piece_fits_where_the_file_ends_and_nowhere_else(offset: int, length: Any, has: int, refusal: Any) -> None:
    piece = tus.Chunk(offset, length, None)
    if refusal is None:
        tus.check_place(piece, has, 5)
    else:
        with pytest.raises(refusal):
            tus.check_place(piece, has, 5)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,9}", fullmatch=True), st.text(max_size=20), max_size=4))
def test_what_is_written_is_read_again(said: dict[str, str]) -> None:
    assert tus.metadata(tus.written(said)) == said


@pytest.mark.parametrize(
    ("number", "said"), [(1, "1 kB"), (1024**2, "1 MB"), (6 * 1024**3, "6 GB"), (int(1.25 * 1024**3), "1.3 GB")]
)
def test_sizes_are_said_as_people_say_them(number: int, said: str) -> None:
    assert tus.size(number) == said
