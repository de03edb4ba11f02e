"""What a policy asks about moves and colleagues beyond the date: how often, how far, whether somebody waits."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from bookings import audit, changes, lifecycle, transfers
from bookings.change_rows import NotAllowed
from bookings.change_terms import Act
from bookings.models import Attendee, Booking
from lib import clock as now
from lib import db
from policies import versions
from tests.bookings import waiting_people
from tests.bookings.making import ANN, BOB, Made, a_wish, paid
from tests.builders import a_policy, a_workshop, an_organiser, arranged
from tests.conftest import Clock

pytestmark = pytest.mark.both_databases


def policy(app: Flask, *rules: dict[str, Any], **above: Any) -> None:
    with arranged(app):
        owner = an_organiser()
        data = {"tz": owner.zone, "currency": "GBP", "rules": [{"action": "cancel", "refund_pct": 0}, *rules], **above}
        versions.write(owner.id, "Ours", data, actor="user:1", now=now.now())


def offered(app: Flask, made: Made) -> dict[str, tuple[int, str]]:
    """Each workshop the place could move to: how many deals, and the words."""
    with app.app_context():
        attendee = db.session.scalars(select(Attendee).where(Attendee.booking_id == made.id)).one()
        found = transfers.targets(attendee, now.now())
        return {each.listing.workshop.slug: (len(each.offer.deals), each.offer.words) for each in found}


def hand_over(app: Flask, made: Made, name: str, email: str) -> None:
    with app.app_context(), db.writing():
        booking = lifecycle.locked(db.session.get_one(Booking, made.id).bill_id)
        changes.substitute(booking, 0, name, email, "0:0:0:0", Act("booker", "", now.now()))


def test_a_colleague_may_come_only_as_often_as_the_policy_says(app: Flask, clock: Clock) -> None:
    policy(app, {"action": "substitute", "charge_minor": 0}, limits={"substitutions_max": 1})
    with arranged(app):
        a_workshop(slug="own")
    made = paid(app, a_wish("own", people=[ANN]))
    hand_over(app, made, *BOB)

    with pytest.raises(NotAllowed, match="changed who comes once, which is as often as the policy allows"):
        hand_over(app, made, "Cy Carter", "cy@clinic.example")
    with app.app_context():
        assert audit.faults(now.now()) == []


def test_a_move_within_so_many_events_counts_the_organiser_s_own(app: Flask, clock: Clock) -> None:
    policy(
        app, {"action": "transfer", "charge_minor": 0}, limits={"transfer_window": {"longest_of": ["1d", "2 events"]}}
    )
    with arranged(app):
        for n, slug in enumerate(("before", "own", "first", "second", "third")):
            a_workshop(slug=slug, in_days=20 + 10 * n)
        a_workshop(slug="off", in_days=41, status="cancelled")
        a_workshop(slug="elsewhere", in_days=42, organiser=an_organiser(slug="pim", name="Pim"))
    found = offered(app, paid(app, a_wish("own", people=[ANN])))

    assert {slug: deals for slug, (deals, _) in found.items()} == {"before": 1, "first": 1, "second": 1, "third": 0}


@pytest.mark.parametrize("somebody_waits", [False, True])
def test_a_move_that_needs_somebody_waiting_says_what_is_missing(
    app: Flask, clock: Clock, *, somebody_waits: bool
) -> None:
    with arranged(app):
        a_policy(key="no_refund")
        a_workshop(slug="own", capacity=1)
        a_workshop(slug="later", in_days=60)
    made = paid(app, a_wish("own", people=[ANN]))
    if somebody_waits:
        waiting_people.waits(app, "own", "wanda")
    (deals, words) = offered(app, made)["later"]

    assert deals == 0
    assert ("it costs £15.00" in words) is somebody_waits
    assert ("Whether it is taken is not known yet." in words) is somebody_waits
