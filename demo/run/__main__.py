"""`python -m demo.run [EMPTY=1] [DATABASE_URL=...]`: everything Colloquy needs, in the foreground.

Starts the stand-in for Stripe, the mailbox, the worker and the web server, keeps them running, and stops them all
on Ctrl-C or SIGTERM. The same two settings are read from the environment.
"""

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence

from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from demo.run import instance as instances
from demo.run import programs, rooms
from demo.run.children import Child, Family, Program
from demo.run.instance import Instance
from demo.run.stopping import Stopping
from lib.settings import NAMES

OPTIONS = ("EMPTY", "DATABASE_URL")
START_PATIENCE = 180.0
BACK_OFF = (1.0, 2.0, 4.0, 8.0, 16.0)
STEADY = 60.0


class StartFailed(Exception):
    """Something did not start; the message says what and shows its last words."""


class Stopped(Exception):
    """It was time to stop before everything had started."""


def main(arguments: Sequence[str]) -> int:
    os.umask(0o077)
    instance = instances.here()
    try:
        options = _options(arguments)
        with instances.held(instance):
            return Run(instance, options).go()
    except (instances.AlreadyRunning, instances.DatabaseRefused, StartFailed, UsageError) as refusal:
        print(refusal, file=sys.stderr, flush=True)
        return 1


class UsageError(Exception):
    """An argument that is none."""


def _options(arguments: Sequence[str]) -> dict[str, str]:
    options = {name: os.environ.get(name, "") for name in OPTIONS}
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not equals or name not in OPTIONS:
            raise UsageError(f"{argument!r} is not understood. Usage: python -m demo.run [EMPTY=1] [DATABASE_URL=...]")
        options[name] = value
    return options


