"""The policies to start from are whole, there is one for every currency, and their figures can be filled in."""

from typing import Any

import pytest

from policies import templates, versions, words
from policies.outcomes import outcome
from policies.rules import PolicyRefused
from policies.templates import Template
from tests.policies.making import at, facts

ALL = templates.everything()
ZONE = "Europe/Paris"


@pytest.mark.parametrize("template", ALL, ids=lambda each: each.key)
@pytest.mark.parametrize("currency", ["GBP", "EUR", "USD", "JPY"])
def test_a_template_can_be_kept_where_it_suits(template: Template, currency: str) -> None:
    if template.suits(currency):
        policy = versions.checked(template.data(ZONE, currency))
        known = facts(currency=currency)
        for action in policy.actions:
            for now in ("2027-03-01T09:00Z", "2027-06-01T09:00Z", "2027-06-10T09:00Z"):
                assert outcome(policy, action, known, at(now)).is_said
        assert outcome(policy, "cancel", known, at("2027-03-01T09:00Z")).currency == currency


@pytest.mark.parametrize("template", ALL, ids=lambda each: each.key)
def test_a_template_serves_who_sells_in_several_currencies(template: Template) -> None:
    policy = versions.checked(template.data(ZONE, "GBP", "USD"))

    assert policy.currency == ""
    for currency in ("GBP", "USD"):
        assert outcome(policy, "substitute", facts(currency=currency), at("2027-03-01T09:00Z")).is_said


def test_which_suit() -> None:
    assert [each.key for each in ALL if each.suits("JPY")] == [
        "no_refund_small",
        "resale_and_illness",
        "recording_instead",
    ]
    assert all(each.suits(currency) for each in ALL for currency in ("GBP", "EUR", "USD"))
    with pytest.raises(KeyError):
        templates.by_key("days_7_3").data(ZONE, "JPY")


def test_a_template_is_found_by_its_key() -> None:
    assert templates.by_key("no_refund_small").name == "No refunds, colleagues free"
    with pytest.raises(KeyError):
        templates.by_key("other")


def test_figures_go_where_they_belong() -> None:
    figures = {"far": 21, "charge": {"EUR": 900}, "near": 10, "part": 40, "colleague": 12, "moves": 1, "unpaid": 5}
    made = templates.by_key("graded_30_14").data(ZONE, "EUR", figures=figures)
    policy = versions.checked(made)

    said = [each for passage in words.explain(policy) for each in passage.sentences]
    assert said[:2] == [
        "If you cancel more than 21 days before the workshop, we return everything you paid, less €9.00.",
        "If you cancel 10 days or more before the workshop, we return 40% of what you paid.",
    ]
    assert "You may move once." in said


def others(template: Template) -> dict[str, Any]:
    """Figures that are all other than the file's, those of each kind in the same order."""
    return {
        each.key: {code: minor + 7 for code, minor in each.value.items()} if each.kind == "amount" else each.value + 1
        for each in template.asks
    }


@pytest.mark.parametrize("template", ALL, ids=lambda each: each.key)
@pytest.mark.parametrize("currencies", [("GBP",), ("GBP", "EUR")], ids=["one currency", "two"])
def test_a_policy_knows_its_template_and_its_figures_again(template: Template, currencies: tuple[str, ...]) -> None:
    figures = others(template)
    kept = versions.plain({**template.data(ZONE, *currencies, figures=figures), "name": "Renamed"})
    versions.checked(kept)

    found = template.figures(kept, ZONE)
    assert templates.of(kept, ZONE) is template
    assert found == {
        key: {code: value[code] for code in currencies} if isinstance(value, dict) else value
        for key, value in figures.items()
    }
    assert template.data(ZONE, *currencies, figures=found) == {**kept, "name": template.name}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda data: data["rules"].pop(), id="a rule fewer"),
        pytest.param(lambda data: data["rules"][1].update(note="And a word."), id="a word more"),
        pytest.param(lambda data: data["rules"][6]["if"].update(notice=">=15d"), id="one figure of two"),
        pytest.param(lambda data: data["rules"][4]["if"].update(notice=">=2d"), id="days for hours"),
        pytest.param(lambda data: data["rules"][3].update(refund_pct=False), id="no for nought"),
        pytest.param(lambda data: data.update(holidays=["2027-12-27"]), id="holidays"),
        pytest.param(lambda data: data.update(tz="Europe/London"), id="another zone"),
        pytest.param(lambda data: data.pop("limits"), id="no limits"),
    ],
)
def test_a_policy_that_says_anything_else_has_no_template(change: Any) -> None:
    data = templates.by_key("graded_30_14").data(ZONE, "GBP")
    assert templates.of(data, ZONE) is not None
    change(data)

    assert templates.of(data, ZONE) is None


def test_figures_that_leave_nothing_to_a_rule_are_refused() -> None:
    data = templates.by_key("days_7_3").data(ZONE, "GBP", figures={"far": 3, "near": 9})

    with pytest.raises(PolicyRefused, match="rule 2 is never reached"):
        versions.checked(data)
