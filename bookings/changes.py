"""A booker's changes from the quote they saw to what is done: refused when the quote no longer holds, waiting when
something is to be paid first or when the money hangs on the place being sold again."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bookings import (
    adding,
    behalf,
    booked,
    change_letters,
    change_rows,
    change_terms,
    changing,
    refund_bases,
    reselling,
    returning,
    transfers,
)
from bookings.change_terms import Act, Deal, Offer, Ruling
from bookings.credit_spending import CreditGone
from bookings.models import Attendee, Booking, Change
from courses import catalogue, places
from lib import money, work
from payments import ledger, refunds
from payments.models import Payment, PaymentAttempt


def offers(
    booking: Booking, gone: Sequence[Attendee], at: datetime, ruling: Ruling | None = None
) -> dict[Attendee, Offer]:
    """What the policy says to each of these places when they are given up together at `at`."""
    bases, moved = refund_bases.of(booking, gone), change_rows.moved(booking)
    action = (ruling.action if ruling else "") or "cancel"
    if action == "cancel" and change_terms.is_part_of_group(booking, gone):
        action = "cancel_one_of_group"
    return {
        each: change_terms.offer(each, action, at, moved=moved[each.id], paid_minor=bases[each.id], ruling=ruling)
        for each in gone
    }


def cancel(
    booking: Booking, numbers: Sequence[int], choice: int, promised: str, act: Act, ruling: Ruling | None = None
) -> None:
    """Give up these places as their policy allows now, or as the organiser rules. Raises PlaceOver, NotAllowed,
    QuoteChanged or MoreThanPaid."""
    gone = changing.of(booking, numbers)
    if ruling and ruling.instead:
        if promised:
            change_rows.refuse_unless_promised([ruling.instead], promised)
        end(booking, behalf.parts(booking, gone, ruling.instead), act)
        return
    deals = {each: change_rows.chosen(offer, choice) for each, offer in offers(booking, gone, act.at, ruling).items()}
    change_rows.refuse_unless_promised(list(deals.values()), promised)
    refund_bases.settle(booking, gone)
    end(booking, deals, act)


def end(booking: Booking, deals: Mapping[Attendee, Deal], act: Act) -> None:
    """Give up the places on the terms of `deals`, and tell everybody."""
    people = booked.names(deals)
    names = catalogue.words(people)
    title = catalogue.words(list(dict.fromkeys(each.workshop.title for each in deals)))
    starts = {each: each.workshop.starts_at for each in deals}
    back = changing.give_up(booking, deals, act)
    for attendee, deal in deals.items():
        change_rows.write(booking, attendee, "cancel", deal, act, {"workshop": attendee.workshop.slug})
        if deal.waits_for_resale:
            wait_for_resale(attendee, max(starts[attendee], act.at))
    does = "does" if len(people) == 1 else "do"
    if all(deal.keeps_recording for deal in deals.values()):
        said = [f"{names} {does} not come to {title} live: the recording comes instead."]
        heading = f"{names}: the recording instead of the day"
    else:
        said = [f"{names} {does} not come to {title} any more."]
        heading = f"{names}: {'place' if len(deals) == 1 else 'places'} cancelled"
    said += change_letters.money_words(booking, list(deals.values()), back, act.at)
    change_letters.both(booking, heading, said, act)


def substitute(
    booking: Booking,
    n: int,
    name: str,
    email: str,
    promised: str,
    act: Act,
    *,
    shared: bool = False,
    ruling: Ruling | None = None,
) -> PaymentAttempt | None:
    """Pass a place on to a colleague, at once or once the charge is paid; then the way to pay it.

    Raises PlaceOver, NotAllowed, QuoteChanged, AddressTaken or Underway.
    """
    (attendee,) = changing.of(booking, [n])
    deal = ruling.instead if ruling else None
    if deal is None:
        offer = change_terms.offer(
            attendee,
            "substitute",
            act.at,
            moved=change_rows.moved(booking)[attendee.id],
            passed_on=change_rows.passed_on(booking)[attendee.id],
            ruling=ruling,
        )
        deal = change_rows.chosen(offer, 0)
        change_rows.refuse_unless_promised([deal], promised)
    facts = {"of": attendee.email, "name": name, "email": email, "shared": shared}
    if deal.due_minor:
        changing.refuse_taken(attendee, email, act.at, shared=shared)
        line = f"{attendee.name}'s place goes to {name}"
        return change_rows.owe(booking, attendee, "substitute", deal, act, facts, line)
    pass_on(booking, attendee, facts, act)
    change_rows.write(booking, attendee, "substitute", deal, act, facts)
    return None


def pass_on(booking: Booking, attendee: Attendee, facts: Mapping[str, Any], act: Act) -> None:
    """The colleague comes, and everybody is told. Raises AddressTaken."""
    before = attendee.name
    changing.pass_on(booking, attendee, facts["name"], facts["email"], act, shared=bool(facts.get("shared")))
    said = [f"{facts['name']} has a letter with links and invites of their own. {before}'s have stopped working."]
    change_letters.both(booking, f"{facts['name']} comes instead of {before}", said, act)


def paid(booking: Booking, change: Change, payment: Payment, now: datetime) -> None:
    """The money for a change came: do it. What can no longer be done goes back in full."""
    act = Act(change.actor, change.why, now)
    attendee = next((each for each in booking.attendees if each.id == change.attendee_id), None)
    try:
        if change.state == "done":
            raise changing.PlaceOver("This change had already been paid.")
        if _was_all_back(booking, payment):
            raise changing.PlaceOver("All that was paid for the booking had gone back before the payment arrived.")
        if attendee is None:
            adding.do(booking, change.facts, act)
        elif attendee.state != "confirmed":
            raise changing.PlaceOver("The place had ended before the payment arrived.")
        elif change.kind == "substitute":
            if change.facts.get("of", attendee.email) != attendee.email:
                raise changing.PlaceOver("Somebody else had the place before the payment arrived.")
            pass_on(booking, attendee, change.facts, act)
        else:
            deal = Deal(due_minor=change.due_minor, fee_minor=int(change.facts["fee_minor"]))
            transfers.do(booking, attendee, change.facts, deal, act)
    except (places.WorkshopFull, changing.PlaceOver, changing.AddressTaken, CreditGone) as refusal:
        _return(booking, change, payment, refusal.message, now)
        return
    bill = ledger.lock(booking.bill_id)
    bill.total_minor += change.due_minor
    ledger.charge(bill, change.due_minor, about=f"change:{change.id}", note=change.kind, now=now)
    change_rows.done(change)


def wait_for_resale(attendee: Attendee, starts_at: datetime) -> None:
    """Look at the place that was given up when its workshop begins, at the latest."""
    work.post(change_rows.DECIDE, f"attendee:{attendee.id}", starts_at, {"attendee": attendee.id})


def decide_resale(booking: Booking, change: Change, now: datetime) -> None:
    """Somebody took a place, or the workshop begins: what goes back if the place that was given up is sold again."""
    if change.state != "pending":
        return
    attendee = next(each for each in booking.attendees if each.id == change.attendee_id)
    promised = int(change.facts["if_resold_minor"])
    is_sold = reselling.resold(attendee.id)
    if not is_sold and attendee.workshop.starts_at > now:
        wait_for_resale(attendee, attendee.workshop.starts_at)
        return
    change_rows.done(change)
    if not is_sold:
        said = [
            f"The place that {attendee.name} gave up was not sold again before it began, so under the booking terms "
            "nothing more goes back."
        ]
        change_letters.booker(booking, "The place was not sold again", said, now)
        return
    back = returning.give(
        booking,
        promised,
        source="rule",
        reason=f"{attendee.name}'s place was sold again",
        shares={attendee.id: promised},
        actor="rule",
        now=now,
    )
    change.refund_minor += back.minor
    said = [f"Somebody else has the place that {attendee.name} gave up."]
    said += change_letters.back_words(booking, back, now)
    change_letters.booker(booking, "The place was sold again", said, now)


def _was_all_back(booking: Booking, payment: Payment) -> bool:
    """Whether nothing was left of the booking's money when this payment came: what it is for is over."""
    found = ledger.of_bill(booking.bill_id)
    return replace(found, paid_minor=found.paid_minor - payment.amount_minor).is_all_back


def _return(booking: Booking, change: Change, payment: Payment, why: str, now: datetime) -> None:
    credit = change.credit_minor_apart if change.state == "owing" else 0
    if change.state == "owing":
        change_rows.lapse(change, now)
    refunds.refund_rest(payment, reason=why, now=now)
    amount = money.text(payment.amount_minor, booking.currency)
    said = [f"{why} The {amount} you paid for it goes back in full."]
    if credit:
        said.append(f"So does the {money.text(credit, booking.currency)} of credit: it is where it came from.")
    said.append("Everything else of the booking is as it was.")
    change_letters.booker(booking, "A change could not be made", said, now)
