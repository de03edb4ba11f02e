"""`/v1`: the addresses that Stripe's SDK calls."""

import base64
import hashlib
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from demo.stripe import params, refunds, schema, sessions, shapes, views, webhooks
from demo.stripe.account import Account
from demo.stripe.errors import Refused, missing, unwell
from demo.stripe.exchange import Answer, Request, as_json
from demo.stripe.faults import Fault, Faults, Journal
from demo.stripe.idempotency import Keys, Turn
from demo.stripe.params import Fields

Obj = dict[str, Any]
Handler = Callable[[Account, str, Obj], Obj]


@dataclass(frozen=True)
class Route:
    """One address: what it takes and what does it."""

    method: str
    path: re.Pattern[str]
    takes: Fields
    does: Handler


class Api:
    """Answers the SDK."""

    def __init__(self, account: Account, faults: Faults, journal: Journal) -> None:
        self._account = account
        self._faults = faults
        self._journal = journal
        self._keys = Keys(account.store)

    def answer(self, request: Request) -> Answer:
        """The answer to one request, refusals included."""
        request_id = shapes.new_id("req", 7)
        text = request.body.decode("utf-8", "replace") if request.method == "POST" else request.query
        entry = self._journal.add(
            method=request.method,
            path=request.path,
            key=request.headers.get("idempotency-key"),
            version=request.headers.get("stripe-version"),
            params=text,
        )
        try:
            answer = self._answer(request, text, request_id, entry)
        except Refused as refusal:
            answer = as_json(refusal.status, refusal.body())
        answer.headers.setdefault("Request-Id", request_id)
        answer.headers["Stripe-Version"] = shapes.API_VERSION
        entry["status"] = None if answer.dropped else answer.status
        return answer

    def _answer(self, request: Request, text: str, request_id: str, entry: Obj) -> Answer:
        _authenticate(request.headers.get("authorization", ""))
        route, key = _route(request)
        fault = self._faults.take(request.method, request.path)
        asked = params.decode(text)
        entry["params"] = asked
        asked = entry["params"] = route.takes.read(asked, "")
        idempotency_key = request.headers.get("idempotency-key")
        webhooks.cause.set({"id": request_id, "idempotency_key": idempotency_key})

        def work() -> Answer:
            return self._do(route, key, asked, request_id)

        if request.method != "POST" or not idempotency_key:
            return _with(fault, work)
        turn = Turn(f"{request.path} {idempotency_key}", hashlib.sha256(request.body).hexdigest())
        kept = self._keys.begin(turn)
        if kept:
            return _with(fault, lambda: kept)

        def work_once() -> Answer:
            with self._account.store.changing():
                answer = work()
                self._keys.keep(turn, answer)
                return answer

        try:
            return _with(fault, work_once)
        finally:
            self._keys.finish(turn)

    def _do(self, route: Route, key: str, asked: Obj, request_id: str) -> Answer:
        with self._account.store.changing():
            try:
                out = route.does(self._account, key, asked)
                answer = as_json(200, views.expanded(self._account.store, out, asked.get("expand", ())))
            except Refused as refusal:
                answer = as_json(refusal.status, refusal.body())
        answer.headers["Request-Id"] = request_id
        return answer


def _with(fault: Fault | None, work: Callable[[], Answer]) -> Answer:
    if fault is None:
        return work()
    time.sleep(fault.delay)
    if isinstance(fault.status, int):
        raise unwell(fault.status)
    if fault.status == "drop":
        return Answer(0, dropped=True)
    answer = work()
    time.sleep(fault.answer_delay)
    answer.dropped = fault.status == "commit_then_drop"
    return answer


def _authenticate(header: str) -> None:
    scheme, _, given = header.partition(" ")
    if scheme.lower() == "basic":
        given = base64.b64decode(given + "==").decode("utf-8", "replace").partition(":")[0]
    if not given:
        raise Refused(
            401,
            "You did not provide an API key. You need to provide your API key in the Authorization header, using "
            "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
        )
    if not given.startswith("sk_test_"):
        raise Refused(
            401, f"Invalid API Key provided: {given[:8]}****. The stand-in takes keys that begin with sk_test_."
        )


def _route(request: Request) -> tuple[Route, str]:
    for route in ROUTES:
        if route.method == request.method and (match := route.path.fullmatch(request.path)):
            return route, match["id"] if "id" in match.groupdict() else ""
    raise Refused(
        404,
        f"Unrecognized request URL ({request.method}: {request.path}). "
        "Please see https://stripe.com/docs or we can help at https://support.stripe.com/.",
    )


