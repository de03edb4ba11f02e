"""What a file is by its first bytes, and how long its film is by its index. Names and types sent along prove none."""

import struct
from dataclasses import dataclass
from typing import IO

from lib import web

MP4, WEBM = "video/mp4", "video/webm"
MOST_INDEX = 1024 * 1024  # how far into a WebM file its length is looked for
MOST_BOXES = 4096
SOUND_ONLY = (b"M4A ", b"M4B ", b"M4P ")
LONGEST_SECONDS = 48 * 60 * 60


class NoFilm(web.Refusal):
    """A file that browsers do not play as a film."""

    status = 422
    refusal = "no_film"
    title = "This file is not a film we can show"


@dataclass(frozen=True)
class Film:
    """A film that can be played: `seconds` is 0 where it does not say.

    `small` and `poster` are keys in the store or '', `chapters` are in its own times, `kept` are the stretches of the
    whole film that it holds, none where it is all of it.
    """

    content_type: str
    seconds: int
    small: str = ""
    poster: str = ""
    chapters: tuple[tuple[int, str], ...] = ()
    kept: tuple[tuple[int, int], ...] = ()


def look(file: IO[bytes]) -> Film:
    """Read a film's kind and length. Raises NoFilm with a sentence for whoever sent it."""
    file.seek(0)
    head = file.read(64)
    if head[4:8] == b"ftyp" and head[8:12] not in (b"qt  ", *SOUND_ONLY):
        seconds = _mp4_seconds(file)
        if seconds is None or _is_cut_off(file):
            raise NoFilm(
                "It begins like an MP4 film but is not whole, so it was perhaps cut off on its way. Nothing was kept. "
                "Please export it again and upload it once more."
            )
        return Film(MP4, seconds)
    if head[:4] == b"\x1a\x45\xdf\xa3" and b"webm" in head:
        return Film(WEBM, _webm_seconds(file))
    raise NoFilm("We can show MP4 (H.264) and WebM films. Please export it as one of these and upload it again.")


def _mp4_seconds(file: IO[bytes]) -> int | None:
    """The length in `moov/mvhd` (ISO/IEC 14496-12 8.2.2), in whole seconds, rounded up; None without a whole `moov`."""
    file.seek(0, 2)
    moov = _box(file, b"moov", 0, file.tell())
    mvhd = _box(file, b"mvhd", *moov) if moov else None
    if mvhd is None:
        return None
    file.seek(mvhd[0])
    body = file.read(32)
    # A full box: version and flags, then two times of 4 or 8 bytes, the time scale and the length.
    form, at = (">IQ", 20) if body[:1] == b"\x01" else (">II", 12)
    if len(body) < at + struct.calcsize(form):
        return None
    scale, length = struct.unpack_from(form, body, at)
    return _whole(length, scale)


def _is_cut_off(file: IO[bytes]) -> bool:
    """Whether the file ends inside one of its outermost boxes: an index at the front outlives the loss of the film."""
    end = file.seek(0, 2)
    at = 0
    for _ in range(MOST_BOXES):
        if end - at < 8:
            break
        found = _box(file, _kind(file, at), at, end)
        if found is None:
            return True
        at = found[1]
    return False


def _kind(file: IO[bytes], at: int) -> bytes:
    file.seek(at + 4)
    return file.read(4)


def _whole(length: int, scale: int) -> int | None:
    if not scale or not length:
        return None
    return min(-(-length // scale), LONGEST_SECONDS)


def _box(file: IO[bytes], kind: bytes, start: int, end: int) -> tuple[int, int] | None:
    """Where the contents of the first box of a kind between two places begin and end."""
    at = start
    for _ in range(MOST_BOXES):
        file.seek(at)
        head = file.read(16)
        if len(head) < 8 or at + 8 > end:
            return None
        size, header = int.from_bytes(head[:4], "big"), 8
        if size == 1:
            size, header = int.from_bytes(head[8:16], "big"), 16
        size = size or end - at
        if size < header or at + size > end:
            return None
        if head[4:8] == kind:
            return at + header, at + size
        at += size
    return None


def _webm_seconds(file: IO[bytes]) -> int:
    """Duration times TimestampScale of the Info element (RFC 9559 5.1.2), in whole seconds; 0 when unsaid."""
    file.seek(0)
    start = file.read(MOST_INDEX)
    info = start.find(b"\x15\x49\xa9\x66")
    if info < 0:
        return 0
    inside = start[info + 4 : info + 4 + 4096]
    scale_at, length_at = inside.find(b"\x2a\xd7\xb1"), inside.find(b"\x44\x89")
    scale = 1_000_000
    if scale_at >= 0 and 0x80 < inside[scale_at + 3] <= 0x88:
        width = inside[scale_at + 3] - 0x80
        scale = int.from_bytes(inside[scale_at + 4 : scale_at + 4 + width], "big")
    form = {0x84: ">f", 0x88: ">d"}.get(inside[length_at + 2]) if length_at >= 0 else None
    if form is None or len(inside) < length_at + 3 + struct.calcsize(form):
        return 0
    (ticks,) = struct.unpack_from(form, inside, length_at + 3)
    nanoseconds = ticks * scale
    if not 0 < nanoseconds < LONGEST_SECONDS * 10**9:
        return 0
    return -(-int(nanoseconds) // 10**9)
