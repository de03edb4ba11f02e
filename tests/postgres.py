"""A throw-away PostgreSQL server for tests; nothing beyond the standard library is imported.

* `with running() as base:` starts a server on a free loopback port and ends it with the block; `base` is a URL
  without a database, such as `postgresql://postgres:...@127.0.0.1:40123`; add `/postgres`, or `/` and a name that
  `CREATE DATABASE` was given.
* `base_url()` is the server that all workers of this test run share, or None when the run goes without PostgreSQL.
  As a pytest plugin (`pytest_plugins = ["tests.postgres"]`, or `-p tests.postgres`) this module starts it in the
  controller before the xdist workers and stops it after them, by way of the variable COLLOQUY_TEST_POSTGRES:
  unset, a server is started; a URL, that server is used and left running; `none`, the run goes without.
"""

import ctypes
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

VARIABLE = "COLLOQUY_TEST_POSTGRES"
NONE = "none"
USER = "postgres"
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "timezone": "UTC",
}

_shared = ExitStack()


class PostgresMissing(Exception):
    """There is no server to start; the message says what to type."""


def base_url() -> str | None:
    """The server this test run shares, or None when it goes without PostgreSQL."""
    url = os.environ.get(VARIABLE)
    return None if url in (None, "", NONE) else url


def binaries() -> Path | None:
    """The folder of the newest server's programs, or None when there is none."""
    homes = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    newest = sorted(homes, key=lambda program: [int(n) for n in program.parts[-3].split(".") if n.isdigit()])
    if newest:
        return newest[-1].parent
    on_path = shutil.which("postgres")
    return Path(on_path).resolve().parent if on_path else None


@contextmanager
def running() -> Iterator[str]:
    """Run a server of its own until the block ends.

    Raises PostgresMissing when no server is installed, RuntimeError with its log when it does not start.
    """
    programs = binaries()
    if programs is None:
        raise PostgresMissing(
            "The tests need PostgreSQL's server. As root, type: apt-get install postgresql "
            f"(or set {VARIABLE}=none to go without)"
        )
    folder = Path(tempfile.mkdtemp(prefix="colloquy-postgres-", dir="/tmp"))
    try:
        password = secrets.token_hex(12)
        identity = _identity(folder)
        _make_cluster(programs, folder, password, identity)
        process, port = _start(programs, folder, identity)
        try:
            yield f"postgresql://{USER}:{password}@127.0.0.1:{port}"
        finally:
            _stop(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def pytest_configure(config: Any) -> None:
    """Start the shared server in the process that starts the workers."""
    is_worker = hasattr(config, "workerinput")
    only_looks = config.option.collectonly or config.option.help
    if is_worker or only_looks or os.environ.get(VARIABLE):
        return
    os.environ[VARIABLE] = _shared.enter_context(running())
    _shared.callback(os.environ.pop, VARIABLE, None)


def pytest_unconfigure() -> None:
    _shared.close()


def _identity(folder: Path) -> dict[str, Any]:
    """Who the server runs as: PostgreSQL refuses to be root."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get(USER) or names["nobody"]
    os.chown(folder, entry.pw_uid, entry.pw_gid)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _make_cluster(programs: Path, folder: Path, password: str, identity: dict[str, Any]) -> None:
    secret = folder / "password"
    secret.write_text(password)
    secret.chmod(0o644)  # inside a folder that only its owner may enter
    command = [str(programs / "initdb"), "--pgdata", str(folder / "data"), "--username", USER]
    command += ["--pwfile", str(secret)]
    command += ["--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"]
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True, **identity)
    if made.returncode != 0:
        raise RuntimeError(f"initdb failed:\n{made.stdout}{made.stderr}")
    secret.unlink()


def _start(programs: Path, folder: Path, identity: dict[str, Any]) -> tuple[subprocess.Popen[bytes], int]:
    """Start the server and wait until it takes connections; another port when somebody was quicker."""
    log = folder / "log"
    end_with_parent = _ending_with_parent()
    for _attempt in range(5):
        port = _free_port()
        settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [programs / "postgres", "-D", folder / "data", f"--port={port}", *settings],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=end_with_parent,  # noqa: PLW1509 - nothing but one call into the kernel
                start_new_session=True,
                **identity,
            )
        if _is_ready(process, log):
            return process, port
        _stop(process)
    raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}")


def _is_ready(process: subprocess.Popen[bytes], log: Path) -> bool:
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        if "ready to accept connections" in log.read_text(errors="replace"):
            return True
        time.sleep(0.02)
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    for name, patience in ((signal.SIGINT, 10), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
        if process.poll() is None:
            process.send_signal(name)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
        return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _ending_with_parent() -> Callable[[], None] | None:
    """On Linux, what the server calls as it starts so that it ends when the test run is killed."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    set_parent_death_signal = 1
    return lambda: prctl(set_parent_death_signal, signal.SIGQUIT)
