"""The HTTP server: one thread a connection, loopback only.

It stands on the standard library because a dropped connection, which tests need, is a thing WSGI cannot say.
"""

import contextlib
import socket
import socketserver
import sys
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from demo.stripe import refunds, sessions
from demo.stripe.account import Account
from demo.stripe.api import Api
from demo.stripe.controls import Controls
from demo.stripe.exchange import Answer, Request, as_json
from demo.stripe.faults import Faults, Journal
from demo.stripe.loopback import check_host
from demo.stripe.store import Closed, Store
from demo.stripe.visits import Visits
from demo.stripe.webhooks import Endpoint, Outbox

MOST_BYTES = 1_000_000
IDLE_SECONDS = 120


class Server(ThreadingHTTPServer):
    """The stand-in, listening once it is made."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, host: str, port: int, state: Path | None, endpoint: Endpoint | None, address: str) -> None:
        check_host(host)
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, port), Handler)
        if state:
            state.parent.mkdir(parents=True, exist_ok=True)
        self.store = Store(state)
        address = address or f"http://localhost:{self.server_address[1]}"
        self.account = Account(self.store, Outbox(self.store, endpoint), address.rstrip("/"))
        self._faults = Faults()
        self._journal = Journal()
        self._api = Api(self.account, self._faults, self._journal)
        self._controls = Controls(self.account, self._faults, self._journal)
        self._visits = Visits(self.account)
        self._over = threading.Event()

    def server_bind(self) -> None:
        """Bind without asking the resolver for this machine's name, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def serve(self) -> None:
        """Answer until `stop` is called from another thread."""
        self.account.outbox.start()
        ticker = threading.Thread(target=self._tick, name="ticker", daemon=True)
        ticker.start()
        self.serve_forever(poll_interval=0.1)
        self._over.set()
        self.account.outbox.stop()
        self.server_close()
        self.store.close()

    def stop(self) -> None:
        """End `serve`."""
        threading.Thread(target=self.shutdown, daemon=True).start()

    def respond(self, request: Request) -> Answer:
        """The answer to one request, whatever part it is for."""
        try:
            if request.path.startswith("/v1/"):
                return self._api.answer(request)
            if request.path.startswith("/_test/"):
                return self._controls.answer(request)
            return self._visits.answer(request)
        except Closed:
            return Answer(503, dropped=True)
        except Exception:
            traceback.print_exc()
            error = {"type": "api_error", "message": "The stand-in itself is at fault; see what it printed."}
            return as_json(500, {"error": error})

    def _tick(self) -> None:
        while not self._over.wait(1):
            try:
                sessions.sweep(self.account)
                refunds.sweep(self.account)
            except Closed:
                return
            except ValueError:
                traceback.print_exc()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; anything else is."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """Reads requests off one connection and writes the answers."""

    protocol_version = "HTTP/1.1"
    server_version = "stand-in"
    sys_version = ""
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def do_GET(self) -> None:
        """Answer a GET."""
        self._serve()

    def do_HEAD(self) -> None:
        """Answer a HEAD as a GET without its body."""
        self._serve()

    def do_POST(self) -> None:
        """Answer a POST."""
        self._serve()

    def do_DELETE(self) -> None:
        """Answer a DELETE, which no address takes."""
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: `/_test/requests` is the record."""

    def _serve(self) -> None:
        size = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not size.isascii() or not size.isdigit():
            self._write(as_json(411, {"error": {"message": "Send the length of the body."}}), close=True)
            return
        if int(size) > MOST_BYTES:
            self._write(as_json(413, {"error": {"message": "The body is too long."}}), close=True)
            return
        target = urlsplit(self.path)
        request = Request(
            "GET" if self.command == "HEAD" else self.command,
            target.path,
            target.query,
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(int(size)),
        )
        answer = self.server.respond(request)
        if answer.dropped:
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._write(answer)

    def _write(self, answer: Answer, *, close: bool = False) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        if close:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        self.wfile.flush()
