"""Planting: the organisers, their courses and every workshop's rows, inside the caller's write transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from accounts.models import Membership, Organiser, User
from bookings import discounts
from bookings.models import DiscountCode
from courses.bundles_models import Bundle, BundlePrice
from courses.models import Course, Presenter, Venue, Workshop
from courses.schedule import Meeting, set_sessions, slug
from demo.catalogue import dates, guests, promises, read, recorded, tickets
from demo.catalogue import rooms as meeting_rooms
from demo.catalogue.people import Person
from lib import db, zones
from newsletter.models import Placement

STILL = timedelta()
PHONES = {"sea-street": "+44 1632 960 200", "harbour-row": "+353 20 910 0200"}  # numbers that nobody has
COLOURS = {"sea-street": "#127694", "harbour-row": "#b0553a"}


class AlreadyPlanted(Exception):
    """The database has an organiser, so it is somebody's: nothing is added to it."""


def refuse_if_planted() -> None:
    """Raises AlreadyPlanted."""
    if db.session.scalar(select(Organiser.slug).limit(1)):
        raise AlreadyPlanted("There is an organiser already, so nothing was planted. Start again with `make reset`.")


def plant(people: Mapping[str, Person], now: datetime, rooms: str | None = None) -> None:
    """Everything the demo shows, counted from `now`; `rooms` is the address below which the meetings are.

    Raises AlreadyPlanted; ValueError when `now` is too early.

    Call it inside `db.writing()`.
    """
    refuse_if_planted()
    files = read.files()
    if any(dates.end(each.past) >= now for each in files.courses):
        raise ValueError("The catalogue's dates of 2024 and 2025 must be past: choose a later moment.")
    users = {role: _user(person, now) for role, person in people.items()}
    organiser = _organiser(
        "Sea Street CPD", "sea-street", "Europe/London", "GBP", "4 Sea Street, Brighton BN0 0XX", "bookings"
    )
    organiser.legal_name = "Sea Street CPD Ltd"
    organiser.vat_mode, organiser.vat_rate, organiser.vat_number = "included", 2000, "GB980780684"
    organiser.bank_details = "Sea Street CPD Ltd, a bank of nowhere\nSort code 00-00-00, account 00000000"
    elsewhere = _organiser("Harbour Row", "harbour-row", "Europe/Dublin", "EUR", "9 Harbour Row, Galway", "office")
    for role in ("owner", "manager", "presenter"):
        db.session.add(Membership(user=users[role], organiser=organiser, role=role))
    db.session.add(Membership(user=users["other_owner"], organiser=elsewhere, role="owner"))
    db.session.flush()
    _main(Shelf(organiser, files, now), now, users["attendee"])
    _of_its_own(Shelf(elsewhere, files, now), files.elsewhere, now)
    if rooms:
        meeting_rooms.furnish(db.session.scalars(select(Workshop).order_by(Workshop.id)), rooms, now)


class Shelf:
    """One organiser's courses in the making."""

    def __init__(self, organiser: Organiser, files: read.Files, now: datetime) -> None:
        self.organiser = organiser
        self.organiser_id = organiser.id
        self.files = files
        self.policies = promises.write(organiser, files, now)
        self.presenters: dict[str, Presenter] = {}
        self.venue: Venue | None = None

    def presenter(self, name: str) -> Presenter:
        """The presenter's row, made once."""
        if name not in self.presenters:
            full, about = self.files.presenters[name]
            self.presenters[name] = Presenter(organiser_id=self.organiser_id, slug=name, name=full, about=about.strip())
        return self.presenters[name]

    def hall(self) -> Venue:
        """The one venue's row, made once."""
        if self.venue is None:
            self.venue = Venue(organiser_id=self.organiser_id, **self.files.venue)
        return self.venue

    def course(self, taught: read.Taught) -> Course:
        course = Course(
            organiser_id=self.organiser_id,
            slug=taught.slug,
            title=taught.title,
            summary=taught.summary,
            description=taught.description,
            topic=taught.topic,
            audience=taught.audience,
            outcomes=taught.outcomes,
        )
        db.session.add(course)
        db.session.flush()
        return course

    def only_date(self, taught: read.Taught, meetings: Sequence[Meeting]) -> Workshop:
        """A course with one delivery."""
        return self.workshop(self.course(taught), taught, meetings, STILL, is_rerun=True)

    def workshop(
        self, course: Course, taught: read.Taught, meetings: Sequence[Meeting], moved_by: timedelta, *, is_rerun: bool
    ) -> Workshop:
        """One delivery on the days of `meetings`, with ticket dates moved by as much as they were."""
        workshop = Workshop(
            organiser_id=self.organiser_id,
            course_id=course.id,
            policy_id=self.policies[taught.policy].id if taught.policy else None,
            slug=slug(taught.slug, min(each.wall_start for each in meetings).date()),
            title=taught.title,
            format=taught.format,
            status="published",
            zone=taught.zone,
            cpd_minutes=taught.cpd_minutes,
            breaks_minutes=taught.breaks_minutes,
            catch_up_offered=taught.catch_up.offered,
            catch_up_from=taught.catch_up.counted_from,
            catch_up_note=taught.catch_up.note,
            late_buyers_share=taught.catch_up.share,
            programme=taught.programme,
            access=taught.access,
        )
        is_recorded = taught.catch_up.offered
        set_sessions(workshop, [replace(each, is_recorded=each.is_recorded and is_recorded) for each in meetings])
        workshop.presenters = [self.presenter(name) for name in taught.presenters]
        if taught.has_venue:
            workshop.venue = self.hall()
        tickets.add_tickets(workshop, taught, moved_by)
        tickets.add_questions(workshop, taught, is_rerun=is_rerun)
        db.session.add(workshop)
        db.session.flush()
        return workshop


