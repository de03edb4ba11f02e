"""From when until when each ticket is sold, and why not, worked out from plain facts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from courses import catalogue, sale
from courses.shelf import SessionFacts, Shelf, TicketFacts
from tests.conftest import MORNING
from tests.courses.test_catalogue import OWN, SECOND, START, a_session, ticket, told, workshop

END = START + timedelta(hours=6)
WEEK, DAYS = timedelta(days=7), timedelta(days=28)
PUBLISHED = END + timedelta(days=2)
BST = timedelta(hours=1)  # what the clocks in London gained between the tests' morning and the workshop's


def film(code: str = "film", **changes: Any) -> TicketFacts:
    """A catch-up ticket that never runs out."""
    return ticket(code, 4500, **{"kind": "catch_up", "pools": (), "includes_live": False, **changes})


def shown(session: SessionFacts, at: datetime = PUBLISHED) -> SessionFacts:
    return replace(session, watchable_from=at, watchable_until=at + DAYS)


def moments(tickets: Sequence[TicketFacts], **changes: Any) -> dict[datetime, list[str]]:
    """What is on sale at each turn and a second before it."""
    facts = workshop(*tickets, **changes)
    turns = {each for one in facts.tickets for each in (sale.opens(one, facts), sale.ends(one, facts)) if each}
    found = {}
    for at in sorted({*turns, *(each - SECOND for each in turns)}):
        found[at] = [each.ticket.code for each in told(facts, at).offers if each.on_sale]
    return found


def test_the_recording_is_sold_from_the_second_at_which_the_live_sale_ends() -> None:
    assert moments([ticket(), film()], sessions=[shown(a_session())]) == {
        START - SECOND: ["standard"],
        START: ["film"],
    }


def test_live_tickets_that_all_end_earlier_let_the_recording_begin_earlier() -> None:
    early, late = START - WEEK, START - timedelta(days=1)
    found = moments([ticket(sold_until=early), ticket("other", sold_until=late), film()])

    assert found[early] == ["other"]
    assert found[late - SECOND] == ["other"]
    assert found[late] == ["film"]


def test_a_series_is_sold_evening_by_evening_beside_the_recording_of_what_has_been() -> None:
    second = a_session(2, starts_at=START + WEEK)
    facts = workshop(ticket("all"), ticket("second", sessions=(102,)), film(), sessions=[shown(a_session(1)), second])

    listing = told(facts, START + timedelta(days=3))
    assert [each.ticket.code for each in listing.offers if each.on_sale] == ["second", "film"]
    assert (listing.state, listing.sells_live, listing.can_be_watched) == ("running", True, True)


def test_a_beginning_or_an_end_of_its_own_goes_before() -> None:
    begins, ends = START + timedelta(days=3), START + timedelta(days=40)

    assert moments([ticket(), film(sold_from=begins, sold_until=ends)], sessions=[shown(a_session())]) == {
        START - SECOND: ["standard"],
        START: [],
        begins - SECOND: [],
        begins: ["film"],
        ends - SECOND: ["film"],
        ends: [],
    }


@pytest.mark.parametrize(
    ("is_shown", "share", "sold_until", "ends"),
    [
        (False, False, None, END + DAYS),  # what nobody published is not sold for ever
        (False, True, None, END + DAYS),
        (False, False, END + WEEK, END + WEEK),
        (True, False, None, None),  # each buyer has days of their own
        (True, False, END + 9 * WEEK, END + 9 * WEEK),
        (True, True, None, PUBLISHED + DAYS),  # everybody's days are the buyer's
        (True, True, END + WEEK, END + WEEK),
        (True, True, END + 9 * WEEK, PUBLISHED + DAYS),
    ],
)
def test_until_when_a_recording_is_sold(
    is_shown: bool, share: bool, sold_until: datetime | None, ends: datetime | None
) -> None:
    session = shown(a_session()) if is_shown else a_session()
    facts = workshop(ticket(), film(sold_until=sold_until), sessions=[session], late_buyers_share=share)

    assert sale.ends(facts.tickets[1], facts) == ends
    years_later = END + timedelta(days=900)
    last = told(facts, (ends or years_later) - SECOND)
    assert last.catch_up
    assert last.catch_up.until == ends
    assert last.can_be_watched == is_shown
    assert (told(facts, ends).catch_up is None) if ends else told(facts, years_later).bookable


def test_who_shares_everybody_s_days_can_buy_until_the_last_of_several_closes() -> None:
    first, second = shown(a_session(1)), a_session(2, starts_at=START + WEEK)
    facts = workshop(film(), ticket(), sessions=[first, second], late_buyers_share=True)
    assert sale.ends(facts.tickets[0], facts) == second.ends_at + DAYS

    second = shown(second, second.ends_at + timedelta(hours=3))
    facts = workshop(film(), ticket(), sessions=[first, second], late_buyers_share=True)
    assert sale.ends(facts.tickets[0], facts) == second.watchable_until


def test_the_days_of_the_promise_are_counted_on_the_clock() -> None:
    late = MORNING - timedelta(days=1)  # 28 days from 1 March, 15:00 GMT, are over on 29 March at 15:00 BST
    session = a_session(starts_at=late)
    facts = workshop(film(), ticket(), sessions=[session])

    assert sale.ends(facts.tickets[0], facts) == session.ends_at + DAYS - BST


@pytest.mark.parametrize(
    ("changes", "facts", "at", "reason"),
    [
        (
            {},
            {},
            START - SECOND,
            "On sale from Tuesday 30 March 2027, 10:00 BST (London), when the live sale has ended.",
        ),
        ({"sold_from": END}, {}, START, "On sale from Tuesday 30 March 2027, 16:00 BST (London)."),
        ({"sold_until": END}, {}, END, "Ended on Tuesday 30 March 2027, 15:59 BST (London)."),
        ({}, {"sessions": [a_session()]}, END + DAYS, "Its recording was not published."),
        ({}, {"late_buyers_share": True}, PUBLISHED + DAYS, "Its recording has closed."),
        ({}, {"catch_up_offered": False}, END, "This workshop offers no catch-up."),
        ({}, {"status": "cancelled"}, END, "This workshop is cancelled."),
        ({"includes_live": True}, {}, END, sale.NOT_HERE),
        ({"includes_recording": False}, {}, END, sale.NOT_HERE),
        ({"payment": "deposit"}, {}, END, sale.NOT_HERE),
        ({"prices": ()}, {}, END, sale.NOT_HERE),
    ],
)
def test_why_a_recording_is_not_on_sale(
    changes: dict[str, Any], facts: dict[str, Any], at: datetime, reason: str
) -> None:
    listing = told(workshop(ticket(), film(**changes), **{"sessions": [shown(a_session())], **facts}), at)

    assert listing.offers[1].reason == reason
    assert not listing.offers[1].on_sale
    assert listing.catch_up is None


def test_a_recording_never_runs_out_unless_its_ticket_has_a_limit() -> None:
    limited = film("limited", pools=(OWN,), limited_to=5)
    facts = workshop(ticket(), limited, sessions=[shown(a_session())], capacities=[(11, "room", 20), (OWN, "own", 5)])

    assert [each.left for each in told(workshop(film()), END).offers] == [None]
    assert told(facts, END, own=4).catch_up
    gone = told(facts, END, own=5)
    assert (gone.bookable, gone.offers[1].reason, gone.offers[1].is_full) == (False, "All 5 are taken.", True)
    assert told(facts, MORNING, own=5).places_left == 20


def test_what_is_over_has_no_places_left_and_a_price() -> None:
    listing = told(workshop(ticket(), film(), sessions=[shown(a_session())]), END)

    assert (listing.state, listing.bookable, listing.sells_live, listing.is_few) == ("past", True, False, False)
    assert (listing.places_left, listing.price_minor, listing.currencies) == (0, 4500, ["GBP"])


def test_of_several_the_one_that_is_sold_longest_is_told() -> None:
    week, for_ever = film("week", sold_until=END + WEEK), film("for_ever")
    facts = workshop(ticket(), week, for_ever, sessions=[shown(a_session())])

    offer = told(facts, END).catch_up
    assert offer
    assert (offer.ticket.code, offer.last_moment) == ("for_ever", None)
    only = told(replace(facts, tickets=facts.tickets[:2]), END).catch_up
    assert only
    assert only.last_moment == END + WEEK - SECOND


def test_the_list_of_recordings_holds_what_is_over_the_latest_first() -> None:
    one = workshop(ticket(), film(), slug="one", sessions=[shown(a_session())])
    two = workshop(ticket(), film(), slug="two", sessions=[shown(a_session(starts_at=START + WEEK))])
    none = workshop(ticket(), slug="none", sessions=[shown(a_session())])
    shelf = Shelf("mark", (one, none, two), {}, Counter())

    assert catalogue.recorded(shelf, END - SECOND) == []
    assert [each.slug for each in catalogue.recorded(shelf, END)] == ["one"]
    assert [each.slug for each in catalogue.recorded(shelf, END + WEEK)] == ["two", "one"]
