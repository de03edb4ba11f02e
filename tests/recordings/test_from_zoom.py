"""From Zoom's doorbell to the film at its session: the whole way, with a Zoom of our own and a real worker's steps."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from courses.models import WorkshopSession
from lib import clock as product_clock
from lib import db, settings, work
from lib.work import Job
from meetings import points
from recordings import arriving, from_zoom, making, publishing, storage, upload_jobs, uploads, zoom_jobs
from recordings.film import Film
from recordings.models import Recording
from recordings.probing import Facts
from recordings.uploads import Upload
from recordings.zoom_models import ZoomFile, ZoomRecording
from tests.builders import a_meeting, a_workshop, arranged
from tests.conftest import Clock
from tests.meetings.zoom_events import MEETING, WEBHOOK, a_file, an_account, completed, signed, written
from tests.page import PageClient
from tests.recordings.showing import a_film, published
from tests.recordings.zoom_server import GOOD, ZoomServer

HEAD = b"\x00\x00\x00\x20ftypisom"
FILM = HEAD + os.urandom(300_000)
TOKEN = "do-not-show-token"
LINK = f"https://zoom.us/j/{MEETING}"
WORKER = """
import json, sys
from app import create_app
from lib import work
from recordings import zoom_jobs

with create_app(json.loads(sys.argv[1])).app_context():
    work.run_due(zoom_jobs.HANDLERS)
