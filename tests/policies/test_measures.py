"""Lengths of time: dates whatever the clocks do, months to their last day, hours to the second, working days."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import measures
from policies.measures import TICK, Calendar, Length, length
from policies.outcomes import outcome
from tests.policies.making import at, cancelling, facts, rules

LONDON = Calendar("Europe/London")
MOMENTS = st.integers(1_577_836_800, 2_051_222_400).map(lambda second: datetime.fromtimestamp(second, UTC))
ZONES = ("Europe/London", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Africa/Cairo", "Asia/Beirut")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("14d", Length(14, "d")),
        ("14 days", Length(14, "d")),
        ("72h", Length(72, "h")),
        ("5wd", Length(5, "wd")),
        ("1 working day", Length(1, "wd")),
        ("4w", Length(4, "w")),
        ("3mo", Length(3, "mo")),
        ("2 years", Length(2, "y")),
        ("90min", Length(90, "min")),
        ("1d@17:00", Length(1, "d", time(17))),
    ],
)
def test_a_length_is_read(said: str, meant: Length) -> None:
    assert length(said) == meant


@pytest.mark.parametrize("said", ["", "14", "d", "14x", "-1d", "1.5h", "1d@25:00", "3h@12:00", "9999y", "14dd"])
def test_what_is_no_length_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match=r"length of time|clock time|hundred years"):
        length(said)


@pytest.mark.parametrize(
    ("day", "months", "found"),
    [
        ("2027-03-31", -1, "2027-02-28"),
        ("2028-03-31", -1, "2028-02-29"),
        ("2027-05-31", -3, "2027-02-28"),
        ("2027-01-15", -1, "2026-12-15"),
        ("2027-12-31", 2, "2028-02-29"),
        ("2027-10-31", 1, "2027-11-30"),
    ],
)
def test_months_end_on_their_last_day(day: str, months: int, found: str) -> None:
    assert measures.add_months(date.fromisoformat(day), months).isoformat() == found


@pytest.mark.parametrize(
    ("notice", "arrives", "refund"),
    [
        # A month before 31 March is all of 28 February and not a moment of 1 March.
        (">=1mo", "2027-02-28T23:59:59.999999Z", 10_000),
        (">=1mo", "2027-03-01T00:00Z", 0),
        ("<1mo", "2027-03-01T00:00Z", 10_000),
        # 96 elapsed hours, though the clocks go forward between: by the clock it would be an hour later.
        (">=96h", "2027-03-27T09:00Z", 10_000),
        (">=96h", "2027-03-27T09:00:01Z", 0),
        (">96h", "2027-03-27T09:00Z", 0),
        (">96h", "2027-03-27T08:59:59Z", 10_000),
        # Fourteen dates, one of them of 23 hours.
        (">=14d", "2027-03-17T23:59:59Z", 10_000),
        (">=14d", "2027-03-18T00:00Z", 0),
        # Three dates: by then summer time, so the date turns an hour earlier in UTC.
        (">=3d", "2027-03-28T22:59:59Z", 10_000),
        (">=3d", "2027-03-28T23:00Z", 0),
        ("=3d", "2027-03-28T00:00Z", 10_000),
        ("=3d", "2027-03-27T23:59:59Z", 0),
        # Clock times: five in the afternoon of the day before, in summer time.
        (">=1d@17:00", "2027-03-30T16:00Z", 10_000),
        (">=1d@17:00", "2027-03-30T16:00:01Z", 0),
        # A clock time the clocks skip is the first instant after the gap.
        (">=3d@01:30", "2027-03-28T01:00Z", 10_000),
        (">=3d@01:30", "2027-03-28T01:00:01Z", 0),
    ],
)
def test_notice_before_a_workshop_on_31_march(notice: str, arrives: str, refund: int) -> None:
    policy = rules(cancelling(notice, refund_pct=100), cancelling(refund_pct=0))
    wednesday = facts(sessions=(at("2027-03-31T09:00Z"),))

    assert outcome(policy, "cancel", wednesday, at(arrives)).refund_minor == refund


def test_dates_are_counted_in_the_zone_of_the_policy_or_of_the_facts() -> None:
    policy = rules(cancelling(">=1d", refund_pct=100), cancelling(refund_pct=0), tz="Australia/Sydney")
    evening = at("2027-06-10T13:30Z")  # 23:30 in Sydney, the day before

    sydney = facts(sessions=(at("2027-06-10T23:00Z"),))
    assert outcome(policy, "cancel", sydney, evening).refund_minor == 10_000
    london = facts(sessions=(at("2027-06-10T23:00Z"),), zone="Europe/Paris")
    assert outcome(policy, "cancel", london, evening).refund_minor == 10_000
    same_day = facts(sessions=(at("2027-06-10T21:00Z"),), zone="Europe/Paris")
    assert outcome(policy, "cancel", same_day, evening).refund_minor == 0


@pytest.mark.parametrize(
    ("arrives", "working_days"),
    [
        ("2024-11-01", 15), ("2024-11-15", 5), ("2024-11-16", 4), ("2024-11-17", 4), ("2024-11-18", 4),
        ("2024-11-21", 1), ("2024-11-22", 0),
    ],
)  # fmt: skip
def test_working_days_until_a_friday(arrives: str, working_days: int) -> None:
    friday = datetime(2024, 11, 22, 9, 30, tzinfo=UTC)
    stretch = LONDON.before(Length(working_days, "wd"), friday)

    assert stretch.side(datetime.fromisoformat(f"{arrives}T10:00:00+00:00")) == 0


def test_days_off_are_no_working_days() -> None:
    monday_off = Calendar("Europe/London", frozenset({date(2024, 11, 18)}))
    friday = datetime(2024, 11, 22, 9, 30, tzinfo=UTC)

    assert monday_off.before(Length(5, "wd"), friday).side(datetime(2024, 11, 14, 10, tzinfo=UTC)) == 0
    assert monday_off.after(Length(1, "wd"), datetime(2024, 11, 15, 10, tzinfo=UTC)).side(
        datetime(2024, 11, 19, 10, tzinfo=UTC)
    ) == 0  # fmt: skip


@given(
    st.sampled_from(ZONES),
    MOMENTS,
    st.integers(0, 500),
    st.sampled_from(["d", "wd", "w", "mo"]),
    st.booleans(),
)
def test_a_stretch_of_dates_is_whole_dates(zone: str, moment: datetime, count: int, unit: str, is_before: bool) -> None:
    """Its first and last instants are on its dates, the ones just outside are not, however the clocks change."""
    calendar = Calendar(zone, frozenset({date(2027, 12, 27)}))
    stretch = (calendar.before if is_before else calendar.after)(Length(min(count, 60), unit), moment)
    first, last = calendar.date_of(stretch.start), calendar.date_of(stretch.end - TICK)

    assert first <= last
    assert calendar.date_of(stretch.start - TICK) == first - timedelta(days=1)
    assert calendar.date_of(stretch.end) == last + timedelta(days=1)
    if unit == "wd":
        day = calendar.date_of(moment)
        between = (first, day) if is_before else (day + timedelta(days=1), last + timedelta(days=1))
        days = (between[0] + timedelta(days=n) for n in range((between[1] - between[0]).days))
        assert sum(map(calendar.is_working, days)) == min(count, 60)


@given(
    MOMENTS,
    st.integers(1, 400),
    st.sampled_from(ZONES),
)
def test_days_of_notice_are_the_difference_of_dates(moment: datetime, days: int, zone: str) -> None:
    calendar = Calendar(zone)
    stretch = calendar.before(Length(days, "d"), moment)

    assert (calendar.date_of(moment) - calendar.date_of(stretch.start)).days == days
