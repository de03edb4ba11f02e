"""Who comes to an organiser's online events for the first time, and the code that is for them."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from bookings import first_event, lifecycle
from bookings.discounts import CodeNotFirstEvent, CodeNotForTicket
from bookings.models import Attendee, Booking, DiscountCode
from courses.models import TicketType
from lib import db
from payments import refunds
from payments.models import Payment
from tests.bookings.filling import send, typed
from tests.bookings.making import ANN, BOB, Made, a_wish, held, paid
from tests.builders import a_code, a_ticket, a_workshop, an_organiser, arranged
from tests.conftest import Clock
from tests.page import PageClient

pytestmark = pytest.mark.both_databases
INES = ("Ines", "ines@carraway.example")
PLAIN: dict[str, Any] = {"prices": {"GBP": 10000}, "is_full_price": True}


def been(app: Flask, *, format: str = "online_live", who: tuple[str, str] = INES, **ticket: Any) -> Made:
    """Somebody's confirmed place at an event."""
    with arranged(app):
        workshop = a_workshop(price_minor=None, format=format)
        a_ticket(workshop, code="it", **{**PLAIN, **ticket})
        slug = workshop.slug
    return paid(app, a_wish(slug, people=[who], ticket="it", booker=("Office", "office@carraway.example")))


def is_first(app: Flask, *emails: str) -> bool:
    with app.app_context():
        return first_event.is_first_online(an_organiser().id, emails or (INES[1],))


def test_who_has_never_been_is_new(app: Flask, clock: Clock) -> None:
    been(app, who=ANN)

    assert is_first(app)
    assert is_first(app, *[])


@pytest.mark.parametrize(
    ("format", "ticket"),
    [("online_live", {}), ("online_course", {}), ("online_series", {}), ("hybrid", {})],
    ids=["live", "course", "series", "online at a hybrid one"],
)
def test_a_paid_place_at_an_online_event_counts(app: Flask, clock: Clock, format: str, ticket: dict[str, Any]) -> None:
    been(app, format=format, **ticket)

    assert not is_first(app)
    assert not is_first(app, "new@x.example", INES[1])


@pytest.mark.parametrize("kept", ["ines@carraway.example", "ines+cpd@carraway.example", "ines+a+b@carraway.example"])
@pytest.mark.parametrize("asked", ["ines@carraway.example", "INES@Carraway.Example", "Ines+x@carraway.example"])
def test_a_person_is_one_however_the_address_is_written(app: Flask, clock: Clock, kept: str, asked: str) -> None:
    been(app, who=("Ines", kept))

    assert not is_first(app, asked)


@pytest.mark.parametrize(
    "asked",
    ["inez@carraway.example", "in_s@carraway.example", "%@carraway.example", "ines@x.example", "s@carraway.example"],
)
def test_another_address_is_another_person(app: Flask, clock: Clock, asked: str) -> None:
    been(app, who=("Ines", "ines+tag@carraway.example"))

    assert is_first(app, asked)


@pytest.mark.parametrize(
    ("format", "ticket"),
    [
        ("room", {}),
        ("hybrid", {"is_in_room": True}),
        ("online_live", {"prices": {"GBP": 0}}),
    ],
    ids=["in the room", "in the room of a hybrid one", "free"],
)
def test_a_place_of_another_kind_does_not_count(app: Flask, clock: Clock, format: str, ticket: dict[str, Any]) -> None:
    been(app, format=format, **ticket)

    assert is_first(app)


def test_the_recording_alone_does_not_count(app: Flask, clock: Clock) -> None:
    been(app)
    with arranged(app):
        db.session.execute(update(TicketType).values(kind="catch_up", includes_live=False))

    assert is_first(app)


