"""The tus protocol 1.0.0 (tus.io/protocols/resumable-upload): what its headers must say. Pure rules, no network."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from lib import web

VERSION = "1.0.0"
EXTENSIONS = "creation,expiration,checksum,termination"
ALGORITHMS = ("sha256", "sha1")
BODY = "application/offset+octet-stream"
_NUMBER = re.compile(r"[0-9]{1,18}")
_KEY = re.compile(r"[^\s,]+")


class VersionUnknown(web.Refusal):
    """Another version of the protocol, or a request that is none of it."""

    status: ClassVar[int] = 412
    refusal: ClassVar[str] = "tus_version"
    title = "This upload speaks another version of the protocol"


class RequestBroken(web.Refusal):
    """A header that is missing or says nothing."""

    status: ClassVar[int] = 400
    refusal: ClassVar[str] = "tus_broken"
    title = "This upload cannot be understood"


class WrongBody(web.Refusal):
    """A piece of a film that is called something else."""

    status: ClassVar[int] = 415
    refusal: ClassVar[str] = "tus_body"
    title = "This upload cannot be understood"


class OffsetConflict(web.Refusal):
    """A piece for another place than the one where the file ends."""

    status: ClassVar[int] = 409
    refusal: ClassVar[str] = "offset_conflict"
    title = "The upload stands elsewhere"


class TooMuch(web.Refusal):
    """More bytes than were announced, or than a film may have."""

    status: ClassVar[int] = 413
    refusal: ClassVar[str] = "film_too_large"
    title = "This film is too large"


class ChecksumWrong(web.Refusal):
    """What came is not what was sent."""

    status: ClassVar[int] = 460  # the protocol's own
    refusal: ClassVar[str] = "checksum_wrong"
    title = "A piece of the film was damaged on its way"


@dataclass(frozen=True)
class Creation:
    """A file that is announced: its length in bytes, and what its sender says about it."""

    length: int
    filename: str
    position: int


@dataclass(frozen=True)
class Chunk:
    """A piece that comes: from where, how long (None where it does not say), its algorithm and digest if any."""

    offset: int
    length: int | None
    checksum: tuple[str, bytes] | None


def check_version(headers: Mapping[str, str]) -> None:
    """Raises VersionUnknown. A browser sends this header to another site only after asking it, and we never agree."""
    if headers.get("Tus-Resumable") != VERSION:
        raise VersionUnknown(f"We speak version {VERSION} of the tus protocol. Nothing was changed.")


def creation(headers: Mapping[str, str], most: int) -> Creation:
    """The file that is announced. Raises RequestBroken, and TooMuch for one of more than `most` bytes."""
    if "Upload-Defer-Length" in headers:
        raise RequestBroken("The film's length has to be known when the upload begins.")
    length = _number(headers, "Upload-Length")
    if length == 0:
        raise RequestBroken("This file is empty. Please choose the film again.")
    if length > most:
        raise TooMuch(
            f"A film may have {size(most)} and this one has {size(length)}. Nothing was sent. Export it with a smaller "
            "picture, 720p is plenty, and upload it again."
        )
    said = metadata(headers.get("Upload-Metadata", ""))
    position = said.get("position") or "1"
    if not re.fullmatch(r"[1-9][0-9]?", position):
        raise RequestBroken("The part's number has to be from 1 to 99.")
    return Creation(length, said.get("filename", ""), int(position))


def chunk(headers: Mapping[str, str]) -> Chunk:
    """The piece that comes. Raises WrongBody and RequestBroken."""
    if headers.get("Content-Type", "").partition(";")[0].strip() != BODY:
        raise WrongBody(f"A piece of a film is sent as {BODY}. Nothing was changed.")
    offset = _number(headers, "Upload-Offset")
    length = _number(headers, "Content-Length") if "Content-Length" in headers else None
    return Chunk(offset, length, _checksum(headers.get("Upload-Checksum")))


def check_place(piece: Chunk, has: int, length: int) -> None:
    """Whether the piece fits a file that has `has` of its `length` bytes. Raises OffsetConflict and TooMuch."""
    if piece.offset != has:
        raise conflict(has)
    if piece.offset + (piece.length or 0) > length:
        raise TooMuch("More came than this film has. What came before is safe; please go on from there.")


def conflict(has: int) -> OffsetConflict:
    return OffsetConflict(
        f"The upload stands at byte {has}: it may be going on in another window. What has come is safe."
    )


def metadata(text: str) -> dict[str, str]:
    """Upload-Metadata: `key base64,key base64,key`. Raises RequestBroken."""
    found: dict[str, str] = {}
    for pair in text.split(",") if text.strip() else ():
        key, _, value = pair.strip().partition(" ")
        if not _KEY.fullmatch(key) or key in found:
            raise RequestBroken("Upload-Metadata has a name that is empty or comes twice.")
        try:
            found[key] = base64.b64decode(value.strip(), validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError) as problem:
            raise RequestBroken(f"Upload-Metadata says nothing that can be read for {key}.") from problem
    return found


def written(said: Mapping[str, str]) -> str:
    """Upload-Metadata that says so."""
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in said.items())


def size(number: int) -> str:
    """A number of bytes as people read it: 6 GB, 512 MB."""
    for unit, name in ((1024**3, "GB"), (1024**2, "MB")):
        if number >= unit:
            return f"{-(-number * 10 // unit) / 10:g} {name}"
    return f"{-(-number // 1024)} kB"


def _number(headers: Mapping[str, str], name: str) -> int:
    said = headers.get(name, "")
    if not _NUMBER.fullmatch(said):
        raise RequestBroken(f"{name} has to be a number of bytes.")
    return int(said)


def _checksum(said: str | None) -> tuple[str, bytes] | None:
    if said is None:
        return None
    algorithm, _, digest = said.partition(" ")
    if algorithm not in ALGORITHMS:
        raise RequestBroken(f"We check {' and '.join(ALGORITHMS)}. Nothing was changed.")
    try:
        return algorithm, base64.b64decode(digest, validate=True)
    except binascii.Error as problem:
        raise RequestBroken("Upload-Checksum is no base64. Nothing was changed.") from problem
