"""The sample catalogue keeps its promises whenever it is planted."""

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session

from accounts.models import Membership, Organiser, User
from bookings.models import Attendee, Booking, DiscountCode
from courses import bundles, catalogue, places, shelf, standing
from courses.models import Course, Place, Pool, TicketType, Workshop
from demo.catalogue import dates, people, plant, read
from lib import db, zones
from lib import settings as lib_settings
from mail.models import Letter
from meetings.models import MeetingPoint
from payments.models import Bill
from policies import versions
from policies.facts import Facts
from policies.outcomes import outcome
from recordings import access, storage
from recordings.models import Recording
from tests import facts
from tests.conftest import Houses

MOMENTS = [
    pytest.param("2026-11-25T03:00:00Z", id="the week it was written"),
    pytest.param("2027-03-10T09:30:12Z", id="a day in March, before the clocks"),
    pytest.param("2027-03-20T12:00:00Z", id="inside a gap week, little notice"),
    pytest.param("2027-08-17T23:45:30Z", id="a night in August"),
    pytest.param("2027-10-31T00:40:00Z", id="the hour that happens twice in London"),
    pytest.param("2028-02-29T12:00:00Z", id="29 February"),
    pytest.param("2026-12-31T23:50:00Z", id="New Year's Eve"),
    pytest.param("2026-08-31T10:00:00Z", id="31 August, whose sixth month is short"),
    pytest.param("2027-04-05T12:00:00Z", id="April, seven months before the next gap week"),
]
OWN = ("last-five", "listening-under-pressure", "reading-group-for-supervisors")
RECORDED = ("endings-that-hold", "the-second-session")


def a_cast() -> dict[str, people.Person]:
    """The demo's people without the time that hashing takes."""
    return {role: people.Person(name, email, "secret", "hash") for role, (name, email) in people.CAST.items()}


@pytest.fixture(scope="module", params=MOMENTS)
def now(request: pytest.FixtureRequest, houses: Houses) -> Iterator[datetime]:
    """The moment the catalogue was planted at, inside a context to look around; planted once for all these tests."""
    house = houses("sqlite")
    house.refresh()
    at = datetime.fromisoformat(request.param)
    with house.app.app_context():
        with db.writing():
            plant.plant(a_cast(), at)
        yield at


def workshops(course: str) -> list[Workshop]:
    found = select(Workshop).join(Course, Workshop.course_id == Course.id).where(Course.slug == course)
    return list(db.session.scalars(found.order_by(Workshop.starts_at)))


def rerun_of(course: str) -> Workshop:
    [_, rerun] = workshops(course)
    return rerun


def naive(at: datetime, zone: str) -> datetime:
    return zones.wall(at, zone).replace(tzinfo=None)


def is_no_gap_ahead(now: datetime) -> bool:
    """Whether London and New York keep their five hours for the next six months."""
    noons = (now + timedelta(days=n) for n in range((dates.months_after(now, 6) - now).days))
    return all(naive(noon, zones.LONDON) - naive(noon, zones.NEW_YORK) == timedelta(hours=5) for noon in noons)


def listed(now: datetime) -> list[catalogue.Listing]:
    """What the public sees ahead of it, by first start."""
    whole = shelf.read(now, lambda kept: kept.workshops)
    return [catalogue.listing(each, whole.claimed, now) for each in catalogue.upcoming(whole, now)]


def test_there_are_twelve_courses_three_of_its_own_and_another_organiser_s(now: datetime) -> None:
    by_organiser = db.session.execute(
        select(Organiser.slug, func.count()).join(Course).group_by(Organiser.slug).order_by(Organiser.slug)
    ).all()
    assert [tuple(row) for row in by_organiser] == [("harbour-row", 1), ("sea-street", 17)]
    slugs = {workshop["slug"] for workshop in facts.workshops()}
    assert slugs | {*OWN, *RECORDED} | {"night-shift-conversations"} == set(db.session.scalars(select(Course.slug)))
    assert db.session.scalar(select(func.count()).select_from(Workshop)) == 2 * 12 + 3 + 2 + 1


