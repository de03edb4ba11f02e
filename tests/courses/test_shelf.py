"""The catalogue kept between requests: as few statements as promised, and never an old fact."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, event, insert, select, update

from accounts.models import Organiser
from courses import catalogue, places, schedule, shelf
from courses.models import (
    Course,
    Edition,
    Place,
    Pool,
    Presenter,
    TicketPrice,
    TicketType,
    Venue,
    Workshop,
    WorkshopSession,
    ticket_pool,
    ticket_session,
    workshop_presenter,
)
from lib import db
from policies import versions
from tests.builders import (
    a_meeting,
    a_policy,
    a_pool,
    a_presenter,
    a_question,
    a_ticket,
    a_venue,
    a_workshop,
    an_organiser,
    arranged,
)
from tests.conftest import MORNING, Clock
from tests.page import PageClient

pytestmark = pytest.mark.both_databases


@contextmanager
def statements(app: Flask) -> Iterator[list[str]]:
    """What the database is asked inside the block, without BEGIN and COMMIT."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK")):
            asked.append(statement)

    with app.app_context():
        engine = db.engine()
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


def read(app: Flask) -> shelf.Shelf:
    with app.app_context():
        return shelf.read(MORNING, lambda kept: kept.workshops)


def forget(app: Flask) -> None:
    """As a process that has just been started."""
    app.extensions.pop("shelf", None)


def everything(app: Flask) -> str:
    """A workshop with something of every kind the catalogue shows; its slug."""
    with arranged(app):
        venue = a_venue()
        a_policy(name="By default")
        workshop = a_workshop(
            sessions=[a_meeting(in_days=20), a_meeting(in_days=27)],
            policy_id=a_policy(name="Of its own").id,
            venue=venue,
            format="hybrid",
            presenters=[a_presenter()],
        )
        online = a_pool(workshop, code="online", capacity=60)
        a_ticket(workshop, code="online", pools=[online], sessions=[1], prices={"GBP": 9000, "USD": 9500})
        a_presenter(name="Dr Omar Reyes")
        return workshop.slug


def one(kind: Any) -> Any:
    return db.session.scalars(select(kind).order_by(kind.id)).first()


def test_a_second_look_asks_once_and_tells_the_same(app: Flask, clock: Clock) -> None:
    everything(app)
    forget(app)
    with statements(app) as cold:
        first = read(app)
    with statements(app) as warm:
        second = read(app)

    assert len(cold) <= 6
    assert len(warm) == 1
    assert first.workshops == second.workshops
    assert first.workshops[0] is second.workshops[0]


def add(kind: Any, name: str, other: Any, number: int) -> None:
    row = one(kind)
    getattr(row, name).append(db.session.get_one(other, number))


def clear(kind: Any, number: int, name: str) -> None:
    row = db.session.get_one(kind, number)
    getattr(row, name).clear()


