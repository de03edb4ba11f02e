"""The last place of one day of a bundle, wanted by a buyer of the bundle and by somebody who wants that day alone."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from bookings import bundle_sale
from courses import bundles, places
from courses.models import Workshop
from lib import clock, db
from tests.builders import a_bundle, a_workshop, arranged
from tests.conftest import at_once
from tests.page import form
from tests.races import racing
from tests.races.racing import Meeting, a_buyer, a_wish, buying, claimed

pytestmark = pytest.mark.both_databases
SLUGS = ("one", "two", "three")


def three(app: Flask, *, last: int = 1) -> None:
    """Three workshops with room, the second with so many places, and the bundle of them."""
    with arranged(app):
        made = [
            a_workshop(slug=slug, price_minor=10500, in_days=20 + n, capacity=last if slug == "two" else 20)
            for n, slug in enumerate(SLUGS)
        ]
        a_bundle(*made)


def buying_all(people: int = 1) -> Callable[[], str]:
    """A buyer of the bundle: the write transaction of a booking and nothing else."""
    wish = a_wish("autumn-three", people=people, ticket=bundles.TICKET)

    def buy() -> str:
        with db.writing():
            reference: str = bundle_sale.start(wish, clock.now()).reference
        return reference

    return buy


def taken(app: Flask) -> dict[str, int]:
    return {slug: claimed(app, slug)["room"] for slug in SLUGS}


class TestTheLastPlaceOfOneDay:
    def test_goes_to_one_of_the_two_and_the_loser_holds_nothing_elsewhere(
        self, app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        three(app)
        with monkeypatch.context() as patch:
            racing.pausing(patch, places, "_lock_and_check", Meeting(2))
            results = at_once(app, [buying_all(), buying(a_wish("two"))])

        assert racing.kinds(results) == ["WorkshopFull", "sold"]
        has_bundle = isinstance(results[0], str)
        assert taken(app) == {"one": int(has_bundle), "two": 1, "three": int(has_bundle)}
        assert racing.faults(app) == []

    def test_is_sold_twice_when_the_count_stands_apart(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        three(app)
        racing.set_apart(monkeypatch, places, "_lock_and_check", Meeting(2, 10))
        results = at_once(app, [buying_all(), buying(a_wish("two"))])

        assert racing.kinds(results) == ["sold", "sold"]
        assert taken(app) == {"one": 1, "two": 2, "three": 1}
        assert racing.faults(app) != []

    def test_of_two_buyers_of_the_bundle_one_gets_all_of_it(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        three(app)
        with monkeypatch.context() as patch:
            racing.pausing(patch, places, "_lock_and_check", Meeting(2))
            results = at_once(app, [buying_all(), buying_all()])

        assert racing.kinds(results) == ["WorkshopFull", "sold"]
        assert taken(app) == dict.fromkeys(SLUGS, 1)
        assert racing.faults(app) == []


def test_two_bundles_whose_workshops_overlap_never_wait_for_each_other_in_a_circle(app: Flask) -> None:
    three(app, last=20)
    with arranged(app):
        found = [db.session.scalars(select(Workshop).where(Workshop.slug == slug)).one() for slug in reversed(SLUGS)]
        a_bundle(*found, slug="backwards")
    wish = a_wish("backwards", ticket=bundles.TICKET)

    def backwards() -> str:
        with db.writing():
            reference: str = bundle_sale.start(wish, clock.now()).reference
        return reference

    results = at_once(app, [buying_all(), backwards, buying(a_wish("one")), buying(a_wish("three"))])
    assert racing.kinds(results) == ["sold"] * 4
    assert taken(app) == {"one": 3, "two": 2, "three": 3}


def test_a_crowd_in_browsers_buys_what_there_is(app: Flask, browser: Callable[[], Any], stripe: Any) -> None:
    three(app, last=2)
    alone = [a_buyer(browser(), "two") for _ in range(2)]
    together = []
    for n in range(2):
        client = browser()
        filled = form(client.get("/bundles/autumn-three/bookings/new"), "bookings")
        filled.fill(
            {
                "booker_name": f"All {n}",
                "booker_email": f"all-{n}@clinic.example",
                "attendee-0-name": f"All {n}",
                "attendee-0-email": f"all-{n}@clinic.example",
                "agree_terms": True,
            }
        )
        together.append(racing.Buyer(client, "/bundles/autumn-three/bookings", filled.sent()))
    answers = racing.together([buyer.press for buyer in (*alone, *together)])

    told = sorted((answer.status_code, (answer.get_json(silent=True) or {}).get("refusal")) for answer in answers)
    assert told == [(303, None)] * 2 + [(409, "workshop_full")] * 2
    bundled = sum(answer.status_code == 303 for answer in answers[2:])
    assert taken(app) == {"one": bundled, "two": 2, "three": bundled}
    assert racing.faults(app) == []
