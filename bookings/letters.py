"""The letters a booking causes: posted with the change they tell of, each to one person, with only their own data."""

from datetime import datetime
from typing import Any

from bookings import invites
from bookings.models import Attendee, Booking
from courses.catalogue import FORMATS, words
from courses.models import WorkshopSession
from lib import links, money, web, zones
from mail import outbox
from mail.models import Letter

MEETING_NOTE = "Your own page lets you in on the day: open it from this letter, from any device."


def booking_url(booking: Booking, **values: Any) -> str:
    """The booker's address of a booking, with its key."""
    key = links.sign("booking", booking.id, booking.link_version)
    return web.url("bookings.shown", reference=booking.reference, key=key, **values)


def place_url(attendee: Attendee) -> str:
    """The attendee's own address."""
    return web.url("bookings.place", token=links.token("place", attendee.id, attendee.link_version))


def confirmed(attendee: Attendee, now: datetime) -> None:
    """The attendee has a place: a letter with the first session's invite, then one short letter a further session."""
    booking, workshop = attendee.booking, attendee.workshop
    sessions = invites.sessions_of(attendee)
    first = sessions[0]
    many = len(sessions) > 1
    own = zones.span(first.starts_at, first.ends_at, booking.zone)
    letter = _post(
        attendee,
        "confirmed",
        now,
        method="REQUEST",
        calendar=invites.request(attendee, first),
        files=[_file(invites.all_sessions(attendee))] if many else [],
        subject=f"Your place: {workshop.title}, {zones.short_day(zones.wall(first.starts_at, workshop.zone).date())}",
        booker_name=booking.booker_name if booking.booker_email != attendee.email else None,
        presenters=words([who.name for who in workshop.presenters]),
        format_words=FORMATS[workshop.format],
        sessions=[_session(each) for each in sessions],
        own={"day": own.day, "clock": own.clock, "label": own.label, "city": own.city},
        session_count=len(sessions),
        place_url=place_url(attendee),
        reference=booking.reference,
        catch_up=catch_up(attendee),
        organiser_address=booking.organiser.address,
        meeting_note=MEETING_NOTE,
        shared_address=sum(each.email == attendee.email for each in booking.attendees) > 1,
    )
    if not many or len(sessions) > invites.MOST_INVITES:
        return
    for session in sessions[1:]:
        _post(
            attendee,
            "session_invite",
            now,
            method="REQUEST",
            calendar=invites.request(attendee, session),
            thread_id=letter.message_id,
            subject=f"Session {session.number} of {len(sessions)}: {workshop.title}",
            session=_session(session),
            number=session.number,
            session_count=len(sessions),
            place_url=place_url(attendee),
        )


def receipt(booking: Booking, now: datetime) -> None:
    """The booker's receipt: money and names, no way into anybody's place."""
    _to_booker(
        booking,
        "receipt",
        now,
        subject=f"Your booking {booking.reference} is confirmed",
        lines=[{"text": line["text"], "amount": amount(booking, line["minor"])} for line in booking.quote["lines"]],
        total=amount(booking, booking.quote["total_minor"]),
        paid_by="card" if booking.quote["total_minor"] else "nothing to pay",
        attendees=[attendee.name for attendee in booking.attendees],
        sessions=[_session(each) for each in invites.sessions_of(booking.attendees[0])],
        organiser_address=booking.organiser.address,
    )


def awaiting_bank(booking: Booking, now: datetime) -> None:
    """The bank was asked; the places are kept until it answers."""
    _to_booker(booking, "awaiting_bank", now, subject=f"Booking {booking.reference}: we are waiting for your bank")


def payment_failed(booking: Booking, now: datetime) -> None:
    """The bank said no; the places are free again."""
    _to_booker(booking, "payment_failed", now, subject=f"Booking {booking.reference}: your bank did not pay")


def refunded_late(booking: Booking, amount_minor: int, why: str, now: datetime) -> None:
    """Money came for which there is no place: it goes back in full. To the booker, and to the organiser."""
    workshop = booking.attendees[0].workshop
    _to_booker(
        booking,
        "refunded_late",
        now,
        subject=f"Booking {booking.reference}: all of your payment goes back",
        amount=amount(booking, amount_minor),
        why=why,
        workshop_url=web.url("courses.workshop", slug=workshop.slug),
    )
    said = f"{amount(booking, amount_minor)} from {booking.booker_name} is being sent back in full. {why}"
    to_organiser(booking, f"Booking {booking.reference}: a payment is being sent back", [said], now)


def to_organiser(booking: Booking, title: str, sentences: list[str], now: datetime) -> None:
    """Tell the organiser something they may have to act on."""
    organiser = booking.organiser
    outbox.post(
        "organiser_notice",
        to_name=organiser.name,
        to_email=organiser.email,
        sender=outbox.Sender(organiser.name, None, organiser.id),
        about=f"booking:{booking.id}",
        lane=f"organiser:{organiser.id}",
        at=now,
        values={
            "subject": title,
            "title": title,
            "sentences": sentences,
            "reference": booking.reference,
            "organiser_name": organiser.name,
        },
    )


def catch_up(attendee: Attendee) -> str | None:
    """What the attendee's ticket says about the recording."""
    workshop = attendee.workshop
    if not (workshop.catch_up_offered and attendee.ticket.includes_recording):
        return None
    return f"The recording is yours to watch for {workshop.catch_up_days} days from the day it is published."


def amount(booking: Booking, minor: int) -> str:
    return money.text(minor, booking.currency)


def _post(attendee: Attendee, template: str, now: datetime, **rest: Any) -> Letter:
    booking = attendee.booking
    posted = {name: rest.pop(name) for name in ("method", "calendar", "files", "thread_id") if name in rest}
    return outbox.post(
        template,
        to_name=attendee.name,
        to_email=attendee.email,
        sender=_sender(booking),
        about=f"attendee:{attendee.id}",
        lane=f"attendee:{attendee.id}",
        at=now,
        values={
            "name": attendee.name,
            "workshop_title": attendee.workshop.title,
            "organiser_name": booking.organiser.name,
            **rest,
        },
        **posted,
    )


def _to_booker(booking: Booking, template: str, now: datetime, **values: Any) -> None:
    outbox.post(
        template,
        to_name=booking.booker_name,
        to_email=booking.booker_email,
        sender=_sender(booking),
        about=f"booking:{booking.id}",
        lane=f"booking:{booking.id}",
        at=now,
        values={
            "name": booking.booker_name,
            "reference": booking.reference,
            "booking_url": booking_url(booking),
            "total": amount(booking, booking.quote["total_minor"]),
            "workshop_title": booking.attendees[0].workshop.title,
            "organiser_name": booking.organiser.name,
            **values,
        },
    )


def _sender(booking: Booking) -> outbox.Sender:
    return outbox.Sender(booking.organiser.name, booking.organiser.email, booking.organiser_id)


def _session(session: WorkshopSession) -> dict[str, str]:
    return {"title": session.title, "line": zones.line(session.starts_at, session.ends_at, session.zone)}


def _file(body: bytes) -> dict[str, str]:
    return {"name": "sessions.ics", "type": "text/calendar; method=PUBLISH; charset=utf-8", "text": body.decode()}
