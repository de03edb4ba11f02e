"""People on waiting lists for tests, made by the doors' own functions; and the worker."""

from datetime import datetime
from typing import Any

from flask import Flask
from sqlalchemy import select

from bookings import checkout, lifecycle, waiting, waiting_jobs, waiting_letters, waiting_list
from bookings.models import Booking, WaitingPerson
from courses import catalogue, shelf
from courses.models import Workshop
from lib import clock, db, work
from mail.models import Letter
from tests.bookings.making import Made, a_wish, paid, receive
from tests.builders import a_workshop, arranged

NEW_YORK = "America/New_York"


def a_full_workshop(app: Flask, *, capacity: int = 1, **columns: Any) -> tuple[str, list[Made]]:
    """A workshop whose places are each sold to somebody; its slug and the bookings."""
    with arranged(app):
        slug = a_workshop(capacity=capacity, **columns).slug
    return slug, [sold(app, slug, f"holder-{n}") for n in range(capacity)]


def sold(app: Flask, slug: str, who: str = "buyer", **wish: Any) -> Made:
    email = f"{who}@clinic.example"
    return paid(app, a_wish(slug, people=[(who.capitalize(), email)], booker=(who.capitalize(), email), **wish))


def waits(
    app: Flask,
    slug: str,
    who: str,
    *,
    wanted: int = 1,
    takes_fewer: bool = True,
    ticket: str = "standard",
    zone: str = "Europe/London",
    email: str = "",
) -> int:
    """Somebody joins the list; their number."""
    with app.app_context(), db.writing():
        workshop = db.session.scalars(select(Workshop).where(Workshop.slug == slug)).one()
        chosen = next(each for each in workshop.tickets if each.code == ticket)
        asked = waiting.Asked(
            workshop.id,
            workshop.organiser_id,
            chosen.id,
            who.capitalize(),
            email or f"{who}@waits.example",
            zone,
            wanted,
            takes_fewer,
        )
        return waiting.join(asked, clock.now()).id


def give_up(app: Flask, made: Made, n: int | None = None) -> None:
    """A booking's places, or one of them, are cancelled."""
    with app.app_context(), db.writing():
        booking = lifecycle.locked(db.session.get_one(Booking, made.id).bill_id)
        gone = [each for each in booking.attendees if n is None or each.n == n]
        lifecycle.cancel(booking, gone, actor="booker", why="plans changed", now=clock.now())


def work_off(app: Flask) -> None:
    """The worker does what is due for lists."""
    with app.app_context():
        work.run_due(waiting_jobs.HANDLERS)


def person(app: Flask, number: int) -> WaitingPerson:
    """The row with what belongs to it, out of any session."""
    with app.app_context():
        found = waiting_list.by_id(number)
        assert found is not None
        db.session.expunge_all()
        return found


def token_of(app: Flask, number: int) -> str:
    """What leads to somebody's own page of the list."""
    with app.app_context():
        return waiting_letters.token(person(app, number))


def states(app: Flask, *numbers: int) -> list[str]:
    return [person(app, each).state for each in numbers]


def accept(app: Flask, number: int, places: int = 1) -> None:
    with app.app_context(), db.writing():
        found = waiting_list.by_id(number)
        assert found is not None
        waiting.accept(number, found.workshop_id, places, clock.now())


def book(app: Flask, number: int, people: int = 1, **wish: Any) -> str:
    """Book with an offer, unpaid; the booking's reference."""
    with app.app_context(), db.writing():
        found = waiting_list.by_id(number)
        assert found is not None
        attending = [(f"{found.name} {n}", f"{n}-{found.email}") for n in range(people)]
        asked = a_wish(found.workshop.slug, people=attending, booker=(found.name, found.email), **wish)
        return checkout.start(asked, clock.now(), found).reference


def left(app: Flask, slug: str) -> int:
    """How many places the public page says are left."""
    with app.app_context():
        now = clock.now()
        found = shelf.read(now, lambda kept: [kept.by_slug[slug]])
        from_shelf = found.by_slug[slug]
        return min(catalogue.seats_left(ticket, from_shelf, found.claimed) or 0 for ticket in from_shelf.tickets)


def letters(app: Flask, number: int) -> list[Letter]:
    """What was written to somebody on a list, oldest first."""
    with app.app_context():
        found = list(db.session.scalars(select(Letter).where(Letter.about == f"waiting:{number}").order_by(Letter.id)))
        db.session.expunge_all()
        return found


def templates(app: Flask, number: int) -> list[str]:
    return [each.template for each in letters(app, number)]


def until(app: Flask, number: int) -> datetime | None:
    return person(app, number).held_until


def receive_of(app: Flask, reference: str) -> None:
    """The money for a booking came."""
    with app.app_context():
        number = db.session.scalars(select(Booking.id).where(Booking.reference == reference)).one()
    receive(app, Made(number, reference, "", ()))


def named(app: Flask, email: str) -> int:
    """The number of who joined with this address."""
    with app.app_context():
        return db.session.scalars(select(WaitingPerson.id).where(WaitingPerson.email == email)).one()
