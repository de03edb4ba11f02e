"""The bytes of films on their way in, a file each in `media/arriving/`: a file's size is how much has come.

Many processes may write: each piece is added under the file's lock, and only where the file ends. Of two senders of
one film the later one goes on and the other is told where the file stands; one whose line is dead holds up nobody.
"""

import errno
import fcntl
import hashlib
import hmac
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, ClassVar

from lib import web
from recordings import kinds, storage, tus

PIECE = 256 * 1024
SPARE = 256 * 1024 * 1024  # bytes of the disk that films leave alone
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NAME = re.compile(r"[0-9a-f]{32}")


class DiskFull(web.Refusal):
    """The machine has no room for it."""

    status: ClassVar[int] = 507
    refusal: ClassVar[str] = "disk_full"
    title = "There is no room for this film"


def folder() -> Path:
    return storage.folder() / "arriving"


def path(name: str) -> Path:
    """Where an upload's bytes are. Raises ValueError for what was never a name."""
    if not _NAME.fullmatch(name):
        raise ValueError("not a name of an upload")
    return folder() / name


def make(name: str, length: int) -> None:
    """An empty file that will have `length` bytes. Raises DiskFull where the disk could not hold them."""
    there = folder()
    storage.folder().mkdir(mode=0o700, parents=True, exist_ok=True)  # a parent made along is open to all
    there.mkdir(mode=0o700, exist_ok=True)
    if shutil.disk_usage(there).free < length + SPARE:
        raise DiskFull(
            f"The disk has no room for {tus.size(length)} more. Nothing was sent. Whoever runs this machine has to "
            "make room; then upload it again."
        )
    os.close(os.open(path(name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    _sync_folder()


def size(name: str) -> int:
    """How many bytes have come. Raises FileNotFoundError."""
    return path(name).stat().st_size


def append(name: str, offset: int, length: int, pieces: Iterable[bytes]) -> int:
    """Add what comes at the end of a file that will have `length` bytes; returns how many are safely on the disk.

    Whatever ends it early, the bytes that came are kept. Raises OffsetConflict when the file does not end at
    `offset`, or another sender has added to it meanwhile; TooMuch, DiskFull, NotAFilm; FileNotFoundError.
    """
    with path(name).open("r+b", buffering=0) as file:
        at = offset
        try:
            for piece in pieces:
                if at + len(piece) > length:
                    raise tus.TooMuch("More came than this film has. What came before is safe.")
                before, at = at, _add(file, at, piece)
                if before < min(kinds.ENOUGH, length) <= at:
                    kinds.check(os.pread(file.fileno(), kinds.ENOUGH, 0))
        finally:
            if at > offset:
                os.fsync(file.fileno())
        return at


def append_checked(name: str, offset: int, length: int, pieces: Iterable[bytes], checksum: tuple[str, bytes]) -> int:
    """The same for a piece whose digest is known: nothing is added before all of it has come undamaged.

    Raises ChecksumWrong too.
    """
    waiting = folder() / f"{name}.{secrets.token_hex(8)}"
    algorithm, digest = checksum
    found = hashlib.new(algorithm, usedforsecurity=False)
    try:
        with waiting.open("xb", buffering=0) as file:
            at = 0
            for piece in pieces:
                found.update(piece)
                at = _add(file, at, piece)
        if not hmac.compare_digest(found.digest(), digest):
            raise tus.ChecksumWrong("A piece was damaged on its way and is not kept. It can be sent again.")
        with waiting.open("rb", buffering=0) as file:
            return append(name, offset, length, _pieces(file))
    finally:
        waiting.unlink(missing_ok=True)


def keep(stream: IO[bytes], name: str, most: int) -> int:
    """All of `stream` as a film that has come at once; how many bytes. Raises what `append` does, and keeps nothing."""
    make(name, 0)
    try:
        had = append(name, 0, most, _pieces(stream))
        if had < kinds.ENOUGH:
            kinds.check(path(name).read_bytes())
    except tus.TooMuch as problem:
        forget(name)
        raise too_much(most) from problem
    except BaseException:
        forget(name)
        raise
    return had


def too_much(most: int) -> tus.TooMuch:
    return tus.TooMuch(
        f"A form without scripts takes {tus.size(most)} and this film has more. Nothing was kept. With scripts it may "
        "have more; or export it with a smaller picture, 720p is plenty."
    )


def second_name(name: str) -> Path:
    """Another path of the same bytes, to be moved away; the path itself where a disk knows no second names."""
    other = folder() / f"{name}.{secrets.token_hex(8)}"
    try:
        os.link(path(name), other)
    except OSError:
        return path(name)
    return other


def forget(name: str) -> None:
    path(name).unlink(missing_ok=True)


def strays(known: Iterable[str], older_than: float) -> Iterator[Path]:
    """Files that no row of `known` names, last written before `older_than` (seconds since 1970)."""
    names = set(known)
    for each in folder().iterdir() if folder().exists() else ():
        if each.name not in names and each.stat().st_mtime < older_than:
            yield each


def _add(file: IO[bytes], at: int, piece: bytes) -> int:
    """Add a piece where the file ends, if that is `at`, and say where it ends now."""
    number = file.fileno()
    fcntl.flock(number, fcntl.LOCK_EX)
    try:
        if (has := os.fstat(number).st_size) != at:
            raise tus.conflict(has)
        left = memoryview(piece)
        while left:
            done = os.pwrite(number, left, at)
            at, left = at + done, left[done:]
    except OSError as problem:
        if problem.errno in _FULL:
            raise DiskFull(
                "The disk is full. What has come is safe. Whoever runs this machine has to make room; then go on "
                "with the upload."
            ) from problem
        raise
    finally:
        fcntl.flock(number, fcntl.LOCK_UN)
    return at


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    while piece := stream.read(PIECE):
        yield piece


def _sync_folder() -> None:
    handle = os.open(folder(), os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
