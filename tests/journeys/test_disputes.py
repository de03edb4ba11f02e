"""A payer's bank asks for the money back: rows, movements, the way in by the organiser's setting, and letters."""

from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import update

from accounts.models import Organiser
from bookings import joining
from lib import db
from payments.models import Dispute, Movement, Payment
from tests.builders import a_workshop, arranged
from tests.conftest import Person
from tests.journeys.steps import COMPLETED, Visitor, Walk

pytestmark = pytest.mark.both_databases
ORGANISER = "hello@olu-trains.example"
CREATED, UPDATED, CLOSED = (f"charge.dispute.{each}" for each in ("created", "updated", "closed"))
WITHDRAWN, REINSTATED = (f"charge.dispute.funds_{each}" for each in ("withdrawn", "reinstated"))


@pytest.fixture
def intent(walk: Walk, visitor: Visitor, bea: Person, ann: Person) -> str:
    """A booking of £168.00, paid; its payment intent."""
    with arranged(walk.app):
        slug = a_workshop().slug
    walk.stripe.pay(visitor.book(slug, bea, ann))
    assert walk.ring(COMPLETED) == 204
    walk.letters()
    walk.mailbox.clear()
    return walk.one(Payment).payment_intent


def is_barred(walk: Walk) -> bool:
    with walk.app.app_context():
        return bool(joining.paid_back([walk.one(Payment).bill_id]))


def movements(walk: Walk) -> list[tuple[str, int]]:
    return [(each.kind, each.minor) for each in walk.rows(Movement)][2:]


def test_it_takes_the_money_and_shuts_the_door_until_it_is_won(walk: Walk, visitor: Visitor, intent: str) -> None:
    dispute = walk.stripe.dispute(intent, "product_not_received")
    for kind in (CREATED, WITHDRAWN, CREATED):
        assert walk.ring(kind) == 204
    row = walk.one(Dispute)
    assert (row.state, row.amount_minor, row.reason) == ("open", 16800, "product not received")
    assert movements(walk) == [("dispute_withdrawn", -16800)]
    assert is_barred(walk)
    reference = walk.reference()
    assert walk.subjects(ORGANISER) == [f"Booking {reference}: the payer's bank has taken a payment back"]
    text = walk.letters(ORGANISER)[0].get_body(("plain",))
    assert text is not None
    assert "product not received" in text.get_content()
    assert "let nobody in meanwhile" in text.get_content()
    # The booking is what it was: only the way in is shut.
    assert visitor.state(reference) == "confirmed"

    walk.stripe.close_dispute(dispute["id"], "won")
    for kind in (CLOSED, REINSTATED, CREATED):
        assert walk.ring(kind) == 204
    assert (walk.one(Dispute).state, walk.one(Dispute).closed_at) == ("won", walk.clock.at)
    assert movements(walk) == [("dispute_withdrawn", -16800), ("dispute_reinstated", 16800)]
    assert not is_barred(walk)
    assert walk.subjects(ORGANISER)[-1] == f"Booking {reference}: a dispute is won"


def test_the_organiser_may_let_people_in_all_the_same(walk: Walk, intent: str) -> None:
    with arranged(walk.app):
        db.session.execute(update(Organiser).values(dispute_bars=False))
    walk.stripe.dispute(intent)
    assert walk.ring(CREATED) == 204
    assert not is_barred(walk)
    text = walk.letters(ORGANISER)[0].get_body(("plain",))
    assert text is not None
    assert "go on working" in text.get_content()


def test_one_that_is_lost_stays_taken(walk: Walk, intent: str) -> None:
    dispute = walk.stripe.dispute(intent)
    walk.stripe.close_dispute(dispute["id"], "lost")
    for kind in (CLOSED, CREATED):
        assert walk.ring(kind) == 204
    assert walk.one(Dispute).state == "lost"
    assert movements(walk) == [("dispute_withdrawn", -16800)]
    assert is_barred(walk)
    assert walk.subjects(ORGANISER) == [f"Booking {walk.reference()}: a dispute is lost"]


def test_an_inquiry_takes_nothing(walk: Walk, intent: str) -> None:
    inquiry = walk.stripe.dispute(intent, asks_only=True)
    assert walk.ring(CREATED) == 204
    assert walk.one(Dispute).state == "inquiry"
    assert not is_barred(walk)
    walk.stripe.close_dispute(inquiry["id"], "warning_closed")
    assert walk.ring(CLOSED) == 204
    assert walk.one(Dispute).state == "withdrawn"
    assert movements(walk) == []
    assert walk.subjects(ORGANISER)[-1] == f"Booking {walk.reference()}: a dispute is over"


def test_an_inquiry_that_becomes_a_dispute(walk: Walk, intent: str) -> None:
    inquiry = walk.stripe.dispute(intent, asks_only=True)
    assert walk.ring(CREATED) == 204
    walk.stripe.escalate_dispute(inquiry["id"])
    assert walk.ring(UPDATED) == 204
    assert walk.one(Dispute).state == "open"
    assert movements(walk) == [("dispute_withdrawn", -16800)]
    assert is_barred(walk)


@pytest.mark.parametrize("order", range(6))
def test_told_in_any_order_it_ends_the_same(walk: Walk, intent: str, order: int) -> None:
    dispute = walk.stripe.dispute(intent)
    told: list[dict[str, Any]] = [walk.stripe.events(CREATED)[-1]]
    walk.stripe.close_dispute(dispute["id"], "won")
    told += [walk.stripe.events(CLOSED)[-1], walk.stripe.events(REINSTATED)[-1]]
    for event in list(permutations(told))[order]:
        assert [walk.ring(event), walk.ring(event)] == [204, 204]
    assert walk.one(Dispute).state == "won"
    assert movements(walk) == [("dispute_withdrawn", -16800), ("dispute_reinstated", 16800)]
    walk.work()
    assert len(walk.letters(ORGANISER)) == 1


def test_a_dispute_told_of_before_its_payment(walk: Walk, visitor: Visitor, bea: Person, ann: Person) -> None:
    with arranged(walk.app):
        slug = a_workshop().slug
    walk.stripe.pay(visitor.book(slug, bea, ann))
    paid = walk.stripe.events("payment_intent.succeeded")[-1]["data"]["object"]["id"]
    walk.stripe.dispute(paid)
    assert walk.ring(CREATED) == 204
    assert walk.one(Dispute).state == "open"
    assert visitor.state(walk.reference()) == "confirmed"
