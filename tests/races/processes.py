"""Workers as processes that are killed, and houses of their own for crowds: parts of short and of long tests."""

import os
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select, update

from bench import serving
from demo.run import programs
from lib import db, work
from mail import outbox
from mail.models import Letter
from tests import postgres
from tests.builders import arranged
from tests.conftest import Mailbox

SENDER = outbox.Sender("Olu Trains", "hello@olu-trains.example")


@contextmanager
def house(kind: str, folder: Path, *names: str) -> Iterator[serving.House]:
    """Real processes on a database of that kind."""
    if kind == "postgresql":
        base = postgres.base_url()
        assert base is not None, "this test needs PostgreSQL"
        with (
            serving.postgresql_database(base) as url,
            serving.running(folder / "instance", database=url, names=names) as running,
        ):
            yield running
    else:
        with serving.running(folder / "instance", names=names) as running:
            yield running


def post_letters(running: serving.House, number: int) -> None:
    """One letter each to so many people, each naming its reader, two of them in one lane here and there."""
    now = datetime.now(UTC)
    with running.app() as app, arranged(app):
        for n in range(number):
            outbox.post(
                "my_links",
                to_name=f"Person {n}",
                to_email=f"person-{n}@clinic.example",
                sender=SENDER,
                about="address",
                lane=f"lane:{n // 2}",
                at=now,
                values={
                    "subject": f"For person {n} alone",
                    "name": f"Person {n}",
                    "places": [],
                    "bookings": [{"reference": f"CQ-{n}", "title": "A workshop", "url": f"http://localhost/{n}"}],
                },
            )


def let_leases_run_out(running: serving.House) -> None:
    """As two minutes would: what a killed worker had in hand is free again, and no pause is left."""
    with running.app() as app, arranged(app):
        db.session.execute(
            update(work.Job).where(work.Job.ended_at.is_(None)).values(lease_until=None, pause_until=None)
        )


def open_jobs(running: serving.House) -> int:
    """How many jobs are open, the coming night's aside."""
    still = select(func.count()).where(work.Job.ended_at.is_(None), work.Job.about != "night")
    with running.app() as app, app.app_context():
        return db.session.scalar(still) or 0


def kill_workers(running: serving.House, kills: int, seed: int) -> None:
    """Start a worker, kill it -9 somewhere in its work, start the next; the last one finishes."""
    chance = random.Random(seed)
    for _ in range(kills):
        worker = running.family.start(programs.worker())
        before = open_jobs(running)
        serving.wait_for(lambda before=before: open_jobs(running) < before, 20)  # type: ignore[misc]
        time.sleep(chance.uniform(0, 0.12))
        os.killpg(worker.process.pid, signal.SIGKILL)
        worker.process.wait()
        running.family.forget(worker)
        let_leases_run_out(running)
        if open_jobs(running) == 0:
            return
    running.family.start(programs.worker())


def check_letters(running: serving.House, mailbox: Mailbox, number: int, kills: int) -> None:
    """Every letter came to its reader and to nobody else; a repeat is the very same one, one a kill at most."""
    came = mailbox.letters()
    by_id = Counter(str(letter["Message-ID"]) for letter in came)
    assert len(by_id) == number, f"{len(by_id)} of {number} letters came"
    assert sum(by_id.values()) - number <= kills, f"{by_id.most_common(3)} after {kills} kills"
    for letter in came:
        reader = re.fullmatch(r"For person (\d+) alone", str(letter["Subject"]))
        assert reader is not None
        assert f"person-{reader[1]}@clinic.example" in str(letter["To"])
        plain = letter.get_body(("plain",))
        assert plain is not None
        assert set(re.findall(r"CQ-\d+", plain.get_content())) == {f"CQ-{reader[1]}"}
    with running.app() as app, app.app_context():
        states = db.session.execute(select(Letter.state, func.count()).group_by(Letter.state)).all()
        assert [tuple(each) for each in states] == [("sent", number)]
        assert work.dead_jobs() == []


def check_lanes(mailbox: Mailbox) -> None:
    """Of two letters in one lane the one posted first came first."""
    first: dict[int, int] = {}
    for place, letter in enumerate(mailbox.letters()):
        first.setdefault(int(re.findall(r"\d+", str(letter["Subject"]))[0]), place)
    assert [n for n in first if n % 2 == 0 and first[n] > first.get(n + 1, len(first) * 10)] == []
