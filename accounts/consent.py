"""Agreeing to be written to."""

from datetime import datetime

from sqlalchemy import select

from accounts.models import Consent
from lib import db


def give(organiser_id: int, email: str, kind: str, *, about: str, now: datetime) -> None:
    """Keep that an address agreed, or agrees again after it withdrew."""
    known = db.session.scalars(
        select(Consent).where(Consent.organiser_id == organiser_id, Consent.email == email, Consent.kind == kind)
    ).one_or_none()
    if known is None:
        db.session.add(Consent(organiser_id=organiser_id, email=email, kind=kind, about=about, given_at=now))
    elif known.withdrawn_at:
        known.about, known.given_at, known.withdrawn_at = about, now, None


def withdraw(organiser_id: int, email: str, kind: str, *, now: datetime) -> None:
    """Keep that an address agrees no longer, from now on."""
    known = db.session.scalars(
        select(Consent).where(Consent.organiser_id == organiser_id, Consent.email == email, Consent.kind == kind)
    ).one_or_none()
    if known is not None and known.withdrawn_at is None:
        known.withdrawn_at = now
