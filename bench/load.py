"""A load of GETs on one address: by `wrk` where it is installed, else by `python -m bench.load PORT PATH CONNECTIONS
SECONDS`, plain sockets in a process of its own. Loopback only, bounded in time."""

import json
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from bench.buyers import percentile

ROOT = Path(__file__).resolve().parent.parent
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True)
class Load:
    """Requests a second, 95th percentile in milliseconds, how many were answered, and how many of those not by 200."""

    rate: float
    p95_ms: float
    answered: int
    failed: int
    by: str


def get(port: int, path: str, *, connections: int, seconds: int) -> Load:
    """Ask for `path` as fast as it is answered."""
    return (
        _by_wrk(port, path, connections, seconds) if shutil.which("wrk") else _by_own(port, path, connections, seconds)
    )


def _by_wrk(port: int, path: str, connections: int, seconds: int) -> Load:
    script = Path(__file__).with_name("report.lua")
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script)]
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{port}{path}"], capture_output=True, text=True, timeout=seconds + 60, check=True
    )
    found = re.search(r"figures (\d+) (\d+) (\d+) (\d+)", done.stdout)
    if found is None:
        raise RuntimeError(f"wrk said:\n{done.stdout}{done.stderr}")
    answered, duration_us, p95_us, failed = (int(each) for each in found.groups())
    return Load(1_000_000 * answered / duration_us, p95_us / 1000, answered, failed, "wrk")


def _by_own(port: int, path: str, connections: int, seconds: int) -> Load:
    command = [sys.executable, "-m", "bench.load", str(port), path, str(connections), str(seconds)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds + 60, check=True)
    told = json.loads(done.stdout)
    return Load(told["answered"] / told["seconds"], told["p95_ms"], told["answered"], told["failed"], "own client")


def _main(port: int, path: str, connections: int, seconds: int) -> None:
    waits: list[float] = []
    failed: list[int] = []
    began = time.perf_counter()
    until = began + seconds

    def ask() -> None:
        request = f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode()
        with socket.create_connection(("127.0.0.1", port), 30) as connection:
            while (start := time.perf_counter()) < until:
                connection.sendall(request)
                status = _read_answer(connection)
                waits.append(time.perf_counter() - start)
                if status != 200:
                    failed.append(status)

    threads = [threading.Thread(target=ask) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = {
        "answered": len(waits),
        "failed": len(failed),
        "seconds": time.perf_counter() - began,
        "p95_ms": 1000 * percentile(waits, 95),
    }
    print(json.dumps(told))


def _read_answer(connection: socket.socket) -> int:
    data = b""
    while b"\r\n\r\n" not in data:
        data += _some(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    if length is None:
        raise RuntimeError("an answer without a length")
    left = int(length[1]) - len(body)
    while left > 0:
        left -= len(_some(connection))
    return int(head.split(b" ", 2)[1])


def _some(connection: socket.socket) -> bytes:
    found = connection.recv(65536)
    if not found:
        raise RuntimeError("the server closed the connection")
    return found


if __name__ == "__main__":
    _main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
