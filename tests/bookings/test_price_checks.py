"""Every price check of the facts: from a workshop's rows, its codes and a filled form to what would be paid, and to the
booking that is written. The refunds among them are in test_pricing.py, the bundle's arithmetic too."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from bookings.models import Attendee, Booking
from demo.stripe.process import StandIn
from lib import db
from tests import facts
from tests.bookings.filling import send, typed
from tests.bookings.making import a_wish, paid
from tests.builders import a_code, a_ticket, a_workshop, arranged
from tests.conftest import Clock
from tests.page import PageClient

CHECKS: list[dict[str, Any]] = facts.catalogue()["price_checks"]
SOON = "2024-10-01T09:00:00Z"
SAID = {
    "expired": "code_expired",
    "not on this ticket": "code_not_for_ticket",
    "already used": "code_used_by_you",
    "order below 30.00": "code_below_minimum",
}
# What a booker would choose and type in each case: by how the case begins.
CHOSEN: dict[str, dict[str, Any]] = {
    "self-funded grief day": {"prices": {"GBP": 10500}, "code": "WELCOME20"},
    "self-funded spring day": {"prices": {"GBP": 10900}, "code": "WELCOME25", "at": "2025-01-01T00:00:00Z"},
    "early bird": {"ticket": "early_bird", "prices": {"GBP": 8500}, "code": "WELCOME20"},
    "second booking": {"prices": {"GBP": 10500}, "code": "WELCOME20", "before": "Ines.Carraway+first@x.example"},
    "two friends": {"ticket": "pair_self_funded", "prices": {"GBP": 16800}, "people": 2, "seats": 2},
    "six colleagues": {"ticket": "organisation", "prices": {"GBP": 14500}, "people": 6, "code": "TEAM5"},
    "USD couple seminar": {"prices": {"USD": 9500}, "extra": {"USD": 2000}},
    "SPEAKER on any": {"prices": {"GBP": 10500}, "code": "SPEAKER"},
    "TENOFF on a": {"ticket": "single_evening", "prices": {"GBP": 2400}, "code": "TENOFF"},
}
ELSEWHERE = ("one of those six", "two of those six", "bundle of three")


def chosen(case: str) -> dict[str, Any] | None:
    return next((each for beginning, each in CHOSEN.items() if case.startswith(beginning)), None)


def plant(fact: Mapping[str, Any]) -> None:
    """A code as the catalogue describes it."""
    a_code(
        code=fact["code"],
        percent=fact.get("percent"),
        **({"kind": "amount", "minor": fact["amount_minor"]} if "amount_minor" in fact else {}),
        currency=fact.get("currency"),
        tickets=None if fact["on"] == ["any"] else fact["on"],
        uses_per_person=fact.get("uses_per_person"),
        uses_total=fact.get("uses_total"),
        least_people=fact.get("min_seats", 1),
        re_rate_on_cancellation=fact.get("re_rate_on_cancellation", False),
        least_order_minor=fact.get("min_order_minor"),
        stacks=fact["stack"],
        valid_until=datetime.fromisoformat(fact["until"]) if "until" in fact else None,
    )


def test_no_check_is_left_out() -> None:
    left = [each["case"] for each in CHECKS if chosen(each["case"]) is None]

    assert [each for each in left if not each.startswith(ELSEWHERE)] == []
    assert (len(CHECKS), len(left)) == (12, 3)


@pytest.mark.both_databases
@pytest.mark.parametrize("fact", [each for each in CHECKS if chosen(each["case"])], ids=lambda each: each["case"][:22])
def test_a_quote_and_the_booking_cost_what_the_facts_say(
    app: Flask, clock: Clock, client: PageClient, stripe: StandIn, fact: dict[str, Any]
) -> None:
    case = chosen(fact["case"]) or {}
    ticket, number = case.get("ticket", "self_funded"), case.get("people", 1)
    clock.set(case.get("at", SOON))
    with arranged(app):
        workshop = a_workshop(price_minor=None)
        a_ticket(workshop, code=ticket, prices=case["prices"], seats=case.get("seats", 1))
        if "extra" in case:
            a_ticket(workshop, code="ce_certificate_addon", kind="extra", prices=case["extra"], pools=[])
        for known in facts.catalogue()["discount_codes"]:
            plant(known)
        slug, other = workshop.slug, a_workshop(price_minor=None)
        a_ticket(other, code="self_funded", prices={"GBP": 10500})
        before = other.slug
    if "before" in case:
        paid(app, a_wish(before, ticket="self_funded", code="WELCOME20", booker=("Ines", case["before"].lower())))
    people = [(f"Person {n}", f"person-{n}@x.example") for n in range(number)]
    changes = {"discount_code": case.get("code", ""), "booker_email": "INES.carraway@x.example"}
    if "extra" in case:
        changes["attendee-0-extra"] = "ce_certificate_addon"
    data = typed(client, slug, people, changes)

    told = send(client, slug, data, to="quote", as_json=True).get_json()

    refusal = SAID.get(fact.get("code_refused", ""))
    assert (told["total_minor"], told["currency"]) == (fact["pay_minor"], fact.get("currency", "GBP"))
    assert sum(line["minor"] for line in told["lines"]) == fact["pay_minor"]
    assert (told["code"]["accepted"], told["code"]["refusal"]) == (bool(case.get("code")) and not refusal, refusal)

    if refusal:
        refused = send(client, slug, data, as_json=True)
        assert (refused.status_code, refused.get_json()["refusal"]) == (422, refusal)
        data["discount_code"] = ""
    answer = send(client, slug, data)
    assert answer.status_code == 303
    assert ("/pay/" in answer.location) == (fact["pay_minor"] > 0)
    with app.app_context():
        booking = db.session.scalars(select(Booking).order_by(Booking.id.desc())).first()
        assert booking
        assert booking.bill.total_minor == fact["pay_minor"]
        shares = db.session.scalars(select(Attendee).where(Attendee.booking_id == booking.id)).all()
        each = {share.price_minor - share.discount_minor for share in shares}
        assert each == {fact.get("per_seat_minor", fact["pay_minor"] // number)}
        assert booking.state == ("held" if fact["pay_minor"] else "confirmed")
