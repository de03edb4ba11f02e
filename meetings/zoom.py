"""Zoom over the network: a token for the organiser's own app, and the bytes of a file. No row is touched here.

The rules are those of Zoom's developer documentation: "Server-to-Server OAuth" for the token, "Recording webhook
events" and "Download recordings" for files, whose addresses lead on to other hosts below zoom.us.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import certifi
import urllib3
from flask import current_app

from lib.settings import ZOOM_ADDRESS
from meetings.zoom_accounts import Credentials

CHUNK = 256 * 1024
MOST_REDIRECTS = 5
MOST_ANSWER = 64 * 1024
_TIMES = urllib3.Timeout(connect=10, read=30)
_PART = re.compile(r"bytes ([0-9]{1,15})-([0-9]{1,15})/([0-9]{1,15})")


class ZoomUnreachable(Exception):
    """Zoom did not answer, broke off, or answered that it cannot now: ask again later."""


class ZoomRefused(Exception):
    """Zoom understood and refused; the message is a sentence for the desk."""


class TokenRefused(ZoomRefused):
    """This token does not open it. Another one may."""


class NotZooms(ZoomRefused):
    """The address is none of Zoom's: nothing is sent there, and nothing is read."""


@dataclass(frozen=True)
class Sending:
    """A file as it comes: `chunks` begin at byte `first` of `size`, which is None where Zoom does not say."""

    first: int
    size: int | None
    etag: str
    chunks: Iterator[bytes]


def token(of: Credentials) -> str:
    """A bearer token for the organiser's own app, good for an hour. Raises ZoomUnreachable or ZoomRefused."""
    address = f"{current_app.config['ZOOM_ADDRESS']}/oauth/token"
    fields = {"grant_type": "account_credentials", "account_id": of.account_id}
    headers = urllib3.make_headers(basic_auth=f"{of.client_id}:{of.client_secret}")
    try:
        with _pool() as pool:
            answer = pool.request(
                "POST",
                address,
                fields=fields,
                encode_multipart=False,
                headers=headers,
                timeout=_TIMES,
                redirect=False,
                retries=False,
                preload_content=False,
            )
            body = answer.read(MOST_ANSWER)
            answer.release_conn()
    except (urllib3.exceptions.HTTPError, OSError) as problem:
        raise ZoomUnreachable(f"no token: {type(problem).__name__}") from problem
    if answer.status in (400, 401, 403):
        raise ZoomRefused(
            "Zoom does not know this account id, client id and client secret together. Nothing is lost: put them right "
            "under Settings, Zoom, and try again."
        )
    try:
        found = json.loads(body)["access_token"] if answer.status == 200 else None
    except (ValueError, KeyError, TypeError):
        found = None
    if not isinstance(found, str) or not re.fullmatch(r"[\x21-\x7e]{1,8000}", found):
        raise ZoomUnreachable(f"no token: status {answer.status}")
    return found


@contextmanager
def sending(url: str, bearer: str, *, first: int = 0, etag: str = "") -> Iterator[Sending]:
    """Open a file at byte `first`; the whole of it comes when it has changed since it had `etag` (RFC 9110 13.1.5), or
    when there is no such byte. The token goes to the first host alone, the addresses it leads on to carry their own.

    Raises ZoomUnreachable, also while chunks are read, TokenRefused, NotZooms or ZoomRefused.
    """
    headers = {"Accept-Encoding": "identity"}
    if first:
        headers["Range"] = f"bytes={first}-"
        if etag:
            headers["If-Range"] = etag
    with _pool() as pool:
        try:
            answer = _follow(pool, url, bearer, headers)
        except (urllib3.exceptions.HTTPError, OSError) as problem:
            raise ZoomUnreachable(f"no answer: {type(problem).__name__}") from problem
        try:
            if answer.status == 416 and first:
                raise ZoomUnreachable("there is less of it than was fetched")
            yield _read(answer, first)
        finally:
            answer.close()


def is_zooms(url: str) -> bool:
    """Whether an address is https at zoom.us or below, on its usual port; or at ZOOM_ADDRESS where that differs."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if parts.username is not None or "\\" in url:
        return False
    base = urlsplit(str(current_app.config["ZOOM_ADDRESS"]))
    if base.geturl() != ZOOM_ADDRESS:
        return (parts.scheme, parts.netloc) == (base.scheme, base.netloc)
    return parts.scheme == "https" and port in (None, 443) and (host == "zoom.us" or host.endswith(".zoom.us"))


def _follow(pool: urllib3.PoolManager, url: str, bearer: str, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
    origin = urlsplit(url).netloc
    for _ in range(MOST_REDIRECTS + 1):
        if not is_zooms(url):
            raise NotZooms("The address of this film is none of Zoom's, so nothing was fetched from it.")
        own = {"Authorization": f"Bearer {bearer}"} if urlsplit(url).netloc == origin else {}
        answer = pool.request(
            "GET", url, headers=headers | own, timeout=_TIMES, redirect=False, retries=False, preload_content=False
        )
        if answer.status not in (301, 302, 303, 307, 308):
            return answer
        url = urljoin(url, answer.headers.get("Location", ""))
        answer.close()
    raise ZoomUnreachable("it leads on and on")


def _read(answer: urllib3.BaseHTTPResponse, first: int) -> Sending:
    """What an answer is. Zoom shows a page to sign in, with status 200, to whoever it does not know."""
    is_page = answer.headers.get("Content-Type", "").startswith("text/html")
    if answer.status in (401, 403) or (answer.status in (200, 206) and is_page):
        raise TokenRefused("Zoom does not give us this film. Look whether the app may read cloud recordings.")
    if answer.status in (404, 410):
        raise ZoomRefused("Zoom has this film no longer: it was deleted or moved to the bin there.")
    if answer.status not in (200, 206) or answer.headers.get("Content-Encoding", "identity") != "identity":
        raise ZoomUnreachable(f"status {answer.status}")
    etag = answer.headers.get("ETag", "")
    strong = etag if re.fullmatch(r'"[\x21\x23-\x7e]{0,198}"', etag) else ""
    if answer.status == 200:
        length = answer.headers.get("Content-Length", "")
        return Sending(0, int(length) if re.fullmatch(r"[0-9]{1,15}", length) else None, strong, _chunks(answer))
    part = _PART.fullmatch(answer.headers.get("Content-Range", ""))
    if part is None or int(part[1]) != first:
        raise ZoomUnreachable("a part that was not asked for")
    return Sending(first, int(part[3]), strong, _chunks(answer))


def _chunks(answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    try:
        yield from answer.stream(CHUNK, decode_content=False)
    except (urllib3.exceptions.HTTPError, OSError) as problem:
        raise ZoomUnreachable(f"it broke off: {type(problem).__name__}") from problem


def _pool() -> urllib3.PoolManager:
    return urllib3.PoolManager(cert_reqs="CERT_REQUIRED", ca_certs=certifi.where())
