"""The worker and letters: once, in order, and what is written down."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from history.models import Entry
from lib import clock, db, work
from mail import jobs, outbox
from mail.models import Letter
from tests.builders import arranged
from tests.mail.server import Script, listening
from tests.mail.values import VALUES, values_of

ROOT = Path(__file__).resolve().parent.parent.parent
SENDER = outbox.Sender("Sea Street CPD", "hello@sea-street.example")

pytestmark = pytest.mark.both_databases


@pytest.fixture
def post(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    """The mail server this installation hands its letters to."""
    with listening() as script:
        monkeypatch.setitem(app.config, "SMTP_URL", script.url)
        yield script


def a_letter(app: Flask, *, lane: str = "place:1", template: str = "awaiting_bank", **changes: Any) -> int:
    """Post a letter as a route would; its number."""
    with arranged(app):
        values = values_of(template, **changes.pop("values", {}))
        given = {"to_name": "Ines", "to_email": "ines@carraway.example", "sender": SENDER, "about": "booking:1"}
        letter = outbox.post(template, lane=lane, at=clock.now(), values=values, **{**given, **changes})
        return letter.id


def run(app: Flask) -> None:
    """Work off what is due, pauses passed."""
    with app.app_context():
        with db.writing():
            db.session.execute(update(work.Job).values(pause_until=None))
        work.run_due(jobs.HANDLERS)


def stored(app: Flask, letter_id: int) -> Letter:
    with app.app_context():
        letter = db.session.scalars(select(Letter).where(Letter.id == letter_id)).one()
        assert letter.sent is None or letter.sent  # loads the deferred column
        db.session.expunge(letter)
        return letter


def job_of(app: Flask, letter_id: int) -> work.Job:
    with app.app_context():
        newest = select(work.Job).where(work.Job.about == f"letter:{letter_id}").order_by(work.Job.id.desc()).limit(1)
        job = db.session.scalars(newest).one()
        db.session.expunge(job)
        return job


def hold_back(app: Flask, letter_id: int) -> None:
    """As if the letter had been tried and had to wait an hour."""
    later = clock.machine_now() + timedelta(hours=1)
    with app.app_context(), db.writing():
        db.session.execute(update(work.Job).where(work.Job.about == f"letter:{letter_id}").values(pause_until=later))


def test_a_letter_leaves_once_and_its_bytes_and_the_answer_are_kept(app: Flask, post: Script) -> None:
    letter = a_letter(app)
    run(app)
    found = stored(app, letter)
    assert (found.state, found.answer, found.sent_at) == ("sent", "250 taken as told", clock.now())
    assert [each.content for each in post.arrived] == [found.sent]
    assert post.arrived[0].recipients == ["ines@carraway.example"]
    assert post.arrived[0].parsed["Message-ID"] == found.message_id
    assert post.arrived[0].parsed["Reply-To"].addresses[0].addr_spec == "hello@sea-street.example"
    with app.app_context():
        with db.writing():
            work.post(outbox.DELIVER, f"again:{letter}", clock.now(), {"letter": letter})
        work.run_due(jobs.HANDLERS)
    assert len(post.arrived) == 1


def test_letters_of_one_lane_leave_in_order_of_posting(app: Flask, post: Script) -> None:
    first, second = a_letter(app), a_letter(app)
    other = a_letter(app, lane="place:2", to_email="tom@carraway.example")
    post.rcpt = "450 busy"
    run(app)
    assert [stored(app, each).state for each in (first, second, other)] == ["waiting"] * 3
    post.rcpt = None
    hold_back(app, first)
    with app.app_context(), db.writing():
        db.session.execute(update(work.Job).where(work.Job.about != f"letter:{first}").values(pause_until=None))
    with app.app_context():
        work.run_due(jobs.HANDLERS)
    assert [stored(app, each).state for each in (first, second, other)] == ["waiting", "waiting", "sent"]
    run(app)
    run(app)
    ids = [each.parsed["Message-ID"] for each in post.arrived]
    assert ids == [stored(app, each).message_id for each in (other, first, second)]


def test_standing_in_line_is_no_failed_attempt(app: Flask, post: Script) -> None:
    first, second = a_letter(app), a_letter(app)
    hold_back(app, first)
    for _ in range(work.MOST_ATTEMPTS + 3):
        with app.app_context():
            with db.writing():
                db.session.execute(
                    update(work.Job).where(work.Job.about == f"letter:{second}").values(pause_until=None)
                )
            work.run_due(jobs.HANDLERS)
    waiting, ahead = job_of(app, second), job_of(app, first)
    assert (waiting.is_dead, waiting.attempts, waiting.ended_at) == (False, 0, None)
    assert waiting.pause_until == ahead.pause_until
    run(app)
    assert [stored(app, each).state for each in (first, second)] == ["sent", "sent"]


def test_a_passing_refusal_is_tried_again(app: Flask, post: Script) -> None:
    letter = a_letter(app)
    post.data = "451 come back"
    run(app)
    assert stored(app, letter).state == "waiting"
    job = job_of(app, letter)
    assert (job.attempts, job.is_dead) == (1, False)
    assert "451 come back" in str(job.last_error)
    post.data = None
    run(app)
    assert stored(app, letter).state == "sent"


def test_a_lasting_refusal_fails_the_letter_says_so_and_frees_the_lane(app: Flask, post: Script) -> None:
    letter, behind = a_letter(app), a_letter(app, to_email="tom@carraway.example")
    post.rcpt = "550 no such person"
    run(app)
    post.rcpt = None
    run(app)
    found = stored(app, letter)
    assert (found.state, found.answer) == ("failed", "550 no such person")
    assert job_of(app, letter).is_dead
    assert stored(app, behind).state == "failed"  # the same server, the same answer, at once
    with app.app_context():
        entry = db.session.scalars(select(Entry).order_by(Entry.id)).first()
        assert entry is not None
        assert (entry.about, entry.verb, entry.actor) == ("booking:1", "letter_failed", "worker")
        assert entry.facts == {"letter": letter, "template": "awaiting_bank", "answer": "550 no such person"}


def test_after_the_last_attempt_a_letter_fails_rather_than_blocks_its_lane(app: Flask, post: Script) -> None:
    letter, behind = a_letter(app), a_letter(app)
    with app.app_context(), db.writing():
        db.session.execute(
            update(work.Job).where(work.Job.about == f"letter:{letter}").values(attempts=work.MOST_ATTEMPTS - 1)
        )
    post.data = "451 come back"
    run(app)
    post.data = None
    run(app)
    assert [stored(app, each).state for each in (letter, behind)] == ["failed", "sent"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"template": "awaiting_bank", "values": {"total": None}, "to_email": "no address"}, "AddressUnusable"),
        ({"template": "nothing_like_it", "values": {}}, "TemplateNotFound"),
    ],
)
def test_a_letter_that_cannot_be_written_is_shown_and_stops_nobody(
    app: Flask, post: Script, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], error: str
) -> None:
    monkeypatch.setitem(VALUES, "nothing_like_it", {})
    letter, behind = a_letter(app, **changes), a_letter(app)
    run(app)
    assert stored(app, letter).state == "failed"
    assert error in str(job_of(app, letter).last_error)
    assert job_of(app, letter).is_dead
    assert stored(app, behind).state == "sent"


def test_a_value_that_is_missing_is_never_sent_as_a_gap(app: Flask, post: Script) -> None:
    with arranged(app):
        letter = outbox.post(
            "awaiting_bank",
            to_name="Ines",
            to_email="ines@carraway.example",
            sender=SENDER,
            about="booking:1",
            lane="place:1",
            at=clock.now(),
            values={"subject": "Half a letter"},
        ).id
    run(app)
    assert not post.arrived
    assert "UndefinedError" in str(job_of(app, letter).last_error)


def test_mail_01_a_hostile_name_and_title_leave_as_one_letter_to_one_person(app: Flask, post: Script) -> None:
    title = "Autumn forum\nKeynote and workshops"
    letter = a_letter(app, to_name="Ana\r\nBcc: x@example.net", values={"workshop_title": title, "subject": title})
    behind = a_letter(app, lane="place:9")
    run(app)
    assert [stored(app, each).state for each in (letter, behind)] == ["sent", "sent"]
    assert post.arrived[0].recipients == ["ines@carraway.example"]
    assert post.arrived[0].parsed["Subject"] == "Autumn forum Keynote and workshops"
    assert b"\nBcc:" not in post.arrived[0].content


def test_an_invite_and_its_thread_arrive(app: Flask, post: Script) -> None:
    invite = b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"
    first = a_letter(app, template="confirmed", method="REQUEST", calendar=invite)
    thread = stored(app, first).message_id
    a_letter(app, template="session_invite", method="REQUEST", calendar=invite, thread_id=thread)
    run(app)
    run(app)
    later = post.arrived[1].parsed
    assert later["In-Reply-To"] == later["References"] == thread
    for each in post.arrived:
        calendars = [part for part in each.parsed.walk() if part.get_content_type() == "text/calendar"]
        assert [part.get_payload(decode=True) for part in calendars] == [invite, invite]
        assert all(part["Content-Type"].params["method"] == "REQUEST" for part in calendars)


def test_a_one_time_link_leaves_with_its_letter_and_stays_in_no_row(app: Flask, post: Script) -> None:
    link = values_of("sign_in")["once_url"]
    letter = a_letter(app, template="sign_in", lane="link:1")
    refused = a_letter(app, template="sign_in", lane="link:2", to_email="no address")
    run(app)
    plain = post.arrived[0].parsed.get_body(("plain",))
    assert plain is not None
    assert link in plain.get_content()
    for each in (stored(app, letter), stored(app, refused)):
        assert each.state != "waiting"
        assert link not in str(each.values)
        assert each.values["once_url"] == jobs.BLANK
    sent = stored(app, letter).sent
    assert sent is not None
    assert b"sign-in/abc" not in sent
    assert sent.partition(b"\r\n\r\n")[0] == post.arrived[0].content.partition(b"\r\n\r\n")[0]


KILLED = """
import os, signal
from app import create_app
from lib import work
from mail import delivery, jobs
app = create_app({"TESTING": True})
send = delivery.send
def send_and_die(message, to):
    send(message, to)
    os.kill(os.getpid(), signal.SIGKILL)
