"""An organiser's terms, privacy notice and accessibility statement: written anew each time, never edited.

Until an organiser has written one the house's own stands, so that no page is ever without.
"""

import re
from datetime import datetime

from markupsafe import Markup
from sqlalchemy import Select, func, select

from accounts.models import Organiser, Paper
from history import models as history
from lib import db, texts

KINDS = ("terms", "privacy", "accessibility")
LONGEST = 60_000
_LARGE_HEADING = re.compile(r"^#{1,2}(?=\s)", re.MULTILINE)


def current(organiser_id: int, kind: str) -> Paper | None:
    """The newest version, or None while the house's own text stands."""
    return db.session.scalars(_of(organiser_id, kind).order_by(Paper.id.desc()).limit(1)).one_or_none()


def version(organiser_id: int, kind: str, number: str) -> Paper | None:
    """One version, as it was written."""
    return db.session.scalars(_of(organiser_id, kind).where(Paper.version == number)).one_or_none()


def versions(organiser_id: int, kind: str) -> list[Paper]:
    """All versions, newest first."""
    return list(db.session.scalars(_of(organiser_id, kind).order_by(Paper.id.desc())))


def html(text: str) -> Markup:
    """Safe HTML of a paper. Its headings stand below those of the page it is on, however large they were typed."""
    return Markup(texts.rich(_LARGE_HEADING.sub("###", text)))  # noqa: S704 - cleaned by texts.rich


def write(organiser_id: int, kind: str, text: str, *, actor: str, now: datetime) -> Paper:
    """Add the next version; the same text again is no new one."""
    db.session.scalars(select(Organiser.id).where(Organiser.id == organiser_id).with_for_update()).one()
    newest = current(organiser_id, kind)
    if newest is not None and newest.text == text:
        return newest
    known = db.session.scalar(select(func.count()).where(Paper.organiser_id == organiser_id, Paper.kind == kind))
    paper = Paper(organiser_id=organiser_id, kind=kind, version=str((known or 0) + 1), text=text, made_at=now)
    db.session.add(paper)
    db.session.flush()
    history.record(
        f"organiser:{organiser_id}",
        "paper_written",
        at=now,
        actor=actor,
        organiser_id=organiser_id,
        facts={"kind": kind, "version": paper.version},
    )
    return paper


def _of(organiser_id: int, kind: str) -> Select[Paper]:
    return select(Paper).where(Paper.organiser_id == organiser_id, Paper.kind == kind)
