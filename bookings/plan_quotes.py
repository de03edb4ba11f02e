"""The plan of a filled form: what is to be paid now and what when, and how a ticket's parts read to buyers."""

from datetime import datetime
from typing import Any

from bookings.choosing import Wish, offer_of
from bookings.plan_amounts import OnTicket, Plan, arrange
from bookings.pricing import Quote
from courses import catalogue, deposits, least
from courses.catalogue import Listing
from courses.shelf import TicketFacts
from lib import money, zones


def of(wish: Wish, listing: Listing, quote: Quote, now: datetime) -> Plan | None:
    """How the wish would be paid; None where nobody chose a ticket with a deposit."""
    on = []
    for code in dict.fromkeys(person.ticket for person in wish.attending):
        offer = offer_of(listing, code)
        parts = deposits.of(offer.ticket) if offer and offer.in_currency(quote.currency) else None
        if offer and parts:
            people = tuple(person.n for person in wish.attending if person.ticket == code)
            on.append(OnTicket(parts, offer.ticket.seats, people))
    if not on:
        return None
    today = zones.wall(now, listing.workshop.organiser.zone).date()
    plan = arrange(quote, on, today, least.least(quote.currency))
    return plan.at_once() if wish.at_once else plan


def choices(listing: Listing, now: datetime) -> list[tuple[str, str]]:
    """The tickets on sale that can be paid in parts now: each name, and what one price of it is paid in."""
    zone = listing.workshop.organiser.zone
    found = [(offer.ticket.name, words(offer.ticket, zone, now)) for offer in listing.offers if offer.on_sale]
    return [(name, said) for name, said in found if said]


def words(ticket: TicketFacts, zone: str, now: datetime) -> str:
    """What one price of a ticket is paid in when somebody books at `now`, in a phrase; empty where it is paid at once.

    `zone` is the organiser's, by whose calendar the days count.
    """
    parts = deposits.of(ticket)
    if parts is None:
        return ""
    currency, today = ticket.prices[0].currency, zones.wall(now, zone).date()
    later = [each for each in parts.instalments if each.due_on > today]
    if not later:
        return ""
    at_once = parts.total_minor - sum(each.minor for each in later)
    said = [f"{money.text(each.minor, currency)} on {zones.day(each.due_on)}" for each in later]
    return catalogue.words([f"{money.text(at_once, currency)} now", *said])


def told(plan: Plan | None, quote: Quote) -> dict[str, Any]:
    """For programs: what is due now, and what on which day."""
    later = plan.later if plan else ()
    return {
        "due_now_minor": plan.now_minor if plan else quote.total_minor,
        "later": [
            {"due_on": each.due_on.isoformat(), "day": zones.day(each.due_on), "minor": each.minor} for each in later
        ],
    }
