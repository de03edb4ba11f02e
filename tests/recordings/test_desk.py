"""The desk's page: upload, captions, publish, withdraw, by the team and nobody else."""

import io
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from lib import db
from recordings import storage
from recordings.models import Recording
from tests.accounts.browsing import a_link
from tests.bookings.making import ANN
from tests.builders import a_membership, a_user, an_organiser, arranged
from tests.conftest import Clock, Person
from tests.page import PageClient, form, main_text
from tests.recordings.showing import a_film, a_recorded_workshop, booked, windows
from tests.recordings.test_storage import mp4

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("uploads_end")]
VTT = b"WEBVTT\n\n00:01.000 --> 00:02.000\nWelcome.\n"


@pytest.fixture
def slug(app: Flask) -> str:
    return a_recorded_workshop(app)


def signed_in(
    app: Flask, client: PageClient, person: Person, role: str = "", organiser: str = "olu-trains"
) -> PageClient:
    with arranged(app):
        user = a_user(email=person.email, name=person.name)
        if role:
            a_membership(user=user, organiser=an_organiser(slug=organiser), role=role)
    path = a_link(client, app, person.email)
    assert client.submit(form(client.get(path), path)).status_code == 303
    return client


def send(client: PageClient, slug: str, what: str, body: bytes, name: str, **fields: str) -> Any:
    page = f"/organise/olu-trains/workshops/{slug}/recordings"
    filled = form(client.get(page), f"/1/{what}")
    data = {**filled.values, **fields, what: (io.BytesIO(body), name)}
    answer = client.post(f"{page}/1/{what}", data=data, content_type="multipart/form-data")
    answer.request.environ["wsgi.input"].close()  # werkzeug's client keeps what it sent in a file
    return answer


def stored() -> set[str]:
    return {each.name for each in storage.folder().rglob("*") if each.is_file()}


def test_from_upload_to_withdrawal(app: Flask, client: PageClient, slug: str, olu: Person, clock: Clock) -> None:
    booked(app, slug)
    signed_in(app, client, olu, "owner")
    page = f"/organise/olu-trains/workshops/{slug}/recordings"
    assert "for 28 days from" in main_text(client.get(page))

    first = a_film(app, slug).key
    assert send(client, slug, "captions", VTT, "en.vtt", language="en").status_code == 303
    with app.app_context():
        recording = db.session.scalars(select(Recording)).one()
        assert storage.path(recording.captions["en"]["key"]).read_bytes() == VTT

    client.submit(form(client.get(f"{page}/1/review"), "/review/done"))
    answer = client.submit(form(client.get(page), "/1/publish"))
    assert answer.status_code == 303
    assert "A letter with a link of their own" in main_text(client.get(answer.location))
    assert [each[0] for each in windows(app)] == [ANN[1]]
    assert "Open until Tuesday 30 March 2027, 09:00 BST (London) for 1 person" in main_text(client.get(page))

    a_film(app, slug)
    assert first not in stored()
    answer = client.submit(form(client.get(page), "/1/withdraw"), {"why": "Somebody asked"})
    assert "Nobody can watch it any more." in main_text(client.get(answer.location))
    answer = client.submit(form(client.get(page), "/1/publish"))
    assert answer.status_code == 303
    assert len(windows(app)) == 1


@pytest.mark.parametrize(
    ("body", "name"),
    [(b"RIFF....WAVEfmt ", "film.mp4"), (b"", "film.mp4"), (b"x" * 600_000, "film.mp4")],
)
def test_a_file_of_the_wrong_kind_is_refused_by_what_it_holds(
    app: Flask, client: PageClient, slug: str, olu: Person, body: bytes, name: str
) -> None:
    signed_in(app, client, olu, "manager")
    before = stored()
    answer = send(client, slug, "film", body, name)

    assert answer.status_code == 422
    assert 'href="#film-1"' in answer.get_data(as_text=True)
    assert 'id="film-1-error"' in answer.get_data(as_text=True)
    assert stored() == before
    with app.app_context():
        assert db.session.scalars(select(Recording)).all() == []


def test_no_file_at_all(app: Flask, client: PageClient, slug: str, olu: Person) -> None:
    signed_in(app, client, olu, "owner")
    answer = send(client, slug, "film", b"", "")

    assert answer.status_code == 422
    assert "Please choose a file first." in main_text(answer)


