"""What a new subscriber gets: a code of their own, off a full-price ticket for their first online event."""

import secrets
from datetime import datetime, time, timedelta

from sqlalchemy import select

from bookings import discounts
from bookings.models import DiscountCode
from lib import db, zones
from lib.references import ALPHABET
from newsletter.models import Subscriber

BEGINS = "HELLO"
LENGTH = 6


def mint(subscriber: Subscriber, now: datetime) -> DiscountCode | None:
    """A code that counts once, for this person, on one full-price ticket. None where the placement has no offer, or
    the person has had a code under another way of writing the address."""
    placement = subscriber.placement
    if placement.percent is None:
        return None
    had = select(Subscriber.id).where(
        Subscriber.organiser_id == subscriber.organiser_id,
        Subscriber.person == subscriber.person,
        Subscriber.code_id.is_not(None),
    )
    if db.session.scalar(had.limit(1)):
        return None
    text = _free(subscriber.organiser_id)
    code = DiscountCode(
        organiser_id=subscriber.organiser_id,
        code=text,
        folded=discounts.fold(text),
        percent=placement.percent,
        full_price_only=True,
        first_online_only=True,
        covers=1,
        person=subscriber.person,
        uses_total=1,
        uses_per_person=1,
        valid_until=_last_second(now, placement.lasts_days, subscriber.organiser.zone),
    )
    db.session.add(code)
    db.session.flush()
    return code


def _free(organiser_id: int) -> str:
    while True:
        text = f"{BEGINS}-{''.join(secrets.choice(ALPHABET) for _ in range(LENGTH))}"
        is_it = DiscountCode.folded == discounts.fold(text)
        if not db.session.scalar(select(DiscountCode.id).where(DiscountCode.organiser_id == organiser_id, is_it)):
            return text


def _last_second(now: datetime, days: int | None, zone: str) -> datetime | None:
    """The last second of the day that is so many days on, in the organiser's zone."""
    if days is None:
        return None
    following = datetime.combine(zones.wall(now, zone).date() + timedelta(days=days + 1), time())
    try:
        return zones.instant(following, zone) - timedelta(seconds=1)
    except zones.TimeSkipped as gap:
        return zones.instant(gap.until, zone) - timedelta(seconds=1)
