"""Letters about somebody's time: a week and a day before it ends, and after a session that they missed."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from bookings import joining
from bookings.models import Attendee, Booking
from courses.models import WorkshopSession
from lib import clock as product_clock
from lib import db, work
from mail import render
from mail.models import Letter
from payments import refunds
from payments.models import Payment
from recordings import missed, window_jobs
from recordings.models import AccessWindow, Recording, Viewing
from tests.bookings.making import ANN, BOB, a_wish, held, paid
from tests.builders import a_meeting, a_ticket, a_workshop, arranged
from tests.conftest import Clock, at_once
from tests.recordings.showing import CLOSES, PUBLISHED, Kept, a_film, a_recorded_workshop, booked, published, withdrawn

pytestmark = pytest.mark.both_databases
WEEK, DAY = "2027-04-06T17:00:00Z", "2027-04-12T17:00:00Z"


def minute(app: Flask) -> None:
    """The work of this minute, twice, as of a worker that died before it said that it was done."""
    with app.app_context():
        for _ in range(2):
            now = product_clock.now()
            window_jobs.remind(work.Task(1, window_jobs.REMIND, "minute", {}, now, 1), now)
        with db.writing():
            cover = select(work.Job).where(work.Job.kind == missed.COVER, work.Job.ended_at.is_(None))
            numbers = [each.arguments["session"] for each in db.session.scalars(cover)]
            for number in numbers * 2:
                missed.cover(number, product_clock.now())


def letters(app: Flask, template: str) -> list[tuple[str, str]]:
    """Whom a letter went to and its subject, in order."""
    with app.app_context():
        wanted = select(Letter).where(Letter.template == template).order_by(Letter.id)
        return [(each.to_email, each.values["subject"]) for each in db.session.scalars(wanted)]


def watch(app: Flask, who: str, ranges: list[list[int]]) -> None:
    with arranged(app):
        own = db.session.scalars(
            select(AccessWindow).join(Attendee, Attendee.id == AccessWindow.attendee_id).where(Attendee.email == who)
        ).one()
        seen = Viewing(organiser_id=own.organiser_id, window_id=own.id, ranges=ranges, last_at=product_clock.now())
        db.session.add(seen)


def test_a_week_before_a_day_before_and_no_more(app: Flask, clock: Clock, kept: Kept) -> None:
    watch(app, ANN[1], [[0, 77]])
    for at, number in (("2027-04-06T16:59:59Z", 0), (WEEK, 2), ("2027-04-10T09:00:00Z", 2), (DAY, 4), (CLOSES, 4)):
        clock.set(at)
        minute(app)
        assert len(letters(app, "recording_closing")) == number, at

    assert [subject.partition(":")[0] for _, subject in letters(app, "recording_closing")] == [
        "7 days left", "7 days left", "Closes tomorrow", "Closes tomorrow",
    ]  # fmt: skip
    with app.app_context():
        first = db.session.scalars(select(Letter).where(Letter.template == "recording_closing")).first()
        assert first is not None
        text = render.parts(first).text
    assert "You have watched 40 per cent." in text
    assert "Watch it until Tuesday 13 April 2027, 18:00 BST (London)." in text


def test_none_to_those_who_finished(app: Flask, clock: Clock, kept: Kept) -> None:
    watch(app, ANN[1], [[0, 183]])  # 95 per cent of 192 seconds
    watch(app, BOB[1], [[0, 182]])
    clock.set(WEEK)
    minute(app)

    assert [who for who, _ in letters(app, "recording_closing")] == [BOB[1]]


def test_where_they_are_tomorrow_may_be_today_and_the_time_is_said_in_both_zones(
    app: Flask, clock: Clock, kept: Kept
) -> None:
    with arranged(app):
        db.session.execute(update(Booking).values(zone="Pacific/Auckland"))
    clock.set("2027-04-12T20:00:00Z")  # the worker was away for three hours; 08:00 on the 13th there
    minute(app)

    with app.app_context():
        values = db.session.scalars(select(Letter.values).where(Letter.template == "recording_closing")).first()
        assert values is not None
    assert values["heading"] == "Closes tomorrow"
    assert values["recordings"][0]["closes_own"] == "Wednesday 14 April 2027, 05:00 NZST (Auckland)"
    assert values["recordings"][0]["closes"] == "Tuesday 13 April 2027, 18:00 BST (London)"


def refund(app: Flask) -> None:
    with arranged(app):
        payment = db.session.scalars(select(Payment)).one()
        assert refunds.refund_rest(payment, reason="asked for", now=product_clock.now())


@pytest.mark.parametrize("why", ["paused", "withdrawn", "cancelled", "refunded"])
def test_none_to_those_who_may_not_watch(app: Flask, clock: Clock, why: str) -> None:
    slug = a_recorded_workshop(app, with_paid=True)
    paid(app, a_wish(slug, ticket="paid"))
    kept = a_film(app, slug)
    clock.set(PUBLISHED)
    published(app, kept)
    if why == "withdrawn":
        withdrawn(app, kept)
    elif why == "refunded":
        refund(app)
    else:
        with arranged(app):
            change: Any = {
                "paused": update(AccessWindow).values(paused_at=product_clock.now()),
                "cancelled": update(Attendee).values(state="cancelled"),
            }[why]
            db.session.execute(change)
    clock.set(WEEK)
    minute(app)

    assert letters(app, "recording_closing") == []


def test_a_short_window_is_not_told_of_twice_in_a_day(app: Flask, clock: Clock) -> None:
    slug = a_recorded_workshop(app, catch_up_days=7)
    booked(app, slug)
    kept = a_film(app, slug)
    clock.set(PUBLISHED)
    published(app, kept)
    for at in (PUBLISHED, "2027-03-17T18:00:00Z", "2027-03-22T18:00:00Z"):
        clock.set(at)
        minute(app)

    assert [subject.partition(":")[0] for _, subject in letters(app, "recording_closing")] == ["Closes tomorrow"]


@pytest.mark.parametrize(("more", "number"), [(timedelta(hours=3), 2), (timedelta(days=8), 3)])
def test_a_window_that_grew_is_told_of_again_only_when_it_grew_by_much(
    app: Flask, clock: Clock, more: timedelta, number: int
) -> None:
    slug = a_recorded_workshop(app)
    booked(app, slug)
    kept = a_film(app, slug)
    clock.set(PUBLISHED)
    published(app, kept)
    clock.set(WEEK)
    minute(app)
    clock.shift(hours=1)
    with arranged(app):
        own = db.session.scalars(select(AccessWindow)).one()
        own.closes_at += more
    for shift in (timedelta(days=7), timedelta(days=1)):
        clock.set(datetime.fromisoformat(CLOSES) + more - shift)
        minute(app)

    assert len(letters(app, "recording_closing")) == number


def test_one_letter_for_all_that_ends_at_once(app: Flask, clock: Clock) -> None:
    slug = a_recorded_workshop(app, sessions=[a_meeting(in_days=7), a_meeting(in_days=8)])
    booked(app, slug)
    films = [a_film(app, slug, number=n) for n in (1, 2)]
    clock.set(PUBLISHED)
    for each in films:
        published(app, each)
    clock.set(WEEK)
    minute(app)

    assert len(letters(app, "recording_closing")) == 1
    with app.app_context():
        values = db.session.scalars(select(Letter.values).where(Letter.template == "recording_closing")).one()
    assert [each["session_words"] for each in values["recordings"]] == ["Session 1 of 2", "Session 2 of 2"]


def test_two_workers_write_one_letter(app: Flask, clock: Clock, kept: Kept) -> None:
    now = clock.set(WEEK)

    def remind() -> None:
        window_jobs.remind(work.Task(1, window_jobs.REMIND, "minute", {}, now, 1), now)

    assert at_once(app, [remind] * 3) == [None] * 3
    assert sorted(who for who, _ in letters(app, "recording_closing")) == [ANN[1], BOB[1]]


# After a session


def test_whoever_missed_the_session_is_covered_within_the_hour(app: Flask, clock: Clock) -> None:
    with arranged(app):
        workshop = a_workshop(price_minor=0, catch_up_offered=True, in_days=7)
        a_ticket(workshop, code="live", prices={"GBP": 0}, includes_recording=False)
        slug, ends_at = workshop.slug, workshop.ends_at
    booked(app, slug, ANN, BOB)
    held(app, a_wish(slug, people=[("Cleo Crane", "cleo@clinic.example")], ticket="live"))
    clock.set(ends_at - timedelta(minutes=1))
    with arranged(app):
        session = db.session.scalars(select(WorkshopSession)).one()
        came = db.session.scalars(select(Attendee).where(Attendee.email == ANN[1])).one()
        joining.note(came, session, product_clock.now())
    for after in (0, 14):
        clock.set(ends_at + timedelta(minutes=after))
        minute(app)
        assert letters(app, "recording_covers") == []
    clock.set(ends_at + timedelta(minutes=15))
    minute(app)
    clock.shift(minutes=20)
    minute(app)

    assert [who for who, _ in letters(app, "recording_covers")] == [BOB[1]]


@pytest.mark.parametrize(
    "settings",
    [{"catch_up_offered": False}, {"format": "room"}, {"is_recorded": False}],
)
def test_nobody_is_covered_by_what_does_not_cover_them(app: Flask, clock: Clock, settings: dict[str, Any]) -> None:
    meeting = a_meeting(in_days=7, is_recorded=settings.get("is_recorded", True))
    slug = a_recorded_workshop(
        app, sessions=[meeting], **{name: each for name, each in settings.items() if name != "is_recorded"}
    )
    booked(app, slug)
    with app.app_context():
        ends_at = db.session.scalars(select(WorkshopSession.ends_at)).one()
    clock.set(ends_at + timedelta(minutes=20))
    minute(app)

    assert letters(app, "recording_covers") == []


def test_it_is_no_news_once_the_recording_is_there_or_half_a_day_later(app: Flask, clock: Clock) -> None:
    slug = a_recorded_workshop(app)
    booked(app, slug)
    with app.app_context():
        ends_at = db.session.scalars(select(WorkshopSession.ends_at)).one()
    clock.set(ends_at + timedelta(hours=13))
    minute(app)
    kept = a_film(app, slug)
    clock.set(ends_at + timedelta(minutes=10))
    published(app, kept)
    clock.shift(minutes=20)
    minute(app)

    assert letters(app, "recording_covers") == []
    with app.app_context():
        assert db.session.get_one(Recording, kept.id).state == "published"
