"""An organiser's own app at Zoom: kept with its secrets sealed, which are opened here and shown nowhere."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, select, update

from history import models as history
from lib import db, sealing
from meetings.models import ZoomAccount


class SecretMissing(Exception):
    """A secret was left empty and none is kept; `field` is client_secret or webhook_secret."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.field = name


@dataclass(frozen=True)
class Credentials:
    """What Zoom's token is asked for with (Server-to-Server OAuth)."""

    account_id: str
    client_id: str
    client_secret: str = field(repr=False)


def of_organiser(organiser_id: int) -> ZoomAccount | None:
    """The row as it stands now."""
    return db.session.scalars(
        select(ZoomAccount).where(ZoomAccount.organiser_id == organiser_id).execution_options(populate_existing=True)
    ).one_or_none()


def save(
    organiser_id: int,
    *,
    account_id: str,
    client_id: str,
    client_secret: str,
    webhook_secret: str,
    actor: str,
    now: datetime,
) -> None:
    """Keep the app's four words; a secret left empty stays as it is. Raises SecretMissing and changes nothing.

    The history keeps that they were changed, never to what.
    """
    known = of_organiser(organiser_id)
    typed = {"client_secret": client_secret, "webhook_secret": webhook_secret}
    for name, value in typed.items():
        if not value and known is None:
            raise SecretMissing(name)
    values = {"account_id": account_id, "client_id": client_id, "changed_at": now}
    values |= {name: sealing.seal(value) for name, value in typed.items() if value}
    if known is None:
        db.session.execute(db.insert_or(ZoomAccount).values(organiser_id=organiser_id, **values))
    else:
        db.session.execute(update(ZoomAccount).where(ZoomAccount.id == known.id).values(values))
    _record(organiser_id, "zoom_account_saved", actor, now)


def forget(organiser_id: int, *, actor: str, now: datetime) -> None:
    """Take the app's words away; nothing happens when there are none. What was fetched stays."""
    gone = db.session.execute(
        delete(ZoomAccount).where(ZoomAccount.organiser_id == organiser_id).returning(ZoomAccount.id)
    )
    if gone.first():
        _record(organiser_id, "zoom_account_forgotten", actor, now)


def heard(organiser_id: int, now: datetime) -> None:
    """Zoom's signature was right just now."""
    db.session.execute(update(ZoomAccount).where(ZoomAccount.organiser_id == organiser_id).values(heard_at=now))


def webhook_secret(account: ZoomAccount) -> str:
    """Raises sealing.SealBroken."""
    return sealing.opened(account.webhook_secret)


def credentials(account: ZoomAccount) -> Credentials:
    """Raises sealing.SealBroken."""
    return Credentials(account.account_id, account.client_id, sealing.opened(account.client_secret))


def _record(organiser_id: int, verb: str, actor: str, now: datetime) -> None:
    history.record(f"organiser:{organiser_id}", verb, at=now, actor=actor, organiser_id=organiser_id)
