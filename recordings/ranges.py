"""Which bytes were asked for (RFC 9110 13 and 14). Pure: headers in, a plan out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

MOST_PIECES = 16
_ONE = re.compile(r"(?:(?P<first>[0-9]+)-(?P<last>[0-9]*)|-(?P<suffix>[0-9]+))")


@dataclass(frozen=True)
class Piece:
    """Bytes `first` to `last`, both included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1

    def of(self, size: int) -> str:
        """A Content-Range: bytes 0-1/10240."""
        return f"bytes {self.first}-{self.last}/{size}"


@dataclass(frozen=True)
class Plan:
    """What to answer: 200 with everything, 206 with these pieces, 304, 412 or 416 with nothing."""

    status: int
    pieces: tuple[Piece, ...] = ()


def plan(method: str, headers: Mapping[str, str], size: int, etag: str) -> Plan:
    """The answer to a request for a file of `size` bytes whose strong entity tag, quotes included, is `etag`.

    Preconditions come first, in RFC 9110's order (13.2.2); a range counts for GET alone (14.2) and only when If-Range,
    if given, is this very tag by strong comparison (13.1.5): anything else gets the whole file.
    """
    if (wanted := headers.get("If-Match")) is not None and not _names(wanted, etag, is_weak_enough=False):
        return Plan(412)
    if (known := headers.get("If-None-Match")) is not None and _names(known, etag, is_weak_enough=True):
        return Plan(304)
    asked = headers.get("Range")
    if method != "GET" or asked is None or headers.get("If-Range", etag).strip() != etag:
        return Plan(200)
    pieces = read(asked, size)
    if pieces is None:
        return Plan(200)
    return Plan(206, pieces) if pieces else Plan(416)


def read(header: str, size: int) -> tuple[Piece, ...] | None:
    """The pieces a Range header asks for, cut down to the file; none when it cannot be satisfied.

    None means that the header is to be ignored: another unit, no valid list, or so many pieces, or so much in all,
    that the whole file is the smaller answer.
    """
    unit, equals, rest = header.partition("=")
    if not equals or unit.strip().lower() != "bytes":
        return None
    found = []
    for text in (part.strip(" \t") for part in rest.split(",")):
        if not text:
            continue
        match = _ONE.fullmatch(text)
        if match is None or _is_backwards(match):
            return None
        found.append(match)
    if not found or len(found) > MOST_PIECES:
        return None
    pieces = tuple(piece for match in found if (piece := _cut(match, size)))
    return None if len(pieces) > 1 and sum(piece.length for piece in pieces) >= size else pieces


def _is_backwards(match: re.Match[str]) -> bool:
    return bool(match["first"] and match["last"]) and _number(match["last"]) < _number(match["first"])


def _cut(match: re.Match[str], size: int) -> Piece | None:
    if match["suffix"]:
        length = min(_number(match["suffix"]), size)
        return Piece(size - length, size - 1) if length else None
    first = _number(match["first"])
    last = min(_number(match["last"]), size - 1) if match["last"] else size - 1
    return Piece(first, last) if first < size else None


def _number(digits: str) -> int:
    """What the digits say; any number longer than a file can be counts as beyond its end."""
    return int(digits) if len(digits) <= 18 else 10**18


def _names(header: str, etag: str, *, is_weak_enough: bool) -> bool:
    """Whether a list of entity tags, or `*`, names `etag`."""
    if header.strip() == "*":
        return True
    tags = re.findall(r'(W/)?("[^"]*")', header)
    return any(tag == etag and (is_weak_enough or not weak) for weak, tag in tags)
