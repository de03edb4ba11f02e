"""What arrives in the mailbox: one letter an attendee with their own invites, one receipt, whatever people type."""

import re
from email.message import EmailMessage
from typing import Any, cast

import pytest
from flask import Flask
from icalendar import Calendar

from bookings.models import Attendee, Booking, SentInvite
from lib import links
from mail.models import Letter
from tests.builders import a_meeting, a_ticket, a_workshop, an_organiser, arranged
from tests.conftest import Person
from tests.journeys.steps import (
    COMPLETED,
    Visitor,
    Walk,
    body,
    calendars,
    display_name,
    events,
    lines,
    parts,
    refuse_mail,
    shape,
)
from tests.judges.libical import judge
from tests.page import tree

pytestmark = pytest.mark.both_databases
ORGANISER = "hello@olu-trains.example"
INVITED = ("multipart/alternative", ["text/plain", "text/html", "text/calendar"])


def token(app: Flask, attendee: Attendee) -> str:
    with app.app_context():
        return links.token("place", attendee.id, attendee.link_version)


def booked(walk: Walk, visitor: Visitor, slug: str, booker: Person, *attending: Person) -> None:
    walk.stripe.pay(visitor.book(slug, booker, *attending))
    assert walk.ring(COMPLETED) == 204


def test_one_letter_each_with_only_their_own_address(
    walk: Walk, visitor: Visitor, bea: Person, ann: Person, bob: Person
) -> None:
    with arranged(walk.app):
        slug = a_workshop(title="Reflective Practice").slug
    cy = Person("Cy Cole", "cy@example.net")
    booked(walk, visitor, slug, bea, ann, bob, cy)
    letters = walk.letters()
    assert len(letters) == 4
    people = (ann, bob, cy)
    attendees = walk.rows(Attendee)
    for who, letter, attendee in zip(people, letters, attendees, strict=False):
        assert [each.addr_spec for each in letter["To"].addresses] == [who.email]
        assert letter["Cc"] is None
        assert letter["Bcc"] is None
        whole = letter.as_string() + "".join(parts(letter).values())
        download = visitor.client.get(f"/places/{token(walk.app, attendee)}/invites/1.ics")
        assert download.status_code == 200
        for found in (*calendars(letter).values(), download.data):
            (event,) = events(found)
            assert str(event["ATTENDEE"]) == f"mailto:{who.email}"
            assert event["ATTENDEE"].params["CN"] == who.name
            assert str(event["ORGANIZER"]) == f"mailto:{ORGANISER}"
        for other in people:
            if other is not who:
                assert other.email not in whole
                assert other.name not in whole
                assert other.email.encode() not in download.data
        for other_attendee in attendees:
            if other_attendee.id != attendee.id:
                assert token(walk.app, other_attendee) not in whole
        assert token(walk.app, attendee) in whole
        assert bea.email not in whole
        assert "168" not in parts(letter)["text/plain"]
    receipt = letters[-1]
    assert [each.addr_spec for each in receipt["To"].addresses] == [bea.email]
    told = "".join(parts(receipt).values())
    assert all(who.name in told for who in people)
    assert "£504" in told
    assert not any(token(walk.app, each) in told for each in attendees)
    assert "text/calendar" not in told
    assert calendars(receipt) == {}


def test_the_parts_of_a_letter_and_the_hour_of_its_invite(
    walk: Walk, visitor: Visitor, bea: Person, ann: Person
) -> None:
    with arranged(walk.app):
        slug = a_workshop(title="Reflective Practice").slug
    booked(walk, visitor, slug, bea, ann)
    letter = walk.letters(ann.email)[0]
    assert shape(letter) == ("multipart/mixed", [INVITED, "text/calendar"])
    found = calendars(letter)
    assert sorted(found) == ["", "invite.ics"]
    assert found[""] == found["invite.ics"]
    for part in letter.walk():
        if part.get_content_type() == "text/calendar":
            assert part.get_param("method") == "REQUEST"
            assert part.get_content_charset() == "utf-8"
    calendar = Calendar.from_ical(found[""])
    assert str(calendar["METHOD"]) == "REQUEST"
    (event,) = events(found[""])
    # 10:00 to 16:00 in London on 30 March 2027, two days after the clocks went forward.
    assert {"DTSTART:20270330T090000Z", "DTEND:20270330T150000Z", "DTSTAMP:20270302T090000Z"} <= set(lines(found[""]))
    assert "Tuesday 30 March 2027, 10:00" in parts(letter)["text/plain"].replace("\xa0", " ").replace("\u202f", " ")
    assert not any(line.startswith(("BEGIN:VTIMEZONE", "RRULE", "RDATE")) for line in lines(found[""]))
    assert not any(";TZID=" in line for line in lines(found[""]))
    told = judge(found[""])
    assert (told["well_formed"], told["restrictions"], told["errors"]) == (True, True, [])
    invite = walk.one(SentInvite)
    assert (str(event["UID"]), int(event["SEQUENCE"])) == (invite.uid, invite.sequence) == (invite.uid, 0)
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Reply-To"].addresses[0].addr_spec == ORGANISER


