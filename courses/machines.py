"""What a workshop's page tells programs: schema.org's Course, its instance as an event, and the offers.

Plain values worked out from a listing; the template writes them as JSON in which no `<`, `>` or `&` stands as itself.
"""

from typing import Any

from courses.catalogue import Listing, Offer
from courses.shelf import SessionFacts, WorkshopFacts
from lib import money, texts, zones

ONLINE, ROOM = "https://schema.org/OnlineEventAttendanceMode", "https://schema.org/OfflineEventAttendanceMode"
MIXED = "https://schema.org/MixedEventAttendanceMode"
LONGEST = 300


def said(text: str) -> str:
    """A description as plain text on one line, of a length that search pages show."""
    plain = " ".join(texts.plain(text).split())
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 1].rsplit(' ', 1)[0]}…"


def facts(stands: Listing, page: str, course_page: str) -> dict[str, Any]:
    """The course, with this workshop as the instance that can be booked."""
    workshop = stands.workshop
    return {
        "@context": "https://schema.org",
        "@type": "Course",
        "name": workshop.title,
        "description": said(workshop.summary),
        "url": course_page,
        "provider": {"@type": "Organization", "name": workshop.organiser.name, "email": workshop.organiser.email},
        "hasCourseInstance": _instance(stands, page),
    }


def _instance(stands: Listing, page: str) -> dict[str, Any]:
    workshop = stands.workshop
    found: dict[str, Any] = {
        "@type": ["CourseInstance", "EducationEvent"],
        "name": workshop.title,
        "description": said(workshop.summary),
        "url": page,
        "startDate": zones.z(workshop.starts_at),
        "endDate": zones.z(workshop.ends_at),
        "eventStatus": f"https://schema.org/Event{'Cancelled' if stands.state == 'cancelled' else 'Scheduled'}",
        "courseMode": {"room": "onsite", "hybrid": "blended"}.get(workshop.format, "online"),
        "eventAttendanceMode": {"room": ROOM, "hybrid": MIXED}.get(workshop.format, ONLINE),
        "organizer": {"@type": "Organization", "name": workshop.organiser.name},
        "performer": [{"@type": "Person", "name": who.name} for who in workshop.presenters],
        "instructor": [{"@type": "Person", "name": who.name} for who in workshop.presenters],
        "location": _where(workshop, page),
        "offers": [each for offer in stands.offers for each in _offers(offer, page)],
    }
    if len(workshop.sessions) > 1:
        found["subEvent"] = [_session(each, workshop) for each in workshop.sessions]
    return found


def _session(each: SessionFacts, workshop: WorkshopFacts) -> dict[str, Any]:
    return {
        "@type": "EducationEvent",
        "name": each.title or f"{workshop.title}, session {each.number}",
        "startDate": zones.z(each.starts_at),
        "endDate": zones.z(each.ends_at),
    }


def _where(workshop: WorkshopFacts, page: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if workshop.venue:
        found.append({"@type": "Place", "name": workshop.venue.name, "address": workshop.venue.address})
    if workshop.format != "room":
        # The page itself: a meeting's address is nobody's but an attendee's.
        found.append({"@type": "VirtualLocation", "url": page})
    return found


def _offers(offer: Offer, page: str) -> list[dict[str, Any]]:
    if not (offer.on_sale or offer.is_full):
        return []
    return [
        {
            "@type": "Offer",
            "name": offer.ticket.name,
            "url": page,
            "price": money.plain(price.minor, price.currency),
            "priceCurrency": price.currency.upper(),
            "availability": f"https://schema.org/{'InStock' if offer.on_sale else 'SoldOut'}",
            **({"validThrough": zones.z(offer.until)} if offer.until else {}),
        }
        for price in offer.ticket.prices
        if price.minor is not None
    ]
