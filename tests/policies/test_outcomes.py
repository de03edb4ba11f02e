"""What comes out beyond the published examples: what is pending, groups, limits, currencies, silence."""

from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.amounts import AmountMissing, rounded
from policies.facts import Facts, Group
from policies.outcomes import Outcome, outcome
from policies.rules import Rules
from tests.policies.making import START, at, cancelling, facts, rules

JUNE = at("2027-06-01T09:00Z")


def cancelled(policy: Rules, known: Facts | None = None, action: str = "cancel") -> Outcome:
    return outcome(policy, action, known or facts(), JUNE)


RESALE = rules(
    {"action": "cancel", "if": {"seat_resold": True}, "refund_pct": 75},
    {"action": "cancel", "refund_pct": 10},
)


def test_what_hangs_on_resale_is_pending_until_it_is_known() -> None:
    found = cancelled(RESALE)

    assert (found.refund_minor, found.pending, found.pending_on) == (1000, True, ("seat_resold",))
    assert found.if_so is not None
    assert found.if_so.refund_minor == 7500
    for is_resold, refund in ((True, 7500), (False, 1000)):
        known = cancelled(RESALE, facts(seat_resold=is_resold))
        assert (known.refund_minor, known.pending) == (refund, False)


def test_nothing_is_pending_where_resale_would_change_nothing() -> None:
    resold = {"action": "cancel", "if": {"seat_resold": True}, "refund_pct": 75}
    policy = rules(cancelling(">=1d", refund_pct=75), resold)

    assert not cancelled(policy).pending


def test_a_fact_of_ones_own_may_be_unknown_too() -> None:
    policy = rules({"action": "cancel", "if": {"replacement_found": True}, "refund_pct": 100}, cancelling(refund_pct=0))

    assert cancelled(policy, facts(others={"replacement_found": None})).pending_on == ("replacement_found",)
    assert not cancelled(policy).pending


def test_a_reason_counts_with_its_proof() -> None:
    policy = rules({"action": "cancel", "if": {"medical": True}, "credit_pct": 100}, cancelling(refund_pct=0))

    assert cancelled(policy, facts(reason="medical", proof=True)).credit_minor == 10_000
    assert cancelled(policy, facts(reason="medical")).credit_minor == 0
    assert cancelled(policy, facts(reason="weather", proof=True)).credit_minor == 0


@pytest.mark.parametrize(
    ("action", "refund", "allowed"),
    [("no_show", 5000, True), ("withdraw", 5000, True), ("leave_early", 5000, True), ("substitute", 0, False),
     ("transfer", 0, False), ("provider_cancel", 10_000, True), ("provider_postpone", 10_000, True)],
)  # fmt: skip
def test_what_has_no_rule_of_its_own(action: str, refund: int, allowed: bool) -> None:
    found = cancelled(rules(cancelling(refund_pct=50)), action=action)

    assert (found.refund_minor, found.allowed) == (refund, allowed)


def test_what_nobody_speaks_of_is_the_organisers_to_decide() -> None:
    found = cancelled(rules({"action": "substitute", "charge_minor": 0}))

    assert (found.is_said, found.discretionary, found.refund_minor, found.fee_minor) == (False, True, 0, 10_000)


@pytest.mark.parametrize(
    ("group", "refund"),
    [
        # Three at 45.00 instead of 50.00: two now pay 50.00, the third gets 60% of 50.00, less the 15.00 not earned.
        (Group(3, 5000, threshold=3), 1500),
        # Still three left of four: the discount stays, 60% of the fourth's share.
        (Group(4, 3750, threshold=3), 2025),
        (Group(3, 5000), 2700),
        (Group(3, 5000, threshold=3, leaving=2), 4500),
    ],
)
def test_one_of_a_group_cancels(group: Group, refund: int) -> None:
    whole = facts(price_minor=13_500, group=group)
    found = cancelled(rules(cancelling(refund_pct=60)), whole, "cancel_one_of_group")

    assert (found.refund_minor, found.fee_minor) == (refund, 13_500 - refund)


def test_a_move_within_limits_only() -> None:
    policy = rules({"action": "transfer", "charge_minor": 0}, limits={"transfers_max": 1, "transfer_window": "6mo"})

    def moved(**changed: Any) -> bool:
        return cancelled(policy, facts(**changed), "transfer").allowed

    assert moved()
    assert not moved(transfers_used=1)
    assert moved(target_starts_at=at("2027-12-11T18:00Z"))
    assert not moved(target_starts_at=at("2027-12-12T09:00Z"))


