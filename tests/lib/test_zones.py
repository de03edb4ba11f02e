"""Wall times, instants and what people in other zones are told."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfoNotFoundError

import pytest

from lib import zones

ROOT = Path(__file__).resolve().parent.parent.parent
LONDON, PARIS, NEW_YORK = zones.LONDON, zones.PARIS, zones.NEW_YORK
LORD_HOWE = "Australia/Lord_Howe"  # half an hour of summer time


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("wall", "instant", "seen"),
    [
        ("2027-03-09T18:00", "2027-03-09T18:00Z", "13:00 EST"),
        ("2027-03-16T18:00", "2027-03-16T18:00Z", "14:00 EDT"),
        ("2027-03-30T18:00", "2027-03-30T17:00Z", "13:00 EDT"),
    ],
)
def test_tz_01_weeks_when_only_one_side_has_changed_its_clocks(wall: str, instant: str, seen: str) -> None:
    starts_at = zones.instant(at(wall), LONDON)

    assert starts_at == at(instant)
    there = zones.span(starts_at, starts_at + timedelta(hours=1), NEW_YORK)
    assert f"{there.starts:%H:%M} {there.label}" == seen


def test_tz_02_a_start_that_does_not_exist_is_refused_with_the_reason() -> None:
    with pytest.raises(zones.TimeSkipped) as refused:
        zones.instant(at("2027-03-28T01:30"), LONDON)

    assert refused.value.since == at("2027-03-28T01:00")
    assert refused.value.until == at("2027-03-28T02:00")
    assert str(refused.value) == (
        "01:30 does not exist on Sunday 28 March 2027 in London: the clocks go forward from 01:00 to 02:00 that day. "
        "Please choose another time."
    )
    assert zones.instant(at("2027-03-28T03:30"), LONDON) == at("2027-03-28T02:30Z")


@pytest.mark.parametrize(
    ("wall", "zone", "since", "until"),
    [
        ("2027-03-28T01:00", LONDON, "2027-03-28T01:00", "2027-03-28T02:00"),
        ("2027-03-28T01:59", LONDON, "2027-03-28T01:00", "2027-03-28T02:00"),
        ("2027-03-14T02:30", NEW_YORK, "2027-03-14T02:00", "2027-03-14T03:00"),
        ("2027-03-28T02:15", PARIS, "2027-03-28T02:00", "2027-03-28T03:00"),
        ("2026-10-04T02:15", LORD_HOWE, "2026-10-04T02:00", "2026-10-04T02:30"),
        ("2011-12-30T12:00", "Pacific/Apia", "2011-12-30T00:00", "2011-12-31T00:00"),
    ],
)
def test_a_gap_is_told_to_the_minute(wall: str, zone: str, since: str, until: str) -> None:
    with pytest.raises(zones.TimeSkipped) as refused:
        zones.instant(at(wall), zone)

    assert (refused.value.since, refused.value.until) == (at(since), at(until))
    assert not zones.happens_twice(at(wall), zone)


@pytest.mark.parametrize("wall", ["2027-03-28T00:59", "2027-03-28T02:00"])
def test_the_edges_of_a_gap_exist(wall: str) -> None:
    assert zones.wall(zones.instant(at(wall), LONDON), LONDON).replace(tzinfo=None) == at(wall)


@pytest.mark.parametrize(
    ("wall", "zone", "first", "second"),
    [
        ("2026-10-25T01:30", LONDON, "2026-10-25T00:30Z", "2026-10-25T01:30Z"),
        ("2026-11-01T01:30", NEW_YORK, "2026-11-01T05:30Z", "2026-11-01T06:30Z"),
        ("2026-10-25T02:30", PARIS, "2026-10-25T00:30Z", "2026-10-25T01:30Z"),
        ("2026-04-05T01:45", LORD_HOWE, "2026-04-04T14:45Z", "2026-04-04T15:15Z"),
    ],
)
def test_a_wall_time_that_happens_twice_is_told_apart_by_its_fold(
    wall: str, zone: str, first: str, second: str
) -> None:
    assert zones.happens_twice(at(wall), zone)
    assert zones.instant(at(wall), zone) == at(first)
    assert zones.instant(at(wall), zone, fold=1) == at(second)


@pytest.mark.parametrize("wall", ["2026-10-25T00:59", "2026-10-25T02:00", "2026-07-01T12:00"])
def test_a_wall_time_that_happens_once_is_one_instant_whatever_the_fold(wall: str) -> None:
    assert not zones.happens_twice(at(wall), LONDON)
    assert zones.instant(at(wall), LONDON) == zones.instant(at(wall), LONDON, fold=1)


def test_half_an_hour_of_summer_time() -> None:
    winter, summer = (zones.instant(at(f"2026-{day}T10:00"), LORD_HOWE) for day in ("07-01", "12-01"))

    assert winter == at("2026-06-30T23:30Z")
    assert summer == at("2026-11-30T23:00Z")
    assert zones.label(winter, LORD_HOWE) == "UTC+10:30"
    assert zones.label(summer, LORD_HOWE) == "UTC+11:00"


@pytest.mark.parametrize(
    ("zone", "wall", "instant"),
    [
        ("Europe/Kyiv", "2027-02-15T09:00", "2027-02-15T07:00Z"),
        ("Europe/Kiev", "2027-02-15T09:00", "2027-02-15T07:00Z"),
        ("US/Eastern", "2027-02-15T09:00", "2027-02-15T14:00Z"),
    ],
)
def test_tz_04_old_and_new_names_of_a_zone_work(zone: str, wall: str, instant: str) -> None:
    assert zones.is_zone(zone)
    assert zones.instant(at(wall), zone) == at(instant)


def test_tz_04_two_names_of_one_zone_have_the_same_rules() -> None:
    assert zones.same_rules("Europe/Kyiv", "Europe/Kiev")
    assert zones.same_rules("US/Eastern", NEW_YORK)
    assert not zones.same_rules(LONDON, PARIS)
    assert not zones.same_rules(LONDON, "Atlantic/Reykjavik")


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "london", "../etc/passwd", "localtime", "Factory"])
def test_tz_04_what_is_no_zone_is_known_to_be_none(name: str) -> None:
    assert not zones.is_zone(name)


def test_tz_04_an_unknown_zone_has_no_instants() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        zones.instant(at("2027-02-15T09:00"), "Mars/Olympus")


def test_tz_04_the_package_tzdata_is_enough_where_the_system_has_no_zones() -> None:
    program = """
