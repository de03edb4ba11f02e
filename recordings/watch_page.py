"""What the page around the player shows, beside the film itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from recordings import spoken, transcript, viewings, watching
from recordings.access import Grant
from recordings.models import Recording
from recordings.transcript import Line
from recordings.watching import Coverage

SMALL = "small"
LONGEST_SEARCH = 80


@dataclass(frozen=True)
class Asked:
    """What the page's address asks for; each part may be missing."""

    at: int | None = None
    find: str = ""
    size: str = ""
    language: str = ""

    def but(self, **changes: str | int) -> dict[str, str | int]:
        """The address's own values with some changed; what is empty is left out."""
        kept = {"t": self.at, "find": self.find, "size": self.size, "language": self.language, **changes}
        return {name: value for name, value in kept.items() if value not in ("", None)}


@dataclass(frozen=True)
class Player:
    """A recording as one attendee finds it. Places in the film are in seconds."""

    recording: Recording
    asked: Asked
    coverage: Coverage
    starts_at: int
    left_off_at: int
    language: str = ""
    lines: Sequence[Line] = field(default_factory=list)
    found: Sequence[Line] = field(default_factory=list)

    @property
    def is_small(self) -> bool:
        return bool(self.asked.size == SMALL and self.recording.small)

    @property
    def chapters(self) -> list[tuple[int, str]]:
        return [(int(at), str(title)) for at, title in self.recording.chapters]

    def pieces(self, line: Line) -> list[tuple[str, bool]]:
        """A line cut where it says what was looked for."""
        return transcript.pieces(line.said, self.asked.find)


def of(grant: Grant, asked: Asked) -> Player:
    """The page's contents for whoever holds a grant; begins where it is asked to, else where they left off."""
    recording = grant.recording
    seen = viewings.of_window(grant.window.id) if grant.window else None
    left_off_at = watching.goes_on_at(seen.position, recording.seconds) if seen else 0
    language = _language(recording, asked.language)
    lines = _lines(recording, language)
    end = recording.seconds or watching.WITHOUT_LENGTH
    return Player(
        recording=recording,
        asked=asked,
        coverage=watching.coverage(seen.ranges if seen else [], recording.seconds),
        starts_at=left_off_at if asked.at is None else min(asked.at, end),
        left_off_at=left_off_at,
        language=language,
        lines=lines,
        found=transcript.matching(lines, asked.find) if asked.find else lines,
    )


def _language(recording: Recording, wanted: str) -> str:
    offered = sorted(recording.captions, key=lambda name: (name != wanted, name != "en", name))
    return offered[0] if offered else ""


def _lines(recording: Recording, language: str) -> list[Line]:
    """The captions as a text. A film can be watched without: where the store has lost them there are none."""
    if not language:
        return []
    try:
        text = spoken.text(recording, language)
    except OSError:
        return []
    return transcript.lines(text)
