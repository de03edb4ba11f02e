"""What was watched adds up."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings import watching

SPANS = st.lists(st.tuples(st.integers(-50, 300), st.integers(-50, 300)), max_size=12)


@pytest.mark.parametrize(
    ("known", "more", "merged"),
    [
        ([], [(0, 30)], [[0, 30]]),
        ([[0, 30]], [(30, 60)], [[0, 60]]),
        ([[0, 30]], [(31, 60)], [[0, 30], [31, 60]]),
        ([[0, 30], [60, 90]], [(20, 70)], [[0, 90]]),
        ([[0, 30]], [(170, 999)], [[0, 30], [170, 192]]),
        ([[0, 30]], [(192, 999), (-5, 0), (40, 40), (50, 45)], [[0, 30]]),
    ],
)
def test_merging(known: list[list[int]], more: list[tuple[int, int]], merged: list[list[int]]) -> None:
    assert watching.merge(known, more, 192) == merged


@given(SPANS, SPANS, st.integers(1, 250))
def test_merged_ranges_are_sorted_apart_inside_the_film_and_hold_the_same_seconds(
    one: list[tuple[int, int]], other: list[tuple[int, int]], seconds: int
) -> None:
    merged = watching.merge(watching.merge([], one, seconds), other, seconds)

    assert {s for a, b in merged for s in range(a, b)} == {
        s for a, b in one + other for s in range(a, b) if 0 <= s < seconds
    }
    assert all(a < b for a, b in merged)
    assert all(left[1] < right[0] for left, right in pairwise(merged))
    assert 0 <= watching.percent(merged, seconds) <= 100
    assert watching.merge(merged, [], seconds) == merged


def test_a_hundred_per_cent_is_all_of_it() -> None:
    assert watching.percent([[0, 191]], 192) == 99
    assert watching.percent([[0, 192]], 192) == 100
    assert watching.percent([[0, 192]], 0) == 0


@pytest.mark.parametrize(
    "sent",
    [
        None,
        [],
        {},
        {"ranges": None},
        {"ranges": "0-30"},
        {"ranges": [[0]]},
        {"ranges": [[0, "30"]]},
        {"ranges": [[True, 30]]},
        {"ranges": [[0, float("nan")]]},
        {"ranges": [[0, float("inf")]]},
        {"ranges": [[0, 10**12]]},
        {"ranges": [[0, 1]] * 201},
    ],
)
def test_what_is_no_list_of_ranges(sent: Any) -> None:
    with pytest.raises(watching.NoRanges):
        watching.read(sent)


def test_seconds_are_whole() -> None:
    assert watching.read({"ranges": [[0.9, 30.9], [40, 50]]}) == [(0, 30), (40, 50)]
