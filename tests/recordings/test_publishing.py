"""Who gets a window and a letter, when, and only once."""

import threading
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Select, func, select

from bookings.models import Attendee
from history.models import Entry
from lib import clock as product_clock
from lib import db, work
from mail.models import Letter
from recordings import publishing
from recordings.models import AccessWindow, Recording
from tests.bookings.making import ANN, BOB, a_wish, held, receive
from tests.builders import a_meeting, a_ticket, a_workshop, arranged
from tests.conftest import Clock, Mailbox, at_once
from tests.journeys.steps import parts
from tests.page import PageClient, main_text
from tests.races.racing import without_locks
from tests.recordings.showing import (
    CLOSES,
    PUBLISHED,
    a_film,
    a_recorded_workshop,
    address,
    booked,
    published,
    windows,
    withdrawn,
)

pytestmark = pytest.mark.both_databases
CLEO = ("Cleo Crane", "cleo@clinic.example")


def do_work(app: Flask) -> None:
    with app.app_context():
        work.run_due(app.extensions["handlers"])


def letters_to(app: Flask, email: str) -> list[str]:
    with app.app_context():
        return list(
            db.session.scalars(
                select(Letter.template).where(Letter.to_email == email, Letter.template == "recording_ready")
            )
        )


def test_everybody_whose_ticket_includes_it_and_nobody_else(app: Flask, clock: Clock) -> None:
    with arranged(app):
        meetings = [a_meeting(in_days=7), a_meeting(in_days=8)]
        workshop = a_workshop(price_minor=0, catch_up_offered=True, sessions=meetings)
        a_ticket(workshop, code="live", prices={"GBP": 0}, includes_recording=False)
        a_ticket(workshop, code="second", prices={"GBP": 0}, sessions=[2])
        slug = workshop.slug
    booked(app, slug)
    held(app, a_wish(slug, people=[BOB], ticket="live"))
    held(app, a_wish(slug, people=[CLEO], ticket="second"))
    first, second = a_film(app, slug, number=1), a_film(app, slug, number=2)
    clock.set(PUBLISHED)

    assert published(app, first) == 1
    assert published(app, second) == 2
    assert published(app, second) == 0
    assert windows(app) == [(who, PUBLISHED, CLOSES) for who in (ANN[1], ANN[1], CLEO[1])]
    assert [len(letters_to(app, who)) for who in (ANN[1], BOB[1], CLEO[1])] == [2, 0, 1]
    with app.app_context():
        told = db.session.scalars(told_of(first.id)).all()
    assert list(told) == ["film_uploaded", "recording_reviewed", "recording_published"]


def test_the_letter(app: Flask, client: PageClient, clock: Clock, mailbox: Mailbox) -> None:
    slug = a_recorded_workshop(app, title="Endings, & what follows")
    made = held(app, a_wish(slug))
    with arranged(app):
        booking = db.session.scalars(select(Attendee)).one().booking
        booking.zone = "America/New_York"
    kept = a_film(app, slug)
    clock.set(PUBLISHED)
    published(app, kept)
    do_work(app)

    (letter,) = [each for each in mailbox.letters(ANN[1]) if "recording is ready" in str(each["Subject"])]
    assert letter["Subject"] == "Your recording is ready: Endings, & what follows"
    text = parts(letter)["text/plain"]
    page = address(app, made, kept)
    assert f"http://localhost{page}\r\n".replace("\r\n", "") in text
    assert "It opened on Tuesday 16 March 2027, 18:00 GMT (London)." in text
    assert "Watch it until Tuesday 13 April 2027, 18:00 BST (London)." in text
    assert "Where you are that is Tuesday 13 April 2027, 13:00 EDT (New York)." in text
    assert client.get(page).status_code == 200
    said = main_text(client.get(page))
    assert "closes Tuesday 13 April 2027, 18:00 BST (London), 13:00 EDT for you (New York)" in said


def test_a_window_that_closed_before_the_worker_came_is_told_to_nobody(app: Flask, clock: Clock) -> None:
    slug = a_recorded_workshop(app, with_paid=True)
    made = held(app, a_wish(slug, people=[BOB], ticket="paid"))
    kept = a_film(app, slug)
    clock.set(PUBLISHED)
    published(app, kept)
    receive(app, made)
    clock.shift(days=29)

    with app.app_context(), db.writing():
        assert publishing.open_for_booking(made.id, product_clock.now()) == 0
    assert windows(app) == []
    assert letters_to(app, BOB[1]) == []


def test_a_late_buyer_has_days_of_their_own_once_the_worker_has_been(app: Flask, clock: Clock) -> None:
    slug = a_recorded_workshop(app, with_paid=True)
    late = held(app, a_wish(slug, people=[BOB], ticket="paid"))
    kept = a_film(app, slug)
    clock.set(PUBLISHED)
    assert published(app, kept) == 0
    clock.set("2027-03-20T09:00:00Z")
    receive(app, late)
    assert windows(app) == []

    do_work(app)
    do_work(app)
    assert windows(app) == [(BOB[1], "2027-03-20T09:00:00Z", "2027-04-17T08:00:00Z")]
    assert len(letters_to(app, BOB[1])) == 1


