"""A kept listing is right at every moment: around each turn, after each claim, and when time goes back."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from flask import Flask

from courses import catalogue, places, shelf, standing
from lib import db
from tests.builders import a_ticket, a_workshop, arranged
from tests.conftest import Clock

pytestmark = pytest.mark.both_databases


def _stands(app: Flask, now: datetime) -> catalogue.Listing:
    with app.app_context():
        found = shelf.read(now, lambda kept: kept.workshops)
        return standing.of(found, found.workshops[0], now)


def _told(listing: catalogue.Listing) -> tuple[object, ...]:
    offers = [(offer.on_sale, offer.left, offer.reason) for offer in listing.offers]
    return listing.state, listing.places_left, listing.price_minor, offers


@pytest.fixture
def turns(app: Flask, clock: Clock) -> list[datetime]:
    """A workshop of two sessions with a ticket on sale for a while; the moments at which something changes."""
    with arranged(app):
        workshop = a_workshop(in_days=10, capacity=5)
        ticket = a_ticket(workshop, code="early", pools=workshop.pools)
        ticket.sold_from = clock.now() + timedelta(days=1)
        ticket.sold_until = clock.now() + timedelta(days=3)
        return [ticket.sold_from, ticket.sold_until, workshop.starts_at, workshop.ends_at]


def test_a_kept_listing_equals_a_fresh_one_around_every_turn(app: Flask, turns: list[datetime]) -> None:
    second = timedelta(seconds=1)
    moments = [at for turn in turns for at in (turn - second, turn, turn + second)]
    seen = set()
    for now in [*moments, *reversed(moments)]:
        kept = _stands(app, now)
        fresh = catalogue.listing(kept.workshop, Counter(), now)
        assert _told(kept) == _told(fresh)
        seen.add(repr(_told(kept)))
    assert len(seen) == 5


def test_nothing_is_computed_again_while_nothing_turns(app: Flask, turns: list[datetime]) -> None:
    first = _stands(app, turns[0])
    assert _stands(app, turns[1] - timedelta(seconds=1)) is first
    assert _stands(app, turns[1]) is not first


def test_a_claimed_place_shows_at_the_next_look(app: Flask, clock: Clock, turns: list[datetime]) -> None:
    before = _stands(app, clock.now())
    pool = before.workshop.pool_ids[0]
    until = clock.now() + timedelta(minutes=30)
    with app.app_context(), db.writing():
        places.hold({pool: 2}, organiser_id=before.workshop.organiser.id, until=until, now=clock.now())
    assert (before.places_left, _stands(app, clock.now()).places_left) == (5, 3)
    assert _stands(app, until).places_left == 5
