"""Which bytes of a file of 10,240: VID-01 to VID-03."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings import ranges
from recordings.ranges import Piece, Plan

SIZE, TAG = 10240, '"E2"'


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("bytes=0-1", [(0, 1)]),
        ("bytes=0-10239", [(0, 10239)]),
        ("bytes=0-", [(0, 10239)]),
        ("bytes=5120-", [(5120, 10239)]),
        ("bytes=0-99999", [(0, 10239)]),
        ("bytes=10239-", [(10239, 10239)]),
        ("bytes=-500", [(9740, 10239)]),
        ("bytes=-99999", [(0, 10239)]),
        ("bytes=-" + "9" * 5000, [(0, 10239)]),
        ("bytes=10240-", []),
        ("bytes=" + "9" * 5000 + "-", []),
        ("bytes=-0", []),
        ("BYTES= 0-1 , 4-5", [(0, 1), (4, 5)]),
        ("bytes=0-1,,10240-,-0", [(0, 1)]),
        ("bytes=10240-,-0", []),
        ("bytes=0-5000,5000-10239", None),
        ("bytes=" + ",".join(["0-0"] * 17), None),
        ("bytes=1-0", None),
        ("bytes=a-b", None),
        ("bytes=-", None),
        ("bytes=", None),
        ("bytes", None),
        ("items=0-1", None),
        ("bytes=0-1;2-3", None),
        ("bytes=٠-١", None),
        ("bytes=+0-1", None),
    ],
)
def test_reading_a_range(header: str, found: list[tuple[int, int]] | None) -> None:
    read = ranges.read(header, SIZE)

    assert read == (None if found is None else tuple(Piece(*each) for each in found))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Range": "bytes=2-4"}, 206),
        ({"Range": "bytes=2-4", "If-Range": '"E2"'}, 206),
        ({"Range": "bytes=2-4", "If-Range": '"E1"'}, 200),
        ({"Range": "bytes=2-4", "If-Range": 'W/"E2"'}, 200),
        ({"Range": "bytes=2-4", "If-Range": "Tue, 02 Mar 2027 09:00:00 GMT"}, 200),
        ({"Range": "bytes=99999-"}, 416),
        ({"Range": "bytes=99999-", "If-Range": '"E1"'}, 200),
        ({"If-None-Match": '"E2"'}, 304),
        ({"If-None-Match": 'W/"E1", W/"E2"', "Range": "bytes=0-1"}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"E1"'}, 200),
        ({"If-Match": '"E2"'}, 200),
        ({"If-Match": '"E1"', "Range": "bytes=0-1"}, 412),
        ({"If-Match": 'W/"E2"'}, 412),
        ({"If-Match": "*"}, 200),
    ],
)
def test_vid_03_what_is_asked_of_which_version(headers: dict[str, str], status: int) -> None:
    assert ranges.plan("GET", headers, SIZE, TAG).status == status


def test_a_range_counts_for_get_alone() -> None:
    assert ranges.plan("HEAD", {"Range": "bytes=0-1"}, SIZE, TAG) == Plan(200)


@given(st.text("0123456789-, =bytes", max_size=40), st.integers(1, 100))
def test_pieces_never_leave_the_file(rest: str, size: int) -> None:
    for piece in ranges.read(f"bytes={rest}", size) or ():
        assert 0 <= piece.first <= piece.last < size
