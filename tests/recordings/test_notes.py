"""Private notes: written beside the film, kept after it, and read by nobody but whoever wrote them."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from lib import clock as product_clock
from lib import db
from recordings import notes, publishing
from recordings.note_models import Note
from tests.bookings.making import ANN, BOB
from tests.conftest import Clock
from tests.page import PageClient, form, main_text
from tests.recordings.showing import Kept, a_film, a_recorded_workshop, address, booked, published, withdrawn

SECRET = "Bring this to supervision: R. on Thursday."


@pytest.fixture
def made(app: Flask) -> tuple[str, str, Kept]:
    """Ann's page, Bob's, and the recording of both."""
    slug = a_recorded_workshop(app)
    kept = a_film(app, slug, seconds=4000)
    both = booked(app, slug, ANN, BOB)
    published(app, kept)
    return address(app, both, kept), address(app, both, kept, 1), kept


def write(client: PageClient, page: str, text: str, at: str = "0:41:20", *, action: str = "") -> Any:
    """Write a note on a player's or a notes' page."""
    shown = client.get(page)
    sheet = form(shown, action or f"{page.removesuffix('/notes')}/notes")
    return client.submit(sheet, {"at": at, "text": text})


def rows(app: Flask) -> list[tuple[int, str]]:
    with app.app_context():
        return [(each.at, each.text) for each in db.session.scalars(select(Note).order_by(Note.at, Note.id))]


@pytest.mark.both_databases
def test_a_note_is_written_changed_and_deleted(app: Flask, client: PageClient, made: tuple[str, str, Kept]) -> None:
    page, _, _ = made
    assert write(client, page, f"  {SECRET}\r\nAnd\x07 again ").status_code == 303
    write(client, page, "Earlier", "12:08")
    assert rows(app) == [(728, "Earlier"), (2480, f"{SECRET}\nAnd  again")]
    said = main_text(client.get(page))
    assert said.index("0:12:08 Earlier") < said.index(f"0:41:20 {SECRET}")

    write(client, f"{page}/notes", "Later", "1:00:00", action=f"{page}/notes/1")
    assert rows(app) == [(728, "Earlier"), (3600, "Later")]
    client.submit(form(client.get(page), f"{page}/notes/2/removal"))
    assert rows(app) == [(3600, "Later")]


@pytest.mark.parametrize(
    ("at", "seconds"), [("0:41:20", 2480), ("41:20", 2480), ("2480", 2480), ("", 0), ("90:00", 5400)]
)
def test_how_a_place_is_written(
    app: Flask, client: PageClient, made: tuple[str, str, Kept], at: str, seconds: int
) -> None:
    write(client, made[0], "x", at)

    assert rows(app) == [(seconds, "x")]


@pytest.mark.parametrize(("at", "text"), [("soon", "x"), ("1:2:3:4", "x"), ("0:10", "  "), ("0:10", "x" * 4001)])
def test_what_is_no_note(app: Flask, client: PageClient, made: tuple[str, str, Kept], at: str, text: str) -> None:
    answer = write(client, made[0], text, at)

    assert answer.status_code == 422
    assert "One thing to put right" in main_text(answer)
    assert rows(app) == []


def test_notes_stay_when_the_film_has_closed(
    app: Flask, client: PageClient, made: tuple[str, str, Kept], clock: Clock
) -> None:
    page, _, kept = made
    write(client, page, SECRET)
    clock.shift(days=40)
    closed = client.get(page)
    assert closed.status_code == 403
    assert f'href="http://localhost{page}/notes">Read my notes' in closed.get_data(as_text=True)
    shown = client.get(f"{page}/notes")
    assert shown.status_code == 200
    assert SECRET in main_text(shown)
    assert "?t=" not in shown.get_data(as_text=True)
    withdrawn(app, kept)
    answer = client.get(f"{page}/notes.txt")
    assert answer.get_data(as_text=True).endswith(f"\n\n0:41:20\n{SECRET}\n")
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert write(client, f"{page}/notes", "Changed", action=f"{page}/notes/1").status_code == 303


def test_nobody_else_reads_changes_or_deletes_them(app: Flask, client: PageClient, made: tuple[str, str, Kept]) -> None:
    page, bobs, _ = made
    write(client, page, SECRET)
    token = form(client.get(bobs), f"{bobs}/notes").values["csrf_token"]
    for path in (bobs, f"{bobs}/notes", f"{bobs}/notes.txt"):
        assert SECRET not in client.get(path).get_data(as_text=True)
    for path in (f"{bobs}/notes/1", f"{bobs}/notes/1/removal", f"{page[:-1]}/notes/1", f"{page[:-1]}/notes"):
        answer = client.post(path, data={"csrf_token": token, "at": "0", "text": "mine"})
        assert answer.status_code == 404
    assert client.get(f"{page[:-1]}/notes").status_code == 404
    assert client.post(f"{page}/notes", data={"at": "0", "text": "forged"}).status_code == 400
    assert rows(app) == [(2480, SECRET)]


def test_whoever_takes_the_place_finds_no_notes(app: Flask, client: PageClient, made: tuple[str, str, Kept]) -> None:
    page, bobs, _ = made
    write(client, page, SECRET)
    write(client, bobs, "Bob's own")
    with app.app_context(), db.writing():
        publishing.forget_watched(1, product_clock.now())
    assert rows(app) == [(2480, "Bob's own")]


def test_there_is_an_end_to_notes(
    app: Flask, client: PageClient, made: tuple[str, str, Kept], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes, "MOST_NOTES", 1)
    write(client, made[0], "One")
    answer = write(client, made[0], "Two")

    assert answer.status_code == 409
    assert rows(app) == [(2480, "One")]