def test_the_past_date_is_the_catalogue_s(now: datetime) -> None:
    for fact in facts.workshops():
        past, _ = workshops(fact["slug"])
        first_day = fact["sessions"][0]["start"][:10]
        assert past.slug == f"{fact['slug']}-{first_day}"
        assert (past.title, past.format, past.zone) == (fact["title"], fact["format"], fact["sessions"][0]["tz"])
        assert past.cpd_minutes == fact["cpd_hours"] * 60
        assert past.breaks_minutes == fact["breaks_minutes"]
        assert past.catch_up_offered == fact["catch_up"]["offered"]
        assert past.catch_up_from == fact["catch_up"].get("counted_from", "published")
        said = [(zones.z(each.starts_at), zones.z(each.ends_at), each.zone) for each in past.sessions]
        assert said == [
            (*(zones.z(datetime.fromisoformat(each[name])) for name in ("start_utc", "end_utc")), each["tz"])
            for each in fact["sessions"]
        ]


def test_tickets_cost_what_the_catalogue_says(now: datetime) -> None:
    for fact in facts.workshops():
        for workshop in workshops(fact["slug"]):
            tickets = {ticket.code: ticket for ticket in workshop.tickets}
            assert {re.sub(r"_\d$", "", code) for code in tickets} == {ticket["type"] for ticket in fact["tickets"]}
            for said in fact["tickets"]:
                each = tickets.get(said["type"]) or tickets["single_evening_1"]
                assert price_of(each, said["currency"]) == (
                    (None, said["min_minor"], said["suggested_minor"], said["max_minor"])
                    if "min_minor" in said
                    else (said["price_minor"], None, None, None)
                )
                assert "limited_to" not in said or each.limited_to == said["limited_to"]
                assert each.seats == said.get("seats", 1)
                assert (each.payment == "invoice") == said.get("invoice", False)
                assert (each.proof == "declaration") == ("proof" in said)


def price_of(ticket: TicketType, currency: str) -> tuple[int | None, ...]:
    [price] = [price for price in ticket.prices if price.currency == currency]
    return price.minor, price.least_minor, price.suggested_minor, price.most_minor


def test_early_birds_end_with_the_last_second_the_catalogue_gives_them(now: datetime) -> None:
    ends = []
    for fact in facts.workshops():
        past, rerun = workshops(fact["slug"])
        for said in (ticket for ticket in fact["tickets"] if "until" in ticket):
            [was], [ahead] = ([t for t in each.tickets if t.code == said["type"]] for each in (past, rerun))
            assert was.sold_until == datetime.fromisoformat(said["until"]) + timedelta(seconds=1)
            assert ahead.sold_until
            assert f"{naive(ahead.sold_until, rerun.zone):%H:%M:%S}" == "00:00:00"
            ends.append(ahead.sold_until)
    assert len(ends) == 4


def test_the_source_s_three_dates_are_past_dates(now: datetime) -> None:
    lines = [
        zones.day(workshops(slug)[0].sessions[0].wall_start.date())
        for slug in (
            "working-with-complexity-in-grief",
            "internal-family-systems-an-introduction",
            "siblings-same-parents-different-experience",
        )
    ]
    assert lines == ["Friday 18 October 2024", "Friday 8 November 2024", "Friday 22 November 2024"]


def test_each_rerun_keeps_weekday_wall_time_zone_and_spacing_within_six_months(now: datetime) -> None:
    gap_rerun = rerun_of("shame-in-supervision")
    starts = []
    for taught in read.files().courses:
        past, rerun = workshops(taught.slug)
        move = rerun.sessions[0].wall_start - past.sessions[0].wall_start
        assert (move.days % 7, move.seconds) == (0, 0)
        for before, after in zip(past.sessions, rerun.sessions, strict=True):
            assert after.wall_start - before.wall_start == move
            assert after.wall_end - before.wall_end == move
            assert after.zone == before.zone
        for was, is_now in zip(past.tickets, rerun.tickets, strict=True):
            assert (was.sold_until is None) == (is_now.sold_until is None)
            if was.sold_until and is_now.sold_until:
                walls = [
                    zones.wall(each, rerun.zone).replace(tzinfo=None) for each in (was.sold_until, is_now.sold_until)
                ]
                assert walls[1] - walls[0] == move
            assert [p.minor for p in was.prices] == [p.minor for p in is_now.prices]
        assert rerun.slug == f"{taught.slug}-{rerun.sessions[0].wall_start.date().isoformat()}"
        assert now < rerun.starts_at
        assert rerun.ends_at <= dates.months_after(now, 6) or (is_no_gap_ahead(now) and rerun is gap_rerun)
        if taught.when.rerun != read.GAP_WEEK:
            assert zones.wall(rerun.starts_at, rerun.zone).date() >= (now + dates.NOTICE).date()
        starts.append(rerun.starts_at)
    assert len({start.date() for start in starts}) == len(starts)
    assert max(starts) - min(starts) > timedelta(days=90)


