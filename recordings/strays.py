"""Files of the store that no row names: a worker that is killed between storing a file and its row leaves one."""

from datetime import datetime

from sqlalchemy import select

from lib import db
from recordings import publishing, storage
from recordings.handout_models import Handout
from recordings.models import Recording, RecordingPart
from recordings.uploads import Upload


def named() -> set[str]:
    """Every key of the store that a row names, in as many statements however many there are."""
    found = set(db.session.scalars(select(Handout.key)))
    found |= set(db.session.scalars(select(RecordingPart.file)))
    found |= set(db.session.scalars(select(Upload.key).where(Upload.state == "arrived")))
    for recording in db.session.scalars(select(Recording)):
        found |= publishing.keys(recording) | {words["key"] for words in recording.captions.values()}
    return found - {""}


def find(before: datetime) -> list[str]:
    """The keys that no row names of what was stored before `before`, by the clock of the store. Raises OSError.

    Rows are read after the store, so that what is named meanwhile is not found. Where no row names anything, neither is
    anything else: the rows of another installation might, or those that a restored database has yet to get.
    """
    stored = list(storage.older(before))
    known = named() if stored else set()
    return [each for each in stored if each not in known] if known else []
