"""Money that hangs on a place being sold again: at once and once when it is, nothing when it is not by the start."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from bookings import audit, jobs, moving, waiting_jobs
from bookings.models import Booking, Change
from courses import schedule
from courses.models import WorkshopSession
from history.models import Entry
from lib import clock as clocks
from lib import db, work
from mail.models import Letter
from payments import ledger
from payments.models import Refund
from policies import versions
from tests.bookings.making import ANN, BOB, Made, a_wish, lapse, paid
from tests.bookings.waiting_people import book, give_up, receive_of, sold, waits
from tests.builders import a_ticket, a_workshop, an_organiser, arranged
from tests.conftest import Clock, Person
from tests.organisers.conftest import DESK, signed_in
from tests.page import PageClient, form, main_text

pytestmark = pytest.mark.both_databases
POLICY = {
    "currency": "GBP",
    "tz": "Europe/London",
    "anchor": "event_start",
    "rules": [
        {"action": "cancel", "if": {"notice": ">30d"}, "refund_pct": 75},
        {"action": "cancel", "if": {"seat_resold": True}, "refund_pct": 75},
        {"action": "cancel", "refund_pct": 0},
    ],
}
NOTHING, BACK = "The place was not sold again", "The place was sold again"


def a_workshop_with_the_policy(app: Flask, *, capacity: int = 2, limited_to: int = 0) -> str:
    with arranged(app):
        owner = an_organiser()
        versions.write(owner.id, "Ours", POLICY, actor="user:1", now=clocks.now())
        workshop = a_workshop(capacity=capacity)
        if limited_to:
            a_ticket(workshop, code="student", prices={"GBP": 8000}, limited_to=limited_to)
        return workshop.slug


def cancel(app: Flask, client: PageClient, made: Made, n: int | None = None) -> None:
    """The booker gives a place up on their own page, as the quote there says."""
    client.get(made.url)
    page = f"/bookings/{made.reference}/cancellation" + ("" if n is None else f"?attendee={n}")
    found = form(client.get(page), "/cancellation#quote")
    assert client.post(page.partition("?")[0], data=found.values).status_code == 303


def work_off(app: Flask) -> None:
    with app.app_context():
        work.run_due({**waiting_jobs.HANDLERS, **jobs.HANDLERS})


def refunds(app: Flask) -> list[int]:
    with app.app_context():
        return list(db.session.scalars(select(Refund.amount_minor).order_by(Refund.id)))


def pending(app: Flask) -> list[str]:
    with app.app_context():
        return list(db.session.scalars(select(Change.state).order_by(Change.id)))


def told(app: Flask, heading: str) -> int:
    with app.app_context():
        found = db.session.scalars(select(Letter.values).where(Letter.template == "booking_changed"))
        return sum(heading in str(each.get("heading", each.get("subject", ""))) for each in found)


def sound(app: Flask) -> None:
    with app.app_context():
        assert audit.faults(clocks.now()) == []
        for bill_id in db.session.scalars(select(Booking.bill_id)):
            assert ledger.of_bill(bill_id).due_minor == 0


def test_sold_again_it_goes_back_at_once_and_once(app: Flask, client: PageClient, clock: Clock) -> None:
    slug = a_workshop_with_the_policy(app, capacity=1)
    made = paid(app, a_wish(slug))
    cancel(app, client, made)
    assert (refunds(app), pending(app)) == ([], ["pending"])
    work_off(app)
    assert refunds(app) == []
    sold(app, slug)
    work_off(app)
    assert (refunds(app), pending(app)) == ([12600], ["done"])
    assert (told(app, BACK), told(app, NOTHING)) == (1, 0)
    clock.shift(days=29)
    work_off(app)
    assert refunds(app) == [12600]
    assert (told(app, BACK), told(app, NOTHING)) == (1, 0)
    sound(app)


def test_not_sold_again_nothing_goes_back_and_a_letter_says_so(app: Flask, client: PageClient, clock: Clock) -> None:
    slug = a_workshop_with_the_policy(app)
    made = paid(app, a_wish(slug))
    cancel(app, client, made)
    sold(app, slug)  # there is another place, which nobody had yet
    clock.set("2027-03-30T08:59:59Z")
    work_off(app)
    assert (refunds(app), pending(app), told(app, NOTHING)) == ([], ["pending"], 0)
    clock.shift(seconds=1)
    work_off(app)
    work_off(app)
    assert (refunds(app), pending(app), told(app, NOTHING)) == ([], ["done"], 1)
    sound(app)


def test_a_workshop_moved_later_waits_on(app: Flask, client: PageClient, clock: Clock) -> None:
    slug = a_workshop_with_the_policy(app, capacity=1)
    made = paid(app, a_wish(slug))
    cancel(app, client, made)
    with app.app_context(), db.writing():
        session = db.session.scalars(select(WorkshopSession)).one()
        later = timedelta(days=7)
        meeting = schedule.Meeting(session.wall_start + later, session.wall_end + later, session.zone)
        moving.move(session, meeting, actor="user:1", now=clocks.now())
    clock.set("2027-03-30T09:00:00Z")
    work_off(app)
    assert (pending(app), told(app, NOTHING)) == (["pending"], 0)
    assert "Tuesday 6 April 2027, 10:00 BST (London) at the latest" in main_text(client.get(made.url))
    sold(app, slug)
    work_off(app)
    assert (refunds(app), pending(app)) == ([12600], ["done"])
    sound(app)


def test_moved_later_and_not_sold_it_ends_at_the_new_start(app: Flask, client: PageClient, clock: Clock) -> None:
    slug = a_workshop_with_the_policy(app, capacity=1)
    cancel(app, client, paid(app, a_wish(slug)))
    with app.app_context(), db.writing():
        session = db.session.scalars(select(WorkshopSession)).one()
        later = timedelta(days=7)
        meeting = schedule.Meeting(session.wall_start + later, session.wall_end + later, session.zone)
        moving.move(session, meeting, actor="user:1", now=clocks.now())
    for day, state in (("2027-03-30", "pending"), ("2027-04-06", "done")):
        clock.set(f"{day}T09:00:00Z")
        work_off(app)
        assert pending(app) == [state]
    assert (refunds(app), told(app, NOTHING)) == ([], 1)


def test_who_waited_and_pays_makes_it_good(app: Flask, client: PageClient) -> None:
    """An offer and a hold are no sale yet; the money is."""
    slug = a_workshop_with_the_policy(app, capacity=1)
    made = paid(app, a_wish(slug))
    first = waits(app, slug, "first")
    cancel(app, client, made)
    work_off(app)
    reference = book(app, first)
    work_off(app)
    assert pending(app) == ["pending"]
    receive_of(app, reference)
    work_off(app)
    assert (refunds(app), pending(app)) == ([12600], ["done"])
    sound(app)


def test_of_two_given_up_the_first_is_made_good_first(app: Flask, client: PageClient, clock: Clock) -> None:
    slug = a_workshop_with_the_policy(app, capacity=2)
    made = paid(app, a_wish(slug, people=[ANN, BOB]))
    cancel(app, client, made, n=1)
    clock.shift(hours=1)
    cancel(app, client, made)
    assert pending(app) == ["pending", "pending"]
    sold(app, slug, "one")
    work_off(app)
    with app.app_context():
        rows = db.session.execute(select(Change.attendee_id, Change.state).order_by(Change.id)).all()
        entries = db.session.scalars(select(Entry.facts).where(Entry.verb == "refund_begun")).all()
    assert [state for _, state in rows] == ["done", "pending"]
    assert len(entries) == 1
    sold(app, slug, "two")
    work_off(app)
    assert (refunds(app), pending(app)) == ([12600, 12600], ["done", "done"])
    sound(app)


def test_a_buyer_who_does_not_pay_makes_nothing_good(app: Flask, client: PageClient, clock: Clock) -> None:
    from_list = a_workshop_with_the_policy(app, capacity=1)
    made = paid(app, a_wish(from_list))
    cancel(app, client, made)
    unpaid = waits(app, from_list, "first")
    work_off(app)
    reference = book(app, unpaid)
    with app.app_context():
        number = db.session.scalars(select(Booking.id).where(Booking.reference == reference)).one()
    clock.shift(minutes=37)
    lapse(app, Made(number, reference, "", ()))
    work_off(app)
    assert (refunds(app), pending(app)) == ([], ["pending"])


def test_a_student_s_place_is_made_good_at_the_full_price(app: Flask, client: PageClient) -> None:
    slug = a_workshop_with_the_policy(app, capacity=1, limited_to=1)
    made = sold(app, slug, "student", ticket="student")
    cancel(app, client, made)
    sold(app, slug, "other")
    work_off(app)
    assert (refunds(app), pending(app)) == ([6000], ["done"])
    sound(app)


def test_a_place_sold_again_and_given_up_again_is_made_good_once_for_each(app: Flask, client: PageClient) -> None:
    slug = a_workshop_with_the_policy(app, capacity=1)
    first = paid(app, a_wish(slug))
    cancel(app, client, first)
    second = sold(app, slug, "two")
    work_off(app)
    assert refunds(app) == [12600]
    give_up(app, second)
    sold(app, slug, "three")
    work_off(app)
    assert refunds(app) == [12600]
    sound(app)


def test_both_sides_see_that_it_waits(
    app: Flask, client: PageClient, browser: Callable[[], PageClient], olu: Person
) -> None:
    slug = a_workshop_with_the_policy(app, capacity=1)
    owner = signed_in(app, browser(), olu)
    made = paid(app, a_wish(slug))
    cancel(app, client, made)
    hers = main_text(client.get(made.url))
    assert "If somebody else takes the place that Ann Attwood gave up, £126.00 comes back." in hers
    assert "decided on Tuesday 30 March 2027, 10:00 BST (London) at the latest" in hers
    theirs = main_text(owner.get(f"{DESK}/bookings/{made.reference}"))
    assert "Ann Attwood gave up the place and waits for it to be sold again: then £126.00 goes back." in theirs
    sold(app, slug)
    work_off(app)
    for page in (client.get(made.url), owner.get(f"{DESK}/bookings/{made.reference}")):
        assert "again: then" not in main_text(page)
        assert "Waiting for the place" not in main_text(page)
