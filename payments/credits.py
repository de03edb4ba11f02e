"""Credits: money kept for a person to spend with the same organiser. Issued, spent, given back and ended only here.

A person is a normalised address. Who says they are that person is checked at the door: an address that anybody can
type opens no credit. Credits are locked last, in the order of their ids.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, func, or_, select

from lib import db, work
from lib.forms import person_of
from payments import ledger
from payments.models import Bill, Credit, Movement

EXPIRE = "payments.expire_credit"


@dataclass(frozen=True)
class Left:
    """What can be spent of a credit, or goes back to it, and until when it can be spent; None is without end."""

    credit_id: int
    minor: int
    currency: str
    expires_at: datetime | None


def issue(bill_id: int, minor: int, *, email: str, reason: str, expires_at: datetime | None, now: datetime) -> Credit:
    """Keep `minor` of what was paid for a bill as a credit of the person behind `email`. Raises ValueError for more
    than the bill has."""
    bill = ledger.lock(bill_id)
    if not 0 < minor <= ledger.of_bill(bill_id).kept_minor:
        raise ValueError("a credit is money that was paid and is still here")
    credit = Credit(
        organiser_id=bill.organiser_id,
        person=person_of(email),
        currency=bill.currency,
        minor=minor,
        source_bill_id=bill.id,
        reason=reason[:200],
        issued_at=now,
        expires_at=expires_at,
    )
    db.session.add(credit)
    db.session.flush()
    ledger.credit_issued(bill, credit, now)
    _post_end(credit)
    return credit


def available(email: str, organiser_id: int, currency: str, now: datetime) -> list[Left]:
    """What the person can spend with this organiser in this currency at `now`, what ends soonest first."""
    found = db.session.scalars(_spendable(email, organiser_id, currency, now)).all()
    return _in_order(found)


def locked(email: str, organiser_id: int, currency: str, now: datetime) -> int:
    """Lock the person's credits, so that nobody else can spend them meanwhile; what is left of them."""
    return sum(each.minor for each in _in_order(_locked(email, organiser_id, currency, now)))


def spend(bill_id: int, email: str, most: int, now: datetime) -> int:
    """Pay up to `most` of a bill out of the person's credits, what ends soonest first; what was paid so.

    Nobody else can spend the same meanwhile: the credits are locked and counted again.
    """
    bill = ledger.lock(bill_id)
    found = _locked(email, bill.organiser_id, bill.currency, now)
    by_id = {each.id: each for each in found}
    spent = 0
    for left in _in_order(found):
        part = min(left.minor, most - spent)
        if part > 0:
            ledger.credit_spent(bill, by_id[left.credit_id], part, now)
            spent += part
    return spent


def set_apart(email: str, most: int, *, organiser_id: int, currency: str, now: datetime) -> int:
    """Take up to `most` of the person's credits for something that waits for the rest of its money; the id of the bill
    that has it. The bill is no booking's, so that nothing that happens to a booking's money touches it."""
    bill = Bill(organiser_id=organiser_id, currency=currency, total_minor=0, created_at=now)
    db.session.add(bill)
    db.session.flush()
    spend(bill.id, email, most, now)
    return bill.id


def pass_on(apart_id: int, bill_id: int, note: str, now: datetime) -> None:
    """What was set apart pays for a bill, also where the credit's time has run out since. The bill is locked."""
    apart, bill = ledger.lock(apart_id), ledger.lock(bill_id)
    parts = _parts(apart_id, spent_on(apart_id))
    by_id = _locked_of(parts)
    for number, part, _ in parts:
        ledger.credit_returned(apart, by_id[number], part, note, now)
        ledger.credit_spent(bill, by_id[number], part, now)


def spent_on(bill_id: int) -> int:
    """What a bill still has from credits."""
    return sum(minor for _, minor, _ in _had(bill_id))


def would_give_back(bill_id: int, most: int) -> list[Left]:
    """To which credits up to `most` of what a bill had from them would go back."""
    parts = _parts(bill_id, most)
    wanted = select(Credit).where(Credit.id.in_([number for number, _, _ in parts]))
    found = {each.id: each for each in db.session.scalars(wanted)}
    return [Left(number, part, found[number].currency, found[number].expires_at) for number, part, _ in parts]


def give_back(bill_id: int, most: int, *, reason: str, now: datetime, stood_still: bool = False) -> list[Left]:
    """Give up to `most` of what a bill had from credits back to them, the last spent first; what each was given.

    A credit ends when it did before, also where that time is over. Where it `stood_still` it ends as much later as it
    was with the bill: what its person had of its time when they spent it, they have again.
    """
    bill = ledger.lock(bill_id)
    parts = _parts(bill_id, most)
    locked = _locked_of(parts)
    for number, part, since in parts:
        credit = locked[number]
        ledger.credit_returned(bill, credit, part, reason, now)
        if credit.expires_at is not None:
            credit.expires_at += now - since if stood_still else timedelta()
            _post_end(credit, now)
    return [Left(number, part, locked[number].currency, locked[number].expires_at) for number, part, _ in parts]