def test_a_window_may_end_on_a_date() -> None:
    policy = rules({"action": "transfer", "charge_minor": 0}, limits={"transfer_window": "2027-12-31"})

    for target, allowed in (("2027-12-31T20:00Z", True), ("2028-01-01T09:00Z", False)):
        assert cancelled(policy, facts(target_starts_at=at(target)), "transfer").allowed is allowed


@pytest.mark.parametrize(
    ("window", "events", "allowed"),
    [
        ("longest_of", 6, True), ("longest_of", 7, False), ("longest_of", None, True),
        ("shortest_of", 6, False), ("shortest_of", None, False),
    ],
)  # fmt: skip
def test_a_window_of_months_and_events(window: str, events: int | None, allowed: bool) -> None:
    limits = {"transfer_window": {window: ["6mo", "6 events"]}}
    late = facts(target_starts_at=at("2028-01-12T09:00Z"), target_events_after=events)

    assert (
        cancelled(rules({"action": "transfer", "charge_minor": 0}, limits=limits), late, "transfer").allowed is allowed
    )


@pytest.mark.parametrize(
    ("way", "target", "refund", "credit", "due"),
    [
        (None, 12_000, 0, 0, 3500), (None, 8000, 0, 0, 1500), ("pay", 9000, 0, 0, 1500), ("both", 8000, 500, 0, 0),
        ("both", 9000, 0, 0, 500), ("credit", 8000, 0, 500, 0), ("none", 12_000, 0, 0, 1500),
        ("both", None, 0, 0, 1500),
    ],
)  # fmt: skip
def test_the_difference_in_price(way: str | None, target: int | None, refund: int, credit: int, due: int) -> None:
    policy = rules({"action": "transfer", "charge_minor": 1500, **({"price_difference": way} if way else {})})
    found = cancelled(policy, facts(target_price_minor=target), "transfer")

    assert (found.refund_minor, found.credit_minor, found.due_minor, found.fee_minor) == (refund, credit, due, 1500)


def test_fixed_amounts_are_never_converted() -> None:
    pounds = rules(cancelling(refund_pct=100, minus_minor=1500), currency="GBP")
    both = rules(cancelling(refund_pct=100, minus_minor={"GBP": 1500, "JPY": 2500}))

    with pytest.raises(AmountMissing, match="EUR was paid"):
        cancelled(pounds, facts(currency="EUR"))
    with pytest.raises(AmountMissing, match="no minus_minor in EUR"):
        cancelled(both, facts(currency="EUR"))
    assert cancelled(both, facts(currency="JPY")).refund_minor == 7500
    assert cancelled(rules(cancelling(refund_pct=50), currency="GBP"), facts(currency="EUR")).refund_minor == 5000


@pytest.mark.parametrize("band", [">=3d, <14d", ">=3d and <14d", ">=3d <14d", [">=3d", "<14d"]])
def test_both_ends_of_a_band_must_hold(band: Any) -> None:
    policy = rules({"action": "cancel", "if": {"notice": band}, "refund_pct": 50}, cancelling(refund_pct=0))
    found = [outcome(policy, "cancel", facts(), START - timedelta(days=n)).refund_minor for n in (2, 3, 13, 14)]

    assert found == [0, 5000, 5000, 0]


def test_of_values_any_one_is_enough() -> None:
    policy = rules(
        {"action": "cancel", "if": {"ticket": ["early", "group"]}, "refund_pct": 50}, cancelling(refund_pct=0)
    )

    assert [cancelled(policy, facts(ticket=each)).refund_minor for each in ("early", "group", "full", None)] == [
        5000, 5000, 0, 0,
    ]  # fmt: skip


def test_notice_may_be_measured_to_a_moment_of_ones_own() -> None:
    policy = rules(cancelling(">=7d", refund_pct=100), cancelling(refund_pct=0), anchor="access")

    assert cancelled(policy, facts(others={"access_at": at("2027-06-07T09:00Z")})).refund_minor == 0
    assert cancelled(policy).refund_minor == 10_000  # without it, to the start


@pytest.mark.parametrize(("paid", "is_paid", "in_full"), [(0, False, False), (1, True, False), (10_000, True, True)])
def test_whether_it_is_paid_is_a_fact(paid: int, is_paid: bool, in_full: bool) -> None:
    known = facts(paid_minor=paid)

    assert (known.value("paid", JUNE), known.value("paid_in_full", JUNE)) == (is_paid, in_full)


def test_a_charge_is_owed_where_too_little_was_paid() -> None:
    policy = rules(cancelling(charge_pct=25))

    assert cancelled(policy).refund_minor == 7500
    half = cancelled(policy, facts(paid_minor=2000))
    assert (half.refund_minor, half.fee_minor, half.due_minor) == (0, 2000, 500)


