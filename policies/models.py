"""An organiser's policies, each in versions."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lib import db


class Policy(db.Owned, db.Base):
    """One version of a policy. Its data is never changed; a change is the next version.

    `data` is the language of docs/policies.md. A booking freezes a copy of it (`versions.snapshot`), so what was
    promised outlives every later version. At most one row of an organiser is its default.
    """

    __tablename__ = "policy"
    __table_args__ = (
        db.pair("policy"),
        UniqueConstraint("organiser_id", "name", "version"),
        Index(
            "uq_policy_default",
            "organiser_id",
            unique=True,
            sqlite_where=text("is_default"),
            postgresql_where=text("is_default"),
        ),
    )

    organiser_id: Mapped[db.Ref] = mapped_column(ForeignKey("organiser.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    version: Mapped[int]
    is_default: Mapped[bool] = mapped_column(default=False)
    data: Mapped[db.Facts]
    made_at: Mapped[datetime]
