"""`python -m bench.pages [ROUNDS] [SECONDS]`: the list and a workshop's page beside a bare page, in the same run.

Two web workers on a PostgreSQL of its own, with the demo's catalogue. The ratio is what counts: everything else
depends on the machine and on what else it does.
"""

import http.client
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from sqlalchemy import select

from bench import load, serving
from courses.models import Workshop
from demo.run import programs
from demo.run.children import Program, answers
from demo.run.instance import Instance, choose_ports
from lib import clock, db
from tests import postgres

CONNECTIONS = 16
PYTHON = sys.executable


def main(arguments: Sequence[str]) -> int:
    rounds, seconds = (int(each) for each in (*arguments, *("3", "5")[len(arguments) :]))
    rates: dict[str, list[float]] = defaultdict(list)
    has_failed = False
    with ExitStack() as stack:
        base = stack.enter_context(postgres.running())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="colloquy-bench-")))
        url = stack.enter_context(serving.postgresql_database(base))
        house = stack.enter_context(serving.running(folder / "house", database=url, has_catalogue=True))
        bare_port = choose_ports(Instance(_made(folder / "bare")))["web"]
        serving.start(house, _bare(bare_port))
        slug = _a_workshop(house)
        pages = {
            "bare": ("bare", bare_port, "/"),
            "list": ("web", house.port, "/workshops"),
            "workshop": ("web", house.port, f"/workshops/{slug}"),
        }
        print(f"{'page':<10}{'a second':>10}{'of bare':>9}{'p95 ms':>8}{'CPU ms':>8}{'bytes':>8}{'failed':>8}")
        for _ in range(rounds):
            for name, (program, port, path) in pages.items():
                size = _size(port, path)
                load.get(port, path, connections=CONNECTIONS, seconds=1)
                group = house.group(program)
                before = serving.cpu_seconds(group)
                done = load.get(port, path, connections=CONNECTIONS, seconds=seconds)
                cpu = 1000 * (serving.cpu_seconds(group) - before) / max(done.answered, 1)
                rates[name].append(done.rate)
                ratio = done.rate / rates["bare"][-1]
                print(f"{name:<10}{done.rate:>10.0f}{ratio:>9.2f}{done.p95_ms:>8.1f}{cpu:>8.2f}{size:>8}", end="")
                print(f"{done.failed:>8}", flush=True)
                has_failed |= done.failed > 0
        memory = serving.memory_mb(house.group("web"))
        print(f"memory of the web processes: {memory:.0f} MB; load by {done.by}, {CONNECTIONS} connections")
    for name in ("list", "workshop"):
        ratios = [rate / bare for rate, bare in zip(rates[name], rates["bare"], strict=True)]
        print(f"{name}: {min(ratios):.2f} to {max(ratios):.2f} of the bare page's rate")
    return 1 if has_failed else 0


def _bare(port: int) -> Program:
    """The bare page served as the web process is, but for its name and port."""
    like = programs.web({"BASE_URL": f"http://127.0.0.1:{port}"}, {"web": port})
    command = ["bench.bare:serve" if part == "app:serve" else part for part in like.command]
    return replace(
        like, name="bare", command=command, is_ready=lambda: answers(f"http://127.0.0.1:{port}/", status=200)
    )


def _a_workshop(house: serving.House) -> str:
    """The first one that is still to come."""
    with house.app() as app, app.app_context():
        return db.session.scalars(
            select(Workshop.slug).where(Workshop.starts_at > clock.now()).order_by(Workshop.starts_at).limit(1)
        ).one()


def _size(port: int, path: str) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("GET", path, headers={"Host": f"localhost:{port}"})
        return len(connection.getresponse().read())


def _made(folder: Path) -> Path:
    os.makedirs(folder)
    return folder


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
