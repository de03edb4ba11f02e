"""What time it is for the product. Only doors (routes, jobs, commands) ask; everything below takes `now`.

In the demo the file `instance/clock` can stop or shift this clock; signatures, TLS, rate limits, leases and retry
back-off use `machine_now()`.
"""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

_OFFSET = re.compile(
    r"(?P<sign>[+-])P(?=.)(?:(?P<days>\d+)D)?"
    r"(?:T(?=.)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?"
)

_file: Path | None = None


def follow(path: Path | None) -> None:
    """Let the file at `path` rule `now()` in this process (the demo), or nothing when None."""
    global _file  # noqa: PLW0603 - one clock a process, set once where the process starts
    _file = path


def machine_now() -> datetime:
    """The machine's own time, aware, in UTC."""
    return datetime.now(UTC)


def now() -> datetime:
    """The product's time, aware, in UTC; the machine's, unless a file is followed.

    Raises ValueError if that file holds neither nothing, an instant (`2026-11-18T11:59:59Z`) nor an offset
    (`+P3DT2H`).
    """
    real = machine_now()
    if _file is None:
        return real
    try:
        text = _file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return real
    return read(text, real)


def read(text: str, real: datetime) -> datetime:
    """The instant that the clock file's `text` stands for at the machine's instant `real`."""
    text = text.strip()
    if not text:
        return real
    if match := _OFFSET.fullmatch(text):
        parts = {k: int(v) for k, v in match.groupdict().items() if k != "sign" and v}
        shift = timedelta(**parts)
        return real + shift if match["sign"] == "+" else real - shift
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"instance/clock holds {text!r}: give the instant with its zone, as in 2026-11-18T11:59:59Z")
    return instant.astimezone(UTC)