def _main(shelf: Shelf, now: datetime, attendee: User) -> None:
    courses = shelf.files.courses
    moves = dates.reruns(courses, now)
    ahead: dict[str, Workshop] = {}
    for taught in courses:
        course = shelf.course(taught)
        past = shelf.workshop(course, taught, taught.past, STILL, is_rerun=False)
        if taught.published_at:
            recorded.publish(past, zones.instant(taught.published_at, taught.zone))
        move = moves[taught.slug]
        rerun = shelf.workshop(course, taught, dates.moved(taught.past, move), move, is_rerun=True)
        ahead[taught.slug] = rerun
        if taught.is_full:
            guests.fill(rerun, now)
    db.session.add_all(_bundle(shelf.organiser, row, ahead) for row in shelf.files.bundles)
    own = _of_its_own(shelf, shelf.files.own, now)
    soon = next(each for each, taught in own if (taught.when.starts_in_minutes or 0) > 0)
    visitor = guests.Guest(attendee.name, attendee.email)
    guests.welcome(soon, visitor, now)
    shown = [(shelf.only_date(each, recorded.held(each, now)), each) for each in shelf.files.recorded]
    recorded.add(shown, visitor, now)
    db.session.add_all(_code(shelf.organiser, row) for row in shelf.files.codes)
    db.session.add(Placement(organiser_id=shelf.organiser_id, name="home", percent=20, lasts_days=90))


def _of_its_own(shelf: Shelf, courses: Sequence[read.Taught], now: datetime) -> list[tuple[Workshop, read.Taught]]:
    """Courses without a past: one date each, counted from now."""
    made = []
    for taught in courses:
        is_near = taught.when.starts_in_minutes is not None
        meetings = dates.minutes_from(taught, now) if is_near else dates.on_a_weekday(taught, now)
        workshop = shelf.only_date(taught, meetings)
        guests.take(workshop, taught.taken, now)
        made.append((workshop, taught))
    return made


def _user(person: Person, now: datetime) -> User:
    user = User(email=person.email, name=person.name, password_hash=person.password_hash, created_at=now)
    db.session.add(user)
    return user


def _organiser(name: str, key: str, zone: str, currency: str, address: str, desk: str) -> Organiser:
    row = Organiser(
        name=name,
        slug=key,
        zone=zone,
        currency=currency,
        email=f"{desk}@{key}.example",
        address=address,
        phone=PHONES[key],
        colour=COLOURS[key],
        about=read.files().abouts[key],
    )
    db.session.add(row)
    return row


def _bundle(organiser: Organiser, row: Mapping[str, Any], ahead: Mapping[str, Workshop]) -> Bundle:
    inside = [ahead[slug] for slug in row["covers"]]
    return Bundle(
        organiser_id=organiser.id,
        slug=row["slug"],
        title=row["title"],
        about=row["about"].strip(),
        is_published=True,
        prices=[
            BundlePrice(organiser_id=organiser.id, currency=of, minor=minor) for of, minor in row["prices"].items()
        ],
        tickets=[next(each for each in workshop.tickets if each.code == "self_funded") for workshop in inside],
    )


def _code(organiser: Organiser, row: Mapping[str, Any]) -> DiscountCode:
    columns = {name: value for name, value in row.items() if name != "until"}
    return DiscountCode(
        organiser_id=organiser.id,
        folded=discounts.fold(row["code"]),
        valid_until=zones.instant(datetime.fromisoformat(row["until"]), organiser.zone) if "until" in row else None,
        **columns,
    )
