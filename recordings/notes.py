"""Private notes: written, changed and forgotten by the attendee whose they are, and read by nobody else."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select

from lib import db, web
from recordings import cutting, watching
from recordings.models import Recording
from recordings.note_models import Note

MOST_NOTES = 500
LONGEST_NOTE = 4000


class TooManyNotes(web.Refusal):
    """As many notes on one recording as anybody reads again."""

    status = 409
    refusal = "too_many_notes"
    title = "There is no room for another note"


def of(attendee_id: int, recording_id: int) -> list[Note]:
    """An attendee's notes on a recording, in the film's order."""
    return list(
        db.session.scalars(
            select(Note)
            .where(Note.attendee_id == attendee_id, Note.recording_id == recording_id)
            .order_by(Note.at, Note.id)
        )
    )


def by_session(attendee_id: int) -> dict[int, int]:
    """How many notes an attendee has on the recordings of which sessions, by the session's id."""
    counted = (
        select(Recording.session_id, func.count())
        .join(Note, Note.recording_id == Recording.id)
        .where(Note.attendee_id == attendee_id)
        .group_by(Recording.session_id)
    )
    return {each[0]: each[1] for each in db.session.execute(counted)}


def find(attendee_id: int, recording_id: int, note_id: int) -> Note | None:
    return db.session.scalars(
        select(Note).where(Note.id == note_id, Note.attendee_id == attendee_id, Note.recording_id == recording_id)
    ).one_or_none()


def write(organiser_id: int, attendee_id: int, recording_id: int, at: int, text: str, now: datetime) -> Note:
    """Keep a new note. Raises TooManyNotes."""
    if len(of(attendee_id, recording_id)) >= MOST_NOTES:
        raise TooManyNotes(
            f"You have {MOST_NOTES} notes on this recording already, and all of them are kept. Add to one of them, or "
            f"delete one that you no longer need."
        )
    made = Note(
        organiser_id=organiser_id, attendee_id=attendee_id, recording_id=recording_id, at=at, text=text,
        created_at=now, changed_at=now,
    )  # fmt: skip
    db.session.add(made)
    db.session.flush()
    return made


def change(note: Note, at: int, text: str, now: datetime) -> None:
    note.at, note.text, note.changed_at = at, text, now


def remove(note: Note) -> None:
    db.session.delete(note)


def carry(recording: Recording, before: Sequence[Sequence[int]]) -> None:
    """Another cut of the same film is shown, and the one until now kept the stretches `before`: each note stays with
    what it is about."""
    for note in db.session.scalars(select(Note).where(Note.recording_id == recording.id)):
        note.at = cutting.carried_to(note.at, before, recording.kept)
    db.session.flush()


def forget(attendee_id: int) -> None:
    """Somebody else has the place: what its former holder wrote goes with them."""
    db.session.execute(delete(Note).where(Note.attendee_id == attendee_id))


def as_text(title: str, notes: list[Note]) -> str:
    """All of them as a plain text to keep."""
    return f"{title}\n\n" + "\n".join(f"{watching.clock(each.at)}\n{each.text}\n" for each in notes)
