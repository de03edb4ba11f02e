"""FORM-01 and its relatives: the same form twice, the back button, two tabs, and every way back to the payment page."""

from datetime import timedelta

import pytest

from bookings.models import Booking, Redemption
from courses.models import Place
from payments.models import PaymentAttempt
from tests.builders import a_code, a_workshop, arranged
from tests.conftest import Person
from tests.journeys.steps import COMPLETED, SESSIONS, Visitor, Walk, session_of, together, typed
from tests.page import form, main_text

pytestmark = pytest.mark.both_databases


@pytest.fixture
def slug(walk: Walk) -> str:
    with arranged(walk.app):
        a_code(code="ONCE", uses_total=1)
        return a_workshop(capacity=2).slug


def test_the_same_form_twice_is_one_booking(walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person) -> None:
    filled = visitor.form(slug)
    first = visitor.send(filled, bea, [ann])
    second = visitor.send(filled, bea, [ann])
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.location == second.location
    assert len(walk.rows(Booking)) == len(walk.rows(Place)) == len(walk.calls("POST", SESSIONS)) == 1
    walk.stripe.pay(first.location)
    assert walk.ring(COMPLETED) == 204
    third = visitor.send(filled, bea, [ann])
    assert (third.status_code, third.location) == (303, f"/bookings/{walk.reference()}")
    assert len(walk.rows(Booking)) == 1


@pytest.mark.parametrize("repeat", range(3))
def test_the_same_form_twice_at_once(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person, repeat: int
) -> None:
    filled = visitor.form(slug)
    filled.fill(typed(bea, [ann], discount_code="ONCE"))
    cookie = visitor.client.get_cookie("session")
    assert cookie is not None
    tabs = [walk.visitor() for _ in range(2)]
    for tab in tabs:
        tab.client.set_cookie("session", cookie.value)
    answers = together(*(lambda tab=tab: tab.client.submit(filled) for tab in tabs))
    assert [each.status_code for each in answers] == [303, 303]
    assert len({each.location for each in answers}) == 1
    assert answers[0].location.startswith(walk.stripe.url)
    assert len(walk.rows(Booking)) == len(walk.rows(Place)) == len(walk.rows(PaymentAttempt)) == 1
    assert len(walk.rows(Redemption)) == 1
    assert len({each["key"] for each in walk.calls("POST", SESSIONS)}) == 1


def test_a_fresh_form_is_a_second_booking(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person, bob: Person
) -> None:
    visitor.book(slug, bea, ann)
    visitor.book(slug, bea, bob)
    assert [each.state for each in walk.rows(Booking)] == ["held", "held"]


def test_the_same_person_twice_is_said_and_allowed(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person
) -> None:
    visitor.book(slug, bea, ann)
    filled = visitor.form(slug)
    asks = visitor.send(filled, bea, [ann])
    assert asks.status_code == 422
    assert len(walk.rows(Booking)) == 1
    on_purpose = visitor.client.submit(form(asks, "/bookings"), {"attendee-0-again": True})
    assert on_purpose.status_code == 303
    assert len(walk.rows(Booking)) == 2


def test_two_people_with_one_address_have_two_letters(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person
) -> None:
    child = Person("Cy Attwood", ann.email)
    asks = visitor.send(visitor.form(slug, 2), bea, (ann, child))
    assert asks.status_code == 422
    answer = visitor.client.submit(form(asks, "/bookings"), {"attendee-1-shared": True})
    assert answer.status_code == 303
    walk.stripe.pay(answer.location)
    walk.ring(COMPLETED)
    letters = walk.letters(ann.email)
    assert [each["To"].addresses[0].display_name for each in letters] == [ann.name, child.name]


