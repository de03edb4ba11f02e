"""The films that a recording is joined of: which position each has, and whose place a newly arrived one takes.

A position is what somebody chose at the desk, or the next free one. It stays when others arrive before or after,
so that there may be gaps.
"""

from collections.abc import Sequence

from sqlalchemy import Select, select, union

from lib import db
from recordings.models import Recording, RecordingPart
from recordings.uploads import Upload


def replaced_by(upload: Upload, recording: Recording) -> list[RecordingPart]:
    """The part whose place an upload takes: the one at the position that was chosen, as one does at the desk."""
    if upload.source != "desk":
        return []
    return [each for each in recording.parts if each.position == upload.position]


def place_of(upload: Upload, shown: Sequence[RecordingPart]) -> int:
    """Before which of the parts shown an upload belongs: the first that was chosen to come later.

    Films from Zoom come in the order of their own positions, also where somebody has put the others elsewhere.
    """
    later = _later_from_zoom(upload) if upload.source == "zoom" else set()
    return next(
        (n for n, each in enumerate(shown) if each.upload_id in later or each.position > upload.position), len(shown)
    )


def put(part: RecordingPart, shown: list[RecordingPart], place: int) -> None:
    """Put a part before the one that is at `place`; the others keep their positions where there is room for it."""
    if place < len(shown):
        part.position = min(part.position, shown[place].position)
    shown.insert(place, part)
    least = 1
    for each in shown:
        each.position = max(each.position, least)
        least = each.position + 1


def taken(session_ids: Sequence[int]) -> dict[int, list[int]]:
    """The positions that the film of each session has parts at, those that wait to be looked at too, in order."""
    joined = (
        select(Recording.session_id, RecordingPart.position)
        .join(RecordingPart, RecordingPart.recording_id == Recording.id)
        .where(Recording.session_id.in_(sorted(session_ids)), RecordingPart.position > 0)
    )
    found: dict[int, list[int]] = {}
    for session_id, position in db.session.execute(union(joined, _unseen(session_ids)).order_by("position")):
        found.setdefault(session_id, []).append(position)
    return found


def unseen(session_ids: Sequence[int]) -> dict[int, int]:
    """How many films of each session have arrived and wait to be looked at, in one statement."""
    found: dict[int, int] = {}
    for session_id, _ in db.session.execute(_unseen(session_ids)):
        found[session_id] = found.get(session_id, 0) + 1
    return found


def waiting(recording: Recording) -> list[Upload]:
    """The films of a recording that have arrived and wait to be looked at."""
    ids = _unseen([recording.session_id]).with_only_columns(Upload.id)
    return list(db.session.scalars(select(Upload).where(Upload.id.in_(ids)).order_by(Upload.id)))


def of_upload(upload_id: int) -> int | None:
    """The part that an upload has become."""
    return db.session.scalar(select(RecordingPart.id).where(RecordingPart.upload_id == upload_id))


def _unseen(session_ids: Sequence[int]) -> Select[int, int]:
    return (
        select(Upload.session_id, Upload.position)
        .outerjoin(RecordingPart, RecordingPart.upload_id == Upload.id)
        .where(Upload.session_id.in_(sorted(session_ids)), Upload.state == "arrived", RecordingPart.id.is_(None))
    )


def _later_from_zoom(upload: Upload) -> set[int]:
    """What of the same session's film comes after it, as Zoom recorded it."""
    return set(
        db.session.scalars(
            select(Upload.id).where(
                Upload.session_id == upload.session_id, Upload.source == "zoom", Upload.position > upload.position
            )
        )
    )
