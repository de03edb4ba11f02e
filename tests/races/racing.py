"""What races need: a pause in the middle of a step that lasts until the others got there too, ways to take a guard
away, and buyers with browsers of their own."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import Connection, Select, event, func, select

from bookings import audit, checkout, choosing
from bookings.models import Booking, DiscountCode, Redemption
from courses.models import Place, Pool
from courses.places import counts
from lib import clock, db
from payments.models import PaymentAttempt
from tests.page import PageClient, form

_buyers = count(1)


class Meeting:
    """A point in the code where a thread waits for the others, but not for ever: a guard may keep them from coming."""

    def __init__(self, parties: int, patience: float = 0.25, *, after: int = 0) -> None:
        """`parties` wait for each other, at most `patience` seconds; the first `after` to come do not wait."""
        self._after = after
        self._parties = parties + after
        self._patience = patience
        self._here = 0
        self._all = threading.Condition()

    def wait(self) -> None:
        with self._all:
            self._here += 1
            self._all.notify_all()
            if self._here > self._after:
                self._all.wait_for(lambda: self._here >= self._parties, self._patience)


def pausing(patch: pytest.MonkeyPatch, module: Any, name: str, meeting: Meeting) -> None:
    """Let every call of a module's function end at the meeting: between what it looked up and what follows from it."""
    real = getattr(module, name)

    def paused(*args: Any, **kwargs: Any) -> Any:
        found = real(*args, **kwargs)
        meeting.wait()
        return found

    patch.setattr(module, name, paused)


def set_apart(patch: pytest.MonkeyPatch, module: Any, name: str, meeting: Meeting) -> None:
    """Take the guard away: what this function looks up is no longer in the transaction of what follows from it.

    That is what a system does that checks first and writes later. Nothing is locked while the threads meet between the
    two, on either database; what follows is written in a sound transaction of its own.
    """
    real = getattr(module, name)

    def apart(*args: Any, **kwargs: Any) -> Any:
        db.session.commit()
        found = real(*args, **kwargs)
        db.session.commit()
        meeting.wait()
        db.session.connection(execution_options={"colloquy_writing": True})
        return found

    patch.setattr(db, "_turn", nullcontext)
    patch.setattr(module, name, apart)


@contextmanager
def without_locks(app: Flask) -> Iterator[None]:
    """Take the locks away: FOR UPDATE on PostgreSQL, the turns of writers and BEGIN IMMEDIATE on SQLite."""

    def begin_deferred(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    with app.app_context():
        engine = db.engine()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Select, "with_for_update", lambda self, *_args, **_kwargs: self)
        patch.setattr(db, "_turn", nullcontext)
        if engine.dialect.name == "sqlite":
            event.remove(engine, "begin", db._begin_sqlite)
            event.listen(engine, "begin", begin_deferred)
        try:
            yield
        finally:
            if engine.dialect.name == "sqlite":
                event.remove(engine, "begin", begin_deferred)
                event.listen(engine, "begin", db._begin_sqlite)


def together(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Every call in a thread of its own, without an application's context; results or exceptions, in order."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        start.wait(30)
        try:
            return call()
        except Exception as problem:
            return problem

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def kinds(results: Sequence[Any]) -> list[str]:
    """What each call came to: `sold`, or the name of its exception; sorted."""
    return sorted(type(each).__name__ if isinstance(each, Exception) else "sold" for each in results)


# Buyers below the pages


def a_wish(slug: str, *, people: int = 1, ticket: str = "standard", code: str = "", email: str = "") -> choosing.Wish:
    """A filled form of somebody nobody has heard of."""
    number = next(_buyers)
    attending = (
        choosing.Attending(n, f"Attendee {number}.{n}", f"attendee-{number}-{n}@clinic.example", ticket, {})
        for n in range(people)
    )
    return choosing.Wish(
        slug=slug,
        currency="GBP",
        attending=tuple(attending),
        booker_name=f"Buyer {number}",
        booker_email=email or f"buyer-{number}@clinic.example",
        code=code,
        zone="Europe/London",
        wants_letters=False,
        terms_version="2026-11",
        once=None,
        once_digest=None,
    )


def buying(wish: choosing.Wish) -> Callable[[], str]:
    """A buyer inside an application's context: the write transaction of a booking and nothing else."""

    def buy() -> str:
        with db.writing():
            reference: str = checkout.start(wish, clock.now()).reference
        return reference

    return buy


# Buyers with browsers


@dataclass
class Buyer:
    """Somebody with the booking form filled in before them."""

    client: PageClient
    address: str
    sent: dict[str, list[str]]

    def press(self) -> Any:
        """Send the form; the answer."""
        return self.client.post(self.address, data=self.sent, headers={"Accept": "application/json"})


def a_buyer(client: PageClient, slug: str, changes: Mapping[str, str | bool] | None = None) -> Buyer:
    """Fetch the booking form and fill it in for one new person."""
    number = next(_buyers)
    filled = form(client.get(f"/workshops/{slug}/bookings/new"), "bookings")
    filled.fill(
        {
            "booker_name": f"Buyer {number}",
            "booker_email": f"buyer-{number}@clinic.example",
            "attendee-0-name": f"Attendee {number}",
            "attendee-0-email": f"attendee-{number}@clinic.example",
            "agree_terms": True,
            **(changes or {}),
        }
    )
    return Buyer(client, f"/workshops/{slug}/bookings", filled.sent())


def page_of(answer: Any) -> str:
    """The path at Stripe that an answer leads to."""
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return str(urlsplit(answer.location).path)


# What is left


def claimed(app: Flask, slug: str) -> dict[str, int]:
    """How many places of each of a workshop's pools count now."""
    with app.app_context():
        rows = db.session.execute(
            select(Pool.code, func.count(Place.id))
            .join(Pool.workshop)
            .outerjoin(Place, (Place.pool_id == Pool.id) & counts(clock.now()))
            .where(Pool.workshop.has(slug=slug))
            .group_by(Pool.code)
        )
        return dict(rows.all())


def bookings(app: Flask) -> list[tuple[str, str]]:
    """Reference and state of every booking, oldest first."""
    with app.app_context():
        rows = db.session.execute(select(Booking.reference, Booking.state).order_by(Booking.id))
        return list(rows.all())


def live_attempts(app: Flask) -> int:
    with app.app_context():
        live = PaymentAttempt.state.in_(("opening", "open"))
        return db.session.scalar(select(func.count()).select_from(PaymentAttempt).where(live)) or 0


def faults(app: Flask) -> list[str]:
    """What the audit of the books finds."""
    with app.app_context():
        return [f"{fault.about}: {fault.what}" for fault in audit.faults(clock.now())]


def code_uses(app: Flask, code: str) -> int:
    """How often a code counts as used now."""
    with app.app_context():
        uses = select(func.count()).select_from(Redemption).join(Redemption.code)
        return db.session.scalar(uses.where(DiscountCode.code == code, Redemption.state != "released")) or 0
