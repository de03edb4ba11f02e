"""ADM-02: addresses from titles, each its own, and kept when titles change."""

import re
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select

from courses import editing, slugs
from courses.models import Course, OldAddress, Workshop
from lib import db
from organisers.routes import saved
from tests.builders import a_course, a_workshop, an_organiser, arranged
from tests.conftest import at_once

TITLES = ("Trauma-Informed Practice", "trauma-informed practice!", "Trauma-Informed Practice", "心理学入門", "???")


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Trauma-Informed Practice", "trauma-informed-practice"),
        ("  Été à Øresund: Straße & Co. ", "ete-a-oresund-strasse-co"),
        ("The Therapist's Body", "the-therapists-body"),
        ("心理学入門", "course"),
        ("a" * 300, "a" * slugs.LONGEST),
    ],
)
def test_a_title_folds(title: str, slug: str) -> None:
    assert slugs.folded(title, "course") == slug


@pytest.mark.both_databases
def test_adm_02_five_titles_five_addresses(app: Flask) -> None:
    with arranged(app):
        owner = an_organiser()
        for title in TITLES:
            editing.make_course(owner.id, {"title": title, "summary": "x"})
    with app.app_context():
        found = list(db.session.scalars(select(Course.slug).order_by(Course.id)))
    assert found == [
        "trauma-informed-practice", "trauma-informed-practice-2", "trauma-informed-practice-3", "course", "course-2",
    ]  # fmt: skip


@pytest.mark.both_databases
def test_no_address_is_one_of_the_desks(app: Flask) -> None:
    with arranged(app):
        assert editing.make_course(an_organiser().id, {"title": "New", "summary": "x"}).slug == "new-2"


@pytest.mark.both_databases
def test_a_new_title_keeps_the_old_address(app: Flask) -> None:
    with arranged(app):
        workshop = a_workshop(course=a_course(slug="first", title="First"), title="First", slug="first-2027-04-01")
        editing.change_workshop(workshop, {"title": "Second"})
        assert re.fullmatch(r"second-2027-\d\d-\d\d", workshop.slug)
        editing.change_course(workshop.course, {"title": "Second"})
    with arranged(app):
        (other,) = db.session.scalars(select(Workshop))
        assert {(each.kind, each.slug) for each in db.session.scalars(select(OldAddress))} == {
            ("workshop", "first-2027-04-01"),
            ("course", "first"),
        }
        editing.change_course(other.course, {"title": "First"})  # and back again
        assert other.course.slug == "first"
        assert [each.slug for each in db.session.scalars(select(OldAddress).where(OldAddress.kind == "course"))] == [
            "second"
        ]


@pytest.mark.both_databases
def test_the_same_title_again_changes_nothing(app: Flask) -> None:
    with arranged(app):
        course = a_course(slug="reflective-practice-at-home", title="Reflective Practice")
        editing.change_course(course, {"title": "Reflective practice"})
        assert course.slug == "reflective-practice-at-home"
        assert db.session.scalars(select(OldAddress)).all() == []


@pytest.mark.both_databases
def test_an_old_address_is_not_given_to_another(app: Flask) -> None:
    with arranged(app):
        course = editing.make_course(an_organiser().id, {"title": "First", "summary": "x"})
        editing.change_course(course, {"title": "Second"})
        assert slugs.for_course("First") == "first-2"
        assert slugs.for_workshop("First", date(2027, 4, 1)) == "first-2027-04-01"


@pytest.mark.both_databases
def test_two_at_the_same_moment_both_succeed(app: Flask) -> None:
    with arranged(app):
        owner = an_organiser().id

    def make() -> str:
        return saved(lambda: editing.make_course(owner, {"title": "Same", "summary": "x"}).slug)

    assert sorted(at_once(app, [make] * 4)) == ["same", "same-2", "same-3", "same-4"]
