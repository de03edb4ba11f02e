"""What was paid for each place of a booking and is still here: the base of a refund, re-rated where those who stay no
longer earn a code."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from bookings import discounts, pricing, returning
from bookings.models import Attendee, Booking, Change
from lib import db, money
from payments import instalments, ledger
from payments.models import Payment, Refund


@dataclass(frozen=True)
class ReRated:
    """Those who stay lose `code`: the new shares by attendee's id of all who were there, and `freed_minor`, which the
    leavers' come down by and the others' go up by. `is_whole` unless the leavers had too little for that."""

    shares: Mapping[int, int]
    code: str
    freed_minor: int
    is_whole: bool
    words: str


def of(booking: Booking, gone: Sequence[Attendee], *, keeps_code: bool = False) -> dict[int, int]:
    """By attendee's id, what a refund is counted from when these leave together, in minor units: never more, in all,
    than could go back now. `keeps_code` leaves those who stay their discount whatever the code says."""
    found = None if keeps_code else re_rated(booking, gone)
    here = _paid(booking, {**_shares(booking), **(found.shares if found else {})})
    left = max(min(ledger.of_bill(booking.bill_id).kept_minor, returning.remaining_of(booking.bill_id)), 0)
    bases = {}
    for attendee in gone:
        bases[attendee.id] = min(here.get(attendee.id, 0), left)
        left -= bases[attendee.id]
    return bases


def re_rated(booking: Booking, gone: Sequence[Attendee]) -> ReRated | None:
    """What becomes of the shares when so many leave that the others lose a code; None where nobody loses any."""
    codes = booking.quote.get("codes", [])
    code = next((each for each in codes if each["is_re_rated"]), None)
    if code is None or booking.quote.get("is_re_rated"):
        return None
    here = [each for each in booking.attendees if each.state == "confirmed"]
    staying = [each for each in here if each not in gone]
    shares = _shares(booking)
    every = sum(each["minor"] for each in codes)
    lost = {each.id: each.discount_minor * code["minor"] // every for each in here} if every else {}
    told = [pricing.Share(each.n, shares[each.id] + lost.get(each.id, 0), lost.get(each.id, 0)) for each in here]
    leaving = [shares[each.id] for each in gone]
    numbers = {each.n for each in gone}
    base = pricing.re_rated(told, numbers, least_people=code["least_people"], is_re_rated=True)
    freed = sum(leaving) - base
    if freed <= 0:
        return None
    more = money.spread(freed, [lost[each.id] for each in staying])
    whole = sum(each.price_minor for each in told if each.n not in numbers)
    return ReRated(
        {
            **{each.id: share for each, share in zip(gone, money.spread(base, leaving), strict=True)},
            **{each.id: shares[each.id] + part for each, part in zip(staying, more, strict=True)},
        },
        code["code"],
        freed,
        freed == sum(lost[each.id] for each in staying),
        _words(booking, code, len(staying), sum(shares.values()), whole, base),
    )


def settle(booking: Booking, gone: Sequence[Attendee]) -> None:
    """Write the shares as they are once these have left, before anybody's state changes: they still add up to the bill,
    and nobody is re-rated twice."""
    found = re_rated(booking, gone)
    if found is None:
        return
    for attendee in booking.attendees:
        if attendee.id in found.shares:
            attendee.discount_minor = attendee.price_minor - found.shares[attendee.id]
    discounts.took_back(booking.id, found.code, found.freed_minor)
    if found.is_whole:
        booking.quote = {**booking.quote, "is_re_rated": True}


def _shares(booking: Booking) -> dict[int, int]:
    return {each.id: each.price_minor - each.discount_minor for each in booking.attendees if each.state == "confirmed"}


def _paid(booking: Booking, shares: Mapping[int, int]) -> dict[int, int]:
    """The shares less what went back for each already, less what of each is still to be paid in parts, and less what
    else is still owed, which is everybody's alike."""
    gone = _gone_back(booking)
    parts = {number: instalments.open_share(booking.bill, number) for number in shares}
    worth = {number: max(share - max(gone[number], 0) - parts[number], 0) for number, share in shares.items()}
    due = ledger.of_bill(booking.bill_id).due_minor - sum(each.minor for each in instalments.open_of(booking.bill))
    owed = min(max(due, 0), sum(worth.values()))
    less = money.spread(owed, list(worth.values()))
    return {number: minor - part for (number, minor), part in zip(worth.items(), less, strict=True)}


def _gone_back(booking: Booking) -> Counter[int]:
    """By attendee's id, what went back for them. What a move gave back is off their share already."""
    gone: Counter[int] = Counter()
    refunded = select(Refund.shares).join(Payment, Payment.id == Refund.payment_id)
    for shares in db.session.scalars(refunded.where(Payment.bill_id == booking.bill_id, Refund.state != "failed")):
        for number, minor in shares.items():
            gone[int(number)] += minor
    for change in db.session.scalars(select(Change).where(Change.booking_id == booking.id, Change.state == "done")):
        if change.attendee_id is None:
            continue  # places added: nothing goes back for that
        gone[change.attendee_id] += -change.refund_minor if change.kind == "transfer" else change.credit_minor
    return gone


def _words(booking: Booking, code: Mapping[str, Any], number: int, paid: int, whole: int, base: int) -> str:
    """Why less goes back than these places cost."""
    paid_now, full, left = (money.text(minor, booking.currency) for minor in (paid, whole, base))
    stay = "one person would stay" if number == 1 else f"{number} would stay"
    costs = "a place at its" if number == 1 else "their places at the"
    return (
        f"{code['code']} is for {code['least_people']} people or more on one booking, and {stay}: {costs} full price "
        f"without it {'costs' if number == 1 else 'cost'} {full}. What may go back is counted from {paid_now} less "
        f"that, which is {left}."
    )
