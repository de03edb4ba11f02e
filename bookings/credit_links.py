"""The links to statements of credits: made, opened, ended. A link's version counts how often it was ended, which the
history of its credit keeps."""

from collections import Counter
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select

from bookings import credit_letters
from bookings.models import Booking
from history import models as history
from history.models import Entry
from lib import db, links
from payments import credits
from payments.models import Credit

ENDED = "credit_link_ended"


def urls(found: Collection[Credit]) -> dict[int, str]:
    """The link of each credit, by its id; one statement however many."""
    ended = _ended([each.id for each in found])
    return {each.id: credit_letters.url(each, 1 + ended[each.id]) for each in found}


def opened(token: str) -> Credit | None:
    """The credit whose link this is; None for one that was ended, and for anything else."""
    credit = db.session.get(Credit, links.row_of(token) or 0)
    is_right = credit is not None and links.verify_token("credit", 1 + _ended([credit.id])[credit.id], token)
    return credit if is_right else None


def end(credit: Credit, *, actor: str, now: datetime) -> None:
    """Every link to the statement of this credit's person stops working, in each browser that opened one, and a new one
    goes to the address that the credit is kept for. The credits are locked."""
    theirs = credits.lock_all(credit.person, credit.organiser_id)
    for each in theirs:
        history.record(f"credit:{each.id}", ENDED, at=now, actor=actor, organiser_id=each.organiser_id)
    booking = db.session.scalars(select(Booking).where(Booking.bill_id == credit.source_bill_id)).one()
    history.record(f"booking:{booking.id}", ENDED, at=now, actor=actor, organiser_id=booking.organiser_id)
    credit_letters.renewed(booking, credit, urls([credit])[credit.id], now)


def _ended(credit_ids: Collection[int]) -> Counter[int]:
    abouts = {f"credit:{number}": number for number in credit_ids}
    rows = db.session.execute(
        select(Entry.about, func.count()).where(Entry.about.in_(abouts), Entry.verb == ENDED).group_by(Entry.about)
    )
    return Counter({abouts[about]: number for about, number in rows})