def test_a_rerun_meets_in_a_week_when_the_clocks_are_apart(now: datetime) -> None:
    [session] = rerun_of("shame-in-supervision").sessions
    london, new_york = (zones.wall(session.starts_at, zone).utcoffset() for zone in (zones.LONDON, zones.NEW_YORK))
    assert london is not None
    assert new_york is not None
    assert london - new_york == timedelta(hours=4)
    assert now < session.starts_at < now + timedelta(days=215)


def test_one_rerun_is_full_and_last_five_has_five_places(now: datetime) -> None:
    by_course = {each.workshop.course_slug: each for each in listed(now)}
    full = by_course["internal-family-systems-an-introduction"]
    assert (full.places_left, full.bookable) == (0, False)
    last = by_course["last-five"]
    assert (last.places_left, last.bookable, last.price_minor, last.currency) == (5, True, 5500, "GBP")
    [pool] = db.session.scalars(select(Pool).where(Pool.workshop_id == last.workshop.id))
    assert pool.capacity - places.claimed([pool.id], now)[pool.id] == 5
    [ticket] = last.offers
    assert ticket.ticket.seats == 1


def test_the_first_two_with_a_price_and_last_five_ask_nothing_beyond_name_and_address(now: datetime) -> None:
    priced = [each for each in listed(now) if each.bookable and each.price_minor is not None]
    last_five = next(each for each in priced if each.workshop.course_slug == "last-five")
    for each in (*priced[:2], last_five):
        row = db.session.get_one(Workshop, each.workshop.id)
        assert not any(question.is_required for question in row.questions)
        assert next(offer for offer in each.offers if offer.on_sale).ticket.seats == 1
        assert each.price_minor
        assert each.workshop.organiser.slug == "sea-street"
    assert last_five not in priced[:2]
    assert sum(each.bookable for each in listed(now)) >= 10


def test_one_is_running_and_one_begins_in_twenty_minutes_with_the_attendee_on_it(now: datetime) -> None:
    by_course = {each.workshop.course_slug: each for each in listed(now)}
    running, soon = (by_course[slug] for slug in OWN[1:])
    minute = timedelta(minutes=1)
    assert 10 * minute <= now - running.workshop.starts_at < 11 * minute
    assert 89 * minute <= running.workshop.ends_at - now <= 90 * minute
    assert (running.state, running.bookable) == ("running", False)
    assert 20 * minute <= soon.workshop.starts_at - now < 21 * minute
    assert (soon.state, soon.bookable) == ("scheduled", False)
    [attendee] = db.session.scalars(select(Attendee).where(Attendee.workshop_id == soon.workshop.id))
    assert (attendee.email, attendee.state) == (people.CAST["attendee"][1], "confirmed")
    assert attendee.booking.state == "confirmed"
    assert attendee.booking.created_at < now
    assert len(attendee.invites) == len(soon.workshop.sessions) == 1
    [claim] = attendee.claims
    assert claim.place.state == "taken"
    assert set(db.session.scalars(select(Letter.to_email))) == {attendee.email}


