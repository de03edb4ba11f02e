"""What the worker does with what Zoom told of: find its session, fetch its files. Network outside any transaction."""

import io
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import func, select

from lib import clock, db, sealing, web, work
from meetings import zoom, zoom_accounts
from meetings.zoom_inbox import RECORDED
from recordings import arriving, captions, from_zoom, kinds, publishing, storage, tus, uploads, zoom_fetching
from recordings.models import Recording
from recordings.uploads import Upload
from recordings.zoom_models import ZoomFile

LANGUAGE = "en"  # Zoom does not say which language a transcript is in
TOLD_EVERY = timedelta(seconds=5)


class NotYet(Exception):
    """It cannot be done now; the message is a sentence for the team in case it never can."""


def hear(task: work.Task, now: datetime) -> None:
    """Posted by the transaction that kept an event."""
    with db.writing():
        from_zoom.hear(int(task.arguments["event"]), most_bytes(), now)


def fetch(task: work.Task, _now: datetime) -> None:
    """Fetch one file. What cannot go well is said at its row, where somebody may ask for it again."""
    file = db.session.get_one(ZoomFile, int(task.arguments["file"]))
    if file.state != "fetching":
        return
    way = _Film(file) if file.kind == "film" else _Transcript(file)
    bearers = _bearers(file)
    db.session.rollback()
    try:
        with work.held(task):
            _by_any(bearers, way)
    except (zoom.ZoomRefused, kinds.NotAFilm, tus.TooMuch, captions.CaptionsBroken, uploads.UploadGone) as problem:
        way.give_up(_sentence(problem))
    except (zoom.ZoomUnreachable, arriving.DiskFull, tus.OffsetConflict, NotYet) as problem:
        if task.attempts < work.MOST_ATTEMPTS:
            raise work.Later(repr(problem)) from problem
        way.give_up(_sentence(problem))


def most_bytes() -> int:
    """How many bytes a film may have."""
    return int(current_app.config["FILM_MOST_MB"]) * 1024 * 1024


class _Film:
    """A film on its way to its upload."""

    def __init__(self, file: ZoomFile) -> None:
        upload = db.session.get(Upload, file.upload_id)
        self.file_id, self.url, self.etag, self.length = file.id, file.url, file.etag, file.size
        self.upload_id, self.name = (upload.id, upload.name) if upload else (0, "")
        self.is_wanted = upload is not None and upload.state == "arriving"
        self.told_at = clock.machine_now()

    def bring(self, bearer: str) -> None:
        if self.is_wanted:
            zoom_fetching.fetch(
                self.name, self.length, self.url, bearer, etag=self.etag, noted=self._note, progress=self._progress
            )
        with db.writing():
            file = from_zoom.locked(self.file_id)
            if self.is_wanted:
                uploads.came(self.upload_id, self.length, clock.now())
            from_zoom.fetched(file)

    def give_up(self, why: str) -> None:
        with db.writing():
            from_zoom.failed(from_zoom.locked(self.file_id), why, clock.now())

    def _note(self, etag: str) -> None:
        self.etag = etag
        with db.writing():
            from_zoom.noted(from_zoom.locked(self.file_id), etag)

    def _progress(self, has: int) -> None:
        """Say at times how far it is; notice when somebody took it back, or the worker is to end."""
        if work.stopping.is_set():
            raise work.Stopped
        if has < self.length and clock.machine_now() - self.told_at > TOLD_EVERY:
            self.told_at = clock.machine_now()
            with db.writing():
                uploads.came(self.upload_id, has, clock.now())


class _Transcript:
    """The words of a film, to become its captions once it is here; captions that somebody uploaded stay."""

    def __init__(self, file: ZoomFile) -> None:
        self.file_id, self.url, self.session_id = file.id, file.url, file.recording.session_id
        parts = select(func.count()).where(
            Upload.session_id == self.session_id, Upload.state.in_(("arriving", "arrived"))
        )
        self.is_of_all = (db.session.scalar(parts) or 0) == 1
        recording = db.session.scalars(select(Recording).where(Recording.session_id == self.session_id)).one_or_none()
        self.recording_id = recording.id if recording else None
        self.has_own = bool(recording and LANGUAGE in recording.captions)

    def bring(self, bearer: str) -> None:
        if not self.is_of_all:
            raise zoom.ZoomRefused(
                "The film has several parts, and these words are of one of them. Please upload captions of the whole."
            )
        if self.recording_id is None:
            raise NotYet("These words came before their film. Ask for them again once the film is here.")
        key = ""
        if not self.has_own:
            with zoom.sending(self.url, bearer) as sent:
                text = captions.clean(_at_most(sent.chunks, captions.MOST_BYTES))
            key, _ = storage.keep(io.BytesIO(text.encode()))
        old: list[str] = []
        try:
            with db.writing():
                if key:
                    label = captions.LANGUAGES[LANGUAGE]
                    old = publishing.put_captions(
                        self.recording_id, LANGUAGE, label, key, actor="zoom", now=clock.now()
                    )
                from_zoom.fetched(from_zoom.locked(self.file_id))
        except BaseException:
            storage.forget([key] if key else [])
            raise
        storage.forget(old)

    def give_up(self, why: str) -> None:
        with db.writing():
            from_zoom.failed(from_zoom.locked(self.file_id), why, clock.now())


def _by_any(bearers: Iterator[str], way: _Film | _Transcript) -> None:
    """With the first token that opens it: the event's own while it lasts, then one of the organiser's app."""
    refused: zoom.TokenRefused | None = None
    for bearer in bearers:
        try:
            return way.bring(bearer)
        except zoom.TokenRefused as problem:
            refused = problem
    raise refused or zoom.ZoomRefused("Zoom is not set up any more: its app stands under Settings, Zoom.")


def _bearers(file: ZoomFile) -> Iterator[str]:
    """The tokens to try, each made when it is asked for. Reads the rows it needs at once."""
    own = file.token if clock.now() < file.token_until else ""
    account = zoom_accounts.of_organiser(file.organiser_id)
    try:
        app = zoom_accounts.credentials(account) if account else None
    except sealing.SealBroken:
        app = None
    return _tokens(own, app)


def _tokens(own: str, app: zoom_accounts.Credentials | None) -> Iterator[str]:
    if own:
        with suppress(sealing.SealBroken):
            yield sealing.opened(own)
    if app:
        yield zoom.token(app)


def _at_most(chunks: Iterator[bytes], most: int) -> bytes:
    found = bytearray()
    for chunk in chunks:
        found += chunk
        if len(found) > most:
            raise captions.CaptionsBroken("These words are larger than captions can be.")
    return bytes(found)


def _sentence(problem: Exception) -> str:
    if isinstance(problem, web.Refusal):
        return problem.message
    if isinstance(problem, zoom.ZoomUnreachable):
        return (
            "Zoom did not answer, or broke off again and again. What has come is safe: try again to go on from there."
        )
    return str(problem)


HANDLERS: work.Handlers = {RECORDED: hear, from_zoom.FETCH: fetch}
LONG = (from_zoom.FETCH,)
