from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lib import clock

REAL = datetime(2026, 11, 18, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("", "2026-11-18T12:00:00Z"),
        (" \n", "2026-11-18T12:00:00Z"),
        ("2026-11-18T11:59:59Z", "2026-11-18T11:59:59Z"),
        ("2026-11-18T11:59:59Z\n", "2026-11-18T11:59:59Z"),
        ("2026-11-18T12:59:59+01:00", "2026-11-18T11:59:59Z"),
        ("2026-11-18T11:59:59.500Z", "2026-11-18T11:59:59.500Z"),
        ("+P3DT2H", "2026-11-21T14:00:00Z"),
        ("+P3D", "2026-11-21T12:00:00Z"),
        ("-P1D", "2026-11-17T12:00:00Z"),
        ("+PT90M", "2026-11-18T13:30:00Z"),
        ("-PT0H30M1S", "2026-11-18T11:29:59Z"),
        ("+P28DT1S", "2026-12-16T12:00:01Z"),
    ],
)
def test_what_the_clock_file_means(text: str, instant: str) -> None:
    assert clock.read(text, REAL) == datetime.fromisoformat(instant)


@pytest.mark.parametrize(
    "text",
    ["tomorrow", "2026-11-18T11:59:59", "2026-11-18", "P3D", "+P", "+PT", "+P3DT", "+3D", "++P3D", "+P1.5D", "12:00Z"],
)
def test_what_it_cannot_mean_is_refused_rather_than_guessed(text: str) -> None:
    with pytest.raises(ValueError):
        clock.read(text, REAL)


def test_a_process_follows_the_file_from_call_to_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_file", None)
    file = tmp_path / "clock"
    clock.follow(file)

    assert abs(clock.now() - clock.machine_now()) < timedelta(seconds=5)
    file.write_text("2026-11-18T11:59:59Z")
    assert clock.now() == datetime(2026, 11, 18, 11, 59, 59, tzinfo=UTC)
    file.write_text("+P3D")
    assert timedelta(days=3) <= clock.now() - clock.machine_now() + timedelta(seconds=5)
    assert clock.machine_now().year < 2100
    file.unlink()
    assert abs(clock.now() - clock.machine_now()) < timedelta(seconds=5)


def test_without_a_file_it_is_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_file", None)

    assert clock.now().tzinfo is UTC
    assert abs(clock.now() - clock.machine_now()) < timedelta(seconds=5)
