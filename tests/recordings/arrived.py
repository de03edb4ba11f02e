"""Uploads for tests, as if they had come through the desk; and the worker that looks at them."""

import io
import json
import subprocess
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select

from lib import clock, db, work
from recordings import making, making_jobs, storage, uploads
from recordings.models import Recording
from tests.recordings.showing import session_of


def arrive(app: Flask, slug: str, body: bytes, *, number: int = 1, position: int = 1, name: str = "film.mp4") -> int:
    """An upload that is whole and in the store; its id. The worker has not seen it yet."""
    with app.app_context():
        key, size = storage.keep(io.BytesIO(body))
        with db.writing():
            upload = uploads.begin(
                session_of(slug, number),
                filename=name,
                length=size,
                source="desk",
                by="user:1",
                now=clock.now(),
                position=position,
            )
            upload.key = key
            uploads.arrived(upload, clock.now())
            return upload.id


def work_off(app: Flask) -> int:
    """Everything that the worker is asked about films; how many jobs that were."""
    with app.app_context():
        number = work.run_due(making_jobs.HANDLERS)
        failed = [each for each in db.session.scalars(select(work.Job.last_error)) if each]
        assert not failed, failed
        return number


def made(app: Flask, slug: str, *bodies: bytes) -> int:
    """A recording made of these parts; its id."""
    for position, body in enumerate(bodies, 1):
        arrive(app, slug, body, position=position)
    work_off(app)
    return recording(app, slug).id


def recording(app: Flask, slug: str, number: int = 1) -> Recording:
    """The row as it is now, with its parts."""
    with app.app_context():
        session_id = session_of(slug, number).id
        found = db.session.scalars(select(Recording).where(Recording.session_id == session_id)).one()
        assert found.parts is not None
        assert found.session.zone
        db.session.expunge_all()
        return found


def cut(app: Flask, recording_id: int, **wanted: Any) -> bool:
    known: dict[str, Any] = {"trim_from": 0, "trim_to": None, "cuts": [], "marks": [], **wanted}
    with app.app_context(), db.writing():
        return making.cut(recording_id, actor="user:1", now=clock.now(), **known)


def probed(app: Flask, key: str) -> dict[str, Any]:
    """What ffprobe says of a stored file."""
    with app.app_context(), storage.local(key) as file:
        return probe(file)


def probe(file: Path) -> dict[str, Any]:
    command = ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", str(file)]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


def stored() -> set[str]:
    """The files of the store, those that are still arriving aside."""
    return {each.name for each in storage.folder().iterdir() if each.is_file()} if storage.folder().exists() else set()
