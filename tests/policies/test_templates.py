"""The policies to start from are whole, and there is one for every currency."""

import pytest

from policies import templates, versions
from policies.outcomes import outcome
from policies.templates import Template
from tests.policies.making import at, facts

ALL = templates.everything()


@pytest.mark.parametrize("template", ALL, ids=lambda each: each.key)
@pytest.mark.parametrize("currency", ["GBP", "EUR", "USD", "JPY"])
def test_a_template_can_be_kept_where_it_suits(template: Template, currency: str) -> None:
    if template.suits(currency):
        policy = versions.checked(template.data("Europe/Paris", currency))
        known = facts(currency=currency)
        for action in policy.actions:
            for now in ("2027-03-01T09:00Z", "2027-06-01T09:00Z", "2027-06-10T09:00Z"):
                assert outcome(policy, action, known, at(now)).is_said
        assert outcome(policy, "cancel", known, at("2027-03-01T09:00Z")).currency == currency


def test_which_suit() -> None:
    assert [each.key for each in ALL if each.suits("JPY")] == [
        "no_refund_small",
        "resale_and_illness",
        "recording_instead",
    ]
    assert all(each.suits(currency) for each in ALL for currency in ("GBP", "EUR", "USD"))


def test_a_template_is_found_by_its_key() -> None:
    assert templates.by_key("no_refund_small").name == "No refunds, colleagues free"
    with pytest.raises(KeyError):
        templates.by_key("other")
