"""Rows for the tour of every page: a workshop of the desk's own, bookings in each state, links that are alive."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy import select

from accounts import signing_in, team
from accounts.models import Organiser
from bookings import correcting, credit_letters, lifecycle, moving, returning
from bookings.change_terms import Act
from bookings.invoice_terms import InvoiceTo
from bookings.letters import join_url, place_url
from bookings.models import Attendee, Booking
from courses.deposits import Deposit, Part
from courses.models import Workshop
from demo.catalogue import guests
from lib import clock, db, zones
from lib.settings import ROOT
from mail.models import Letter
from payments import invoices
from policies import versions
from recordings import access, handout_kinds, handouts, notes, publishing
from recordings.models import AccessWindow
from tests.bookings import making, waiting_people
from tests.builders import a_code, a_course, a_meeting, a_question, a_ticket, a_workshop, arranged
from tests.recordings.zoom_rows import a_zoom_recording

PEOPLE = (("Ann Attwood", "ann@clinic.example"), ("Bob Barnes", "bob@practice.example"))
ATTENDEE = "leonie.marsh@post.example"
FILM = ROOT / "demo" / "film" / "film.mp4"


@dataclass(frozen=True)
class World:
    """Addresses of pages by a short name, each without the house's own."""

    paths: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.paths[name]


def make(app: Flask) -> World:
    """Arrange everything in the house's database and say where it is."""
    paths = {**_workshops(app), **_links(app), **_recordings(app), **_waiting(app)}
    bookings = _bookings(app, paths.pop("slug"), paths.pop("cancelled-slug"))
    paths = {**paths, **{name: made.url for name, made in bookings.items()}}
    with arranged(app):
        paths["credit"] = _credit(bookings["confirmed"])
        paths["address"] = _address(bookings["confirmed"])
    with app.app_context():
        confirmed = db.session.get_one(Booking, bookings["confirmed"].id)
        letter = db.session.scalars(
            select(Letter.id).where(Letter.organiser_id == confirmed.organiser_id).order_by(Letter.id.desc()).limit(1)
        ).one()
        desk = f"/organise/{confirmed.organiser.slug}"
        paths |= {
            "place": place_url(confirmed.attendees[0]),
            "early": join_url(confirmed.attendees[0]),
            "gone": place_url(db.session.get_one(Booking, bookings["cancelled"].id).attendees[0]),
            "desk-booking": f"{desk}/bookings/{confirmed.reference}",
            "desk-in-parts": f"{desk}/bookings/{bookings['in-parts'].reference}",
            "desk-held": f"{desk}/bookings/{bookings['held'].reference}",
            "desk-invoice": f"{desk}/invoices/{_invoice(bookings['invoiced'])}",
            "desk-letter": f"{desk}/letters/{letter}",
            "desk-policy": f"{desk}/policies/{_policy()}",
        }
    return World({name: _path(address) for name, address in paths.items()})


def _workshops(app: Flask) -> dict[str, str]:
    with arranged(app):
        organiser = db.session.scalars(select(Organiser).where(Organiser.slug == "sea-street")).one()
        course = a_course(organiser=organiser, slug="tour", title="A Tour of Every Page")
        sessions = [a_meeting(in_days=40), a_meeting(in_days=47, starts="18:00", ends="20:30")]
        own = a_workshop(course=course, sessions=sessions, slug="tour-open", catch_up_offered=True)
        a_ticket(own, code="evening", sessions=[2], prices={"GBP": 4200, "EUR": 4900}, limited_to=6)
        days = [zones.wall(clock.now(), own.zone).date() + timedelta(days=number) for number in (12, 33)]
        parts = Deposit(12000, tuple(Part(day, 15000) for day in days))
        a_ticket(own, code="parts", prices={"GBP": 42000}, payment="deposit", terms=parts.terms())
        a_ticket(own, code="organisation", prices={"GBP": 21800}, payment="invoice")
        a_question(own, kind="choice", choices=["By train", "On foot"], label="How do you travel?", code="travel")
        a_workshop(course=course, in_days=50, slug="tour-draft", status="draft", price_minor=None)
        off = a_workshop(course=course, in_days=54, slug="tour-cancelled")
        a_code(organiser=organiser, code="TOUR10", percent=10, uses_total=5)
        return {"slug": own.slug, "cancelled-slug": off.slug}


