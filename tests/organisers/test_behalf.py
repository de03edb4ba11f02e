"""What the team does on a booker's behalf: what the terms say is shown and done, or terms of the team's own with a
reason, and never more goes back than was paid and is still here."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from bookings import audit
from bookings.models import Attendee, Booking, Change
from history.models import Entry
from lib import clock as now
from lib import db
from mail.models import Letter
from payments import ledger
from payments.models import Credit, Refund
from policies import versions
from tests.bookings.making import ANN, BOB, Made, a_wish, paid, receive
from tests.builders import a_code, a_workshop, an_organiser, arranged
from tests.conftest import Clock
from tests.organisers.conftest import DESK
from tests.organisers.desk import statements
from tests.page import PageClient, form, main_text

pytestmark = pytest.mark.proved_on_both
CY = ("Cy Carter", "cy@clinic.example")
RULES = [
    {"action": "cancel", "if": {"notice": ">=14d"}, "refund_pct": 50},
    {"action": "cancel", "if": {"medical": True}, "credit_pct": 75, "credit_expires": "12mo", "discretionary": True},
    {"action": "cancel", "if": {"notice": "<14d"}, "refund_pct": 0},
    {"action": "no_show", "refund_pct": 0},
    {"action": "provider_cancel", "refund_pct": 100},
    {"action": "substitute", "charge_minor": 2500},
    {"action": "transfer", "if": {"notice": ">=14d"}, "charge_minor": 0, "price_difference": "both"},
    {"action": "transfer", "if": {"notice": "<14d"}, "allowed": False},
]


def a_policy(app: Flask) -> None:
    with arranged(app):
        owner = an_organiser()
        data = {"name": "Ours", "tz": owner.zone, "currency": "GBP", "rules": RULES}
        versions.write(owner.id, "Ours", data, actor="user:1", now=now.now())


def booked(app: Flask, *people: tuple[str, str], in_days: int = 28, price_minor: int = 16800, code: str = "") -> Made:
    with arranged(app):
        slug = a_workshop(in_days=in_days, price_minor=price_minor).slug
    return paid(app, a_wish(slug, people=people or [ANN], code=code))


def page(made: Made, act: str = "cancellation", n: int = 0) -> str:
    tail = act if act == "cancellation" else f"attendees/{n}/{act}"
    return f"{DESK}/bookings/{made.reference}/{tail}"


def send(client: PageClient, address: str, **typed: object) -> Any:
    """The form of a page as it is shown but for what is typed."""
    path, _, _asked = address.partition("?")
    shown = client.get(address)
    assert shown.status_code == 200, shown.status_code
    found = next(each for each in ("#terms", "#to") if f'{each}" method="post"' in shown.get_data(as_text=True))
    sent: dict[str, Any] = form(shown, f"{path}{found}").sent()
    return client.post(path, data={**sent, **typed})


def rows(app: Flask, kind: type[Any]) -> list[Any]:
    with app.app_context():
        found = list(db.session.scalars(select(kind).order_by(kind.id)))
        db.session.expunge_all()
        return found


def refunds(app: Flask) -> list[tuple[int, str]]:
    return [(each.amount_minor, each.source) for each in rows(app, Refund)]


def states(app: Flask) -> list[str]:
    return [each.state for each in rows(app, Attendee)]


def to_booker(app: Flask) -> str:
    """What the newest letter about a change says to the booker."""
    found = [each for each in rows(app, Letter) if each.template == "booking_changed"]
    return " ".join(found[-1].values["sentences"])


def sound(app: Flask) -> None:
    with app.app_context():
        assert audit.faults(now.now()) == []


def test_the_terms_are_shown_and_followed(app: Flask, owner: PageClient) -> None:
    a_policy(app)
    made = booked(app)
    said = main_text(owner.get(page(made)))
    assert "£84.00 goes back the way it was paid" in said
    assert "Everything that was paid for it goes back: £168.00" in said

    done = send(owner, page(made), why="She rang", way="terms-0")

    assert done.status_code == 303
    assert refunds(app) == [(8400, "rule")]
    assert states(app) == ["cancelled"]
    assert "She rang" not in to_booker(app)
    assert "Olu Trains did this for you" in to_booker(app)
    told = main_text(owner.get(done.location))
    assert "Done for the booker, Ann Attwood, place ended by the booking terms: £84.00 goes back" in told
    assert "Reason: She rang" in told
    sound(app)


@pytest.mark.parametrize(
    ("typed", "back", "credit"),
    [
        ({"way": "all"}, 16800, 0),
        ({"way": "nothing"}, 0, 0),
        ({"way": "other", "back": "100", "credit": "68.00", "until": "2027-12-31"}, 10000, 6800),
        ({"way": "other", "credit": "168"}, 0, 16800),
    ],
)
def test_terms_of_their_own_with_a_reason_in_the_letter(
    app: Flask, owner: PageClient, typed: dict[str, str], back: int, credit: int
) -> None:
    a_policy(app)
    made = booked(app)

    done = send(owner, page(made), **typed, why="A bereavement", is_told="y")

    assert done.status_code == 303
    assert [minor for minor, _ in refunds(app)] == ([back] if back else [])
    assert {source for _, source in refunds(app)} <= {"organiser"}
    assert [each.minor for each in rows(app, Credit)] == ([credit] if credit else [])
    assert states(app) == ["cancelled"]
    assert "Reason given: A bereavement" in to_booker(app)
    (change,) = rows(app, Change)
    assert (change.refund_minor, change.credit_minor, change.why) == (back, credit, "A bereavement")
    (entry,) = [each for each in rows(app, Entry) if each.verb == "changed_for_booker"]
    assert (entry.facts["source"], entry.facts["why"], entry.actor[:5]) == ("organiser", "A bereavement", "user:")
    sound(app)


@pytest.mark.parametrize(
    ("typed", "status", "said"),
    [
        ({"why": ""}, 422, "Please say why"),
        ({"way": ""}, 422, "Please choose what becomes of the money"),
        ({"way": "other"}, 422, "Please give an amount"),
        ({"way": "other", "back": "much"}, 422, "Please write the amount in figures"),
        ({"way": "other", "back": "1", "credit": "1", "until": "soon"}, 422, "Please give the last day"),
        ({"way": "other", "credit": "1", "until": "2020-01-01"}, 422, "That day is over"),
        ({"way": "other", "back": "168.01"}, 409, "£168.00 of what was paid for this is still here"),
        ({"way": "other", "back": "100", "credit": "68.01"}, 409, "£168.00 of what was paid for this is still here"),
        ({"way": "terms-7"}, 409, "not offered any more"),
        ({"quoted-terms-0": "1:0:0:0"}, 409, "Something changed"),
        ({"attendee": ["9"]}, 409, "has changed meanwhile"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_done(
    app: Flask, owner: PageClient, typed: dict[str, Any], status: int, said: str
) -> None:
    a_policy(app)
    made = booked(app)

    answer = send(owner, page(made), **{"why": "x", **typed})

    assert answer.status_code == status
    assert said in main_text(answer)
    assert (refunds(app), states(app), rows(app, Change)) == ([], ["confirmed"], [])


def test_a_quote_that_got_worse_is_shown_again(app: Flask, owner: PageClient, clock: Clock) -> None:
    a_policy(app)
    made = booked(app)
    sent = form(owner.get(page(made)), "#terms").sent()
    clock.shift(days=20)

    answer = owner.post(page(made), data={**sent, "why": "late"})

    assert answer.status_code == 409
    assert "No money goes back" in main_text(answer)
    assert (refunds(app), states(app)) == ([], ["confirmed"])


def test_what_was_paid_and_went_back_meanwhile_does_not_go_back_again(app: Flask, owner: PageClient) -> None:
    a_policy(app)
    made = booked(app)
    sent = form(owner.get(page(made)), "#terms").sent()
    desk = f"{DESK}/bookings/{made.reference}"
    given = form(owner.get(desk), "/refunds").sent()
    assert owner.post(f"{desk}/refunds", data={**given, "amount": "150", "why": "sorry"}).status_code == 303

    answer = owner.post(page(made), data={**sent, "why": "x", "way": "all"})

    assert answer.status_code == 409
    assert "£18.00" in main_text(answer)
    assert send(owner, page(made), why="x", way="all").status_code == 303
    assert [minor for minor, _ in refunds(app)] == [15000, 1800]
    sound(app)


def test_several_end_at_once_and_share_what_goes_back(app: Flask, owner: PageClient) -> None:
    a_policy(app)
    made = booked(app, ANN, BOB, CY)
    address = f"{page(made)}?attendee=0&attendee=2"
    assert "£168.00 goes back" in main_text(owner.get(address))

    done = send(owner, address, attendee=["0", "2"], way="other", back="100.01", why="kindness")

    assert done.status_code == 303
    assert states(app) == ["cancelled", "confirmed", "cancelled"]
    (refund,) = rows(app, Refund)
    assert (refund.amount_minor, sorted(refund.shares.values())) == (10001, [5000, 5001])
    sound(app)
    assert send(owner, page(made), way="all", why="the rest").status_code == 303
    assert sum(minor for minor, _ in refunds(app)) == 10001 + 16800
    sound(app)


def test_terms_of_their_own_leave_the_others_their_code(app: Flask, owner: PageClient) -> None:
    a_policy(app)
    with arranged(app):
        a_code(code="PAIR", percent=50, least_people=2, re_rate_on_cancellation=True)
    made = booked(app, ANN, BOB, code="PAIR")
    assert "PAIR is for 2 people" in main_text(owner.get(f"{page(made)}?attendee=0"))

    assert send(owner, f"{page(made)}?attendee=0", way="all", why="our mistake").status_code == 303

    assert refunds(app) == [(8400, "organiser")]
    assert [each.discount_minor for each in rows(app, Attendee)] == [8400, 8400]
    sound(app)


def test_an_illness_the_terms_leave_to_the_organiser(app: Flask, owner: PageClient, client: PageClient) -> None:
    a_policy(app)
    made = booked(app, in_days=10)
    said = main_text(owner.get(page(made)))
    assert "They cannot come: medical, and there is proof" in said
    assert "They did not come" in said
    assert "They left early" not in said
    assert "They withdraw" not in said

    address = f"{page(made)}?case=cancel:medical"
    assert "£126.00 is kept as a credit" in main_text(owner.get(address))
    assert send(owner, address, way="terms-0", why="Doctor's note seen").status_code == 303

    assert [each.minor for each in rows(app, Credit)] == [12600]
    assert rows(app, Credit)[0].expires_at is not None
    sound(app)


def test_a_place_the_organiser_cannot_keep_is_paid_back_as_the_terms_say(app: Flask, owner: PageClient) -> None:
    a_policy(app)
    made = booked(app, in_days=5)

    assert send(owner, f"{page(made)}?case=provider_cancel", way="terms-0", why="Too many").status_code == 303

    assert refunds(app) == [(16800, "rule")]


def test_without_terms_the_organiser_decides(app: Flask, owner: PageClient) -> None:
    made = booked(app)
    said = main_text(owner.get(page(made)))
    assert "without terms for changes" in said
    assert "As the terms say" not in said
    assert send(owner, page(made), why="x").status_code == 422

    assert send(owner, page(made), why="x", way="other", back="100").status_code == 303

    assert refunds(app) == [(10000, "organiser")]
    with app.app_context():
        assert ledger.of_bill(1).kept_minor == ledger.of_bill(1).owed_minor == 6800
    sound(app)


def test_somebody_who_did_not_come_is_settled_after_the_end(app: Flask, owner: PageClient, clock: Clock) -> None:
    a_policy(app)
    made = booked(app, in_days=2)
    clock.shift(days=3)

    assert send(owner, f"{page(made)}?case=no_show", way="terms-0", why="Never joined").status_code == 303

    assert (refunds(app), states(app)) == ([], ["cancelled"])


def test_a_colleague_comes_and_the_fee_is_asked_for_by_letter(
    app: Flask, owner: PageClient, client: PageClient
) -> None:
    a_policy(app)
    made = booked(app)
    address = page(made, "substitution")
    assert "£25.00 is to be paid first" in main_text(owner.get(address))
    assert send(owner, address, name="", email="nowhere", why="x").status_code == 422

    done = send(owner, address, name=CY[0], email=CY[1], way="terms-0", why="She rang")

    told = main_text(owner.get(done.location))
    assert "A letter asks the booker to pay" in told
    assert "A change waits for its payment £25.00 is to be paid by" in told
    assert "Begun for the booker, Ann Attwood, place passed on by the booking terms: £25.00 is to be paid first" in told
    assert "it costs £25.00" in to_booker(app)
    assert [each.name for each in rows(app, Attendee)] == [ANN[0]]
    assert "A change waits" in main_text(client.get(made.url))
    receive(app, made)
    assert [each.name for each in rows(app, Attendee)] == [CY[0]]
    sound(app)


def test_a_colleague_comes_free_of_charge(app: Flask, owner: PageClient) -> None:
    a_policy(app)
    made = booked(app, ANN, BOB)
    address = page(made, "substitution")

    taken = send(owner, address, name="Bob Again", email=BOB[1], way="nothing", why="x")
    assert taken.status_code == 409
    assert "belongs to another place" in main_text(taken)

    assert send(owner, address, name=CY[0], email=CY[1], way="nothing", why="A favour").status_code == 303

    assert [each.name for each in rows(app, Attendee)] == [CY[0], BOB[0]]
    assert [(each.kind, each.due_minor, each.why) for each in rows(app, Change)] == [("substitute", 0, "A favour")]
    sound(app)


def moved(app: Flask, owner: PageClient, price_minor: int, *, in_days: int = 28, **typed: object) -> Any:
    a_policy(app)
    made = booked(app, in_days=in_days)
    with arranged(app):
        slug = a_workshop(in_days=60, price_minor=price_minor).slug
    sent = {"to": f"{slug}:standard", "why": "She asked", **typed}
    return send(owner, page(made, "transfer"), **sent)


def test_a_place_moves_by_the_terms(app: Flask, owner: PageClient) -> None:
    assert moved(app, owner, 10000, way="terms-0").status_code == 303

    assert refunds(app) == [(6800, "rule")]
    assert [each.price_minor for each in rows(app, Attendee)] == [10000]
    sound(app)


def test_a_dearer_date_at_the_price_that_was_paid(app: Flask, owner: PageClient) -> None:
    assert moved(app, owner, 20000, way="nothing").status_code == 303

    assert (refunds(app), [each.price_minor for each in rows(app, Attendee)]) == ([], [16800])
    sound(app)


def test_a_dearer_date_by_the_terms_waits_for_its_payment_longer_than_a_page(
    app: Flask, owner: PageClient, clock: Clock
) -> None:
    assert moved(app, owner, 20000, way="terms-0").status_code == 303

    (change,) = rows(app, Change)
    assert (change.state, change.due_minor) == ("owing", 3200)
    assert (change.held_until - clock.at).total_seconds() > 20 * 3600
    sound(app)


def test_a_move_the_terms_do_not_allow(app: Flask, owner: PageClient) -> None:
    assert moved(app, owner, 10000, in_days=5, way="terms-0").status_code == 409
    assert states(app) == ["confirmed"]
    (attendee,) = rows(app, Attendee)
    reference = rows(app, Booking)[0].reference
    to = next(
        line
        for line in owner.get(f"{DESK}/bookings/{reference}/attendees/0/transfer").get_data(as_text=True).split('"')
        if line.endswith(":standard")
    )
    address = f"{DESK}/bookings/{reference}/attendees/0/transfer"

    done = send(owner, address, to=to, way="other", back="50", why="Rail strike")

    assert done.status_code == 303
    assert refunds(app) == [(5000, "organiser")]
    assert [each.price_minor for each in rows(app, Attendee)] == [11800]
    assert rows(app, Attendee)[0].workshop_id != attendee.workshop_id
    sound(app)


def test_nothing_is_offered_for_a_place_that_is_over_or_not_there(
    app: Flask, owner: PageClient, browser: Callable[[], PageClient]
) -> None:
    a_policy(app)
    made = booked(app)
    assert owner.get(page(made, "transfer", 7)).status_code == 404
    assert send(owner, page(made), way="nothing", why="x").status_code == 303
    for act in ("cancellation", "substitution", "transfer"):
        assert owner.get(page(made, act)).status_code == 409
        assert browser().get(page(made, act)).status_code == 303


def test_the_pages_cost_as_much_for_twelve_people_as_for_three(app: Flask, owner: PageClient) -> None:
    a_policy(app)
    with arranged(app):
        a_code(code="TEAM", percent=10, least_people=2, re_rate_on_cancellation=True)
        slug = a_workshop(most_attendees=12).slug
    made = []
    for number in (3, 12):
        people = [(f"P {n}", f"p{number}-{n}@x.example") for n in range(number)]
        made.append(paid(app, a_wish(slug, people=people, code="TEAM")))
        owner.get(made[-1].url)

    def costs(of: Made, number: int) -> list[int]:
        everybody = "&".join(f"attendee={n}" for n in range(number - 1))
        pages = [f"{page(of)}?{everybody}", page(of, "transfer"), page(of, "substitution")]
        pages.append(f"/bookings/{of.reference}/cancellation?{everybody}")
        return [statements(app, lambda each=each: owner.get(each)) for each in pages]  # type: ignore[misc]

    assert costs(made[1], 12) == costs(made[0], 3)
