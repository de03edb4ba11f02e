"""From nothing to a published workshop by forms alone, as in an empty installation."""

import re

import pytest
from flask import Flask
from sqlalchemy import select

from courses.models import Workshop
from lib import db
from mail.models import Letter
from tests.accounts.browsing import letters, link_in, send
from tests.conftest import Clock
from tests.organisers.conftest import DESK
from tests.page import PageClient, form, main_text

pytestmark = pytest.mark.both_databases


def test_a_newcomer_publishes_a_first_workshop(app: Flask, client: PageClient, clock: Clock) -> None:
    invited = app.test_cli_runner().invoke(args=["accounts", "invite-owner", "olu@olu-trains.example"])
    assert invited.exit_code == 0, invited.output
    letter: Letter = letters(app, "olu@olu-trains.example")[-1]
    assert send(client, link_in(letter)).location == f"{DESK}/"

    board = client.get(f"{DESK}/")
    assert "A course comes first" in main_text(board)
    page = client.get(f"{DESK}/courses/new")
    answer = client.submit(
        form(page, "/courses"), {"title": "Listening Well", "summary": "A day on listening.", "topic": "groups"}
    )
    assert answer.status_code == 303

    page = client.get(answer.location)
    assert form(page, "/workshops/").values["course"] == "listening-well"
    answer = client.submit(
        form(page, "/workshops/"), {"day": "2027-05-14", "starts": "10:00", "ends": "16:00", "places": "12"}
    )
    assert answer.status_code == 303, main_text(answer)
    assert answer.location == f"{DESK}/workshops/listening-well-2027-05-14"

    page = client.get(answer.location)
    assert "There is no ticket on sale. Add one with a price." in main_text(page)
    refused = client.submit(form(page, "/publish"))
    assert refused.status_code == 409
    assert "There is no ticket on sale" in main_text(refused)
    assert client.get("/workshops/listening-well-2027-05-14").status_code == 404
    assert "There is no ticket on sale" in main_text(client.get(f"{DESK}/"))

    page = client.get(f"{answer.location}/tickets/new")
    filled = form(page, "/tickets")
    assert client.submit(filled, {"name": "Self-funded", "prices-0-amount": "105"}).status_code == 303
    page = client.get(answer.location)
    assert "Nothing is missing" in main_text(page)
    assert client.submit(form(page, "/publish")).status_code == 303
    public = client.get("/workshops/listening-well-2027-05-14")
    assert public.status_code == 200
    assert "£105.00" in main_text(public)
    told = client.get("/workshops.json").get_json()["workshops"][0]
    assert (told["slug"], told["bookable"], told["places_left"]) == ("listening-well-2027-05-14", True, 12)
    with app.app_context():
        assert [each.status for each in db.session.scalars(select(Workshop))] == ["published"]
    assert re.search(r"Listening Well .*0 0 12", main_text(client.get(f"{DESK}/")))
