"""The programs that a run starts: each in a process group of its own, its output in a file of its own."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

from demo.run import watcher

ROOT = Path(__file__).resolve().parent.parent.parent
TAIL = 20


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to start, and how to ask whether it answers."""

    name: str
    command: Sequence[str]
    is_ready: Callable[[], bool] = lambda: True


@dataclass(kw_only=True)
class Child:
    """A program that was started."""

    program: Program
    process: subprocess.Popen[bytes]
    log: Path
    started: float = field(default_factory=time.monotonic)

    @property
    def name(self) -> str:
        return self.program.name

    def exit_code(self) -> int | None:
        return self.process.poll()

    def last_lines(self) -> str:
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(f"  | {line}" for line in text.splitlines()[-TAIL:]) or "  | (it said nothing)"


class Family:
    """All children of a run, ended together; a watcher ends them should this process be killed."""

    def __init__(self, logs: Path, environment: Mapping[str, str], *, gone_with_it: Path) -> None:
        self._logs = logs
        self._environment = dict(environment)
        self._children: dict[str, Child] = {}
        logs.mkdir(parents=True, exist_ok=True)
        for old in logs.glob("*.log"):
            old.unlink()
        self._watcher = subprocess.Popen(
            [sys.executable, "-I", watcher.__file__, str(gone_with_it)],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def start(self, program: Program) -> Child:
        log = self._logs / f"{program.name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                list(program.command),
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._tell(f"+{process.pid}")
        child = Child(program=program, process=process, log=log)
        self._children[program.name] = child
        return child

    def forget(self, child: Child) -> None:
        """Take leave of a child that has ended, and end whatever it left behind."""
        watcher.end({child.process.pid}, 2)
        self._tell(f"-{child.process.pid}")
        self._children.pop(child.name, None)

    def stop(self, names: Sequence[str], patience: float) -> None:
        """Ask the children called `names` to end, and after `patience` seconds make them."""
        children = [self._children[name] for name in names if name in self._children]
        left = {child.process.pid: child for child in children}
        for group in left:
            watcher.send(group, signal.SIGTERM)
        until = time.monotonic() + patience
        while left and time.monotonic() < until:
            time.sleep(0.05)
            left = {
                group: child for group, child in left.items() if child.exit_code() is None or watcher.send(group, 0)
            }
        for group, child in left.items():
            watcher.send(group, signal.SIGKILL)
            child.process.wait()
        for child in children:
            self._tell(f"-{child.process.pid}")
            self._children.pop(child.name, None)

    def names(self) -> list[str]:
        return list(self._children)

    def running(self) -> list[Child]:
        return list(self._children.values())

    def close(self) -> None:
        """Send the watcher home."""
        self._tell("bye")
        if self._watcher.stdin:
            self._watcher.stdin.close()
        self._watcher.wait()

    def _tell(self, line: str) -> None:
        if self._watcher.stdin:
            self._watcher.stdin.write(line + "\n")
            self._watcher.stdin.flush()


def answers(url: str, *, status: int | None = None) -> bool:
    """Whether a GET of `url` is answered, with `status` when one is asked for."""
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=5) as answer:
            found = answer.status
    except HTTPError as refusal:
        refusal.close()
        found = refusal.code
    except (URLError, OSError):
        return False
    return status is None or found == status
