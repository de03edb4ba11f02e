"""What the booker's and the attendee's pages show, gathered once for the page and for its JSON."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from bookings import booked, invites, joining, letters
from bookings.models import Attendee, AttendeeExtra, AttendeePlace, Booking
from courses.models import Place, TicketType, Workshop, WorkshopSession
from lib import calendars, db, web, zones
from payments import attempts, invoices, ledger
from payments.models import Invoice, PaymentAttempt


@dataclass(frozen=True)
class Meets:
    """A session of a booking at several workshops, under the title of its own."""

    title: str
    starts_at: datetime
    ends_at: datetime
    zone: str


@dataclass(frozen=True)
class BookingView:
    """A booking for its booker: money, names and states; never a way into anybody's place."""

    booking: Booking
    balance: ledger.Balance
    attempt: PaymentAttempt | None
    workshop: Workshop
    sessions: Sequence[WorkshopSession | Meets]
    state: str
    keeps_places: bool
    papers: list[Invoice]

    @property
    def invoice(self) -> Invoice | None:
        """The invoice that somebody else pays."""
        return next((each for each in self.papers if each.kind == "invoice"), None)

    @property
    def open_minor(self) -> int:
        """What of the invoice is still to be paid."""
        is_live = self.invoice is not None and self.state in ("awaiting_invoice", "confirmed")
        return max(self.balance.due_minor - self.balance.disputed_minor, 0) if is_live else 0

    @property
    def title(self) -> str:
        return booked.title(self.booking)

    @property
    def people(self) -> list[booked.Person]:
        return booked.people(self.booking.attendees)

    @property
    def is_several(self) -> bool:
        """Whether it is of more than one workshop."""
        return len({each.workshop_id for each in self.booking.attendees}) > 1

    @property
    def is_catch_up(self) -> bool:
        """Whether nobody of it comes: it is for the recording alone."""
        return not any(each.ticket.includes_live for each in self.booking.attendees)

    @property
    def pay_until(self) -> datetime | None:
        """When the payment page ends; what the countdown shows."""
        return self.attempt.expires_at if self.attempt else self.booking.held_until


@dataclass(frozen=True)
class PlaceView:
    """A place for its attendee: times and invites; never money, never other names."""

    attendee: Attendee
    workshop: Workshop
    sessions: list[WorkshopSession]
    state: str
    join_url: str | None

    @property
    def has_invites(self) -> bool:
        """Whether there is something to put into a calendar: a place that stands, and that one comes to."""
        return self.state == "confirmed" and self.attendee.ticket.includes_live


def booking_by_reference(reference: str) -> Booking | None:
    return db.session.scalars(
        select(Booking)
        .where(Booking.reference == reference)
        .options(
            joinedload(Booking.organiser),
            joinedload(Booking.bill),
            selectinload(Booking.attendees).joinedload(Attendee.booking),
            selectinload(Booking.attendees).joinedload(Attendee.workshop).selectinload(Workshop.sessions),
            selectinload(Booking.attendees).joinedload(Attendee.ticket).selectinload(TicketType.sessions),
            selectinload(Booking.attendees).selectinload(Attendee.extras).joinedload(AttendeeExtra.ticket),
        )
    ).one_or_none()


def booking_view(booking: Booking, now: datetime) -> BookingView:
    first = booking.attendees[0]
    return BookingView(
        booking=booking,
        balance=ledger.balances([booking.bill_id])[booking.bill_id],
        attempt=attempts.live(booking.bill_id),
        workshop=first.workshop,
        sessions=_sessions(booking),
        state=state_of(booking, now),
        keeps_places=booking.state != "awaiting_bank" or _has_places(booking.id),
        papers=invoices.of_bill(booking.bill_id),
    )


def _sessions(booking: Booking) -> Sequence[WorkshopSession | Meets]:
    """What somebody of the booking comes to. What was given up is not among it, unless all of it was."""
    coming = [each for each in booking.attendees if each.state != "cancelled"] or booking.attendees
    first = {each.workshop_id: each for each in reversed(coming)}
    if len(first) == 1:
        return invites.sessions_of(coming[0])
    found = [
        Meets(each.workshop.title, session.starts_at, session.ends_at, session.zone)
        for each in first.values()
        for session in invites.sessions_of(each)
    ]
    return sorted(found, key=lambda each: each.starts_at)


def _has_places(booking_id: int) -> bool:
    """Whether places are taken for a booking whose money is still with the bank."""
    taken = (
        select(Place.id)
        .join(AttendeePlace, AttendeePlace.place_id == Place.id)
        .join(Attendee, Attendee.id == AttendeePlace.attendee_id)
        .where(Attendee.booking_id == booking_id, Place.state == "taken")
    )
    return db.session.scalar(taken.limit(1)) is not None


def state_of(booking: Booking, now: datetime) -> str:
    """The booking's state at `now`: a hold whose time has run out has lapsed, tidied or not."""
    is_over = booking.state == "held" and booking.held_until is not None and booking.held_until <= now
    return "lapsed" if is_over else booking.state


def booking_json(view: BookingView) -> dict[str, Any]:
    booking = view.booking
    parts = [
        {"due_on": each.due_on.isoformat(), "minor": each.minor, "state": each.state}
        for each in booking.bill.instalments
    ]
    return {
        "reference": booking.reference,
        "state": view.state,
        "bill": {
            "total_minor": booking.bill.total_minor,
            "paid_minor": view.balance.paid_minor,
            "refunded_minor": view.balance.refunded_minor,
            "credit_minor": view.balance.credit_minor,
            "currency": booking.currency,
        },
        **({"instalments": parts} if parts else {}),
        "held_until": zones.z(booking.held_until) if booking.held_until and view.state == "held" else None,
        "attendees": [{"n": each.n, "name": each.name, "state": each.state} for each in booking.attendees],
    }