CHANGES: dict[str, Callable[[], object]] = {
    "an organiser's name": lambda: setattr(one(Organiser), "name", "Renamed"),
    "a course's summary": lambda: setattr(one(Course), "summary", "Another one."),
    "a workshop's title": lambda: setattr(one(Workshop), "title", "Another one"),
    "a workshop published": lambda: a_workshop(slug="another"),
    "a workshop cancelled": lambda: setattr(one(Workshop), "status", "cancelled"),
    "a session's title": lambda: setattr(one(WorkshopSession), "title", "The second half"),
    "a presenter's name": lambda: setattr(one(Presenter), "name", "Dr Ines Marsh-Reyes"),
    "a venue's address": lambda: setattr(one(Venue), "address", "5 Mill Lane, Leeds"),
    "a ticket's name": lambda: setattr(one(TicketType), "name", "Early bird"),
    "a new ticket": lambda: a_ticket(one(Workshop), code="late"),
    "a ticket hidden": lambda: setattr(one(TicketType), "is_hidden", True),
    "a price": lambda: setattr(one(TicketPrice), "minor", 1),
    "a price taken away": lambda: db.session.delete(one(TicketPrice)),
    "a pool's size": lambda: setattr(one(Pool), "capacity", 3),
    "another presenter": lambda: add(Workshop, "presenters", Presenter, 2),
    "no presenter": lambda: clear(Workshop, 1, "presenters"),
    "a ticket's pools": lambda: add(TicketType, "pools", Pool, 2),
    "a ticket's sessions": lambda: add(TicketType, "sessions", WorkshopSession, 1),
    "no session of a ticket's": lambda: clear(TicketType, 2, "sessions"),
    "a policy's next version": lambda: a_policy(name="Of its own", key="days_7_3"),
    "another policy": lambda: setattr(one(Workshop), "policy_id", a_policy(name="Another").id),
    "no policy of its own": lambda: setattr(one(Workshop), "policy_id", None),
    "another default": lambda: versions.make_default(a_policy(name="Another"), actor="user:1", now=MORNING),
    "a statement that changes a price": lambda: db.session.execute(update(TicketPrice).values(minor=1)),
    "a statement that changes a pool": lambda: db.session.execute(update(Pool.__table__).values(capacity=3)),  # type: ignore[arg-type]
    "a statement that takes prices away": lambda: db.session.execute(delete(TicketPrice)),
    "a statement that joins a presenter": lambda: db.session.execute(
        insert(workshop_presenter).values(organiser_id=1, workshop_id=1, presenter_id=2)
    ),
    "a statement that joins a pool": lambda: db.session.execute(
        insert(ticket_pool).values(organiser_id=1, ticket_type_id=1, pool_id=2)
    ),
    "a statement that joins a session": lambda: db.session.execute(
        insert(ticket_session).values(organiser_id=1, ticket_type_id=1, workshop_session_id=1)
    ),
    "a statement that parts them": lambda: db.session.execute(delete(workshop_presenter)),
}


@pytest.mark.parametrize("change", [pytest.param(change, id=name) for name, change in CHANGES.items()])
def test_every_kind_of_change_is_seen_by_the_next_look(app: Flask, clock: Clock, change: Callable[[], object]) -> None:
    everything(app)
    before = read(app)

    with arranged(app):
        change()
    after = read(app)
    forget(app)
    fresh = read(app)

    assert after.mark != before.mark
    assert after.workshops != before.workshops
    assert after.workshops == fresh.workshops


def test_every_table_the_catalogue_is_read_from_is_watched(app: Flask, clock: Clock) -> None:
    """A table that the six statements name and nobody watches would be the old fact nobody sees."""
    everything(app)
    forget(app)
    with statements(app) as asked:
        read(app)

    words = {word.strip('",()') for statement in asked for word in statement.split()}
    named = set(db.Base.metadata.tables) & words
    assert named - {"place", "edition"} == {kind.__tablename__ for kind in shelf.WATCHED} | {
        "workshop_presenter",
        "ticket_session",
        "ticket_pool",
        "bundle_ticket",
    }


def test_a_change_that_was_taken_back_leaves_the_edition_as_it_was(app: Flask, clock: Clock) -> None:
    everything(app)
    before = read(app)

    with pytest.raises(ZeroDivisionError):
        rename_and_fail(app)
    after = read(app)

    assert after.mark == before.mark
    assert after.workshops == before.workshops


def rename_and_fail(app: Flask) -> None:
    with arranged(app):
        one(Workshop).title = "Never kept"
        db.session.flush()
        seen = shelf.read(MORNING, lambda kept: kept.workshops)
        assert seen.workshops[0].title == "Never kept"
        raise ZeroDivisionError


def test_what_the_catalogue_does_not_show_leaves_the_edition_as_it_was(app: Flask, clock: Clock) -> None:
    everything(app)
    before = read(app)

    with arranged(app):
        a_question(one(Workshop))
        pool = one(Pool)
        places.hold({pool.id: 2}, organiser_id=1, until=MORNING + timedelta(hours=1), now=MORNING)
        pool.capacity = pool.capacity + 0

    with app.app_context():
        assert db.session.scalars(select(Edition.mark)).one() == before.mark


def test_there_is_one_edition_however_many_changes(app: Flask, clock: Clock) -> None:
    everything(app)
    for title in ("One", "Two"):
        with arranged(app):
            one(Workshop).title = title

    with app.app_context():
        assert len(db.session.scalars(select(Edition)).all()) == 1


def test_a_draft_is_on_no_shelf(app: Flask, clock: Clock) -> None:
    with arranged(app):
        a_workshop(status="draft")
        a_workshop(slug="cancelled", status="cancelled")
        a_workshop(slug="published")

    assert set(read(app).by_slug) == {"cancelled", "published"}


