"""Bundles in the catalogue: when one is on sale, what it saves, where it is told of, and how much is asked for it."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from courses import bundles
from courses.bundles_models import Bundle
from courses.models import TicketType, Workshop
from lib import clock as clocks
from lib import db
from tests.bookings.making import a_wish, paid
from tests.builders import a_bundle, a_meeting, a_ticket, a_workshop, arranged
from tests.conftest import Clock
from tests.organisers.desk import statements
from tests.page import PageClient

pytestmark = pytest.mark.both_databases
SLUGS = ("one", "two", "three")


def three(app: Flask, *, capacity: int = 20, price: int = 10500, **bundle: Any) -> None:
    """Three workshops at one price each, a week apart, and the bundle of them."""
    with arranged(app):
        made = [
            a_workshop(slug=slug, title=f"Day {slug}", price_minor=price, capacity=capacity, in_days=20 + 7 * n)
            for n, slug in enumerate(SLUGS)
        ]
        a_bundle(*made, **bundle)


def change(app: Flask, slug: str, **columns: Any) -> None:
    with arranged(app):
        workshop = db.session.scalars(select(Workshop).where(Workshop.slug == slug)).one()
        for name, value in columns.items():
            setattr(workshop, name, value)


def stands(app: Flask) -> bundles.BundleListing:
    with app.app_context():
        found = bundles.by_slug("autumn-three", clocks.now())
    assert found is not None
    return found


def test_a_bundle_costs_its_own_price_and_says_what_it_saves(app: Flask, clock: Clock) -> None:
    three(app)
    listing = stands(app)

    assert (listing.price_minor, listing.currency, listing.saving("GBP")) == (26775, "GBP", 4725)
    assert listing.bookable
    assert listing.places_left == 20
    assert [each.workshop.slug for each in listing.parts] == list(SLUGS)


@pytest.mark.parametrize("price", [8925, 8000])
def test_what_saves_nothing_is_not_called_cheaper(app: Flask, clock: Clock, price: int) -> None:
    three(app, price=price)
    assert stands(app).saving("GBP") is None


def test_nothing_is_compared_with_a_ticket_that_nobody_can_buy_alone(app: Flask, clock: Clock) -> None:
    three(app)
    with arranged(app):
        ticket = db.session.scalars(select(TicketType).order_by(TicketType.id)).first()
        assert ticket
        ticket.sold_until = clocks.now() - timedelta(days=1)
    listing = stands(app)

    assert listing.bookable  # the bundle has days of sale of its own
    assert listing.saving("GBP") is None


def test_one_place_sold_out_closes_the_bundle(app: Flask, clock: Clock, client: PageClient) -> None:
    three(app, capacity=1)
    assert stands(app).bookable
    paid(app, a_wish("two"))
    listing = stands(app)

    assert (listing.bookable, listing.offer.is_full, listing.price_minor) == (False, True, None)
    assert listing.offer.reason == "No place is left at “Day two”."
    page = client.get("/bundles/autumn-three").get_data(as_text=True)
    assert "so the bundle is closed" in page
    assert "/bundles/autumn-three/bookings/new" not in page
    assert "/bundles/" not in client.get("/workshops/one").get_data(as_text=True)


@pytest.mark.parametrize(
    ("days", "reason"), [(20.5, "“Day one” has begun."), (21, "“Day one” is over."), (60, "“Day one” is over.")]
)
def test_a_workshop_that_has_begun_closes_the_bundle(app: Flask, clock: Clock, days: float, reason: str) -> None:
    three(app)
    clock.set((clocks.now() + timedelta(days=days, hours=-7 if days == 20.5 else 0)).isoformat())
    listing = stands(app)

    assert (listing.bookable, listing.offer.is_full, listing.offer.reason) == (False, False, reason)


def test_a_cancelled_workshop_closes_the_bundle(app: Flask, clock: Clock) -> None:
    three(app)
    change(app, "three", status="cancelled")
    listing = stands(app)

    assert (listing.state, listing.bookable, listing.offer.reason) == ("cancelled", False, "“Day three” is cancelled.")


def test_it_is_sold_on_its_own_days(app: Flask, clock: Clock) -> None:
    opens, ends = clocks.now() + timedelta(days=1), clocks.now() + timedelta(days=3)
    three(app, sold_from=opens, sold_until=ends)

    assert stands(app).offer.reason.startswith("On sale from ")
    clock.set(opens.isoformat())
    assert stands(app).bookable
    clock.set((ends - timedelta(seconds=1)).isoformat())
    assert stands(app).bookable
    clock.set(ends.isoformat())
    assert stands(app).offer.reason.startswith("Ended on ")


@pytest.mark.parametrize("columns", [{"proof": "declaration"}, {"seats": 2}, {"least_people": 5}])
def test_it_is_not_sold_on_a_ticket_with_rules_of_its_own(app: Flask, clock: Clock, columns: dict[str, Any]) -> None:
    with arranged(app):
        made = [a_workshop(slug=slug) for slug in SLUGS]
        a_ticket(made[2], code="special", **columns)
        bundle = a_bundle(*made)
        bundle.tickets[2] = next(each for each in made[2].tickets if each.code == "special")
    assert not stands(app).bookable


def test_its_page_has_every_session_with_its_zones_and_the_price_worked_out(
    app: Flask, clock: Clock, client: PageClient
) -> None:
    three(app, about="Three days on losses.\nTake your time.")
    page = client.get("/bundles/autumn-three").get_data(as_text=True)

    for said in ("£267.75", "£315.00", "-£47.25", "Three days on losses.", "3 sessions in London"):
        assert said in page
    for day in ("Monday 22 March 2027", "Monday 29 March 2027", "Monday 5 April 2027"):
        assert f"{day}, 10:00" in page
    assert page.count("(Paris)") == page.count("(New York)") == 3


def test_a_session_of_a_workshop_in_another_zone_keeps_its_own_line(
    app: Flask, clock: Clock, client: PageClient
) -> None:
    with arranged(app):
        here = a_workshop(slug="one", price_minor=9000)
        there = a_workshop(
            slug="two", price_minor=9000, sessions=[a_meeting(zone="Asia/Kathmandu", title="Part 1", in_days=30)]
        )
        a_bundle(here, there, prices={"GBP": 15000})
    page = client.get("/bundles/autumn-three").get_data(as_text=True)
    assert "10:00–16:00 UTC+05:45 (Kathmandu)" in page


def test_its_workshops_and_the_list_tell_of_it_and_so_does_the_map_of_the_site(
    app: Flask, clock: Clock, client: PageClient
) -> None:
    three(app)
    with arranged(app):
        a_workshop(slug="alone")
    listed = client.get("/workshops").get_data(as_text=True)

    assert listed.count("Also in a bundle of three") == 3
    for slug in SLUGS:
        assert "three workshops for £267.75, £47.25 less than one by one" in client.get(f"/workshops/{slug}").get_data(
            as_text=True
        )
    assert "/bundles/" not in client.get("/workshops/alone").get_data(as_text=True)
    assert "/bundles/autumn-three" in client.get("/sitemap.xml").get_data(as_text=True)


def test_a_draft_and_one_whose_workshop_is_a_draft_have_no_page(app: Flask, clock: Clock, client: PageClient) -> None:
    three(app, is_published=False)
    assert client.get("/bundles/autumn-three").status_code == 404
    with arranged(app):
        db.session.scalars(select(Bundle)).one().is_published = True
    assert client.get("/bundles/autumn-three").status_code == 200
    change(app, "two", status="draft")
    assert client.get("/bundles/autumn-three").status_code == 404
    assert "/bundles/" not in client.get("/sitemap.xml").get_data(as_text=True)


def test_pages_ask_as_much_of_one_bundle_as_of_ten(app: Flask, clock: Clock, client: PageClient) -> None:
    three(app)
    paths = ("/bundles/autumn-three", "/workshops", "/workshops/one", "/bundles/autumn-three/bookings/new")

    def asked() -> list[int]:
        for path in paths:
            client.get(path)
        return [statements(app, lambda path=path: client.get(path)) for path in paths]  # type: ignore[misc]

    few = asked()
    with arranged(app):
        for n in range(9):
            made = [a_workshop(price_minor=9000, in_days=30 + n) for _ in range(5)]
            first = db.session.scalars(select(Workshop).where(Workshop.slug == "one")).one()
            a_bundle(first, *made, slug=f"more-{n}", prices={"GBP": 30000 + n})
    assert asked() == few
    assert few[:3] == [few[0]] * 3
