"""Zoom's deliveries: who rings, what is kept, and that it is kept once."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from lib import db, sealing
from lib.work import Job
from meetings.models import ZoomAccount, ZoomEvent
from meetings.zoom_inbox import RECORDED
from tests.conftest import Clock
from tests.meetings.zoom_events import SECRET, WEBHOOK, a_file, an_account, completed, signed, written
from tests.page import PageClient

BODY = written(completed())


@pytest.fixture(autouse=True)
def account(app: Flask) -> None:
    an_account(app)


def ring(client: PageClient, body: bytes, headers: dict[str, str] | None = None, path: str = WEBHOOK) -> TestResponse:
    return client.post(path, data=body, headers=signed(body) if headers is None else headers)


def kept(app: Flask) -> list[ZoomEvent]:
    with app.app_context():
        return list(db.session.scalars(select(ZoomEvent).order_by(ZoomEvent.id)))


def jobs(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(Job).where(Job.kind == RECORDED)) or 0


def ago(seconds: int) -> int:
    return int(time.time()) - seconds


SIGNATURES: dict[str, tuple[Callable[[], tuple[bytes, dict[str, str]]], int]] = {
    "right": (lambda: (BODY, signed(BODY)), 200),
    "four minutes old": (lambda: (BODY, signed(BODY, at=ago(240))), 200),
    "four minutes ahead": (lambda: (BODY, signed(BODY, at=ago(-240))), 200),
    "six minutes old": (lambda: (BODY, signed(BODY, at=ago(360))), 400),
    "six minutes ahead": (lambda: (BODY, signed(BODY, at=ago(-360))), 400),
    "another secret": (lambda: (BODY, signed(BODY, secret="another")), 400),
    "body changed by one byte": (lambda: (BODY.replace(b"Practice", b"practice"), signed(BODY)), 400),
    "body longer by one byte": (lambda: (BODY + b" ", signed(BODY)), 400),
    "time changed by a second": (lambda: (BODY, signed(BODY) | {"x-zm-request-timestamp": str(ago(1))}), 400),
    "no signature": (lambda: (BODY, {"x-zm-request-timestamp": str(ago(0))}), 400),
    "empty signature": (lambda: (BODY, signed(BODY) | {"x-zm-signature": ""}), 400),
    "no time": (lambda: (BODY, {"x-zm-signature": signed(BODY)["x-zm-signature"]}), 400),
    "without v0=": (lambda: (BODY, signed(BODY) | {"x-zm-signature": signed(BODY)["x-zm-signature"][3:]}), 400),
    "cut short": (lambda: (BODY, signed(BODY) | {"x-zm-signature": signed(BODY)["x-zm-signature"][:-1]}), 400),
    "not ASCII": (lambda: (BODY, signed(BODY) | {"x-zm-signature": "v0=é"}), 400),
    "a time that is none, signed": (lambda: (BODY, signed(BODY, at="now")), 400),
    "a time in other figures, signed": (lambda: (BODY, signed(BODY, at="1e9")), 400),
}


@pytest.mark.parametrize("case", SIGNATURES)
def test_only_what_zoom_signed_within_five_minutes_is_heard(app: Flask, client: PageClient, case: str) -> None:
    made, status = SIGNATURES[case]
    body, headers = made()
    assert ring(client, body, headers).status_code == status
    assert len(kept(app)) == jobs(app) == (1 if status == 200 else 0)
    with app.app_context():
        assert (db.session.scalars(select(ZoomAccount.heard_at)).one() is not None) == (status == 200)


def test_the_address_is_validated_as_zoom_asks(app: Flask, client: PageClient) -> None:
    body = written({"event": "endpoint.url_validation", "payload": {"plainToken": "qgg8vlvZRS6UYooatFL8Aw"}})
    answer = ring(client, body)

    expected = hmac.new(SECRET.encode(), b"qgg8vlvZRS6UYooatFL8Aw", hashlib.sha256).hexdigest()
    assert (answer.status_code, answer.json) == (
        200,
        {"plainToken": "qgg8vlvZRS6UYooatFL8Aw", "encryptedToken": expected},
    )
    assert ring(client, body, signed(body, secret="another")).status_code == 400
    assert kept(app) == []


@pytest.mark.parametrize("plain", [f"v0:1804586400:{'{}'}", "", 7, None, "a b", "x" * 129])
def test_validation_signs_nothing_that_could_be_a_delivery(client: PageClient, plain: Any) -> None:
    body = written({"event": "endpoint.url_validation", "payload": {"plainToken": plain}, "event_ts": 1})

    assert ring(client, body).status_code == 400


@pytest.mark.both_databases
def test_an_event_is_kept_once_however_often_it_is_sent(app: Flask, client: PageClient) -> None:
    for _ in range(3):
        assert ring(client, BODY).status_code == 200
    again = written(completed(topic="Renamed meanwhile"))  # the same event, told in other words
    assert ring(client, again).status_code == 200
    (one,) = kept(app)
    assert jobs(app) == 1

    for other in (
        completed(at=1804586400001),
        completed(uuid="other"),
        completed(kind="recording.transcript_completed"),
    ):
        assert ring(client, written(other)).status_code == 200
    assert len(kept(app)) == jobs(app) == 4
    assert one.told["meeting_id"] == "91234567890"
    assert one.told["files"][0]["starts_at"] == "2027-03-09T10:02:00Z"


@pytest.mark.both_databases
def test_nothing_private_is_kept_with_it(app: Flask, client: PageClient) -> None:
    ring(client, BODY)
    (one,) = kept(app)

    said = json.dumps(one.told) + one.token
    assert [word for word in ("olu@", "passcode", "/share/", "/play/", "do-not-show-token") if word in said] == []
    with app.app_context():
        assert sealing.opened(one.token) == "do-not-show-token"
        rows = [db.session.execute(select(ZoomAccount.client_secret, ZoomAccount.webhook_secret)).one()]
    assert "secret" not in str(rows)


@pytest.mark.parametrize("kind", ["meeting.started", "recording.deleted", "recording.completed.x", "app_deauthorized"])
def test_other_events_are_answered_and_ignored(app: Flask, client: PageClient, kind: str) -> None:
    assert ring(client, written(completed(kind=kind))).status_code == 200
    assert kept(app) == []


def changed(**parts: Any) -> dict[str, Any]:
    event = completed()
    event["payload"]["object"].update(parts)
    return event


HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{",
    "not UTF-8": b'{"event": "\xff"}',
    "a list": b"[]",
    "null": b"null",
    "a number": b"7",
    "deep": b"[" * 50_000,
    "no payload": written({"event": "recording.completed"}),
    "payload no object": written({"event": "recording.completed", "payload": []}),
    "no object": written({"event": "recording.completed", "payload": {}}),
    "event no text": written({"event": 7, "payload": {}}),
    "time no number": written({**completed(), "event_ts": "soon"}),
    "time true": written({**completed(), "event_ts": True}),
    "files no list": written(changed(recording_files={})),
    "a file no object": written(changed(recording_files=[7])),
    "too many files": written(changed(recording_files=[a_file()] * 201)),
    "size below nothing": written(changed(recording_files=[a_file(size=-1)])),
    "size beyond all": written(changed(recording_files=[a_file(size=10**30)])),
    "NUL in the uuid": written(changed(uuid="a\0b")),
    "half a pair in the uuid": written(changed(uuid="\ud800")),
    "no uuid": written(changed(uuid="")),
    "id no number": written(changed(id="9'; DROP TABLE")),
    "id true": written(changed(id=True)),
    "a time without a zone": written(changed(start_time="2027-03-09T10:00:00")),
    "no time": written(changed(start_time=None)),
    "a year beyond": written(changed(start_time="9999-12-31T23:59:59Z")),
    "topic no text": written(changed(topic={})),
}


@pytest.mark.both_databases
@pytest.mark.parametrize("case", HOSTILE)
def test_a_signed_body_that_is_no_event_is_refused(app: Flask, client: PageClient, case: str) -> None:
    ring(client, BODY)
    assert ring(client, HOSTILE[case]).status_code == 400
    assert len(kept(app)) == jobs(app) == 1


@pytest.mark.both_databases
def test_a_topic_may_be_anything(app: Flask, client: PageClient) -> None:
    assert ring(client, written(changed(topic="Grief\0\ud800 & <b>\n\u202ehope" + "x" * 9000))).status_code == 200
    assert kept(app)[0].told["topic"].startswith("Grief & <b> hope")
    assert len(kept(app)[0].told["topic"]) == 200


def test_a_body_too_large_is_refused(app: Flask, client: PageClient) -> None:
    assert ring(client, b" " * (600 * 1024)).status_code == 413
    assert kept(app) == []


@pytest.mark.parametrize("path", ["/zoom/webhook/nobody", "/zoom/webhook/pim", "/zoom/webhook/olu-trains%00"])
def test_who_has_no_app_has_no_address(app: Flask, client: PageClient, path: str) -> None:
    assert ring(client, BODY, path=path).status_code == 404


def test_one_organisers_secret_opens_no_others_address(app: Flask, client: PageClient) -> None:
    an_account(app, slug="pim", secret="the-secret-of-pim")

    assert ring(client, BODY, path="/zoom/webhook/pim").status_code == 400
    assert ring(client, BODY, signed(BODY, secret="the-secret-of-pim"), "/zoom/webhook/pim").status_code == 200


def test_a_secret_that_cannot_be_opened_lets_zoom_ring_again(
    app: Flask, client: PageClient, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setitem(app.config, "LINK_KEYS", "all-new")

    assert ring(client, BODY).status_code == 503
