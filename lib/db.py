"""The database: one Base, one session, and `writing()`, the only way to change a row.

SQLite is the embedded default, PostgreSQL the other; the same code serves both.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Lock
from typing import Annotated, Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    JSON,
    BigInteger,
    Connection,
    DateTime,
    Dialect,
    Engine,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    String,
    UniqueConstraint,
    event,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
BUSY_TIMEOUT_MS = 10_000


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware datetimes in, stored as UTC, aware UTC datetimes out."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(DateTime(timezone=dialect.name == "postgresql"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs its zone: a naive datetime was about to be stored")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class WallTime(TypeDecorator[datetime]):
    """A clock time as people read it off the wall: no zone, kept beside the zone's name."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is not None:
            raise ValueError("a wall time has no zone of its own: an aware datetime was about to be stored")
        return value


BIG = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows only in an INTEGER PRIMARY KEY
Id = Annotated[int, mapped_column(BIG, primary_key=True)]
Ref = Annotated[int, mapped_column(BIG)]
Minor = Annotated[int, mapped_column(BigInteger)]
Currency = Annotated[str, mapped_column(String(3))]
Zone = Annotated[str, mapped_column(String(64))]
Facts = Annotated[dict[str, Any], mapped_column(JSON)]
Wall = Annotated[datetime, mapped_column(WallTime)]


class Base(DeclarativeBase):
    """All tables. Plain SQLAlchemy, so that the types are checked."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {datetime: UtcDateTime}  # noqa: RUF012 - SQLAlchemy reads it off the class


class Owned:
    """A row below an organiser. (organiser_id, id) is unique so that other rows can point at the pair."""

    id: Mapped[Id]
    organiser_id: Mapped[Ref] = mapped_column(ForeignKey("organiser.id"), index=True)


def pair(table: str) -> UniqueConstraint:
    """The key that `same_organiser` points at, for an Owned table's `__table_args__`."""
    return UniqueConstraint("organiser_id", "id", name=f"uq_{table}_organiser_id_id")


def same_organiser(column: str, table: str, **options: Any) -> ForeignKeyConstraint:
    """A foreign key to `table` that the database refuses when the two rows have different organisers."""
    return ForeignKeyConstraint(["organiser_id", column], [f"{table}.organiser_id", f"{table}.id"], **options)


_writers = Lock()
extension = SQLAlchemy(metadata=Base.metadata)
session = extension.session


def init_app(app: Flask) -> None:
    """Bind the engine of DATABASE_URL to `app`; nothing connects before the first query."""
    extension.init_app(app)
    with app.app_context():
        engine = extension.engine
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)


@contextmanager
def writing() -> Iterator[None]:
    """Run a block as one write transaction: all of it is kept at the end, or none.

    Ends the read transaction that may be open, so what was read before is read again inside. On SQLite the write
    lock is taken at the start (BEGIN IMMEDIATE): a deferred transaction that turns into a writer fails at once when
    another one has written meanwhile. Enter it with the request's body read and the form parsed, leave it before
    anything is rendered or sent. Raises RuntimeError inside another `writing()`.
    """
    if session.info.get("writing"):
        raise RuntimeError("writing() inside writing(): the outer block would be cut in two")
    session.rollback()
    with _turn():
        session.connection(execution_options={"colloquy_writing": True})
        session.info["writing"] = True
        try:
            yield
            session.commit()
        except BaseException:
            session.rollback()
            raise
        finally:
            session.info.pop("writing", None)


@contextmanager
def _turn() -> Iterator[None]:
    """On SQLite, let one thread of this process at a time ask for the write lock.

    SQLite's own waiting is a lottery with growing pauses: under load some writers wait for seconds while others pass.
    Raises TimeoutError when no turn comes within the busy timeout.
    """
    if is_postgresql():
        yield
        return
    if not _writers.acquire(timeout=BUSY_TIMEOUT_MS / 1000):
        raise TimeoutError("no turn to write: another writer of this process holds the database")
    try:
        yield
    finally:
        _writers.release()


def is_postgresql() -> bool:
    return session.get_bind().dialect.name == "postgresql"


def insert_or(model: type[Base]) -> Any:
    """An INSERT into a model's table that may say what to do when the row is there: `on_conflict_do_nothing(...)` or
    `on_conflict_do_update(...)`, which both databases know and SQLAlchemy has in a dialect's own insert only."""
    return (postgresql_insert if is_postgresql() else sqlite_insert)(model)


def ping() -> None:
    """One round trip to the database; raises what the driver raises."""
    session.connection().exec_driver_sql("SELECT 1")


def engine() -> Engine:
    return extension.engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # BEGIN is ours, see _begin_sqlite
    for pragma in (
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=NORMAL",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    is_writer = connection.get_execution_options().get("colloquy_writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")
