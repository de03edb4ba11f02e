"""Times typed, previewed, saved, moved and cancelled through the forms of the back office."""

import re
from datetime import date, datetime

import pytest
from flask import Flask
from sqlalchemy import select

from bookings import moving
from bookings.models import Attendee, SentInvite
from courses.models import Workshop, WorkshopSession
from lib import clock, db, zones
from mail.models import Letter
from tests.bookings.making import a_wish, paid
from tests.builders import a_course, a_meeting, a_ticket, a_workshop, arranged
from tests.organisers.conftest import DESK
from tests.page import Form, PageClient, form, main_text

SPRING, AUTUMN = date(2027, 3, 28), date(2027, 10, 31)


def at(app: Flask) -> list[str]:
    """The sessions' instants, in order."""
    with app.app_context():
        found = db.session.scalars(select(WorkshopSession).order_by(WorkshopSession.number))
        return [f"{each.starts_at:%Y-%m-%dT%H:%MZ}" for each in found]


def letters(app: Flask) -> list[str]:
    with app.app_context():
        return list(db.session.scalars(select(Letter.template).order_by(Letter.id)))


def schedule(client: PageClient, slug: str) -> Form:
    return form(client.get(f"{DESK}/workshops/{slug}/schedule"), "/schedule")


def test_tz_02_a_time_that_does_not_exist_is_refused(app: Flask, owner: PageClient) -> None:
    with arranged(app):
        slug = a_workshop(sessions=[a_meeting(day=SPRING)]).slug
    before = at(app)
    answer = owner.submit(schedule(owner, slug), {"sessions-0-starts": "01:30", "sessions-0-ends": "03:30"})
    assert answer.status_code == 422
    assert "the clocks go forward from 01:00 to 02:00 that day" in main_text(answer)
    assert at(app) == before
    answer = owner.submit(form(answer, "/schedule"), {"sessions-0-starts": "02:30"})
    assert answer.status_code == 303
    assert at(app) == ["2027-03-28T01:30Z"]


@pytest.mark.parametrize(("which", "instant"), [("0", "2027-10-31T00:30Z"), ("1", "2027-10-31T01:30Z")])
def test_tz_02_a_time_that_exists_twice_is_asked_about(app: Flask, owner: PageClient, which: str, instant: str) -> None:
    with arranged(app):
        slug = a_workshop(sessions=[a_meeting(day=AUTUMN)]).slug
    answer = owner.submit(schedule(owner, slug), {"sessions-0-starts": "01:30", "sessions-0-ends": "04:00"})
    assert answer.status_code == 422
    assert "01:30 comes twice on Sunday 31 October 2027 in London" in main_text(answer)
    assert owner.submit(form(answer, "/schedule"), {"sessions-0-which_start": which}).status_code == 303
    assert at(app) == [instant]
    assert schedule(owner, slug).values["sessions-0-which_start"] == which


@pytest.mark.both_databases
def test_tz_03_saving_changes_no_time_and_mails_nobody(app: Flask, owner: PageClient) -> None:
    with arranged(app):
        meeting = a_meeting(day=date(2027, 5, 18), starts="19:40", ends="21:00", zone="Europe/Madrid")
        slug = a_workshop(sessions=[meeting], title="In Madrid").slug
    paid(app, a_wish(slug))
    before = letters(app)
    for word in ("One", "Two"):
        page = owner.get(f"{DESK}/workshops/{slug}/edit")
        assert owner.submit(form(page, "/edit"), {"programme": word}).status_code == 303
        filled = schedule(owner, slug)
        assert filled.values["sessions-0-starts"] == "19:40"
        assert filled.values["zone"] == "Europe/Madrid"
        assert owner.submit(filled).status_code == 303
        assert at(app) == ["2027-05-18T17:40Z"]
    assert letters(app) == before
    with app.app_context():
        assert list(db.session.scalars(select(SentInvite.sequence))) == [0]


@pytest.mark.parametrize(
    ("zone", "instant"),
    [
        ("Europe/Kyiv", "2027-04-15T06:00Z"),
        ("Europe/Kiev", "2027-04-15T06:00Z"),
        ("US/Eastern", "2027-04-15T13:00Z"),
        ("Mars/Olympus", None),
    ],
)
def test_tz_04_old_and_new_names(app: Flask, owner: PageClient, zone: str, instant: str | None) -> None:
    with arranged(app):
        a_course(slug="far-away")
    page = form(owner.get(f"{DESK}/workshops/new"), "/workshops/")
    page.fill({"day": "2027-04-15", "starts": "09:00", "ends": "10:00"})
    answer = owner.post(f"{DESK}/workshops/", data=page.sent() | {"zone": zone})
    assert answer.status_code == (303 if instant else 422), main_text(answer)
    assert at(app) == ([instant] if instant else [])
    if not instant:
        assert "We do not know this time zone." in main_text(answer)


