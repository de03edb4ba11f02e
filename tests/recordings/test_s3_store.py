"""Films in a store that speaks S3: the protocol, ranges through the application, addresses that end."""

import io
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask, Response

from lib import web
from recordings import storage
from recordings.ranges import Piece
from recordings.s3_store import PART, S3Store, StoreFails
from recordings.streams import TooLarge
from tests.conftest import Clock
from tests.page import PageClient, main_text
from tests.recordings import s3
from tests.recordings.s3 import Bucket
from tests.recordings.serving import ask, served
from tests.recordings.showing import BYTES, CLOSES, PUBLISHED, a_film, a_recorded_workshop, address, booked, published

LAST_SECOND = "2027-04-13T16:59:59Z"


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    with s3.bucket() as found:
        yield found


@pytest.fixture
def store(app: Flask, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    return bucket.chosen_by(app, monkeypatch)


@pytest.fixture
def page(app: Flask, store: S3Store, clock: Clock) -> str:
    """Ann's player page; the film is in the bucket."""
    slug = a_recorded_workshop(app)
    made = booked(app, slug)
    kept = a_film(app, slug)
    clock.set(PUBLISHED)
    published(app, kept)
    return address(app, made, kept)


def objects(store: S3Store) -> set[str]:
    return {each["Key"] for each in store.client.list_objects_v2(Bucket=store.bucket).get("Contents", ())}


def half_uploads(store: S3Store) -> list[object]:
    return list(store.client.list_multipart_uploads(Bucket=store.bucket).get("Uploads", ()))


def test_what_is_kept_comes_back_range_by_range(app: Flask, store: S3Store) -> None:
    with app.app_context():
        key, size = storage.keep(io.BytesIO(BYTES))
        assert size == storage.size(key) == len(BYTES)
        assert b"".join(storage.read(key)) == BYTES
        assert b"".join(storage.read(key, Piece(100, 299))) == BYTES[100:300]
        with storage.local(key) as file:
            assert file.read_bytes() == BYTES
        assert not file.exists()
        storage.forget([key, key])
        assert key not in objects(store)
        for gone in (storage.size, storage.read):
            with pytest.raises(FileNotFoundError):
                gone(key)
        with pytest.raises(FileNotFoundError), storage.local(key):
            pass


def test_a_large_film_goes_in_parts_from_a_stream_or_a_file(app: Flask, store: S3Store, tmp_path: Path) -> None:
    body = bytes(range(256)) * 4096 * 9  # 9 MB
    made = tmp_path / "made.mp4"
    made.write_bytes(body)
    with app.app_context():
        key, size = storage.keep(io.BytesIO(body))
        adopted = storage.adopt(made)
        assert (size, made.exists()) == (len(body), False)
        for each in (key, adopted):
            assert b"".join(storage.read(each, Piece(PART - 2, PART + 1))) == body[PART - 2 : PART + 2]
            assert store.client.head_object(Bucket=store.bucket, Key=each)["ETag"].endswith('-2"')  # two parts
        storage.forget([key, adopted])


def test_an_upload_that_breaks_off_leaves_nothing(app: Flask, store: S3Store) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > PART:
                raise OSError("the sender went away")
            return super().read(size)

    before = objects(store)
    with app.app_context():
        with pytest.raises(OSError, match="went away"):
            storage.keep(Broken(bytes(3 * PART)))
        with pytest.raises(TooLarge):
            storage.keep(io.BytesIO(bytes(2 * PART)), PART + 5)
    assert objects(store) == before
    assert half_uploads(store) == []


def test_a_store_that_does_not_answer_is_said_so(
    app: Flask, client: PageClient, page: str, store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "bucket", "another")
    with app.app_context(), pytest.raises(StoreFails, match="NoSuchBucket"):
        storage.keep(io.BytesIO(BYTES))

    answer = client.get(f"{page}/media", headers={"Range": "bytes=0-1"})
    assert answer.status_code == 503
    assert "Nothing of yours is lost" in main_text(answer)
    assert "Content-Range" not in answer.headers


def test_the_window_stays_exact(client: PageClient, page: str, clock: Clock) -> None:
    """The application reads from the bucket, so that it alone says who may watch and until when."""
    asked = {"Range": "bytes=5120-"}
    first = client.get(f"{page}/media", headers=asked)
    assert (first.status_code, first.data) == (206, BYTES[5120:])
    assert first.headers["Content-Range"] == "bytes 5120-10239/10240"
    several = client.get(f"{page}/media", headers={"Range": "bytes=0-1,-2"})
    assert (several.status_code, several.data.count(b"Content-Range")) == (206, 2)
    clock.set(LAST_SECOND)
    assert client.get(f"{page}/media", headers=asked).data == BYTES[5120:]
    clock.set(CLOSES)
    closed = client.get(f"{page}/media", headers=asked)
    assert (closed.status_code, "Content-Range" in closed.headers) == (403, False)


class Slow(BaseHTTPRequestHandler):
    """A store with one endless film, which notes how much of it was taken."""

    protocol_version = "HTTP/1.1"
    taken = 0
    was_left = threading.Event()

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(1 << 40))
        self.end_headers()

    def do_GET(self) -> None:
        self.send_response(206)
        self.send_header("Content-Length", str(1 << 40))
        self.end_headers()
        try:
            while Slow.taken < 1 << 30:
                Slow.taken += self.wfile.write(bytes(1 << 20))
        except OSError:
            Slow.was_left.set()
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_who_goes_away_closes_the_way_to_the_store(
    app: Flask, bucket: Bucket, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as endless, served(app) as port:
        threading.Thread(target=endless.serve_forever, daemon=True).start()
        bucket.chosen_by(app, monkeypatch, S3_ENDPOINT=f"http://127.0.0.1:{endless.server_port}")
        viewer = HTTPConnection("127.0.0.1", port, timeout=20)
        viewer.request("GET", f"{page}/media", headers={"Host": "localhost", "Range": "bytes=0-"})
        answer = viewer.getresponse()
        assert len(answer.read(1 << 20)) == 1 << 20
        answer.close()
        viewer.close()
        assert Slow.was_left.wait(20)
        assert Slow.taken < 1 << 28
        endless.shutdown()


class Short(Slow):
    """A store whose line breaks in the middle of an answer."""

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        self.wfile.write(b"so far")
        self.close_connection = True


def test_a_line_that_breaks_in_the_middle_is_a_fault_of_the_store(
    app: Flask, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Short) as broken:
        threading.Thread(target=broken.serve_forever, daemon=True).start()
        bucket.chosen_by(app, monkeypatch, S3_ENDPOINT=f"http://127.0.0.1:{broken.server_port}")
        with app.app_context(), pytest.raises(StoreFails):
            b"".join(storage.read("0" * 32))
        broken.shutdown()


# Straight from the store


@pytest.fixture
def direct(app: Flask, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket.chosen_by(app, monkeypatch, MEDIA_DIRECT="1")


def seconds_of(location: str) -> int:
    return int(parse_qs(urlsplit(location).query)["X-Amz-Expires"][0])


def test_viewers_are_sent_to_an_address_that_is_signed_and_ends(
    client: PageClient, page: str, direct: None, bucket: Bucket
) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    answer = client.get(f"{page}/media", headers={"Range": "bytes=0-1"})
    location = answer.headers["Location"]
    asked = parse_qs(urlsplit(location).query)

    assert (answer.status_code, answer.data) == (302, b"")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert location.startswith(f"{bucket.endpoint}/{bucket.name}/")
    assert asked["X-Amz-Signature"] == [s3.signature(location, bucket.secret_key)]
    assert s3.signature(location, bucket.secret_key + "x") != s3.signature(location, bucket.secret_key)
    signed_at = datetime.strptime(asked["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert before <= signed_at <= datetime.now(UTC)
    assert seconds_of(location) == 300
    assert asked["response-content-type"] == ["video/mp4"]
    assert asked["response-cache-control"] == ["private, no-store"]
    port, path = urlsplit(location).port, location.partition(bucket.endpoint)[2]
    read = ask(port or 0, path, {"Host": urlsplit(location).netloc, "Range": "bytes=2-4"})
    assert (read.status, read.body, read.headers["Content-Type"]) == (206, BYTES[2:5], "video/mp4")


@pytest.mark.parametrize(
    ("before_the_end", "seconds"),
    [
        (timedelta(days=1), 300),
        (timedelta(minutes=5), 300),
        (timedelta(seconds=299), 299),
        (timedelta(seconds=1.9), 1),
        (timedelta(seconds=1), 1),
    ],
)
def test_no_address_outlives_the_window(
    client: PageClient, page: str, direct: None, clock: Clock, before_the_end: timedelta, seconds: int
) -> None:
    clock.set(datetime.fromisoformat(CLOSES) - before_the_end)

    assert seconds_of(client.get(f"{page}/media").headers["Location"]) == seconds


def test_the_last_second_and_whoever_only_looks_are_served_by_us(
    client: PageClient, page: str, direct: None, clock: Clock
) -> None:
    head = client.head(f"{page}/media")
    assert (head.status_code, head.headers["Content-Length"]) == (200, "10240")
    clock.set(datetime.fromisoformat(CLOSES) - timedelta(seconds=0.5))
    assert client.get(f"{page}/media").data == BYTES
    clock.set(CLOSES)
    assert client.get(f"{page}/media").status_code == 403


def test_vid_04_a_pause_longer_than_an_address_is_renewed(
    app: Flask, client: PageClient, page: str, direct: None, clock: Clock
) -> None:
    first = client.get(f"{page}/media").headers["Location"]
    clock.shift(minutes=15)
    again = client.get(f"{page}/media", headers={"Range": "bytes=5120-"})
    assert (again.status_code, seconds_of(again.headers["Location"])) == (302, 300)
    assert urlsplit(again.headers["Location"]).path == urlsplit(first).path
    assert client.get(page.replace("/recordings/1", "/recordings/2") + "/media").status_code == 404


def test_pages_let_films_come_from_the_store_only_where_viewers_are_sent_there(
    app: Flask, client: PageClient, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "media-src 'self';" in client.get("/").headers["Content-Security-Policy"]
    bucket.chosen_by(app, monkeypatch, MEDIA_DIRECT="1")
    answer = Response()
    with app.app_context():
        web.forms_lead_to(answer)
    assert f"media-src 'self' {bucket.endpoint};" in answer.headers["Content-Security-Policy"]
