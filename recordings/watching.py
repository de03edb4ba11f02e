"""Which seconds of a film were watched. Pure: what is known and what a player says in, what is known now out."""

from collections.abc import Iterable, Sequence
from typing import Any

Ranges = list[list[int]]
MOST_AT_ONCE = 200
WITHOUT_LENGTH = 24 * 60 * 60  # the end of a film that does not say how long it is


class NoRanges(ValueError):
    """What a player sent is no list of [from, to] in seconds."""


def read(sent: Any) -> list[tuple[int, int]]:
    """The ranges a player sent, in whole seconds. Raises NoRanges."""
    ranges = sent.get("ranges") if isinstance(sent, dict) else None
    if not isinstance(ranges, list) or len(ranges) > MOST_AT_ONCE:
        raise NoRanges(f"ranges has to be a list of at most {MOST_AT_ONCE} pairs")
    return [_pair(each) for each in ranges]


def merge(known: Sequence[Sequence[int]], more: Iterable[tuple[int, int]], seconds: int) -> Ranges:
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


def percent(ranges: Sequence[Sequence[int]], seconds: int) -> int:
    """How much of the film was watched: 100 only for all of it, 0 where its length is unknown."""
    return 100 * sum(last - first for first, last in ranges) // seconds if seconds else 0


def _pair(each: Any) -> tuple[int, int]:
    is_pair = isinstance(each, list) and len(each) == 2 and all(type(part) in (int, float) for part in each)
    if not is_pair or not all(abs(part) < 10**9 for part in each):  # neither NaN nor infinite either
        raise NoRanges("each range is [from, to] in seconds")
    return int(each[0]), int(each[1])
