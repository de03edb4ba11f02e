"""From what arrived to a recording that can be looked through: joined, cut, made smaller, done again, refused."""

import errno
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from lib import clock as product_clock
from lib import db, settings, work
from recordings import (
    ffmpeg,
    film_making,
    film_plan,
    making,
    making_jobs,
    originals,
    part_order,
    publishing,
    spoken,
    storage,
)
from recordings.cutting import TimesBroken
from recordings.making import NoOriginal, NotYet
from recordings.models import Recording, RecordingPart
from recordings.probing import Facts
from recordings.publishing import NothingToPublish, NotReviewed
from recordings.uploads import Upload
from tests.conftest import Clock
from tests.recordings.arrived import arrive, cut, made, probed, recording, stored, work_off
from tests.recordings.films import Films
from tests.recordings.showing import a_recorded_workshop, session_of, windows

SECRET = b"WEBVTT\n\n00:00.000 --> 00:00.900\nWelcome.\n\n00:01.000 --> 00:01.900\nA secret.\n"


@pytest.fixture
def slug(app: Flask) -> str:
    return a_recorded_workshop(app)


@pytest.fixture(autouse=True)
def _nothing_half_made(instance: Path) -> Iterator[None]:
    yield
    folder = instance / "making"
    assert [each for each in folder.glob("*") if each.is_dir()] == []


def named(app: Flask) -> set[str]:
    """Every key that a row names."""
    with app.app_context():
        found = {each for each in db.session.scalars(select(RecordingPart.file)) if each}
        for each in db.session.scalars(select(Recording)):
            found |= publishing.keys(each) | {words["key"] for words in each.captions.values()}
        return found


def accept(app: Flask, recording_id: int) -> None:
    with app.app_context():
        turn = db.session.get_one(Recording, recording_id).turn
        with db.writing():
            old = making.accept(recording_id, turn, actor="user:7", now=app_now())
        storage.forget(old)


def app_now() -> datetime:
    return product_clock.now()


def publish(app: Flask, recording_id: int) -> int:
    with app.app_context(), db.writing():
        return publishing.publish(recording_id, actor="user:7", now=app_now())


@pytest.mark.both_databases
def test_a_film_that_browsers_play_is_kept_as_it_is_with_its_index_in_front(
    app: Flask, slug: str, films: Films
) -> None:
    before = stored()
    made(app, slug, films.mp4)
    found = recording(app, slug)

    assert (found.making, found.made_percent, found.problem) == ("ready", 100, "")
    assert (found.content_type, found.seconds, found.small, found.kept) == ("video/mp4", 2, "", [])
    assert found.file == found.whole
    assert found.reviewed_at is None
    with app.app_context():
        body = b"".join(storage.read(found.file))
        assert b"".join(storage.read(found.poster))[:3] == b"\xff\xd8\xff"
    assert body.index(b"moov") < body.index(b"mdat")
    assert [(each.position, each.seconds, each.filename) for each in found.parts] == [(1, 2, "film.mp4")]
    assert stored() - before == named(app)


@pytest.mark.parametrize("kind", ["webm", "silent", "m4a"])
def test_other_films_become_ones_that_browsers_play(app: Flask, slug: str, films: Films, kind: str) -> None:
    made(app, slug, getattr(films, kind))
    found = recording(app, slug)
    streams = {each["codec_type"]: each["codec_name"] for each in probed(app, found.file)["streams"]}

    assert found.making == "ready"
    assert streams == ({"video": "h264"} if kind == "silent" else {"video": "h264", "audio": "aac"})
    assert 2 <= found.seconds <= 3