@pytest.mark.parametrize("zone", ["Europe/Kiev", "US/Eastern", "Asia/Calcutta", "Asia/Kathmandu", "Etc/GMT+3"])
def test_tz_04_a_name_is_kept_and_offered_by_its_city(app: Flask, owner: PageClient, zone: str) -> None:
    with arranged(app):
        slug = a_workshop(sessions=[a_meeting(day=date(2027, 2, 15), starts="09:00", zone=zone)], zone=zone).slug
    before = at(app)
    page = schedule(owner, slug)
    assert page.values["zone"] == zone
    assert owner.submit(page).status_code == 303
    assert (at(app), schedule(owner, slug).values["zone"]) == (before, zone)
    with app.app_context():
        assert db.session.scalars(select(WorkshopSession.zone)).one() == zone
    shown = owner.get(f"{DESK}/workshops/{slug}/schedule").get_data(as_text=True)
    assert f'<option value="{zone}" selected>{zones.city(zone)}' in shown
    assert '<option value="Europe/Kyiv">Kyiv</option>' in shown  # each city once, by its present name


def test_tz_04_an_unknown_zone_is_asked_about_again(app: Flask, owner: PageClient) -> None:
    with arranged(app):
        slug = a_workshop(in_days=28).slug
    page = schedule(owner, slug)
    page.fill({"sessions-0-title": "Kept"})
    answer = owner.post(page.action, data=page.sent() | {"zone": "Mars/Olympus"})
    assert answer.status_code == 422
    assert "We do not know this time zone." in main_text(answer)
    again = form(answer, "/schedule")
    assert (again.values["zone"], again.values["sessions-0-title"]) == ("", "Kept")


def test_the_preview_adds_removes_and_works_out_and_saves_nothing(app: Flask, owner: PageClient) -> None:
    with arranged(app):
        slug = a_workshop(sessions=[a_meeting(day=date(2027, 5, 14))]).slug
    answer = owner.submit(schedule(owner, slug), press="add")
    filled = form(answer, "/schedule")
    assert filled.values["sessions-1-day"] == "2027-05-21"
    answer = owner.submit(filled, {"sessions-1-starts": "18:00", "sessions-1-ends": "19:30"}, press="check")
    line = "Friday 21 May 2027, 18:00–19:30 BST (London) / 19:00–20:30 CEST (Paris) / 13:00–14:30 EDT (New York)"
    assert line in main_text(answer)
    assert len(at(app)) == 1
    assert owner.submit(form(answer, "/schedule")).status_code == 303
    assert at(app) == ["2027-05-14T09:00Z", "2027-05-21T17:00Z"]
    filled = schedule(owner, slug)
    data = filled.sent() | {"remove": ["0"]}
    answer = owner.post(f"{DESK}/workshops/{slug}/schedule/preview", data=data)
    assert owner.submit(form(answer, "/schedule")).status_code == 303
    assert at(app) == ["2027-05-21T17:00Z"]
    with app.app_context():
        workshop = db.session.scalars(select(Workshop)).one()
        assert (workshop.starts_at.hour, [each.number for each in workshop.sessions]) == (17, [1])


def test_what_people_come_to_is_not_moved_by_the_schedule(app: Flask, owner: PageClient) -> None:
    with arranged(app):
        slug = a_workshop(in_days=28).slug
    paid(app, a_wish(slug))
    before = at(app)
    answer = owner.submit(schedule(owner, slug), {"sessions-0-starts": "09:00"})
    assert answer.status_code == 422
    assert "move or cancel it on its own page" in main_text(answer)
    assert at(app) == before


@pytest.mark.both_databases
def test_a_move_shows_first_who_is_told(app: Flask, owner: PageClient) -> None:
    with arranged(app):
        slug = a_workshop(sessions=[a_meeting(day=date(2027, 4, 2))]).slug
    paid(app, a_wish(slug))
    there = f"{DESK}/workshops/{slug}/sessions/1/move"
    answer = owner.submit(_asking(owner, there), {"day": "2027-04-09"})
    assert answer.status_code == 200
    said = main_text(answer)
    assert "Friday 9 April 2027, 10:00–16:00 BST (London)" in said
    assert "Ann Attwood, ann@clinic.example" in said
    assert "Move it and tell 1 person" in said
    assert at(app) == ["2027-04-02T09:00Z"]
    doing = re.search(r'<form action="[^"]+/move" method="post">.*?</form>', answer.get_data(as_text=True), re.S)
    assert doing
    data = dict(re.findall(r'name="(\w+)" value="([^"]*)"', doing[0]))
    assert owner.post(there, data=data).status_code == 303
    assert at(app) == ["2027-04-09T09:00Z"]
    assert letters(app)[-1] == "moved"
    same = owner.submit(_asking(owner, there))
    assert "nobody would be told" in main_text(same)
    assert "Move it" not in main_text(same)
    refused = owner.get(there, query_string={"day": "2027-03-28", "starts": "01:30", "ends": "03:00"})
    assert refused.status_code == 422


