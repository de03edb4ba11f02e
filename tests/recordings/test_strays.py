"""Files of the store that no row names are found, and none that any row names."""

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from lib import clock as product_clock
from lib import db, work
from recordings import publishing, storage, strays, upload_jobs, uploads
from recordings.handout_models import Handout
from recordings.models import Recording, RecordingPart
from tests.conftest import Clock
from tests.recordings import s3
from tests.recordings.arrived import arrive
from tests.recordings.s3 import Bucket
from tests.recordings.showing import a_film, a_recorded_workshop, session_of
from tests.recordings.zoom_rows import a_zoom_recording


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    with s3.bucket() as found:
        yield found


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, app: Flask, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "s3":
        request.getfixturevalue("bucket").chosen_by(app, monkeypatch)
    return str(request.param)


def kept() -> str:
    key, _ = storage.keep(io.BytesIO(b"bytes"))
    return key


def found(app: Flask) -> set[str]:
    """What would be removed of all that was stored until now."""
    with app.app_context():
        return set(strays.find(product_clock.machine_now() + timedelta(minutes=1)))


def test_what_no_row_names_is_found_and_what_others_put_there_is_not(
    app: Flask, store: str, instance: Path, tmp_path: Path
) -> None:
    slug = a_recorded_workshop(app)
    mine = a_film(app, slug).key
    other = tmp_path / "made.mp4"
    other.write_bytes(b"a film")
    with app.app_context():
        before = product_clock.machine_now() - timedelta(days=2)
        nobodys = {kept(), storage.adopt(other)}
        storage.chosen().copy(mine, "evening.mp4")
        if store == "folder":
            (storage.folder() / "import").mkdir(exist_ok=True)
            half = "a" * 32
            (storage.folder() / f"{half}.part").write_bytes(b"half")
            nobodys.add(half)
        else:
            storage.chosen().copy(mine, f"import/{mine}")
        assert strays.find(before) == []
    assert nobodys <= found(app)
    assert {mine, "evening.mp4"}.isdisjoint(found(app))
    with app.app_context():
        storage.forget(sorted(nobodys))
        storage.chosen().remove(["evening.mp4"])
        assert storage.size(mine)
    assert nobodys.isdisjoint(found(app))


@pytest.mark.parametrize("row", ["film", "draft", "captions", "part", "upload", "handout", "zoom"])
def test_what_a_row_names_is_never_found(app: Flask, row: str, clock: Clock) -> None:
    slug = a_recorded_workshop(app)
    a_film(app, slug)
    with app.app_context(), db.writing():
        keys = _named_by(row, slug, app)
    assert keys.isdisjoint(found(app))
    assert all(len(key) == 32 for key in keys)
    with app.app_context():
        assert keys <= strays.named()


def _named_by(row: str, slug: str, app: Flask) -> set[str]:
    """Rows of one kind that name new files."""
    now, keys = product_clock.now(), [kept() for _ in range(4)]
    recording = db.session.scalars(select(Recording)).one()
    session = session_of(slug)
    if row == "film":
        recording.file, recording.small, recording.poster, recording.whole = keys
        return set(keys)
    if row == "draft":
        recording.draft = {"file": keys[0], "small": keys[1], "poster": keys[2]}
        return set(keys[:3])
    if row == "captions":
        for language, key in zip(("en", "fr", "de", "cy"), keys, strict=True):
            publishing.put_captions(recording.id, language, language, key, actor="user:1", now=now)
        return set(keys)
    if row == "part":
        for position, key in enumerate(keys):  # 0: left out of the recording, and kept
            part = RecordingPart(recording_id=recording.id, position=position, file=key, size=5, seconds=2, facts={})
            part.organiser_id, part.added_at = recording.organiser_id, now
            db.session.add(part)
        return set(keys)
    if row == "handout":
        handout = Handout(
            workshop_id=session.workshop_id, key=keys[0], name="a.pdf", kind="pdf", size=5, access="always"
        )
        handout.organiser_id, handout.added_at = session.organiser_id, now
        db.session.add(handout)
        return {keys[0]}
    source = "zoom" if row == "zoom" else "desk"
    upload = uploads.begin(session, filename="a.mp4", length=5, source=source, by="user:1", now=now)
    upload.key = keys[0]
    uploads.arrived(upload, now)
    if row == "zoom":
        (file,) = a_zoom_recording(session.organiser_id).files
        file.upload_id, file.state = upload.id, "fetched"
    return {keys[0]}


def test_where_no_row_names_anything_nothing_is_found(app: Flask) -> None:
    with app.app_context():
        key = kept()
        assert strays.find(product_clock.machine_now() + timedelta(minutes=1)) == []
        storage.forget([key])


def test_the_night_removes_what_is_older_than_two_days(
    app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = a_recorded_workshop(app)
    named = a_film(app, slug).key
    arrive(app, slug, b"film")
    task = work.Task(1, upload_jobs.SWEEP_STORE, "night", {}, clock.at, 1)
    with app.app_context():
        key = kept()
        upload_jobs.sweep_store(task, clock.at)
        assert storage.size(key) == 5
        monkeypatch.setattr(upload_jobs, "STRAY_IN_STORE", timedelta(minutes=-1))
        upload_jobs.sweep_store(task, clock.at)
        assert storage.size(named)
        with pytest.raises(FileNotFoundError):
            storage.size(key)
    assert upload_jobs.SWEEP_STORE in upload_jobs.NIGHTLY
