"""Who did what to what, when. Rows are only ever added."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import String, insert
from sqlalchemy.orm import Mapped, mapped_column

from lib import db


class Entry(db.Base):
    """One thing that happened. Refers by plain values, so that no row can stop it from being kept."""

    __tablename__ = "entry"

    id: Mapped[db.Id]
    organiser_id: Mapped[int | None] = mapped_column(index=True)
    about: Mapped[str] = mapped_column(String(80), index=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(80))
    verb: Mapped[str] = mapped_column(String(60))
    facts: Mapped[db.Facts]


def record(
    about: str, verb: str, *, at: datetime, actor: str, organiser_id: int | None, facts: Mapping[str, Any] | None = None
) -> None:
    """Add an entry to the open transaction. `about` is "kind:id", `actor` "booker", "stripe", "worker" or "user:id"."""
    db.session.execute(
        insert(Entry).values(
            about=about, verb=verb, at=at, actor=actor, organiser_id=organiser_id, facts=dict(facts or {})
        )
    )