class Run:
    """One run from start to stop."""

    def __init__(self, instance: Instance, options: Mapping[str, str]) -> None:
        self._instance = instance
        self._is_empty = options["EMPTY"] not in ("", "0")
        self._database = instances.choose_database(instance, options["DATABASE_URL"])
        self._ports = instances.choose_ports(instance)
        self._settings = instances.demo_settings(instance, self._ports, self._database)
        self._stopping = Stopping()
        self._deaths: dict[str, int] = {}
        self._due: dict[str, tuple[float, Program]] = {}

    def go(self) -> int:
        self._instance.addresses.unlink(missing_ok=True)
        _check_answers(self._database)
        instances.write_settings(self._instance, self._settings)
        say("settings", str(self._instance.settings))
        self._family = Family(self._instance.logs, self._environment(), gone_with_it=self._instance.addresses)
        try:
            self._start()
            self._watch()
        except Stopped:
            pass
        finally:
            self._stop()
        return 0

    def _environment(self) -> dict[str, str]:
        """This process's own, with nothing in it that could send the demo elsewhere."""
        foreign = (*NAMES, *OPTIONS)
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in foreign and not name.startswith(("FLASK_", "GRANIAN_"))
        }
        own = {name: value for name, value in self._settings.items() if name in NAMES}
        folder = {"COLLOQUY_INSTANCE": str(self._instance.folder), "PYTHONUNBUFFERED": "1"}
        return {**kept, **own, **folder}

    def _start(self) -> None:
        stand_ins = [
            programs.stripe(self._instance, self._settings, self._ports),
            programs.mailbox(self._instance, self._ports),
        ]
        for program in stand_ins:
            self._family.start(program)
        say("database", make_url(self._database).render_as_string(hide_password=True))
        self._run_task(programs.upgrade())
        say("migrations", "up to date")
        self._seed()
        for program in (programs.worker(), programs.web(self._settings, self._ports)):
            self._family.start(program)
        self._wait_until_ready()
        self._tell_addresses()

    def _seed(self) -> None:
        unfinished = self._instance.unfinished(self._database)
        if _has_organiser(self._database):
            if unfinished.exists():
                raise StartFailed(
                    "The sample data were not finished the last time. Type: make reset"
                    + ("" if self._database == self._instance.own_database else " (and empty that database)")
                )
            say("data", "kept from the last run")
            if rooms.move(self._database, self._ports["mailbox"]):
                say("rooms", "led to the mailbox's new port")
        elif self._is_empty:
            say("data", "none, as asked (EMPTY=1)")
        else:
            unfinished.touch()
            self._run_task(programs.seed(self._instance.people(self._database), self._ports))
            unfinished.unlink()
            say("data", "sample catalogue")

    def _run_task(self, program: Program) -> None:
        """Run a program to its end. Raises StartFailed or Stopped."""
        child = self._family.start(program)
        while child.exit_code() is None:
            self._check_stopping()
            self._check_deaths(except_for=child)
            time.sleep(0.05)
        self._family.forget(child)
        if child.exit_code() != 0:
            raise StartFailed(_last_words(child))

    def _wait_until_ready(self) -> None:
        until = time.monotonic() + START_PATIENCE
        waiting = self._family.running()
        while waiting:
            self._check_stopping()
            self._check_deaths()
            if time.monotonic() > until:
                raise StartFailed(f"{waiting[0].name} does not answer:\n{waiting[0].last_lines()}")
            ready = [child for child in waiting if child.program.is_ready()]
            for child in ready:
                say(child.name, "ready")
            waiting = [child for child in waiting if child not in ready]
            time.sleep(0.1 if waiting else 0)

    def _check_stopping(self) -> None:
        if self._stopping:
            raise Stopped

    def _check_deaths(self, except_for: Child | None = None) -> None:
        for child in self._family.running():
            if child is not except_for and child.exit_code() is not None:
                raise StartFailed(_last_words(child))

    def _tell_addresses(self) -> None:
        people = self._instance.people(self._database)
        addresses = {
            "web": self._settings["BASE_URL"],
            "stripe": self._settings["STRIPE_API_BASE"],
            "mailbox": f"http://localhost:{self._ports['mailbox']}",
            "database": self._database,
            "people": json.loads(people.read_text(encoding="utf-8")) if people.exists() else {},
        }
        fresh = self._instance.addresses.with_suffix(".new")
        fresh.write_text(json.dumps(addresses, indent=2) + "\n", encoding="utf-8")
        fresh.replace(self._instance.addresses)
        print(f"\n  Colloquy  {addresses['web']}\n  letters   {addresses['mailbox']}")
        print(f"  payments  {addresses['stripe']}")
        for role, person in addresses["people"].items():
            print(f"  {role:<12} {person['email']}  {person['password']}")
        print("\nCtrl-C stops it.", flush=True)

    def _watch(self) -> None:
        """Keep everything running until it is time to stop. Raises StartFailed when something will not stay up."""
        while not self._stopping:
            now = time.monotonic()
            for child in self._family.running():
                if child.exit_code() is not None:
                    self._note_death(child, now)
            for name, (at, program) in list(self._due.items()):
                if now >= at:
                    del self._due[name]
                    self._family.start(program)
            time.sleep(0.2)

    def _note_death(self, child: Child, now: float) -> None:
        deaths = 0 if now - child.started > STEADY else self._deaths.get(child.name, 0)
        if deaths >= len(BACK_OFF):
            raise StartFailed(f"{_last_words(child)}\nIt will not stay up: everything is stopped.")
        wait = BACK_OFF[deaths]
        self._deaths[child.name] = deaths + 1
        self._family.forget(child)
        self._due[child.name] = (now + wait, child.program)
        say(child.name, f"ended with {child.exit_code()}, starts again in {wait:.0f} s ({child.log})")

    def _stop(self) -> None:
        """End every child: first those that use the stand-ins, then the stand-ins."""
        self._instance.addresses.unlink(missing_ok=True)
        stand_ins = [name for name in self._family.names() if name in ("stripe", "mailbox")]
        others = [name for name in self._family.names() if name not in stand_ins]
        self._family.stop(others, 6.5)
        self._family.stop(stand_ins, 2)
        self._family.close()
        say("stopped", "the data are kept; make reset removes them")


def _check_answers(database: str) -> None:
    """Raises StartFailed when a PostgreSQL server does not let us in, before anything remembers its address."""
    if not database.startswith("postgresql"):
        return
    try:
        with create_engine(database, poolclass=NullPool).connect():
            return
    except (SQLAlchemyError, ImportError, ValueError) as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        raise StartFailed(
            f"The database {make_url(database).render_as_string(hide_password=True)} does not answer: {reason}\n"
            f"For the one built in, type: make run DATABASE_URL=sqlite:///{instances.OWN_DATABASE}"
        ) from error


def _has_organiser(database: str) -> bool:
    try:
        with create_engine(database, poolclass=NullPool).connect() as connection:
            return connection.execute(text("SELECT 1 FROM organiser LIMIT 1")).first() is not None
    except SQLAlchemyError as error:
        raise StartFailed(f"The database does not answer: {error}") from error


def _last_words(child: Child) -> str:
    return f"{child.name} ended with {child.exit_code()}. Its last lines ({child.log}):\n{child.last_lines()}"


def say(step: str, text: str) -> None:
    print(f"{step:<12}{text}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