@pytest.mark.parametrize(
    ("zone", "day", "starts", "ends", "start_utc", "end_utc"),
    [
        ("Europe/Paris", "2027-09-21", "11:00", "13:00", "20270921T090000Z", "20270921T110000Z"),
        ("Europe/London", "2027-05-04", "09:15", "10:45", "20270504T081500Z", "20270504T094500Z"),
        ("Europe/Berlin", "2027-07-06", "14:00", "16:00", "20270706T120000Z", "20270706T140000Z"),
        ("America/New_York", "2027-03-16", "18:00", "20:00", "20270316T220000Z", "20270317T000000Z"),
    ],
)
def test_the_hour_holds_wherever_the_workshop_is(
    walk: Walk,
    visitor: Visitor,
    bea: Person,
    ann: Person,
    zone: str,
    day: str,
    starts: str,
    ends: str,
    start_utc: str,
    end_utc: str,
) -> None:
    with arranged(walk.app):
        meeting = a_meeting(day=walk.clock.now().date().fromisoformat(day), starts=starts, ends=ends, zone=zone)
        slug = a_workshop(sessions=[meeting]).slug
    booked(walk, visitor, slug, bea, ann)
    mailed = calendars(walk.letters(ann.email)[0])[""]
    address = f"/places/{token(walk.app, walk.one(Attendee))}/invites/1.ics"
    now = visitor.client.get(address).data
    walk.clock.shift(days=10)
    later = visitor.client.get(address).data
    wanted = {f"DTSTART:{start_utc}", f"DTEND:{end_utc}"}
    for found in (mailed, now, later):
        assert wanted <= set(lines(found))
        stamps = [line for line in lines(found) if line.startswith("DTSTAMP")]
        assert stamps == ["DTSTAMP:20270302T090000Z"]
    assert now == later
    assert [line for line in lines(mailed) if not line.startswith("METHOD")] == lines(now)
    assert not any(line.startswith("METHOD") for line in lines(now))


def evenings(number: int) -> list[Any]:
    return [a_meeting(in_days=7 * (n + 1), starts="18:00", ends="20:00") for n in range(number)]


def test_three_evenings_are_three_invites_in_one_thread(
    walk: Walk, visitor: Visitor, bea: Person, ann: Person, bob: Person
) -> None:
    with arranged(walk.app):
        slug = a_workshop(title="Supervision Skills", sessions=evenings(3), format="online_course").slug
    booked(walk, visitor, slug, bea, ann, bob)
    letters = walk.letters(ann.email)
    assert len(letters) == 3
    first, *further = letters
    assert shape(first) == ("multipart/mixed", [INVITED, "text/calendar", "text/calendar"])
    assert sorted(calendars(first)) == ["", "invite.ics", "sessions.ics"]
    for letter in further:
        assert shape(letter) == ("multipart/mixed", [INVITED, "text/calendar"])
        assert letter["In-Reply-To"] == letter["References"] == first["Message-ID"]
    assert first["In-Reply-To"] is None
    hers = walk.rows(Attendee)[0]
    stored = walk.rows(SentInvite, SentInvite.attendee_id == hers.id)
    assert len({each.uid for each in walk.rows(SentInvite)}) == 6
    requests = [calendars(letter)[""] for letter in letters]
    for found, invite in zip(requests, stored, strict=True):
        (event,) = events(found)
        assert (str(event["UID"]), int(event["SEQUENCE"])) == (invite.uid, invite.sequence)
        assert event["DTSTART"].dt == invite.starts_at
        assert event["DTEND"].dt == invite.ends_at
    listed = calendars(first)["sessions.ics"]
    assert "METHOD:PUBLISH" in lines(listed)
    assert [str(each["UID"]) for each in events(listed)] == [each.uid for each in stored]
    assert not any("ATTENDEE" in line for line in lines(listed))
    for n, invite in enumerate(stored, 1):
        (event,) = events(visitor.client.get(f"/places/{token(walk.app, hers)}/invites/{n}.ics").data)
        assert (str(event["UID"]), int(event["SEQUENCE"])) == (invite.uid, invite.sequence)
    starts = ["20270309T180000Z", "20270316T180000Z", "20270323T180000Z"]
    assert [line for line in lines(listed) if line.startswith("DTSTART")] == [f"DTSTART:{each}" for each in starts]
    assert len(walk.letters(bea.email)) == 1