def _bookings(app: Flask, slug: str, cancelled: str) -> dict[str, making.Made]:
    wish = making.a_wish(slug, people=PEOPLE)
    made = {name: making.held(app, wish) for name in ("held", "lapsed", "bank")}
    made["confirmed"] = making.paid(app, wish)
    made["in-parts"] = making.paid(app, making.a_wish(slug, ticket="parts"))
    making.lapse(app, made["lapsed"])
    making.receive(app, made["bank"], payment_status="unpaid", intent_status="processing")
    paid_later = making.a_wish(slug, people=PEOPLE, ticket="organisation")
    to = InvoiceTo("Leeds Community Trust", "1 Hospital Road\nLeeds LS1 1AA", "accounts@trust.example", "PO-4711")
    made["invoiced"] = making.held(app, replace(paid_later, invoice_to=to))
    made["cancelled"] = making.paid(app, replace(wish, slug=cancelled))
    with arranged(app):
        workshop = db.session.scalars(select(Workshop).where(Workshop.slug == cancelled)).one()
        moving.cancel_workshop(workshop, "The presenter is ill.", actor="user:1", now=clock.now())
    return made


def _credit(made: making.Made) -> str:
    """The statement of what the booking gave back as a credit."""
    booking = lifecycle.locked(db.session.get_one(Booking, made.id).bill_id)
    until = clock.now() + timedelta(days=300)
    reason = f"{booking.attendees[0].name} does not come"
    kept = returning.keep_as_credit(
        booking, 2500, email=booking.booker_email, reason=reason, expires_at=until, actor="booker", now=clock.now()
    )
    return credit_letters.url(kept)


def _address(made: making.Made) -> str:
    """The page behind the letter that asks whether an address is right."""
    booking = lifecycle.locked(db.session.get_one(Booking, made.id).bill_id)
    correcting.ask_address(booking, 0, "ann.attwood@clinic.example", Act("booker", "", clock.now()))
    letters = select(Letter.values).where(Letter.template == "address_asked").order_by(Letter.id.desc())
    return str(db.session.scalars(letters.limit(1)).one()["confirm_url"])


def _invoice(made: making.Made) -> str:
    found = invoices.invoice_of(db.session.get_one(Booking, made.id).bill_id)
    assert found
    return found.name


def _policy() -> int:
    organiser = db.session.scalars(select(Organiser).where(Organiser.slug == "sea-street")).one()
    found = versions.default(organiser.id)
    assert found
    return found.id


def _links(app: Flask) -> dict[str, str]:
    with arranged(app):
        now = clock.now()
        organiser = db.session.scalars(select(Organiser).where(Organiser.slug == "sea-street")).one()
        team.invite(organiser.id, "not-yet@sea-street.example", "presenter", actor="user:1", now=now)
        invited = signing_in.Invited(organiser.id, "manager")
        return {
            "sign-in": f"/sign-in/{signing_in.make('new@post.example', 'sign_in', now).token}",
            "password": f"/password/{signing_in.make('new@post.example', 'password', now).token}",
            "invitation": "/invitations/"
            + signing_in.make("new@post.example", "invitation", now, invited=invited).token,
        }


