"""What the organiser's desk shows of bookings and of the people who come: read with a fixed number of statements."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from accounts.models import User
from bookings import returning
from bookings.models import STATES, Attendee, AttendeePlace, Booking, Joining
from courses.models import Question, TicketType, Workshop
from history.models import Entry
from lib import db
from mail.models import Letter
from payments import disputes, invoices, ledger
from payments.models import Dispute, Invoice, Payment, Refund

PER_PAGE = 50
LONGEST_SEARCH = 100


@dataclass(frozen=True)
class Wanted:
    """What is looked for: words of a name, an address or a reference; a workshop's slug; a state."""

    words: str = ""
    workshop: str = ""
    state: str = ""
    page: int = 1


@dataclass(frozen=True)
class Found:
    """One page of bookings, newest first, with what came in and went back for each."""

    bookings: Sequence[Booking]
    balances: dict[int, ledger.Balance]
    failed: Collection[int]
    number: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.number // PER_PAGE))


@dataclass(frozen=True)
class Money:
    """What came in for a bill and what went back, row by row."""

    balance: ledger.Balance
    payments: Sequence[Payment]
    refunds: Sequence[Refund]
    disputes: Sequence[Dispute]
    may_go_back: int
    papers: Sequence[Invoice]

    def is_by_hand(self, refund: Refund) -> bool:
        """Whether the team has to send it: it came past Stripe."""
        return any(each.id == refund.payment_id and each.kind != "stripe" for each in self.payments)


