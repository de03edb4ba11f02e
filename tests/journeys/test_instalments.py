"""A course that is paid in parts, from the deposit to the day its place is given up: Stripe, the mail, the worker."""

from datetime import date
from urllib.parse import urlsplit

import pytest

from courses.deposits import Deposit, Part
from lib import clock as product_clock
from payments.models import Instalment, PaymentAttempt, Refund
from policies import templates, versions
from tests.builders import a_ticket, a_workshop, an_organiser, arranged
from tests.conftest import Person
from tests.journeys.steps import COMPLETED, Visitor, Walk, body, session_of
from tests.page import form, main_text, tree

pytestmark = pytest.mark.both_databases
PARTS = Deposit(12000, (Part(date(2027, 4, 5), 15000), Part(date(2027, 5, 3), 15000)))


@pytest.fixture
def slug(walk: Walk) -> str:
    """A course on 30 June 2027; the clock stands on 2 March. The deposit is kept, the rest comes back less 10.00."""
    with arranged(walk.app):
        owner = an_organiser()
        data = templates.by_key("deposit_course").data(owner.zone, owner.currency)
        versions.write(owner.id, "Ours", data, actor="user:1", now=product_clock.now())
        workshop = a_workshop(in_days=120, price_minor=None)
        a_ticket(workshop, code="self_funded", prices={"GBP": 42000}, payment="deposit", terms=PARTS.terms())
        return workshop.slug


def states(walk: Walk) -> list[str]:
    return [each.state for each in walk.rows(Instalment)]


def link_of(walk: Walk, to: Person) -> str:
    """Where the button of the newest letter leads."""
    html = next(part for part in walk.letters(to.email)[-1].walk() if part.get_content_type() == "text/html")
    links = [each.get("href", "") for each in tree(body(html)).iter("a")]
    parts = urlsplit(next(each for each in links if "/bookings/" in each))
    return f"{parts.path}?{parts.query}"


def test_deposit_first_part_by_its_letter_and_the_place_given_up(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person
) -> None:
    page = visitor.book(slug, bea, ann)
    walk.stripe.pay(session_of(page))
    assert walk.ring(COMPLETED) == 204
    told = visitor.told(walk.reference())
    assert (told["state"], told["bill"]["total_minor"], told["bill"]["paid_minor"]) == ("confirmed", 42000, 12000)
    receipt = next(each for each in walk.letters(bea.email) if "confirmed" in str(each["Subject"]))
    assert "£120.00 of it is paid" in body(next(part for part in receipt.walk() if not part.is_multipart()))

    walk.clock.set("2027-03-29T08:00:00Z")  # a week before, nine in the morning in London
    assert walk.subjects(bea.email)[-1].endswith("£150.00 is due on Monday 5 April 2027")
    other = walk.visitor()  # the letter is opened on another device
    shown = other.client.get(link_of(walk, bea))
    assert "What is still to pay" in main_text(shown)
    assert walk.rows(PaymentAttempt)[-1].amount_minor == 12000  # looking pays nothing
    there = form(shown, "/instalments")
    sent = {**there.values, "until": there.buttons[0].value}
    pay_page = other.client.post(there.action, data=sent).location
    assert "/pay/cs_" in str(pay_page)
    assert other.client.post(there.action, data=sent).location == pay_page  # the same page, not a second one
    walk.stripe.pay(session_of(str(pay_page)))
    assert walk.ring(COMPLETED) == 204
    assert states(walk) == ["paid", "open"]
    assert walk.subjects(bea.email)[-1].endswith("£150.00 has arrived")

    walk.clock.set("2027-04-08T08:00:00Z")
    walk.work()
    assert not [each for each in walk.subjects(bea.email) if "due today" in each or "was due" in each]

    cancelling = other.client.get(f"/bookings/{walk.reference()}/cancellation")
    said = main_text(cancelling)
    assert "£140.00" in said
    assert "No longer owed £150.00" in said
    answer = other.client.submit(form(cancelling, "/cancellation#quote"))
    assert answer.status_code == 303
    walk.work()
    refund = walk.one(Refund)
    assert (refund.amount_minor, refund.state) == (14000, "succeeded")
    assert states(walk) == ["paid", "dropped"]
    told = other.told(walk.reference())
    assert (told["bill"]["total_minor"], told["bill"]["refunded_minor"]) == (27000, 14000)

    for day in ("2027-04-26", "2027-05-03", "2027-05-06"):
        walk.clock.set(f"{day}T08:00:00Z")
        walk.work()
    assert not [each for each in walk.subjects(bea.email) if "3 May" in each]


def test_a_page_left_open_is_closed_and_the_rest_can_be_paid_at_once(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person, bob: Person
) -> None:
    walk.stripe.pay(session_of(visitor.book(slug, bea, ann, bob)))
    assert walk.ring(COMPLETED) == 204
    there = form(visitor.page(walk.reference()), "/instalments")

    def press(button: int) -> str:
        sent = {**there.values, "until": there.buttons[button].value}
        return str(visitor.client.post(there.action, data=sent).location)

    first = press(0)
    everything = press(1)
    assert first != everything
    assert walk.stripe.pay(session_of(first)).status >= 400  # closed at Stripe before the other was opened
    walk.clock.shift(minutes=40)
    walk.work()
    assert [each.state for each in walk.rows(PaymentAttempt)] == ["completed", "expired", "expired"]
    walk.stripe.pay(session_of(press(1)))
    assert walk.ring(COMPLETED) == 204
    assert states(walk) == ["paid", "paid"]
    assert walk.rows(Refund) == []
    assert visitor.told(walk.reference())["bill"]["paid_minor"] == 84000


def test_a_bank_that_does_not_pay_a_part_leaves_the_place_as_it_is(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person
) -> None:
    walk.stripe.pay(session_of(visitor.book(slug, bea, ann)))
    assert walk.ring(COMPLETED) == 204
    there = form(visitor.page(walk.reference()), "/instalments")
    url = str(visitor.client.post(there.action, data={**there.values, "until": there.buttons[0].value}).location)
    walk.stripe.pay(session_of(url), "pay_later")
    assert walk.ring(COMPLETED) == 204
    assert "is on its way from your bank" in main_text(visitor.page(walk.reference()))
    walk.stripe.bank(session_of(url), "fail")
    assert walk.ring("checkout.session.async_payment_failed") == 204
    assert visitor.state(walk.reference()) == "confirmed"
    assert states(walk) == ["open", "open"]
    assert walk.subjects(bea.email)[-1].endswith("your bank did not send £150.00")
    assert "Pay £150.00" in main_text(visitor.page(walk.reference()))
