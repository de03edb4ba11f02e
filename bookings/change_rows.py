"""Changes as rows: agreed, owing, waiting and over. The only writer of `Change.state`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from bookings import change_letters, checkout, credit_spending, pricing
from bookings.change_terms import Act, Deal, Offer
from bookings.models import Attendee, Booking, Change
from courses import places
from history import models as history
from lib import db, money, web, work
from payments import attempts, ledger
from payments.models import PaymentAttempt

LAPSE = "bookings.lapse_change"
DECIDE = "bookings.decide_resale"
LETTER_LASTS = timedelta(hours=23)  # Stripe keeps a page open for 24 hours at most


class QuoteChanged(web.Refusal):
    """The policy says something else now than the page that was answered: a deadline passed meanwhile."""

    status = 409
    refusal = "quote_changed"
    title = "What comes back has changed"


class NotAllowed(web.Refusal):
    """The policy does not allow it, or leaves it to the organiser."""

    status = 409
    refusal = "not_allowed"
    title = "This cannot be changed here"


class Underway(web.Refusal):
    """Another change of this booking waits for its payment."""

    status = 409
    refusal = "change_under_way"
    title = "Another change waits for its payment"


def quoted(deals: Sequence[Deal]) -> str:
    """What a page promises, in short: sent back with the form, so that nobody agrees to what they did not see."""
    parts = ("refund_minor", "credit_minor", "due_minor", "if_resold_minor")
    return ":".join(str(sum(getattr(deal, part) for deal in deals)) for part in parts)


def chosen(offer: Offer, choice: int) -> Deal:
    """The deal that was chosen. Raises NotAllowed with the reason where there is none."""
    if not offer.deals:
        raise NotAllowed(f"{offer.words} Nothing was changed.")
    if not 0 <= choice < len(offer.deals):
        raise QuoteChanged("What you chose is not offered any more. Nothing was done.")
    return offer.deals[choice]


def refuse_unless_promised(deals: Sequence[Deal], promised: str) -> None:
    """Raise QuoteChanged unless these deals are what the page said."""
    if quoted(deals) != promised:
        raise QuoteChanged("Something changed while the page was open, a deadline perhaps. Nothing was done.")


def write(
    booking: Booking,
    attendee: Attendee | None,
    kind: str,
    deal: Deal,
    act: Act,
    facts: Mapping[str, Any],
    *,
    until: datetime | None = None,
) -> Change:
    """Write down what was agreed: owing until `until`, waiting for a resale, or done."""
    change = Change(
        organiser_id=booking.organiser_id,
        booking_id=booking.id,
        attendee_id=attendee.id if attendee else None,
        kind=kind,
        state="owing" if until else "pending" if deal.waits_for_resale else "done",
        due_minor=deal.due_minor,
        refund_minor=deal.refund_minor,
        credit_minor=deal.credit_minor,
        facts={
            **facts,
            "words": deal.words,
            "fee_minor": deal.fee_minor,
            "if_resold_minor": deal.if_resold_minor,
        },
        actor=act.actor,
        why=act.why[:300],
        created_at=act.at,
        held_until=until,
    )
    db.session.add(change)
    db.session.flush()
    if act.is_by_team and attendee:
        said = {"attendee": attendee.id, "who": attendee.name, "kind": kind, "money": deal.words, "source": act.source}
        verb = "change_begun_for_booker" if until else "changed_for_booker"
        _remember(change, verb, act.actor, act.at, said | {"why": act.why})
    return change


def owe(
    booking: Booking,
    attendee: Attendee | None,
    kind: str,
    deal: Deal,
    act: Act,
    facts: Mapping[str, Any],
    line: str,
    *,
    title: str = "",
    credit_of: str = "",
    credit_minor: int = 0,
) -> PaymentAttempt:
    """Write down a change that is made once its charge is paid, with the way to pay it. `title` is the workshop's where
    no attendee says it; `credit_minor` of the charge is set apart from the credits of `credit_of`, and the rest is what
    the card pays. Raises Underway, CreditGone, or NotAllowed where nothing of the booking's money is left."""
    if ledger.of_bill(booking.bill_id).is_all_back:
        raise NotAllowed("All that was paid for this booking has gone back. Nothing was changed; please book anew.")
    if owing(booking.id) is not None or attempts.live(booking.bill_id) is not None:
        raise Underway("Please pay for that one first, or let it run out. Nothing was changed.")
    said = f"{line}, after {money.text(credit_minor, booking.currency)} of credit" if credit_minor else line
    charge = (pricing.Line(said, deal.due_minor - credit_minor),)
    about = attendee.workshop.title if attendee else title
    attempt = checkout.new_attempt(booking, charge, about, act.at, ends_at=page_ends(act))
    db.session.flush()
    if credit_minor:
        facts = {**facts, "credit": credit_spending.set_apart(booking, credit_of, credit_minor, act.at)}
    until = attempt.expires_at + checkout.GRACE
    change = write(booking, attendee, kind, deal, act, {**facts, "line": line}, until=until)
    change.attempt_id = attempt.id
    work.post(LAPSE, f"booking:{booking.id}", until, {"change": change.id})
    if act.is_by_team:
        change_letters.to_be_paid(booking, line, deal.due_minor, until - checkout.PAGE_LASTS, act)
    return attempt


