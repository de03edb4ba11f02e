"""The places where people can ask for an organiser's news, set up by its team."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from lib import db
from newsletter.models import Placement, Subscriber


class NameTaken(ValueError):
    """The organiser has a placement of this name."""


def of(organiser_id: int) -> list[Placement]:
    """The organiser's placements, in order of their names."""
    return list(
        db.session.scalars(select(Placement).where(Placement.organiser_id == organiser_id).order_by(Placement.name))
    )


def figures(organiser_id: int) -> dict[int, Counter[str]]:
    """How many addresses asked, are subscribed and left, by placement."""
    found: dict[int, Counter[str]] = {}
    counted = db.session.execute(
        select(Subscriber.placement_id, Subscriber.state, func.count())
        .where(Subscriber.organiser_id == organiser_id)
        .group_by(Subscriber.placement_id, Subscriber.state)
    )
    for placement_id, state, number in counted:
        found.setdefault(placement_id, Counter())[state] = number
    return found


def save(organiser_id: int, placement: Placement | None, facts: Mapping[str, Any]) -> Placement:
    """Make a placement or change one; codes that were sent keep what they say. Raises NameTaken."""
    other = db.session.scalar(
        select(Placement).where(Placement.organiser_id == organiser_id, Placement.name == facts["name"])
    )
    if other is not None and (placement is None or other.id != placement.id):
        raise NameTaken(f"You have a form called {other.name} already.")
    if placement is None:
        placement = Placement(organiser_id=organiser_id)
        db.session.add(placement)
    for name, value in facts.items():
        setattr(placement, name, value)
    db.session.flush()
    return placement
