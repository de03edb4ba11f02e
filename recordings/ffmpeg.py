"""Running ffprobe and ffmpeg: argument lists, no shell, no network, low priority, a private folder, a time limit."""

import fcntl
import json
import os
import selectors
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from lib import settings

# The kinds of file that are opened at all. Playlists, which name other files and addresses, are not among them.
OPENED = "mov,matroska,mpegts,mpeg,avi,asf,flv,ogg,mp3,wav"
LOOK_SECONDS = 120
LOCK = "lock"
MOST_SAID = 2000


class NotInstalled(Exception):
    """There is no ffmpeg, or no ffprobe, on this machine."""


class Failed(Exception):
    """The program ended with an error, or did not end in time; the last of what it said."""


def opened(*, formats: str = OPENED) -> tuple[str, ...]:
    """The options before an `-i`: this file and nothing it may name elsewhere."""
    return ("-protocol_whitelist", "file,pipe", "-format_whitelist", formats)


def look(file: Path) -> dict[str, Any]:
    """What ffprobe says of a file. Raises Failed for what it cannot read, NotInstalled."""
    asked = ("-v", "error", *opened(), "-show_format", "-show_streams", "-show_data_hash", "md5", "-of", "json")
    try:
        done = subprocess.run(  # noqa: S603 - a list of our own, no shell
            [*_gently("ffprobe"), *asked, f"file:{file}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LOOK_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as problem:
        raise Failed("ffprobe did not end in time") from problem
    if done.returncode:
        raise Failed(done.stderr.decode(errors="replace")[-MOST_SAID:])
    found: dict[str, Any] = json.loads(done.stdout or b"{}")
    return found


def run(arguments: Sequence[str], folder: Path, *, limit: int, tell: Callable[[int], None]) -> None:
    """Run ffmpeg in `folder` and `tell`, about every second, how many seconds of film are done.

    What `tell` raises ends it. Raises Failed, also after `limit` seconds; NotInstalled.
    """
    command = [*_gently("ffmpeg"), "-nostdin", "-hide_banner", "-loglevel", "error", "-progress", "pipe:1", "-y"]
    ends = time.monotonic() + limit
    done = 0
    with (
        (folder / "errors").open("w+b") as errors,
        subprocess.Popen(  # noqa: S603 - a list of our own, no shell
            [*command, *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors
        ) as process,
        selectors.DefaultSelector() as ready,
    ):
        try:
            assert process.stdout is not None
            ready.register(process.stdout, selectors.EVENT_READ)
            while True:
                piece = os.read(process.stdout.fileno(), 65536) if ready.select(timeout=1) else None
                if piece == b"":
                    break
                done = max([done, *_seconds(piece or b"")])
                tell(done)
                if time.monotonic() > ends:
                    raise Failed("ffmpeg did not end in time")
            status = process.wait(timeout=60)
        except BaseException:
            process.kill()
            raise
        if status:
            errors.seek(0)
            raise Failed(errors.read().decode(errors="replace")[-MOST_SAID:] or f"ffmpeg ended with {status}")


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder for half-made films, gone at the end. Those of workers that were killed are removed first."""
    above = settings.instance_folder() / "making"
    above.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as held:
        with (above / LOCK).open("wb") as gate:  # nobody tidies while a folder is made that nobody holds yet
            fcntl.flock(gate, fcntl.LOCK_EX)
            _tidy(above)
            folder = Path(held.enter_context(tempfile.TemporaryDirectory(dir=above)))
            lock = held.enter_context((folder / LOCK).open("wb"))
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def _tidy(above: Path) -> None:
    """A lock ends with its process, however it ended: a folder whose lock is free belongs to nobody any more."""
    for each in above.iterdir():
        if not each.is_dir():
            continue
        try:
            with (each / LOCK).open("ab") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(each, ignore_errors=True)
        except BlockingIOError:
            continue  # somebody works in it


def _gently(program: str) -> list[str]:
    """The program at low priority; where the system can, it ends with whoever started it."""
    found = shutil.which(program)
    if found is None:
        raise NotInstalled(program)
    before: list[str] = []
    if setpriv := shutil.which("setpriv"):
        before += [setpriv, "--pdeathsig", "KILL"]
    if nice := shutil.which("nice"):
        before += [nice, "-n", "10"]
    return [*before, found]


def _seconds(piece: bytes) -> Iterator[int]:
    """The whole seconds in lines such as out_time_us=2000000; N/A before the first frame."""
    for line in piece.splitlines():
        name, _, value = line.partition(b"=")
        if name == b"out_time_us" and value.isdigit():
            yield int(value) // 1_000_000
