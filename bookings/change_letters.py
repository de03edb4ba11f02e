"""The letters that changes cause: to whoever loses a place, with the withdrawals; to the booker; to the organiser."""

from collections.abc import Sequence
from datetime import datetime

from bookings import credit_letters, invites, letters
from bookings.change_terms import Act, Deal
from bookings.models import Attendee, Booking
from bookings.returning import Back
from courses.models import Workshop, WorkshopSession
from lib import web, zones


def gave_up(
    attendee: Attendee, withdrawn: Sequence[WorkshopSession], act: Act, *, keeps_recording: bool = False
) -> None:
    """The place was given up by its booker or for them, or the live part of it."""
    title, now = attendee.workshop.title, act.at
    organiser = attendee.booking.organiser
    asked, ask = "as you or whoever booked for you asked", ""
    if act.is_by_team:
        asked, ask = f"as {organiser.name} has put down", f" If you did not expect this, write to {organiser.email}."
    if keeps_recording:
        said = [
            f"You no longer come to {title} live, {asked}. The recording stays yours: "
            f"we write to you when it can be watched.{ask}"
        ]
        _ended(attendee, f"You will watch {title} later", said, withdrawn, now)
        return
    said = [
        f"Your place at {title} has ended, {asked}. The links in our earlier letters have stopped working.{ask}",
        "Money, where any goes back, goes to whoever paid; they get a letter of their own.",
    ]
    _ended(attendee, f"Your place at {title} has ended", said, withdrawn, now)


def passed_on(attendee: Attendee, withdrawn: Sequence[WorkshopSession], now: datetime) -> None:
    """A colleague comes instead. Nothing here leads to them."""
    title = attendee.workshop.title
    said = [f"Your place at {title} went to a colleague. The links in our earlier letters have stopped working."]
    _ended(attendee, f"Your place at {title} has been passed on", said, withdrawn, now)


def moved_away(attendee: Attendee, withdrawn: Sequence[WorkshopSession], workshop: Workshop, now: datetime) -> None:
    """The place is at another workshop now; its own letter follows with the new entries."""
    title = attendee.workshop.title
    said = [f"Your place moved to {workshop.title}. A letter with its times and its entries follows."]
    _ended(attendee, f"You no longer come to {title} on this date", said, withdrawn, now)


def both(booking: Booking, heading: str, sentences: Sequence[str], act: Act) -> None:
    """To whoever booked, and to the organiser with the reason that was given."""
    reason = [f"Reason given: {act.why}"] if act.why else []
    done_for = [f"{booking.organiser.name} did this for you."] if act.is_by_team else []
    booker(booking, heading, [*sentences, *done_for, *(reason if act.is_told else [])], act.at)
    organiser(booking, heading, [*sentences, *reason], act.at)


def money_words(booking: Booking, deals: Sequence[Deal], back: Back, now: datetime) -> list[str]:
    """What becomes of the money, in sentences; `back` is what goes back now."""
    said = back_words(booking, back, now)
    credit = sum(deal.credit_minor for deal in deals)
    if credit:
        said.append(
            f"{letters.amount(booking, credit)} is kept as a credit for {booking.booker_email}; a letter of its own "
            "says until when, and how to use it for another booking."
        )
    resold = sum(deal.if_resold_minor for deal in deals)
    if resold:
        said.append(
            f"If somebody else takes the place, {letters.amount(booking, resold)} goes back; we write to you then."
        )
    paid_now = sum(deal.due_minor for deal in deals)
    if paid_now:
        said.append(f"{letters.amount(booking, paid_now)} was paid for the change.")
    unpaid = sum(deal.unpaid_minor for deal in deals)
    said = said or ["No money goes back."]
    if unpaid:
        said.append(f"The {letters.amount(booking, unpaid)} that was still to be paid is no longer owed.")
    return said


def back_words(booking: Booking, back: Back, now: datetime) -> list[str]:
    """Where the money goes back to, and when it is there."""
    amount = letters.amount(booking, back.refund_minor)
    sent = [f"{amount} goes back the way it was paid. Most banks show it within five to ten days."]
    return [*(sent if back.refunds else []), *credit_letters.back_words(booking, back.credits, now)]


def to_be_paid(booking: Booking, what: str, minor: int, until: datetime, act: Act) -> None:
    """The organiser began a change that waits for its payment."""
    said = [
        f"{what}: {booking.organiser.name} has put this down for you, and it costs {letters.amount(booking, minor)}. "
        f"Please open the booking and pay by {zones.moment(until, booking.zone)}.",
        "Until then nothing changes, and if it is not paid, everything stays as it is.",
        *([f"Reason given: {act.why}"] if act.is_told else []),
    ]
    booker(booking, "A change waits for its payment", said, act.at)


def booker(booking: Booking, heading: str, sentences: Sequence[str], now: datetime) -> None:
    """What changed and what becomes of the money, to whoever booked."""
    letters.to_booker(
        booking,
        "booking_changed",
        now,
        subject=f"Booking {booking.reference}: {heading[:1].lower()}{heading[1:]}",
        heading=heading,
        sentences=list(sentences),
    )


def organiser(booking: Booking, heading: str, sentences: Sequence[str], now: datetime) -> None:
    """The same to the organiser, who may have to act on it."""
    letters.to_organiser(
        booking, f"Booking {booking.reference}: {heading[:1].lower()}{heading[1:]}", list(sentences), now
    )


def _ended(
    attendee: Attendee, heading: str, sentences: list[str], withdrawn: Sequence[WorkshopSession], now: datetime
) -> None:
    first = withdrawn[:1]
    posted = {"method": "CANCEL", "calendar": invites.withdrawal(attendee, first[0])} if first else {}
    letter = letters.to_attendee(
        attendee,
        "place_ended",
        now,
        **posted,
        subject=heading,
        heading=heading,
        sentences=sentences,
        sessions=[letters.session_words(each) for each in withdrawn],
        workshop_url=web.url("courses.workshop", slug=attendee.workshop.slug),
    )
    for session in withdrawn[1:]:
        letters.to_attendee(
            attendee,
            "entry_withdrawn",
            now,
            method="CANCEL",
            calendar=invites.withdrawal(attendee, session),
            thread_id=letter.message_id,
            subject=heading,
            sessions=[letters.session_words(session)["line"]],
        )