@pytest.mark.both_databases
def test_adm_01_cancelling_shows_first_and_deleting_is_refused(app: Flask, owner: PageClient) -> None:
    with arranged(app):
        slug = a_workshop(in_days=28).slug
    made = paid(app, a_wish(slug))
    there = f"{DESK}/workshops/{slug}"
    refused = owner.submit(form(owner.get(there), "/delete"))
    assert refused.status_code == 409
    assert "Cancel the workshop" in main_text(refused)
    page = owner.get(f"{there}/cancel")
    assert {"£168.00", made.reference, "Ann Attwood"} <= set(
        re.findall(rf"£168\.00|{made.reference}|Ann Attwood", main_text(page))
    )
    assert owner.submit(form(page, "/cancel")).status_code == 422
    assert owner.submit(form(page, "/cancel"), {"why": "The room is flooded."}).status_code == 303
    with app.app_context():
        assert list(db.session.scalars(select(Attendee.state))) == ["cancelled"]
        assert db.session.scalars(select(Workshop.cancelled_why)).one() == "The room is flooded."
    assert owner.get(made.url).status_code == 200
    assert owner.get(f"/workshops/{slug}").status_code in (200, 410)
    assert owner.get(f"{DESK}/").status_code == 200


def test_the_times_of_a_cancelled_workshop_stay_as_people_were_told(app: Flask, owner: PageClient) -> None:
    with arranged(app):
        slug = a_workshop(in_days=28).slug
    page = schedule(owner, slug)
    before = at(app)
    with app.app_context(), db.writing():
        workshop = db.session.scalars(select(Workshop)).one()
        moving.cancel_workshop(workshop, "Ill.", actor="user:1", now=clock.now())
    answer = owner.submit(page, {"sessions-0-starts": "09:00"})
    assert answer.status_code == 422
    assert "its times stay as people were told" in main_text(answer)
    assert at(app) == before


def test_one_session_is_cancelled_by_its_form(app: Flask, owner: PageClient) -> None:
    with arranged(app):
        slug = a_workshop(sessions=[a_meeting(in_days=28), a_meeting(in_days=35)]).slug
    page = owner.get(f"{DESK}/workshops/{slug}/sessions/2/cancel")
    assert owner.submit(form(page, "/cancel"), {"why": "Too few came."}).status_code == 303
    assert "Session 2" not in main_text(owner.get(f"{DESK}/workshops/{slug}"))
    only = owner.get(f"{DESK}/workshops/{slug}/sessions/1/cancel")
    assert "Cancel the workshop instead" in main_text(only)


def test_a_copy_has_everything_later(app: Flask, owner: PageClient) -> None:
    with arranged(app):
        workshop = a_workshop(sessions=[a_meeting(day=date(2027, 5, 14)), a_meeting(day=date(2027, 5, 21))])
        a_ticket(workshop, code="second", sessions=[2], limited_to=3)
        slug = workshop.slug
    page = form(owner.get(f"{DESK}/workshops/{slug}"), "/clone")
    answer = owner.submit(page, {"days": "28"})
    assert answer.status_code == 303
    with app.app_context():
        copy = db.session.scalars(select(Workshop).where(Workshop.slug != slug)).one()
        assert (copy.status, copy.slug.endswith("2027-06-11")) == ("draft", True)
        assert [each.wall_start for each in copy.sessions] == [
            datetime(2027, 6, 11, 10),  # noqa: DTZ001 - a wall time
            datetime(2027, 6, 18, 10),  # noqa: DTZ001
        ]
        second = next(each for each in copy.tickets if each.code == "second")
        assert [each.number for each in second.sessions] == [2]
        assert {each.workshop_id for each in second.pools} == {copy.id}
    assert owner.get(f"/workshops/{slug}").status_code == 200


def test_a_meeting_link_is_pasted_and_taken_away(app: Flask, owner: PageClient) -> None:
    with arranged(app):
        slug = a_workshop(in_days=1).slug
    assert "has no meeting link yet" in main_text(owner.get(f"{DESK}/"))
    there = f"{DESK}/workshops/{slug}/sessions/1/meeting"
    refused = owner.submit(form(owner.get(there), "/meeting"), {"url": "zoom"})
    assert refused.status_code == 422
    assert owner.submit(form(owner.get(there), "/meeting"), {"url": "https://zoom.us/j/123"}).status_code == 303
    assert "has no meeting link yet" not in main_text(owner.get(f"{DESK}/"))
    assert owner.submit(form(owner.get(there), "/meeting/delete")).status_code == 303


def _asking(client: PageClient, there: str) -> Form:
    return form(client.get(there), "/move")
