"""The booker's page and the attendee's page: what each shows, to whom, and what it never says."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from icalendar import Calendar
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from bookings.models import Attendee, Booking, SentInvite
from courses import places
from courses.models import Pool
from lib import db, links, zones
from tests.bookings.filling import send, typed
from tests.bookings.making import ANN, BOB, Made, a_wish, held, lapse, paid, receive, settle_again, state_of
from tests.builders import a_code, a_meeting, a_question, a_ticket, a_workshop, arranged
from tests.conftest import Clock, Person
from tests.page import PageClient, form, main_text, tree

pytestmark = pytest.mark.proved_on_both

Browser = Callable[[], PageClient]
CY = ("Cy Carr", "cy@third.example")
NEVER_WHILE_WAITING = ("failed", "not paid", "unpaid", "confirmed")


@pytest.fixture
def slug(app: Flask) -> str:
    """A workshop of two sessions, one in summer and one in winter, that asks each attendee something."""
    with arranged(app):
        workshop = a_workshop(
            slug="supervision",
            title="Supervision Skills",
            capacity=4,
            sessions=[
                a_meeting(in_days=9, starts="18:00", ends="20:00"),
                a_meeting(in_days=40, starts="18:00", ends="20:00"),
            ],
        )
        a_question(workshop, code="needs", label="What do you need?", is_private=True)
        a_code(code="SPRING25", percent=25)
        return workshop.slug


def a_booking(app: Flask, slug: str, *, is_paid: bool = True) -> Made:
    """Bea books Ann and Bob, with a code, and each has answered."""
    with app.app_context():
        question = db.session.execute(select(db.Base.metadata.tables["question"].c.id)).scalar_one()
    wish = a_wish(slug, people=[ANN, BOB], code="SPRING25", answers={question: "a quiet corner"})
    return paid(app, wish) if is_paid else held(app, wish)


def missing(client: PageClient) -> bytes:
    """The body of an address where there is nothing."""
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    return answer.get_data()


def is_missing(client: PageClient, path: str) -> bool:
    answer = client.get(path)
    return (answer.status_code, answer.get_data()) == (404, missing(client))


def key_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["key"][0]


def token_of(place: str) -> str:
    return urlsplit(place).path.rpartition("/")[2]


def assert_private(answer: TestResponse) -> None:
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


# The booker's page


def test_the_booker_sees_money_names_and_the_state(app: Flask, clock: Clock, client: PageClient, slug: str) -> None:
    made = a_booking(app, slug)

    answer = client.get(made.url)

    assert_private(answer)
    said = main_text(answer)
    for expected in (
        made.reference,
        "£252.00",
        "£336.00",
        "SPRING25",
        ANN[0],
        ANN[1],
        BOB[0],
        BOB[1],
        "Supervision Skills",
    ):
        assert expected in said
    html = answer.get_data(as_text=True)
    assert "/places/" not in html
    assert "quiet corner" not in html
    for place in made.places:
        assert token_of(place) not in html


@pytest.mark.parametrize("is_paid", [True, False])
def test_the_booking_for_programs_word_for_word(
    app: Flask, clock: Clock, client: PageClient, slug: str, is_paid: bool
) -> None:
    made = a_booking(app, slug, is_paid=is_paid)
    with app.app_context():
        until = db.session.get_one(Booking, made.id).held_until

    answer = client.get(f"/bookings/{made.reference}.json?key={key_of(made.url)}")

    assert_private(answer)
    state = "confirmed" if is_paid else "held"
    assert answer.get_json() == {
        "reference": made.reference,
        "state": state,
        "bill": {
            "total_minor": 25200,
            "paid_minor": 25200 if is_paid else 0,
            "refunded_minor": 0,
            "credit_minor": 0,
            "currency": "GBP",
        },
        "held_until": zones.z(until) if until else None,
        "attendees": [{"n": 0, "name": ANN[0], "state": state}, {"n": 1, "name": BOB[0], "state": state}],
    }
    assert bool(until) == (not is_paid)


def test_a_hold_that_ran_out_has_lapsed_tidied_or_not(app: Flask, clock: Clock, client: PageClient, slug: str) -> None:
    made = a_booking(app, slug, is_paid=False)
    path = f"/bookings/{made.reference}.json?key={key_of(made.url)}"
    with app.app_context():
        until = db.session.get_one(Booking, made.id).held_until
        assert until
    clock.set(until)

    untidied = client.get(path).get_json()
    page = main_text(client.get(made.url))
    assert state_of(app, made) == "held"
    lapse(app, made)
    tidied = client.get(path).get_json()

    assert (untidied["state"], untidied["held_until"]) == (tidied["state"], tidied["held_until"]) == ("lapsed", None)
    assert page == main_text(client.get(made.url))


def in_state(app: Flask, clock: Clock, slug: str, state: str) -> Made:
    """A booking of two that got into a state the way bookings do."""
    made = a_booking(app, slug, is_paid=state == "confirmed")
    if state == "awaiting_bank":
        receive(app, made, payment_status="unpaid", intent_status="processing")
    elif state == "lapsed":
        clock.shift(hours=1)
        lapse(app, made)
    elif state == "bank said no":
        receive(app, made, payment_status="unpaid", intent_status="processing")
        settle_again(app, made, payment_status="unpaid", intent_status="requires_payment_method")
    elif state == "sent back":
        clock.shift(hours=1)
        with arranged(app):
            room = db.session.scalars(select(Pool)).one()
            places.hold({room.id: 4}, organiser_id=room.organiser_id, until=clock.at.replace(year=2028), now=clock.at)
        receive(app, made)
    return made


@pytest.mark.parametrize("query", ["", "&returned=paid", "&returned=left"])
@pytest.mark.parametrize("state", ["held", "awaiting_bank", "confirmed", "lapsed", "bank said no", "sent back"])
def test_the_page_says_confirmed_exactly_when_it_is_and_a_waiting_one_never_gives_up(
    app: Flask, clock: Clock, client: PageClient, slug: str, state: str, query: str
) -> None:
    made = in_state(app, clock, slug, state)
    expected = {"bank said no": "lapsed", "sent back": "lapsed"}.get(state, state)

    answer = client.get(made.url + query)

    assert_private(answer)
    told = client.get(f"/bookings/{made.reference}.json").get_json()
    assert told["state"] == expected
    said = answer.get_data(as_text=True).lower()
    assert ("confirmed" in said) == (expected == "confirmed")
    if expected != "confirmed":
        assert [words for words in NEVER_WHILE_WAITING if words in said] == []
    assert told["bill"]["refunded_minor"] == (25200 if state == "sent back" else 0)
    assert ("£252.00 is on its way back" in main_text(answer)) == (state == "sent back")


@pytest.mark.parametrize(
    ("state", "has_button"), [("held", True), ("awaiting_bank", False), ("confirmed", False), ("lapsed", False)]
)
def test_only_a_held_booking_leads_on_to_pay(
    app: Flask, clock: Clock, client: PageClient, slug: str, state: str, has_button: bool
) -> None:
    made = in_state(app, clock, slug, state)

    root = tree(client.get(made.url).get_data(as_text=True))

    actions = [each.get("action") for each in root.iter("form")]
    assert (f"/bookings/{made.reference}/payment" in actions) == has_button


def test_paying_on_a_lapsed_hold_is_gone_with_a_way_on(app: Flask, clock: Clock, client: PageClient, slug: str) -> None:
    made = a_booking(app, slug, is_paid=False)
    to_pay = form(client.get(made.url), "/payment")
    clock.shift(hours=1)

    page = client.submit(to_pay)
    told = client.post(to_pay.action, data=to_pay.sent(), headers={"Accept": "application/json"})

    assert page.status_code == told.status_code == 410
    assert told.get_json()["refusal"] == "hold_lapsed"
    assert "/workshops/supervision" in page.get_data(as_text=True)
    assert client.get(made.url).status_code == 200


def test_the_countdown_is_the_payment_page_s_end(app: Flask, clock: Clock, client: PageClient, slug: str) -> None:
    made = a_booking(app, slug, is_paid=False)
    clock.shift(minutes=10)

    root = tree(client.get(made.url).get_data(as_text=True))

    (countdown,) = [each for each in root.iter() if each.get("data-countdown") is not None]
    assert countdown.get("data-countdown") == str(21 * 60)
    assert "09:31 GMT" in "".join(countdown.itertext())


# Keys


def test_a_right_key_opens_the_booking_for_that_browser_and_no_other(
    app: Flask, clock: Clock, client: PageClient, browser: Browser, slug: str
) -> None:
    made = a_booking(app, slug)
    bare = f"/bookings/{made.reference}"
    assert is_missing(client, bare)

    assert client.get(made.url).status_code == 200

    assert client.get(bare).status_code == 200
    assert client.get(f"{bare}.json").status_code == 200
    assert client.get(f"/bookings/{made.reference.lower().replace('-', '')}").status_code == 200
    assert is_missing(browser(), bare)


def test_wrong_keys_open_nothing_and_say_nothing(
    app: Flask, clock: Clock, client: PageClient, browser: Browser, slug: str
) -> None:
    made, other = a_booking(app, slug), paid(app, a_wish(slug, people=[CY]))
    right = key_of(made.url)
    with app.app_context():
        wrong = {
            "",
            "x",
            right[:-1],
            right + "A",
            right.swapcase(),
            key_of(other.url),
            links.sign("booking", made.id, 2),
            links.sign("place", made.id, 1),
            links.token("booking", made.id, 1),
            token_of(made.places[0]).partition("-")[2],
            "é" * 27,
        }

    for key in wrong:
        for path in (f"/bookings/{made.reference}", f"/bookings/{made.reference}.json"):
            answer = client.get(path, query_string={"key": key})
            assert (answer.status_code, answer.get_data()) == (404, missing(client)), key
    assert is_missing(client, f"/bookings/{made.reference}?key={right}".replace(made.reference, "CQ-2222-22"))


def test_a_higher_version_ends_every_older_link_and_the_browsers_that_used_one(
    app: Flask, clock: Clock, client: PageClient, slug: str
) -> None:
    made = a_booking(app, slug)
    assert client.get(made.url).status_code == 200
    assert client.get(made.places[0]).status_code == 200
    with arranged(app):
        db.session.execute(update(Booking).values(link_version=2))
        db.session.execute(update(Attendee).where(Attendee.n == 0).values(link_version=2))

    assert is_missing(client, made.url)
    assert is_missing(client, f"/bookings/{made.reference}")
    assert is_missing(client, made.places[0])
    assert client.get(made.places[1]).status_code == 200
    with app.app_context():
        key = links.sign("booking", made.id, 2)
    assert client.get(f"/bookings/{made.reference}?key={key}").status_code == 200


def test_a_key_has_at_least_128_bits(app: Flask, clock: Clock, slug: str) -> None:
    made = a_booking(app, slug)

    for signature in (key_of(made.url), token_of(made.places[0]).partition("-")[2]):
        assert re.fullmatch(r"[A-Za-z0-9_-]{27}", signature)


# The attendee's page


def test_the_place_for_programs_word_for_word(app: Flask, clock: Clock, client: PageClient, slug: str) -> None:
    made = a_booking(app, slug)
    token = token_of(made.places[0])
    with app.app_context():
        join_url = f"http://localhost/join/{links.token('join', int(token.partition('-')[0]), 1)}"

    answer = client.get(f"/places/{token}.json")

    assert_private(answer)
    told = answer.get_json()
    google = told.pop("calendar_links")
    assert told == {
        "attendee": ANN[0],
        "workshop": slug,
        "state": "confirmed",
        "sessions": [
            {"starts_at": "2027-03-11T18:00:00Z", "join_url": join_url},
            {"starts_at": "2027-04-11T17:00:00Z", "join_url": join_url},
        ],
        "recordings": [],
        "invite_urls": [f"http://localhost/places/{token}/invites/{n}.ics" for n in (1, 2)],
        "feed_url": None,
    }
    assert [parse_qs(urlsplit(each).query)["dates"] for each in google] == [
        ["20270311T180000Z/20270311T200000Z"],
        ["20270411T170000Z/20270411T190000Z"],
    ]
    for url in told["invite_urls"]:
        assert client.get(url).status_code == 200


def test_a_place_shows_its_times_and_no_money_and_nobody_else(
    app: Flask, clock: Clock, client: PageClient, slug: str
) -> None:
    made = a_booking(app, slug)
    paid(app, a_wish(slug, people=[CY]))

    page = client.get(made.places[0])

    assert_private(page)
    html = page.get_data(as_text=True)
    with app.app_context():
        attendee = db.session.scalars(select(Attendee).where(Attendee.email == ANN[1])).one()
        lines = [zones.line(each.starts_at, each.ends_at, each.zone) for each in attendee.workshop.sessions]
    for line in lines:
        assert html.count(line) == 1
    assert ANN[0] in main_text(page)
    everything = html + client.get(f"/places/{token_of(made.places[0])}.json").get_data(as_text=True)
    for leak in (
        *BOB,
        *CY,
        "Bea Booker",
        "bea@clinic.example",
        made.reference,
        "£",
        "GBP",
        "252",
        "16800",
        "12600",
        "SPRING25",
        token_of(made.places[1]),
        "key=",
    ):
        assert leak not in everything, leak


@pytest.mark.parametrize("state", ["held", "awaiting_bank", "lapsed"])
def test_without_a_place_there_are_no_invites_and_no_promise(
    app: Flask, clock: Clock, client: PageClient, slug: str, state: str
) -> None:
    made = in_state(app, clock, slug, state)
    token = token_of(made.places[0])

    page, told = client.get(made.places[0]), client.get(f"/places/{token}.json").get_json()

    assert_private(page)
    said = page.get_data(as_text=True).lower()
    assert [words for words in NEVER_WHILE_WAITING if words in said] == []
    assert "you have a place" not in said
    assert "/invites/" not in said
    assert (told["state"], told["invite_urls"], told["calendar_links"]) == (state, [], [])
    assert is_missing(client, f"/places/{token}/invites/1.ics")


def test_ics_09_a_download_names_its_own_attendee_and_nobody_else(
    app: Flask, clock: Clock, client: PageClient, slug: str
) -> None:
    made = a_booking(app, slug)
    with app.app_context():
        invites = db.session.scalars(
            select(SentInvite).join(Attendee, Attendee.id == SentInvite.attendee_id).where(Attendee.n == 0)
        ).all()
        uids = [each.uid for each in sorted(invites, key=lambda each: each.starts_at)]

    for number, uid in enumerate(uids, 1):
        answer = client.get(f"{made.places[0]}/invites/{number}.ics")
        assert_private(answer)
        assert answer.content_type == "text/calendar; charset=utf-8"
        body = answer.get_data()
        unfolded = body.replace(b"\r\n ", b"")
        (event,) = Calendar.from_ical(body).walk("VEVENT")
        assert event["ATTENDEE"] == "mailto:ann@clinic.example"
        assert unfolded.count(b"ATTENDEE") == 1
        assert str(event["UID"]) == uid
        assert b"METHOD" not in body
        for leak in (*BOB, "Bea Booker", "bea@clinic.example", made.reference, token_of(made.places[0])):
            assert leak.encode() not in unfolded
    for number in (0, 3, 99):
        assert is_missing(client, f"{made.places[0]}/invites/{number}.ics")


def test_a_ticket_for_one_session_opens_that_session_alone(app: Flask, clock: Clock, client: PageClient) -> None:
    with arranged(app):
        workshop = a_workshop(sessions=[a_meeting(in_days=9), a_meeting(in_days=16)], price_minor=None)
        a_ticket(workshop, code="second", sessions=[2])
        slug = workshop.slug
    made = paid(app, a_wish(slug, ticket="second"))

    told = client.get(f"/places/{token_of(made.places[0])}.json").get_json()

    assert [each["starts_at"] for each in told["sessions"]] == ["2027-03-18T10:00:00Z"]
    assert [urlsplit(each).path.rpartition("/")[2] for each in told["invite_urls"]] == ["2.ics"]
    assert client.get(f"{made.places[0]}/invites/2.ics").status_code == 200
    assert is_missing(client, f"{made.places[0]}/invites/1.ics")


# Strangers


def test_sec_04_one_attendee_s_link_opens_one_place(
    app: Flask, clock: Clock, client: PageClient, browser: Browser, slug: str
) -> None:
    """Ana books herself, Ben and Cy; Ben has only what his letter holds."""
    people = [("Ana Alba", "ana@example.com"), ("Ben Birch", "ben@example.org"), ("Cy Carr", "cy@example.net")]
    made = paid(app, a_wish(slug, people=people, booker=people[0]))
    after = paid(app, a_wish(slug, people=[("Dee Dove", "dee@example.org")], booker=("Eve", "eve@example.org")))
    bens = token_of(made.places[1])
    number, _, signature = bens.partition("-")
    cys = token_of(made.places[2]).partition("-")[0]

    tried = [
        f"/bookings/{made.reference}",
        f"/bookings/{made.reference}.json",
        f"/bookings/{made.reference}?key={signature}",
        f"/bookings/{made.reference}?key={bens}",
        f"/bookings/{made.reference}/invoice.pdf",
        f"/bookings/{after.reference}",
        f"/bookings/{made.id}",
        f"/places/{number}",
        f"/places/{cys}",
        f"/places/{cys}-{signature}",
        f"/places/{cys}-{signature}.json",
        f"/places/{cys}-{signature}/invites/1.ics",
        f"/places/{int(number) + 100}-{signature}",
        f"/places/0{number}-{signature}",
        f"/places/{number}-{signature}x",
        f"/places/{number}-",
        f"/recordings/{bens}/media",
    ]
    assert [path for path in tried if not is_missing(client, path)] == []
    for path in tried:
        body = client.get(path).get_data(as_text=True)
        assert not [each for person in people for each in person if each in body]
        assert "168" not in body
    for path in (f"/places/{bens}", f"/places/{bens}.json", f"/places/{bens}/invites/1.ics"):
        answer = client.get(path)
        assert_private(answer)
        said = answer.get_data(as_text=True)
        assert not [each for person in (people[0], people[2]) for each in person if each in said]
    assert client.get(f"/bookings/{made.reference}").status_code == 404


def test_the_stranger_sees_none_of_it(app: Flask, clock: Clock, browser: Browser, slug: str, zed: Person) -> None:
    """Zed has booked here himself and is signed into his own booking; Ann's and Bob's stay shut."""
    made = a_booking(app, slug)
    his = paid(app, a_wish(slug, people=[(zed.name, zed.email)], booker=(zed.name, zed.email)))
    zeds = browser()
    assert zeds.get(his.url).status_code == 200
    assert zeds.get(his.places[0]).status_code == 200

    for path in (
        f"/bookings/{made.reference}",
        f"/bookings/{made.reference}.json",
        f"/bookings/{made.reference}?key={key_of(his.url)}",
        f"/places/{token_of(made.places[0]).partition('-')[0]}-{token_of(his.places[0]).partition('-')[2]}",
    ):
        assert is_missing(zeds, path)
    with arranged(app):
        a_workshop(slug="open")
    token = typed(zeds, "open")["csrf_token"]
    answer = zeds.post(f"/bookings/{made.reference}/payment", data={"csrf_token": token})
    assert (answer.status_code, answer.get_data()) == (404, missing(zeds))


def test_the_browser_that_booked_needs_no_key(app: Flask, clock: Clock, client: PageClient, browser: Browser) -> None:
    with arranged(app):
        a_workshop(slug="free", price_minor=0)
    answer = send(client, "free", typed(client, "free"))

    assert client.get(answer.location).status_code == 200
    assert is_missing(browser(), answer.location)


def test_links_stand_under_our_own_address_whatever_host_was_asked_for(
    app: Flask, clock: Clock, client: PageClient, slug: str
) -> None:
    made = a_booking(app, slug)

    for path in ("/", "/nowhere", made.url):
        refused = client.get(urlsplit(path).path, headers={"Host": "evil.example"})
        assert (refused.status_code, refused.get_data(as_text=True)) == (400, "This is not an address of this site.\n")
    told = client.get(f"/places/{token_of(made.places[0])}.json", headers={"Host": "127.0.0.1"}).get_json()
    assert {urlsplit(each).netloc for each in told["invite_urls"]} == {"localhost"}
