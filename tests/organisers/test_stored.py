"""A film that is in the store already: named at the desk, copied by the worker, each organiser's own alone."""

import os
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from lib import db, work
from lib.work import Job
from recordings import folder_store, storage, stored, stored_jobs, uploads
from recordings.uploads import Upload
from tests.builders import a_workshop, arranged
from tests.organisers.conftest import DESK
from tests.page import PageClient, form, main_text
from tests.recordings import s3

FILM = b"\x00\x00\x00\x20ftypisom" + os.urandom(200_000)
NAME = "import/olu-trains/2027/session 1.mp4"
PAGE = f"{DESK}/workshops/stored-one/recordings/1/stored"


@pytest.fixture(params=["folder", "s3"])
def there(request: pytest.FixtureRequest, app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A store with a film of the organiser's and one of another's."""
    with arranged(app):
        a_workshop(slug="stored-one", in_days=-1, catch_up_offered=True)
    names = {NAME: FILM, "import/pim/theirs.mp4": FILM, "import/olu-trains/empty.mp4": b""}
    if request.param == "folder":
        with app.app_context():
            for name, body in names.items():
                file = folder_store.folder() / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(body)
        yield "folder"
        return
    with s3.bucket() as bucket:
        store = bucket.chosen_by(app, monkeypatch)
        for name, body in names.items():
            store.client.put_object(Bucket=store.bucket, Key=name, Body=body)
        yield "s3"


def take(client: PageClient, name: str) -> tuple[int, str]:
    answer = client.submit(form(client.get(PAGE), "/stored"), {"name": name})
    return answer.status_code, main_text(answer) if answer.status_code == 422 else ""


def work_off(app: Flask) -> None:
    with app.app_context():
        work.run_due(stored_jobs.HANDLERS)


def test_an_object_of_the_organisers_own_becomes_a_part(app: Flask, owner: PageClient, there: str) -> None:
    assert "below import/olu-trains/ there" in main_text(owner.get(PAGE))
    assert take(owner, "2027/session 1.mp4")[0] == 303
    assert take(owner, NAME)[0] == 303, "the whole name does as well"
    work_off(app)

    with app.app_context():
        first, second = db.session.scalars(select(Upload).order_by(Upload.id)).all()
        assert (first.state, first.source, first.filename) == ("arrived", "store", "session 1.mp4")
        assert (first.position, second.position) == (1, 2)
        assert b"".join(storage.read(first.key)) == FILM
        assert storage.length_of(NAME) == len(FILM), "the object itself stays"
        assert len(db.session.scalars(select(Job).where(Job.kind == uploads.LOOK_AT)).all()) == 2

    for name, said in (
        ("none.mp4", "There is no “none.mp4” below import/olu-trains/"),
        ("empty.mp4", "This object is empty."),
        ("theirs.mp4", "There is no"),
    ):
        status, page = take(owner, name)
        assert status == 422
        assert said in page


@pytest.mark.parametrize(
    "name",
    [
        "",
        "../pim/theirs.mp4",
        "2027/../../pim/theirs.mp4",
        "/etc/passwd",
        "import/pim/theirs.mp4",
        "a//b.mp4",
        "a/./b.mp4",
        "a\\..\\b",
        "dir/",
        "\x01",
        "x" * 600,
    ],
)
@pytest.mark.parametrize("there", ["folder"], indirect=True)
def test_a_name_leads_to_nothing_else(app: Flask, owner: PageClient, there: str, name: str) -> None:
    assert take(owner, name)[0] == 422
    with app.app_context():
        assert db.session.scalars(select(Upload)).all() == []


@pytest.mark.parametrize("there", ["folder"], indirect=True)
@pytest.mark.parametrize("change", ["gone", "longer", "taken back"])
def test_what_changes_meanwhile_is_not_taken(app: Flask, owner: PageClient, there: str, change: str) -> None:
    take(owner, NAME)
    with app.app_context():
        file = folder_store.folder() / NAME
        if change == "gone":
            file.unlink()
        elif change == "longer":
            file.write_bytes(FILM + b"x")
        else:
            with db.writing():
                found = db.session.scalars(select(Upload)).one()
                uploads.remove(found, by="user:1", now=found.created_at)
        before = sorted(folder_store.folder().glob("*"))
        work_off(app)
        upload = db.session.scalars(select(Upload)).one()
        expected = ("gone", "") if change == "taken back" else ("refused", stored_jobs.CHANGED)
        assert (upload.state, upload.why, upload.key) == (*expected, "")
        assert sorted(folder_store.folder().glob("*")) == before


@pytest.mark.parametrize("there", ["folder"], indirect=True)
def test_a_film_may_not_be_larger_than_the_setting(app: Flask, there: str) -> None:
    with app.app_context():
        assert stored.find("olu-trains", "2027/session 1.mp4", len(FILM)) == (NAME, len(FILM))
        with pytest.raises(stored.NoSuchObject, match="larger than a film may be"):
            stored.find("olu-trains", "2027/session 1.mp4", len(FILM) - 1)
