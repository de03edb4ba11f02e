"""Bytes on their way in: what has come stays, in its order, whoever sends it and whatever breaks."""

import errno
import hashlib
import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recordings import arriving, kinds, tus, uploads
from tests.recordings.test_storage import webm

BODY = webm() + random.Random(5).randbytes(300_000)
LENGTH = len(BODY)


@pytest.fixture
def name(instance: Path) -> str:
    made = uploads.new_name()
    arriving.make(made, LENGTH)
    return made


def cut(body: bytes, *sizes: int) -> Iterator[bytes]:
    at = 0
    for size in sizes:
        yield body[at : at + size]
        at += size


@given(st.lists(st.integers(1, 60_000), max_size=20))
@settings(max_examples=25)
def test_whatever_the_pieces_the_bytes_are_the_same(instance: Path, sizes: list[int]) -> None:
    name = uploads.new_name()
    arriving.make(name, LENGTH)
    at = 0
    for size in [*sizes, LENGTH]:
        at = arriving.append(name, at, LENGTH, iter([BODY[at : at + size]]))
    assert arriving.path(name).read_bytes() == BODY
    assert arriving.path(name).stat().st_mode & 0o077 == 0
    arriving.forget(name)


def test_a_line_that_breaks_keeps_what_has_come(name: str) -> None:
    def broken() -> Iterator[bytes]:
        yield BODY[:1000]
        raise OSError(errno.ECONNRESET, "the line broke")

    with pytest.raises(OSError):
        arriving.append(name, 0, LENGTH, broken())
    assert arriving.size(name) == 1000


@pytest.mark.parametrize("offset", [0, 999, 1001])
def test_only_the_end_of_the_file_takes_more(name: str, offset: int) -> None:
    arriving.append(name, 0, LENGTH, [BODY[:1000]])
    with pytest.raises(tus.OffsetConflict):
        arriving.append(name, offset, LENGTH, [b"other"])
    assert arriving.path(name).read_bytes() == BODY[:1000]


def test_one_byte_too_many_is_refused_and_what_came_before_stays(name: str) -> None:
    with pytest.raises(tus.TooMuch):
        arriving.append(name, 0, LENGTH, [BODY[:-1], b"xy"])
    assert arriving.size(name) == LENGTH - 1


def test_of_two_senders_one_goes_on_and_the_other_is_told(name: str) -> None:
    """The first one's line is dead for all we know: who comes back is not kept waiting for it."""
    is_stalled, goes_on = threading.Event(), threading.Event()
    told: list[Exception] = []

    def slow() -> Iterator[bytes]:
        yield BODY[:1000]
        is_stalled.set()
        assert goes_on.wait(20)
        yield BODY[1000:2000]

    def first() -> None:
        try:
            arriving.append(name, 0, LENGTH, slow())
        except tus.OffsetConflict as refusal:
            told.append(refusal)

    thread = threading.Thread(target=first)
    thread.start()
    assert is_stalled.wait(20)
    arriving.append(name, arriving.size(name), LENGTH, [BODY[1000:]])
    goes_on.set()
    thread.join(20)
    assert len(told) == 1
    assert arriving.path(name).read_bytes() == BODY


def test_many_senders_at_once_never_mix_their_bytes(name: str) -> None:
    start = threading.Barrier(4)

    def sender() -> None:
        start.wait(20)
        while (at := arriving.size(name)) < LENGTH:
            try:
                arriving.append(name, at, LENGTH, [BODY[n : n + 777] for n in range(at, min(at + 5000, LENGTH), 777)])
            except (tus.OffsetConflict, tus.TooMuch):
                continue

    threads = [threading.Thread(target=sender) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert arriving.path(name).read_bytes() == BODY


def test_what_begins_like_no_film_is_refused_after_its_first_bytes(name: str) -> None:
    came = []

    def text() -> Iterator[bytes]:
        for number in range(100):
            came.append(number)
            yield b"x" * 16_384

    with pytest.raises(kinds.NotAFilm):
        arriving.append(name, 0, 100 * 16_384, text())
    assert len(came) * 16_384 == kinds.ENOUGH


def test_a_short_file_is_looked_at_when_it_is_whole(name: str) -> None:
    assert arriving.append(name, 0, 10, [b"x" * 9]) == 9
    with pytest.raises(kinds.NotAFilm):
        arriving.append(name, 9, 10, [b"x"])


def test_a_full_disk_is_said_and_what_has_come_stays(name: str) -> None:
    arriving.path(name).unlink()
    arriving.path(name).symlink_to("/dev/full")  # a disk that is full, as the kernel says it
    with pytest.raises(arriving.DiskFull) as refused:
        arriving.append(name, 0, LENGTH, [BODY])
    assert "What has come is safe." in refused.value.message
    assert refused.value.status == 507


def test_a_film_that_could_not_fit_is_not_begun(instance: Path) -> None:
    other = uploads.new_name()
    with pytest.raises(arriving.DiskFull) as refused:
        arriving.make(other, 2**60)
    assert "Nothing was sent." in refused.value.message
    assert not arriving.path(other).exists()


@pytest.mark.parametrize("algorithm", tus.ALGORITHMS)
def test_a_piece_with_its_checksum_is_added_whole_or_not_at_all(name: str, algorithm: str) -> None:
    right = hashlib.new(algorithm, BODY[:5000]).digest()
    with pytest.raises(tus.ChecksumWrong) as refused:
        arriving.append_checked(name, 0, LENGTH, cut(BODY, 4000, 999), (algorithm, right))
    assert (refused.value.status, arriving.size(name)) == (460, 0)
    assert arriving.append_checked(name, 0, LENGTH, cut(BODY, 4000, 1000), (algorithm, right)) == 5000
    assert [each.name for each in arriving.folder().glob(f"{name}*")] == [name]


def test_nothing_but_a_name_leads_to_a_file() -> None:
    for wrong in ("", "../x", "A" * 32, "0" * 31, "0" * 32 + ".part"):
        with pytest.raises(ValueError):
            arriving.path(wrong)


def test_a_second_name_outlives_the_first(name: str) -> None:
    arriving.append(name, 0, LENGTH, [BODY])
    other = arriving.second_name(name)
    os.rename(other, other.with_suffix(".moved"))
    assert arriving.path(name).read_bytes() == other.with_suffix(".moved").read_bytes()
    other.with_suffix(".moved").unlink()
