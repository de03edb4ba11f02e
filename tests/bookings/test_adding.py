"""Places added to a confirmed booking: the price shown, paid first, and all made good if the money comes late."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from bookings import change_rows, corrections, lifecycle
from bookings.models import Answer, Attendee, Booking, Change, Redemption, SentInvite
from courses.models import Place, Workshop
from history.models import Entry
from lib import clock as now
from lib import db
from mail.models import Letter
from payments import credits, ledger
from payments.models import Invoice, PaymentAttempt, Refund
from tests.bookings.making import ANN, BOB, Made, a_wish, held, paid, receive
from tests.bookings.test_changes import a_policy, a_slug, letters, rows, sound
from tests.bookings.test_credit_spending import BEA as CREDITED
from tests.bookings.test_credit_spending import a_credit, statement_of
from tests.bookings.test_credit_spending import left as credit_left
from tests.builders import a_code, a_question, a_ticket, a_workshop, arranged
from tests.conftest import Clock
from tests.page import PageClient, form, main_text

pytestmark = pytest.mark.both_databases
CY = ("Cy Carter", "cy@clinic.example")
DI = ("Di Dunn", "di@clinic.example")


def booked(client: PageClient, app: Flask, slug: str, **wish: Any) -> Made:
    made = paid(app, a_wish(slug, **wish))
    client.get(made.url)
    return made


def people(*added: tuple[str, str], **more: str) -> dict[str, str]:
    typed = {"ticket_type": "standard", **more}
    for n, (name, email) in enumerate(added):
        typed |= {f"attendee-{n}-name": name, f"attendee-{n}-email": email}
    return typed


def priced(client: PageClient, made: Made, *added: tuple[str, str], **more: str) -> Any:
    """The page with the exact price."""
    page = f"/bookings/{made.reference}/places"
    found = form(client.get(page), "/places/quote")
    return client.post(f"{page}/quote", data={**found.values, **people(*added, **more)})


def add(client: PageClient, made: Made, *added: tuple[str, str], **more: str) -> Any:
    """See the price and press the button."""
    shown = priced(client, made, *added, **more)
    assert shown.status_code == 200, main_text(shown)
    return client.post(f"/bookings/{made.reference}/places", data=form(shown, "/places").values)


def test_the_price_that_is_shown_is_paid_and_then_they_come(app: Flask, client: PageClient) -> None:
    a_policy(app)
    made = booked(client, app, a_slug(app))
    assert "£336.00" in main_text(priced(client, made, CY, DI))

    answer = add(client, made, CY, DI)

    assert answer.status_code == 303
    assert [(each.kind, each.state, each.due_minor) for each in rows(app, Change)] == [("add", "owing", 33600)]
    assert [each.state for each in rows(app, Place)] == ["taken", "held", "held"]
    assert [each.name for each in rows(app, Attendee)] == [ANN[0]]
    assert "A change waits" in main_text(client.get(made.url))
    sound(app)

    receive(app, made)

    assert [(each.n, each.name, each.state) for each in rows(app, Attendee)] == [
        (0, ANN[0], "confirmed"), (1, CY[0], "confirmed"), (2, DI[0], "confirmed"),
    ]  # fmt: skip
    assert [each.state for each in rows(app, Place)] == ["taken"] * 3
    assert len(rows(app, SentInvite)) == 3
    assert {(CY[1], "confirmed"), (DI[1], "confirmed"), ("bea@clinic.example", "booking_changed")} <= set(letters(app))
    assert ("hello@olu-trains.example", "organiser_notice") in letters(app)
    assert "places_added" in {each.verb for each in rows(app, Entry)}
    with app.app_context():
        bill = db.session.get_one(Booking, made.id).bill_id
        assert ledger.of_bill(bill).kept_minor == ledger.of_bill(bill).owed_minor == 50400
    page = main_text(client.get(made.url))
    assert "Places for Cy Carter and Di Dunn" in page
    assert "£336.00" in page
    sound(app)


def test_the_same_form_twice_is_one_change(app: Flask, client: PageClient) -> None:
    made = booked(client, app, a_slug(app))
    shown = priced(client, made, CY)
    values = form(shown, "/places").values
    for _ in range(2):
        assert client.post(f"/bookings/{made.reference}/places", data=values).status_code == 303

    assert len(rows(app, Change)) == 1
    assert len(rows(app, PaymentAttempt)) == 2


def test_what_costs_nothing_is_added_at_once(app: Flask, client: PageClient) -> None:
    slug = a_slug(app, price_minor=0)
    made = booked(client, app, slug)

    assert add(client, made, CY).status_code == 303

    assert [each.state for each in rows(app, Attendee)] == ["confirmed", "confirmed"]
    assert [(each.kind, each.state) for each in rows(app, Change)] == [("add", "done")]
    sound(app)


def test_a_price_that_changed_meanwhile_is_said(app: Flask, client: PageClient) -> None:
    slug = a_slug(app)
    made = booked(client, app, slug)
    values = form(priced(client, made, CY), "/places").values
    with arranged(app):
        workshop = db.session.scalars(select(Workshop).where(Workshop.slug == slug)).one()
        workshop.tickets[0].prices[0].minor = 20000

    answer = client.post(f"/bookings/{made.reference}/places", data=values)

    assert answer.status_code == 409
    assert "£200.00" in main_text(answer)
    assert rows(app, Change) == []


def test_a_full_workshop_names_its_waiting_list(app: Flask, client: PageClient) -> None:
    slug = a_slug(app, capacity=2)
    made = booked(client, app, slug)
    page = f"/bookings/{made.reference}/places"
    values = {**form(client.get(page), "/places/quote").values, **people(CY, DI)}

    answer = client.post(page, data={**values, "quoted": "33600:GBP"})
    assert answer.status_code == 409
    assert f"/workshops/{slug}/waiting" in answer.get_data(as_text=True)
    assert rows(app, Change) == []

    paid(app, a_wish(slug, people=[BOB]))
    full = client.get(page)
    assert full.status_code == 409
    assert f"/workshops/{slug}/waiting" in full.get_data(as_text=True)


def test_one_booking_takes_no_more_than_it_may(app: Flask, client: PageClient) -> None:
    made = booked(client, app, a_slug(app, most_attendees=2))
    page = f"/bookings/{made.reference}/places"
    assert "One more person can come" in main_text(client.get(page))

    assert priced(client, made, CY, DI).status_code == 422
    assert add(client, made, CY).status_code == 303
    receive(app, made)
    refused = client.get(page)
    assert refused.status_code == 409
    assert "has as many" in main_text(refused)


def test_who_is_missing_an_address_is_told_at_the_field(app: Flask, client: PageClient) -> None:
    made = booked(client, app, a_slug(app))

    answer = priced(client, made, ("", "nowhere"))

    assert answer.status_code == 422
    assert "not a whole email address" in main_text(answer)


def test_who_comes_already_is_said(app: Flask, client: PageClient) -> None:
    made = booked(client, app, a_slug(app))

    answer = priced(client, made, ANN)

    assert answer.status_code == 422
    assert "already has a place on this date" in main_text(answer)


def test_a_page_nobody_paid_gives_the_places_back(app: Flask, client: PageClient) -> None:
    made = booked(client, app, a_slug(app))
    add(client, made, CY)
    lapse(app)

    assert [each.state for each in rows(app, Place)] == ["taken", "released"]
    assert [each.state for each in rows(app, Change)] == ["lapsed"]
    sound(app)


def lapse(app: Flask) -> None:
    with app.app_context(), db.writing():
        change = db.session.scalars(select(Change)).one()
        db.session.get_one(PaymentAttempt, change.attempt_id).state = "expired"
        change_rows.lapse(change, now.now())


def test_money_that_comes_late_takes_the_places_again(app: Flask, client: PageClient) -> None:
    made = booked(client, app, a_slug(app))
    add(client, made, CY)
    lapse(app)

    receive(app, made)

    assert [each.state for each in rows(app, Place)] == ["taken", "taken"]
    assert [each.state for each in rows(app, Attendee)] == ["confirmed", "confirmed"]
    sound(app)


def test_money_that_comes_too_late_goes_back_in_full(app: Flask, client: PageClient) -> None:
    slug = a_slug(app, capacity=2)
    made = booked(client, app, slug)
    add(client, made, CY)
    lapse(app)
    paid(app, a_wish(slug, people=[BOB]))

    receive(app, made)

    assert [each.amount_minor for each in rows(app, Refund)] == [16800]
    assert [each.name for each in rows(app, Attendee)] == [ANN[0], BOB[0]]
    sound(app)


@pytest.mark.parametrize("what", ["booking", "workshop"])
def test_money_for_what_is_over_goes_back_in_full(app: Flask, client: PageClient, what: str) -> None:
    made = booked(client, app, a_slug(app))
    add(client, made, CY)
    with arranged(app):
        booking = lifecycle.locked(db.session.get_one(Booking, made.id).bill_id)
        if what == "booking":
            lifecycle.cancel(booking, booking.attendees, actor="booker", why="", now=now.now())
        else:
            booking.attendees[0].workshop.status = "cancelled"

    receive(app, made)

    assert [each.amount_minor for each in rows(app, Refund)] == [16800]
    assert CY[0] not in [each.name for each in rows(app, Attendee)]


def test_a_limited_code_does_not_count_again_and_the_page_says_so(app: Flask, client: PageClient) -> None:
    with arranged(app):
        slug = a_workshop().slug
        a_code(code="ONCE", percent=50, uses_per_person=1)
    made = booked(client, app, slug, code="ONCE")

    said = main_text(priced(client, made, CY))

    assert "£168.00" in said
    assert "ONCE counted for the booking as it was made" in said


def test_a_code_without_limits_counts_for_who_is_added(app: Flask, client: PageClient) -> None:
    with arranged(app):
        slug = a_workshop().slug
        a_code(code="TEN", percent=10)
    made = booked(client, app, slug, code="TEN")

    add(client, made, CY)
    receive(app, made)

    assert [(each.price_minor, each.discount_minor) for each in rows(app, Attendee)] == [(16800, 1680)] * 2
    assert [(each.minor, each.state) for each in rows(app, Redemption)] == [(3360, "used")]
    sound(app)


def test_a_code_that_ended_says_that(app: Flask, client: PageClient, clock: Clock) -> None:
    with arranged(app):
        slug = a_workshop().slug
        a_code(code="MARCH", percent=10, valid_until=clock.now().replace(hour=12))
    made = booked(client, app, slug, code="MARCH")
    clock.shift(days=1)

    assert "MARCH ended on" in main_text(priced(client, made, CY))


def test_extras_and_answers_come_with_them_and_answers_are_not_kept_twice(app: Flask, client: PageClient) -> None:
    with arranged(app):
        workshop = a_workshop()
        a_ticket(workshop, code="lunch", kind="extra", prices={"GBP": 1500}, limited_to=5, pools=[])
        a_question(workshop, code="diet", is_private=True)
        slug = workshop.slug
    made = booked(client, app, slug)

    add(client, made, CY, **{"attendee-0-extra": "lunch", "attendee-0-answer-diet": "No nuts"})
    receive(app, made)

    _, cy = rows(app, Attendee)
    assert cy.price_minor == 18300
    assert [(each.attendee_id, each.text) for each in rows(app, Answer)] == [(cy.id, "No nuts")]
    assert "No nuts" not in str([each.facts for each in rows(app, Change)])
    assert "No nuts" not in main_text(client.get(made.url))
    sound(app)


def test_a_ticket_of_which_one_booking_has_enough_is_not_offered(app: Flask, client: PageClient) -> None:
    with arranged(app):
        workshop = a_workshop()
        a_ticket(workshop, code="trainee", prices={"GBP": 8000}, most_people=1)
        slug = workshop.slug
    made = booked(client, app, slug, ticket="trainee")

    assert "as many of these as it may" in main_text(client.get(f"/bookings/{made.reference}/places"))
    assert priced(client, made, CY, ticket_type="trainee").status_code == 422


def test_a_second_change_waits_for_the_first(app: Flask, client: PageClient) -> None:
    made = booked(client, app, a_slug(app))
    add(client, made, CY)

    answer = add(client, made, DI)

    assert answer.status_code == 409
    assert "pay for that one first" in main_text(answer)


def test_a_booking_that_is_not_confirmed_takes_nobody(
    app: Flask, client: PageClient, browser: Callable[[], PageClient]
) -> None:
    made = booked(client, app, a_slug(app))
    with arranged(app):
        booking = lifecycle.locked(db.session.get_one(Booking, made.id).bill_id)
        lifecycle.cancel(booking, booking.attendees, actor="booker", why="", now=now.now())

    assert client.get(f"/bookings/{made.reference}/places").status_code == 409
    assert browser().get(f"/bookings/{made.reference}/places").status_code == 404


def test_the_receipt_sent_again_has_all_that_was_paid(app: Flask, client: PageClient) -> None:
    made = booked(client, app, a_slug(app))
    add(client, made, CY)
    receive(app, made)
    with arranged(app):
        booking = lifecycle.locked(db.session.get_one(Booking, made.id).bill_id)
        corrections.resend_receipt(booking, "Lost", actor="user:1", now=now.now())

    values = [each.values for each in rows(app, Letter) if each.template == "receipt"][-1]
    assert (values["total"], values["lines"][-1]["text"]) == ("£336.00", "Place for Cy Carter")


# With a credit


def with_credit(app: Flask, client: PageClient, clock: Clock, minor: int) -> Made:
    """A booking of somebody whose credit this browser has shown to be theirs."""
    slug = a_slug(app)
    client.get(statement_of(app, a_credit(app, slug, clock, minor)))
    return booked(client, app, slug)


def test_a_credit_that_pays_for_all_of_it_is_taken_and_no_card_is_asked_for(
    app: Flask, client: PageClient, clock: Clock
) -> None:
    made = with_credit(app, client, clock, 16800)
    attempts = len(rows(app, PaymentAttempt))
    assert "Use my credit with Olu Trains: £168.00" in main_text(client.get(f"/bookings/{made.reference}/places"))
    shown = priced(client, made, CY, use_credit="y")
    assert "£168.00 is taken from your credit" in main_text(shown)
    assert credit_left(app, clock) == 16800, "a look at the price spends nothing"

    answer = client.post(f"/bookings/{made.reference}/places", data=form(shown, "/places").values)

    assert answer.status_code == 303
    assert [(each.kind, each.state, each.due_minor) for each in rows(app, Change)] == [("add", "done", 16800)]
    assert [each.state for each in rows(app, Attendee) if each.name == CY[0]] == ["confirmed"]
    assert len(rows(app, PaymentAttempt)) == attempts
    assert credit_left(app, clock) == 0
    with app.app_context():
        found = ledger.of_bill(db.session.get_one(Booking, made.id).bill_id)
        assert (found.owed_minor, found.paid_minor, found.due_minor) == (33600, 33600, 0)
        papers = db.session.scalars(select(Invoice.total_minor).where(Invoice.kind == "receipt")).all()
        assert list(papers)[-1] == 16800
    assert "credit_spent" in {each.verb for each in rows(app, Entry)}
    sound(app)


def test_a_credit_that_is_not_to_pay_stays(app: Flask, client: PageClient, clock: Clock) -> None:
    made = with_credit(app, client, clock, 16800)
    values = form(priced(client, made, CY, use_credit=""), "/places").values
    assert client.post(f"/bookings/{made.reference}/places", data=values).status_code == 303

    assert [(each.kind, each.state) for each in rows(app, Change)] == [("add", "owing")]
    assert credit_left(app, clock) == 16800
    sound(app)


def test_a_credit_that_was_spent_meanwhile_adds_nobody(app: Flask, client: PageClient, clock: Clock) -> None:
    made = with_credit(app, client, clock, 16800)
    values = form(priced(client, made, CY, use_credit="y"), "/places").values
    with arranged(app):
        slug = a_workshop(slug="other").slug
    held(app, replace(a_wish(slug), credit_of=CREDITED))

    answer = client.post(f"/bookings/{made.reference}/places", data=values)

    assert answer.status_code == 409
    assert "today's price has changed" in main_text(answer)
    assert CY[0] not in [each.name for each in rows(app, Attendee)]
    sound(app)


@pytest.mark.parametrize("minor", [16800, 5000])
def test_a_credit_that_is_spent_at_the_same_moment_adds_nobody(
    app: Flask, client: PageClient, clock: Clock, monkeypatch: pytest.MonkeyPatch, minor: int
) -> None:
    made = with_credit(app, client, clock, minor)
    values = form(priced(client, made, CY, use_credit="y"), "/places").values
    monkeypatch.setattr(credits, "_locked", lambda *_asked: [])  # as if another had taken it before the lock

    answer = client.post(f"/bookings/{made.reference}/places", data=values)

    assert answer.status_code == 409
    assert CY[0] not in [each.name for each in rows(app, Attendee)]
    assert rows(app, Change) == []
    sound(app)
