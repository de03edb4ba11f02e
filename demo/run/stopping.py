"""Noticing that it is time to stop."""

import os
import signal
from pathlib import Path
from types import FrameType


class Stopping:
    """True once SIGINT or SIGTERM came, to this process or to the `make` that runs it."""

    def __init__(self) -> None:
        self._came = False
        self._make = os.getppid() if "MAKELEVEL" in os.environ else None
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup leaves it
            signal.signal(signal.SIGHUP, self._note)

    def __bool__(self) -> bool:
        return self._came or self._make_is_stopping()

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._came = True

    def _make_is_stopping(self) -> bool:
        """make passes a SIGTERM on, but a SIGINT sent to it alone it keeps, and waits for us for ever.

        While it waits it has that signal blocked, which Linux shows.
        """
        if self._make is None:
            return False
        if os.getppid() != self._make:
            return True
        try:
            status = Path(f"/proc/{self._make}/status").read_text(encoding="ascii", errors="replace")
        except OSError:
            return False
        blocked = next((line.split()[1] for line in status.splitlines() if line.startswith("SigBlk:")), "0")
        return bool(int(blocked, 16) & (1 << (signal.SIGINT - 1)))
