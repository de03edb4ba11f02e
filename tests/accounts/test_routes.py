"""Signing in and out, a new password, an invitation, as browsers see them."""

import re
from collections.abc import Callable
from urllib.parse import quote, urljoin, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy.record_queries import get_recorded_queries
from sqlalchemy import func, select

from accounts import passwords, signing_in
from accounts.models import Membership, SignInLink, User
from lib import clock, db
from mail import jobs, render
from tests.accounts.browsing import a_link, is_signed_in, letters, link_in, send, sign_in
from tests.builders import a_user, an_organiser, arranged
from tests.conftest import Clock, Mailbox, Person
from tests.page import PageClient, main_text

Browser = Callable[[], PageClient]
WORDS = "three words in a row"


@pytest.fixture
def ann_has_a_password(app: Flask, ann: Person) -> None:
    with arranged(app):
        a_user(email=ann.email, name=ann.name, password_hash=passwords.hashed(WORDS))


def rows(app: Flask, model: type[User | SignInLink | Membership]) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(model)) or 0


# By link


def test_a_link_by_email_signs_in(app: Flask, client: PageClient, ann: Person) -> None:
    answer = send(client, "/sign-in", email=f"  {ann.email.upper()} ")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in/sent")
    assert ann.email in main_text(client.get("/sign-in/sent"))
    link = link_in(letters(app, ann.email)[-1])
    page = client.get(link)
    assert f"Sign in as {ann.email}" in main_text(page)
    assert not is_signed_in(client)
    answer = send(client, link)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/me")
    assert is_signed_in(client)
    assert rows(app, User) == 1


def test_the_letter_arrives_with_the_link_in_both_forms(
    app: Flask, client: PageClient, ann: Person, mailbox: Mailbox
) -> None:
    link = a_link(client, app, ann.email)
    assert app.test_cli_runner().invoke(args=["work", "--once"]).exit_code == 0
    (letter,) = mailbox.letters(ann.email)
    assert letter["Subject"] == "Sign in to Colloquy"
    assert str(letter["From"]) == "Colloquy <post@colloquy.example>"
    for kind in ("plain", "html"):
        body = letter.get_body((kind,))
        assert body is not None
        assert f"http://localhost{link}" in body.get_content()
    assert letters(app, ann.email)[0].values["once_url"] == jobs.BLANK


def test_get_and_head_spend_nothing(app: Flask, browser: Browser, ann: Person) -> None:
    link = a_link(browser(), app, ann.email)
    scanner = browser()
    for _ in range(3):
        assert scanner.get(link).status_code == 200
        assert scanner.head(link).status_code == 200
    assert not is_signed_in(scanner)
    assert rows(app, User) == 0
    assert send(browser(), link).status_code == 303


def test_a_link_works_once_in_whichever_browser(app: Flask, browser: Browser, ann: Person) -> None:
    link = a_link(browser(), app, ann.email)
    first, second = browser(), browser()
    assert send(first, link).status_code == 303
    answer = second.get(link)
    assert answer.status_code == 410
    assert 'href="/sign-in"' in answer.get_data(as_text=True)
    assert send(second, "/sign-in", link).status_code == 410
    assert not is_signed_in(second)


@pytest.mark.parametrize("path", ["/sign-in/", "/password/", "/invitations/"])
def test_a_link_nobody_made_is_a_page_with_a_way_on(client: PageClient, path: str) -> None:
    answer = client.get(f"{path}{'x' * 43}")
    assert answer.status_code == 410
    assert "This link no longer works" in main_text(answer)
    assert send(client, "/sign-in", f"{path}{'x' * 43}", password=WORDS).status_code == 410
    assert answer.headers["Cache-Control"] == "no-store"


