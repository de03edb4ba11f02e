"""What buyers read is made from the data the answers come from, in whole sentences."""

from typing import Any

import pytest

from policies import templates, words
from policies.rules import read
from tests.policies.making import cancelling, rules
from tests.policies.test_published import PUBLISHED


def said(*each: dict[str, Any], action: str = "cancel", **above: Any) -> list[str]:
    found = words.explain(rules(*each, **{"currency": "GBP", **above}))
    return list(next(passage.sentences for passage in found if passage.action == action))


def test_steps_read_as_steps() -> None:
    assert said(
        cancelling(">30d", refund_pct=100, minus_minor=1000),
        cancelling(">=14d", refund_pct=50),
        cancelling(refund_pct=0),
    ) == [
        "If you cancel more than 30 days before the workshop, we return everything you paid, less £10.00.",
        "If you cancel 14 days or more before the workshop, we return 50% of what you paid.",
        "In all other cases nothing is returned.",
        "Where more than one of these sentences fits, the first of them holds.",
    ]


@pytest.mark.parametrize(
    ("condition", "phrase"),
    [
        ({"notice": ">=72h"}, "If you cancel 72 hours or more before the workshop, "),
        ({"notice": "<1mo"}, "If you cancel less than 1 month before the workshop, "),
        ({"notice": ">=3d, <7d"}, "If you cancel 3 days or more but less than 7 days before the workshop, "),
        ({"notice": ">=1d@17:00"}, "If you cancel by 17:00, 1 day before the workshop, "),
        ({"booked_ago": "<=14d"}, "If you cancel within 14 days of booking, "),
        ({"invoiced_ago": ">30d"}, "If you cancel more than 30 days after the invoice, "),
        ({"first_session_in": ">=5wd"}, "If you cancel 5 working days or more before the first session, "),
        ({"at": "<2027-03-28"}, "If you cancel before Sunday 28 March 2027, "),
        ({"booked_at": "<2027-03-28"}, "If you cancel and booking is before Sunday 28 March 2027, "),
        (
            {"medical": True, "notice": ">0h"},
            "If you cancel before the workshop and you are ill and send us evidence, ",
        ),
        (
            {"ticket": ["early_bird", "discounted"]},
            "If you cancel and the ticket is early bird or the ticket is discounted, ",
        ),
        ({"transfers_used": ">=2"}, "If you cancel and you have moved at least twice already, "),
        ({"price_minor": "<5000"}, "If you cancel and the price is less than £50.00, "),
        (
            {"any": [{"medical": True}, {"member": True}]},
            "either you are ill and send us evidence or you are a member, ",
        ),
        ({"not": {"member": True}}, "If you cancel and it is not the case that you are a member, "),
    ],
)
def test_conditions_in_words(condition: dict[str, Any], phrase: str) -> None:
    assert phrase in said({"action": "cancel", "if": condition, "refund_pct": 100}, cancelling(refund_pct=0))[0]


@pytest.mark.parametrize(
    ("says", "phrase"),
    [
        ({"refund_pct": 12.5}, "we return 12.5% of what you paid."),
        ({"refund_pct": 100, "keep_deposit": True}, "we return what you paid beyond the deposit."),
        (
            {"minus_pct": 25, "minus_pct_cap_minor": 2500},
            "we return everything you paid, less 25% of what you paid (at most £25.00).",
        ),
        (
            {"credit_pct": 100, "credit_expires": "12mo"},
            "you get a credit note for everything you paid, valid for 12 months.",
        ),
        (
            {"refund_pct": 50, "credit_rest": True},
            "we return 50% of what you paid and you get a credit note for the rest.",
        ),
        (
            {"refund_pct": 0, "owe_full_price": True},
            "nothing is returned and what has not been paid of the price is still owed.",
        ),
        ({"recording_access": True}, "you get the recording."),
        ({"refund_pct": 0, "recording_access": False}, "nothing is returned and you do not get the recording."),
        (
            {"choose": [{"refund_pct": 100}, {"move_charge_minor": 500}]},
            "we return everything you paid; or you move to another date for £5.00.",
        ),
        ({"credit_pct": 50, "discretionary": True}, "you get a credit note for 50% of what you paid, if we agree."),
        (
            {"refund_pct": 100, "pay_within": "7d"},
            "we return everything you paid and the money goes back within 7 days.",
        ),
        ({"credit_pct": 100, "credit_use_charge_minor": 3500, "vat_pct": 20}, "using it costs £35.00 plus 20% VAT."),
        ({"refund_pct": 0, "certificate": False}, "nothing is returned and no certificate."),
        ({"refund_pct": 0, "note": "We are sorry."}, "nothing is returned. We are sorry."),
    ],
)
def test_results_in_words(says: dict[str, Any], phrase: str) -> None:
    assert said(cancelling(**says))[0].endswith(phrase)


def test_a_facts_own_phrase_is_used() -> None:
    own = {"handouts_sent": "we have sent you the handouts", "ticket=group": "you booked as a group"}
    both = {"action": "cancel", "if": {"handouts_sent": True, "ticket": "group"}, "refund_pct": 0}

    assert said(both, words=own)[0].startswith(
        "If you cancel and we have sent you the handouts and you booked as a group, "
    )


def test_the_organiser_cancels_a_colleague_comes_a_move_is_limited() -> None:
    moves = {"action": "transfer", "if": {"notice": ">=14d"}, "charge_minor": 1500}

    assert said({"action": "provider_cancel", "refund_pct": 100}, action="provider_cancel") == [
        "If we cancel, we return everything you paid."
    ]
    assert said({"action": "substitute", "charge_minor": 0}, action="substitute") == [
        "If somebody else takes your place, it is free of charge."
    ]
    limits = {"transfers_max": 1, "transfer_window": {"longest_of": ["6mo", "6 events"]}}
    assert said(moves, action="transfer", limits=limits) == [
        "If you move to another date or workshop 14 days or more before the workshop, it costs £15.00, and you pay the "
        "difference if the new price is higher.",
        "In all other cases this is not part of our policy, but you may ask us.",
        "You may move once.",
        "The new date must be within the longer of 6 months and 6 events of the first.",
    ]  # fmt: skip


@pytest.mark.parametrize("data", [*PUBLISHED, *(each.data("Europe/London", "GBP") for each in templates.everything())])
def test_every_policy_can_be_told(data: dict[str, Any]) -> None:
    """Whole sentences, and nothing of the data's own spelling in them."""
    found = [sentence for passage in words.explain(read(data), "GBP") for sentence in passage.sentences]

    assert found
    for sentence in found:
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert [part for part in ("_", "{", "None", "  ", "..") if part in sentence] == []
