"""Two people are booked and paid for: what Stripe is asked, what each reads, and what is confirmed, once."""

from datetime import timedelta
from uuid import UUID

import pytest

from bookings.models import Answer, Attendee, Booking, SentInvite
from courses.models import Place
from history.models import Entry
from lib import zones
from mail.models import Letter
from payments.models import Bill, Payment, PaymentAttempt
from tests.builders import a_code, a_question, a_ticket, a_workshop, arranged
from tests.conftest import Person
from tests.journeys.steps import COMPLETED, SESSIONS, Visitor, Walk, parts, session_of
from tests.page import main_text

pytestmark = pytest.mark.both_databases


@pytest.fixture
def slug(walk: Walk) -> str:
    with arranged(walk.app):
        return a_workshop(capacity=3).slug


def test_from_the_form_to_the_letters(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person, bob: Person
) -> None:
    url = visitor.book(slug, bea, ann, bob)
    assert url.startswith(walk.stripe.url)
    reference = walk.reference()
    assert visitor.told(reference) == {
        "reference": reference,
        "state": "held",
        "bill": {
            "total_minor": 33600,
            "paid_minor": 0,
            "refunded_minor": 0,
            "credit_minor": 0,
            "currency": "GBP",
        },
        "held_until": "2027-03-02T09:36:00Z",
        "attendees": [{"n": n, "name": who.name, "state": "held"} for n, who in enumerate((ann, bob))],
    }
    assert walk.letters() == []

    back = walk.stripe.pay(url)
    assert back.status == 303
    assert visitor.client.get(back.location).status_code == 200
    assert walk.ring(COMPLETED) == 204

    told = visitor.told(reference)
    assert (told["state"], told["bill"]["paid_minor"], told["held_until"]) == ("confirmed", 33600, None)
    assert "confirmed" in main_text(visitor.page(reference)).lower()
    assert {place.state for place in walk.rows(Place)} == {"taken"}
    assert len(walk.rows(Place)) == 2
    assert [letter["To"].addresses[0].addr_spec for letter in walk.letters()] == [ann.email, bob.email, bea.email]
    assert {letter.state for letter in walk.rows(Letter)} == {"sent"}
    assert walk.work() == 0


def test_what_stripe_is_asked(walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person, bob: Person) -> None:
    visitor.book(slug, bea, ann, bob)
    booking, attempt = walk.one(Booking), walk.one(PaymentAttempt)
    asked = walk.calls("POST", SESSIONS)
    assert len(asked) == 1
    sent = asked[0]["params"]
    assert asked[0]["key"] == attempt.key
    assert UUID(attempt.key.removeprefix("attempt-")).version == 4
    assert sent["expires_at"] == int((walk.clock.now() + timedelta(minutes=31)).timestamp())
    assert attempt.expires_at == walk.clock.now() + timedelta(minutes=31)
    assert booking.held_until == walk.clock.now() + timedelta(minutes=36)
    marks = {"organiser": str(booking.organiser_id), "booking": booking.reference, "attempt": attempt.key}
    assert sent["metadata"] == sent["payment_intent_data"]["metadata"] == marks
    assert sent["client_reference_id"] == booking.reference
    assert sent["customer_email"] == bea.email
    for name in ("success_url", "cancel_url"):
        assert sent[name].startswith(f"http://localhost/bookings/{booking.reference}?")
    assert [line["price_data"]["unit_amount"] for line in sent["line_items"]] == [33600]
    assert {ann.email, bob.email, ann.name, bob.name}.isdisjoint(_texts(sent))


def _texts(value: object) -> set[str]:
    if isinstance(value, dict):
        return {text for each in value.values() for text in _texts(each)}
    if isinstance(value, list):
        return {text for each in value for text in _texts(each)}
    return {value} if isinstance(value, str) else set()


def test_the_countdown_is_the_end_of_the_payment_page(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person
) -> None:
    visitor.book(slug, bea, ann)
    end = walk.one(PaymentAttempt).expires_at
    page = visitor.page(walk.reference()).get_data(as_text=True)
    assert zones.z(end) in page
    assert zones.z(end + timedelta(minutes=5)) not in page