def test_a_place_not_paid_yet_or_cancelled_or_paid_back_does_not_count(app: Flask, clock: Clock) -> None:
    made = been(app)
    with arranged(app):
        slug = a_workshop(price_minor=10000).slug
    held(app, a_wish(slug, people=[ANN]))
    assert is_first(app, ANN[1])

    with arranged(app):
        booking = lifecycle.locked(db.session.get_one(Booking, made.id).bill_id)
        payment = db.session.scalars(select(Payment).where(Payment.bill_id == booking.bill_id)).one()
        refunds.refund_rest(payment, reason="asked for", now=clock.at)
    assert is_first(app)

    been(app, who=BOB)
    with arranged(app):
        bob = db.session.scalars(select(Attendee).where(Attendee.email == BOB[1])).one()
        lifecycle.cancel(lifecycle.locked(bob.booking.bill_id), [bob], actor="x", why="ill", now=clock.at)
    assert is_first(app, BOB[1])


def test_another_organiser_s_events_do_not_count(app: Flask, clock: Clock) -> None:
    been(app)

    with arranged(app):
        other = an_organiser(slug="other", name="Other").id
    with app.app_context():
        assert first_event.is_first_online(other, (INES[1],))


# The code


@pytest.fixture
def slug(app: Flask) -> str:
    """A workshop on sale, and the code that Ines was sent."""
    with arranged(app):
        workshop = a_workshop(slug="it", price_minor=10000)
        a_ticket(workshop, code="early", prices={"GBP": 8500})
        a_code(code="HELLO", person=INES[1], covers=1, full_price_only=True, first_online_only=True, uses_total=1)
        return workshop.slug


def test_it_takes_its_percentage_off_one_full_price_ticket(app: Flask, clock: Clock, slug: str) -> None:
    made = held(app, a_wish(slug, people=[ANN, INES], booker=INES, code="hello"))

    with app.app_context():
        booking = db.session.get_one(Booking, made.id)
        assert [each.discount_minor for each in booking.attendees] == [0, 2000]


def test_a_second_event_is_refused_with_the_full_price(app: Flask, clock: Clock, client: PageClient, slug: str) -> None:
    been(app)
    data = typed(client, slug, [INES], {"discount_code": "HELLO", "booker_email": "new@x.example"})

    said = send(client, slug, data, to="quote", as_json=True).get_json()

    assert (said["code"]["refusal"], said["total_minor"]) == ("code_not_first_event", 10000)
    assert "You can book at the full price." in said["code"]["message"]
    assert INES[1] not in said["code"]["message"]


def test_the_booker_s_own_address_counts_and_a_colleague_s_does_not(app: Flask, clock: Clock, slug: str) -> None:
    been(app, who=BOB)  # he has been before; that is his own affair
    held(app, a_wish(slug, people=[INES, BOB], booker=INES, code="HELLO"))

    been(app, who=("Ines at work", "ines@work.example"))
    with pytest.raises(CodeNotFirstEvent):
        held(app, a_wish(slug, people=[INES], booker=("Ines", "ines@work.example"), code="HELLO"))


def test_the_early_bird_stays_the_early_bird_and_the_better_offer_is_named(app: Flask, clock: Clock, slug: str) -> None:
    wish = a_wish(slug, people=[INES], booker=INES, ticket="early", code="HELLO")
    with pytest.raises(CodeNotForTicket) as refused:
        held(app, wish)
    assert refused.value.message.endswith("With “Standard” and the code a place costs £80.00.")

    for not_better in ({"percent": 15}, {"percent": 50, "uses_total": 0}):  # 8500 either way; spent
        with arranged(app):
            db.session.execute(update(DiscountCode).values(**not_better))
        with pytest.raises(CodeNotForTicket) as refused:
            held(app, wish)
        assert "With “" not in refused.value.message


@pytest.mark.parametrize(("format", "in_room"), [("room", False), ("hybrid", True)])
def test_it_is_for_online_events(app: Flask, clock: Clock, slug: str, format: str, in_room: bool) -> None:
    with arranged(app):
        workshop = a_workshop(price_minor=None, format=format)
        a_ticket(workshop, **PLAIN, is_in_room=in_room)
        there = workshop.slug

    with pytest.raises(CodeNotForTicket):
        held(app, a_wish(there, people=[INES], booker=INES, code="HELLO"))
