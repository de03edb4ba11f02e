"""The mailbox as a process of its own, for tests: `with running() as mailbox: ...`."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, kw_only=True)
class Mailbox:
    """Where a running mailbox is: `http` for its pages, `smtp` for a SMTP_URL."""

    http: str
    smtp: str
    state: Path

    @property
    def smtp_port(self) -> int:
        return urlsplit(self.smtp).port or 0


@contextmanager
def running(state: Path | None = None, *, clock: Path | None = None) -> Iterator[Mailbox]:
    """Run a mailbox on free loopback ports until the block ends; its letters are in `state`, or forgotten.

    Raises RuntimeError with what it said when it does not start.
    """
    with ExitStack() as stack:
        folder = state or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mailbox-")))
        command = [sys.executable, "-m", "demo.mailbox", "--smtp-port", "0", "--http-port", "0"]
        command += ["--state", str(folder)] + (["--clock", str(clock)] if clock else [])
        log = stack.enter_context(tempfile.TemporaryFile("w+"))
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                process.wait(timeout=10)
                log.seek(0)
                raise RuntimeError(f"the mailbox did not start:\n{log.read()}")
            yield Mailbox(**json.loads(line), state=folder)
        finally:
            process.terminate()
            try:
                process.communicate(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
