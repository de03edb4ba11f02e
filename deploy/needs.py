"""Sees to what the suite needs beyond Python: PostgreSQL's server, Chromium, nginx, a second calendar reader.

As root with apt-get it installs what is missing; otherwise it says what to type and exits with 1. Standard library
only.
"""

# ruff: noqa: S603, T201 - it runs programs by their names and speaks to whoever typed make

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


def main() -> int:
    missing = [need for need in NEEDS if not need.is_met()]
    if not missing:
        return 0
    packages = [package for need in missing for package in need.packages]
    apt_get = shutil.which("apt-get")
    if apt_get and os.geteuid() == 0:
        print(f"{'needs':<12}installing {', '.join(need.name for need in missing)}", flush=True)
        _install(apt_get, packages)
        missing = [need for need in NEEDS if not need.is_met()]
    if missing:
        names = ", ".join(need.name for need in missing)
        packages = [package for need in missing for package in need.packages]
        print(f"Missing: {names}. As root, type: apt-get install -y {' '.join(packages)}", file=sys.stderr)
        return 1
    return 0


@dataclass(frozen=True)
class Need:
    """Something tests need, how to see that it is there, and Debian's packages of it."""

    name: str
    is_met: Callable[[], bool]
    packages: tuple[str, ...]


def _has_postgresql() -> bool:
    return any(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or bool(shutil.which("initdb"))


def _has_chromium() -> bool:
    return bool(shutil.which("chromium"))


def _has_libical() -> bool:
    asks = "import gi; gi.require_version('ICalGLib', '3.0'); from gi.repository import ICalGLib"
    python = Path("/usr/bin/python3")
    if not python.exists():
        return False
    return subprocess.run([python, "-c", asks], capture_output=True, check=False).returncode == 0


def _has_nginx() -> bool:
    return bool(shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin"))


def _has_ffmpeg() -> bool:
    return all(shutil.which(name) for name in ("ffmpeg", "ffprobe"))


def _has_webkit() -> bool:
    """WebKit's driver and its browser, a screen for them, and what plays MP4."""
    libraries = (
        Path("/usr/lib").glob(pattern)
        for pattern in (
            "*/webkit2gtk-4.*/MiniBrowser",
            "*/gstreamer-1.0/libgstlibav.so",
            "*/gstreamer-1.0/libgstisomp4.so",
        )
    )
    return all(shutil.which(name) for name in ("WebKitWebDriver", "Xvfb")) and all(any(found) for found in libraries)


NEEDS = (
    Need("PostgreSQL's server", _has_postgresql, ("postgresql",)),
    Need("Chromium", _has_chromium, ("chromium",)),
    Need("ffmpeg", _has_ffmpeg, ("ffmpeg",)),
    Need("libical for Python", _has_libical, ("gir1.2-ical-3.0", "python3-gi")),
    Need("nginx", _has_nginx, ("nginx-light",)),
    Need(
        "WebKit",
        _has_webkit,
        ("webkit2gtk-driver", "xvfb", "gstreamer1.0-plugins-base", "gstreamer1.0-plugins-good", "gstreamer1.0-libav"),
    ),
)


def _install(apt_get: str, packages: list[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", *packages]):
        subprocess.run([apt_get, *arguments], env=environment, stdout=subprocess.DEVNULL, check=False)


if __name__ == "__main__":
    sys.exit(main())
