"""The instance folder: which files it has, its settings and ports, and the lock of who is running.

Standard library only, the app's own settings not excepted, so that `make reset` needs no environment.
"""

import fcntl
import hashlib
import json
import os
import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PORTS = ("web", "stripe", "mailbox", "smtp")
OWN_DATABASE = "colloquy.sqlite"


class AlreadyRunning(Exception):
    """Somebody holds the instance; the message says who."""


class DatabaseRefused(Exception):
    """DATABASE_URL is none that the app can use; the message says what it takes."""


@dataclass(frozen=True)
class Instance:
    """One installation's own files."""

    folder: Path

    @property
    def settings(self) -> Path:
        return self.folder / "settings.env"

    @property
    def addresses(self) -> Path:
        return self.folder / "addresses.json"

    @property
    def ports(self) -> Path:
        return self.folder / "ports.json"

    @property
    def clock(self) -> Path:
        return self.folder / "clock"

    @property
    def stripe_state(self) -> Path:
        return self.folder / "stripe.sqlite"

    @property
    def mailbox_state(self) -> Path:
        return self.folder / "mailbox"

    @property
    def logs(self) -> Path:
        return self.folder / "log"

    @property
    def lock(self) -> Path:
        return self.folder / "run.lock"

    @property
    def own_database(self) -> str:
        return f"sqlite:///{self.folder / OWN_DATABASE}"

    def people(self, database: str) -> Path:
        """Who the sample data put into `database`; each database has its own people and passwords."""
        return self.folder / f"people{self._mark(database)}.json"

    def unfinished(self, database: str) -> Path:
        """Exists while sample data are being put into `database`."""
        return self.folder / f"seeding{self._mark(database)}"

    def _mark(self, database: str) -> str:
        if database == self.own_database:
            return ""
        return "-" + hashlib.sha256(database.encode()).hexdigest()[:8]


def here() -> Instance:
    """The instance of this checkout, or of COLLOQUY_INSTANCE, as the app finds it too."""
    return Instance(Path(os.environ.get("COLLOQUY_INSTANCE") or ROOT / "instance").resolve())


@contextmanager
def held(instance: Instance) -> Iterator[None]:
    """Keep everybody else from running or resetting the instance. Raises AlreadyRunning."""
    instance.folder.mkdir(parents=True, exist_ok=True)
    with instance.lock.open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise AlreadyRunning(_who_runs(instance, lock.read().strip())) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
        lock.truncate(0)


def _who_runs(instance: Instance, pid: str) -> str:
    try:
        where = "at " + json.loads(instance.addresses.read_text(encoding="utf-8"))["web"]
    except (OSError, ValueError, KeyError):
        where = "and is still starting"
    return f"Colloquy runs already {where} (process {pid or 'unknown'}). Stop it first: Ctrl-C where it runs."


def read_settings(instance: Instance) -> dict[str, str]:
    """The names and values in settings.env."""
    if not instance.settings.exists():
        return {}
    lines = instance.settings.read_text(encoding="utf-8").splitlines()
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.lstrip().startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}


def write_settings(instance: Instance, settings: Mapping[str, str]) -> None:
    """Write settings.env, for its owner's eyes only."""
    fresh = instance.settings.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("# Made by `make run`. Secrets: not for anybody else's eyes.\n")
        file.writelines(f"{name}={value}\n" for name, value in settings.items())
    fresh.replace(instance.settings)


def demo_settings(instance: Instance, ports: Mapping[str, int], database: str) -> dict[str, str]:
    """What this run is set to: secrets of earlier runs kept, addresses those of `ports`."""
    kept = read_settings(instance)
    return {
        **kept,
        "COLLOQUY_DEMO": "1",
        "BASE_URL": f"http://localhost:{ports['web']}",
        "DATABASE_URL": database,
        "SECRET_KEY": kept.get("SECRET_KEY") or secrets.token_urlsafe(32),
        "LINK_KEYS": kept.get("LINK_KEYS") or secrets.token_urlsafe(32),
        "STRIPE_SECRET_KEY": kept.get("STRIPE_SECRET_KEY") or f"sk_test_{secrets.token_hex(24)}",
        "STRIPE_WEBHOOK_SECRET": kept.get("STRIPE_WEBHOOK_SECRET") or f"whsec_{secrets.token_hex(24)}",
        "STRIPE_API_BASE": f"http://localhost:{ports['stripe']}",
        "SMTP_URL": f"smtp://127.0.0.1:{ports['smtp']}",
        "MAIL_FROM": kept.get("MAIL_FROM") or "Colloquy <letters@colloquy.example>",
    }


def choose_database(instance: Instance, asked: str) -> str:
    """The database of this run: the one asked for, else that of the last run, else the instance's own SQLite file.

    Raises DatabaseRefused.
    """
    last = read_settings(instance).get("DATABASE_URL", "")
    if last.startswith("sqlite:") and last.endswith(f"/{OWN_DATABASE}"):
        last = ""  # the own file is where the folder is now, not where it was
    url = asked.strip() or last or instance.own_database
    if any(character.isspace() for character in url) or not url.startswith(("sqlite:///", "postgresql")):
        raise DatabaseRefused(
            "DATABASE_URL takes sqlite:////absolute/path/name.sqlite or postgresql://user:password@host/name."
        )
    path = url.removeprefix("sqlite:///")
    if path != url and not path.startswith("/"):
        return f"sqlite:///{instance.folder / path}"
    return url


def choose_ports(instance: Instance) -> dict[str, int]:
    """The ports of the last run where they are free, else free ones; remembered for the next run."""
    try:
        last = json.loads(instance.ports.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        last = {}
    with ExitStack() as stack:
        ports = {name: _take(stack, last.get(name)) for name in PORTS}
    instance.ports.write_text(json.dumps(ports) + "\n", encoding="utf-8")
    return ports


def _take(stack: ExitStack, wanted: object) -> int:
    """Hold a loopback port until `stack` ends, so that no other service is given the same."""
    for port in [wanted, 0] if isinstance(wanted, int) else [0]:
        probe = stack.enter_context(socket.socket())
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen()
        except OSError:
            continue
        taken: int = probe.getsockname()[1]
        return taken
    raise OSError("no loopback port is free")
