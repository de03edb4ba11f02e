"""A published film is cut again: what people watched and wrote down stays with the moments that it is about."""

import io

import pytest
from flask import Flask
from sqlalchemy import select

from lib import clock as product_clock
from lib import db
from recordings import making, notes, publishing, storage
from recordings.film import Film
from recordings.making import Made
from recordings.models import AccessWindow, Recording, Viewing
from recordings.note_models import Note
from tests.conftest import Clock
from tests.recordings.arrived import cut
from tests.recordings.showing import a_film, a_recorded_workshop, booked, published

WATCHED, LEFT_OFF, NOTED = [[20, 120]], 140, 150
CUT = Film("video/mp4", 162, kept=((0, 100), (130, 192)))  # of 192 seconds


@pytest.fixture
def recording_id(app: Flask, clock: Clock) -> int:
    """A published film of 192 seconds; Ann has watched some of it, stands at a place in it and has written a note."""
    slug = a_recorded_workshop(app)
    booked(app, slug)
    kept = a_film(app, slug)
    clock.set("2027-03-16T18:00:00Z")
    published(app, kept)
    with app.app_context(), db.writing():
        own = db.session.scalars(select(AccessWindow)).one()
        db.session.add(
            Viewing(
                organiser_id=own.organiser_id, window_id=own.id, ranges=WATCHED, position=LEFT_OFF, tabs={},
                last_at=clock.at,
            )
        )  # fmt: skip
        notes.write(own.organiser_id, own.attendee_id, kept.id, NOTED, "Ask about this.", clock.at)
    return kept.id


def made_of(app: Flask, recording_id: int, film: Film, *, whole: str = "") -> None:
    """What the worker hands over once it has made a film of what was asked; of another one where `whole` is given."""
    now = product_clock.now()
    with app.app_context(), db.writing():
        recording = db.session.get_one(Recording, recording_id)
        recording.making, recording.turn = "waiting", recording.turn + 1
        if whole:
            recording.whole, recording.draft = "", {}
        wanted = making.begin(recording_id, recording.turn)
        assert wanted is not None
        source = whole or wanted.whole
        file = source if not film.kept else storage.keep(io.BytesIO(b"cut"))[0]
        making.finish(recording_id, recording.turn, Made(source, 192, file, 3, film), now)


def accepted(app: Flask, recording_id: int) -> None:
    with app.app_context(), db.writing():
        turn = db.session.get_one(Recording, recording_id).turn
        making.accept(recording_id, turn, actor="user:7", now=product_clock.now())


def stands(app: Flask) -> tuple[list[list[int]], int, int]:
    """What is watched, where it goes on, and where the note is."""
    with app.app_context():
        viewing, note = db.session.scalars(select(Viewing)).one(), db.session.scalars(select(Note)).one()
        return viewing.ranges, viewing.position, note.at


@pytest.mark.both_databases
def test_it_is_carried_into_the_new_film_when_that_is_shown_and_back(app: Flask, recording_id: int) -> None:
    cut(app, recording_id, cuts=[(100, 130)])
    made_of(app, recording_id, CUT)
    assert stands(app) == (WATCHED, LEFT_OFF, NOTED)
    accepted(app, recording_id)
    assert stands(app) == ([[20, 100]], 110, 120)

    made_of(app, recording_id, Film("video/mp4", 192))
    accepted(app, recording_id)
    assert stands(app) == ([[20, 100]], 140, 150)


def test_a_second_cut_of_what_waits_to_be_looked_through_counts_from_what_is_shown(
    app: Flask, recording_id: int
) -> None:
    made_of(app, recording_id, Film("video/mp4", 100, kept=((0, 100),)))
    made_of(app, recording_id, CUT)
    accepted(app, recording_id)
    assert stands(app) == ([[20, 100]], 110, 120)


def test_in_a_film_that_was_taken_back_it_is_carried_at_once(app: Flask, recording_id: int) -> None:
    with app.app_context(), db.writing():
        publishing.withdraw(recording_id, actor="user:1", why="a name is heard", now=product_clock.now())
    made_of(app, recording_id, CUT)
    assert stands(app) == ([[20, 100]], 110, 120)


def test_another_film_has_other_moments_and_nothing_is_carried(app: Flask, recording_id: int) -> None:
    made_of(app, recording_id, Film("video/mp4", 192), whole="b" * 32)
    made_of(app, recording_id, CUT)  # of the new one
    accepted(app, recording_id)
    assert stands(app) == (WATCHED, LEFT_OFF, NOTED)
