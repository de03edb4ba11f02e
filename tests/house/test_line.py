"""A room imports only from rooms to its left, and a foreign key is an import too."""

import ast
from collections.abc import Iterator, Mapping

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table

import app as application  # noqa: F401 - brings in the tables of all rooms
from lib import db
from tests.house import source
from tests.house.source import ROOMS, ROOT, Sources

OUTSIDE = ("demo", "tests", "bench", "deploy", "migrations")
# Inside a room: models, domain modules, forms and what checks a filled one, routes, jobs, commands. lib is no room.
ORDER = {"models": 0, "forms": 2, "checks": 2, "jobs": 4, "cli": 5}


def over_the_line(sources: Sources) -> Iterator[str]:
    for path, text in sources.items():
        here = source.room(path)
        for line, name in source.imports(ast.parse(text)):
            there = name.split(".")[0]
            if not there:
                yield f"{path}:{line} imports relatively"
            elif there in OUTSIDE or (there == "app" and here != "app"):
                yield f"{path}:{line} imports {name}"
            elif here in ROOMS and there in ROOMS and ROOMS.index(there) > ROOMS.index(here):
                yield f"{path}:{line} imports {name} from a room to its right"


def out_of_order(sources: Sources) -> Iterator[str]:
    for path, text in sources.items():
        for line, name in source.imports(ast.parse(text)):
            there = name.split(".")
            is_kind = there[-1].isupper()  # the kind of a job is text, kept beside what does it
            if there[0] != source.room(path) or there[0] == "lib" or len(there) < 2 or is_kind:
                continue
            if rank(there[1]) > rank(source.stem(path)):
                yield f"{path}:{line} imports {name}, which comes after it"


def rank(stem: str) -> int:
    if stem == "webhook" or stem.endswith("routes"):
        return 3
    return ORDER["jobs"] if stem.endswith("_jobs") else ORDER.get(stem, 1)


def in_a_circle(sources: Sources) -> Iterator[str]:
    """Modules of the application that import one another, however far round."""
    needs = {
        path.removesuffix(".py").replace("/", "."): {
            name.rsplit(".", cut)[0] for _, name in source.imports(ast.parse(text)) for cut in (0, 1)
        }
        for path, text in sources.items()
    }
    for start in needs:
        seen: set[str] = set()
        ahead = needs[start] & needs.keys()
        while ahead:
            seen |= ahead
            ahead = {more for each in ahead for more in needs[each] & needs.keys()} - seen
        if start in seen:
            yield f"{start} needs itself"


def inner_imports(sources: Sources) -> Iterator[str]:
    for path, text in sources.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
                yield from (f"{path}:{line} imports {name} inside {node!r}" for line, name in source.imports(node))


def keys_over_the_line(metadata: MetaData, homes: Mapping[str, str]) -> Iterator[str]:
    for table in metadata.tables.values():
        for key in table.foreign_keys:
            there = key.column.table.name
            if ROOMS.index(homes[there]) > ROOMS.index(homes[table.name]):
                yield f"{table.name} ({homes[table.name]}) points right at {there} ({homes[there]})"


def homes() -> dict[str, str]:
    """The room of each table: where its class is, or for a plain join where the tables are that it joins."""
    found = {mapper.local_table.name: mapper.class_.__module__.split(".")[0] for mapper in db.Base.registry.mappers}  # type: ignore[attr-defined]
    for table in db.Base.metadata.tables.values():
        joined = [found[key.column.table.name] for key in table.foreign_keys if key.column.table.name in found]
        found.setdefault(table.name, max(joined, key=ROOMS.index, default="lib"))
    return found


def test_no_room_imports_from_its_right() -> None:
    assert list(over_the_line(source.application())) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("lib/work.py", "from mail import outbox"),
        ("payments/ledger.py", "import bookings.models"),
        ("courses/places.py", "from bookings.models import Booking"),
        ("bookings/checkout.py", "from . import pricing"),
        ("bookings/checkout.py", "from demo.stripe import store"),
        ("mail/jobs.py", "import app"),
        ("lib/db.py", "def f():\n    import courses"),
        ("accounts/models.py", "if TYPE_CHECKING:\n    from courses.models import Course"),
    ],
)
def test_the_line_is_seen(path: str, text: str) -> None:
    assert len(list(over_the_line({path: text}))) == 1


def test_inside_a_room_the_order_is_kept() -> None:
    assert list(out_of_order(source.application())) == []
    assert list(out_of_order({"bookings/checkout.py": "from bookings.routes import book"}))
    assert list(out_of_order({"bookings/models.py": "from bookings import pricing"}))
    assert not list(out_of_order({"bookings/routes.py": "from bookings import pricing, forms\nimport courses.cli"}))


def test_no_circles() -> None:
    assert list(in_a_circle(source.application())) == []
    circle = {"mail/a.py": "from mail import b", "mail/b.py": "from mail.c import x", "mail/c.py": "import mail.a"}
    assert len(list(in_a_circle(circle))) == 3


def test_no_imports_inside_functions() -> None:
    assert list(inner_imports(source.application() | source.read(under=("demo",)))) == []
    assert list(inner_imports({"lib/db.py": "class A:\n    def f(self):\n        from mail import outbox"}))


def test_no_foreign_key_points_to_the_right() -> None:
    assert list(keys_over_the_line(db.Base.metadata, homes())) == []


def test_a_foreign_key_over_the_line_is_seen() -> None:
    tables = MetaData()
    Table("booking", tables, Column("id", Integer, primary_key=True))
    Table("bill", tables, Column("id", Integer, primary_key=True), Column("booking_id", ForeignKey("booking.id")))

    assert list(keys_over_the_line(tables, {"booking": "bookings", "bill": "payments"}))


def test_every_table_has_its_class_in_a_room() -> None:
    assert set(homes().values()) <= set(ROOMS)


def test_packages_are_rooms_with_empty_doorplates() -> None:
    packages = {path.parent.relative_to(ROOT).as_posix() for path in ROOT.glob("*/__init__.py")}

    assert packages - {"demo", "tests", *ROOMS} <= {"bench"}
    doorplates = source.read(under=("demo", *ROOMS), suffix="__init__.py")
    assert [path for path, text in doorplates.items() if text.strip()] == []
