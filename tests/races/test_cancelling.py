"""A workshop or a session cancelled or moved while somebody else cancels, moves, books or pays: on both databases, in
either order. Each person is told once, each payment goes back once, and nobody is left with a place or a time that is
no longer so."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from icalendar import Calendar
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from bookings import checkout, closed, comping, lifecycle, moving
from bookings.models import Attendee, Booking, SentInvite
from courses import editing, schedule
from courses.models import Workshop, WorkshopSession
from history.models import Entry
from lib import clock as product_clock
from lib import db, work
from mail.models import Letter
from payments.models import Refund
from tests.bookings.making import Made, a_wish, held, paid, receive
from tests.builders import a_meeting, a_workshop, an_organiser, arranged
from tests.races import racing

pytestmark = pytest.mark.both_databases
Deed = Callable[[], Any]
WHY = "The presenter is ill."


@dataclass
class Scene:
    """A workshop of three sessions, and what can happen to it."""

    app: Flask
    slug: str

    def cancel(self) -> None:
        with self.app.app_context(), db.writing():
            workshop = db.session.scalars(select(Workshop)).one()
            moving.cancel_workshop(workshop, WHY, actor="user:1", now=product_clock.now())

    def cancel_second(self) -> None:
        with self.app.app_context(), db.writing():
            moving.cancel_session(self._second(), WHY, actor="user:1", now=product_clock.now())

    def move_second(self, hours: int = 1) -> int:
        """An hour later; how many were told."""
        with self.app.app_context(), db.writing():
            session = self._second()
            later = timedelta(hours=hours)
            meeting = schedule.Meeting(session.wall_start + later, session.wall_end + later, session.zone)
            return len(moving.move(session, meeting, actor="user:1", now=product_clock.now()))

    def move_second_more(self) -> int:
        return self.move_second(2)

    def pay(self, made: Made) -> Deed:
        return lambda: receive(self.app, made)

    def hold(self) -> Made:
        return held(self.app, a_wish(self.slug))

    def give(self) -> str:
        """A free place: confirmed in the transaction that claims it."""
        with self.app.app_context():
            organiser_id = an_organiser().id
            db.session.rollback()
            with db.writing():
                gift = comping.Gift(self.slug, "standard", "Gus Given", "gus@clinic.example", "He speaks")
                return comping.give(organiser_id, gift, actor="user:1", now=product_clock.now()).reference

    def _second(self) -> WorkshopSession:
        return db.session.scalars(select(WorkshopSession).order_by(WorkshopSession.id).offset(1).limit(1)).one()

    # What is left

    def letters(self) -> Counter[tuple[str, str]]:
        """How many letters of each kind each address got."""
        with self.app.app_context():
            return Counter((each.template, each.to_email) for each in db.session.scalars(select(Letter)))

    def refunds(self) -> list[int]:
        with self.app.app_context():
            return list(db.session.scalars(select(Refund.amount_minor).where(Refund.state != "failed")))

    def states(self) -> list[str]:
        with self.app.app_context():
            return list(db.session.scalars(select(Booking.state).order_by(Booking.id)))

    def verbs(self) -> Counter[str]:
        with self.app.app_context():
            return Counter(db.session.scalars(select(Entry.verb)))

    def wrong_times(self) -> list[str]:
        """Calendars of those who come that do not show, once all letters are in, what is so."""
        found = []
        with self.app.app_context():
            for attendee in db.session.scalars(select(Attendee).where(Attendee.state == "confirmed")):
                shown = self._calendar(attendee)
                for session in db.session.scalars(select(WorkshopSession)):
                    here = shown.get(self._uid(attendee, session))
                    starts_at, is_off = here or (None, True)
                    is_there = not is_off
                    if is_there != (session.cancelled_at is None) or (is_there and starts_at != session.starts_at):
                        found.append(f"{attendee.name}, session {session.id}: {starts_at} is {session.starts_at}")
        return found

    def _uid(self, attendee: Attendee, session: WorkshopSession) -> str:
        wanted = (SentInvite.attendee_id == attendee.id) & (SentInvite.session_id == session.id)
        return db.session.scalar(select(SentInvite.uid).where(wanted)) or ""

    def _calendar(self, attendee: Attendee) -> dict[str, tuple[datetime, bool]]:
        """Start and whether cancelled, by UID, of the highest SEQUENCE that was sent; no SEQUENCE says two things."""
        best: dict[str, tuple[int, datetime, bool]] = {}
        about = f"attendee:{attendee.id}"
        for letter in db.session.scalars(select(Letter).where(Letter.about == about, Letter.calendar.is_not(None))):
            entry: Any = Calendar.from_ical(letter.calendar or "").walk("VEVENT")[0]
            uid, sequence = str(entry["UID"]), int(entry["SEQUENCE"])
            said = (sequence, entry["DTSTART"].dt, letter.method == "CANCEL")
            before = best.get(uid, said)
            assert before[0] != sequence or before == said
            best[uid] = max(before, said)
        return {uid: (starts, is_off) for uid, (_, starts, is_off) in best.items()}


@pytest.fixture
def scene(app: Flask) -> Scene:
    with arranged(app):
        return Scene(app, a_workshop(sessions=[a_meeting(in_days=28 + 7 * n) for n in range(3)]).slug)


@contextmanager
def stopping(module: Any, name: str, patience: float = 0.5) -> Iterator[tuple[threading.Event, threading.Event]]:
    """The first to come to the end of a function waits there until the other is through, or `patience` has passed."""
    real, is_there, is_through = getattr(module, name), threading.Event(), threading.Event()

    def stopped(*args: Any, **kwargs: Any) -> Any:
        found = real(*args, **kwargs)
        if not is_there.is_set():
            is_there.set()
            is_through.wait(patience)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, name, stopped)
        yield is_there, is_through


def between(module: Any, name: str, first: Deed, second: Deed) -> list[Any]:
    """The second deed begins when the first has come to the end of `name`, in the middle of what it does."""
    with stopping(module, name) as (is_there, is_through):

        def after() -> Any:
            assert is_there.wait(20)
            try:
                return second()
            finally:
                is_through.set()

        return racing.together([first, after])


def fine(results: Sequence[Any]) -> bool:
    return not any(isinstance(each, Exception) for each in results)


class TestTwoCancel:
    def test_the_workshop_and_each_is_told_once(self, scene: Scene) -> None:
        paid(scene.app, a_wish(scene.slug))
        assert fine(between(moving, "_attendees", scene.cancel, scene.cancel))
        self.is_told_once(scene)

    def is_told_once(self, scene: Scene) -> None:
        sent = scene.letters()
        assert sent["workshop_cancelled", "ann@clinic.example"] == 1
        assert sent["session_cancelled", "ann@clinic.example"] == 2
        assert sent["cancelled_booking", "bea@clinic.example"] == 1
        assert scene.refunds() == [16800]
        assert scene.verbs()["workshop_cancelled"] == 1
        assert racing.faults(scene.app) == []

    def test_and_each_is_told_twice_by_who_does_what_was_shown(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The same with the look before the lock: what the page showed is done, whatever has happened since."""
        paid(scene.app, a_wish(scene.slug))
        monkeypatch.setattr(lifecycle, "_may_move", lambda _booking, _state: None)
        both_have_looked = threading.Barrier(2)

        def as_shown() -> None:
            with scene.app.app_context():
                workshop = db.session.scalars(select(Workshop)).one()
                plan = moving.plan_cancel(workshop)
                both_have_looked.wait(20)
                with db.writing():
                    editing.cancel(workshop, WHY, product_clock.now())
                    for fate in plan.fates:
                        moving._bring_about(fate, None, WHY, "user:1", product_clock.now())

        racing.together([as_shown, as_shown])
        sent = scene.letters()
        assert sent["workshop_cancelled", "ann@clinic.example"] == 2
        assert sent["cancelled_booking", "bea@clinic.example"] == 2

    def test_one_session_and_each_is_told_once(self, scene: Scene) -> None:
        paid(scene.app, a_wish(scene.slug))
        assert fine(between(moving, "_attendees", scene.cancel_second, scene.cancel_second))
        assert scene.letters()["workshop_cancelled", "ann@clinic.example"] == 1
        assert scene.verbs()["session_cancelled"] == 1
        assert (scene.refunds(), scene.wrong_times()) == ([], [])

    def test_a_session_and_the_workshop(self, scene: Scene) -> None:
        paid(scene.app, a_wish(scene.slug))
        assert fine(between(moving, "_attendees", scene.cancel_second, scene.cancel))
        sent = scene.letters()
        assert sent["workshop_cancelled", "ann@clinic.example"] == 2  # of the one session, then of the other two
        assert sent["session_cancelled", "ann@clinic.example"] == 1
        assert scene.refunds() == [16800]
        assert racing.faults(scene.app) == []


