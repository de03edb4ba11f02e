"""A team of four at one organiser, another organiser's owner, and somebody without any: each in a browser."""

from collections.abc import Callable
from typing import cast

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from accounts.models import User
from tests.builders import a_membership, a_user, an_organiser, arranged
from tests.page import PageClient, form

OLU = "olu@olu-trains.example"
PEOPLE = {
    "owner": OLU,
    "manager": "mia@olu-trains.example",
    "presenter": "ines@olu-trains.example",
    "other_owner": "pim@pim.example",
    "stranger": "zed@elsewhere.example",
}


def a_team(app: Flask) -> dict[str, str]:
    """Make them; the session id of each by what they are."""
    with arranged(app):
        own, other = an_organiser(), an_organiser(slug="pim", name="Pim")
        users: dict[str, User] = {who: a_user(email=email) for who, email in PEOPLE.items()}
        for role in ("owner", "manager", "presenter"):
            a_membership(user=users[role], organiser=own, role=role)
        a_membership(user=users["other_owner"], organiser=other, role="owner")
        return {who: user.get_id() for who, user in users.items()}


def signed_in(app: Flask, session_id: str) -> PageClient:
    """A browser in which this person is signed in."""
    client = cast(PageClient, app.test_client())
    with client.session_transaction() as session:
        session["_user_id"] = session_id
        session["_fresh"] = True
    return client


def status_of(client: PageClient, method: str, path: str, page: str) -> int:
    """What a request answers, sent with a token of that browser where it can have one."""
    data = {}
    if method == "POST":
        found = FlaskClient.open(client, page)
        if found.status_code == 200 and "csrf_token" in found.get_data(as_text=True):
            text = found.get_data(as_text=True)
            data = {"csrf_token": text.split('name="csrf_token" value="')[1].split('"')[0]}
    return FlaskClient.open(client, path, method=method, data=data).status_code


def press(client: PageClient, page: str, action: str, **typed: str | bool) -> TestResponse:
    """Open a page, fill in its form that leads to `action`, and send it."""
    return client.submit(form(client.get(page), action), typed)


def statements(app: Flask, call: Callable[[], TestResponse]) -> int:
    """How many statements a page takes."""
    counted: list[str] = []
    with app.app_context():
        engine = app.extensions["sqlalchemy"].engine

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        counted.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        assert call().status_code == 200
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(counted)
