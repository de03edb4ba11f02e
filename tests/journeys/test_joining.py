"""From paying to being in the room: the letter's own link, the place for programs, and the reminders on the way."""

import re
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from bookings.models import Attendee, Joining
from courses.models import WorkshopSession
from history.models import Entry
from lib import db
from meetings import points
from tests.builders import a_workshop, arranged
from tests.conftest import Person
from tests.journeys.steps import COMPLETED, Visitor, Walk, parts
from tests.page import form, main_text

pytestmark = pytest.mark.both_databases

MEETING = "https://meet.example/r/7?key=c2VjcmV0"


def test_paid_reminded_and_in_the_room(walk: Walk, visitor: Visitor, bea: Person, ann: Person, bob: Person) -> None:
    with arranged(walk.app):
        workshop = a_workshop(in_days=10, title="Grief at Work")
        points.set_point(workshop.sessions[0], url=MEETING, actor="user:1", now=walk.clock.at)
        slug = workshop.slug
    walk.stripe.pay(visitor.book(slug, bea, ann, bob))
    assert walk.ring(COMPLETED) == 204

    (letter,) = walk.letters(ann.email)
    links = {name: re.findall(r"http://localhost/join/[\w-]+", text) for name, text in parts(letter).items()}
    (address,) = set(links["text/plain"] + links["text/html"])
    assert not any(found for name, found in links.items() if "calendar" in name)
    place = re.findall(r"http://localhost(/places/[\w-]+)", parts(letter)["text/plain"])[0]
    anns = walk.visitor()
    told = anns.client.get(f"{place}.json").get_json()
    assert told["sessions"] == [{"starts_at": "2027-03-12T10:00:00Z", "join_url": address}]

    for at, number in (
        ("2027-03-05T09:59:59Z", 1),
        ("2027-03-05T10:00:00Z", 2),
        ("2027-03-11T10:00:00Z", 3),
        ("2027-03-12T09:00:00Z", 4),
    ):
        walk.clock.set(at)
        assert len(walk.letters(ann.email)) == number
    assert walk.subjects(ann.email)[1:] == ["Fri 12 Mar 2027, 10:00 GMT: Grief at Work"] * 3
    assert len(walk.letters(bea.email)) == 1

    path = urlsplit(address).path
    walk.clock.set("2027-03-12T09:29:59Z")
    assert "1 minute to go" in main_text(anns.client.get(path))
    walk.clock.shift(seconds=1)
    page = anns.client.get(path)
    going = form(page, "/letters")
    going.action = path
    answer = anns.client.submit(going)
    assert (answer.status_code, answer.location) == (303, MEETING)

    joining = walk.one(Joining)
    assert walk.one(Attendee, Attendee.email == ann.email).id == joining.attendee_id
    assert walk.one(Entry, Entry.verb == "joined").about == f"attendee:{joining.attendee_id}"
    everything = [text for each in walk.letters() for text in parts(each).values()]
    assert not [text for text in everything if "meet.example" in text or "c2VjcmV0" in text]


def test_a_day_before_is_a_day_of_time_though_the_clocks_go_forward(
    walk: Walk, visitor: Visitor, bea: Person, ann: Person
) -> None:
    with arranged(walk.app):
        slug = a_workshop(in_days=26, reminders=[24 * 60], price_minor=0).slug  # Sunday 28 March: clocks go forward
    visitor.send(visitor.form(slug), bea, [ann])
    with walk.app.app_context():
        starts = db.session.scalars(select(WorkshopSession.starts_at)).one()
    assert f"{starts:%d %H:%M}" == "28 09:00"
    walk.clock.set("2027-03-27T08:59:59Z")
    assert len(walk.letters(ann.email)) == 1
    walk.clock.shift(seconds=1)
    assert walk.subjects(ann.email)[-1].startswith("Sun 28 Mar 2027, 10:00 BST")