@pytest.mark.parametrize(
    ("kind", "said"),
    [("mp3", "sound and no picture"), ("text", "not a film, or it is not whole"), ("playlist", "not a film, or")],
)
def test_what_is_no_film_is_refused_in_words_and_not_kept(
    app: Flask, slug: str, films: Films, kind: str, said: str, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(films.mp4)
    other = {
        "text": b"Minutes of the meeting\n" * 100,
        "playlist": f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://{secret}\n#EXT-X-ENDLIST\n".encode(),
    }
    before = stored()
    number = arrive(app, slug, other.get(kind) or films.mp3)
    work_off(app)

    with app.app_context():
        upload = db.session.get_one(Upload, number)
        assert upload.state == "refused"
        assert said in upload.why
        assert db.session.scalars(select(Recording)).all() == []
        assert work.dead_jobs() == []
    assert stored() == before


def test_a_film_that_was_cut_off_on_its_way_says_so_and_can_be_replaced(app: Flask, slug: str, films: Films) -> None:
    made(app, slug, films.broken)
    found = recording(app, slug)
    assert (found.making, found.file) == ("failed", "")
    assert "though it says that it is 0:00:08 long" in found.problem
    with pytest.raises(NothingToPublish):
        publish(app, found.id)

    arrive(app, slug, films.long)
    work_off(app)
    again = recording(app, slug)
    assert (again.id, again.making, again.problem, again.seconds) == (found.id, "ready", "", 8)


@pytest.mark.parametrize(("second", "seconds"), [("second", 4), ("larger", 3), ("m4a", 4), ("silent", 4)])
def test_parts_are_joined_in_their_order(app: Flask, slug: str, films: Films, second: str, seconds: int) -> None:
    recording_id = made(app, slug, films.mp4, getattr(films, second))
    found = recording(app, slug)
    assert (found.making, found.problem) == ("ready", "")
    assert found.seconds in (seconds, seconds + 1)
    assert {each["codec_type"] for each in probed(app, found.file)["streams"]} == {"video", "audio"}

    first, other = [each.id for each in found.parts]
    with app.app_context():
        with db.writing():
            old = making.order(recording_id, {first: 0, other: 1}, actor="user:1", now=app_now())
        storage.forget(old)
    work_off(app)
    found = recording(app, slug)
    assert [each.id for each in found.parts if each.position] == [other]
    assert found.seconds in (seconds - 2, seconds - 1)
    with app.app_context(), db.writing(), pytest.raises(NotYet):
        making.order(recording_id, {first: 0, other: 0}, actor="user:1", now=app_now())


def test_films_with_the_same_tracks_are_joined_without_being_made_again(
    app: Flask, slug: str, films: Films, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    run = ffmpeg.run

    def heard(arguments: Any, *rest: Any, **options: Any) -> None:
        asked.append(arguments)
        run(arguments, *rest, **options)

    monkeypatch.setattr("recordings.ffmpeg.run", heard)
    made(app, slug, films.mp4, films.second)

    assert [each for each in asked if "libx264" in each] == []
    assert recording(app, slug).seconds in (4, 5)


def test_a_disclosure_is_cut_out_of_film_captions_and_chapters(app: Flask, slug: str, films: Films) -> None:
    recording_id = made(app, slug, films.long)
    marks = [(0, "Welcome"), (3, "A story"), (5, "The model")]
    assert cut(app, recording_id, trim_from=1, trim_to=7, cuts=[(3, 5)], marks=marks)
    waiting = recording(app, slug)
    assert (waiting.making, waiting.made_percent) == ("waiting", 0)
    before = waiting.file
    work_off(app)
    found = recording(app, slug)

    assert (found.making, found.kept, found.seconds) == ("ready", [[1, 3], [5, 7]], 4)
    assert found.chapters == [[0, "Welcome"], [2, "The model"]]
    assert found.whole == before
    assert found.file != before
    duration = float(probed(app, found.file)["format"]["duration"])
    assert 3.9 < duration < 4.2

    assert not cut(app, recording_id, trim_from=1, trim_to=7, cuts=[(3, 5)], marks=[(5, "The model, again")])
    found = recording(app, slug)
    assert (found.making, found.chapters) == ("ready", [[2, "The model, again"]])
    assert cut(app, recording_id)
    work_off(app)
    found = recording(app, slug)
    assert (found.file, found.kept, found.chapters) == (before, [], [])
    assert stored() >= named(app)


def test_a_heavy_film_has_a_smaller_one_beside_it(
    app: Flask, slug: str, films: Films, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(film_plan, "HEAVY_BITS", 1000)
    made(app, slug, films.mp4)
    found = recording(app, slug)
    assert found.small not in ("", found.file)
    assert probed(app, found.small)["streams"][0]["height"] == 36


def test_nothing_is_published_that_nobody_has_looked_through(app: Flask, slug: str, films: Films) -> None:
    recording_id = made(app, slug, films.mp4)
    with pytest.raises(NotReviewed):
        publish(app, recording_id)
    accept(app, recording_id)
    found = recording(app, slug)
    assert (found.reviewed_at, found.reviewed_by) == (app_now(), "user:7")
    publish(app, recording_id)

    with app.app_context(), db.writing():
        publishing.withdraw(recording_id, actor="user:1", why="", now=app_now())
    arrive(app, slug, films.second)
    work_off(app)
    with pytest.raises(NotReviewed):
        publish(app, recording_id)


def test_a_faulty_film_is_replaced_only_once_somebody_looked_through_the_new_one(
    app: Flask, slug: str, films: Films
) -> None:
    recording_id = made(app, slug, films.mp4)
    accept(app, recording_id)
    publish(app, recording_id)
    before, open_before = recording(app, slug), windows(app)
    arrive(app, slug, films.long)
    work_off(app)
    found = recording(app, slug)
    assert (found.state, found.file, found.seconds) == ("published", before.file, 2)
    assert found.draft["seconds"] == 8

    with app.app_context(), db.writing(), pytest.raises(NotYet):
        making.accept(recording_id, found.turn - 1, actor="user:7", now=app_now())
    accept(app, recording_id)
    found = recording(app, slug)
    assert (found.state, found.seconds, found.draft, found.closes_at) == ("published", 8, {}, before.closes_at)
    assert windows(app) == open_before
    assert before.file not in stored()
    assert stored() >= named(app)


def test_what_was_made_anew_can_be_thrown_away(app: Flask, slug: str, films: Films) -> None:
    recording_id = made(app, slug, films.mp4)
    accept(app, recording_id)
    publish(app, recording_id)
    cut(app, recording_id, trim_to=1)
    work_off(app)
    thrown = recording(app, slug).draft["file"]
    with app.app_context():
        with db.writing():
            old = making.discard(recording_id, actor="user:1", now=app_now())
        storage.forget(old)
    assert thrown not in stored()
    assert recording(app, slug).draft == {}


@pytest.mark.both_databases
def test_what_is_asked_while_it_is_made_ends_it_and_is_done_instead(app: Flask, slug: str, films: Films) -> None:
    recording_id = made(app, slug, films.long)
    cut(app, recording_id, trim_to=4)
    told = making.tell
    asked: list[bool] = []

    def meanwhile(number: int, turn: int, percent: int) -> bool:
        if not asked:
            asked.append(making.cut(recording_id, trim_from=0, trim_to=2, cuts=[], marks=[], actor="u", now=app_now()))
        return told(number, turn, percent)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("recordings.making.tell", meanwhile)
        work_off(app)
    found = recording(app, slug)
    assert asked == [True]
    assert (found.making, found.seconds, found.kept) == ("ready", 2, [[0, 2]])
    with app.app_context():
        assert work.dead_jobs() == []
    assert stored() >= named(app)


def test_without_ffmpeg_it_says_so_and_is_made_once_it_is_there(
    app: Flask, slug: str, films: Films, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", "/nowhere")
        arrive(app, slug, films.mp4)
        work_off(app)
        found = recording(app, slug)
        assert found.making == "failed"
        assert "ask whoever runs the server to install ffmpeg" in found.problem
    with app.app_context(), db.writing():
        making.again(found.id, actor="user:1", now=app_now())
    work_off(app)
    found = recording(app, slug)
    assert (found.making, found.problem) == ("ready", "")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "no room left on the server"),
        (ffmpeg.Failed("av_interleaved_write_frame(): No space left on device"), "no room left on the server"),
        (ffmpeg.Failed("moov atom not found"), "could not be read to its end"),
        (FileNotFoundError("the store has no such file"), "is not where it was kept"),
        (TimesBroken("Nothing of the film would be left."), "change the cuts on the review page"),
        (LookupError("nobody foresaw it"), ""),
    ],
)
def test_each_failure_has_a_sentence_that_says_what_is_safe(error: Exception, said: str) -> None:
    sentence = film_making.problem(error)
    assert said in sentence
    assert bool(said) == bool(sentence)
    assert not sentence or "Please" in sentence


def test_a_worker_that_always_dies_of_a_film_stops_trying(app: Flask, slug: str, films: Films) -> None:
    recording_id = made(app, slug, films.mp4)
    cut(app, recording_id, trim_to=1)
    with app.app_context(), db.writing():
        db.session.execute(update(work.Job).where(work.Job.ended_at.is_(None)).values(attempts=making_jobs.MOST_TRIES))
    work_off(app)
    found = recording(app, slug)
    assert found.making == "failed"
    assert "interrupted several times" in found.problem
    with app.app_context(), db.writing():
        making.again(recording_id, actor="user:1", now=app_now())
    work_off(app)
    assert recording(app, slug).seconds == 1


def test_progress_is_told_while_it_is_made(
    app: Flask, slug: str, films: Films, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    real = making.tell
    monkeypatch.setattr(making_jobs, "TOLD_EVERY", 0)

    def heard(number: int, turn: int, percent: int) -> bool:
        told.append(percent)
        return real(number, turn, percent)

    monkeypatch.setattr("recordings.making.tell", heard)
    recording_id = made(app, slug, films.long)
    cut(app, recording_id, trim_to=6)
    work_off(app)
    assert told
    assert all(0 <= each < 100 for each in told)


def test_originals_are_kept_until_their_days_are_over(app: Flask, slug: str, films: Films, clock: Clock) -> None:
    recording_id = made(app, slug, films.long)
    with app.app_context(), db.writing():
        key, _ = keep(SECRET)
        publishing.put_captions(recording_id, "en", "English", key, actor="user:1", now=app_now())
    cut(app, recording_id, cuts=[(1, 3)])
    work_off(app)
    clock.shift(days=400)
    assert night(app) == []  # it is not published
    accept(app, recording_id)
    publish(app, recording_id)
    before = recording(app, slug)
    assert "secret" not in words(app, slug)

    clock.shift(days=29)
    assert night(app) == []
    clock.shift(days=1)
    assert night(app) == [recording_id]
    found = recording(app, slug)
    assert [each.file for each in found.parts] == [""]
    assert (found.whole, found.file) == ("", before.file)
    assert not {before.whole, before.parts[0].file, before.captions["en"]["key"]} & stored()
    assert "Welcome." in words(app, slug)
    assert "secret" not in words(app, slug)
    assert night(app) == []
    with app.app_context(), db.writing():
        key, _ = keep(b"WEBVTT\n\n00:01.000 --> 00:01.900\nOf the film that is shown.\n")
        publishing.put_captions(recording_id, "en", "English", key, actor="user:1", now=app_now())
    assert "Of the film that is shown." in words(app, slug)
    with app.app_context(), db.writing(), pytest.raises(NoOriginal):
        making.cut(recording_id, trim_from=0, trim_to=2, cuts=[], marks=[], actor="user:1", now=app_now())


def keep(body: bytes) -> tuple[str, int]:
    return storage.keep(io.BytesIO(body))


def words(app: Flask, slug: str) -> str:
    with app.app_context():
        return spoken.text(db.session.scalars(select(Recording)).one(), "en")


def night(app: Flask) -> list[int]:
    """One night's work; the recordings it was about."""
    with app.app_context():
        found = originals.outlived(app_now())
        with db.writing():
            work.post(making_jobs.TIDY, "night", app_now())
        work.run_due(making_jobs.HANDLERS)
        assert work.dead_jobs() == []
        return found


KILLED = """
import sys
from app import create_app
from lib import work
from recordings import making_jobs
app = create_app({"DATABASE_URL": sys.argv[1], "COLLOQUY_DEMO": "1"})
with app.app_context():
    work.run_due(making_jobs.HANDLERS)
"""


@pytest.mark.both_databases
def test_a_worker_killed_in_the_middle_leaves_nothing_and_another_does_it_again(
    app: Flask, slug: str, films: Films, tmp_path: Path, instance: Path
) -> None:
    recording_id = made(app, slug, films.long)
    before = recording(app, slug)
    files = stored()
    cut(app, recording_id, cuts=[(2, 4)])
    slow = tmp_path / "ffmpeg"  # begins to write, and takes its time
    slow.write_text("#!/bin/sh\necho half > cut.mp4\nexec sleep 60\n")
    slow.chmod(0o700)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    command = [sys.executable, "-c", KILLED, str(app.config["DATABASE_URL"])]
    with subprocess.Popen(command, cwd=settings.ROOT, env=environment, stderr=subprocess.DEVNULL) as worker:
        for _ in range(600):
            if list(instance.glob("making/*/cut.mp4")):
                break
            time.sleep(0.05)
        else:
            raise AssertionError("the worker has not begun")
        worker.send_signal(signal.SIGKILL)
    found = recording(app, slug)
    assert (found.making, found.file, found.kept) == ("making", before.file, [])
    assert stored() == files

    with app.app_context(), db.writing():
        db.session.execute(update(work.Job).values(lease_until=None))
    work_off(app)
    found = recording(app, slug)
    assert (found.making, found.seconds, found.kept) == ("ready", 6, [[0, 2], [4, 8]])
    assert list(instance.glob("making/*/")) == []


def test_a_worker_that_is_asked_to_stop_leaves_the_film_to_the_next(app: Flask, slug: str, films: Films) -> None:
    recording_id = made(app, slug, films.long)
    cut(app, recording_id, trim_to=6)
    run = ffmpeg.run

    def asked_to_stop(*arguments: Any, **options: Any) -> None:
        work.stopping.set()
        run(*arguments, **options)

    try:
        with pytest.MonkeyPatch.context() as patch, app.app_context():
            patch.setattr("recordings.ffmpeg.run", asked_to_stop)
            work.run_due(making_jobs.HANDLERS)
    finally:
        work.stopping.clear()
    assert recording(app, slug).making == "making"
    with app.app_context(), db.writing():
        db.session.execute(update(work.Job).values(pause_until=None))
    work_off(app)
    assert recording(app, slug).seconds == 6


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1), (2, 1, 3)])
def test_parts_from_the_desk_stand_where_they_were_chosen_to_whichever_is_there_first(
    app: Flask, slug: str, order: tuple[int, ...]
) -> None:
    def add(position: int, name: str) -> list[str]:
        upload_id = arrive(app, slug, name.encode(), position=position, name=name)
        with app.app_context(), db.writing():
            making.look(upload_id, app_now())
            return making.add_part(upload_id, Facts("mov", 2.0, picture="h264"), app_now())

    for n in order:
        assert add(n, f"{n}") == []
    assert [(each.position, each.filename) for each in recording(app, slug).parts] == [(1, "1"), (2, "2"), (3, "3")]

    (second,) = [each.file for each in recording(app, slug).parts if each.position == 2]
    assert add(2, "again") == [second]
    assert [(each.position, each.filename) for each in recording(app, slug).parts] == [(1, "1"), (2, "again"), (3, "3")]


def test_the_desk_offers_the_places_that_parts_have_and_those_between(app: Flask, slug: str) -> None:
    with app.app_context():
        session_id = session_of(slug).id
        assert part_order.taken([session_id]) == {}
    for position in (4, 2):
        upload_id = arrive(app, slug, b"film", position=position)
    with app.app_context(), db.writing():
        making.look(upload_id, app_now())
        making.add_part(upload_id, Facts("mov", 2.0, picture="h264"), app_now())
    with app.app_context():
        assert part_order.taken([session_id]) == {session_id: [2, 4]}
        assert part_order.unseen([session_id]) == {session_id: 1}
