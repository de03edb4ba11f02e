"""Films sent in pieces to the desk: the tus protocol over HTTP, by the team and from its own page alone."""

import base64
import hashlib
import io
import json
import os
import random
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from lib import db, work
from lib.work import Job
from recordings import arriving, kinds, storage, tus, upload_jobs, uploads
from recordings.uploads import Upload
from tests.conftest import Clock
from tests.organisers.conftest import DESK
from tests.page import PageClient, form, main_text
from tests.recordings.showing import a_recorded_workshop, session_of
from tests.recordings.test_storage import webm

BODY = webm() + random.Random(6).randbytes(90_000)
SPEAKS = {"Tus-Resumable": "1.0.0", "Accept": "application/json"}
NAMED = f"filename {base64.b64encode(b'evening.webm').decode()}"


class Sender:
    """A page's script, and programs that speak as it does."""

    def __init__(self, client: PageClient, page: str) -> None:
        self.client = client
        self.uploads = f"{page}/1/uploads"

    def create(self, length: int = len(BODY), headers: Mapping[str, str] | None = None) -> TestResponse:
        said = {**SPEAKS, "Upload-Length": str(length), "Upload-Metadata": NAMED, **(headers or {})}
        return self.client.post(self.uploads, headers=said)

    def begun(self, length: int = len(BODY)) -> str:
        answer = self.create(length)
        assert answer.status_code == 201
        return str(answer.location)

    def head(self, url: str, **headers: str) -> TestResponse:
        return self.client.head(url, headers={**SPEAKS, **headers})

    def patch(self, url: str, offset: int, body: bytes, **headers: str) -> TestResponse:
        said = {**SPEAKS, "Upload-Offset": str(offset), "Content-Type": tus.BODY, **headers}
        return self.client.patch(url, data=body, headers=said)

    def sent(self, body: bytes = BODY) -> str:
        url = self.begun(len(body))
        assert self.patch(url, 0, body).status_code == 204
        return url


@pytest.fixture
def page(app: Flask) -> str:
    return f"{DESK}/workshops/{a_recorded_workshop(app)}/recordings"


@pytest.fixture
def sender(owner: PageClient, page: str) -> Sender:
    return Sender(owner, page)


def told(answer: TestResponse) -> Any:
    return json.loads(answer.get_data())


def rows(app: Flask) -> list[Upload]:
    with app.app_context():
        found = list(db.session.scalars(select(Upload).order_by(Upload.id)))
        db.session.expunge_all()
        return found


def jobs(app: Flask, kind: str) -> list[Any]:
    with app.app_context():
        return list(db.session.scalars(select(Job.arguments).where(Job.kind == kind)))


def work_off(app: Flask) -> None:
    with app.app_context():
        work.run_due(upload_jobs.HANDLERS)


def sweep(app: Flask, clock: Clock) -> None:
    with app.app_context():
        upload_jobs.sweep(work.Task(1, upload_jobs.SWEEP, "night", {}, clock.at, 1), clock.at)


def name_in(url: str) -> str:
    return url.rpartition("/")[2]


@pytest.mark.both_databases
def test_a_film_comes_in_pieces_and_the_worker_is_asked_to_look_at_it(app: Flask, sender: Sender) -> None:
    made = sender.create()
    assert (made.status_code, made.headers["Tus-Resumable"]) == (201, "1.0.0")
    assert made.headers["Upload-Expires"] == "Tue, 09 Mar 2027 09:00:00 GMT"
    url = made.location
    for at, end in ((0, 1), (1, 65_536), (65_536, len(BODY))):
        stands = sender.head(url)
        assert (stands.status_code, stands.headers["Upload-Offset"]) == (200, str(at))
        assert stands.headers["Upload-Length"] == str(len(BODY))
        assert stands.headers["Cache-Control"] == "no-store"
        assert tus.metadata(stands.headers["Upload-Metadata"]) == {"filename": "evening.webm", "position": "1"}
        answer = sender.patch(url, at, BODY[at:end])
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(end))
        assert answer.headers["Upload-Expires"]
    (row,) = rows(app)
    assert (row.state, row.received, row.key) == ("arriving", len(BODY), "")

    work_off(app)
    (row,) = rows(app)
    assert (row.state, row.received, row.source, row.filename) == ("arrived", len(BODY), "desk", "evening.webm")
    assert storage.path(row.key).read_bytes() == BODY
    assert jobs(app, uploads.LOOK_AT) == [{"upload": row.id}]
    assert not arriving.path(row.name).exists()
    assert sender.head(url).headers["Upload-Offset"] == str(len(BODY))
    assert sender.patch(url, len(BODY), b"").status_code == 410


