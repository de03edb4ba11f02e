"""Signing in as a person does: a page, its form, the letter, its button."""

import re
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from lib import db
from mail.models import Letter
from tests.page import PageClient


def send(client: PageClient, page: str, to: str = "", **typed: str) -> TestResponse:
    """Open `page` and send what was typed, with the page's token, to `to` or to the page's own address."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(page).get_data(as_text=True))
    assert found, f"{page} has no form"
    return client.post(to or page, data={"csrf_token": found[1], **typed})


def letters(app: Flask, to: str = "") -> list[Letter]:
    with app.app_context():
        wanted = select(Letter).order_by(Letter.id)
        found = list(db.session.scalars(wanted.where(Letter.to_email == to) if to else wanted))
        db.session.expunge_all()
        return found


def link_in(letter: Letter) -> str:
    """The path of the one-time link in a letter that waits."""
    return urlsplit(str(letter.values["once_url"])).path


def a_link(client: PageClient, app: Flask, email: str, *, page: str = "/sign-in", **typed: str) -> str:
    """Ask for a link and take it out of the letter."""
    assert send(client, page, email=email, **typed).status_code == 303
    return link_in(letters(app, email)[-1])


def sign_in(client: PageClient, app: Flask, email: str) -> TestResponse:
    link = a_link(client, app, email)
    return send(client, link)


def is_signed_in(client: PageClient) -> bool:
    return client.get("/sign-in").status_code == 303
