"""Every time of the sample catalogue, worked out again by our own code."""

import re
from datetime import datetime
from typing import Any

import pytest

from bookings import models as _models  # noqa: F401 - the last room with tables brings in all the others
from courses.models import Workshop
from courses.schedule import Meeting, set_sessions
from lib import zones
from tests import facts

SESSIONS = [
    pytest.param(session, id=f"{workshop['slug']}-{n}")
    for workshop in facts.workshops()
    for n, session in enumerate(workshop["sessions"], 1)
]
SHOWN = [
    pytest.param(session, zone, session["shown"][city], id=f"{workshop['slug']}-{n}-{city}")
    for workshop in facts.workshops()
    for n, session in enumerate(workshop["sessions"], 1)
    for city, zone in facts.catalogue()["zones_shown"].items()
]
LINE = re.compile(
    r"(?P<weekday>[A-Z][a-z]{2}) (?P<day>\d+) (?P<month>[A-Z][a-z]{2}) (?P<year>\d{4}) "
    r"(?P<clock>\d\d:\d\d-\d\d:\d\d) (?P<label>[A-Z]+)(?: \((?P<mark>next day|ends next day)\))?"
)


def test_the_facts_are_complete() -> None:
    assert len(facts.workshops()) == 12
    assert len(SESSIONS) == 22
    assert len(SHOWN) == 4 * len(SESSIONS)


@pytest.mark.parametrize("session", SESSIONS)
def test_each_wall_time_is_the_instant_of_the_facts(session: dict[str, Any]) -> None:
    starts_at = zones.instant(datetime.fromisoformat(session["start"]), session["tz"])
    ends_at = zones.instant(datetime.fromisoformat(session["end"]), session["tz"])

    assert starts_at == datetime.fromisoformat(session["start_utc"])
    assert ends_at == datetime.fromisoformat(session["end_utc"])


@pytest.mark.parametrize(("session", "zone", "shown"), SHOWN)
def test_each_fact_of_a_shown_line_is_what_that_zone_sees(session: dict[str, Any], zone: str, shown: str) -> None:
    line = LINE.fullmatch(shown)
    assert line, shown
    starts_at, ends_at = (datetime.fromisoformat(session[name]) for name in ("start_utc", "end_utc"))

    there = zones.span(starts_at, ends_at, zone)

    weekday, day, month, year = there.day.split()
    home_day = zones.wall(starts_at, session["tz"]).date()
    assert weekday[:3] == line["weekday"]
    assert day == line["day"]
    assert month[:3] == line["month"]
    assert year == line["year"]
    assert there.clock.replace("–", "-") == line["clock"]
    assert there.label == line["label"]
    assert there.ends_next_day == (line["mark"] == "ends next day")
    assert (there.starts.date() > home_day) == (line["mark"] == "next day")
    assert shown.startswith(zones.short_day(there.starts.date()))


@pytest.mark.parametrize("session", SESSIONS)
def test_the_line_to_copy_says_the_same_in_its_zones(session: dict[str, Any]) -> None:
    starts_at, ends_at = (datetime.fromisoformat(session[name]) for name in ("start_utc", "end_utc"))
    line = zones.line(starts_at, ends_at, session["tz"])

    for city, said in session["shown"].items():
        if city == "Sydney":
            continue
        fact = LINE.fullmatch(said)
        assert fact
        assert f"{fact['clock'].replace('-', '–')} {fact['label']} ({city})" in line
    first = LINE.fullmatch(session["shown"][zones.city(session["tz"])])
    assert first
    assert line.index(f"({zones.city(session['tz'])})") == min(
        line.index(f"({c})") for c in ("London", "Paris", "New York")
    )
    assert re.match(rf"{first['weekday']}[a-z]+ {first['day']} {first['month']}[a-z]* {first['year']}, ", line)


@pytest.mark.parametrize("workshop", [pytest.param(each, id=each["slug"]) for each in facts.workshops()])
def test_a_workshop_given_its_wall_times_has_the_instants_of_the_facts(workshop: dict[str, Any]) -> None:
    row = Workshop(organiser_id=1)
    meetings = [
        Meeting(datetime.fromisoformat(each["start"]), datetime.fromisoformat(each["end"]), each["tz"])
        for each in workshop["sessions"]
    ]

    set_sessions(row, list(reversed(meetings)))

    expected = [datetime.fromisoformat(each["start_utc"]) for each in workshop["sessions"]]
    assert [each.starts_at for each in row.sessions] == expected
    assert [each.number for each in row.sessions] == list(range(1, len(expected) + 1))
    assert row.starts_at == expected[0]
    assert row.ends_at == datetime.fromisoformat(workshop["sessions"][-1]["end_utc"])
    assert [each.wall_start for each in row.sessions] == [each.wall_start for each in meetings]


def test_one_session_a_week_keeps_ten_o_clock_while_new_york_moves() -> None:
    """The five-Friday course: 10:00 in London throughout, 05:00 EST, 06:00 EDT thrice, 05:00 EDT in New York."""
    course = next(each for each in facts.workshops() if each["slug"] == "certificate-in-attachment-informed-practice")
    seen = []
    for session in course["sessions"]:
        starts_at, ends_at = (datetime.fromisoformat(session[name]) for name in ("start_utc", "end_utc"))
        assert zones.span(starts_at, ends_at, zones.LONDON).clock == "10:00–13:00"
        there = zones.span(starts_at, ends_at, zones.NEW_YORK)
        seen.append(f"{there.starts:%H:%M} {there.label}")

    assert seen == ["05:00 EST", "06:00 EDT", "06:00 EDT", "06:00 EDT", "05:00 EDT"]
