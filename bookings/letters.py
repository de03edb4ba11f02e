"""The letters a booking causes: posted with the change they tell of, each to one person, with only their own data."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from accounts.models import Organiser
from bookings import booked, invites
from bookings.models import Attendee, Booking
from courses import window, window_words
from courses.catalogue import FORMATS, words
from courses.models import Workshop, WorkshopSession
from lib import links, money, web, zones
from mail import outbox
from mail.models import Letter
from payments import instalments, invoices, ledger
from payments.models import Instalment, Invoice

MEETING_NOTE = "Your own page lets you in on the day: open it from this letter, from any device."


def booking_url(booking: Booking, **values: Any) -> str:
    """The booker's address of a booking, with its key."""
    key = links.sign("booking", booking.id, booking.link_version)
    return web.url("bookings.shown", reference=booking.reference, key=key, **values)


def paper_url(booking: Booking, paper: Invoice) -> str:
    """The booker's address of a paper, with the booking's key."""
    key = links.sign("booking", booking.id, booking.link_version)
    return web.url("booking_invoices.of_booking", reference=booking.reference, key=key, number=paper.name)


def place_url(attendee: Attendee) -> str:
    """The attendee's own address."""
    return web.url("places.place", token=links.token("place", attendee.id, attendee.link_version))


def join_url(attendee: Attendee) -> str:
    """The address of the page that lets the attendee into the room. Never the meeting's own."""
    return web.url("joining.door", token=links.token("join", attendee.id, attendee.link_version))


def confirmed(attendee: Attendee, now: datetime) -> None:
    """The attendee has a place: a letter with the first session's invite, then one short letter a further session.

    Whoever has the recording alone gets a letter about that, and nothing for the calendar.
    """
    booking, workshop = attendee.booking, attendee.workshop
    if not attendee.ticket.includes_live:
        _catch_up_booked(attendee, now)
        return
    sessions = invites.sessions_of(attendee)
    first = sessions[0]
    many = len(sessions) > 1
    is_online = workshop.format != "room"
    letter = to_attendee(
        attendee,
        "confirmed",
        now,
        method="REQUEST",
        calendar=invites.request(attendee, first),
        files=[_file(invites.all_sessions(attendee))] if many else [],
        subject=f"Your place: {workshop.title}, {zones.short_day(zones.wall(first.starts_at, workshop.zone).date())}",
        **_who(attendee),
        format_words=FORMATS[workshop.format],
        sessions=[session_words(each) for each in sessions],
        own=own_time(first, booking.zone),
        session_count=len(sessions),
        join_url=join_url(attendee) if is_online else None,
        catch_up=catch_up(attendee),
        meeting_note=MEETING_NOTE if is_online else None,
    )
    if not many or len(sessions) > invites.MOST_INVITES:
        return
    for session in sessions[1:]:
        to_attendee(
            attendee,
            "session_invite",
            now,
            method="REQUEST",
            calendar=invites.request(attendee, session),
            thread_id=letter.message_id,
            subject=f"Session {session.number} of {len(sessions)}: {workshop.title}",
            session=session_words(session),
            number=session.number,
            session_count=len(sessions),
            place_url=place_url(attendee),
        )


def _catch_up_booked(attendee: Attendee, now: datetime) -> None:
    """The recording is the attendee's: until when, as far as it is published, and where to watch it."""
    workshop, zone = attendee.workshop, attendee.booking.zone
    sessions = invites.sessions_of(attendee)
    windows = [(each, window.of_session(each, workshop, attendee.confirmed_at or now)) for each in sessions]
    open_ones = [(each, found) for each, found in windows if found]
    closes = max((found.closes_at for _, found in open_ones), default=None)
    is_elsewhere = not zones.same_rules(workshop.zone, zone)
    is_whole = len(open_ones) == len([each for each in sessions if each.is_recorded])
    to_attendee(
        attendee,
        "catch_up_booked",
        now,
        subject=f"The recording is yours: {workshop.title}",
        **_who(attendee),
        sessions=[session_words(each) for each in sessions],
        closes=zones.moment(closes, workshop.zone) if closes else None,
        closes_own=zones.moment(closes, zone) if closes and is_elsewhere else None,
        awaited=None if is_whole else f"{'The rest' if closes else 'It'} is not published yet. {_promise(workshop)}",
        left_out=workshop.catch_up_note or None,
    )


def _promise(workshop: Workshop) -> str:
    """From when and for how long a recording can be watched that is still to come."""
    days = window_words.from_publication(workshop)
    return f"We write to you when it can be watched, {days}{', with everybody else' * window.is_shared(workshop)}."


