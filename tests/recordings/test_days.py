"""The marks of the days, and as many questions to the database for many places as for one."""

from datetime import datetime
from typing import Any

import html5lib
import pytest
from flask import Flask, render_template_string
from sqlalchemy import event, select

from bookings import pages
from bookings.models import Attendee
from lib import db
from recordings import access
from tests.bookings.making import ANN
from tests.conftest import Clock
from tests.recordings.showing import a_film, a_recorded_workshop, booked, published

SVG = "{http://www.w3.org/2000/svg}"
MACRO = '{% from "macros/days.html" import days %}{{ days(opens, closes, now, "Europe/London") }}'


def drawn(app: Flask, opens: str, closes: str, now: str) -> tuple[list[int], str]:
    """How many marks are gone, today and left; and the words."""
    at = {name: datetime.fromisoformat(text) for name, text in (("opens", opens), ("closes", closes), ("now", now))}
    with app.test_request_context("/"):
        tree: Any = html5lib.parseFragment(render_template_string(MACRO, **at), namespaceHTMLElements=False)
    kinds = [each.get("class") for each in tree.iter(f"{SVG}rect")]
    return [kinds.count(f"days-{kind}") for kind in ("gone", "today", "left")], " ".join(
        "".join(tree.itertext()).split()
    )


@pytest.mark.parametrize(
    ("now", "marks", "says"),
    [
        ("2025-03-17T12:00Z", [0, 1, 27], "Day 1 of 28; 28 days are left."),
        ("2025-04-02T08:00Z", [16, 1, 11], "Day 17 of 28; 12 days are left."),
        ("2025-04-12T23:30Z", [27, 1, 0], "Day 28 of 28; 1 day is left."),
        ("2025-04-14T10:59Z", [28, 0, 0], "This is the last day."),
    ],
)
def test_the_days_of_the_catalogue_s_spring(app: Flask, now: str, marks: list[int], says: str) -> None:
    found, words = drawn(app, "2025-03-17T12:00Z", "2025-04-14T11:00Z", now)

    assert found == marks
    assert words == f"{says} It opened on 17 March at 12:00 GMT, and the clocks go forward in between."


def test_a_window_of_its_own_length(app: Flask) -> None:
    found, words = drawn(app, "2025-05-01T12:00Z", "2025-05-06T12:00Z", "2025-05-03T12:00Z")

    assert found == [2, 1, 2]
    assert words == "Day 3 of 5; 3 days are left. It opened on 1 May at 13:00 BST."


def test_many_places_ask_as_often_as_one(app: Flask, clock: Clock) -> None:
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, text: str, *_: Any) -> None:
        asked.append(text)

    for _ in range(6):
        slug = a_recorded_workshop(app)
        booked(app, slug)
        published(app, a_film(app, slug))
    with app.app_context():
        engine = db.engine()
        event.listen(engine, "before_cursor_execute", note)
        counts = []
        for most in (1, 6):
            db.session.expunge_all()
            attendees, _ = pages.links_of(ANN[1], clock.now())
            asked.clear()
            shown = access.of_attendees(attendees[:most], clock.now())
            assert [len(each) for each in shown.values()] == [1] * most
            counts.append(len(asked))
        assert len(db.session.scalars(select(Attendee)).all()) == 6
        event.remove(engine, "before_cursor_execute", note)
    assert counts[0] == counts[1]
