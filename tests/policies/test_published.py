"""Twenty policies as providers publish them: each of their worked examples comes out of their own rules."""

import copy
from pathlib import Path
from typing import Any

import pytest

from policies import examples

FILE = Path(__file__).parent / "published.yaml"
PUBLISHED = examples.load(FILE)
EXAMPLES = [
    pytest.param(policy, example, id=f"{policy['id']}-{n}")
    for policy in PUBLISHED
    for n, example in enumerate(policy["examples"], 1)
]


def test_the_facts_are_complete() -> None:
    assert len(PUBLISHED) == 20
    assert len(EXAMPLES) == 94


@pytest.mark.parametrize(("policy", "example"), EXAMPLES)
def test_what_is_published_comes_out(policy: dict[str, Any], example: dict[str, Any]) -> None:
    found = examples.check([{**policy, "examples": [example]}])

    assert (found.differences, found.faults, found.agreed) == ((), (), 1)


@pytest.mark.parametrize(("policy", "example"), EXAMPLES)
def test_another_figure_is_seen(policy: dict[str, Any], example: dict[str, Any]) -> None:
    """The check is no rubber stamp: with any one expected figure changed, it says so."""
    expected = example["expect"]
    for key in expected:
        changed = copy.deepcopy(expected)
        changed[key] = _other(changed[key])
        found = examples.check([{**policy, "examples": [{**example, "expect": changed, "accept": []}]}])
        assert len(found.differences) == 1, key
        assert key in found.differences[0]


def _other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, list):
        return [{**value[0], next(iter(value[0])): _other(next(iter(value[0].values())))}, *value[1:]]
    return f"{value}x"


def test_a_booking_keeps_the_policy_it_was_sold_under() -> None:
    older = {"id": "older", "rules": [{"action": "cancel", "refund_pct": 100}]}
    example = {"action": "cancel", "price_minor": 5000, "currency": "GBP", "at": "2027-01-01T10:00"}
    newer = {
        "id": "newer",
        "rules": [{"action": "cancel", "refund_pct": 0}],
        "examples": [
            {**example, "expect": {"refund_minor": 0}},
            {**example, "policy_snapshot": "older", "expect": {"refund_minor": 5000}},
            {**example, "policy_snapshot": "lost", "expect": {"refund_minor": 5000}},
        ],
    }

    found = examples.check([newer, older])

    assert (found.agreed, found.total) == (2, 3)
    assert "sold under lost" in found.differences[0]


def test_any_of_the_accepted_answers_will_do() -> None:
    policy = {"rules": [{"action": "cancel", "refund_pct": 50}]}
    example = {"action": "cancel", "price_minor": 100, "currency": "GBP", "at": "2027-01-01"}
    accepted = [{"refund_minor": 0}, {"refund_minor": 50}]

    assert examples.check([{**policy, "examples": [{**example, "accept": accepted}]}]).is_sound
    assert not examples.check([{**policy, "examples": [{**example, "accept": accepted[:1]}]}]).is_sound


def test_options_come_in_any_order_but_all_of_them() -> None:
    choice = [{"refund_pct": 100}, {"recording_access": True}, {"move_charge_minor": 0}]
    example = {"action": "cancel", "price_minor": 100, "currency": "GBP", "at": "2027-01-01"}
    wanted: list[dict[str, Any]] = [{"recording_access": True}, {"move_charge_minor": 0}, {"refund_minor": 100}]

    def is_sound(options: list[dict[str, Any]]) -> bool:
        given = {**example, "expect": {"options": options}}
        return examples.check([{"rules": [{"action": "cancel", "choose": choice}], "examples": [given]}]).is_sound

    assert is_sound(wanted)
    assert not is_sound(wanted[:2])
    assert not is_sound([*wanted[:2], {"refund_minor": 99}])
    assert not is_sound([wanted[0], wanted[0], wanted[1]])


@pytest.mark.parametrize(
    ("example", "said"),
    [
        ({"action": "cancel", "at": "2027-01-01"}, "expects nothing"),
        ({"action": "cancel", "expect": {"refund_minor": 0}}, "no `at`"),
        ({"action": "cancel", "at": "yesterday", "expect": {"refund_minor": 0}}, "cannot be worked"),
    ],
)
def test_an_example_that_cannot_be_worked_says_why(example: dict[str, Any], said: str) -> None:
    found = examples.check([{"rules": [{"action": "cancel", "refund_pct": 0}], "examples": [example]}])

    assert said in found.differences[0]


def test_a_gap_is_refused_unless_the_policy_admits_it() -> None:
    policy = {"id": "it", "rules": [{"action": "cancel", "if": {"notice": ">=7d"}, "refund_pct": 0}]}

    refused = examples.check([policy])
    admitted = examples.check([{**policy, "gaps": ["nothing about the last week"]}])

    assert "under 7 days before the workshop nothing is said" in refused.faults[0]
    assert not refused.is_sound
    assert admitted.is_sound
    assert "under 7 days" in admitted.remarks[0]
