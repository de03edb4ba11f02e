"""Films and captions on disk, in `media/` of the instance folder: under random keys that no page and no log tells."""

import hashlib
import os
import re
import secrets
from collections.abc import Iterator, Sequence
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


def read(file: IO[bytes], piece: Piece) -> Iterator[bytes]:
    """The bytes of one piece: from its first byte on, never from the file's."""
    file.seek(piece.first)
    left = piece.length
    while left and (chunk := file.read(min(CHUNK, left))):
        left -= len(chunk)
        yield chunk


def _sync(there: Path) -> None:
    handle = os.open(there, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
