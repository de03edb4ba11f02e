"""A name or an address put right: dead links, one withdrawal, a higher SEQUENCE, and nothing for the wrong person."""

import pytest
from flask import Flask
from sqlalchemy import select

from bookings import audit, corrections, lifecycle, pages
from bookings.corrections import Correction
from bookings.models import Attendee, Booking
from history.models import Entry
from lib import clock, db
from lib.work import run_due
from mail.models import Letter
from tests.bookings import making
from tests.bookings.making import ANN, BOB, Made, a_wish, held, paid
from tests.builders import a_meeting, a_workshop, arranged
from tests.conftest import Mailbox
from tests.journeys.steps import calendars, events, refuse_mail
from tests.page import PageClient

ACTOR = "user:7"
RIGHT = "ann.attwood@clinic.example"


def a_slug(app: Flask, sessions: int = 1) -> str:
    with arranged(app):
        meetings = [a_meeting(in_days=28 + 7 * n) for n in range(sessions)]
        return a_workshop(sessions=meetings).slug


def correct(app: Flask, made: Made, n: int = 0, **changes: object) -> None:
    with app.app_context(), db.writing():
        booking = lifecycle.locked(db.session.get_one(Booking, made.id).bill_id)
        attendee = next(each for each in booking.attendees if each.n == n)
        values = {"name": attendee.name, "email": attendee.email, "why": "She told us", **changes}
        corrections.correct(booking, n, Correction(**values), actor=ACTOR, now=clock.now())  # type: ignore[arg-type]


def letters(app: Flask, to: str) -> list[Letter]:
    with app.app_context():
        found = list(db.session.scalars(select(Letter).where(Letter.to_email == to).order_by(Letter.id)))
        db.session.expunge_all()
        return found


def work(app: Flask) -> None:
    with app.app_context():
        run_due(app.extensions["handlers"])


def sound(app: Flask) -> None:
    with app.app_context():
        assert audit.faults(clock.now()) == []


@pytest.mark.both_databases
def test_a_new_address_gets_the_place_and_the_old_one_loses_it(
    app: Flask, client: PageClient, mailbox: Mailbox
) -> None:
    made = paid(app, a_wish(a_slug(app, sessions=2), people=[ANN]))
    work(app)
    before = mailbox.letters(ANN[1])
    uids = [str(events(calendars(each)[""])[0]["UID"]) for each in before]
    assert client.get(made.places[0]).status_code == 200

    correct(app, made, email=RIGHT)
    work(app)

    assert client.get(made.places[0]).status_code == 404
    gone = mailbox.letters(ANN[1])[len(before) :]
    new = mailbox.letters(RIGHT)
    assert [str(events(calendars(each)[""])[0]["UID"]) for each in gone] == uids
    assert [str(events(calendars(each)[""])[0]["UID"]) for each in new] == uids
    assert all(b"METHOD:CANCEL" in calendars(each)[""] for each in gone)
    assert all(b"METHOD:REQUEST" in calendars(each)[""] for each in new)
    assert {int(events(calendars(each)[""])[0]["SEQUENCE"]) for each in gone} == {1}
    assert {int(events(calendars(each)[""])[0]["SEQUENCE"]) for each in new} == {2}
    for each in gone:
        assert RIGHT not in each.as_string()
        assert "/places/" not in each.as_string()
    assert all(f"mailto:{RIGHT}" in str(events(calendars(each)[""])[0]["ATTENDEE"]) for each in new)
    with app.app_context():
        attendee = db.session.scalars(select(Attendee)).one()
        assert (attendee.email, attendee.link_version) == (RIGHT, 2)
        kept = db.session.scalars(select(Entry).where(Entry.verb == "attendee_corrected")).one()
        assert kept.actor == ACTOR
        assert kept.facts["why"] == "She told us"
        assert kept.facts["email_before"] == ANN[1]
    sound(app)


