"""Resumable uploads at the desk: the tus protocol 1.0.0 over the films of one session."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, current_app, jsonify, redirect, request, url_for
from werkzeug.exceptions import ClientDisconnected
from werkzeug.http import http_date
from werkzeug.wrappers import Response as Answer

from accounts import open_to
from accounts.models import Organiser
from courses.models import WorkshopSession
from lib import clock, db, web
from organisers import rows
from organisers.people_routes import workshop_of
from organisers.routes import MANAGERS, actor
from recordings import arriving, kinds, tus, uploads
from recordings.uploads import Upload

bp = Blueprint("organise_uploads", __name__)
MANY = "/organise/<organiser>/workshops/<slug>/recordings/<int:number>/uploads"
ONE = f"{MANY}/<name>"


class ForeignOrigin(web.Refusal):
    """A page of another site sent it."""

    status = 403
    refusal = "foreign_origin"
    title = "This upload came from another site"


@dataclass(frozen=True)
class Found:
    """What a request needs of an upload's row while its bytes arrive and nothing of the database is held."""

    id: int
    name: str
    length: int


@bp.after_request
def speak_tus(answer: Response) -> Response:
    answer.headers["Tus-Resumable"] = tus.VERSION
    answer.headers["Cache-Control"] = "no-store"
    if answer.status_code == 412:
        answer.headers["Tus-Version"] = tus.VERSION
    return answer


@bp.errorhandler(web.Refusal)
def refused(refusal: web.Refusal) -> Response:
    return web.refusal_json(refusal.refusal, refusal.message, refusal.status)


@bp.route(MANY, methods=["OPTIONS"])
@open_to.team(*MANAGERS)
def discover(organiser: Organiser, slug: str, number: int) -> Answer:
    _session(organiser, slug, number)
    answer = _bare(204)
    answer.headers["Tus-Version"] = tus.VERSION
    answer.headers["Tus-Extension"] = tus.EXTENSIONS
    answer.headers["Tus-Max-Size"] = str(most_bytes())
    answer.headers["Tus-Checksum-Algorithm"] = ",".join(tus.ALGORITHMS)
    return answer


@bp.get(MANY)
@open_to.team(*MANAGERS)
def unfinished(organiser: Organiser, slug: str, number: int) -> Answer:
    """What can be gone on with: a browser that comes back finds its file by name and length."""
    found = uploads.unfinished(_session(organiser, slug, number).id, clock.now())
    told = [
        {
            "url": _address(organiser, slug, number, each.name),
            "filename": each.filename,
            "length": each.length,
            "position": each.position,
            "offset": _has(each.name),
        }
        for each in found
    ]
    return jsonify({"uploads": told})


@bp.post(MANY)
@open_to.team(*MANAGERS)
def create(organiser: Organiser, slug: str, number: int) -> Answer:
    session_id = _session(organiser, slug, number).id
    _check()
    asked = tus.creation(dict(request.headers), most_bytes())
    name, by, now = uploads.new_name(), actor(), clock.now()
    db.session.rollback()
    arriving.make(name, asked.length)
    try:
        with db.writing():
            session = db.session.get_one(WorkshopSession, session_id)
            made = uploads.begin(
                session,
                filename=asked.filename,
                length=asked.length,
                source="desk",
                by=by,
                now=now,
                position=asked.position,
                name=name,
            )
            expires_at = made.expires_at
    except BaseException:
        arriving.forget(name)
        raise
    answer = _bare(201)
    answer.headers["Location"] = _address(organiser, slug, number, name)
    answer.headers["Upload-Expires"] = http_date(expires_at)
    return answer


@bp.route(ONE, methods=["HEAD"])
@open_to.team(*MANAGERS)
def offset(organiser: Organiser, slug: str, number: int, name: str) -> Answer:
    _check()
    found = _upload(organiser, slug, number, name)
    answer = _bare(200)
    answer.headers["Upload-Length"] = str(found.length)
    answer.headers["Upload-Metadata"] = tus.written({"filename": found.filename, "position": str(found.position)})
    if found.state != "arrived":
        _refuse_unless_arriving(found)
        answer.headers["Upload-Expires"] = http_date(found.expires_at)
    answer.headers["Upload-Offset"] = str(found.length if found.state == "arrived" else _has(found.name))
    return answer


