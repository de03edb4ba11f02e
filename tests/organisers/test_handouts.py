"""Handouts at the desk: kept, refused with the reason, taken away; no file stays that no row names."""

import io
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from history.models import Entry
from lib import db
from recordings import handout_kinds, handouts, storage
from recordings.handout_models import Handout
from tests.builders import a_meeting
from tests.organisers.conftest import DESK
from tests.page import PageClient, form, main_text
from tests.recordings.showing import a_recorded_workshop
from tests.recordings.test_handouts import PDF

pytestmark = pytest.mark.usefixtures("uploads_end")


@pytest.fixture
def page(app: Flask) -> str:
    slug = a_recorded_workshop(app, sessions=[a_meeting(in_days=7), a_meeting(in_days=8)])
    return f"{DESK}/workshops/{slug}/handouts"


def send(client: PageClient, page: str, body: bytes, *, called: str = "file.bin", **fields: str) -> Any:
    filled = form(client.get(page), page)
    filled.fill(fields)
    data = {**filled.values, "file": (io.BytesIO(body), called)}
    answer = client.post(page, data=data, content_type="multipart/form-data")
    answer.request.environ["wsgi.input"].close()  # werkzeug's client keeps what it sent in a file
    return answer


def rows(app: Flask) -> list[Handout]:
    with app.app_context():
        found = list(db.session.scalars(select(Handout).order_by(Handout.id)))
        db.session.expunge_all()
        return found


def files() -> set[str]:
    return {each.name for each in storage.folder().iterdir()} if storage.folder().exists() else set()


def test_a_handout_is_kept_and_taken_away(app: Flask, owner: PageClient, page: str) -> None:
    before = files()
    done = send(
        owner, page, PDF, called="C:\\slides\\../Slides <1>.pdf", session="2", access="until", until="2027-05-28"
    )
    assert done.status_code == 303
    (kept,) = rows(app)
    assert (kept.name, kept.kind, kept.size, kept.access) == ("Slides -1-", "pdf", len(PDF), "until")
    assert kept.until_at is not None
    assert f"{kept.until_at:%Y-%m-%dT%H:%M}" == "2027-05-28T23:00"  # the end of the day in London
    assert files() - before == {kept.key}
    said = main_text(owner.get(done.location))
    assert "The handout is kept" in said
    assert "PDF, 3 kB. Session 2. Until Saturday 29 May 2027, 00:00 BST (London)" in said

    gone = owner.submit(form(owner.get(page), f"{page}/{kept.id}/removal"))
    assert gone.status_code == 303
    assert (rows(app), files()) == ([], before)
    with app.app_context():
        told = list(db.session.scalars(select(Entry.verb).where(Entry.verb.like("handout%")).order_by(Entry.id)))
    assert told == ["handout_added", "handout_removed"]


@pytest.mark.parametrize(
    ("body", "fields", "why"),
    [
        (b"<html><script>alert(1)</script>", {}, "We give out PDF"),
        (b"MZ\x90\0", {}, "We give out PDF"),
        (PDF, {"access": "until"}, "Please give the last day"),
        (PDF, {"name": "x" * 121}, "Please shorten this to 120 characters."),
    ],
)
def test_what_is_refused_is_not_kept(
    app: Flask, owner: PageClient, page: str, body: bytes, fields: dict[str, str], why: str
) -> None:
    before = files()
    answer = send(owner, page, body, **fields)

    assert answer.status_code == 422
    assert why in main_text(answer)
    assert (rows(app), files()) == ([], before)


def test_one_that_is_too_large_is_not_read(
    app: Flask, owner: PageClient, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handout_kinds, "MOST_BYTES", len(PDF) - 1)
    answer = send(owner, page, PDF)
    assert answer.status_code == 422
    assert "this one has more" in main_text(answer)
    assert rows(app) == []


def test_without_the_form_s_token_nothing_is_kept(owner: PageClient, page: str) -> None:
    answer = owner.post(page, data={"file": (io.BytesIO(PDF), "a.pdf")}, content_type="multipart/form-data")
    answer.request.environ["wsgi.input"].close()

    assert answer.status_code == 400


def test_no_row_no_file(app: Flask, owner: PageClient, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files()
    monkeypatch.setattr(handouts, "MOST_HANDOUTS", 0)
    answer = send(owner, page, PDF)

    assert answer.status_code == 409
    assert (rows(app), files()) == ([], before)
