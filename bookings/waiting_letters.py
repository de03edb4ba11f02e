"""The letters of a waiting list, each to one person on it, about nobody else."""

from datetime import datetime
from typing import Any

from bookings.models import WaitingPerson
from lib import links, web, zones
from mail import outbox


def url(person: WaitingPerson) -> str:
    """The person's own page of the list. Leaving makes it another one."""
    return web.url("waiting.shown", token=token(person))


def token(person: WaitingPerson) -> str:
    return links.token("waiting", person.id, person.link_version)


def joined(person: WaitingPerson, position: int, now: datetime) -> None:
    """They are on the list, since now or since before: whoever typed the address cannot tell which."""
    _post(
        person,
        "waiting_joined",
        now,
        waiting_url=url(person),
        subject=f"You are on the waiting list: {person.workshop.title}",
        position=position,
        wanted=places(person.wanted),
        ticket=person.ticket.name,
        hours=person.workshop.waiting_hours,
        first_come_hours=person.workshop.waiting_first_come_hours,
    )


def offered(person: WaitingPerson, number: int, until: datetime, now: datetime) -> None:
    """Places are held for them until a moment on their own clock."""
    is_fewer = number < person.wanted
    _post(
        person,
        "waiting_offer",
        now,
        waiting_url=url(person),
        subject=f"{'A place is' if number == 1 else f'{number} places are'} yours to take: {person.workshop.title}",
        heading="A place has come free" if number == 1 else f"{number} places have come free",
        number=places(number),
        wanted=places(person.wanted) if is_fewer else None,
        until=zones.moment(until, person.zone),
        until_there=zones.moment(until, person.workshop.zone) if person.zone != person.workshop.zone else None,
    )


def told(person: WaitingPerson, until: datetime, now: datetime) -> None:
    """A place is free, near the start: whoever on the list answers first has it."""
    _post(
        person,
        "waiting_first_come",
        now,
        waiting_url=url(person),
        subject=f"A place is free, and the first to answer has it: {person.workshop.title}",
        until=zones.moment(until, person.zone),
    )


def over(person: WaitingPerson, heading: str, sentences: list[str], now: datetime) -> None:
    """Their wait is over, without a place."""
    _post(
        person,
        "waiting_over",
        now,
        subject=f"{heading}: {person.workshop.title}",
        heading=heading,
        sentences=sentences,
        course_url=web.url("courses.course", slug=person.workshop.course.slug),
    )


def places(number: int) -> str:
    return "one place" if number == 1 else f"{number} places"


def _post(person: WaitingPerson, template: str, now: datetime, **values: Any) -> None:
    organiser = person.organiser
    outbox.post(
        template,
        to_name=person.name,
        to_email=person.email,
        sender=outbox.Sender(organiser.name, organiser.email, organiser.id),
        about=f"waiting:{person.id}",
        lane=f"waiting:{person.id}",
        at=now,
        values={
            "name": person.name,
            "workshop_title": person.workshop.title,
            "organiser_name": organiser.name,
            **values,
        },
    )
