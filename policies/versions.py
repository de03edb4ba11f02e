"""An organiser's policies over time: made, replaced by a next version, marked as the default, frozen for a booking."""

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from accounts.models import Organiser
from history import models as history
from lib import db
from policies import gaps, rules
from policies.models import Policy
from policies.rules import PolicyRefused, Rules


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a policy for who only reads it."""

    id: int
    name: str
    version: int
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class InForce:
    """What is sold now: the newest version of each policy by the ids of all its versions, and each organiser's default
    by the organiser's id."""

    newest: Mapping[int, Version]
    defaults: Mapping[int, Version]


def checked(data: Any) -> Rules:
    """Read a policy as it may be kept. Raises PolicyRefused for what cannot be read, for gaps and for overlaps."""
    found = rules.read(data)
    if faults := gaps.faults(found):
        raise PolicyRefused(faults)
    return found


def write(organiser_id: int, name: str, data: Mapping[str, Any], *, actor: str, now: datetime) -> Policy:
    """Keep a policy as the next version of `name`; the same data again is no new one.

    The first policy of an organiser becomes its default, and a new version of the default takes its place. Raises
    PolicyRefused.
    """
    kept = plain({**data, "name": name})
    checked(kept)
    _lock(organiser_id)
    newest = current(organiser_id, name)
    if newest is not None and newest.data == kept:
        return newest
    marked = default(organiser_id)
    policy = Policy(
        organiser_id=organiser_id, name=name, version=newest.version + 1 if newest else 1, data=kept, made_at=now
    )
    db.session.add(policy)
    db.session.flush()
    _enter("policy_written", policy, actor, now)
    if marked is None or marked.name == name:
        _mark(policy, marked)
    return policy


def make_default(policy: Policy, *, actor: str, now: datetime) -> None:
    """Let new workshops of its organiser have this policy unless they say another."""
    _lock(policy.organiser_id)
    marked = default(policy.organiser_id)
    if marked is not None and marked.id == policy.id:
        return
    _mark(policy, marked)
    _enter("policy_made_default", policy, actor, now)


def current(organiser_id: int, name: str) -> Policy | None:
    """The newest version of a policy."""
    wanted = select(Policy).where(Policy.organiser_id == organiser_id, Policy.name == name)
    return db.session.scalars(wanted.order_by(Policy.version.desc()).limit(1)).one_or_none()


def default(organiser_id: int) -> Policy | None:
    """The organiser's default, if it has any policy."""
    return db.session.scalars(
        select(Policy).where(Policy.organiser_id == organiser_id, Policy.is_default)
    ).one_or_none()


def offered(organiser_id: int) -> list[Policy]:
    """The newest version of each policy of the organiser, by name."""
    found = db.session.scalars(
        select(Policy).where(Policy.organiser_id == organiser_id).order_by(Policy.name, Policy.version)
    )
    return list({policy.name: policy for policy in found}.values())


def in_force() -> InForce:
    """What is sold now, by all organisers, in one statement."""
    newest: dict[tuple[int, str], Version] = {}
    defaults: dict[int, Version] = {}
    rows = db.session.scalars(select(Policy).order_by(Policy.version)).all()
    for row in rows:
        version = Version(row.id, row.name, row.version, row.data)
        newest[row.organiser_id, row.name] = version
        if row.is_default:
            defaults[row.organiser_id] = version
    return InForce({row.id: newest[row.organiser_id, row.name] for row in rows}, defaults)


def snapshot(policy: Policy | Version) -> dict[str, Any]:
    """A copy for a booking to keep, with the name and version it was sold under. `read` reads it."""
    return {**copy.deepcopy(dict(policy.data)), "version": policy.version}


def read(data: Mapping[str, Any]) -> Rules:
    """The rules of a policy or of a booking's copy. Raises PolicyRefused only for what was never written by us."""
    return rules.read(data)


def plain(data: Mapping[str, Any]) -> dict[str, Any]:
    """Data as JSON keeps it: dates as text."""
    try:
        found: dict[str, Any] = json.loads(json.dumps(data, default=_text, allow_nan=False))
    except ValueError:
        raise PolicyRefused(["A number in it is none: infinity and the like cannot be kept."]) from None
    return found


def _text(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise PolicyRefused([f"{value!r} cannot be kept. Use text, numbers, lists and mappings."])


def _mark(policy: Policy, marked: Policy | None) -> None:
    if marked is not None:
        marked.is_default = False
        db.session.flush()  # the index allows one default at any instant, not only at the end
    policy.is_default = True
    db.session.flush()


def _lock(organiser_id: int) -> None:
    """One writer of an organiser's policies at a time, so that no version comes twice."""
    db.session.scalars(select(Organiser.id).where(Organiser.id == organiser_id).with_for_update()).one()


def _enter(verb: str, policy: Policy, actor: str, now: datetime) -> None:
    history.record(
        f"policy:{policy.id}",
        verb,
        at=now,
        actor=actor,
        organiser_id=policy.organiser_id,
        facts={"name": policy.name, "version": policy.version},
    )