def test_prices_in_pence_are_the_same_everywhere(walk: Walk, visitor: Visitor, bea: Person, ann: Person) -> None:
    for minor, shown in ((6410, "£64.10"), (14530, "£145.30"), (12995, "£129.95"), (7935, "£79.35")):
        with arranged(walk.app):
            slug = a_workshop(price_minor=minor).slug
        assert shown in visitor.client.get(f"/workshops/{slug}").get_data(as_text=True)
        url = visitor.book(slug, bea, ann)
        sent = walk.calls("POST", SESSIONS)[-1]["params"]
        assert [line["price_data"]["unit_amount"] for line in sent["line_items"]] == [minor]
        assert shown in main_text(visitor.page(walk.reference()))
        walk.stripe.pay(url)
        assert walk.ring(COMPLETED) == 204
        receipt = walk.letters(bea.email)[-1].get_body(("plain",))
        assert receipt is not None
        assert shown in receipt.get_content()
        assert walk.rows(Payment)[-1].amount_minor == minor


def test_a_code_comes_off_the_line_that_stripe_shows(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person, bob: Person
) -> None:
    with arranged(walk.app):
        a_code(code="SPRING25", percent=25)
    answer = visitor.client.post(
        f"/workshops/{slug}/quote",
        data=visitor.form(slug).sent() | {"discount_code": ["spring25"], "attendee-1-name": ["Bob"]},
        headers={"Accept": "application/json"},
    )
    assert answer.get_json()["total_minor"] == 25200
    url = visitor.book(slug, bea, ann, bob, discount_code=" spring25 ")
    sent = walk.calls("POST", SESSIONS)[-1]["params"]
    assert sum(line["price_data"]["unit_amount"] * line["quantity"] for line in sent["line_items"]) == 25200
    assert walk.one(Bill).total_minor == 25200
    assert [each.price_minor - each.discount_minor for each in walk.rows(Attendee)] == [12600, 12600]
    assert "£252" in main_text(visitor.page(walk.reference()))
    walk.stripe.pay(url)
    assert walk.ring(COMPLETED) == 204
    receipt = walk.letters(bea.email)[-1].get_body(("plain",))
    assert receipt is not None
    assert "£252" in receipt.get_content()


def test_two_tickets_are_two_lines(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person, bob: Person
) -> None:
    with arranged(walk.app):
        workshop = a_workshop(in_days=40)
        a_ticket(workshop, code="student", prices={"GBP": 9500})
        slug = workshop.slug
    form = visitor.form(slug, 2)
    answer = visitor.send(form, bea, (ann, bob), **{"ticket_type": "standard", "attendee-1-ticket": "student"})
    assert answer.status_code == 303
    sent = walk.calls("POST", SESSIONS)[-1]["params"]
    assert [line["price_data"]["unit_amount"] for line in sent["line_items"]] == [16800, 9500]
    walk.stripe.pay(answer.location)
    assert walk.ring(COMPLETED) == 204
    assert visitor.told(walk.reference())["bill"]["paid_minor"] == 26300


def test_a_pair_is_one_line_and_two_halves(walk: Walk, visitor: Visitor, bea: Person, ann: Person, bob: Person) -> None:
    with arranged(walk.app):
        slug = a_workshop(seats=2, price_minor=16801).slug
    alone = visitor.send(visitor.form(slug), bea, [ann])
    assert alone.status_code == 422
    walk.stripe.pay(visitor.book(slug, bea, ann, bob))
    assert walk.ring(COMPLETED) == 204
    sent = walk.calls("POST", SESSIONS)[-1]["params"]["line_items"]
    assert [(line["price_data"]["unit_amount"], line["quantity"]) for line in sent] == [(16801, 1)]
    assert sorted(each.price_minor for each in walk.rows(Attendee)) == [8400, 8401]
    assert len(walk.letters()) == 3


def test_another_currency(walk: Walk, visitor: Visitor, bea: Person, ann: Person) -> None:
    with arranged(walk.app):
        workshop = a_workshop(price_minor=None)
        a_ticket(workshop, prices={"GBP": 9500, "EUR": 11050}, is_full_price=True)
        slug = workshop.slug
    url = visitor.book(slug, bea, ann, currency="EUR")
    price = walk.calls("POST", SESSIONS)[-1]["params"]["line_items"][0]["price_data"]
    assert (price["currency"], price["unit_amount"]) == ("eur", 11050)
    walk.stripe.pay(url)
    assert walk.ring(COMPLETED) == 204
    bill = visitor.told(walk.reference())["bill"]
    assert (bill["currency"], bill["total_minor"], bill["paid_minor"]) == ("EUR", 11050, 11050)
    receipt = walk.letters(bea.email)[-1].get_body(("plain",))
    assert receipt is not None
    assert "€110.50" in receipt.get_content()


