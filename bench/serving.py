"""Colloquy as real processes on loopback and free ports, for figures, races and browsers; ended with the block."""

import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from flask import Flask
from psycopg import sql

from app import create_app
from demo.run import instance as instances
from demo.run import programs
from demo.run.children import Child, Family, Program
from demo.run.instance import Instance
from lib import db
from lib.settings import NAMES

PATIENCE = 60.0
TICKS = os.sysconf("SC_CLK_TCK")


class NotServing(Exception):
    """A process did not start; the message holds its last words."""


@dataclass(frozen=True)
class House:
    """The running processes and where they answer."""

    web: str
    stripe: str
    mailbox: str
    database: str
    instance: Instance
    settings: Mapping[str, str]
    family: Family

    @property
    def port(self) -> int:
        return int(self.web.rpartition(":")[2])

    def group(self, name: str) -> int:
        """The process group of a running program: web, worker, stripe or mailbox."""
        return next(child.process.pid for child in self.family.running() if child.name == name)

    @contextmanager
    def app(self) -> Iterator[Flask]:
        """An application of this process on the same database: for arranging rows and looking at them."""
        made = create_app({**self.settings, "COLLOQUY_DEMO": "", "TESTING": True, "LOG_LEVEL": "ERROR"})
        try:
            yield made
        finally:
            with made.app_context():
                db.engine().dispose()


@contextmanager
def running(
    folder: Path, *, database: str = "", names: tuple[str, ...] = ("stripe", "web"), has_catalogue: bool = False
) -> Iterator[House]:
    """Start the programs called `names` as `make run` does, on `database` or a new SQLite file in `folder`.

    The database gets every migration, and the demo's catalogue if asked for. Raises NotServing.
    """
    instance = Instance(folder)
    folder.mkdir(parents=True, exist_ok=True)
    ports = instances.choose_ports(instance)
    url = database or instance.own_database
    settings = instances.demo_settings(instance, ports, url)
    family = Family(instance.logs, _environment(instance, settings), gone_with_it=instance.addresses)
    made: dict[str, Callable[[], Program]] = {
        "stripe": lambda: programs.stripe(instance, settings, ports),
        "mailbox": lambda: programs.mailbox(instance, ports),
        "worker": programs.worker,
        "web": lambda: programs.web(settings, ports),
    }
    house = House(
        web=settings["BASE_URL"],
        stripe=settings["STRIPE_API_BASE"],
        mailbox=f"http://localhost:{ports['mailbox']}",
        database=url,
        instance=instance,
        settings={name: value for name, value in settings.items() if name in NAMES},
        family=family,
    )
    try:
        _run(family, programs.upgrade())
        if has_catalogue:
            _run(family, programs.seed(instance.people(url), ports))
        for name in names:
            family.start(made[name]())
        for child in family.running():
            wait_until_ready(child)
        yield house
    finally:
        family.stop([name for name in family.names() if name in ("web", "worker")], 8)
        family.stop(family.names(), 3)
        family.close()


def start(house: House, program: Program) -> Child:
    """Start one more program beside the others and wait until it answers. Raises NotServing."""
    child = house.family.start(program)
    wait_until_ready(child)
    return child


def wait_until_ready(child: Child) -> None:
    until = time.monotonic() + PATIENCE
    while not child.program.is_ready():
        if child.exit_code() is not None or time.monotonic() > until:
            raise NotServing(f"{child.name} does not answer:\n{child.last_lines()}")
        time.sleep(0.02)


def wait_for(condition: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Whether `condition` came true within `seconds`."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


@contextmanager
def postgresql_database(base: str) -> Iterator[str]:
    """A new database on the server at `base`, dropped after the block; its URL."""
    name = f"colloquy_{secrets.token_hex(6)}"
    with closing(psycopg.connect(f"{base}/postgres", autocommit=True)) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield f"{base}/{name}"
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def processes(group: int) -> list[int]:
    """The ids of all processes of a group."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))) and int(fields[2]) == group:
            found.append(int(entry.name))
    return found


def cpu_seconds(group: int) -> float:
    """What the living processes of a group have used, user and system time."""
    return sum((int(f[11]) + int(f[12])) / TICKS for pid in processes(group) if (f := _stat(pid)))


def memory_mb(group: int) -> float:
    """The memory of a group, pages that processes share counted once (PSS)."""
    return sum(_pss_kb(pid) for pid in processes(group)) / 1024


def _environment(instance: Instance, settings: Mapping[str, str]) -> dict[str, str]:
    """This process's own, with nothing in it that could lead elsewhere."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in NAMES and not name.startswith(("FLASK_", "GRANIAN_"))
    }
    own = {name: value for name, value in settings.items() if name in NAMES}
    return {**kept, **own, "COLLOQUY_INSTANCE": str(instance.folder), "PYTHONUNBUFFERED": "1"}


def _run(family: Family, program: Program) -> None:
    child = family.start(program)
    code = child.process.wait(PATIENCE)
    family.forget(child)
    if code != 0:
        raise NotServing(f"{child.name} ended with {code}:\n{child.last_lines()}")


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat after the name: state, parent, group and so on; empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _pss_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
