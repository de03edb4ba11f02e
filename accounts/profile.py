"""What an organiser says of itself: changed by its team, each change kept in history."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import select

from accounts.models import Organiser
from history import models as history
from lib import db


@dataclass(frozen=True)
class Profile:
    """The columns that the team may write, checked for shape."""

    name: str
    about: str
    phone: str
    email: str
    address: str
    colour: str


@dataclass(frozen=True)
class Invoicing:
    """What stands on an organiser's papers, and how many days there are to pay; `vat_rate` in hundredths of a per
    cent."""

    legal_name: str
    vat_mode: str
    vat_number: str
    vat_rate: int
    bank_details: str
    invoice_days: int


def save(organiser_id: int, profile: Profile, *, actor: str, now: datetime) -> None:
    """Keep what was typed; history names the fields that changed."""
    changed = _write(organiser_id, asdict(profile))
    if changed:
        _record(organiser_id, "settings_changed", {"fields": sorted(changed)}, actor, now)


def save_invoicing(organiser_id: int, invoicing: Invoicing, *, actor: str, now: datetime) -> None:
    """Keep what papers say from now on; history names the fields that changed."""
    changed = _write(organiser_id, asdict(invoicing))
    if changed:
        _record(organiser_id, "invoicing_changed", {"fields": sorted(changed)}, actor, now)


def set_money(organiser_id: int, *, holds_for_bank: bool, dispute_bars: bool, actor: str, now: datetime) -> None:
    """Whether places are kept while a bank debit is under way, and whether a dispute shuts the way in."""
    changed = _write(organiser_id, {"holds_for_bank": holds_for_bank, "dispute_bars": dispute_bars})
    if changed:
        _record(organiser_id, "money_settings_changed", changed, actor, now)


def set_logo(organiser_id: int, name: str, *, actor: str, now: datetime) -> str:
    """Name the stored picture in the organiser's row, or none; returns the name of the one before."""
    organiser = _locked(organiser_id)
    before, organiser.logo = organiser.logo, name
    _record(organiser_id, "logo_changed" if name else "logo_removed", {}, actor, now)
    return before


def _write(organiser_id: int, wanted: Mapping[str, object]) -> dict[str, object]:
    """Set the columns that are to be otherwise; those, with what they are now."""
    organiser = _locked(organiser_id)
    changed = {name: value for name, value in wanted.items() if getattr(organiser, name) != value}
    for name, value in changed.items():
        setattr(organiser, name, value)
    return changed


def _locked(organiser_id: int) -> Organiser:
    return db.session.scalars(
        select(Organiser)
        .where(Organiser.id == organiser_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def _record(organiser_id: int, verb: str, facts: dict[str, object], actor: str, now: datetime) -> None:
    history.record(f"organiser:{organiser_id}", verb, at=now, actor=actor, organiser_id=organiser_id, facts=facts)
