"""The same form sent twice at once (FORM-01), and two tabs that press pay at once."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask

from bookings import checkout
from demo.stripe.process import StandIn
from payments import attempts
from tests.builders import a_workshop, arranged
from tests.page import PageClient, form
from tests.races import racing
from tests.races.racing import Meeting, a_buyer, page_of

pytestmark = pytest.mark.both_databases


def pages_made(stripe: StandIn) -> set[str]:
    """The keys with which Stripe was asked for checkout pages: a page each, however often it was asked."""
    asked = [each for each in stripe.requests() if (each["method"], each["path"]) == ("POST", "/v1/checkout/sessions")]
    return {str(each["key"]) for each in asked}


class TestTheSameFormTwiceAtOnce:
    def press_twice(self, app: Flask, browser: Callable[[], PageClient]) -> list[Any]:
        with arranged(app):
            slug = a_workshop().slug
        buyer = a_buyer(browser(), slug)
        cookie = buyer.client.get_cookie("session")
        other = browser()
        assert cookie is not None
        other.set_cookie("session", cookie.value)
        again = replace(buyer, client=other)
        return racing.together([buyer.press, again.press])

    def test_is_one_booking_with_one_page_to_pay(
        self, app: Flask, browser: Callable[[], PageClient], stripe: StandIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        racing.pausing(monkeypatch, checkout, "by_once", Meeting(2, 5))  # neither has found the other's booking
        answers = self.press_twice(app, browser)
        assert len({page_of(answer) for answer in answers}) == 1
        assert [state for _, state in racing.bookings(app)] == ["held"]
        assert len(pages_made(stripe)) == 1
        assert racing.live_attempts(app) == 1
        assert racing.faults(app) == []

    def test_is_one_booking_when_both_are_inside(
        self, app: Flask, browser: Callable[[], PageClient], stripe: StandIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Both looked inside the transaction and found nothing: on PostgreSQL only the unique key tells."""
        racing.pausing(monkeypatch, checkout, "by_once", Meeting(2, 1, after=2))
        answers = self.press_twice(app, browser)
        assert len({page_of(answer) for answer in answers}) == 1
        assert [state for _, state in racing.bookings(app)] == ["held"]
        assert len(pages_made(stripe)) == 1

    def test_is_two_bookings_without_the_key(
        self, app: Flask, browser: Callable[[], PageClient], stripe: StandIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = checkout.start
        monkeypatch.setattr(checkout, "by_once", lambda _once: None)
        monkeypatch.setattr(checkout, "start", lambda wish, *rest: real(replace(wish, once=None), *rest))
        answers = self.press_twice(app, browser)
        assert len({page_of(answer) for answer in answers}) == 2
        assert [state for _, state in racing.bookings(app)] == ["held", "held"]
        assert len(pages_made(stripe)) == 2


class TestTwoTabsThatPressPay:
    """The first page at Stripe is nearly over, so a new one is needed; both tabs ask for it."""

    def press_both(self, app: Flask, browser: Callable[[], PageClient], clock: Any) -> list[Any]:
        with arranged(app):
            slug = a_workshop().slug
        client = browser()
        a_buyer(client, slug).press()
        reference = racing.bookings(app)[0][0]
        clock.shift(minutes=30)
        tab = form(client.get(f"/bookings/{reference}"), "payment")
        cookie = client.get_cookie("session")
        other = browser()
        assert cookie is not None
        other.set_cookie("session", cookie.value)
        address, sent = urlsplit(tab.action).path, tab.sent()
        return racing.together([lambda: client.post(address, data=sent), lambda: other.post(address, data=sent)])

    def test_lead_to_one_open_page(
        self,
        app: Flask,
        browser: Callable[[], PageClient],
        stripe: StandIn,
        clock: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        racing.pausing(monkeypatch, attempts, "live", Meeting(2, after=2))
        answers = self.press_both(app, browser, clock)
        assert len({page_of(answer) for answer in answers}) == 1
        assert racing.live_attempts(app) == 1
        assert len(pages_made(stripe)) == 2  # the first, which was closed, and the new one
        assert racing.faults(app) == []

    def test_trip_over_each_other_without_the_lock(
        self,
        app: Flask,
        browser: Callable[[], PageClient],
        stripe: StandIn,
        clock: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The index over live attempts stops the second on PostgreSQL, SQLite itself does there: both with an error."""
        real = checkout.again
        meeting = Meeting(2, 1)

        def late(*args: Any) -> None:
            meeting.wait()
            real(*args)

        monkeypatch.setattr(checkout, "again", late)
        with racing.without_locks(app):
            answers = self.press_both(app, browser, clock)
        problems = [type(each).__name__ for each in answers if isinstance(each, Exception)]
        assert len(problems) == 1
        assert problems[0] in ("IntegrityError", "OperationalError")
        assert racing.live_attempts(app) == 1
