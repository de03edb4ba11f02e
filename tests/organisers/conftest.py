"""Somebody signed in to the back office."""

from collections.abc import Callable

import pytest
from flask import Flask

from tests.accounts.browsing import sign_in
from tests.builders import a_membership, a_user, an_organiser, arranged
from tests.conftest import Person
from tests.page import PageClient

DESK = "/organise/olu-trains"


def signed_in(
    app: Flask, client: PageClient, person: Person, role: str = "owner", slug: str = "olu-trains"
) -> PageClient:
    """A browser of somebody who is in an organiser's team."""
    with arranged(app):
        organiser = an_organiser(slug=slug, name=slug.replace("-", " ").title())
        a_membership(user=a_user(email=person.email, name=person.name), organiser=organiser, role=role)
    sign_in(client, app, person.email)
    return client


@pytest.fixture
def owner(app: Flask, client: PageClient, olu: Person) -> PageClient:
    """Olu's browser: she owns Olu Trains."""
    return signed_in(app, client, olu)


@pytest.fixture
def as_role(app: Flask, browser: Callable[[], PageClient], zed: Person) -> Callable[..., PageClient]:
    """The browser of somebody in another role, or of another organiser."""
    return lambda role="manager", slug="olu-trains": signed_in(app, browser(), zed, role, slug)
