"""Bundles at the desk: made from the organiser's own workshops, published, withdrawn, and counted."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from bookings import bundle_figures
from courses.bundles_models import Bundle
from courses.models import TicketType, Workshop
from history.models import Entry
from lib import clock, db
from tests.bookings.making import BOB, Made, held_bundle, lapse, paid_bundle
from tests.builders import a_bundle, a_code, a_ticket, a_workshop, an_organiser, arranged
from tests.organisers.conftest import DESK
from tests.organisers.desk import press, statements
from tests.page import PageClient, form, main_text

NEW = f"{DESK}/bundles/new"
OURS = f"{DESK}/bundles/three-in-autumn"


@pytest.fixture
def three(app: Flask) -> list[str]:
    """Three workshops; the ids of their tickets as a form names them."""
    with arranged(app):
        for n, slug in enumerate(("one", "two", "three")):
            a_workshop(slug=slug, title=f"Day {slug}", price_minor=10500, in_days=20 + 7 * n)
        return [str(each) for each in db.session.scalars(select(TicketType.id).order_by(TicketType.id))]


def typed(client: PageClient, page: str, tickets: list[str], **more: str) -> dict[str, Any]:
    found = form(client.get(page), OURS if page == OURS else f"{DESK}/bundles")
    return {
        **{name: value for name, value in found.values.items() if name != "tickets"},
        "title": "Three in autumn",
        "about": "Three days on losses.",
        "tickets": tickets,
        "prices-0-amount": "267.75",
        **more,
    }


def made(owner: PageClient, tickets: list[str]) -> None:
    assert owner.post(f"{DESK}/bundles", data=typed(owner, NEW, tickets)).status_code == 303


def bundle(app: Flask) -> Bundle:
    with app.app_context():
        found = db.session.scalars(select(Bundle)).one()
        assert found.tickets is not None
        assert found.prices is not None
        db.session.expunge_all()
        return found


def verbs(app: Flask) -> list[str]:
    with app.app_context():
        return list(db.session.scalars(select(Entry.verb).where(Entry.about.like("bundle:%")).order_by(Entry.id)))


def test_a_bundle_from_the_first_field_to_its_page(app: Flask, owner: PageClient, three: list[str]) -> None:
    made(owner, three)
    found = bundle(app)
    assert (found.slug, found.is_published, [each.minor for each in found.prices]) == (
        "three-in-autumn",
        False,
        [26775],
    )
    assert owner.get("/bundles/three-in-autumn").status_code == 404

    assert press(owner, OURS, "/publication").status_code == 303
    page = main_text(owner.get("/bundles/three-in-autumn"))
    assert "£267.75" in page
    assert "Three days on losses." in page
    assert "See its page" in main_text(owner.get(OURS))

    assert press(owner, OURS, "/withdrawal").status_code == 303
    assert owner.get("/bundles/three-in-autumn").status_code == 404
    assert press(owner, OURS, "/delete").status_code == 303
    assert "No bundle yet." in main_text(owner.get(f"{DESK}/bundles"))
    assert verbs(app) == ["bundle_saved", "bundle_published", "bundle_withdrawn", "bundle_deleted"]


def test_days_of_sale_are_whole_days_of_the_organiser(app: Flask, owner: PageClient, three: list[str]) -> None:
    data = typed(owner, NEW, three, sold_from="2027-03-10", sold_until="2027-03-20")
    assert owner.post(f"{DESK}/bundles", data=data).status_code == 303
    found = bundle(app)

    assert found.sold_from
    assert found.sold_until
    assert (found.sold_from.isoformat(), found.sold_until.isoformat()) == (
        "2027-03-10T00:00:00+00:00",
        "2027-03-21T00:00:00+00:00",
    )
    values = form(owner.get(OURS), OURS).values
    assert (values["sold_from"], values["sold_until"]) == ("2027-03-10", "2027-03-20")


@pytest.mark.parametrize(
    ("tickets", "more", "said"),
    [
        ([0], {}, "at least two workshops"),
        ([0, 1, 3], {}, "One ticket of each workshop"),
        ([0, 1], {"prices-0-amount": ""}, "a price in at least one currency"),
        ([0, 1], {"prices-0-amount": "0.10"}, "Stripe takes £0.30 at the least"),
        ([0, 1], {"prices-1-currency": "GBP", "prices-1-amount": "200"}, "A currency is there twice"),
        ([0, 1], {"sold_from": "2027-03-10", "sold_until": "2027-03-09"}, "ends before it begins"),
        ([0, 1], {"title": ""}, "give it a title"),
    ],
)
def test_what_cannot_be_is_said(
    app: Flask, owner: PageClient, three: list[str], tickets: list[int], more: dict[str, str], said: str
) -> None:
    with arranged(app):
        first = db.session.scalars(select(Workshop).where(Workshop.slug == "one")).one()
        known = [*three, str(a_ticket(first, code="other").id)]
    answer = owner.post(f"{DESK}/bundles", data=typed(owner, NEW, [known[each] for each in tickets], **more))

    assert answer.status_code == 422
    assert said in main_text(answer)


def test_only_plain_tickets_of_workshops_ahead_are_offered(app: Flask, owner: PageClient, three: list[str]) -> None:
    with arranged(app):
        workshop = db.session.scalars(select(Workshop).where(Workshop.slug == "one")).one()
        rules: dict[str, dict[str, Any]] = {
            "pair": {"seats": 2},
            "group": {"least_people": 5},
            "member": {"proof": "number"},
            "gone": {"is_hidden": True},
            "lunch": {"kind": "extra", "pools": []},
        }
        for code, columns in rules.items():
            a_ticket(workshop, code=code, **columns)
        a_workshop(slug="off", status="cancelled")
        a_workshop(slug="began", in_days=-3)
        other = an_organiser(slug="pim", name="Pim")
        a_workshop(organiser=other, slug="theirs")
    found = form(owner.get(NEW), f"{DESK}/bundles")

    assert sorted(each.choices[0] for each in found.fields if each.name == "tickets") == sorted(three)


def test_a_ticket_of_another_organiser_cannot_be_put_in(app: Flask, owner: PageClient, three: list[str]) -> None:
    with arranged(app):
        theirs = a_workshop(organiser=an_organiser(slug="pim", name="Pim"), slug="theirs").tickets[0].id
    answer = owner.post(f"{DESK}/bundles", data=typed(owner, NEW, [*three, str(theirs)]))
    assert answer.status_code == 422


def test_it_is_not_published_before_its_workshops_are(app: Flask, owner: PageClient, three: list[str]) -> None:
    made(owner, three)
    with arranged(app):
        db.session.scalars(select(Workshop).where(Workshop.slug == "two")).one().status = "draft"
    page = owner.get(OURS)
    assert "“Day two” is still a draft." in main_text(page)

    token = {"csrf_token": form(page, "/delete").values["csrf_token"]}
    refused = owner.post(f"{OURS}/publication", data=token)
    assert refused.status_code == 409
    assert not bundle(app).is_published


def test_what_is_booked_keeps_its_workshops_and_stays(app: Flask, owner: PageClient, three: list[str]) -> None:
    made(owner, three)
    press(owner, OURS, "/publication")
    paid_bundle(app, "three-in-autumn")

    refused = owner.post(OURS, data=typed(owner, OURS, three[:2]))
    assert refused.status_code == 409
    assert "its workshops and tickets stay as they were" in main_text(refused)
    assert owner.post(OURS, data=typed(owner, OURS, three, **{"prices-0-amount": "250"})).status_code == 303
    assert [each.minor for each in bundle(app).prices] == [25000]
    refused = press(owner, OURS, "/delete")
    assert refused.status_code == 409


def test_sold_counts_bookings_and_places_that_stand(app: Flask, owner: PageClient, three: list[str]) -> None:
    made(owner, three)
    press(owner, OURS, "/publication")
    gone: Made = held_bundle(app, "three-in-autumn", [("Cy", "cy@clinic.example")])
    lapse(app, gone)
    paid_bundle(app, "three-in-autumn")
    paid_bundle(app, "three-in-autumn", [BOB, ("Dee", "dee@clinic.example")])
    held_bundle(app, "three-in-autumn", [("Eve", "eve@clinic.example")])

    with app.app_context():
        (told,) = bundle_figures.sold([bundle(app).id], clock.now()).values()
    assert told == bundle_figures.Sold(bookings=2, places=9, held=1)
    assert "2 bookings stand, 9 places in all; 1 is being paid for." in main_text(owner.get(OURS))


def test_its_bookings_are_listed_under_its_title(app: Flask, owner: PageClient, three: list[str]) -> None:
    made(owner, three)
    press(owner, OURS, "/publication")
    paid_bundle(app, "three-in-autumn")
    assert main_text(owner.get(f"{DESK}/bookings")).count("Three in autumn") == 1


@pytest.mark.parametrize("what", ["ticket", "workshop"])
def test_what_is_in_a_bundle_is_not_deleted(app: Flask, owner: PageClient, three: list[str], what: str) -> None:
    made(owner, three)
    page = f"{DESK}/workshops/one" + ("/tickets/standard" if what == "ticket" else "")
    refused = press(owner, page, "/delete")

    assert refused.status_code == 409
    assert "part of the bundle “Three in autumn”" in main_text(refused)


def test_a_code_is_for_the_bundles_it_names(app: Flask, owner: PageClient, three: list[str]) -> None:
    made(owner, three)
    with arranged(app):
        a_code(code="OURS")
    page = f"{DESK}/codes/OURS"
    found = form(owner.get(page), page)
    number = str(bundle(app).id)
    assert owner.post(page, data={**found.values, "bundles": number}).status_code == 303
    assert form(owner.get(page), page).values["bundles"] == number


def test_its_pages_ask_as_much_of_one_as_of_many(app: Flask, owner: PageClient, three: list[str]) -> None:
    made(owner, three)
    paths = (f"{DESK}/bundles", OURS, NEW)
    few = [statements(app, lambda path=path: owner.get(path)) for path in paths]  # type: ignore[misc]
    with arranged(app):
        for n in range(5):
            a_bundle(*(a_workshop(in_days=40 + n) for _ in range(6)), slug=f"more-{n}", title=f"More {n}")
    assert [statements(app, lambda path=path: owner.get(path)) for path in paths] == few  # type: ignore[misc]