def expire(credit_id: int, now: datetime) -> int:
    """End a credit whose time has come; what was left of it. Nothing happens before that time.

    Its bill is locked first, as by everybody who spends it or gives it back: the row of its end hangs on that bill.
    """
    ledger.lock(db.session.scalars(select(Credit.source_bill_id).where(Credit.id == credit_id)).one())
    credit = db.session.scalars(
        select(Credit).where(Credit.id == credit_id).with_for_update().execution_options(populate_existing=True)
    ).one()
    if credit.expires_at is None or now < credit.expires_at:
        return 0
    left = ledger.left_of([credit_id])[credit_id]
    ledger.credit_expired(credit, left, now)
    return left


def lock_all(person: str, organiser_id: int) -> Sequence[Credit]:
    """Lock all of a person's credits, spent or over or not; those credits."""
    wanted = select(Credit).where(Credit.organiser_id == organiser_id, Credit.person == person_of(person))
    locking = wanted.order_by(Credit.id).with_for_update().execution_options(populate_existing=True)
    return db.session.scalars(locking).all()


def of_bill(bill_id: int) -> Sequence[Credit]:
    """What was kept of a bill as credits."""
    return db.session.scalars(select(Credit).where(Credit.source_bill_id == bill_id).order_by(Credit.id)).all()


def statement(email: str, organiser_id: int) -> list[tuple[Credit, list[Movement]]]:
    """The person's credits, oldest first, each with all that happened to it."""
    found = db.session.scalars(
        select(Credit).where(Credit.organiser_id == organiser_id, Credit.person == person_of(email)).order_by(Credit.id)
    ).all()
    rows = db.session.scalars(
        select(Movement).where(Movement.credit_id.in_([each.id for each in found])).order_by(Movement.id)
    ).all()
    return [(credit, [row for row in rows if row.credit_id == credit.id]) for credit in found]


def _spendable(email: str, organiser_id: int, currency: str, now: datetime) -> Select[Credit]:
    return select(Credit).where(
        Credit.organiser_id == organiser_id,
        Credit.person == person_of(email),
        Credit.currency == currency,
        or_(Credit.expires_at.is_(None), Credit.expires_at > now),
    )


def _locked(email: str, organiser_id: int, currency: str, now: datetime) -> Sequence[Credit]:
    wanted = _spendable(email, organiser_id, currency, now).order_by(Credit.id).with_for_update()
    return db.session.scalars(wanted.execution_options(populate_existing=True)).all()


def _locked_of(parts: Sequence[tuple[int, int, datetime]]) -> dict[int, Credit]:
    wanted = select(Credit).where(Credit.id.in_([number for number, _, _ in parts])).order_by(Credit.id)
    found = db.session.scalars(wanted.with_for_update().execution_options(populate_existing=True))
    return {each.id: each for each in found}


def _in_order(found: Sequence[Credit]) -> list[Left]:
    left = ledger.left_of([each.id for each in found])
    rest = [Left(each.id, left[each.id], each.currency, each.expires_at) for each in found if left[each.id] > 0]
    return sorted(rest, key=lambda each: (each.expires_at is None, each.expires_at, each.credit_id))


def _had(bill_id: int) -> list[tuple[int, int, datetime]]:
    """What a bill has of each credit and since when, the last spent first."""
    rows = db.session.execute(
        select(Movement.credit_id, func.sum(Movement.minor), func.max(Movement.at))
        .where(Movement.bill_id == bill_id, Movement.kind.in_(("credit_spent", "credit_returned")))
        .group_by(Movement.credit_id)
        .order_by(func.max(Movement.id).desc())
    )
    return [(number, int(minor), at) for number, minor, at in rows if number is not None and minor > 0]


def _parts(bill_id: int, most: int) -> list[tuple[int, int, datetime]]:
    """Up to `most` of what a bill has of credits: of which, how much, and since when."""
    parts = []
    for number, minor, since in _had(bill_id):
        part = min(minor, most)
        if part <= 0:
            break
        parts.append((number, part, since))
        most -= part
    return parts


def _post_end(credit: Credit, now: datetime | None = None) -> None:
    if credit.expires_at is not None:
        due_at = max(credit.expires_at, now or credit.expires_at)
        work.post(EXPIRE, f"credit:{credit.id}", due_at, {"credit": credit.id})
