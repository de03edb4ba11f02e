"""The models equal the migrations, on both databases, down to the last CHECK."""

import ast
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import flask_migrate
import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import Migrate
from sqlalchemy import JSON, Column, Connection, Engine, MetaData, String, create_engine, insert, inspect, select, text
from sqlalchemy.exc import DatabaseError

from accounts.models import Organiser
from bookings import money_audit
from bookings.models import DiscountCode, Redemption
from courses.models import Workshop
from lib import db
from payments import ledger
from recordings.models import Recording
from tests import postgres
from tests.house import source
from tests.house.source import ROOT

MIGRATIONS = str(ROOT / "migrations")


@contextmanager
def empty_database(kind: str, folder: Path, name: str) -> Iterator[str]:
    """The URL of a database with nothing in it; for SQLite not even a file or its folder."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'new' / name}.sqlite"
        return
    base = postgres.base_url()
    assert base, "this test needs PostgreSQL"
    unique = f"{name}_{os.getpid()}"
    with closing(psycopg.connect(f"{base}/postgres", autocommit=True)) as server:
        server.execute(f"CREATE DATABASE {unique}")
        try:
            yield f"{base}/{unique}"
        finally:
            server.execute(f"DROP DATABASE {unique} WITH (FORCE)")


@contextmanager
def migrated(url: str) -> Iterator[Engine]:
    """An engine on the database after `flask db upgrade`."""
    small = Flask("small")
    small.config["SQLALCHEMY_DATABASE_URI"] = url
    db.init_app(small)
    Migrate(small, db.extension, directory=MIGRATIONS)
    with small.app_context():
        flask_migrate.upgrade(directory=MIGRATIONS)
        try:
            yield db.engine()
        finally:
            db.engine().dispose()


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, db.Base.metadata))


def described(connection: Connection) -> dict[str, Any]:
    """Every table as the database describes it, CHECKs and triggers among it, which Alembic does not compare."""
    look = inspect(connection)
    triggers = _triggers(connection)
    return {
        table: {
            "columns": {c["name"]: (str(c["type"]), c["nullable"], c["default"]) for c in look.get_columns(table)},
            "key": look.get_pk_constraint(table),
            "keys": _by_name(look.get_foreign_keys(table)),
            "unique": _by_name(look.get_unique_constraints(table)),
            "indexes": _by_name(look.get_indexes(table)),
            "checks": {c["name"]: re.sub(r"\s+", " ", c["sqltext"]) for c in look.get_check_constraints(table)},
            "triggers": sorted(rest for on, *rest in triggers if on == table),
        }
        for table in look.get_table_names()
        if table != "alembic_version"
    }


def _triggers(connection: Connection) -> list[tuple[str, ...]]:
    """Each trigger's table, its name and what it does."""
    statement = {
        "sqlite": "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT relname, tgname, pg_get_triggerdef(pg_trigger.oid), prosrc FROM pg_trigger "
        "JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_proc ON pg_proc.oid = tgfoid WHERE NOT tgisinternal",
    }[connection.dialect.name]
    return [tuple(map(str, row)) for row in connection.execute(text(statement))]


def _by_name(found: Any) -> dict[str, Any]:
    return {str(each["name"]): _plain(each) for each in found}


def _plain(thing: Any) -> Any:
    if isinstance(thing, Mapping):
        return {key: _plain(value) for key, value in thing.items()}
    return str(thing)


@pytest.fixture
def url(database_kind: str, tmp_path: Path) -> Iterator[str]:
    with empty_database(database_kind, tmp_path, "migrated") as found:
        yield found


@pytest.mark.both_databases
def test_migrations_make_what_the_models_say(url: str, database_kind: str, tmp_path: Path) -> None:
    with migrated(url) as engine, engine.connect() as connection:
        assert differences(connection) == []
        made = described(connection)
    with empty_database(database_kind, tmp_path, "modelled") as other:
        if database_kind == "sqlite":
            (tmp_path / "new").mkdir(exist_ok=True)
        engine = create_engine(other)
        db.Base.metadata.create_all(engine)
        with engine.connect() as connection:
            meant = described(connection)
        engine.dispose()
    assert made == meant


@pytest.mark.both_databases
def test_a_difference_is_seen(url: str) -> None:
    with migrated(url) as engine, engine.connect() as connection:
        before = described(connection)
        connection.execute(text("DROP INDEX ix_letter_lane"))
        connection.execute(text("ALTER TABLE course ADD COLUMN stray VARCHAR(3)"))
        found = {(each[0], getattr(each[-1], "name", "")) for each in differences(connection)}
        after = described(connection)

        assert found == {("add_index", "ix_letter_lane"), ("remove_column", "stray")}
        assert {name for name in before if before[name] != after[name]} == {"course", "letter"}


