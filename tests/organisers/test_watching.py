"""The desk's page of viewers: who has watched how much, whose time ends unseen, and what the team changes."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from bookings.models import Attendee, Booking
from courses.models import Workshop
from lib import clock as product_clock
from lib import db
from mail.models import Letter
from recordings import outages
from recordings.models import AccessWindow, Recording, RecordingPart, Viewing
from tests.bookings.making import ANN, BOB
from tests.builders import a_workshop, arranged
from tests.conftest import Clock
from tests.organisers.conftest import DESK
from tests.organisers.desk import press, statements
from tests.page import PageClient, main_text
from tests.recordings.showing import PUBLISHED, a_film, a_recorded_workshop, booked, published, windows

CLEO = ("Cleo Crane", "cleo@clinic.example")


@pytest.fixture
def slug(app: Flask, clock: Clock) -> str:
    """A recording of three, Ann half way through, published and open."""
    found = a_recorded_workshop(app)
    booked(app, found, ANN, BOB, CLEO)
    kept = a_film(app, found)
    clock.set(PUBLISHED)
    published(app, kept)
    with arranged(app):
        own = db.session.scalars(select(AccessWindow).order_by(AccessWindow.id)).first()
        assert own is not None
        seen = Viewing(organiser_id=own.organiser_id, window_id=own.id, ranges=[[0, 96]], last_at=product_clock.now())
        db.session.add(seen)
        db.session.add(
            RecordingPart(
                organiser_id=own.organiser_id, recording_id=kept.id, position=1, file="0" * 32, size=3 * 1024**2,
                seconds=200, added_at=product_clock.now(),
            )
        )  # fmt: skip
    return found


def test_who_has_watched_how_much_and_what_is_stored(app: Flask, owner: PageClient, slug: str) -> None:
    said = main_text(owner.get(f"{DESK}/workshops/{slug}/watching"))

    assert "Ann Attwood 50 %" in said
    assert "Bob Barnes 0 % never" in said
    assert "Films of this workshop take 3.1 MB of the store, all of yours 3.1 MB" in said
    assert "with nothing watched" not in said


def test_whose_time_ends_unseen(app: Flask, owner: PageClient, slug: str, clock: Clock) -> None:
    page = f"{DESK}/workshops/{slug}/watching"
    clock.set("2027-04-08T17:00:00Z")
    assert "2 close within a week with nothing watched." in main_text(owner.get(page))

    said = main_text(owner.get(f"{page}?show=unseen"))
    assert ("Bob Barnes" in said, "Cleo Crane" in said, "Ann Attwood" in said) == (True, True, False)
    by_name = main_text(owner.get(f"{page}?order=name"))
    assert by_name.index("Ann Attwood") < by_name.index("Bob Barnes") < by_name.index("Cleo Crane")
    least = main_text(owner.get(f"{page}?order=watched"))
    assert least.index("Cleo Crane") < least.index("Ann Attwood")
    assert "Nobody fits." in main_text(owner.get(f"{page}?show=finished"))


def test_one_person_s_days(app: Flask, owner: PageClient, slug: str) -> None:
    with app.app_context():
        number = db.session.scalars(
            select(AccessWindow.id)
            .join(Attendee, Attendee.id == AccessWindow.attendee_id)
            .where(Attendee.email == BOB[1])
        ).one()
    page = f"{DESK}/workshops/{slug}/watching/{number}"
    answer = press(owner, page, page, act="extend", days="14", why="In hospital")
    assert answer.status_code == 303

    said = main_text(owner.get(answer.location))
    assert "There are more days, and a letter says until when." in said
    assert "Closes on Tuesday 27 April 2027, 18:00 BST (London)" in said
    assert "More days to watch the recording, session 1, open until Tuesday 27 April 2027" in said
    assert "Reason: In hospital." in said
    with app.app_context():
        reference = db.session.scalars(select(Booking.reference)).one()
        letter = db.session.scalars(select(Letter).where(Letter.template == "recording_longer")).one()
        assert letter.to_email == BOB[1]
        assert "hospital" not in str(letter.values)
    assert "More days to watch the recording" in main_text(owner.get(f"{DESK}/bookings/{reference}"))
    assert press(owner, page, page, act="resume", why="Better").status_code == 409


def test_everybody_s_days(app: Flask, owner: PageClient, slug: str, clock: Clock) -> None:
    page = f"{DESK}/workshops/{slug}/watching"
    assert press(owner, page, f"{page}/everybody", act="pause", why="A name was said").status_code == 303
    said = main_text(owner.get(page))
    assert "Paused for everybody" in said
    assert said.count("time is kept") == 3
    clock.shift(days=1)
    assert press(owner, page, f"{page}/everybody", act="resume", why="It is cut out").status_code == 303

    assert {closes for _, _, closes in windows(app)} == {"2027-04-14T17:00:00Z"}
    assert press(owner, page, f"{page}/everybody", act="resume", why="Again").status_code == 409


def test_an_outage_is_shown_while_it_lasts_and_afterwards(
    app: Flask, owner: PageClient, slug: str, clock: Clock
) -> None:
    page = f"{DESK}/workshops/{slug}/watching"
    with arranged(app):
        number = db.session.scalars(select(Recording.id)).one()
        outages.note({number: "The film could not be read."}, product_clock.now())
    assert "It cannot be watched now" in main_text(owner.get(page))
    now = clock.shift(hours=2)
    with arranged(app):
        outages.note({number: ""}, now)

    said = main_text(owner.get(page))
    assert "It cannot be watched now" not in said
    assert "2 hours added. The film could not be read." in said


def test_another_organiser_s_windows_are_not_there(app: Flask, owner: PageClient, slug: str) -> None:
    other = a_recorded_workshop(app)
    with app.app_context():
        number = db.session.scalars(select(AccessWindow.id).order_by(AccessWindow.id)).first()

    assert owner.get(f"{DESK}/workshops/{other}/watching/{number}").status_code == 404


def copies(row: Any, number: int, **columns: str) -> list[Any]:
    """Rows like this one; `columns` are filled with their number."""
    own = {each.key: getattr(row, each.key) for each in row.__mapper__.column_attrs if each.key not in ("id", *columns)}
    return [type(row)(**own, **{name: text.format(n) for name, text in columns.items()}) for n in range(number)]


def test_three_hundred_viewers_cost_as_many_statements_as_three(app: Flask, owner: PageClient, slug: str) -> None:
    page = f"{DESK}/workshops/{slug}/watching"
    pages = [page, f"{page}?show=open", f"{page}?order=name"]
    few = [statements(app, lambda each=each: owner.get(each)) for each in pages]  # type: ignore[misc]
    with arranged(app):
        cleo = db.session.scalars(select(Attendee).where(Attendee.email == CLEO[1])).one()
        own = db.session.scalars(select(AccessWindow).where(AccessWindow.attendee_id == cleo.id)).one()
        more = copies(cleo, 297, email="p{}@x.example", name="P {}")
        for n, each in enumerate(more):
            each.n = 10 + n
        db.session.add_all(more)
        db.session.flush()
        for each, window in zip(more, copies(own, 297), strict=True):
            window.attendee_id = each.id
            db.session.add(window)

    assert [statements(app, lambda each=each: owner.get(each)) for each in pages] == few  # type: ignore[misc]
    assert "300 people may watch" in main_text(owner.get(page))
    assert "Page 1 of 6" in main_text(owner.get(page))


def test_how_the_days_are_counted_is_set_at_the_desk_and_said_on_the_page(
    app: Flask, owner: PageClient, client: PageClient, clock: Clock
) -> None:
    with arranged(app):
        made = a_workshop(catch_up_offered=True, in_days=20)
        slug, page = made.slug, f"{DESK}/workshops/{made.slug}/edit"
    choice: dict[str, str | bool] = {"catch_up_from": "last session", "catch_up_days": "14", "one_at_a_time": True}
    assert press(owner, page, page, **choice).status_code == 303

    with app.app_context():
        kept = db.session.scalars(select(Workshop).where(Workshop.slug == slug)).one()
        assert (kept.catch_up_from, kept.catch_up_days, kept.one_at_a_time) == ("last session", 14, True)
    said = main_text(client.get(f"/workshops/{slug}"))
    assert "Catch-up until 14 days after the last session." in said
    assert "until 14 days after the last session has ended, at the same hour of the day in London." in said
