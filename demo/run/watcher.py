"""Ends what a supervisor started when the supervisor itself is gone.

Run as a file of its own. Reads lines from standard input: `+N` for a process group started, `-N` for one that has
ended, `bye` for an orderly end. When the input ends without `bye` it ends every group that is left. Its arguments
are files to remove then.
"""

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

PATIENCE = 6.0


def main() -> None:
    groups: set[int] = set()
    for line in sys.stdin:
        word = line.strip()
        if word == "bye":
            return
        if word.startswith("+"):
            groups.add(int(word[1:]))
        elif word.startswith("-"):
            groups.discard(int(word[1:]))
    for path in sys.argv[1:]:
        Path(path).unlink(missing_ok=True)
    end(groups, PATIENCE)


def end(groups: set[int], patience: float) -> None:
    """Ask each group to end, and after `patience` seconds make it."""
    left = {group for group in groups if send(group, signal.SIGTERM)}
    until = time.monotonic() + patience
    while left and time.monotonic() < until:
        time.sleep(0.05)
        left = {group for group in left if send(group, 0)}
    for group in left:
        send(group, signal.SIGKILL)


def send(group: int, number: int) -> bool:
    """Send a signal to a group; False when nobody is left in it."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
        return True
    return False


if __name__ == "__main__":
    main()
