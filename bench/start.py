"""`python -m bench.start [ROUNDS]`: seconds from starting the web process to its first page, what CPU time
its three processes used for that, and their memory.

The database is there and has every migration, as on a server that is started again.
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench import load, serving
from demo.run import programs
from demo.run.children import answers


def main(arguments: Sequence[str]) -> int:
    rounds = int(arguments[0]) if arguments else 3
    print(f"{'first page s':>13}{'CPU s':>7}{'MB then':>9}{'MB after a second of pages':>27}")
    with tempfile.TemporaryDirectory(prefix="colloquy-bench-") as folder:
        names = ("stripe",)
        with serving.running(Path(folder) / "house", names=names, has_catalogue=True) as house:
            for _ in range(rounds):
                program = programs.web(house.settings, {"web": house.port})
                began = time.perf_counter()
                house.family.start(program)
                while not answers(f"{house.web}/workshops", status=200):
                    time.sleep(0.01)
                seconds = time.perf_counter() - began
                group = house.group("web")
                used = serving.cpu_seconds(group)
                first = serving.memory_mb(group)
                load.get(house.port, "/workshops", connections=8, seconds=1)
                print(f"{seconds:>13.2f}{used:>7.2f}{first:>9.0f}{serving.memory_mb(group):>27.0f}", flush=True)
                house.family.stop(["web"], 8)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
