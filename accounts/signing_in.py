"""One-time links: made, posted, spent once. Whoever opens the letter has proved the address."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import select, update

from accounts.models import Membership, SignInLink, User
from history.models import record
from lib import db
from lib.paths import safe_path

Purpose = Literal["sign_in", "password", "invitation"]

HOME = "/me"
LASTS = {"sign_in": timedelta(minutes=20), "password": timedelta(minutes=20), "invitation": timedelta(days=7)}
_BYTES = 32


@dataclass(frozen=True)
class Invited:
    """What an invitation makes of whoever accepts it."""

    organiser_id: int
    role: str


@dataclass(frozen=True)
class Made:
    """A fresh link: `token` is known here and in the letter, the row keeps its hash."""

    link: SignInLink
    token: str


@dataclass(frozen=True)
class Spent:
    """Who came in by a link, and where they wanted to go."""

    user: User
    next_path: str


def make(email: str, purpose: Purpose, now: datetime, *, next_path: str = HOME, invited: Invited | None = None) -> Made:
    """Add a link for `email`, in its stored form, to the open transaction."""
    token = secrets.token_urlsafe(_BYTES)
    link = SignInLink(
        email=email,
        purpose=purpose,
        token_hash=_hash(token),
        next_path=safe_path(next_path, HOME),
        organiser_id=invited.organiser_id if invited else None,
        role=invited.role if invited else None,
        created_at=now,
        expires_at=now + LASTS[purpose],
    )
    db.session.add(link)
    db.session.flush()
    return Made(link, token)


def find(token: str, purpose: Purpose, now: datetime) -> SignInLink | None:
    """The link that `token` would spend now, or None. Spends nothing."""
    return db.session.scalar(select(SignInLink).where(*_is_alive(token, purpose, now)))


def spend(token: str, purpose: Purpose, now: datetime, *, password_hash: str | None = None) -> Spent | None:
    """Use a link up and return who came in by it, or None if it is spent, too old, or for another purpose.

    The first to come makes the account, and an invitation the membership. With `password_hash` the password is set,
    which ends every other session and every other link of that address.
    """
    row = db.session.execute(
        update(SignInLink)
        .where(*_is_alive(token, purpose, now))
        .values(used_at=now)
        .returning(SignInLink.email, SignInLink.next_path, SignInLink.organiser_id, SignInLink.role)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if row is None:
        return None
    user = _user(row.email, now)
    if row.organiser_id is not None and row.role is not None:
        _join(user, Invited(row.organiser_id, row.role), now)
    if password_hash is not None:
        _set_password(user, password_hash, now)
    return Spent(user, row.next_path)


def _is_alive(token: str, purpose: Purpose, now: datetime) -> tuple[Any, ...]:
    return (
        SignInLink.token_hash == _hash(token),
        SignInLink.purpose == purpose,
        SignInLink.used_at.is_(None),
        SignInLink.expires_at > now,
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _user(email: str, now: datetime) -> User:
    # Two links of one new address may be spent at the same moment.
    added = db.insert_or(User).values(email=email, name="", session_version=1, created_at=now)
    db.session.execute(added.on_conflict_do_nothing(index_elements=["email"]))
    return db.session.scalars(select(User).where(User.email == email)).one()


def _join(user: User, invited: Invited, now: datetime) -> None:
    added = db.insert_or(Membership).values(user_id=user.id, organiser_id=invited.organiser_id, role=invited.role)
    db.session.execute(
        # Who owns it meanwhile stays an owner: an old invitation must not take the last one away.
        added.on_conflict_do_update(
            index_elements=["user_id", "organiser_id"], set_={"role": invited.role}, where=Membership.role != "owner"
        )
    )
    record(
        f"organiser:{invited.organiser_id}",
        "joined_team",
        at=now,
        actor=f"user:{user.id}",
        organiser_id=invited.organiser_id,
        facts={"role": invited.role},
    )


def _set_password(user: User, password_hash: str, now: datetime) -> None:
    user.password_hash = password_hash
    user.session_version += 1
    db.session.execute(
        update(SignInLink)
        .where(
            SignInLink.email == user.email,
            SignInLink.purpose.in_(("sign_in", "password")),
            SignInLink.used_at.is_(None),
        )
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )
    record(f"user:{user.id}", "password_set", at=now, actor=f"user:{user.id}", organiser_id=None)
