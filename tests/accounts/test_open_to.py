"""Who may open what: a member, a member of another team, a stranger, nobody."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from accounts import login, open_to, routes
from accounts.models import Organiser, User
from lib import db
from tests.builders import a_membership, a_user, an_organiser


@open_to.signed_in
def mine() -> str:
    return "mine"


@open_to.team()
def board(organiser: Organiser) -> str:
    return f"board of {organiser.name}"


@open_to.team("owner", "manager")
def takings(organiser: Organiser, year: int) -> str:
    return f"{organiser.slug} {year}"


def be(number: int) -> str:
    login.sign_in(db.session.get_one(User, number))
    return "signed in"


@pytest.fixture
def small(app: Flask) -> Iterator[Flask]:
    """A site with guarded pages, on the same database."""
    site = Flask("small")
    site.config.update(SECRET_KEY="for this test alone", SQLALCHEMY_DATABASE_URI=app.config["DATABASE_URL"])
    db.init_app(site)
    login.init_app(site)
    site.register_blueprint(routes.bp)
    site.add_url_rule("/mine", view_func=mine)
    site.add_url_rule("/organise/<organiser>/", view_func=board)
    site.add_url_rule("/organise/<organiser>/takings/<int:year>", view_func=takings)
    site.add_url_rule("/be/<int:number>", view_func=open_to.anyone(be))
    yield site
    with site.app_context():
        db.engine().dispose()


@pytest.fixture
def team(small: Flask) -> dict[str, int]:
    """Olu owns olu-trains, Mo manages it, Pia presents there; Otto owns another; Zed nothing."""
    with small.app_context(), db.writing():
        organiser, other = an_organiser(), an_organiser(slug="other", name="Other")
        people = {name: a_user(email=f"{name}@x.example") for name in ("olu", "mo", "pia", "otto", "zed")}
        for name, role in (("olu", "owner"), ("mo", "manager"), ("pia", "presenter")):
            a_membership(user=people[name], organiser=organiser, role=role)
        a_membership(user=people["otto"], organiser=other, role="owner")
        return {name: person.id for name, person in people.items()}


def as_(small: Flask, number: int | None) -> FlaskClient:
    client = small.test_client()
    if number is not None:
        assert client.get(f"/be/{number}").status_code == 200
    return client


@pytest.mark.parametrize(
    ("who", "board_status", "takings_status"),
    [("olu", 200, 200), ("mo", 200, 200), ("pia", 200, 404), ("otto", 404, 404), ("zed", 404, 404)],
)
def test_a_team_page_exists_for_its_team_alone(
    small: Flask, team: dict[str, int], who: str, board_status: int, takings_status: int
) -> None:
    client = as_(small, team[who])
    assert client.get("/organise/olu-trains/").status_code == board_status
    assert client.get("/organise/olu-trains/takings/2027").status_code == takings_status
    unknown = client.get("/organise/nobody-at-all/")
    assert unknown.status_code == 404
    if board_status == 404:
        assert client.get("/organise/olu-trains/").data == unknown.data


def test_the_view_gets_the_organiser_itself(small: Flask, team: dict[str, int]) -> None:
    client = as_(small, team["olu"])
    assert client.get("/organise/olu-trains/").text == "board of Olu Trains"
    assert client.get("/organise/olu-trains/takings/2027").text == "olu-trains 2027"


@pytest.mark.parametrize("path", ["/mine", "/organise/olu-trains/", "/organise/nobody-at-all/"])
def test_who_is_signed_out_is_led_to_sign_in_and_back(small: Flask, team: dict[str, int], path: str) -> None:
    answer = as_(small, None).get(f"{path}?page=2")
    assert answer.status_code == 303
    assert parse_qs(urlsplit(answer.headers["Location"]).query) == {"next": [f"{path}?page=2"]}
    assert as_(small, None).get(path).headers["Location"] == f"/sign-in?next={path}"


def test_who_is_signed_in_sees_their_own(small: Flask, team: dict[str, int]) -> None:
    assert as_(small, team["zed"]).get("/mine").text == "mine"


def test_a_raised_version_ends_the_session(small: Flask, team: dict[str, int]) -> None:
    client = as_(small, team["zed"])
    with small.app_context(), db.writing():
        db.session.get_one(User, team["zed"]).session_version += 1
    assert client.get("/mine").status_code == 303


def test_every_guard_says_whom_it_lets_in() -> None:
    assert getattr(mine, "open_to", None) == "signed_in"
    assert getattr(board, "open_to", None) == "team:owner,manager,presenter"
    assert getattr(takings, "open_to", None) == "team:owner,manager"
    assert getattr(open_to.holder_of_link(lambda: ""), "open_to", None) == "holder_of_link"
    assert getattr(open_to.sender_of_signature(lambda: ""), "open_to", None) == "sender_of_signature"


def test_a_role_that_does_not_exist_guards_nothing() -> None:
    with pytest.raises(ValueError, match="boss"):
        open_to.team("boss")
