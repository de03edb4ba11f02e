"""What a form asks each person: the questions of its workshop, or those of a bundle's, the same one only once."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from courses import bundles
from courses.bundles import BundleListing
from courses.catalogue import Listing
from courses.models import Question, TicketType
from lib import db


@dataclass(frozen=True)
class Asked:
    """A question on a form. The answer is kept under `id`; no `tickets` means that everybody is asked."""

    id: int
    code: str
    label: str
    kind: str
    choices: Sequence[str]
    is_required: bool
    is_private: bool
    tickets: Sequence[TicketType]


def of(listing: Listing) -> list[Asked]:
    """The questions in their order. Private ones are about the day: nobody answers them for a recording of it."""
    if isinstance(listing, BundleListing):
        return _together(listing)
    return [
        _asked(each, each.code, each.tickets)
        for each in _rows(listing)
        if listing.state != "past" or not each.is_private
    ]


def by_workshop(listing: BundleListing) -> dict[int, dict[int, int]]:
    """By workshop, the ids of its questions, each with the id under which the bundle's form keeps the answer."""
    found: dict[int, dict[int, int]] = defaultdict(dict)
    for same in _alike(listing):
        for each in same:
            found[each.workshop_id][each.id] = same[0].id
    return found


def _together(listing: BundleListing) -> list[Asked]:
    made: list[Asked] = []
    for same in _alike(listing):
        code, number = same[0].code, 1
        while code in {each.code for each in made}:
            number += 1
            code = f"{same[0].code}-{number}"  # two workshops may use one code for two questions
        made.append(_asked(same[0], code, (), is_required=any(each.is_required for each in same)))
    return made


def _alike(listing: BundleListing) -> list[list[Question]]:
    """The questions that those of the bundle's tickets are asked, grouped by what is asked."""
    tickets = {part.ticket.id for part in listing.parts}
    groups: dict[tuple[object, ...], list[Question]] = defaultdict(list)
    for each in _rows(listing):
        if not each.tickets or tickets & {ticket.id for ticket in each.tickets}:
            groups[each.label.casefold(), each.kind, tuple(each.choices), each.is_private].append(each)
    return list(groups.values())


def _rows(listing: Listing) -> list[Question]:
    workshops = [each.id for each in bundles.workshops(listing)]
    found = db.session.scalars(
        select(Question)
        .where(Question.workshop_id.in_(workshops))
        .order_by(Question.position)
        .options(selectinload(Question.tickets))
    )
    return sorted(found, key=lambda each: (workshops.index(each.workshop_id), each.position))


def _asked(each: Question, code: str, tickets: Sequence[TicketType], *, is_required: bool | None = None) -> Asked:
    required = each.is_required if is_required is None else is_required
    return Asked(each.id, code, each.label, each.kind, tuple(each.choices), required, each.is_private, tickets)
