"""Until when an answer holds, and what comes after it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import steps
from policies.measures import TICK
from policies.outcomes import outcome
from tests.policies.making import START, at, cancelling, facts, rules

LADDER = rules(
    cancelling(">30d", refund_pct=100, minus_minor=1000),
    cancelling(">=14d", refund_pct=50),
    cancelling(refund_pct=0),
    {"action": "substitute", "if": {"notice": ">=48h"}, "charge_minor": 0},
    {"action": "transfer", "if": {"notice": ">=5wd"}, "charge_minor": 0},
    {"action": "transfer", "charge_minor": 2000},
)


@pytest.mark.parametrize(
    ("action", "now", "worse"),
    [
        # More than 30 days: through 11 May, London summer time.
        ("cancel", "2027-03-02T09:00Z", "2027-05-11T23:00Z"),
        ("cancel", "2027-05-11T23:00Z", "2027-05-28T23:00Z"),
        ("cancel", "2027-05-28T23:00Z", None),
        # Exactly 48 hours are enough, the next microsecond is not.
        ("substitute", "2027-06-01T09:00Z", "2027-06-09T09:00:00.000001Z"),
        ("transfer", "2027-06-01T09:00Z", "2027-06-04T23:00Z"),
        ("no_show", "2027-05-01T09:00Z", "2027-05-11T23:00Z"),
        ("provider_cancel", "2027-05-01T09:00Z", None),
    ],
)
def test_when_it_gets_worse(action: str, now: str, worse: str | None) -> None:
    found = steps.worsens_at(LADDER, action, facts(), at(now))

    assert found == (None if worse is None else at(worse))


def test_the_steps_are_all_the_answers_time_brings() -> None:
    found = steps.steps(LADDER, "cancel", facts(), at("2027-03-02T09:00Z"))

    assert [(each.since, each.outcome.refund_minor) for each in found] == [
        (at("2027-03-02T09:00Z"), 9000), (at("2027-05-11T23:00Z"), 5000), (at("2027-05-28T23:00Z"), 0),
    ]  # fmt: skip


def test_an_answer_that_gets_better_is_no_warning() -> None:
    """Once the first fortnight of a booking is over its charge falls away; the end of it all is what counts."""
    policy = rules(
        {"action": "cancel", "if": {"booked_ago": "<14d"}, "refund_pct": 50},
        cancelling(">=7d", refund_pct=100),
        cancelling(refund_pct=0),
    )
    known = facts(booked_at=at("2027-04-01T09:00Z"))

    assert steps.worsens_at(policy, "cancel", known, at("2027-04-02T09:00Z")) == at("2027-06-04T23:00Z")


def test_a_credit_is_worse_than_money_and_a_choice_is_worth_its_best() -> None:
    policy = rules(
        cancelling(">=14d", choose=[{"credit_pct": 100}, {"refund_pct": 100}]), cancelling(refund_pct=0, credit_pct=100)
    )

    assert steps.worsens_at(policy, "cancel", facts(), at("2027-05-01T09:00Z")) == at("2027-05-28T23:00Z")


def test_a_course_loses_with_each_session_that_begins() -> None:
    days = tuple(START + timedelta(days=7 * n) for n in range(3))
    policy = rules(cancelling(of="remaining", refund_pct=100))

    found = steps.steps(policy, "cancel", facts(sessions=days, price_minor=9000), at("2027-06-01T09:00Z"))

    assert [each.outcome.refund_minor for each in found] == [9000, 6000, 3000, 0]
    assert [each.since for each in found[1:]] == list(days)


@pytest.mark.parametrize(
    ("worse", "said"),
    [
        ("2027-05-28T23:00Z", "until the end of Friday 28 May 2027"),
        ("2027-06-09T09:00:00.000001Z", "until Wednesday 9 June 2027, 10:00 BST (London)"),
    ],
)
def test_until_when_in_words(worse: str, said: str) -> None:
    assert steps.until(at(worse), "Europe/London") == said


BANDS = st.lists(
    st.tuples(st.sampled_from([">", ">="]), st.integers(0, 60), st.sampled_from(["d", "wd", "w", "mo", "h"])),
    max_size=5,
).map(lambda bands: [f"{sign}{min(count, 12) if unit == 'mo' else count}{unit}" for sign, count, unit in bands])


@given(
    BANDS,
    st.lists(st.integers(0, 100), min_size=6, max_size=6),
    st.integers(0, 86_400 * 400).map(lambda seconds: START - timedelta(seconds=seconds)),
    st.sampled_from(["Europe/London", "America/New_York", "Australia/Lord_Howe"]),
)
def test_a_moment_before_it_gets_worse_it_is_not_yet(
    bands: list[str], shares: list[int], now: datetime, zone: str
) -> None:
    policy = rules(
        *(cancelling(b, refund_pct=s) for b, s in zip(bands, shares, strict=False)),
        cancelling(refund_pct=shares[-1]),
        tz=zone,
    )
    worse = steps.worsens_at(policy, "cancel", facts(), now)
    current = outcome(policy, "cancel", facts(), now).refund_minor

    def later(moment: datetime) -> int:
        return outcome(policy, "cancel", facts(), moment).refund_minor

    if worse is None:
        assert all(later(now + timedelta(hours=n)) >= current for n in range(0, 24 * 500, 97))
    else:
        assert worse.tzinfo is UTC
        assert later(worse) < current <= later(worse - TICK)
