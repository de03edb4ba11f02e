"""The arithmetic of windows: pure, in tables."""

from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from courses import window, window_words
from courses.window import Window
from tests.builders import a_workshop, arranged

LONDON = "Europe/London"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("counted_from", "closes"),
    [
        ("published", "2027-04-13T17:00:00Z"),
        ("each session published", "2027-04-13T17:00:00Z"),
        ("purchase", "2027-04-13T17:00:00Z"),
        ("last session", "2027-04-11T15:00:00Z"),
    ],
)
def test_what_everybody_s_days_are_counted_from(counted_from: str, closes: str) -> None:
    published, last = at("2027-03-16T18:00:00Z"), at("2027-03-14T16:00:00Z")

    assert window.everybodys(published, last, 28, LONDON, counted_from) == at(closes)


@pytest.mark.parametrize(
    ("confirmed", "everybodys", "share", "opens", "closes"),
    [
        # before publication, at it, after it
        ("2027-03-01T09:00Z", "2027-04-13T17:00Z", False, "2027-03-16T18:00Z", "2027-04-13T17:00Z"),
        ("2027-03-16T18:00Z", "2027-04-13T17:00Z", False, "2027-03-16T18:00Z", "2027-04-13T17:00Z"),
        ("2027-03-20T09:00Z", "2027-04-13T17:00Z", False, "2027-03-20T09:00Z", "2027-04-17T08:00Z"),
        ("2027-03-20T09:00Z", "2027-04-13T17:00Z", True, "2027-03-20T09:00Z", "2027-04-13T17:00Z"),
        # everybody's end is far, counted from the last session: nobody has less than everybody
        ("2027-03-20T09:00Z", "2027-06-01T17:00Z", False, "2027-03-20T09:00Z", "2027-06-01T17:00Z"),
        # everybody's is over
        ("2027-04-13T17:00Z", "2027-04-13T17:00Z", False, "2027-04-13T17:00Z", "2027-05-11T17:00Z"),
    ],
)
def test_whose_window_is_which(confirmed: str, everybodys: str, share: bool, opens: str, closes: str) -> None:
    found = window.of(at("2027-03-16T18:00Z"), at(everybodys), at(confirmed), 28, LONDON, share=share)

    assert found == Window(at(opens), at(closes))


def test_who_shares_a_window_that_is_over_has_none() -> None:
    over = at("2027-04-13T17:00Z")

    assert window.of(at("2027-03-16T18:00Z"), over, over, 28, LONDON, share=True) is None


@pytest.mark.parametrize(
    ("opens", "closes", "zone"),
    [
        # the clocks go forward, go back, stay; the last second before and the first after
        ("2027-03-09T18:00:00Z", "2027-04-06T17:00:00Z", "Europe/London"),
        ("2027-10-12T17:00:00Z", "2027-11-09T18:00:00Z", "Europe/London"),
        ("2027-06-01T17:00:00Z", "2027-06-29T17:00:00Z", "Europe/London"),
        ("2027-02-28T01:30:00Z", "2027-03-28T01:00:00Z", "Europe/London"),  # 01:30 does not exist that day
        ("2027-10-03T00:30:00Z", "2027-10-31T01:30:00Z", "Europe/London"),  # 01:30 exists twice: the second
        ("2027-02-14T07:30:00Z", "2027-03-14T07:00:00Z", "America/New_York"),
        ("2027-10-10T05:30:00Z", "2027-11-07T06:30:00Z", "America/New_York"),
        ("2027-03-07T14:30:00Z", "2027-04-04T15:30:00Z", "Australia/Sydney"),
        ("2027-09-05T00:30:00Z", "2027-10-02T23:30:00Z", "Australia/Sydney"),
    ],
)
def test_the_last_second_across_changes_of_the_clocks(opens: str, closes: str, zone: str) -> None:
    found = Window(at(opens), window.closes_at(at(opens), 28, zone))

    assert found.closes_at == at(closes)
    last = found.closes_at.timestamp() - 1
    assert window.plays(found, datetime.fromtimestamp(last, UTC))
    assert not window.plays(found, found.closes_at)
    assert window.plays(found, found.opens_at)
    assert not window.plays(found, datetime.fromtimestamp(found.opens_at.timestamp() - 1, UTC))


@pytest.mark.parametrize(
    ("ends", "since", "days", "closes"),
    [
        ("2027-04-13T17:00Z", "2027-04-01T09:00Z", 7, "2027-04-20T17:00Z"),
        ("2027-03-26T18:00Z", "2027-03-20T09:00Z", 7, "2027-04-02T17:00Z"),  # 18:00 before and after the change
        ("2027-04-13T17:00Z", "2027-04-15T09:00Z", 7, "2027-04-22T09:00Z"),  # over for two days: from now on
    ],
)
def test_more_days(ends: str, since: str, days: int, closes: str) -> None:
    assert window.extended(at(ends), days, LONDON, at(since)) == at(closes)


def test_what_is_left_at_a_pause_is_left_after_it_to_the_second() -> None:
    ends, paused, now = at("2027-04-13T17:00:00Z"), at("2027-03-20T09:00:07Z"), at("2027-05-02T21:30:00Z")

    again = window.resumed(ends, paused, now)

    assert again - now == ends - paused


@pytest.mark.parametrize(("seconds", "hours"), [(1, 1), (60, 1), (3600, 1), (3601, 2), (7200, 2), (90000, 25)])
def test_an_outage_counts_in_begun_hours(seconds: int, hours: int) -> None:
    began = at("2027-03-28T00:30:00Z")

    assert window.hours(began, datetime.fromtimestamp(began.timestamp() + seconds, UTC)) == hours


@pytest.mark.parametrize(
    ("opens", "closes", "was"),
    [
        ("2027-03-01T09:00Z", "2027-03-29T09:00Z", True),
        ("2027-03-10T11:59Z", "2027-04-07T11:59Z", True),
        ("2027-03-10T12:00Z", "2027-04-07T12:00Z", False),  # opened as it ended
        ("2027-02-10T09:00Z", "2027-03-10T09:00Z", False),  # closed as it began
        ("2027-02-10T09:00Z", "2027-03-10T09:01Z", True),
    ],
)
def test_which_windows_an_outage_took_time_from(opens: str, closes: str, was: bool) -> None:
    found = Window(at(opens), at(closes))

    assert window.was_open(found, at("2027-03-10T09:00Z"), at("2027-03-10T12:00Z")) is was


@pytest.mark.parametrize(
    ("settings", "span", "said"),
    [
        ({}, "for 28 days", "for 28 days from when it is published, until the same hour of the day in London."),
        (
            {"catch_up_from": "each session published"},
            "for 28 days",
            "counted for each session from when its recording is published, until the same hour",
        ),
        (
            {"catch_up_from": "last session", "catch_up_days": 14},
            "until 14 days after the last session",
            "until 14 days after the last session has ended, at the same hour of the day in London.",
        ),
        (
            {"catch_up_from": "purchase", "catch_up_days": 1, "late_buyers_share": True},
            "for 1 day",
            "for 1 day from the hour they book, or from when it is published where that is later,",
        ),
        ({"late_buyers_share": True}, "for 28 days", "Whoever books late shares everybody's days"),
    ],
)
def test_the_rule_in_words(app: Flask, settings: dict[str, Any], span: str, said: str) -> None:
    with arranged(app):
        workshop = a_workshop(catch_up_offered=True, **settings)
        rule = " ".join(window_words.rule(workshop, "London"))
        found = window_words.span(workshop)

    assert found == span
    assert said in rule
    assert ("shares everybody's days" in rule) == (settings == {"late_buyers_share": True})
