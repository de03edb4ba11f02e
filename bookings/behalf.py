"""What the organiser may choose when they act for a booker: what happened, as the policy names it, and terms of their
own instead of the policy's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bookings import refund_bases
from bookings.change_terms import Deal, deal_words
from bookings.models import Attendee, Booking
from lib import money
from payments.refunds import MoreThanPaid
from policies import conditions, versions
from policies.rules import Rules

# How a place may end, as the desk says it, and whether it is offered by policies that do not name it.
ENDINGS = {
    "cancel": "They cannot come",
    "withdraw": "They withdraw from the booking",
    "no_show": "They did not come",
    "leave_early": "They left early",
    "provider_cancel": "We cannot keep the place for them",
    "provider_change": "We changed the workshop",
    "provider_postpone": "We moved the workshop",
}
ALWAYS = ("cancel", "provider_cancel")
# What a policy asks that is known without anybody saying it.
KNOWN = frozenset(
    (
        *("ticket", "product", "price_minor", "paid_minor", "currency", "zone", "deposit_minor", "group"),
        *("transfers_used", "substitutions_used", "target_price_minor", "target_events_after", "waiting_list"),
        *("seat_resold", "reason", "proof", "paid", "paid_in_full"),
        *("sessions_total", "sessions_held", "sessions_left"),
    )
)


@dataclass(frozen=True)
class Case:
    """Something that happened: an action of the policy, and a reason it knows with its proof."""

    action: str
    reason: str
    words: str

    @property
    def key(self) -> str:
        return f"{self.action}:{self.reason}" if self.reason else self.action


def cases(booking: Booking, *asked: str) -> list[Case]:
    """What may have happened: how a place ends, or the moves in `asked`, each also for the policy's own reasons."""
    rules = versions.read(booking.policy) if booking.policy else None
    made = []
    for action in asked or ENDINGS:
        words = ENDINGS.get(action, "They ask for it")
        if not (asked or action in ALWAYS or (rules and action in rules.actions)):
            continue
        made.append(Case(action, "", words))
        for reason in _reasons(rules, action) if rules else ():
            named = reason.replace("_", " ")
            made.append(Case(action, reason, f"{words}: {named}, and there is proof"))
    return made


def most(booking: Booking, gone: Sequence[Attendee]) -> int:
    """All that was paid for these places and is still here, in minor units."""
    return sum(refund_bases.of(booking, gone, keeps_code=True).values())


def decided(booking: Booking, refund_minor: int = 0, credit_minor: int = 0, until: datetime | None = None) -> Deal:
    """Terms of the organiser's own; a move on them costs nothing."""
    deal = Deal(refund_minor=refund_minor, credit_minor=credit_minor, credit_until=until if credit_minor else None)
    return replace(deal, words=deal_words(booking, deal))


def parts(booking: Booking, gone: Sequence[Attendee], deal: Deal) -> dict[Attendee, Deal]:
    """Each place's part of what was decided for all of them. Raises MoreThanPaid."""
    paid = list(refund_bases.of(booking, gone, keeps_code=True).values())
    if deal.refund_minor + deal.credit_minor > sum(paid):
        here = money.text(sum(paid), booking.currency)
        raise MoreThanPaid(f"{here} of what was paid for this is still here. Nothing was done.")
    refunds = money.spread(deal.refund_minor, paid)
    credits = money.spread(deal.credit_minor, [all_of - part for all_of, part in zip(paid, refunds, strict=True)])
    made = {}
    for attendee, refund, credit in zip(gone, refunds, credits, strict=True):
        made[attendee] = decided(booking, refund, credit, deal.credit_until)
    return made


def _reasons(rules: Rules, action: str) -> Iterator[str]:
    """The facts that somebody has to say, because nothing here knows them: medical, bereavement."""
    found = {
        atom.key: None
        for rule in rules.about(action)
        for atom in conditions.atoms(rule.condition)
        if atom.kind == conditions.FACT and atom.key not in KNOWN
        if any(test.operand is True for test in atom.tests)
    }
    return iter(found)
