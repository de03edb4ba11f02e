"""An organiser's policies as they are in force, and which workshops go by which. Asked for the desk, never kept."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from accounts.models import Organiser
from courses.models import TicketPrice, Workshop
from lib import db
from policies import versions
from policies.models import Policy


@dataclass(frozen=True)
class Use:
    """The newest version of a policy, and the workshops not over that name it or, of the default, name none."""

    policy: Policy
    workshops: tuple[Workshop, ...]


def read(organiser: Organiser, now: datetime) -> list[Use]:
    """All policies by name, in three statements however many there are."""
    newest = versions.offered(organiser.id)
    versioned = db.session.execute(select(Policy.id, Policy.name).where(Policy.organiser_id == organiser.id))
    names = {number: name for number, name in versioned}  # noqa: C416 - typed
    default = next((each.name for each in newest if each.is_default), None)
    ahead = db.session.scalars(
        select(Workshop)
        .where(Workshop.organiser_id == organiser.id, Workshop.status != "cancelled", Workshop.ends_at > now)
        .order_by(Workshop.starts_at)
    ).all()
    goes_by = [(names[each.policy_id] if each.policy_id else default, each) for each in ahead]
    return [Use(policy, tuple(each for name, each in goes_by if name == policy.name)) for policy in newest]


def choices(organiser: Organiser) -> list[tuple[str, str]]:
    """What a workshop can go by, to choose from: the default first, then each policy."""
    newest = versions.offered(organiser.id)
    default = next((f"Your default, {each.name}" for each in newest if each.is_default), "No policy yet")
    return [("", default), *((str(each.id), each.name) for each in newest)]


def chosen(organiser: Organiser, workshop: Workshop) -> str:
    """Which of `choices` a workshop has."""
    if workshop.policy_id is None:
        return ""
    own = db.session.get_one(Policy, workshop.policy_id)
    newest = versions.current(organiser.id, own.name)
    return str(newest.id) if newest else ""


def history(organiser: Organiser, name: str) -> list[Policy]:
    """Every version of a policy, the newest first."""
    wanted = select(Policy).where(Policy.organiser_id == organiser.id, Policy.name == name)
    return list(db.session.scalars(wanted.order_by(Policy.version.desc())))


def currencies(organiser: Organiser) -> list[str]:
    """What the organiser sells in, their own currency first."""
    sold = db.session.scalars(
        select(TicketPrice.currency).where(TicketPrice.organiser_id == organiser.id).distinct()
    ).all()
    return list(dict.fromkeys([organiser.currency, *sorted(sold)]))
