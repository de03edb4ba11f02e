"""Places given up, passed on and moved by their booker: what was shown is what is done, or nothing is."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from bookings import audit, change_rows, changes, lifecycle, returning
from bookings.change_terms import Act, Deal, Ruling
from bookings.models import Attendee, Booking, Change
from courses.models import Place
from history.models import Entry
from lib import clock as now
from lib import db
from mail.models import Letter
from payments import ledger
from payments.models import PaymentAttempt, Refund
from policies import templates, versions
from tests.bookings.making import ANN, BOB, Made, a_wish, paid, receive
from tests.builders import a_workshop, an_organiser, arranged
from tests.conftest import Clock
from tests.page import PageClient, form, main_text

pytestmark = pytest.mark.both_databases
CY = ("Cy Carter", "cy@clinic.example")


def a_policy(app: Flask, key: str = "graded_30_14") -> None:
    with arranged(app):
        owner = an_organiser()
        data = templates.by_key(key).data(owner.zone, owner.currency)
        versions.write(owner.id, "Ours", data, actor="user:1", now=now.now())


def a_slug(app: Flask, **columns: Any) -> str:
    with arranged(app):
        return a_workshop(**columns).slug


def booked(app: Flask, client: PageClient, *people: tuple[str, str], in_days: int = 28) -> Made:
    """A paid booking whose page the client has opened."""
    made = paid(app, a_wish(a_slug(app, in_days=in_days), people=people or [ANN]))
    client.get(made.url)
    return made


def sent(client: PageClient, page: str, action: str, **typed: object) -> Any:
    """The form of a page, sent as it is shown but for what is typed."""
    found = form(client.get(page), action)
    return client.post(page.partition("?")[0], data={**found.values, **typed})


def rows(app: Flask, kind: type[Any]) -> list[Any]:
    with app.app_context():
        found = list(db.session.scalars(select(kind).order_by(kind.id)))
        db.session.expunge_all()
        return found


def letters(app: Flask) -> list[tuple[str, str]]:
    return [(each.to_email, each.template) for each in rows(app, Letter)]


def sound(app: Flask) -> None:
    with app.app_context():
        assert audit.faults(now.now()) == []


def test_the_quote_that_is_shown_comes_back(app: Flask, client: PageClient) -> None:
    a_policy(app)
    made = booked(app, client)
    page = f"/bookings/{made.reference}/cancellation"
    said = main_text(client.get(page))
    assert "£84.00" in said
    assert "less comes back" in said

    answer = sent(client, page, "/cancellation#quote", why="The flu")

    assert answer.status_code == 303
    assert [(each.amount_minor, each.source) for each in rows(app, Refund)] == [(8400, "rule")]
    assert [each.state for each in rows(app, Attendee)] == ["cancelled"]
    assert [each.state for each in rows(app, Place)] == ["released"]
    told = letters(app)
    assert {(ANN[1], "place_ended"), ("bea@clinic.example", "booking_changed")} <= set(told)
    assert ("hello@olu-trains.example", "organiser_notice") in told
    assert client.get(made.places[0]).status_code in (200, 404)
    assert "You have a place" not in main_text(client.get(made.url))
    sound(app)


def test_one_of_two_goes_and_the_other_keeps_everything(app: Flask, client: PageClient) -> None:
    a_policy(app)
    made = booked(app, client, ANN, BOB)
    page = f"/bookings/{made.reference}/cancellation"

    assert sent(client, f"{page}?attendee=1", "/cancellation#quote", attendee="1").status_code == 303

    assert [each.state for each in rows(app, Attendee)] == ["confirmed", "cancelled"]
    assert [each.state for each in rows(app, Booking)] == ["confirmed"]
    assert [(each.amount_minor, each.shares) for each in rows(app, Refund)] == [(8400, {"2": 8400})]
    assert ANN[1] not in {to for to, template in letters(app) if template == "place_ended"}
    sound(app)


def test_a_deadline_that_passed_meanwhile_is_said_and_nothing_is_done(
    app: Flask, client: PageClient, clock: Clock
) -> None:
    a_policy(app)
    made = booked(app, client)
    page = f"/bookings/{made.reference}/cancellation"
    values = form(client.get(page), "/cancellation#quote").values
    clock.shift(days=16)

    answer = client.post(page, data=values)

    assert answer.status_code == 409
    assert "£0.00" in main_text(answer)
    assert rows(app, Refund) == []
    assert [each.state for each in rows(app, Attendee)] == ["confirmed"]


@pytest.mark.parametrize("typed", [{"attendee": "9"}, {"choice": "7"}, {"quoted-0": "999999:0:0:0"}])
def test_a_hostile_form_changes_nothing(app: Flask, client: PageClient, typed: Mapping[str, str]) -> None:
    a_policy(app)
    made = booked(app, client)

    answer = sent(client, f"/bookings/{made.reference}/cancellation", "/cancellation#quote", **typed)

    assert answer.status_code in (409, 422)
    assert rows(app, Refund) == []
    assert [each.state for each in rows(app, Attendee)] == ["confirmed"]


def test_without_a_policy_the_organiser_is_named(app: Flask, client: PageClient) -> None:
    made = booked(app, client)
    page = f"/bookings/{made.reference}/cancellation"

    assert "settles this with you" in main_text(client.get(page))
    assert "Give this place up" not in main_text(client.get(page))


def test_a_colleague_gets_links_of_their_own(app: Flask, client: PageClient) -> None:
    a_policy(app)
    made = booked(app, client)
    page = f"/bookings/{made.reference}/attendees/0/substitution"
    assert sent(client, page, "/substitution", name="", email="nowhere").status_code == 422

    assert sent(client, page, "/substitution", name=CY[0], email=CY[1]).status_code == 303

    assert client.get(made.places[0]).status_code == 404
    (attendee,) = rows(app, Attendee)
    assert (attendee.name, attendee.email, attendee.link_version) == (*CY, 2)
    told = letters(app)
    assert (ANN[1], "place_ended") in told
    assert (CY[1], "confirmed") in told
    assert [each.kind for each in rows(app, Change)] == ["substitute"]
    assert "place_passed_on" in {each.verb for each in rows(app, Entry)}
    sound(app)


def test_somebody_who_comes_already_is_no_colleague(app: Flask, client: PageClient) -> None:
    a_policy(app)
    made = booked(app, client, ANN, BOB)
    page = f"/bookings/{made.reference}/attendees/0/substitution"

    answer = sent(client, page, "/substitution", name="Bob Again", email=BOB[1])

    assert answer.status_code == 409
    assert "belongs to another place" in main_text(answer)
    assert [each.name for each in rows(app, Attendee)] == [ANN[0], BOB[0]]


def transfer(app: Flask, client: PageClient, price_minor: int) -> tuple[Made, Any]:
    made = booked(app, client)
    target = a_slug(app, in_days=60, price_minor=price_minor)
    page = f"/bookings/{made.reference}/transfer?attendee=0"
    return made, sent(client, page, "/transfer", to=f"{target}:standard")


def test_a_cheaper_date_gives_the_difference_back(app: Flask, client: PageClient) -> None:
    a_policy(app)
    _, answer = transfer(app, client, 10000)

    assert answer.status_code == 303
    assert [each.amount_minor for each in rows(app, Refund)] == [6800]
    (attendee,) = rows(app, Attendee)
    assert (attendee.price_minor, attendee.discount_minor, attendee.state) == (10000, 0, "confirmed")
    assert sorted(each.state for each in rows(app, Place)) == ["released", "taken"]
    sound(app)


def test_a_dearer_date_is_paid_first(app: Flask, client: PageClient, clock: Clock) -> None:
    a_policy(app)
    made, answer = transfer(app, client, 20000)
    assert answer.status_code == 303
    before = rows(app, Attendee)[0].workshop_id
    assert [(each.state, each.due_minor) for each in rows(app, Change)] == [("owing", 3200)]
    assert "A change waits" in main_text(client.get(made.url))

    receive(app, made)

    assert [each.state for each in rows(app, Change)] == ["done"]
    (attendee,) = rows(app, Attendee)
    assert attendee.workshop_id != before
    with app.app_context():
        bill = db.session.get_one(Booking, made.id).bill_id
        assert ledger.of_bill(bill).kept_minor == ledger.of_bill(bill).owed_minor == 20000
    sound(app)


def test_a_difference_paid_after_the_place_moved_elsewhere_goes_back(app: Flask, client: PageClient) -> None:
    a_policy(app)
    made, _ = transfer(app, client, 20000)
    cheaper = a_slug(app, in_days=50, price_minor=10000)
    sent(client, f"/bookings/{made.reference}/transfer?attendee=0", "/transfer", to=f"{cheaper}:standard")
    before = rows(app, Attendee)[0].workshop_id

    receive(app, made)

    (attendee,) = rows(app, Attendee)
    assert (attendee.workshop_id, attendee.price_minor) == (before, 10000)
    assert [each.state for each in rows(app, Change)] == ["lapsed", "done"]
    assert [each.amount_minor for each in rows(app, Refund)] == [6800, 3200]
    assert sorted(each.state for each in rows(app, Place)) == ["released", "released", "taken"]
    sound(app)


def test_a_difference_paid_after_all_money_went_back_goes_back_too(app: Flask, client: PageClient) -> None:
    a_policy(app)
    made, _ = transfer(app, client, 20000)
    with arranged(app):
        booking = lifecycle.locked(db.session.get_one(Booking, made.id).bill_id)
        why = "kindness"
        returning.give(booking, 16800, source="organiser", reason=why, actor="user:1", now=now.now())
    before = rows(app, Attendee)[0].workshop_id

    receive(app, made)

    assert rows(app, Attendee)[0].workshop_id == before
    assert [each.state for each in rows(app, Change)] == ["lapsed"]
    assert [each.amount_minor for each in rows(app, Refund)] == [16800, 3200]
    sound(app)
    act = Act("booker", "", now.now())
    with app.app_context(), db.writing():
        booking = lifecycle.locked(db.session.get_one(Booking, made.id).bill_id)
        with pytest.raises(change_rows.NotAllowed, match="has gone back"):
            change_rows.owe(booking, booking.attendees[0], "transfer", Deal(due_minor=3200), act, {}, "Ann moves")


def test_a_colleague_paid_for_after_another_came_is_not_let_in(app: Flask, client: PageClient, clock: Clock) -> None:
    a_policy(app, "no_refund")
    made = booked(app, client)
    page = f"/bookings/{made.reference}/attendees/0/substitution"
    assert sent(client, page, "/substitution", name=CY[0], email=CY[1]).status_code == 303
    assert [(each.state, each.due_minor) for each in rows(app, Change)] == [("owing", 1500)]
    with app.app_context(), db.writing():
        booking = lifecycle.locked(db.session.get_one(Booking, made.id).bill_id)
        act = Act("user:1", "they asked", clock.at, "organiser")
        changes.substitute(booking, 0, "Di Dunn", "di@clinic.example", "", act, ruling=Ruling(instead=Deal()))

    receive(app, made)

    assert [(each.name, each.email) for each in rows(app, Attendee)] == [("Di Dunn", "di@clinic.example")]
    assert CY[1] not in {to for to, _ in letters(app)}
    assert [each.amount_minor for each in rows(app, Refund)] == [1500]
    sound(app)


def test_a_change_nobody_pays_for_leaves_everything(app: Flask, client: PageClient, clock: Clock) -> None:
    a_policy(app)
    transfer(app, client, 20000)
    before = rows(app, Attendee)[0].workshop_id
    with app.app_context(), db.writing():
        change = db.session.scalars(select(Change)).one()
        db.session.get_one(PaymentAttempt, change.attempt_id).state = "expired"
        change_rows.lapse(change, now.now())

    assert [each.state for each in rows(app, Change)] == ["lapsed"]
    assert rows(app, Attendee)[0].workshop_id == before
    assert sorted(each.state for each in rows(app, Place)) == ["released", "taken"]
    sound(app)


def test_a_stranger_finds_none_of_it(app: Flask, client: PageClient, browser: Callable[[], PageClient]) -> None:
    a_policy(app)
    made = booked(app, client)
    stranger = browser()
    for page in ("cancellation", "transfer?attendee=0", "attendees/0/substitution"):
        assert stranger.get(f"/bookings/{made.reference}/{page}").status_code == 404
