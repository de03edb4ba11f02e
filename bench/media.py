"""`python -m bench.media [ROUNDS] [MB]`: a film through the application and through nginx at its word, beside nginx
sending the same file to anybody, in the same round; then memory while 50 people watch.

Two web workers on SQLite. Every answer through the application begins with a look at who asks. The ratio is what
counts: the figures depend on the machine and on what else it does, and the client takes its share of it.
"""

import os
import random
import socket
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import serving
from bench.serving import House
from recordings.folder_store import folder as media_folder
from tests import nginx
from tests.recordings.showing import a_film, a_recorded_workshop, address, booked, published

VIEWERS = 50
PACE = 250_000  # bytes a second that one viewer takes, 2 Mbit/s
WATCHED_SECONDS = 10
PIECE = 1024 * 1024
MB = 1024 * 1024
WORKLOADS = (("whole, 1 at a time", 1), ("whole, 8 at once", 8), ("ranges of 1 MB, 8 at once", 8))


@dataclass(frozen=True)
class Way:
    """One way to the same film: the program's name, its port and the path."""

    name: str
    port: int
    path: str
    group: int


def main(arguments: Sequence[str]) -> int:
    rounds, size_mb = (int(each) for each in (*arguments, *("3", "256")[len(arguments) :]))
    if nginx.program() is None:
        print(nginx.MISSING, file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="colloquy-bench-") as folder, ExitStack() as stack:
        there = Path(folder)
        plain = stack.enter_context(_house(there / "plain", size_mb, accel=""))
        accel = stack.enter_context(_house(there / "accel", size_mb, accel="/_media/"))
        ways = [plain.static, plain.direct, accel.through]
        ratios: dict[tuple[str, str], list[float]] = defaultdict(list)
        print(f"{'what':<28}{'who':<24}{'MB/s':>9}{'of nginx':>10}")
        for _ in range(rounds):
            for what, readers in WORKLOADS:
                base = 0.0
                for way in ways:
                    rate = _rate(way, readers, size_mb * MB, is_ranges=what.startswith("ranges"))
                    base = base or rate
                    ratios[what, way.name].append(rate / base)
                    print(f"{what:<28}{way.name:<24}{rate:>9.0f}{rate / base:>10.2f}", flush=True)
        print("\nmedian of the ratios")
        for what, _ in WORKLOADS:
            for way in ways[1:]:
                print(f"{what:<28}{way.name:<24}{'':>9}{median(ratios[what, way.name]):>10.2f}")
        print(f"\nmemory of the web processes in MB, {VIEWERS} people watching for {WATCHED_SECONDS} s")
        print(f"{'who':<24}{'before':>9}{'most':>9}{'a viewer':>10}")
        for way in ways[1:]:
            before, most = _watched(way)
            print(f"{way.name:<24}{before:>9.0f}{most:>9.0f}{(most - before) / VIEWERS:>10.2f}", flush=True)
    return 0


@dataclass(frozen=True)
class Film:
    """A film and three ways to it."""

    static: Way
    direct: Way
    through: Way


@contextmanager
def _house(folder: Path, size_mb: int, *, accel: str) -> Iterator[Film]:
    folder.mkdir()
    if accel:
        (folder / "settings.env").write_text(f"MEDIA_ACCEL={accel}\n", encoding="utf-8")
    with serving.running(folder) as house:
        path, key = _a_film(house, folder, size_mb)
        with nginx.running(folder / "nginx", house.port, folder / "media") as front:
            web = house.group("web")
            yield Film(
                static=Way("nginx, to anybody", front.port, f"/_static/{key}", front.master),
                direct=Way("the application", house.port, path, web),
                through=Way("nginx at its word", front.port, path, web),
            )


def _a_film(house: House, folder: Path, size_mb: int) -> tuple[str, str]:
    """A published film of `size_mb`, not a hole: the path of its attendee's own address, and its key."""
    with _own_folder(folder), house.app() as app:
        slug = a_recorded_workshop(app)
        made = booked(app, slug)
        kept = a_film(app, slug)
        published(app, kept)
        with (media_folder() / kept.key).open("wb") as file:
            for _ in range(size_mb):
                file.write(random.randbytes(MB))
        return f"{address(app, made, kept)}/media", kept.key


@contextmanager
def _own_folder(folder: Path) -> Iterator[None]:
    """This process keeps films where the house does."""
    before = os.environ.get("COLLOQUY_INSTANCE")
    os.environ["COLLOQUY_INSTANCE"] = str(folder)
    try:
        yield
    finally:
        os.environ.pop("COLLOQUY_INSTANCE")
        if before is not None:
            os.environ["COLLOQUY_INSTANCE"] = before


def _rate(way: Way, readers: int, size: int, *, is_ranges: bool) -> float:
    """MB a second that arrive at `readers` who ask at once."""
    taken = [0] * readers
    until = time.perf_counter() + (2 if is_ranges else 3600)

    def whole(number: int) -> None:
        taken[number] = _read(way, f"bytes=0-{size - 1}", None)

    def ranges(number: int) -> None:
        chosen = random.Random(number)
        while time.perf_counter() < until:
            first = chosen.randrange(size - PIECE)
            taken[number] += _read(way, f"bytes={first}-{first + PIECE - 1}", None)

    began = time.perf_counter()
    _all_at_once(ranges if is_ranges else whole, readers)
    return sum(taken) / MB / (time.perf_counter() - began)


def _watched(way: Way) -> tuple[float, float]:
    """Memory of the processes before and at most while the viewers take the film at their pace, in MB."""
    before = most = serving.memory_mb(way.group)
    viewers = [threading.Thread(target=_read, args=(way, "bytes=0-", WATCHED_SECONDS)) for _ in range(VIEWERS)]
    for viewer in viewers:
        viewer.start()
    while any(viewer.is_alive() for viewer in viewers):
        most = max(most, serving.memory_mb(way.group))
        time.sleep(0.5)
    return before, most


def _read(way: Way, asked: str, seconds: int | None) -> int:
    """Bytes of the body of one answer: all of them as fast as they come, or at a viewer's pace for some seconds."""
    request = f"GET {way.path} HTTP/1.1\r\nHost: localhost:{way.port}\r\nRange: {asked}\r\nConnection: close\r\n\r\n"
    room = bytearray(MB if seconds is None else PACE // 10)
    taken = 0
    with socket.create_connection(("127.0.0.1", way.port), 60) as connection:
        connection.sendall(request.encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(65536)
        if not head.startswith(b"HTTP/1.1 206"):
            raise RuntimeError(f"{way.name} answered {head[:60]!r}")
        taken = len(head.partition(b"\r\n\r\n")[2])
        until = time.perf_counter() + (seconds or 3600)
        while time.perf_counter() < until and (count := connection.recv_into(room)):
            taken += count
            if seconds is not None:
                time.sleep(count / PACE)
    return taken


def _all_at_once(deed: Callable[[int], None], number: int) -> None:
    threads = [threading.Thread(target=deed, args=(each,)) for each in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