def test_what_a_program_may_ask_first(sender: Sender) -> None:
    answer = sender.client.options(sender.uploads)
    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert answer.headers["Tus-Max-Size"] == str(6144 * 1024**2)
    assert set(answer.headers["Tus-Extension"].split(",")) == {"creation", "expiration", "checksum", "termination"}
    assert answer.headers["Tus-Checksum-Algorithm"] == "sha256,sha1"


@pytest.mark.parametrize("headers", [{"Tus-Resumable": "0.2.2"}, {"Tus-Resumable": ""}])
def test_another_version_is_told_ours(app: Flask, sender: Sender, headers: dict[str, str]) -> None:
    url = sender.begun()
    for answer in (
        sender.create(headers=headers),
        sender.head(url, **headers),
        sender.patch(url, 0, BODY, **headers),
        sender.client.delete(url, headers=headers),
    ):
        assert (answer.status_code, answer.headers["Tus-Version"]) == (412, "1.0.0")
    assert [each.state for each in rows(app)] == ["arriving"]
    assert sender.head(url).headers["Upload-Offset"] == "0"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:9"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"},
    ],
)
def test_another_site_s_page_sends_nothing(app: Flask, sender: Sender, headers: dict[str, str]) -> None:
    url = sender.begun()
    for answer in (
        sender.create(headers=headers),
        sender.patch(url, 0, BODY, **headers),
        sender.client.delete(url, headers={**SPEAKS, **headers}),
        sender.client.post(url, headers={**SPEAKS, **headers, "X-HTTP-Method-Override": "DELETE"}),
    ):
        assert answer.status_code == 403
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert [each.state for each in rows(app)] == ["arriving"]