def test_after_twenty_minutes_a_link_is_a_page_with_a_way_on(
    app: Flask, browser: Browser, clock: Clock, ann: Person
) -> None:
    link, other = a_link(browser(), app, ann.email), a_link(browser(), app, ann.email)
    late = browser()
    late.get("/sign-in")
    clock.shift(minutes=20, seconds=-1)
    assert send(browser(), other).status_code == 303
    clock.shift(seconds=1)
    assert late.get(link).status_code == 410
    assert send(late, "/sign-in", link).status_code == 410


def test_pages_with_tokens_are_private(app: Flask, client: PageClient, ann: Person) -> None:
    links = [a_link(client, app, ann.email), a_link(client, app, ann.email, page="/password")]
    for link in links:
        answers = [client.get(link), send(client, link, password=WORDS), client.get(link)]
        assert [each.status_code for each in answers] == [200, 303, 410]
        for each in answers:
            assert each.headers["Cache-Control"] == "no-store"
            assert each.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("email", ["", "ines", "ines@", "a b@c.example", "ines@carraway.example, x@evil.example"])
def test_what_is_no_address_is_said_at_its_field(app: Flask, client: PageClient, email: str) -> None:
    for page in ("/sign-in", "/password"):
        answer = send(client, page, email=email)
        assert answer.status_code == 422
        text = answer.get_data(as_text=True)
        assert 'href="#email"' in text
        assert re.search(r'id="email"[^>]*aria-describedby="[^"]*email-error', text)
    assert not letters(app)


# Where to afterwards


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("/\t/evil.example", "/me"),
        ("////evil.example", "/me"),
        (" //evil.example", "/me"),
        ("//evil.example", "/me"),
        ("/\\evil.example", "/me"),
        ("\\\\evil.example", "/me"),
        ("https://evil.example", "/me"),
        ("/account?tab=1", "/account?tab=1"),
    ],
)
@pytest.mark.usefixtures("ann_has_a_password")
def test_sec_01_signing_in_never_leaves_the_site(
    app: Flask, browser: Browser, ann: Person, wanted: str, found: str
) -> None:
    page = f"/sign-in?next={quote(wanted)}"
    by_link, by_password = browser(), browser()
    link = a_link(by_link, app, ann.email, page=page, next=wanted)
    locations = [
        send(by_link, link).headers["Location"],
        send(by_password, page, "/sign-in", email=ann.email, password=WORDS, next=wanted).headers["Location"],
        by_password.get(page).headers["Location"],
    ]
    for location in locations:
        assert location == found
        assert not location.startswith("//")
        assert urlsplit(urljoin("http://localhost/sign-in", location)).netloc == "localhost"


def test_the_page_carries_next_through_its_forms(client: PageClient) -> None:
    text = client.get("/sign-in?next=/places/1-x").get_data(as_text=True)
    assert text.count('name="next" value="/places/1-x"') == 2


# Hostile hosts


@pytest.mark.parametrize("page", ["/sign-in", "/password"])
def test_sec_03_links_are_made_from_the_base_address_alone(
    app: Flask, client: PageClient, ann: Person, page: str
) -> None:
    hostile: dict[str, str] = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    plain = FlaskClient(app, app.response_class)
    assert plain.post(page, data={"email": ann.email}, headers=hostile).status_code == 400
    assert not letters(app)
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(page).get_data(as_text=True))
    assert found
    answer = client.post(
        page, data={"csrf_token": found[1], "email": ann.email}, headers={"X-Forwarded-Host": "evil.example"}
    )
    assert answer.status_code == 303
    (letter,) = letters(app)
    assert str(letter.values["once_url"]).startswith("http://localhost/")
    with app.app_context():
        parts = render.parts(letter)
    assert "evil.example" not in parts.text + parts.html + str(letter.values) + answer.headers["Location"]


# By password


@pytest.mark.usefixtures("ann_has_a_password")
def test_a_password_signs_in(client: PageClient, ann: Person) -> None:
    answer = send(client, "/sign-in", email=ann.email, password=WORDS)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/me")
    assert is_signed_in(client)