def test_the_form_changed_and_sent_again(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person, bob: Person
) -> None:
    filled = visitor.form(slug, 2)
    old = visitor.send(filled, bea, (ann, bob), discount_code="ONCE").location
    first = walk.reference()
    # Both places and the code's only use are held: the changed form must get them back before it takes them.
    new = visitor.send(filled, bea, (ann, Person("Rob Barnes", bob.email)), discount_code="ONCE")
    assert new.status_code == 303, main_text(new)
    assert new.location not in (old, "")
    assert len(walk.calls("POST", f"{session_of(old)}/expire")) == 1
    assert walk.stripe.pay(old).status == 410
    assert [each.state for each in walk.rows(Booking)] == ["lapsed", "held"]
    assert sorted(each.state for each in walk.rows(Place)) == ["held", "held", "released", "released"]
    assert sorted(each.state for each in walk.rows(Redemption)) == ["held", "released"]
    assert visitor.state(first) == "lapsed"
    walk.stripe.pay(new.location)
    assert walk.ring(COMPLETED) == 204
    assert visitor.state(walk.reference()) == "confirmed"
    walk.clock.shift(hours=1)
    walk.work()
    assert [each.state for each in walk.rows(Booking)] == ["lapsed", "confirmed"]


def test_the_form_changed_after_it_was_paid(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person, bob: Person
) -> None:
    filled = visitor.form(slug)
    old = visitor.send(filled, bea, [ann]).location
    walk.stripe.pay(old)
    # Nobody has told us yet: closing the page does.
    new = visitor.send(filled, bea, [bob])
    assert new.status_code == 303
    assert [each.state for each in walk.rows(Booking)] == ["confirmed", "held"]
    assert walk.ring(COMPLETED) == 204
    assert [each.state for each in walk.rows(Booking)] == ["confirmed", "held"]


def test_a_change_with_a_mistake_in_it_loses_nothing(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person
) -> None:
    filled = visitor.form(slug)
    url = visitor.send(filled, bea, [ann]).location
    wrong = visitor.send(filled, bea, [Person(ann.name, "ann at the clinic")])
    assert wrong.status_code == 422
    assert [each.state for each in walk.rows(Booking)] == ["held"]
    assert visitor.pay_again(walk.reference()).location == url
    right = visitor.client.submit(form(wrong, "/bookings"), {"attendee-0-email": "ann@home.example"})
    assert right.status_code == 303
    assert [each.state for each in walk.rows(Booking)] == ["lapsed", "held"]
    assert walk.stripe.pay(url).status == 410


def test_a_change_that_is_refused_can_be_put_right(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person, zed: Person
) -> None:
    filled = visitor.form(slug)
    visitor.send(filled, bea, [ann])
    refused = visitor.send(filled, bea, [ann], discount_code="NEVER")
    assert refused.status_code == 422
    assert "NEVER" in refused.get_data(as_text=True)
    answer = visitor.client.submit(form(refused, "/bookings"), {"discount_code": "ONCE"})
    assert answer.status_code == 303
    live = walk.rows(Booking, Booking.state == "held")
    assert len(live) == 1
    assert visitor.told(live[0].reference)["bill"]["total_minor"] == 13440


def test_the_form_changed_while_stripe_is_away(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person, bob: Person
) -> None:
    filled = visitor.form(slug)
    old = visitor.send(filled, bea, [ann]).location
    walk.stripe.faults({"path": f"{SESSIONS}/*", "status": 503, "times": 3})
    answer = visitor.send(filled, bea, [bob])
    assert answer.status_code == 503
    assert [each.state for each in walk.rows(Booking)] == ["held"]
    # The old page may be paid, so what was typed first still stands; a moment later the change goes through.
    answer = visitor.send(filled, bea, [bob])
    assert answer.status_code == 303
    assert answer.location not in (old, "")
    assert [each.state for each in walk.rows(Booking)] == ["lapsed", "held"]


def test_two_tabs(walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person) -> None:
    url = visitor.book(slug, bea, ann)
    assert visitor.pay_again(walk.reference()).location == url
    walk.stripe.pay(url)
    assert walk.stripe.pay(url).status == 410
    assert walk.ring(COMPLETED) == 204
    assert len(walk.stripe.events("charge.succeeded")) == 1


