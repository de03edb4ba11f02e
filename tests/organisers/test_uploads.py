"""Films, captions and logos that are refused, replaced, cut off or never written down: why is said, and no file is
left that no row names."""

import gc
import io
import shutil
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from accounts import profile
from accounts.models import Organiser
from lib import db, web
from recordings import storage, uploads
from recordings.models import Recording
from tests.organisers.conftest import DESK
from tests.page import PageClient, form, main_text
from tests.recordings.showing import a_film, a_recorded_workshop
from tests.recordings.test_storage import DEMO, mp4, webm

pytestmark = pytest.mark.usefixtures("uploads_end")
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 60
VTT = b"WEBVTT\n\n00:01.000 --> 00:02.000\nWelcome.\n"
FILM = (DEMO / "film.mp4").read_bytes()  # its index stands at the front


@pytest.fixture
def page(app: Flask) -> str:
    return f"{DESK}/workshops/{a_recorded_workshop(app)}/recordings"


def slug_in(page: str) -> str:
    return page.split("/")[4]


def files() -> set[Path]:
    """Everything below `media/`, half-written files too."""
    return {each for each in storage.folder().rglob("*") if each.is_file()} if storage.folder().exists() else set()


def named(app: Flask) -> set[str]:
    """The names of the files that rows name."""
    with app.app_context():
        found = {each for each in db.session.scalars(select(Organiser.logo)) if each}
        for recording in db.session.scalars(select(Recording)):
            found |= {recording.file, *(each["key"] for each in recording.captions.values())}
    return found


def send(client: PageClient, page: str, to: str, body: bytes, **fields: str) -> Any:
    """Choose a file in the page's form and send it."""
    filled = form(client.get(page), to)
    what = to.rpartition("/")[2]
    data = {**filled.values, **fields, what: (io.BytesIO(body), "file.bin")}
    answer = client.post(filled.action, data=data, content_type="multipart/form-data")
    answer.request.environ["wsgi.input"].close()  # werkzeug's client keeps what it sent in a file
    return answer


def send_logo(client: PageClient, body: bytes) -> Any:
    token = form(client.get(f"{DESK}/settings"), "/words").values["csrf_token"]
    data = {"csrf_token": token, "logo": (io.BytesIO(body), "logo.bin")}
    return client.post(f"{DESK}/settings/logo", data=data, content_type="multipart/form-data")


def test_a_film_that_is_refused_is_not_kept(app: Flask, owner: PageClient, page: str) -> None:
    send(owner, page, "/1/film", webm())
    before = files()
    answer = send(owner, page, "/1/film", b"\xff\xfb" + b"\0" * 5000)
    assert answer.status_code == 422
    assert "This file is not a film" in main_text(answer)
    assert files() == before


def test_one_byte_too_many_is_refused_and_not_kept(
    owner: PageClient, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files()
    monkeypatch.setattr("organisers.recordings_routes.MOST_AT_ONCE", len(FILM) - 1)
    answer = send(owner, page, "/1/film", FILM)
    assert answer.status_code == 413
    assert "this film has more. Nothing was kept." in main_text(answer)
    assert files() == before


def test_captions_that_are_refused_keep_the_language(app: Flask, owner: PageClient, page: str) -> None:
    a_film(app, slug_in(page))
    before = files()
    answer = send(owner, page, "/1/captions", b"1\n00:01 -> 00:02\n", language="fr")
    assert answer.status_code == 422
    assert form(answer, "/1/captions").values["language"] == "fr"
    assert files() == before


def test_what_is_replaced_is_removed(app: Flask, owner: PageClient, page: str) -> None:
    before = files()
    for captions, logo in ((VTT, PNG), (VTT + b"\n", PNG + b"\0")):
        a_film(app, slug_in(page))
        assert send(owner, page, "/1/captions", captions, language="en").status_code == 303
        assert send_logo(owner, logo).status_code == 303
        assert {each.name for each in files() - before} == named(app)
        assert len(named(app)) == 3


def test_the_folder_of_films_is_closed_to_others_though_a_logo_came_first(owner: PageClient) -> None:
    shutil.rmtree(storage.folder(), ignore_errors=True)
    assert send_logo(owner, PNG).status_code == 303
    assert storage.folder().stat().st_mode & 0o077 == 0


def test_a_logo_that_is_refused_is_not_kept(app: Flask, owner: PageClient) -> None:
    send_logo(owner, PNG)
    before = files()
    for body, why in ((b"GIF89a", "PNG, JPEG or WebP"), (PNG + b"\0" * 512 * 1024, "512 kB"), (b"", "")):
        answer = send_logo(owner, body)
        assert answer.status_code == 422
        assert why in main_text(answer)
        assert files() == before


class Away(web.Refusal):
    """The rows cannot be written."""

    status = 503
    refusal = "away"
    title = "Please try again"


def fails(*_args: object, **_kwargs: object) -> None:
    raise Away("Nothing was kept.")


def test_what_no_row_could_name_is_not_kept(
    app: Flask, owner: PageClient, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files()
    monkeypatch.setattr(uploads, "begin", fails)
    monkeypatch.setattr(profile, "set_logo", fails)
    assert send(owner, page, "/1/film", mp4()).status_code == 503
    assert send_logo(owner, PNG).status_code == 503
    assert (files(), named(app)) == (before, set())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # what was read so far is left to gc
def test_a_connection_that_breaks_in_the_middle_leaves_nothing(app: Flask, owner: PageClient, page: str) -> None:
    before = files()
    token = form(owner.get(page), "/1/film").values["csrf_token"]
    field = "--x\r\nContent-Disposition: form-data; name="
    head = f'{field}"csrf_token"\r\n\r\n{token}\r\n{field}"film"; filename="film.mp4"\r\n\r\n'
    body = head.encode() + FILM
    status = owner.post(
        f"{page}/1/film",
        input_stream=io.BytesIO(body[: len(body) // 2]),
        environ_overrides={"CONTENT_LENGTH": str(len(body))},
        content_type="multipart/form-data; boundary=x",
    ).status_code
    gc.collect()
    assert status == 400
    assert (files(), named(app)) == (before, set())