@pytest.mark.usefixtures("ann_has_a_password")
def test_a_wrong_password_an_unknown_address_and_none_set_get_the_same_words(
    app: Flask, browser: Browser, ann: Person, bob: Person, zed: Person
) -> None:
    with arranged(app):
        a_user(email=bob.email)
    said = []
    for email in (ann.email, bob.email, zed.email):
        client = browser()
        answer = send(client, "/sign-in", email=email, password="not the right one")
        assert answer.status_code == 422
        assert not is_signed_in(client)
        text = re.sub(r'name="csrf_token" value="[^"]+"', "", answer.get_data(as_text=True))
        said.append(text.replace(email, "EMAIL"))
    assert said[0] == said[1] == said[2]
    assert "do not belong together" in said[0]
    assert "not the right one" not in said[0]


@pytest.mark.usefixtures("ann_has_a_password")
def test_known_and_unknown_addresses_do_the_same_work(
    app: Flask, client: PageClient, ann: Person, zed: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str | None] = []
    real = passwords.is_right

    def counted(stored: str | None, password: str) -> bool:
        verified.append(stored)
        return real(stored, password)

    monkeypatch.setattr(passwords, "is_right", counted)
    for email in (ann.email, zed.email):
        send(client, "/sign-in", email=email, password="not the right one")
    assert len(verified) == 2
    assert verified[1] is None  # checked against the hash of nobody, see test_passwords
    for page in ("/sign-in", "/password"):
        statements = [statements_of(app, client, page, email) for email in (ann.email, zed.email)]
        assert statements[0] == statements[1]


