"""Films on their way in: for which session, from where, how much has come. The only door to `Upload.state`.

arriving -> arrived (all of it is in the store) -> refused (a closer look found no film) or gone
arriving -> refused (its first bytes are no film's) or gone (taken back, or nobody went on with it in time)
"""

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, String, UniqueConstraint, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from courses.models import WorkshopSession
from history import models as history
from lib import db, forms, web, work
from lib.db import Owned, pair, same_organiser

LOOK_AT = "recordings.look_at"  # {"upload": id}: all of a film is in the store
TAKE_IN = "recordings.take_in"  # {"upload": id}: all of a film is in the folder where films arrive
KEPT = timedelta(days=7)  # how long an unfinished upload waits for its next bytes


class UploadGone(web.Refusal):
    """The upload was taken back, or its days are over."""

    status = 410
    refusal = "upload_gone"
    title = "This upload is no longer here"


class Upload(Owned, db.Base):
    """One file that is on its way in, or has come. `name` is secret, a part of its address and its file's name.

    `position` says which part of the session's film it is, from 1: a later one for the same position takes its place.
    While it arrives, the truth about how much has come is the file's size; `received` is what was last written down.
    `by` is the actor of history ("user:1", "worker"), `key` the store's once all of it is there, `why` a sentence
    for the team when it was refused.
    """

    __tablename__ = "upload"
    __table_args__ = (
        pair("upload"),
        same_organiser("session_id", "workshop_session"),
        UniqueConstraint("name"),
        CheckConstraint("state IN ('arriving', 'arrived', 'refused', 'gone')", name="state"),
        CheckConstraint("source IN ('desk', 'zoom', 'store')", name="source"),
        CheckConstraint("position >= 1", name="position"),
        CheckConstraint("length > 0 AND received >= 0 AND received <= length", name="received"),
        CheckConstraint("state <> 'arrived' OR (received = length AND key <> '')", name="arrived"),
    )

    session_id: Mapped[db.Ref] = mapped_column(index=True)
    name: Mapped[str] = mapped_column(String(32))
    position: Mapped[int] = mapped_column(default=1)
    filename: Mapped[str] = mapped_column(String(200))
    length: Mapped[db.Minor]
    received: Mapped[db.Minor] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(10), default="arriving")
    source: Mapped[str] = mapped_column(String(10))
    key: Mapped[str] = mapped_column(String(80), default="")
    by: Mapped[str] = mapped_column(String(80))
    why: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]

    session: Mapped[WorkshopSession] = relationship()


def new_name() -> str:
    """A name nobody can guess."""
    return secrets.token_hex(16)


def begin(
    session: WorkshopSession,
    *,
    filename: str,
    length: int,
    source: str,
    by: str,
    now: datetime,
    position: int = 1,
    name: str = "",
) -> Upload:
    """Write down that a file of `length` bytes is on its way. `source` is desk, zoom or store."""
    made = Upload(
        organiser_id=session.organiser_id,
        session_id=session.id,
        name=name or new_name(),
        position=position,
        filename=forms.one_line(filename)[:200] or "film",
        length=length,
        received=0,
        state="arriving",
        source=source,
        key="",
        by=by,
        why="",
        created_at=now,
        expires_at=now + KEPT,
    )
    db.session.add(made)
    db.session.flush()
    return made


def came(upload_id: int, received: int, now: datetime) -> Upload:
    """So many bytes are safely on the disk; with the last one the worker is asked to take the file in.

    Raises UploadGone where somebody took it back meanwhile.
    """
    upload = locked(upload_id)
    if upload.state != "arriving":
        raise gone(upload)
    upload.received = max(upload.received, received)
    upload.expires_at = now + KEPT
    if upload.received == upload.length:
        _ask_in(upload, now)
    return upload


def whole(upload_id: int, now: datetime) -> None:
    """All of it turned out to be on the disk, though no answer said so: a server was killed between the two."""
    upload = locked(upload_id)
    if upload.state == "arriving":
        upload.received = upload.length
        _ask_in(upload, now)


def arrived(upload: Upload, now: datetime) -> None:
    """All of it is in the store under `upload.key`: the same transaction asks the worker to look at it.

    Once is enough: another call changes nothing. Raises ValueError without a key.
    """
    if not upload.key:
        raise ValueError("an upload has arrived when it has a key in the store")
    if upload.state != "arriving":
        return
    upload.state, upload.received = "arrived", upload.length
    work.post(LOOK_AT, f"upload:{upload.id}", now, {"upload": upload.id})
    _record(upload, "film_arrived", upload.by, now)