def test_a_late_buyer_who_is_quicker_than_the_worker(app: Flask, client: PageClient, clock: Clock) -> None:
    slug = a_recorded_workshop(app, with_paid=True)
    late = held(app, a_wish(slug, people=[BOB], ticket="paid"))
    kept = a_film(app, slug)
    clock.set(PUBLISHED)
    published(app, kept)
    clock.set("2027-03-20T09:00:00Z")
    receive(app, late)
    page = address(app, late, kept)
    with client.get(f"{page}/media", headers={"Range": "bytes=0-1"}) as answer:
        assert answer.status_code == 206
    assert windows(app) == []

    clock.shift(hours=1)
    assert "closes Saturday 17 April 2027, 10:00 BST" not in main_text(client.get(page))
    assert "closes Saturday 17 April 2027, 09:00 BST" in main_text(client.get(page))
    do_work(app)
    assert windows(app) == [(BOB[1], "2027-03-20T09:00:00Z", "2027-04-17T08:00:00Z")]
    assert len(letters_to(app, BOB[1])) == 1


def test_late_buyers_may_share_everybody_s_window(app: Flask, client: PageClient, clock: Clock) -> None:
    slug = a_recorded_workshop(app, with_paid=True, late_buyers_share=True)
    late, too_late = (held(app, a_wish(slug, people=[who], ticket="paid")) for who in (BOB, CLEO))
    kept = a_film(app, slug)
    clock.set(PUBLISHED)
    published(app, kept)
    clock.set("2027-03-20T09:00:00Z")
    receive(app, late)
    do_work(app)
    assert windows(app) == [(BOB[1], "2027-03-20T09:00:00Z", CLOSES)]

    clock.set(CLOSES)
    receive(app, too_late)
    do_work(app)
    assert len(windows(app)) == 1
    answer = client.get(address(app, too_late, kept))
    assert answer.status_code == 403


def test_a_workshop_without_catch_up_publishes_nothing(app: Flask, clock: Clock) -> None:
    slug = a_recorded_workshop(app, catch_up_offered=False)
    booked(app, slug)
    kept = a_film(app, slug)

    with pytest.raises(publishing.NothingToPublish):
        published(app, kept)
    with app.app_context():
        assert db.session.get_one(Recording, kept.id).state == "uploaded"
        assert (
            db.session.scalar(select(func.count()).select_from(work.Job).where(work.Job.kind.like("recordings%"))) == 0
        )


def told_of(recording: int) -> Select[str]:
    return select(Entry.verb).where(Entry.about == f"recording:{recording}").order_by(Entry.id)


def test_a_withdrawn_recording_keeps_its_dates(app: Flask, clock: Clock) -> None:
    slug = a_recorded_workshop(app)
    booked(app, slug)
    kept = a_film(app, slug)
    clock.set(PUBLISHED)
    published(app, kept)
    withdrawn(app, kept)
    withdrawn(app, kept)
    clock.shift(days=2)

    assert published(app, kept) == 0
    assert windows(app) == [(ANN[1], PUBLISHED, CLOSES)]
    with app.app_context():
        verbs = db.session.scalars(told_of(kept.id)).all()
    assert list(verbs) == [
        "film_uploaded",
        "recording_reviewed",
        "recording_published",
        "recording_withdrawn",
        "recording_reviewed",
        "recording_published",
    ]


# Publishing and confirming at the same moment


def race(app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch, patience: float) -> Any:
    """Bob's money arrives after publishing has looked for attendees and before it has ended.

    The worker follows at once; publishing waits for it, as long as the guard lets the worker go on.
    """
    slug = a_recorded_workshop(app, with_paid=True)
    booked(app, slug)
    late = held(app, a_wish(slug, people=[BOB], ticket="paid"))
    kept = a_film(app, slug)
    clock.set(PUBLISHED)
    looked, followed = threading.Event(), threading.Event()
    real = publishing._attendees
    publisher: list[int] = []

    def slow(wanted: Any) -> list[Attendee]:
        found = real(wanted)
        if threading.get_ident() in publisher:
            looked.set()
            followed.wait(patience)
        return found

    monkeypatch.setattr(publishing, "_attendees", slow)
    problems: list[Exception] = []

    def publish() -> None:
        publisher.append(threading.get_ident())
        try:
            published(app, kept)
        except Exception as problem:
            problems.append(problem)

    def follow() -> None:
        assert looked.wait(30)
        try:
            receive(app, late)
            do_work(app)
        except Exception as problem:
            problems.append(problem)
        followed.set()

    threads = [threading.Thread(target=each) for each in (publish, follow)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    return problems


def test_publishing_while_a_booking_is_confirmed(app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    assert race(app, clock, monkeypatch, 1.5) == []

    do_work(app)
    assert sorted(each[0] for each in windows(app)) == [ANN[1], BOB[1]]
    assert [len(letters_to(app, who)) for who in (ANN[1], BOB[1])] == [1, 1]


def test_without_the_lock_somebody_is_left_without_a_window(
    app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch, database_kind: str
) -> None:
    """The negative control. SQLite has no locks but its one writer; there the second of two who read first fails."""
    with without_locks(app):
        problems = race(app, clock, monkeypatch, 5)

    assert problems or [each[0] for each in windows(app)] == [ANN[1]]
    if database_kind == "postgresql":
        do_work(app)
        assert [each[0] for each in windows(app)] == [ANN[1]]


def test_two_workers_and_the_page_make_one_window(app: Flask, clock: Clock) -> None:
    slug = a_recorded_workshop(app, with_paid=True)
    late = held(app, a_wish(slug, people=[BOB], ticket="paid"))
    kept = a_film(app, slug)
    clock.set(PUBLISHED)
    published(app, kept)
    clock.shift(days=1)
    receive(app, late)

    def make(now: datetime) -> int:
        with db.writing():
            return publishing.open_for_booking(late.id, now)

    made = at_once(app, [lambda: make(clock.now())] * 4)
    assert sorted(made) == [0, 0, 0, 1]
    assert len(letters_to(app, BOB[1])) == 1
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(AccessWindow)) == 1
