"""Money that goes back: every attempt is a row, written before Stripe is asked.

A row whose call came to nothing is sent again under its own key, so Stripe does it once. What Stripe refused, or what
failed at the payer's bank, stays as it is and another row with another key takes its place. A state only ever goes
forward, whatever order Stripe's answers are heard in.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import uuid4

from sqlalchemy import func, or_, select

from history import models as history
from lib import db, money, web, work
from payments import ledger
from payments.gateway import SentBack
from payments.models import Dispute, Payment, Refund

SEND_BACK = "payments.send_back"
NEWS = "bookings.refund_news"  # a refund failed, or was made at Stripe: people are told by a room to the right
IN_DASHBOARD = "Made in Stripe's dashboard"
_STATES = {"succeeded": "succeeded", "pending": "pending", "requires_action": "pending"}
_ORDER = ("waiting", "pending", "succeeded", "failed")


class MoreThanPaid(web.Refusal):
    status = 409
    refusal = "more_than_paid"
    title = "That is more than can go back"


class NothingToRepeat(web.Refusal):
    status = 409
    refusal = "nothing_to_repeat"
    title = "This refund needs nobody's help"


def state_of(stripe_status: str) -> str:
    """Our word for Stripe's status of a refund; what is neither done nor on its way has failed."""
    return _STATES.get(stripe_status, "failed")


def remaining(bill_id: int) -> int:
    """What can still go back to the cards and accounts a bill was paid from: what came, less refunds that did not
    fail, and nothing of a payment that its payer's bank has taken away."""
    return sum(left for _, left in _refundable(bill_id))


def ask(
    bill_id: int,
    minor: int,
    *,
    source: str,
    reason: str,
    now: datetime,
    shares: Mapping[int, int] | None = None,
) -> list[Refund]:
    """Write down refunds of `minor` in all and post the jobs that send them, under the bill's lock.

    It comes out of one payment if one has as much, the newest such; else out of several, newest first: the older a
    payment, the likelier its bank takes no refund any more. `shares` are the attendees it is for, minor units by id,
    adding up to `minor`. Raises MoreThanPaid, with nothing written.
    """
    if minor <= 0 or (shares and sum(shares.values()) != minor):
        raise ValueError("a refund is of something, and its shares add up to it")
    bill = ledger.lock(bill_id)
    found = _refundable(bill_id)
    left = sum(each for _, each in found)
    if minor > left:
        raise MoreThanPaid(
            f"{money.text(left, bill.currency)} of this booking can go back to where it came from. Nothing was sent."
        )
    enough = [each for each in found if each[1] >= minor]
    made: list[Refund] = []
    whose = dict(shares or {})
    for payment, most in enough[:1] or found:
        amount = min(most, minor - sum(each.amount_minor for each in made))
        if amount:
            part = part_of(whose, amount)
            whose = {attendee: share - part.get(attendee, 0) for attendee, share in whose.items()}
            made.append(_begin(payment, amount, source, reason, part, now))
    return made


def refund_rest(payment: Payment, *, reason: str, now: datetime, most: int | None = None) -> Refund | None:
    """Send back all that remains of one payment, or up to `most` of it: it came too late, or was one too many. None if
    nothing remains."""
    ledger.lock(payment.bill_id)
    left = payment.amount_minor - _gone([payment.id]).get(payment.id, 0)
    left = left if most is None else min(left, most)
    return _begin(payment, left, "rule", reason, {}, now) if left > 0 else None


def again(refund_id: int, now: datetime) -> Refund:
    """Try once more. One that Stripe never answered goes again under its key; one that failed is followed by another
    row. Raises NothingToRepeat for one that is done or on its way, and MoreThanPaid when the money has gone since."""
    refund, payment = _locked(refund_id)
    if refund.state == "waiting":
        _post(refund, now)
        return refund
    left = payment.amount_minor - _gone([payment.id]).get(payment.id, 0)
    left = min(left, ledger.of_bill(payment.bill_id).kept_minor)  # the rest may have been kept as a credit instead
    if refund.state != "failed":
        raise NothingToRepeat("It is done, or on its way. Nothing was sent a second time.")
    if refund.amount_minor > left:
        raise MoreThanPaid(
            f"Only {money.text(max(left, 0), payment.currency)} of this payment is left. Nothing was sent."
        )
    whose = {int(attendee): share for attendee, share in refund.shares.items()}
    return _begin(payment, refund.amount_minor, refund.source, refund.reason, whose, now)


def hear(sent: SentBack, now: datetime) -> bool:
    """Write down a refund Stripe tells of: one of ours by its key, or one made in Stripe's dashboard.

    False when it is of a payment we do not know.
    """
    payment = db.session.scalars(select(Payment).where(Payment.payment_intent == sent.payment_intent)).one_or_none()
    if payment is None:
        return False
    ledger.lock(payment.bill_id)
    known = db.session.scalars(
        select(Refund).where(or_(Refund.stripe_refund == sent.refund_id, Refund.key == (sent.key or "")))
    ).one_or_none()
    if known is None:
        known = _write(payment, sent.amount_minor, "stripe", IN_DASHBOARD, {}, f"stripe-{sent.refund_id}", now)
        _tell(known, now)
    record(known.id, state_of(sent.status), sent.refund_id, None, now)
    return True


