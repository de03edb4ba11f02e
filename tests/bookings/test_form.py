"""The booking form: what it refuses and says, what it keeps, and that asking for a price writes nothing."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from accounts.models import Consent
from bookings import terms
from bookings.models import Answer, Attendee, Booking, Redemption
from courses import places
from courses.models import Pool, Workshop
from demo.stripe.process import StandIn
from lib import db
from mail.models import Letter
from tests.bookings.filling import JSON, kept, problems, send, typed
from tests.bookings.making import ANN, BOB, rows
from tests.builders import a_code, a_question, a_ticket, a_workshop, arranged
from tests.conftest import MORNING, Clock
from tests.page import PageClient, form, main_text, tree, words

pytestmark = pytest.mark.proved_on_both


@pytest.fixture
def free(app: Flask) -> str:
    """A workshop that costs nothing, so that a booking is confirmed at once; its slug."""
    with arranged(app):
        return a_workshop(slug="free", price_minor=0).slug


@pytest.fixture
def dear(app: Flask) -> str:
    """A workshop that costs something; its slug."""
    with arranged(app):
        return a_workshop(slug="dear", price_minor=10500).slug


def bookings(app: Flask) -> list[Booking]:
    with app.app_context():
        found = list(db.session.scalars(select(Booking).order_by(Booking.id)))
        db.session.expunge_all()
        return found


def attendees(app: Flask) -> list[tuple[int, str, str]]:
    with app.app_context():
        return [(each.n, each.name, each.email) for each in db.session.scalars(select(Attendee).order_by(Attendee.id))]


def without_bookings(app: Flask) -> bool:
    return not bookings(app)


# Empty, and right


def test_an_empty_form_has_a_place_for_one_and_nothing_ticked(
    app: Flask, clock: Clock, client: PageClient, dear: str
) -> None:
    found = form(client.get(f"/workshops/{dear}/bookings/new"), "/bookings")

    assert set(found.names) == {
        "once",
        "ticket_type",
        "currency",
        "attendee-0-name",
        "attendee-0-email",
        "booker_name",
        "booker_email",
        "discount_code",
        "zone",
        "agree_terms",
        "marketing",
    }
    values = found.values
    assert values.pop("csrf_token")
    assert len(values.pop("once")) == 32
    assert values == {
        "ticket_type": "standard",
        "currency": "GBP",
        "attendee-0-name": "",
        "attendee-0-email": "",
        "booker_name": "",
        "booker_email": "",
        "discount_code": "",
        "zone": "Europe/London",
    }
    assert found.action == f"/workshops/{dear}/bookings"
    fresh = form(client.get(f"/workshops/{dear}/bookings/new"), "/bookings")
    assert fresh.values["once"] != found.values["once"]


def test_a_right_form_leads_to_the_payment_page(
    app: Flask, clock: Clock, client: PageClient, dear: str, stripe: StandIn
) -> None:
    answer = send(client, dear, typed(client, dear, [ANN, BOB]))

    assert answer.status_code == 303
    assert answer.location.startswith(f"{app.config['STRIPE_API_BASE']}/pay/cs_")
    (booking,) = bookings(app)
    assert (booking.state, booking.booker_name, booking.booker_email, booking.currency) == (
        "held",
        "Bea Booker",
        "bea@clinic.example",
        "GBP",
    )
    assert booking.quote["total_minor"] == 21000
    assert attendees(app) == [(0, *ANN), (1, *BOB)]


def test_a_free_booking_needs_no_payment_page(app: Flask, clock: Clock, client: PageClient, free: str) -> None:
    answer = send(client, free, typed(client, free))

    (booking,) = bookings(app)
    assert (answer.status_code, answer.location) == (303, f"/bookings/{booking.reference}")
    assert booking.state == "confirmed"
    page = client.get(answer.location)
    assert page.status_code == 200
    assert "onfirmed" in main_text(page)


@pytest.mark.both_databases
def test_form_01_the_same_form_twice_is_one_booking_and_a_fresh_one_another(
    app: Flask, clock: Clock, client: PageClient, free: str
) -> None:
    data = typed(client, free)
    first, second = send(client, free, data), send(client, free, data)

    assert first.status_code == second.status_code == 303
    assert first.location == second.location
    assert len(bookings(app)) == 1
    again = send(client, free, typed(client, free, [BOB]))
    assert again.location != first.location
    assert len(bookings(app)) == 2


# What is wrong is said at the top and at its field


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("attendee-0-name", "", "Please give this person's name."),
        ("attendee-0-name", " \t\u200b ", "Please give this person's name."),
        ("attendee-0-name", "A" * 201, "200"),
        ("attendee-0-name", "A" * 10_000, "200"),
        ("attendee-0-email", "", "Please give an email address."),
        ("attendee-0-email", "ann@", "“ann@” is not a whole email address."),
        ("attendee-0-email", "ann@clinic.example, bob@x.example", "is not a whole email address."),
        ("attendee-0-email", "ann@clinic.example\r\nBcc: x@x.example", "is not a whole email address."),
        ("attendee-0-email", "a" * 10_000 + "@x.example", "is not a whole email address."),
        ("booker_name", "", "Please give your name."),
        ("booker_name", "B" * 10_000, "200"),
        ("booker_email", "", "Please give an email address."),
        ("booker_email", "no address", "“no address” is not a whole email address."),
        ("zone", "Mars/Olympus", "We do not know this time zone."),
        ("zone", "../../etc/passwd", "We do not know this time zone."),
        ("agree_terms", None, "Please read the booking terms and tick the box"),
        ("ticket_type", "no-such-ticket", "Please choose a ticket."),
        ("ticket_type", "hidden", "Please choose a ticket."),
        ("ticket_type", "catch_up", "“Catch up”: This workshop offers no catch-up. Please choose another ticket."),
        ("ticket_type", "parts", "“Parts”: Not yet on sale here. Please choose another ticket."),
        ("ticket_type", "ended", "“Ended”: Ended on"),
        ("attendee-0-answer-profession", None, "Please answer: What is your profession?"),
        ("attendee-0-answer-diet", "whale", "Please choose one from the list."),
        ("discount_code", "NOSUCH", "We do not know the code NOSUCH."),
        ("currency", "USD", "“Standard” is sold in GBP. Please choose that currency."),
        ("currency", "XXX", "“Standard” is sold in GBP. Please choose that currency."),
    ],
)
def test_each_field_says_what_is_wrong_with_it_and_loses_nothing(
    app: Flask, clock: Clock, client: PageClient, field: str, value: str | None, said: str
) -> None:
    with arranged(app):
        workshop = a_workshop(slug="it", price_minor=10500)
        a_ticket(workshop, code="american", prices={"USD": 9500})
        a_ticket(workshop, code="hidden", is_hidden=True)
        a_ticket(workshop, code="catch_up", name="Catch up", kind="catch_up", pools=[], includes_live=False)
        a_ticket(workshop, code="parts", payment="deposit")
        a_ticket(workshop, code="ended", sold_until=MORNING)
        a_question(workshop, is_required=True)
        a_question(workshop, code="diet", label="Diet", kind="choice", choices=["none", "vegan"])
    right = {"attendee-0-answer-profession": "Nurse", "attendee-0-answer-diet": "vegan", "ticket_type": "standard"}
    data = typed(client, "it", changes={**right, field: value})

    answer = send(client, "it", data)

    assert answer.status_code == 422
    found = problems(answer)
    assert set(found) == {field}
    assert said in found[field]
    assert without_bookings(app)
    others = [name for name in data if name not in (field, "csrf_token", "ticket_type")]
    assert kept(answer, others) == [data[name] for name in others]


def test_everything_that_is_wrong_is_said_at_once_in_the_order_of_the_page(
    app: Flask, clock: Clock, client: PageClient, dear: str
) -> None:
    data = typed(
        client,
        dear,
        [("", "ann@"), ("", "")],
        {"booker_name": "", "booker_email": "x", "zone": "Mars/Olympus", "agree_terms": None},
    )

    answer = send(client, dear, data)

    assert answer.status_code == 422
    assert list(problems(answer)) == [
        "attendee-0-name",
        "attendee-0-email",
        "attendee-1-name",
        "attendee-1-email",
        "booker_name",
        "booker_email",
        "zone",
        "agree_terms",
    ]
    assert without_bookings(app)


def test_errors_for_programs_are_by_field(app: Flask, clock: Clock, client: PageClient, dear: str) -> None:
    data = typed(client, dear, changes={"attendee-0-name": "", "agree_terms": None})

    answer = send(client, dear, data, as_json=True)

    assert (answer.status_code, answer.mimetype) == (422, "application/json")
    told = answer.get_json()
    assert set(told) == {"refusal", "message", "errors"}
    assert told["refusal"] == "form_invalid"
    assert set(told["errors"]) == {"attendee-0-name", "agree_terms"}


def test_a_form_without_its_token_is_refused(app: Flask, clock: Clock, client: PageClient, dear: str) -> None:
    data = typed(client, dear, changes={"csrf_token": None})

    assert send(client, dear, data).status_code == 400
    assert without_bookings(app)


# People


def test_a_person_is_added_and_removed_without_a_script_and_what_was_typed_stays(
    app: Flask, clock: Clock, client: PageClient, dear: str
) -> None:
    data = typed(client, dear, changes={"discount_code": "HALF", "marketing": "y", "zone": "Asia/Tokyo"})

    added = send(client, dear, {**data, "add": "1"})

    assert added.status_code == 200
    assert problems(added) == {}
    names = [name for name in data if name != "csrf_token"]
    assert kept(added, names) == [data[name] for name in names]
    assert kept(added, ["attendee-1-name", "attendee-1-email"]) == ["", ""]
    both = {**form(added, "/bookings").values, "attendee-1-name": BOB[0], "attendee-1-email": BOB[1]}
    fewer = send(client, dear, {**both, "remove": "0"})
    assert fewer.status_code == 200
    left = form(fewer, "/bookings").values
    assert {name: value for name, value in left.items() if name.startswith("attendee-")} == {
        "attendee-1-name": BOB[0],
        "attendee-1-email": BOB[1],
    }
    assert (left["discount_code"], left["marketing"], left["zone"]) == ("HALF", "y", "Asia/Tokyo")
    assert without_bookings(app)


def test_the_last_person_cannot_be_removed_and_no_more_than_most_be_added(
    app: Flask, clock: Clock, client: PageClient
) -> None:
    with arranged(app):
        a_workshop(slug="few", most_attendees=2)
    one = typed(client, "few")
    two = typed(client, "few", [ANN, BOB])

    assert "attendee-0-name" in form(send(client, "few", {**one, "remove": "0"}), "/bookings").names
    full = form(send(client, "few", {**two, "add": "1"}), "/bookings")
    assert [name for name in full.names if name.endswith("-name")] == ["attendee-0-name", "attendee-1-name"]
    assert "add" not in [button.name for button in full.buttons]


def test_gaps_between_the_numbers_stay_gaps(app: Flask, clock: Clock, client: PageClient, free: str) -> None:
    data = typed(client, free, changes={"attendee-7-name": BOB[0], "attendee-7-email": BOB[1]})

    assert send(client, free, data).status_code == 303

    assert attendees(app) == [(0, *ANN), (7, *BOB)]
    answer = client.get(f"/bookings/{bookings(app)[0].reference}.json")
    assert [(each["n"], each["name"]) for each in answer.get_json()["attendees"]] == [(0, ANN[0]), (7, BOB[0])]


def test_more_people_than_one_booking_takes(app: Flask, clock: Clock, client: PageClient) -> None:
    with arranged(app):
        a_workshop(slug="few", most_attendees=2, price_minor=0)
    people = [(f"Person {n}", f"person-{n}@x.example") for n in range(3)]

    answer = send(client, "few", typed(client, "few", people))

    assert answer.status_code == 422
    assert problems(answer) == {
        "ticket_type": "One booking takes up to 2 people. Please make a second one for the rest."
    }
    assert without_bookings(app)


@pytest.mark.parametrize(("number", "status"), [(1, 422), (2, 303), (3, 422), (4, 303)])
def test_pairs_come_in_even_numbers(app: Flask, clock: Clock, client: PageClient, number: int, status: int) -> None:
    with arranged(app):
        a_workshop(slug="pairs", price_minor=0, seats=2)
    people = [(f"Person {n}", f"person-{n}@x.example") for n in range(number)]

    answer = send(client, "pairs", typed(client, "pairs", people))

    assert answer.status_code == status
    if status == 422:
        assert set(problems(answer)) == {"ticket_type"}
        assert "one price for two people" in problems(answer)["ticket_type"]
    assert len(attendees(app)) == (number if status == 303 else 0)


def test_one_address_for_two_is_asked_about_and_let_through_by_a_tick(
    app: Flask, clock: Clock, client: PageClient, free: str
) -> None:
    data = typed(client, free, [ANN, ("Bob Barnes", "ANN@clinic.example")])

    asked = send(client, free, data)

    assert asked.status_code == 422
    assert set(problems(asked)) == {"attendee-1-email"}
    assert "Ann Attwood's address" in problems(asked)["attendee-1-email"]
    assert without_bookings(app)
    assert client.submit(form(asked, "/bookings"), {"attendee-1-shared": True}).status_code == 303
    assert attendees(app) == [(0, *ANN), (1, "Bob Barnes", ANN[1])]
    with app.app_context():
        letters = db.session.scalars(select(Letter).where(Letter.template == "confirmed")).all()
        assert sorted((each.to_name, each.to_email) for each in letters) == [
            ("Ann Attwood", ANN[1]),
            ("Bob Barnes", ANN[1]),
        ]


def test_the_same_person_twice_on_one_date_is_said_and_let_through_by_a_tick(
    app: Flask, clock: Clock, client: PageClient, free: str
) -> None:
    assert send(client, free, typed(client, free)).status_code == 303

    said = send(client, free, typed(client, free, [BOB, ANN]))

    assert said.status_code == 422
    assert set(problems(said)) == {"attendee-1-email"}
    assert "Ann Attwood already has a place on this date" in problems(said)["attendee-1-email"]
    assert len(bookings(app)) == 1
    assert client.submit(form(said, "/bookings"), {"attendee-1-again": True}).status_code == 303
    assert attendees(app) == [(0, *ANN), (0, *BOB), (1, *ANN)]


def test_the_same_person_on_another_date_is_nothing_to_say(
    app: Flask, clock: Clock, client: PageClient, free: str
) -> None:
    with arranged(app):
        a_workshop(slug="other", price_minor=0, in_days=50)
    assert send(client, free, typed(client, free)).status_code == 303

    assert send(client, "other", typed(client, "other")).status_code == 303


def test_each_person_may_have_a_ticket_of_their_own(app: Flask, clock: Clock, client: PageClient, free: str) -> None:
    with arranged(app):
        workshop = db.session.scalars(select(Workshop)).one()
        a_ticket(workshop, code="helper", prices={"GBP": 0})
    data = typed(client, free, [ANN, BOB], {"ticket_type": "standard", "attendee-1-ticket": "helper"})

    assert send(client, free, data).status_code == 303

    with app.app_context():
        found = db.session.scalars(select(Attendee).order_by(Attendee.n)).all()
        assert [each.ticket.code for each in found] == ["standard", "helper"]


# Answers


def test_answers_are_kept_with_their_attendee_and_questions_of_other_tickets_are_not_asked(
    app: Flask, clock: Clock, client: PageClient
) -> None:
    with arranged(app):
        workshop = a_workshop(slug="asks", price_minor=0)
        room = a_ticket(workshop, code="room", prices={"GBP": 0})
        a_question(workshop, code="profession", is_required=True)
        a_question(workshop, code="step", label="Do you need a step-free way in?", kind="tick", tickets=[room])
        a_question(
            workshop, code="diet", label="Diet", kind="choice", choices=["vegan"], is_required=True, tickets=[room]
        )
    data = typed(
        client,
        "asks",
        [ANN, BOB],
        {
            "ticket_type": "standard",
            "attendee-1-ticket": "room",
            "attendee-0-answer-profession": " Nurse\r\nBcc: x ",
            "attendee-0-answer-step": "y",
            "attendee-1-answer-profession": "Midwife",
            "attendee-1-answer-step": "y",
            "attendee-1-answer-diet": "vegan",
        },
    )

    answer = send(client, "asks", data)

    assert answer.status_code == 303
    with app.app_context():
        found = db.session.execute(
            select(Attendee.n, Answer.text).join(Answer, Answer.attendee_id == Attendee.id).order_by(Answer.id)
        ).all()
        assert sorted((n, text) for n, text in found) == [
            (0, "Nurse Bcc: x"),
            (1, "Midwife"),
            (1, "vegan"),
            (1, "yes"),
        ]


# What people type


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("  Ann   Attwood ", "Ann Attwood"),
        ("Ann\r\nBcc: all@x.example", "Ann Bcc: all@x.example"),
        ("Ann\x00\x1b[31m Attwood\u202e", "Ann [31m Attwood"),
        ("<b>Ann</b><script>alert(1)</script>", "<b>Ann</b><script>alert(1)</script>"),
        ("{{ 7*7 }}", "{{ 7*7 }}"),
        ('Ann "O\'Neill" & co; DROP TABLE booking', 'Ann "O\'Neill" & co; DROP TABLE booking'),
        ("Żaneta Ōé 王 🙂", "Żaneta Ōé 王 🙂"),
        ("A" * 200, "A" * 200),
    ],
)
def test_a_name_is_one_line_and_is_shown_as_it_was_typed(
    app: Flask, clock: Clock, client: PageClient, free: str, name: str, stored: str
) -> None:
    answer = send(client, free, typed(client, free, [(name, ANN[1])], {"booker_name": name}))

    assert answer.status_code == 303
    assert attendees(app) == [(0, stored, ANN[1])]
    page = client.get(answer.location)
    (main,) = tree(page.get_data(as_text=True)).iter("main")
    assert stored in words(main)
    assert not [each for each in main.iter() if each.tag in ("b", "script")]


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "field",
    [
        "once",
        "ticket_type",
        "currency",
        "zone",
        "discount_code",
        "attendee-0-ticket",
        "attendee-0-email",
        "booker_email",
    ],
)
@pytest.mark.parametrize(
    "value", ["\x00", "x\x00y\r\nz", "\ufffd\u202e", "x" * 10_000], ids=["nul", "breaks", "marks", "long"]
)
def test_no_field_can_break_the_form(
    app: Flask, clock: Clock, client: PageClient, free: str, field: str, value: str
) -> None:
    answer = send(client, free, typed(client, free, changes={field: value}))

    assert answer.status_code in (303, 422)
    assert len(bookings(app)) == (answer.status_code == 303)


@pytest.mark.parametrize("n", ["²", "٣", "-1", "1e3", "9" * 30, "", "0-1"])
def test_a_number_that_is_none_is_nobody(app: Flask, clock: Clock, client: PageClient, free: str, n: str) -> None:
    data = typed(client, free, changes={f"attendee-{n}-name": "Nobody", f"attendee-{n}-email": "nobody@x.example"})

    assert send(client, free, data).status_code == 303
    assert attendees(app) == [(0, *ANN)]


def test_a_form_of_too_many_people_or_bytes_is_refused_and_not_read(
    app: Flask, clock: Clock, client: PageClient, free: str
) -> None:
    crowd = {f"attendee-{n}-name": "x" for n in range(1500)}
    assert send(client, free, {**typed(client, free), **crowd}).status_code == 422
    assert send(client, free, {**typed(client, free), "booker_name": "x" * 600_000}).status_code == 413
    assert without_bookings(app)


# Consent


@pytest.mark.parametrize("is_ticked", [True, False])
def test_agreeing_to_letters_is_kept_only_when_it_was_ticked(
    app: Flask, clock: Clock, client: PageClient, free: str, is_ticked: bool
) -> None:
    data = typed(client, free, changes={"marketing": "y" if is_ticked else None, "booker_email": "Bea@Clinic.example"})

    assert send(client, free, data).status_code == 303

    (booking,) = bookings(app)
    with app.app_context():
        found = [
            (each.email, each.kind, each.about, each.given_at, each.withdrawn_at)
            for each in db.session.scalars(select(Consent))
        ]
    kept_consent = [("bea@clinic.example", "marketing", f"booking:{booking.id}", clock.at, None)]
    assert found == (kept_consent if is_ticked else [])


def test_the_version_of_the_terms_is_kept_and_is_the_one_shown(
    app: Flask, clock: Clock, client: PageClient, free: str
) -> None:
    assert send(client, free, typed(client, free)).status_code == 303

    assert [each.terms_version for each in bookings(app)] == [terms.CURRENT]
    assert f"Version {terms.CURRENT}" in main_text(client.get("/terms"))


# The quote


def test_a_quote_for_programs_word_for_word(app: Flask, clock: Clock, client: PageClient, dear: str) -> None:
    with arranged(app):
        a_code(code="SPRING25", percent=25)
    data = typed(client, dear, [ANN, BOB], {"discount_code": " spring25\n"})

    answer = send(client, dear, data, to="quote", as_json=True)

    assert answer.status_code == 200
    assert answer.get_json() == {
        "lines": [
            {"text": "Standard, 2 at £105.00", "minor": 21000},
            {"text": "SPRING25, 25% off Standard", "minor": -5250},
        ],
        "total_minor": 15750,
        "currency": "GBP",
        "code": {"accepted": True, "refusal": None, "message": "SPRING25: 25% off."},
    }


@pytest.mark.parametrize(
    ("code", "refusal"),
    [
        ("", None),
        ("   ", None),
        ("NOSUCH", "code_unknown"),
        ("ENDED", "code_expired"),
        ("SOON", "code_not_yet_valid"),
        ("OTHER", "code_not_for_ticket"),
        ("MINE", "code_used_by_you"),
        ("SPENT", "code_spent"),
    ],
)
def test_a_quote_is_always_given_and_says_why_a_code_does_not_count_while_a_booking_is_refused(
    app: Flask, clock: Clock, client: PageClient, dear: str, code: str, refusal: str | None
) -> None:
    with arranged(app):
        a_code(code="ENDED", valid_until=MORNING - timedelta(seconds=1))
        a_code(code="SOON", valid_from=MORNING + timedelta(seconds=1))
        a_code(code="OTHER", tickets=["early_bird"])
        a_code(code="SPENT", uses_total=0)
        a_workshop(slug="before", price_minor=10500)
        mine = a_code(code="MINE", uses_per_person=1, percent=100)
    if code == "MINE":
        earlier = send(client, "before", typed(client, "before", changes={"discount_code": "MINE"}))
        assert earlier.status_code == 303
        assert mine is not None
    before = rows(app)
    data = typed(client, dear, changes={"discount_code": code})

    quoted = send(client, dear, data, to="quote", as_json=True)

    assert quoted.status_code == 200
    told = quoted.get_json()
    assert told["total_minor"] == 10500
    assert told["lines"] == [{"text": "Standard", "minor": 10500}]
    assert (told["code"]["accepted"], told["code"]["refusal"]) == (False, refusal)
    assert bool(told["code"]["message"]) == bool(refusal)
    page = send(client, dear, data, to="quote")
    assert page.status_code == 200
    assert told["code"]["message"] in main_text(page)
    if refusal:
        booked = send(client, dear, data, as_json=True)
        assert (booked.status_code, booked.get_json()["refusal"]) == (409 if code == "SPENT" else 422, refusal)
        shown = send(client, dear, data)
        assert shown.status_code == (409 if code == "SPENT" else 422)
        assert set(problems(shown)) == {"discount_code"}
    assert rows(app) == before


def test_a_quote_writes_nothing_and_keeps_what_was_typed(
    app: Flask, clock: Clock, client: PageClient, dear: str
) -> None:
    with arranged(app):
        a_code(code="SPRING25", percent=25, uses_total=1)
    data = typed(client, dear, [ANN, BOB], {"discount_code": "spring25", "marketing": "y"})
    before = rows(app)

    page = send(client, dear, data, to="quote")

    assert page.status_code == 200
    assert problems(page) == {}
    assert "£157.50" in main_text(page)
    names = [name for name in data if name != "csrf_token"]
    assert kept(page, names) == [data[name] for name in names]
    assert rows(app) == before
    with app.app_context():
        assert db.session.scalars(select(Redemption)).all() == []


def test_a_quote_of_a_half_filled_form_says_the_price_and_blames_nobody(
    app: Flask, clock: Clock, client: PageClient, dear: str
) -> None:
    data = typed(client, dear, [("", "")], {"booker_name": "", "booker_email": "", "agree_terms": None})

    page = send(client, dear, data, to="quote")

    assert page.status_code == 200
    assert problems(page) == {}
    assert "£105.00" in main_text(page)


def test_a_quote_of_half_a_pair_or_of_no_ticket_is_refused_with_a_reason(
    app: Flask, clock: Clock, client: PageClient
) -> None:
    with arranged(app):
        a_workshop(slug="pairs", seats=2)

    for changes in ({}, {"ticket_type": "nothing"}, {"currency": "USD"}):
        answer = send(client, "pairs", typed(client, "pairs", changes=changes), to="quote", as_json=True)
        assert answer.status_code == 422
        assert set(answer.get_json()) == {"refusal", "message"}
        assert answer.get_json()["refusal"] == "ticket_not_on_sale"


# What cannot be booked at all


@pytest.mark.parametrize(
    ("kind", "status", "refusal"),
    [
        ("full", 409, "workshop_full"),
        ("held by others", 409, "workshop_full"),
        ("one left of a pair", 409, "workshop_full"),
        ("cancelled", 410, "workshop_cancelled"),
        ("begun", 410, "sale_ended"),
        ("over", 410, "sale_ended"),
        ("ended early", 410, "sale_ended"),
        ("not sold here", 409, "not_on_sale"),
    ],
)
def test_the_form_is_refused_as_its_sending_is_with_the_same_page(
    app: Flask, clock: Clock, client: PageClient, dear: str, kind: str, status: int, refusal: str
) -> None:
    with arranged(app):
        it = a_workshop(
            slug="it",
            capacity={"full": 0, "held by others": 3, "one left of a pair": 1}.get(kind, 20),
            in_days={"begun": 0, "over": -9}.get(kind, 9),
            starts="08:00",
            ends="18:00",
            status="cancelled" if kind == "cancelled" else "published",
            price_minor=None,
        )
        a_ticket(
            it,
            seats=2 if kind == "one left of a pair" else 1,
            sold_until=MORNING if kind == "ended early" else None,
            payment="deposit" if kind == "not sold here" else "now",
        )
        if kind == "held by others":
            places.hold(
                {it.pools[0].id: 3}, organiser_id=it.organiser_id, until=MORNING + timedelta(hours=1), now=MORNING
            )
    data = {**typed(client, dear, [ANN, BOB]), "ticket_type": "standard"}

    asked = client.get("/workshops/it/bookings/new")
    sent = send(client, "it", data)

    assert asked.status_code == sent.status_code == status
    assert asked.get_data() == sent.get_data()
    assert [f for f in tree(asked.get_data(as_text=True)).iter("form") if f.get("action") != "/sign-out"] == []
    for answer in (
        client.get("/workshops/it/bookings/new", headers=JSON),
        send(client, "it", data, as_json=True),
    ):
        assert (answer.status_code, answer.get_json()["refusal"]) == (status, refusal)
        assert answer.get_json()["message"]
    assert without_bookings(app)


def test_fewer_places_than_people_is_a_conflict_that_says_how_many_are_left(
    app: Flask, clock: Clock, client: PageClient
) -> None:
    with arranged(app):
        a_workshop(slug="it", capacity=1, price_minor=0)
    data = typed(client, "it", [ANN, BOB])

    page, told = send(client, "it", data), send(client, "it", data, as_json=True)

    assert page.status_code == told.status_code == 409
    assert "1 place is left" in main_text(page)
    assert told.get_json() == {
        "refusal": "workshop_full",
        "message": "You asked for 2; 1 place is left. Nothing has been charged and nothing is held for you.",
    }
    assert without_bookings(app)
    assert send(client, "it", typed(client, "it")).status_code == 303


def test_a_ticket_that_is_gone_while_others_are_not(app: Flask, clock: Clock, client: PageClient, free: str) -> None:
    with arranged(app):
        workshop = db.session.scalars(select(Workshop)).one()
        a_ticket(workshop, code="early", prices={"GBP": 0}, limited_to=1)
        pool = db.session.scalars(select(Pool).where(Pool.code == "early")).one()
        places.hold({pool.id: 1}, organiser_id=1, until=MORNING + timedelta(hours=1), now=MORNING)

    answer = send(client, free, typed(client, free, changes={"ticket_type": "early"}))

    assert answer.status_code == 409
    assert without_bookings(app)


# How often


def test_one_booker_can_send_the_form_of_one_workshop_thirty_times_an_hour(
    app: Flask, clock: Clock, client: PageClient, free: str, dear: str, limited: None
) -> None:
    data = typed(client, free, changes={"agree_terms": None})

    statuses = [
        send(client, free, {**data, "booker_email": email}).status_code
        for email in ["bea@clinic.example", " BEA@clinic.example"] * 15
    ]
    last = send(client, free, data)

    assert set(statuses) == {422}
    assert last.status_code == 429
    assert 0 < int(last.headers["Retry-After"]) <= 3600
    told = send(client, free, data, as_json=True)
    assert (told.status_code, told.get_json()["refusal"]) == (429, "http_429")
    assert 0 < int(told.headers["Retry-After"]) <= 3600
    assert send(client, free, {**data, "booker_email": "other@clinic.example"}).status_code == 422
    assert send(client, dear, {**data, "booker_email": "bea@clinic.example"}).status_code == 422
