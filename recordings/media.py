"""A stored file as an answer: exactly the bytes that were asked for, read from the store in chunks."""

import secrets
from collections.abc import Iterator, Mapping
from urllib.parse import quote

from werkzeug.wrappers import Response

from recordings import ranges, storage
from recordings.ranges import Piece


def answer(key: str, content_type: str, method: str, headers: Mapping[str, str], *, filename: str = "") -> Response:
    """200, 206 with one piece or several, 304, 412 or 416. With a `filename` it is to be saved under that name.

    Raises OSError where the file is not there.
    """
    size, etag = storage.size(key), storage.etag(key)
    planned = ranges.plan(method, headers, size, etag)
    made = Response(status=planned.status, direct_passthrough=True)
    made.headers["ETag"] = etag
    made.headers["Accept-Ranges"] = "bytes"
    if planned.status == 416:
        made.headers["Content-Range"] = f"bytes */{size}"
    if planned.status not in (200, 206):
        return made
    if filename:
        made.headers["Content-Disposition"] = disposition(filename)
    pieces = planned.pieces or (Piece(0, size - 1),)
    if len(pieces) > 1:
        body = Several(key, pieces, size, content_type)
        made.headers["Content-Type"] = f"multipart/byteranges; boundary={body.boundary}"
        made.headers["Content-Length"] = str(body.length)
        made.response = body
        return made
    made.headers["Content-Type"] = content_type
    made.headers["Content-Length"] = str(pieces[0].length)
    if planned.status == 206:
        made.headers["Content-Range"] = pieces[0].of(size)
    made.response = [] if method == "HEAD" else storage.read(key, pieces[0])
    return made


def disposition(filename: str) -> str:
    """A Content-Disposition (RFC 6266) that saves under `filename`, whatever letters it has."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in filename)
    extended = "" if plain == filename else f"; filename*=UTF-8''{quote(filename, safe='')}"
    return f'attachment; filename="{plain}"{extended}'


class Several:
    """A multipart/byteranges body (RFC 9110 14.6) whose length is known before its first byte leaves."""

    def __init__(self, key: str, pieces: tuple[Piece, ...], size: int, content_type: str) -> None:
        self.boundary = secrets.token_hex(16)
        heads = [
            f"\r\n--{self.boundary}\r\nContent-Type: {content_type}\r\nContent-Range: {piece.of(size)}\r\n\r\n".encode()
            for piece in pieces
        ]
        end = f"\r\n--{self.boundary}--\r\n".encode()
        self.length = sum(map(len, heads)) + sum(piece.length for piece in pieces) + len(end)
        self._open: storage.Stream | None = None
        self._chunks = self._read(key, list(zip(heads, pieces, strict=True)), end)

    def _read(self, key: str, parts: list[tuple[bytes, Piece]], end: bytes) -> Iterator[bytes]:
        for head, piece in parts:
            yield head
            self._open = storage.read(key, piece)
            yield from self._open
        yield end

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        if self._open:
            self._open.close()