class TestMovingMeanwhile:
    @pytest.mark.parametrize(("other", "last"), [("move_second_more", 3), ("cancel_second", None)])
    def test_two_who_change_one_session_do_so_one_after_the_other(
        self, scene: Scene, other: str, last: int | None
    ) -> None:
        paid(scene.app, a_wish(scene.slug))
        assert fine(between(schedule, "change", scene.move_second, getattr(scene, other)))
        assert scene.wrong_times() == []
        with scene.app.app_context():
            rows = [(each.sequence, each.is_withdrawn) for each in db.session.scalars(select(SentInvite))]
            assert sorted(rows) == [(0, False), (0, False), (2, last is None)]

    def test_what_was_cancelled_meanwhile_is_not_moved(self, scene: Scene) -> None:
        paid(scene.app, a_wish(scene.slug))
        results = between(moving, "_attendees", scene.cancel_second, scene.move_second)
        assert isinstance(results[1], editing.NotPossible)
        assert scene.letters()["moved", "ann@clinic.example"] == 0
        assert scene.wrong_times() == []

    def test_a_cancelled_workshop_is_not_moved(self, scene: Scene) -> None:
        paid(scene.app, a_wish(scene.slug))
        assert isinstance(between(moving, "_attendees", scene.cancel, scene.move_second)[1], editing.NotPossible)
        assert scene.letters()["moved", "ann@clinic.example"] == 0

    def test_who_pays_meanwhile_has_the_right_time_in_the_end(self, scene: Scene) -> None:
        made = scene.hold()
        assert fine(between(moving, "coming", scene.move_second, scene.pay(made)))
        assert (scene.states(), scene.wrong_times()) == (["confirmed"], [])

    def test_who_has_just_paid_is_told_of_the_move(self, scene: Scene) -> None:
        made = scene.hold()
        results = between(lifecycle, "_claim", scene.pay(made), scene.move_second)
        assert results[1] == 1
        assert scene.letters()["moved", "ann@clinic.example"] == 1
        assert scene.wrong_times() == []

    def test_who_is_given_a_place_meanwhile_has_the_right_time(self, scene: Scene) -> None:
        assert fine(between(moving, "coming", scene.move_second, scene.give))
        assert (scene.states(), scene.wrong_times()) == (["confirmed"], [])

    def test_somebody_misses_it_without_the_locks(self, scene: Scene) -> None:
        """On PostgreSQL the invite keeps the old time, on SQLite one of the two fails."""
        made = scene.hold()
        with racing.without_locks(scene.app):
            results = between(moving, "coming", scene.move_second, scene.pay(made))
        assert scene.wrong_times() or any(isinstance(each, OperationalError) for each in results)


