"""Films, captions and handouts in the store: under random keys that no page and no log tells.

The settings choose the store: a folder of this machine, or a bucket that speaks S3.
"""

import hashlib
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Protocol

from flask import current_app

from recordings.folder_store import FolderStore, folder
from recordings.ranges import Piece
from recordings.s3_store import S3Store
from recordings.streams import Counted, Source, Stream, TooLarge

__all__ = ["TooLarge", "folder"]

MOST_BYTES = 512 * 1024 * 1024
LONGEST_ADDRESS = timedelta(minutes=5)
_KEY = re.compile(r"[0-9a-f]{32}")


class Store(Protocol):
    """Bytes by key. Whatever goes wrong is an OSError."""

    def put(self, key: str, stream: Counted) -> None: ...

    def move_in(self, key: str, file: Path) -> None: ...

    def copy(self, name: str, key: str) -> None: ...

    def size(self, key: str) -> int: ...

    def open(self, key: str, piece: Piece | None) -> tuple[Source, int]: ...

    def local(self, key: str) -> AbstractContextManager[Path]: ...

    def remove(self, keys: Sequence[str]) -> None: ...

    def older(self, before: datetime) -> Iterator[str]: ...

    def address(self, key: str, seconds: int, content_type: str, disposition: str) -> str | None: ...


def chosen() -> Store:
    """The store of this application."""
    store: Store | None = current_app.extensions.get("media_store")
    if store is None:
        config = current_app.config
        if config["MEDIA_STORE"] == "s3":
            store = S3Store(config)
        else:
            store = FolderStore(is_read_by_group=bool(config["MEDIA_ACCEL"]))
        current_app.extensions["media_store"] = store
    return store


def keep(stream: IO[bytes], most: int = MOST_BYTES) -> tuple[str, int]:
    """Write all of `stream` under a new key, in chunks, and return the key and the number of bytes.

    Raises TooLarge, with nothing kept; OSError.
    """
    key, counted = secrets.token_hex(16), Counted(stream, most)
    chosen().put(key, counted)
    return key, counted.size


def adopt(file: Path) -> str:
    """Move a finished file of this machine into the store under a new key; it is no longer where it was.

    Raises OSError, and the file is still there then.
    """
    key = secrets.token_hex(16)
    chosen().move_in(key, file)
    return key


def length_of(name: str) -> int:
    """How many bytes an object has that somebody else put there, by its whole name. Raises OSError."""
    return chosen().size(name)


def copy_of(name: str, length: int) -> str:
    """Copy such an object of `length` bytes under a new key; it stays as it is. Raises FileNotFoundError when it is
    gone, or has another length by now; OSError."""
    key = secrets.token_hex(16)
    chosen().copy(name, key)
    if chosen().size(key) != length:
        forget([key])
        raise FileNotFoundError("the object has changed")
    return key


def size(key: str) -> int:
    """How many bytes a key has, as the store says now. Raises OSError where there are none."""
    return chosen().size(_checked(key))


def read(key: str, piece: Piece | None = None) -> Stream:
    """The bytes of one piece, or all of them: from the piece's first byte on, never from the file's.

    Open from this call on, so that a file that is replaced meanwhile is still read to its end; whoever does not read
    to the end closes it. Raises OSError.
    """
    return Stream(*chosen().open(_checked(key), piece))


def local(key: str) -> AbstractContextManager[Path]:
    """A path for programs that want a file, to be read and not written; good inside the block alone. Raises OSError."""
    return chosen().local(_checked(key))


def address(key: str, content_type: str, disposition: str, left: timedelta) -> str | None:
    """Where a viewer reads the file straight from the store: for five minutes, or what is `left` if that is less.

    None where the settings send nobody there, and in the last second.
    """
    seconds = min(LONGEST_ADDRESS, left) // timedelta(seconds=1)
    if current_app.config["MEDIA_DIRECT"] != "1" or seconds < 1:
        return None
    return chosen().address(_checked(key), seconds, content_type, disposition)


def path(key: str) -> Path:
    """Where a key's bytes are in the folder. Raises ValueError for what was never a key."""
    return folder() / _checked(key)


def forget(keys: Sequence[str]) -> None:
    """Remove files that no row names any more; those who are reading one still read it to its end."""
    chosen().remove([_checked(key) for key in keys])


def older(before: datetime) -> Iterator[str]:
    """The keys of what was stored before `before`; what others put there has other names. Raises OSError."""
    return (each for each in chosen().older(before) if _KEY.fullmatch(each))


def etag(key: str) -> str:
    """The strong entity tag of one version of a file. Tells nothing of the key. Raises OSError."""
    if current_app.config["MEDIA_ACCEL"]:  # nginx makes its own, and must find ours the same
        found = path(key).stat()
        return f'"{found.st_mtime_ns // 10**9:x}-{found.st_size:x}"'
    return f'"{hashlib.sha256(key.encode()).hexdigest()[:24]}"'


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError("not a key of the store")
    return key