def test_a_course_is_returned_by_what_is_left_of_it() -> None:
    policy = rules(cancelling(of="remaining", refund_pct=50))
    begun = facts(sessions=tuple(on_may(day) for day in (28, 29, 30)))

    assert (
        outcome(policy, "cancel", begun, at("2027-05-29T12:00Z")).refund_minor == 1667
    )  # a third, half of it, half up


def on_may(day: int) -> datetime:
    return START.replace(month=5, day=day)


def test_a_credit_expires_counted_from_where_the_policy_says() -> None:
    def expires(**says: Any) -> date | None:
        return cancelled(
            rules(cancelling(credit_pct=100, **says)), facts(booked_at=at("2027-01-31T09:00Z"))
        ).credit_expires

    assert expires(credit_expires="12mo") == date(2028, 6, 1)
    assert expires(credit_expires="1mo", credit_expires_from="booking") == date(2027, 2, 28)
    assert expires(credit_expires="1y", credit_expires_from="event") == date(2028, 6, 11)
    assert expires(credit_expires="2028-12-31") == date(2028, 12, 31)
    assert expires() is None


def test_a_move_too_many_that_counts_as_cancelling_says_what_that_gives() -> None:
    policy = rules(
        {"action": "transfer", "if": {"transfers_used": ">=1"}, "allowed": False, "treat_as": "cancel"},
        {"action": "transfer", "charge_minor": 0},
        cancelling(refund_pct=40),
        {"action": "no_show", "treat_as": "cancel"},
    )
    found = cancelled(policy, facts(transfers_used=1), "transfer")

    assert (found.allowed, found.treat_as) == (False, "cancel")
    assert found.instead is not None
    assert found.instead.refund_minor == 4000
    assert cancelled(policy, action="no_show").refund_minor == 4000


def test_an_instant_needs_its_zone() -> None:
    with pytest.raises(ValueError, match="needs its zone"):
        outcome(RESALE, "cancel", facts(), JUNE.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("exact", "found"), [("1/2", 1), ("3/2", 2), ("5/2", 3), ("249/100", 2), ("-1/2", 0), ("7", 7)]
)
def test_rounding_is_half_up(exact: str, found: int) -> None:
    assert rounded(Fraction(exact)) == found


PERCENT = st.integers(0, 100)
SMALL = st.integers(0, 20_000)
RESULTS = st.one_of(
    st.fixed_dictionaries(
        {"refund_pct": PERCENT},
        optional={
            "minus_minor": SMALL, "minus_pct": PERCENT, "minus_pct_cap_minor": SMALL, "minus_pct_min_minor": SMALL,
            "keep_deposit": st.booleans(), "keep_minor": SMALL, "refund_cap_minor": SMALL, "credit_rest": st.booleans(),
            "credit_minor": SMALL, "charge_minor": SMALL, "owe_full_price": st.booleans(), "vat_pct": PERCENT,
            "of": st.sampled_from(["paid", "price", "balance", "remaining", "deposit"]),
        },
    ),
    PERCENT.flatmap(lambda n: st.fixed_dictionaries({"refund_pct": st.just(n), "credit_pct": st.integers(0, 100 - n)})),
    st.fixed_dictionaries({"credit_pct": PERCENT, "credit_minus_minor": SMALL, "credit_minus_pct": PERCENT}),
)  # fmt: skip


@given(RESULTS, st.integers(0, 10**7), st.integers(0, 10**7), SMALL, st.sampled_from(["cancel", "no_show", "withdraw"]))
def test_what_goes_back_and_what_is_kept_is_what_was_paid(
    says: dict[str, Any], price: int, paid: int, deposit: int, action: str
) -> None:
    known = facts(price_minor=price, paid_minor=paid, deposit_minor=deposit)
    found = cancelled(rules(cancelling(**says)), known, action)

    assert found.refund_minor + found.credit_minor + found.fee_minor == paid
    assert min(found.refund_minor, found.credit_minor, found.fee_minor, found.due_minor) >= 0


@given(st.lists(PERCENT, min_size=1, max_size=4), st.integers(0, 10**6), st.integers(0, 60), st.integers(0, 60))
def test_later_notice_never_pays_better_where_the_steps_only_fall(
    shares: list[int], paid: int, one: int, other: int
) -> None:
    steps = sorted(shares, reverse=True)
    falling = [cancelling(f">={(len(steps) - n) * 10}d", refund_pct=each) for n, each in enumerate(steps)]
    policy = rules(*falling, cancelling(refund_pct=0))
    known = facts(price_minor=paid)
    early, late = (
        outcome(policy, "cancel", known, START - timedelta(days=n)) for n in (max(one, other), min(one, other))
    )

    assert early.refund_minor >= late.refund_minor
