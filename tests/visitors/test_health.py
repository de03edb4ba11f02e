"""Alive, ready, and figures: what machines that look after this one are told."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import text, update

from lib import db, settings, work
from tests.bookings.making import a_wish, held, paid
from tests.builders import a_workshop, arranged
from tests.conftest import Clock
from tests.page import PageClient

pytestmark = pytest.mark.both_databases


@pytest.fixture
def version(app: Flask) -> Iterator[None]:
    """The table in which migrations leave their mark, empty; gone again afterwards."""
    with arranged(app):
        db.session.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    yield
    with arranged(app):
        db.session.execute(text("DROP TABLE alembic_version"))


def mark(app: Flask, revision: str) -> None:
    with arranged(app):
        db.session.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})


def test_alive(app: Flask, clock: Clock, client: PageClient) -> None:
    answer = client.get("/healthz")

    assert (answer.status_code, answer.mimetype, answer.get_data()) == (200, "text/plain", b"alive\n")


def test_ready_when_every_migration_has_run(app: Flask, clock: Clock, client: PageClient, version: None) -> None:
    for head in ScriptDirectory(str(settings.ROOT / "migrations")).get_heads():
        mark(app, head)

    answer = client.get("/readyz")

    assert (answer.status_code, answer.get_data()) == (200, b"ready\n")


@pytest.mark.parametrize("revision", [None, "0000", "9999"])
def test_not_ready_while_a_migration_is_missing(
    app: Flask, clock: Clock, client: PageClient, version: None, revision: str | None
) -> None:
    if revision:
        mark(app, revision)

    answer = client.get("/readyz")

    assert (answer.status_code, answer.get_data()) == (503, b"migrations are missing: run flask db upgrade\n")


def test_not_ready_before_the_first_migration(app: Flask, clock: Clock, client: PageClient) -> None:
    assert client.get("/readyz").status_code == 503


def figures(client: PageClient, **headers: str) -> tuple[int, dict[str, float]]:
    """The status, and each figure by its name and label."""
    answer = client.get("/metrics", headers={name.replace("_", "-"): value for name, value in headers.items()})
    if answer.status_code != 200:
        return answer.status_code, {}
    lines = [each for each in answer.get_data(as_text=True).splitlines() if not each.startswith("#")]
    return 200, {name: float(value) for name, value in (each.rsplit(" ", 1) for each in lines)}


def test_figures_for_this_machine(app: Flask, clock: Clock, client: PageClient) -> None:
    with arranged(app):
        slug = a_workshop().slug
    paid(app, a_wish(slug))
    held(app, a_wish(slug))
    held(app, a_wish(slug))
    with arranged(app):
        db.session.execute(update(work.Job).values(due_at=clock.at + timedelta(days=1)))
        work.post("known.kind", "about", clock.at)
        db.session.add(work.Job(kind="dead", about="x", arguments={}, due_at=clock.at, ended_at=clock.at, is_dead=True))

    status, found = figures(client)

    assert status == 200
    assert found == {
        'colloquy_bookings{state="confirmed"}': 1,
        'colloquy_bookings{state="held"}': 2,
        'colloquy_letters{state="waiting"}': 2,
        'colloquy_jobs{state="due"}': 1,
        'colloquy_jobs{state="dead"}': 1,
    }


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_no_figures_for_who_comes_through_a_proxy_on_this_machine(
    app: Flask, clock: Clock, client: PageClient, header: str
) -> None:
    answer = client.get("/metrics", headers={header: "203.0.113.9"})

    assert (answer.status_code, answer.get_data()) == (404, client.get("/nowhere").get_data())


@pytest.mark.parametrize(
    ("remote", "status"), [("127.0.0.1", 200), ("::1", 200), ("203.0.113.9", 404), ("10.0.0.1", 404)]
)
def test_no_figures_for_another_machine(app: Flask, clock: Clock, client: PageClient, remote: str, status: int) -> None:
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": remote}).status_code == status


@pytest.mark.parametrize(
    ("token", "given", "status"),
    [
        ("s3cret", "Bearer s3cret", 200),
        ("s3cret", "Bearer wrong", 404),
        ("s3cret", "Bearer ", 404),
        ("s3cret", "", 404),
        ("", "Bearer ", 404),
        ("", "", 404),
    ],
)
def test_figures_for_the_holder_of_the_token(
    app: Flask, clock: Clock, client: PageClient, monkeypatch: pytest.MonkeyPatch, token: str, given: str, status: int
) -> None:
    monkeypatch.setitem(app.config, "METRICS_TOKEN", token)

    assert figures(client, Authorization=given, X_Forwarded_For="203.0.113.9")[0] == status
