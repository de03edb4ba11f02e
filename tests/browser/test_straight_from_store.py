"""VID-04 where viewers are sent straight to the store: its addresses end, and the film goes on."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Browser

from bench import serving
from demo import film as demo_film
from recordings import storage
from tests.browser.conftest import PATIENCE_MS
from tests.conftest import Clock
from tests.recordings.s3 import Bucket
from tests.recordings.serving import served
from tests.recordings.showing import a_film, a_recorded_workshop, address, booked, published

pytestmark = pytest.mark.browser
BODY = (Path(demo_film.__file__).parent / "film.mp4").read_bytes()
FIRST_BYTES = len(BODY) // 3  # what comes of the first answer before its line stands still
FILM = "document.querySelector('video')"


@dataclass
class Store:
    """A store with one film. It reads the time in an address, and is slow at first."""

    port: int
    refused: int = 0
    left: threading.Event = field(default_factory=threading.Event)


@contextmanager
def a_store() -> Iterator[Store]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            query = {name: value[0] for name, value in parse_qs(urlsplit(self.path).query).items()}
            signed_at = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            if datetime.now(UTC) >= signed_at + timedelta(seconds=int(query["X-Amz-Expires"])):
                store.refused += 1
                self._head(403, 0)
                return
            asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers["Range"])
            assert asked
            first, last = int(asked[1]), int(asked[2] or len(BODY) - 1)
            self._head(206, last + 1 - first, f"bytes {first}-{last}/{len(BODY)}")
            if first or store.refused:
                self.wfile.write(BODY[first : last + 1])
            else:
                self.wfile.write(BODY[:FIRST_BYTES])
                store.left.wait(60)
                self.close_connection = True

        def _head(self, status: int, length: int, told: str = "") -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(length))
            if told:
                self.send_header("Content-Range", told)
                self.send_header("Content-Type", "video/mp4")
                self.send_header("ETag", '"one"')
            self.end_headers()

        def handle(self) -> None:
            with suppress(OSError):  # a browser that has enough goes away
                super().handle()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        store = Store(server.server_port)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield store
        store.left.set()
        server.shutdown()
        thread.join(10)


def test_a_film_goes_on_after_the_store_s_address_has_ended(
    app: Flask, clock: Clock, chromium: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = a_recorded_workshop(app)
    made, kept = booked(app, slug), a_film(app, slug, body=BODY)
    published(app, kept)
    own = address(app, made, kept)
    clock.shift(days=1)
    monkeypatch.setattr(storage, "LONGEST_ADDRESS", timedelta(seconds=2))
    # The page's policy is made when the application is: that it names the store is tested there.
    context = chromium.new_context(bypass_csp=True)
    context.set_default_timeout(PATIENCE_MS)
    with a_store() as store, served(app) as port:
        bucket = Bucket(f"http://127.0.0.1:{store.port}", "films", "AKIATEST", "made up")
        bucket.chosen_by(app, monkeypatch, MEDIA_DIRECT="1")
        page = context.new_page()
        page.goto(f"http://localhost:{port}{own}")
        page.evaluate(f"{FILM}.muted = true; {FILM}.play()")
        assert serving.wait_for(lambda: page.evaluate(f"{FILM}.currentTime") > 1, 20)
        page.wait_for_timeout(2100)  # the address has ended
        page.evaluate(f"{FILM}.currentTime = 150")

        assert serving.wait_for(lambda: page.evaluate(f"{FILM}.currentTime") > 151, 20)
        assert store.refused
        assert page.evaluate(f"{FILM}.error") is None
        assert page.evaluate(f"{FILM}.paused") is False
    context.close()
