"""One-time links, below the pages."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from accounts import passwords, signing_in
from accounts.models import Membership, SignInLink, User
from history.models import Entry
from lib import clock, db
from tests.builders import a_membership, a_user, an_organiser, arranged
from tests.conftest import Clock

pytestmark = pytest.mark.both_databases

EMAIL = "ann@clinic.example"


def made(app: Flask, purpose: signing_in.Purpose = "sign_in", email: str = EMAIL) -> str:
    with arranged(app):
        return signing_in.make(email, purpose, clock.now()).token


def spent(app: Flask, token: str, purpose: signing_in.Purpose = "sign_in") -> str | None:
    """Whose link was spent."""
    with arranged(app):
        found = signing_in.spend(token, purpose, clock.now())
        return found.user.email if found else None


def test_only_the_hash_of_a_long_random_token_is_stored(app: Flask) -> None:
    one, other = made(app), made(app)
    assert one != other
    assert len(one) >= 43
    with app.app_context():
        link = db.session.scalars(select(SignInLink).order_by(SignInLink.id)).first()
        assert link is not None
        assert link.token_hash == hashlib.sha256(one.encode()).hexdigest()
        assert one not in repr(vars(link))


def test_a_link_works_once_and_makes_the_account(app: Flask) -> None:
    token = made(app)
    assert spent(app, token) == EMAIL
    assert spent(app, token) is None
    assert spent(app, made(app)) == EMAIL
    with app.app_context():
        assert len(db.session.scalars(select(User)).all()) == 1


@pytest.mark.parametrize("purpose", ["sign_in", "password"])
def test_a_link_works_for_twenty_minutes_to_the_second(app: Flask, clock: Clock, purpose: signing_in.Purpose) -> None:
    in_time, too_late = made(app, purpose), made(app, purpose)
    clock.shift(minutes=20, seconds=-1)
    assert spent(app, in_time, purpose) == EMAIL
    clock.shift(seconds=1)
    with app.app_context():
        assert signing_in.find(too_late, purpose, clock.now()) is None
    assert spent(app, too_late, purpose) is None


def test_an_invitation_works_for_a_week(app: Flask) -> None:
    assert signing_in.LASTS["invitation"] == timedelta(days=7)


def test_a_link_is_for_its_purpose_alone(app: Flask) -> None:
    token = made(app, "sign_in")
    assert spent(app, token, "password") is None
    assert spent(app, token, "invitation") is None
    assert spent(app, token, "sign_in") == EMAIL


@pytest.mark.parametrize("token", ["", "x", "\udcff", "a" * 5000])
def test_a_token_nobody_made_opens_nothing(app: Flask, token: str) -> None:
    made(app)
    assert spent(app, token) is None


def test_looking_at_a_link_spends_nothing(app: Flask) -> None:
    token = made(app)
    for _ in range(3):
        with app.app_context():
            found = signing_in.find(token, "sign_in", clock.now())
            assert found is not None
            assert found.email == EMAIL
    assert spent(app, token) == EMAIL


def test_two_who_spend_one_link_at_the_same_moment_are_one(app: Flask) -> None:
    token = made(app)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: spent(app, token), range(8)))
    assert [each for each in found if each] == [EMAIL]


def test_two_links_of_a_new_address_at_the_same_moment_make_one_account(app: Flask) -> None:
    tokens = [made(app) for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda token: spent(app, token), tokens)) == [EMAIL] * 8
    with app.app_context():
        assert len(db.session.scalars(select(User)).all()) == 1


def test_a_new_password_ends_sessions_and_links_and_leaves_a_trace(app: Flask) -> None:
    with arranged(app):
        before = a_user(email=EMAIL).get_id()
    other_link, other_person = made(app), made(app, email="bob@practice.example")
    token = made(app, "password")
    with arranged(app):
        found = signing_in.spend(token, "password", clock.now(), password_hash=passwords.hashed("three words in a row"))
        assert found is not None
        assert found.user.get_id() != before
        assert passwords.is_right(found.user.password_hash, "three words in a row")
    assert spent(app, other_link) is None
    assert spent(app, other_person) == "bob@practice.example"
    with app.app_context():
        assert db.session.scalars(select(Entry.verb)).all() == ["password_set"]


def test_an_invitation_makes_the_membership_and_raises_a_role(app: Flask) -> None:
    with arranged(app):
        organiser = an_organiser()
        a_membership(user=a_user(email=EMAIL), organiser=organiser, role="presenter")
        invited = signing_in.Invited(organiser.id, "owner")
        tokens = [
            signing_in.make(email, "invitation", clock.now(), invited=invited).token
            for email in (EMAIL, "bob@practice.example")
        ]
    assert [spent(app, token, "invitation") for token in tokens] == [EMAIL, "bob@practice.example"]
    with app.app_context():
        rows = db.session.execute(select(User.email, Membership.role).join(Membership.user).order_by(User.email)).all()
        assert [tuple(row) for row in rows] == [(EMAIL, "owner"), ("bob@practice.example", "owner")]
