"""Watching: the page, the film and its captions, to whom they are open and when. VID-01 to VID-05."""

import io
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from bookings.models import Attendee
from lib import db, links
from payments import refunds
from payments.models import Payment
from recordings import publishing, storage
from recordings.models import Recording, Viewing
from tests.bookings.making import ANN, BOB, a_wish, held, paid, receive
from tests.builders import a_meeting, arranged
from tests.conftest import MORNING, Clock
from tests.courses.test_shelf import statements
from tests.page import PageClient, main_text
from tests.recordings.showing import (
    BYTES,
    CLOSES,
    PUBLISHED,
    Kept,
    Playing,
    a_film,
    a_recorded_workshop,
    address,
    booked,
    published,
    windows,
    withdrawn,
)

pytestmark = pytest.mark.proved_on_both


@pytest.fixture
def page(app: Flask, clock: Clock) -> str:
    """Ann's player page, just published; VID-05's second case, a week later."""
    slug = a_recorded_workshop(app, with_paid=True)
    made = booked(app, slug)
    kept = a_film(app, slug)
    clock.set(PUBLISHED)
    assert published(app, kept) == 1
    return address(app, made, kept)


def media(client: PageClient, page: str, **headers: str) -> Any:
    answer = client.get(f"{page}/media", headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer.get_data()  # to its end, where the file is closed
    return answer


def test_vid_01_the_first_two_bytes_and_then_all(client: PageClient, page: str) -> None:
    two = media(client, page, Range="bytes=0-1")
    assert two.status_code == 206
    assert two.data == b"\x00\x01"
    told = {name: two.headers[name] for name in ("Content-Range", "Content-Length", "Content-Type", "Accept-Ranges")}
    assert told == {
        "Content-Range": "bytes 0-1/10240",
        "Content-Length": "2",
        "Content-Type": "video/mp4",
        "Accept-Ranges": "bytes",
    }
    assert two.headers["Cache-Control"] == "private, no-store"
    assert two.headers["Referrer-Policy"] == "no-referrer"

    whole = media(client, page, Range="bytes=0-10239")
    assert (whole.status_code, whole.data, whole.headers["ETag"]) == (206, BYTES, two.headers["ETag"])
    plain = media(client, page)
    assert (plain.status_code, plain.data, plain.headers["Content-Length"]) == (200, BYTES, "10240")
    assert "Content-Range" not in plain.headers


@pytest.mark.parametrize(
    ("asked", "range_", "length"),
    [("bytes=-500", "bytes 9740-10239/10240", 500), ("bytes=-99999", "bytes 0-10239/10240", 10240)],
)
def test_vid_02_the_last_bytes(client: PageClient, page: str, asked: str, range_: str, length: int) -> None:
    answer = media(client, page, Range=asked)

    assert (answer.status_code, answer.headers["Content-Range"]) == (206, range_)
    assert answer.data == BYTES[-length:]


@pytest.mark.parametrize("asked", ["bytes=10240-", "bytes=-0"])
def test_vid_02_what_cannot_be_satisfied(client: PageClient, page: str, asked: str) -> None:
    answer = media(client, page, Range=asked)

    assert (answer.status_code, answer.data) == (416, b"")
    assert answer.headers["Content-Range"] == "bytes */10240"


def test_vid_03_a_range_of_another_version_is_the_whole_of_this_one(
    app: Flask, client: PageClient, page: str, clock: Clock
) -> None:
    before = media(client, page).headers["ETag"]
    with app.app_context():
        slug = db.session.scalars(select(Recording)).one().session.workshop.slug
    a_film(app, slug, body=BYTES[::-1])
    now = media(client, page).headers["ETag"]
    assert now != before

    assert now.startswith('"')
    answers = [media(client, page, Range="bytes=2-4", If_Range=tag) for tag in (before, f"W/{now}", now)]
    assert [each.status_code for each in answers] == [200, 200, 206]
    assert [each.data for each in answers] == [BYTES[::-1], BYTES[::-1], BYTES[::-1][2:5]]
    assert {each.headers["ETag"] for each in answers} == {now}


def test_several_pieces_at_once(client: PageClient, page: str) -> None:
    answer = media(client, page, Range="bytes=0-1,-2")

    assert answer.status_code == 206
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    kind, _, boundary = answer.headers["Content-Type"].partition("; boundary=")
    assert kind == "multipart/byteranges"
    parts = answer.data.split(f"--{boundary}".encode())
    assert len(parts) == 4
    assert b"Content-Range: bytes 0-1/10240\r\n\r\n\x00\x01\r\n" in parts[1]
    assert b"Content-Range: bytes 10238-10239/10240\r\n\r\n\xfe\xff\r\n" in parts[2]
    assert parts[3] == b"--\r\n"


def test_head_and_what_is_known_already(client: PageClient, page: str) -> None:
    head = client.head(f"{page}/media", headers={"Range": "bytes=0-1"})
    assert (head.status_code, head.data, head.headers["Content-Length"]) == (200, b"", "10240")

    known = media(client, page, If_None_Match=head.headers["ETag"])
    assert (known.status_code, known.data) == (304, b"")


def test_vid_04_and_05_it_plays_to_the_last_second(client: PageClient, page: str, clock: Clock) -> None:
    assert media(client, page, Range="bytes=0-").status_code == 206
    clock.shift(minutes=15)
    assert media(client, page, Range="bytes=5120-").data == BYTES[5120:]
    clock.set("2027-04-13T16:59:59Z")
    assert media(client, page, Range="bytes=5120-").status_code == 206
    assert client.get(page).status_code == 200

    clock.set(CLOSES)
    for path in (page, f"{page}/media", f"{page}/captions/en.vtt"):
        answer = client.get(path, headers={"Range": "bytes=5120-"})
        assert answer.status_code == 403
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert "Content-Range" not in answer.headers
        assert "This recording has closed" in main_text(answer)
        assert "Tuesday 13 April 2027, 18:00 BST (London)" in main_text(answer)
    told = client.get(f"{page}/media", headers={"Accept": "application/json"})
    assert (told.status_code, told.get_json()["refusal"]) == (403, "window_closed")


def test_vid_05_the_page_the_letter_and_the_refusal_say_the_same_instant(
    app: Flask, client: PageClient, page: str
) -> None:
    said = "Tuesday 13 April 2027, 18:00 BST"

    assert f"4 min left to watch, closes {said} (London)" in main_text(client.get(page))
    assert f'<time datetime="{CLOSES}">' in client.get(page).get_data(as_text=True)
    assert windows(app) == [(ANN[1], PUBLISHED, CLOSES)]


def test_before_it_opens(client: PageClient, page: str, clock: Clock) -> None:
    clock.set("2027-03-16T17:59:59Z")
    answer = client.get(f"{page}/media", headers={"Accept": "application/json"})

    assert (answer.status_code, answer.get_json()["refusal"]) == (403, "window_not_open")


def test_the_page(client: PageClient, page: str) -> None:
    text = client.get(page).get_data(as_text=True)

    assert f'src="{page}/media"' in text
    assert "controls" in text
    assert 'preload="metadata"' in text
    assert "Day 1 of 28; 28 days are left." in text
    assert "the clocks go forward in between" in text


def test_a_slow_line_gets_the_smaller_film_and_everybody_the_poster(
    app: Flask, client: PageClient, page: str, clock: Clock
) -> None:
    assert client.get(f"{page}/poster").status_code == 404
    assert "Slow line" not in main_text(client.get(page))
    with app.app_context():
        small, poster = (storage.keep(io.BytesIO(body))[0] for body in (b"small film", b"\xff\xd8\xff picture"))
        with db.writing():
            recording = db.session.scalars(select(Recording)).one()
            recording.small, recording.poster, recording.chapters = small, poster, [[0, "Welcome"], [60, "Nearer"]]

    shown = client.get(f"{page}?t=5")
    assert f'href="{page}?t=5&amp;size=small">Slow line' in shown.get_data(as_text=True)
    assert f'poster="{page}/poster"' in shown.get_data(as_text=True)
    assert f'href="{page}?t=60" data-at="60"' in shown.get_data(as_text=True)
    assert f'src="{page}/media?size=small"' in client.get(f"{page}?size=small").get_data(as_text=True)
    for path, body in (("media?size=small", b"small film"), ("media", BYTES), ("poster", b"\xff\xd8\xff picture")):
        answer = client.get(f"{page}/{path}")
        assert (answer.status_code, answer.get_data()) == (200, body)
    clock.set(CLOSES)
    assert [client.get(f"{page}/{path}").status_code for path in ("media?size=small", "poster")] == [403, 403]


def is_unknown(client: PageClient, path: str, headers: dict[str, str] | None = None) -> bool:
    nowhere = client.get("/nowhere/at/all", headers=headers)
    answer = client.get(path, headers=headers)
    return answer.status_code == nowhere.status_code == 404 and answer.data == nowhere.data


def all_gone(client: PageClient, page: str) -> None:
    for path in (page, f"{page}/media", f"{page}/captions/en.vtt"):
        for headers in ({}, {"Range": "bytes=0-1"}, {"Accept": "application/json"}):
            assert is_unknown(client, path, headers), path


def test_strangers_learn_nothing(app: Flask, client: PageClient, page: str, clock: Clock) -> None:
    token = page.rpartition("/")[2]
    numbers, _, signature = token.partition("-")
    attendee, _, recording = numbers.partition(".")
    other = booked(app, a_recorded_workshop(app), BOB)
    theirs = a_film(app, a_recorded_workshop(app))
    bobs_at_anns = address(app, other, theirs).rpartition("/")[2].partition("-")[2]
    with app.app_context():
        of_a_place = links.token("place", int(attendee), 1)
    for forged in (
        f"{numbers}-{signature[:-1]}",
        f"{numbers}-{signature.swapcase()}",
        f"{int(attendee) + 1}.{recording}-{signature}",
        f"{attendee}.{int(recording) + 1}-{signature}",
        f"{attendee}-{signature}",
        f"{numbers}-{bobs_at_anns}",
        f"0{numbers}-{signature}",
        of_a_place,
        "x",
        "1.1-",
    ):
        all_gone(client, f"/recordings/{forged}")


def test_a_right_signature_for_another_workshop_opens_nothing(app: Flask, client: PageClient, page: str) -> None:
    other = a_recorded_workshop(app)
    made = booked(app, other, BOB)
    number = int(page.rpartition("/")[2].partition("-")[0].partition(".")[2])
    with app.app_context():
        recording = db.session.get_one(Recording, number)
        kept = recording.id
        db.session.rollback()
    all_gone(client, address(app, made, Kept(kept, "")))


@pytest.mark.parametrize("state", ["cancelled", "lapsed"])
def test_whose_place_is_gone_may_not_watch(app: Flask, client: PageClient, page: str, state: str) -> None:
    assert media(client, page, Range="bytes=0-1").status_code == 206
    with arranged(app):
        db.session.execute(update(Attendee).values(state=state))

    all_gone(client, page)


def test_whose_money_went_back_may_not_watch(app: Flask, client: PageClient, clock: Clock) -> None:
    slug = a_recorded_workshop(app, with_paid=True)
    made = paid(app, a_wish(slug, ticket="paid"))
    kept = a_film(app, slug)
    clock.set(PUBLISHED)
    published(app, kept)
    page = address(app, made, kept)
    token = made.places[0].rpartition("/")[2]
    assert media(client, page, Range="bytes=0-1").status_code == 206
    with arranged(app):
        payment = db.session.scalars(select(Payment)).one()
        refund = refunds.refund_rest(payment, reason="asked for", now=clock.now())
        assert refund
    all_gone(client, page)
    assert client.get(f"/places/{token}.json").get_json()["recordings"] == []


def test_a_new_link_kills_the_old_one(app: Flask, client: PageClient, page: str) -> None:
    with arranged(app):
        db.session.execute(update(Attendee).values(link_version=2))

    all_gone(client, page)


def test_withdrawn_and_put_back(app: Flask, client: PageClient, page: str, clock: Clock) -> None:
    with app.app_context():
        recording = db.session.scalars(select(Recording)).one()
        slug, number = recording.session.workshop.slug, recording.id
    clock.set(MORNING)
    late = held(app, a_wish(slug, people=[BOB], ticket="paid"))
    clock.set(PUBLISHED)
    kept = Kept(number, "")
    withdrawn(app, kept)
    answer = client.get(f"{page}/media", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.get_json()["refusal"]) == (403, "recording_withdrawn")

    clock.shift(days=3)
    receive(app, late)
    assert published(app, kept) == 1
    assert media(client, page, Range="bytes=0-1").status_code == 206
    assert media(client, address(app, late, kept)).status_code == 200
    assert [each[0] for each in windows(app)] == [ANN[1], BOB[1]]
    assert windows(app)[0] == (ANN[1], PUBLISHED, CLOSES)


def test_captions(app: Flask, client: PageClient, page: str, clock: Clock) -> None:
    assert client.get(f"{page}/captions/en.vtt").status_code == 404
    text = "WEBVTT\n\n00:01.000 --> 00:02.000\nWelcome.\n"
    with app.app_context():
        key, _ = storage.keep(io.BytesIO(text.encode()))
        with db.writing():
            number = db.session.scalars(select(Recording.id)).one()
            publishing.put_captions(number, "en", "English", key, actor="user:1", now=clock.now())

    answer = client.get(f"{page}/captions/en.vtt")
    assert (answer.status_code, answer.get_data(as_text=True)) == (200, text)
    assert answer.headers["Content-Type"] == "text/vtt; charset=utf-8"
    assert client.get(f"{page}/captions/de.vtt").status_code == 404
    shown = client.get(page).get_data(as_text=True)
    assert f'<track kind="captions" src="{page}/captions/en.vtt" srclang="en" label="English" default>' in shown


def test_what_was_watched_is_noted(app: Flask, client: PageClient, page: str, clock: Clock) -> None:
    tab = Playing(client, page)
    clock.shift(seconds=15)
    told = tab.report([[0, 30]], at=30).get_json()
    assert told == {
        "watched_percent": 15,
        "left": "3 min",
        "over": [],
        "closes_at": CLOSES,
        "now": "2027-03-16T18:00:15Z",
    }
    clock.shift(seconds=30)
    assert tab.report([[20, 48], [190, 9999]], at=191).get_json()["watched_percent"] == 26
    with app.app_context():
        assert db.session.scalars(select(Viewing)).one().ranges == [[0, 48], [190, 192]]
    assert "You have watched 26 per cent of it." in main_text(client.get(page))


def test_a_beat_of_the_player_touches_no_recording(app: Flask, client: PageClient, page: str, clock: Clock) -> None:
    """Eighty people watch at once: the recording they share is not locked again and again to open what is open."""
    tab = Playing(client, page)
    clock.shift(seconds=20)
    tab.report([[0, 10]])
    clock.shift(seconds=20)
    with statements(app) as asked:
        assert tab.report([[10, 20]]).status_code == 200
    assert any("viewing" in each for each in asked)
    assert [each for each in asked if "INSERT INTO access_window" in each] == []
    assert [each for each in asked if "FOR UPDATE" in each and "access_window" not in each] == []

    assert [tab.report(wrong).status_code for wrong in ("all", [[0]])] == [422, 422]
    assert tab.report([[10, 20]], at="soon").status_code == 422
    assert client.post(f"{page}/watched", json={"ranges": [[0, 30]]}).status_code == 400
    clock.set(CLOSES)
    answer = tab.report([[0, 192]], at=100)
    assert (answer.status_code, answer.get_json()["refusal"]) == (403, "window_closed")
    assert (answer.get_json()["closes_at"], answer.get_json()["now"]) == (CLOSES, CLOSES)
    with app.app_context():
        assert db.session.scalars(select(Viewing)).one().ranges == [[0, 20]]


def test_the_place_shows_what_can_be_watched(app: Flask, client: PageClient, clock: Clock) -> None:
    meetings = [a_meeting(in_days=day) for day in (7, 8, 9)]
    meetings.append(a_meeting(in_days=10, is_recorded=False))
    slug = a_recorded_workshop(app, sessions=meetings)
    made = booked(app, slug)
    token = made.places[0].rpartition("/")[2]
    assert client.get(f"/places/{token}.json").get_json()["recordings"] == [
        {"session": n, "state": "waiting", "opens_at": None, "closes_at": None, "url": None, "watched_percent": 0}
        for n in (1, 2, 3)
    ]
    assert "We write to you when it is ready" in main_text(client.get(f"/places/{token}"))

    first, second = a_film(app, slug, number=1), a_film(app, slug, number=2)
    clock.set(PUBLISHED)
    published(app, first)
    published(app, second)
    withdrawn(app, second)
    tab = Playing(client, address(app, made, first))
    clock.shift(seconds=48)
    tab.report([[0, 96]])
    told = client.get(f"/places/{token}.json").get_json()["recordings"]
    assert [each["state"] for each in told] == ["open", "withdrawn", "waiting"]
    assert told[0] == {
        "session": 1,
        "state": "open",
        "opens_at": PUBLISHED,
        "closes_at": CLOSES,
        "url": f"http://localhost{address(app, made, first)}",
        "watched_percent": 50,
    }
    assert told[1]["url"] is None
    said = main_text(client.get(f"/places/{token}"))
    assert "Open until Tuesday 13 April 2027, 18:00 BST (London); you have watched 50 per cent." in said
    clock.set(CLOSES)
    assert client.get(f"/places/{token}.json").get_json()["recordings"][0]["state"] == "closed"
    assert "Closed since Tuesday 13 April 2027, 18:00 BST (London)." in main_text(client.get(f"/places/{token}"))
