"""The worker, Stripe and the buyer meet at the hold's end. Whoever is first, it is right."""

import pytest

from bookings.models import Booking
from courses.models import Place
from payments.models import Payment, PaymentAttempt, Refund
from tests.builders import a_workshop, arranged
from tests.conftest import Person
from tests.journeys.steps import COMPLETED, REFUNDS, Visitor, Walk, session_of, together
from tests.page import form

pytestmark = pytest.mark.both_databases


@pytest.fixture
def slug(walk: Walk) -> str:
    with arranged(walk.app):
        return a_workshop(capacity=1).slug


@pytest.mark.parametrize("repeat", range(3))
def test_the_lapse_and_the_money(walk: Walk, visitor: Visitor, slug: str, bea: Person, repeat: int) -> None:
    url = visitor.book(slug, bea, bea)
    walk.clock.shift(minutes=30)
    walk.stripe.pay(url)
    walk.clock.shift(minutes=7)
    _, status = together(walk.work, lambda: walk.ring(COMPLETED))
    assert status in (204, 503)
    assert walk.ring(COMPLETED) == 204
    walk.forget_pauses()
    walk.work()
    assert visitor.state(walk.reference()) == "confirmed"
    assert [each.state for each in walk.rows(Place)] == ["taken"]
    assert len(walk.letters()) == 2
    assert walk.rows(Refund) == []


@pytest.mark.parametrize("repeat", range(3))
def test_the_late_money_and_the_next_buyer(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, zed: Person, repeat: int
) -> None:
    url = visitor.book(slug, bea, bea)
    hers = walk.reference()
    walk.clock.shift(minutes=30)
    walk.stripe.pay(url)
    walk.clock.shift(minutes=7)
    other = walk.visitor()
    filled = other.form(slug)
    answer, status = together(lambda: other.send(filled, zed, [zed]), lambda: walk.ring(COMPLETED))
    assert status == 204
    walk.work()
    if answer.status_code == 409:
        assert visitor.state(hers) == "confirmed"
        assert len(walk.rows(Booking)) == 1
        return
    assert answer.status_code == 303
    assert visitor.state(hers) == "lapsed"
    assert [(each.state, each.amount_minor) for each in walk.rows(Refund)] == [("succeeded", 16800)]
    walk.stripe.pay(answer.location)
    assert walk.ring(COMPLETED) == 204
    assert other.state(walk.reference()) == "confirmed"


@pytest.mark.parametrize("repeat", range(3))
def test_a_new_page_and_the_lapse(walk: Walk, visitor: Visitor, slug: str, bea: Person, repeat: int) -> None:
    visitor.book(slug, bea, bea)
    reference = walk.reference()
    button = form(visitor.page(reference), "/payment")
    walk.clock.shift(minutes=35, seconds=59)
    answer, _ = together(lambda: visitor.client.submit(button), lambda: (walk.clock.shift(seconds=1), walk.work()))
    assert answer.status_code in (303, 410)
    state = visitor.state(reference)
    assert state == ("held" if answer.status_code == 303 else "lapsed")
    live = [each for each in walk.rows(PaymentAttempt) if each.state in ("opening", "open")]
    assert len(live) == (1 if state == "held" else 0)


def test_two_workers_send_one_refund(walk: Walk, visitor: Visitor, slug: str, bea: Person, zed: Person) -> None:
    url = visitor.book(slug, bea, bea)
    walk.clock.shift(minutes=30)
    walk.stripe.pay(url)
    walk.clock.shift(minutes=7)
    other = walk.visitor()
    walk.stripe.pay(other.book(slug, zed, zed))
    assert walk.ring(COMPLETED) == 204
    assert walk.ring(walk.stripe.events(COMPLETED)[0]) == 204
    together(walk.work, walk.work)
    assert walk.one(Refund).state == "succeeded"
    assert len(walk.calls("POST", REFUNDS)) == 1
    letters = [each["Message-ID"] for each in walk.letters()]
    assert len(letters) == len(set(letters)) == 4


def test_a_misfit_whose_hold_runs_out(walk: Walk, visitor: Visitor, slug: str, bea: Person) -> None:
    url = visitor.book(slug, bea, bea)
    walk.stripe.pay(url)
    walk.stripe.override(session_of(url), amount_total=100)
    assert walk.ring(COMPLETED) == 204
    walk.clock.shift(minutes=37)
    walk.work()
    assert visitor.state(walk.reference()) == "lapsed"
    assert [each.state for each in walk.rows(Place)] == ["released"]
    assert walk.rows(Payment) == []
    assert len(walk.letters()) == 1
