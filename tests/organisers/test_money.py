"""Money at the desk: sent back by hand, in part, for one person, as a credit; sent again; and the two settings."""

from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import select

from accounts.models import Organiser
from bookings import audit
from history.models import Entry
from lib import clock as product_clock
from lib import db
from mail.models import Letter
from payments import credits, ledger, refunds
from payments.models import Credit, Refund
from tests.bookings.making import ANN, BOB, Made, a_wish, paid
from tests.builders import a_workshop, arranged
from tests.conftest import Clock
from tests.organisers.conftest import DESK
from tests.organisers.desk import press
from tests.page import PageClient, main_text


@pytest.fixture
def made(app: Flask, owner: PageClient) -> Made:
    with arranged(app):
        slug = a_workshop().slug
    return paid(app, a_wish(slug, people=[ANN, BOB]))


def page(made: Made) -> str:
    return f"{DESK}/bookings/{made.reference}"


def sound(app: Flask) -> bool:
    with app.app_context():
        return audit.faults(product_clock.now()) == []


def letters(app: Flask, template: str) -> list[Letter]:
    with app.app_context():
        found = list(db.session.scalars(select(Letter).where(Letter.template == template)))
        db.session.expunge_all()
        return found


def test_a_part_for_one_person(app: Flask, owner: PageClient, made: Made) -> None:
    done = press(owner, page(made), "/refunds", amount="84.00", whose="1", why="She was ill")
    assert done.status_code == 303
    with app.app_context():
        refund = db.session.scalars(select(Refund)).one()
        assert (refund.amount_minor, refund.source, refund.reason) == (8400, "organiser", "She was ill")
        assert list(refund.shares.values()) == [8400]
        entry = db.session.scalars(select(Entry).where(Entry.verb == "refund_begun")).one()
        assert entry.actor.startswith("user:")
    assert [each.values["amount"] for each in letters(app, "sent_back")] == ["£84.00"]
    said = main_text(owner.get(done.location))
    assert "sent back £84.00" in said
    assert "Up to £252.00" in said
    assert sound(app)


def test_what_cannot_be_sent_is_said_and_nothing_is(app: Flask, owner: PageClient, made: Made) -> None:
    too_much = press(owner, page(made), "/refunds", amount="336.01", why="all of it")
    assert too_much.status_code == 409
    assert "£336.00 of this booking can go back" in main_text(too_much)
    for typed in (
        {"amount": "0", "why": "x"},
        {"amount": "ten", "why": "x"},
        {"amount": "1.005", "why": "x"},
        {"amount": "10", "why": ""},
        {"amount": "10", "why": "x", "way": "credit", "until": "soon"},
    ):
        assert press(owner, page(made), "/refunds", **typed).status_code == 422
    with app.app_context():
        assert db.session.scalars(select(Refund)).all() == []
        assert db.session.scalars(select(Credit)).all() == []


def test_as_a_credit_with_its_last_day(app: Flask, owner: PageClient, made: Made) -> None:
    done = press(owner, page(made), "/refunds", amount="50", way="credit", until="2027-03-31", why="rather that")
    assert done.status_code == 303
    with app.app_context():
        credit = db.session.scalars(select(Credit)).one()
        # Clocks go forward on 28 March 2027: the day ends at 23:00 UTC.
        assert (credit.person, credit.minor, str(credit.expires_at)) == (
            "bea@clinic.example",
            5000,
            "2027-03-31 23:00:00+00:00",
        )
        assert [each.minor for each in credits.available("bea@clinic.example", 1, "GBP", product_clock.now())] == [5000]
    assert len(letters(app, "credit_kept")) == 1
    assert "kept as credit £50.00" in main_text(owner.get(done.location))
    assert sound(app)


def test_a_refund_that_failed_is_sent_again(app: Flask, owner: PageClient, made: Made, clock: Clock) -> None:
    press(owner, page(made), "/refunds", amount="336", why="cancelled by us")
    with arranged(app):
        refunds.record(1, "failed", None, "The card is closed.", clock.at)
    said = main_text(owner.get(page(made)))
    assert "Owed to the booker: £336.00" in said
    assert "The card is closed." in said
    assert press(owner, page(made), "/refunds/1/again").status_code == 303
    with app.app_context():
        assert [each.state for each in db.session.scalars(select(Refund).order_by(Refund.id))] == ["failed", "waiting"]
        assert ledger.of_bill(1).due_minor == 0
    assert sound(app)


def test_a_refund_of_another_booking_is_not_there(app: Flask, owner: PageClient, made: Made) -> None:
    press(owner, page(made), "/refunds", amount="1", why="x")
    with arranged(app):
        slug = a_workshop().slug
    other = paid(app, a_wish(slug, people=[("Cal Cole", "cal@clinic.example")]))
    token = owner.get(page(other)).get_data(as_text=True).split('name="csrf_token" value="')[1].split('"')[0]
    answer = owner.post(f"{page(other)}/refunds/1/again", data={"csrf_token": token})
    assert answer.status_code == 404


def test_the_two_settings(app: Flask, owner: PageClient) -> None:
    assert (
        press(owner, f"{DESK}/settings", "/settings/money", holds_for_bank=False, dispute_bars=True).status_code == 303
    )
    with app.app_context():
        organiser = db.session.scalars(select(Organiser)).one()
        assert (organiser.holds_for_bank, organiser.dispute_bars) == (False, True)
        entry = db.session.scalars(select(Entry).where(Entry.verb == "money_settings_changed")).one()
        assert entry.facts == {"holds_for_bank": False}
    assert press(owner, f"{DESK}/settings", "/settings/money", holds_for_bank=True).status_code == 303
    with app.app_context():
        assert db.session.scalars(select(Organiser)).one().holds_for_bank


def test_the_desk_ends_the_link_to_a_credit(app: Flask, owner: PageClient, made: Made) -> None:
    press(owner, page(made), "/refunds", amount="100.00", way="credit", why="she would rather")
    (kept,) = letters(app, "credit_kept")
    old = urlsplit(kept.values["credit_url"]).path
    assert owner.get(old).status_code == 200

    done = press(owner, page(made), "/credits/1/link")

    assert done.status_code == 303
    said = main_text(owner.get(done.location))
    assert "The link has ended in every browser" in said
    assert "The link to a credit ended, a new one sent" in said
    assert owner.get(old).status_code == 404
    (new,) = letters(app, "credit_link")
    assert owner.get(urlsplit(new.values["credit_url"]).path).status_code == 200
    assert owner.post(f"{page(made)}/credits/9/link").status_code in (400, 404)
    assert sound(app)
