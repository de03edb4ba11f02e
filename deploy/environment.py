"""Makes the environment in `.venv/`: `environment.py run`, or `environment.py dev` with what tests and checks need.

Run by any Python of 3.11 or newer; standard library only. A second run finds its stamp and does nothing.
"""

# ruff: noqa: S603, T201 - it runs programs by their names and speaks to whoever typed make

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".venv"
PYTHON = FOLDER / "bin" / "python"
UV = FOLDER / "bin" / "uv"
UV_PIN = ROOT / "deploy" / "uv.txt"
SETS = {"run": ["requirements.txt"], "dev": ["requirements.txt", "requirements-dev.txt"]}


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in SETS:
        print(f"Usage: environment.py {'|'.join(SETS)}", file=sys.stderr)
        return 2
    name = arguments[0]
    files = [ROOT / file for file in SETS[name]]
    with Folder(ROOT):
        usable = _works() and not _was_moved()
        if usable and _stamp(name).is_file() and _stamp(name).read_text() == _state(files):
            return 0
        if not usable:
            _say("making .venv")
            _run([sys.executable, "-m", "venv", "--clear", str(FOLDER)])
        _say(f"installing {' and '.join(file.name for file in files)}")
        _install(files)
        _stamp(name).write_text(_state(files))
        _say("ready")
    return 0


class Folder:
    """Keeps a second process from working on the same environment; waits for the first to end."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._descriptor = os.open(self._path, os.O_RDONLY)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def _works() -> bool:
    """Whether there is an environment for the Python it finds, which may have been upgraded under it."""
    if not PYTHON.exists():
        return False
    asks = (
        "import os, sys, sysconfig; "
        "sys.exit(sys.version_info < (3, 11) or not os.path.isdir(sysconfig.get_path('purelib')))"
    )
    return subprocess.run([str(PYTHON), "-c", asks], capture_output=True, check=False).returncode == 0


def _was_moved() -> bool:
    """Whether the environment was made in another folder: its commands would still lead there."""
    stamps = [_stamp(name) for name in SETS if _stamp(name).is_file()]
    return any(stamp.read_text().splitlines()[1:] != [str(FOLDER)] for stamp in stamps)


def _stamp(name: str) -> Path:
    return FOLDER / f"{name}.stamp"


def _state(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in [UV_PIN, *files]:
        digest.update(file.read_bytes())
    return f"{digest.hexdigest()}\n{FOLDER}\n"


def _install(files: list[Path]) -> None:
    """Install with uv, which is several times quicker, or with pip where uv cannot be had or does not get through."""
    wanted = [argument for file in files for argument in ("--requirement", str(file))]
    if _have_uv():
        command = [str(UV), "pip", "install", "--quiet", "--system-certs", "--python", str(PYTHON)]
        if _succeeds([*command, "--require-hashes", *wanted], {**os.environ, **_as_pip_is_set()}):
            return
        _say("uv did not get through, pip takes over")
    _run([*_pip(), "install", "--quiet", "--require-hashes", *wanted])


def _have_uv() -> bool:
    if UV.exists():
        return True
    quietly = [*_pip(), "install", "--quiet", "--require-hashes", "--requirement", str(UV_PIN)]
    if _succeeds(quietly, dict(os.environ), show_errors=False):
        return UV.exists()
    _say("uv cannot be had here, pip takes over")
    return False


def _pip() -> list[str]:
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input"]
    if not _succeeds([*pip, "--version"], dict(os.environ), show_errors=False, show_output=False):
        _run([str(PYTHON), "-m", "ensurepip"])
    return pip


def _as_pip_is_set() -> dict[str, str]:
    """uv does not read pip's settings: hand it those that say where packages come from."""
    listed = subprocess.run([*_pip(), "config", "list"], capture_output=True, text=True, check=False).stdout
    settings: dict[str, str] = {}
    for line in listed.splitlines():
        name, equals, value = line.partition("=")
        if equals:
            settings[name.rsplit(".", 1)[-1]] = " ".join(value.strip("'\"").replace("\\n", " ").split())
    names = {
        "index-url": "UV_DEFAULT_INDEX",
        "extra-index-url": "UV_INDEX",
        "find-links": "UV_FIND_LINKS",
        "cert": "SSL_CERT_FILE",
    }
    found = {names[key]: value for key, value in settings.items() if key in names and value}
    found["UV_FIND_LINKS"] = found.get("UV_FIND_LINKS", "").replace(" ", ",")
    found["UV_INDEX_STRATEGY"] = "unsafe-best-match"  # as pip does; the hashes decide what is taken
    return {name: value for name, value in found.items() if value and name not in os.environ}


def _succeeds(
    command: list[str], environment: dict[str, str], *, show_errors: bool = True, show_output: bool = True
) -> bool:
    output = None if show_output else subprocess.DEVNULL
    errors = None if show_errors else subprocess.DEVNULL
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=output, stderr=errors, check=False)
    return done.returncode == 0


def _run(command: list[str]) -> None:
    if not _succeeds(command, dict(os.environ)):
        print("The environment could not be made; what went wrong stands above.", file=sys.stderr)
        sys.exit(1)


def _say(text: str) -> None:
    print(f"{'environment':<12}{text}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
