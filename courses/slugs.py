"""Addresses of courses and workshops: folded from their titles, each its own, and kept working when they change.

The unique index has the last word: two who save the same title at the same moment both try, and the one who was later
gets an IntegrityError and tries again (`organisers/routes.py`).
"""

import re
import unicodedata
from datetime import date
from typing import Literal

from sqlalchemy import select

from courses.models import Course, OldAddress, Workshop
from lib import db

Kind = Literal["course", "workshop"]
LONGEST = 90
RESERVED = frozenset({"new"})  # an address of the back office
_SPELT = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i"})


def folded(text: str, otherwise: str = "") -> str:
    """`text` as the words of an address: lower-case a to z and figures, joined by hyphens; `otherwise` if none are
    left, as with a title in another script."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(_SPELT))
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    found = re.sub(r"[^a-z0-9]+", "-", re.sub(r"['\u2019]", "", plain)).strip("-")
    return found[:LONGEST].strip("-") or otherwise


def for_course(title: str, own: Course | None = None) -> str:
    """A free address for a course of that title; the one it has, when that is right."""
    return _free("course", folded(title, "course"), own.id if own else None)


def for_workshop(title: str, first_day: date, own: Workshop | None = None) -> str:
    """A free address for a workshop of that title which begins on that day in its own zone."""
    return _free("workshop", f"{folded(title, 'workshop')}-{first_day.isoformat()}", own.id if own else None)


def keep_old(row: Course | Workshop, slug: str) -> None:
    """Give a course or workshop another address; the one it had leads on for ever."""
    if row.slug == slug:
        return
    kind: Kind = "course" if isinstance(row, Course) else "workshop"
    again = db.session.scalar(select(OldAddress).where(OldAddress.kind == kind, OldAddress.slug == slug))
    if again is not None:  # it goes back to an address of its own
        db.session.delete(again)
        db.session.flush()
    db.session.add(
        OldAddress(
            organiser_id=row.organiser_id,
            kind=kind,
            slug=row.slug,
            course_id=row.id if kind == "course" else None,
            workshop_id=row.id if kind == "workshop" else None,
        )
    )
    row.slug = slug
    db.session.flush()


def followed(kind: Kind, slug: str) -> str | None:
    """The address that an old one leads to, when what it stands for is to be seen by everybody."""
    if kind == "course":
        is_seen = select(Workshop.id).where(Workshop.course_id == Course.id, Workshop.status != "draft").exists()
        to_course = select(Course.slug).join(OldAddress, OldAddress.course_id == Course.id)
        return db.session.scalar(to_course.where(OldAddress.kind == kind, OldAddress.slug == slug, is_seen))
    to_workshop = select(Workshop.slug).join(OldAddress, OldAddress.workshop_id == Workshop.id)
    is_out = Workshop.status != "draft"
    return db.session.scalar(to_workshop.where(OldAddress.kind == kind, OldAddress.slug == slug, is_out))


def _free(kind: Kind, base: str, own_id: int | None) -> str:
    model = Course if kind == "course" else Workshop
    like = f"{base}%"
    in_use = db.session.execute(select(model.slug, model.id).where(model.slug.like(like))).all()
    owner = OldAddress.course_id if kind == "course" else OldAddress.workshop_id
    left = db.session.execute(select(OldAddress.slug, owner).where(OldAddress.kind == kind, OldAddress.slug.like(like)))
    taken = {slug for slug, of in [*in_use, *left.all()] if own_id is None or of != own_id} | RESERVED
    number = 1
    while (slug := base if number == 1 else f"{base}-{number}") in taken:
        number += 1
    return slug
