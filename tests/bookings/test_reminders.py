"""Reminders: a week, a day and an hour before, as time goes by; one for a late booker; none too many."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import joinedload

from bookings import reminders
from bookings.models import Attendee, Booking
from courses.models import TicketType, Workshop, WorkshopSession
from history.models import Entry
from lib import clock as product_clock
from lib import db, work, zones
from mail.models import Letter
from meetings import points
from tests.bookings.making import ANN, BOB, a_wish, paid
from tests.builders import a_meeting, a_ticket, a_venue, a_workshop, arranged
from tests.conftest import Clock, Mailbox, at_once
from tests.journeys.steps import parts

pytestmark = pytest.mark.both_databases

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _no_dead_jobs(app: Flask) -> Iterator[None]:
    yield
    with app.app_context():
        assert work.dead_jobs() == []


def a_course_of(app: Flask, *sessions: Any, **columns: Any) -> str:
    with arranged(app):
        workshop = a_workshop(slug="supervision", title="Supervision Skills", sessions=sessions, **columns)
        for session in workshop.sessions:
            points.set_point(session, url="https://zoom.example/j/9", actor="user:1", now=product_clock.now())
        return workshop.slug


def run(app: Flask) -> None:
    """What is due, but no letter is handed over."""
    handlers: Mapping[str, work.Handler] = {
        kind: done for kind, done in app.extensions["handlers"].items() if kind.startswith("bookings.")
    }
    with app.app_context():
        work.run_due(handlers)


def reminded(app: Flask) -> list[tuple[datetime, str]]:
    """When each reminder was posted and to whom, oldest first."""
    with app.app_context():
        rows = db.session.execute(
            select(Letter.posted_at, Letter.to_email).where(Letter.template == "reminder").order_by(Letter.id)
        )
        return [(at, to) for at, to in rows]


def due(app: Flask) -> list[datetime]:
    with app.app_context():
        return list(
            db.session.scalars(
                select(work.Job.due_at).where(work.Job.kind == reminders.REMIND).order_by(work.Job.due_at)
            )
        )


def at_each(app: Flask, clock: Clock, *moments: datetime) -> None:
    for moment in moments:
        clock.set(moment)
        run(app)


def start_of(app: Flask, number: int = 1) -> datetime:
    with app.app_context():
        return db.session.scalars(select(WorkshopSession.starts_at).where(WorkshopSession.number == number)).one()


def test_a_week_a_day_and_an_hour_before_and_not_a_second_sooner(app: Flask, clock: Clock) -> None:
    slug = a_course_of(app, a_meeting(in_days=20))
    paid(app, a_wish(slug))
    starts = start_of(app)
    wanted = [starts - 7 * DAY, starts - DAY, starts - HOUR]
    assert due(app) == wanted

    for moment in wanted:
        before = len(reminded(app))
        at_each(app, clock, moment - timedelta(seconds=1))
        assert len(reminded(app)) == before
        at_each(app, clock, moment)
        assert reminded(app)[-1] == (moment, ANN[1])
    at_each(app, clock, starts, starts + DAY)
    assert [at for at, _ in reminded(app)] == wanted


@pytest.mark.parametrize(
    ("day", "starts", "zone", "expected"),
    [
        # London goes forward on 28 March 2027 at 01:00: the day before is 24 hours before, an hour earlier by the wall.
        ("2027-03-28", "10:00", "Europe/London", ["2027-03-21T09:00", "2027-03-27T09:00", "2027-03-28T08:00"]),
        # New York goes back on 7 November 2027.
        ("2027-11-07", "10:00", "America/New_York", ["2027-10-31T15:00", "2027-11-06T15:00", "2027-11-07T14:00"]),
        ("2027-03-28", "01:30", "America/New_York", ["2027-03-21T05:30", "2027-03-27T05:30", "2027-03-28T04:30"]),
    ],
)
def test_lead_times_are_elapsed_time_across_a_change_of_clocks(
    app: Flask, clock: Clock, day: str, starts: str, zone: str, expected: list[str]
) -> None:
    slug = a_course_of(
        app, a_meeting(day=datetime.fromisoformat(day).date(), starts=starts, ends="16:00", zone=zone), zone=zone
    )
    paid(app, a_wish(slug))

    assert [f"{at:%Y-%m-%dT%H:%M}" for at in due(app)] == expected


@pytest.mark.parametrize(
    ("before", "count"),
    [(8 * DAY, 3), (7 * DAY, 3), (3 * DAY, 3), (DAY, 2), (3 * HOUR, 2), (HOUR, 1), (10 * MINUTE, 1)],
)
def test_a_late_booker_gets_the_latest_missed_at_once(app: Flask, clock: Clock, before: timedelta, count: int) -> None:
    slug = a_course_of(app, a_meeting(in_days=20))
    starts = start_of(app)
    booked = clock.set(starts - before)
    paid(app, a_wish(slug))
    run(app)

    leads = (7 * DAY, DAY, HOUR)
    at_booking = [booked] if before <= 7 * DAY else []
    assert [at for at, _ in reminded(app)] == at_booking
    ahead = [starts - lead for lead in leads if lead < before]
    at_each(app, clock, *ahead)
    assert [at for at, _ in reminded(app)] == at_booking + ahead
    assert len(reminded(app)) == count


def test_the_settings_of_the_workshop_decide(app: Flask, clock: Clock) -> None:
    slug = a_course_of(app, a_meeting(in_days=20), reminders=[15, 3 * 24 * 60, 15, 0, -5])
    paid(app, a_wish(slug))
    starts = start_of(app)
    assert due(app) == [starts - 3 * DAY, starts - 15 * MINUTE]

    with arranged(app):
        db.session.execute(update(Workshop).values(reminders=[2 * 24 * 60, 15]))
        reminders.post_coming(db.session.scalars(select(Workshop.id)).one(), clock.at)
    at_each(app, clock, starts - 3 * DAY, starts - 2 * DAY, starts - 15 * MINUTE)
    assert [at for at, _ in reminded(app)] == [starts - 2 * DAY, starts - 15 * MINUTE]


def test_new_settings_write_to_nobody_at_once(app: Flask, clock: Clock) -> None:
    slug = a_course_of(app, a_meeting(in_days=20), reminders=[])
    paid(app, a_wish(slug))
    starts = start_of(app)
    clock.set(starts - 2 * DAY)
    with arranged(app):
        db.session.execute(update(Workshop).values(reminders=[7 * 24 * 60, 60]))
        reminders.post_coming(db.session.scalars(select(Workshop.id)).one(), clock.at)
    run(app)
    assert reminded(app) == []
    at_each(app, clock, starts - HOUR)
    assert [at for at, _ in reminded(app)] == [starts - HOUR]


def test_each_session_that_the_ticket_admits_to_and_each_person(app: Flask, clock: Clock) -> None:
    slug = a_course_of(app, *(a_meeting(in_days=day) for day in (20, 21, 40)), reminders=[60])
    with arranged(app):
        a_ticket(db.session.scalars(select(Workshop)).one(), code="two", sessions=[1, 3])
    paid(app, a_wish(slug, people=[ANN, BOB], tickets=["standard", "two"]))
    at_each(app, clock, *(start_of(app, number) - HOUR for number in (1, 2, 3)))

    first, second, third = (start_of(app, number) - HOUR for number in (1, 2, 3))
    assert sorted(reminded(app)) == sorted(
        [(first, ANN[1]), (first, BOB[1]), (second, ANN[1]), (third, ANN[1]), (third, BOB[1])]
    )


def cancel(app: Flask) -> None:
    with arranged(app):
        db.session.execute(update(Attendee).values(state="cancelled"))


def call_off(app: Flask) -> None:
    with arranged(app):
        db.session.execute(update(Workshop).values(status="cancelled"))


def move(app: Flask) -> None:
    with arranged(app):
        session = db.session.scalars(select(WorkshopSession)).one()
        session.starts_at += 2 * HOUR
        session.ends_at += 2 * HOUR


def sell_recording(app: Flask) -> None:
    with arranged(app):
        db.session.execute(update(TicketType).values(includes_live=False))


@pytest.mark.parametrize("change", [cancel, call_off, move, sell_recording])
def test_what_has_changed_meanwhile_drops_it(app: Flask, clock: Clock, change: Callable[[Flask], None]) -> None:
    slug = a_course_of(app, a_meeting(in_days=20))
    paid(app, a_wish(slug))
    wanted = due(app)
    change(app)
    at_each(app, clock, *wanted)
    assert reminded(app) == []


def test_a_session_that_moved_has_reminders_of_its_new_start(app: Flask, clock: Clock) -> None:
    slug = a_course_of(app, a_meeting(in_days=20))
    paid(app, a_wish(slug))
    old = start_of(app)
    at_each(app, clock, old - 7 * DAY)
    clock.set(old - 5 * DAY)
    with arranged(app):
        session = db.session.scalars(select(WorkshopSession)).one()
        session.starts_at, session.ends_at = old + 2 * HOUR, session.ends_at + 2 * HOUR
        attendee = db.session.scalars(select(Attendee).options(joinedload(Attendee.workshop))).one()
        for _ in range(2):
            reminders.post_for(attendee, session, clock.at, missed=False)
    new = start_of(app)
    at_each(app, clock, *sorted([old - DAY, new - DAY, old - HOUR, new - HOUR, new]))

    assert [at for at, _ in reminded(app)] == [old - 7 * DAY, new - DAY, new - HOUR]


def test_after_a_long_silence_only_the_latest_goes_and_none_once_it_has_begun(app: Flask, clock: Clock) -> None:
    slug = a_course_of(app, a_meeting(in_days=20), a_meeting(in_days=22))
    paid(app, a_wish(slug))
    at_each(app, clock, start_of(app) - 30 * MINUTE)
    assert len(reminded(app)) == 2  # the hour before the first session, the week before the second
    at_each(app, clock, start_of(app, 2))
    assert len(reminded(app)) == 2


def test_a_job_that_runs_twice_writes_once(app: Flask, clock: Clock) -> None:
    slug = a_course_of(app, a_meeting(in_days=20))
    paid(app, a_wish(slug))
    starts = clock.set(start_of(app) - HOUR) + HOUR

    def remind() -> bool:
        with db.writing():
            return reminders.remind(1, 1, 60, zones.z(starts), clock.now())

    assert sorted(at_once(app, [remind] * 5)) == [False] * 4 + [True]
    assert len(reminded(app)) == 1
    with app.app_context():
        (entry,) = db.session.scalars(select(Entry).where(Entry.verb == reminders.SENT))
        assert entry.facts == {"session": 1, "lead": 60, "starts_at": zones.z(starts)}


def test_the_organiser_hears_a_day_before_that_the_way_in_is_missing(app: Flask, clock: Clock) -> None:
    slug = a_course_of(app, a_meeting(in_days=20))
    with arranged(app):
        points.clear_point(db.session.scalars(select(WorkshopSession)).one(), actor="user:1", now=clock.at)
    paid(app, a_wish(slug, people=[ANN, BOB]))
    starts = start_of(app)

    def notices() -> int:
        with app.app_context():
            return len(db.session.scalars(select(Letter).where(Letter.template == "organiser_notice")).all())

    at_each(app, clock, starts - 7 * DAY)
    assert notices() == 0
    at_each(app, clock, starts - DAY, starts - HOUR)
    assert notices() == 1


def test_the_letter_says_when_on_both_clocks_where_and_what_is_recorded(
    app: Flask, clock: Clock, mailbox: Mailbox
) -> None:
    slug = a_course_of(app, a_meeting(in_days=20, title="Beginnings"), catch_up_note="Practice is not recorded.")
    made = paid(app, a_wish(slug))
    with arranged(app):
        db.session.execute(update(Booking).values(zone="Asia/Kathmandu"))
    with app.app_context():
        work.run_due(app.extensions["handlers"])
        mailbox.clear()
        clock.set(start_of(app) - DAY)
        work.run_due(app.extensions["handlers"])

    letter = next(each for each in mailbox.letters(ANN[1]) if "Mon 22 Mar" in str(each["Subject"]))
    assert letter["Subject"] == "Mon 22 Mar 2027, 15:45 UTC+05:45: Supervision Skills"
    for text in parts(letter).values():
        for expected in (
            "Monday 22 March 2027 in Kathmandu",
            "15:45–21:45 UTC+05:45",
            "Monday 22 March 2027, 10:00–16:00 GMT (London) / 11:00–17:00 CET (Paris) / 06:00–12:00 EDT (New York)",
            "http://localhost/join/1-",
            made.places[0],
            "This session is recorded. Practice is not recorded.",
        ):
            assert expected in " ".join(text.split()), expected
        assert "zoom.example" not in text


def test_in_a_room_it_leads_to_the_place_and_names_the_house(app: Flask, clock: Clock) -> None:
    with arranged(app):
        slug = a_workshop(slug="there", format="room", venue=a_venue(), in_days=20).slug
    made = paid(app, a_wish(slug))
    at_each(app, clock, start_of(app) - DAY)
    with app.app_context():
        (letter,) = db.session.scalars(select(Letter).where(Letter.template == "reminder"))
        assert letter.values["join_url"] is None
        assert letter.values["place_url"] == made.places[0]
        assert letter.values["venue"] == "The Old Library, 4 Mill Lane, Leeds"
        assert db.session.scalars(select(Letter).where(Letter.template == "organiser_notice")).all() == []


def test_letters_of_one_place_leave_in_the_order_they_were_posted(app: Flask, clock: Clock, mailbox: Mailbox) -> None:
    slug = a_course_of(app, a_meeting(in_days=20))
    clock.set(start_of(app) - 3 * HOUR)
    paid(app, a_wish(slug))
    with app.app_context():
        work.run_due(app.extensions["handlers"])

    subjects = [str(each["Subject"]) for each in mailbox.letters(ANN[1])]
    assert [each.partition(":")[0] for each in subjects] == ["Your place", "Mon 22 Mar 2027, 10"]
