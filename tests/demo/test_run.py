"""`make run`'s parts: what an instance remembers, and that nothing outlives a run."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from demo.run import instance as instances
from demo.run import reset, rooms, watcher
from demo.run.children import Family, Program
from demo.run.instance import AlreadyRunning, DatabaseRefused, Instance
from lib import settings as app_settings

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
QUIET = "import time; print('up', flush=True); time.sleep(60)"


@pytest.fixture
def here(tmp_path: Path) -> Instance:
    return Instance(tmp_path)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_until_gone(pid: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while is_alive(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not is_alive(pid)


@pytest.mark.parametrize("folder", [None, "", "/somewhere/else"])
def test_the_instance_is_where_the_app_looks_for_it(folder: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLLOQUY_INSTANCE", raising=False)
    if folder is not None:
        monkeypatch.setenv("COLLOQUY_INSTANCE", folder)
    assert instances.here().folder == app_settings.instance_folder().resolve()


class TestPorts:
    def test_are_different_and_kept(self, here: Instance) -> None:
        ports = instances.choose_ports(here)
        assert len(set(ports.values())) == len(instances.PORTS)
        assert instances.choose_ports(here) == ports

    def test_one_that_is_taken_is_replaced_alone(self, here: Instance) -> None:
        ports = instances.choose_ports(here)
        with socket.create_server(("127.0.0.1", ports["web"])):
            changed = instances.choose_ports(here)
        assert changed["web"] != ports["web"]
        assert {**changed, "web": 0} == {**ports, "web": 0}

    def test_a_torn_file_is_no_obstacle(self, here: Instance) -> None:
        here.ports.write_text('{"web": ')
        assert set(instances.choose_ports(here)) == set(instances.PORTS)


class TestRooms:
    def test_follow_the_mailbox_and_leave_other_links_alone(self, tmp_path: Path) -> None:
        database = f"sqlite:///{tmp_path / 'kept.sqlite'}"
        links = [
            "http://localhost:4001/room/supervision/1",
            "http://localhost:4002/room/supervision/2",
            "http://localhost:4001/elsewhere/room/1",
            "https://zoom.example/room/1",
        ]
        with closing(sqlite3.connect(tmp_path / "kept.sqlite")) as connection, connection:
            connection.execute("CREATE TABLE meeting_point (id INTEGER PRIMARY KEY, url TEXT)")
            connection.executemany("INSERT INTO meeting_point (url) VALUES (?)", [(link,) for link in links])

        assert rooms.move(database, 4002) == 1
        assert rooms.move(database, 4002) == 0
        with closing(sqlite3.connect(tmp_path / "kept.sqlite")) as connection:
            kept = [url for (url,) in connection.execute("SELECT url FROM meeting_point ORDER BY id")]
        assert kept == [f"{rooms.address(4002)}/supervision/1", *links[1:]]


class TestSettings:
    PORTS = {"web": 1, "stripe": 2, "mailbox": 3, "smtp": 4}  # noqa: RUF012 - nobody changes it

    def test_are_what_the_app_reads_and_allows(self, here: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
        made = instances.demo_settings(here, self.PORTS, here.own_database)
        instances.write_settings(here, made)
        monkeypatch.setenv("COLLOQUY_INSTANCE", str(here.folder))
        for name in app_settings.NAMES:
            monkeypatch.delenv(name, raising=False)

        found = app_settings.read()

        assert found == made
        app_settings.check(app_settings.with_defaults(found))
        app_settings.require(found, (*app_settings.SERVING, *app_settings.WORKING), "The demo")
        assert here.settings.stat().st_mode & 0o777 == 0o600

    def test_keep_secrets_and_what_somebody_added(self, here: Instance) -> None:
        first = instances.demo_settings(here, self.PORTS, here.own_database)
        instances.write_settings(here, {**first, "METRICS_TOKEN": "mine"})
        second = instances.demo_settings(here, {**self.PORTS, "web": 9}, here.own_database)
        assert second == {**first, "METRICS_TOKEN": "mine", "BASE_URL": "http://localhost:9"}

    def test_secrets_of_two_instances_differ(self, tmp_path: Path) -> None:
        one, other = (instances.demo_settings(Instance(tmp_path / name), self.PORTS, "x") for name in "ab")
        for name in ("SECRET_KEY", "LINK_KEYS", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"):
            assert one[name] != other[name]


class TestDatabase:
    def test_is_the_own_file_at_first(self, here: Instance) -> None:
        assert instances.choose_database(here, "") == f"sqlite:///{here.folder}/colloquy.sqlite"

    def test_one_asked_for_stays_until_another_is(self, here: Instance) -> None:
        url = "postgresql://a:b@127.0.0.1/c"
        assert instances.choose_database(here, url) == url
        instances.write_settings(here, {"DATABASE_URL": url})
        assert instances.choose_database(here, "") == url
        assert instances.choose_database(here, "sqlite:///colloquy.sqlite") == here.own_database

    def test_the_own_file_moves_with_the_folder(self, here: Instance) -> None:
        instances.write_settings(here, {"DATABASE_URL": "sqlite:////where/it/was/colloquy.sqlite"})
        assert instances.choose_database(here, "") == here.own_database

    @pytest.mark.parametrize("url", ["mysql://x/y", "postgres://x/y", "nonsense", "sqlite://", "postgresql://a b/c"])
    def test_another_kind_is_refused(self, here: Instance, url: str) -> None:
        with pytest.raises(DatabaseRefused):
            instances.choose_database(here, url)

    def test_each_has_its_own_people(self, here: Instance) -> None:
        own, other = here.people(here.own_database), here.people("postgresql://a/b")
        assert own.name == "people.json"
        assert other != own


class TestLock:
    def test_a_second_run_is_told_where_the_first_is(self, here: Instance) -> None:
        with instances.held(here):
            here.addresses.write_text(json.dumps({"web": "http://localhost:1234"}))
            with (
                pytest.raises(AlreadyRunning, match=f"http://localhost:1234 .process {os.getpid()}"),
                instances.held(here),
            ):
                pass
        with instances.held(here):
            pass


class TestReset:
    def test_takes_data_and_leaves_secrets_and_strangers(
        self, here: Instance, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("COLLOQUY_INSTANCE", str(here.folder))
        instances.write_settings(here, {"SECRET_KEY": "x", "DATABASE_URL": f"sqlite:///{here.folder}/named.sqlite"})
        for name in ("colloquy.sqlite", "colloquy.sqlite-wal", "named.sqlite", "stripe.sqlite", "clock", "people.json"):
            (here.folder / name).touch()
        (here.folder / "mailbox" / "letters").mkdir(parents=True)
        (here.folder / "notes.txt").touch()

        assert reset.main() == 0

        assert sorted(path.name for path in here.folder.iterdir()) == ["notes.txt", "run.lock", "settings.env"]
        assert instances.read_settings(here) == {"SECRET_KEY": "x"}
        assert "elsewhere" not in capsys.readouterr().out

    def test_says_that_a_database_elsewhere_is_left(
        self, here: Instance, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("COLLOQUY_INSTANCE", str(here.folder))
        instances.write_settings(here, {"DATABASE_URL": "postgresql://a/b"})
        assert reset.main() == 0
        assert "elsewhere and was left" in capsys.readouterr().out

    def test_needs_nothing_installed(self, here: Instance) -> None:
        command = [sys.executable, "-S", "-m", "demo.run.reset"]
        env = {"COLLOQUY_INSTANCE": str(here.folder)}
        subprocess.run(command, cwd=instances.ROOT, env=env, check=True, stdout=subprocess.DEVNULL)

    def test_refuses_while_running(self, here: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COLLOQUY_INSTANCE", str(here.folder))
        (here.folder / "colloquy.sqlite").touch()
        with instances.held(here):
            assert reset.main() == 1
        assert (here.folder / "colloquy.sqlite").exists()


class TestFamily:
    def program(self, code: str, name: str = "one") -> Program:
        return Program(name=name, command=[sys.executable, "-c", code])

    def wait_for_words(self, log: Path) -> None:
        until = time.monotonic() + 10
        while not log.read_text() and time.monotonic() < until:
            time.sleep(0.02)

    def test_ends_what_it_started_even_what_will_not_listen(self, here: Instance) -> None:
        family = Family(here.logs, dict(os.environ), gone_with_it=here.addresses)
        children = [family.start(self.program(QUIET, "quiet")), family.start(self.program(STUBBORN, "stubborn"))]
        for child in children:
            self.wait_for_words(child.log)
        started = time.monotonic()

        family.stop(["quiet", "stubborn", "unknown"], 0.5)
        family.close()

        assert [child.exit_code() for child in children] == [-signal.SIGTERM, -signal.SIGKILL]
        assert time.monotonic() - started < 5
        assert family.running() == []

    def test_grandchildren_go_too(self, here: Instance) -> None:
        family = Family(here.logs, dict(os.environ), gone_with_it=here.addresses)
        code = f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {QUIET!r}]).pid, flush=True)"
        child = family.start(self.program(code))
        child.process.wait(10)
        grandchild = int(child.log.read_text().split()[0])
        family.forget(child)
        family.close()
        assert wait_until_gone(grandchild, 5)

    def test_last_words_are_kept(self, here: Instance) -> None:
        family = Family(here.logs, dict(os.environ), gone_with_it=here.addresses)
        child = family.start(self.program("for n in range(100): print('line', n)\nraise SystemExit(3)"))
        assert child.process.wait(10) == 3
        family.close()
        assert child.last_lines().splitlines()[-1] == "  | line 99"
        assert len(child.last_lines().splitlines()) == 20

    def test_children_do_not_outlive_a_killed_supervisor(self, here: Instance) -> None:
        here.addresses.touch()
        supervise = (
            "import os, sys, time\nfrom pathlib import Path\nfrom demo.run.children import Family, Program\n"
            f"family = Family(Path({str(here.logs)!r}), dict(os.environ), gone_with_it=Path({str(here.addresses)!r}))\n"
            f"child = family.start(Program(name='one', command=[sys.executable, '-c', {QUIET!r}]))\n"
            "print(child.process.pid, flush=True)\ntime.sleep(60)"
        )
        with subprocess.Popen([sys.executable, "-c", supervise], stdout=subprocess.PIPE, text=True) as supervisor:
            assert supervisor.stdout is not None
            child = int(supervisor.stdout.readline())
            assert is_alive(child)
            supervisor.kill()
        assert wait_until_gone(child, 10)
        assert not here.addresses.exists()


def test_the_watcher_leaves_alone_what_has_ended() -> None:
    command = [sys.executable, "-c", QUIET]
    with subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL) as bystander:
        told = f"+{bystander.pid}\n-{bystander.pid}\n"
        said = subprocess.run([sys.executable, "-I", watcher.__file__], input=told, text=True, timeout=10)
        assert said.returncode == 0
        assert bystander.poll() is None
        bystander.kill()
