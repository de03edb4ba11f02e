"""The last uses of a discount code and several buyers at the same moment (DISC-02).

Each buyer books a workshop of their own, so that only the code is contended for.
"""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from bookings import discounts, offers
from bookings.models import Booking
from lib import db
from tests.builders import a_code, a_workshop, arranged
from tests.conftest import at_once
from tests.races import racing
from tests.races.racing import Meeting, a_buyer, a_wish, buying

pytestmark = pytest.mark.both_databases
PRICE = 9000


def workshops(app: Flask, number: int, **code: Any) -> list[str]:
    with arranged(app):
        a_code(code="FIRST4", percent=50, **code)
        return [a_workshop(price_minor=PRICE).slug for _ in range(number)]


def totals(app: Flask) -> list[int]:
    with app.app_context():
        return sorted(each.quote["total_minor"] for each in db.session.scalars(select(Booking)))


class TestFourUsesAndSevenBuyers:
    def test_four_pay_half_and_three_are_told(
        self, app: Flask, browser: Callable[[], Any], stripe: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        slugs = workshops(app, 7, uses_total=4)
        buyers = [a_buyer(browser(), slug, {"discount_code": "first 4"}) for slug in slugs]
        # Everybody's code counts as far as can be told without the lock; inside it they come one by one.
        racing.pausing(monkeypatch, discounts, "find", Meeting(7, 5))
        racing.pausing(monkeypatch, discounts, "lock", Meeting(7, 0.1))

        answers = racing.together([buyer.press for buyer in buyers])

        told = sorted((each.status_code, (each.get_json(silent=True) or {}).get("refusal")) for each in answers)
        assert told == [(303, None)] * 4 + [(409, "code_spent")] * 3
        assert totals(app) == [4500] * 4
        assert racing.code_uses(app, "FIRST4") == 4
        assert racing.faults(app) == []

    def test_all_seven_pay_half_when_the_count_stands_apart(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        slugs = workshops(app, 7, uses_total=4)
        racing.set_apart(monkeypatch, offers, "redeem", Meeting(7, 10))
        results = at_once(app, [buying(a_wish(slug, code="FIRST4")) for slug in slugs])
        assert racing.kinds(results) == ["sold"] * 7
        assert racing.code_uses(app, "FIRST4") == 7
        assert racing.faults(app) == ["code FIRST4: was used 7 times of 4"]

    def test_need_the_lock(self, app: Flask, database_kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """PostgreSQL gives the use to everybody without; SQLite gives all but one an error instead of an answer."""
        slugs = workshops(app, 3, uses_total=1)
        racing.pausing(monkeypatch, offers, "redeem", Meeting(3, 10 if database_kind == "postgresql" else 1))
        with racing.without_locks(app):
            results = at_once(app, [buying(a_wish(slug, code="FIRST4")) for slug in slugs])
        sold = {"postgresql": ["sold"] * 3, "sqlite": ["OperationalError"] * 2 + ["sold"]}
        assert racing.kinds(results) == sold[database_kind]
        assert racing.code_uses(app, "FIRST4") == {"postgresql": 3, "sqlite": 1}[database_kind]


class TestOneUseAPerson:
    def race(self, app: Flask) -> list[str]:
        slugs = workshops(app, 2, uses_per_person=1)
        # The address is the same person's however it is written.
        emails = ("Sam@clinic.example", "sam@CLINIC.example")
        wishes = [a_wish(slug, code="FIRST4", email=email) for slug, email in zip(slugs, emails, strict=True)]
        return racing.kinds(at_once(app, [buying(wish) for wish in wishes]))

    def test_is_not_used_twice_at_once(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        racing.pausing(monkeypatch, discounts, "find", Meeting(2))
        racing.pausing(monkeypatch, offers, "redeem", Meeting(2))
        assert self.race(app) == ["CodeUsedByYou", "sold"]
        assert racing.code_uses(app, "FIRST4") == 1
        assert racing.faults(app) == []

    def test_is_used_twice_when_the_count_stands_apart(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        racing.set_apart(monkeypatch, offers, "redeem", Meeting(2, 10))
        assert self.race(app) == ["sold", "sold"]
        assert racing.code_uses(app, "FIRST4") == 2


class TestABudget:
    """4500 may be given away, and each of three buyers would get 4500."""

    def race(self, app: Flask) -> list[Any]:
        slugs = workshops(app, 3, budget_minor=PRICE // 2, currency="GBP")
        return at_once(app, [buying(a_wish(slug, code="FIRST4")) for slug in slugs])

    def test_is_given_once(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        racing.pausing(monkeypatch, discounts, "find", Meeting(3))
        racing.pausing(monkeypatch, offers, "redeem", Meeting(3))
        assert racing.kinds(self.race(app)) == ["CodeSpent", "CodeSpent", "sold"]
        assert totals(app) == [4500]
        assert racing.faults(app) == []

    def test_is_given_to_all_when_it_is_counted_apart(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        racing.set_apart(monkeypatch, offers, "redeem", Meeting(3, 10))
        assert racing.kinds(self.race(app)) == ["sold"] * 3
        assert totals(app) == [4500] * 3
        assert racing.faults(app) == ["code FIRST4: gave 13500 of 4500"]


class TestTheLastUseAndEightBuyers:
    def test_one_pays_half(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        slugs = workshops(app, 8, uses_total=1)
        racing.pausing(monkeypatch, discounts, "find", Meeting(8))
        results = at_once(app, [buying(a_wish(slug, code="first-4")) for slug in slugs])
        assert racing.kinds(results) == ["CodeSpent"] * 7 + ["sold"]
        assert racing.code_uses(app, "FIRST4") == 1
        assert racing.faults(app) == []

    def test_all_eight_do_when_the_count_stands_apart(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        slugs = workshops(app, 8, uses_total=1)
        racing.set_apart(monkeypatch, offers, "redeem", Meeting(8, 10))
        results = at_once(app, [buying(a_wish(slug, code="FIRST4")) for slug in slugs])
        assert racing.kinds(results) == ["sold"] * 8
        assert racing.faults(app) == ["code FIRST4: was used 8 times of 1"]
