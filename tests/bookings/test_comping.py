"""A free place: the same guard as for buyers, nothing to pay, marked in the quote and in history."""

import pytest
from flask import Flask
from sqlalchemy import select

from bookings import audit, comping
from bookings.comping import Gift
from bookings.models import Booking
from courses.places import WorkshopFull
from history.models import Entry
from lib import clock, db
from mail.models import Letter
from tests.bookings.making import ANN, BOB, a_wish, held
from tests.builders import a_ticket, a_workshop, an_organiser, arranged
from tests.conftest import Clock, at_once

ACTOR = "user:7"


def give(app: Flask, slug: str, **changes: object) -> int:
    values = {"ticket": "standard", "name": ANN[0], "email": ANN[1], "why": "She speaks on it", **changes}
    with app.app_context(), db.writing():
        organiser = an_organiser()
        gift = Gift(slug=slug, **values)  # type: ignore[arg-type]
        return comping.give(organiser.id, gift, actor=ACTOR, now=clock.now()).id


@pytest.mark.both_databases
def test_a_free_place_is_confirmed_and_marked(app: Flask) -> None:
    with arranged(app):
        slug = a_workshop(capacity=1).slug

    made = give(app, slug)

    with app.app_context():
        booking = db.session.get_one(Booking, made)
        assert (booking.state, booking.bill.total_minor, booking.quote["is_comp"]) == ("confirmed", 0, True)
        assert [line["minor"] for line in booking.quote["lines"]] == [16800, -16800]
        assert booking.terms_version == comping.UNASKED
        entries = db.session.scalars(select(Entry).where(Entry.about == f"booking:{made}").order_by(Entry.id)).all()
        assert [each.verb for each in entries] == ["booking_held", "place_given", "booking_confirmed"]
        assert {each.actor for each in entries} == {ACTOR}
        assert entries[1].facts["why"] == "She speaks on it"
        assert {each.template for each in db.session.scalars(select(Letter))} == {"confirmed", "receipt"}
        assert audit.faults(clock.now()) == []
    with pytest.raises(WorkshopFull):
        give(app, slug, email=BOB[1])


@pytest.mark.both_databases
def test_the_last_place_is_given_or_sold_never_both(app: Flask) -> None:
    with arranged(app):
        slug = a_workshop(capacity=1).slug

    results = at_once(app, [lambda: give(app, slug), lambda: held(app, a_wish(slug, people=[BOB]))])

    assert sum(isinstance(each, WorkshopFull) for each in results) == 1
    with app.app_context():
        assert audit.faults(clock.now()) == []


def test_an_address_with_a_place_is_asked_about(app: Flask) -> None:
    with arranged(app):
        slug = a_workshop().slug
    give(app, slug)

    with pytest.raises(comping.AlreadyComing):
        give(app, slug)
    give(app, slug, again=True)


def test_what_cannot_be_given(app: Flask, clock: Clock) -> None:
    with arranged(app):
        draft = a_workshop(status="draft").slug
        off = a_workshop(status="cancelled").slug
        pair = a_workshop(seats=2).slug
        other = a_workshop(organiser=an_organiser(slug="pim", name="Pim")).slug
        soon = a_workshop(in_days=1)
        a_ticket(soon, code="live-only", includes_recording=False)
        slug = soon.slug

    for each in (draft, off, pair, other, "nowhere"):
        with pytest.raises(comping.NotToGive):
            give(app, each)
    with pytest.raises(comping.NotToGive):
        give(app, slug, ticket="nothing")
    clock.shift(days=3)
    with pytest.raises(comping.NotToGive):
        give(app, slug, ticket="live-only")
    give(app, slug)
