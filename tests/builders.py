"""Rows for tests: what is named is what the test is about, the rest is honest and dull.

Each adds to the session and flushes in the caller's transaction, so a test writes

    with arranged(app):
        slug = a_workshop(capacity=5).slug
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from itertools import count
from typing import Any, TypeVar

from flask import Flask
from sqlalchemy import select

from accounts.models import Membership, Organiser, User
from bookings import discounts
from bookings.models import DiscountCode
from courses import schedule
from courses.bundles_models import Bundle, BundlePrice
from courses.models import Course, Pool, Presenter, Question, TicketPrice, TicketType, Venue, Workshop
from courses.schedule import Meeting
from lib import clock, db, zones
from newsletter.models import Placement
from policies import templates, versions
from policies.models import Policy

LONDON = "Europe/London"
Row = TypeVar("Row", bound=db.Base)
_numbers = count(1)


@contextmanager
def arranged(app: Flask) -> Iterator[None]:
    """A write transaction in a context of its own, both over before a client calls."""
    with app.app_context(), db.writing():
        yield


def an_organiser(
    *,
    slug: str = "olu-trains",
    name: str = "Olu Trains",
    zone: str = LONDON,
    currency: str = "GBP",
    email: str = "hello@olu-trains.example",
    address: str = "1 Station Road, Leeds LS1 1AA",
    owner: User | None = None,
) -> Organiser:
    """An organiser; the same one again when its slug is known."""
    organiser = db.session.scalars(select(Organiser).where(Organiser.slug == slug)).one_or_none()
    if organiser is None:
        organiser = _kept(Organiser(slug=slug, name=name, zone=zone, currency=currency, email=email, address=address))
    if owner is not None:
        a_membership(user=owner, organiser=organiser, role="owner")
    return organiser


def a_user(*, email: str, name: str = "", password_hash: str | None = None) -> User:
    """Somebody who can sign in."""
    return _kept(User(email=email, name=name, password_hash=password_hash, created_at=clock.now()))


def a_membership(*, user: User, organiser: Organiser, role: str = "manager") -> Membership:
    """A person's role in a team."""
    return _kept(Membership(user_id=user.id, organiser_id=organiser.id, role=role))


def a_presenter(*, organiser: Organiser | None = None, name: str = "Dr Ines Marsh", about: str = "") -> Presenter:
    """Somebody who teaches."""
    owner = organiser or an_organiser()
    slug = name.lower().replace(" ", "-")
    return _kept(Presenter(organiser_id=owner.id, slug=slug, name=name, about=about))


def a_venue(
    *, organiser: Organiser | None = None, name: str = "The Old Library", address: str = "4 Mill Lane, Leeds"
) -> Venue:
    """A room people travel to."""
    return _kept(Venue(organiser_id=(organiser or an_organiser()).id, name=name, address=address))


def a_course(
    *,
    organiser: Organiser | None = None,
    slug: str | None = None,
    title: str = "Reflective Practice",
    summary: str = "A day on noticing what we do, and why.",
    description: str = "",
    topic: str = "practice",
) -> Course:
    """What is taught. Without a slug it gets one of its own."""
    return _kept(
        Course(
            organiser_id=(organiser or an_organiser()).id,
            slug=slug or f"reflective-practice-{next(_numbers)}",
            title=title,
            summary=summary,
            description=description,
            topic=topic,
        )
    )


def a_meeting(
    *,
    day: date | None = None,
    in_days: int = 28,
    starts: str = "10:00",
    ends: str = "16:00",
    zone: str = LONDON,
    title: str = "",
    fold: int = 0,
    is_recorded: bool = True,
) -> Meeting:
    """A session as an organiser writes it down, `in_days` from the clock's day there or on `day`."""
    on = day or zones.wall(clock.now(), zone).date() + timedelta(days=in_days)
    start, end = (datetime.combine(on, time.fromisoformat(text)) for text in (starts, ends))
    end += timedelta(days=1) if end <= start else timedelta()
    return Meeting(start, end, zone, title, fold_start=fold, fold_end=fold, is_recorded=is_recorded)


def a_workshop(
    *,
    organiser: Organiser | None = None,
    course: Course | None = None,
    title: str | None = None,
    slug: str | None = None,
    capacity: int = 20,
    in_days: int = 28,
    starts: str = "10:00",
    ends: str = "16:00",
    zone: str | None = None,
    sessions: Sequence[Meeting] = (),
    status: str = "published",
    format: str = "online_live",
    venue: Venue | None = None,
    presenters: Sequence[Presenter] = (),
    price_minor: int | None = 16800,
    seats: int = 1,
    most_attendees: int = 20,
    **columns: Any,
) -> Workshop:
    """A published workshop with one pool, `room`, and one ticket, `standard`; `price_minor=None` leaves it without."""
    if organiser is None:
        organiser = db.session.get_one(Organiser, course.organiser_id) if course else an_organiser()
    owner = organiser
    taught = course or a_course(organiser=owner)
    there = zone or (sessions[0].zone if sessions else owner.zone)
    meetings = list(sessions) or [a_meeting(in_days=in_days, starts=starts, ends=ends, zone=there)]
    first = min(meeting.wall_start for meeting in meetings).date()
    workshop = Workshop(
        organiser_id=owner.id,
        course_id=taught.id,
        venue_id=venue.id if venue else None,
        slug=slug or schedule.slug(taught.slug, first),
        title=title or taught.title,
        format=format,
        status=status,
        zone=there,
        most_attendees=most_attendees,
        **{"cpd_minutes": 300, **columns},
    )
    schedule.set_sessions(workshop, meetings)
    workshop.presenters = list(presenters)
    _kept(workshop)
    a_pool(workshop, capacity=capacity)
    if price_minor is not None:
        a_ticket(workshop, prices={owner.currency: price_minor}, seats=seats, is_full_price=True)
    return workshop