@bp.patch(ONE)
@open_to.team(*MANAGERS)
def receive(organiser: Organiser, slug: str, number: int, name: str) -> Answer:
    _check()
    piece = tus.chunk(dict(request.headers))
    row = _upload(organiser, slug, number, name)
    _refuse_unless_arriving(row)
    found = Found(row.id, row.name, row.length)
    db.session.rollback()  # nothing of the database is held while bytes arrive, however slowly
    try:
        tus.check_place(piece, _has(found.name), found.length)
        had = _append(found, piece)
    except kinds.NotAFilm as refusal:
        with db.writing():
            uploads.refuse(uploads.locked(found.id), refusal.message, clock.now())
        arriving.forget(found.name)
        raise
    except FileNotFoundError:
        had = -1
    with db.writing():
        if had < 0:  # taken back while it arrived, or taken in already
            raise uploads.gone(uploads.locked(found.id))
        expires_at = uploads.came(found.id, had, clock.now()).expires_at
    answer = _bare(204)
    answer.headers["Upload-Offset"] = str(had)
    answer.headers["Upload-Expires"] = http_date(expires_at)
    return answer


@bp.delete(ONE)
@open_to.team(*MANAGERS)
def terminate(organiser: Organiser, slug: str, number: int, name: str) -> Answer:
    _check()
    _remove(_upload(organiser, slug, number, name))
    return _bare(204)


@bp.post(ONE)
@open_to.team(*MANAGERS)
def instead(organiser: Organiser, slug: str, number: int, name: str) -> Answer:
    """For networks that let nothing but GET and POST through: the method is said in a header."""
    asked = request.headers.get("X-HTTP-Method-Override", "").upper()
    meant: dict[str, Callable[..., Answer]] = {"PATCH": receive, "DELETE": terminate, "HEAD": offset}
    _upload(organiser, slug, number, name)
    if asked not in meant:
        abort(405)
    return meant[asked](organiser=organiser.slug, slug=slug, number=number, name=name)


@bp.post(f"{ONE}/removal")
@open_to.team(*MANAGERS)
def remove(organiser: Organiser, slug: str, number: int, name: str) -> Answer:
    """The same as DELETE, by a button."""
    back = url_for("organise_recordings.board", organiser=organiser.slug, slug=slug, done="removed")
    _remove(_upload(organiser, slug, number, name))
    return redirect(back, code=303)


# A body of a film is no form: these views ask where the request comes from, and read it when they know its sender.
ORIGIN_CHECKED_INSIDE = (create, receive, terminate, instead)


def most_bytes() -> int:
    """The longest film there may be, in bytes."""
    return int(current_app.config["FILM_MOST_MB"]) * 1024 * 1024


def _check() -> None:
    """Raises ForeignOrigin and VersionUnknown.

    No page of another site gets this far: its browser asks first whether it may send Tus-Resumable, and no answer of
    ours agrees. What the browser says of the sender is looked at too.
    """
    tus.check_version(dict(request.headers))
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    ours = {request.host, urlsplit(str(current_app.config["BASE_URL"])).netloc}
    if site not in (None, "same-origin") or (origin is not None and urlsplit(origin).netloc not in ours):
        raise ForeignOrigin("A film can be uploaded from the page of its recording alone. Nothing was changed.")


def _append(found: Found, piece: tus.Chunk) -> int:
    request.max_content_length = found.length + 1  # in place of the one for forms; what is too much is said by append
    if piece.checksum:
        return arriving.append_checked(found.name, piece.offset, found.length, _pieces(request.stream), piece.checksum)
    return arriving.append(found.name, piece.offset, found.length, _pieces(request.stream))


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    """What comes, until its end or the line's: what has come by then is kept."""
    try:
        while piece := stream.read(arriving.PIECE):
            yield piece
    except ClientDisconnected:
        return


def _has(name: str) -> int:
    try:
        return arriving.size(name)
    except FileNotFoundError:
        return 0


def _refuse_unless_arriving(found: Upload) -> None:
    if found.state != "arriving" or uploads.is_over(found, clock.now()):
        raise uploads.gone(found)


def _remove(found: Upload) -> None:
    upload_id, name, by, now = found.id, found.name, actor(), clock.now()
    if found.state not in ("arriving", "refused"):
        raise uploads.gone(found)
    with db.writing():
        uploads.remove(uploads.locked(upload_id), by=by, now=now)
    arriving.forget(name)


def _upload(organiser: Organiser, slug: str, number: int, name: str) -> Upload:
    found = uploads.find(organiser.id, _session(organiser, slug, number).id, name)
    if found is None:
        abort(404)
    return found


def _bare(status: int) -> Response:
    """An answer that is all headers."""
    answer = Response(status=status)
    del answer.headers["Content-Type"]
    return answer


def _session(organiser: Organiser, slug: str, number: int) -> WorkshopSession:
    return rows.session_of(workshop_of(organiser, slug), number)


def _address(organiser: Organiser, slug: str, number: int, name: str) -> str:
    return url_for(".offset", organiser=organiser.slug, slug=slug, number=number, name=name)