def test_places_are_counted_at_each_look(app: Flask, clock: Clock) -> None:
    slug = everything(app)

    def left(**later: float) -> int | None:
        with app.app_context():
            now = MORNING + timedelta(**later)
            found = shelf.read(now, lambda kept: kept.workshops)
            return catalogue.listing(found.by_slug[slug], found.claimed, now).offers[0].left

    with arranged(app):
        room = one(Pool).id
    assert left() == 20
    with arranged(app):
        held = places.hold({room: 3}, organiser_id=1, until=MORNING + timedelta(hours=1), now=MORNING)
    assert left() == 17
    assert left(hours=1) == 20
    with arranged(app):
        places.keep(held[room][:1], MORNING)
    assert left(hours=1) == 19
    with arranged(app):
        db.session.execute(update(Place).values(state="released", held_until=None))
    assert left() == 20


def test_the_first_look_of_a_process_counts_places_too(app: Flask, clock: Clock) -> None:
    slug = everything(app)
    with arranged(app):
        room = one(Pool).id
        places.hold({room: 3}, organiser_id=1, until=MORNING + timedelta(hours=1), now=MORNING)
    forget(app)

    with app.app_context():
        found = shelf.read(MORNING)
        assert catalogue.listing(found.by_slug[slug], found.claimed, MORNING).offers[0].left == 17


PAGES = ("/workshops", "/workshops.json", "/workshops.ics", "/", "/workshops/number-0", "/courses/course-0")


@pytest.mark.parametrize("is_cold", [True, False], ids=["cold", "warm"])
def test_pages_ask_as_much_of_3_workshops_as_of_300_and_at_most_six_times(
    app: Flask, clock: Clock, client: PageClient, is_cold: bool
) -> None:
    many(app, 0, 3)
    few = {path: number_asked(app, client, path, is_cold=is_cold) for path in PAGES}
    many(app, 3, 300)
    lots = {path: number_asked(app, client, path, is_cold=is_cold) for path in PAGES}

    assert lots == few
    # A course's own texts are read beside the shelf.
    assert few == {path: (6 if is_cold else 1) + (path in ("/", "/courses/course-0")) for path in PAGES}


def number_asked(app: Flask, client: PageClient, path: str, *, is_cold: bool) -> int:
    if is_cold:
        forget(app)
    else:
        client.get(path)
    with statements(app) as asked:
        answer = client.get(path)
    assert answer.status_code == 200
    return len(asked)


def many(app: Flask, first: int, last: int) -> None:
    """Workshops with two sessions, a room, two tickets in it and a presenter each."""
    numbers = range(first, last)
    with arranged(app):
        organiser, presenter, venue = an_organiser(), a_presenter(name=f"Presenter {first}"), a_venue()
        for n in numbers:
            db.session.add(
                Course(organiser_id=organiser.id, slug=f"course-{n}", title="Grief", summary="A day.", topic="grief")
            )
        db.session.flush()
        courses = {each.slug: each.id for each in db.session.scalars(select(Course))}
        workshops = [a_plain_workshop(n, organiser.id, courses[f"course-{n}"], venue.id) for n in numbers]
        for workshop in workshops:
            workshop.presenters = [presenter]
            workshop.pools = [Pool(organiser_id=organiser.id, code="room", capacity=20)]
            workshop.tickets = [a_plain_ticket(code, organiser.id) for code in ("standard", "reduced")]
            for each in workshop.tickets:
                each.pools = workshop.pools
        db.session.add_all(workshops)


def a_plain_workshop(n: int, organiser_id: int, course_id: int, venue_id: int) -> Workshop:
    workshop = Workshop(
        organiser_id=organiser_id,
        course_id=course_id,
        venue_id=venue_id,
        slug=f"number-{n}",
        title="Grief",
        format="hybrid",
        status="published",
        zone="Europe/London",
    )
    schedule.set_sessions(workshop, [a_meeting(in_days=20 + n % 60), a_meeting(in_days=90)])
    return workshop


def a_plain_ticket(code: str, organiser_id: int) -> TicketType:
    prices = [TicketPrice(organiser_id=organiser_id, currency=each, minor=9000) for each in ("GBP", "USD")]
    return TicketType(organiser_id=organiser_id, code=code, name=code, position=len(code), prices=prices)
