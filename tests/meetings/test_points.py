"""Where a session meets: what is a link, and that it is kept once and told to nobody."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from courses.models import WorkshopSession
from history.models import Entry
from lib import clock as product_clock
from lib import db
from meetings import points
from meetings.models import MeetingPoint
from tests.builders import a_workshop, arranged
from tests.conftest import Clock

LINK = "https://zoom.example/j/912345678?pwd=Zm9v&uname=a%20b"


@pytest.fixture
def inside(app: Flask, clock: Clock) -> Iterator[Flask]:
    with app.app_context():
        yield app


@pytest.mark.parametrize("text", [LINK, f"  {LINK}\n", "https://meet.example", "https://meet.example:8443/a?b=c#d"])
def test_a_link_is_kept_as_it_is(inside: Flask, text: str) -> None:
    assert points.checked_url(text) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "zoom.us/j/9",
        "http://zoom.us/j/9",
        "http://localhost:4000/room/a/1",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://",
        "https:///j/9",
        "//zoom.us/j/9",
        "https://zoom.us/j/9\nBcc: x@y.example",
        "https://zoom.us/j/9 https://zoom.us/j/8",
        "https://zoom.us/j/\x009",
        "https://zoom.us/\u202ej",
        "https://ann:secret@zoom.us/j/9",
        "https://zoom.us@evil.example/",
        "https://zoom.us:99999/j",
        "https://[::1/j",
        "https://zoom.us\\@evil.example/",
        "https://zoom.us/" + "j" * 2000,
    ],
)
def test_anything_else_is_refused_with_a_sentence(inside: Flask, text: str) -> None:
    with pytest.raises(points.PointRefused) as refused:
        points.checked_url(text)
    assert refused.value.field == "url"
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize("text", ["http://localhost:4000/room/a/1", "http://127.0.0.1/x", "http://[::1]:4000/x"])
def test_a_page_of_this_machine_will_do_in_the_demo_alone(
    inside: Flask, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(inside.config, "COLLOQUY_DEMO", "1")
    assert points.checked_url(text) == text
    with pytest.raises(points.PointRefused):
        points.checked_url("http://zoom.us/j/9")


def test_numbers_are_lines_of_text(inside: Flask) -> None:
    assert points.checked_numbers(" +44 20 7946 0000 (London)\r\n\r\n+33 1\t23\x07\n") == (
        "+44 20 7946 0000 (London)\n+33 1 23"
    )
    for text in ("1\n" * 13, "1" * 121):
        with pytest.raises(points.PointRefused):
            points.checked_numbers(text)


@pytest.mark.both_databases
def test_the_last_one_stands_and_the_history_does_not_say_which(app: Flask, clock: Clock) -> None:
    with arranged(app):
        session = a_workshop().sessions[0]
        points.set_point(session, url="https://old.example/1", actor="user:1", now=product_clock.now())
        points.set_point(
            session, url=LINK, phone_numbers="1\n2", passcode=" 7 ", actor="user:1", now=clock.shift(days=1)
        )

    with app.app_context():
        session = db.session.scalars(select(WorkshopSession)).one()
        point = points.of_session(session.id)
        assert point is not None
        assert (point.url, point.phone_numbers, point.passcode, point.changed_at) == (LINK, "1\n2", "7", clock.at)
        assert points.with_points([session.id, 999]) == {session.id}
        told = list(db.session.scalars(select(Entry).order_by(Entry.id)))
        assert [each.verb for each in told] == ["meeting_point_set"] * 2
        assert not any("example" in str(each.facts) for each in told)


@pytest.mark.both_databases
def test_a_refused_one_changes_nothing_and_one_taken_away_is_gone(app: Flask, clock: Clock) -> None:
    with arranged(app):
        session = a_workshop().sessions[0]
        points.set_point(session, url=LINK, actor="user:1", now=clock.at)
        for wrong in ({"url": "http://x.example"}, {"url": LINK, "passcode": "9" * 41}):
            with pytest.raises(points.PointRefused):
                points.set_point(session, **wrong, actor="user:1", now=clock.at)
        assert db.session.scalars(select(MeetingPoint.url)).all() == [LINK]
        points.clear_point(session, actor="user:1", now=clock.at)
        points.clear_point(session, actor="user:1", now=clock.at)
        assert points.of_session(session.id) is None
        assert list(db.session.scalars(select(Entry.verb).order_by(Entry.id))) == [
            "meeting_point_set",
            "meeting_point_cleared",
        ]
