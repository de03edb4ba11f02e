"""Values for the page of components: one workshop that nobody teaches, and a booking form that nobody sent.

Frozen at one moment, so that the page says the same every day. Nothing here is in a database.
"""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from werkzeug.datastructures import MultiDict

from bookings import forms
from bookings.asking import Asked
from courses import catalogue
from courses.catalogue import Listing
from courses.shelf import (
    OrganiserFacts,
    PresenterFacts,
    PriceFacts,
    SessionFacts,
    TicketFacts,
    WorkshopFacts,
)
from lib import zones

NOW = datetime(2025, 2, 3, 14, 7, tzinfo=UTC)
LONDON, SYDNEY = "Europe/London", "Australia/Sydney"
ROOM, PLACES = 1, 20
_BASE = WorkshopFacts(
    id=1,
    slug="listening-at-dusk-2025-03-14",
    title="Listening at Dusk",
    format="online_live",
    status="published",
    zone=LONDON,
    cpd_minutes=300,
    breaks_minutes=60,
    most_attendees=4,
    catch_up_offered=True,
    catch_up_days=28,
    catch_up_from="published",
    catch_up_note="",
    late_buyers_share=False,
    programme="",
    cancellation_terms="",
    access="",
    join_opens_minutes=30,
    starts_at=datetime(2025, 3, 14, 10, tzinfo=UTC),
    ends_at=datetime(2025, 3, 14, 16, tzinfo=UTC),
    course_id=1,
    course_slug="listening-at-dusk",
    summary="What is heard when the day is over, and what to do with it.",
    description="",
    topic="dreams",
    audience="",
    outcomes="",
    organiser=OrganiserFacts(1, "sample", "A Sample House", "GBP", LONDON, "hello@sample.example", "", ""),
    venue=None,
    presenters=(PresenterFacts("ada-sample", "Ada Sample", ""), PresenterFacts("ben-sample", "Ben Sample", "")),
    capacities=((ROOM, "room", PLACES),),
)


def shown() -> dict[str, Any]:
    """Everything the page's template draws its examples from."""
    scheduled = _workshop(_BASE.starts_at)
    several = _workshop(datetime(2025, 3, 14, 18, tzinfo=UTC), evenings=4)
    over = _workshop(_BASE.starts_at - timedelta(weeks=6))
    form = _form(_listing(scheduled))
    return {
        "now": NOW,
        "minutes": lambda number: timedelta(minutes=number),
        "london": LONDON,
        "sydney": SYDNEY,
        "single": scheduled.sessions[0],
        "evenings": several.sessions,
        "listings": {
            "On sale": _listing(scheduled),
            "Few places left": _listing(scheduled, claimed=PLACES - 2),
            "Full": _listing(scheduled, claimed=PLACES),
            "Under way": _listing(_workshop(NOW - timedelta(hours=1))),
            "Over, with its recording on sale": _listing(over),
            "Cancelled": _listing(replace(scheduled, status="cancelled")),
        },
        "form": form,
        "errors": forms.errors(form),
    }


def _workshop(starts_at: datetime, evenings: int = 1) -> WorkshopFacts:
    hours = timedelta(hours=6 if evenings == 1 else 2)
    sessions = tuple(_session(number, starts_at, hours) for number in range(1, evenings + 1))
    days = (("self", "Self-funded", 10900, 12900), ("paid", "Paid by an employer", 14900, 17500))
    tickets = [_ticket(code, name, GBP=pounds, EUR=euros) for code, name, pounds, euros in days]
    early = replace(_ticket("early", "Early bird", GBP=8900), sold_until=NOW - timedelta(days=3))
    later = replace(_ticket("later", "The recording alone", GBP=6900), kind="catch_up", includes_live=False, pools=())
    return replace(
        _BASE,
        starts_at=sessions[0].starts_at,
        ends_at=sessions[-1].ends_at,
        sessions=sessions,
        tickets=(early, *tickets, later),
    )


def _session(number: int, first: datetime, hours: timedelta) -> SessionFacts:
    wall = zones.wall(first, LONDON).replace(tzinfo=None) + timedelta(weeks=number - 1)
    starts_at = zones.instant(wall, LONDON)
    return SessionFacts(number, number, "", wall, LONDON, starts_at, starts_at + hours, True)


def _ticket(code: str, name: str, **prices: int) -> TicketFacts:
    return TicketFacts(
        id=len(code),
        code=code,
        name=name,
        hint="",
        kind="admission",
        seats=1,
        is_full_price=True,
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
        prices=tuple(PriceFacts(currency, minor) for currency, minor in prices.items()),
        pools=(ROOM,),
    )


def _listing(workshop: WorkshopFacts, claimed: int = 4) -> Listing:
    return catalogue.listing(workshop, Counter({ROOM: claimed}), NOW)


def _questions() -> list[Asked]:
    plain = Asked(1, "body", "Your professional body", "choice", ["BACP", "UKCP"], True, False, ())
    return [
        plain,
        replace(
            plain,
            id=2,
            code="needs",
            label="What we should know on the day",
            kind="text",
            is_required=False,
            is_private=True,
        ),
        replace(plain, id=3, code="loop", label="I use a hearing loop", kind="tick", is_required=False),
    ]


TYPED = {
    "ticket_type": "self",
    "currency": "GBP",
    "attendee-0-name": "Ines Moor",
    "attendee-0-email": "ines@clinic.example",
    "attendee-0-answer-loop": "y",
    "attendee-1-name": "",
    "attendee-1-email": "ines@clinic.example",
    "booker_name": "Ines Moor",
    "booker_email": "ines at clinic",
}


def _form(listing: Listing) -> forms.BookingForm:
    form = forms.build(listing, _questions(), MultiDict(TYPED))
    form.validate()
    return form
