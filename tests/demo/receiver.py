"""A small server that takes events as the application would, and answers what a test says."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import stripe


class Receiver:
    """Keeps what arrives: the raw body and its signature."""

    def __init__(self) -> None:
        self.arrived: list[tuple[bytes, str]] = []
        self.statuses: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.arrived.append((body, self.headers["Stripe-Signature"]))
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 204)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/stripe/webhook?from=test"

    def __enter__(self) -> "Receiver":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def clear(self) -> None:
        self.arrived.clear()
        self.statuses.clear()

    def events(self, secret: str) -> list[stripe.Event]:
        """What arrived, its signatures checked by the SDK."""
        return [stripe.Webhook.construct_event(body, header, secret) for body, header in list(self.arrived)]

    def wait(self, count: int, secret: str) -> list[stripe.Event]:
        """The same, once so many have arrived."""
        until = time.monotonic() + 5
        while len(self.arrived) < count and time.monotonic() < until:
            time.sleep(0.01)
        events = self.events(secret)
        assert len(events) >= count, [e.type for e in events]
        return events
