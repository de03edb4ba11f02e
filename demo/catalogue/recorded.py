"""Two workshops that are just over, with films the attendee may watch: one for weeks, one until tomorrow."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from sqlalchemy import select

from courses.models import Workshop
from courses.schedule import Meeting
from demo.catalogue import guests
from demo.catalogue.read import Taught
from demo.film import files
from lib import db, zones
from recordings import film, publishing, storage
from recordings.models import Recording

ACTOR = "demo"
BOOKED_BEFORE = timedelta(days=9)


def held(taught: Taught, now: datetime) -> list[Meeting]:
    """Its one meeting, on the last working day before the day but one before its recording was published."""
    day = zones.wall(now, taught.zone).date() - timedelta(days=taught.when.published_days_ago + 2)
    while day.weekday() > 4:
        day -= timedelta(days=1)
    starts, ends = taught.when.hours
    return [Meeting(datetime.combine(day, starts), datetime.combine(day, ends), taught.zone)]


def published_at(taught: Taught, now: datetime) -> datetime:
    """So many days ago, at the clock time of the file there."""
    day = zones.wall(now, taught.zone).date() - timedelta(days=taught.when.published_days_ago)
    return zones.instant(datetime.combine(day, taught.when.published or time(12)), taught.zone)


def attend(workshop: Workshop, guest: guests.Guest) -> None:
    """A confirmed booking from before the day, without the letters of that time."""
    guests.invite_quietly(workshop, guest, workshop.starts_at - BOOKED_BEFORE)


def publish(workshop: Workshop, at: datetime) -> None:
    """Its film with captions, published at that time: a window and a letter for everybody who has a place."""
    for session in workshop.sessions:
        key, seen, size = _film()
        publishing.put_film(session, key, size, seen, actor=ACTOR, now=at - timedelta(hours=2))
        recording = db.session.scalars(select(Recording).where(Recording.session_id == session.id)).one()
        with files.CAPTIONS.open("rb") as text:
            words, _ = storage.keep(text)
        publishing.put_captions(recording.id, "en", "English", words, actor=ACTOR, now=at - timedelta(hours=1))
        publishing.review(recording.id, actor=ACTOR, now=at)
        publishing.publish(recording.id, actor=ACTOR, now=at)


def add(made: Sequence[tuple[Workshop, Taught]], guest: guests.Guest, now: datetime) -> None:
    for workshop, taught in made:
        attend(workshop, guest)
        publish(workshop, published_at(taught, now))


def _film() -> tuple[str, film.Film, int]:
    with files.FILM.open("rb") as file:
        key, size = storage.keep(file)
    return key, film.Film(film.MP4, files.SECONDS), size