def attendee_by_id(attendee_id: int) -> Attendee | None:
    return db.session.scalars(
        select(Attendee)
        .where(Attendee.id == attendee_id)
        .options(
            joinedload(Attendee.booking).joinedload(Booking.organiser),
            joinedload(Attendee.workshop).selectinload(Workshop.sessions),
            joinedload(Attendee.workshop).joinedload(Workshop.venue),
            joinedload(Attendee.ticket).selectinload(TicketType.sessions),
            selectinload(Attendee.invites),
        )
    ).one_or_none()


def place_view(attendee: Attendee, now: datetime, paid_back: Collection[int] | None = None) -> PlaceView:
    """A place as it stands; `paid_back` are the bills that got all of their money back, where many places are shown."""
    booked = state_of(attendee.booking, now)
    state = attendee.state if booked in ("confirmed", "cancelled") else booked
    bill_id = attendee.booking.bill_id
    is_paid_back = bill_id in (joining.paid_back([bill_id]) if paid_back is None else paid_back)
    may_join = state == "confirmed" and joining.admits_online(attendee) and not is_paid_back
    join_url = letters.join_url(attendee) if may_join else None
    return PlaceView(attendee, attendee.workshop, invites.sessions_of(attendee), state, join_url)


def place_views(attendees: Collection[Attendee], now: datetime) -> list[PlaceView]:
    """Several places, with as many statements as one."""
    gone = joining.paid_back({each.booking.bill_id for each in attendees})
    return [place_view(each, now, gone) for each in attendees]


def next_room(views: Collection[PlaceView], now: datetime) -> tuple[PlaceView, WorkshopSession] | None:
    """Of all these places the session to join that runs or comes next, with its place."""
    ahead = [
        (view, each)
        for view in views
        if view.join_url and view.workshop.status != "cancelled"
        for each in view.sessions
        if each.ends_at > now
    ]
    return min(ahead, key=lambda each: each[1].starts_at, default=None)


def place_json(view: PlaceView, token: str) -> dict[str, Any]:
    has_invites = view.has_invites
    return {
        "attendee": view.attendee.name,
        "workshop": view.workshop.slug,
        "state": view.state,
        "sessions": [{"starts_at": zones.z(each.starts_at), "join_url": view.join_url} for each in view.sessions],
        "invite_urls": [invite_url(token, each) for each in view.sessions] if has_invites else [],
        "feed_url": None,
        "calendar_links": [google_link(view, each) for each in view.sessions] if has_invites else [],
    }


def invite_url(token: str, session: WorkshopSession) -> str:
    return web.url("places.invite", token=token, number=session.number)


def google_link(view: PlaceView, session: WorkshopSession) -> str:
    """An address that offers one session to Google's calendar, both ends in UTC."""
    page = web.url("courses.workshop", slug=view.workshop.slug)
    return calendars.google_link(view.workshop.title, session.starts_at, session.ends_at, page)


def already_there(workshop_id: int, emails: Collection[str], now: datetime) -> set[str]:
    """Which of these addresses have a place at the workshop, or one held while somebody pays."""
    return already_at([workshop_id], emails, now)


def already_at(workshop_ids: Collection[int], emails: Collection[str], now: datetime) -> set[str]:
    """Which of these addresses have a place at one of the workshops, or one held while somebody pays."""
    rows = db.session.scalars(
        select(Attendee)
        .join(Attendee.booking)
        .where(Attendee.workshop_id.in_(workshop_ids), Attendee.email.in_(emails))
        .options(joinedload(Attendee.booking))
    )
    return {
        each.email
        for each in rows
        if each.state == "confirmed" or state_of(each.booking, now) in ("held", "awaiting_bank", "awaiting_invoice")
    }


def links_of(email: str, now: datetime) -> tuple[list[Attendee], list[Booking]]:
    """The places and bookings of an address that are not over for good, newest first."""
    attendees = db.session.scalars(
        select(Attendee)
        .where(Attendee.email == email, Attendee.state == "confirmed")
        .order_by(Attendee.id.desc())
        .options(
            joinedload(Attendee.booking),
            joinedload(Attendee.workshop).joinedload(Workshop.course),
            joinedload(Attendee.workshop).selectinload(Workshop.sessions),
            joinedload(Attendee.ticket).selectinload(TicketType.sessions),
        )
    ).all()
    bookings = db.session.scalars(
        select(Booking)
        .where(Booking.booker_email == email)
        .order_by(Booking.id.desc())
        .options(selectinload(Booking.attendees).joinedload(Attendee.workshop).selectinload(Workshop.sessions))
    ).all()
    return list(attendees), [each for each in bookings if state_of(each, now) != "lapsed"]


def places_for_letter(attendees: list[Attendee]) -> list[dict[str, str]]:
    return [
        {
            "title": each.workshop.title,
            "line": zones.line(*_first(each)),
            "url": letters.place_url(each),
        }
        for each in attendees
    ]


def _first(attendee: Attendee) -> tuple[datetime, datetime, str]:
    session = invites.sessions_of(attendee)[0]
    return session.starts_at, session.ends_at, session.zone
