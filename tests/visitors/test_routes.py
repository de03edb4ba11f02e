"""The pages for everybody, and the one that gathers what is somebody's own."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from bookings import terms
from bookings.models import Attendee, Booking
from lib import db, work
from mail.models import Letter
from tests.accounts.browsing import send, sign_in
from tests.bookings.making import ANN, BOB, a_wish, held, lapse, paid
from tests.bookings.waiting_people import a_full_workshop, give_up, token_of, waits, work_off
from tests.builders import a_user, a_workshop, an_organiser, arranged
from tests.conftest import Clock, Mailbox, Person
from tests.page import PageClient, main_text, tree

pytestmark = pytest.mark.proved_on_both
FORMATS = ((9, "hybrid"), (3, "room"), (6, "online_live"))


def hrefs(client: PageClient, path: str) -> list[str]:
    answer = client.get(path)
    assert answer.status_code == 200
    (main,) = tree(answer.get_data(as_text=True)).iter("main")
    return [each.get("href", "") for each in main.iter("a")]


def run_due(app: Flask) -> None:
    with app.app_context():
        work.run_due(app.extensions["handlers"])


def letters(app: Flask, template: str = "my_links") -> list[Letter]:
    with app.app_context():
        found = list(db.session.scalars(select(Letter).where(Letter.template == template).order_by(Letter.id)))
        db.session.expunge_all()
        return found


# Home


@pytest.mark.parametrize(
    ("is_first_full", "shown"), [(False, (3, 9, 12, 15, 18)), (True, (9, 3, 12, 15, 18))], ids=["free", "first is full"]
)
def test_home_leads_to_the_next_that_can_be_booked_and_to_four_more(
    app: Flask, clock: Clock, client: PageClient, is_first_full: bool, shown: tuple[int, ...]
) -> None:
    with arranged(app):
        for days in (9, 3, -3, 30, 12, 15, 18, 21):
            a_workshop(slug=f"in-{days}", in_days=days, capacity=0 if days == 3 and is_first_full else 20)
        a_workshop(slug="draft", in_days=1, status="draft")

    found = [each for each in hrefs(client, "/") if each.startswith("/workshops/")]

    assert found == [f"/workshops/in-{days}" for days in shown]


@pytest.mark.parametrize("number", [0, 1])
def test_home_stands_with_little_to_show(app: Flask, clock: Clock, client: PageClient, number: int) -> None:
    with arranged(app):
        for n in range(number):
            a_workshop(slug=f"number-{n}")

    assert "/workshops.ics" in hrefs(client, "/")


# What is somebody's own


def test_my_page_is_for_who_is_signed_in(app: Flask, clock: Clock, client: PageClient) -> None:
    answer = client.get("/me")

    assert (answer.status_code, answer.location) == (303, "/sign-in?next=/me")


def test_my_page_holds_the_places_and_bookings_of_the_verified_address_and_no_other(
    app: Flask, clock: Clock, client: PageClient, bea: Person, ann: Person
) -> None:
    with arranged(app):
        one = a_workshop(slug="one", title="Grief at Work").slug
        two = a_workshop(slug="two", title="Supervision Skills", in_days=40).slug
    hers = paid(app, a_wish(one, people=[ANN, BOB], booker=(bea.name, bea.email)))
    own = paid(app, a_wish(two, people=[ANN], booker=(ann.name, ann.email)))
    gone = held(app, a_wish(two, people=[ANN], booker=(ann.name, ann.email)))
    lapse(app, gone)
    others = paid(app, a_wish(two, people=[BOB], booker=("Bob", BOB[1])))

    assert sign_in(client, app, ann.email).status_code == 303
    answer = client.get("/me")

    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    links = hrefs(client, "/me")
    assert [each for each in links if "/places/" in each] == [own.places[0], hers.places[0]]
    assert [each for each in links if "/bookings/" in each] == [own.url]
    said = answer.get_data(as_text=True)
    assert "Grief at Work" in said
    assert "Supervision Skills" in said
    for leak in (hers.reference, others.reference, gone.reference, hers.places[1], others.places[0], *BOB, bea.email):
        assert leak not in said
    for link in (own.places[0], hers.places[0], own.url):
        assert client.get(link).status_code == 200


def test_my_page_and_the_letter_with_links_say_where_somebody_waits(
    app: Flask, clock: Clock, client: PageClient
) -> None:
    full, (holder,) = a_full_workshop(app, title="Grief at Work")
    other, _ = a_full_workshop(app, title="Over Soon", in_days=1)
    number = waits(app, full, "first")
    waits(app, full, "second")
    waits(app, other, "first")
    mine = f"http://localhost/waiting/{token_of(app, number)}"
    sign_in(client, app, "first@waits.example")

    assert "Grief at Work You are number 1 in the list. Nobody is ahead" in main_text(client.get("/me"))
    assert mine in hrefs(client, "/me")
    assert client.get(mine).status_code == 200
    give_up(app, holder)
    work_off(app)
    assert "One place is held for you until Thursday 4 March 2027, 09:00 GMT (London)." in main_text(client.get("/me"))
    clock.shift(days=2, hours=1)
    said = main_text(client.get("/me"))
    assert "The offer was not used in time" in said
    assert "Over Soon" not in said
    run_due(app)
    for email in ("first@waits.example", "second@waits.example"):
        send(client, "/links", email=email)
    run_due(app)
    (letter,) = letters(app)  # nothing is left of the first
    assert letter.to_email == "second@waits.example"
    assert [each["title"] for each in letter.values["waiting"]] == ["Grief at Work"]


@pytest.mark.parametrize("state", ["held", "awaiting_bank", "awaiting_invoice", "confirmed", "cancelled"])
def test_my_page_stands_in_every_state_a_booking_can_have(
    app: Flask, clock: Clock, client: PageClient, bea: Person, state: str
) -> None:
    with arranged(app):
        slug = a_workshop().slug
    made = held(app, a_wish(slug, booker=(bea.name, bea.email)))
    if state != "held":
        with arranged(app):
            db.session.execute(update(Booking).values(state=state, held_until=None))
    sign_in(client, app, bea.email)

    answer = client.get("/me")

    assert made.reference in main_text(answer)
    assert ("confirmed" in main_text(answer).lower()) == (state == "confirmed")


def test_my_page_leads_into_the_room_of_the_session_that_runs_or_comes_next(
    app: Flask, clock: Clock, client: PageClient
) -> None:
    with arranged(app):
        slugs = [a_workshop(in_days=days, format=form, title=f"In {days}").slug for days, form in FORMATS]
    for slug in slugs:
        paid(app, a_wish(slug))
    sign_in(client, app, ANN[1])

    rooms = [each for each in hrefs(client, "/me") if "/join/" in each]
    assert len(rooms) == 1
    assert "Next In 6 Monday 8 March 2027, 10:00–16:00 GMT (London)" in main_text(client.get("/me"))
    assert "In 6" in main_text(client.get(rooms[0].removeprefix("http://localhost")))
    clock.set("2027-03-08T11:00:00Z")
    assert "On now In 6" in main_text(client.get("/me"))
    clock.set("2027-03-08T16:00:00Z")
    assert "Next In 9" in main_text(client.get("/me"))
    clock.shift(days=30)
    assert [each for each in hrefs(client, "/me") if "/join/" in each] == []


def test_a_stranger_s_page_is_empty(app: Flask, clock: Clock, client: PageClient, zed: Person) -> None:
    with arranged(app):
        slug = a_workshop(title="Grief at Work").slug
    made = paid(app, a_wish(slug))
    sign_in(client, app, zed.email)

    said = client.get("/me").get_data(as_text=True)

    assert [each for each in (made.reference, *ANN, "Grief at Work", "/places/", "key=") if each in said] == []


def test_who_is_in_a_team_finds_its_back_office(app: Flask, clock: Clock, client: PageClient, olu: Person) -> None:
    with arranged(app):
        an_organiser(owner=a_user(email=olu.email))
        an_organiser(slug="elsewhere", name="Elsewhere")
    sign_in(client, app, olu.email)

    assert [each for each in hrefs(client, "/me") if each.startswith("/organise/")] == ["/organise/olu-trains/"]
    assert client.get("/organise/olu-trains/").status_code == 200


# Lost links


def test_the_answer_is_the_same_for_every_address_and_asks_the_database_nothing_about_it(
    app: Flask, clock: Clock, client: PageClient
) -> None:
    with arranged(app):
        slug = a_workshop().slug
    paid(app, a_wish(slug))

    known, unknown = (send(client, "/links", email=email) for email in (ANN[1], "nobody@x.example"))

    assert known.status_code == unknown.status_code == 303
    assert known.location == unknown.location == "/links?sent=1"
    assert known.get_data() == unknown.get_data()
    assert letters(app) == []
    page = client.get("/links?sent=1")
    assert ANN[1] not in page.get_data(as_text=True)


def test_the_worker_writes_one_letter_with_all_links_to_a_known_address_and_none_to_another(
    app: Flask, clock: Clock, client: PageClient, mailbox: Mailbox, ann: Person
) -> None:
    with arranged(app):
        one, two = a_workshop(slug="one").slug, a_workshop(slug="two", in_days=40).slug
    hers = paid(app, a_wish(one, people=[ANN, BOB]))
    own = paid(app, a_wish(two, people=[ANN], booker=(ann.name, ann.email)))
    run_due(app)
    mailbox.clear()

    for email in (" ANN@clinic.example ", "nobody@x.example"):
        assert send(client, "/links", email=email).status_code == 303
    run_due(app)

    (letter,) = mailbox.letters()
    assert letter["To"].addresses[0].addr_spec == ann.email
    assert len(letter["To"].addresses) == 1
    plain = letter.get_body(("plain",))
    assert plain
    said = plain.get_content()
    for link in (hers.places[0], own.places[0], own.url):
        assert link in said
    for leak in (hers.places[1], hers.reference, *BOB):
        assert leak not in said


def test_a_new_version_of_a_link_is_what_the_next_letter_holds(
    app: Flask, clock: Clock, client: PageClient, mailbox: Mailbox
) -> None:
    with arranged(app):
        slug = a_workshop().slug
    made = paid(app, a_wish(slug))
    with arranged(app):
        db.session.execute(update(Attendee).values(link_version=2))

    send(client, "/links", email=ANN[1])
    run_due(app)

    (found,) = [each.values["places"] for each in letters(app)]
    assert [each["url"] for each in found] != [made.places[0]]
    assert client.get(found[0]["url"]).status_code == 200
    assert client.get(made.places[0]).status_code == 404


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "typed", ["", "ann@", "ann@clinic.example, bob@x.example", "x\r\nBcc: y@x.example", "\x00", "<b>x"]
)
def test_what_is_no_address_is_said_at_the_field(app: Flask, clock: Clock, client: PageClient, typed: str) -> None:
    answer = send(client, "/links", email=typed)

    assert answer.status_code == 422
    root = tree(answer.get_data(as_text=True))
    (field,) = [each for each in root.iter("input") if each.get("name") == "email"]
    assert field.get("aria-invalid") == "true"
    assert "email-error" in (field.get("aria-describedby") or "")
    with app.app_context():
        assert db.session.scalars(select(work.Job)).all() == []


def test_one_address_asks_five_times_a_quarter_of_an_hour(
    app: Flask, clock: Clock, client: PageClient, limited: None
) -> None:
    answers = [send(client, "/links", email=ANN[1]) for _ in range(5)]
    last = send(client, "/links", email=" Ann@Clinic.example")

    assert [each.status_code for each in answers] == [303] * 5
    assert last.status_code == 429
    assert 0 < int(last.headers["Retry-After"]) <= 900
    assert send(client, "/links", email=BOB[1]).status_code == 303


# The house's own texts


@pytest.mark.parametrize("path", ["/terms", "/privacy"])
def test_terms_and_privacy_carry_their_version(app: Flask, clock: Clock, client: PageClient, path: str) -> None:
    assert f"Version {terms.CURRENT}" in main_text(client.get(path))


def test_the_footer_of_every_page_leads_to_them(app: Flask, clock: Clock, client: PageClient) -> None:
    for path in ("/", "/terms", "/nowhere"):
        (foot,) = tree(client.get(path).get_data(as_text=True)).iter("footer")
        links = {each.get("href") for each in foot.iter("a")}
        assert {"/terms", "/privacy", "/accessibility", "/links", "/workshops"} <= links
        for link in links:
            assert client.get(link or "").status_code in (200, 303)


def test_static_files_are_kept_by_browsers_for_an_hour(app: Flask, clock: Clock, client: PageClient) -> None:
    answer = client.get("/static/css/colloquy.css")

    assert answer.cache_control.max_age == timedelta(hours=1).total_seconds()
    answer.close()
