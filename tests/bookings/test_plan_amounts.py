"""What of a price is paid now and what on which day: the parts add up, whatever is taken off and however many come."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.plan_amounts import OnTicket, Plan, arrange
from bookings.pricing import Person, Reduction, quote
from courses.deposits import Deposit, Part

FEB, MARCH = date(2025, 2, 3), date(2025, 3, 3)
TODAY = date(2025, 1, 6)
CATALOGUE = Deposit(12000, (Part(FEB, 15000), Part(MARCH, 15000)))
LEAST = 30


def plan_for(
    number: int = 1,
    *reductions: Reduction,
    parts: Deposit = CATALOGUE,
    seats: int = 1,
    today: date = TODAY,
    others: tuple[Person, ...] = (),
    currency: str = "GBP",
) -> Plan:
    people = [Person(n, "self_funded", "Self-funded", parts.total_minor, seats) for n in range(number)]
    priced = quote([*people, *others], currency, *reductions, least_minor=LEAST)
    return arrange(priced, [OnTicket(parts, seats, tuple(range(number)))], today, LEAST)


def told(plan: Plan) -> tuple[int, list[tuple[date, int]]]:
    return plan.now_minor, [(each.due_on, each.minor) for each in plan.later]


def test_the_catalogue_s_ticket_is_paid_as_it_says() -> None:
    assert told(plan_for()) == (12000, [(FEB, 15000), (MARCH, 15000)])
    assert told(plan_for(3)) == (36000, [(FEB, 45000), (MARCH, 45000)])
    assert plan_for(2).deposits == {0: 12000, 1: 12000}


@pytest.mark.parametrize(
    ("today", "now", "later"),
    [
        (date(2025, 2, 2), 12000, [(FEB, 15000), (MARCH, 15000)]),
        (FEB, 27000, [(MARCH, 15000)]),
        (date(2025, 2, 4), 27000, [(MARCH, 15000)]),
        (MARCH, 42000, []),
    ],
)
def test_what_is_due_by_the_day_of_booking_is_due_now(today: date, now: int, later: list[tuple[date, int]]) -> None:
    assert told(plan_for(today=today)) == (now, later)


@pytest.mark.parametrize(
    ("off", "now", "later"),
    [
        (4000, 12000, [(FEB, 15000), (MARCH, 11000)]),
        (15000, 12000, [(FEB, 15000)]),
        (20000, 12000, [(FEB, 10000)]),
        (14980, 12000, [(FEB, 15020)]),  # 20 pence on its own cannot be charged
        (29980, 12020, []),
        (33000, 9000, []),
        (42000, 0, []),
    ],
)
def test_a_code_lowers_the_last_instalment_first(off: int, now: int, later: list[tuple[date, int]]) -> None:
    assert told(plan_for(1, Reduction("OFF", kind="amount", minor=off))) == (now, later)


def test_a_code_for_one_of_two_lowers_that_one_s_instalments() -> None:
    plan = plan_for(2, Reduction("ONE", percent=50, covers=1))
    assert plan.deposits == {0: 12000, 1: 12000}
    assert [dict(each.shares) for each in plan.later] == [{0: 9000, 1: 15000}, {1: 15000}]
    assert plan.now_minor == 24000


def test_a_place_that_costs_nothing_has_no_deposit_and_no_instalment() -> None:
    plan = plan_for(2, Reduction("FREE", percent=100, covers=1))
    assert plan.deposits == {0: 0, 1: 12000}
    assert told(plan) == (12000, [(FEB, 15000), (MARCH, 15000)])


def test_a_price_for_two_is_split_by_largest_remainder() -> None:
    parts = Deposit(12001, (Part(FEB, 15001), Part(MARCH, 14999)))
    plan = plan_for(2, parts=parts, seats=2)
    assert told(plan) == (12001, [(FEB, 15001), (MARCH, 14999)])
    assert sum(plan.deposits.values()) == 12001
    assert max(plan.deposits.values()) - min(plan.deposits.values()) == 1


def test_everything_else_on_the_booking_is_paid_at_once() -> None:
    others = (Person(5, "whole", "Whole", 9000), Person(0, "lunch", "Lunch", 1500, is_extra=True))
    assert told(plan_for(others=others)) == (22500, [(FEB, 15000), (MARCH, 15000)])


def test_all_at_once_keeps_the_deposit_in_mind() -> None:
    plan = plan_for().at_once()
    assert (told(plan), plan.deposits) == ((42000, []), {0: 12000})


def test_thousandths_are_charged_in_tens() -> None:
    parts = Deposit(12000, (Part(FEB, 15000), Part(MARCH, 15000)))
    plan = plan_for(2, Reduction("ONE", percent=33, covers=1), parts=parts, currency="KWD")
    assert all(each.minor % 10 == 0 for each in plan.later)
    assert plan.now_minor % 10 == 0


@given(
    parts=st.lists(st.integers(LEAST, 20000), min_size=2, max_size=5),
    units=st.integers(1, 4),
    seats=st.integers(1, 3),
    percent=st.integers(0, 100),
    covers=st.none() | st.integers(1, 3),
    minor=st.integers(0, 60000),
    on=st.integers(1, 7),
)
def test_the_parts_add_up_and_each_can_be_charged(
    parts: list[int], units: int, seats: int, percent: int, covers: int | None, minor: int, on: int
) -> None:
    first, *rest = parts
    deposit = Deposit(first, tuple(Part(date(2025, 1, 2 + number), part) for number, part in enumerate(rest)))
    codes = [Reduction("P", percent=percent, covers=covers)] if percent else []
    codes += [Reduction("A", kind="amount", minor=minor)] if minor else []
    people = [Person(n, "a", "A", deposit.total_minor, seats) for n in range(units * seats)]
    priced = quote(people, "GBP", *codes, least_minor=LEAST)
    plan = arrange(priced, [OnTicket(deposit, seats, tuple(range(units * seats)))], date(2025, 1, on), LEAST)
    assert plan.now_minor + sum(each.minor for each in plan.later) == priced.total_minor
    assert plan.now_minor >= 0
    assert all(each.minor >= LEAST and each.due_on > date(2025, 1, on) for each in plan.later)
    assert [each.due_on for each in plan.later] == sorted({each.due_on for each in plan.later})
    worth = {each.n: each.price_minor - each.discount_minor for each in priced.shares}
    for n, share in worth.items():
        later = sum(each.shares.get(n, 0) for each in plan.later)
        assert 0 <= later <= share
        assert 0 <= plan.deposits[n] <= share
