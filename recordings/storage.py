"""Films, captions and handouts in the store: under random keys that no page and no log tells.

The store is `media/` of the instance folder.
"""

import hashlib
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from lib import settings, web
from recordings.ranges import Piece

MOST_BYTES = 512 * 1024 * 1024
CHUNK = 256 * 1024
_KEY = re.compile(r"[0-9a-f]{32}")


class TooLarge(web.Refusal):
    """More bytes than a film may have."""

    status = 413
    refusal = "film_too_large"
    title = "This film is too large"


def folder() -> Path:
    return settings.instance_folder() / "media"


def keep(stream: IO[bytes], most: int = MOST_BYTES) -> tuple[str, int]:
    """Write all of `stream` under a new key, in chunks, and return the key and the number of bytes.

    The file has its name only once every byte is on the disk. Raises TooLarge, with nothing kept; OSError.
    """
    there = folder()
    there.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = secrets.token_hex(16)
    waiting = there / f"{key}.part"
    size = 0
    try:
        with waiting.open("xb") as file:
            os.chmod(waiting, 0o600)
            while chunk := stream.read(CHUNK):
                size += len(chunk)
                if size > most:
                    raise TooLarge(
                        f"A film may have {most // 1024 // 1024} MB and this one has more. Nothing was kept. Export it "
                        f"with a smaller picture, 720p is plenty, and upload it again."
                    )
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        waiting.rename(there / key)
        _sync(there)
    except BaseException:
        waiting.unlink(missing_ok=True)
        raise
    return key, size


def adopt(file: Path) -> str:
    """Move a finished file of this machine into the store under a new key; it is no longer where it was.

    Raises OSError, and the file is still there then.
    """
    there = folder()
    there.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = secrets.token_hex(16)
    try:
        os.chmod(file, 0o600)
        file.rename(there / key)
        _sync(there)
    except OSError:  # from another disk
        with file.open("rb") as stream:
            key, _ = keep(stream, file.stat().st_size)
        file.unlink()
    return key


def size(key: str) -> int:
    """How many bytes a key has. Raises OSError where there are none."""
    return path(key).stat().st_size


def read(key: str, piece: Piece | None = None) -> "Stream":
    """The bytes of one piece, or all of them: from the piece's first byte on, never from the file's.

    Open from this call on, so that a file that is replaced meanwhile is still read to its end. Raises OSError.
    """
    file = path(key).open("rb")
    if piece is None:
        return Stream(file, os.fstat(file.fileno()).st_size)
    file.seek(piece.first)
    return Stream(file, piece.length)


@contextmanager
def local(key: str) -> Iterator[Path]:
    """A path for programs that want a file, to be read and not written; good inside the block alone. Raises OSError."""
    found = path(key)
    if not found.is_file():
        raise FileNotFoundError("the store has no such file")
    yield found


def path(key: str) -> Path:
    """Where a key's bytes are. Raises ValueError for what was never a key."""
    if not _KEY.fullmatch(key):
        raise ValueError("not a key of the store")
    return folder() / key


def forget(keys: Sequence[str]) -> None:
    """Remove files that no row names any more; those who are reading one still read it to its end."""
    for key in keys:
        path(key).unlink(missing_ok=True)


def etag(key: str) -> str:
    """The strong entity tag of one version of a file. Tells nothing of the key."""
    return f'"{hashlib.sha256(key.encode()).hexdigest()[:24]}"'


class Stream:
    """Bytes in chunks as a server asks for them; its source is closed at its end, or when whoever reads goes away."""

    def __init__(self, source: IO[bytes], length: int) -> None:
        self.source = source
        self.left = length

    def __iter__(self) -> "Stream":
        return self

    def __next__(self) -> bytes:
        chunk = self.source.read(min(CHUNK, self.left)) if self.left else b""
        if not chunk:
            self.close()
            raise StopIteration
        self.left -= len(chunk)
        return chunk

    def close(self) -> None:
        self.source.close()


def _sync(there: Path) -> None:
    handle = os.open(there, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