class TestBookingWhileItIsCancelled:
    def nobody_is_left(self, scene: Scene) -> None:
        assert set(scene.states()) <= {"cancelled", "lapsed"}
        assert racing.faults(scene.app) == []

    def test_who_pays_meanwhile_gets_all_of_it_back_and_is_told(self, scene: Scene) -> None:
        made = scene.hold()
        assert fine(between(moving, "_attendees", scene.cancel, scene.pay(made)))
        self.nobody_is_left(scene)
        assert scene.refunds() == [16800]
        assert scene.letters()["cancelled_booking", "bea@clinic.example"] == 1
        assert scene.letters()["refunded_late", "bea@clinic.example"] == 1
        assert scene.letters()["confirmed", "ann@clinic.example"] == 0

    def test_who_has_just_paid_gets_all_of_it_back_and_is_told(self, scene: Scene) -> None:
        made = scene.hold()
        assert fine(between(lifecycle, "_claim", scene.pay(made), scene.cancel))
        self.nobody_is_left(scene)
        assert scene.refunds() == [16800]
        sent = scene.letters()
        assert sent["cancelled_booking", "bea@clinic.example"] == 1
        assert sent["workshop_cancelled", "ann@clinic.example"] == 1

    def test_nobody_begins_a_booking_of_it(self, scene: Scene) -> None:
        results = between(moving, "_attendees", scene.cancel, scene.hold)
        assert isinstance(results[1], closed.WorkshopCancelled)
        assert scene.states() == []

    def test_who_has_just_begun_one_owes_nothing(self, scene: Scene) -> None:
        assert fine(between(checkout, "_hold", scene.hold, scene.cancel))
        assert (scene.states(), racing.claimed(scene.app, scene.slug)) == (["cancelled"], {"room": 0})
        with scene.app.app_context():
            jobs = list(db.session.scalars(select(work.Job.kind)))
        assert jobs.count(moving.CLOSE_PAGE) == 1
        assert scene.letters()["cancelled_booking", "bea@clinic.example"] == 1

    def test_nobody_is_given_a_place_there(self, scene: Scene) -> None:
        results = between(moving, "_attendees", scene.cancel, scene.give)
        assert isinstance(results[1], comping.NotToGive)
        assert scene.states() == []

    def test_somebody_has_a_place_there_without_the_locks(self, scene: Scene) -> None:
        """On PostgreSQL a place at a cancelled workshop, on SQLite one of the two fails."""
        with racing.without_locks(scene.app):
            results = between(moving, "_attendees", scene.cancel, scene.give)
        assert scene.states() == ["confirmed"] or any(isinstance(each, OperationalError) for each in results)
