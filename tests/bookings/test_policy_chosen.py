"""Which policy a booking is sold under: the workshop's own in its newest version, else its organiser's default."""

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from bookings import change_terms
from bookings.models import Booking
from courses import bundles, editing, shelf
from courses.models import Workshop
from lib import clock as now
from lib import db
from tests.bookings.making import a_wish, paid
from tests.builders import a_bundle, a_policy, a_workshop, an_organiser, arranged
from tests.conftest import Clock

pytestmark = pytest.mark.both_databases


def sold_under(app: Flask, slug: str) -> tuple[str, int] | None:
    """Book a place, and read the name and version of what the booking keeps."""
    made = paid(app, a_wish(slug))
    with app.app_context():
        kept = db.session.scalars(select(Booking.policy).where(Booking.reference == made.reference)).one()
        return (kept["name"], kept["version"]) if kept else None


def test_a_workshop_s_own_policy_is_kept_and_the_default_elsewhere(app: Flask, clock: Clock) -> None:
    with arranged(app):
        a_policy(name="By default")
        a_workshop(slug="own", policy_id=a_policy(name="Small", key="no_refund_small").id)
        a_workshop(slug="plain", in_days=30)

    assert sold_under(app, "own") == ("Small", 1)
    assert sold_under(app, "plain") == ("By default", 1)


def test_without_any_policy_nothing_is_kept(app: Flask, clock: Clock) -> None:
    with arranged(app):
        a_workshop(slug="plain")

    assert sold_under(app, "plain") is None


def test_a_later_version_is_sold_from_then_on_and_changes_no_booking(app: Flask, clock: Clock) -> None:
    with arranged(app):
        a_policy(name="By default")
        a_workshop(slug="own", policy_id=a_policy(name="Small", key="no_refund_small").id)
    before = paid(app, a_wish("own"))
    with arranged(app):
        a_policy(name="Small", key="days_7_3")

    assert sold_under(app, "own") == ("Small", 2)
    with app.app_context():
        kept = db.session.scalars(select(Booking.policy).where(Booking.reference == before.reference)).one()
        assert (kept["version"], len(kept["rules"])) == (1, 4)


def test_a_copy_of_a_workshop_goes_by_the_same_policy(app: Flask, clock: Clock) -> None:
    with arranged(app):
        policy = a_policy(name="Small").id
        copy = editing.clone(a_workshop(policy_id=policy), 28)
        assert copy.policy_id == policy


def test_the_database_refuses_another_organiser_s_policy(app: Flask, clock: Clock) -> None:
    with arranged(app):
        other = a_policy(organiser=an_organiser(slug="pim", name="Pim")).id
        a_workshop(slug="own")

    with pytest.raises(IntegrityError), arranged(app):
        db.session.scalars(select(Workshop)).one().policy_id = other


def test_the_shelf_knows_what_a_workshop_is_sold_under(app: Flask, clock: Clock) -> None:
    with arranged(app):
        a_policy(name="By default")
        first = a_policy(name="Small", key="no_refund_small").id
        a_policy(name="Small", key="days_7_3")
        a_workshop(slug="own", policy_id=first)
        other = an_organiser(slug="pim", name="Pim")
        a_workshop(slug="elsewhere", organiser=other)
    with app.app_context():
        found = shelf.read(now.now()).by_slug

    own = found["own"]
    assert own.policy is not None
    assert (own.policy.name, own.policy.version) == ("Small", 2)
    assert own.organiser.policy is not None
    assert own.organiser.policy.name == "By default"
    assert found["elsewhere"].policy is None


@pytest.mark.parametrize(("second", "named"), [("first", "Small"), ("other", "By default")])
def test_a_bundle_goes_by_what_its_workshops_share_else_by_the_default(
    app: Flask, clock: Clock, second: str, named: str
) -> None:
    with arranged(app):
        a_policy(name="By default")
        policies = {"first": a_policy(name="Small", key="no_refund_small").id, "other": a_policy(name="Weeks").id}
        parts = [a_workshop(in_days=30 + n, policy_id=policies[key]) for n, key in enumerate(("first", second))]
        slug = a_bundle(*parts).slug

    with app.app_context():
        listing = bundles.by_slug(slug, now.now())
        assert listing is not None
        assert change_terms.frozen(listing.workshop)["name"] == named
