"""Stripe cannot be reached, or will not: the places are held, the page says what to do, and trying again works."""

from datetime import timedelta
from typing import Any

import pytest

from bookings.models import Booking
from courses.models import Place
from payments.models import PaymentAttempt
from tests.builders import a_workshop, arranged
from tests.conftest import Person
from tests.journeys.steps import COMPLETED, SESSIONS, Visitor, Walk
from tests.page import main_text

pytestmark = pytest.mark.both_databases


@pytest.fixture
def slug(walk: Walk) -> str:
    with arranged(walk.app):
        return a_workshop(capacity=1).slug


FAULTS = [
    {"status": 500, "times": 3},
    {"status": 503, "times": 3},
    {"status": 429},
    {"status": "drop", "times": 3},
    {"status": "commit_then_drop", "times": 3},
]


def booked_without_a_page(walk: Walk, visitor: Visitor, slug: str, bea: Person, **fault: Any) -> str:
    walk.stripe.faults({"path": SESSIONS, "method": "POST", **fault})
    answer = visitor.send(visitor.form(slug), bea, [bea])
    reference = walk.reference()
    assert (answer.status_code, answer.location) == (303, f"/bookings/{reference}")
    return reference


@pytest.mark.parametrize("fault", FAULTS)
def test_the_place_is_held_and_trying_again_works(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, fault: dict[str, Any]
) -> None:
    reference = booked_without_a_page(walk, visitor, slug, bea, **fault)
    page = visitor.page(reference)
    said = main_text(page).lower()
    assert page.status_code == 200
    assert all(word not in said for word in ("failed", "not paid", "confirmed"))
    assert visitor.state(reference) == "held"
    assert [each.state for each in walk.rows(Place)] == ["held"]
    answer = visitor.pay_again(reference)
    assert answer.status_code == 303
    assert answer.location.startswith(walk.stripe.url)
    attempt = walk.one(PaymentAttempt)
    assert {each["key"] for each in walk.calls("POST", SESSIONS)} == {attempt.key}
    assert len({str(each["params"]) for each in walk.calls("POST", SESSIONS)}) == 1
    walk.stripe.pay(answer.location)
    assert walk.ring(COMPLETED) == 204
    assert visitor.state(reference) == "confirmed"


@pytest.mark.parametrize("status", ["drop", "commit_then_drop"])
def test_trying_again_when_the_first_page_can_no_longer_be_made(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, status: str
) -> None:
    reference = booked_without_a_page(walk, visitor, slug, bea, status=status, times=3)
    first = walk.one(PaymentAttempt)
    walk.clock.shift(minutes=5)
    answer = visitor.pay_again(reference)
    assert answer.status_code == 303
    assert answer.location.startswith(walk.stripe.url)
    old, new = walk.rows(PaymentAttempt)
    # What may have been made is closed first: Stripe is asked with the same key, and refuses or says what it has.
    assert (old.key, old.state) == (first.key, "refused" if status == "drop" else "expired")
    assert new.expires_at == walk.clock.now() + timedelta(minutes=31)
    walk.stripe.pay(answer.location)
    assert walk.ring(COMPLETED) == 204
    assert visitor.state(reference) == "confirmed"


@pytest.mark.parametrize("status", ["drop", "commit_then_drop"])
def test_nobody_tries_again(walk: Walk, visitor: Visitor, slug: str, bea: Person, status: str) -> None:
    reference = booked_without_a_page(walk, visitor, slug, bea, status=status, times=3)
    walk.clock.shift(minutes=36)
    walk.work()
    assert visitor.state(reference) == "lapsed"
    assert walk.one(PaymentAttempt).state == ("refused" if status == "drop" else "expired")
    assert [each.state for each in walk.rows(Place)] == ["released"]


def test_stripe_says_no(walk: Walk, visitor: Visitor, slug: str, bea: Person) -> None:
    reference = booked_without_a_page(walk, visitor, slug, bea, status=400)
    attempt = walk.one(PaymentAttempt)
    assert attempt.state == "refused"
    assert attempt.last_error
    assert visitor.page(reference).status_code == 200
    answer = visitor.pay_again(reference)
    assert answer.location.startswith(walk.stripe.url)
    walk.stripe.pay(answer.location)
    assert walk.ring(COMPLETED) == 204
    assert visitor.state(reference) == "confirmed"


@pytest.mark.parametrize("status", [500, "drop"])
def test_the_old_page_cannot_be_closed_now(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, status: int | str
) -> None:
    url = visitor.book(slug, bea, bea)
    reference = walk.reference()
    walk.clock.shift(minutes=30)
    walk.stripe.faults({"path": f"{SESSIONS}/*", "status": status, "times": 3})
    answer = visitor.pay_again(reference)
    # A second page beside one that may be paid would be two: the buyer is sent back, not on.
    assert (answer.status_code, answer.location) == (303, f"/bookings/{reference}")
    assert visitor.state(reference) == "held"
    assert [each.state for each in walk.rows(PaymentAttempt)] == ["open"]
    answer = visitor.pay_again(reference)
    assert answer.location.startswith(walk.stripe.url)
    assert answer.location != url
    assert len(walk.rows(Booking)) == 1
