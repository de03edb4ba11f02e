"""What the worker does with films that have arrived: looks at them, makes the recording, removes old originals."""

import io
import time
from collections.abc import Callable
from datetime import datetime

import structlog

from lib import db, work
from recordings import ffmpeg, film_making, making, originals, probing, spoken, storage, uploads
from recordings.models import Recording

TIDY = "recordings.remove_originals"
MOST_TRIES = 4  # of a job that ends with its worker, or for a reason nobody foresaw
TOLD_EVERY = 2  # seconds

log = structlog.get_logger()


class Superseded(Exception):
    """Something else was asked since: what is being made is not wanted any more."""


def look_at(task: work.Task, now: datetime) -> None:
    """Ask ffprobe what has arrived. A film becomes a part of the recording, which is then made; others are refused."""
    upload_id = int(task.arguments["upload"])
    with db.writing():
        key = making.look(upload_id, now)
    if key is None:
        return
    try:
        with work.held(task), storage.local(key) as file:
            facts = probing.facts(ffmpeg.look(file))
    except (probing.NotAFilm, ffmpeg.Failed) as found:
        why = str(found) if isinstance(found, probing.NotAFilm) else probing.BROKEN
        with db.writing():
            old = making.refuse(upload_id, why, now)
        storage.forget(old)
        return
    except Exception as found:
        sentence = _sentence(task, found)
        with db.writing():
            making.fail_looking(upload_id, sentence, now)
        log.warning("a film could not be looked at", upload=upload_id, error=repr(found))
        return
    with db.writing():
        old = making.add_part(upload_id, facts, now)
    storage.forget(old)


def make(task: work.Task, now: datetime) -> None:
    """Make a recording's films. Done again from the beginning by another worker when this one ends in the middle."""
    recording_id, turn = int(task.arguments["recording"]), int(task.arguments["turn"])
    with db.writing():
        wanted = making.begin(recording_id, turn)
        if wanted and task.attempts > MOST_TRIES:
            making.fail(recording_id, turn, film_making.INTERRUPTED, now)
            wanted = None
    if wanted is None:
        return
    try:
        with work.held(task), ffmpeg.private_folder() as folder:
            made = film_making.make(wanted, folder, _teller(recording_id, turn))
    except Superseded:
        return
    except Exception as found:
        sentence = _sentence(task, found)
        with db.writing():
            making.fail(recording_id, turn, sentence, now)
        log.warning("a recording could not be made", recording=recording_id, error=repr(found))
        return
    try:
        with db.writing():
            old = making.finish(recording_id, turn, made, now)
    except BaseException:
        storage.forget(sorted(made.keys - {wanted.whole}))
        raise
    storage.forget(old)


def remove_originals(_task: work.Task, now: datetime) -> None:
    """Every night: what recordings were made of, once it has been kept for as long as their organisers say."""
    for recording_id in originals.outlived(now):
        recording = db.session.get_one(Recording, recording_id)
        uncut = [name for name, each in recording.captions.items() if recording.kept and not each.get("cut")]
        cut = {}
        for name in uncut:
            key, _ = storage.keep(io.BytesIO(spoken.text(recording, name).encode()))
            cut[name] = {"of": str(recording.captions[name]["key"]), "key": key}
        db.session.rollback()
        with db.writing():
            old = originals.remove(recording_id, cut, now)
        storage.forget(old)


def _teller(recording_id: int, turn: int) -> Callable[[int], None]:
    """Writes progress down now and then; ends the work when it is not wanted any more, or the worker has to end."""
    last = [-1, time.monotonic()]

    def tell(percent: int) -> None:
        if work.stopping.is_set():
            raise work.Stopped
        if percent > last[0] and time.monotonic() >= last[1]:
            with db.writing():
                is_wanted = making.tell(recording_id, turn, percent)
            if not is_wanted:
                raise Superseded
            last[:] = percent, time.monotonic() + TOLD_EVERY

    return tell


def _sentence(task: work.Task, found: Exception) -> str:
    """What the team reads. What nobody foresaw is tried again some times before anybody is told: raised as it is."""
    if isinstance(found, work.Later):
        raise found
    sentence = film_making.problem(found)
    if not sentence:
        if task.attempts < MOST_TRIES:
            raise found
        sentence = film_making.INTERRUPTED
    return sentence


HANDLERS: work.Handlers = {uploads.LOOK_AT: look_at, making.MAKE: make, TIDY: remove_originals}
LONG = (uploads.LOOK_AT, making.MAKE)
NIGHTLY = (TIDY,)