@pytest.mark.parametrize(("body", "language"), [(b"1\n00:01 -> 00:02\n", "en"), (VTT, "xx")])
def test_captions_that_cannot_be_read(
    app: Flask, client: PageClient, slug: str, olu: Person, body: bytes, language: str
) -> None:
    signed_in(app, client, olu, "owner")
    a_film(app, slug)
    before = stored()
    answer = send(client, slug, "captions", body, "en.vtt", language=language)

    assert answer.status_code == 422
    assert stored() == before


def test_more_than_512_mb_is_refused_before_it_is_read(app: Flask, client: PageClient, slug: str, olu: Person) -> None:
    signed_in(app, client, olu, "owner")
    page = f"/organise/olu-trains/workshops/{slug}/recordings"

    class Unread(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise AssertionError("the body was read")

        def readinto(self, into: Any) -> int:
            raise AssertionError("the body was read")

    answer = client.post(
        f"{page}/1/film",
        input_stream=Unread(),
        environ_overrides={"CONTENT_LENGTH": str(600 * 1024 * 1024)},
        content_type="multipart/form-data; boundary=x",
    )
    assert answer.status_code == 413
    assert "512 MB" in main_text(answer)


def test_nothing_of_the_database_is_held_while_a_film_arrives(
    app: Flask, client: PageClient, slug: str, olu: Person
) -> None:
    signed_in(app, client, olu, "owner")
    page = f"/organise/olu-trains/workshops/{slug}/recordings"
    token = form(client.get(page), "/1/film").values["csrf_token"]
    field = "--x\r\nContent-Disposition: form-data; name="
    head = f'{field}"csrf_token"\r\n\r\n{token}\r\n'
    head += f'{field}"film"; filename="film.mp4"\r\nContent-Type: video/mp4\r\n\r\n'
    body = head.encode() + mp4() + b"\r\n--x--\r\n"
    held = []

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            held.append(db.session.registry().in_transaction())
            return super().read(size)

        def readinto(self, into: Any) -> int:
            held.append(db.session.registry().in_transaction())
            return super().readinto(into)

    answer = client.post(
        f"{page}/1/film",
        input_stream=Slow(body),
        environ_overrides={"CONTENT_LENGTH": str(len(body))},
        content_type="multipart/form-data; boundary=x",
    )
    assert answer.status_code == 303
    assert held
    assert not any(held)


def test_an_upload_without_the_page_s_token_is_refused(app: Flask, client: PageClient, slug: str, olu: Person) -> None:
    signed_in(app, client, olu, "owner")
    page = f"/organise/olu-trains/workshops/{slug}/recordings"
    for token in ({}, {"csrf_token": "x"}):
        data = {**token, "film": (io.BytesIO(mp4()), "film.mp4")}
        assert client.post(f"{page}/1/film", data=data, content_type="multipart/form-data").status_code == 400
    with app.app_context():
        assert db.session.scalars(select(Recording)).all() == []


@pytest.mark.parametrize(("role", "organiser"), [("", ""), ("presenter", "olu-trains"), ("owner", "elsewhere")])
def test_to_others_the_page_does_not_exist(
    app: Flask, client: PageClient, slug: str, zed: Person, role: str, organiser: str
) -> None:
    signed_in(app, client, zed, role, organiser or "olu-trains")
    page = f"/organise/olu-trains/workshops/{slug}/recordings"
    home = client.get("/links")
    token = form(home, "/links").values.get("csrf_token") or form(home, "/links").fields[0].value

    assert client.get(page).status_code == 404
    for act in ("film", "captions", "publish", "withdraw"):
        data = {"csrf_token": token or "", "film": (io.BytesIO(mp4()), "film.mp4")}
        answer = client.post(f"{page}/1/{act}", data=data, content_type="multipart/form-data")
        assert answer.status_code == 404
    with app.app_context():
        assert db.session.scalars(select(Recording)).all() == []


def test_another_organiser_s_workshop_is_not_here(app: Flask, client: PageClient, slug: str, olu: Person) -> None:
    with arranged(app):
        an_organiser(slug="elsewhere", name="Elsewhere")
    signed_in(app, client, olu, "owner", "elsewhere")

    assert client.get(f"/organise/elsewhere/workshops/{slug}/recordings").status_code == 404


def test_who_is_signed_out_is_led_to_sign_in_without_sending_the_film(client: PageClient, slug: str) -> None:
    answer = client.post(
        f"/organise/olu-trains/workshops/{slug}/recordings/1/film",
        data={"film": (io.BytesIO(mp4()), "film.mp4")},
        content_type="multipart/form-data",
    )

    assert answer.status_code == 303
    assert answer.location.startswith("/sign-in")
