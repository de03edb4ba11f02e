"""How migrations run, under `flask db`: one transaction for all of them, on SQLite and PostgreSQL alike."""

from pathlib import Path
from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection

from lib import db


def render(kind: str, thing: Any, _context: object) -> str | Literal[False]:
    """Our own types as plain ones: a migration must still run when the application no longer has them."""
    if kind == "type" and isinstance(thing, db.UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(thing, db.WallTime):
        return "sa.DateTime()"
    return False


def configure(**options: Any) -> None:
    context.configure(
        target_metadata=db.Base.metadata,
        render_as_batch=True,
        compare_type=True,
        compare_server_default=True,
        render_item=render,
        **options,
    )


def migrate(connection: Connection) -> None:
    is_sqlite = connection.dialect.name == "sqlite"
    driver = connection.connection.driver_connection
    if is_sqlite and driver:
        # SQLite changes a table by making it anew; with keys enforced, dropping the old one deletes what points at it.
        driver.execute("PRAGMA foreign_keys=OFF")
    try:
        with connection.execution_options(colloquy_writing=True).begin():
            if not is_sqlite:
                # Two machines that deploy at once take turns; the second finds nothing left to do.
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(20270302)")
            configure(connection=connection)
            context.run_migrations()
            if is_sqlite and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").first()):
                raise RuntimeError(f"a migration left a row that points nowhere: {tuple(broken)}")
    finally:
        if is_sqlite and driver:
            driver.execute("PRAGMA foreign_keys=ON")


def run() -> None:
    if context.is_offline_mode():
        configure(url=db.engine().url, literal_binds=True)
        with context.begin_transaction():
            context.run_migrations()
        return
    file = db.engine().url.database
    if db.engine().dialect.name == "sqlite" and file and file != ":memory:":
        Path(file).parent.mkdir(parents=True, exist_ok=True)
    with db.engine().connect() as connection:
        migrate(connection)


run()
