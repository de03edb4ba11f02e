"""An organiser's team: who is in it, in which role, who is invited. Every act is in history; somebody always owns it.

Whoever takes an owner away locks the organiser first, so that two owners who remove each other at the same moment
leave one.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select, update

from accounts import letters, signing_in
from accounts.models import ROLES, Membership, Organiser, SignInLink, User
from history import models as history
from lib import db, web


class LastOwner(web.Refusal):
    """The act would leave the organiser without an owner."""

    status = 409
    refusal = "last_owner"
    title = "Somebody has to own this"


class AlreadyInTeam(web.Refusal):
    """The address belongs to a member."""

    status = 409
    refusal = "already_in_team"
    title = "This person is in your team already"


class NotInTeam(web.Refusal):
    """The member or the invitation is gone."""

    status = 409
    refusal = "not_in_team"
    title = "This person is no longer in your team"


@dataclass(frozen=True)
class Member:
    """Somebody in the team."""

    user_id: int
    name: str
    email: str
    role: str


def members(organiser_id: int) -> list[Member]:
    """The team: owners first, then by address."""
    rows = db.session.execute(
        select(User.id, User.name, User.email, Membership.role)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.organiser_id == organiser_id)
    )
    found = [Member(*row) for row in rows]
    return sorted(found, key=lambda each: (ROLES.index(each.role), each.email))


def organisers_of(user_id: int) -> list[Organiser]:
    """Whose teams a person is in, by name."""
    return list(
        db.session.scalars(
            select(Organiser).join(Membership).where(Membership.user_id == user_id).order_by(Organiser.name)
        )
    )


def invitations(organiser_id: int, now: datetime) -> list[SignInLink]:
    """Those that can still be accepted, newest first."""
    return list(
        db.session.scalars(
            select(SignInLink).where(*_open(organiser_id), SignInLink.expires_at > now).order_by(SignInLink.id.desc())
        )
    )


def invite(organiser_id: int, email: str, role: str, *, actor: str, now: datetime) -> None:
    """Post an invitation; an earlier one to the same address stops working. Raises AlreadyInTeam."""
    organiser = _locked(organiser_id)
    known = select(Membership.id).join(User, User.id == Membership.user_id)
    if db.session.scalar(known.where(Membership.organiser_id == organiser_id, User.email == email)):
        raise AlreadyInTeam(f"{email} is in your team. You can change the role in the list.")
    _end_invitations(organiser_id, email, now)
    made = signing_in.make(email, "invitation", now, invited=signing_in.Invited(organiser_id, role))
    letters.post_invitation(made, organiser, now)
    _record(organiser_id, "team_invited", {"email": email, "role": role}, actor, now)


def take_back(organiser_id: int, link_id: int, *, actor: str, now: datetime) -> None:
    """End an invitation that nobody has accepted. Raises NotInTeam when there is none."""
    _locked(organiser_id)
    email = db.session.scalar(select(SignInLink.email).where(*_open(organiser_id), SignInLink.id == link_id))
    if email is None:
        raise NotInTeam("This invitation was accepted or taken back already.")
    _end_invitations(organiser_id, email, now)
    _record(organiser_id, "team_invitation_taken_back", {"email": email}, actor, now)


def change_role(organiser_id: int, user_id: int, role: str, *, actor: str, now: datetime) -> None:
    """Give a member another role. Raises LastOwner or NotInTeam."""
    _locked(organiser_id)
    member = _member(organiser_id, user_id)
    if member.role == role:
        return
    if member.role == "owner":
        _refuse_the_last_one(organiser_id)
    facts = {"user": user_id, "role_before": member.role, "role": role}
    member.role = role
    _record(organiser_id, "team_role_changed", facts, actor, now)


def remove(organiser_id: int, user_id: int, *, actor: str, now: datetime) -> None:
    """Take somebody out of the team: their sessions end, and invitations to their address. Raises LastOwner or
    NotInTeam."""
    _locked(organiser_id)
    member = _member(organiser_id, user_id)
    if member.role == "owner":
        _refuse_the_last_one(organiser_id)
    user = db.session.get_one(User, user_id, populate_existing=True)
    facts = {"user": user_id, "email": user.email, "role": member.role}
    db.session.execute(delete(Membership).where(Membership.id == member.id))
    user.session_version += 1
    _end_invitations(organiser_id, user.email, now)
    _record(organiser_id, "team_removed", facts, actor, now)


def _locked(organiser_id: int) -> Organiser:
    return db.session.scalars(
        select(Organiser)
        .where(Organiser.id == organiser_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def _member(organiser_id: int, user_id: int) -> Membership:
    found = db.session.scalars(
        select(Membership)
        .where(Membership.organiser_id == organiser_id, Membership.user_id == user_id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotInTeam("Somebody else has removed them meanwhile.")
    return found


def _refuse_the_last_one(organiser_id: int) -> None:
    owners = db.session.scalar(
        select(func.count()).where(Membership.organiser_id == organiser_id, Membership.role == "owner")
    )
    if (owners or 0) < 2:
        raise LastOwner("Make somebody else an owner first. Nothing was changed.")


def _open(organiser_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        SignInLink.organiser_id == organiser_id,
        SignInLink.purpose == "invitation",
        SignInLink.used_at.is_(None),
    )


def _end_invitations(organiser_id: int, email: str, now: datetime) -> None:
    db.session.execute(
        update(SignInLink)
        .where(*_open(organiser_id), SignInLink.email == email)
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )


def _record(organiser_id: int, verb: str, facts: dict[str, object], actor: str, now: datetime) -> None:
    history.record(f"organiser:{organiser_id}", verb, at=now, actor=actor, organiser_id=organiser_id, facts=facts)
