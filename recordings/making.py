"""What the worker is asked to make of a recording, and what came of it: the only door to `Recording.making`.

waiting -> looking (is it a film?) -> waiting -> making -> ready | failed; whatever is asked anew begins at waiting.

A film made anew of a published recording becomes its `draft`, so that nobody watches what nobody has looked through.
Everything half-made is under keys that no row names. `turn` tells who is late: a worker whose turn is over says
nothing more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from courses.models import WorkshopSession
from history import models as history
from lib import db, web, work
from recordings import cutting, notes, part_order, publishing, uploads, viewings
from recordings.cutting import Chapter, Stretch
from recordings.film import Film
from recordings.models import Recording, RecordingPart
from recordings.probing import Facts
from recordings.uploads import Upload

MAKE = "recordings.make"  # {"recording": id, "turn": n}


class NotYet(web.Refusal):
    """The film is not ready, or no longer the one that somebody looked through."""

    refusal = "film_not_ready"
    title = "The film is not ready"


class NoOriginal(web.Refusal):
    """What the film was made of has been removed."""

    refusal = "no_original"
    title = "The original is no longer kept"


@dataclass(frozen=True)
class Wanted:
    """What is to be made: of `parts` (key, facts), or of the `whole` film where that is there already."""

    parts: tuple[tuple[str, Facts], ...]
    whole: str
    trim_from: int
    trim_to: int | None
    cuts: tuple[Stretch, ...]
    marks: tuple[Chapter, ...]


@dataclass(frozen=True)
class Made:
    """What was made: keys in the store. `file` is `whole` where nothing is left out."""

    whole: str
    whole_seconds: int
    file: str
    size: int
    film: Film

    @property
    def keys(self) -> set[str]:
        return {each for each in (self.whole, self.file, self.film.small, self.film.poster) if each}


def look(upload_id: int, now: datetime) -> str | None:
    """Begin to look at what has arrived: its key in the store, or None where that has been done."""
    upload = uploads.locked(upload_id)
    if upload.state != "arrived" or part_order.of_upload(upload_id):
        return None
    recording = publishing.expect_film(db.session.get_one(WorkshopSession, upload.session_id), now)
    if recording.making not in ("waiting", "making"):
        recording.making, recording.made_percent = "looking", 0
    return upload.key


def add_part(upload_id: int, facts: Facts, now: datetime) -> list[str]:
    """What has arrived is a film: it becomes the part at the position that was chosen for it, whichever of several is
    there first, and takes the place of an earlier one at it.

    Returns the keys that are no longer needed. Asks for the recording to be made.
    """
    upload = uploads.locked(upload_id)
    if upload.state != "arrived" or part_order.of_upload(upload_id):
        return []
    recording = _of_upload(upload)
    before = publishing.keys(recording)
    replaced = part_order.replaced_by(upload, recording)
    shown = [each for each in recording.parts if each.position and each not in replaced]
    place = part_order.place_of(upload, shown)
    is_last = not replaced and place == len(shown)
    _begin_anew(recording, keeps_cuts=is_last and bool(shown))
    for each in replaced:
        if each.upload_id:
            uploads.remove(uploads.locked(each.upload_id), by=upload.by, now=now)
        db.session.delete(each)
    part = RecordingPart(
        organiser_id=recording.organiser_id,
        recording_id=recording.id,
        upload_id=upload_id,
        position=upload.position,
        filename=upload.filename,
        file=upload.key,
        size=upload.length,
        seconds=-int(-facts.seconds // 1),
        facts=facts.told(),
        added_at=now,
    )
    db.session.add(part)
    part_order.put(part, shown, place)
    db.session.flush()
    db.session.expire(recording, ["parts"])
    _ask(recording, now)
    _record(recording, "part_added", upload.by, now, {"filename": upload.filename, "position": part.position})
    return [*(each.file for each in replaced if each.file), *sorted(before - publishing.keys(recording))]


def refuse(upload_id: int, why: str, now: datetime) -> list[str]:
    """What has arrived is no film. Whatever was there before stays as it is. Returns the keys no longer needed."""
    upload = uploads.locked(upload_id)
    if upload.state != "arrived":
        return []
    uploads.refuse(upload, why, now)
    recording = _of_upload(upload)
    if recording.making == "looking":
        recording.making = "failed" if recording.problem else "ready"
        if not (recording.file or recording.parts or recording.captions):
            db.session.delete(recording)
    return [upload.key]


def begin(recording_id: int, turn: int) -> Wanted | None:
    """What is to be made now, or None where that has been done, or something else was asked since."""
    recording = publishing.locked(recording_id)
    if recording.turn != turn or recording.making not in ("waiting", "making"):
        return None
    recording.making = "making"
    shown = [each for each in recording.parts if each.position]
    return Wanted(
        parts=tuple((each.file, Facts(**each.facts)) for each in shown),
        whole=recording.whole or ("" if shown else recording.file),
        trim_from=recording.trim_from,
        trim_to=recording.trim_to,
        cuts=tuple((int(a), int(b)) for a, b in recording.cuts),
        marks=tuple((int(at), str(title)) for at, title in recording.marks),
    )


def tell(recording_id: int, turn: int, percent: int) -> bool:
    """Write down how far it is. False: something else was asked since."""
    recording = publishing.locked(recording_id)
    if recording.turn != turn or recording.making != "making":
        return False
    recording.made_percent = percent
    return True


def finish(recording_id: int, turn: int, made: Made, now: datetime) -> list[str]:
    """Keep what was made; returns the keys that are not needed, all of them when something else was asked since."""
    recording = publishing.locked(recording_id)
    if recording.turn != turn or recording.making != "making":
        return sorted(made.keys - publishing.keys(recording))
    before = publishing.keys(recording) | made.keys
    is_same = _is_of_what_is_shown(recording, made.whole)
    recording.whole, recording.whole_seconds = made.whole, made.whole_seconds
    if recording.state == "published":
        film = made.film
        recording.draft = {
            "file": made.file,
            "size": made.size,
            "content_type": film.content_type,
            "seconds": film.seconds,
            "small": film.small,
            "poster": film.poster,
            "chapters": film.chapters,
            "kept": film.kept,
            "same": is_same,
        }
    else:
        recording.draft = {}
        _show(recording, made.file, made.size, made.film, is_same=is_same, actor="worker", now=now)
    recording.making, recording.made_percent, recording.problem = "ready", 100, ""
    return sorted(before - publishing.keys(recording))


def fail(recording_id: int, turn: int | None, problem: str, now: datetime) -> None:
    """It could not be made: `problem` says what happened, what is safe and what to do. What is played stays."""
    recording = publishing.locked(recording_id)
    if (turn is None or recording.turn == turn) and recording.making != "ready":
        recording.making, recording.problem = "failed", problem[:500]
        _record(recording, "making_failed", "worker", now, {"problem": problem[:500]})


def fail_looking(upload_id: int, problem: str, now: datetime) -> None:
    """The file could not be looked at, through no fault of its own."""
    recording = _of_upload(uploads.locked(upload_id))
    if recording.making == "looking":
        fail(recording.id, None, problem, now)


def again(recording_id: int, *, actor: str, now: datetime) -> None:
    """Try once more what failed. Raises NoOriginal where there is nothing to make it of."""
    recording = publishing.locked(recording_id)
    _record(recording, "making_asked", actor, now, {})
    waiting = part_order.waiting(recording)
    for each in waiting:
        recording.making, recording.made_percent, recording.problem = "looking", 0, ""
        work.post(uploads.LOOK_AT, f"upload:{each.id}", now, {"upload": each.id})
    if not waiting:
        _ask(recording, now)


def cut(
    recording_id: int,
    *,
    trim_from: int,
    trim_to: int | None,
    cuts: Sequence[Stretch],
    marks: Sequence[Chapter],
    actor: str,
    now: datetime,
) -> bool:
    """Ask for the film with these cuts and chapters. False: the chapters alone are new, and they stand at once.

    Raises NoOriginal; cutting.TimesBroken where nothing would be left.
    """
    recording = publishing.locked(recording_id)
    seconds = recording.whole_seconds or recording.seconds
    stretches = cutting.kept(seconds, trim_from, trim_to, cuts)
    recording.trim_from, recording.trim_to = trim_from, trim_to
    recording.cuts, recording.marks = [list(each) for each in cuts], [list(each) for each in marks]
    facts = {"from": trim_from, "to": trim_to, "cuts": recording.cuts, "chapters": len(recording.marks)}
    _record(recording, "cuts_asked", actor, now, facts)
    shown = recording.draft.get("kept") if recording.draft else recording.kept
    as_it_is = [] if cutting.is_all(stretches, seconds) else [list(each) for each in stretches]
    if recording.making == "ready" and as_it_is == [list(each) for each in shown or []]:
        chapters = [list(each) for each in cutting.chapters(marks, as_it_is)]
        if recording.draft:
            recording.draft = {**recording.draft, "chapters": chapters}
        else:
            recording.chapters = chapters
        return False
    _ask(recording, now)
    return True


def order(recording_id: int, positions: Mapping[int, int], *, actor: str, now: datetime) -> list[str]:
    """Put the parts in another order, by their ids; 0 leaves one out. Cuts begin anew, since their times mean others.

    Returns the keys that are no longer needed. Raises NoOriginal, NotYet when no part would be left.
    """
    recording = publishing.locked(recording_id)
    before = publishing.keys(recording)
    shown = sorted(
        (each for each in recording.parts if positions.get(each.id, 0) > 0),
        key=lambda each: (positions[each.id], each.position),
    )
    if not shown:
        raise NotYet("No part would be left in the recording. Nothing was changed. Please keep at least one of them.")
    if any(not each.file for each in shown):
        raise NoOriginal(_GONE)
    for each in recording.parts:
        each.position = 0
    for number, each in enumerate(shown, 1):
        each.position = number
    _begin_anew(recording, keeps_cuts=False)
    _ask(recording, now)
    _record(recording, "parts_ordered", actor, now, {"parts": [each.filename for each in shown]})
    return sorted(before - publishing.keys(recording))


def accept(recording_id: int, turn: int, *, actor: str, now: datetime) -> list[str]:
    """Somebody has looked through it: a published recording goes on with what was made anew. Keys no longer needed.

    Raises NotYet when it is not ready, or was made again since they opened the page.
    """
    recording = publishing.locked(recording_id)
    if recording.making != "ready" or not (recording.draft or recording.file):
        raise NotYet("It is still being made. Nothing was changed. Please wait until it is ready, and look through it.")
    if recording.turn != turn:
        raise NotYet("It was made again since you opened the page. Nothing was changed. Please look through it anew.")
    before = publishing.keys(recording)
    if recording.draft:
        draft = recording.draft
        film = Film(
            draft["content_type"],
            draft["seconds"],
            draft["small"],
            draft["poster"],
            tuple((int(at), str(title)) for at, title in draft["chapters"]),
            tuple((int(a), int(b)) for a, b in draft["kept"]),
        )
        recording.draft = {}
        is_same = draft.get("same", False)
        _show(recording, draft["file"], draft["size"], film, is_same=is_same, actor=actor, now=now)
    publishing.review(recording_id, actor=actor, now=now)
    return sorted(before - publishing.keys(recording))


def discard(recording_id: int, *, actor: str, now: datetime) -> list[str]:
    """Go on with the film that is published; what was made anew is not needed. The keys no longer needed."""
    recording = publishing.locked(recording_id)
    before = publishing.keys(recording)
    if recording.draft:
        recording.draft = {}
        _record(recording, "draft_discarded", actor, now, {})
    return sorted(before - publishing.keys(recording))


_GONE = (
    "The films you sent were removed some time after publication, as your settings say. What is published goes on. "
    "To change it, please upload the film again."
)


def _ask(recording: Recording, now: datetime) -> None:
    shown = [each for each in recording.parts if each.position]
    if not recording.whole and (any(not each.file for each in shown) or not (shown or recording.file)):
        raise NoOriginal(_GONE)
    recording.making, recording.made_percent, recording.problem = "waiting", 0, ""
    recording.turn += 1
    work.post(MAKE, f"recording:{recording.id}", now, {"recording": recording.id, "turn": recording.turn})


def _is_of_what_is_shown(recording: Recording, whole: str) -> bool:
    """Whether the film that is shown is cut from `whole` too, so that moments of the one are found in the other."""
    if whole == recording.file:
        return True
    is_newer = any(each.added_at > recording.uploaded_at for each in recording.parts)
    return whole == recording.whole and not is_newer and bool(recording.draft.get("same", True))


def _show(recording: Recording, key: str, size: int, film: Film, *, is_same: bool, actor: str, now: datetime) -> None:
    """Show another film; of another cut of the same one, people keep what they have watched and written down."""
    before = recording.kept
    publishing.put_film(recording.session, key, size, film, actor=actor, now=now)
    if is_same and before != recording.kept:
        viewings.carry(recording, before)
        notes.carry(recording, before)


def _begin_anew(recording: Recording, *, keeps_cuts: bool) -> None:
    """Another film altogether, or the same one with more at its end."""
    recording.whole, recording.whole_seconds, recording.draft, recording.trim_to = "", 0, {}, None
    if not keeps_cuts:
        recording.trim_from, recording.cuts, recording.marks = 0, [], []


def _of_upload(upload: Upload) -> Recording:
    found = db.session.scalars(select(Recording.id).where(Recording.session_id == upload.session_id)).one()
    return publishing.locked(found)


def _record(recording: Recording, verb: str, actor: str, now: datetime, facts: Mapping[str, Any]) -> None:
    about = f"recording:{recording.id}"
    history.record(about, verb, at=now, actor=actor, organiser_id=recording.organiser_id, facts=dict(facts))
