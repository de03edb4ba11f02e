"""Films on disk: whole or not at all, under keys that nobody can guess."""

import io
import math
import struct
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from demo import film as demo_film
from demo.film import files
from recordings import captions, ffmpeg, probing, storage
from recordings.ranges import Piece
from recordings.streams import CHUNK, Ending

DEMO = Path(demo_film.__file__).parent


class Endless(io.RawIOBase):
    """A stream that never ends and says how much was asked of it."""

    asked = 0

    def read(self, size: int = -1) -> bytes:
        self.asked += size
        return b"x" * size


@pytest.fixture
def store(app: Flask) -> Iterator[None]:
    """The application's store: the folder."""
    with app.app_context():
        yield


def kept_files() -> set[str]:
    return {each.name for each in storage.folder().iterdir()} if storage.folder().exists() else set()


def test_what_is_kept_comes_back(store: None) -> None:
    body = bytes(range(256)) * 4096
    key, size = storage.keep(io.BytesIO(body))

    assert (size, storage.path(key).read_bytes()) == (len(body), body)
    assert storage.path(key).stat().st_mode & 0o077 == 0
    assert storage.folder().stat().st_mode & 0o077 == 0
    assert storage.size(key) == len(body)
    assert b"".join(storage.read(key)) == body
    assert b"".join(storage.read(key, Piece(300_000, 900_000))) == body[300_000:900_001]
    with storage.local(key) as file:
        assert file.read_bytes() == body
    other, _ = storage.keep(io.BytesIO(body))
    assert storage.etag(key) != storage.etag(other)
    assert key not in storage.etag(key)
    storage.forget([key, other, key])
    assert not {key, other} & kept_files()


def test_a_finished_file_moves_into_the_store(store: None, tmp_path: Path) -> None:
    made = tmp_path / "made.mp4"
    made.write_bytes(b"a film")
    key = storage.adopt(made)

    assert (b"".join(storage.read(key)), made.exists()) == (b"a film", False)
    assert storage.path(key).stat().st_mode & 0o077 == 0
    storage.forget([key])
    with pytest.raises(FileNotFoundError), storage.local(key):
        pass


def test_too_much_is_refused_as_soon_as_it_is_too_much(store: None) -> None:
    before = kept_files()
    stream = Endless()

    with pytest.raises(storage.TooLarge):
        storage.keep(stream, 1024 * 1024)  # type: ignore[arg-type]  # it reads, and that is all that is asked of it
    assert stream.asked <= 1024 * 1024 + CHUNK
    assert kept_files() == before


def test_a_stream_that_breaks_leaves_nothing(store: None) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError("the sender went away")

    before = kept_files()
    with pytest.raises(OSError, match="went away"):
        storage.keep(Broken())
    assert kept_files() == before


def test_what_has_begun_ends_with_its_time(store: None, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("recordings.streams.time.monotonic", lambda: now)
    key, _ = storage.keep(io.BytesIO(bytes(3 * CHUNK)))
    body = storage.read(key)
    sent = Ending(body, timedelta(seconds=10))
    assert len(next(sent)) == CHUNK
    now = 9.9
    assert len(next(sent)) == CHUNK
    now = 10.0
    assert list(sent) == []
    with pytest.raises(ValueError, match="closed"):
        body.source.read(1)
    storage.forget([key])


@pytest.mark.parametrize("key", ["", "../settings.env", "x" * 32, "A" * 32, "0" * 31, "0" * 32 + "\n"])
def test_what_is_no_key_is_no_path(key: str) -> None:
    with pytest.raises(ValueError):
        storage.path(key)


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body


def mp4(brand: bytes = b"isom", *, scale: int = 1000, length: int = 191_500, is_long: bool = False) -> bytes:
    times = (
        struct.pack(">B3xQQIQ", 1, 0, 0, scale, length) if is_long else struct.pack(">B3xIIII", 0, 0, 0, scale, length)
    )
    head = box(b"ftyp", brand + b"\0\0\2\0" + brand)
    return head + box(b"mdat", b"x" * 5000) + box(b"moov", box(b"mvhd", times + b"\0" * 80))


def webm(doctype: bytes = b"webm", info: bytes = b"") -> bytes:
    return b"\x1a\x45\xdf\xa3\x9f\x42\x82" + bytes([0x80 + len(doctype)]) + doctype + b"\x18\x53\x80\x67" + info


def test_the_demo_s_film_is_one_with_captions_and_small() -> None:
    found = probing.facts(ffmpeg.look(files.FILM))
    assert (math.ceil(found.seconds), found.picture) == (files.SECONDS, "h264")
    assert files.FILM.stat().st_size < 300_000
    assert captions.clean(files.CAPTIONS.read_bytes()).count("-->") == 8
