"""The stand-in as a child process, for tests and the demo: started on a free port, stopped by its own id."""

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

ROOT = Path(__file__).resolve().parents[2]
STOP_SECONDS = 5


class Refused(RuntimeError):
    """The stand-in would not do what it was told to."""


@dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    status: int
    location: str
    text: str
    headers: dict[str, str]


@dataclass(frozen=True)
class StandIn:
    """A running stand-in and what may be done to it."""

    url: str
    pid: int

    def http(
        self,
        method: str,
        path: str,
        body: str = "",
        kind: str = "application/x-www-form-urlencoded",
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """One request, redirects not followed."""
        sent = ({"Content-Type": kind} if body else {}) | (headers or {})
        target = urlsplit(self.url)
        with closing(http.client.HTTPConnection("127.0.0.1", target.port or 80, timeout=60)) as connection:
            connection.request(method, path, body or None, sent)
            answer = connection.getresponse()
            received = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, received.get("location", ""), answer.read().decode(), received)

    def control(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """One `/_test` request; raises Refused."""
        reply = self.http(method, f"/_test{path}", "" if body is None else json.dumps(body), "application/json")
        if reply.status >= 400:
            raise Refused(f"{method} /_test{path}: {reply.status} {reply.text}")
        return json.loads(reply.text) if reply.text else None

    def pay(self, session: str, number: str = "4242424242424242") -> Reply:
        """Type a number into a session's page (its id or its url) and press pay."""
        return self.http("POST", _page(session), urlencode({"number": number, "pay": "1"}))

    def leave(self, session: str) -> Reply:
        """Press leave on a session's page."""
        return self.http("POST", _page(session), urlencode({"number": "", "leave": "1"}))

    def authenticate(self, session: str, *, succeeds: bool = True) -> Reply:
        """Answer the 3-D Secure question."""
        return self.http("POST", f"{_page(session)}/authenticate", "complete=1" if succeeds else "fail=1")

    def complete(self, session: str, number: str = "4242424242424242") -> dict[str, Any]:
        """Pay without the page."""
        return dict(self.control("POST", "/complete", {"session": session, "number": number}))

    def webhooks(self, mode: str | None = None, url: str | None = None, secret: str | None = None) -> None:
        """Set the mode (deliver, hold or drop), or where events go."""
        asked = {"mode": mode, "url": url, "secret": secret}
        self.control("POST", "/webhooks", {name: value for name, value in asked.items() if value is not None})

    def send(self, event: str, times: int = 1, *, together: bool = False) -> list[int]:
        """Send an event now; the statuses."""
        return list(self.control("POST", f"/events/{event}/send", {"times": times, "together": together})["statuses"])

    def release(self, order: str = "forward") -> list[dict[str, Any]]:
        """Send what is held; each event's id, type and status."""
        return list(self.control("POST", "/release", {"order": order})["sent"])

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """All events, newest last, each with its `delivery`; of one type if given."""
        return [e for e in self.control("GET", "/events") if kind in (None, e["type"])]

    def requests(self) -> list[dict[str, Any]]:
        """What the API was asked, oldest first."""
        return list(self.control("GET", "/requests"))

    def faults(self, *faults: dict[str, Any]) -> None:
        """Queue faults."""
        self.control("POST", "/faults", {"faults": list(faults)})

    def refund(self, payment_intent: str, amount: int | None = None) -> dict[str, Any]:
        """Refund as from Stripe's dashboard."""
        return dict(self.control("POST", "/refunds", {"payment_intent": payment_intent, "amount": amount}))

    def settle_refund(self, refund: str, status: str) -> dict[str, Any]:
        """End a refund now: succeeded or failed."""
        return dict(self.control("POST", f"/refunds/{refund}/settle", {"status": status}))

    def bank(self, session: str, outcome: str | None = None) -> dict[str, Any]:
        """End a bank debit: succeed or fail, or as the number says."""
        return dict(self.control("POST", "/bank", {"session": session, "outcome": outcome}))

    def override(self, session: str, **fields: Any) -> dict[str, Any]:
        """Let a session say something else from now on."""
        return dict(self.control("POST", f"/sessions/{session}", fields))

    def emit(self, kind: str, thing: dict[str, Any]) -> str:
        """Make up an event; its id."""
        return str(self.control("POST", "/events", {"type": kind, "object": thing})["id"])

    def dispute(self, payment_intent: str, reason: str = "general", *, asks_only: bool = False) -> dict[str, Any]:
        """Let the payer's bank take the money back, or with `asks_only` inquire about it first."""
        asked = {"payment_intent": payment_intent, "reason": reason, "asks_only": asks_only}
        return dict(self.control("POST", "/disputes", asked))

    def escalate_dispute(self, dispute: str) -> dict[str, Any]:
        """Let an inquiry become a dispute."""
        return dict(self.control("POST", f"/disputes/{dispute}/escalate", {}))

    def close_dispute(self, dispute: str, status: str) -> dict[str, Any]:
        """End a dispute: won or lost; an inquiry: warning_closed."""
        return dict(self.control("POST", f"/disputes/{dispute}/close", {"status": status}))

    def reset(self) -> None:
        """Forget everything, and deliver again."""
        self.control("POST", "/reset", {})


@contextmanager
def running(
    *,
    webhook: str = "",
    secret: str = "whsec_test",  # noqa: S107 - signs test events only
    state: Path | None = None,
    clock: Path | None = None,
    port: int = 0,
    events: str = "",
) -> Iterator[StandIn]:
    """A stand-in that lives as long as the block, and never longer than this process."""
    asked = ["--port", str(port), "--tied", "--webhook-secret", secret]
    for name, value in (("--webhook", webhook), ("--state", state), ("--clock", clock), ("--events", events)):
        if value:
            asked += [name, str(value)]
    child = subprocess.Popen(
        [sys.executable, "-m", "demo.stripe", *asked],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        try:
            said = child.stdout.readline() if child.stdout else ""
            if not said:
                raise RuntimeError(f"the stand-in for Stripe did not start (exit {child.wait()})")
            yield StandIn(said.split()[1], child.pid)
        finally:
            child.terminate()
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()


def _page(session: str) -> str:
    return urlsplit(session).path if session.startswith("http") else f"/pay/{session}"
