"""Events as Zoom sends them, and its signature."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any

from flask import Flask

from lib import clock
from meetings import zoom_accounts
from tests.builders import an_organiser, arranged

SECRET = "a-secret-token-of-zoom"
MEETING = "91234567890"
WEBHOOK = "/zoom/webhook/olu-trains"


def an_account(app: Flask, *, slug: str = "olu-trains", secret: str = SECRET) -> None:
    """The organiser has an app at Zoom."""
    with arranged(app):
        zoom_accounts.save(
            an_organiser(slug=slug).id,
            account_id="account-1",
            client_id="client-1",
            client_secret="a-client-secret",
            webhook_secret=secret,
            actor="user:1",
            now=clock.now(),
        )


def a_file(
    id: str = "file-1",
    *,
    starts: str = "2027-03-09T10:02:00Z",
    view: str = "shared_screen_with_speaker_view",
    type: str = "MP4",
    size: int = 1000,
    url: str = "https://zoom.us/rec/webhook_download/abc",
    status: str = "completed",
) -> dict[str, Any]:
    return {
        "id": id,
        "meeting_id": "uuid==",
        "recording_start": starts,
        "recording_end": starts,
        "file_type": type,
        "file_extension": type,
        "file_size": size,
        "play_url": "https://zoom.us/rec/play/abc",
        "download_url": url,
        "status": status,
        "recording_type": view,
    }


def completed(
    files: Sequence[dict[str, Any]] = (),
    *,
    kind: str = "recording.completed",
    uuid: str = "4444AAAiAAAAAiAiAiiAii==",
    meeting: Any = int(MEETING),
    starts: str = "2027-03-09T10:00:00Z",
    at: int = 1804586400000,
    topic: str = "Reflective Practice",
) -> dict[str, Any]:
    """An event in the shape of Zoom's reference, with what we must not keep in it."""
    return {
        "event": kind,
        "event_ts": at,
        "payload": {
            "account_id": "account-1",
            "object": {
                "id": meeting,
                "uuid": uuid,
                "host_id": "host",
                "host_email": "olu@olu-trains.example",
                "topic": topic,
                "type": 2,
                "start_time": starts,
                "duration": 60,
                "share_url": "https://zoom.us/rec/share/xyz",
                "recording_play_passcode": "do-not-keep-passcode",
                "recording_files": list(files) or [a_file()],
            },
        },
        "download_token": "do-not-show-token",
    }


def written(event: Any) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode()


def signed(body: bytes, *, secret: str = SECRET, at: int | str | None = None) -> dict[str, str]:
    """The headers of a delivery."""
    stamp = str(int(clock.machine_now().timestamp()) if at is None else at)
    found = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {
        "x-zm-signature": f"v0={found}",
        "x-zm-request-timestamp": stamp,
        "Content-Type": "application/json; charset=utf-8",
    }