def a_pool(workshop: Workshop, *, code: str = "room", capacity: int = 20) -> Pool:
    """Places that run out together."""
    pool = _kept(Pool(organiser_id=workshop.organiser_id, workshop_id=workshop.id, code=code, capacity=capacity))
    db.session.refresh(workshop, ["pools"])
    return pool


def a_ticket(
    workshop: Workshop,
    *,
    code: str = "standard",
    name: str | None = None,
    prices: Mapping[str, int | tuple[int, int, int]] | None = None,
    pools: Sequence[Pool] | None = None,
    sessions: Sequence[int] = (),
    limited_to: int | None = None,
    **columns: Any,
) -> TicketType:
    """A way to take part. It draws from the workshop's pools and admits to all its sessions, unless some are named.

    With `limited_to` it has a pool of its own besides, named after it. A price of three amounts is one that the buyer
    chooses: the least, the suggested one and the most.
    """
    others = {ticket.code for ticket in workshop.tickets}
    drawn = [pool for pool in workshop.pools if pool.code not in others] if pools is None else list(pools)
    own = [a_pool(workshop, code=code, capacity=limited_to)] if limited_to is not None else []
    ticket = TicketType(
        organiser_id=workshop.organiser_id,
        workshop_id=workshop.id,
        code=code,
        name=name or code.replace("-", " ").capitalize(),
        limited_to=limited_to,
        pools=drawn + own,
        sessions=[each for each in workshop.sessions if each.number in sessions],
        **{"position": len(workshop.tickets) + 1, **columns},
    )
    for currency, minor in ({"GBP": 16800} if prices is None else prices).items():
        row = TicketPrice(organiser_id=workshop.organiser_id, currency=currency)
        if isinstance(minor, int):
            row.minor = minor
        else:
            row.least_minor, row.suggested_minor, row.most_minor = minor
        ticket.prices.append(row)
    _kept(ticket)
    db.session.refresh(workshop, ["tickets"])
    return ticket


def a_question(
    workshop: Workshop,
    *,
    code: str = "profession",
    label: str = "What is your profession?",
    kind: str = "text",
    choices: Sequence[str] = (),
    is_required: bool = False,
    is_private: bool = False,
    tickets: Sequence[TicketType] = (),
) -> Question:
    """What the workshop asks each attendee; of all tickets unless some are named."""
    question = _kept(
        Question(
            organiser_id=workshop.organiser_id,
            workshop_id=workshop.id,
            code=code,
            position=len(workshop.questions) + 1,
            label=label,
            kind=kind,
            choices=list(choices),
            is_required=is_required,
            is_private=is_private,
            tickets=list(tickets),
        )
    )
    db.session.refresh(workshop, ["questions"])
    return question


def a_code(
    *,
    organiser: Organiser | None = None,
    code: str = "WELCOME20",
    percent: int | None = 20,
    tickets: Sequence[str] | None = None,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    uses_total: int | None = None,
    uses_per_person: int | None = None,
    **columns: Any,
) -> DiscountCode:
    """A discount code: for any ticket, at any time, without limit, unless it says otherwise."""
    return _kept(
        DiscountCode(
            organiser_id=(organiser or an_organiser()).id,
            code=code,
            folded=discounts.fold(code),
            percent=None if "minor" in columns else percent,
            tickets=list(tickets) if tickets is not None else None,
            valid_from=valid_from,
            valid_until=valid_until,
            uses_total=uses_total,
            uses_per_person=uses_per_person,
            **({"kind": "amount", "currency": "GBP"} | columns if "minor" in columns else columns),
        )
    )


def a_bundle(
    *workshops: Workshop,
    ticket: str = "standard",
    prices: Mapping[str, int] | None = None,
    slug: str = "autumn-three",
    title: str = "Three in autumn",
    is_published: bool = True,
    **columns: Any,
) -> Bundle:
    """Workshops of one organiser for one price, each on the ticket of this code."""
    tickets = [each for workshop in workshops for each in workshop.tickets if each.code == ticket]
    owner_id = workshops[0].organiser_id
    priced = {"GBP": 26775} if prices is None else prices
    return _kept(
        Bundle(
            organiser_id=owner_id,
            slug=slug,
            title=title,
            tickets=tickets,
            prices=[BundlePrice(organiser_id=owner_id, currency=each, minor=minor) for each, minor in priced.items()],
            is_published=is_published,
            **columns,
        )
    )


def a_placement(
    *, organiser: Organiser | None = None, name: str = "home", percent: int | None = 20, lasts_days: int | None = 90
) -> Placement:
    """A newsletter form and what it offers."""
    owner = organiser or an_organiser()
    return _kept(Placement(organiser_id=owner.id, name=name, percent=percent, lasts_days=lasts_days))


def a_policy(*, organiser: Organiser | None = None, name: str = "Ours", key: str = "graded_30_14") -> Policy:
    """A policy made from a template, the next version of its name; the organiser's first is their default."""
    owner = organiser or an_organiser()
    data = templates.by_key(key).data(owner.zone, owner.currency)
    return versions.write(owner.id, name, data, actor="user:1", now=clock.now())


def _kept(row: Row) -> Row:
    db.session.add(row)
    db.session.flush()
    return row
