"""Which seconds of a film were watched. Pure: what is known and what a player says in, what is known now out."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Ranges = list[list[int]]
Span = tuple[int, int]
MOST_AT_ONCE = 200
MOST_SPEED = 2  # seconds of film that a second of life can play: the fastest that a player offers
WITHOUT_LENGTH = 24 * 60 * 60  # the end of a film that does not say how long it is
NEAR_THE_END = 10  # whoever left off with so few seconds to go begins anew


class NoRanges(ValueError):
    """What a player sent is no list of [from, to] in seconds."""


@dataclass(frozen=True)
class Coverage:
    """How much of a film was watched, in seconds of it; the figure for attendee, organiser and certificate alike."""

    watched: int
    seconds: int

    @property
    def percent(self) -> int:
        """100 only for all of it, 0 where the film's length is unknown."""
        return 100 * self.watched // self.seconds if self.seconds else 0

    @property
    def left(self) -> int:
        return max(self.seconds - self.watched, 0)


def read(sent: Any) -> list[Span]:
    """The ranges a player sent, in whole seconds. Raises NoRanges."""
    ranges = sent.get("ranges") if isinstance(sent, dict) else None
    if not isinstance(ranges, list) or len(ranges) > MOST_AT_ONCE:
        raise NoRanges(f"ranges has to be a list of at most {MOST_AT_ONCE} pairs")
    return [_pair(each) for each in ranges]


def read_position(sent: Any) -> int | None:
    """Where the player stands, in whole seconds, or None where it does not say. Raises NoRanges."""
    at = sent.get("at") if isinstance(sent, dict) else None
    if at is None:
        return None
    if type(at) not in (int, float) or not abs(at) < 10**9:
        raise NoRanges("at has to be a number of seconds")
    return max(int(at), 0)


def read_tab(sent: Any) -> str:
    """The stamp of the page that reports, empty where it sends none."""
    tab = sent.get("tab") if isinstance(sent, dict) else None
    return tab if isinstance(tab, str) else ""


def merge(known: Sequence[Sequence[int]], more: Iterable[Span], seconds: int) -> Ranges:
    """All of it as sorted ranges that do not touch, nothing before the film or beyond its end."""
    end = seconds or WITHOUT_LENGTH
    cut = [(max(first, 0), min(last, end)) for first, last in [*((a, b) for a, b in known), *more]]
    merged: Ranges = []
    for first, last in sorted(each for each in cut if each[0] < each[1]):
        if merged and first <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], last)
        else:
            merged.append([first, last])
    return merged


def add(known: Sequence[Sequence[int]], more: Iterable[Span], seconds: int, most: int) -> tuple[Ranges, list[Span]]:
    """What is known with at most `most` new seconds of `more`, in the order they were played; and what was too much.

    What is known already costs nothing, so that the same report sent again adds nothing and takes nothing away.
    """
    end = seconds or WITHOUT_LENGTH
    merged, over = merge(known, (), seconds), []
    for first, last in more:
        for gap in list(_gaps(merged, max(first, 0), min(last, end))):
            taken = min(gap[1] - gap[0], most)
            most -= taken
            merged = merge(merged, [(gap[0], gap[0] + taken)], seconds)
            if gap[0] + taken < gap[1]:
                over.append((gap[0] + taken, gap[1]))
    return merged, over


def coverage(ranges: Sequence[Sequence[int]], seconds: int) -> Coverage:
    """What the ranges come to in a film of that length, which may be another one than when they were noted."""
    return Coverage(sum(last - first for first, last in merge(ranges, (), seconds)), seconds)


def percent(ranges: Sequence[Sequence[int]], seconds: int) -> int:
    """How much of the film was watched: 100 only for all of it, 0 where its length is unknown."""
    return coverage(ranges, seconds).percent


def goes_on_at(position: int, seconds: int) -> int:
    """Where a film is taken up again by whoever left off at `position`: at its beginning when it was nearly over."""
    return 0 if seconds and position > seconds - NEAR_THE_END else position


def clock(seconds: int) -> str:
    """A place in a film as it is written: 0:41:20."""
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def in_words(seconds: int) -> str:
    """A length of time in hours and minutes, rounded up so that a rest is never nothing: 3 h 10 min."""
    hours, minutes = divmod(-(-seconds // 60), 60)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "") if part)


def _gaps(merged: Sequence[Sequence[int]], first: int, last: int) -> Iterator[Span]:
    """The parts of [first, last) that no range holds."""
    for known_first, known_last in merged:
        if known_last <= first:
            continue
        if known_first >= last:
            break
        if first < known_first:
            yield first, known_first
        first = max(first, known_last)
    if first < last:
        yield first, last


def _pair(each: Any) -> Span:
    is_pair = isinstance(each, list) and len(each) == 2 and all(type(part) in (int, float) for part in each)
    if not is_pair or not all(abs(part) < 10**9 for part in each):  # neither NaN nor infinite either
        raise NoRanges("each range is [from, to] in seconds")
    return int(each[0]), int(each[1])
