"""Windows moved at the desk's wish: more days, a pause, and going on, for one person or for all."""

from dataclasses import dataclass
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import select

from bookings.models import Attendee
from history.models import Entry
from lib import clock as product_clock
from lib import db
from mail.models import Letter
from recordings import publishing, windows
from recordings.models import AccessWindow, Recording
from recordings.windows import NothingToChange, Wish
from tests.bookings.making import ANN, BOB, a_wish, held, receive
from tests.builders import a_meeting
from tests.conftest import Clock
from tests.page import PageClient, main_text
from tests.recordings.showing import CLOSES, PUBLISHED, Kept, a_film, a_recorded_workshop, address, booked, published
from tests.recordings.showing import windows as all_windows

pytestmark = pytest.mark.both_databases
LAST = "2027-04-20T15:00:00Z"  # 28 days after 16:00 GMT, on summer time


@dataclass(frozen=True)
class Shown:
    """Ann's and Bob's recording, and Ann's pages."""

    id: int
    page: str
    place: str


@pytest.fixture
def kept(app: Flask, clock: Clock) -> Shown:
    """Just published."""
    slug = a_recorded_workshop(app, with_paid=True)
    made = booked(app, slug, ANN, BOB)
    found = a_film(app, slug)
    clock.set(PUBLISHED)
    assert published(app, found) == 2
    return Shown(found.id, address(app, made, found), made.places[0])


def media(client: PageClient, page: str) -> int:
    answer = client.get(f"{page}/media")
    answer.get_data()  # to its end, where the file is closed
    return answer.status_code


def one(app: Flask, who: str, act: windows.Act, days: int = 0) -> None:
    with app.app_context(), db.writing():
        number = db.session.scalars(
            select(AccessWindow.id).join(Attendee, Attendee.id == AccessWindow.attendee_id).where(Attendee.email == who)
        ).one()
        windows.change_one(number, Wish(act, "asked for", days), actor="user:1", now=product_clock.now())


def everybody(app: Flask, kept: Shown | Kept, act: windows.Act, days: int = 0) -> int:
    with app.app_context(), db.writing():
        wish = Wish(act, "asked for", days)
        return windows.change_all(kept.id, wish, actor="user:1", now=product_clock.now())


def ends(app: Flask) -> dict[str, str]:
    return {email: closes for email, _, closes in all_windows(app)}


def told(app: Flask, who: str) -> list[str]:
    with app.app_context():
        wanted = select(Letter.template).where(Letter.to_email == who).order_by(Letter.id)
        return [each for each in db.session.scalars(wanted) if each.startswith("recording_")]


def deeds(app: Flask) -> list[tuple[str, str, str]]:
    with app.app_context():
        rows = db.session.scalars(select(Entry).where(Entry.verb.like("window_%")).order_by(Entry.id))
        return [(each.verb, each.facts["why"], each.actor) for each in rows if each.about.startswith("attendee:")]


def test_more_days_for_one(app: Flask, kept: Shown, clock: Clock) -> None:
    one(app, ANN[1], "extend", 7)

    assert ends(app) == {ANN[1]: "2027-04-20T17:00:00Z", BOB[1]: CLOSES}
    assert told(app, ANN[1]) == ["recording_ready", "recording_longer"]
    assert told(app, BOB[1]) == ["recording_ready"]
    assert deeds(app) == [("window_extended", "asked for", "user:1")]
    with app.app_context():
        own = db.session.scalars(select(AccessWindow).order_by(AccessWindow.id)).first()
        assert own is not None
        assert own.extended_why == "asked for"


def test_what_is_over_opens_again_for_so_many_days_from_now(
    app: Flask, client: PageClient, kept: Shown, clock: Clock
) -> None:
    clock.set("2027-04-15T08:00:00Z")
    assert media(client, kept.page) == 403

    one(app, ANN[1], "extend", 3)
    assert media(client, kept.page) == 200
    assert ends(app)[ANN[1]] == "2027-04-18T08:00:00Z"


def test_more_days_for_all_are_for_those_who_come_later_too(app: Flask, clock: Clock) -> None:
    slug = a_recorded_workshop(app, with_paid=True, late_buyers_share=True)
    booked(app, slug)
    late = held(app, a_wish(slug, people=[BOB], ticket="paid"))
    kept = a_film(app, slug)
    clock.set(PUBLISHED)
    published(app, kept)

    assert everybody(app, kept, "extend", 7) == 1
    clock.shift(days=1)
    receive(app, late)
    with app.app_context(), db.writing():
        publishing.open_for_booking(late.id, product_clock.now())
        session = db.session.get_one(Recording, kept.id).session
        assert session.watchable_until == datetime.fromisoformat("2027-04-20T17:00:00Z")
    assert ends(app) == {ANN[1]: "2027-04-20T17:00:00Z", BOB[1]: "2027-04-20T17:00:00Z"}


