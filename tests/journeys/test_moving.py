"""A session moved, a session or a workshop cancelled, as calendars, bookers and Stripe learn of it."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bookings import moving
from bookings.models import Attendee, Booking, Redemption, SentInvite
from courses import schedule
from courses.models import Place, TicketType, Workshop, WorkshopSession
from courses.schedule import Meeting
from lib import db
from mail.models import Letter
from payments.models import PaymentAttempt, Refund
from tests.builders import a_code, a_meeting, a_ticket, a_workshop, arranged
from tests.conftest import Person
from tests.journeys.steps import COMPLETED, Visitor, Walk, calendars, events, lines, parts

pytestmark = pytest.mark.both_databases


@pytest.fixture
def slug(walk: Walk) -> str:
    with arranged(walk.app):
        return a_workshop(in_days=28).slug


def booked(walk: Walk, visitor: Visitor, slug: str, booker: Person, *attending: Person, **changes: str | bool) -> str:
    walk.stripe.pay(visitor.book(slug, booker, *attending, **changes))
    assert walk.ring(COMPLETED) == 204
    return walk.reference()


def shifted(walk: Walk, number: int = 1, **by: float) -> int:
    """Move a session of the only workshop; how many were told."""
    with walk.app.app_context(), db.writing():
        session = db.session.scalars(select(WorkshopSession).where(WorkshopSession.number == number)).one()
        meeting = Meeting(
            session.wall_start + timedelta(**by), session.wall_end + timedelta(**by), session.zone, session.title
        )
        return len(moving.move(session, meeting, actor="user:1", now=walk.clock.now()))


def cancelled(walk: Walk, number: int | None = None, why: str = "Dr Marsh is ill.") -> None:
    with walk.app.app_context(), db.writing():
        workshop = db.session.scalars(select(Workshop)).one()
        if number is None:
            moving.cancel_workshop(workshop, why, actor="user:1", now=walk.clock.now())
        else:
            session = next(each for each in workshop.sessions if each.number == number)
            moving.cancel_session(session, why, actor="user:1", now=walk.clock.now())


def entry(letter: Any) -> Any:
    (found,) = events(calendars(letter)[""])
    return found


def test_ics_04_a_move_replaces_the_entry(walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person) -> None:
    booked(walk, visitor, slug, bea, ann)
    first = entry(walk.letters(ann.email)[0])
    for number in (1, 2):
        walk.clock.shift(days=1)
        assert shifted(walk, days=2, hours=-1) == 1
        letter = walk.letters(ann.email)[-1]
        moved = entry(letter)
        assert str(letter["Subject"]).startswith("Another time: Reflective Practice")
        assert (str(moved["UID"]), int(moved["SEQUENCE"])) == (str(first["UID"]), number)
        assert moved["DTSTAMP"].dt == walk.clock.now()
        assert moved["DTSTART"].dt == first["DTSTART"].dt + number * timedelta(days=2, hours=-1)
        said = lines(calendars(letter)[""])
        assert {"METHOD:REQUEST", "STATUS:CONFIRMED"} <= set(said)
        assert any(each.startswith("ATTENDEE") and each.endswith(f"mailto:{ann.email}") for each in said)
    assert len(walk.letters(ann.email)) == 3
    assert len(walk.letters(bea.email)) == 1  # the receipt: whoever only paid is not in the room


def test_tz_03_the_same_time_again_tells_nobody(walk: Walk, visitor: Visitor, slug: str, bea: Person) -> None:
    booked(walk, visitor, slug, bea, bea)
    before = len(walk.letters())
    assert shifted(walk) == 0
    assert len(walk.letters()) == before
    assert [each.sequence for each in walk.rows(SentInvite)] == [0]


def test_who_pays_after_a_move_gets_the_new_time(walk: Walk, visitor: Visitor, slug: str, bea: Person) -> None:
    url = visitor.book(slug, bea, bea)
    assert shifted(walk, days=1) == 0
    walk.stripe.pay(url)
    walk.ring(COMPLETED)
    invite = walk.one(SentInvite)
    session = walk.one(WorkshopSession)
    assert (invite.sequence, invite.starts_at) == (0, session.starts_at)


def test_ics_05_and_adm_01_a_workshop_is_cancelled(
    walk: Walk, visitor: Visitor, slug: str, bea: Person, ann: Person, bob: Person
) -> None:
    with arranged(walk.app):
        a_code(code="ONCE", percent=50, uses_total=1)
    reference = booked(walk, visitor, slug, bea, ann, bob, discount_code="ONCE")
    shifted(walk, days=1)
    shifted(walk, days=1)
    with walk.app.app_context():
        plan = moving.plan_cancel(db.session.scalars(select(Workshop)).one())
        assert ([each.name for each in plan.told], plan.totals) == ([ann.name, bob.name], ["£168.00"])
    walk.clock.shift(days=1)
    at = walk.clock.now()
    cancelled(walk)
    for person in (ann, bob):
        letter = walk.letters(person.email)[-1]
        gone = entry(letter)
        said = lines(calendars(letter)[""])
        assert {"METHOD:CANCEL", "STATUS:CANCELLED", "SEQUENCE:3"} <= set(said)
        assert gone["DTSTAMP"].dt == at
        assert str(gone["UID"]) == str(entry(walk.letters(person.email)[0])["UID"])
        assert any(each.startswith("ORGANIZER") for each in said)
        assert any(each.startswith("ATTENDEE") and each.endswith(f"mailto:{person.email}") for each in said)
        part = next(each for each in letter.walk() if each.get_content_type() == "text/calendar")
        assert (part.get_param("method"), part.get_param("charset")) == ("CANCEL", "utf-8")
        assert "£" not in parts(letter)["text/plain"]
    (told,) = [each for each in walk.letters(bea.email) if "is cancelled" in str(each["Subject"])]
    assert "£168.00 goes back the way you paid" in parts(told)["text/plain"]
    assert "Dr Marsh is ill." in parts(told)["text/plain"]
    refund = walk.one(Refund)
    assert (refund.state, refund.source, refund.amount_minor) == ("succeeded", "organiser", 16800)
    assert {each.state for each in walk.rows(Place)} == {"released"}
    assert {each.state for each in walk.rows(Attendee)} == {"cancelled"}
    assert [each.state for each in walk.rows(Redemption)] == ["released"]
    assert visitor.state(reference) == "cancelled"
    assert visitor.page(reference).status_code == 200
    assert "ancelled" in visitor.client.get(f"/workshops/{slug}").get_data(as_text=True)
    assert walk.ring(COMPLETED) == 204  # a late webhook changes nothing
    cancelled(walk)  # and cancelling again neither
    assert len(walk.rows(Refund)) == 1


def test_a_payment_under_way_when_it_is_cancelled_comes_back(
    walk: Walk, visitor: Visitor, slug: str, bea: Person
) -> None:
    url = visitor.book(slug, bea, bea)
    reference = walk.reference()
    walk.stripe.pay(url)  # paid at Stripe, and nobody has told us yet
    cancelled(walk)
    assert visitor.state(reference) == "cancelled"
    assert walk.ring(COMPLETED) == 204
    walk.work()
    refund = walk.one(Refund)
    assert (refund.state, refund.amount_minor) == ("succeeded", 16800)
    assert visitor.state(reference) == "cancelled"
    assert walk.rows(SentInvite) == []


def test_an_unpaid_page_is_closed(walk: Walk, visitor: Visitor, slug: str, bea: Person) -> None:
    visitor.book(slug, bea, bea)
    cancelled(walk)
    letters = walk.letters(bea.email)
    assert [each.state for each in walk.rows(PaymentAttempt)] == ["expired"]
    assert "You owe nothing." in parts(letters[-1])["text/plain"]


def test_money_for_a_lapsed_booking_of_a_cancelled_workshop_comes_back(
    walk: Walk, visitor: Visitor, slug: str, bea: Person
) -> None:
    url = visitor.book(slug, bea, bea)
    walk.clock.shift(minutes=30)
    walk.stripe.pay(url)
    walk.clock.shift(minutes=7)
    cancelled(walk)
    assert walk.ring(COMPLETED) == 204
    walk.work()
    assert walk.one(Refund).state == "succeeded"
    assert {each.state for each in walk.rows(Place)} == {"released"}


def test_one_evening_of_two_is_cancelled(walk: Walk, visitor: Visitor, bea: Person, ann: Person, bob: Person) -> None:
    with arranged(walk.app):
        workshop = a_workshop(sessions=[a_meeting(in_days=28), a_meeting(in_days=35)])
        a_ticket(workshop, code="second-evening", prices={"GBP": 5000}, sessions=[2])
        slug = workshop.slug
    both = {"attendee-0-ticket": "standard", "attendee-1-ticket": "second-evening"}
    reference = booked(walk, visitor, slug, bea, ann, bob, **both)
    cancelled(walk, number=2)
    assert [(each.name, each.state) for each in walk.rows(Attendee)] == [
        (ann.name, "confirmed"),
        (bob.name, "cancelled"),
    ]
    assert visitor.state(reference) == "confirmed"
    walk.work()
    refund = walk.one(Refund)
    assert (refund.state, refund.amount_minor) == ("succeeded", 5000)
    assert "Your place in the other sessions stays" in parts(walk.letters(ann.email)[-1])["text/plain"]
    assert "Your place has ended" in parts(walk.letters(bob.email)[-1])["text/plain"]
    assert [(each.is_withdrawn, each.sequence) for each in walk.rows(SentInvite)] == [(False, 0), (True, 1), (True, 1)]
    assert walk.one(TicketType, TicketType.code == "second-evening").is_hidden
    told = visitor.client.get("/workshops.json").get_json()["workshops"][0]
    assert len(told["sessions"]) == 1


def test_every_session_of_a_course_is_withdrawn_by_itself(
    walk: Walk, visitor: Visitor, bea: Person, ann: Person
) -> None:
    with arranged(walk.app):
        slug = a_workshop(sessions=[a_meeting(in_days=28 + 7 * n) for n in range(3)]).slug
    booked(walk, visitor, slug, bea, ann)
    before = len(walk.letters(ann.email))
    cancelled(walk)
    gone = walk.letters(ann.email)[before:]
    assert len({str(entry(each)["UID"]) for each in gone}) == 3
    assert len({str(entry(each)["DTSTART"].dt) for each in gone}) == 3
    assert [each.template for each in walk.rows(Letter, Letter.method == "CANCEL")] == [
        "workshop_cancelled",
        "session_cancelled",
        "session_cancelled",
    ]
    assert walk.one(Booking).state == "cancelled"


def test_a_further_session_is_told_to_those_it_is_for(
    walk: Walk, visitor: Visitor, bea: Person, ann: Person, bob: Person
) -> None:
    with arranged(walk.app):
        workshop = a_workshop(sessions=[a_meeting(in_days=28)])
        a_ticket(workshop, code="first-evening", prices={"GBP": 5000}, sessions=[1])
        slug = workshop.slug
    both = {"attendee-0-ticket": "standard", "attendee-1-ticket": "first-evening"}
    booked(walk, visitor, slug, bea, ann, bob, **both)
    with walk.app.app_context(), db.writing():
        found = schedule.lock(walk.one(Workshop).id)
        session = schedule.add(found, a_meeting(in_days=35))
        schedule.settle(found)
        told = moving.added(session, now=walk.clock.now())
        assert [each.name for each in told] == [ann.name]
    letter = walk.letters(ann.email)[-1]
    assert str(letter["Subject"]).startswith("A further session: Reflective Practice")
    assert int(entry(letter)["SEQUENCE"]) == 0
    assert len(walk.rows(SentInvite)) == 3