import zoneinfo
from datetime import datetime
from lib import zones
assert zoneinfo.TZPATH == (), zoneinfo.TZPATH
for name in ("Europe/Kyiv", "Europe/Kiev", "US/Eastern"):
    assert zones.is_zone(name), name
    print(zones.z(zones.instant(datetime(2027, 2, 15, 9), name)))
assert zones.same_rules("Europe/Kyiv", "Europe/Kiev")
assert not zones.is_zone("Mars/Olympus")
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=ROOT,
        env={"PYTHONTZPATH": "", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["2027-02-15T07:00:00Z", "2027-02-15T07:00:00Z", "2027-02-15T14:00:00Z"]


@pytest.mark.parametrize(
    ("instant", "zone", "label"),
    [
        ("2024-10-18T09:00Z", LONDON, "BST"),
        ("2024-11-08T10:00Z", LONDON, "GMT"),
        ("2024-10-18T09:00Z", PARIS, "CEST"),
        ("2024-10-18T09:00Z", NEW_YORK, "EDT"),
        ("2024-10-18T09:00Z", "Australia/Sydney", "AEDT"),
        ("2024-10-18T09:00Z", "Asia/Kathmandu", "UTC+05:45"),
        ("2024-10-18T09:00Z", "America/Sao_Paulo", "UTC-03:00"),
        ("2024-10-18T09:00Z", "Pacific/Marquesas", "UTC-09:30"),
        ("2024-10-18T09:00Z", "UTC", "UTC"),
    ],
)
def test_a_label_is_the_abbreviation_of_that_day_or_the_distance_from_utc(instant: str, zone: str, label: str) -> None:
    assert zones.label(at(instant), zone) == label


def test_names_for_people() -> None:
    assert zones.long_label(at("2024-10-18T09:00Z"), LONDON) == "British Summer Time"
    assert zones.city(NEW_YORK) == "New York"
    assert zones.city("America/Argentina/Buenos_Aires") == "Buenos Aires"
    assert zones.day(date(2024, 10, 18)) == "Friday 18 October 2024"
    assert zones.short_day(date(2024, 10, 18)) == "Fri 18 Oct 2024"
    assert zones.moment(at("2024-09-06T22:59:59Z"), LONDON) == "Friday 6 September 2024, 23:59 BST (London)"


@pytest.mark.parametrize("old", zones.RENAMED)
def test_a_city_has_its_own_name_whatever_the_browser_calls_it(old: str) -> None:
    new = zones.RENAMED[old]
    assert zones.same_rules(old, new)
    assert new in {name for _, names in zones.regions() for name in names}
    assert zones.city(old) == zones.city(new)


def test_an_instant_for_programs_ends_in_z_with_seconds() -> None:
    assert zones.z(zones.instant(at("2024-10-18T10:00"), LONDON)) == "2024-10-18T09:00:00Z"
    assert zones.z(datetime(2024, 10, 18, 9, tzinfo=UTC)) == "2024-10-18T09:00:00Z"


@pytest.mark.parametrize(
    ("starts", "ends", "zone", "line"),
    [
        (
            "2024-10-18T10:00",
            "2024-10-18T16:00",
            LONDON,
            "Friday 18 October 2024, 10:00–16:00 BST (London) / 11:00–17:00 CEST (Paris) / 05:00–11:00 EDT (New York)",
        ),
        (
            "2024-11-09T11:00",
            "2024-11-09T14:00",
            NEW_YORK,
            "Saturday 9 November 2024, 11:00–14:00 EST (New York) / 16:00–19:00 GMT (London) / 17:00–20:00 CET (Paris)",
        ),
        (
            "2026-11-20T20:00",
            "2026-11-20T23:30",
            LONDON,
            "Friday 20 November 2026, 20:00–23:30 GMT (London) / 21:00–00:30 CET (Paris), ends the next day"
            " / 15:00–18:30 EST (New York)",
        ),
        (
            "2026-11-20T19:00",
            "2026-11-20T21:00",
            NEW_YORK,
            "Friday 20 November 2026, 19:00–21:00 EST (New York) / 00:00–02:00 GMT (London), the next day"
            " / 01:00–03:00 CET (Paris), the next day",
        ),
        (
            "2026-11-21T08:00",
            "2026-11-21T11:00",
            "Asia/Kathmandu",
            "Saturday 21 November 2026, 08:00–11:00 UTC+05:45 (Kathmandu) / 02:15–05:15 GMT (London)"
            " / 03:15–06:15 CET (Paris) / 21:15–00:15 EST (New York), the day before, ends Saturday 21 November 2026",
        ),
        (
            "2026-10-24T22:00",
            "2026-10-25T03:00",
            LONDON,
            "Saturday 24 October 2026, 22:00–03:00 BST (London), ends the next day"
            " / 23:00–04:00 CEST (Paris), ends the next day / 17:00–23:00 EDT (New York)",
        ),
    ],
)
def test_the_line_to_copy(starts: str, ends: str, zone: str, line: str) -> None:
    assert zones.line(zones.instant(at(starts), zone), zones.instant(at(ends), zone), zone) == line


def test_the_zones_shown_are_the_own_one_then_those_asked_for_then_the_three() -> None:
    assert zones.shown_zones(PARIS) == (PARIS, LONDON, NEW_YORK)
    assert zones.shown_zones(LONDON, "Australia/Sydney") == (LONDON, "Australia/Sydney", PARIS, NEW_YORK)
