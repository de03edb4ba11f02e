"""The store on this machine's disk: `media/` of the instance folder."""

import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from lib import settings
from recordings.ranges import Piece
from recordings.streams import CHUNK, Counted, Source

FOR_US_ALONE = (0o700, 0o600)
FOR_THE_GROUP = (0o750, 0o640)  # nginx reads along


def folder() -> Path:
    return settings.instance_folder() / "media"


class FolderStore:
    """A file has its name only once every byte is on the disk."""

    def __init__(self, *, is_read_by_group: bool) -> None:
        self.folder_mode, self.file_mode = FOR_THE_GROUP if is_read_by_group else FOR_US_ALONE

    def put(self, key: str, stream: Counted) -> None:
        waiting = self._waiting(key)
        try:
            with waiting.open("xb") as file:
                os.chmod(waiting, self.file_mode)
                while chunk := stream.read(CHUNK):
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            waiting.rename(folder() / key)
            _sync(folder())
        except BaseException:
            waiting.unlink(missing_ok=True)
            raise

    def move_in(self, key: str, file: Path) -> None:
        waiting = self._waiting(key)
        try:
            shutil.move(file, waiting)  # copies from another disk
            os.chmod(waiting, self.file_mode)
            _sync(waiting)
            waiting.rename(folder() / key)
            _sync(folder())
        except BaseException:
            if waiting.exists() and not file.exists():
                shutil.move(waiting, file)
            raise

    def copy(self, name: str, key: str) -> None:
        found = folder() / name
        if not found.is_file():
            raise FileNotFoundError("the store has no such file")
        with found.open("rb") as file:
            self.put(key, Counted(file, os.fstat(file.fileno()).st_size))

    def size(self, key: str) -> int:
        return (folder() / key).stat().st_size

    def open(self, key: str, piece: Piece | None) -> tuple[Source, int]:
        file = (folder() / key).open("rb")
        if piece is None:
            return file, os.fstat(file.fileno()).st_size
        file.seek(piece.first)
        return file, piece.length

    @contextmanager
    def local(self, key: str) -> Iterator[Path]:
        found = folder() / key
        if not found.is_file():
            raise FileNotFoundError("the store has no such file")
        yield found

    def remove(self, keys: Sequence[str]) -> None:
        for key in keys:
            (folder() / key).unlink(missing_ok=True)
            (folder() / f"{key}.part").unlink(missing_ok=True)

    def older(self, before: datetime) -> Iterator[str]:
        """Counted from when a file got its name, for one that is moved in keeps the time of its last byte."""
        for each in folder().iterdir() if folder().exists() else ():
            if each.is_file() and each.stat().st_ctime < before.timestamp():
                yield each.name.removesuffix(".part")

    def address(self, key: str, seconds: int, content_type: str, disposition: str) -> None:
        """Nobody can be sent to a folder."""

    def _waiting(self, key: str) -> Path:
        folder().mkdir(mode=self.folder_mode, parents=True, exist_ok=True)
        has = stat.S_IMODE(folder().stat().st_mode)
        if has | self.folder_mode != has:  # made before nginx was to read along
            folder().chmod(has | self.folder_mode)
        return folder() / f"{key}.part"


def _sync(there: Path) -> None:
    handle = os.open(there, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
