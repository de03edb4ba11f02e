"""What the stand-in knows: objects in memory under one lock, each change written to SQLite before it is answered."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Closed(Exception):
    """The stand-in is stopping: what cannot be kept is not done."""


class Store:
    """Objects by kind and id, oldest first."""

    def __init__(self, path: Path | None) -> None:
        self.lock = threading.RLock()
        self._depth = 0
        self._closed = False
        self._tables: dict[str, dict[str, dict[str, Any]]] = {}
        self._dirty: dict[tuple[str, str], dict[str, Any] | None] = {}
        self._numbers: dict[tuple[str, str], int] = {}
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS object"
            " (kind TEXT, id TEXT, number INTEGER, body TEXT, PRIMARY KEY (kind, id)) WITHOUT ROWID"
        )
        for kind, key, number, body in self._db.execute("SELECT kind, id, number, body FROM object ORDER BY number"):
            self.table(kind)[key] = json.loads(body)
            self._numbers[kind, key] = number
        self._next = max(self._numbers.values(), default=0) + 1

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the lock; what `put` and `remove` named inside is on disk when the outermost block ends.

        Raises Closed once the stand-in is stopping.
        """
        with self.lock:
            if self._closed:
                raise Closed
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if not self._depth:
                    self._write()

    def table(self, kind: str) -> dict[str, dict[str, Any]]:
        """All objects of a kind by id, oldest first. Read it inside `changing`."""
        return self._tables.setdefault(kind, {})

    def get(self, kind: str, key: str) -> dict[str, Any] | None:
        """One object or None."""
        return self.table(kind).get(key)

    def put(self, kind: str, thing: dict[str, Any]) -> None:
        """Keep a new object, or say that a known one changed."""
        key = thing["id"]
        self.table(kind)[key] = thing
        if (kind, key) not in self._numbers:
            self._numbers[kind, key] = self._next
            self._next += 1
        self._dirty[kind, key] = thing

    def remove(self, kind: str, key: str) -> None:
        """Forget an object."""
        if self.table(kind).pop(key, None) is not None:
            self._dirty[kind, key] = None

    def clear(self) -> None:
        """Forget everything."""
        with self.changing():
            self._tables.clear()
            self._dirty.clear()
            self._numbers.clear()
            with self._db:
                self._db.execute("DELETE FROM object")

    def close(self) -> None:
        """Nothing is written after this."""
        with self.lock:
            self._closed = True
            self._db.close()

    def _write(self) -> None:
        if not self._dirty:
            return
        dirty, self._dirty = self._dirty, {}
        kept = [
            (kind, key, self._numbers[kind, key], json.dumps(thing))
            for (kind, key), thing in dirty.items()
            if thing is not None
        ]
        gone = [(kind, key) for (kind, key), thing in dirty.items() if thing is None]
        for pair in gone:
            self._numbers.pop(pair, None)
        with self._db:
            self._db.executemany("INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?)", kept)
            self._db.executemany("DELETE FROM object WHERE kind = ? AND id = ?", gone)
