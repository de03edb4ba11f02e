"""The parts of a bill that are paid later: written, paid and dropped only here.

Amounts are in minor units of the bill's currency. Whoever writes holds the bill's lock.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select

from courses import least
from lib import db
from payments.models import Bill, Instalment, Payment


@dataclass(frozen=True)
class Planned:
    """A part to be written down: its day, the instant from which it is due, and whose places it is for."""

    due_on: date
    due_at: datetime
    shares: Mapping[int, int]


def plan(bill: Bill, parts: Sequence[Planned]) -> list[Instalment]:
    """Write down what is to be paid later."""
    made = [
        Instalment(
            organiser_id=bill.organiser_id,
            bill_id=bill.id,
            due_on=each.due_on,
            due_at=each.due_at,
            minor=sum(each.shares.values()),
            shares=_kept(each.shares),
            state="open",
        )
        for each in parts
    ]
    db.session.add_all(made)
    _flushed(bill)
    return made


def open_of(bill: Bill) -> list[Instalment]:
    """What of a bill is still to be paid in parts, the oldest first."""
    return [each for each in bill.instalments if each.state == "open"]


def open_minor(bill_ids: Collection[int]) -> dict[int, int]:
    """What each of these bills is still to be paid in parts; one statement however many."""
    rows = db.session.execute(
        select(Instalment.bill_id, func.sum(Instalment.minor))
        .where(Instalment.bill_id.in_(bill_ids), Instalment.state == "open")
        .group_by(Instalment.bill_id)
    )
    return dict.fromkeys(bill_ids, 0) | {bill_id: int(minor) for bill_id, minor in rows}


def open_share(bill: Bill, attendee_id: int) -> int:
    """What is still to be paid in parts for one attendee's place."""
    return sum(int(each.shares.get(str(attendee_id), 0)) for each in open_of(bill))


def settle(bill: Bill, payment: Payment, now: datetime) -> tuple[list[Instalment], int]:
    """Let a payment pay what is open, the oldest first and each as a whole: what it paid, and what of it is left."""
    left, settled = payment.amount_minor, []
    for instalment in open_of(bill):
        if instalment.minor > left:
            break
        instalment.state, instalment.payment_id, instalment.settled_at = "paid", payment.id, now
        left -= instalment.minor
        settled.append(instalment)
    _flushed(bill)
    return settled, left


def drop(bill: Bill, attendee_ids: Collection[int], now: datetime) -> int:
    """Take the shares of places that were given up out of what is open; how much less it is.

    What is left of a part and less than Stripe takes is paid with the part before it, else with the one after; where
    there is none it is dropped too.
    """
    gone = {str(each) for each in attendee_ids}
    before = sum(each.minor for each in open_of(bill))
    for each in open_of(bill):
        theirs = {whose: minor for whose, minor in each.shares.items() if whose in gone}
        rest = {whose: minor for whose, minor in each.shares.items() if whose not in gone}
        if theirs and rest:
            each.shares, each.minor = rest, sum(rest.values())
            _drop(_twin(each, theirs), now)
        elif theirs:
            _drop(each, now)
    _flushed(bill)
    _gather(bill, now)
    return before - sum(each.minor for each in open_of(bill))


def _gather(bill: Bill, now: datetime) -> None:
    """Leave no part that no card could be charged."""
    while small := next((each for each in open_of(bill) if each.minor < least.least(bill.currency)), None):
        parts = open_of(bill)
        at = parts.index(small)
        if len(parts) == 1:
            _drop(small, now)
            return
        other = parts[at - 1] if at else parts[1]
        other.shares = _kept(
            {whose: int(other.shares.get(whose, 0)) + int(small.shares.get(whose, 0)) for whose in other.shares}
            | {whose: minor for whose, minor in small.shares.items() if whose not in other.shares}
        )
        other.minor += small.minor
        db.session.delete(small)
        _flushed(bill)


def _twin(of: Instalment, shares: Mapping[str, int]) -> Instalment:
    made = Instalment(
        organiser_id=of.organiser_id,
        bill_id=of.bill_id,
        due_on=of.due_on,
        due_at=of.due_at,
        minor=sum(shares.values()),
        shares=dict(shares),
        state="open",
    )
    db.session.add(made)
    return made


def _drop(instalment: Instalment, now: datetime) -> None:
    instalment.state, instalment.settled_at = "dropped", now


def _flushed(bill: Bill) -> None:
    db.session.flush()
    db.session.expire(bill, ["instalments"])


def _kept(shares: Mapping[int, int] | Mapping[str, int]) -> dict[str, int]:
    return {str(whose): int(minor) for whose, minor in shares.items() if minor}
