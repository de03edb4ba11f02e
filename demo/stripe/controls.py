"""`/_test`: what tests and the demo may do to the stand-in. Answers JSON or 204."""

import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from demo.stripe import disputes, params, paying, refunds, sessions, views
from demo.stripe.account import Account
from demo.stripe.errors import Refused
from demo.stripe.exchange import Answer, Request, as_json
from demo.stripe.faults import Faults, Journal
from demo.stripe.loopback import check_address
from demo.stripe.schema import REFUND
from demo.stripe.visits import carry_on_to
from demo.stripe.webhooks import MODES, Endpoint

Body = dict[str, Any]
_OVERRIDABLE = ("session", "payment_intent", "charge", "refund", "dispute")


class Controls:
    """Does what a test orders."""

    def __init__(self, account: Account, faults: Faults, journal: Journal) -> None:
        self._account = account
        self._faults = faults
        self._journal = journal
        self._routes: tuple[tuple[str, re.Pattern[str], Callable[[str, Body], Any]], ...] = tuple(
            (method, re.compile(path), does)
            for method, path, does in (
                ("GET", r"/_test/requests()", lambda _k, _b: list(self._journal)),
                ("GET", r"/_test/events()", lambda _k, _b: self._events()),
                ("POST", r"/_test/events()", self._emit),
                ("POST", r"/_test/events/(\w+)/send", self._send),
                ("POST", r"/_test/webhooks()", self._webhooks),
                ("POST", r"/_test/release()", self._release),
                ("POST", r"/_test/refunds()", self._refund),
                ("POST", r"/_test/refunds/(\w+)/settle", self._settle_refund),
                ("POST", r"/_test/settling()", self._settling),
                ("POST", r"/_test/faults()", self._fault),
                ("POST", r"/_test/bank()", self._bank),
                ("POST", r"/_test/complete()", self._complete),
                ("POST", r"/_test/disputes()", self._dispute),
                ("POST", r"/_test/disputes/(\w+)/close", self._close_dispute),
                ("POST", r"/_test/disputes/(\w+)/escalate", self._escalate_dispute),
                ("POST", r"/_test/(?:sessions|payment_intents|charges|refunds|disputes)/(\w+)", self._override),
                ("POST", r"/_test/reset()", self._reset),
            )
        )

    def answer(self, request: Request) -> Answer:
        """Do one thing; 400 says what was wrong with the order, 404 that there is no such control."""
        for method, path, does in self._routes:
            match = path.fullmatch(request.path)
            if not match or method != request.method:
                continue
            try:
                body = json.loads(request.body or b"{}")
                if not isinstance(body, dict):
                    raise TypeError("the body is a JSON object")
                done = does(match[1], body)
            except Refused as refusal:
                return as_json(refusal.status, refusal.body())
            except (KeyError, TypeError, ValueError) as wrong:
                return as_json(400, {"error": {"message": f"{type(wrong).__name__}: {wrong}"}})
            return Answer(204) if done is None else as_json(200, done)
        return as_json(404, {"error": {"message": f"No such control: {request.method} {request.path}"}})

    def _events(self) -> list[Body]:
        store = self._account.store
        with store.changing():
            return [
                views.event_shown(store, event) | {"delivery": store.table("delivery")[event["id"]]}
                for event in store.table("event").values()
            ]

    def _emit(self, _key: str, body: Body) -> Body:
        return {"id": self._account.outbox.emit(str(body["type"]), dict(body["object"]))["id"]}

    def _send(self, key: str, body: Body) -> Body:
        if self._account.store.get("event", key) is None:
            raise Refused(404, f"No such event: {key}")
        times = int(body.get("times", 1))
        statuses = self._account.outbox.send(key, times, together=bool(body.get("together", False)))
        return {"id": key, "statuses": statuses}

    def _webhooks(self, _key: str, body: Body) -> None:
        outbox = self._account.outbox
        if "url" in body:
            check_address(body["url"])
            endpoint = outbox.endpoint or Endpoint("", "")
            outbox.endpoint = replace(endpoint, url=body["url"], secret=body.get("secret", endpoint.secret))
        if "mode" in body:
            if body["mode"] not in MODES:
                raise ValueError(f"mode is one of {', '.join(MODES)}")
            outbox.set_mode(body["mode"])

    def _release(self, _key: str, body: Body) -> Body:
        order = body.get("order", "forward")
        if order not in ("forward", "reverse"):
            raise ValueError("order is forward or reverse")
        return {"sent": self._account.outbox.release(reverse=order == "reverse")}

    def _refund(self, _key: str, body: Body) -> Body:
        asked = REFUND.read({name: str(value) for name, value in body.items() if value is not None}, "")
        with self._account.store.changing():
            return views.shown(self._account.store, refunds.from_dashboard(self._account, asked))

    def _settle_refund(self, key: str, body: Body) -> Body:
        with self._account.store.changing():
            refund = self._account.store.table("refund")[key]
            refunds.settle(self._account, refund, params.OneOf(("succeeded", "failed")).read(body["status"], "status"))
            return views.shown(self._account.store, refund)

    def _settling(self, _key: str, body: Body) -> None:
        store = self._account.store
        with store.changing():
            if body.get("by_hand"):
                store.put("setting", {"id": "settle_by_hand"})
            else:
                store.remove("setting", "settle_by_hand")
                refunds.settle_waiting(self._account, math.inf)

    def _fault(self, _key: str, body: Body) -> None:
        self._faults.add(body["faults"])

    def _bank(self, _key: str, body: Body) -> Body:
        outcome = body.get("outcome")
        if outcome not in (None, "succeed", "fail"):
            raise ValueError("outcome is succeed or fail")
        with self._account.store.changing():
            session = sessions.find(self._account, body["session"])
            paying.settle_bank(self._account, session, succeeds=None if outcome is None else outcome == "succeed")
            return views.shown(self._account.store, session)

    def _complete(self, _key: str, body: Body) -> Body:
        with self._account.store.changing():
            session = sessions.find(self._account, body["session"])
            if session["status"] != "open":
                raise Refused(410, f"This session is {session['status']}.")
            outcome = paying.pay(self._account, session, body.get("number", "4242424242424242"))
            if outcome.state == "asks":
                outcome = paying.authenticate(self._account, session, succeeds=True)
            if outcome.state == "refused":
                raise Refused(402, outcome.reason, kind="card_error")
            return {
                "status": session["status"],
                "payment_status": session["payment_status"],
                "redirect": carry_on_to(session),
            }

    def _dispute(self, _key: str, body: Body) -> Body:
        with self._account.store.changing():
            return disputes.open_one(
                self._account,
                body["payment_intent"],
                body.get("reason", "general"),
                asks_only=bool(body.get("asks_only", False)),
            )

    def _escalate_dispute(self, key: str, _body: Body) -> Body:
        with self._account.store.changing():
            return disputes.escalate(self._account, key)

    def _close_dispute(self, key: str, body: Body) -> Body:
        with self._account.store.changing():
            return disputes.close(self._account, key, body["status"])

    def _override(self, key: str, body: Body) -> Body:
        store = self._account.store
        with store.changing():
            found = next((thing for kind in _OVERRIDABLE if (thing := store.get(kind, key))), None)
            if found is None:
                raise Refused(404, f"No such object: {key}")
            before = store.get("override", key)
            store.put("override", {"id": key, "fields": (before["fields"] if before else {}) | body})
            return views.shown(store, found)

    def _reset(self, _key: str, _body: Body) -> None:
        self._faults.clear()
        self._journal.clear()
        self._account.store.clear()
