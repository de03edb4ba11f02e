"""Places given up, passed on or moved once they are confirmed: what was decided before, made true here.

Each works on a booking that `lifecycle.locked` gave, and all of it is rows of that one transaction: places, invites
with their sequence, letters, money, history.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete

from bookings import attendee_rows, change_letters, invites, letters, lifecycle, pages, reminders, returning
from bookings.attendee_rows import Added
from bookings.change_terms import Act, Deal
from bookings.models import Answer, Attendee, AttendeeExtra, AttendeePlace, Booking
from bookings.returning import Back
from courses import places
from courses.models import TicketType, Workshop, WorkshopSession
from history import models as history
from lib import db, web, work
from mail import jobs as mail_jobs

NEW_PERSON = "recordings.new_person"  # whoever comes instead has watched nothing yet: a room to the right
STOPPED = "Not sent: the place changed before it left."


class PlaceOver(web.Refusal):
    """The place is not confirmed, or all it admits to is over."""

    status = 409
    refusal = "place_over"
    title = "This place cannot be changed any more"


class AddressTaken(web.Refusal):
    """Somebody else at the workshop has this address."""

    status = 409
    refusal = "address_taken"
    title = "Somebody else has this address"


def of(booking: Booking, numbers: Sequence[int]) -> list[Attendee]:
    """The attendees of these n, each with a confirmed place. Raises PlaceOver, also for nobody and for strangers."""
    found = [each for each in booking.attendees if each.n in numbers]
    if not found or len(found) != len(set(numbers)) or any(each.state != "confirmed" for each in found):
        raise PlaceOver(
            "A place of this booking has changed meanwhile, or is over. Nothing was done; please look again."
        )
    return found


def refuse_taken(attendee: Attendee, email: str, at: datetime, *, shared: bool) -> None:
    """Raise AddressTaken for an address that somebody else at the workshop has, unless they share it."""
    if email != attendee.email and not shared and pages.already_there(attendee.workshop_id, [email], at):
        raise AddressTaken(
            f"{email} belongs to another place at {attendee.workshop.title}. Please give the colleague's own address."
        )


def give_up(booking: Booking, gone: Mapping[Attendee, Deal], act: Act) -> Back:
    """End the places, or leave the recording alone of them, and send or keep the money as decided; what goes back
    now."""
    leaving = [attendee for attendee, deal in gone.items() if not deal.keeps_recording]
    for attendee, deal in gone.items():
        mail_jobs.stop(f"attendee:{attendee.id}", STOPPED)
        withdrawn = _withdraw_all(attendee, act.at)
        change_letters.gave_up(attendee, withdrawn, act, keeps_recording=deal.keeps_recording)
        if deal.keeps_recording:
            _leave_recording(attendee, act.at)
    if leaving:
        lifecycle.cancel(booking, leaving, actor=act.actor, why=act.why, now=act.at)
    shares = {attendee.id: deal.refund_minor for attendee, deal in gone.items() if deal.refund_minor}
    back = (
        returning.give(
            booking,
            sum(shares.values()),
            source=act.source,
            reason=act.why or "Cancelled by the booker",
            shares=shares,
            actor=act.actor,
            now=act.at,
        )
        if shares
        else Back()
    )
    for attendee, deal in gone.items():
        if deal.credit_minor:
            returning.keep_as_credit(
                booking,
                deal.credit_minor,
                email=booking.booker_email,
                reason=f"{attendee.workshop.title}: {attendee.name} does not come",
                expires_at=deal.credit_until,
                actor=act.actor,
                now=act.at,
            )
    return back


def pass_on(booking: Booking, attendee: Attendee, name: str, email: str, act: Act, *, shared: bool = False) -> None:
    """A colleague comes instead: new links and invites for them, the old ones dead, the old answers erased.

    Raises AddressTaken, with nothing changed.
    """
    is_moved = email != attendee.email
    refuse_taken(attendee, email, act.at, shared=shared)
    before = {"name_before": attendee.name, "email_before": attendee.email}
    mail_jobs.stop(f"attendee:{attendee.id}", STOPPED)
    if is_moved:
        withdrawn = _withdraw_all(attendee, act.at)
        change_letters.passed_on(attendee, withdrawn, act.at)
    attendee.link_version += 1
    attendee.name, attendee.email = name, email
    db.session.execute(delete(Answer).where(Answer.attendee_id == attendee.id))
    _remember(booking, "place_passed_on", {"attendee": attendee.id, **before, "name": name, "email": email}, act)
    work.post(NEW_PERSON, f"attendee:{attendee.id}", act.at, {"attendee": attendee.id})
    db.session.flush()
    _welcome(attendee, act.at)


def move(
    booking: Booking,
    attendee: Attendee,
    workshop: Workshop,
    ticket: TicketType,
    held: Mapping[int, Sequence[int]],
    share: tuple[int, int],
    act: Act,
    added: Sequence[Added] = (),
) -> None:
    """The place is at another workshop from now on. `held` are the places there by pool, held for this; `share` is
    the attendee's new price and discount in minor units, with the extras there, `added`, in it.

    Raises WorkshopFull with nothing changed.
    """
    old = attendee.workshop
    taken = sorted(place for ids in held.values() for place in ids)
    places.keep(taken, act.at)
    mail_jobs.stop(f"attendee:{attendee.id}", STOPPED)
    withdrawn = _withdraw_all(attendee, act.at)
    change_letters.moved_away(attendee, withdrawn, workshop, act.at)
    places.release(sorted(claim.place_id for claim in attendee.claims), act.at)
    db.session.execute(delete(AttendeePlace).where(AttendeePlace.attendee_id == attendee.id))
    db.session.execute(delete(AttendeeExtra).where(AttendeeExtra.attendee_id == attendee.id))
    db.session.execute(delete(Answer).where(Answer.attendee_id == attendee.id))
    attendee.workshop_id, attendee.ticket_type_id = workshop.id, ticket.id
    attendee.price_minor, attendee.discount_minor = share
    db.session.add_all(
        AttendeePlace(organiser_id=attendee.organiser_id, attendee_id=attendee.id, place_id=place) for place in taken
    )
    for extra in attendee_rows.extras(attendee.organiser_id, added):
        extra.attendee_id = attendee.id
        db.session.add(extra)
    facts = {"attendee": attendee.id, "from": old.slug, "to": workshop.slug, "ticket": ticket.code}
    _remember(booking, "place_moved", facts, act)
    db.session.flush()
    db.session.expire(attendee)
    _welcome(attendee, act.at)


def _withdraw_all(attendee: Attendee, now: datetime) -> list[WorkshopSession]:
    """Take out of the calendar what is still ahead of it; those sessions."""
    ahead = [each for each in invites.sessions_of(attendee) if each.ends_at > now]
    return invites.withdraw(attendee, ahead, now)


def _welcome(attendee: Attendee, now: datetime) -> None:
    """Entries above all that went before, the letter with them, reminders, and the windows of what is published."""
    known = {invite.session_id for invite in attendee.invites}
    for invite in invites.make(attendee, now):
        if invite.session_id in known:
            invite.sequence, invite.stamp, invite.is_withdrawn = invite.sequence + 1, now, False
    db.session.flush()
    letters.confirmed(attendee, now)
    reminders.post_all(attendee, now)
    if attendee.workshop.catch_up_offered and attendee.ticket.includes_recording:
        booking = attendee.booking
        work.post(lifecycle.OPEN_WINDOWS, f"booking:{booking.id}", now, {"booking": booking.id})


def _leave_recording(attendee: Attendee, now: datetime) -> None:
    """The seat is free again, with what was added to it; the ticket becomes the workshop's catch-up ticket, which the
    deal made sure of."""
    ticket = next(each for each in attendee.workshop.tickets if each.kind == "catch_up")
    places.release(sorted(claim.place_id for claim in attendee.claims), now)
    db.session.execute(delete(AttendeePlace).where(AttendeePlace.attendee_id == attendee.id))
    db.session.execute(delete(AttendeeExtra).where(AttendeeExtra.attendee_id == attendee.id))
    attendee.ticket_type_id = ticket.id
    db.session.flush()
    db.session.expire(attendee, ["claims", "extras"])


def _remember(booking: Booking, verb: str, facts: Mapping[str, object], act: Act) -> None:
    history.record(
        f"booking:{booking.id}",
        verb,
        at=act.at,
        actor=act.actor,
        organiser_id=booking.organiser_id,
        facts={**facts, "why": act.why},
    )
