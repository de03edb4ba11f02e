"""Which session a recording of Zoom's is of, and which of its files are the film. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

MARGIN = timedelta(hours=1)  # before a session begins and after it ends
EARLY = timedelta(minutes=20)
# The best first, by Zoom's own names (recording_type): who speaks beside what is shown, then what lacks one of them.
VIEWS = (
    "shared_screen_with_speaker_view",
    "shared_screen_with_speaker_view(CC)",
    "shared_screen_with_gallery_view",
    "active_speaker",
    "gallery_view",
    "shared_screen",
)
_JOIN = re.compile(r"/(?:j|w|s|wc/join|wc)/([0-9]{9,12})(?:/.*)?")


@dataclass(frozen=True)
class Meeting:
    """A session that meets at Zoom under this number."""

    session_id: int
    number: str
    starts_at: datetime
    ends_at: datetime


def number_in(url: str) -> str:
    """The meeting's number in a link to join: https://zoom.us/j/<number>, on any host below zoom.us; '' for another."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return ""
    match = _JOIN.fullmatch(parts.path) if host == "zoom.us" or host.endswith(".zoom.us") else None
    return match[1] if match else ""


def sessions_of(number: str, started_at: datetime, known: Iterable[Meeting]) -> list[int]:
    """The sessions that a recording may be of: one is the one, none and several are for somebody to say.

    Its number is the session's and it began within MARGIN of the session's times: during one; else before one, the next
    to begin; else after one, the last to end. Whoever begins EARLY before a session while another one is on may be
    recording either.
    """
    near = [
        each
        for each in known
        if each.number == number and each.starts_at - MARGIN <= started_at <= each.ends_at + MARGIN
    ]
    during = [each for each in near if each.starts_at <= started_at < each.ends_at]
    before = [each for each in near if started_at < each.starts_at]
    if during:
        found = during + [each for each in before if each.starts_at - started_at <= EARLY]
    elif before:
        first = min(each.starts_at for each in before)
        found = [each for each in before if each.starts_at == first]
    else:
        last = max((each.ends_at for each in near), default=None)
        found = [each for each in near if each.ends_at == last]
    return sorted(each.session_id for each in found)


def films(files: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The films in the order they were recorded, one for each stretch: Zoom begins a new set of files when a recording
    was paused, and keeps each stretch in several views."""
    best: dict[str, Mapping[str, Any]] = {}
    for each in files:
        if each["type"] == "MP4" and _is_there(each) and each["size"]:
            known = best.get(each["starts_at"])
            if known is None or _rank(each) < _rank(known):
                best[each["starts_at"]] = each
    return [best[start] for start in sorted(best)]


def transcript(files: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The words of a recording as WebVTT (file_type TRANSCRIPT, else CC), when all of them are in one file."""
    for wanted in ("TRANSCRIPT", "CC"):
        found = [each for each in files if each["type"] == wanted and _is_there(each)]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _is_there(each: Mapping[str, Any]) -> bool:
    return bool(each["id"] and each["url"] and each["starts_at"]) and each["status"] in ("completed", "")


def _rank(each: Mapping[str, Any]) -> int:
    return VIEWS.index(each["view"]) if each["view"] in VIEWS else len(VIEWS)
