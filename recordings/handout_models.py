"""Papers that go with a workshop or one of its sessions."""

from datetime import datetime

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from lib import db
from lib.db import Owned, same_organiser


class Handout(Owned, db.Base):
    """A file for attendees: of one session, or of the whole workshop where `session_id` is None. `key` is the store's.

    `access` says until when: `with_recording` as long as the recording plays for somebody, `until` the same or up to
    `until_at` where that is later, `always` as long as the place is theirs.
    """

    __tablename__ = "handout"
    __table_args__ = (
        same_organiser("workshop_id", "workshop"),
        same_organiser("session_id", "workshop_session"),
        CheckConstraint("access IN ('with_recording', 'until', 'always')", name="access"),
        CheckConstraint("(access = 'until') = (until_at IS NOT NULL)", name="until_at"),
    )

    workshop_id: Mapped[db.Ref] = mapped_column(index=True)
    session_id: Mapped[db.Ref | None]
    key: Mapped[str] = mapped_column(String(80))
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(8))
    size: Mapped[db.Minor]
    access: Mapped[str] = mapped_column(String(16))
    until_at: Mapped[datetime | None]
    added_at: Mapped[datetime]
