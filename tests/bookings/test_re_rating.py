"""A group that shrinks below what its code asks for: who leaves takes the discount of those who stay along. The price
checks of the facts, from the pages to the money."""

from collections.abc import Sequence
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from bookings import audit, refund_bases, returning
from bookings.models import Attendee, Booking, Redemption
from lib import clock as now
from lib import db
from payments import ledger
from payments.models import Refund
from policies import versions
from tests import facts
from tests.bookings.making import Made, a_wish, paid, receive
from tests.builders import a_code, a_ticket, a_workshop, an_organiser, arranged
from tests.page import PageClient, form, main_text

pytestmark = pytest.mark.both_databases
SIX = [(f"Person {n}", f"person-{n}@x.example") for n in range(6)]
HALF_LATE = [
    {"action": "cancel", "if": {"notice": ">=30d"}, "refund_pct": 100},
    {"action": "cancel", "if": {"notice": "<30d"}, "refund_pct": 50},
    {"action": "transfer", "charge_minor": 0, "price_difference": "both"},
]


def check(beginning: str) -> int:
    return next(
        int(each["refund_base_minor"])
        for each in facts.catalogue()["price_checks"]
        if each["case"].startswith(beginning)
    )


def six(app: Flask, *, percent: int = 10, codes: Sequence[str] = ("TEAM5",), **code: Any) -> Made:
    """Six colleagues 40 days before, with TEAM5 of the catalogue and a policy of 100% until 30 days before."""
    with arranged(app):
        owner = an_organiser()
        data = {"name": "Graded", "tz": owner.zone, "currency": "GBP", "rules": HALF_LATE}
        versions.write(owner.id, "Ours", data, actor="user:1", now=now.now())
        workshop = a_workshop(price_minor=None, in_days=40)
        a_ticket(workshop, code="organisation", prices={"GBP": 14500})
        rules = {"least_people": 5, "re_rate_on_cancellation": True, "stacks": len(codes) > 1}
        a_code(code="TEAM5", percent=percent, **(rules | code))
        if len(codes) > 1:
            a_code(code=codes[1], percent=20, stacks=True)
        slug = workshop.slug
    return paid(app, a_wish(slug, people=SIX, ticket="organisation", code=", ".join(codes)))


def cancel(client: PageClient, made: Made, *numbers: int) -> str:
    """Through the booker's pages; what the quote said before the button."""
    page = f"/bookings/{made.reference}/cancellation"
    asked = "&".join(f"attendee={n}" for n in numbers)
    shown = client.get(f"{page}?{asked}")
    sent = form(shown, "/cancellation#quote").sent()
    assert client.post(page, data={**sent, "attendee": [str(n) for n in numbers]}).status_code == 303
    return main_text(shown)


def refunds(app: Flask) -> list[int]:
    with app.app_context():
        return [each.amount_minor for each in db.session.scalars(select(Refund).order_by(Refund.id))]


def shares(app: Flask, *, state: str = "confirmed") -> list[int]:
    with app.app_context():
        found = db.session.scalars(select(Attendee).where(Attendee.state == state).order_by(Attendee.n))
        return [each.price_minor - each.discount_minor for each in found]


def sound(app: Flask, made: Made, kept: int) -> None:
    with app.app_context():
        assert audit.faults(now.now()) == []
        balance = ledger.of_bill(db.session.get_one(Booking, made.id).bill_id)
        assert (balance.kept_minor, balance.due_minor) == (kept, 0)


def test_one_of_six_leaves_and_five_keep_the_code(app: Flask, client: PageClient) -> None:
    made = six(app)
    client.get(made.url)

    said = cancel(client, made, 0)

    assert "£130.50" in said
    assert "TEAM5" not in said
    assert refunds(app) == [check("one of those six")] == [13050]
    assert shares(app) == [13050] * 5
    sound(app, made, 65250)


def test_two_of_six_leave_at_once_and_the_page_says_why_less_comes_back(app: Flask, client: PageClient) -> None:
    made = six(app)
    client.get(made.url)

    said = cancel(client, made, 0, 3)

    assert "TEAM5 is for 5 people or more on one booking, and 4 would stay" in said
    assert "counted from £783.00 less that, which is £203.00" in said
    assert refunds(app) == [check("two of those six")] == [20300]
    assert shares(app) == [14500] * 4
    assert shares(app, state="cancelled") == [10150] * 2
    sound(app, made, 58000)
    with app.app_context():
        assert db.session.scalars(select(Redemption.minor)).one() == 8700 - 5800


