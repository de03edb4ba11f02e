"""The team: invited, promoted, removed, and never without an owner."""

import pytest
from flask import Flask
from sqlalchemy import func, select

from accounts import signing_in, team
from accounts.models import Membership, SignInLink, User
from history.models import Entry
from lib import clock, db
from tests.accounts.browsing import letters, link_in, send
from tests.builders import a_membership, a_user, an_organiser, arranged
from tests.conftest import Clock, at_once
from tests.organisers.desk import PEOPLE, a_team, press, signed_in
from tests.page import PageClient, main_text

PAGE = "/organise/olu-trains/team"


@pytest.fixture
def people(app: Flask) -> dict[str, str]:
    return a_team(app)


def roles(app: Flask) -> dict[str, str]:
    with app.app_context():
        rows = db.session.execute(
            select(User.email, Membership.role)
            .join(Membership, Membership.user_id == User.id)
            .where(Membership.organiser_id == an_organiser().id)
        )
        return {email: role for email, role in rows}  # noqa: C416 - typed


def verbs(app: Flask) -> list[str]:
    with app.app_context():
        return list(db.session.scalars(select(Entry.verb).where(Entry.verb.like("%team%")).order_by(Entry.id)))


def number(session_id: str) -> str:
    return session_id.partition(".")[0]


def test_an_invitation_is_accepted(app: Flask, people: dict[str, str], client: PageClient) -> None:
    owner = signed_in(app, people["owner"])
    done = send(owner, PAGE, email="New@Olu-Trains.example", role="presenter")
    assert done.status_code == 303
    page = main_text(owner.get(done.location))
    assert "new@olu-trains.example" in page
    assert "Presenter, until" in page
    link = link_in(letters(app, "new@olu-trains.example")[-1])
    assert send(client, link).status_code == 303

    assert roles(app)["new@olu-trains.example"] == "presenter"
    assert verbs(app) == ["team_invited", "joined_team"]


def test_what_cannot_be_invited(app: Flask, people: dict[str, str]) -> None:
    owner = signed_in(app, people["owner"])

    for typed, status in (
        ({"email": "nobody", "role": "manager"}, 422),
        ({"email": "a@b.example", "role": "king"}, 422),
        ({"email": PEOPLE["manager"], "role": "owner"}, 409),
    ):
        assert send(owner, PAGE, **typed).status_code == status
    assert verbs(app) == []


def test_an_invitation_is_taken_back_and_a_second_one_ends_the_first(
    app: Flask, people: dict[str, str], client: PageClient
) -> None:
    owner = signed_in(app, people["owner"])
    for role in ("manager", "presenter"):
        assert send(owner, PAGE, email="new@olu-trains.example", role=role).status_code == 303
    first, second = (link_in(each) for each in letters(app, "new@olu-trains.example"))
    assert client.get(first).status_code == 410
    assert client.get(second).status_code == 200

    with app.app_context():
        newest = db.session.scalar(select(func.max(SignInLink.id)))
    assert press(owner, PAGE, f"/invitations/{newest}/").status_code == 303
    assert client.get(second).status_code == 410
    assert send(owner, PAGE, f"{PAGE}/invitations/{newest}/withdrawal").status_code == 409
    assert verbs(app) == ["team_invited", "team_invited", "team_invitation_taken_back"]


def test_a_role_is_changed_and_holds_at_once(app: Flask, people: dict[str, str]) -> None:
    owner, manager = signed_in(app, people["owner"]), signed_in(app, people["manager"])
    assert manager.get(PAGE).status_code == 404

    assert press(owner, PAGE, f"/team/{number(people['manager'])}/role", role="owner").status_code == 303

    assert manager.get(PAGE).status_code == 200
    assert verbs(app) == ["team_role_changed"]


def test_who_is_removed_is_signed_out_and_has_no_way_back(app: Flask, people: dict[str, str]) -> None:
    owner, manager = signed_in(app, people["owner"]), signed_in(app, people["manager"])
    assert manager.get("/organise/olu-trains/bookings").status_code == 200
    with arranged(app):
        invited = signing_in.Invited(an_organiser().id, "manager")
        made = signing_in.make(PEOPLE["manager"], "invitation", clock.now(), invited=invited)

    assert press(owner, PAGE, f"/team/{number(people['manager'])}/removal").status_code == 303

    assert manager.get("/me").status_code == 303
    assert PEOPLE["manager"] not in roles(app)
    with app.app_context():
        assert signing_in.find(made.token, "invitation", clock.now()) is None
    assert verbs(app) == ["team_removed"]


def test_the_last_owner_stays(app: Flask, people: dict[str, str]) -> None:
    owner = signed_in(app, people["owner"])
    mine = number(people["owner"])

    for action, typed in ((f"/team/{mine}/role", {"role": "manager"}), (f"/team/{mine}/removal", {})):
        refused = press(owner, PAGE, action, **typed)
        assert refused.status_code == 409
        assert "Make somebody else an owner first" in main_text(refused)
    assert roles(app)[PEOPLE["owner"]] == "owner"
    assert verbs(app) == []


@pytest.mark.both_databases
def test_two_owners_who_remove_each_other_leave_one(app: Flask, clock: Clock) -> None:
    with arranged(app):
        organiser = an_organiser()
        users = [a_user(email=f"{n}@x.example") for n in range(2)]
        for user in users:
            a_membership(user=user, organiser=organiser, role="owner")
        own, ids = organiser.id, [user.id for user in users]

    def remove(user_id: int) -> None:
        with db.writing():
            team.remove(own, user_id, actor="user:0", now=clock.now())

    def demote(user_id: int) -> None:
        with db.writing():
            team.change_role(own, user_id, "manager", actor="user:0", now=clock.now())

    results = at_once(app, [lambda: remove(ids[0]), lambda: demote(ids[1])])

    assert sum(isinstance(each, team.LastOwner) for each in results) == 1
    assert list(roles(app).values()).count("owner") == 1


def test_an_old_invitation_takes_no_owner_away(app: Flask, people: dict[str, str]) -> None:
    with arranged(app):
        own = an_organiser().id
        made = signing_in.make(PEOPLE["owner"], "invitation", clock.now(), invited=signing_in.Invited(own, "presenter"))
    with app.app_context(), db.writing():
        assert signing_in.spend(made.token, "invitation", clock.now())

    assert roles(app)[PEOPLE["owner"]] == "owner"


def test_members_of_another_organiser_cannot_be_touched(app: Flask, people: dict[str, str]) -> None:
    owner = signed_in(app, people["owner"])
    theirs = number(people["other_owner"])

    assert send(owner, PAGE, f"{PAGE}/{theirs}/removal").status_code == 409
    assert send(owner, PAGE, f"{PAGE}/{theirs}/role", role="presenter").status_code == 409
    assert signed_in(app, people["other_owner"]).get("/organise/pim/team").status_code == 200
