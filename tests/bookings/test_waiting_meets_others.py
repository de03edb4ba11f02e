"""The waiting list beside the other ways to a place: transfers, free places given, money that comes too late."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from bookings import audit, comping, settling, transfers
from bookings.change_rows import NotAllowed
from bookings.change_terms import Act
from bookings.models import Attendee, Booking, Change
from courses import places
from lib import clock as clocks
from lib import db
from mail.models import Letter
from payments.models import Refund
from policies import templates, versions
from tests.bookings.making import BOB, Made, a_wish, held, lapse, paid, receive, state_of
from tests.bookings.waiting_people import a_full_workshop, accept, book, give_up, left, states, waits, work_off
from tests.builders import a_workshop, an_organiser, arranged
from tests.conftest import Clock

pytestmark = pytest.mark.both_databases


@pytest.fixture(autouse=True)
def _sound(app: Flask) -> Iterator[None]:
    yield
    with app.app_context():
        assert audit.faults(clocks.now()) == []


def a_place_elsewhere(app: Flask) -> Made:
    """A paid place at another date, which its policy lets move."""
    with arranged(app):
        owner = an_organiser()
        data = templates.by_key("graded_30_14").data(owner.zone, owner.currency)
        versions.write(owner.id, "Ours", data, actor="user:1", now=clocks.now())
        slug = a_workshop(in_days=60).slug
    return paid(app, a_wish(slug, people=[BOB]))


def may_move_to(app: Flask, made: Made) -> list[str]:
    with app.app_context():
        attendee = db.session.scalars(select(Attendee).where(Attendee.booking_id == made.id)).one()
        return [each.listing.workshop.slug for each in transfers.targets(attendee, clocks.now())]


def move(app: Flask, made: Made, slug: str) -> None:
    with app.app_context(), db.writing():
        booking = db.session.get_one(Booking, made.id)
        transfers.transfer(booking, 0, f"{slug}:standard", "0:0:0:0", Act("booker", "", clocks.now()))


# Transfers


def test_a_date_whose_places_are_kept_for_the_list_is_not_offered_to_move_to(app: Flask) -> None:
    slug, holders = a_full_workshop(app, capacity=2)
    moving = a_place_elsewhere(app)
    first = waits(app, slug, "first", wanted=1)
    assert may_move_to(app, moving) == []
    give_up(app, holders[0])
    assert may_move_to(app, moving) == []  # before the worker comes
    with pytest.raises(NotAllowed):
        move(app, moving, slug)
    work_off(app)
    assert (states(app, first), may_move_to(app, moving)) == (["offered"], [])
    give_up(app, holders[1])  # this one nobody waits for
    work_off(app)
    assert may_move_to(app, moving) == [slug]
    move(app, moving, slug)
    assert left(app, slug) == 0
    assert states(app, first) == ["offered"]


def test_who_saw_the_date_while_a_place_was_free_does_not_get_past_the_list(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look at the dates comes before the lock: what is held under it asks the list again."""
    slug, (holder,) = a_full_workshop(app)
    moving = a_place_elsewhere(app)
    give_up(app, holder)
    with app.app_context():
        attendee = db.session.scalars(select(Attendee).where(Attendee.booking_id == moving.id)).one()
        seen = transfers.targets(attendee, clocks.now())
        db.session.expunge_all()
    assert [each.listing.workshop.slug for each in seen] == [slug]
    again = sold_and_given_up(app, slug)
    assert states(app, again) == ["waiting"]
    monkeypatch.setattr(transfers, "targets", lambda *_: seen)
    with pytest.raises(places.WorkshopFull):
        move(app, moving, slug)
    work_off(app)
    assert states(app, again) == ["offered"]


def sold_and_given_up(app: Flask, slug: str) -> int:
    """The free place is sold, somebody joins the list, and it is given up again; who waits."""
    other = paid(app, a_wish(slug, people=[("Ona", "ona@clinic.example")]))
    number = waits(app, slug, "first")
    give_up(app, other)
    return number


def test_the_place_somebody_moves_from_is_offered(app: Flask) -> None:
    slug, (holder,) = a_full_workshop(app)
    with arranged(app):
        owner = an_organiser()
        data = templates.by_key("graded_30_14").data(owner.zone, owner.currency)
        versions.write(owner.id, "Ours", data, actor="user:1", now=clocks.now())
        booking = db.session.get_one(Booking, holder.id)
        booking.policy = versions.snapshot(versions.default(owner.id) or pytest.fail("no policy"))
        elsewhere = a_workshop(in_days=60).slug
    first = waits(app, slug, "first")
    move(app, holder, elsewhere)
    assert left(app, slug) == 0
    work_off(app)
    assert states(app, first) == ["offered"]