@pytest.mark.parametrize(("number", "letters"), [(12, 12), (13, 1)])
def test_above_twelve_sessions_only_the_file(
    walk: Walk, visitor: Visitor, bea: Person, ann: Person, number: int, letters: int
) -> None:
    with arranged(walk.app):
        slug = a_workshop(sessions=evenings(number), format="online_series").slug
    booked(walk, visitor, slug, bea, ann)
    found = walk.letters(ann.email)
    assert len(found) == letters
    assert len(events(calendars(found[0])["sessions.ics"])) == number
    assert len(walk.rows(SentInvite)) == number


def test_a_ticket_for_one_evening_invites_to_that_alone(walk: Walk, visitor: Visitor, bea: Person, ann: Person) -> None:
    with arranged(walk.app):
        workshop = a_workshop(sessions=evenings(3), format="online_series")
        a_ticket(workshop, code="second-evening", prices={"GBP": 5000}, sessions=[2])
        slug = workshop.slug
    answer = visitor.send(visitor.form(slug), bea, [ann], ticket_type="second-evening")
    walk.stripe.pay(answer.location)
    assert walk.ring(COMPLETED) == 204
    (letter,) = walk.letters(ann.email)
    assert sorted(calendars(letter)) == ["", "invite.ics"]
    assert "DTSTART:20270316T180000Z" in lines(calendars(letter)[""])
    address = f"/places/{token(walk.app, walk.one(Attendee))}/invites"
    assert [visitor.client.get(f"{address}/{n}.ics").status_code for n in (1, 2, 3)] == [404, 200, 404]


def test_no_calendar_holds_a_way_in(walk: Walk, visitor: Visitor, bea: Person, ann: Person, bob: Person) -> None:
    with arranged(walk.app):
        slug = a_workshop(sessions=evenings(2), format="online_course").slug
    booked(walk, visitor, slug, bea, ann, bob)
    attendees = walk.rows(Attendee)
    tokens = [token(walk.app, each) for each in attendees]
    found = [each for letter in walk.letters() for each in calendars(letter).values()]
    found += [visitor.client.get(f"/places/{each}/invites/{n}.ics").data for each in tokens for n in (1, 2)]
    found += [visitor.client.get(path).data for path in (f"/workshops/{slug}/calendar.ics", "/workshops.ics")]
    assert len(found) == 2 * (3 + 2) + 4 + 2
    for calendar in found:
        text = "\n".join(lines(calendar))
        for forbidden in (*tokens, "/places/", "/join", "/bookings/", "key=", "zoom.us", walk.reference()):
            assert forbidden not in text
        addresses = re.findall(r"https?://[^\s\\;,]+", text)
        assert set(addresses) == {f"http://localhost/workshops/{slug}"}


HOSTILE = 'Ana "Nina" O\'Neil, MSc; PhD: Leeds'


