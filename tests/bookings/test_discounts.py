"""Discount codes: one code however it is typed, counted while held, refused with a reason."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from bookings import checkout, discounts, lifecycle
from bookings.discounts import (
    CodeBelowMinimum,
    CodeExpired,
    CodeNotFirstEvent,
    CodeNotForTicket,
    CodeNotForWorkshop,
    CodeNotInCurrency,
    CodeNotNeeded,
    CodeNotTogether,
    CodeNotYetValid,
    CodeNotYours,
    CodeRefused,
    CodeSpent,
    CodeUnknown,
    CodeUsedByYou,
    Purchase,
)
from bookings.models import Booking, Redemption
from bookings.pricing import Person, Reduction
from courses import shelf
from lib import db, zones
from payments.models import Refund
from tests.bookings.making import ANN, Made, a_wish, held, lapse, page_of, paid, receive, rows, state_of
from tests.builders import a_code, a_ticket, a_workshop, an_organiser, arranged
from tests.conftest import Clock

pytestmark = pytest.mark.both_databases

SPELLINGS = ("spring25", "  SPRING25  ", "Spring25\n", "\tSPRING25")


@pytest.fixture
def workshop(app: Flask) -> str:
    """A workshop with room for many; its slug."""
    with arranged(app):
        return a_workshop(capacity=50).slug


def ask(
    app: Flask, code: str, now: datetime, *, email: str | None = "bea@clinic.example", ticket: str = "standard"
) -> Reduction:
    """What a quote is told of a code. Raises CodeRefused."""
    with app.app_context():
        found = shelf.read(now)
        purchase = Purchase(found.workshops[0], (Person(0, ticket, ticket.capitalize(), 16800),), "GBP", email)
        return discounts.check(discounts.find(purchase.workshop.organiser.id, code), purchase, now)


def book(app: Flask, slug: str, code: str, email: str = "bea@clinic.example") -> Made:
    """One place held with a code, by a booker of that address."""
    return held(app, a_wish(slug, people=[("Guest", f"guest-of-{email}")], code=code, booker=("Bea", email)))


def uses(app: Flask) -> list[tuple[str, str]]:
    with app.app_context():
        return [(each.state, each.person) for each in db.session.scalars(select(Redemption).order_by(Redemption.id))]


# One code, however it is typed


@pytest.mark.parametrize("typed", SPELLINGS)
def test_disc_01_four_spellings_are_one_code(app: Flask, workshop: str, clock: Clock, typed: str) -> None:
    with arranged(app):
        a_code(code="SPRING25", percent=25)

    assert ask(app, typed, clock.at) == Reduction("SPRING25", 25)


def test_disc_01_four_spellings_share_one_limit(app: Flask, workshop: str, clock: Clock) -> None:
    with arranged(app):
        a_code(code="SPRING25", percent=25, uses_total=3, uses_per_person=1)
    for n, typed in enumerate(SPELLINGS[:3]):
        book(app, workshop, typed, f"booker-{n}@clinic.example")

    with pytest.raises(CodeSpent):
        book(app, workshop, SPELLINGS[3], "booker-4@clinic.example")
    with pytest.raises(CodeUsedByYou):
        book(app, workshop, SPELLINGS[3], "booker-0@clinic.example")
    assert len(uses(app)) == 3


@pytest.mark.parametrize("stored", ["spring 25", " Spring25", "SPRING25\n"])
def test_a_code_is_found_however_it_was_stored(app: Flask, workshop: str, clock: Clock, stored: str) -> None:
    with arranged(app):
        a_code(code=stored, percent=25)

    assert ask(app, "SPRING25", clock.at).percent == 25


@pytest.mark.parametrize("typed", ["", "   ", "\t\n", None])
def test_disc_01_nothing_typed_is_no_code(app: Flask, typed: str | None) -> None:
    assert discounts.fold(typed) == ""


@pytest.mark.parametrize("typed", ["", "  \t "])
def test_disc_01_a_booking_without_a_code_has_the_full_price(
    app: Flask, workshop: str, clock: Clock, typed: str
) -> None:
    with arranged(app):
        a_code(code="SPRING25", percent=25)

    made = book(app, workshop, typed)

    with app.app_context():
        assert db.session.get_one(Booking, made.id).quote["total_minor"] == 16800
    assert uses(app) == []


def test_the_discount_is_frozen_with_the_code_as_it_is_written(app: Flask, workshop: str, clock: Clock) -> None:
    with arranged(app):
        a_code(code="SPRING25", percent=25)

    made = book(app, workshop, "spring25")

    with app.app_context():
        booking = db.session.get_one(Booking, made.id)
        assert booking.quote["lines"] == [
            {"text": "Standard", "minor": 16800},
            {"text": "SPRING25, 25% off Standard", "minor": -4200},
        ]
        assert (booking.bill.total_minor, booking.attendees[0].price_minor, booking.attendees[0].discount_minor) == (
            12600,
            16800,
            4200,
        )


def test_another_organiser_s_code_is_unknown(app: Flask, workshop: str, clock: Clock) -> None:
    with arranged(app):
        other = an_organiser(slug="other", name="Other")
        a_code(organiser=other, code="THEIRS")

    with pytest.raises(CodeUnknown, match="We do not know the code THEIRS"):
        book(app, workshop, "theirs")


# From when, until when


@pytest.mark.parametrize(
    ("at", "is_accepted"),
    [
        ("2027-03-30T12:00:00Z", True),
        ("2027-03-31T22:59:58Z", True),
        ("2027-03-31T22:59:59Z", True),  # 23:59:59 in London, where it is summer
        ("2027-03-31T23:00:00Z", False),
        ("2027-03-31T23:59:59Z", False),  # the last second of the day in UTC
        ("2027-04-02T00:00:00Z", False),
    ],
)
def test_disc_04_a_code_counts_to_the_last_second_of_its_day_in_the_organisers_zone(
    app: Flask, workshop: str, clock: Clock, at: str, is_accepted: bool
) -> None:
    with arranged(app):
        last = zones.instant(datetime.fromisoformat("2027-03-31T23:59:59"), "Europe/London")
        a_code(code="MARCH", percent=10, valid_until=last)
        slug = a_workshop(in_days=90).slug
    now = clock.set(at)

    if is_accepted:
        assert ask(app, "MARCH", now).percent == 10
        book(app, slug, "MARCH")
    else:
        for attempt in (lambda: ask(app, "MARCH", now), lambda: book(app, slug, "MARCH")):
            with pytest.raises(CodeExpired) as refused:
                attempt()
            assert refused.value.message.startswith("MARCH ended on Wednesday 31 March 2027, 23:59 BST (London).")
    assert len(uses(app)) == is_accepted


@pytest.mark.parametrize(("seconds", "is_accepted"), [(-1, False), (0, True), (1, True)])
def test_a_code_counts_from_its_first_second(
    app: Flask, workshop: str, clock: Clock, seconds: int, is_accepted: bool
) -> None:
    with arranged(app):
        a_code(code="SOON", percent=10, valid_from=clock.at + timedelta(days=2))
    now = clock.at + timedelta(days=2, seconds=seconds)

    if is_accepted:
        assert ask(app, "SOON", now).percent == 10
    else:
        with pytest.raises(CodeNotYetValid, match="SOON begins on Thursday 4 March 2027, 09:00 GMT"):
            ask(app, "SOON", now)


# For whom and for what


def test_a_code_we_do_not_know(app: Flask, workshop: str, clock: Clock) -> None:
    with pytest.raises(CodeUnknown, match=r"We do not know the code SPRNG25\. Check it letter by letter"):
        book(app, workshop, " sprng25 ")


def test_a_code_is_only_for_its_tickets(app: Flask, clock: Clock) -> None:
    with arranged(app):
        offered = a_workshop()
        a_ticket(offered, code="early_bird", prices={"GBP": 8500})
        slug = offered.slug
        a_code(code="WELCOME20", percent=20, tickets=["standard"])

    with pytest.raises(CodeNotForTicket, match="WELCOME20 is not for the ticket you chose"):
        held(app, a_wish(slug, ticket="early_bird", code="welcome20"))
    mixed = held(
        app, a_wish(slug, people=[ANN, ("Bob", "bob@x.example")], tickets=["early_bird", "standard"], code="welcome20")
    )
    with app.app_context():
        booking = db.session.get_one(Booking, mixed.id)
        assert [(each.price_minor, each.discount_minor) for each in booking.attendees] == [(8500, 0), (16800, 3360)]


def test_a_code_for_no_ticket_is_not_a_code_for_all(app: Flask, workshop: str, clock: Clock) -> None:
    with arranged(app):
        a_code(code="NONE", percent=20, tickets=[])

    with pytest.raises(CodeNotForTicket):
        book(app, workshop, "NONE")


@pytest.mark.parametrize(
    "again", ["bea@clinic.example", "BEA@clinic.example", "Bea+spring@Clinic.Example", "bea+@clinic.example"]
)
def test_one_person_is_one_person_in_any_letters_and_with_any_tag(
    app: Flask, workshop: str, clock: Clock, again: str
) -> None:
    with arranged(app):
        a_code(code="ONCE", percent=20, uses_per_person=1)
    book(app, workshop, "ONCE", "bea+first@clinic.example")

    with pytest.raises(CodeUsedByYou, match="ONCE has already been used with this address"):
        book(app, workshop, "ONCE", again)
    book(app, workshop, "ONCE", "beatrice@clinic.example")
    book(app, workshop, "ONCE", "bea@elsewhere.example")
    assert [person for _, person in uses(app)] == [
        "bea@clinic.example",
        "beatrice@clinic.example",
        "bea@elsewhere.example",
    ]


def test_a_code_may_be_used_as_often_as_it_says_by_each(app: Flask, workshop: str, clock: Clock) -> None:
    with arranged(app):
        a_code(code="TWICE", percent=20, uses_per_person=2)
    book(app, workshop, "TWICE")
    book(app, workshop, "TWICE")

    with pytest.raises(CodeUsedByYou):
        book(app, workshop, "TWICE")


def test_before_the_address_is_known_a_quote_does_not_ask_who_it_is(app: Flask, workshop: str, clock: Clock) -> None:
    with arranged(app):
        a_code(code="ONCE", percent=20, uses_per_person=1)
    book(app, workshop, "ONCE")

    assert ask(app, "ONCE", clock.at, email=None).percent == 20


# How often: counted while held, free again when nothing came of it


def test_the_last_use_is_held_while_its_booker_pays_and_gone_for_good_once_paid(
    app: Flask, workshop: str, clock: Clock
) -> None:
    with arranged(app):
        a_code(code="LAST", percent=20, uses_total=1)
    made = book(app, workshop, "LAST")
    assert uses(app) == [("held", "bea@clinic.example")]
    with pytest.raises(CodeSpent, match="LAST has been used as often as it may be"):
        book(app, workshop, "LAST", "other@clinic.example")

    receive(app, made)

    assert uses(app) == [("used", "bea@clinic.example")]
    clock.shift(days=20)
    with pytest.raises(CodeSpent):
        book(app, workshop, "LAST", "other@clinic.example")


def test_a_code_with_no_use_at_all_is_spent(app: Flask, workshop: str, clock: Clock) -> None:
    with arranged(app):
        a_code(code="NEVER", percent=20, uses_total=0)

    with pytest.raises(CodeSpent):
        book(app, workshop, "NEVER")


def test_a_use_is_free_the_moment_its_hold_runs_out_tidied_or_not(app: Flask, workshop: str, clock: Clock) -> None:
    with arranged(app):
        a_code(code="LAST", percent=20, uses_total=1, uses_per_person=1)
    first = book(app, workshop, "LAST")
    with app.app_context():
        until = db.session.get_one(Booking, first.id).held_until
        assert until

    clock.set(until - timedelta(seconds=1))
    with pytest.raises(CodeSpent):
        book(app, workshop, "LAST", "other@clinic.example")
    clock.set(until)
    second = book(app, workshop, "LAST", "other@clinic.example")

    assert state_of(app, first) == state_of(app, second) == "held"
    receive(app, second)
    assert uses(app) == [("held", "bea@clinic.example"), ("used", "other@clinic.example")]


def test_a_lapsed_booking_gives_its_use_back(app: Flask, workshop: str, clock: Clock) -> None:
    with arranged(app):
        a_code(code="LAST", percent=20, uses_total=1, uses_per_person=1)
    made = book(app, workshop, "LAST")

    lapse(app, made)

    assert uses(app) == [("released", "bea@clinic.example")]
    book(app, workshop, "LAST")


def test_another_page_to_pay_on_holds_the_use_for_as_long_as_the_places(
    app: Flask, workshop: str, clock: Clock
) -> None:
    with arranged(app):
        a_code(code="LAST", percent=20, uses_total=1)
    made = book(app, workshop, "LAST")
    clock.shift(minutes=30)
    with arranged(app):
        booking = lifecycle.locked(db.session.get_one(Booking, made.id).bill_id)
        page = page_of(booking)
        assert page
        page.state = "expired"
        db.session.flush()
        checkout.again(booking, clock.at)
        until = booking.held_until

    with app.app_context():
        assert db.session.scalars(select(Redemption.held_until)).one() == until == clock.at + timedelta(minutes=36)
    clock.shift(minutes=20)
    with pytest.raises(CodeSpent):
        book(app, workshop, "LAST", "other@clinic.example")


@pytest.mark.parametrize("is_tidied", [False, True], ids=["left lying", "tidied"])
def test_money_that_comes_late_uses_the_code_again_while_it_is_free(
    app: Flask, workshop: str, clock: Clock, is_tidied: bool
) -> None:
    with arranged(app):
        a_code(code="LAST", percent=20, uses_total=1)
    made = book(app, workshop, "LAST")
    clock.shift(hours=1)
    with arranged(app):
        booking = lifecycle.locked(db.session.get_one(Booking, made.id).bill_id)
        if is_tidied:
            lifecycle.lapse(booking, actor="worker", why="not paid in time", now=clock.at)

    receive(app, made)

    assert state_of(app, made) == "confirmed"
    assert uses(app) == [("used", "bea@clinic.example")]


def test_money_that_comes_after_somebody_else_had_the_last_use_goes_back(
    app: Flask, workshop: str, clock: Clock
) -> None:
    with arranged(app):
        a_code(code="LAST", percent=20, uses_total=1)
    late = book(app, workshop, "LAST")
    clock.shift(hours=1)
    paid(app, a_wish(workshop, people=[("Cy", "cy@x.example")], code="LAST", booker=("Cy", "cy@x.example")))

    receive(app, late)

    assert state_of(app, late) == "lapsed"
    assert uses(app) == [("released", "bea@clinic.example"), ("used", "cy@x.example")]
    with app.app_context():
        refund = db.session.scalars(select(Refund)).one()
        assert (refund.amount_minor, refund.source) == (13440, "rule")


def test_a_refused_code_leaves_no_booking_and_no_place_behind(app: Flask, workshop: str, clock: Clock) -> None:
    with arranged(app):
        a_code(code="LAST", percent=20, uses_total=1)
    book(app, workshop, "LAST")
    before = rows(app)

    with pytest.raises(CodeSpent):
        book(app, workshop, "LAST", "other@clinic.example")

    assert rows(app) == before


@pytest.mark.parametrize(
    ("refusal", "status", "word"),
    [
        (CodeUnknown, 422, "code_unknown"),
        (CodeExpired, 422, "code_expired"),
        (CodeNotYetValid, 422, "code_not_yet_valid"),
        (CodeNotForTicket, 422, "code_not_for_ticket"),
        (CodeUsedByYou, 422, "code_used_by_you"),
        (CodeNotForWorkshop, 422, "code_not_for_workshop"),
        (CodeNotInCurrency, 422, "code_not_in_currency"),
        (CodeBelowMinimum, 422, "code_below_minimum"),
        (CodeNotYours, 422, "code_not_yours"),
        (CodeNotFirstEvent, 422, "code_not_first_event"),
        (CodeNotTogether, 422, "code_not_together"),
        (CodeNotNeeded, 422, "code_not_needed"),
        (CodeSpent, 409, "code_spent"),
    ],
)
def test_each_refusal_has_its_word_and_only_a_spent_code_is_a_conflict(
    app: Flask, refusal: type[CodeRefused], status: int, word: str
) -> None:
    assert (refusal.status, refusal.refusal) == (status, word)