@pytest.mark.both_databases
def test_the_newest_step_can_be_taken_back_and_again(url: str) -> None:
    with migrated(url) as engine:
        with engine.connect() as connection:
            before = described(connection)
        flask_migrate.downgrade(directory=MIGRATIONS)
        flask_migrate.upgrade(directory=MIGRATIONS)
        with engine.connect() as connection:
            assert described(connection) == before


@pytest.mark.both_databases
def test_upgrading_again_changes_nothing(url: str) -> None:
    with migrated(url) as engine, engine.connect() as connection:
        before = described(connection)
    with migrated(url) as engine, engine.connect() as connection:
        assert described(connection) == before


AT = datetime(2027, 3, 2, 10, tzinfo=UTC)
WORDS = {"status": "published", "zone": "Europe/London", "currency": "GBP"}
MONEY = {
    # the bill's total, the booking's state, what was paid, the refund's state
    1: (16800, "confirmed", 16800, None),
    2: (9000, "cancelled", 9000, "succeeded"),
    3: (9000, "lapsed", None, None),
    4: (5000, "confirmed", 5000, "failed"),
    5: (7000, "lapsed", 7000, "pending"),
}

SHARE = {"booking_id": 1, "workshop_id": 1, "ticket_type_id": 1, "state": "confirmed"}


@contextmanager
def older(url: str, revision: str) -> Iterator[None]:
    """A house at an earlier step, in its context; what is inside brings it forward."""
    small = Flask("older")
    small.config["SQLALCHEMY_DATABASE_URI"] = url
    db.init_app(small)
    Migrate(small, db.extension, directory=MIGRATIONS)
    with small.app_context():
        flask_migrate.upgrade(directory=MIGRATIONS, revision=revision)
        try:
            yield
        finally:
            db.session.remove()
            db.engine().dispose()


def fill(rows: Sequence[tuple[str, dict[str, Any]]]) -> None:
    """Rows as an older house had them: what is not said is the plainest value its column takes."""
    with db.engine().begin() as connection:
        tables = MetaData()
        tables.reflect(connection)
        for table, said in rows:
            columns = tables.tables[table].columns
            row = {each.name: _dull(each) for each in columns if not each.nullable}
            own = {"organiser_id": 1} if "organiser_id" in columns else {}
            connection.execute(insert(tables.tables[table]).values({**row, "id": 1, **own, **said}))


def _dull(column: Column[Any]) -> object:
    kind = str(column.type)
    if "DATE" in kind or "TIMESTAMP" in kind:
        return AT + timedelta(hours=column.name.startswith("ends"))
    if isinstance(column.type, JSON):
        return {}
    if isinstance(column.type, String):
        return WORDS.get(column.name, "")
    return False if "BOOL" in kind else 0


CATALOGUE: list[tuple[str, dict[str, Any]]] = [
    ("organiser", {"slug": "olu", "name": "Olu"}),
    ("venue", {"name": "The old chapel"}),
    ("course", {"slug": "grief", "title": "Grief"}),
    ("workshop", {"course_id": 1, "venue_id": 1, "slug": "grief-1", "format": "hybrid"}),
    ("workshop_session", {"workshop_id": 1, "number": 1}),
]


@pytest.mark.both_databases
def test_what_an_older_house_holds_is_kept(url: str) -> None:
    with older(url, "0001"):
        fill(CATALOGUE)
        flask_migrate.upgrade(directory=MIGRATIONS)
        kept = db.session.scalars(select(Workshop)).one()
        found = (kept.slug, kept.venue and kept.venue.name, kept.course.title, kept.reminders)
        assert found == ("grief-1", "The old chapel", "Grief", [10080, 1440, 60])
        assert (kept.join_opens_minutes, kept.late_buyers_share, kept.cancelled_why) == (30, False, "")
        assert [each.cancelled_at for each in kept.sessions] == [None]
        assert [each.about for each in db.session.scalars(select(Organiser))] == [""]


@pytest.mark.both_databases
def test_the_recordings_of_an_older_house_play_on_and_can_be_put_back(url: str) -> None:
    second = {"workshop_id": 1, "id": 2, "number": 2}
    film = {"session_id": 1, "state": "withdrawn", "file": "f" * 32, "published_at": AT, "closes_at": AT}
    with older(url, "0002"):
        fill([*CATALOGUE, ("workshop_session", second), ("recording", film)])
        fill([("recording", {"id": 2, "session_id": 2, "state": "uploaded", "file": "e" * 32})])
        flask_migrate.upgrade(directory=MIGRATIONS)
        found = db.session.scalars(select(Recording).order_by(Recording.id)).all()
        assert [(each.file, each.making, each.made_percent) for each in found] == [
            ("f" * 32, "ready", 100),
            ("e" * 32, "ready", 100),
        ]
        assert [each.reviewed_at for each in found] == [AT, None]
        assert [each.chapters for each in found] == [[], []]