def _create_session(account: Account, _key: str, asked: Obj) -> Obj:
    return views.shown(account.store, sessions.create(account, asked))


def _get_session(account: Account, key: str, _asked: Obj) -> Obj:
    return views.shown(account.store, sessions.find(account, key))


def _expire_session(account: Account, key: str, _asked: Obj) -> Obj:
    return views.shown(account.store, sessions.expire(account, key))


def _list_sessions(account: Account, _key: str, asked: Obj) -> Obj:
    sessions.sweep(account)
    email = asked.get("customer_details", {}).get("email")

    def keep(row: Obj) -> bool:
        return _equal(row, asked, "payment_intent", "status") and (
            email is None or (row["customer_details"] or {}).get("email") == email
        )

    return views.page(
        _newest(account, "session"),
        asked,
        "/v1/checkout/sessions",
        "checkout.session",
        show=lambda row: views.shown(account.store, row),
        keep=keep,
    )


def _line_items(account: Account, key: str, asked: Obj) -> Obj:
    session = sessions.find(account, key)
    return views.page(
        session["_items"], asked, f"/v1/checkout/sessions/{key}/line_items", "item", show=dict, keep=lambda _: True
    )


def _create_refund(account: Account, _key: str, asked: Obj) -> Obj:
    return views.shown(account.store, refunds.create(account, asked))


def _list_events(account: Account, _key: str, asked: Obj) -> Obj:
    wanted = set(asked.get("types", ())) | ({asked["type"]} if "type" in asked else set())
    success = asked.get("delivery_success")

    def keep(row: Obj) -> bool:
        if wanted and not any(w in ("*", row["type"]) for w in wanted):
            return False
        return success is None or success == (row["pending_webhooks"] == 0)

    return views.page(
        _newest(account, "event"),
        asked,
        "/v1/events",
        "event",
        show=lambda row: views.event_shown(account.store, row),
        keep=keep,
    )


def _get_event(account: Account, key: str, _asked: Obj) -> Obj:
    event = account.store.get("event", key)
    if event is None:
        raise missing("event", key, "id")
    return views.event_shown(account.store, event)


def _getter(kind: str, param: str) -> Handler:
    def get(account: Account, key: str, _asked: Obj) -> Obj:
        thing = account.store.get(kind, key)
        if thing is None:
            raise missing(kind, key, param)
        return views.shown(account.store, thing)

    return get


def _lister(kind: str, *filters: str) -> Handler:
    def get(account: Account, _key: str, asked: Obj) -> Obj:
        return views.page(
            _newest(account, kind),
            asked,
            f"/v1/{kind}s",
            kind,
            show=lambda row: views.shown(account.store, row),
            keep=lambda row: _equal(row, asked, *filters),
        )

    return get


def _newest(account: Account, kind: str) -> Iterable[Obj]:
    return reversed(account.store.table(kind).values())


def _equal(row: Obj, asked: Obj, *names: str) -> bool:
    return all(row[name] == asked[name] for name in names if name in asked)


def _at(method: str, path: str, takes: Fields, does: Handler) -> Route:
    return Route(method, re.compile("/v1" + path.replace("{id}", r"(?P<id>[A-Za-z0-9_]+)")), takes, does)


ROUTES = (
    _at("POST", "/checkout/sessions", schema.SESSION, _create_session),
    _at("GET", "/checkout/sessions", schema.SESSIONS, _list_sessions),
    _at("GET", "/checkout/sessions/{id}", schema.ONE, _get_session),
    _at("POST", "/checkout/sessions/{id}/expire", schema.ONE, _expire_session),
    _at("GET", "/checkout/sessions/{id}/line_items", schema.LINE_ITEMS, _line_items),
    _at("GET", "/payment_intents", schema.PAYMENT_INTENTS, _lister("payment_intent")),
    _at("GET", "/payment_intents/{id}", schema.ONE, _getter("payment_intent", "intent")),
    _at("GET", "/charges", schema.CHARGES, _lister("charge", "payment_intent")),
    _at("GET", "/charges/{id}", schema.ONE, _getter("charge", "id")),
    _at("POST", "/refunds", schema.REFUND, _create_refund),
    _at("GET", "/refunds", schema.REFUNDS, _lister("refund", "payment_intent", "charge")),
    _at("GET", "/refunds/{id}", schema.ONE, _getter("refund", "id")),
    _at("GET", "/disputes", schema.DISPUTES, _lister("dispute", "payment_intent", "charge")),
    _at("GET", "/disputes/{id}", schema.ONE, _getter("dispute", "id")),
    _at("GET", "/events", schema.EVENTS, _list_events),
    _at("GET", "/events/{id}", schema.ONE, _get_event),
)