def test_the_attendee_may_watch_one_recording_for_weeks_and_one_until_tomorrow(now: datetime) -> None:
    by_course = {}
    for slug in RECORDED:
        [workshop] = workshops(slug)
        [attendee] = db.session.scalars(select(Attendee).where(Attendee.workshop_id == workshop.id))
        assert (attendee.email, attendee.state, attendee.booking.state) == (
            people.CAST["attendee"][1],
            "confirmed",
            "confirmed",
        )
        assert attendee.booking.confirmed_at
        assert attendee.booking.confirmed_at < workshop.starts_at < workshop.ends_at < now
        [shown] = access.of_attendee(attendee, now)
        assert shown.state == "open"
        assert shown.window
        by_course[slug] = shown.window.closes_at
        recording = db.session.scalars(select(Recording).where(Recording.session_id == workshop.sessions[0].id)).one()
        assert (recording.state, recording.seconds, list(recording.captions)) == ("published", 192, ["en"])
        assert storage.path(recording.file).stat().st_size == recording.size
    today = zones.wall(now, zones.LONDON).date()
    days = [(zones.wall(each, zones.LONDON).date() - today).days for each in by_course.values()]
    assert days == [19, 1]


def test_recordings_of_past_workshops_are_on_sale_and_can_be_watched(now: datetime) -> None:
    whole = shelf.read(now, lambda kept: kept.workshops)
    found = [standing.of(whole, each, now) for each in catalogue.recorded(whole, now)]
    on_sale = {each.workshop.course_slug: each.catch_up for each in found if each.can_be_watched}
    assert set(on_sale) == {*RECORDED, "lunchtime-taster-and-library"}
    for each in found:
        assert each.state == "past"
        assert each.workshop.catch_up_offered
        assert [offer.includes for offer in each.offers if offer.on_sale] == [["recording"]]
    ends = {slug: offer.until for slug, offer in on_sale.items() if offer}
    assert ends["lunchtime-taster-and-library"] is None
    assert all(until and until > now + timedelta(days=20) for slug, until in ends.items() if slug in RECORDED)


def test_late_buyers_of_the_evenings_share_everybody_s_days_and_no_others_do(now: datetime) -> None:
    sharing = db.session.scalars(select(Workshop).where(Workshop.late_buyers_share)).all()
    assert {each.course.slug for each in sharing} == {"evening-seminars-neurodiversity"}
    assert len(sharing) == 2


def test_every_place_taken_belongs_to_somebody_who_owes_nothing(now: datetime) -> None:
    bookings = db.session.scalars(select(Booking)).all()
    assert {booking.state for booking in bookings} == {"confirmed"}
    assert all(booking.created_at < now for booking in bookings)
    assert set(db.session.scalars(select(Bill.total_minor))) == {0}
    attendees = db.session.scalars(select(Attendee)).all()
    assert len(attendees) == 100 + 7 + 1 + 2
    taken = db.session.scalars(select(Place.id).where(Place.state == "taken")).all()
    assert sorted(claim.place_id for each in attendees for claim in each.claims) == sorted(taken)
    assert all(len(each.claims) == len(each.ticket.pools) for each in attendees)
    assert db.session.scalar(select(func.count()).select_from(Place).where(Place.state != "taken")) == 0
    assert {each.price_minor for each in attendees} == {0}


def test_the_evenings_have_a_ticket_and_a_pool_each(now: datetime) -> None:
    past, _ = workshops("evening-seminars-neurodiversity")
    tickets = {ticket.code: ticket for ticket in past.tickets}
    assert tickets["single_evening_1"].name == "Single evening: Wednesday 2 October"
    assert [pool.code for pool in past.pools] == [f"evening_{n}" for n in range(1, 7)]
    for n in range(1, 7):
        evening = tickets[f"single_evening_{n}"]
        assert [session.number for session in evening.sessions] == [n]
        assert [pool.code for pool in evening.pools] == [f"evening_{n}"]
        assert evening.is_full_price
        assert {price.currency: price.minor for price in evening.prices} == {"GBP": 2400, "EUR": 2900, "AUD": 4800}
    for code in ("series", "series_trainee"):
        assert [pool.code for pool in tickets[code].pools] == [pool.code for pool in past.pools]
        assert tickets[code].sessions == []
        assert not tickets[code].is_full_price
    assert {pool.capacity for pool in past.pools} == {200}