def _who(attendee: Attendee) -> dict[str, Any]:
    """What every letter about a new place says of it."""
    booking = attendee.booking
    return {
        "booker_name": booking.booker_name if booking.booker_email != attendee.email else None,
        "presenters": words([who.name for who in attendee.workshop.presenters]),
        "place_url": place_url(attendee),
        "reference": booking.reference,
        "organiser_address": booking.organiser.address,
        "shared_address": sum(each.email == attendee.email for each in booked.people(booking.attendees)) > 1,
    }


def receipt(booking: Booking, now: datetime) -> None:
    """The booker's receipt: money and names, no way into anybody's place."""
    later = instalments.open_of(booking.bill)
    since = booked.charged(booking)
    total = booking.quote["total_minor"] + sum(minor for _, minor in since)
    lines = [(line["text"], line["minor"]) for line in booking.quote["lines"]]
    to_booker(
        booking,
        "receipt",
        now,
        subject=f"Your booking {booking.reference} is confirmed",
        lines=[{"text": text, "amount": amount(booking, minor)} for text, minor in (*lines, *since)],
        total=amount(booking, total),
        paid_by=words(invoices.ways(booking.bill_id)) if total else "nothing to pay",
        **_papers(booking),
        paid=amount(booking, ledger.of_bill(booking.bill_id).paid_minor) if later else None,
        later=parts(booking, later),
        attendees=booked.names(booking.attendees),
        gets="the way in" if any(each.ticket.includes_live for each in booking.attendees) else "the recording",
        sessions=programme(booking),
        organiser_address=booking.organiser.address,
    )


def _papers(booking: Booking) -> dict[str, Any]:
    """What the booker's receipt says of papers: the newest receipt as a file, and an invoice that is still open."""
    papers, due = invoices.of_bill(booking.bill_id), ledger.of_bill(booking.bill_id).due_minor
    receipt = next((each for each in reversed(papers) if each.kind == "receipt"), None)
    invoice = next((each for each in papers if each.kind == "invoice"), None)
    is_open = invoice is not None and invoice.due_on is not None and due > 0
    return {
        "receipt_number": receipt.name if receipt else None,
        "receipt_url": paper_url(booking, receipt) if receipt else None,
        "invoice_number": invoice.name if is_open and invoice else None,
        "invoice_open": amount(booking, due) if is_open else None,
        "invoice_due": zones.day(invoice.due_on) if is_open and invoice and invoice.due_on else None,
    }


def awaiting_bank(booking: Booking, now: datetime) -> None:
    """The bank was asked; the places are kept until it answers, or are taken again if they are still free."""
    to_booker(
        booking,
        "awaiting_bank",
        now,
        subject=f"Booking {booking.reference}: we are waiting for your bank",
        total=amount(booking, sum(each["minor"] for each in booking.quote["charges"])),
        keeps_places=booking.organiser.holds_for_bank,
    )


def payment_failed(booking: Booking, now: datetime) -> None:
    """The bank said no; the places are free again."""
    to_booker(booking, "payment_failed", now, subject=f"Booking {booking.reference}: your bank did not pay")


def refunded_late(booking: Booking, amount_minor: int, why: str, now: datetime) -> None:
    """Money came for which there is no place: it goes back in full. To the booker, and to the organiser."""
    to_booker(
        booking,
        "refunded_late",
        now,
        subject=f"Booking {booking.reference}: all of your payment goes back",
        amount=amount(booking, amount_minor),
        why=why,
        workshop_url=booked.page(booking),
    )
    said = f"{amount(booking, amount_minor)} from {booking.booker_name} is being sent back in full. {why}"
    to_organiser(booking, f"Booking {booking.reference}: a payment is being sent back", [said], now)


def to_organiser(booking: Booking, title: str, sentences: list[str], now: datetime) -> None:
    """Tell the organiser something they may have to act on."""
    notice(booking.organiser, f"booking:{booking.id}", title, sentences, booking.reference, now)


def join_link(attendee: Attendee, session: WorkshopSession | None, now: datetime) -> None:
    """The attendee's own pages once more, asked for from a page that did not work for them."""
    workshop, organiser = attendee.workshop, attendee.booking.organiser
    sessions = [session] if session else invites.sessions_of(attendee)[-1:]
    to_attendee(
        attendee,
        "join_link",
        now,
        subject=f"Your way in: {workshop.title}",
        sessions=[session_words(each) for each in sessions],
        own=own_time(sessions[0], attendee.booking.zone) if sessions else None,
        join_url=join_url(attendee),
        place_url=place_url(attendee),
        organiser_email=organiser.email,
        organiser_phone=organiser.phone,
    )


