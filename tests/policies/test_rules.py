"""What cannot be understood is refused, with the rule and, for a slip of the fingers, the word that was meant."""

from typing import Any

import pytest

from policies.rules import PolicyRefused, read
from tests.policies.making import rules


def refusal(data: Any) -> str:
    with pytest.raises(PolicyRefused) as refused:
        read(data)
    return str(refused.value)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"action": "cancle", "refund_pct": 0}, "Did you mean cancel?"),
        ({"action": "cancel", "refund_pc": 0}, "Did you mean refund_pct?"),
        ({"action": "cancel", "fee_minor": 500}, "`fee_minor` is not known"),
        ({"action": "cancel", "refund": 100}, "`refund` is not known"),
        ({"action": "cancel", "if": {"notcie": ">=14d"}, "refund_pct": 0}, "Did you mean notice?"),
        ({"action": "cancel", "if": {"notice": ">=14"}, "refund_pct": 0}, "but of what? Write 14d"),
        ({"action": "cancel", "if": {"notice": "14d"}, "refund_pct": 0}, "does not say how to compare"),
        ({"action": "cancel", "if": {"notice": ">=14x"}, "refund_pct": 0}, "no length of time"),
        ({"action": "cancel", "if": {"notice": ">=14d or <3d"}, "refund_pct": 0}, "no length of time"),
        ({"action": "cancel", "if": {"ticket": []}, "refund_pct": 0}, "empty list"),
        ({"action": "cancel", "if": {"any": []}, "refund_pct": 0}, "needs a list of conditions"),
        ({"action": "cancel", "if": ["notice"], "refund_pct": 0}, "needs a mapping"),
        ({"action": "cancel"}, "does not say what follows"),
        ({"refund_pct": 0}, "with an `action`"),
        ({"action": "cancel", "refund_pct": 101}, "from 0 to 100"),
        ({"action": "cancel", "refund_pct": "half"}, "from 0 to 100"),
        ({"action": "cancel", "refund_pct": 60, "credit_pct": 60}, "over 100 together"),
        ({"action": "cancel", "refund_pct": 60, "refund_minor": 60}, "Keep one of them"),
        ({"action": "cancel", "minus_minor": 10.5}, "whole number of minor units"),
        ({"action": "cancel", "minus_minor": -1}, "whole number of minor units"),
        ({"action": "cancel", "minus_minor": {"pounds": 5}}, "whole number of minor units"),
        ({"action": "cancel", "allowed": "no"}, "is true or false"),
        ({"action": "cancel", "choose": []}, "needs a list of results"),
        ({"action": "cancel", "choose": [{"refund_pct": 900}]}, "from 0 to 100"),
        ({"action": "transfer", "price_difference": "half"}, "pay, both, credit, none"),
        ({"action": "cancel", "credit_pct": 100, "credit_expires": "soon"}, "no length of time"),
    ],
)
def test_a_rule_that_cannot_be_read_says_why(rule: dict[str, Any], said: str) -> None:
    found = refusal({"rules": [{"action": "no_show", "refund_pct": 0}, rule]})

    assert said in found
    assert "Rule 2:" in found


@pytest.mark.parametrize(
    ("above", "said"),
    [
        ({"tz": "London"}, "no time zone"),
        ({"currency": "pounds"}, "no currency"),
        ({"anchor": "event_strat"}, "`anchor: event_strat` is not known"),
        ({"limts": {}}, "Did you mean limits?"),
        ({"limits": {"transfer_max": 1}}, "Did you mean transfers_max?"),
        ({"limits": {"transfers_max": "one"}}, "a number of times"),
        ({"limits": {"transfer_window": {"best_of": ["6mo"]}}}, "longest_of"),
        ({"limits": {"transfer_window": "6 goes"}}, "no length of time"),
        ({"holidays": ["Christmas"]}, "list of dates"),
        ({"rules": []}, "at least one rule"),
    ],
)
def test_what_stands_above_the_rules_is_checked_too(above: dict[str, Any], said: str) -> None:
    assert said in refusal({"rules": [{"action": "cancel", "refund_pct": 0}], **above})


def test_everything_wrong_is_said_at_once() -> None:
    found = refusal({"tz": "X", "rules": [{"action": "cancel"}, {"action": "cancel", "refund_pct": -1}]})

    assert "no time zone" in found
    assert "Rule 1:" in found
    assert "Rule 2:" in found


@pytest.mark.parametrize("data", [None, [], "cancel", 5])
def test_what_is_no_policy_at_all_is_refused(data: Any) -> None:
    assert "mapping" in refusal(data)


def test_what_a_provider_says_besides_is_no_fault() -> None:
    found = rules(
        {"action": "handouts_returned", "refund_pct": 0, "certificate": False}, provider="X", url="Y", facts=["Z"]
    )

    assert found.actions == ("handouts_returned",)


def test_rules_that_send_one_another_round_are_refused() -> None:
    there = {"action": "cancel", "treat_as": "no_show"}

    assert "back to cancel" in refusal({"rules": [there]})
    assert "leads from" in refusal({"rules": [there, {"action": "no_show", "treat_as": "cancel"}]})
