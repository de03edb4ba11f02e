"""Recordings for tests: a workshop with catch-up, its films on disk, and people who may watch them."""

import io
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from bookings.models import Attendee, Booking
from courses.models import Workshop, WorkshopSession
from lib import clock, db
from recordings import access, publishing, storage
from recordings.film import Film
from recordings.models import AccessWindow, Recording
from tests.bookings.making import ANN, Made, a_wish, held
from tests.builders import a_ticket, a_workshop, arranged
from tests.page import PageClient, tree

BYTES = bytes(n % 256 for n in range(10240))
PUBLISHED, CLOSES = "2027-03-16T18:00:00Z", "2027-04-13T17:00:00Z"  # 18:00 in London, the clocks go forward between


@dataclass(frozen=True)
class Kept:
    """A recording as tests name it."""

    id: int
    key: str


def a_recorded_workshop(app: Flask, *, with_paid: bool = False, **columns: Any) -> str:
    """Free, so that a booking is confirmed at once; its slug. With a ticket `paid`, whose booking waits for money."""
    with arranged(app):
        workshop = a_workshop(**{"price_minor": 0, "catch_up_offered": True, "in_days": 7, **columns})
        if with_paid:
            a_ticket(workshop, code="paid", prices={"GBP": 5000})
        return workshop.slug


def booked(app: Flask, slug: str, *people: tuple[str, str]) -> Made:
    """A confirmed booking."""
    return held(app, a_wish(slug, people=people or (ANN,)))


def a_film(app: Flask, slug: str, *, number: int = 1, body: bytes = BYTES, seconds: int = 192) -> Kept:
    """The session's film, stored and not published. Any bytes: nobody here looks at the pictures."""
    with app.app_context():
        key, size = storage.keep(io.BytesIO(body))
        with db.writing():
            session = session_of(slug, number)
            old = publishing.put_film(session, key, size, Film("video/mp4", seconds), actor="user:1", now=clock.now())
            found = db.session.scalars(select(Recording).where(Recording.session_id == session.id)).one().id
        storage.forget(old)
        return Kept(found, key)


def published(app: Flask, kept: Kept) -> int:
    """Look it through and publish it now; how many windows that made."""
    with app.app_context(), db.writing():
        publishing.review(kept.id, actor="user:1", now=clock.now())
        return publishing.publish(kept.id, actor="user:1", now=clock.now())


def withdrawn(app: Flask, kept: Kept) -> None:
    with app.app_context(), db.writing():
        publishing.withdraw(kept.id, actor="user:1", why="somebody asked", now=clock.now())


def address(app: Flask, made: Made, kept: Kept, n: int = 0) -> str:
    """The path of an attendee's own player page."""
    with app.app_context():
        attendee = db.session.scalars(
            select(Attendee).join(Booking).where(Booking.id == made.id, Attendee.n == n)
        ).one()
        return urlsplit(access.url(attendee, kept.id)).path


class Playing:
    """One open page of a player, as its script knows it."""

    def __init__(self, client: PageClient, page: str) -> None:
        self.client = client
        self.page = page
        shown = tree(client.get(page).get_data(as_text=True)).find(".//video")
        assert shown is not None
        self.said = {name.removeprefix("data-"): value for name, value in shown.items() if name.startswith("data-")}

    def report(self, ranges: Any, **more: Any) -> TestResponse:
        """Say what was played; `at` is where the player stands."""
        headers = {"X-CSRFToken": self.said["token"], "Accept": "application/json"}
        sent = {"ranges": ranges, "tab": self.said["tab"], **more}
        return self.client.post(f"{self.page}/watched", json=sent, headers=headers)


def windows(app: Flask) -> list[tuple[str, str, str]]:
    """Every window: whose, from, until."""
    with app.app_context():
        rows = db.session.execute(
            select(Attendee.email, AccessWindow.opens_at, AccessWindow.closes_at)
            .join(Attendee, Attendee.id == AccessWindow.attendee_id)
            .order_by(AccessWindow.id)
        )
        return [(email, f"{opens:%Y-%m-%dT%H:%M:%SZ}", f"{closes:%Y-%m-%dT%H:%M:%SZ}") for email, opens, closes in rows]


def session_of(slug: str, number: int = 1) -> WorkshopSession:
    return db.session.scalars(
        select(WorkshopSession).join(Workshop).where(Workshop.slug == slug, WorkshopSession.number == number)
    ).one()
