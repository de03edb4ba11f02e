"""What a page shows before a workshop or a session is cancelled is what is done; and long courses, entry by entry."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from icalendar import Calendar
from sqlalchemy import select, update

from bookings import moving
from bookings.models import Attendee, Booking, SentInvite
from courses import schedule
from courses.models import Workshop, WorkshopSession
from lib import clock as product_clock
from lib import db, work
from mail.models import Letter
from payments import refunds
from payments.models import Payment, Refund
from tests.bookings.making import ANN, BOB, a_wish, held, lapse, paid, receive, state_of
from tests.builders import a_code, a_meeting, a_ticket, a_workshop, arranged

pytestmark = pytest.mark.both_databases
CY = ("Cy Catch", "cy@late.example")
MANY = 14


@dataclass(frozen=True)
class Said:
    """Who is told, whose places end, what goes back: as shown, or as done."""

    told: list[str]
    bookers: list[str]
    entries: int
    ending: list[str]
    unpaid: list[str]
    back: dict[str, int]


@pytest.fixture
def slug(app: Flask) -> str:
    """Two evenings with every kind of booking: paid for both and for one, free, reduced, held, and a recording."""
    with arranged(app):
        workshop = a_workshop(sessions=[a_meeting(in_days=28), a_meeting(in_days=35)], catch_up_offered=True)
        a_ticket(workshop, code="second", prices={"GBP": 5000}, sessions=[2])
        a_ticket(workshop, code="euros", prices={"EUR": 9900}, sessions=[2])
        a_ticket(workshop, code="free", prices={"GBP": 0})
        a_ticket(
            workshop, code="film", kind="catch_up", prices={"GBP": 3000}, pools=[], includes_live=False,
            sold_from=product_clock.now(),
        )  # fmt: skip
        a_code(code="HALF", percent=50)
        slug = workshop.slug
    paid(app, a_wish(slug, people=(ANN, BOB), tickets=("standard", "second")))
    paid(app, a_wish(slug, people=(ANN,), ticket="second", code="HALF", booker=("Dee", "dee@clinic.example")))
    paid(app, a_wish(slug, people=(BOB,), ticket="euros", currency="EUR", booker=("Eve", "eve@clinic.example")))
    paid(app, a_wish(slug, people=(CY,), ticket="free", booker=CY))
    paid(app, a_wish(slug, people=(CY,), ticket="film", booker=("Fay", "fay@clinic.example")))
    held(app, a_wish(slug, people=(ANN, BOB), tickets=("standard", "second"), booker=("Gil", "gil@clinic.example")))
    held(app, a_wish(slug, people=(ANN,), booker=("Hal", "hal@clinic.example")))
    return slug


def session_of(workshop: Workshop, number: int | None) -> WorkshopSession | None:
    return workshop.sessions[number - 1] if number else None


def shown(app: Flask, number: int | None) -> Said:
    with app.app_context():
        workshop = db.session.scalars(select(Workshop)).one()
        plan = moving.plan_cancel(workshop, session_of(workshop, number))
        return Said(
            sorted(f"attendee:{each.id} {each.email}" for each in plan.told),
            sorted(each.booker_email for each in plan.bookers),
            plan.entries,
            sorted(f"attendee:{each.id}" for each in plan.ending),
            sorted(each.reference for each in plan.unpaid),
            {each.booking.reference: each.minor for each in plan.back},
        )


def cancel(app: Flask, number: int | None) -> None:
    with app.app_context(), db.writing():
        workshop = db.session.scalars(select(Workshop)).one()
        now = product_clock.now()
        if session := session_of(workshop, number):
            moving.cancel_session(session, "Too few came.", actor="user:1", now=now)
        else:
            moving.cancel_workshop(workshop, "Too few came.", actor="user:1", now=now)


def done(app: Flask, number: int | None) -> Said:
    """Cancel it, and read from the rows what came of it."""
    with app.app_context():
        before = {each.id: each.state for each in db.session.scalars(select(Attendee))}
        bookings = {each.id: each.state for each in db.session.scalars(select(Booking))}
        last = max(db.session.scalars(select(Letter.id)))
        sent_back = set(db.session.scalars(select(Refund.id)))
    cancel(app, number)
    with app.app_context():
        letters = list(db.session.scalars(select(Letter).where(Letter.id > last)))
        gone = [each for each in db.session.scalars(select(Attendee)) if before[each.id] != each.state == "cancelled"]
        ended = [each for each in db.session.scalars(select(Booking)) if bookings[each.id] != each.state]
        rows = db.session.execute(
            select(Booking.reference, Refund.id, Refund.amount_minor)
            .join(Payment, Payment.bill_id == Booking.bill_id)
            .join(Refund, Refund.payment_id == Payment.id)
        )
        return Said(
            sorted(f"{each.about} {each.to_email}" for each in letters if each.template == "workshop_cancelled"),
            sorted(each.to_email for each in letters if each.about.startswith("booking:")),
            sum(each.method == "CANCEL" for each in letters),
            sorted(f"attendee:{each.id}" for each in gone),
            sorted(each.reference for each in ended if bookings[each.id] == "held"),
            {reference: minor for reference, refund, minor in rows if refund not in sent_back},
        )


@pytest.mark.parametrize("number", [None, 1, 2])
def test_what_is_shown_is_what_is_done(app: Flask, slug: str, number: int | None) -> None:
    before = shown(app, number)
    assert before.told
    assert before.entries
    assert done(app, number) == before


def test_what_is_shown_holds_after_one_evening_was_cancelled_too(app: Flask, slug: str) -> None:
    cancel(app, 2)
    before = shown(app, None)
    assert before.back
    assert done(app, None) == before


def test_what_went_back_before_does_not_go_back_again(app: Flask, slug: str) -> None:
    with app.app_context(), db.writing():
        payment = db.session.scalars(select(Payment).order_by(Payment.id)).first()
        assert payment
        (refund,) = refunds.ask(payment.bill_id, 10_000, source="organiser", reason="", now=product_clock.now())
        assert refund.payment_id == payment.id
    before = shown(app, None)
    assert done(app, None) == before
    with app.app_context():
        sums = Counter[int]()
        for refund in db.session.scalars(select(Refund)):
            sums[refund.payment_id] += refund.amount_minor
        assert sums == {each.id: each.amount_minor for each in db.session.scalars(select(Payment))}


@pytest.mark.parametrize("has_lapsed", [True, False])
def test_money_for_what_was_cancelled_goes_back_and_gives_no_place(app: Flask, has_lapsed: bool) -> None:
    """A hold that had run out is no part of the cancelling: its payment may still be under way."""
    with arranged(app):
        slug = a_workshop().slug
    made = held(app, a_wish(slug))
    if has_lapsed:
        lapse(app, made)
    with app.app_context(), db.writing():
        workshop = db.session.scalars(select(Workshop)).one()
        moving.cancel_workshop(workshop, "Ill.", actor="user:1", now=product_clock.now())

    receive(app, made)

    assert state_of(app, made) == ("lapsed" if has_lapsed else "cancelled")
    with app.app_context():
        assert [(each.amount_minor, each.state) for each in db.session.scalars(select(Refund))] == [(16800, "waiting")]
        assert db.session.scalars(select(Letter.id).where(Letter.template.in_(("confirmed", "receipt")))).all() == []


# Courses with more sessions than invites are sent for


@pytest.fixture
def long_course(app: Flask) -> str:
    with arranged(app):
        slug = a_workshop(sessions=[a_meeting(in_days=28 + 7 * n) for n in range(MANY)]).slug
    paid(app, a_wish(slug))
    return slug


def entries(app: Flask, method: str) -> list[Any]:
    """The entries of the letters with that method to Ann, in order of posting; never two in one message."""
    with app.app_context():
        wanted = select(Letter).where(Letter.method == method, Letter.to_email == ANN[1]).order_by(Letter.id)
        found = [Calendar.from_ical(each.calendar or "").walk("VEVENT") for each in db.session.scalars(wanted)]
    assert all(len(each) == 1 for each in found)
    return [each[0] for each in found]


def uids(app: Flask) -> dict[str, int]:
    with app.app_context():
        return {each.uid: each.sequence for each in db.session.scalars(select(SentInvite))}


def test_a_long_course_is_sent_as_one_invite_and_a_file_of_all(app: Flask, long_course: str) -> None:
    (first,) = entries(app, "REQUEST")
    with app.app_context():
        letter = db.session.scalars(select(Letter).where(Letter.template == "confirmed")).one()
        kept: Any = Calendar.from_ical(letter.files[0]["text"])
    assert kept["METHOD"] == "PUBLISH"
    assert {str(each["UID"]) for each in kept.walk("VEVENT")} == set(uids(app))
    assert str(first["UID"]) in uids(app)
    assert len(uids(app)) == MANY


def test_every_entry_of_a_long_course_is_withdrawn_by_itself(app: Flask, long_course: str) -> None:
    assert done(app, None).entries == MANY
    gone = entries(app, "CANCEL")
    assert {str(each["UID"]): int(each["SEQUENCE"]) for each in gone} == uids(app)
    assert set(uids(app).values()) == {1}
    with app.app_context():
        assert all(db.session.scalars(select(SentInvite.is_withdrawn)))
        assert work.dead_jobs() == []


def test_a_session_of_a_long_course_is_moved_and_cancelled_by_itself(app: Flask, long_course: str) -> None:
    with app.app_context(), db.writing():
        session = db.session.scalars(select(WorkshopSession).where(WorkshopSession.number == MANY)).one()
        later = schedule.Meeting(session.wall_start, session.wall_end.replace(hour=17), session.zone)
        moving.move(session, later, actor="user:1", now=product_clock.now())
        uid = db.session.scalar(select(SentInvite.uid).where(SentInvite.session_id == session.id))
    moved = entries(app, "REQUEST")[-1]
    assert (str(moved["UID"]), int(moved["SEQUENCE"])) == (uid, 1)
    assert done(app, MANY).entries == 1
    (gone,) = entries(app, "CANCEL")
    assert (str(gone["UID"]), int(gone["SEQUENCE"])) == (uid, 2)
    # Thirteen are left, and of those too each is taken out, once.
    assert done(app, None).entries == MANY - 1
    assert len({str(each["UID"]) for each in entries(app, "CANCEL")}) == MANY


def test_an_attendee_without_an_entry_is_told_all_the_same(app: Flask, long_course: str) -> None:
    """Entries that were withdrawn before, by whatever way, leave the letter its words."""
    with app.app_context(), db.writing():
        db.session.execute(update(SentInvite).values(is_withdrawn=True))
    before = shown(app, None)
    assert (len(before.told), before.entries) == (1, 0)
    assert done(app, None) == before
