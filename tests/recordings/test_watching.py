"""What was watched adds up."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings import tabs, watching
from recordings.tabs import Tab
from tests.conftest import MORNING

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
    ("known", "more", "most", "added", "over"),
    [
        ([], [(0, 30)], 60, [[0, 30]], []),
        ([], [(0, 192)], 60, [[0, 60]], [(60, 192)]),
        ([], [(0, 192)], 0, [], [(0, 192)]),
        ([[0, 30]], [(0, 30)], 0, [[0, 30]], []),
        ([[10, 20]], [(0, 40)], 15, [[0, 25]], [(25, 40)]),
        ([], [(100, 110), (0, 30)], 20, [[0, 10], [100, 110]], [(10, 30)]),
        ([], [(-30, 10), (190, 999), (500, 600), (40, 30)], 60, [[0, 10], [190, 192]], []),
        ([[0, 10], [20, 30], [40, 50]], [(5, 45)], 12, [[0, 32], [40, 50]], [(32, 40)]),
    ],
)
def test_no_more_is_added_than_can_have_been_played(
    known: list[list[int]], more: list[tuple[int, int]], most: int, added: list[list[int]], over: list[tuple[int, int]]
) -> None:
    assert watching.add(known, more, 192, most) == (added, over)


@given(SPANS, SPANS, st.integers(1, 250), st.integers(0, 300))
def test_what_is_added_and_what_is_too_much_come_to_what_was_sent(
    one: list[tuple[int, int]], other: list[tuple[int, int]], seconds: int, most: int
) -> None:
    known = watching.merge([], one, seconds)
    added, over = watching.add(known, other, seconds, most)

    assert watching.merge(added, over, seconds) == watching.merge(known, other, seconds)
    before, after = watching.coverage(known, seconds), watching.coverage(added, seconds)
    assert 0 <= after.watched - before.watched <= most
    assert after.left == seconds - after.watched
    assert watching.add(added, other, seconds, 0)[0] == added


def test_coverage_is_of_the_film_as_it_is_now() -> None:
    assert watching.coverage([[0, 100], [150, 192]], 120) == watching.Coverage(100, 120)
    assert watching.coverage([[0, 100]], 0).percent == 0


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(11400, "3 h 10 min"), (3600, "1 h"), (3601, "1 h 1 min"), (59, "1 min"), (1, "1 min"), (0, "")],
)
def test_a_length_in_words(seconds: int, said: str) -> None:
    assert watching.in_words(seconds) == said


def test_where_a_film_is_taken_up_again() -> None:
    assert [watching.goes_on_at(at, 192) for at in (0, 100, 182, 183, 192)] == [0, 100, 182, 0, 0]
    assert watching.goes_on_at(9999, 0) == 9999
    assert watching.clock(2480) == "0:41:20"
    assert [watching.read_position({"at": at}) for at in (41.9, -3, None)] == [41, 0, None]
    for wrong in ("41", True, float("nan"), 10**12):
        with pytest.raises(watching.NoRanges):
            watching.read_position({"at": wrong})


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


def test_a_page_that_was_forgotten_is_no_new_one() -> None:
    """Opening page after page makes no room for one stamp to be used from its beginning again."""
    first = Tab("first", MORNING)
    kept = tabs.reported({}, first, MORNING)
    for number in range(tabs.KEPT):
        at = MORNING + timedelta(minutes=number + 1)
        kept = tabs.reported(kept, Tab(str(number), at), at)
    now = MORNING + timedelta(hours=1)
    assert "first" not in kept["last"]
    assert tabs.most(kept, first, now) == 0
    assert tabs.most(kept, Tab("new", now - timedelta(seconds=7)), now) == 14
    assert tabs.most(kept, Tab("19", MORNING), now) == 2 * 40 * 60
    assert tabs.most({}, Tab("early", now), MORNING) == 0  # a clock that was put back
