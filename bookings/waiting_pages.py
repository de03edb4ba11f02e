"""What the page of somebody on a waiting list shows, and the reasons in words: the same for them and for the team."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bookings import waiting_letters, waiting_list
from bookings.models import WaitingPerson
from courses.catalogue import Offer

ENDED = {
    "booked": "The offer was used for a booking. Its letter has all that comes next.",
    "lapsed": "The offer was not used in time, so the place went to the next person.",
    "closed": "Booking has ended, so nobody waits any more.",
    "left": "Left the list.",
    "removed": "Taken off the list by the organiser.",
}


@dataclass(frozen=True)
class View:
    """Somebody's place in the list at one moment. `number` is how many places are held for them."""

    person: WaitingPerson
    state: str
    position: int
    number: int
    reasons: list[str]
    may_answer: bool

    @property
    def wanted(self) -> str:
        return waiting_letters.places(self.person.wanted)

    @property
    def held(self) -> str:
        return waiting_letters.places(self.number)


def view(person: WaitingPerson, positions: Mapping[int, int], now: datetime) -> View:
    """The person's place in the list, and why nothing is offered to them yet if so."""
    position = positions.get(person.id, 0)
    state = state_of(person, now)
    is_near = waiting_list.is_first_come(person.workshop, now)
    reasons = [ENDED[state]] if state in ENDED else []
    if state == "waiting":
        reasons = list(_reasons(person, position, is_near))
    number = waiting_list.number_held(person) if state in waiting_list.HOLDS else 0
    return View(person, state, position, number, reasons, state == "waiting" and is_near)


def state_of(person: WaitingPerson, now: datetime) -> str:
    """The state, whether or not the worker has tidied what is over."""
    is_over = person.state in waiting_list.HOLDS and not waiting_list.is_live(person, now)
    if person.workshop.status == "cancelled" or (person.state in waiting_list.OPEN and now >= person.workshop.ends_at):
        return "closed" if person.state in waiting_list.OPEN else person.state
    return "lapsed" if is_over else person.state


def choices(person: WaitingPerson) -> list[int]:
    """How many somebody may take: what is held for them or fewer of it; what they asked for where nothing is."""
    most = waiting_list.number_held(person) or person.wanted
    step, least = person.ticket.seats, max(person.ticket.least_people, 1)
    return [each for each in range(1, most) if each % step == 0 and each >= least] + [most]


def refused(offer: Offer, wanted: int) -> str:
    """Why so many cannot be waited for on a ticket; empty when they can."""
    ticket = offer.ticket
    if wanted % ticket.seats:
        return f"“{ticket.name}” is for {ticket.seats} people together. Please ask for a multiple of that."
    if wanted < ticket.least_people:
        return f"“{ticket.name}” is for {ticket.least_people} people or more on one booking."
    if ticket.most_people is not None and wanted > ticket.most_people:
        return f"“{ticket.name}” is for {ticket.most_people} people at most on one booking."
    return ""


def _reasons(person: WaitingPerson, position: int, is_near: bool) -> list[str]:
    found = []
    if position == 1:
        found.append("Nobody is ahead in the list. No place has come free yet.")
    else:
        others = "One person is" if position == 2 else f"{position - 1} people are"
        found.append(f"{others} ahead in the list.")
    if person.passed_over:
        few = waiting_letters.places(person.passed_over).capitalize()
        found.append(
            f"{few} came free, and {waiting_letters.places(person.wanted)} were asked for. What is too few goes to the "
            "next person whom it is enough for; the place in the list stays."
        )
    if is_near:
        found.append("The start is near, so a place that comes free is for whoever on the list answers first.")
    return found
