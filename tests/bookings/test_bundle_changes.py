"""A bundle once it is booked: its pages and letters, and one workshop of it given up, passed on, moved or cancelled."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from icalendar import Calendar
from sqlalchemy import select

from bookings import audit, checkout, corrections, lifecycle, moving
from bookings.models import Attendee, Booking
from courses.bundles_models import Bundle
from courses.models import Place, TicketType, Workshop
from lib import clock as clocks
from lib import db
from mail.models import Letter
from payments import attempts
from payments.models import Refund
from policies import templates, versions
from tests.bookings.making import ANN, BOB, Made, held_bundle, paid_bundle, receive, state_of
from tests.builders import a_bundle, a_meeting, a_workshop, an_organiser, arranged
from tests.conftest import Clock
from tests.courses.test_shelf import statements as counted
from tests.page import PageClient, form, main_text

pytestmark = pytest.mark.both_databases
SLUGS = ("one", "two", "three")
CY = ("Cy Carter", "cy@clinic.example")


@pytest.fixture(autouse=True)
def three(app: Flask) -> None:
    """Days in 20, 27 and 34 days, the second with two sessions; all but 10 pounds come back until 30 days before, half
    until 14 days before."""
    with arranged(app):
        owner = an_organiser()
        data = templates.by_key("graded_30_14").data(owner.zone, owner.currency)
        versions.write(owner.id, "Ours", data, actor="user:1", now=clocks.now())
        made = [
            a_workshop(
                slug=slug,
                title=f"Day {slug}",
                price_minor=10500,
                sessions=[a_meeting(in_days=20 + 7 * n)] + [a_meeting(in_days=28)] * (slug == "two"),
            )
            for n, slug in enumerate(SLUGS)
        ]
        a_bundle(*made)


def rows(app: Flask, kind: type[Any]) -> list[Any]:
    with app.app_context():
        found = list(db.session.scalars(select(kind).order_by(kind.id)))
        db.session.expunge_all()
        return found


def sound(app: Flask) -> None:
    with app.app_context():
        assert [f"{each.about}: {each.what}" for each in audit.faults(clocks.now())] == []


def opened(app: Flask, client: PageClient, *people: tuple[str, str]) -> Made:
    made = paid_bundle(app, "autumn-three", people or (ANN,))
    client.get(made.url)
    return made


def cancel(app: Flask, slug: str) -> None:
    with arranged(app):
        workshop = db.session.scalars(select(Workshop).where(Workshop.slug == slug)).one()
        moving.cancel_workshop(workshop, "The presenter is ill.", actor="user:1", now=clocks.now())


def states(app: Flask) -> list[str]:
    return [each.state for each in rows(app, Attendee)]


def letters(app: Flask, template: str) -> list[Letter]:
    return [each for each in rows(app, Letter) if each.template == template]


def test_each_person_gets_a_letter_for_each_workshop_with_its_first_invite(app: Flask) -> None:
    paid_bundle(app, "autumn-three", (ANN, BOB))

    sent = letters(app, "confirmed")
    assert [(each.to_email, each.values["workshop_title"]) for each in sent] == [
        (email, f"Day {slug}") for slug in SLUGS for _, email in (ANN, BOB)
    ]
    for each in sent:
        (event,) = Calendar.from_ical(each.calendar or "").walk("VEVENT")
        assert str(event["SUMMARY"]).startswith(each.values["workshop_title"])
        assert not each.values["shared_address"]
    assert len({each.lane for each in sent}) == 6
    assert len(letters(app, "session_invite")) == 2


def test_the_receipt_names_each_person_once_and_every_session(app: Flask) -> None:
    paid_bundle(app, "autumn-three", (ANN, BOB))

    (receipt,) = letters(app, "receipt")
    assert receipt.values["workshop_title"] == "Three in autumn"
    assert receipt.values["attendees"] == ["Ann Attwood", "Bob Barnes"]
    assert [each["title"] for each in receipt.values["sessions"]] == ["Day one", "Day two", "Day two", "Day three"]
    assert [each["text"] for each in receipt.values["lines"]] == ["Three in autumn, 2 at £267.75"]


def test_the_booker_s_page_lists_the_workshops_of_each_person(app: Flask, client: PageClient) -> None:
    made = opened(app, client, ANN, BOB)
    page = client.get(made.url)
    said = main_text(page)

    assert "Ann Attwood and Bob Barnes have places" in said
    assert said.count("ann@clinic.example") == 1
    for slug in SLUGS:
        assert f"a colleague comes instead of Ann Attwood to Day {slug}" in said
    assert "4 sessions in London" in said
    assert 'href="/bundles/autumn-three"' in page.get_data(as_text=True)


def test_programs_read_a_line_for_each_place(app: Flask, client: PageClient) -> None:
    made = opened(app, client, ANN)
    told = client.get(f"/bookings/{made.reference}.json").get_json()

    assert told["bill"]["total_minor"] == 26775
    assert told["attendees"] == [{"n": n, "name": "Ann Attwood", "state": "confirmed"} for n in range(3)]


def test_a_lapsed_one_leads_back_to_the_bundle(app: Flask, client: PageClient, clock: Clock) -> None:
    made = held_bundle(app, "autumn-three")
    clock.set("2027-03-02T10:00:00Z")
    page = client.get(made.url).get_data(as_text=True)

    assert "/bundles/autumn-three/bookings/new" in page
    assert "/workshops/one/bookings/new" not in page


@pytest.mark.parametrize(("n", "back"), [(0, 4463), (1, 4463), (2, 7925)])
def test_one_workshop_given_up_counts_by_its_own_share_and_its_own_notice(
    app: Flask, client: PageClient, n: int, back: int
) -> None:
    made = opened(app, client)
    page = f"/bookings/{made.reference}/cancellation"
    found = form(client.get(f"{page}?attendee={n}"), "#quote")
    assert client.post(page, data=found.values).status_code == 303

    assert [(each.amount_minor, each.shares) for each in rows(app, Refund)] == [(back, {str(n + 1): back})]
    assert states(app) == ["cancelled" if each == n else "confirmed" for each in range(3)]
    assert [each.state for each in rows(app, Place)].count("released") == 1
    assert state_of(app, made) == "confirmed"
    (told,) = letters(app, "booking_changed")
    assert f"Ann Attwood does not come to Day {SLUGS[n]} any more." in str(told.values)
    sound(app)


def test_all_of_it_given_up_adds_up_and_names_nobody_twice(app: Flask, client: PageClient) -> None:
    made = opened(app, client)
    page = f"/bookings/{made.reference}/cancellation"
    found = form(client.get(f"{page}?attendee=0&attendee=1&attendee=2"), "#quote")
    assert client.post(page, data={**found.sent()}).status_code == 303

    assert sum(each.amount_minor for each in rows(app, Refund)) == 4463 + 4463 + 7925
    assert states(app) == ["cancelled"] * 3
    (told,) = letters(app, "booking_changed")
    assert "Ann Attwood does not come to Day one, Day two and Day three any more." in str(told.values)
    sound(app)


def test_a_colleague_comes_to_one_of_them(app: Flask, client: PageClient) -> None:
    made = opened(app, client)
    page = f"/bookings/{made.reference}/attendees/1/substitution"
    found = form(client.get(page), "/substitution")
    assert client.post(page, data={**found.values, "name": CY[0], "email": CY[1]}).status_code == 303

    assert [each.name for each in rows(app, Attendee)] == ["Ann Attwood", "Cy Carter", "Ann Attwood"]
    assert "Ann Attwood and Cy Carter have places" in main_text(client.get(made.url))
    sound(app)


def test_a_name_put_right_is_right_at_every_workshop(app: Flask, client: PageClient) -> None:
    made = opened(app, client, ANN, BOB)
    with arranged(app):
        booking = lifecycle.locked(db.session.get_one(Booking, made.id).bill_id)
        wanted = corrections.Correction("Anne Attwood", "anne@clinic.example", "A typo")
        corrections.correct(booking, 2, wanted, actor="user:1", now=clocks.now())

    assert [each.name for each in rows(app, Attendee)] == ["Anne Attwood", "Bob Barnes"] * 3
    assert [each.to_email for each in letters(app, "confirmed")].count("anne@clinic.example") == 3
    sound(app)


def test_one_of_them_moves_to_another_date_with_its_share(app: Flask, client: PageClient) -> None:
    with arranged(app):
        a_workshop(slug="later", title="Another day", price_minor=8925, in_days=60)
    made = opened(app, client)
    page = f"/bookings/{made.reference}/transfer"
    found = form(client.get(f"{page}?attendee=2"), "/transfer")
    answer = client.post(page, data={**found.values, "to": "later:standard"})

    assert answer.status_code == 303
    with app.app_context():
        booking = db.session.scalars(select(Booking)).one()
        assert [each.workshop.slug for each in booking.attendees] == ["one", "two", "later"]
        assert [each.price_minor - each.discount_minor for each in booking.attendees] == [8925] * 3
    sound(app)


def test_a_workshop_the_organiser_cancels_gives_back_its_share_alone(app: Flask, client: PageClient) -> None:
    made = opened(app, client, ANN, BOB)
    cancel(app, "two")

    assert sum(each.amount_minor for each in rows(app, Refund)) == 2 * 8925
    assert states(app) == ["confirmed", "confirmed", "cancelled", "cancelled", "confirmed", "confirmed"]
    assert state_of(app, made) == "confirmed"
    (told,) = letters(app, "cancelled_booking")
    assert (told.values["workshop_title"], told.values["amount"]) == ("Day two", "£178.50")
    assert told.values["stays"] == "Day one and Day three"
    assert told.values["attendees"] == ["Ann Attwood", "Bob Barnes"]
    assert "2 sessions in London" in main_text(client.get(made.url))
    sound(app)


@pytest.mark.parametrize("is_late", [False, True])
def test_a_workshop_cancelled_while_somebody_pays_ends_all_of_the_bundle(app: Flask, is_late: bool) -> None:
    made = held_bundle(app, "autumn-three")
    cancel(app, "three")

    assert state_of(app, made) == "cancelled"
    assert states(app) == ["cancelled"] * 3
    assert [each.state for each in rows(app, Place)] == ["released"] * 3
    (told,) = letters(app, "cancelled_booking")
    assert "Day three does not take place" in told.values["why"]
    if is_late:
        receive(app, made)
        assert [each.amount_minor for each in rows(app, Refund)] == [26775]
        assert state_of(app, made) == "cancelled"


def test_what_a_cancellation_would_end_is_asked_as_often_for_ten_bundles_as_for_one(app: Flask) -> None:
    def asked() -> tuple[int, int]:
        with app.app_context():
            workshop = db.session.scalars(select(Workshop).where(Workshop.slug == "one")).one()
            with counted(app) as statements:
                plan = moving.plan_cancel(workshop)
            return len(statements), len(plan.ending)

    held_bundle(app, "autumn-three")
    few, ending = asked()
    for n in range(4):
        held_bundle(app, "autumn-three", ((f"P {n}", f"p{n}@x.example"),))
    assert ending == 3
    assert asked() == (few, 15)


@pytest.mark.parametrize("is_bundle_over", [True, False])
def test_another_way_to_pay_ends_with_the_sale_of_the_bundle_and_not_of_its_tickets(
    app: Flask, clock: Clock, is_bundle_over: bool
) -> None:
    made = held_bundle(app, "autumn-three")
    ended = clocks.now() + timedelta(minutes=10)
    with arranged(app):
        sold = [*db.session.scalars(select(Bundle))] if is_bundle_over else [*db.session.scalars(select(TicketType))]
        for each in sold:
            each.sold_until = ended
    clock.set("2027-03-02T09:33:00Z")

    with arranged(app):
        booking = lifecycle.locked(db.session.get_one(Booking, made.id).bill_id)
        if page := attempts.live(booking.bill_id):
            attempts.expired(page)
        if is_bundle_over:
            with pytest.raises(checkout.PriceEnded, match="“Three in autumn” ended") as refused:
                checkout.again(booking, clocks.now())
            assert refused.value.facts["next_url"].endswith("/bundles/autumn-three/bookings/new")
        else:
            checkout.again(booking, clocks.now())


def test_money_for_one_that_filled_up_meanwhile_goes_back_in_full(app: Flask, clock: Clock) -> None:
    made = held_bundle(app, "autumn-three")
    clock.set("2027-03-02T12:00:00Z")
    with arranged(app):
        db.session.scalars(select(Workshop).where(Workshop.slug == "two")).one().pools[0].capacity = 0
    receive(app, made)

    assert state_of(app, made) == "lapsed"
    assert [each.amount_minor for each in rows(app, Refund)] == [26775]
    (told,) = letters(app, "refunded_late")
    assert told.values["workshop_url"].endswith("/bundles/autumn-three")
    sound(app)
