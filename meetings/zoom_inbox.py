"""Events of Zoom: whether Zoom sent them, what they say of recordings, and that each is kept once.

The rules are those of Zoom's developer documentation, "Using webhooks" (verify with Zoom's header, validate your
webhook endpoint) and "Recording webhook events".
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from lib import db, sealing, work, zones
from lib.forms import one_line
from meetings.models import ZoomEvent

TOLERANCE = timedelta(minutes=5)
TOKEN_LASTS = timedelta(hours=24)  # "Recording webhook events": download_token is valid for 24 hours
MOST_FILES = 200
MOST_SIZE = 2**40
RECORDED = "zoom.recorded"  # the kind of the job that tells rooms to the right of a kept event
HEARD = ("recording.completed", "recording.transcript_completed")
VALIDATION = "endpoint.url_validation"

_PLAIN = re.compile(r"[\x21-\x7e]*")
_TOKEN = re.compile(r"[A-Za-z0-9_+/=-]{1,128}")
_TIME = re.compile(r"[0-9]{1,13}")


class NotFromZoom(Exception):
    """The signature is missing or wrong, or the delivery is older than five minutes."""


class Unreadable(Exception):
    """The signature is right and the body is no event as Zoom describes them."""


@dataclass(frozen=True)
class Event:
    """What a delivery says; `payload` is as Zoom sent it and is not to be kept."""

    kind: str
    at: int  # event_ts, milliseconds
    payload: Mapping[str, Any]
    token: str = field(repr=False)


def verify(body: bytes, timestamp: str, signature: str, secret: str, machine_now: datetime) -> None:
    """Check a delivery ("Verify with Zoom's header"): `x-zm-signature` is "v0=" and the hexadecimal HMAC-SHA-256 of
    "v0:<x-zm-request-timestamp>:<body as it came>" under the app's secret token; the timestamp, in seconds, lies within
    five minutes of the machine's clock.

    Raises NotFromZoom.
    """
    expected = "v0=" + _hmac(secret, b"v0:" + timestamp.encode("utf-8", "replace") + b":" + body)
    if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
        raise NotFromZoom("the signature is wrong")
    if not _TIME.fullmatch(timestamp) or abs(int(timestamp) - machine_now.timestamp()) > TOLERANCE.total_seconds():
        raise NotFromZoom("the delivery is not of these five minutes")


def read(body: bytes) -> Event:
    """A verified body as an event. Raises Unreadable."""
    try:
        told = json.loads(body)
        payload = told["payload"]
        kind, at, token = told["event"], told.get("event_ts", 0), told.get("download_token", "")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise Unreadable("no JSON object with an event and a payload") from problem
    if not isinstance(payload, dict) or type(at) is not int or not 0 <= at < 10**15:
        raise Unreadable("an event has a payload and a time in milliseconds")
    return Event(_plain(kind, 80, "event"), at, payload, _plain(token, 4000, "download_token"))


def validated(event: Event, secret: str) -> dict[str, str]:
    """The answer to `endpoint.url_validation` ("Validate your webhook endpoint"): its plain token, and that token's
    hexadecimal HMAC-SHA-256 under the app's secret token. Raises Unreadable.

    Only letters, figures and the signs of base64 are answered: what we would sign for anybody must never be the text of
    a delivery, which begins "v0:".
    """
    plain = event.payload.get("plainToken")
    if not isinstance(plain, str) or not _TOKEN.fullmatch(plain):
        raise Unreadable("a plainToken is a word")
    return {"plainToken": plain, "encryptedToken": _hmac(secret, plain.encode())}


def recording_of(event: Event) -> dict[str, Any]:
    """What is kept of `recording.completed` and of `recording.transcript_completed`, whose files are the transcript
    alone: the meeting, when it began, and its files with their addresses. Raises Unreadable.
    """
    about = event.payload.get("object")
    if not isinstance(about, dict):
        raise Unreadable("a payload has an object")
    files = about.get("recording_files")
    if not isinstance(files, list) or len(files) > MOST_FILES:
        raise Unreadable(f"recording_files is a list of at most {MOST_FILES}")
    topic = about.get("topic", "")
    if not isinstance(topic, str):
        raise Unreadable("a topic is text")
    return {
        "uuid": _plain(about.get("uuid"), 120, "uuid", may_be_empty=False),
        "meeting_id": meeting_number(about.get("id")),
        "topic": one_line(topic)[:200],
        "started_at": zones.z(_instant(about.get("start_time"))),
        "files": [_file(each) for each in files],
    }


def remember(organiser_id: int, event: Event, now: datetime) -> bool:
    """Keep an event in the open transaction and post the work it brings, unless it is known already. Whether it is new.

    Zoom numbers its events nowhere; a delivery that is sent again, by Zoom or by somebody who saw it pass, tells of the
    same recording with the same `event_ts`. Raises Unreadable.
    """
    told = recording_of(event)
    identity = hashlib.sha256("\n".join((event.kind, told["uuid"], str(event.at))).encode()).hexdigest()
    kept = db.session.execute(
        db.insert_or(ZoomEvent)
        .values(
            organiser_id=organiser_id,
            identity=identity,
            kind=event.kind,
            told=told,
            token=sealing.seal(event.token) if event.token else "",
            received_at=now,
        )
        .on_conflict_do_nothing(index_elements=["organiser_id", "identity"])
        .returning(ZoomEvent.id)
    ).scalar()
    if kept is None:
        return False
    work.post(RECORDED, f"zoom_event:{kept}", now, {"event": kept})
    return True


def meeting_number(value: Any) -> str:
    """A meeting's number as its link has it: Zoom sends it as a number or as text. Raises Unreadable."""
    text = str(value) if type(value) is int or isinstance(value, str) else ""
    if not re.fullmatch(r"[0-9]{9,12}", text):
        raise Unreadable("a meeting's id has 9 to 12 figures")
    return text


def _file(each: Any) -> dict[str, Any]:
    """Files that are not finished, or of a kind made up yesterday, are kept as they are: nobody fetches those."""
    if not isinstance(each, dict):
        raise Unreadable("a recording file is an object")
    size = each.get("file_size", 0)
    if type(size) is not int or not 0 <= size < MOST_SIZE:
        raise Unreadable("a file's size is a number of bytes")
    starts = each.get("recording_start") or None
    return {
        "id": _plain(each.get("id") or "", 120, "file's id"),
        "type": _plain(each.get("file_type") or "", 20, "file_type"),
        "view": _plain(each.get("recording_type") or "", 80, "recording_type"),
        "status": _plain(each.get("status") or "", 20, "status"),
        "starts_at": zones.z(_instant(starts)) if starts else None,
        "size": size,
        "url": _plain(each.get("download_url") or "", 2000, "download_url"),
    }


def _plain(value: Any, most: int, name: str, *, may_be_empty: bool = True) -> str:
    if not isinstance(value, str) or len(value) > most or not _PLAIN.fullmatch(value) or not (value or may_be_empty):
        raise Unreadable(f"{name} is a word of at most {most} characters")
    return value


def _instant(value: Any) -> datetime:
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError) as problem:
        raise Unreadable("a time is written as 2027-03-02T09:00:00Z") from problem
    if found.tzinfo is None or not 2000 <= found.year < 2200:
        raise Unreadable("a time is written as 2027-03-02T09:00:00Z")
    return found.astimezone(UTC)


def _hmac(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
