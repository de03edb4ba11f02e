"""What the policy frozen on a booking says to one change of one attendee, as deals to choose from."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any

from bookings import invites, plan_rows
from bookings.models import Attendee, Booking
from courses.shelf import WorkshopFacts
from lib import money, zones
from policies import outcomes, steps, versions, words
from policies.amounts import AmountMissing
from policies.facts import Facts
from policies.outcomes import Outcome
from policies.rules import MOVES

TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Act:
    """Who does it, why, and when. `source` is who decided about the money: rule, organiser or booker; `is_told` puts
    the reason into the booker's letter."""

    actor: str
    why: str
    at: datetime
    source: str = "rule"
    is_told: bool = False

    @property
    def is_by_team(self) -> bool:
        """Whether somebody of the organiser's team does it on the booker's behalf."""
        return self.actor.startswith("user:")


@dataclass(frozen=True)
class Deal:
    """One answer: what comes back and how, in minor units of the booking's currency, and what is to be paid for it.

    `fee_minor` is the charge within `due_minor`; `if_resold_minor` comes back should somebody else take the place;
    `unpaid_minor` was still to be paid in parts and is no longer owed.
    """

    refund_minor: int = 0
    credit_minor: int = 0
    credit_until: datetime | None = None
    due_minor: int = 0
    fee_minor: int = 0
    if_resold_minor: int = 0
    unpaid_minor: int = 0
    keeps_recording: bool = False
    waits_for_resale: bool = False
    words: str = ""


@dataclass(frozen=True)
class Offer:
    """The deals of one attendee at one moment; none where it is not allowed or the organiser decides. `words` say why,
    `until` how long this answer holds, in the zone of the workshop."""

    deals: tuple[Deal, ...]
    words: str
    until: str = ""


@dataclass(frozen=True)
class Ruling:
    """What the organiser adds when they act for a booker: what happened, as the policy names it, and terms of their own
    instead of the policy's."""

    action: str = ""
    reason: str = ""
    instead: Deal | None = None


def frozen(workshop: WorkshopFacts) -> dict[str, Any]:
    """What a booking made now keeps: a copy of the policy the workshop goes by, or nothing if there is none."""
    return versions.snapshot(workshop.policy) if workshop.policy else {}


def passages(booking: Booking) -> tuple[words.Passage, ...]:
    """The booking's policy in sentences."""
    return words.explain(versions.read(booking.policy), booking.currency) if booking.policy else ()


def offer(
    attendee: Attendee,
    action: str,
    at: datetime,
    *,
    moved: int = 0,
    passed_on: int = 0,
    new_price_minor: int | None = None,
    new_starts_at: datetime | None = None,
    events_after: int | None = None,
    is_waited_for: bool = False,
    paid_minor: int | None = None,
    ruling: Ruling | None = None,
) -> Offer:
    """What may be done with the place when it is asked for at `at`.

    `moved` and `passed_on` say how often that was done before, `events_after` as which of the organiser's workshops
    after this one the new one comes, `is_waited_for` whether this one has people on its waiting list.
    `paid_minor` is the base of a refund where it is not the stored share. With a `ruling` it is the organiser who asks:
    they may agree to what the policy leaves to them, act after the end, and know what happened.
    """
    decides, reason = ruling is not None, ruling.reason if ruling else ""
    booking = attendee.booking
    sessions = invites.sessions_of(attendee)
    share = attendee.price_minor - attendee.discount_minor
    unpaid = plan_rows.unpaid_of(attendee)
    paid = share - unpaid if paid_minor is None else paid_minor
    ask = "" if decides else f"Please write to {booking.organiser.email} and name booking {booking.reference}."
    if not sessions or (max(each.ends_at for each in sessions) <= at and not decides):
        return Offer((), f"The workshop is over. {ask}".strip())
    if paid == 0 and action != "transfer":
        why = "Nothing of what was paid for the place is here any more" if share else "The place cost nothing"
        return Offer((Deal(words=f"{why}, so there is nothing to settle."),), "")
    if unpaid and action == "transfer":
        amount = money.text(unpaid, booking.currency)
        return Offer((), f"{amount} of the place is still to be paid, and a plan stays with its date. {ask}".strip())
    if not booking.policy:
        if decides:
            return Offer((), "The booking was made without terms for changes, so this is yours to decide.")
        return Offer((), f"{booking.organiser.name} settles this with you in person. {ask}")
    is_reduced = attendee.discount_minor > 0 or booking.bundle_id is not None
    facts = Facts(
        price_minor=attendee.price_minor,
        paid_minor=paid,
        currency=booking.currency,
        sessions=tuple(each.starts_at for each in sessions),
        ends_at=max(each.ends_at for each in sessions),
        zone=attendee.workshop.zone,
        booked_at=attendee.added_at or booking.created_at,
        paid_at=attendee.confirmed_at,
        ticket="full_price" if attendee.ticket.is_full_price and not is_reduced else "discounted",
        product="recording" if not attendee.ticket.includes_live else attendee.workshop.format,
        deposit_minor=plan_rows.deposit_of(attendee),
        transfers_used=moved,
        substitutions_used=passed_on,
        target_price_minor=new_price_minor,
        target_starts_at=new_starts_at,
        target_events_after=events_after,
        waiting_list=is_waited_for,
        reason=reason,
        proof=bool(reason),
    )
    rules = versions.read(booking.policy)
    try:
        found = outcomes.outcome(rules, action, facts, at)
        worse = steps.worsens_at(rules, action, facts, at)
    except AmountMissing:
        return Offer((), f"The booking terms name no amount in {booking.currency}. {ask}".strip())
    if not found.allowed and found.if_so and found.if_so.allowed:
        return Offer((), f"{found.if_so.text} Whether it is taken is not known yet. {ask}".strip())
    if not found.allowed:
        return Offer((), found.text or f"The booking terms do not provide for this. {ask}".strip())
    if (found.discretionary or not found.is_said) and not decides:
        return Offer((), f"{found.text} {booking.organiser.name} decides this case by case. {ask}".strip())
    deals = tuple(_deals(found, attendee, action))
    if not deals:
        return Offer((), f"{found.text} {ask}".strip())
    return Offer(deals, found.text, steps.until(worse, attendee.workshop.zone) if worse else "")


