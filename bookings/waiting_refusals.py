"""Why somebody on a waiting list does not get what they ask for, and the way on."""

from bookings import waiting_letters
from bookings.models import WaitingPerson
from lib import web


class OfferSpent(web.Refusal):
    """The offer was used, or its time is over."""

    status = 410
    refusal = "offer_spent"
    title = "This offer is over"


class NothingOffered(web.Refusal):
    status = 409
    refusal = "nothing_offered"
    title = "No place is free for you yet"


class SomebodyWasQuicker(web.Refusal):
    status = 409
    refusal = "somebody_was_quicker"
    title = "Somebody was a moment quicker"


def spent(person: WaitingPerson | None) -> OfferSpent:
    """Why there is nothing to take any more, and the way back to the workshop."""
    there = {}
    if person is not None:
        page = web.url("courses.workshop", slug=person.workshop.slug)
        there = {"next_url": page, "next_text": "Back to the workshop"}
    if person is not None and person.state == "booked":
        return OfferSpent("It has been used for a booking, whose letter has all that comes next.", **there)
    return OfferSpent(
        "Its time ran out, or you left the list. Nothing has been charged. You can join the list again.", **there
    )


def back_to(person: WaitingPerson) -> dict[str, str]:
    """The way back to the person's own page of the list."""
    return {"next_url": waiting_letters.url(person), "next_text": "Back to your place in the list"}