def bookings(organiser_id: int, wanted: Wanted, now: datetime) -> Found:
    """The organiser's bookings that fit; a page beyond the last is the last."""
    fits = [Booking.organiser_id == organiser_id, *_fits(wanted, now)]
    number = db.session.scalar(select(func.count()).select_from(Booking).where(*fits)) or 0
    page = min(max(wanted.page, 1), max(1, -(-number // PER_PAGE)))
    found = db.session.scalars(
        select(Booking)
        .where(*fits)
        .order_by(Booking.id.desc())
        .limit(PER_PAGE)
        .offset((page - 1) * PER_PAGE)
        .options(selectinload(Booking.attendees).joinedload(Attendee.workshop))
    ).all()
    return Found(found, ledger.balances([each.bill_id for each in found]), _with_failed_letters(found), number, page)


def booking(organiser_id: int, reference: str) -> Booking | None:
    """One of the organiser's bookings with all that its page shows."""
    return db.session.scalars(
        select(Booking)
        .where(Booking.organiser_id == organiser_id, Booking.reference == reference)
        .options(
            joinedload(Booking.organiser),
            joinedload(Booking.bill),
            selectinload(Booking.attendees).joinedload(Attendee.workshop).selectinload(Workshop.questions),
            selectinload(Booking.attendees).joinedload(Attendee.ticket),
            selectinload(Booking.attendees).selectinload(Attendee.answers),
            selectinload(Booking.attendees).selectinload(Attendee.claims).joinedload(AttendeePlace.place),
        )
    ).one_or_none()


def money(bill_id: int) -> Money:
    """The payments of a bill and the refunds of those, oldest first."""
    payments = db.session.scalars(select(Payment).where(Payment.bill_id == bill_id).order_by(Payment.id)).all()
    refunds = db.session.scalars(
        select(Refund).where(Refund.payment_id.in_([each.id for each in payments])).order_by(Refund.id)
    ).all()
    back = returning.remaining_of(bill_id)
    papers = invoices.of_bill(bill_id)
    return Money(ledger.of_bill(bill_id), payments, refunds, disputes.of_bill(bill_id), back, papers)


def letters(booking: Booking) -> Sequence[Letter]:
    """Every letter to the booker and to the attendees, newest first."""
    return db.session.scalars(
        select(Letter)
        .where(Letter.organiser_id == booking.organiser_id, Letter.about.in_(_abouts(booking)))
        .order_by(Letter.id.desc())
    ).all()


def entries(booking: Booking) -> Sequence[Entry]:
    """What history says of the booking and of its attendees, newest first."""
    return db.session.scalars(
        select(Entry)
        .where(Entry.organiser_id == booking.organiser_id, Entry.about.in_(_abouts(booking)))
        .order_by(Entry.id.desc())
    ).all()


def names(found: Collection[Entry]) -> dict[str, str]:
    """Who the entries' actors are, for those that are people of a team."""
    ids = {int(each.actor.partition(":")[2]) for each in found if each.actor.startswith("user:")}
    rows = db.session.scalars(select(User).where(User.id.in_(ids)))
    return {f"user:{each.id}": each.name or each.email for each in rows}


def letter(organiser_id: int, letter_id: int) -> Letter | None:
    """One of the organiser's letters about a booking or an attendee."""
    return db.session.scalars(
        select(Letter).where(
            Letter.organiser_id == organiser_id,
            Letter.id == letter_id,
            or_(Letter.about.like("booking:%"), Letter.about.like("attendee:%")),
        )
    ).one_or_none()


def workshop(organiser_id: int, slug: str) -> Workshop | None:
    """One of the organiser's workshops, draft or not."""
    return db.session.scalars(
        select(Workshop)
        .where(Workshop.organiser_id == organiser_id, Workshop.slug == slug)
        .options(selectinload(Workshop.questions), selectinload(Workshop.sessions))
    ).one_or_none()


def workshops(organiser_id: int) -> list[tuple[str, str, datetime, str]]:
    """Slug, title, start and zone of every workshop of the organiser, latest first."""
    rows = db.session.execute(
        select(Workshop.slug, Workshop.title, Workshop.starts_at, Workshop.zone)
        .where(Workshop.organiser_id == organiser_id)
        .order_by(Workshop.starts_at.desc(), Workshop.id.desc())
    )
    return [(slug, title, starts_at, zone) for slug, title, starts_at, zone in rows]


def people(workshop_id: int) -> Sequence[Attendee]:
    """Who has a place at a workshop or had one, by name; those whose hold lapsed are left out."""
    found = db.session.scalars(
        select(Attendee)
        .where(Attendee.workshop_id == workshop_id, Attendee.state != "lapsed")
        .options(joinedload(Attendee.booking), joinedload(Attendee.ticket), selectinload(Attendee.answers))
    ).all()
    return sorted(found, key=lambda each: (each.state == "cancelled", each.name.casefold(), each.id))


def found_in(found: Sequence[Attendee], sought: str) -> list[Attendee]:
    """Those whose name, address or booking has every word that is sought; a piece of a word will do."""
    wanted = sought[:LONGEST_SEARCH].casefold().split()
    return [each for each in found if all(word in _said_of(each) for word in wanted)]


def joined(workshop_id: int) -> dict[tuple[int, int], datetime]:
    """When each attendee of a workshop first went through to each session, by attendee and session."""
    rows = db.session.execute(
        select(Joining.attendee_id, Joining.session_id, Joining.first_at)
        .join(Attendee, Attendee.id == Joining.attendee_id)
        .where(Attendee.workshop_id == workshop_id)
    )
    return {(attendee, session): first_at for attendee, session, first_at in rows}


def answers(attendee: Attendee, questions: Sequence[Question], *, private: bool) -> list[tuple[Question, str]]:
    """What the attendee answered, in the order asked; private ones only when wanted."""
    said = {each.question_id: each.text for each in attendee.answers}
    return [(each, said[each.id]) for each in questions if each.id in said and (private or not each.is_private)]


def tickets(workshop_id: int) -> Sequence[TicketType]:
    return db.session.scalars(
        select(TicketType).where(TicketType.workshop_id == workshop_id).order_by(TicketType.position)
    ).all()


def _fits(wanted: Wanted, now: datetime) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for word in wanted.words[:LONGEST_SEARCH].casefold().split():
        of_attendee = or_(_holds(Attendee.name, word), _holds(Attendee.email, word))
        found.append(
            or_(
                _holds(Booking.booker_name, word),
                _holds(Booking.booker_email, word),
                _holds(Booking.reference, word),
                exists().where(Attendee.booking_id == Booking.id, of_attendee),
            )
        )
    if wanted.workshop:
        there = and_(Attendee.booking_id == Booking.id, Workshop.id == Attendee.workshop_id)
        found.append(exists().where(there, Workshop.slug == wanted.workshop))
    has_lapsed = and_(Booking.state == "held", Booking.held_until <= now)
    if wanted.state == "lapsed":
        found.append(or_(Booking.state == "lapsed", has_lapsed))
    elif wanted.state == "held":
        found.append(and_(Booking.state == "held", Booking.held_until > now))
    elif wanted.state in STATES:
        found.append(Booking.state == wanted.state)
    return found


def _said_of(attendee: Attendee) -> str:
    return f"{attendee.name} {attendee.email} {attendee.booking.reference}".casefold()


def _holds(column: object, word: str) -> ColumnElement[bool]:
    return func.lower(column).contains(word, autoescape=True)


def _with_failed_letters(found: Sequence[Booking]) -> set[int]:
    """The ids of those bookings for which somebody's newest letter did not arrive."""
    owners: dict[str, int] = {about: each.id for each in found for about in _abouts(each)}
    rows = db.session.execute(
        select(Letter.about, Letter.to_email, Letter.state).where(Letter.about.in_(owners)).order_by(Letter.id)
    )
    newest: dict[str, dict[str, str]] = defaultdict(dict)
    for about, to_email, state in rows:
        newest[about][to_email] = state
    current = _addresses(found)
    return {
        owners[about]
        for about, states in newest.items()
        for address, state in states.items()
        if state == "failed" and address == current[about]
    }


def _addresses(found: Sequence[Booking]) -> dict[str, str]:
    return {f"booking:{each.id}": each.booker_email for each in found} | {
        f"attendee:{one.id}": one.email for each in found for one in each.attendees
    }


def _abouts(booking: Booking) -> list[str]:
    return [f"booking:{booking.id}", *(f"attendee:{each.id}" for each in booking.attendees)]
