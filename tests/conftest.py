"""What all tests share: one application a worker and database, a fresh database a test, a cast, a clock, real parts."""

import gc
import http.client
import json
import secrets
import shutil
import socket
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, redirect_stderr
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, urlsplit

import hypothesis
import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from psycopg import sql
from sqlalchemy import create_engine
from stripe import WebhookSignature
from werkzeug.test import TestResponse

from app import create_app
from demo.mailbox import process as mailbox_process
from demo.stripe import process as stripe_process
from demo.stripe.process import StandIn
from lib import db, limits, settings
from tests import postgres
from tests.page import PageClient

MORNING = datetime(2027, 3, 2, 9, tzinfo=UTC)  # a Tuesday
KINDS = ("sqlite", "postgresql")
WEBHOOK_SECRET = "whsec_" + secrets.token_hex(16)
LOOPBACK = ("127.", "::1", "localhost")


# The same examples in every run: what a machine's load or luck decides is no verdict on a change.
hypothesis.settings.register_profile("tests", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("tests")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "both_databases: runs once on SQLite and once on PostgreSQL")
    config.addinivalue_line("markers", "proved_on_both: on SQLite always, on PostgreSQL in `make prove`")
    try:
        postgres.pytest_configure(config)
    except postgres.PostgresMissing as missing:
        raise pytest.UsageError(str(missing)) from None


def pytest_unconfigure() -> None:
    postgres.pytest_unconfigure()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.definition.get_closest_marker("both_databases"):
        metafunc.parametrize("database_kind", KINDS, indirect=True)
    elif metafunc.definition.get_closest_marker("proved_on_both"):
        kinds = [KINDS[0], pytest.param(KINDS[1], marks=pytest.mark.prove)]
        metafunc.parametrize("database_kind", kinds, indirect=True)


# The cast


@dataclass(frozen=True)
class Person:
    """Somebody in a test."""

    name: str
    email: str


@pytest.fixture
def olu() -> Person:
    """Who owns the organiser."""
    return Person("Olu Adeyemi", "olu@olu-trains.example")


@pytest.fixture
def bea() -> Person:
    """Who books and pays."""
    return Person("Bea Booker", "bea@clinic.example")


@pytest.fixture
def ann() -> Person:
    """Who attends."""
    return Person("Ann Attwood", "ann@clinic.example")


@pytest.fixture
def bob() -> Person:
    """Who attends too, and may not see what is Ann's."""
    return Person("Bob Barnes", "bob@practice.example")


@pytest.fixture
def zed() -> Person:
    """A stranger to all of them."""
    return Person("Zed Stranger", "zed@elsewhere.example")


# Time and the network


class Clock:
    """The product's clock, stopped. Processes of the demo that follow `file` see the same time."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.at = MORNING
        self.set(MORNING)

    def now(self) -> datetime:
        return self.at

    def set(self, at: datetime | str) -> datetime:
        """Go to an instant: aware, or text such as 2027-03-02T09:00:00Z."""
        found = datetime.fromisoformat(at) if isinstance(at, str) else at
        assert found.tzinfo, "the clock needs an instant"
        self.at = found.astimezone(UTC)
        self.file.write_text(self.at.isoformat(), encoding="utf-8")
        return self.at

    def shift(self, **parts: float) -> datetime:
        """Go on by days=, hours=, minutes=, seconds=; back by negative ones."""
        return self.set(self.at + timedelta(**parts))


@pytest.fixture
def clock(instance: Path, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The product's clock, stopped on a Tuesday morning until the test moves it."""
    stopped = Clock(instance / "clock")
    monkeypatch.setattr("lib.clock.now", stopped.now)
    return stopped


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    """Only this machine can be reached: a test that would call a provider fails, here and everywhere."""

    def guarded(connect: Callable[[socket.socket, Any], Any]) -> Callable[[socket.socket, Any], Any]:
        def only_here(sock: socket.socket, address: Any) -> Any:
            if sock.family != socket.AF_UNIX and not str(address[0]).startswith(LOOPBACK):
                raise RuntimeError(f"a test tried to reach {address}")
            return connect(sock, address)

        return only_here

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded(socket.socket.connect))
        patch.setattr(socket.socket, "connect_ex", guarded(socket.socket.connect_ex))
        yield


