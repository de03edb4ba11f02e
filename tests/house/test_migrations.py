"""The models equal the migrations, on both databases, down to the last CHECK."""

import ast
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
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
from sqlalchemy import Connection, Engine, MetaData, String, create_engine, insert, inspect, select, text

from accounts.models import Organiser
from courses.models import Workshop
from lib import db
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
    """Every table as the database describes it, CHECKs among it, which Alembic does not compare."""
    look = inspect(connection)
    return {
        table: {
            "columns": {c["name"]: (str(c["type"]), c["nullable"], c["default"]) for c in look.get_columns(table)},
            "key": look.get_pk_constraint(table),
            "keys": _by_name(look.get_foreign_keys(table)),
            "unique": _by_name(look.get_unique_constraints(table)),
            "indexes": _by_name(look.get_indexes(table)),
            "checks": {c["name"]: re.sub(r"\s+", " ", c["sqltext"]) for c in look.get_check_constraints(table)},
        }
        for table in look.get_table_names()
        if table != "alembic_version"
    }


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
def test_upgrading_again_changes_nothing(url: str) -> None:
    with migrated(url) as engine, engine.connect() as connection:
        before = described(connection)
    with migrated(url) as engine, engine.connect() as connection:
        assert described(connection) == before


@pytest.mark.both_databases
def test_what_an_older_house_holds_is_kept(url: str) -> None:
    ids = {"id": 1, "organiser_id": 1}
    at = datetime(2027, 3, 2, 10, tzinfo=UTC)
    small = Flask("older")
    small.config["SQLALCHEMY_DATABASE_URI"] = url
    db.init_app(small)
    Migrate(small, db.extension, directory=MIGRATIONS)
    with small.app_context():
        flask_migrate.upgrade(directory=MIGRATIONS, revision="0001")
        with db.engine().begin() as connection:
            older = MetaData()
            older.reflect(connection)
            rows: dict[str, dict[str, Any]] = {
                "organiser": {"slug": "olu", "name": "Olu"},
                "venue": {"organiser_id": 1, "name": "The old chapel"},
                "course": {"organiser_id": 1, "slug": "grief", "title": "Grief"},
                "workshop": {**ids, "course_id": 1, "venue_id": 1, "slug": "grief-1", "format": "hybrid"},
                "workshop_session": {**ids, "workshop_id": 1, "number": 1},
            }
            for table, said in rows.items():
                row = {"id": 1} | {
                    each.name: at + timedelta(hours=each.name.startswith("ends"))
                    if "DATE" in str(each.type) or "TIMESTAMP" in str(each.type)
                    else {"status": "published", "zone": "Europe/London", "currency": "GBP"}.get(each.name, "")
                    if isinstance(each.type, String)
                    else 0
                    for each in older.tables[table].columns
                    if not each.nullable and each.name not in ("id", *said)
                }
                connection.execute(insert(older.tables[table]).values({**row, **said}))
        flask_migrate.upgrade(directory=MIGRATIONS)
        try:
            kept = db.session.scalars(select(Workshop)).one()
            found = (kept.slug, kept.venue and kept.venue.name, kept.course.title, kept.reminders)
            assert found == ("grief-1", "The old chapel", "Grief", [10080, 1440, 60])
            assert (kept.join_opens_minutes, kept.late_buyers_share, kept.cancelled_why) == (30, False, "")
            assert [each.cancelled_at for each in kept.sessions] == [None]
            assert [each.about for each in db.session.scalars(select(Organiser))] == [""]
        finally:
            db.session.remove()
            db.engine().dispose()


def test_keys_are_enforced_again_after_an_upgrade(tmp_path: Path) -> None:
    with migrated(f"sqlite:///{tmp_path / 'x.sqlite'}") as engine, engine.connect() as connection:
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1


def test_there_is_one_newest_step() -> None:
    assert len(ScriptDirectory(MIGRATIONS).get_heads()) == 1


def test_steps_import_nothing_of_ours() -> None:
    for path, written in source.read(under=("migrations",)).items():
        if "/versions/" in path:
            roots = {name.split(".")[0] for _, name in source.imports(ast.parse(written))}
            assert roots <= {"sqlalchemy", "alembic"}, path


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
