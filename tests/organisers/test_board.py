"""The board: what is sold, held and left, what needs somebody first, and how many statements it takes."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask_sqlalchemy.record_queries import get_recorded_queries

from tests.bookings.making import a_wish, held, paid
from tests.builders import a_course, a_meeting, a_ticket, a_workshop, an_organiser, arranged
from tests.conftest import Clock
from tests.organisers.conftest import DESK
from tests.page import PageClient, main_text


def statements(app: Flask, client: PageClient, address: str) -> int:
    """How many statements a page takes once everything is warm."""
    client.get(address)
    with app.test_request_context():
        pass
    numbers: list[int] = []

    def count(answer: object) -> object:
        numbers.append(len(get_recorded_queries()))
        return answer

    app.after_request_funcs.setdefault(None, []).append(count)
    try:
        assert client.get(address).status_code == 200
    finally:
        app.after_request_funcs[None].pop()
    return numbers[-1]


def test_sold_held_and_left(app: Flask, owner: PageClient, clock: Clock) -> None:
    with arranged(app):
        slug = a_workshop(capacity=10, title="Counted").slug
    paid(app, a_wish(slug))
    held(app, a_wish(slug, people=(("Bob Barnes", "bob@practice.example"),), booker=("Bob", "bob@practice.example")))
    assert "Counted Tuesday 30 March 2027, 10:00 BST (London) 1 1 8" in main_text(owner.get(f"{DESK}/"))
    clock.shift(hours=1)
    assert "(London) 1 0 9" in main_text(owner.get(f"{DESK}/"))
    clock.shift(days=60)
    assert "Past and cancelled" in main_text(owner.get(f"{DESK}/"))


def test_what_needs_somebody_comes_first(app: Flask, owner: PageClient) -> None:
    with arranged(app):
        a_workshop(in_days=1, title="Tomorrow")
        a_workshop(in_days=30, title="Unfinished", status="draft", price_minor=None)
    said = main_text(owner.get(f"{DESK}/"))
    assert said.index("Needs you") < said.index("Tomorrow") < said.index("has no meeting link yet")
    assert "Not published yet. There is no ticket on sale. Add one with a price." in said


@pytest.mark.parametrize("page", ["/", "/courses"])
def test_as_many_statements_for_three_as_for_three_hundred(app: Flask, owner: PageClient, page: str) -> None:
    make: Callable[[int], None] = lambda n: _many(app, n)  # noqa: E731
    make(3)
    few = statements(app, owner, f"{DESK}{page}")
    make(297)
    assert statements(app, owner, f"{DESK}{page}") == few


def _many(app: Flask, number: int) -> None:
    with arranged(app):
        owner = an_organiser()
        for n in range(number):
            meetings = [a_meeting(in_days=20 + n % 40), a_meeting(in_days=-20 - n % 9)] if n % 3 else []
            workshop = a_workshop(
                organiser=owner,
                course=a_course(organiser=owner),
                sessions=meetings,
                status="draft" if n % 5 == 0 else "published",
            )
            a_ticket(workshop, code="student")