def test_room_and_camera_run_out_apart_and_a_limit_is_a_pool_of_its_own(now: datetime) -> None:
    rerun = rerun_of("working-with-dreams-in-brighton")
    assert {pool.code: pool.capacity for pool in rerun.pools} == {"room": 30, "online": 60, "in_person_trainee": 5}
    assert {ticket.code: {pool.code for pool in ticket.pools} for ticket in rerun.tickets} == {
        "in_person": {"room"},
        "in_person_trainee": {"room", "in_person_trainee"},
        "online": {"online"},
        "organisation_in_person": {"room"},
        "catch_up_only": set(),
    }
    assert rerun.venue is not None
    [diet] = [question for question in rerun.questions if question.code == "dietary_needs"]
    assert {ticket.code for ticket in diet.tickets} == {"in_person", "in_person_trainee", "organisation_in_person"}
    assert diet.is_private


def test_tickets_with_rules_of_their_own_say_so(now: datetime) -> None:
    def ticket(course: str, code: str) -> Any:
        return next(each for each in rerun_of(course).tickets if each.code == code)

    deposit = ticket("certificate-in-attachment-informed-practice", "self_funded")
    rerun = rerun_of("certificate-in-attachment-informed-practice")
    assert deposit.payment == "deposit"
    assert deposit.terms["deposit_minor"] + sum(each["minor"] for each in deposit.terms["instalments"]) == 42000
    due = datetime.fromisoformat(deposit.terms["instalments"][0]["due"]).date()
    assert (rerun.sessions[0].wall_start.date() - due).days == 32  # 3 February to 7 March
    free = ticket("lunchtime-taster-and-library", "free")
    assert (free.prices[0].minor, free.includes_recording, free.is_full_price) == (0, False, False)
    copy = ticket("lunchtime-taster-and-library", "library_copy")
    assert (copy.kind, copy.includes_live, copy.includes_recording) == ("catch_up", False, True)
    assert copy.terms == {"access_days": 28, "access_from": "purchase"}
    extra = ticket("couples-new-york-seminar", "ce_certificate_addon")
    assert (extra.kind, extra.includes_live, extra.pools) == ("extra", False, [])
    assert not any(each.includes_recording for each in rerun_of("groups-weekend").tickets)
    assert not any(each.is_recorded for each in rerun_of("groups-weekend").sessions)
    past, rerun = workshops("couples-new-york-seminar")
    assert [[q.code for q in each.questions if q.is_required] for each in (past, rerun)] == [
        [],
        ["licence_state_and_number"],
    ]


def test_the_bundle_of_the_catalogue_is_planted_and_closed_by_the_day_that_is_full(now: datetime) -> None:
    (fact,) = facts.catalogue()["bundles"]
    planted = bundles.by_slug(fact["slug"], now)

    assert planted
    assert {each.workshop.course_slug for each in planted.parts} == set(fact["covers"])
    assert [(each.currency, each.minor) for each in planted.bundle.prices] == [(fact["currency"], fact["price_minor"])]
    assert planted.offer.reason == "No place is left at “Internal Family Systems: An Introduction”."
    other = bundles.by_slug("grief-siblings-and-shame", now)
    assert other
    assert (other.bookable, other.saving("GBP")) == (True, 4125)


def test_the_codes_of_the_catalogue_are_planted_and_no_other(now: datetime) -> None:
    codes = {code.code: code for code in db.session.scalars(select(DiscountCode))}
    for fact in facts.catalogue()["discount_codes"]:
        code = codes.pop(fact["code"])
        assert code.percent == fact.get("percent")
        assert code.minor == fact.get("amount_minor")
        assert code.tickets == (None if fact["on"] == ["any"] else fact["on"])
        assert code.uses_total == fact.get("uses_total")
        assert code.uses_per_person == fact.get("uses_per_person")
        assert code.least_people == fact.get("min_seats", 1)
        assert code.least_order_minor == fact.get("min_order_minor")
        assert code.re_rate_on_cancellation == fact.get("re_rate_on_cancellation", False)
        assert code.stacks == fact["stack"]
        assert code.first_online_only == ("first online event" in fact["who"] or "WELCOME20" in fact["who"])
        assert code.valid_until == (datetime.fromisoformat(fact["until"]) if "until" in fact else None)
    assert codes == {}


