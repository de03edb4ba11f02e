"""DISC-01 and DISC-05 from the form on: one code however it is typed, its uses held while somebody pays."""

from datetime import timedelta

import pytest

from bookings.models import Booking, Redemption
from tests.builders import a_code, a_ticket, a_workshop, arranged
from tests.conftest import Person
from tests.journeys.steps import COMPLETED, EXPIRED, SESSIONS, Visitor, Walk
from tests.page import main_text

pytestmark = pytest.mark.both_databases
AS_JSON = {"Accept": "application/json"}


@pytest.fixture
def slug(walk: Walk) -> str:
    with arranged(walk.app):
        a_code(code="ONCE", percent=20, uses_total=1)
        a_code(code="SPRING25", percent=25, uses_per_person=1)
        return a_workshop(capacity=10).slug


@pytest.mark.parametrize("typed", ["spring25", "  SPRING25  ", "Spring25\n", "\tSPRING25"])
def test_one_code_however_it_is_typed(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person, bob: Person, typed: str
) -> None:
    visitor.book(slug, bea, ann, discount_code=typed)
    assert "SPRING25" in main_text(visitor.page(walk.reference()))
    assert visitor.told(walk.reference())["bill"]["total_minor"] == 12600
    # Once for each person: letter case and tags make no new one.
    same = Person(bea.name, bea.email.replace("@", "+again@").upper())
    answer = visitor.send(visitor.form(slug), same, [bob], discount_code="SPRING25")
    assert answer.status_code == 422
    assert len(walk.rows(Redemption)) == 1


@pytest.mark.parametrize("typed", ["", "   ", "\t"])
def test_no_code_is_no_error(walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person, typed: str) -> None:
    visitor.book(slug, bea, ann, discount_code=typed)
    assert visitor.told(walk.reference())["bill"]["total_minor"] == 16800
    assert walk.rows(Redemption) == []


def test_the_last_use_is_held_and_comes_back(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person, zed: Person
) -> None:
    began = walk.clock.now()
    visitor.book(slug, bea, ann, discount_code="ONCE")
    walk.clock.set(began + timedelta(minutes=10))
    other = walk.visitor()
    filled = other.form(slug)
    refused = other.send(filled, zed, [zed], discount_code="ONCE")
    assert refused.status_code == 409
    told = other.client.post(filled.action, data=filled.sent(), headers=AS_JSON)
    assert (told.status_code, told.get_json()["refusal"]) == (409, "code_spent")
    quote = other.client.post(f"/workshops/{slug}/quote", data=filled.sent(), headers=AS_JSON)
    assert (quote.status_code, quote.get_json()["code"]["refusal"]) == (200, "code_spent")
    assert len(walk.rows(Booking)) == 1

    walk.clock.set(began + timedelta(minutes=36))
    walk.work()
    assert walk.ring(EXPIRED) == 204
    walk.clock.set(began + timedelta(minutes=40))
    again = visitor.book(slug, bea, ann, discount_code="ONCE")
    walk.stripe.pay(again)
    assert walk.ring(COMPLETED) == 204
    assert visitor.state(walk.reference()) == "confirmed"
    assert sorted(each.state for each in walk.rows(Redemption)) == ["released", "used"]


def test_a_declined_card_keeps_the_use(walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person) -> None:
    url = visitor.book(slug, bea, ann, discount_code="ONCE")
    walk.clock.shift(minutes=5)
    assert walk.stripe.pay(url, "4000000000009995").status == 402
    assert walk.ring("payment_intent.payment_failed") == 204
    walk.stripe.pay(url)
    assert walk.ring(COMPLETED) == 204
    assert [each.state for each in walk.rows(Redemption)] == ["used"]
    assert visitor.told(walk.reference())["bill"]["paid_minor"] == 13440


def test_a_price_seen_is_kept_for_as_long_as_the_page_it_was_seen_on(
    walk: Walk, visitor: Visitor, bea: Person, ann: Person
) -> None:
    with arranged(walk.app):
        a_code(code="TODAY", percent=50, valid_until=walk.clock.now() + timedelta(minutes=1))
        slug = a_workshop().slug
    page = visitor.book(slug, bea, ann, discount_code="TODAY")
    walk.clock.shift(minutes=30)
    walk.stripe.pay(page)
    assert walk.ring(COMPLETED) == 204
    assert visitor.told(walk.reference())["bill"]["paid_minor"] == 8400


@pytest.mark.parametrize("what", ["code", "early ticket"])
def test_a_page_opened_again_after_its_price_has_ended_asks_for_today_s(
    walk: Walk, visitor: Visitor, bea: Person, ann: Person, what: str
) -> None:
    edge = walk.clock.now() + timedelta(minutes=20)
    with arranged(walk.app):
        a_code(code="TODAY", percent=50, valid_until=edge if what == "code" else None)
        workshop = a_workshop(price_minor=None)
        a_ticket(workshop, code="early", sold_until=edge if what == "early ticket" else None)
        a_ticket(workshop)
        slug = workshop.slug
    visitor.book(slug, bea, ann, ticket_type="early", discount_code="TODAY")
    walk.clock.shift(minutes=33)

    answer = visitor.pay_again(walk.reference())

    assert answer.status_code == 410
    assert "The price you saw has ended" in main_text(answer)
    assert f"/workshops/{slug}/bookings/new" in answer.get_data(as_text=True)
    assert visitor.told(walk.reference())["state"] == "held"
    assert len(walk.calls("POST", SESSIONS)) == 1