def refuse(upload: Upload, why: str, now: datetime) -> None:
    """It is no film we can show: `why` is a sentence for the team. Its bytes are the caller's to remove."""
    if upload.state in ("arriving", "arrived"):
        upload.state, upload.why = "refused", why[:300]
        _record(upload, "film_refused", "worker", now)


def remove(upload: Upload, *, by: str, now: datetime) -> None:
    """Take it back, or take what was refused off the desk. Its bytes are the caller's to remove."""
    if upload.state != "gone":
        upload.state = "gone"
        _record(upload, "upload_removed", by, now)


def is_over(upload: Upload, now: datetime) -> bool:
    """Whether an unfinished one has waited too long for its next bytes. One that is whole waits for us alone."""
    return upload.state == "arriving" and upload.received < upload.length and upload.expires_at <= now


def gone(upload: Upload) -> web.Refusal:
    """Why nothing more can be added to it."""
    if upload.state == "arrived":
        return UploadGone("All of this film has arrived already, so nothing needs to be sent again.")
    if upload.state == "refused":
        return UploadGone(upload.why or "This file was refused. Nothing of it was kept.")
    return UploadGone("This upload was taken back, or it waited for too long. Please choose the film again.")


def find(organiser_id: int, session_id: int, name: str) -> Upload | None:
    """An organiser's own upload for a session, whatever its state."""
    return db.session.scalars(
        select(Upload).where(Upload.name == name, Upload.organiser_id == organiser_id, Upload.session_id == session_id)
    ).one_or_none()


def unfinished(session_id: int, now: datetime) -> list[Upload]:
    """What somebody could go on with, the latest first."""
    wanted = (
        select(Upload)
        .where(Upload.session_id == session_id, Upload.state == "arriving", Upload.source == "desk")
        .order_by(Upload.id.desc())
    )
    return [each for each in db.session.scalars(wanted) if not is_over(each, now)]


def on_the_desk(session_ids: Collection[int], now: datetime) -> dict[int, list[Upload]]:
    """What arrives and what was refused, by session, in one statement."""
    found: dict[int, list[Upload]] = {}
    wanted = (
        select(Upload)
        .where(Upload.session_id.in_(sorted(session_ids)), Upload.state.in_(("arriving", "refused")))
        .order_by(Upload.id)
    )
    for each in db.session.scalars(wanted):
        if not is_over(each, now):
            found.setdefault(each.session_id, []).append(each)
    return found


def next_position(session_id: int) -> int:
    """The first part's number that a session has free."""
    wanted = select(func.max(Upload.position)).where(
        Upload.session_id == session_id, Upload.state.in_(("arriving", "arrived"))
    )
    return (db.session.scalar(wanted) or 0) + 1


def are_there(session_ids: Collection[int], now: datetime) -> bool:
    """Whether a film of one of the sessions has come or is on its way."""
    wanted = select(Upload).where(Upload.session_id.in_(sorted(session_ids)), Upload.state.in_(("arriving", "arrived")))
    return any(not is_over(each, now) for each in db.session.scalars(wanted))


def drop(session_ids: Collection[int]) -> None:
    """Forget the rows of sessions that are deleted; the night removes bytes that no row names."""
    db.session.execute(delete(Upload).where(Upload.session_id.in_(sorted(session_ids))))


def all_arriving() -> list[Upload]:
    return list(db.session.scalars(select(Upload).where(Upload.state == "arriving").order_by(Upload.id)))


def locked(upload_id: int) -> Upload:
    """The row, held until the transaction ends."""
    return db.session.scalars(
        select(Upload)
        .where(Upload.id == upload_id)
        .with_for_update(of=Upload)
        .execution_options(populate_existing=True)
    ).one()


def _ask_in(upload: Upload, now: datetime) -> None:
    work.post(TAKE_IN, f"upload:{upload.id}", now, {"upload": upload.id}, dedupe_key=f"take-in:{upload.id}")


def _record(upload: Upload, verb: str, actor: str, now: datetime) -> None:
    facts = {"filename": upload.filename, "length": upload.length, "source": upload.source}
    about = f"workshop_session:{upload.session_id}"
    history.record(about, verb, at=now, actor=actor, organiser_id=upload.organiser_id, facts=facts)
