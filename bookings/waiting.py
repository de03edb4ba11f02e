"""The waiting list of a workshop: the only door to `WaitingPerson.state`.

waiting -> offered | accepted (whoever answers first);  offered -> accepted;  offered | accepted -> booked | lapsed;
waiting | offered | accepted -> left | removed | closed.  Any of the ends -> waiting, at the end of the list.

Every change begins by locking the workshop's pools, so that those of one list come one after the other. An offer is
a held place for one person and is used once.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bookings import waiting_letters, waiting_list, waiting_plan
from bookings.models import Booking, OfferedPlace, WaitingPerson
from bookings.waiting_list import HOLDS, OPEN, List
from bookings.waiting_plan import Waits
from bookings.waiting_refusals import NothingOffered, SomebodyWasQuicker, back_to, spent
from courses import places, shelf
from history import models as history
from lib import db, work, zones

TURN = "bookings.waiting_turn"  # a moment at which something of a list ends
TO_BOOK = timedelta(minutes=30)  # for filling in the form, once an offer is accepted
LIST_ALONE = timedelta(hours=2)  # how long a place that the first to answer has is kept from everybody else


@dataclass(frozen=True)
class Asked:
    """A filled form of the list."""

    workshop_id: int
    organiser_id: int
    ticket_id: int
    name: str
    email: str
    zone: str
    wanted: int
    takes_fewer: bool


def join(asked: Asked, now: datetime) -> WaitingPerson:
    """Put somebody at the end of the list, or leave them where they are; they get the same letter either way."""
    line = waiting_list.locked(asked.workshop_id, now)
    known = waiting_list.people(WaitingPerson.workshop_id == asked.workshop_id, WaitingPerson.email == asked.email)
    person = known[0] if known else None
    if person is not None and person.state in OPEN:
        waiting_letters.joined(person, waiting_list.positions([person])[person.id], now)
        return person
    facts = {
        "ticket_type_id": asked.ticket_id,
        "name": asked.name,
        "zone": asked.zone,
        "wanted": asked.wanted,
        "takes_fewer": asked.takes_fewer,
        "joined_at": now,
    }
    if person is None:
        person = WaitingPerson(
            organiser_id=asked.organiser_id,
            workshop_id=asked.workshop_id,
            email=asked.email,
            state="waiting",
            **facts,
        )
        db.session.add(person)
    else:
        for name, value in facts.items():
            setattr(person, name, value)
        person.state, person.told_until, person.passed_over, person.booking_id = "waiting", None, None, None
        person.link_version += 1
    db.session.flush()
    _remember(person, "waiting_joined", "waiting", now, wanted=asked.wanted)
    waiting_letters.joined(person, waiting_list.positions([person])[person.id], now)
    line.people = waiting_list.on_list(asked.workshop_id)
    if ticket := line.ticket(person):
        _turn(line, line.ends(ticket))
    _turn(line, now)
    waiting_list.mark(line)
    return person


def wish(person_id: int, workshop_id: int, wanted: int, takes_fewer: bool, now: datetime) -> None:
    """Ask for another number of places, from the same place in the list."""
    line = waiting_list.locked(workshop_id, now)
    person = _still(line, person_id)
    if person.state != "waiting":
        raise NothingOffered(
            "While an offer is open, the number you asked for stays. You can take fewer of them.", **back_to(person)
        )
    person.wanted, person.takes_fewer, person.passed_over = wanted, takes_fewer, None
    _remember(person, "waiting_changed", "waiting", now, wanted=wanted, takes_fewer=takes_fewer)
    _turn(line, now)
    waiting_list.mark(line)


def settle(workshop_id: int, now: datetime, *, has_come_free: bool) -> None:
    """Make the list what it should be: end what is over, offer what is free, keep the rest from the public.

    Near the start people are told of a free place only when one `has_come_free`, and not each time somebody looks.
    """
    line = waiting_list.locked(workshop_id, now)
    for person in line.people:
        if line.ticket(person) is None:
            _close(line, person)
        elif person.state in HOLDS and person.held_until is not None and person.held_until <= now:
            _lapse(line, person)
    queue = line.queue()
    if not line.is_first_come:
        _offer_in_order(line, queue)
    elif has_come_free:
        _tell(line, queue)
    waiting_list.mark(line)


def offer_by_hand(person_id: int, workshop_id: int, *, actor: str, now: datetime) -> None:
    """Offer somebody what they wait for, out of turn and of the reserve first. Raises WorkshopFull."""
    line = waiting_list.locked(workshop_id, now)
    person = _still(line, person_id)
    if person.state != "waiting" or line.ticket(person) is None:
        raise NothingOffered("This person has an offer already, or the ticket is not sold any more.")
    _offer(line, person, person.wanted, actor, of_reserve=True)
    waiting_list.mark(line)


def accept(person_id: int, workshop_id: int, number: int, now: datetime) -> WaitingPerson:
    """Take `number` of what is offered, or of what is free for whoever answers first; held while the form is filled in.

    Raises OfferSpent, NothingOffered or SomebodyWasQuicker.
    """
    line = waiting_list.locked(workshop_id, now)
    person = waiting_list.by_id(person_id)
    ticket = line.ticket(person) if person else None
    if person is None or ticket is None or person.state not in OPEN:
        raise spent(person)
    until = min(now + TO_BOOK, line.ends(ticket))
    if person.state == "waiting":
        if not line.is_first_come:
            said = "You keep your place in the list, and we write as soon as there is one for you."
            raise NothingOffered(said, **back_to(person))
        try:
            _hold(line, person, ticket, number, until)
        except places.WorkshopFull as full:
            raise SomebodyWasQuicker(
                "The free place has just gone to somebody else who waited. Nothing has been charged, and you keep your "
                "place in the list: we write again when another one comes free.",
                **back_to(person),
            ) from full
    elif not waiting_list.is_live(person, now) or person.held_until is None:
        raise spent(person)
    elif person.state == "accepted":
        return person
    else:
        until = max(person.held_until, until)
        try:
            _keep_some(person, number, until, now)
        except places.WorkshopFull as full:  # it ended while this waited for the lock, and somebody else has it
            raise spent(person) from full
    person.state, person.held_until, person.told_until = "accepted", until, None
    _turn(line, until)
    _remember(person, "waiting_accepted", "waiting", now, number=number)
    waiting_list.mark(line)
    return person


def leave(person_id: int, workshop_id: int, now: datetime, *, actor: str = "waiting", why: str = "") -> None:
    """Take somebody off the list, their link dead, what was held for them given back. The organiser's `actor` has
    their reason sent to them."""
    line = waiting_list.locked(workshop_id, now)
    person = _still(line, person_id)
    is_own = actor == "waiting"
    _end(line, person, "left" if is_own else "removed", actor, why=why)
    person.link_version += 1
    if not is_own:
        said = [
            f"{person.organiser.name} has taken you off the waiting list.",
            *([f"They say: {why.rstrip('.')}."] if why else []),
        ]
        waiting_letters.over(person, "You are no longer on the waiting list", said, now)
    waiting_list.mark(line)


# What an offer becomes


def claim(person_id: int, workshop_id: int, now: datetime) -> WaitingPerson:
    """The person whose offer is being booked, the list locked. Raises OfferSpent."""
    waiting_list.locked(workshop_id, now)
    person = waiting_list.by_id(person_id)
    if person is None or not waiting_list.is_live(person, now):
        raise spent(person)
    return person


def pass_over(person: WaitingPerson, wanted: Counter[int], until: datetime, now: datetime) -> dict[int, list[int]]:
    """The places held for the person, for their booking. Raises WorkshopFull when it is for more."""
    ids = [each.place_id for each in person.offered]
    return places.pass_over(ids, wanted, organiser_id=person.organiser_id, until=until, now=now)


def spend(person: WaitingPerson, booking: Booking, now: datetime) -> None:
    """The offer has become a booking, and is used."""
    person.offered.clear()
    person.state, person.held_until, person.booking_id = "booked", None, booking.id
    _remember(person, "waiting_booked", "waiting", now, booking=booking.reference)
    db.session.flush()
    waiting_list.mark(waiting_list.locked(person.workshop_id, now))


def take_up_again(booking: Booking, now: datetime) -> None:
    """The form of an offer was changed and is sent again: what its booking just gave back is held for the person, in
    the same transaction, so that nobody comes between."""
    found = waiting_list.people(WaitingPerson.booking_id == booking.id, WaitingPerson.state == "booked")
    if not found:
        return
    (person,) = found
    line = waiting_list.locked(person.workshop_id, now)
    ticket = line.ticket(person)
    if ticket is None:
        return
    until = min(now + TO_BOOK, line.ends(ticket))
    _hold(line, person, ticket, len(booking.attendees), until)
    person.state, person.held_until, person.booking_id = "accepted", until, None
    _turn(line, until)
    db.session.flush()


# Inside the lock


def _offer_in_order(line: List, queue: Sequence[Waits]) -> None:
    if not queue:
        return
    most = line.people[0].workshop.waiting_at_once - sum(each.state in HOLDS for each in line.people)
    made = waiting_plan.plan(queue, line.free, most)
    for person_id, number in made.offers:
        _offer(line, line.named(person_id), number, "worker")
    for person_id, room in made.passed_over.items():
        line.named(person_id).passed_over = room


def _offer(line: List, person: WaitingPerson, number: int, actor: str, *, of_reserve: bool = False) -> None:
    ticket, of = line.ticket(person), person.workshop
    if ticket is None:
        return
    until = waiting_plan.deadline(
        line.now,
        hours=of.waiting_hours,
        first_come_from=waiting_list.first_come_from(of),
        sale_ends=line.ends(ticket),
    )
    _hold(line, person, ticket, number, until, of_reserve=of_reserve)
    person.state, person.held_until, person.told_until = "offered", until, None
    waiting_letters.offered(person, number, until, line.now)
    _turn(line, until)
    _remember(person, "waiting_offered", actor, line.now, number=number, until=zones.z(until))


def _hold(
    line: List,
    person: WaitingPerson,
    ticket: shelf.TicketFacts,
    number: int,
    until: datetime,
    *,
    of_reserve: bool = False,
) -> None:
    wanted = Counter(dict.fromkeys(ticket.pools, number))
    held = places.hold(
        wanted,
        organiser_id=person.organiser_id,
        until=until,
        now=line.now,
        of_reserve=of_reserve,
        for_list=True,
    )
    ids = [place for found in held.values() for place in found]
    person.offered = [OfferedPlace(organiser_id=person.organiser_id, place_id=place) for place in ids]
    db.session.flush()
    if not of_reserve:
        line.free |= {pool: line.free[pool] - number for pool in ticket.pools}


def _keep_some(person: WaitingPerson, number: int, until: datetime, now: datetime) -> None:
    held: Counter[int] = Counter()
    over = []
    for each in list(person.offered):
        held[each.place.pool_id] += 1
        if held[each.place.pool_id] > number:
            over.append(each)
    if over:
        places.release([each.place_id for each in over], now)
        person.offered = [each for each in person.offered if each not in over]
    places.extend([each.place_id for each in person.offered], until, now)


def _tell(line: List, queue: Sequence[Waits]) -> None:
    """A place is free and the start is near: tell everybody who would take it, and nobody twice of one place."""
    for each in queue:
        person, ticket = line.named(each.id), line.ticket(line.named(each.id))
        room = min((line.free.get(pool, 0) for pool in each.pools), default=0)
        is_told = person.told_until is not None and person.told_until > line.now
        if ticket is None or is_told or not each.takes_of(room):
            continue
        until = min(line.now + LIST_ALONE, line.ends(ticket))
        person.told_until = until
        waiting_letters.told(person, until, line.now)
        _turn(line, until)
        _remember(person, "waiting_told", "worker", line.now)


def _lapse(line: List, person: WaitingPerson) -> None:
    """Nobody answered, or booked, in time. Who was offered fewer than they asked for waits on for all of them."""
    if person.state == "offered" and waiting_list.number_held(person) < person.wanted:
        _give_back(person, line.now)
        person.state, person.held_until, person.takes_fewer = "waiting", None, False
        _remember(person, "waiting_waits_on", "worker", line.now)
        return
    _end(line, person, "lapsed", "worker")
    said = [
        "The place that was held for you has gone to the next person, because nobody booked it in time.",
        "Nothing was charged. You can join the list again, at its end.",
    ]
    waiting_letters.over(person, "The offer is over", said, line.now)


def _close(line: List, person: WaitingPerson) -> None:
    _end(line, person, "closed", "worker")
    if line.facts is not None and line.facts.status == "cancelled":
        heading, said = "The workshop is cancelled", "It does not take place, so nobody waits for it any more."
    else:
        heading, said = "No place came free", "Booking has ended, and no place came free for you before that."
    waiting_letters.over(person, heading, [said, "Nothing was charged."], line.now)


def _end(line: List, person: WaitingPerson, state: str, actor: str, why: str = "") -> None:
    _give_back(person, line.now)
    person.state, person.held_until = state, None
    _remember(person, f"waiting_{state}", actor, line.now, **({"why": why} if why else {}))
    db.session.flush()


def _give_back(person: WaitingPerson, now: datetime) -> None:
    ids = [each.place_id for each in person.offered]
    person.offered.clear()
    if ids:
        places.release(ids, now)


def _turn(line: List, at: datetime) -> None:
    work.post(TURN, f"workshop:{line.workshop_id}", at, {"workshop": line.workshop_id})


def _still(line: List, person_id: int) -> WaitingPerson:
    found = next((each for each in line.people if each.id == person_id), None)
    if found is None:
        raise spent(waiting_list.by_id(person_id))
    return found


def _remember(person: WaitingPerson, verb: str, actor: str, now: datetime, **facts: object) -> None:
    history.record(
        f"workshop:{person.workshop_id}",
        verb,
        at=now,
        actor=actor,
        organiser_id=person.organiser_id,
        facts={"waiting": person.id, **facts},
    )