def _waiting(app: Flask) -> dict[str, str]:
    """A full workshop: one of its list has booked, two have offers, one is passed over and one just waits."""
    with arranged(app):
        organiser = db.session.scalars(select(Organiser).where(Organiser.slug == "sea-street")).one()
        course = a_course(organiser=organiser, slug="tour-of-waiting", title="A Tour of Waiting")
        slug = a_workshop(course=course, in_days=60, capacity=4, slug="tour-waited").slug
    pair = making.paid(app, making.a_wish(slug, people=PEOPLE))
    one, other = (waiting_people.sold(app, slug, f"holder-{n}") for n in range(2))
    found = {}

    def join(name: str, **wish: Any) -> None:
        found[name] = waiting_people.waits(app, slug, name, **wish)

    def give_up(made: making.Made) -> None:
        waiting_people.give_up(app, made)
        waiting_people.work_off(app)

    join("booked")
    give_up(one)
    waiting_people.receive_of(app, waiting_people.book(app, found["booked"]))
    join("offered", wanted=2)
    join("passed", wanted=3)
    join("leonie", email=ATTENDEE)
    join("waits", zone="Australia/Sydney")
    give_up(pair)
    give_up(other)
    tokens = {name: waiting_people.token_of(app, number) for name, number in found.items()}
    desk = f"/organise/sea-street/workshops/{slug}/waiting"
    return {
        **{f"waiting-{name}": f"/waiting/{token}" for name, token in tokens.items()},
        "booking-an-offer": f"/workshops/{slug}/bookings/new?waiting={tokens['offered']}",
        "desk-waiting": desk,
        "desk-waiting-offer": f"{desk}/{found['waits']}/offer",
    }


def _recordings(app: Flask) -> dict[str, str]:
    """One that is open, one whose days are over, and the way into a room that is open."""
    with arranged(app):
        now = clock.now()
        windows = db.session.scalars(select(AccessWindow).order_by(AccessWindow.id)).all()
        leonie = next(each for each in map(_attendee, windows) if each.email == ATTENDEE)
        recording = next(each for each in windows if each.attendee_id == leonie.id).recording
        guests.invite_quietly(leonie.workshop, guests.Guest("Cy Closed", "cy@post.example"), now - timedelta(days=60))
        closed = db.session.scalars(select(Attendee).where(Attendee.email == "cy@post.example")).one()
        publishing.open_for_attendee(closed.id, now)
        window = db.session.scalars(select(AccessWindow).where(AccessWindow.attendee_id == closed.id)).one()
        window.opens_at, window.closes_at = now - timedelta(days=30), now - timedelta(days=2)
        began = recording.session.starts_at
        a_zoom_recording(leonie.organiser_id, topic="Tour & more", started_at=began)
        a_zoom_recording(
            leonie.organiser_id,
            uuid="uuid-2",
            started_at=began,
            why_failed="Zoom has this film no longer.",
            state="placed",
            why="",
            session_id=recording.session_id,
        )
        for person in (leonie, closed):
            notes.write(person.organiser_id, person.id, recording.id, 73, "Matched, not slow.\nAnd again.", now)
        handouts.add(
            leonie.workshop,
            session_id=None,
            name="Slides",
            kind=handout_kinds.KINDS["pdf"],
            key="0" * 32,  # shown, not downloaded
            size=300_000,
            access="always",
            until_at=None,
            now=now,
        )
        soon = db.session.scalars(
            select(Attendee)
            .join(Workshop)
            .where(Attendee.email == ATTENDEE, Workshop.course.has(slug="reading-group-for-supervisors"))
        ).one()
        return {
            "recording": access.url(leonie, recording.id),
            "recording-searched": f"{access.url(leonie, recording.id)}?find=nearer&t=60",
            "recording-closed": access.url(closed, recording.id),
            "recorded-desk": f"/organise/sea-street/workshops/{leonie.workshop.slug}",
            "watched-desk": f"/organise/sea-street/workshops/{closed.workshop.slug}/watching/{window.id}",
            "watching-place": place_url(leonie),
            "open": join_url(soon),
        }


def _attendee(window: AccessWindow) -> Attendee:
    return db.session.get_one(Attendee, window.attendee_id)


def _path(address: str) -> str:
    parts = urlsplit(address)
    return parts.path + (f"?{parts.query}" if parts.query else "")
