"""A bundle from its page to the letters and back again, through Stripe, the webhook and the worker."""

import pytest
from icalendar import Calendar
from sqlalchemy import select

from bookings import moving
from bookings.models import Attendee
from courses.models import Place, Workshop
from lib import clock, db
from payments.models import Refund
from tests.builders import a_bundle, a_workshop, arranged
from tests.conftest import Person
from tests.journeys.steps import COMPLETED, Visitor, Walk, typed
from tests.page import form, main_text

pytestmark = pytest.mark.both_databases
SLUGS = ("one", "two", "three")


@pytest.fixture(autouse=True)
def three(walk: Walk) -> None:
    with arranged(walk.app):
        a_bundle(
            *(
                a_workshop(slug=slug, title=f"Day {slug}", price_minor=10500, in_days=20 + 7 * n)
                for n, slug in enumerate(SLUGS)
            )
        )


def test_from_the_catalogue_to_three_places_and_one_day_called_off(
    walk: Walk, visitor: Visitor, bea: Person, ann: Person
) -> None:
    assert "Also in a bundle of three" in main_text(visitor.client.get("/workshops"))
    assert "£47.25" in main_text(visitor.client.get("/bundles/autumn-three"))
    filled = form(visitor.client.get("/bundles/autumn-three/bookings/new"), "/bookings")
    answer = visitor.client.submit(filled, typed(bea, [ann]))
    assert answer.status_code == 303
    assert "26775" in str(walk.stripe.requests())

    back = walk.stripe.pay(answer.location)
    assert visitor.client.get(back.location).status_code == 200
    assert walk.ring(COMPLETED) == 204
    reference = walk.reference()
    assert visitor.state(reference) == "confirmed"
    said = main_text(visitor.page(reference))
    assert "Ann Attwood has 3 places" in said
    letters = walk.letters()
    assert [letter["To"].addresses[0].addr_spec for letter in letters] == [ann.email] * 3 + [bea.email]
    invited = [part for letter in letters for part in letter.walk() if part.get_content_type() == "text/calendar"]
    events = [event for part in invited for event in Calendar.from_ical(part.get_content()).walk("VEVENT")]
    assert {str(event["SUMMARY"]) for event in events} == {"Day one", "Day two", "Day three"}

    with arranged(walk.app):
        off = db.session.scalars(select(Workshop).where(Workshop.slug == "two")).one()
        moving.cancel_workshop(off, "The presenter is ill.", actor="user:1", now=clock.now())
    walk.work()
    (refund,) = walk.rows(Refund)
    assert (refund.amount_minor, refund.state) == (8925, "succeeded")
    assert [each.state for each in walk.rows(Attendee)] == ["confirmed", "cancelled", "confirmed"]
    assert sorted(each.state for each in walk.rows(Place)) == ["released", "taken", "taken"]
    told = visitor.told(reference)
    assert (told["state"], told["bill"]["refunded_minor"]) == ("confirmed", 8925)