def page_ends(act: Act) -> datetime:
    """Until when a change may be paid for: a booker is on the way to the page, others are told by a letter."""
    return act.at + (LETTER_LASTS if act.is_by_team else checkout.PAGE_LASTS)


def done(change: Change) -> None:
    """What was waited for has come, or never will."""
    change.state, change.held_until = "done", None
    _forget_answers(change)


def lapse(change: Change, now: datetime, actor: str = "worker") -> None:
    """Nobody paid in time, or the booker would rather not: the place stays as it was, what was held elsewhere is free
    again, and so is what was set apart of a credit."""
    change.state, change.held_until = "lapsed", None
    _forget_answers(change)
    held = [place for ids in change.facts.get("places", {}).values() for place in ids]
    if held:
        places.release(held, now)
    if apart := change.facts.get("credit"):
        credit_spending.give_apart_back(apart, "It was not paid for", now)
    _remember(change, "change_lapsed", actor, now, {"attendee": change.attendee_id, "kind": change.kind})


def of_attempt(attempt_id: int) -> Change | None:
    """The change that a way to Stripe pays for."""
    return db.session.scalars(select(Change).where(Change.attempt_id == attempt_id)).one_or_none()


def owing(booking_id: int) -> Change | None:
    """The change of a booking that waits for its payment."""
    return db.session.scalars(
        select(Change).where(Change.booking_id == booking_id, Change.state == "owing").order_by(Change.id)
    ).first()


def by_id(change_id: int) -> Change:
    """A change as it is now."""
    return db.session.scalars(
        select(Change).where(Change.id == change_id).execution_options(populate_existing=True)
    ).one()


def moved(booking: Booking) -> Counter[int]:
    """By attendee's id, how often the place has been moved: a policy may allow it once."""
    return _done(booking, "transfer")


def passed_on(booking: Booking) -> Counter[int]:
    """By attendee's id, how often the place has changed hands."""
    return _done(booking, "substitute")


def _done(booking: Booking, kind: str) -> Counter[int]:
    done = select(Change.attendee_id).where(
        Change.booking_id == booking.id, Change.kind == kind, Change.state == "done"
    )
    return Counter(db.session.scalars(done))


def _forget_answers(change: Change) -> None:
    """What somebody told of themselves is kept as answers of an attendee, which are erased in time, or not at all."""
    if people := change.facts.get("people"):
        change.facts = {**change.facts, "people": [{**each, "answers": {}} for each in people]}


def _remember(change: Change, verb: str, actor: str, at: datetime, facts: Mapping[str, Any]) -> None:
    about = f"booking:{change.booking_id}"
    history.record(about, verb, at=at, actor=actor, organiser_id=change.organiser_id, facts=facts)
