"""Whether a file can be a film at all, by how it begins. The worker looks closer once all of it has come.

Sound alone, as Zoom makes it (M4A), is taken too.
"""

from lib import web

ENOUGH = 64 * 1024  # bytes from which a film's container is known
_BOOKS = (b"M4B ", b"M4P ")
_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_MATROSKA = b"\x1a\x45\xdf\xa3"
_WINDOWS_MEDIA = b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"
_PROGRAM_STREAM = b"\x00\x00\x01\xba"
_PACKETS = (188, 192)  # bytes from one sync byte of a transport stream to the next (ISO/IEC 13818-1, and with times)


class NotAFilm(web.Refusal):
    """A file that begins as no film does."""

    status = 422
    refusal = "no_film"
    title = "This file is not a film we can show"


def check(head: bytes) -> None:
    """Raises NotAFilm for a file whose first bytes are no film's; up to ENOUGH of them are looked at."""
    if head[4:8] == b"ftyp" and head[8:12] in _BOOKS:
        raise NotAFilm("This file is an audiobook. Nothing was kept. Please choose the film of the session.")
    if not _is_film(head[:ENOUGH]):
        raise NotAFilm(
            "This file is not a film: we can use MP4, MOV, WebM, MKV and other films. Nothing was kept. Please export "
            "it as one of these, MP4 (H.264) is best, and upload it again."
        )


def _is_film(head: bytes) -> bool:
    return (
        head[4:8] in _BOXES
        or head.startswith((_MATROSKA, _WINDOWS_MEDIA, _PROGRAM_STREAM, b"FLV\x01", b"OggS"))
        or (head[:4] == b"RIFF" and head[8:12] == b"AVI ")
        or any(_is_transport_stream(head, size) for size in _PACKETS)
    )


def _is_transport_stream(head: bytes, size: int) -> bool:
    first = size - 188
    marks = head[first : first + 4 * size : size]
    return len(marks) == 4 and set(marks) == {0x47}
