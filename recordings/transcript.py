"""A recording's captions as a text to read beside it: whole sentences, each with the second it begins at. Pure."""

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from recordings import watching

LONGEST = 220  # letters after which a line ends even within a sentence
A_PAUSE = 4  # seconds of silence after which a new line begins
_CUE = re.compile(r"(?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.\d{3}[ \t]+-->[ \t]+(?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.\d{3}")
_VOICE = re.compile(r"<v(?:\.[^\s>]+)*[ \t]+([^>]+)>")
_TAG = re.compile(r"<[^>]*>")
_ENDS = (".", "?", "!", "…", ".”", "?”", "!”", '."', '?"', '!"')


@dataclass(frozen=True)
class Line:
    """What is said from second `at` on, and by whom where the captions name them."""

    at: int
    until: int
    voice: str
    text: str

    @property
    def clock(self) -> str:
        return watching.clock(self.at)

    @property
    def said(self) -> str:
        """The text with its speaker."""
        return f"{self.voice}: {self.text}" if self.voice else self.text


def lines(captions: str) -> list[Line]:
    """The cues of clean WebVTT, joined until a sentence ends, another person speaks or nobody does."""
    found: list[Line] = []
    for cue in _cues(captions):
        if found and _goes_on(found[-1], cue):
            found[-1] = replace(found[-1], until=cue.until, text=f"{found[-1].text} {cue.text}")
        else:
            found.append(cue)
    # A speaker is named where they begin, not on each of their lines.
    return [
        replace(each, voice="") if before and each.voice == before.voice else each
        for before, each in zip([None, *found], found, strict=False)
    ]


def matching(all_lines: Sequence[Line], words: str) -> list[Line]:
    """The lines that say `words`, in whatever letter case."""
    return [each for each in all_lines if words.casefold() in each.said.casefold()]


def pieces(text: str, words: str) -> list[tuple[str, bool]]:
    """A text cut at each place where it says `words`: what it says, and whether that is one of them."""
    if not words:
        return [(text, False)]
    parts = re.split(f"({re.escape(words)})", text, flags=re.IGNORECASE)
    return [(part, number % 2 == 1) for number, part in enumerate(parts) if part]


def _cues(captions: str) -> Iterator[Line]:
    for block in captions.split("\n\n")[1:]:
        rows = block.strip("\n").split("\n")
        for number, row in enumerate(rows[:2]):
            match = _CUE.match(row)
            if match:
                spoken = " ".join(rows[number + 1 :])
                voice = _VOICE.search(spoken)
                text = _plain(spoken)
                if text:
                    numbers = [int(part or 0) for part in match.groups()]
                    yield Line(_seconds(numbers[:3]), _seconds(numbers[3:]), _plain(voice[1]) if voice else "", text)
                break


def _goes_on(before: Line, cue: Line) -> bool:
    return (
        cue.voice == before.voice
        and not before.text.endswith(_ENDS)
        and len(before.text) + len(cue.text) < LONGEST
        and cue.at - before.until < A_PAUSE
    )


def _plain(text: str) -> str:
    return " ".join(html.unescape(_TAG.sub("", text)).split())


def _seconds(numbers: Sequence[int]) -> int:
    hours, minutes, seconds = numbers
    return (hours * 60 + minutes) * 60 + seconds
