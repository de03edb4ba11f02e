"""What a workshop's page answers people and programs, who teaches, and where old addresses lead."""

import json
from xml.etree import ElementTree

import pytest
from flask import Flask

from courses import slugs
from courses.models import Course, Workshop
from lib import db
from tests.builders import a_course, a_presenter, a_ticket, a_workshop, an_organiser, arranged
from tests.conftest import Clock
from tests.page import PageClient, main_text, tree

pytestmark = pytest.mark.both_databases
HOSTILE = "</script><script>alert(1)</script> & <b>bold</b>"


@pytest.fixture
def slug(app: Flask, clock: Clock) -> str:
    with arranged(app):
        course = a_course(title="Grief", slug="grief", summary=HOSTILE)
        course.audience = "Qualified counsellors."
        course.outcomes = "name three losses\n\nsit with one"
        return a_workshop(
            course=course,
            presenters=[a_presenter(about="Ines *listens*.")],
            programme="10:00 Welcome\n11:30 Break",
            cancellation_terms="Half back until 14 days before.",
            access="Live captions in English.",
            join_opens_minutes=15,
            catch_up_offered=True,
        ).slug


def test_the_page_answers_what_buyers_ask(slug: str, client: PageClient) -> None:
    text = main_text(client.get(f"/workshops/{slug}"))

    for said in (
        "Qualified counsellors.", "name three losses", "11:30 Break", "Half back until 14 days before.",
        "Live captions in English.", "from 15 minutes before each session",
        "Includes the live session and the recording",
        "until the same hour of the day in London",
    ):  # fmt: skip
        assert said in text
    assert "20 places" not in text


def test_the_list_says_how_to_take_part_and_for_how_long_to_catch_up(slug: str, client: PageClient) -> None:
    assert slug
    assert "Online via Zoom, catch-up for 28 days" in main_text(client.get("/workshops"))


def test_what_nobody_filled_in_has_no_heading(app: Flask, clock: Clock, client: PageClient) -> None:
    with arranged(app):
        slug = a_workshop().slug
    text = main_text(client.get(f"/workshops/{slug}"))

    for heading in ("Who it is for", "By the end", "The programme", "If plans change", "Access"):
        assert heading not in text


def test_programs_read_the_course_its_date_and_its_offers(app: Flask, slug: str, client: PageClient) -> None:
    with arranged(app):
        workshop = db.session.query(Workshop).filter_by(slug=slug).one()
        a_ticket(workshop, code="reduced", prices={"GBP": 6550, "JPY": 9000}, pools=workshop.pools)
    root = tree(client.get(f"/workshops/{slug}").get_data(as_text=True))
    (block,) = [each for each in root.iter("script") if each.get("type") == "application/ld+json"]
    facts = json.loads(block.text or "")
    instance = facts["hasCourseInstance"]

    assert facts["@type"] == "Course"
    assert facts["description"] == "& bold"
    assert instance["startDate"].endswith("Z")
    prices = [(each["price"], each["priceCurrency"]) for each in instance["offers"]]
    assert prices == [("168.00", "GBP"), ("65.50", "GBP"), ("9000", "JPY")]
    assert {each["availability"] for each in instance["offers"]} == {"https://schema.org/InStock"}
    assert {each["validThrough"] for each in instance["offers"]} == {instance["startDate"]}
    assert "<" not in (block.text or "")


def test_the_head_is_plain_text_and_names_the_page(slug: str, client: PageClient) -> None:
    root = tree(client.get(f"/workshops/{slug}?zone=Asia/Tokyo").get_data(as_text=True))
    described = [each.get("content") for each in root.iter("meta") if each.get("name") == "description"]
    named = [each.get("href", "") for each in root.iter("link") if each.get("rel") == "canonical"]

    assert described == ["& bold"]
    assert [each.rsplit("/", 1)[1] for each in named] == [slug]


def test_who_teaches_and_who_organises_have_pages(slug: str, client: PageClient) -> None:
    assert "Ines listens." in main_text(client.get("/presenters/olu-trains/dr-ines-marsh"))
    assert "Grief" in main_text(client.get("/organisers/olu-trains"))
    for unknown in ("/presenters/olu-trains/nobody", "/presenters/nobody/dr-ines-marsh", "/organisers/nobody"):
        assert client.get(unknown).status_code == 404


def test_the_presenter_of_a_draft_has_no_page(app: Flask, clock: Clock, client: PageClient) -> None:
    with arranged(app):
        a_workshop(status="draft", presenters=[a_presenter()])

    assert client.get("/presenters/olu-trains/dr-ines-marsh").status_code == 404
    assert client.get("/organisers/olu-trains").status_code == 404


def test_old_addresses_lead_on_for_ever(app: Flask, slug: str, client: PageClient) -> None:
    with arranged(app):
        slugs.keep_old(db.session.query(Workshop).filter_by(slug=slug).one(), "loss-2027-03-30")
        slugs.keep_old(db.session.query(Course).filter_by(slug="grief").one(), "loss")
    for old, new in ((f"/workshops/{slug}", "/workshops/loss-2027-03-30"), ("/courses/grief", "/courses/loss")):
        answer = client.get(old)
        assert (answer.status_code, answer.location) == (301, new)
        assert client.get(new).status_code == 200


def test_the_old_address_of_a_draft_leads_nowhere(app: Flask, clock: Clock, client: PageClient) -> None:
    with arranged(app):
        draft = a_workshop(course=a_course(slug="quiet"), status="draft")
        slug = draft.slug
        slugs.keep_old(draft, "louder-2027-03-30")
        slugs.keep_old(draft.course, "louder")

    assert client.get(f"/workshops/{slug}").status_code == 404
    assert client.get("/courses/quiet").status_code == 404


def test_the_map_of_the_site_names_what_is_public(app: Flask, slug: str, client: PageClient) -> None:
    with arranged(app):
        a_workshop(course=a_course(slug="hidden", organiser=an_organiser()), status="draft")
    root = ElementTree.fromstring(client.get("/sitemap.xml").get_data(as_text=True))
    found = [each.text or "" for each in root.iter() if each.tag.endswith("loc")]

    assert any(each.endswith(f"/workshops/{slug}") for each in found)
    assert any(each.endswith("/presenters/olu-trains/dr-ines-marsh") for each in found)
    assert not any("hidden" in each for each in found)
    assert len(found) == len(set(found)) == 6
    assert "/sitemap.xml" in client.get("/robots.txt").get_data(as_text=True)