def test_what_the_workshop_asks_is_kept_and_told_to_nobody(
    walk: Walk, visitor: Visitor, bea: Person, ann: Person, bob: Person
) -> None:
    with arranged(walk.app):
        workshop = a_workshop()
        a_question(workshop, code="access", label="What do you need?", is_private=True)
        slug = workshop.slug
    changes = {"attendee-0-answer-access": "A quiet corner", "attendee-1-answer-access": ""}
    url = visitor.book(slug, bea, ann, bob, **changes)
    assert [each.text for each in walk.rows(Answer)] == ["A quiet corner"]
    walk.stripe.pay(url)
    assert walk.ring(COMPLETED) == 204
    assert "quiet" not in str(walk.stripe.requests())
    assert "quiet" not in main_text(visitor.page(walk.reference()))
    assert not any("quiet" in text for letter in walk.letters() for text in parts(letter).values())


@pytest.mark.parametrize("way", ["code", "ticket"])
def test_nothing_to_pay_goes_past_stripe(walk: Walk, visitor: Visitor, bea: Person, ann: Person, way: str) -> None:
    with arranged(walk.app):
        workshop = a_workshop(price_minor=16800 if way == "code" else 0)
        a_code(code="SPEAKER", percent=100)
        slug = workshop.slug
    changes = {"discount_code": "speaker"} if way == "code" else {}
    answer = visitor.send(visitor.form(slug), bea, [ann], **changes)
    reference = walk.reference()
    assert (answer.status_code, answer.location) == (303, f"/bookings/{reference}")
    told = visitor.told(reference)
    assert (told["state"], told["bill"]["total_minor"], told["bill"]["paid_minor"]) == ("confirmed", 0, 0)
    assert [letter["To"].addresses[0].addr_spec for letter in walk.letters()] == [ann.email, bea.email]
    assert walk.stripe.requests() == []
    assert walk.rows(PaymentAttempt) == []


def test_a_closed_browser_changes_nothing(walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person) -> None:
    walk.stripe.pay(visitor.book(slug, bea, ann))
    assert walk.ring(COMPLETED) == 204
    assert walk.one(Booking).state == "confirmed"
    assert len(walk.letters()) == 2


def test_a_declined_card_and_then_a_good_one(walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person) -> None:
    url = visitor.book(slug, bea, ann)
    assert walk.stripe.pay(url, "4000000000000002").status == 402
    assert walk.ring("payment_intent.payment_failed") == 204
    assert visitor.state(walk.reference()) == "held"
    assert walk.letters() == []
    walk.stripe.pay(url)
    assert walk.ring(COMPLETED) == 204
    assert walk.ring("payment_intent.payment_failed") == 204
    assert visitor.state(walk.reference()) == "confirmed"
    assert len(walk.letters()) == 2
    assert len(walk.calls("POST", SESSIONS)) == 1


def test_the_bank_asks_who_is_there(walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person) -> None:
    url = visitor.book(slug, bea, ann)
    asks = walk.stripe.pay(url, "4000002500003155")
    assert asks.location.endswith("/authenticate")
    assert walk.stripe.authenticate(url, succeeds=False).status == 402
    assert visitor.state(walk.reference()) == "held"
    walk.stripe.pay(url, "4000002500003155")
    assert walk.stripe.authenticate(url).status == 303
    assert walk.ring(COMPLETED) == 204
    assert visitor.state(walk.reference()) == "confirmed"


def test_leaving_and_going_on(walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person) -> None:
    url = visitor.book(slug, bea, ann)
    left = walk.stripe.leave(url)
    assert left.status == 303
    page = visitor.client.get(left.location)
    assert page.status_code == 200
    said = main_text(page).lower()
    assert all(word not in said for word in ("failed", "not paid", "confirmed"))
    assert visitor.state(walk.reference()) == "held"
    again = visitor.pay_again(walk.reference())
    assert (again.status_code, again.location) == (303, url)
    walk.stripe.pay(url)
    assert walk.ring(COMPLETED) == 204
    assert visitor.state(walk.reference()) == "confirmed"


def test_what_is_kept_of_it(walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person) -> None:
    url = visitor.book(slug, bea, ann, marketing=True)
    walk.stripe.pay(url)
    walk.ring(COMPLETED)
    booking = walk.one(Booking)
    assert booking.terms_version
    assert booking.confirmed_at == walk.clock.now()
    told = [entry.verb for entry in walk.rows(Entry, Entry.about == f"booking:{booking.id}")]
    assert told == ["booking_held", "booking_confirmed"]
    assert walk.one(PaymentAttempt).stripe_session == session_of(url)
    assert len(walk.rows(SentInvite)) == 1
