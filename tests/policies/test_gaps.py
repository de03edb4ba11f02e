"""A policy answers every case, and each once; what is wrong is named by its edge."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import gaps
from policies.outcomes import outcome
from tests.policies.making import START, cancelling, facts, rules


def moving(notice: str | None, **says: Any) -> dict[str, Any]:
    return {**cancelling(notice, **says), "action": "transfer"}


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (
            [cancelling(">=14d", refund_pct=100), cancelling("<7d", refund_pct=0)],
            "About cancel: between 7 days and 14 days before the workshop (7 days included) nothing is said.",
        ),
        (
            [cancelling(">14d", refund_pct=100), cancelling("<14d", refund_pct=0)],
            "About cancel: at exactly 14 days before the workshop nothing is said.",
        ),
        (
            [cancelling(">=14d", refund_pct=100), cancelling("<=14d", refund_pct=0)],
            "About cancel: at exactly 14 days before the workshop two rules say different things (1 and 2).",
        ),
        (
            [cancelling(">=14d, <=30d", refund_pct=5), cancelling(">=30d", refund_pct=9), cancelling(refund_pct=0)],
            "About cancel: at exactly 30 days before the workshop two rules say different things (1 and 2).",
        ),
        (
            [cancelling(">=7d, <=20d", refund_pct=50), cancelling(">=14d", refund_pct=100), cancelling(refund_pct=0)],
            "About cancel: between 14 days and 20 days before the workshop (both included) "
            "two rules say different things (1 and 2).",
        ),
        ([cancelling(">=14d", refund_pct=100)], "About cancel: under 14 days before the workshop nothing is said."),
        (
            [cancelling(">=0h", refund_pct=100)],
            "About cancel: after the start of the workshop nothing is said.",
        ),
        (
            [cancelling(">=14d", refund_pct=100), cancelling(">=30d", refund_pct=50), cancelling(refund_pct=0)],
            "About cancel: rule 2 is never reached, the rules before it answer all it is about.",
        ),
        (
            [cancelling(refund_pct=0), cancelling(">=30d", refund_pct=50)],
            "About cancel: rule 2 is never reached, the rules before it answer all it is about.",
        ),
        (
            [moving(">14d", charge_pct=10), moving("<14d", charge_pct=50)],
            "About transfer: at exactly 14 days before the workshop nothing is said.",
        ),
        (
            [
                {"action": "cancel", "if": {"at": "<2027-05-01"}, "refund_pct": 10},
                {"action": "cancel", "if": {"at": ">=2027-05-03"}, "refund_pct": 0},
            ],
            "About cancel: between Saturday 1 May 2027 and Monday 3 May 2027 (Saturday 1 May 2027 included) "
            "nothing is said.",
        ),
        (
            [
                {"action": "cancel", "if": {"notice": ">=2w"}, "refund_pct": 100},
                {"action": "cancel", "if": {"notice": "<14d", "medical": True}, "refund_pct": 50},
            ],
            "About cancel: under 2 weeks before the workshop, with medical false, nothing is said.",
        ),
        (
            [
                {"action": "cancel", "if": {"product": "live"}, "refund_pct": 100},
                {"action": "cancel", "if": {"product": "online"}, "refund_pct": 50},
            ],
            "About cancel: with product none of those named nothing is said.",
        ),
        (
            [
                {"action": "cancel", "if": {"booked_ago": "<=14d"}, "refund_pct": 100},
                {"action": "cancel", "if": {"booked_ago": ">15d"}, "refund_pct": 50},
            ],
            "About cancel: at exactly 15 days (booked_ago) nothing is said.",
        ),
    ],
)  # fmt: skip
def test_a_fault_is_named_by_its_edge(said: list[dict[str, Any]], fault: str) -> None:
    assert gaps.faults(rules(*said)) == [fault]


@pytest.mark.parametrize(
    "said",
    [
        # Steps as thresholds, in either direction.
        [cancelling(">30d", refund_pct=100), cancelling(">=14d", refund_pct=50), cancelling(refund_pct=0)],
        [cancelling("<14d", refund_pct=0), cancelling("<=30d", refund_pct=50), cancelling(refund_pct=100)],
        # Days have nothing between neighbours, and two weeks are fourteen days.
        [cancelling(">=8d", refund_pct=100), cancelling("<=7d", refund_pct=0)],
        [cancelling(">=2w", refund_pct=100), cancelling("<14d", refund_pct=0)],
        # Bands that say both of their edges.
        [cancelling(">30d", refund_pct=9), cancelling(">=14d, <=30d", refund_pct=5), cancelling("<14d", refund_pct=0)],
        # A narrow exception above what holds else.
        [cancelling(">=3d, <=7d", refund_pct=50), cancelling(">=0d", refund_pct=100), cancelling(refund_pct=0)],
        # The same answer twice is one answer.
        [cancelling(">=14d", refund_pct=100), cancelling("<=14d", refund_pct=100)],
        # What is not offered is no gap.
        [moving(">14d", charge_pct=10)],
        [{"action": "unpaid", "if": {"booked_ago": ">7d"}, "lapse": True}],
        [{"action": "substitute", "if": {"same_organisation": True}, "charge_minor": 0}],
        # Counts and flags.
        [
            {"action": "transfer", "if": {"transfers_used": "=0"}, "charge_minor": 0},
            {"action": "transfer", "if": {"transfers_used": ">=1"}, "allowed": False},
        ],
        [
            {"action": "cancel", "if": {"medical": True}, "refund_pct": 100},
            {"action": "cancel", "if": {"medical": False}, "refund_pct": 0},
        ],
        # Either of two, and not.
        [
            {"action": "cancel", "if": {"any": [{"notice": ">=14d"}, {"medical": True}]}, "refund_pct": 100},
            {"action": "cancel", "if": {"not": {"any": [{"notice": ">=14d"}, {"medical": True}]}}, "refund_pct": 0},
        ],
    ],
)  # fmt: skip
def test_a_whole_policy_is_kept(said: list[dict[str, Any]]) -> None:
    assert gaps.faults(rules(*said)) == []


def test_too_much_at_once_is_refused_not_waited_for() -> None:
    conditions = {f"fact_{n}": True for n in range(20)}
    found = gaps.faults(rules({"action": "cancel", "if": conditions, "refund_pct": 0}))

    assert "too many things at once" in found[0]


BANDS = st.lists(
    st.tuples(st.sampled_from([">", ">=", "<", "<=", "="]), st.integers(0, 20)).map(
        lambda band: f"{band[0]}{band[1]}d"
    ),
    min_size=1,
    max_size=4,
)


@given(BANDS, st.integers(-3, 25))
def test_a_policy_without_faults_always_answers(bands: list[str], days: int) -> None:
    """What the check lets pass is answered on every day by a rule; a day without an answer means a fault was named."""
    policy = rules(*(cancelling(band, refund_pct=n) for n, band in enumerate(bands)))
    arrives = START - timedelta(days=days)
    is_answered = outcome(policy, "cancel", facts(), arrives).is_said

    assert is_answered or gaps.faults(policy)