def test_two_of_six_leave_one_after_the_other_and_get_the_same(app: Flask, client: PageClient) -> None:
    made = six(app)
    client.get(made.url)

    said = [cancel(client, made, n) for n in (0, 1, 2)]

    assert ["TEAM5" in each for each in said] == [False, True, False]
    assert refunds(app) == [13050, 7250, 14500]  # 13050 and 7250 are the 20300
    assert sum(refunds(app)[:2]) == check("two of those six")
    assert shares(app) == [14500] * 3
    sound(app, made, 43500)


def test_a_dearer_date_paid_after_others_left_costs_its_difference_on_top(app: Flask, client: PageClient) -> None:
    made = six(app)
    client.get(made.url)
    with arranged(app):
        there = f"{a_workshop(price_minor=20000, in_days=60).slug}:standard"
    page = f"/bookings/{made.reference}/transfer"
    wished = form(client.get(f"{page}?attendee=5"), "/transfer").sent()
    assert client.post(page, data={**wished, "to": there}).status_code == 303
    cancel(client, made, 0, 3)
    assert shares(app) == [14500] * 4

    receive(app, made)

    assert shares(app) == [14500] * 3 + [20000]
    sound(app, made, 58000 + 5500)


def test_who_leaves_late_gets_half_of_what_is_left_for_them(app: Flask, client: PageClient, clock: Any) -> None:
    made = six(app)
    client.get(made.url)
    clock.shift(days=20)

    cancel(client, made, 0, 1)

    assert refunds(app) == [10150]


def test_all_six_leave_and_nobody_stays_to_be_re_rated(app: Flask, client: PageClient) -> None:
    made = six(app)
    client.get(made.url)

    cancel(client, made, *range(6))

    assert sum(refunds(app)) == 78300
    sound(app, made, 0)


def test_a_code_that_does_not_say_so_is_kept_by_those_who_stay(app: Flask, client: PageClient) -> None:
    made = six(app, re_rate_on_cancellation=False)
    client.get(made.url)

    cancel(client, made, 0, 1)

    assert refunds(app) == [26100]
    assert shares(app) == [13050] * 4


def test_who_leaves_never_owes_for_those_who_stay(app: Flask, client: PageClient) -> None:
    """Half price for five or more: five full places cost more than all six paid, so nothing comes back; the places
    still add up to the bill, and what was not made up is made up by the next who leaves."""
    made = six(app, percent=50, least_people=6)
    client.get(made.url)

    assert "£0.00" in cancel(client, made, 0)
    assert (refunds(app), sum(shares(app)), sum(shares(app, state="cancelled"))) == ([], 43500, 0)
    sound(app, made, 43500)
    cancel(client, made, 1)
    assert refunds(app) == []
    assert shares(app) == [10875] * 4
    cancel(client, made, 2)
    assert refunds(app) == []
    assert shares(app) == [14500] * 3
    cancel(client, made, 3)
    assert refunds(app) == [14500]
    sound(app, made, 29000)


def test_another_code_on_the_booking_stays_with_those_who_stay(app: Flask, client: PageClient) -> None:
    made = six(app, codes=("TEAM5", "LOYAL"))
    client.get(made.url)
    before = shares(app)
    assert before == [10440] * 6  # 10% off, then 20% off what is left

    cancel(client, made, 0, 1)

    assert shares(app) == [11890] * 4  # the 1450 of TEAM5 is paid, the 2610 of LOYAL is not
    assert sum(refunds(app)) == 6 * 10440 - 4 * 11890
    cancel(client, made, 2)
    assert refunds(app)[-1] == 11890
    sound(app, made, 3 * 11890)


def test_what_went_back_by_hand_does_not_go_back_again(app: Flask, client: PageClient) -> None:
    made = six(app)
    client.get(made.url)
    with arranged(app):
        booking = db.session.get_one(Booking, made.id)
        first = booking.attendees[0].id
        returning.give(
            booking, 3000, source="organiser", reason="late start", actor="user:1", now=now.now(), shares={first: 3000}
        )

    cancel(client, made, 0)
    assert refunds(app) == [3000, 10050]
    cancel(client, made, 1, 2, 3, 4, 5)
    assert sum(refunds(app)) == 78300
    sound(app, made, 0)


def test_the_base_is_never_more_than_is_left_of_the_booking(app: Flask) -> None:
    made = six(app)
    with arranged(app):
        booking = db.session.get_one(Booking, made.id)
        returning.give(booking, 70000, source="organiser", reason="kindness", actor="user:1", now=now.now())
        assert sum(refund_bases.of(booking, booking.attendees).values()) == 8300
        assert list(refund_bases.of(booking, booking.attendees[:1]).values()) == [8300]
