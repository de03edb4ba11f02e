"""An organiser that keeps no place while a bank takes its days: the state is the same, the place is not."""

import pytest
from sqlalchemy import update

from accounts.models import Organiser
from bookings.models import Redemption
from courses.models import Place
from lib import db
from payments.models import Movement, Refund
from tests.builders import a_code, a_workshop, arranged
from tests.conftest import Person
from tests.journeys.steps import COMPLETED, Visitor, Walk, session_of
from tests.page import main_text

pytestmark = pytest.mark.both_databases
SUCCEEDED = "checkout.session.async_payment_succeeded"
FAILED = "checkout.session.async_payment_failed"


@pytest.fixture
def slug(walk: Walk) -> str:
    with arranged(walk.app):
        a_code(code="ONCE", uses_total=1)
        slug = a_workshop(capacity=1).slug
        db.session.execute(update(Organiser).values(holds_for_bank=False))
        return slug


def debited(walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person) -> str:
    url = visitor.book(slug, bea, ann, discount_code="ONCE")
    walk.stripe.pay(url, "pay_later")
    assert walk.ring(COMPLETED) == 204
    return url


def test_waiting_says_that_the_place_is_not_kept(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person
) -> None:
    debited(walk, visitor, slug, bea, ann)
    assert visitor.state(walk.reference()) == "awaiting_bank"
    assert [each.state for each in walk.rows(Place)] == ["released"]
    # The price was agreed with the code, so its use is kept.
    assert [each.state for each in walk.rows(Redemption)] == ["used"]
    said = main_text(visitor.page(walk.reference()))
    assert "not kept meanwhile" in said
    assert all(word not in said.lower() for word in ("failed", "not paid", "confirmed"))
    letter = walk.letters(bea.email)[0].get_body(("plain",))
    assert letter is not None
    assert "not kept meanwhile" in letter.get_content()
    assert walk.visitor().client.get(f"/workshops/{slug}/bookings/new").status_code == 200


def test_the_money_finds_its_place_free(walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person) -> None:
    url = debited(walk, visitor, slug, bea, ann)
    walk.clock.shift(days=3)
    walk.stripe.bank(session_of(url), "succeed")
    assert walk.ring(SUCCEEDED) == 204
    assert visitor.state(walk.reference()) == "confirmed"
    assert [each.state for each in walk.rows(Place)] == ["taken"]
    assert [(each.kind, each.minor) for each in walk.rows(Movement)] == [("charge", 13440), ("payment", 13440)]


def test_the_money_finds_its_place_gone(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person, zed: Person
) -> None:
    url = debited(walk, visitor, slug, bea, ann)
    reference = walk.reference()
    other = walk.visitor()
    walk.stripe.pay(other.book(slug, zed, zed))
    assert walk.ring(COMPLETED) == 204
    assert other.state(walk.reference()) == "confirmed"
    walk.clock.shift(days=3)
    walk.stripe.bank(session_of(url), "succeed")
    assert walk.ring(SUCCEEDED) == 204
    walk.work()
    assert visitor.state(reference) == "lapsed"
    assert [(each.amount_minor, each.state) for each in walk.rows(Refund)] == [(13440, "succeeded")]
    told = visitor.told(reference)["bill"]
    assert (told["paid_minor"], told["refunded_minor"]) == (13440, 13440)


def test_the_money_does_not_come(walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person) -> None:
    url = debited(walk, visitor, slug, bea, ann)
    walk.stripe.bank(session_of(url), "fail")
    assert walk.ring(FAILED) == 204
    assert visitor.state(walk.reference()) == "lapsed"
    assert [each.state for each in walk.rows(Redemption)] == ["released"]
    assert [(each.kind, each.minor) for each in walk.rows(Movement)] == [("charge", 13440), ("reduction", -13440)]