def test_a_new_name_goes_to_the_same_address_without_a_withdrawal(app: Flask, mailbox: Mailbox) -> None:
    made = paid(app, a_wish(a_slug(app)))
    work(app)
    mailbox.clear()

    correct(app, made, name="Ann Atwood")
    work(app)

    (letter,) = mailbox.letters(ANN[1])
    event = events(calendars(letter)[""])[0]
    assert int(event["SEQUENCE"]) == 1
    assert event["ATTENDEE"].params["CN"] == "Ann Atwood"
    assert mailbox.letters() == [letter] or len(mailbox.letters()) == 1


def test_a_letter_that_waits_never_reaches_the_wrong_person(app: Flask, mailbox: Mailbox) -> None:
    made = paid(app, a_wish(a_slug(app)))

    correct(app, made, email=RIGHT)
    work(app)

    assert [str(each["Subject"])[:10] for each in mailbox.letters(ANN[1])] == ["Our letter"]
    assert [each.state for each in letters(app, ANN[1])] == ["failed", "sent"]
    assert letters(app, ANN[1])[0].answer == corrections.STOPPED


def test_an_address_nobody_answers_for_does_not_hold_up_the_right_one(app: Flask, mailbox: Mailbox) -> None:
    made = paid(app, a_wish(a_slug(app)))
    refuse_mail(mailbox, {"to": ANN[1], "code": 450, "times": 50})
    correct(app, made, email=RIGHT)
    work(app)
    refuse_mail(mailbox)

    assert len(mailbox.letters(RIGHT)) == 1


def test_the_others_of_the_booking_hear_nothing(app: Flask, client: PageClient, mailbox: Mailbox) -> None:
    made = paid(app, a_wish(a_slug(app), people=[ANN, BOB]))
    work(app)
    mailbox.clear()

    correct(app, made, 0, email=RIGHT)
    work(app)

    assert mailbox.letters(BOB[1]) == []
    assert client.get(made.places[1]).status_code == 200
    sound(app)


def test_who_has_not_paid_yet_gets_no_letter(app: Flask) -> None:
    made = held(app, a_wish(a_slug(app)))

    correct(app, made, email=RIGHT)

    assert letters(app, RIGHT) == []
    making.receive(app, made)
    assert len(letters(app, RIGHT)) == 1
    assert letters(app, ANN[1]) == []
    sound(app)


def test_what_cannot_be_put_right(app: Flask) -> None:
    slug = a_slug(app)
    made = paid(app, a_wish(slug))
    paid(app, a_wish(slug, people=[BOB]))

    with pytest.raises(corrections.NothingChanged):
        correct(app, made)
    with pytest.raises(corrections.AddressTaken):
        correct(app, made, email=BOB[1])
    correct(app, made, email=BOB[1], shared=True)
    late = held(app, a_wish(slug, people=[("Cy", "cy@clinic.example")]))
    making.lapse(app, late)
    with pytest.raises(corrections.PlaceOver):
        correct(app, late, name="Cyril")


def test_the_same_letter_again_has_the_same_invite(app: Flask, mailbox: Mailbox) -> None:
    made = paid(app, a_wish(a_slug(app)))
    with app.app_context(), db.writing():
        booking = lifecycle.locked(db.session.get_one(Booking, made.id).bill_id)
        corrections.resend_place(booking, 0, "Lost", actor=ACTOR, now=clock.now())
        corrections.resend_receipt(booking, "For the accountant", actor=ACTOR, now=clock.now())
    work(app)

    first, second = mailbox.letters(ANN[1])
    one, other = (events(calendars(each)[""])[0] for each in (first, second))
    assert (one["UID"], one["SEQUENCE"]) == (other["UID"], other["SEQUENCE"])
    assert len(mailbox.letters("bea@clinic.example")) == 2


def test_nothing_is_sent_again_before_it_is_confirmed(app: Flask) -> None:
    made = held(app, a_wish(a_slug(app)))
    with app.app_context(), db.writing():
        booking = lifecycle.locked(db.session.get_one(Booking, made.id).bill_id)
        assert pages.state_of(booking, clock.now()) == "held"
        with pytest.raises(corrections.PlaceOver):
            corrections.resend_place(booking, 0, "x", actor=ACTOR, now=clock.now())
        with pytest.raises(corrections.PlaceOver):
            corrections.resend_receipt(booking, "x", actor=ACTOR, now=clock.now())
