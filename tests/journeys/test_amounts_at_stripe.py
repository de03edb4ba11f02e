"""PAY-06, PAY-07, PAY-08: what Stripe is asked for is what was agreed, to the minor unit, in any currency."""

from typing import Any

import pytest
from sqlalchemy import update

from courses.models import TicketPrice
from lib import db, money
from payments.models import Bill, Payment
from tests.builders import a_code, a_ticket, a_workshop, an_organiser, arranged
from tests.conftest import Person
from tests.journeys.steps import COMPLETED, SESSIONS, Visitor, Walk
from tests.page import main_text

pytestmark = pytest.mark.both_databases


def asked(walk: Walk) -> dict[str, Any]:
    """The one price of the newest page Stripe was asked for."""
    price: dict[str, Any] = walk.calls("POST", SESSIONS)[-1]["params"]["line_items"][0]["price_data"]
    return {"unit_amount": price["unit_amount"], "currency": price["currency"]}


def test_yen_are_not_multiplied(walk: Walk, visitor: Visitor, bea: Person, ann: Person) -> None:
    with arranged(walk.app):
        workshop = a_workshop(organiser=an_organiser(currency="JPY"), price_minor=money.parse("24000", "JPY"))
        slug = workshop.slug
    walk.stripe.pay(visitor.book(slug, bea, ann))
    assert asked(walk) == {"unit_amount": 24000, "currency": "jpy"}
    assert walk.ring(COMPLETED) == 204
    assert [(each.amount_minor, each.currency) for each in walk.rows(Payment)] == [(24000, "JPY")]
    assert "24,000" in main_text(visitor.page(walk.reference()))


def test_a_part_of_yen_is_whole_yen(walk: Walk, visitor: Visitor, bea: Person, ann: Person) -> None:
    with arranged(walk.app):
        slug = a_workshop(organiser=an_organiser(currency="JPY"), price_minor=1999).slug
        a_code(code="FIFTEEN", percent=15)
    visitor.book(slug, bea, ann, discount_code="FIFTEEN")
    assert asked(walk) == {"unit_amount": 1699, "currency": "jpy"}


@pytest.mark.parametrize(("typed", "minor"), [("64.10", 6410), ("145.30", 14530), ("129.95", 12995), ("79.35", 7935)])
def test_no_penny_is_lost_on_the_way(
    walk: Walk, visitor: Visitor, bea: Person, ann: Person, typed: str, minor: int
) -> None:
    with arranged(walk.app):
        slug = a_workshop(price_minor=money.parse(typed, "GBP")).slug
    walk.stripe.pay(visitor.book(slug, bea, ann))
    assert asked(walk) == {"unit_amount": minor, "currency": "gbp"}
    assert walk.ring(COMPLETED) == 204
    assert f"£{typed}" in main_text(visitor.page(walk.reference()))
    text = walk.letters(bea.email)[0].get_body(("plain",))
    assert text is not None
    assert f"£{typed}" in text.get_content()
    assert walk.one(Bill).total_minor == minor


def test_a_price_changed_while_somebody_pays(
    walk: Walk, visitor: Visitor, bea: Person, ann: Person, zed: Person
) -> None:
    with arranged(walk.app):
        workshop = a_workshop(price_minor=None)
        a_ticket(workshop, prices={"GBP": 12000})
        slug = workshop.slug
    first = visitor.book(slug, bea, ann)
    hers = walk.reference()
    left = walk.visitor()
    left.book(slug, Person("Cal Cole", "cal@clinic.example"), Person("Cal Cole", "cal@clinic.example"))
    old = walk.reference()
    with arranged(walk.app):
        db.session.execute(update(TicketPrice).values(minor=15000))
    second = walk.visitor()
    walk.stripe.pay(first)
    assert walk.ring(COMPLETED) == 204
    second.book(slug, zed, zed)
    assert asked(walk) == {"unit_amount": 15000, "currency": "gbp"}
    assert (visitor.state(hers), visitor.told(hers)["bill"]["paid_minor"]) == ("confirmed", 12000)
    letter = walk.letters(bea.email)[0].get_body(("plain",))
    assert letter is not None
    assert "£120.00" in letter.get_content()
    walk.clock.shift(days=3)
    walk.work()
    # A page left from then cannot be paid, and the price on the workshop's page is today's.
    assert left.state(old) == "lapsed"
    assert "£150.00" in main_text(walk.visitor().client.get(f"/workshops/{slug}"))
    assert sorted(each.total_minor for each in walk.rows(Bill)) == [12000, 12000, 15000]
