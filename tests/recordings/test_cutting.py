"""What is kept of a film, where chapters and captions come to stand then, and times as people type them."""

import pytest

from recordings import captions, cutting
from recordings.cutting import TimesBroken


@pytest.mark.parametrize(
    ("trim_from", "trim_to", "cuts", "kept"),
    [
        (0, None, [], [(0, 100)]),
        (10, None, [], [(10, 100)]),
        (0, 90, [], [(0, 90)]),
        (0, 500, [], [(0, 100)]),
        (10, 90, [(20, 30)], [(10, 20), (30, 90)]),
        (0, None, [(0, 10)], [(10, 100)]),
        (0, None, [(90, 500)], [(0, 90)]),
        (0, None, [(40, 50), (20, 30)], [(0, 20), (30, 40), (50, 100)]),
        (0, None, [(20, 40), (30, 35), (40, 50)], [(0, 20), (50, 100)]),
        (30, 60, [(0, 40), (50, 100)], [(40, 50)]),
        (95, None, [(10, 20)], [(95, 100)]),
    ],
)
def test_what_is_kept(
    trim_from: int, trim_to: int | None, cuts: list[tuple[int, int]], kept: list[tuple[int, int]]
) -> None:
    assert cutting.kept(100, trim_from, trim_to, cuts) == kept
    assert cutting.length(kept) == sum(
        trim_from <= n < (100 if trim_to is None else trim_to) and not any(a <= n < b for a, b in cuts)
        for n in range(100)
    )


@pytest.mark.parametrize(
    ("trim_from", "trim_to", "cuts"), [(100, None, []), (50, 50, []), (0, None, [(0, 60), (60, 100)])]
)
def test_nothing_left_is_refused(trim_from: int, trim_to: int | None, cuts: list[tuple[int, int]]) -> None:
    with pytest.raises(TimesBroken, match="at least one second"):
        cutting.kept(100, trim_from, trim_to, cuts)


KEPT = [(10, 20), (30, 90)]


@pytest.mark.parametrize(
    ("at", "found"), [(0, 0), (10, 0), (15, 5), (20, 10), (25, 10), (30, 10), (89, 69), (90, None)]
)
def test_where_a_moment_comes_to_stand(at: int, found: int | None) -> None:
    assert cutting.moved(at, KEPT) == found


def test_chapters_move_with_the_film_and_one_that_is_all_cut_out_goes() -> None:
    marks = [
        (0, "Welcome"),
        (12, "Ground rules"),
        (22, "A story"),
        (28, "The model"),
        (50, "Practice"),
        (95, "Goodbye"),
    ]
    assert cutting.chapters(marks, KEPT) == [(0, "Welcome"), (2, "Ground rules"), (10, "The model"), (30, "Practice")]
    assert cutting.chapters(marks, []) == marks


@pytest.mark.parametrize(
    ("text", "seconds"), [("0:12:30", 750), ("12:30", 750), ("750", 750), ("1:00:00", 3600), (" 2:05 ", 125)]
)
def test_times_are_read(text: str, seconds: int) -> None:
    assert cutting.seconds_of(text) == seconds
    assert cutting.seconds_of(cutting.clock(seconds)) == seconds


@pytest.mark.parametrize("text", ["", "soon", "1:60:00", "0:00:60", "-1", "1:2:3:4", "1.5", "0:0x:10"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(TimesBroken):
        cutting.seconds_of(text)


def test_stretches_and_chapters_are_read_a_line_each() -> None:
    typed = "0:00:10 - 0:00:20\n\n1:00 to 1:30\n95 \N{EN DASH} 99\n"
    assert cutting.stretches_of(typed, 100) == [(10, 20), (60, 90), (95, 99)]
    assert cutting.marks_of("0:01:00 The  model\n0:00:00 Welcome", 100) == [(0, "Welcome"), (60, "The model")]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("0:00:10", "Line 1 should hold two times"),
        ("\n0:00:20 - 0:00:10", "line 2 ends before"),
        ("0:10:00 - 0:11:00", "after the film ends, which is at 0:01:40"),
        ("0:00:10 - 0:00:99", "more than 59"),
        ("1 - 2\n" * 101, "at most 100"),
    ],
)
def test_stretches_that_cannot_be_are_refused_by_their_line(typed: str, said: str) -> None:
    with pytest.raises(TimesBroken, match=said):
        cutting.stretches_of(typed, 100)