def reminder(attendee: Attendee, session: WorkshopSession, now: datetime) -> None:
    """A session is near: when it is on both clocks, the way in, and what is recorded."""
    workshop, zone = attendee.workshop, attendee.booking.zone
    own = zones.span(session.starts_at, session.ends_at, zone)
    is_online = workshop.format != "room"
    venue = workshop.venue if workshop.format in ("hybrid", "room") else None
    to_attendee(
        attendee,
        "reminder",
        now,
        subject=f"{zones.short_day(own.starts.date())}, {own.starts:%H:%M} {own.label}: {workshop.title}",
        session=session_words(session),
        own=own_time(session, zone),
        number=session.number,
        session_count=len(workshop.sessions),
        opens_minutes=workshop.join_opens_minutes,
        join_url=join_url(attendee) if is_online else None,
        place_url=place_url(attendee),
        venue=f"{venue.name}, {venue.address}" if venue else None,
        recorded=recorded(session, workshop),
        organiser_email=attendee.booking.organiser.email,
    )


def recorded(session: WorkshopSession, workshop: Workshop) -> str:
    """What an attendee is told of the camera before they come in."""
    if not session.is_recorded:
        return "This session is not recorded."
    return f"This session is recorded. {workshop.catch_up_note}".strip()


def missing_point(session: WorkshopSession, workshop: Workshop, organiser: Organiser, now: datetime) -> None:
    """Tell the organiser that a session's meeting has no address while people wait for it."""
    title = f"{workshop.title}: the meeting's address is missing"
    when = zones.moment(session.starts_at, session.zone)
    notice(
        organiser,
        f"session:{session.id}",
        title,
        [
            f"Session {session.number} starts on {when}, and its meeting has no address yet.",
            "Whoever is coming sees that we have told you. Please enter the link: the next press of their button "
            "leads into the room.",
        ],
        None,
        now,
    )


def own_time(session: WorkshopSession, zone: str) -> dict[str, str]:
    """A session as its reader's clock has it."""
    own = zones.span(session.starts_at, session.ends_at, zone)
    return {"day": own.day, "clock": own.clock, "label": own.label, "city": own.city}


def catch_up(attendee: Attendee) -> str | None:
    """What the attendee's ticket says about the recording."""
    workshop = attendee.workshop
    if not (workshop.catch_up_offered and attendee.ticket.includes_recording):
        return None
    since = "" if workshop.catch_up_from == "last session" else " from the day it is published"
    return f"The recording is yours to watch {window_words.span(workshop)}{since}."


def parts(booking: Booking, later: Sequence[Instalment]) -> list[str]:
    """What is still to be paid, each part with its day."""
    return [f"{amount(booking, each.minor)} on {zones.day(each.due_on)}" for each in later]


def amount(booking: Booking, minor: int) -> str:
    return money.text(minor, booking.currency)


def to_attendee(attendee: Attendee, template: str, now: datetime, **rest: Any) -> Letter:
    """A letter to one attendee, in the lane of their place."""
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


def notice(
    organiser: Organiser, about: str, title: str, sentences: list[str], reference: str | None, now: datetime
) -> None:
    """A letter to the organiser about anything of theirs."""
    outbox.post(
        "organiser_notice",
        to_name=organiser.name,
        to_email=organiser.email,
        sender=outbox.Sender(organiser.name, None, organiser.id),
        about=about,
        lane=f"organiser:{organiser.id}",
        at=now,
        values={
            "subject": title,
            "title": title,
            "sentences": sentences,
            "reference": reference,
            "organiser_name": organiser.name,
        },
    )


def to_booker(booking: Booking, template: str, now: datetime, *, to_email: str | None = None, **values: Any) -> None:
    """A letter to the booker, in the lane of the booking; at an earlier address of theirs where that is given."""
    outbox.post(
        template,
        to_name=booking.booker_name,
        to_email=to_email or booking.booker_email,
        sender=_sender(booking),
        about=f"booking:{booking.id}",
        lane=f"booking:{booking.id}",
        at=now,
        values={
            "name": booking.booker_name,
            "reference": booking.reference,
            "booking_url": booking_url(booking),
            "total": amount(booking, booking.quote["total_minor"]),
            "workshop_title": booked.title(booking),
            "organiser_name": booking.organiser.name,
            **values,
        },
    )


def _sender(booking: Booking) -> outbox.Sender:
    return outbox.Sender(booking.organiser.name, booking.organiser.email, booking.organiser_id)


def session_words(session: WorkshopSession) -> dict[str, str]:
    """A session as letters tell of it."""
    return {"title": session.title, "line": zones.line(session.starts_at, session.ends_at, session.zone)}


def programme(booking: Booking) -> list[dict[str, str]]:
    """Every session that somebody of the booking comes to, with the workshop's title where there are several."""
    there = booked.workshops(booking)
    return [
        session_words(session) | ({"title": workshop.title} if len(there) > 1 else {})
        for workshop in there
        for session in invites.sessions_of(next(each for each in booking.attendees if each.workshop_id == workshop.id))
    ]


def _file(body: bytes) -> dict[str, str]:
    return {"name": "sessions.ics", "type": "text/calendar; method=PUBLISH; charset=utf-8", "text": body.decode()}