@pytest.mark.parametrize("fact", facts.workshops(), ids=lambda each: each["slug"])
def test_every_workshop_goes_by_the_policy_the_catalogue_names(now: datetime, fact: dict[str, Any]) -> None:
    told = facts.catalogue()["policies"][fact["policy"]]
    for workshop in workshops(fact["slug"]):
        policy = shelf.read(now).by_slug[workshop.slug].policy
        assert policy is not None
        rules = versions.read(policy.data)
        known = Facts(
            price_minor=told["paid"],
            paid_minor=told["paid"],
            currency=told["currency"],
            sessions=tuple(each.starts_at for each in workshop.sessions),
            zone=workshop.zone,
            deposit_minor=told.get("deposit"),
        )

        def before(days: int, start: datetime = workshop.sessions[0].wall_start, zone: str = workshop.zone) -> datetime:
            return zones.instant(start - timedelta(days=days), zone)

        back = {days: outcome(rules, "cancel", known, before(days)).refund_minor for days in told["back"]}
        assert back == told["back"]
        colleague, days = told["colleague"], told["colleague"]["days"]
        found = outcome(rules, "substitute", known, before(days))
        assert (found.allowed, found.due_minor) == (True, colleague["charge"])
        if days:
            assert not outcome(rules, "substitute", known, before(days - 1)).allowed
        assert outcome(rules, "provider_cancel", known, before(1)).refund_minor == told["paid"]


def test_a_workshop_without_a_policy_of_its_own_goes_by_the_organiser_s_default(now: datetime) -> None:
    found = shelf.read(now).workshops
    defaults = {each.organiser.slug: each.organiser.policy for each in found}

    assert {slug: policy and policy.name for slug, policy in defaults.items()} == {
        "sea-street": "By notice",
        "harbour-row": "By notice",
    }
    plain = next(each for each in found if each.course_slug == "last-five")
    assert plain.policy is defaults["sea-street"]


def test_a_policy_has_an_amount_in_every_currency_its_workshops_are_sold_in(now: datetime) -> None:
    for workshop in shelf.read(now).workshops:
        assert workshop.policy is not None
        rules = versions.read(workshop.policy.data)
        for currency in {price.currency for ticket in workshop.tickets for price in ticket.prices}:
            known = Facts(price_minor=9000, paid_minor=9000, currency=currency, sessions=(workshop.starts_at,))
            for days in (60, 20, 5):
                for action in ("cancel", "substitute", "transfer"):
                    found = outcome(rules, action, known, workshop.starts_at - timedelta(days=days))
                    assert found.currency == currency


def test_every_booking_of_the_demo_keeps_the_policy_it_was_sold_under(now: datetime) -> None:
    sold = {each.id: each.policy for each in shelf.read(now).workshops}
    bookings = db.session.scalars(select(Booking)).all()

    assert bookings
    for booking in bookings:
        policy = sold[booking.attendees[0].workshop_id]
        assert policy is not None
        assert booking.policy == versions.snapshot(policy)


def test_every_text_is_there_in_the_length_and_words_promised(now: datetime) -> None:
    for course in db.session.scalars(select(Course)):
        told = " ".join((course.description, course.outcomes, course.audience))
        assert 120 <= len(told.split()) <= 250, course.slug
        assert "!" not in told
        assert len(course.outcomes.splitlines()) == 3
        assert course.audience
        assert len(course.summary) <= 500
        assert course.topic
        for workshop in course.workshops:
            assert workshop.presenters
            assert all(who.about for who in workshop.presenters)
            assert all(ticket.hint for ticket in workshop.tickets)
            assert re.search("(?i)break|lunch", workshop.programme), course.slug
            assert workshop.access
            assert {each.is_recorded for each in workshop.sessions} == {workshop.catch_up_offered}
            assert [ticket.position for ticket in workshop.tickets] == list(range(1, len(workshop.tickets) + 1))


def test_the_team_has_its_roles_and_the_attendee_none(now: datetime) -> None:
    roles = db.session.execute(
        select(User.email, Organiser.slug, Membership.role)
        .select_from(Membership)
        .join(User, Membership.user_id == User.id)
        .join(Organiser, Membership.organiser_id == Organiser.id)
        .order_by(Membership.id)
    ).all()
    assert sorted(tuple(row) for row in roles) == sorted(
        (people.CAST[who][1], organiser, role)
        for who, organiser, role in (
            ("owner", "sea-street", "owner"),
            ("manager", "sea-street", "manager"),
            ("presenter", "sea-street", "presenter"),
            ("other_owner", "harbour-row", "owner"),
        )
    )
    assert all(email.endswith(".example") for email in db.session.scalars(select(User.email)))
    assert len(db.session.scalars(select(User.email)).all()) == len(people.CAST)


