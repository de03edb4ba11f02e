"""An attendee's name or address put right by the organiser, and letters sent once more.

Whoever had the old address keeps nothing: the links in earlier letters are dead, letters that still wait are stopped,
and the entries in that calendar are taken out. The new address gets a letter of its own with the same entries, their
SEQUENCE higher than all that went before.
"""

from dataclasses import dataclass
from datetime import datetime

from bookings import invites, letters, pages
from bookings.models import Attendee, Booking
from courses.models import WorkshopSession
from history import models as history
from lib import db, web
from mail import jobs as mail_jobs
from mail import outbox

CORRECTABLE = ("held", "confirmed")
STOPPED = "Not sent: the name or the address was corrected before it left."


class PlaceOver(web.Refusal):
    """The place is cancelled or lapsed, or its booking is not confirmed."""

    status = 409
    refusal = "place_over"
    title = "This place has no letters to send"


class NothingChanged(web.Refusal):
    """Name and address are what they were."""

    status = 422
    refusal = "nothing_changed"
    title = "Nothing was changed"


class AddressTaken(web.Refusal):
    """Somebody else at the workshop has this address."""

    status = 409
    refusal = "address_taken"
    title = "Somebody else has this address"


@dataclass(frozen=True)
class Correction:
    """What the attendee is to be called and where their letters go. `shared`: though another attendee has it."""

    name: str
    email: str
    why: str
    shared: bool = False


def correct(booking: Booking, n: int, correction: Correction, *, actor: str, now: datetime) -> None:
    """Put attendee `n` of a booking locked by `lifecycle.locked` right, at every workshop they come to.

    Raises PlaceOver, NothingChanged or AddressTaken, with nothing changed.
    """
    attendee = _attendee(booking, n)
    if attendee.state not in CORRECTABLE or pages.state_of(booking, now) == "lapsed":
        raise PlaceOver("The place is no longer this person's, so there is nothing to put right.")
    name, email = attendee.name, attendee.email
    if (name, email) == (correction.name, correction.email):
        raise NothingChanged("Name and address are what they were. No letter was sent.")
    elsewhere = [each for each in booking.attendees if each.workshop_id != attendee.workshop_id]
    same = [each for each in elsewhere if (each.name, each.email) == (name, email) and each.state in CORRECTABLE]
    own = [attendee, *same]
    if email != correction.email and not correction.shared:
        for each in own:
            refuse_taken(each, correction.email, now)
    for each in own:
        _put_right(booking, each, correction, actor, now)


def refuse_taken(attendee: Attendee, email: str, now: datetime) -> None:
    """Raise AddressTaken for an address that another place at the workshop has."""
    if pages.already_there(attendee.workshop_id, [email], now):
        raise AddressTaken(
            f"{email} belongs to another place at {attendee.workshop.title}. If the two people share it, "
            "say so and send this again."
        )


def _put_right(booking: Booking, attendee: Attendee, correction: Correction, actor: str, now: datetime) -> None:
    name, email = attendee.name, attendee.email
    is_moved = email != correction.email
    mail_jobs.stop(f"attendee:{attendee.id}", STOPPED)
    attendee.link_version += 1
    if attendee.state == "confirmed" and is_moved:
        _take_out(attendee, now)
    attendee.name, attendee.email = correction.name, correction.email
    facts = {"attendee": attendee.id, "why": correction.why}
    if name != attendee.name:
        facts |= {"name_before": name, "name": attendee.name}
    if is_moved:
        facts |= {"email_before": email, "email": attendee.email}
    _record(booking, "attendee_corrected", facts, actor, now)
    db.session.flush()
    if attendee.state == "confirmed" and invites.sessions_of(attendee):
        _put_in(attendee, now)
        letters.confirmed(attendee, now)


def resend_place(booking: Booking, n: int, why: str, *, actor: str, now: datetime) -> None:
    """The attendee's letter once more, with the very same invites. Raises PlaceOver."""
    attendee = _attendee(booking, n)
    if attendee.state != "confirmed" or not invites.sessions_of(attendee):
        raise PlaceOver("A letter with a way in goes only to somebody whose place is confirmed.")
    invites.make(attendee, now)
    letters.confirmed(attendee, now)
    _record(booking, "letter_resent", {"letter": "confirmed", "attendee": attendee.id, "why": why}, actor, now)


def resend_receipt(booking: Booking, why: str, *, actor: str, now: datetime) -> None:
    """The booker's receipt once more. Raises PlaceOver."""
    if booking.state != "confirmed":
        raise PlaceOver("A receipt goes out once the booking is confirmed.")
    letters.receipt(booking, now)
    _record(booking, "letter_resent", {"letter": "receipt", "why": why}, actor, now)


def _attendee(booking: Booking, n: int) -> Attendee:
    return next(each for each in booking.attendees if each.n == n)


def _record(booking: Booking, verb: str, facts: dict[str, object], actor: str, now: datetime) -> None:
    history.record(f"booking:{booking.id}", verb, at=now, actor=actor, organiser_id=booking.organiser_id, facts=facts)


def _take_out(attendee: Attendee, now: datetime) -> None:
    """Withdraw what is ahead from the old address's calendar, a letter an entry, still in the old name."""
    ahead = [each for each in invites.sessions_of(attendee) if each.ends_at > now]
    for session in invites.withdraw(attendee, ahead, now):
        _withdrawal(attendee, session, now)


def _withdrawal(attendee: Attendee, session: WorkshopSession, now: datetime) -> None:
    """In a lane of its own: an address that no server answers for must not hold up the letter to the right one."""
    organiser = attendee.booking.organiser
    outbox.post(
        "place_elsewhere",
        to_name=attendee.name,
        to_email=attendee.email,
        sender=outbox.Sender(organiser.name, organiser.email, organiser.id),
        about=f"attendee:{attendee.id}",
        lane=f"attendee:{attendee.id}:before:{attendee.link_version}",
        at=now,
        values={
            "subject": f"Our letter about {attendee.workshop.title} no longer counts",
            "workshop_title": attendee.workshop.title,
            "line": letters.session_words(session)["line"],
            "workshop_url": web.url("courses.workshop", slug=attendee.workshop.slug),
            "organiser_name": organiser.name,
        },
        method="CANCEL",
        calendar=invites.withdrawal(attendee, session),
    )


def _put_in(attendee: Attendee, now: datetime) -> None:
    """Every entry once more, above all that went before: the REQUEST that follows a CANCEL wins in any order."""
    for invite in invites.make(attendee, now):
        invite.sequence, invite.stamp, invite.is_withdrawn = invite.sequence + 1, now, False
    db.session.flush()