@pytest.mark.parametrize("typed", ["0:00:10", "Welcome", "0:10:00 Late"])
def test_chapters_that_cannot_be_are_refused(typed: str) -> None:
    with pytest.raises(TimesBroken, match=r"ine 1|not a time"):
        cutting.marks_of(typed, 100)


CUES = """WEBVTT

00:05.000 --> 00:09.000
Before it begins.

name
00:00:12.000 --> 00:00:14.500 align:start
Kept.

00:18.000 --> 00:21.000
Half of a secret.

00:22.000 --> 00:24.000
The secret.

00:30.000 --> 00:31.000
After it.
"""


def test_captions_are_cut_like_the_film_and_what_reaches_into_a_cut_goes() -> None:
    assert captions.cut(CUES, KEPT) == (
        "WEBVTT\n\nname\n00:00:02.000 --> 00:00:04.500 align:start\nKept.\n\n00:00:10.000 --> 00:00:11.000\nAfter it.\n"
    )
    assert captions.cut(CUES, []) == CUES
    assert captions.clean(captions.cut(CUES, KEPT).encode())


WHOLE: list[tuple[int, int]] = []
PIECES = [(10, 40), (60, 100)]  # 70 seconds: 0-30 and 30-70


@pytest.mark.parametrize(
    ("ranges", "before", "after", "found"),
    [
        ([(0, 100)], WHOLE, WHOLE, [(0, 100)]),
        ([(0, 100)], WHOLE, PIECES, [(0, 30), (30, 70)]),
        ([(0, 12), (38, 61)], WHOLE, PIECES, [(0, 2), (28, 30), (30, 31)]),
        ([(0, 10), (40, 60)], WHOLE, PIECES, []),
        ([(0, 70)], PIECES, WHOLE, [(10, 40), (60, 100)]),
        ([(20, 35)], PIECES, WHOLE, [(30, 40), (60, 65)]),
        ([(0, 70)], PIECES, PIECES, [(0, 30), (30, 70)]),
        ([(20, 35)], PIECES, [(0, 35), (61, 90)], [(30, 35), (35, 39)]),
        ([(0, 30)], PIECES, [(60, 100)], []),
        ([(0, 71)], PIECES, [(10, 30), (60, 100)], [(0, 20), (20, 61)]),
        ([], PIECES, WHOLE, []),
    ],
)
def test_what_was_watched_is_carried_into_another_cut(
    ranges: list[tuple[int, int]],
    before: list[tuple[int, int]],
    after: list[tuple[int, int]],
    found: list[tuple[int, int]],
) -> None:
    assert cutting.carried(ranges, before, after) == found


@pytest.mark.parametrize(
    ("at", "before", "after", "found"),
    [
        (50, WHOLE, WHOLE, 50),
        (0, WHOLE, PIECES, 0),
        (50, WHOLE, PIECES, 30),
        (70, WHOLE, PIECES, 40),
        (29, PIECES, WHOLE, 39),
        (30, PIECES, WHOLE, 60),
        (70, PIECES, WHOLE, 100),
        (65, PIECES, [(0, 90)], 90),
        (65, PIECES, [(0, 50)], 50),
        (5, PIECES, [(20, 100)], 0),
    ],
)
def test_a_moment_is_carried_into_another_cut(
    at: int, before: list[tuple[int, int]], after: list[tuple[int, int]], found: int
) -> None:
    assert cutting.carried_to(at, before, after) == found