# The application


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The instance folder of this run, and an environment without settings."""
    folder = tmp_path_factory.mktemp("instance")
    with pytest.MonkeyPatch.context() as patch:
        for name in settings.NAMES:
            patch.delenv(name, raising=False)
        patch.setenv("COLLOQUY_INSTANCE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def stripe_port() -> int:
    return _free_port()


@dataclass
class House:
    """An application and how its database is made fresh."""

    app: Flask
    refresh: Callable[[], None]


Houses = Callable[[str], House]


@pytest.fixture(scope="session")
def houses(instance: Path, stripe_port: int) -> Iterator[Houses]:
    """The application on each kind of database, built when first asked for: one a worker and kind."""
    built: dict[str, House] = {}
    with ExitStack() as stack:

        def house(kind: str) -> House:
            if kind not in built:
                make = {"sqlite": _on_sqlite, "postgresql": _on_postgresql}[kind]
                built[kind] = make(stack, instance, stripe_port)
            return built[kind]

        yield house


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    """sqlite, unless the test is marked `both_databases`."""
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture
def app(database_kind: str, houses: Houses, clock: Clock) -> Flask:
    """The application with an empty database of its own. Never hold its context around a client's call."""
    house = houses(database_kind)
    house.refresh()
    # One limiter serves every application of the process, and building another one switches it on again.
    limits.limiter.enabled = False
    return house.app


@pytest.fixture
def client(app: Flask) -> PageClient:
    """A browser that inspects every page it gets."""
    return cast(PageClient, app.test_client())


@pytest.fixture
def browser(app: Flask) -> Callable[[], PageClient]:
    """As many browsers as a test wants, each with cookies of its own."""
    return lambda: cast(PageClient, app.test_client())


