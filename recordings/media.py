"""A stored file as an answer: exactly the bytes that were asked for.

We send them, or nginx when we tell it to (X-Accel-Redirect), or the store itself at an address that soon ends.
"""

import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import quote

import structlog
from flask import current_app
from werkzeug.wrappers import Response

from lib import web
from recordings import ranges, storage
from recordings.ranges import Piece, Plan
from recordings.streams import Chain, Ending, Stream

PLAIN = re.compile(r"bytes=(?:[0-9]{1,18}-[0-9]{0,18}|-[0-9]{1,18})")

log = structlog.get_logger()


class CannotBeRead(web.Refusal):
    """The store does not give the file out."""

    status = 503
    refusal = "media_unreadable"
    title = "This cannot be read at the moment"


def answer(
    key: str,
    content_type: str,
    method: str,
    headers: Mapping[str, str],
    *,
    filename: str = "",
    until: datetime | None = None,
    now: datetime | None = None,
) -> Response:
    """200, 206 with one piece or several, 304, 412 or 416. With a `filename` it is to be saved under that name.

    With `until` and `now` we send nothing from `until` on, and cut off what has begun; where the settings send viewers
    straight to the store, it is 302. Who may have it was decided before. Raises CannotBeRead.
    """
    as_file = disposition(filename) if filename else ""
    left = until - now if until and now else None
    with or_said():
        if left and method == "GET" and (straight := storage.address(key, content_type, as_file, left)):
            return Response(status=302, headers={"Location": straight})
        made = _answer(key, content_type, method, headers, left)
    if as_file and made.status_code in (200, 206):
        made.headers["Content-Disposition"] = as_file
    return made


@contextmanager
def or_said() -> Iterator[None]:
    """What the store does not give out inside is told to people. Raises CannotBeRead."""
    try:
        yield
    except OSError as problem:
        log.error("media unreadable", error=str(problem))
        raise CannotBeRead(
            "Nothing of yours is lost, and we can see that it fails. Please try again in a few minutes; if it lasts, "
            "write to the organiser."
        ) from problem


def disposition(filename: str) -> str:
    """A Content-Disposition (RFC 6266) that saves under `filename`, whatever letters it has."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in filename)
    extended = "" if plain == filename else f"; filename*=UTF-8''{quote(filename, safe='')}"
    return f'attachment; filename="{plain}"{extended}'


def _answer(key: str, content_type: str, method: str, headers: Mapping[str, str], left: timedelta | None) -> Response:
    size, etag = storage.size(key), storage.etag(key)
    planned = ranges.plan(method, headers, size, etag)
    accel = str(current_app.config["MEDIA_ACCEL"])
    if accel and _nginx_agrees(method, headers, planned):
        made = Response(status=200, headers={"X-Accel-Redirect": f"{accel}{key}", "Content-Type": content_type})
        if planned.status == 206:  # nginx says it of a whole file and not of a part
            made.headers["Accept-Ranges"] = "bytes"
        return made
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
    if len(pieces) > 1:
        body: Chain | Stream = _several(key, pieces, size, content_type, made)
    else:
        made.headers["Content-Type"] = content_type
        made.headers["Content-Length"] = str(pieces[0].length)
        if method == "HEAD":
            return made
        body = storage.read(key, pieces[0])
    made.response = body if left is None else Ending(body, left)
    return made


def _nginx_agrees(method: str, headers: Mapping[str, str], planned: Plan) -> bool:
    """Whether nginx reads this request as we do: for a whole file, or one plain range of it.

    It takes a range of a HEAD for one, refuses lists with gaps and long numbers, and loses headers where it refuses.
    """
    if method != "GET" or "If-Unmodified-Since" in headers:
        return False
    asked = headers.get("Range")
    return planned.status == 200 if asked is None else planned.status == 206 and bool(PLAIN.fullmatch(asked))


def _several(key: str, pieces: tuple[Piece, ...], size: int, content_type: str, made: Response) -> Chain:
    """A multipart/byteranges body (RFC 9110 14.6), its length known before its first byte leaves."""
    boundary, store = secrets.token_hex(16), storage.chosen()
    made.headers["Content-Type"] = f"multipart/byteranges; boundary={boundary}"
    parts: list[bytes | Callable[[], Stream]] = []
    length = 0
    for piece in pieces:
        head = f"\r\n--{boundary}\r\nContent-Type: {content_type}\r\nContent-Range: {piece.of(size)}\r\n\r\n".encode()
        parts += [head, partial(_opened, store, key, piece)]
        length += len(head) + piece.length
    end = f"\r\n--{boundary}--\r\n".encode()
    made.headers["Content-Length"] = str(length + len(end))
    return Chain([*parts, end])


def _opened(store: storage.Store, key: str, piece: Piece) -> Stream:
    return Stream(*store.open(key, piece))
