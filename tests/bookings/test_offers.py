"""Codes of every kind and scope, together and alone: what is refused and why, and that the better offer is not lost."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from bookings import codes, discounts, lifecycle, returning
from bookings.discounts import (
    CodeBelowMinimum,
    CodeNotForTicket,
    CodeNotForWorkshop,
    CodeNotInCurrency,
    CodeNotTogether,
    CodeNotYours,
    CodeSpent,
    CodeUsedByYou,
)
from bookings.models import Booking, DiscountCode, Redemption
from courses.models import Workshop
from lib import db
from payments import ledger
from payments.models import Bill
from tests.bookings.filling import problems, send, typed
from tests.bookings.making import ANN, BOB, Made, a_wish, held, lapse, paid, receive, state_of
from tests.builders import a_code, a_course, a_ticket, a_workshop, arranged
from tests.conftest import Clock
from tests.page import PageClient, main_text

pytestmark = pytest.mark.proved_on_both
PRICE = 10000


@pytest.fixture
def slug(app: Flask) -> str:
    with arranged(app):
        workshop = a_workshop(slug="it", price_minor=PRICE, capacity=50, course=a_course(slug="grief", topic="grief"))
        a_ticket(workshop, code="early", prices={"GBP": 8000, "EUR": 9000})
        a_workshop(slug="other", price_minor=PRICE, course=a_course(slug="couples", topic="couples"))
        return workshop.slug


def code(app: Flask, **columns: Any) -> None:
    with arranged(app):
        a_code(**{"code": "TRY", **columns})


def total(app: Flask, made: Made) -> int:
    with app.app_context():
        return db.session.get_one(Booking, made.id).bill.total_minor


def uses(app: Flask) -> list[tuple[str, int, str]]:
    with app.app_context():
        rows = db.session.scalars(select(Redemption).order_by(Redemption.id))
        return [(each.code.code, each.minor, each.state) for each in rows]


def told(client: PageClient, slug: str, **changes: str) -> dict[str, Any]:
    """What a quote says of the code."""
    answer = send(client, slug, typed(client, slug, changes=changes), to="quote", as_json=True)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.get_json()
    return {**found["code"], "total": found["total_minor"]}


# One code, whatever a hand or a keyboard makes of it


@pytest.mark.parametrize(
    "text",
    [
        "HELLO-1O0L", "hello1ool", "HE1L0-I00L", "Hello – 100l", "HELLO\u20111O0L", "ＨＥＬＬＯ－１００Ｌ",
        "he\u200bllo 1o0l", "HELLO_1O0L",
    ],
)  # fmt: skip
def test_look_alikes_dashes_spaces_and_wide_letters_make_no_other_code(app: Flask, slug: str, text: str) -> None:
    code(app, code="HELLO-1O0L", percent=10)

    assert total(app, held(app, a_wish(slug, code=text))) == 9000


# What it takes off


@pytest.mark.parametrize(
    ("columns", "pays"),
    [
        ({"percent": 15}, 8500),
        ({"minor": 1000}, 9000),
        ({"minor": 4000, "kind": "fixed"}, 4000),
        ({"minor": 60000}, 0),
        ({"minor": 9980}, 0),  # 20p, which no card can pay
    ],
    ids=["percent", "amount", "fixed", "more than it costs", "all but what a card cannot pay"],
)
def test_percent_amount_and_fixed_price(
    app: Flask, client: PageClient, clock: Clock, slug: str, columns: dict[str, Any], pays: int
) -> None:
    code(app, **columns)

    said = told(client, slug, discount_code="try")
    made = held(app, a_wish(slug, code="try"))

    assert (said["accepted"], said["refusal"], said["total"]) == (True, None, pays)
    assert total(app, made) == pays
    assert state_of(app, made) == ("confirmed" if pays == 0 else "held")


def test_what_is_waived_is_shown_as_such(app: Flask, client: PageClient, clock: Clock, slug: str) -> None:
    code(app, minor=9980)

    page = send(client, slug, typed(client, slug, changes={"discount_code": "TRY"}), to="quote")

    assert "Waived, under the least Stripe can take" in main_text(page)
    assert "Book without paying" in page.get_data(as_text=True)


# Where it counts


@pytest.mark.parametrize(
    ("scope", "counts_here"),
    [
        ("workshops", True),
        ("workshops", False),
        ("courses", True),
        ("courses", False),
        ("topics", True),
        ("topics", False),
    ],
)
def test_a_code_is_for_its_workshops_courses_and_topics(app: Flask, slug: str, scope: str, counts_here: bool) -> None:
    code(app, **{scope: _scope(app, scope, slug if counts_here else "other")})

    if counts_here:
        assert total(app, held(app, a_wish(slug, code="TRY"))) == 8000
    else:
        with pytest.raises(CodeNotForWorkshop, match="TRY is not for this workshop"):
            held(app, a_wish(slug, code="TRY"))


def _scope(app: Flask, scope: str, slug: str) -> list[Any]:
    with app.app_context():
        from_slug = db.session.scalars(select(Workshop).where(Workshop.slug == slug)).one()
        return [{"workshops": from_slug.id, "courses": from_slug.course_id, "topics": from_slug.course.topic}[scope]]


def test_a_code_for_full_price_tickets_leaves_early_birds_alone(app: Flask, slug: str) -> None:
    code(app, full_price_only=True)

    with pytest.raises(CodeNotForTicket):
        held(app, a_wish(slug, ticket="early", code="TRY"))
    both = held(app, a_wish(slug, people=[ANN, BOB], tickets=["standard", "early"], code="TRY"))
    assert total(app, both) == 8000 + 8000


def test_an_amount_counts_in_its_own_currency(app: Flask, slug: str) -> None:
    code(app, minor=1000)

    with pytest.raises(CodeNotInCurrency, match="TRY is in GBP, and you pay in EUR"):
        held(app, a_wish(slug, ticket="early", currency="EUR", code="TRY"))


def test_a_percentage_counts_in_any(app: Flask, slug: str) -> None:
    code(app, percent=10)

    assert total(app, held(app, a_wish(slug, ticket="early", currency="EUR", code="TRY"))) == 8100


# From how much


def test_a_code_for_several_people_counts_those_it_covers(app: Flask, slug: str) -> None:
    code(app, least_people=2, tickets=["standard"])

    with pytest.raises(CodeBelowMinimum, match="TRY is for 2 people or more"):
        held(app, a_wish(slug, people=[ANN, BOB], tickets=["standard", "early"], code="TRY"))
    assert total(app, held(app, a_wish(slug, people=[ANN, BOB], code="TRY"))) == 16000


@pytest.mark.parametrize(("least", "is_refused"), [(PRICE, False), (PRICE + 1, True)])
def test_a_code_for_larger_orders(app: Flask, slug: str, least: int, is_refused: bool) -> None:
    code(app, percent=20, least_order_minor=least, currency="GBP")

    if is_refused:
        with pytest.raises(CodeBelowMinimum, match=r"for bookings of £100\.01 or more"):
            held(app, a_wish(slug, code="TRY"))
    else:
        assert total(app, held(app, a_wish(slug, code="TRY"))) == 8000


# Whose it is


@pytest.mark.parametrize(
    ("booker", "comes", "is_refused"),
    [
        ("bea@clinic.example", "ann@x.example", False),
        ("Bea+work@clinic.example", "ann@x.example", False),
        ("office@clinic.example", "bea@clinic.example", False),
        ("office@clinic.example", "ann@x.example", True),
    ],
)
def test_a_personal_code_is_for_its_person(app: Flask, slug: str, booker: str, comes: str, is_refused: bool) -> None:
    code(app, person="bea@clinic.example")
    wish = a_wish(slug, people=[("Somebody", comes)], booker=("Booker", booker.lower()), code="TRY")

    if is_refused:
        with pytest.raises(CodeNotYours, match="was sent to one address"):
            held(app, wish)
    else:
        assert total(app, held(app, wish)) == 8000


def test_a_personal_code_for_one_place_is_taken_off_that_person_s(app: Flask, slug: str) -> None:
    code(app, person=BOB[1], covers=1)

    made = held(app, a_wish(slug, people=[ANN, BOB], code="TRY"))

    with app.app_context():
        assert [each.discount_minor for each in db.session.get_one(Booking, made.id).attendees] == [0, 2000]


# Its budget


def test_a_budget_is_held_used_and_given_back(app: Flask, slug: str, clock: Clock) -> None:
    code(app, percent=20, budget_minor=5000, currency="GBP")
    first = held(app, a_wish(slug, code="TRY", booker=("A", "a@x.example")))
    held(app, a_wish(slug, code="TRY", booker=("B", "b@x.example")))
    with pytest.raises(CodeSpent, match="What TRY may give away has gone"):  # 1000 are left
        held(app, a_wish(slug, code="TRY", booker=("C", "c@x.example")))

    lapse(app, first)

    held(app, a_wish(slug, code="TRY", booker=("C", "c@x.example")))
    assert uses(app) == [("TRY", 2000, "released"), ("TRY", 2000, "held"), ("TRY", 2000, "held")]


def test_money_that_comes_after_the_budget_has_gone_goes_back(app: Flask, slug: str, clock: Clock) -> None:
    code(app, percent=20, budget_minor=2000, currency="GBP")
    late = held(app, a_wish(slug, code="TRY"))
    clock.shift(hours=1)
    paid(app, a_wish(slug, code="TRY", booker=("C", "c@x.example"), people=[BOB]))

    receive(app, late)

    assert state_of(app, late) == "lapsed"


# Several together


def test_codes_that_may_not_be_added_are_refused_together(app: Flask, slug: str) -> None:
    code(app, code="ONE", percent=20, stacks=True)
    code(app, code="TWO", minor=1000)

    with pytest.raises(CodeNotTogether, match="TWO cannot be added to another code"):
        held(app, a_wish(slug, code="one, two"))
    assert uses(app) == []


def test_codes_that_may_be_added_are(app: Flask, slug: str, client: PageClient, clock: Clock) -> None:
    code(app, code="ONE", percent=20, stacks=True)
    code(app, code="TWO", minor=1000, stacks=True)

    said = told(client, slug, discount_code="one + two")
    made = held(app, a_wish(slug, code="one, two, ONE"))

    assert (said["accepted"], said["total"]) == (True, 7000)
    assert said["message"] == "ONE: 20% off. TWO: £10.00 off."
    assert total(app, made) == 7000
    assert uses(app) == [("ONE", 2000, "held"), ("TWO", 1000, "held")]
    receive(app, made)
    assert [state for _, _, state in uses(app)] == ["used", "used"]


def test_a_code_that_counts_by_itself_needs_nobody_to_type_it(app: Flask, slug: str) -> None:
    code(app, code="Three or more", percent=10, least_people=3, is_automatic=True)

    assert total(app, held(app, a_wish(slug, people=[ANN, BOB]))) == 20000
    three = [ANN, BOB, ("Cy", "cy@x.example")]
    assert total(app, held(app, a_wish(slug, people=three))) == 27000
    with pytest.raises(discounts.CodeUnknown):
        held(app, a_wish(slug, code="Three or more"))


def test_four_for_the_price_of_three(app: Flask, slug: str) -> None:
    code(app, code="Four for three", percent=100, covers=1, least_people=4, is_automatic=True)
    four = [(f"P{n}", f"p{n}@x.example") for n in range(4)]

    made = held(app, a_wish(slug, people=four))

    assert total(app, made) == 30000
    with app.app_context():
        assert [each.discount_minor for each in db.session.get_one(Booking, made.id).attendees] == [PRICE, 0, 0, 0]


@pytest.mark.parametrize(("typed_percent", "pays", "is_used"), [(20, 16000, True), (5, 18000, False)])
def test_the_better_of_two_offers_counts_and_the_other_stays_unused(
    app: Flask, slug: str, client: PageClient, clock: Clock, typed_percent: int, pays: int, is_used: bool
) -> None:
    code(app, code="Two or more", percent=10, least_people=2, is_automatic=True)
    code(app, percent=typed_percent, uses_per_person=1)
    data = typed(client, slug, [ANN, BOB], {"discount_code": "TRY"})
    said = send(client, slug, data, to="quote", as_json=True).get_json()

    made = held(app, a_wish(slug, people=[ANN, BOB], code="TRY"))

    assert said["total_minor"] == total(app, made) == pays
    assert said["code"]["accepted"] == is_used
    assert said["code"]["refusal"] == (None if is_used else "code_not_needed")
    if not is_used:
        assert (
            said["code"]["message"] == "Two or more takes off as much or more and counts instead, so TRY stays unused."
        )
    assert [name for name, _, _ in uses(app)] == (["TRY"] if is_used else ["Two or more"])


def test_a_code_that_is_not_needed_stands_in_nobody_s_way(app: Flask, client: PageClient, clock: Clock) -> None:
    with arranged(app):
        a_workshop(slug="free", price_minor=0)
        a_code(code="TRY", percent=20)

    answer = send(client, "free", typed(client, "free", changes={"discount_code": "TRY"}))

    assert answer.status_code == 303
    assert uses(app) == []


def test_an_offer_that_ran_out_is_left_out_and_nobody_is_refused(app: Flask, slug: str, clock: Clock) -> None:
    code(app, code="Spring", percent=10, is_automatic=True, budget_minor=1500, currency="GBP")
    code(app, code="Over", percent=50, is_automatic=True, valid_until=clock.at - timedelta(seconds=1))

    assert total(app, held(app, a_wish(slug))) == 9000
    assert total(app, held(app, a_wish(slug, people=[BOB]))) == PRICE


# What the booker reads


@pytest.mark.parametrize(
    ("columns", "word"),
    [
        ({"uses_total": 0}, "code_spent"),
        ({"valid_until_days": -1}, "code_expired"),
        ({"valid_from_days": 1}, "code_not_yet_valid"),
        ({"tickets": ["early"]}, "code_not_for_ticket"),
        ({"topics": ["couples"]}, "code_not_for_workshop"),
        ({"least_people": 2}, "code_below_minimum"),
        ({"person": "zed@x.example"}, "code_not_yours"),
        ({"code": "OTHER"}, "code_unknown"),
    ],
)
def test_each_refusal_has_its_word_and_a_sentence_and_the_full_price(
    app: Flask, client: PageClient, clock: Clock, slug: str, columns: dict[str, Any], word: str
) -> None:
    days = {name: days for name, days in columns.items() if name.endswith("_days")}
    edges = {name.removesuffix("_days"): clock.at + timedelta(days=number) for name, number in days.items()}
    code(app, **{name: value for name, value in columns.items() if name not in days}, **edges)
    data = typed(client, slug, changes={"discount_code": "TRY"})

    said = send(client, slug, data, to="quote", as_json=True).get_json()
    refused = send(client, slug, data)

    assert (said["code"]["accepted"], said["code"]["refusal"], said["total_minor"]) == (False, word, PRICE)
    assert said["code"]["message"]
    assert refused.status_code == (409 if word == "code_spent" else 422)
    assert problems(refused)["discount_code"] == said["code"]["message"]


def test_a_use_by_the_same_person_is_told_only_of_their_own_address(app: Flask, slug: str) -> None:
    code(app, uses_per_person=1)
    paid(app, a_wish(slug, code="TRY"))

    with pytest.raises(CodeUsedByYou):
        held(app, a_wish(slug, code="TRY", people=[BOB]))
    held(app, a_wish(slug, code="TRY", people=[BOB], booker=("Cy", "cy@x.example")))


# Its figures


def test_the_figures_of_a_code(app: Flask, slug: str, clock: Clock) -> None:
    code(app, percent=20)
    paid(app, a_wish(slug, code="TRY", people=[ANN]))
    held(app, a_wish(slug, code="TRY", people=[BOB], booker=("Cy", "cy@x.example")))
    lapse(app, held(app, a_wish(slug, code="TRY", people=[("Di", "di@x.example")])))
    held(app, a_wish(slug, code="TRY", ticket="early", currency="EUR", people=[("Ed", "ed@x.example")]))

    with app.app_context():
        number = db.session.scalars(select(DiscountCode.id)).one()
        figures = codes.told([number], clock.at)[number]

    assert (figures.uses, figures.held, figures.people) == (3, 2, 2)
    assert (figures.given, figures.taken) == ({"EUR": 1800, "GBP": 4000}, {"EUR": 7200, "GBP": 16000})
    assert (figures.released, figures.kept) == (1, {"EUR": 0, "GBP": 8000})
    assert figures.words == (
        "Used 3 times by 2 people, 2 of them being paid for. It gave €18.00 and £40.00; those bookings came to €72.00 "
        "and £160.00, and €0.00 and £80.00 of that is here. Given back once."
    )


def test_the_figures_of_a_code_are_those_of_the_rows_whatever_became_of_the_bookings(
    app: Flask, slug: str, clock: Clock
) -> None:
    """Paid, paid and half back, paid and all back, ended, lapsed, being paid for, and held too long."""
    code(app, percent=20)
    made = [
        paid(app, a_wish(slug, code="TRY", people=[(f"P {n}", f"p{n}@x.example")], booker=("B", f"b{n}@x.example")))
        for n in range(4)
    ]
    with arranged(app):
        bookings = [db.session.get_one(Booking, each.id) for each in made]
        how: dict[str, Any] = {"source": "organiser", "reason": "kindness", "actor": "user:1", "now": clock.at}
        returning.give(lifecycle.locked(bookings[1].bill_id), 4000, **how)
        returning.give(lifecycle.locked(bookings[2].bill_id), 8000, **how)
        ended = lifecycle.locked(bookings[3].bill_id)
        lifecycle.cancel(ended, ended.attendees, actor="booker", why="", now=clock.at)
    lapse(app, held(app, a_wish(slug, code="TRY", people=[("L", "l@x.example")])))
    held(app, a_wish(slug, code="TRY", people=[("H", "h@x.example")]))
    clock.shift(minutes=40)
    held(app, a_wish(slug, code="TRY", people=[("I", "i@x.example")]))

    with app.app_context():
        figures = codes.told([1], clock.at)[1]
        rows = db.session.execute(
            select(Redemption.state, Redemption.held_until, Redemption.minor, Redemption.person, Booking.bill_id).join(
                Booking, Booking.id == Redemption.booking_id
            )
        ).all()
        live = [row for row in rows if row.state == "used" or (row.state == "held" and row.held_until > clock.at)]
        kept = sum(ledger.of_bill(row.bill_id).kept_minor for row in live)
        total = sum(db.session.get_one(Bill, row.bill_id).total_minor for row in live)

    assert (figures.uses, figures.held, figures.released) == (3, 1, 4) == (len(live), 1, len(rows) - len(live))
    assert figures.people == len({row.person for row in live}) == 3
    assert figures.given == {"GBP": sum(row.minor for row in live)} == {"GBP": 6000}
    assert (figures.taken, figures.kept) == ({"GBP": total}, {"GBP": kept}) == ({"GBP": 24000}, {"GBP": 12000})
