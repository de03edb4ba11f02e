"""What a visitor is told of a workshop at one moment, worked out from plain facts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from courses import catalogue
from courses.catalogue import Listing
from courses.sale import NOT_HERE
from courses.shelf import OrganiserFacts, PriceFacts, SessionFacts, Shelf, TicketFacts, WorkshopFacts
from tests.conftest import MORNING

START = MORNING + timedelta(days=28)
SECOND = timedelta(seconds=1)
ROOM, CAMERA, OWN = 11, 12, 13


def a_session(number: int = 1, *, starts_at: datetime = START, hours: float = 6) -> SessionFacts:
    return SessionFacts(
        id=100 + number,
        number=number,
        title="",
        wall_start=starts_at.replace(tzinfo=None),
        zone="Europe/London",
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=hours),
        is_recorded=True,
    )


def ticket(code: str = "standard", minor: int | None = 16800, **changes: Any) -> TicketFacts:
    plain = TicketFacts(
        id=1,
        code=code,
        name=code.capitalize(),
        hint="",
        kind="admission",
        seats=1,
        is_full_price=False,
        includes_live=True,
        includes_recording=True,
        is_in_room=False,
        payment="now",
        proof="none",
        least_people=1,
        most_people=None,
        limited_to=None,
        sold_from=None,
        sold_until=None,
        prices=(PriceFacts("GBP", minor),),
        pools=(ROOM,),
    )
    return replace(plain, **changes)


def workshop(
    *tickets: TicketFacts,
    sessions: Sequence[SessionFacts] = (),
    capacities: Sequence[tuple[int, str, int]] = ((ROOM, "room", 20),),
    currency: str = "GBP",
    **changes: Any,
) -> WorkshopFacts:
    meetings = tuple(sessions) or (a_session(),)
    sold = tickets or (ticket(),)
    drawn = {pool for each in sold for pool in each.pools}
    plain = WorkshopFacts(
        id=1,
        course_id=1,
        slug="grief-2027-03-30",
        title="Grief",
        format="online_live",
        status="published",
        zone="Europe/London",
        cpd_minutes=300,
        breaks_minutes=60,
        most_attendees=20,
        catch_up_offered=True,
        catch_up_days=28,
        catch_up_from="published",
        catch_up_note="",
        late_buyers_share=False,
        programme="",
        cancellation_terms="",
        access="",
        join_opens_minutes=30,
        starts_at=meetings[0].starts_at,
        ends_at=max(each.ends_at for each in meetings),
        course_slug="grief",
        summary="",
        description="",
        topic="grief",
        audience="",
        outcomes="",
        organiser=OrganiserFacts(1, "olu", "Olu", currency, "Europe/London", "o@x.example", "", ""),
        venue=None,
        sessions=meetings,
        tickets=sold,
        capacities=tuple(each for each in capacities if each[0] in drawn),
    )
    return replace(plain, **changes)


def told(facts: WorkshopFacts, now: datetime = MORNING, *, room: int = 0, camera: int = 0, own: int = 0) -> Listing:
    """The listing at `now`, with so many places claimed."""
    return catalogue.listing(facts, Counter({ROOM: room, CAMERA: camera, OWN: own}), now)


# State


@pytest.mark.parametrize(
    ("at", "state"),
    [
        (MORNING, "scheduled"),
        (START - SECOND, "scheduled"),
        (START, "running"),
        (START + timedelta(days=3), "running"),  # between two sessions
        (START + timedelta(days=7, hours=6) - SECOND, "running"),
        (START + timedelta(days=7, hours=6), "past"),
    ],
)
def test_a_workshop_is_scheduled_running_then_past(at: datetime, state: str) -> None:
    facts = workshop(sessions=[a_session(1), a_session(2, starts_at=START + timedelta(days=7))])

    assert told(facts, at).state == state
    assert told(replace(facts, status="cancelled"), at).state == "cancelled"


def test_the_list_holds_what_has_not_ended_in_order_of_the_shelf() -> None:
    one = workshop(slug="one")
    two = workshop(slug="two", sessions=[a_session(starts_at=START + timedelta(days=1))])
    shelf = Shelf("mark", (one, two), {}, Counter())

    assert [each.slug for each in catalogue.upcoming(shelf, one.ends_at - SECOND)] == ["one", "two"]
    assert [each.slug for each in catalogue.upcoming(shelf, one.ends_at)] == ["two"]
    assert catalogue.upcoming(shelf, two.ends_at) == []


# Until when


@pytest.mark.parametrize(
    ("sold_until", "ends"),
    [
        (None, START),
        (START - timedelta(days=7), START - timedelta(days=7)),
        (START + timedelta(days=7), START),
    ],
    ids=["no date of its own", "its own date", "the start comes first"],
)
def test_a_live_ticket_ends_at_its_own_date_or_at_the_start_whichever_is_earlier_to_the_second(
    sold_until: datetime | None, ends: datetime
) -> None:
    facts = workshop(ticket(sold_until=sold_until))

    (before,) = told(facts, ends - SECOND).offers
    (after,) = told(facts, ends).offers

    assert (before.on_sale, before.until) == (True, ends)
    assert (after.on_sale, after.until, after.is_full) == (False, ends, False)
    assert told(facts, ends - SECOND).bookable
    assert not told(facts, ends).bookable


def test_a_ticket_for_later_sessions_is_sold_until_the_first_of_those_begins() -> None:
    later = START + timedelta(days=7)
    facts = workshop(
        ticket("all"),
        ticket("second", sessions=(102,)),
        ticket("third", sessions=(103,)),
        sessions=[a_session(1), a_session(2, starts_at=later), a_session(3, starts_at=later + timedelta(days=7))],
    )

    assert [offer.on_sale for offer in told(facts, START - SECOND).offers] == [True, True, True]
    assert [offer.on_sale for offer in told(facts, START).offers] == [False, True, True]
    assert [offer.on_sale for offer in told(facts, later).offers] == [False, False, True]
    assert told(facts, later).bookable
    assert told(facts, later).state == "running"


@pytest.mark.parametrize(
    ("changes", "at", "reason"),
    [
        ({}, MORNING, ""),
        ({"sold_from": MORNING + SECOND}, MORNING, "On sale from Tuesday 2 March 2027, 09:00 GMT (London)."),
        ({"sold_from": MORNING}, MORNING, ""),
        ({"sold_until": MORNING}, MORNING, "Ended on Tuesday 2 March 2027, 08:59 GMT (London)."),
        ({}, START, "The live session has begun."),
        ({}, START + timedelta(hours=6), "This date is over."),
    ],
)
def test_why_a_ticket_is_not_on_sale_now(changes: dict[str, Any], at: datetime, reason: str) -> None:
    (offer,) = told(workshop(ticket(**changes)), at).offers

    assert (offer.reason, offer.on_sale, offer.is_full) == (reason, not reason, False)


def test_nothing_of_a_cancelled_workshop_is_on_sale() -> None:
    listing = told(workshop(ticket(), ticket("extra", kind="extra"), status="cancelled"))

    assert [offer.reason for offer in (*listing.offers, *listing.extras)] == ["This workshop is cancelled."] * 2
    assert not listing.bookable


# Not yet on sale here


@pytest.mark.parametrize(
    "changes",
    [
        {"payment": "deposit"},
        {"kind": "catch_up", "pools": ()},
        {"kind": "catch_up"},
        {"prices": ()},
        {"pools": ()},
    ],
    ids=[
        "deposit",
        "catch-up without a place",
        "catch-up",
        "no price",
        "no pool",
    ],
)
def test_a_ticket_whose_rule_is_not_built_is_shown_and_not_sold(changes: dict[str, Any]) -> None:
    listing = told(workshop(ticket(), ticket("other", **changes)))

    assert [(offer.ticket.code, offer.on_sale, offer.reason, offer.is_full) for offer in listing.offers] == [
        ("standard", True, "", False),
        ("other", False, NOT_HERE, False),
    ]
    assert listing.price_minor == 16800
    alone = told(workshop(ticket("other", **changes)))
    assert not alone.bookable
    assert alone.price_minor is None


CHOSEN = PriceFacts("GBP", None, 500, 1000, 5000)


@pytest.mark.parametrize(
    ("changes", "price"),
    [
        ({"payment": "invoice"}, 16800),
        ({"proof": "declaration"}, 16800),
        ({"proof": "number"}, 16800),
        ({"prices": (CHOSEN,)}, 1000),
        ({"prices": (PriceFacts("GBP", 9000), PriceFacts("USD", None, 0, 0, 9000))}, 9000),
    ],
    ids=["may be paid on an invoice", "declaration", "number", "pay what you can", "chosen in one currency"],
)
def test_a_ticket_whose_rule_is_built_is_sold(changes: dict[str, Any], price: int) -> None:
    (offer,) = told(workshop(ticket("other", **changes))).offers

    assert (offer.on_sale, offer.reason, offer.price("GBP")) == (True, "", price)


def test_what_buyers_choose_counts_from_the_least() -> None:
    listing = told(workshop(ticket(prices=(CHOSEN,)), ticket("b", 900)))

    assert (listing.price_minor, listing.currency) == (500, "GBP")


def test_an_extra_is_no_way_to_come_and_no_price_to_come_for() -> None:
    lunch = ticket("lunch", 1200, kind="extra", pools=(OWN,))
    sizes = ((ROOM, "room", 20), (OWN, "lunch", 5))
    listing = told(workshop(ticket(), lunch, capacities=sizes))
    alone = told(workshop(lunch, capacities=sizes))

    assert [offer.ticket.code for offer in listing.offers] == ["standard"]
    assert [(offer.ticket.code, offer.on_sale, offer.left) for offer in listing.extras] == [("lunch", True, 5)]
    assert (listing.price_minor, listing.places_left) == (16800, 20)
    assert (alone.bookable, alone.places_left, alone.price_minor) == (False, 0, None)


def test_a_group_rate_needs_as_many_places_as_the_group_has() -> None:
    (offer,) = told(workshop(ticket(least_people=5)), room=16).offers

    assert (offer.on_sale, offer.is_full, offer.reason) == (False, True, "Only 4 are left.")


# Places


@pytest.mark.parametrize(
    ("changes", "claimed", "left", "reason"),
    [
        ({}, 0, 20, ""),
        ({}, 19, 1, ""),
        ({}, 20, 0, "No place is left."),
        ({}, 22, 0, "No place is left."),
        ({"seats": 2}, 18, 2, ""),
        ({"seats": 2}, 19, 1, "Only one place is left."),
    ],
)
def test_a_ticket_is_full_when_fewer_places_are_left_than_it_needs(
    changes: dict[str, Any], claimed: int, left: int, reason: str
) -> None:
    (offer,) = told(workshop(ticket(**changes)), room=claimed).offers

    assert (offer.left, offer.reason, offer.on_sale, offer.is_full) == (left, reason, not reason, bool(reason))


def test_a_ticket_with_its_own_limit_has_as_many_left_as_the_scarcer_of_its_pools() -> None:
    capacities = [(ROOM, "room", 20), (OWN, "early", 5)]
    facts = workshop(ticket(), ticket("early", pools=(ROOM, OWN), limited_to=5), capacities=capacities)

    assert [offer.left for offer in told(facts).offers] == [20, 5]
    assert [offer.left for offer in told(facts, room=18, own=2).offers] == [2, 2]
    gone = told(facts, room=5, own=5)
    assert [(offer.left, offer.reason) for offer in gone.offers] == [(15, ""), (0, "All 5 are taken.")]
    assert gone.bookable


@pytest.mark.parametrize(("claimed", "left"), [({}, 20), ({"room": 3}, 17), ({"room": 20}, 0), ({"room": 25}, 0)])
def test_places_left_of_one_room(claimed: dict[str, int], left: int) -> None:
    assert told(workshop(ticket(), ticket("reduced", 9000)), MORNING, **claimed).places_left == left


@pytest.mark.parametrize(
    ("claimed", "left"), [({}, 90), ({"room": 30}, 60), ({"camera": 60}, 30), ({"room": 30, "camera": 60}, 0)]
)
def test_a_room_and_its_camera_add_up(claimed: dict[str, int], left: int) -> None:
    facts = workshop(
        ticket("in_room"),
        ticket("online", pools=(CAMERA,)),
        capacities=[(ROOM, "room", 30), (CAMERA, "online", 60)],
        format="hybrid",
    )

    assert told(facts, MORNING, **claimed).places_left == left


def evenings() -> WorkshopFacts:
    """Two evenings with a pool each, single tickets and one for both."""
    return workshop(
        ticket("both", pools=(ROOM, CAMERA)),
        ticket("first", pools=(ROOM,), sessions=(101,)),
        ticket("second", pools=(CAMERA,), sessions=(102,)),
        sessions=[a_session(1, hours=2), a_session(2, starts_at=START + timedelta(days=7), hours=2)],
        capacities=[(ROOM, "evening_1", 40), (CAMERA, "evening_2", 40)],
    )


@pytest.mark.parametrize(
    ("claimed", "at", "left"),
    [
        ({}, MORNING, 40),
        ({"room": 40}, MORNING, 40),
        ({"room": 40, "camera": 25}, MORNING, 15),
        ({"camera": 25}, START, 15),  # the first evening has begun
        ({}, START + timedelta(days=7), 0),
    ],
)
def test_evenings_do_not_add_up_the_one_with_most_left_counts(claimed: dict[str, int], at: datetime, left: int) -> None:
    assert told(evenings(), at, **claimed).places_left == left


def test_a_full_evening_closes_the_tickets_that_need_it_and_no_other() -> None:
    assert [offer.on_sale for offer in told(evenings(), room=40).offers] == [False, False, True]


@pytest.mark.parametrize(("claimed", "left"), [({}, 20), ({"room": 5, "own": 5}, 15), ({"room": 18}, 2)])
def test_a_ticket_s_own_limit_is_no_room_more(claimed: dict[str, int], left: int) -> None:
    facts = workshop(
        ticket(),
        ticket("early", pools=(ROOM, OWN), limited_to=5),
        capacities=[(ROOM, "room", 20), (OWN, "early", 5)],
    )

    assert told(facts, MORNING, **claimed).places_left == left


@pytest.mark.parametrize(("claimed", "left"), [({}, 5), ({"room": 18, "own": 0}, 2), ({"own": 4}, 1)])
def test_a_lone_ticket_with_two_pools_has_as_many_as_the_scarcer(claimed: dict[str, int], left: int) -> None:
    facts = workshop(
        ticket("early", pools=(ROOM, OWN), limited_to=5), capacities=[(ROOM, "room", 20), (OWN, "early", 5)]
    )

    assert told(facts, MORNING, **claimed).places_left == left


@pytest.mark.parametrize(("left", "is_few"), [(0, False), (1, True), (5, True), (6, False)])
def test_few_places_are_worth_saying_while_there_are_any(left: int, is_few: bool) -> None:
    assert told(workshop(), room=20 - left).is_few == is_few


# From how much


def prices(**minor: int | None) -> tuple[PriceFacts, ...]:
    return tuple(PriceFacts(currency, each) for currency, each in minor.items())


@pytest.mark.parametrize(
    ("tickets", "own", "expected"),
    [
        ([ticket(prices=prices(GBP=10500)), ticket("b", prices=prices(GBP=8500))], "GBP", (8500, "GBP")),
        ([ticket(prices=prices(USD=9500, GBP=7900))], "GBP", (7900, "GBP")),
        ([ticket(prices=prices(USD=9500, EUR=8900))], "GBP", (9500, "USD")),
        ([ticket(prices=prices(USD=9500)), ticket("b", prices=prices(EUR=8900))], "GBP", (9500, "USD")),
        ([ticket(prices=prices(GBP=8500), sold_until=MORNING), ticket("b", 10500)], "GBP", (10500, "GBP")),
        ([ticket(prices=prices(GBP=8500), sold_until=MORNING)], "GBP", (None, "GBP")),
        ([ticket(prices=prices(USD=8500), sold_until=MORNING)], "GBP", (None, "USD")),
        ([ticket(prices=prices(GBP=0)), ticket("b", 10500)], "GBP", (0, "GBP")),
        ([ticket(payment="deposit", prices=prices(GBP=100)), ticket("b", 10500)], "GBP", (10500, "GBP")),
        ([ticket(prices=prices(JPY=24000))], "JPY", (24000, "JPY")),
        ([ticket(prices=())], "EUR", (None, "EUR")),
    ],
    ids=[
        "the cheapest",
        "the organiser's currency",
        "the first currency, when not sold in the organiser's",
        "the first currency of all tickets",
        "an ended ticket is no price",
        "none on sale",
        "none on sale, only ever in another currency",
        "free",
        "not yet on sale here is no price",
        "yen",
        "no price at all",
    ],
)
def test_the_price_of_a_listing_is_the_cheapest_on_sale_in_its_currency(
    tickets: list[TicketFacts], own: str, expected: tuple[int | None, str]
) -> None:
    listing = told(workshop(*tickets, currency=own))

    assert (listing.price_minor, listing.currency) == expected


def test_the_currencies_to_choose_from_begin_with_the_organiser_s() -> None:
    facts = workshop(
        ticket(prices=prices(USD=9500, EUR=8900, GBP=7900)), ticket("b", prices=prices(JPY=1), sold_until=START)
    )

    assert told(facts).currencies == ["GBP", "USD", "EUR", "JPY"]
    assert told(replace(facts, tickets=facts.tickets[:1])).currencies == ["GBP", "USD", "EUR"]
    assert told(facts, START).currencies == []


@pytest.mark.parametrize(
    ("names", "said"),
    [([], ""), (["Ann"], "Ann"), (["Ann", "Bob"], "Ann and Bob"), (["Ann", "Bob", "Cy"], "Ann, Bob and Cy")],
)
def test_names_in_a_sentence(names: list[str], said: str) -> None:
    assert catalogue.words(names) == said


def test_what_a_ticket_includes() -> None:
    facts = workshop(ticket(), ticket("live", includes_recording=False), ticket("film", includes_live=False))

    assert [offer.includes for offer in told(facts).offers] == [["live", "recording"], ["live"], ["recording"]]
