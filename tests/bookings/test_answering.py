"""Answers changed by the attendee until the workshop ends: kept from whoever booked, and erased in time."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask

from bookings import jobs
from bookings.models import Answer
from history.models import Entry
from lib import work
from mail.models import Letter
from tests.bookings.making import ANN, BOB, Made, a_wish, paid
from tests.bookings.test_changes import rows, sound
from tests.builders import a_question, a_ticket, a_workshop, arranged
from tests.conftest import Clock
from tests.organisers.desk import statements
from tests.page import PageClient, form, main_text

pytestmark = pytest.mark.both_databases


@pytest.fixture
def made(app: Flask) -> Made:
    with arranged(app):
        workshop = a_workshop()
        evening = a_ticket(workshop, code="evening")
        diet = a_question(workshop, code="diet", label="What do you not eat?", is_private=True)
        a_question(workshop, code="travel", kind="choice", choices=["By train", "On foot"], is_required=True)
        a_question(workshop, code="steps", kind="tick", label="I need a way without steps")
        a_question(workshop, code="late", tickets=[evening])
        slug, asked = workshop.slug, diet.id
    return paid(app, a_wish(slug, people=[ANN, BOB], answers={asked: "Nuts"}))


def own(made: Made, n: int = 0) -> str:
    return f"{urlsplit(made.places[n]).path}/answers"


def save(client: PageClient, page: str, **typed: str | bool) -> Any:
    found = form(client.get(page), "/answers")
    found.fill({f"answer-{name}": value for name, value in typed.items()})
    return client.post(page, data=found.values)


def test_what_was_said_is_there_and_can_be_changed(app: Flask, client: PageClient, made: Made) -> None:
    found = form(client.get(own(made)), "/answers")
    assert found.values["answer-diet"] == "Nuts"
    assert "answer-late" not in found.names, "that is asked of another ticket"

    assert save(client, own(made), diet="Nuts and eggs", travel="On foot", steps=True).status_code == 303

    said = {each.text for each in rows(app, Answer) if each.attendee_id == rows(app, Answer)[-1].attendee_id}
    assert said == {"Nuts and eggs", "On foot", "yes"}
    assert len(rows(app, Answer)) == 4, "Bob's stands as it was"
    again = form(client.get(own(made)), "/answers").values
    assert (again["answer-diet"], again["answer-travel"], again["answer-steps"]) == ("Nuts and eggs", "On foot", "y")
    sound(app)


def test_history_and_the_organiser_learn_that_it_changed_not_what(app: Flask, client: PageClient, made: Made) -> None:
    for _ in range(2):
        save(client, own(made), diet="Eggs", travel="By train")

    (kept,) = [each for each in rows(app, Entry) if each.verb == "answers_changed"]
    assert kept.actor == "attendee"
    (letter,) = [each for each in rows(app, Letter) if "changed their answers" in each.values["subject"]]
    assert "Eggs" not in str(kept.facts) + str(letter.values)


def test_what_is_left_empty_is_gone(app: Flask, client: PageClient, made: Made) -> None:
    save(client, own(made), diet="", travel="By train")

    assert sorted(each.text for each in rows(app, Answer)) == ["By train", "Nuts"]


def test_what_has_to_be_answered_is_asked_for(app: Flask, client: PageClient, made: Made) -> None:
    answer = save(client, own(made), travel="")

    assert answer.status_code == 422
    assert "Please answer: What is your profession?" in main_text(answer)
    values = {**form(answer, "/answers").values, "answer-travel": "By air"}
    assert client.post(own(made), data=values).status_code == 422
    assert {each.text for each in rows(app, Answer)} == {"Nuts"}


def test_after_the_end_nothing_changes_any_more(app: Flask, client: PageClient, made: Made, clock: Clock) -> None:
    values = form(client.get(own(made)), "/answers").values
    clock.shift(days=29)

    assert client.post(own(made), data={**values, "answer-travel": "On foot"}).status_code == 409
    assert client.get(own(made)).status_code == 409
    assert "What the workshop asks you" not in main_text(client.get(made.places[0]))


def test_whoever_booked_and_strangers_do_not_see_it(
    app: Flask, client: PageClient, browser: Callable[[], PageClient], made: Made
) -> None:
    save(client, own(made), diet="Celery", travel="By train")
    booker = browser()

    assert "Celery" not in booker.get(made.url).get_data(as_text=True)
    assert booker.get(f"/bookings/{made.reference}/answers").status_code == 404
    assert booker.get("/places/1-" + "A" * 27 + "/answers").status_code == 404
    assert "Celery" not in client.get(own(made, 1)).get_data(as_text=True)


def test_what_is_private_is_erased_though_it_was_told_later(
    app: Flask, client: PageClient, made: Made, clock: Clock
) -> None:
    save(client, own(made), diet="Celery", travel="By train")
    clock.shift(days=28 + 31)
    with app.app_context():
        work.run_due(jobs.HANDLERS)

    assert {each.text for each in rows(app, Answer)} == {"By train"}


def test_as_many_statements_for_many_questions(app: Flask, client: PageClient, made: Made) -> None:
    few = statements(app, lambda: client.get(own(made)))
    with arranged(app):
        workshop = a_workshop(in_days=40)
        for n in range(12):
            a_question(workshop, code=f"q{n}")
        slug = workshop.slug
    many = paid(app, a_wish(slug, people=[ANN]))

    assert statements(app, lambda: client.get(own(many))) == few
