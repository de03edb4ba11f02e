"""What a booking costs, to the penny."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings import pricing
from bookings.pricing import Line, OddNumber, Person, Reduction, Share
from courses import least
from lib import money
from tests import facts

CHECKS: dict[str, dict[str, Any]] = {each["case"]: each for each in facts.catalogue()["price_checks"]}
CODES = {each["code"]: each for each in facts.catalogue()["discount_codes"]}


def people(
    number: int, unit_minor: int, *, ticket: str = "standard", name: str = "Standard", seats: int = 1
) -> list[Person]:
    return [Person(n, ticket, name, unit_minor, seats) for n in range(number)]


def check(beginning: str) -> dict[str, Any]:
    """The one price check of the facts that begins so."""
    (found,) = [each for case, each in CHECKS.items() if case.startswith(beginning)]
    return found


def reduction(code: str) -> Reduction:
    """A percentage code of the facts."""
    known = CODES[code]
    tickets = None if known["on"] == ["any"] else frozenset(known["on"])
    return Reduction(code, known["percent"], tickets)


@dataclass(frozen=True)
class Case:
    """What a booking is made of, and every amount of its quote."""

    people: list[Person]
    lines: list[int]
    total: int
    shares: list[tuple[int, int]]
    reduction: Reduction | None = None
    currency: str = "GBP"


SELF = "self_funded"
CASES = {
    "one person": Case(people(1, 10500), [10500], 10500, [(10500, 0)]),
    "three people on one ticket": Case(people(3, 10500), [31500], 31500, [(10500, 0)] * 3),
    "price check 1, WELCOME20": Case(
        people(1, 10500, ticket=SELF), [10500, -2100], 8400, [(10500, 2100)], reduction("WELCOME20")
    ),
    "price check 3, a code that does not cover early bird": Case(
        people(1, 8500, ticket="early_bird"), [8500], 8500, [(8500, 0)], reduction("WELCOME20")
    ),
    "price check 5, a pair": Case(people(2, 16800, seats=2), [16800], 16800, [(8400, 0)] * 2),
    "two pairs": Case(people(4, 16800, seats=2), [33600], 33600, [(8400, 0)] * 4),
    "a pair at an odd price": Case(people(2, 16801, seats=2), [16801], 16801, [(8401, 0), (8400, 0)]),
    "six of an organisation with TEAM5": Case(
        people(6, 14500, ticket="organisation"), [87000, -8700], 78300, [(14500, 1450)] * 6, reduction("TEAM5")
    ),
    "SPEAKER": Case(people(1, 10500), [10500, -10500], 0, [(10500, 10500)], reduction("SPEAKER")),
    "DISC-03, half a penny goes up": Case(people(1, 9490), [9490, -1424], 8066, [(9490, 1424)], Reduction("X", 15)),
    "just under half a penny goes down": Case(people(1, 49), [49, 0], 49, [(49, 0)], Reduction("X", 1)),
    "rounded once on the line, not on each person": Case(
        people(3, 9490), [28470, -4271], 24199, [(9490, 1424), (9490, 1424), (9490, 1423)], Reduction("X", 15)
    ),
    "yen have no hundredths": Case(
        people(1, 24001), [24001, -2400], 21601, [(24001, 2400)], Reduction("X", 10), currency="JPY"
    ),
    "nothing of nothing": Case(people(2, 0), [0, 0], 0, [(0, 0)] * 2, Reduction("X", 20)),
    "several tickets, the code covers one": Case(
        [Person(0, SELF, "Self", 10500), Person(1, "early_bird", "Early", 8500), Person(2, SELF, "Self", 10500)],
        [21000, -4200, 8500],
        25300,
        [(10500, 2100), (8500, 0), (10500, 2100)],
        reduction("WELCOME20"),
    ),
    "a code for a pair": Case(
        people(2, 16801, seats=2), [16801, -1680], 15121, [(8401, 840), (8400, 840)], Reduction("X", 10)
    ),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES.items()])
def test_every_amount_of_a_quote(case: Case) -> None:
    quote = pricing.quote(case.people, case.currency, case.reduction)

    assert [line.minor for line in quote.lines] == case.lines
    assert quote.total_minor == case.total
    assert quote.currency == case.currency
    assert quote.shares == tuple(Share(n, *each) for n, each in enumerate(case.shares))
    assert sum(line.minor for line in quote.lines) == sum(line.minor for line in quote.charges) == case.total


@pytest.mark.parametrize(
    ("beginning", "case"),
    [
        ("self-funded grief day with WELCOME20", "price check 1, WELCOME20"),
        ("early bird with WELCOME20", "price check 3, a code that does not cover early bird"),
        ("two friends on the pair ticket", "price check 5, a pair"),
        ("six colleagues, organisation ticket, TEAM5", "six of an organisation with TEAM5"),
        ("SPEAKER on any ticket", "SPEAKER"),
    ],
)
def test_the_cases_are_those_of_the_facts(beginning: str, case: str) -> None:
    fact = check(beginning)
    assert CASES[case].total == fact["pay_minor"]
    assert {price - off for price, off in CASES[case].shares} == {
        fact.get("per_seat_minor", fact["pay_minor"] // len(CASES[case].shares))
    }


def test_a_quote_says_what_is_paid_and_why() -> None:
    quote = pricing.quote(people(2, 10500), "GBP", Reduction("SPRING25", 25))

    assert quote.lines == (Line("Standard, 2 at £105.00", 21000), Line("SPRING25, 25% off Standard", -5250))
    assert quote.charges == (Line("Standard, 2 at £105.00", 15750),)
    assert quote.frozen() == {
        "currency": "GBP",
        "total_minor": 15750,
        "lines": [
            {"text": "Standard, 2 at £105.00", "minor": 21000},
            {"text": "SPRING25, 25% off Standard", "minor": -5250},
        ],
        "charges": [{"text": "Standard, 2 at £105.00", "minor": 15750}],
        "codes": [{"code": "SPRING25", "minor": 5250, "least_people": 1, "is_re_rated": False}],
    }


@pytest.mark.parametrize(
    ("number", "seats", "said"),
    [(1, 2, "one price for two people"), (3, 2, "one price for two people"), (4, 3, "one price for 3 people")],
)
def test_a_ticket_for_several_comes_in_multiples(number: int, seats: int, said: str) -> None:
    with pytest.raises(OddNumber, match=said) as refused:
        pricing.quote(people(number, 16800, name="Pair", seats=seats), "GBP")
    assert (refused.value.ticket_name, refused.value.seats) == ("Pair", seats)


tickets = st.tuples(st.integers(0, 10**7), st.integers(1, 4), st.integers(1, 5))


@given(
    groups=st.lists(tickets, min_size=1, max_size=4),
    percent=st.integers(1, 100),
    covers=st.sets(st.integers(0, 3)),
    order=st.randoms(use_true_random=False),
)
def test_lines_charges_and_shares_all_add_up_to_the_total(
    groups: list[tuple[int, int, int]], percent: int, covers: set[int], order: Any
) -> None:
    coming = [
        Person(0, str(ticket), str(ticket), unit, seats)
        for ticket, (unit, seats, units) in enumerate(groups)
        for _ in range(units * seats)
    ]
    order.shuffle(coming)
    coming = [replace(each, n=n) for n, each in enumerate(coming)]

    quote = pricing.quote(coming, "GBP", Reduction("X", percent, frozenset(map(str, covers))))

    assert [share.n for share in quote.shares] == list(range(len(coming)))
    assert sum(share.price_minor - share.discount_minor for share in quote.shares) == quote.total_minor
    assert sum(line.minor for line in quote.lines) == quote.total_minor
    assert sum(line.minor for line in quote.charges) == quote.total_minor
    for ticket, (unit, _, units) in enumerate(groups):
        mine = [share for share in quote.shares if coming[share.n].ticket == str(ticket)]
        off = (unit * units * percent + 50) // 100 if ticket in covers else 0
        assert sum(share.price_minor for share in mine) == unit * units
        assert sum(share.discount_minor for share in mine) == off
        assert max(share.price_minor for share in mine) - min(share.price_minor for share in mine) <= 1
        assert all(0 <= share.discount_minor <= share.price_minor for share in mine)


# Amounts, fixed prices, and several reductions


AMOUNT = Reduction("TENOFF", kind="amount", minor=1000)
MORE = {
    "an amount off one": Case(people(1, 10500), [10500, -1000], 9500, [(10500, 1000)], AMOUNT),
    "DISC-06, more than it costs": Case(
        people(1, 4900), [4900, -4900], 0, [(4900, 4900)], Reduction("SIXTY", kind="amount", minor=6000)
    ),
    "an amount is taken off the booking once, shared by what each costs": Case(
        [Person(0, SELF, "Self", 10500), Person(1, "trainee", "Trainee", 4500)],
        [10500, 4500, -1000],
        14000,
        [(10500, 700), (4500, 300)],
        AMOUNT,
    ),
    "a fixed price for each place": Case(
        people(2, 10500), [21000, -6000], 15000, [(10500, 3000)] * 2, Reduction("X", kind="fixed", minor=7500)
    ),
    "a fixed price above the price takes nothing off": Case(
        people(1, 4900), [4900, 0], 4900, [(4900, 0)], Reduction("X", kind="fixed", minor=7500)
    ),
    "one place of three": Case(
        people(3, 10500), [31500, -2100], 29400, [(10500, 2100), (10500, 0), (10500, 0)], Reduction("X", 20, covers=1)
    ),
    "one place of three, whose it is": Case(
        people(3, 10500),
        [31500, -2100],
        29400,
        [(10500, 0), (10500, 0), (10500, 2100)],
        Reduction("X", 20, covers=1, prefers=frozenset({2})),
    ),
    "one place, the dearest": Case(
        [Person(0, "cheap", "Cheap", 5000), Person(1, SELF, "Self", 10500)],
        [5000, 10500, -10500],
        5000,
        [(5000, 0), (10500, 10500)],
        Reduction("FREE1", 100, covers=1),
    ),
    "full price only": Case(
        [Person(0, SELF, "Self", 10500, is_full_price=True), Person(1, "early", "Early", 8500)],
        [10500, -2100, 8500],
        16900,
        [(10500, 2100), (8500, 0)],
        Reduction("X", 20, full_price_only=True),
    ),
    "an extra is the attendee's": Case(
        [Person(0, SELF, "Self", 9500), Person(0, "ce", "CE certificate", 2000, is_extra=True)],
        [9500, 2000],
        11500,
        [(11500, 0)],
        currency="USD",
    ),
    "a code for any ticket takes off extras as well": Case(
        [Person(0, SELF, "Self", 9500), Person(0, "ce", "CE certificate", 2000, is_extra=True)],
        [9500, -9500, 2000, -2000],
        0,
        [(11500, 11500)],
        reduction("SPEAKER"),
    ),
    "a code for one place leaves extras alone": Case(
        [Person(0, SELF, "Self", 9500), Person(0, "ce", "CE certificate", 20000, is_extra=True)],
        [9500, -950, 20000],
        28550,
        [(29500, 950)],
        Reduction("X", 10, covers=1),
    ),
    "dinars are charged with a nought at the end": Case(
        people(1, 8510), [8510, -1280], 7230, [(8510, 1280)], Reduction("X", 15), currency="KWD"
    ),
    "price check 12, three workshops in a bundle": Case(
        [Person(n, f"{slug}:{SELF}", "Self", 10500) for n, slug in enumerate(("grief", "parts", "siblings"))],
        [10500, -1575, 10500, -1575, 10500, -1575],
        26775,
        [(10500, 1575)] * 3,
        Reduction("Bundle", 15),
    ),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in MORE.items()])
def test_every_amount_of_other_reductions(case: Case) -> None:
    quote = pricing.quote(case.people, case.currency, case.reduction)

    assert [line.minor for line in quote.lines] == case.lines
    assert quote.total_minor == case.total == sum(line.minor for line in quote.charges)
    assert [(share.price_minor, share.discount_minor) for share in quote.shares] == case.shares
    assert all(share.price_minor >= share.discount_minor >= 0 for share in quote.shares)


def test_the_bundle_is_the_price_check_of_the_facts() -> None:
    assert MORE["price check 12, three workshops in a bundle"].total == check("bundle of three")["pay_minor"]
    assert MORE["an extra is the attendee's"].total == check("USD couple seminar")["pay_minor"]


@pytest.mark.parametrize(
    ("minor", "currency", "left", "total"),
    [(100, "GBP", 30, 30), (100, "GBP", 29, 0), (100, "GBP", 1, 0), (100, "GBP", 0, 0), (200, "JPY", 49, 0)],
)
def test_what_is_left_under_the_least_stripe_takes_is_waived(minor: int, currency: str, left: int, total: int) -> None:
    code = Reduction("MOST", kind="amount", minor=minor - left)

    quote = pricing.quote(people(1, minor), currency, code, least_minor=least.least(currency))

    assert quote.total_minor == total
    assert quote.shares == (Share(0, minor, minor - total),)
    said = [line.text for line in quote.lines]
    assert ("Waived, under the least Stripe can take" in said) == (0 < left < least.least(currency))
    assert sum(line.minor for line in quote.lines) == total


def test_the_best_of_what_is_offered_counts() -> None:
    ten, fifth = Reduction("TENOFF", kind="amount", minor=1000), Reduction("FIFTH", 20)

    assert pricing.best(people(1, 10500), "GBP", [ten, fifth]).given == ((fifth, 2100),)
    assert pricing.best(people(1, 4000), "GBP", [ten, fifth]).given == ((ten, 1000),)
    assert pricing.best(people(1, 5000), "GBP", [ten, fifth]).given == ((ten, 1000),)  # the first of two as good
    assert pricing.best(people(1, 0), "GBP", [ten, fifth]).given == ()


def test_those_that_may_be_added_are_taken_off_one_after_another() -> None:
    ten = Reduction("TENOFF", kind="amount", minor=1000, stacks=True)
    fifth = Reduction("FIFTH", 20, stacks=True)

    quote = pricing.best(people(1, 10500), "GBP", [ten, fifth])

    assert [line.minor for line in quote.lines] == [10500, -2100, -1000]
    assert quote.given == ((fifth, 2100), (ten, 1000))
    assert pricing.best(people(1, 10500), "GBP", [ten, Reduction("FIFTH", 20)]).total_minor == 8400


# What a refund is counted from


TEAM = tuple(Share(n, 14500, 1450) for n in range(6))
RULES: dict[str, Any] = {"least_people": 5, "is_re_rated": True}


def test_one_of_six_leaves_five_with_their_discount() -> None:
    assert pricing.re_rated(TEAM, {0}, **RULES) == check("one of those six")["refund_base_minor"] == 13050


def test_two_of_six_leave_four_who_lose_it_at_once_or_one_by_one() -> None:
    assert pricing.re_rated(TEAM, {0, 1}, **RULES) == check("two of those six")["refund_base_minor"] == 20300
    five = TEAM[1:]
    assert pricing.re_rated(five, {1}, **RULES) == 7250  # 13050 and 7250 are the 20300
    four = tuple(replace(share, discount_minor=0) for share in TEAM[2:])
    assert pricing.re_rated(four, {2}, **RULES) == 14500


@pytest.mark.parametrize(
    ("shares", "gone", "rules", "base"),
    [
        (TEAM, {0, 1}, {"least_people": 5, "is_re_rated": False}, 26100),
        (TEAM, set(range(6)), RULES, 78300),
        (TEAM, set(range(5)), RULES, 63800),
        (tuple(Share(n, 14500, 7250) for n in range(5)), {0}, RULES, 0),  # those who stay owe more than is left
        ((Share(0, 10500, 0), *TEAM[1:]), {0}, RULES, 10500),
    ],
    ids=["the code does not say so", "all go", "one stays", "never below nothing", "one who had no discount"],
)
def test_the_base_of_a_refund(shares: tuple[Share, ...], gone: set[int], rules: dict[str, Any], base: int) -> None:
    assert pricing.re_rated(shares, gone, **rules) == base


offers = st.builds(
    Reduction,
    st.sampled_from(["A", "B", "C"]),
    percent=st.integers(1, 100),
    kind=st.sampled_from(["percent", "amount", "fixed"]),
    minor=st.integers(0, 20000),
    covers=st.none() | st.integers(1, 3),
    full_price_only=st.booleans(),
    stacks=st.booleans(),
)


@given(
    coming=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 30000), st.booleans()), min_size=1, max_size=6),
    given_offers=st.lists(offers, max_size=3, unique_by=lambda each: each.code),
    currency=st.sampled_from(["GBP", "JPY", "KWD"]),
)
def test_whatever_is_offered_adds_up_and_no_offer_alone_is_cheaper(
    coming: list[tuple[int, int, bool]], given_offers: list[Reduction], currency: str
) -> None:
    step = money.step(currency)
    who = [Person(n, f"t{t}", f"T{t}", m * step, is_full_price=full) for n, (t, m, full) in enumerate(coming)]
    rounded = [replace(each, minor=each.minor * step) for each in given_offers]

    quote = pricing.best(who, currency, rounded, least_minor=least.least(currency))

    assert sum(line.minor for line in quote.lines) == quote.total_minor
    assert sum(line.minor for line in quote.charges) == quote.total_minor
    assert sum(share.price_minor - share.discount_minor for share in quote.shares) == quote.total_minor
    assert all(0 <= share.discount_minor <= share.price_minor for share in quote.shares)
    assert quote.total_minor == 0 or quote.total_minor >= least.least(currency)
    assert all(line.minor % step == 0 for line in quote.charges)
    for one in rounded:
        alone = pricing.quote(who, currency, one, least_minor=least.least(currency))
        assert quote.total_minor <= alone.total_minor