delivery.send = send_and_die
with app.app_context():
    work.run_due(jobs.HANDLERS)
"""


def test_a_worker_killed_between_the_answer_and_its_note_repeats_the_very_letter(app: Flask, post: Script) -> None:
    letter = a_letter(app)
    names = ("DATABASE_URL", "BASE_URL", "LINK_KEYS", "MAIL_FROM", "SMTP_URL", "STRIPE_SECRET_KEY", "STRIPE_API_BASE")
    environment = {**os.environ, **{name: str(app.config[name]) for name in names}, "LOG_LEVEL": "ERROR"}
    with app.app_context():
        # The child uses the machine's clock, which may be behind the product's of this test.
        with db.writing():
            db.session.execute(update(work.Job).values(due_at=clock.machine_now()))
        db.engine().dispose()
    died = subprocess.run([sys.executable, "-c", KILLED], cwd=ROOT, env=environment, timeout=60)
    assert died.returncode == -9
    assert stored(app, letter).state == "waiting"
    run(app)
    assert len(post.arrived) == 1  # its lease still stands
    with app.app_context(), db.writing():
        db.session.execute(update(work.Job).values(lease_until=clock.machine_now() - timedelta(seconds=1)))
    run(app)
    assert [each.content for each in post.arrived] == [stored(app, letter).sent] * 2
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(work.Job).where(work.Job.ended_at.is_(None))) == 0
