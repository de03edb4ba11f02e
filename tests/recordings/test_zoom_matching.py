"""Which session a recording is of, and which of its files are the film: tables."""

from datetime import UTC, datetime
from typing import Any

import pytest

from recordings.zoom_matching import Meeting, films, number_in, sessions_of, transcript

WEEKLY = "91234567890"
OTHER = "98765432101"


def at(text: str) -> datetime:
    """09 10:00 is the ninth of March at ten."""
    day, time = text.split(" ")
    return datetime.fromisoformat(f"2027-03-{day}T{time}:00").replace(tzinfo=UTC)


KNOWN = [
    Meeting(1, WEEKLY, at("02 10:00"), at("02 12:00")),
    Meeting(2, WEEKLY, at("09 10:00"), at("09 12:00")),
    Meeting(3, WEEKLY, at("09 12:30"), at("09 14:00")),
    Meeting(4, WEEKLY, at("16 10:00"), at("16 12:00")),
    Meeting(5, OTHER, at("09 10:00"), at("09 12:00")),
    Meeting(6, WEEKLY, at("23 10:00"), at("23 11:00")),
    Meeting(7, WEEKLY, at("23 10:00"), at("23 12:00")),
    Meeting(8, WEEKLY, at("30 10:00"), at("30 12:00")),
    Meeting(9, WEEKLY, at("30 12:00"), at("30 14:00")),
    Meeting(10, "", at("09 10:00"), at("09 12:00")),
]


@pytest.mark.parametrize(
    ("number", "began", "expected"),
    [
        (WEEKLY, "02 10:00", [1]),
        (WEEKLY, "02 09:00", [1]),
        (WEEKLY, "02 08:59", []),
        (WEEKLY, "02 11:59", [1]),
        (WEEKLY, "02 13:00", [1]),
        (WEEKLY, "02 13:01", []),
        (WEEKLY, "09 10:05", [2]),
        (WEEKLY, "09 12:25", [3]),
        (WEEKLY, "09 11:45", [2]),
        (WEEKLY, "09 12:00", [3]),
        (WEEKLY, "09 14:30", [3]),
        (WEEKLY, "16 10:02", [4]),
        (WEEKLY, "17 10:00", []),
        (OTHER, "09 10:00", [5]),
        (OTHER, "16 10:00", []),
        (WEEKLY, "23 10:00", [6, 7]),
        (WEEKLY, "30 11:39", [8]),
        (WEEKLY, "30 11:40", [8, 9]),
        (WEEKLY, "30 12:00", [9]),
        (WEEKLY, "23 09:30", [6, 7]),
        (WEEKLY, "23 11:30", [7]),
        (WEEKLY, "23 12:30", [7]),
        ("90000000000", "09 10:00", []),
    ],
)
def test_number_and_time_name_the_session(number: str, began: str, expected: list[int]) -> None:
    assert sessions_of(number, at(began), KNOWN) == expected
    assert sessions_of(number, at(began), KNOWN[::-1]) == expected


@pytest.mark.parametrize(
    ("url", "number"),
    [
        ("https://zoom.us/j/91234567890", WEEKLY),
        ("https://us02web.zoom.us/j/91234567890?pwd=abc#success", WEEKLY),
        ("https://ZOOM.us/j/912345678", "912345678"),
        ("https://college.zoom.us/w/91234567890?tk=x", WEEKLY),
        ("https://zoom.us/s/91234567890", WEEKLY),
        ("https://zoom.us/wc/join/91234567890", WEEKLY),
        ("https://zoom.us/wc/91234567890/join", WEEKLY),
        ("https://zoom.us/j/91234567890/", WEEKLY),
        ("https://zoom.us/my/olu", ""),
        ("https://zoom.us/j/123", ""),
        ("https://zoom.us/j/1234567890123", ""),
        ("https://zoom.us.example/j/91234567890", ""),
        ("https://notzoom.us/j/91234567890", ""),
        ("https://meet.example/j/91234567890", ""),
        ("https://[::1/j/91234567890", ""),
        ("", ""),
    ],
)
def test_the_number_is_read_from_links_of_zooms_alone(url: str, number: str) -> None:
    assert number_in(url) == number


def file(id: str, starts: str | None, view: str, type: str = "MP4", **parts: Any) -> dict[str, Any]:
    known = {"id": id, "starts_at": starts, "view": view, "type": type, "status": "completed", "size": 9, "url": "u"}
    return {**known, **parts}


BOTH = "shared_screen_with_speaker_view"
CHOICES: dict[str, tuple[list[dict[str, Any]], list[str]]] = {
    "the best view": ([file("a", "1", "gallery_view"), file("b", "1", BOTH), file("c", "1", "shared_screen")], ["b"]),
    "with captions in the picture": ([file("a", "1", "active_speaker"), file("b", "1", f"{BOTH}(CC)")], ["b"]),
    "each stretch its own best": (
        [file("a", "1", "active_speaker"), file("b", "2", BOTH), file("c", "2", "active_speaker")],
        ["a", "b"],
    ),
    "in order of time": ([file("c", "3", BOTH), file("a", "1", BOTH), file("b", "2", BOTH)], ["a", "b", "c"]),
    "a view we never heard of": ([file("a", "1", "hologram"), file("b", "1", "gallery_view")], ["b"]),
    "only such a view": ([file("a", "1", "hologram")], ["a"]),
    "no sound, no chat": ([file("a", "1", "audio_only", "M4A"), file("b", "1", "chat_file", "CHAT")], []),
    "not finished": ([file("a", "1", BOTH, status="processing"), file("b", "1", "gallery_view")], ["b"]),
    "nowhere to fetch it": ([file("a", "1", BOTH, url="")], []),
    "empty": ([file("a", "1", BOTH, size=0)], []),
    "no time": ([file("a", None, BOTH)], []),
    "nothing": ([], []),
}


@pytest.mark.parametrize("case", CHOICES)
def test_the_film_is_the_best_view_of_each_stretch_in_order(case: str) -> None:
    files, expected = CHOICES[case]
    assert [each["id"] for each in films(files)] == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([file("a", "1", "audio_transcript", "TRANSCRIPT", size=0), file("b", "1", "closed_caption", "CC")], "a"),
        ([file("b", "1", "closed_caption", "CC")], "b"),
        ([file("a", "1", "", "TRANSCRIPT"), file("b", "2", "", "TRANSCRIPT")], None),
        ([file("a", "1", BOTH)], None),
    ],
)
def test_words_are_taken_where_one_file_has_them_all(files: list[dict[str, Any]], expected: str | None) -> None:
    found = transcript(files)
    assert (found["id"] if found else None) == expected
