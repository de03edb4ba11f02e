"""Asking for an organiser's news, confirming it, leaving. The only door to a subscriber's state."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import contains_eager

from accounts import consent
from accounts.models import Organiser
from history import models as history
from lib import db
from lib.forms import person_of
from newsletter import letters, offer
from newsletter.models import Placement, Subscriber


def placement(organiser: str, name: str) -> Placement | None:
    """The open place of that name at the organiser of that slug; the first organiser's when none is named."""
    found = (
        select(Placement)
        .join(Placement.organiser)
        .options(contains_eager(Placement.organiser))
        .where(Placement.name == name, Placement.is_open)
    )
    if organiser:
        found = found.where(Organiser.slug == organiser)
    return db.session.scalars(found.order_by(Placement.id).limit(1)).one_or_none()


def by_id(subscriber_id: int) -> Subscriber | None:
    return db.session.get(Subscriber, subscriber_id)


def ask(of: Placement, email: str, now: datetime) -> None:
    """Write to the address: to confirm, or what it gets if it has confirmed before. Nothing else is done until then."""
    subscriber = db.session.scalars(
        select(Subscriber)
        .where(Subscriber.organiser_id == of.organiser_id, Subscriber.email == email)
        .with_for_update()
    ).one_or_none()
    if subscriber is None:
        subscriber = Subscriber(
            organiser_id=of.organiser_id,
            email=email,
            person=person_of(email),
            state="asked",
            placement_id=of.id,
            asked_at=now,
        )
        db.session.add(subscriber)
        db.session.flush()
    elif subscriber.state == "left":
        subscriber.state, subscriber.placement_id, subscriber.asked_at, subscriber.left_at = "asked", of.id, now, None
        db.session.flush()
    if subscriber.state == "subscribed":
        letters.welcome(subscriber, now)
    else:
        letters.confirm(subscriber, now)


def confirm(subscriber: Subscriber, now: datetime) -> None:
    """The address is whose it was given for: it is written to from now on, and its code is in the first letter."""
    if subscriber.state == "subscribed":
        return
    subscriber.state, subscriber.confirmed_at = "subscribed", now
    consent.give(subscriber.organiser_id, subscriber.email, "marketing", about=f"subscriber:{subscriber.id}", now=now)
    if subscriber.code_id is None:
        code = offer.mint(subscriber, now)
        subscriber.code_id = code.id if code else None
    db.session.flush()
    db.session.refresh(subscriber, ["code"])
    _note(subscriber, "newsletter_confirmed", now)
    letters.welcome(subscriber, now)


def leave(subscriber: Subscriber, now: datetime) -> None:
    """Write no news to it any more. Letters about what it booked still go; the link to confirm is dead."""
    if subscriber.state == "left":
        return
    subscriber.state, subscriber.left_at = "left", now
    subscriber.link_version += 1
    consent.withdraw(subscriber.organiser_id, subscriber.email, "marketing", now=now)
    _note(subscriber, "newsletter_left", now)


def _note(subscriber: Subscriber, verb: str, now: datetime) -> None:
    history.record(
        f"subscriber:{subscriber.id}", verb, at=now, actor="subscriber", organiser_id=subscriber.organiser_id
    )