def test_our_own_page_sends(sender: Sender) -> None:
    assert sender.create(headers={"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}).status_code == 201


@pytest.mark.parametrize(
    ("offset", "body", "headers", "status"),
    [
        (0, BODY, {}, 409),
        (1001, BODY[1001:], {}, 409),
        (1000, BODY[1000:] + b"x", {}, 413),
        (1000, BODY[1000:], {"Content-Type": "video/webm"}, 415),
        (1000, BODY[1000:], {"Upload-Offset": "x"}, 400),
        (1000, BODY[1000:], {"Upload-Checksum": "sha1 " + base64.b64encode(bytes(20)).decode()}, 460),
    ],
)
def test_a_piece_that_does_not_fit_changes_nothing(
    app: Flask, sender: Sender, offset: int, body: bytes, headers: dict[str, str], status: int
) -> None:
    url = sender.begun()
    sender.patch(url, 0, BODY[:1000])
    answer = sender.patch(url, offset, body, **headers)
    assert answer.status_code == status
    assert told(answer)["message"]
    assert arriving.path(name_in(url)).read_bytes() == BODY[:1000]
    digest = base64.b64encode(hashlib.sha1(BODY[1000:]).digest()).decode()
    assert sender.patch(url, 1000, BODY[1000:], **{"Upload-Checksum": f"sha1 {digest}"}).status_code == 204


def test_too_large_a_film_is_refused_before_it_is_sent(
    app: Flask, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "FILM_MOST_MB", "1")
    answer = sender.create(1024**2 + 1)
    assert answer.status_code == 413
    assert "A film may have 1 MB and this one has 1.1 MB." in told(answer)["message"]
    assert sender.create(1024**2).status_code == 201


def test_a_piece_may_be_larger_than_any_form(sender: Sender) -> None:
    body = BODY + bytes(1024**2)
    assert sender.head(sender.sent(body)).headers["Upload-Offset"] == str(len(body))


@pytest.mark.both_databases
def test_what_is_no_film_is_refused_early_and_said_on_the_page(app: Flask, sender: Sender, page: str) -> None:
    url = sender.begun(10_000_000)
    assert sender.patch(url, 0, b"x" * (kinds.ENOUGH - 1)).status_code == 204
    answer = sender.patch(url, kinds.ENOUGH - 1, b"x")
    assert (answer.status_code, told(answer)["refusal"]) == (422, "no_film")
    assert not arriving.path(name_in(url)).exists()
    for again in (sender.head(url), sender.patch(url, kinds.ENOUGH, b"x")):
        assert again.status_code == 410
        assert "Upload-Offset" not in again.headers
    shown = sender.client.get(page)
    assert "evening.webm: This file is not a film" in main_text(shown)
    assert sender.client.submit(form(shown, "/removal")).status_code == 303
    assert "This file is not a film" not in main_text(sender.client.get(page))


@pytest.mark.both_databases
def test_an_upload_that_waits_too_long_is_over_and_its_bytes_are_removed(
    app: Flask, sender: Sender, page: str, clock: Clock
) -> None:
    url = sender.begun()
    clock.shift(days=6)
    assert sender.patch(url, 0, BODY[:1000]).status_code == 204  # and waits another week
    clock.shift(days=6, hours=23)
    assert sender.head(url).status_code == 200
    sweep(app, clock)
    assert arriving.size(name_in(url)) == 1000
    clock.shift(hours=1)
    assert sender.head(url).status_code == 410
    assert sender.patch(url, 1000, BODY[1000:]).status_code == 410
    assert told(sender.client.get(sender.uploads)) == {"uploads": []}
    assert "evening.webm" not in main_text(sender.client.get(page))
    sweep(app, clock)
    assert not arriving.path(name_in(url)).exists()
    assert [each.state for each in rows(app)] == ["gone"]


def test_a_file_that_no_row_names_is_removed_after_a_day(app: Flask, sender: Sender, clock: Clock) -> None:
    url, stray, fresh = sender.begun(), arriving.folder() / "stray", arriving.folder() / "fresh"
    arriving.folder().mkdir(parents=True, exist_ok=True)
    for file in (stray, fresh):
        file.write_bytes(b"x")
    old = fresh.stat().st_mtime - upload_jobs.STRAY_SECONDS - 60
    for file in (stray, arriving.path(name_in(url))):
        os.utime(file, (old, old))
    sweep(app, clock)
    assert (stray.exists(), fresh.exists(), arriving.path(name_in(url)).exists()) == (False, True, True)
    fresh.unlink()


def test_whoever_comes_back_with_the_file_finds_where_it_stands(sender: Sender, page: str) -> None:
    url = sender.begun()
    sender.patch(url, 0, BODY[:70_000])
    (listed,) = told(sender.client.get(sender.uploads))["uploads"]
    assert listed == {
        "url": url, "filename": "evening.webm", "length": len(BODY), "position": 1, "offset": 70_000,
    }  # fmt: skip
    shown = main_text(sender.client.get(page))
    assert "evening.webm: 69 kB of 88 kB have come, kept until Tuesday 9 March 2027, 09:00 GMT (London)." in shown
    assert sender.patch(url, 70_000, BODY[70_000:]).status_code == 204
    assert "all of it has come" in main_text(sender.client.get(page))


def test_a_connection_that_breaks_keeps_what_has_come(sender: Sender) -> None:
    url = sender.begun()
    sender.client.patch(
        url,
        input_stream=io.BytesIO(BODY[:5000]),
        environ_overrides={"CONTENT_LENGTH": str(len(BODY))},
        headers={**SPEAKS, "Upload-Offset": "0", "Content-Type": tus.BODY},
    )
    assert sender.head(url).headers["Upload-Offset"] == "5000"


@pytest.mark.both_databases
def test_nothing_of_the_database_is_held_while_bytes_arrive(sender: Sender) -> None:
    url, held = sender.begun(), []

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            held.append(db.session.registry().in_transaction())
            return super().read(size)

        def readinto(self, into: Any) -> int:
            held.append(db.session.registry().in_transaction())
            return super().readinto(into)

    answer = sender.client.patch(
        url,
        input_stream=Slow(BODY),
        environ_overrides={"CONTENT_LENGTH": str(len(BODY))},
        headers={**SPEAKS, "Upload-Offset": "0", "Content-Type": tus.BODY},
    )
    assert answer.status_code == 204
    assert held
    assert not any(held)


@pytest.mark.parametrize("way", ["tus", "override", "button"])
def test_what_is_taken_back_is_gone_with_its_bytes(app: Flask, sender: Sender, page: str, way: str) -> None:
    url = sender.begun()
    sender.patch(url, 0, BODY[:1000])
    if way == "tus":
        answer = sender.client.delete(url, headers=SPEAKS)
    elif way == "override":
        answer = sender.client.post(url, headers={**SPEAKS, "X-HTTP-Method-Override": "DELETE"})
    else:
        answer = sender.client.submit(form(sender.client.get(page), "/removal"))
        assert "Nothing of it was kept." in main_text(sender.client.get(answer.location))
    assert answer.status_code == (303 if way == "button" else 204)
    assert not arriving.path(name_in(url)).exists()
    assert sender.head(url).status_code == 410
    assert sender.patch(url, 1000, BODY[1000:]).status_code == 410
    assert sender.client.delete(url, headers=SPEAKS).status_code == 410


@pytest.mark.both_databases
def test_what_is_taken_back_while_it_is_taken_in_leaves_no_file(app: Flask, sender: Sender) -> None:
    url = sender.sent()
    before = set(storage.folder().iterdir())
    assert sender.client.delete(url, headers=SPEAKS).status_code == 204
    work_off(app)
    assert set(storage.folder().iterdir()) == before
    assert (jobs(app, uploads.LOOK_AT), [each.state for each in rows(app)]) == ([], ["gone"])


@pytest.mark.both_databases
def test_a_server_that_died_after_the_last_byte_loses_no_film(app: Flask, sender: Sender, clock: Clock) -> None:
    """All bytes are on the disk and no row says so: an empty piece says it, or the night finds it."""
    url, other = sender.begun(), sender.begun()
    for each in (url, other):
        arriving.append(name_in(each), 0, len(BODY), [BODY])
    assert sender.head(url).headers["Upload-Offset"] == str(len(BODY))
    assert sender.patch(url, len(BODY), b"").status_code == 204
    clock.shift(days=30)
    sweep(app, clock)
    work_off(app)
    assert [each.state for each in rows(app)] == ["arrived", "arrived"]


@pytest.mark.both_databases
def test_a_worker_that_died_after_moving_the_film_moves_it_again(
    app: Flask, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender.sent()

    def dies(*_args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(uploads, "arrived", dies)
        with pytest.raises(KeyboardInterrupt):
            work_off(app)
    with app.app_context(), db.writing():
        db.session.execute(update(Job).values(lease_until=None))
    work_off(app)
    (row,) = rows(app)
    assert (row.state, storage.path(row.key).read_bytes()) == ("arrived", BODY)


@pytest.mark.both_databases
def test_a_workshop_with_a_film_on_its_way_is_not_deleted_and_one_whose_films_are_gone_is(
    app: Flask, sender: Sender, page: str
) -> None:
    url, workshop = sender.begun(), page.removesuffix("/recordings")
    delete = form(sender.client.get(workshop), "/delete")
    assert sender.client.submit(delete).status_code == 409
    assert sender.client.delete(url, headers=SPEAKS).status_code == 204
    assert sender.client.submit(delete).status_code == 303
    assert (sender.client.get(workshop).status_code, rows(app)) == (404, [])


def test_a_full_disk_is_said_in_plain_words(sender: Sender) -> None:
    url = sender.begun()
    arriving.path(name_in(url)).unlink()
    arriving.path(name_in(url)).symlink_to("/dev/full")
    answer = sender.patch(url, 0, BODY)
    assert (answer.status_code, told(answer)["refusal"]) == (507, "disk_full")


def test_another_session_s_another_organiser_s_and_no_upload_at_all_are_not_here(
    app: Flask, sender: Sender, as_role: Callable[..., PageClient]
) -> None:
    url = sender.begun()
    other = f"{DESK}/workshops/{a_recorded_workshop(app, in_days=9)}/recordings/1/uploads/{name_in(url)}"
    for foreign in (other, url[:-1] + "x", url.replace("/1/uploads", "/9/uploads")):
        assert sender.head(foreign).status_code == 404
        assert sender.patch(foreign, 0, BODY).status_code == 404
        assert sender.client.delete(foreign, headers=SPEAKS).status_code == 404
    stranger = Sender(as_role("owner", "sea-street"), "")
    assert stranger.head(url).status_code == 404
    assert stranger.patch(url, 0, BODY).status_code == 404
    mixed = url.replace("olu-trains", "sea-street")
    assert stranger.head(mixed).status_code == 404
    assert sender.head(url).headers["Upload-Offset"] == "0"


def test_presenters_and_who_is_signed_out_send_nothing(
    sender: Sender, as_role: Callable[..., PageClient], browser: Callable[[], PageClient]
) -> None:
    url = sender.begun()
    for client, status in ((as_role("presenter"), 404), (browser(), 303)):
        other = Sender(client, "")
        other.uploads = sender.uploads
        for answer in (
            other.create(),
            other.head(url),
            other.patch(url, 0, BODY),
            client.delete(url, headers=SPEAKS),
            client.get(other.uploads),
        ):
            assert answer.status_code == status


@pytest.mark.usefixtures("uploads_end")
def test_the_way_without_scripts_ends_in_the_same_place(app: Flask, owner: PageClient, page: str) -> None:
    filled = form(owner.get(page), "/1/film")
    data = {**filled.values, "film": (io.BytesIO(BODY), "evening.webm")}
    answer = owner.post(filled.action, data=data, content_type="multipart/form-data")
    answer.request.environ["wsgi.input"].close()
    assert (answer.status_code, answer.location) == (303, f"{page}?done=film")
    assert "nobody sees it before you publish it" in main_text(owner.get(answer.location))
    work_off(app)
    (row,) = rows(app)
    assert (row.state, storage.path(row.key).read_bytes()) == ("arrived", BODY)
    assert jobs(app, uploads.LOOK_AT) == [{"upload": row.id}]


@pytest.mark.both_databases
def test_a_film_from_elsewhere_arrives_once(app: Flask, page: str, clock: Clock) -> None:
    slug = page.split("/")[4]
    with app.app_context():
        key, size = storage.keep(io.BytesIO(BODY))
        with db.writing():
            made = uploads.begin(
                session_of(slug), filename="x\n.mp4", length=size, source="zoom", by="worker", now=clock.at
            )
            with pytest.raises(ValueError):
                uploads.arrived(made, clock.at)
            made.key = key
            uploads.arrived(made, clock.at)
            uploads.arrived(made, clock.at)
            assert made.filename == "x .mp4"
    assert len(jobs(app, uploads.LOOK_AT)) == 1