@pytest.mark.both_databases
def test_the_money_of_an_older_house_is_in_the_ledger(url: str) -> None:
    rows = list(CATALOGUE)
    for number, (total, state, paid, back) in MONEY.items():
        rows.append(("bill", {"id": number, "total_minor": total}))
        booking = {"id": number, "bill_id": number, "reference": f"CQ-{number}", "state": state, "link_version": 1}
        rows.append(("booking", booking))
        if paid is None:
            continue
        rows.append(("payment_attempt", {"id": number, "bill_id": number, "key": f"a{number}", "state": "completed"}))
        payment = {"bill_id": number, "attempt_id": number, "payment_intent": f"pi_{number}", "state": "succeeded"}
        rows.append(("payment", {"id": number, "amount_minor": paid, **payment}))
        if back:
            refund = {"payment_id": number, "key": f"r{number}", "state": back, "source": "rule", "amount_minor": paid}
            rows.append(("refund", {"id": number, **refund}))
    rows += [
        ("discount_code", {"id": 1, "code": "LOOK10", "folded": "LOOK10", "percent": 10}),
        ("discount_code", {"id": 2, "code": "L00K10", "folded": "L00K10", "percent": 20}),
        ("discount_code", {"id": 3, "code": "OIL", "folded": "OIL", "percent": 30}),
        ("discount_code", {"id": 4, "code": "011", "folded": "011", "percent": 40}),
        ("ticket_type", {"workshop_id": 1, "kind": "admission", "seats": 1, "payment": "now", "proof": "none"}),
        ("attendee", {"id": 1, "n": 1, **SHARE, "price_minor": 12000, "discount_minor": 1200}),
        ("attendee", {"id": 2, "n": 2, **SHARE, "price_minor": 6000, "discount_minor": 0}),
        ("redemption", {"code_id": 1, "booking_id": 1, "state": "used"}),
    ]
    with older(url, "0002"):
        fill(rows)
        flask_migrate.upgrade(directory=MIGRATIONS)
        said = {each.about: each.what for each in money_audit.faults()}
        assert said == {"refund r4": "failed at Stripe and needs somebody to look at it"}
        found = ledger.balances(list(MONEY))
        assert [found[number].owed_minor for number in MONEY] == [16800, 0, 0, 0, 0]
        assert [found[number].kept_minor for number in MONEY] == [16800, 0, 0, 5000, 0]
        codes = db.session.execute(select(DiscountCode.folded, DiscountCode.kind).order_by(DiscountCode.id)).all()
        assert {kind for _, kind in codes} == {"percent"}
        assert [folded for folded, _ in codes] == ["100K10", "L00K10", "OIL", "011"]
        assert [(each.minor, each.currency) for each in db.session.scalars(select(Redemption))] == [(1200, "GBP")]


@pytest.mark.both_databases
def test_a_migrated_ledger_refuses_to_be_changed(url: str) -> None:
    with older(url, "head"):
        organiser = ("organiser", {**CATALOGUE[0][1], "vat_mode": "none"})
        fill([organiser, ("bill", {"total_minor": 5}), ("movement", {"bill_id": 1, "kind": "charge", "minor": 5})])
        for statement in ("UPDATE movement SET minor = 6", "DELETE FROM movement"):
            with pytest.raises(DatabaseError, match="never changed"), db.engine().begin() as connection:
                connection.execute(text(statement))


def test_keys_are_enforced_again_after_an_upgrade(tmp_path: Path) -> None:
    with migrated(f"sqlite:///{tmp_path / 'x.sqlite'}") as engine, engine.connect() as connection:
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1


def test_there_is_one_newest_step() -> None:
    assert len(ScriptDirectory(MIGRATIONS).get_heads()) == 1


def test_steps_import_nothing_of_ours() -> None:
    for path, written in source.read(under=("migrations",)).items():
        if "/versions/" in path:
            roots = {name.split(".")[0] for _, name in source.imports(ast.parse(written))}
            assert roots - sys.stdlib_module_names <= {"sqlalchemy", "alembic"}, path


def test_the_command_makes_folder_and_file_in_an_empty_environment(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "yet"
    done = subprocess.run(
        [sys.executable, "-m", "flask", "db", "upgrade"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "COLLOQUY_INSTANCE": str(folder)},
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    with closing(sqlite3.connect(folder / "colloquy.sqlite")) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert set(db.Base.metadata.tables) <= tables