@pytest.mark.parametrize(
    "name",
    [
        HOSTILE,
        "Ana\r\nBcc: x@example.net",
        "Zoë Łukasz, MSc",
        '<a href="https://evil.example">Reset your password</a>',
        "=?utf-8?q?Boss?= <boss@evil.example>",
        "{{ config.SECRET_KEY }} {% raw %} %s {0}",
        "心理 " * 30 + "x",
    ],
)
def test_whatever_people_call_themselves(walk: Walk, visitor: Visitor, bea: Person, name: str) -> None:
    with arranged(walk.app):
        slug = a_workshop(title="Reflective Practice").slug
    ann = Person(name, "ana@example.com")
    booked(walk, visitor, slug, Person(name, bea.email), ann)
    shown = " ".join(name.split())
    letters = walk.letters()
    assert [[each.addr_spec for each in letter["To"].addresses] for letter in letters] == [[ann.email], [bea.email]]
    assert walk.mailbox.letters("x@example.net") == []
    for letter in letters:
        assert display_name(letter, "To") == shown
        assert letter["Bcc"] is None
        head = letter.as_bytes().partition(b"\n\n")[0]
        assert head.isascii()
        for header in ("To", "Subject", "From"):
            assert not {"\r", "\n"} & set(str(letter[header]))
        plain, html = (cast(EmailMessage, letter.get_body((kind,))) for kind in ("plain", "html"))
        assert shown in " ".join(body(plain).split())
        page = tree(body(html))
        assert shown in " ".join("".join(page.itertext()).split())
        assert not any("evil.example" in (link.get("href") or "") for link in page.iter("a"))
        assert "&lt;" not in body(plain)
    (event,) = events(calendars(letters[0])[""])
    assert event["ATTENDEE"].params["CN"] == shown
    line = next(each for each in lines(calendars(letters[0])[""]) if each.startswith("ATTENDEE"))
    assert '""' not in line


def test_whatever_a_workshop_and_its_organiser_are_called(
    walk: Walk, visitor: Visitor, bea: Person, ann: Person
) -> None:
    name = "Sécurité & Bien-être, SARL"
    title = "Autumn forum\nKeynote; R&D, part 1\r\nBEGIN:VALARM\r\nEND:VALARM <b>x</b>"
    with arranged(walk.app):
        organiser = an_organiser(name=name)
        slug = a_workshop(organiser=organiser, title=title).slug
    booked(walk, visitor, slug, bea, ann)
    for letter in walk.letters():
        assert display_name(letter, "From") == name
        assert not {"\r", "\n"} & set(str(letter["Subject"]))
        assert "<b>x" not in body(cast(EmailMessage, letter.get_body(("html",))))
    letter = walk.letters(ann.email)[0]
    assert "Autumn forum Keynote; R&D, part 1 BEGIN:VALARM END:VALARM <b>x</b>" in str(letter["Subject"])
    found = calendars(letter)[""]
    (event,) = events(found)
    assert str(event["SUMMARY"]) == "Autumn forum Keynote; R&D, part 1 BEGIN:VALARM END:VALARM <b>x</b>"
    assert not any(line.startswith("BEGIN:VALARM") for line in lines(found))
    assert event["ORGANIZER"].params["CN"] == name


@pytest.mark.parametrize("code", [550, "drop", 451])
def test_a_mail_server_that_refuses_one_stops_no_other(
    walk: Walk, visitor: Visitor, bea: Person, ann: Person, bob: Person, code: int | str
) -> None:
    with arranged(walk.app):
        slug = a_workshop(sessions=evenings(2), format="online_course").slug
    refuse_mail(walk.mailbox, {"to": ann.email, "code": code})
    booked(walk, visitor, slug, bea, ann, bob)
    assert walk.one(Booking).state == "confirmed"
    assert len(walk.letters(bob.email)) == 2
    assert len(walk.letters(bea.email)) == 1
    assert walk.letters(ann.email) == []
    assert visitor.state(walk.reference()) == "confirmed"
    states = [each.state for each in walk.rows(Letter, Letter.to_email == ann.email)]
    assert states == (["failed", "failed"] if code == 550 else ["waiting", "waiting"])
    refuse_mail(walk.mailbox)
    walk.forget_pauses()
    walk.work()
    walk.forget_pauses()
    arrived = walk.letters(ann.email)
    assert len(arrived) == (0 if code == 550 else 2)
    if arrived:
        assert arrived[1]["In-Reply-To"] == arrived[0]["Message-ID"]
    assert len(walk.letters(bob.email)) == 2


def test_a_mail_server_that_is_gone_undoes_nothing(
    walk: Walk, visitor: Visitor, bea: Person, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    with arranged(walk.app):
        slug = a_workshop().slug
    with monkeypatch.context() as patch:
        patch.setitem(walk.app.config, "SMTP_URL", "smtp://127.0.0.1:9")
        booked(walk, visitor, slug, bea, ann)
        walk.work()
        assert visitor.state(walk.reference()) == "confirmed"
        assert {each.state for each in walk.rows(Letter)} == {"waiting"}
    walk.forget_pauses()
    assert len(walk.letters()) == 2