"""
VTT = b"WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.000\nOlu: Welcome.\n"


@pytest.fixture
def server(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[ZoomServer]:
    with ZoomServer() as running:
        monkeypatch.setitem(app.config, "ZOOM_ADDRESS", running.url)
        an_account(app)
        yield running


@pytest.fixture
def slug(app: Flask, clock: Clock) -> str:
    """Two Tuesdays from ten to twelve, both under one number at Zoom; the first has just been."""
    with arranged(app):
        workshop = a_workshop(
            slug="evenings",
            catch_up_offered=True,
            price_minor=0,
            sessions=[a_meeting(in_days=n, starts="10:00", ends="12:00") for n in (7, 14)],
        )
        for each in workshop.sessions:
            points.set_point(each, url=LINK, actor="user:1", now=product_clock.now())
    clock.shift(days=7, hours=4)
    return "evenings"


def ring(client: PageClient, event: dict[str, Any]) -> None:
    body = written(event)
    assert client.post(WEBHOOK, data=body, headers=signed(body)).status_code == 200


def work_off(app: Flask, most: int | None = None) -> None:
    """The worker's steps of this part; what becomes of an arrived film is another's."""
    with app.app_context():
        work.run_due({**zoom_jobs.HANDLERS, **upload_jobs.HANDLERS}, most=most)


def again_at_once(app: Flask) -> None:
    """The pauses after failures are over."""
    with app.app_context(), db.writing():
        for job in db.session.scalars(select(Job).where(Job.ended_at.is_(None))):
            job.pause_until = job.lease_until = None


def recordings(app: Flask) -> list[tuple[str, str, int | None]]:
    with app.app_context():
        rows = db.session.execute(
            select(ZoomRecording.state, ZoomRecording.why, WorkshopSession.number)
            .outerjoin(WorkshopSession, WorkshopSession.id == ZoomRecording.session_id)
            .order_by(ZoomRecording.id)
        )
        return [(state, why, number) for state, why, number in rows]


def files(app: Flask) -> list[tuple[str, str]]:
    with app.app_context():
        rows = db.session.scalars(select(ZoomFile).order_by(ZoomFile.starts_at, ZoomFile.id)).all()
        return [(each.state, each.why) for each in rows]


def arrived(app: Flask) -> list[tuple[int, bytes]]:
    """The parts that are in the store, with their bytes."""
    with app.app_context():
        found = db.session.scalars(select(Upload).where(Upload.state == "arrived").order_by(Upload.position)).all()
        return [(each.position, b"".join(storage.read(each.key))) for each in found]


@pytest.mark.both_databases
def test_a_film_comes_to_its_session_by_number_and_time(
    app: Flask, client: PageClient, server: ZoomServer, slug: str
) -> None:
    url = server.serve("/rec/1", FILM, tokens=(TOKEN,), drops=[100_000])
    for _ in range(2):
        ring(client, completed([a_file(url=url, size=len(FILM))]))
    work_off(app)

    assert recordings(app) == [("placed", "", 1)]
    assert files(app) == [("fetched", "")]
    assert arrived(app) == [(1, FILM)]
    assert server.asked_for_token == [], "the event's own token was enough"
    with app.app_context():
        upload = db.session.scalars(select(Upload)).one()
        assert (upload.source, upload.by, upload.filename) == ("zoom", "zoom", "Reflective Practice.mp4")
        looked = db.session.scalars(select(Job).where(Job.kind == uploads.LOOK_AT)).one()
        assert looked.arguments == {"upload": upload.id}
        assert not arriving.path(upload.name).exists()


@pytest.mark.both_databases
def test_stretches_and_later_meetings_are_parts_in_order(
    app: Flask, client: PageClient, server: ZoomServer, slug: str
) -> None:
    bodies = [HEAD + bytes([n]) * (1000 + n) for n in range(3)]
    urls = [server.serve(f"/rec/{n}", body, tokens=(TOKEN,)) for n, body in enumerate(bodies)]
    told = [
        a_file(f"f{n}", starts=f"2027-03-09T1{n}:00:00Z", url=urls[n], size=len(bodies[n]))
        for n in (1, 0)  # Zoom lists them as it likes
    ]
    worse = a_file("worse", starts="2027-03-09T10:00:00Z", url=urls[2], size=1002, view="gallery_view")
    ring(client, completed([worse, *told]))
    work_off(app)
    assert arrived(app) == [(1, bodies[0]), (2, bodies[1])]

    later = a_file("f2", starts="2027-03-09T11:30:00Z", url=urls[2], size=len(bodies[2]))
    ring(client, completed([later], uuid="begun-anew==", starts="2027-03-09T11:30:00Z"))
    ring(client, completed([*told, later], at=1804586400009))  # the first one told again with more
    work_off(app)
    assert arrived(app) == [(n + 1, body) for n, body in enumerate(bodies)]
    assert len(server.asked) == 3


@pytest.mark.both_databases
@pytest.mark.parametrize("case", ["none", "several", "has_film", "published", "by hand"])
def test_what_no_rule_can_place_waits_for_somebody(
    app: Flask, client: PageClient, server: ZoomServer, slug: str, case: str
) -> None:
    url = server.serve("/rec/1", FILM, tokens=(TOKEN,))
    starts, why = "2027-03-09T10:00:00Z", "has_film"
    if case == "none":
        starts, why = "2027-03-09T15:00:00Z", "none"
    elif case == "several":
        why = "several"
        with arranged(app):
            (other,) = a_workshop(title="Other", in_days=0, starts="10:00", ends="12:00").sessions
            points.set_point(other, url=LINK, actor="user:1", now=product_clock.now())
    elif case == "has_film":
        a_film(app, slug)
    elif case == "published":
        published(app, a_film(app, slug))
    else:
        with arranged(app):
            session = db.session.scalars(select(WorkshopSession).where(WorkshopSession.number == 1)).first()
            assert session
            uploads.begin(session, filename="x", length=9, source="desk", by="user:1", now=product_clock.now())
    ring(client, completed([a_file(url=url, size=len(FILM), starts=starts)], starts=starts))
    work_off(app)

    assert recordings(app) == [("waiting", why, None)]
    assert (files(app), arrived(app), server.asked) == ([("listed", "")], [], [])

    with app.app_context(), db.writing():
        session = db.session.scalars(select(WorkshopSession).order_by(WorkshopSession.id)).first()
        recording = from_zoom.find(1, 1)
        assert session
        assert recording
        from_zoom.choose(recording, session, 10**9, actor="user:1", now=product_clock.now())
        from_zoom.choose(recording, session, 10**9, actor="user:1", now=product_clock.now())
    work_off(app)
    assert [body for _, body in arrived(app)] == [FILM]


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1), (2, 1, 3)])
def test_parts_stand_in_their_order_in_whatever_order_they_arrive(
    app: Flask, slug: str, order: tuple[int, ...]
) -> None:
    now = product_clock.now()
    with app.app_context():
        with db.writing():
            session = db.session.scalars(select(WorkshopSession).where(WorkshopSession.number == 1)).one()
            ids = {
                n: uploads.begin(session, filename=f"{n}", length=9, source="zoom", by="zoom", now=now, position=n).id
                for n in (1, 2, 3)
            }
        for n in order:
            with db.writing():
                upload = uploads.locked(ids[n])
                upload.key = f"{n}" * 32
                uploads.arrived(upload, now)
                making.look(upload.id, now)
            with db.writing():
                assert making.add_part(ids[n], Facts("mov", 2.0, picture="h264"), now) == []
        parts = db.session.scalars(select(Recording)).one().parts
        assert [(each.position, each.filename) for each in parts] == [(1, "1"), (2, "2"), (3, "3")]


def test_another_organisers_session_under_the_same_number_is_not_theirs(
    app: Flask, client: PageClient, server: ZoomServer, slug: str
) -> None:
    an_account(app, slug="pim", secret="the-secret-of-pim")
    body = written(completed([a_file(url=server.serve("/rec/1", FILM), size=len(FILM))]))
    headers = signed(body, secret="the-secret-of-pim")
    assert client.post("/zoom/webhook/pim", data=body, headers=headers).status_code == 200
    work_off(app)

    assert recordings(app) == [("waiting", "none", None)]


def test_a_line_that_stays_dead_is_tried_again_and_then_said(
    app: Flask, client: PageClient, server: ZoomServer, slug: str
) -> None:
    url = server.serve("/rec/1", FILM, tokens=(TOKEN,), drops=[100_000, *([0] * 20)])
    ring(client, completed([a_file(url=url, size=len(FILM))]))
    for _ in range(work.MOST_ATTEMPTS - 1):
        work_off(app)
        again_at_once(app)
        assert files(app) == [("fetching", "")]
    work_off(app)
    ((state, why),) = files(app)
    assert (state, why[:20]) == ("failed", "Zoom did not answer,")

    server.files["/rec/1"].drops.clear()
    with app.app_context(), db.writing():
        from_zoom.again(from_zoom.locked(1), 10**9, actor="user:1", now=product_clock.now())
    work_off(app)
    assert (files(app), arrived(app)) == ([("fetched", "")], [(1, FILM)])
    assert server.asked[-1].range == "bytes=100000-", "it went on from where it stood"


@pytest.mark.both_databases
def test_a_worker_killed_in_the_middle_is_gone_on_with_by_the_next(
    app: Flask, client: PageClient, server: ZoomServer, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring(client, completed([a_file(url=server.serve("/rec/1", FILM, tokens=(TOKEN,)), size=len(FILM))]))
    work_off(app, most=1)

    def die(self: Any, has: int) -> None:
        raise SystemExit  # nothing of the worker's own runs after it, as after a kill

    with monkeypatch.context() as patch:
        patch.setattr(zoom_jobs._Film, "_progress", die)
        with pytest.raises(SystemExit):
            work_off(app)
    with app.app_context():
        db.session.remove()
        name = db.session.scalars(select(Upload.name)).one()
    has = arriving.size(name)
    assert 0 < has < len(FILM)
    again_at_once(app)
    work_off(app)

    assert (files(app), arrived(app)) == ([("fetched", "")], [(1, FILM)])
    assert server.ranges() == ["", f"bytes={has}-"]


def test_a_worker_killed_by_the_machine_is_gone_on_with_too(
    app: Flask, client: PageClient, server: ZoomServer, slug: str
) -> None:
    """The same with a process of its own and kill -9."""
    url = server.serve("/rec/1", FILM, tokens=(TOKEN,), stalls=290_000)
    ring(client, completed([a_file(url=url, size=len(FILM))]))
    work_off(app, most=1)
    with app.app_context():
        name = db.session.scalars(select(Upload.name)).one()
        there = arriving.path(name)
    config = {each: app.config[each] for each in ("DATABASE_URL", "ZOOM_ADDRESS", "LINK_KEYS", "STRIPE_SECRET_KEY")}
    config |= {"STRIPE_API_BASE": app.config["STRIPE_API_BASE"], "LOG_LEVEL": "CRITICAL", "COLLOQUY_DEMO": "1"}
    command = [sys.executable, "-c", WORKER, json.dumps(config)]
    with subprocess.Popen(command, cwd=settings.ROOT) as worker:
        for _ in range(600):
            if there.exists() and there.stat().st_size:
                break
            time.sleep(0.05)
        worker.send_signal(signal.SIGKILL)
    has = there.stat().st_size
    assert 0 < has < len(FILM)
    server.released.set()
    again_at_once(app)
    work_off(app)

    assert (files(app), arrived(app)) == ([("fetched", "")], [(1, FILM)])
    assert server.ranges() == ["", f"bytes={has}-"]


def test_a_worker_asked_to_end_lets_go(app: Flask, client: PageClient, server: ZoomServer, slug: str) -> None:
    ring(client, completed([a_file(url=server.serve("/rec/1", FILM, tokens=(TOKEN,)), size=len(FILM))]))
    server.when_asked = work.stopping.set
    try:
        work_off(app)
    finally:
        work.stopping.clear()
        server.when_asked = lambda: None
    assert files(app) == [("fetching", "")]
    work_off(app)
    assert arrived(app) == [(1, FILM)]


def test_after_a_day_the_organisers_app_opens_the_film(
    app: Flask, client: PageClient, server: ZoomServer, slug: str, clock: Clock
) -> None:
    url = server.serve("/rec/1", FILM, tokens=(GOOD,))
    ring(client, completed([a_file(url=url, size=len(FILM))]))
    clock.shift(days=1)
    work_off(app)

    assert arrived(app) == [(1, FILM)]
    assert [each.authorization for each in server.asked] == [f"Bearer {GOOD}"]
    assert server.asked_for_token[0][0] == "client-1:a-client-secret"


FAILURES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "too large": ({}, {"size": 7 * 1024**3}, "It has 7 GB, and a film may have 6 GB. It stays at Zoom."),
    "other length": ({}, {"size": len(FILM) + 1}, "Zoom told of a film of"),
    "deleted there": ({"status": 404}, {}, "Zoom has this film no longer"),
    "neither token": ({"tokens": ("third",)}, {}, "Zoom does not give us this film."),
    "no film": ({"body": b"x" * len(FILM)}, {}, "This file is not a film"),
    "elsewhere": ({}, {"url": "https://evil.example/rec/1"}, "The address of this film is none of Zoom's"),
    "inside": ({}, {"url": "http://169.254.169.254/latest"}, "The address of this film is none of Zoom's"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_what_cannot_be_fetched_is_said_in_a_sentence(
    app: Flask, client: PageClient, server: ZoomServer, slug: str, case: str
) -> None:
    how, told, why = FAILURES[case]
    url = server.serve("/rec/1", **{"body": FILM, "tokens": (TOKEN, GOOD), **how})
    ring(client, completed([a_file(**{"url": url, "size": len(FILM), **told})]))
    work_off(app)

    ((state, said),) = files(app)
    assert state == "failed"
    assert said.startswith(why)
    assert said.endswith(".")
    assert arrived(app) == []


def test_a_film_taken_back_meanwhile_is_not_brought(
    app: Flask, client: PageClient, server: ZoomServer, slug: str
) -> None:
    ring(client, completed([a_file(url=server.serve("/rec/1", FILM, tokens=(TOKEN,)), size=len(FILM))]))
    work_off(app, most=1)
    with app.app_context(), db.writing():
        uploads.remove(db.session.scalars(select(Upload)).one(), by="user:1", now=product_clock.now())
    work_off(app)

    assert (arrived(app), server.asked) == ([], [])


@pytest.mark.both_databases
@pytest.mark.parametrize("case", ["theirs", "own", "two parts", "no words"])
def test_the_words_become_captions_once_the_film_is_there(
    app: Flask, client: PageClient, server: ZoomServer, slug: str, case: str
) -> None:
    url = server.serve("/rec/1", FILM, tokens=(TOKEN,))
    words = server.serve("/rec/1.vtt", b"nothing" if case == "no words" else VTT, tokens=(TOKEN,))
    film = [a_file(url=url, size=len(FILM))]
    if case == "two parts":
        film.append(a_file("f2", starts="2027-03-09T11:00:00Z", url=url, size=len(FILM)))
    ring(client, completed(film))
    vtt = a_file("words", type="TRANSCRIPT", view="audio_transcript", url=words, size=0)
    ring(client, completed([vtt], kind="recording.transcript_completed"))
    work_off(app)
    assert [each for each, _ in files(app)].count("fetching") == (0 if case == "two parts" else 1)

    with app.app_context(), db.writing():  # what the makers of films do when they are done
        session = db.session.scalars(select(WorkshopSession).where(WorkshopSession.number == 1)).one()
        upload = db.session.scalars(select(Upload)).first()
        assert upload
        now = product_clock.now()
        publishing.put_film(session, upload.key, len(FILM), Film("video/mp4", 60), actor="worker", now=now)
        recording_id = db.session.scalars(select(Recording.id)).one()
        if case == "own":
            publishing.put_captions(recording_id, "en", "English", "f" * 32, actor="user:1", now=now)
    again_at_once(app)
    work_off(app)

    with app.app_context():
        captions = db.session.scalars(select(Recording.captions)).one()
        kept = captions.get("en", {}).get("key", "")
        text = b"".join(storage.read(kept)) if kept and kept != "f" * 32 else kept.encode()
    expected = {"theirs": VTT, "own": b"f" * 32}.get(case, b"")
    assert text == expected
    last = next(why for state, why in reversed(files(app)) if state) if case in ("two parts", "no words") else ""
    assert {"two parts": "The film has several parts", "no words": "The first line has to be WEBVTT"}.get(
        case, ""
    ) in " ".join([last, *(why for _, why in files(app))])
