"""Films that somebody has put into the store themselves: below an organiser's own prefix there, taken over by name."""

import re
from typing import ClassVar

from lib import web
from recordings import storage

COPY = "recordings.copy_stored"  # {"upload": id, "object": its whole name}
LONGEST = 500
_PART = re.compile(r"[^\x00-\x1f\x7f\\/]+")


class NoSuchObject(web.Refusal):
    """The store has nothing of that name where the organiser's films are put."""

    status: ClassVar[int] = 422
    refusal: ClassVar[str] = "no_such_object"
    title = "There is no such film in the store"


def prefix(organiser: str) -> str:
    """Where an organiser's films are put, by its slug. Keys of films that came otherwise never begin so."""
    return f"import/{organiser}/"


def find(organiser: str, typed: str, most: int) -> tuple[str, int]:
    """The whole name of what was typed, and its length in bytes. Network, where the store is elsewhere.

    Raises NoSuchObject, also for a name that leads out of the organiser's own, and for more than `most` bytes; OSError.
    """
    name = typed.strip().removeprefix(prefix(organiser))
    parts = name.split("/")
    if len(name) > LONGEST or not all(_PART.fullmatch(part) and part.strip(".") for part in parts):
        raise NoSuchObject("This is not a name below your own part of the store. One looks like 2027/session-1.mp4.")
    whole = prefix(organiser) + name
    try:
        length = storage.length_of(whole)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as missing:
        raise NoSuchObject(f"There is no “{name}” below {prefix(organiser)} in the store.") from missing
    if length == 0:
        raise NoSuchObject("This object is empty.")
    if length > most:
        raise NoSuchObject(f"It is larger than a film may be, which is {most // 1024 // 1024} MB. Nothing was taken.")
    return whole, length