def test_a_pause_keeps_what_is_left_to_the_second(app: Flask, client: PageClient, kept: Shown, clock: Clock) -> None:
    clock.set("2027-04-12T17:00:00Z")
    one(app, ANN[1], "pause")
    for path in (kept.page, f"{kept.page}/media", f"{kept.page}/captions/en.vtt"):
        answer = client.get(path, headers={"Accept": "application/json"})
        assert (answer.status_code, answer.get_json()["refusal"]) == (403, "window_paused")
    assert "What you had left then, 24 hours, is kept" in main_text(client.get(f"{kept.page}/media"))
    shown = client.get(f"{kept.place}.json").get_json()["recordings"][0]
    assert shown["state"] == "paused"

    clock.set("2027-05-20T06:30:00Z")
    one(app, ANN[1], "resume")
    assert ends(app) == {ANN[1]: "2027-05-21T06:30:00Z", BOB[1]: CLOSES}
    assert media(client, kept.page) == 200
    assert told(app, ANN[1]) == ["recording_ready", "recording_paused", "recording_longer"]
    assert [verb for verb, _, _ in deeds(app)] == ["window_paused", "window_resumed"]


def test_a_pause_of_one_s_own_outlasts_everybody_s(app: Flask, kept: Shown, clock: Clock) -> None:
    one(app, ANN[1], "pause")
    clock.shift(days=1)
    assert everybody(app, kept, "pause") == 1
    clock.shift(days=2)
    assert everybody(app, kept, "resume") == 1
    assert ends(app) == {ANN[1]: CLOSES, BOB[1]: "2027-04-15T17:00:00Z"}
    with pytest.raises(NothingToChange):
        everybody(app, kept, "resume")

    one(app, ANN[1], "resume")
    assert ends(app)[ANN[1]] == "2027-04-16T17:00:00Z"


def test_who_comes_while_all_is_paused_loses_nothing(app: Flask, clock: Clock) -> None:
    slug = a_recorded_workshop(app, with_paid=True, late_buyers_share=True)
    booked(app, slug)
    late = held(app, a_wish(slug, people=[BOB], ticket="paid"))
    kept = a_film(app, slug)
    clock.set(PUBLISHED)
    published(app, kept)
    everybody(app, kept, "pause")
    clock.set("2027-04-20T09:00:00Z")  # everybody's end would be past
    receive(app, late)
    with app.app_context(), db.writing():
        assert publishing.open_for_booking(late.id, product_clock.now()) == 1
    assert told(app, BOB[1]) == ["recording_paused"]

    clock.set("2027-05-01T18:00:00Z")
    assert everybody(app, kept, "resume") == 2
    assert ends(app) == {ANN[1]: "2027-05-29T17:00:00Z", BOB[1]: "2027-05-29T17:00:00Z"}


@pytest.mark.parametrize("act", ["pause", "resume"])
def test_what_cannot_be_is_refused_and_changes_nothing(app: Flask, kept: Shown, clock: Clock, act: windows.Act) -> None:
    clock.set(CLOSES)  # over, and not paused

    with pytest.raises(NothingToChange):
        one(app, ANN[1], act)
    assert ends(app) == {ANN[1]: CLOSES, BOB[1]: CLOSES}
    assert deeds(app) == []


def test_days_counted_from_the_last_session(app: Flask, clock: Clock) -> None:
    meetings = [a_meeting(in_days=7), a_meeting(in_days=21)]
    slug = a_recorded_workshop(app, with_paid=True, sessions=meetings, catch_up_from="last session")
    booked(app, slug)
    late = held(app, a_wish(slug, people=[BOB], ticket="paid"))
    first, second = a_film(app, slug, number=1), a_film(app, slug, number=2)
    clock.set(PUBLISHED)
    published(app, first)
    clock.set("2027-03-25T09:00:00Z")
    published(app, second)
    assert {closes for _, _, closes in all_windows(app)} == {LAST}

    clock.set("2027-03-26T10:00:00Z")
    receive(app, late)
    with app.app_context(), db.writing():
        publishing.open_for_booking(late.id, product_clock.now())
    assert [closes for email, _, closes in all_windows(app) if email == BOB[1]] == ["2027-04-23T09:00:00Z"] * 2


def test_nothing_is_published_whose_days_are_over(app: Flask, clock: Clock) -> None:
    slug = a_recorded_workshop(app, catch_up_from="last session")
    booked(app, slug)
    kept = a_film(app, slug)
    clock.set("2027-05-01T09:00:00Z")

    with pytest.raises(publishing.NothingToPublish, match="end of the last session"):
        published(app, kept)
