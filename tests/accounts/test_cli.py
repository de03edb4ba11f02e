"""`flask accounts invite-owner`."""

import re

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from accounts.models import Organiser, SignInLink
from lib import db
from tests.accounts.browsing import letters, link_in, send
from tests.builders import an_organiser, arranged
from tests.page import PageClient


def invite(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["accounts", "invite-owner", *arguments])


def organisers(app: Flask) -> list[tuple[str, str, str, str, str]]:
    with app.app_context():
        found = db.session.scalars(select(Organiser).order_by(Organiser.id))
        return [(each.slug, each.name, each.zone, each.currency, each.email) for each in found]


def test_the_first_owner_gets_an_organiser_and_a_letter(app: Flask, client: PageClient) -> None:
    result = invite(app, "Olu@Sea-Street.example")
    assert result.exit_code == 0
    assert "Made the organiser Sea Street (sea-street): times in London, prices in GBP." in result.output
    assert "The invitation for olu@sea-street.example is posted" in result.output
    assert "/invitations/" not in result.output
    assert organisers(app) == [("sea-street", "Sea Street", "Europe/London", "GBP", "olu@sea-street.example")]
    (letter,) = letters(app)
    assert letter.values["organiser_name"] == "Sea Street"
    assert send(client, link_in(letter)).status_code == 303


def test_everything_about_the_organiser_can_be_said(app: Flask) -> None:
    options = ["--organiser", "körper", "--name", "Körper & Sprache", "--zone", "Europe/Berlin", "--currency", "eur"]
    assert invite(app, "ines@carraway.example", *options).exit_code == 0
    assert organisers(app)[0][:4] == ("korper", "Körper & Sprache", "Europe/Berlin", "EUR")


def test_the_only_organiser_is_meant(app: Flask) -> None:
    with arranged(app):
        an_organiser()
    assert invite(app, "new@carraway.example").exit_code == 0
    assert len(organisers(app)) == 1
    assert letters(app)[0].organiser_id is not None


def test_among_several_it_must_be_said_which(app: Flask) -> None:
    with arranged(app):
        an_organiser()
        an_organiser(slug="other", name="Other")
    refused = invite(app, "new@carraway.example")
    assert refused.exit_code == 2
    assert "olu-trains, other" in refused.output
    assert invite(app, "new@carraway.example", "--organiser", "nobody").exit_code == 2
    assert not letters(app)
    assert invite(app, "new@carraway.example", "--organiser", "other").exit_code == 0
    assert letters(app)[0].values["organiser_name"] == "Other"
    assert invite(app, "new@carraway.example", "--name", "Third House").exit_code == 0
    assert organisers(app)[-1][0] == "third-house"
    assert invite(app, "new@carraway.example", "--name", "Third House").exit_code == 2


def test_the_link_is_printed_only_when_asked_for(app: Flask, client: PageClient) -> None:
    result = invite(app, "olu@sea-street.example", "--print-link")
    found = re.search(r"http://localhost(/invitations/\S+)", result.output)
    assert found
    assert len(letters(app)) == 1
    assert send(client, found[1]).status_code == 303


@pytest.mark.parametrize(
    "given", [["olu"], ["a@b.example", "--zone", "Mars/Base"], ["a@b.example", "--currency", "XXQ"]]
)
def test_what_cannot_be_is_said_and_makes_nothing(app: Flask, given: list[str]) -> None:
    assert invite(app, *given).exit_code == 2
    assert organisers(app) == []


def test_without_mail_or_address_it_says_what_to_set(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "GIVEN", frozenset())
    refused = invite(app, "olu@sea-street.example")
    assert refused.exit_code == 1
    assert "Inviting an owner needs BASE_URL, MAIL_FROM." in refused.output
    monkeypatch.setitem(app.config, "GIVEN", frozenset({"BASE_URL"}))
    assert "needs MAIL_FROM." in invite(app, "olu@sea-street.example").output
    assert organisers(app) == []
    printed = invite(app, "olu@sea-street.example", "--print-link")
    assert printed.exit_code == 0
    assert "/invitations/" in printed.output
    assert "posted" not in printed.output
    assert not letters(app)
    with app.app_context():
        assert db.session.scalars(select(SignInLink.purpose)).all() == ["invitation"]


def test_the_demo_needs_no_settings(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "GIVEN", frozenset())
    monkeypatch.setitem(app.config, "COLLOQUY_DEMO", "1")
    assert invite(app, "olu@sea-street.example").exit_code == 0
