"""PAY-03: the buyer is back before Stripe's event. Nothing is said that is not so, and nothing is sold twice."""

import pytest

from bookings.models import Booking
from payments.models import Payment, PaymentAttempt
from tests.builders import a_workshop, arranged
from tests.conftest import Person
from tests.journeys.steps import COMPLETED, SESSIONS, Visitor, Walk, session_of
from tests.page import main_text

pytestmark = pytest.mark.both_databases
NEVER_SAID = ("failed", "not paid", "confirmed")


@pytest.fixture
def slug(walk: Walk) -> str:
    with arranged(walk.app):
        return a_workshop().slug


def test_asking_stripe_confirms_and_the_webhook_adds_nothing(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person
) -> None:
    url = visitor.book(slug, bea, ann)
    back = walk.stripe.pay(url)
    page = visitor.client.get(back.location)
    assert page.status_code == 200
    assert visitor.state(walk.reference()) == "confirmed"
    assert walk.ring(COMPLETED) == 204
    assert walk.ring("payment_intent.succeeded") == 204
    assert visitor.client.get(back.location).status_code == 200
    assert len(walk.letters()) == 2
    assert len(walk.rows(Payment)) == len(walk.rows(Booking)) == 1
    assert len(walk.calls("GET", session_of(url))) == 3


def test_while_stripe_does_not_answer_the_page_waits(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person
) -> None:
    url = visitor.book(slug, bea, ann)
    back = walk.stripe.pay(url)
    walk.stripe.faults({"path": f"{SESSIONS}/*", "method": "GET", "status": 500, "times": 3})
    page = visitor.client.get(back.location)
    assert page.status_code == 200
    said = main_text(page).lower()
    assert "waiting" in said
    assert all(word not in said for word in NEVER_SAID)
    assert visitor.state(walk.reference()) == "held"
    assert visitor.client.get(back.location).status_code == 200
    assert visitor.state(walk.reference()) == "confirmed"


def test_going_to_pay_again_after_paying_leads_back(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person
) -> None:
    url = visitor.book(slug, bea, ann)
    walk.stripe.pay(url)
    again = visitor.pay_again(walk.reference())
    assert (again.status_code, again.location) == (303, url)
    assert walk.stripe.http("GET", f"/pay/{session_of(url)}").status == 410
    walk.clock.shift(minutes=30)
    again = visitor.pay_again(walk.reference())
    assert (again.status_code, again.location) == (303, f"/bookings/{walk.reference()}")
    assert visitor.state(walk.reference()) == "confirmed"
    assert len(walk.calls("POST", SESSIONS)) == 1


def test_the_page_asks_once_in_five_seconds(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = visitor.book(slug, bea, ann)
    monkeypatch.setattr("lib.clock.machine_now", walk.clock.now)
    for seconds, asked in ((0, 1), (1, 1), (3, 1), (1, 2)):
        walk.clock.shift(seconds=seconds)
        assert visitor.page(walk.reference(), returned="paid").status_code == 200
        assert len(walk.calls("GET", session_of(url))) == asked
    assert visitor.page(walk.reference()).status_code == 200
    assert len(walk.calls("GET", session_of(url))) == 2


def test_the_webhook_before_the_page_is_written_down(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person
) -> None:
    walk.stripe.faults({"path": SESSIONS, "method": "POST", "status": "commit_then_drop", "times": 3})
    answer = visitor.send(visitor.form(slug), bea, [ann])
    assert (answer.status_code, answer.location) == (303, f"/bookings/{walk.reference()}")
    attempt = walk.one(PaymentAttempt)
    assert (attempt.state, attempt.stripe_session) == ("opening", None)
    session = walk.session_by_key(attempt.key)
    walk.stripe.complete(session)
    # By the payment alone the page cannot be found yet; its own event says whose it is.
    assert walk.ring("payment_intent.succeeded") in (204, 503)
    assert walk.ring(COMPLETED) == 204
    assert visitor.state(walk.reference()) == "confirmed"
    assert walk.one(PaymentAttempt).stripe_session == session
    assert len(walk.letters()) == 2


def test_a_webhook_that_cannot_be_checked_at_stripe_is_sent_again(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person
) -> None:
    walk.stripe.pay(visitor.book(slug, bea, ann))
    walk.stripe.faults({"path": f"{SESSIONS}/*", "method": "GET", "status": 503, "times": 3})
    assert walk.ring(COMPLETED) == 503
    assert visitor.state(walk.reference()) == "held"
    assert walk.ring(COMPLETED) == 204
    assert visitor.state(walk.reference()) == "confirmed"


def test_another_persons_page_shows_nothing(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person, zed: Person
) -> None:
    back = walk.stripe.pay(visitor.book(slug, bea, ann))
    walk.ring(COMPLETED)
    hers = walk.reference()
    stranger = walk.visitor()
    stranger.book(slug, zed, zed)
    nowhere = stranger.client.get("/bookings/CQ-22222222")
    for query in ("", "?returned=paid", "?key=wrong", f"?session_id={walk.rows(PaymentAttempt)[0].stripe_session}"):
        answer = stranger.client.get(f"/bookings/{hers}{query}")
        assert answer.status_code == 404
        assert _same(answer.get_data(as_text=True), nowhere.get_data(as_text=True))
        for secret in (bea.name, bea.email, ann.name, "168"):
            assert secret not in answer.get_data(as_text=True)
    assert walk.visitor().client.get(back.location).status_code == 200


def _same(one: str, other: str) -> bool:
    return [line for line in one.splitlines() if "csrf" not in line] == [
        line for line in other.splitlines() if "csrf" not in line
    ]


def test_coming_back_without_having_paid_confirms_nothing(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person
) -> None:
    visitor.book(slug, bea, ann)
    page = visitor.page(walk.reference(), returned="paid")
    said = main_text(page).lower()
    assert all(word not in said for word in NEVER_SAID)
    assert visitor.state(walk.reference()) == "held"
    assert walk.letters() == []
    assert walk.rows(Payment) == []


def test_back_after_the_page_has_ended(walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person) -> None:
    url = visitor.book(slug, bea, ann)
    walk.clock.shift(minutes=32)
    assert walk.stripe.pay(url).status == 410
    assert visitor.page(walk.reference(), returned="paid").status_code == 200
    assert visitor.state(walk.reference()) == "held"
    assert walk.one(PaymentAttempt).state == "expired"
    again = visitor.pay_again(walk.reference())
    assert again.status_code == 303
    assert again.location != url
    walk.stripe.pay(again.location)
    assert walk.ring(COMPLETED) == 204
    assert visitor.state(walk.reference()) == "confirmed"