def at_once(app: Flask, calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run every call in a thread and an application context of its own, all starting together.

    Returns what each gave back, or the exception it ended with, in the order of `calls`.
    """
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        with app.app_context():
            start.wait(30)
            try:
                return call()
            except Exception as problem:
                return problem

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.fixture
def limited(app: Flask) -> Iterator[None]:
    """Limits by address count in this test."""
    limits.limiter.enabled = True
    limits.limiter.reset()
    yield
    limits.limiter.enabled = False


# Real parts


@pytest.fixture(scope="session")
def _stand_in(instance: Path, stripe_port: int) -> Iterator[StandIn]:
    with stripe_process.running(secret=WEBHOOK_SECRET, clock=instance / "clock", port=stripe_port) as running:
        yield running


@pytest.fixture
def stripe(app: Flask, _stand_in: StandIn) -> StandIn:
    """The stand-in for Stripe, empty. It sends nothing by itself: a test delivers its events with `deliver`."""
    _stand_in.reset()
    return _stand_in


def deliver(client: FlaskClient, event: dict[str, Any], secret: str = WEBHOOK_SECRET) -> TestResponse:
    """Post an event of the stand-in to the application as Stripe would, signed."""
    body = json.dumps({name: value for name, value in event.items() if name != "delivery"}, indent=2)
    signature = WebhookSignature.generate_signature_header(body, secret)
    headers = {"Stripe-Signature": signature, "Content-Type": "application/json; charset=utf-8"}
    return client.post("/stripe/webhook", data=body, headers=headers)


@dataclass(frozen=True)
class Mailbox:
    """A running mailbox: what arrived over SMTP, byte for byte."""

    http: str
    smtp: str

    def ask(self, method: str, path: str) -> bytes:
        with closing(http.client.HTTPConnection(urlsplit(self.http).netloc, timeout=30)) as connection:
            connection.request(method, path)
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status < 400, f"{method} {path}: {answer.status}"
            return body

    def letters(self, to: str = "") -> list[EmailMessage]:
        """What arrived, oldest first; for one address if given."""
        found = json.loads(self.ask("GET", f"/letters.json?to={quote(to)}" if to else "/letters.json"))
        return [self._letter(str(each["id"])) for each in reversed(found)]

    def clear(self) -> None:
        self.ask("DELETE", "/letters")

    def _letter(self, number: str) -> EmailMessage:
        return message_from_bytes(self.ask("GET", f"/letters/{number}.eml"), EmailMessage, policy=policy.default)


@pytest.fixture(scope="session")
def _mailbox(instance: Path) -> Iterator[Mailbox]:
    with mailbox_process.running(clock=instance / "clock") as running:
        yield Mailbox(running.http, running.smtp)


@pytest.fixture
def mailbox(app: Flask, _mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> Mailbox:
    """A mail server that keeps what it gets, empty; the application sends to it."""
    _mailbox.clear()
    monkeypatch.setitem(app.config, "SMTP_URL", _mailbox.smtp)
    return _mailbox


def _config(url: str, port: int) -> dict[str, Any]:
    return {
        "TESTING": True,
        "BASE_URL": "http://localhost",
        "DATABASE_URL": url,
        "SECRET_KEY": secrets.token_urlsafe(32),
        "LINK_KEYS": secrets.token_urlsafe(32),
        "STRIPE_SECRET_KEY": "sk_test_" + secrets.token_hex(12),
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "STRIPE_API_BASE": f"http://localhost:{port}",
        "SMTP_URL": "smtp://127.0.0.1:9",
        "MAIL_FROM": "Colloquy <post@colloquy.example>",
        "LOG_LEVEL": "ERROR",
        "SQLALCHEMY_RECORD_QUERIES": True,
    }


def _build(stack: ExitStack, url: str, port: int) -> Flask:
    # A log bound to one test's captured output would fail in the next.
    with redirect_stderr(sys.__stderr__):
        app = create_app(_config(url, port))
    app.test_client_class = PageClient
    limits.limiter.enabled = False
    stack.callback(lambda: _engine_of(app).dispose())
    return app


def _engine_of(app: Flask) -> Any:
    with app.app_context():
        return db.engine()


def _on_sqlite(stack: ExitStack, instance: Path, port: int) -> House:
    file, template = instance / "test.sqlite", instance / "template.sqlite"
    engine = create_engine(f"sqlite:///{template}")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    db.Base.metadata.create_all(engine)
    engine.dispose()
    app = _build(stack, f"sqlite:///{file}", port)

    def refresh() -> None:
        _engine_of(app).dispose()
        for rest in ("-wal", "-shm"):
            Path(f"{file}{rest}").unlink(missing_ok=True)
        shutil.copyfile(template, file)

    return House(app, refresh)


def _on_postgresql(stack: ExitStack, _instance: Path, port: int) -> House:
    base = postgres.base_url()
    if base is None:
        pytest.fail(f"this test needs PostgreSQL; the run was started with {postgres.VARIABLE}=none", pytrace=False)
    name = f"colloquy_{secrets.token_hex(6)}"
    server = stack.enter_context(closing(psycopg.connect(f"{base}/postgres", autocommit=True)))
    server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    stack.callback(server.execute, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
    app = _build(stack, f"{base}/{name}", port)
    db.Base.metadata.create_all(_engine_of(app))
    own = stack.enter_context(closing(psycopg.connect(f"{base}/{name}", autocommit=True)))
    own.execute(_emptying(sorted(db.Base.metadata.tables)))
    own.execute("SET lock_timeout = '10s'")
    own.execute("SET session_replication_role = replica")  # rows go in any order

    return House(app, lambda: own.execute("SELECT pg_temp.empty()").close())


def _emptying(tables: Sequence[str]) -> sql.SQL:
    """A function that deletes all rows and begins each count at 1.

    Its statements are planned once a run. TRUNCATE takes longer: nearly every table hangs on the organisers, and it
    makes new files for each.
    """
    rows = "".join(f'DELETE FROM "{table}";' for table in tables)
    counts = "SELECT setval(c.oid::regclass, 1, false) FROM pg_class c WHERE c.relkind = 'S'"
    return sql.SQL(
        "CREATE FUNCTION pg_temp.empty() RETURNS void LANGUAGE plpgsql AS "
        f"$$ BEGIN {rows} PERFORM n FROM ({counts}) AS s(n); END $$"
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def uploads_end() -> Iterator[None]:
    """What an upload that was refused or cut off has left half read is collected here, not in the middle of some later
    test: the parser leaves its file to the collector, which says so."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
