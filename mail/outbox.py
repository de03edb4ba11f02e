"""Posting a letter: a row and a job in the transaction of the fact it tells of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from flask import current_app

from lib import db, work
from lib.calendars import Method
from lib.forms import one_line
from mail.models import Letter

DELIVER = "mail.deliver"
ONCE_URL = "once_url"  # the value that holds a one-time way in: no row keeps it once the letter has left


@dataclass(frozen=True)
class Sender:
    """In whose name a letter is written: the address it leaves from is the installation's, answers go to theirs."""

    name: str
    reply_to: str | None
    organiser_id: int | None = None


def post(
    template: str,
    *,
    to_name: str,
    to_email: str,
    sender: Sender,
    about: str,
    lane: str,
    at: datetime,
    values: Mapping[str, Any],
    method: Method | None = None,
    calendar: bytes | None = None,
    files: Sequence[Mapping[str, str]] = (),
    thread_id: str | None = None,
) -> Letter:
    """Add a letter to the open transaction; it leaves soon after.

    `template` names templates/letters/<template>.html and .txt, rendered by the worker from `values` alone (plain
    JSON; the subject is values["subject"]). `lane` orders letters: those of one lane leave in order of posting.
    `files` are [{"name", "type", "text"}]; `thread_id` is the message id of the letter this one follows.
    """
    domain = one_line(str(current_app.config["MAIL_FROM"])).rpartition("@")[2].strip("> ") or "localhost"
    letter = Letter(
        organiser_id=sender.organiser_id,
        about=about,
        lane=lane,
        message_id=f"<{uuid4().hex}@{domain}>",
        thread_id=thread_id,
        to_name=one_line(to_name)[:200],
        to_email=to_email,
        from_name=one_line(sender.name)[:200],
        reply_to=sender.reply_to,
        template=template,
        values=dict(values),
        method=method,
        calendar=calendar.decode("utf-8") if calendar else None,
        files=[dict(each) for each in files],
        posted_at=at,
    )
    db.session.add(letter)
    db.session.flush()
    work.post(DELIVER, about_letter(letter.id), at, {"letter": letter.id})
    return letter


def about_letter(letter_id: int) -> str:
    """What the jobs of a letter are about."""
    return f"letter:{letter_id}"
