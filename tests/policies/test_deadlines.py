"""What somebody gets until when, with the dates of one workshop: the same answers as on the day, as sentences."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import deadlines, templates
from policies.measures import TICK
from policies.rules import read
from policies.templates import Template
from tests.policies.making import START, at, cancelling, facts, rules

LADDER = rules(
    cancelling(">30d", refund_pct=100, minus_minor=1000),
    cancelling(">=14d", refund_pct=50),
    cancelling(refund_pct=0),
    {"action": "substitute", "if": {"notice": ">=48h"}, "charge_minor": 0},
)
IN_MARCH = at("2027-03-02T09:00Z")


def said(*each: dict[str, Any], now: str = "2027-03-02T09:00Z", **changed: Any) -> list[str]:
    found = deadlines.of_cancelling(rules(*each), facts(**{"zone": "Europe/London"} | changed), at(now))
    return [deadline.sentence for deadline in found]


def test_steps_have_their_dates() -> None:
    found = deadlines.of_cancelling(LADDER, facts(zone="Europe/London"), IN_MARCH)

    assert [each.sentence for each in found] == [
        "Until the end of Tuesday 11 May 2027 we return everything you paid, less £10.00.",
        "Then until the end of Friday 28 May 2027 we return 50% of what you paid.",
        "After that nothing is returned.",
    ]
    assert [each.until for each in found] == [at("2027-05-11T23:00Z"), at("2027-05-28T23:00Z"), None]


def test_what_is_over_is_not_told_any_more() -> None:
    found = deadlines.of_cancelling(LADDER, facts(zone="Europe/London"), at("2027-05-20T09:00Z"))

    assert [each.sentence for each in found] == [
        "Until the end of Friday 28 May 2027 we return 50% of what you paid.",
        "After that nothing is returned.",
    ]


def test_one_answer_for_all_the_time_needs_no_date() -> None:
    assert said(cancelling(refund_pct=0)) == ["Whenever you do, nothing is returned."]


def test_dates_are_counted_where_the_workshop_is() -> None:
    found = said(cancelling(">=14d", refund_pct=50), cancelling(refund_pct=0), zone="Pacific/Auckland")

    assert START.astimezone(ZoneInfo("Pacific/Auckland")).day == 11
    assert found[0] == "Until the end of Friday 28 May 2027 we return 50% of what you paid."


def test_a_deadline_by_the_clock_names_the_hour() -> None:
    assert said(cancelling(">=72h", refund_pct=100), cancelling(refund_pct=0))[0] == (
        "Until Tuesday 8 June 2027, 10:00 BST (London) we return everything you paid."
    )


def test_what_hangs_on_a_resale_says_so() -> None:
    two = {"action": "cancel", "if": {"seat_resold": True}, "refund_pct": 75, "pay_when": "after_event"}
    assert said(cancelling(">=1mo", refund_pct=100), two, cancelling(refund_pct=0))[1] == (
        "After that nothing is returned; if somebody else takes your place, we return 75% of what you paid and the "
        "money goes back after the workshop."
    )


def test_a_right_to_change_one_s_mind_runs_from_booking() -> None:
    found = said(
        cancelling(refund_pct=100) | {"if": {"booked_ago": "<=14d"}},
        cancelling(refund_pct=0),
        booked_at=IN_MARCH,
    )

    assert found[0] == "Until the end of Tuesday 16 March 2027 we return everything you paid."


def test_what_the_organiser_decides_and_what_is_over_has_no_dates() -> None:
    assert said(cancelling(refund_pct=0, discretionary=True)) == []
    assert said({"action": "substitute", "charge_minor": 0}) == []
    assert said(cancelling(refund_pct=0), now="2027-07-01T09:00Z") == []
    assert said(cancelling(refund_pct=100, minus_minor={"EUR": 900})) == []


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (
            {"if": {"notice": ">=48h"}, "charge_minor": 0},
            "Somebody else may come instead until Wednesday 9 June 2027, 10:00 BST (London); it is free of charge.",
        ),
        ({"charge_minor": 1500}, "Somebody else may come instead; it costs £15.00."),
        ({"allowed": False}, None),
        ({"if": {"notice": ">=200d"}, "charge_minor": 0}, None),
    ],
)
def test_until_when_somebody_else_may_come(rule: dict[str, Any], sentence: str | None) -> None:
    found = deadlines.of_substitutes(
        rules({"action": "substitute", **rule}), facts(zone="Europe/London"), at("2027-03-02T09:00Z")
    )

    assert (found.sentence if found else None) == sentence


def plain(sentence: str) -> str:
    """A sentence without its place among others."""
    for start in ("then ", "after that ", "whenever you do, "):
        sentence = sentence[:1].lower() + sentence[1:]
        sentence = sentence.removeprefix(start)
    return sentence


@given(
    st.sampled_from([each for each in templates.everything() if each.suits("GBP")]),
    st.datetimes(min_value=IN_MARCH.replace(tzinfo=None), max_value=START.replace(tzinfo=None)),
)
def test_a_moment_before_a_deadline_the_same_is_told_and_at_it_what_follows(template: Template, when: datetime) -> None:
    policy = read(template.data("Europe/London", "GBP"))
    known = facts(zone="Europe/London", booked_at=IN_MARCH, deposit_minor=2000)
    told = deadlines.of_cancelling(policy, known, when.replace(tzinfo=UTC))

    for one, following in pairwise(told):
        assert one.until is not None
        before = deadlines.of_cancelling(policy, known, one.until - TICK)[0]
        after = deadlines.of_cancelling(policy, known, one.until)[0]
        assert (before.until, plain(before.sentence)) == (one.until, plain(one.sentence))
        assert (after.until, plain(after.sentence)) == (following.until, plain(following.sentence))