def test_who_waits_for_a_payment_to_move_keeps_the_place_from_the_list(app: Flask, clock: Clock) -> None:
    slug, holders = a_full_workshop(app, capacity=1, price_minor=20000)
    moving = a_place_elsewhere(app)
    give_up(app, holders[0])
    work_off(app)
    with app.app_context(), db.writing():
        booking = db.session.get_one(Booking, moving.id)
        transfers.transfer(booking, 0, f"{slug}:standard", "0:0:3200:0", Act("booker", "", clocks.now()))
    first = waits(app, slug, "first")
    work_off(app)
    assert states(app, first) == ["waiting"]
    receive(app, moving)
    with app.app_context():
        assert db.session.scalars(select(Change.state)).all() == ["done"]
    work_off(app)
    assert (states(app, first), left(app, slug)) == (["waiting"], 0)


# Places given by the organiser


def give(app: Flask, slug: str) -> int:
    with app.app_context(), db.writing():
        gift = comping.Gift(slug, "standard", "Gus Given", "gus@clinic.example", "He speaks")
        return comping.give(an_organiser().id, gift, actor="user:1", now=clocks.now()).id


def test_the_organiser_may_give_what_is_kept_for_the_list_and_not_what_is_offered(app: Flask) -> None:
    slug, (holder,) = a_full_workshop(app)
    first = waits(app, slug, "first")
    give_up(app, holder)
    give(app, slug)
    work_off(app)
    assert (states(app, first), left(app, slug)) == (["waiting"], 0)


def test_an_offer_is_not_given_away(app: Flask) -> None:
    slug, (holder,) = a_full_workshop(app)
    first = waits(app, slug, "first")
    give_up(app, holder)
    work_off(app)
    with pytest.raises(places.WorkshopFull):
        give(app, slug)
    accept(app, first)
    with pytest.raises(places.WorkshopFull):
        give(app, slug)
    assert book(app, first)


# Money that comes too late


def a_lapsed_booking(app: Flask, clock: Clock) -> tuple[str, Made, int]:
    """Nobody paid for the last place, and somebody waits for it."""
    with arranged(app):
        slug = a_workshop(capacity=1).slug
    made = held(app, a_wish(slug))
    first = waits(app, slug, "first")
    clock.shift(minutes=37)
    lapse(app, made)
    return slug, made, first


def test_late_money_does_not_take_what_is_held_for_somebody_who_waited(app: Flask, clock: Clock) -> None:
    _, made, first = a_lapsed_booking(app, clock)
    work_off(app)
    assert states(app, first) == ["offered"]
    receive(app, made)
    assert (state_of(app, made), states(app, first)) == ("lapsed", ["offered"])
    with app.app_context():
        assert [(each.amount_minor, each.reason) for each in db.session.scalars(select(Refund))] == [
            (16800, settling.FULL)
        ]
        assert db.session.scalars(select(Letter.template).where(Letter.template == "refunded_late")).all()
    assert book(app, first)


def test_late_money_before_an_offer_is_made_takes_its_place_again(app: Flask, clock: Clock) -> None:
    """Who once held the place comes before who waits for one, and nobody was told of it."""
    slug, made, first = a_lapsed_booking(app, clock)
    receive(app, made)
    work_off(app)
    assert (state_of(app, made), states(app, first)) == ("confirmed", ["waiting"])
    assert left(app, slug) == 0


def test_late_money_of_an_offer_goes_back_when_the_next_has_the_place(app: Flask, clock: Clock) -> None:
    slug, (holder,) = a_full_workshop(app)
    first, second = waits(app, slug, "first"), waits(app, slug, "second")
    give_up(app, holder)
    work_off(app)
    reference = book(app, first)
    with app.app_context():
        number = db.session.scalars(select(Booking.id).where(Booking.reference == reference)).one()
    made = Made(number, reference, "", ())
    clock.shift(minutes=37)
    lapse(app, made)
    work_off(app)
    assert states(app, first, second) == ["booked", "offered"]
    receive(app, made)
    assert state_of(app, made) == "lapsed"
    with app.app_context():
        assert db.session.scalars(select(Refund.amount_minor)).all() == [16800]
    assert book(app, second)