def statements_of(app: Flask, client: PageClient, page: str, email: str) -> list[str | None]:
    """What asking for a link asks of the database."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(page).get_data(as_text=True))
    assert found
    with client:
        assert client.post(page, data={"csrf_token": found[1], "email": email}).status_code == 303
        return [query.statement for query in get_recorded_queries()]


def test_an_old_hash_is_made_anew_at_the_next_right_password(
    app: Flask, client: PageClient, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    with arranged(app):
        a_user(email=ann.email, password_hash=passwords.hashed(WORDS))
    monkeypatch.setattr(passwords, "needs_rehash", lambda stored: True)
    with app.app_context():
        before = db.session.scalars(select(User.password_hash)).one()
    assert send(client, "/sign-in", email=ann.email, password=WORDS).status_code == 303
    with app.app_context():
        after = db.session.scalars(select(User.password_hash)).one()
    assert after != before
    assert passwords.is_right(after, WORDS)
    assert is_signed_in(client)


# Sessions


def test_nothing_of_the_session_before_stays(app: Flask, client: PageClient, ann: Person) -> None:
    with client.session_transaction() as planted:
        planted["planted"] = "by somebody else"
    link = a_link(client, app, ann.email)
    send(client, link)
    with client.session_transaction() as session:
        assert "planted" not in session
        assert session.permanent


def test_signing_out_ends_the_session(app: Flask, client: PageClient, ann: Person) -> None:
    sign_in(client, app, ann.email)
    answer = send(client, "/password", "/sign-out")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert not is_signed_in(client)
    assert client.get("/sign-out").status_code == 405


def test_a_session_of_nobody_or_nonsense_is_nobody(app: Flask, client: PageClient) -> None:
    for session_id in ("1.1", "999.1", "x.1", "1", "", "٣.1"):
        with client.session_transaction() as session:
            session["_user_id"] = session_id
        assert not is_signed_in(client)


def test_who_is_signed_out_costs_no_statement(app: Flask, client: PageClient) -> None:
    with client:
        client.get("/sign-in")
        assert get_recorded_queries() == []


# A new password


def test_a_new_password_ends_every_other_session(app: Flask, browser: Browser, ann: Person) -> None:
    elsewhere, here = browser(), browser()
    sign_in(elsewhere, app, ann.email)
    assert is_signed_in(elsewhere)
    link = a_link(here, app, ann.email, page="/password")
    assert ann.email in main_text(here.get(link))
    assert send(here, link, password=WORDS).status_code == 303
    assert is_signed_in(here)
    assert not is_signed_in(elsewhere)
    assert send(elsewhere, "/sign-in", email=ann.email, password=WORDS).status_code == 303


def test_an_unknown_address_gets_the_letter_too_and_becomes_known(app: Flask, client: PageClient, zed: Person) -> None:
    link = a_link(client, app, zed.email, page="/password")
    assert rows(app, User) == 0
    assert send(client, link, password=WORDS).status_code == 303
    assert rows(app, User) == 1


@pytest.mark.parametrize("password", ["", "short", "aaaaaaaaaaaa", "x" * 201])
def test_a_password_too_weak_is_said_and_spends_nothing(
    app: Flask, client: PageClient, ann: Person, password: str
) -> None:
    link = a_link(client, app, ann.email, page="/password")
    answer = send(client, link, password=password)
    assert answer.status_code == 422
    assert 'href="#password"' in answer.get_data(as_text=True)
    assert send(client, link, password=WORDS).status_code == 303


def test_a_link_to_sign_in_sets_no_password(app: Flask, client: PageClient, ann: Person) -> None:
    token = a_link(client, app, ann.email).rpartition("/")[2]
    assert client.get(f"/password/{token}").status_code == 410
    assert send(client, "/password", f"/password/{token}", password=WORDS).status_code == 410
    assert client.get(f"/sign-in/{token}").status_code == 200


# An invitation


def invitation(app: Flask, email: str) -> str:
    with arranged(app):
        invited = signing_in.Invited(an_organiser().id, "owner")
        return f"/invitations/{signing_in.make(email, 'invitation', clock.now(), invited=invited).token}"


def test_an_invitation_is_accepted_by_a_button_once(app: Flask, browser: Browser, olu: Person) -> None:
    link, client = invitation(app, olu.email), browser()
    page = client.get(link)
    assert "Join Olu Trains" in main_text(page)
    assert "an owner" in main_text(page)
    assert rows(app, Membership) == 0
    answer = send(client, link)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/me")
    assert is_signed_in(client)
    assert rows(app, Membership) == 1
    again = browser().get(link)
    assert again.status_code == 410
    assert "seven days" in main_text(again)


# Forged and frequent


@pytest.mark.parametrize(
    "path", ["/sign-in", "/sign-in/abc", "/sign-out", "/password", "/password/abc", "/invitations/abc"]
)
def test_no_form_works_without_its_token(app: Flask, client: PageClient, ann: Person, path: str) -> None:
    assert client.post(path, data={"email": ann.email, "password": WORDS}).status_code == 400
    assert not letters(app)


@pytest.mark.usefixtures("limited")
@pytest.mark.parametrize("page", ["/sign-in", "/password"])
def test_an_address_gets_five_letters_in_fifteen_minutes(
    app: Flask, browser: Browser, ann: Person, bob: Person, page: str
) -> None:
    spellings = [ann.email, ann.email.upper(), f" {ann.email}", ann.email.replace("@", "+x@"), ann.email]
    for typed in spellings:
        assert send(browser(), page, email=typed).status_code == 303
    answer = send(browser(), page, email=ann.email)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 15 * 60
    assert len(letters(app)) == 5
    assert send(browser(), page, email=bob.email).status_code == 303


@pytest.mark.usefixtures("limited", "ann_has_a_password")
def test_an_address_has_ten_tries_at_its_password_and_links_go_on(
    app: Flask, browser: Browser, ann: Person, zed: Person
) -> None:
    for email in (ann.email, zed.email):
        for _ in range(10):
            assert send(browser(), "/sign-in", email=email, password="not the right one").status_code == 422
        answer = send(browser(), "/sign-in", email=email, password=WORDS)
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) > 0
    assert send(browser(), "/sign-in", email=ann.email).status_code == 303
