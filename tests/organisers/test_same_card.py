"""What the desk says of a first offer paid with a card that has paid before."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from bookings import same_card
from bookings.models import Booking
from lib import clock as product_clock
from lib import db
from mail.models import Letter
from tests.bookings.making import ANN, BOB, Made, a_wish, held, receive
from tests.builders import a_code, a_workshop, arranged
from tests.conftest import Clock, at_once
from tests.organisers.conftest import DESK
from tests.page import PageClient, main_text
from tests.races import racing
from tests.races.racing import Meeting

CARD = "stripe-knows-it"


@pytest.fixture
def pair(app: Flask, clock: Clock) -> tuple[Made, Made]:
    """A booking, and another one by somebody else for a first event, both paid with one card."""
    with arranged(app):
        a_code(code="HELLO", first_online_only=True)
        slug = a_workshop().slug
    made = []
    for who, code in ((ANN, ""), (BOB, "HELLO")):
        made.append(held(app, a_wish(slug, people=[who], booker=who, code=code)))
        receive(app, made[-1], card=CARD)
    return made[0], made[1]


def comparing(made: Made) -> Callable[[], str]:
    """The worker's question about a booking, inside an application's context."""

    def compare() -> str:
        bill_id = db.session.get_one(Booking, made.id).bill_id
        with db.writing():
            same_card.compare(bill_id, product_clock.now())
        return "asked"

    return compare


def told(app: Flask) -> int:
    with app.app_context():
        letters = db.session.scalars(select(Letter).where(Letter.template == "organiser_notice")).all()
        return sum("a card we know" in each.values["title"] for each in letters)


def test_the_desk_names_the_bookings_the_card_has_paid(app: Flask, owner: PageClient, pair: tuple[Made, Made]) -> None:
    first, offer = pair
    there = f"{DESK}/bookings/{offer.reference}"
    assert "Paid with a card that has paid before" not in main_text(owner.get(there))
    with app.app_context():
        comparing(offer)()

    said = main_text(owner.get(there))
    assert "Paid with a card that has paid before" in said
    assert f"the card had paid for {first.reference}" in said
    assert f"Paid with a card that has paid before, for {first.reference}." in said
    assert "that has paid before" not in main_text(owner.get(f"{DESK}/bookings/{first.reference}"))


def test_the_code_s_figures_count_them(app: Flask, owner: PageClient, pair: tuple[Made, Made]) -> None:
    assert "had paid before" not in main_text(owner.get(f"{DESK}/codes"))
    with app.app_context():
        comparing(pair[1])()

    assert "1 with a card that had paid before" in main_text(owner.get(f"{DESK}/codes"))
    assert "A card that had paid before paid once." in main_text(owner.get(f"{DESK}/codes/HELLO"))


@pytest.mark.both_databases
class TestTwoWorkersWithOneQuestion:
    def test_tell_once(self, app: Flask, pair: tuple[Made, Made], monkeypatch: pytest.MonkeyPatch) -> None:
        racing.pausing(monkeypatch, same_card, "seen", Meeting(2))
        assert at_once(app, [comparing(pair[1])] * 2) == ["asked", "asked"]
        assert told(app) == 1

    def test_need_the_lock(
        self, app: Flask, pair: tuple[Made, Made], database_kind: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """PostgreSQL tells twice without; SQLite gives one of them an error instead of an answer."""
        racing.pausing(monkeypatch, same_card, "seen", Meeting(2, 5 if database_kind == "postgresql" else 1))
        with racing.without_locks(app):
            results = at_once(app, [comparing(pair[1])] * 2)
        assert (
            racing.kinds(results) == {"postgresql": ["sold"] * 2, "sqlite": ["OperationalError", "sold"]}[database_kind]
        )
        assert told(app) == {"postgresql": 2, "sqlite": 1}[database_kind]