@pytest.mark.parametrize(("seconds_left", "is_same"), [(121, True), (120, True), (119, False), (1, False), (-1, False)])
def test_a_page_is_used_again_while_two_minutes_are_left(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person, seconds_left: int, is_same: bool
) -> None:
    url = visitor.book(slug, bea, ann)
    end = walk.one(PaymentAttempt).expires_at
    walk.clock.set(end - timedelta(seconds=seconds_left))
    again = visitor.pay_again(walk.reference())
    assert again.status_code == 303
    assert (again.location == url) is is_same
    attempts = walk.rows(PaymentAttempt)
    if is_same:
        assert len(attempts) == 1
        return
    assert [each.state for each in attempts] == ["expired", "open"]
    assert attempts[1].expires_at == walk.clock.now() + timedelta(minutes=31)
    until = attempts[1].expires_at + timedelta(minutes=5)
    assert walk.one(Booking).held_until == until
    assert {each.held_until for each in walk.rows(Place)} == {until}
    assert walk.stripe.pay(url).status == 410
    # The job of the first hold finds that it has moved.
    walk.clock.set(end + timedelta(minutes=6))
    walk.work()
    assert visitor.state(walk.reference()) == "held"
    walk.clock.set(until)
    walk.work()
    assert visitor.state(walk.reference()) == "lapsed"


def test_two_presses_at_once_make_one_new_page(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person
) -> None:
    visitor.book(slug, bea, ann)
    reference = walk.reference()
    walk.clock.shift(minutes=32)
    button = form(visitor.page(reference), "/payment")
    cookie = visitor.client.get_cookie("session")
    assert cookie is not None
    tabs = [walk.visitor() for _ in range(2)]
    for tab in tabs:
        tab.client.set_cookie("session", cookie.value)
    answers = together(*(lambda tab=tab: tab.client.submit(button) for tab in tabs))
    assert [each.status_code for each in answers] == [303, 303]
    assert len({each.location for each in answers}) == 1
    assert sorted(each.state for each in walk.rows(PaymentAttempt)) == ["expired", "open"]


def test_fresh_pages_for_two_hours(walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person) -> None:
    visitor.book(slug, bea, ann)
    reference = walk.reference()
    began = walk.clock.now()
    seen = set()
    for minutes in (30, 60, 90, 120):
        walk.clock.set(began + timedelta(minutes=minutes))
        walk.work()
        answer = visitor.pay_again(reference)
        assert answer.status_code == 303
        seen.add(answer.location)
    assert len(seen) == 4
    walk.clock.set(began + timedelta(minutes=150))
    assert visitor.state(reference) == "held"
    over = visitor.pay_again(reference)
    assert over.status_code == 410
    assert visitor.page(reference).status_code == 200
    walk.clock.set(began + timedelta(minutes=157))
    walk.work()
    assert visitor.state(reference) == "lapsed"
    assert {each.state for each in walk.rows(PaymentAttempt)} == {"expired"}


@pytest.mark.parametrize("is_tidied", [False, True])
def test_paying_on_a_lapsed_hold(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person, is_tidied: bool
) -> None:
    visitor.book(slug, bea, ann)
    reference = walk.reference()
    button = form(visitor.page(reference), "/payment")
    walk.clock.shift(minutes=36)
    if is_tidied:
        walk.work()
    answer = visitor.client.submit(button)
    assert answer.status_code == 410
    assert visitor.page(reference).status_code == 200
    token = button.values["csrf_token"]
    told = visitor.client.post(button.action, data={"csrf_token": token}, headers={"Accept": "application/json"})
    assert (told.status_code, told.get_json()["refusal"]) == (410, "hold_lapsed")
    assert visitor.state(reference) == "lapsed"
    assert len(walk.calls("POST", SESSIONS)) == 1
