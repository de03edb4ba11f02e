"""What of a film is shown: the stretches kept after trim and cuts, and where chapters and captions come to stand.

Pure. All times are whole seconds; a film's stretches are (from, to), `to` not included.
"""

import re
from collections.abc import Iterable, Sequence

Stretch = tuple[int, int]
Chapter = tuple[int, str]
MOST_CUTS = 100
MOST_CHAPTERS = 100
LONGEST_TITLE = 120
_ENDLESS = 10**9
_TIME = re.compile(r"(?:(?:(\d{1,2}):)?(\d{1,2}):)?(\d{1,5})")
_STRETCH = re.compile(r"([\d:]+)\s*(?:-|\N{EN DASH}|to|until)\s*([\d:]+)")


class TimesBroken(ValueError):
    """Times that cannot be read, or that leave nothing; the message is a sentence for whoever typed them."""


def kept(seconds: int, trim_from: int, trim_to: int | None, cuts: Iterable[Sequence[int]]) -> list[Stretch]:
    """What is left of a film of so many seconds, in order. Cuts may overlap. Raises TimesBroken when nothing is."""
    end = seconds if trim_to is None else min(trim_to, seconds)
    at = max(trim_from, 0)
    found: list[Stretch] = []
    for first, last in sorted((int(a), int(b)) for a, b in cuts):
        if first >= end:
            break
        if first > at:
            found.append((at, first))
        at = max(at, last)
    if at < end:
        found.append((at, end))
    if not found:
        raise TimesBroken("Nothing of the film would be left. Please keep at least one second of it.")
    return found


def is_all(stretches: Sequence[Sequence[int]], seconds: int) -> bool:
    """Whether nothing is left out. No stretches at all stand for the whole film."""
    return not stretches or [tuple(each) for each in stretches] == [(0, seconds)]


def length(stretches: Iterable[Sequence[int]]) -> int:
    return sum(last - first for first, last in stretches)


def moved(at: int, stretches: Sequence[Sequence[int]]) -> int | None:
    """Where a moment of the whole film is in the film that is shown; what was cut out is where it goes on.

    None for what comes after the last stretch.
    """
    before = 0
    for first, last in stretches:
        if at < last:
            return before + max(at - first, 0)
        before += last - first
    return None


def carried(
    ranges: Iterable[Sequence[int]], before: Sequence[Sequence[int]], after: Sequence[Sequence[int]]
) -> list[Stretch]:
    """Ranges of a film that keeps the stretches `before`, in the times of one that keeps those of `after`.

    What the new one leaves out is gone; what the old one left out is in no range. No stretches stand for the whole
    film. The last of them has no end, since a film may last a second longer than what it was cut from.
    """
    shifts = [(first - at, at, at + last - first) for at, (first, last) in _placed(before)]
    whole = [
        (max(a, start) + shift, min(b, end) + shift)
        for a, b in ranges
        for shift, start, end in shifts
        if a < end and start < b
    ]
    return [
        (max(a, first) + at - first, min(b, last) + at - first)
        for a, b in whole
        for at, (first, last) in _placed(after)
        if a < last and first < b
    ]


def carried_to(at: int, before: Sequence[Sequence[int]], after: Sequence[Sequence[int]]) -> int:
    """The same for one moment. What the new film leaves out is where it goes on, or its end."""
    whole = next(first + at - start for start, (first, last) in _placed(before) if at < start + last - first)
    if not after:
        return whole
    place = moved(whole, after)
    return length(after) if place is None else place


def _placed(stretches: Sequence[Sequence[int]]) -> list[tuple[int, Stretch]]:
    """Where each stretch begins in the film that keeps them, the last one without an end."""
    found, at = [], 0
    for n, (first, last) in enumerate(stretches or [(0, _ENDLESS)], 1):
        found.append((at, (first, _ENDLESS if n == len(stretches) else last)))
        at += last - first
    return found


def chapters(marks: Iterable[tuple[int, str] | Sequence[object]], stretches: Sequence[Sequence[int]]) -> list[Chapter]:
    """Chapters in the times of the film that is shown. Of two that come to begin together the later one stays: all of
    the earlier one has been cut out."""
    found: dict[int, str] = {}
    for at, title in sorted((int(str(each[0])), str(each[1])) for each in marks):
        place = moved(at, stretches) if stretches else at
        if place is not None:
            found[place] = title
    return sorted(found.items())


def seconds_of(text: str) -> int:
    """The seconds of 1:02:03, 2:03 or 3. Raises TimesBroken."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise TimesBroken(f"“{text.strip()[:40]}” is not a time. One looks like 0:12:30.")
    hours, minutes, seconds = (int(each or 0) for each in match.groups())
    if (match[2] is not None and seconds > 59) or (match[1] is not None and minutes > 59):
        raise TimesBroken(f"“{text.strip()[:40]}” has more than 59 minutes or seconds in it. Please check it.")
    return (hours * 60 + minutes) * 60 + seconds


def clock(seconds: int) -> str:
    """As it is typed: 0:12:30."""
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def stretches_of(text: str, seconds: int) -> list[Stretch]:
    """Stretches to cut out, one a line: 0:12:30 - 0:14:00. Raises TimesBroken, which line."""
    found = []
    for number, line in _lines(text, MOST_CUTS):
        match = _STRETCH.fullmatch(line)
        if match is None:
            raise TimesBroken(f"Line {number} should hold two times, as in 0:12:30 - 0:14:00.")
        first, last = seconds_of(match[1]), seconds_of(match[2])
        if last <= first:
            raise TimesBroken(f"The stretch in line {number} ends before it begins.")
        _within(number, first, seconds)
        found.append((first, last))
    return found


def marks_of(text: str, seconds: int) -> list[Chapter]:
    """Chapters, one a line: 0:12:30 The second exercise. Raises TimesBroken, which line."""
    found = []
    for number, line in _lines(text, MOST_CHAPTERS):
        time, _, title = line.partition(" ")
        if not title.strip():
            raise TimesBroken(f"Line {number} should hold a time and a title, as in 0:12:30 The second exercise.")
        at = seconds_of(time)
        _within(number, at, seconds)
        found.append((at, " ".join(title.split())[:LONGEST_TITLE]))
    return sorted(found)


def _lines(text: str, most: int) -> list[tuple[int, str]]:
    found = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if len(found) > most:
        raise TimesBroken(f"There are {len(found)} lines; at most {most} can be used.")
    return found


def _within(number: int, at: int, seconds: int) -> None:
    if at >= seconds:
        raise TimesBroken(f"Line {number} begins after the film ends, which is at {clock(seconds)}.")
