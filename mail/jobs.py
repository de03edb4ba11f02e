"""The worker's side of a letter: render, hand over, write down what the server said."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import select, update

from history.models import record
from lib import clock, db, work
from mail import compose, delivery, outbox, render
from mail.models import Letter

PAUSE_IN_LANE = timedelta(seconds=2)
BLANK = "(blanked)"


@dataclass(frozen=True)
class _Ready:
    message: compose.Message
    kept: bytes


def deliver(task: work.Task, now: datetime) -> None:
    """Send one letter, once it is its turn; a letter that is sent or failed already is left alone.

    A worker that dies between the server's answer and our note of it sends the same bytes again, Message-ID
    included, so that the repeat can be recognised.
    """
    letter_id = int(task.arguments["letter"])
    try:
        _deliver(task, letter_id, now)
    except work.Never:
        raise
    except Exception as problem:
        if task.attempts >= work.MOST_ATTEMPTS:
            _note_failure(letter_id, str(problem), now)
        raise


HANDLERS: Mapping[str, work.Handler] = {outbox.DELIVER: deliver}


def _deliver(task: work.Task, letter_id: int, now: datetime) -> None:
    letter = db.session.get(Letter, letter_id)
    if letter is None:
        raise work.Never(f"there is no letter {letter_id}")
    if letter.state != "waiting":
        return
    if (ahead := _ahead_of(letter)) is not None:
        _stand_in_line(task, ahead)
        return
    db.session.expunge(letter)
    db.session.rollback()
    try:
        ready = _prepare(letter)
    except Exception as problem:
        _note_failure(letter_id, repr(problem), now)
        raise work.Never(f"letter {letter_id} cannot be written: {problem!r}") from problem
    work.renew(task)
    try:
        answer = delivery.send(ready.message, delivery.server(str(current_app.config["SMTP_URL"])))
    except delivery.NotNow as problem:
        raise work.Later(str(problem)) from problem
    except delivery.RefusedForGood as problem:
        _note_failure(letter_id, str(problem), now)
        raise work.Never(f"letter {letter_id} was refused: {problem}") from problem
    _note_sent(letter, answer, ready.kept, now)


def _ahead_of(letter: Letter) -> int | None:
    """The letter of the same lane that must leave right before this one, if it is still here."""
    earlier = select(Letter.id).where(Letter.lane == letter.lane, Letter.id < letter.id, Letter.state == "waiting")
    return db.session.scalar(earlier.order_by(Letter.id.desc()).limit(1))


def _stand_in_line(task: work.Task, ahead: int) -> None:
    """End this job and let a fresh one wait until the letter ahead has been tried again.

    Standing in line is no failed attempt: the letter ahead may be tried for hours.
    """
    soon = clock.machine_now() + PAUSE_IN_LANE
    with db.writing():
        paused = db.session.scalar(
            select(work.Job.pause_until)
            .where(work.Job.about == outbox.about_letter(ahead), work.Job.ended_at.is_(None))
            .order_by(work.Job.id.desc())
            .limit(1)
        )
        db.session.execute(update(work.Job).where(work.Job.id == task.id).values(ended_at=clock.machine_now()))
        db.session.add(
            work.Job(
                kind=task.kind,
                about=task.about,
                arguments=dict(task.arguments),
                due_at=task.due_at,
                pause_until=max(soon, paused) if paused else soon,
            )
        )


def _prepare(letter: Letter) -> _Ready:
    mail_from = str(current_app.config["MAIL_FROM"])
    message = compose.compose(letter, render.parts(letter), mail_from)
    if outbox.ONCE_URL not in letter.values:
        return _Ready(message, message.content)
    letter.values = _blanked(letter.values)
    return _Ready(message, compose.compose(letter, render.parts(letter), mail_from).content)


def _blanked(values: Mapping[str, Any]) -> dict[str, Any]:
    return {**values, outbox.ONCE_URL: BLANK} if outbox.ONCE_URL in values else dict(values)


def _note_sent(letter: Letter, answer: str, kept: bytes, now: datetime) -> None:
    with db.writing():
        db.session.execute(
            update(Letter)
            .where(Letter.id == letter.id, Letter.state == "waiting")
            .values(state="sent", sent_at=now, answer=answer, sent=kept, values=letter.values)
            .execution_options(synchronize_session=False)
        )


def _note_failure(letter_id: int, answer: str, now: datetime) -> None:
    with db.writing():
        letter = db.session.get(Letter, letter_id)
        if letter is None or letter.state != "waiting":
            return
        letter.state, letter.answer, letter.values = "failed", answer, _blanked(letter.values)
        record(
            letter.about,
            "letter_failed",
            at=now,
            actor="worker",
            organiser_id=letter.organiser_id,
            facts={"letter": letter.id, "template": letter.template, "answer": answer},
        )


def stop(about: str, why: str) -> None:
    """End the letters about something that have not left yet, in the open transaction; `why` stands as the answer."""
    db.session.execute(
        update(Letter)
        .where(Letter.about == about, Letter.state == "waiting")
        .values(state="failed", answer=why)
        .execution_options(synchronize_session=False)
    )
