"""Who opens which page of the back office: everybody else is tried against every route."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from bookings.models import Booking
from lib import db
from tests.bookings.making import a_wish, paid
from tests.builders import a_bundle, a_code, a_placement, a_policy, a_pool, a_question, a_ticket, a_workshop, arranged
from tests.organisers.conftest import DESK
from tests.page import PageClient

ANY, MANAGE, OWN = "owner,manager,presenter", "owner,manager", "owner"
# A new route without a line here fails; one that is open to more people than its line says, too.
TABLE = {
    "organise.board": ANY,
    "organise.courses": ANY,
    "organise.new_course": MANAGE,
    "organise.make_course": MANAGE,
    "organise.course": MANAGE,
    "organise.change_course": MANAGE,
    "organise.delete_course": MANAGE,
    "organise_bundles.listed": MANAGE,
    "organise_bundles.new": MANAGE,
    "organise_bundles.make": MANAGE,
    "organise_bundles.edit": MANAGE,
    "organise_bundles.change": MANAGE,
    "organise_bundles.publish": MANAGE,
    "organise_bundles.withdraw": MANAGE,
    "organise_bundles.delete": MANAGE,
    "organise_codes.listed": MANAGE,
    "organise_codes.new": MANAGE,
    "organise_codes.make": MANAGE,
    "organise_codes.code": MANAGE,
    "organise_codes.change": MANAGE,
    "organise_codes.delete": MANAGE,
    "organise_policies.listed": MANAGE,
    "organise_policies.choose": MANAGE,
    "organise_policies.new": MANAGE,
    "organise_policies.make": MANAGE,
    "organise_policies.preview_new": MANAGE,
    "organise_policies.shown": MANAGE,
    "organise_policies.edit": MANAGE,
    "organise_policies.change": MANAGE,
    "organise_policies.preview": MANAGE,
    "organise_policies.make_default": MANAGE,
    "organise_newsletter.shown": MANAGE,
    "organise_newsletter.new": MANAGE,
    "organise_newsletter.make": MANAGE,
    "organise_newsletter.edit": MANAGE,
    "organise_newsletter.change": MANAGE,
    "organise_plans.listed": MANAGE,
    "organise_plans.paying": MANAGE,
    "organise_plans.receive": MANAGE,
    "organise_proofs.shown": MANAGE,
    "organise_proofs.check": MANAGE,
    "organise_workshops.new": MANAGE,
    "organise_workshops.make": MANAGE,
    "organise_workshops.preview_new": MANAGE,
    "organise_workshops.shown": ANY,
    "organise_workshops.edit": MANAGE,
    "organise_workshops.change": MANAGE,
    "organise_workshops.publish": MANAGE,
    "organise_workshops.archive": MANAGE,
    "organise_workshops.clone": MANAGE,
    "organise_workshops.delete": MANAGE,
    "organise_dates.shown": MANAGE,
    "organise_dates.preview": MANAGE,
    "organise_dates.save": MANAGE,
    "organise_dates.moved": MANAGE,
    "organise_dates.move": MANAGE,
    "organise_dates.session_cancelling": MANAGE,
    "organise_dates.cancel_session": MANAGE,
    "organise_dates.cancelling": MANAGE,
    "organise_dates.cancel": MANAGE,
    "organise_tickets.shown": MANAGE,
    "organise_tickets.new": MANAGE,
    "organise_tickets.make": MANAGE,
    "organise_tickets.edit": MANAGE,
    "organise_tickets.change": MANAGE,
    "organise_tickets.delete": MANAGE,
    "organise_tickets.make_pool": MANAGE,
    "organise_tickets.change_pool": MANAGE,
    "organise_tickets.delete_pool": MANAGE,
    "organise_tickets.new_question": MANAGE,
    "organise_tickets.make_question": MANAGE,
    "organise_tickets.question": MANAGE,
    "organise_tickets.change_question": MANAGE,
    "organise_tickets.delete_question": MANAGE,
    "organise_meetings.shown": MANAGE,
    "organise_meetings.save": MANAGE,
    "organise_meetings.delete": MANAGE,
    "organise_handouts.listed": MANAGE,
    "organise_handouts.add": MANAGE,
    "organise_handouts.remove": MANAGE,
    "organise_recordings.board": MANAGE,
    "organise_recordings.upload_film": MANAGE,
    "organise_recordings.upload_captions": MANAGE,
    "organise_recordings.publish": MANAGE,
    "organise_uploads.discover": MANAGE,
    "organise_uploads.unfinished": MANAGE,
    "organise_uploads.create": MANAGE,
    "organise_uploads.offset": MANAGE,
    "organise_uploads.receive": MANAGE,
    "organise_uploads.terminate": MANAGE,
    "organise_uploads.instead": MANAGE,
    "organise_uploads.remove": MANAGE,
    "organise_recordings.withdraw": MANAGE,
    "organise_review.review": MANAGE,
    "organise_review.media_file": MANAGE,
    "organise_review.progress": MANAGE,
    "organise_review.cut": MANAGE,
    "organise_review.order": MANAGE,
    "organise_review.done": MANAGE,
    "organise_review.discard": MANAGE,
    "organise_review.again": MANAGE,
    "organise_review.kept_for": MANAGE,
    "organise_review.keep_for": MANAGE,
    "organise_watching.shown": MANAGE,
    "organise_watching.change_all": MANAGE,
    "organise_watching.person": MANAGE,
    "organise_watching.change_one": MANAGE,
    "organise_waiting.shown": MANAGE,
    "organise_waiting.save_settings": MANAGE,
    "organise_waiting.offer": MANAGE,
    "organise_waiting.remove": MANAGE,
    "organise_people.bookings": MANAGE,
    "organise_people.booking": MANAGE,
    "organise_people.letter": MANAGE,
    "organise_people.people": ANY,
    "organise_people.people_file": MANAGE,
    "organise_people.team": OWN,
    "organise_people.invite": OWN,
    "organise_people.take_back": OWN,
    "organise_people.change_role": OWN,
    "organise_people.remove": OWN,
    "organise_acts.correct": MANAGE,
    "organise_acts.resend_place": MANAGE,
    "organise_acts.resend_receipt": MANAGE,
    "organise_acts.new_place": MANAGE,
    "organise_acts.give_place": MANAGE,
    "organise_behalf.ending": MANAGE,
    "organise_behalf.end": MANAGE,
    "organise_behalf.passing_on": MANAGE,
    "organise_behalf.pass_on": MANAGE,
    "organise_behalf.moving": MANAGE,
    "organise_behalf.move": MANAGE,
    "organise_invoices.listed": MANAGE,
    "organise_invoices.settings": MANAGE,
    "organise_invoices.save_settings": MANAGE,
    "organise_invoices.invoice": MANAGE,
    "organise_invoices.file": MANAGE,
    "organise_invoices.receive": MANAGE,
    "organise_invoices.let_in": MANAGE,
    "organise_invoices.call_off": MANAGE,
    "organise_invoices.refund_sent": MANAGE,
    "organise_money.give_back": MANAGE,
    "organise_money.again": MANAGE,
    "organise_money.renew_link": MANAGE,
    "organise_settings.save_money": MANAGE,
    "organise_papers.papers": OWN,
    "organise_papers.paper": OWN,
    "organise_papers.preview": OWN,
    "organise_papers.write": OWN,
    "organise_stored.shown": MANAGE,
    "organise_stored.take": MANAGE,
    "organise_zoom.shown": MANAGE,
    "organise_zoom.save": MANAGE,
    "organise_zoom.forget": MANAGE,
    "organise_zoom.place": MANAGE,
    "organise_zoom.leave": MANAGE,
    "organise_zoom.again": MANAGE,
    "organise_settings.settings": MANAGE,
    "organise_settings.save": MANAGE,
    "organise_settings.upload_logo": MANAGE,
    "organise_settings.remove_logo": MANAGE,
}
# Their rows are made and tried in tests of their own; here only who may not open them.
ROWS_OF_THEIR_OWN = (
    "organise_invoices.file",
    "organise_invoices.invoice",
    "organise_watching.",
    "organise_people.",
    "organise_acts.",
    "organise_behalf.",
    "organise_review.media_file",
    "organise_review.review",
)
VALUES: dict[str, Any] = {
    "number": 1,
    "n": 1,
    "folded": "ONCE",
    "bundle": "autumn-three",
    "name": "home",
    "reference": "CQ-7K2M-4D",
    "kind": "terms",
    "member": 1,
    "paper": "REC-2027-0001",
    "way": "text",
}
CODES = {"ticket": "standard", "question": "profession", "pool": "room"}


def rules(app: Flask) -> list[Rule]:
    return [each for each in app.url_map.iter_rules() if each.rule.startswith("/organise/<organiser>")]


def told(app: Flask, endpoint: str) -> str:
    return str(getattr(app.view_functions[endpoint], "open_to", "")).removeprefix("team:")


@pytest.fixture
def slug(app: Flask) -> str:
    with arranged(app):
        workshop = a_workshop(course=None)
        a_pool(workshop, code="gallery")
        a_question(workshop)
        a_ticket(workshop, code="student")
        a_code(code="ONCE")
        a_bundle(workshop, a_workshop(), slug=VALUES["bundle"])
        a_placement()
        a_policy()
        found = workshop.slug
    made = paid(app, a_wish(found))
    with arranged(app):
        db.session.get_one(Booking, made.id).reference = VALUES["reference"]
    return found


def addresses(app: Flask, slug: str, organiser: str = "olu-trains") -> Iterator[tuple[str, str, str]]:
    """Every route as endpoint, method and an address whose rows are there."""
    adapter = app.url_map.bind("localhost")
    course = re.sub(r"-\d{4}-\d\d-\d\d$", "", slug)
    for rule in rules(app):
        values = {**VALUES, "organiser": organiser, "slug": course if "/courses/" in rule.rule else slug}
        kind = next((each for each in CODES if f"{each}s/<" in rule.rule), "ticket")
        values["code"] = CODES[kind]
        chosen = {name: values.get(name, 1) for name in rule.arguments}
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            yield rule.endpoint, method, adapter.build(rule.endpoint, chosen, method=method)


def status(client: PageClient, method: str, address: str) -> int:
    if method == "GET":
        return client.get(address).status_code
    page = client.get("/me")
    page = page if page.status_code == 200 else client.get("/sign-in")
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.get_data(as_text=True))
    assert found
    return client.post(address, data={"csrf_token": found[1]}).status_code


def test_the_table_names_every_route_and_no_other(app: Flask) -> None:
    said = {rule.endpoint: told(app, rule.endpoint) for rule in rules(app)}
    assert {name: said.get(name) for name in TABLE} == TABLE
    assert sorted(set(said) - set(TABLE)) == []


def test_who_is_signed_out_is_led_to_sign_in(app: Flask, client: PageClient, slug: str) -> None:
    for endpoint, method, address in addresses(app, slug):
        assert status(client, method, address) == 303, endpoint


def test_a_stranger_and_another_organiser_find_nothing(
    app: Flask, as_role: Callable[..., PageClient], slug: str
) -> None:
    other = as_role("owner", slug="sea-street")
    for endpoint, method, address in addresses(app, slug):
        assert status(other, method, address) == 404, endpoint
    for endpoint, method, address in addresses(app, slug, "sea-street"):  # rows of one, an address of the other
        if any(
            part in address for part in (slug, "/ONCE", "/autumn-three", "/courses/reflective", "/policies/1")
        ) and not address.endswith("/preview"):
            assert status(other, method, address) in (404, 422), endpoint
            assert method == "POST" or status(other, method, address) == 404, endpoint


@pytest.mark.parametrize("role", ["presenter", "manager", "owner"])
def test_a_role_opens_what_is_its_own(app: Flask, as_role: Callable[..., PageClient], slug: str, role: str) -> None:
    member = as_role(role)
    for endpoint, method, address in addresses(app, slug):
        if role not in told(app, endpoint).split(","):
            assert status(member, method, address) == 404, endpoint
        elif method == "GET" and not endpoint.startswith(ROWS_OF_THEIR_OWN):
            assert status(member, method, address) == 200, (endpoint, address)


def test_a_presenter_sees_no_button_that_changes_anything(as_role: Callable[..., PageClient], slug: str) -> None:
    member = as_role("presenter")
    for address in (f"{DESK}/", f"{DESK}/courses", f"{DESK}/workshops/{slug}"):
        page = member.get(address).get_data(as_text=True)
        assert not re.search(r'<form[^>]*action="/organise', page), address
