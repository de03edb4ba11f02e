"""What a person's statement of credits shows: each credit, what happened to it, and what can still be spent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from accounts.models import Organiser
from bookings import credit_links, credit_spending
from bookings.choosing import Wish
from bookings.credit_letters import LAST_SECOND, until
from bookings.models import Booking
from courses.shelf import OrganiserFacts
from lib import db, money, zones
from lib.forms import person_of
from payments import credits
from payments.models import Credit, Movement

HAPPENED = {
    "credit_issued": "Kept of booking {}",
    "credit_spent": "Used for booking {}",
    "credit_returned": "Back from booking {}",
    "credit_expired": "Its time ran out",
}
APART = "Set apart for people you are adding to a booking, until the rest is paid"


@dataclass(frozen=True)
class Happened:
    """A movement as its person sees it: plus is theirs to spend, minus is gone."""

    at: datetime
    text: str
    minor: int


@dataclass(frozen=True)
class Kept:
    """One credit: how much it was, what is left of it, and the last moment for that. Why the organiser gave it is
    theirs to know: they may have written it for themselves."""

    minor: int
    currency: str
    left_minor: int
    until: str | None
    is_over: bool
    happened: list[Happened]


@dataclass(frozen=True)
class Statement:
    """All of a person's credits with one organiser; `spendable` is what can be used now, a text a currency."""

    organiser: Organiser
    credits: list[Kept]
    spendable: list[str]


def offered(email: str, currency: str, organiser: OrganiserFacts, now: datetime) -> str:
    """What whoever books may use of their credits, in a phrase; empty for nothing."""
    left = credit_spending.offered(email, organiser.id, currency, now)
    if not left:
        return ""
    amount = money.text(sum(each.minor for each in left), left[0].currency)
    ends = next((each.expires_at for each in left if each.expires_at), None)
    if ends is None:
        return amount
    last = zones.moment(ends - LAST_SECOND, organiser.zone)
    return f"{amount}, {'all' if len(left) == 1 else 'some'} of it until {last}"


def taken(wish: Wish, organiser_id: int, told: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What is `told` of a quote, with what credits would pay of what is due now."""
    due = told["due_now_minor"]
    email = "" if wish.invoice_to else wish.credit_of
    used = credit_spending.would_take(email, organiser_id, wish.currency, due, now)
    return {**told, "credit_minor": used, "due_now_minor": due - used}


def statement(credit: Credit, now: datetime) -> Statement:
    """Everything of the person whose credit this is, with its organiser; a fixed number of statements."""
    found = credits.statement(credit.person, credit.organiser_id)
    references = _references([row.bill_id for _, rows in found for row in rows])
    organiser = db.session.get_one(Organiser, credit.organiser_id)
    kept = [_kept(each, rows, references, organiser.zone, now) for each, rows in found]
    sums: dict[str, int] = {}
    for each in kept:
        if not each.is_over and each.left_minor:
            sums[each.currency] = sums.get(each.currency, 0) + each.left_minor
    return Statement(organiser, kept, [money.text(minor, currency) for currency, minor in sums.items()])


def of_person(email: str) -> list[tuple[Organiser, str]]:
    """With whom an address has credits, each with the link to that statement."""
    rows = db.session.execute(
        select(Organiser, Credit)
        .join(Credit, Credit.organiser_id == Organiser.id)
        .where(Credit.person == person_of(email))
        .order_by(Credit.id)
    )
    found = {organiser.id: (organiser, credit) for organiser, credit in rows}
    urls = credit_links.urls([credit for _, credit in found.values()])
    return [(organiser, urls[credit.id]) for organiser, credit in found.values()]


def _kept(credit: Credit, rows: Sequence[Movement], references: dict[int, str], zone: str, now: datetime) -> Kept:
    apart: dict[int, int] = {}  # by bill, what is set apart on it: it has no booking yet
    for row in rows:
        if row.bill_id not in references:
            apart[row.bill_id] = apart.get(row.bill_id, 0) + row.minor
    happened = [
        Happened(row.at, _said(row, references), -row.minor)
        for row in rows
        if row.bill_id in references or apart[row.bill_id]  # what is set apart no longer was used, or is back
    ]
    return Kept(
        minor=credit.minor,
        currency=credit.currency,
        left_minor=sum(each.minor for each in happened),
        until=until(credit, zone),
        is_over=credit.expires_at is not None and credit.expires_at <= now,
        happened=happened,
    )


def _said(row: Movement, references: dict[int, str]) -> str:
    return HAPPENED[row.kind].format(references[row.bill_id]) if row.bill_id in references else APART


def _references(bill_ids: Sequence[int]) -> dict[int, str]:
    rows = db.session.execute(select(Booking.bill_id, Booking.reference).where(Booking.bill_id.in_(set(bill_ids))))
    return {bill_id: reference for bill_id, reference in rows}  # noqa: C416 - typed