def is_part_of_group(booking: Booking, gone: Collection[Attendee]) -> bool:
    """Whether these leave others of a group that has a price of its own, and the policy speaks of that by name."""
    is_group = any(each["least_people"] > 1 for each in booking.quote.get("codes", []))
    stay = any(each.state == "confirmed" and each not in gone for each in booking.attendees)
    if not (is_group and stay and booking.policy):
        return False
    return "cancel_one_of_group" in versions.read(booking.policy).actions


def _deals(found: Outcome, attendee: Attendee, action: str) -> list[Deal]:
    made = []
    is_move = action in MOVES
    for way in found.options or (found,):
        if way.move_charge_minor is not None and not is_move:
            continue  # offered where a place is moved
        if way.due_minor and not is_move:
            continue  # a debt is settled with the organiser
        keeps = way.recording is True and not is_move
        if keeps and not any(each.kind == "catch_up" for each in attendee.workshop.tickets):
            continue
        if keeps and plan_rows.unpaid_of(attendee):
            continue  # what is half paid for is not theirs to watch
        better = found.if_so.refund_minor if found.if_so and not found.options else way.refund_minor
        unpaid = 0 if is_move else plan_rows.unpaid_of(attendee)
        made.append(_deal(way, attendee, keeps, max(better - way.refund_minor, 0), unpaid))
    return made


def _deal(way: Outcome, attendee: Attendee, keeps: bool, if_resold: int, unpaid: int) -> Deal:
    until = None
    if way.credit_minor and way.credit_expires:
        midnight = datetime.combine(way.credit_expires + timedelta(days=1), time())
        until = zones.instant(midnight, attendee.booking.organiser.zone)
    made = Deal(
        refund_minor=way.refund_minor,
        credit_minor=way.credit_minor,
        credit_until=until,
        due_minor=way.due_minor,
        fee_minor=way.fee_minor if way.due_minor else 0,
        if_resold_minor=if_resold,
        keeps_recording=keeps,
        waits_for_resale=if_resold > 0,
        unpaid_minor=unpaid,
    )
    return replace(made, words=deal_words(attendee.booking, made))


def deal_words(booking: Booking, deal: Deal) -> str:
    """What becomes of the money, in sentences."""

    def amount(minor: int) -> str:
        return money.text(minor, booking.currency)

    said = []
    if deal.refund_minor:
        said.append(f"{amount(deal.refund_minor)} goes back the way it was paid.")
    if deal.credit_minor:
        last = zones.wall(deal.credit_until - TICK, booking.organiser.zone) if deal.credit_until else None
        ends = f", to be spent by the end of {zones.day(last.date())}" if last else ""
        said.append(f"{amount(deal.credit_minor)} is kept as a credit for the next booking{ends}.")
    if deal.keeps_recording:
        said.append("The live place is given up, and the recording stays.")
    if deal.if_resold_minor:
        again = f"{amount(deal.if_resold_minor)} goes back if somebody else takes the place before it begins."
        said.append(f"Another {again}")
    if deal.due_minor:
        said.append(f"{amount(deal.due_minor)} is to be paid first.")
    return " ".join(said) or "No money goes back."


def totals(offers: Mapping[Attendee, Offer]) -> list[Deal]:
    """The deals of several attendees together, by the order in which each policy offers them."""
    made = []
    most = min((len(each.deals) for each in offers.values()), default=0)
    for n in range(most):
        deals = [each.deals[n] for each in offers.values()]
        total = replace(
            deals[0],
            refund_minor=sum(each.refund_minor for each in deals),
            credit_minor=sum(each.credit_minor for each in deals),
            due_minor=sum(each.due_minor for each in deals),
            if_resold_minor=sum(each.if_resold_minor for each in deals),
            unpaid_minor=sum(each.unpaid_minor for each in deals),
        )
        said = deal_words(next(iter(offers)).booking, total) if len(deals) > 1 else total.words
        made.append(replace(total, words=said))
    return made
