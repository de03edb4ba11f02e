"""A stored file as an answer: exactly the bytes that were asked for, from disk in chunks."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO

from werkzeug.wrappers import Response

from recordings import ranges, storage
from recordings.ranges import Piece


def answer(file: Path, etag: str, content_type: str, method: str, headers: Mapping[str, str]) -> Response:
    """200, 206 with one piece or several, 304, 412 or 416. Raises OSError where the file is not there."""
    size = file.stat().st_size
    planned = ranges.plan(method, headers, size, etag)
    made = Response(status=planned.status, direct_passthrough=True)
    made.headers["ETag"] = etag
    made.headers["Accept-Ranges"] = "bytes"
    if planned.status == 416:
        made.headers["Content-Range"] = f"bytes */{size}"
    if planned.status not in (200, 206):
        return made
    pieces = planned.pieces or (Piece(0, size - 1),)
    if planned.status == 206 and len(pieces) == 1:
        made.headers["Content-Range"] = pieces[0].of(size)
    length, parts = (
        _several(pieces, size, content_type, made) if len(pieces) > 1 else (pieces[0].length, _one(pieces[0]))
    )
    if len(pieces) == 1:
        made.headers["Content-Type"] = content_type
    made.headers["Content-Length"] = str(length)
    if method == "HEAD":
        made.response = []
        return made
    made.response = Stream(file, parts)
    return made


class Stream:
    """The file's bytes as a server asks for them; open from the first one until it is closed."""

    def __init__(self, file: Path, parts: Callable[[IO[bytes]], Iterable[bytes]]) -> None:
        self.file = file.open("rb")
        self.parts = iter(parts(self.file))

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self.parts)
        except StopIteration:
            self.close()
            raise

    def close(self) -> None:
        self.file.close()


def _one(piece: Piece) -> Callable[[IO[bytes]], Iterable[bytes]]:
    return lambda file: storage.read(file, piece)


def _several(
    pieces: tuple[Piece, ...], size: int, content_type: str, made: Response
) -> tuple[int, Callable[[IO[bytes]], Iterable[bytes]]]:
    """A multipart/byteranges body (RFC 9110 14.6) and its length, known before the first byte leaves."""
    boundary = secrets.token_hex(16)
    made.headers["Content-Type"] = f"multipart/byteranges; boundary={boundary}"
    heads = [
        f"\r\n--{boundary}\r\nContent-Type: {content_type}\r\nContent-Range: {piece.of(size)}\r\n\r\n".encode()
        for piece in pieces
    ]
    end = f"\r\n--{boundary}--\r\n".encode()

    def parts(file: IO[bytes]) -> Iterator[bytes]:
        for head, piece in zip(heads, pieces, strict=True):
            yield head
            yield from storage.read(file, piece)
        yield end

    return sum(map(len, heads)) + sum(piece.length for piece in pieces) + len(end), parts