def record(
    refund_id: int, state: str, stripe_refund: str | None, error: str | None, now: datetime, *, actor: str = "stripe"
) -> None:
    """Write down what Stripe said of a refund. One that succeeded may still fail at the bank later; then its money is
    here again, and its booker's."""
    refund, payment = _locked(refund_id)
    refund.stripe_refund = refund.stripe_refund or stripe_refund
    if _ORDER.index(state) <= _ORDER.index(refund.state):
        return
    refund.state = state
    refund.last_error = error
    if state == "failed":
        ledger.stayed(payment, refund, now)
        _tell(refund, now)
    history.record(
        f"refund:{refund_id}",
        f"refund_{state}",
        at=now,
        actor=actor,
        organiser_id=refund.organiser_id,
        facts={"amount_minor": refund.amount_minor, "currency": refund.currency, "error": error},
    )


def ask_by_hand(refund_id: int, now: datetime) -> None:
    """Money that came past Stripe goes back past it: the organiser is asked to send it, and says when it is sent."""
    record(refund_id, "pending", None, None, now, actor="worker")
    _tell(_locked(refund_id)[0], now)


def sent_by_hand(refund_id: int, actor: str, now: datetime) -> Refund:
    """The organiser has sent it. Raises NothingToRepeat for what Stripe sends, or is done."""
    refund, payment = _locked(refund_id)
    if payment.kind == "stripe" or refund.state not in ("waiting", "pending"):
        raise NothingToRepeat("It is done, or Stripe sends it. Nothing was changed.")
    record(refund_id, "succeeded", None, None, now, actor=actor)
    return refund


def _refundable(bill_id: int) -> list[tuple[Payment, int]]:
    """The payments of a bill that have something left to send back, newest first, and how much."""
    contested = select(Dispute.payment_id).where(Dispute.state.in_(("open", "lost")))
    payments = db.session.scalars(
        select(Payment)
        .where(Payment.bill_id == bill_id, Payment.state == "succeeded", Payment.id.not_in(contested))
        .order_by(Payment.id.desc())
    ).all()
    gone = _gone([each.id for each in payments])
    return [(each, left) for each in payments if (left := each.amount_minor - gone.get(each.id, 0)) > 0]


def _gone(payment_ids: Sequence[int]) -> dict[int, int]:
    rows = db.session.execute(
        select(Refund.payment_id, func.sum(Refund.amount_minor))
        .where(Refund.payment_id.in_(payment_ids), Refund.state != "failed")
        .group_by(Refund.payment_id)
    )
    return {number: int(total) for number, total in rows}


def _locked(refund_id: int) -> tuple[Refund, Payment]:
    """A refund and its payment as they are now, under their bill's lock."""
    of_refund = select(Payment).join(Refund, Refund.payment_id == Payment.id).where(Refund.id == refund_id)
    payment = db.session.scalars(of_refund).one()
    ledger.lock(payment.bill_id)
    refund = db.session.scalars(
        select(Refund).where(Refund.id == refund_id).execution_options(populate_existing=True)
    ).one()
    return refund, payment


def _begin(payment: Payment, amount: int, source: str, reason: str, shares: Mapping[int, int], now: datetime) -> Refund:
    refund = _write(payment, amount, source, reason, shares, f"refund-{uuid4().hex}", now)
    _post(refund, now)
    return refund


def _write(
    payment: Payment, amount: int, source: str, reason: str, shares: Mapping[int, int], key: str, now: datetime
) -> Refund:
    refund = Refund(
        organiser_id=payment.organiser_id,
        payment_id=payment.id,
        key=key,
        state="waiting",
        source=source,
        reason=reason[:200],
        amount_minor=amount,
        currency=payment.currency,
        shares={str(attendee): share for attendee, share in shares.items()},
        created_at=now,
    )
    db.session.add(refund)
    db.session.flush()
    ledger.went_back(payment, refund, now)
    return refund


def _post(refund: Refund, now: datetime) -> None:
    work.post(SEND_BACK, about(refund.id), now, {"refund": refund.id})


def _tell(refund: Refund, now: datetime) -> None:
    work.post(NEWS, about(refund.id), now, {"refund": refund.id})


def about(refund_id: int) -> str:
    """What the jobs and entries of a refund are about."""
    return f"refund:{refund_id}"


def part_of(shares: Mapping[int, int], minor: int) -> dict[int, int]:
    """The first `minor` of the shares, in their order."""
    taken: dict[int, int] = {}
    for attendee, share in shares.items():
        part = min(share, minor - sum(taken.values()))
        if part:
            taken[attendee] = part
    return taken
