"""What a booking costs, to the penny."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from bookings import discounts, pricing
from bookings.models import DiscountCode
from bookings.pricing import Line, OddNumber, Person, Reduction, Share
from courses import catalogue, shelf
from lib import clock as product_clock
from tests import facts
from tests.builders import a_code, a_ticket, a_workshop, arranged
from tests.conftest import Clock

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


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("beginning", "ticket", "code", "at", "refusal"),
    [
        ("self-funded grief day with WELCOME20", SELF, "WELCOME20", None, None),
        ("self-funded spring day with WELCOME25", SELF, "WELCOME25", "2025-01-01T00:00:00Z", "code_expired"),
        ("early bird with WELCOME20", "early_bird", "WELCOME20", None, "code_not_for_ticket"),
        ("two friends on the pair ticket", "pair_self_funded", "", None, None),
        ("SPEAKER on any ticket", SELF, "SPEAKER", None, None),
    ],
)
def test_the_price_checks_of_the_facts_from_rows_to_total(
    app: Flask, clock: Clock, beginning: str, ticket: str, code: str, at: str | None, refusal: str | None
) -> None:
    """Numbers 1, 2, 3, 5 and SPEAKER, with the ticket, its price and the code read back from the database."""
    fact = check(beginning)
    price = {"early_bird": 8500, "pair_self_funded": 16800}.get(ticket, 10900 if at else 10500)
    seats = 2 if ticket == "pair_self_funded" else 1
    clock.set(at or "2024-10-01T09:00:00Z")
    with arranged(app):
        workshop = a_workshop(price_minor=None)
        a_ticket(workshop, code=ticket, prices={"GBP": price}, seats=seats)
        slug, organiser_id = workshop.slug, workshop.organiser_id
        for known in CODES.values():
            if "percent" in known:
                a_code(
                    code=known["code"],
                    percent=known["percent"],
                    tickets=None if known["on"] == ["any"] else known["on"],
                    uses_per_person=known.get("uses_per_person"),
                    uses_total=known.get("uses_total"),
                    valid_until=datetime.fromisoformat(known["until"]) if "until" in known else None,
                )

    with app.app_context():
        now = product_clock.now()
        found = shelf.read(now, lambda kept: kept.workshops)
        listing = catalogue.listing(found.by_slug[slug], found.claimed, now)
        (offer,) = listing.offers
        coming = [
            Person(n, ticket, offer.ticket.name, offer.price("GBP") or 0, offer.ticket.seats) for n in range(seats)
        ]
        said, taken_off = _check(organiser_id, code, ticket, now)

    assert said == refusal
    assert {None: None, "expired": "code_expired", "not on this ticket": "code_not_for_ticket"}[
        fact.get("code_refused")
    ] == refusal
    assert pricing.quote(coming, "GBP", taken_off).total_minor == fact["pay_minor"]


def _check(organiser_id: int, code: str, ticket: str, now: datetime) -> tuple[str | None, Reduction | None]:
    if not code:
        return None, None
    found: DiscountCode = discounts.find(organiser_id, code)
    try:
        return None, discounts.check(found, tickets={ticket}, email="bea@clinic.example", zone="Europe/London", now=now)
    except discounts.CodeRefused as refused:
        return refused.refusal, None
