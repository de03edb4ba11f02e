"""The 28 days."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses import window
from courses.window import Window
from lib import zones
from tests import facts

DATED = [each for each in facts.workshops() if each["catch_up"].get("published_at")]
LONDON = "Europe/London"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize("fact", DATED, ids=[each["slug"] for each in DATED])
def test_the_catalogue_s_closing_times(fact: dict[str, Any]) -> None:
    said = fact["catch_up"]
    found = window.closes_at(at(said["published_at"]), said["days"], fact["sessions"][0]["tz"])

    assert found == at(said["ends_wall_clock"]) == at(said["ends_utc_wall_clock"])
    is_shifted = said["ends_utc_wall_clock"] != said["ends_utc_if_24h_days"]
    assert (found != at(said["published_at"]) + timedelta(days=28)) == is_shifted


def test_there_are_enough_facts() -> None:
    assert len(DATED) >= 9


@pytest.mark.parametrize(
    ("published", "days", "zone", "closes"),
    [
        pytest.param("2027-10-12T18:00+01:00", 28, LONDON, "2027-11-09T18:00Z", id="VID-05: the clocks go back"),
        pytest.param("2027-03-09T18:00+00:00", 28, LONDON, "2027-04-06T17:00Z", id="VID-05: the clocks go forward"),
        pytest.param("2027-02-28T01:30+00:00", 28, LONDON, "2027-03-28T01:00Z", id="no such time: after the gap"),
        pytest.param("2027-02-28T01:00+00:00", 28, LONDON, "2027-03-28T01:00Z", id="the gap's first moment"),
        pytest.param("2027-02-28T00:59:59+00:00", 28, LONDON, "2027-03-28T00:59:59Z", id="a second before the gap"),
        pytest.param("2027-10-03T01:30+01:00", 28, LONDON, "2027-10-31T01:30Z", id="twice: the second"),
        pytest.param("2027-10-31T01:30+01:00", 28, LONDON, "2027-11-28T01:30Z", id="published the first time round"),
        pytest.param("2027-09-05T02:15+10:30", 28, "Australia/Lord_Howe", "2027-10-02T15:30Z", id="half an hour's gap"),
        pytest.param("2011-12-02T10:00-10:00", 28, "Pacific/Apia", "2011-12-30T10:00Z", id="a day that was left out"),
        pytest.param("2027-01-31T09:00+00:00", 1, LONDON, "2027-02-01T09:00Z", id="one day"),
        pytest.param("2027-10-12T18:00+01:00", 28, "Asia/Kathmandu", "2027-11-09T17:00Z", id="where clocks stand"),
    ],
)
def test_the_same_clock_time_days_later(published: str, days: int, zone: str, closes: str) -> None:
    assert window.closes_at(at(published), days, zone) == at(closes)


@given(
    st.integers(1_577_836_800, 2_051_222_400),
    st.integers(1, 400),
    st.sampled_from([LONDON, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo"]),
)
def test_it_closes_at_that_clock_time_or_right_after_a_gap(seconds: int, days: int, zone: str) -> None:
    opens = datetime.fromtimestamp(seconds, UTC)
    closes = window.closes_at(opens, days, zone)
    wanted = zones.wall(opens, zone).replace(tzinfo=None, fold=0) + timedelta(days=days)
    try:
        expected = zones.instant(wanted, zone, 1)
    except zones.TimeSkipped as skipped:
        expected = zones.instant(skipped.until, zone)
    assert closes == expected


PUBLISHED, EVERYBODY = at("2027-03-09T18:00Z"), at("2027-04-06T17:00Z")


@pytest.mark.parametrize(
    ("confirmed", "share", "opens", "closes"),
    [
        ("2027-01-01T09:00Z", False, "2027-03-09T18:00Z", "2027-04-06T17:00Z"),
        ("2027-03-09T18:00Z", False, "2027-03-09T18:00Z", "2027-04-06T17:00Z"),
        ("2027-03-09T18:00:01Z", False, "2027-03-09T18:00:01Z", "2027-04-06T17:00:01Z"),
        ("2027-03-20T09:00Z", False, "2027-03-20T09:00Z", "2027-04-17T08:00Z"),
        ("2027-05-01T09:00Z", False, "2027-05-01T09:00Z", "2027-05-29T09:00Z"),
        ("2027-03-20T09:00Z", True, "2027-03-20T09:00Z", "2027-04-06T17:00Z"),
        ("2027-04-06T16:59:59Z", True, "2027-04-06T16:59:59Z", "2027-04-06T17:00Z"),
    ],
)
def test_one_attendee_s_window(confirmed: str, share: bool, opens: str, closes: str) -> None:
    found = window.of(PUBLISHED, EVERYBODY, at(confirmed), 28, LONDON, share=share)

    assert found == Window(at(opens), at(closes))


def test_nothing_is_left_of_a_shared_window_that_has_closed() -> None:
    assert window.of(PUBLISHED, EVERYBODY, EVERYBODY, 28, LONDON, share=True) is None


@pytest.mark.parametrize(
    ("now", "does"),
    [
        ("2027-03-09T17:59:59Z", False),
        ("2027-03-09T18:00:00Z", True),
        ("2027-04-06T16:59:59Z", True),
        ("2027-04-06T17:00:00Z", False),
        ("2027-04-06T17:30:00Z", False),
    ],
)
def test_one_second_before_it_closes_it_plays_and_at_it_not(now: str, does: bool) -> None:
    assert window.plays(Window(PUBLISHED, EVERYBODY), at(now)) is does