def test_nothing_is_planted_where_an_organiser_is(now: datetime) -> None:
    with pytest.raises(plant.AlreadyPlanted), db.writing():
        plant.plant(a_cast(), now)
    assert db.session.scalar(select(func.count()).select_from(Organiser)) == 2


# The command, as `make run` calls it


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """An instance folder with an empty database."""
    engine = create_engine(f"sqlite:///{tmp_path / 'colloquy.sqlite'}")
    db.Base.metadata.create_all(engine)
    engine.dispose()
    return tmp_path


def planting(folder: Path, *arguments: str, demo: str = "1") -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "COLLOQUY_INSTANCE": str(folder), "COLLOQUY_DEMO": demo}
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "demo.catalogue", *arguments],
        cwd=lib_settings.ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_command_plants_once_and_tells_the_passwords_to_its_owner_alone(empty: Path) -> None:
    told = empty / "people.json"

    done = planting(empty, "--people", str(told), "--now", "2026-11-25T03:00:00Z")

    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(told.stat().st_mode) == 0o600
    found = json.loads(told.read_text(encoding="utf-8"))
    assert list(found) == ["owner", "manager", "presenter", "other_owner", "attendee"]
    assert all(set(person) == {"email", "password"} for person in found.values())
    assert len({person["password"] for person in found.values()}) == 5
    engine = create_engine(f"sqlite:///{empty / 'colloquy.sqlite'}")
    with Session(engine) as session:
        for person in found.values():
            user = session.scalars(select(User).where(User.email == person["email"])).one()
            assert user.password_hash
            assert PasswordHasher().verify(user.password_hash, person["password"])
            assert not PasswordHasher().check_needs_rehash(user.password_hash)
    engine.dispose()

    again = planting(empty, "--people", str(told))

    assert again.returncode == 1
    assert "There is an organiser already" in again.stderr
    assert json.loads(told.read_text(encoding="utf-8")) == found
    assert {each.name for each in empty.glob("people*")} == {"people.json"}


def test_every_session_online_meets_where_the_command_was_told(empty: Path) -> None:
    rooms = "http://localhost:4321/room"

    done = planting(empty, "--now", "2026-11-25T03:00:00Z", "--rooms", rooms)

    assert done.returncode == 0, done.stderr
    engine = create_engine(f"sqlite:///{empty / 'colloquy.sqlite'}")
    with Session(engine) as session:
        meets = {point.session_id: point for point in session.scalars(select(MeetingPoint))}
        online = 0
        for workshop in session.scalars(select(Workshop)):
            for each in workshop.sessions:
                point = meets.pop(each.id, None)
                if workshop.format == "room":
                    assert point is None
                    continue
                online += 1
                assert point
                assert point.url == f"{rooms}/{workshop.slug}/{each.number}"
                assert point.phone_numbers
        assert online > 20
        assert meets == {}
        assert all(session.scalars(select(Organiser.phone)))
        links = session.scalars(select(Letter)).all()
        assert links
        assert not [each for each in links if "/room/" in str(each.values)]
    engine.dispose()


def test_the_command_is_for_the_demo_alone(empty: Path) -> None:
    done = planting(empty, "--people", str(empty / "people.json"), demo="")

    assert done.returncode == 1
    assert "COLLOQUY_DEMO=1" in done.stderr
    assert not (empty / "people.json").exists()


@pytest.mark.parametrize(
    ("moment", "said"),
    [("2026-11-25T03:00:00", "give the instant with its zone"), ("2025-01-01T12:00:00Z", "must be past")],
)
def test_the_command_says_which_moments_will_not_do(empty: Path, moment: str, said: str) -> None:
    done = planting(empty, "--people", str(empty / "people.json"), "--now", moment)

    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert list(empty.glob("people*")) == []
