"""`python tests/setup/fresh_clone.py [--user NAME]`: does `make run` work on a machine that has nothing?

Clones the checkout's last commit into an empty folder and runs it there with nothing in the environment but PATH and
an empty HOME: as whoever calls it, and, called by root, once more as an ordinary user. Standard library only.
"""

import argparse
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

ROOT = Path(__file__).resolve().parent.parent.parent
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
START_PATIENCE = 300.0
STOP_PATIENCE = 10.0
ROLES = {"owner", "manager", "presenter", "other_owner", "attendee"}


@dataclass(frozen=True)
class Clone:
    """A clone, its HOME, and who it belongs to."""

    folder: Path
    home: Path
    user: str | None

    @property
    def addresses_file(self) -> Path:
        return self.folder / "instance" / "addresses.json"

    def start(self, *command: str) -> subprocess.Popen[str]:
        identity: dict[str, Any] = {}
        if self.user:
            entry = pwd.getpwnam(self.user)
            identity = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        return subprocess.Popen(
            # Whatever a script started in the background ignores Ctrl-C, and so would its children.
            ("env", "--default-signal=INT", *command),
            cwd=self.folder,
            env={"PATH": PATH, "HOME": str(self.home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
            **identity,
        )

    def say(self, *command: str) -> tuple[int, str]:
        """Run a command to its end: its exit code and what it said."""
        with self.start(*command) as process:
            said, _ = process.communicate(timeout=START_PATIENCE)
            return process.returncode, said

    def processes(self) -> list[str]:
        """Whatever still runs in the clone."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                is_ours = (entry / "cwd").readlink().is_relative_to(self.folder)
                command = (entry / "cmdline").read_text(errors="replace").replace("\0", " ")
            except OSError:
                continue
            if is_ours and command:
                found.append(f"{entry.name} {command}")
        return found


@dataclass(frozen=True)
class Running:
    """A `make run` that answers."""

    addresses: dict[str, Any]
    seconds: float


def check(user: str | None) -> None:
    """The walk of somebody who has just cloned Colloquy. Raises AssertionError where it stumbles."""
    with _clone(user) as clone:
        with _running(clone, stop_by=signal.SIGTERM) as first:
            tell(user, f"first page after {first.seconds:.1f} s")
            _check_answers(first)
            assert set(first.addresses["people"]) == ROLES
            assert (clone.folder / "instance" / "settings.env").stat().st_mode & 0o777 == 0o600
            assert not (clone.folder / ".venv" / "bin" / "pytest").exists(), "a first page needs no test packages"
            _check_commands(clone)
        with _running(clone, "DATABASE_URL=", stop_by=signal.SIGINT) as again:
            tell(user, f"again after {again.seconds:.1f} s")
            _check_answers(again)
            assert again.addresses == first.addresses, "the same data, people and ports"
        assert clone.say("make", "reset")[0] == 0
        with _running(clone, "EMPTY=1", stop_by=signal.SIGTERM) as empty:
            tell(user, f"empty after {empty.seconds:.1f} s")
            assert empty.addresses["people"] == {}
            assert _get(empty.addresses["web"] + "/workshops")[0] == 200


def tell(user: str | None, text: str) -> None:
    print(f"{user or pwd.getpwuid(os.geteuid()).pw_name}: {text}", flush=True)


def ordinary_user() -> str | None:
    """Somebody root can also be, None for anybody but root."""
    return "nobody" if os.geteuid() == 0 else None


@contextmanager
def _clone(user: str | None) -> Iterator[Clone]:
    top = Path(tempfile.mkdtemp(prefix="colloquy-fresh-"))
    try:
        top.chmod(0o755)
        clone = Clone(top / "colloquy", top / "home", user)
        clone.home.mkdir()
        subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, clone.folder], check=True)
        if user:
            entry = pwd.getpwnam(user)
            for path in (clone.home, clone.folder, *clone.folder.rglob("*")):
                os.chown(path, entry.pw_uid, entry.pw_gid, follow_symlinks=False)
        yield clone
    finally:
        shutil.rmtree(top, ignore_errors=True)


@contextmanager
def _running(clone: Clone, *arguments: str, stop_by: signal.Signals) -> Iterator[Running]:
    """`make run` until it answers, and its end, which must leave nothing behind."""
    started = time.monotonic()
    process = clone.start("make", "run", *arguments)
    try:
        while not clone.addresses_file.exists():
            if process.poll() is not None or time.monotonic() - started > START_PATIENCE:
                os.killpg(process.pid, signal.SIGTERM) if process.poll() is None else None
                said, _ = process.communicate(timeout=STOP_PATIENCE * 2)
                raise AssertionError(f"make run did not come up:\n{said}")
            time.sleep(0.05)
        addresses = json.loads(clone.addresses_file.read_text(encoding="utf-8"))
        assert _get(addresses["web"] + "/workshops")[0] == 200
        yield Running(addresses, time.monotonic() - started)
        asked = time.monotonic()
        process.send_signal(stop_by)
        said, _ = process.communicate(timeout=STOP_PATIENCE + 5)
        while clone.processes() and time.monotonic() - asked < STOP_PATIENCE:
            time.sleep(0.05)
        assert clone.processes() == [], f"still running after {STOP_PATIENCE:.0f} s"
        assert not clone.addresses_file.exists()
        tell(clone.user, f"stopped by {stop_by.name} after {time.monotonic() - asked:.1f} s")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.communicate(timeout=STOP_PATIENCE * 2)
        elif process.stdout:
            process.stdout.close()


def _check_answers(running: Running) -> None:
    addresses = running.addresses
    status, page = _get(addresses["web"] + "/workshops")
    assert status == 200
    assert page.count("<h1") == 1
    assert _get(addresses["web"] + "/readyz")[0] == 200
    assert isinstance(json.loads(_get(addresses["mailbox"] + "/letters.json")[1]), list)
    assert _get(addresses["stripe"] + "/_test/events")[0] == 200
    assert addresses["web"].startswith("http://localhost:")


def _check_commands(clone: Clone) -> None:
    """What works beside a running demo, in an environment that says nothing."""
    code, said = clone.say("make", "run")
    assert code != 0, said
    assert "runs already" in said, said
    code, said = clone.say("make", "reset")
    assert code != 0, said
    assert "runs already" in said, said
    for command in (("routes",), ("bookings", "audit"), ("work", "--once")):
        code, said = clone.say(".venv/bin/flask", *command)
        assert code == 0, f"flask {' '.join(command)}: {said}"


def _get(url: str) -> tuple[int, str]:
    with build_opener(ProxyHandler({})).open(url, timeout=30) as answer:
        return answer.status, answer.read().decode()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--user", help="try it as this user alone (root may be anybody)")
    user = parser.parse_args().user
    users = [user] if user else [None, ordinary_user()] if ordinary_user() else [None]
    for one in users:
        try:
            check(one)
        except AssertionError:
            tell(one, f"FAILED\n{traceback.format_exc()}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
