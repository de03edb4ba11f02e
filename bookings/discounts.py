"""Discount codes: looked up, checked, counted under the lock while held, and given back. The only door to a
redemption's state."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import ClassVar, cast

from sqlalchemy import ColumnElement, and_, func, or_, select, update

from bookings import first_event
from bookings.models import DiscountCode, Redemption
from bookings.pricing import Kind, Person, Quote, Reduction, best
from courses import least
from courses.shelf import WorkshopFacts
from lib import db, money, web, zones
from lib.forms import one_line, person_of

STAYS = "The price stays as it is."
LAST_SECOND = timedelta(seconds=1)  # a code counts to the end of the second at which it ends
_LOOK_ALIKE = str.maketrans("OIL", "011")


class CodeRefused(web.Refusal):
    """A code that does not count here; the price stays as it is."""

    status = 422
    refusal = "code_refused"
    title = "This code cannot be used here"


class CodeUnknown(CodeRefused):
    refusal = "code_unknown"


class CodeExpired(CodeRefused):
    refusal = "code_expired"


class CodeNotYetValid(CodeRefused):
    refusal = "code_not_yet_valid"


class CodeNotForWorkshop(CodeRefused):
    refusal = "code_not_for_workshop"


class CodeNotForBundle(CodeRefused):
    """A bundle is lower than its workshops' prices already: only a code that names it counts for it."""

    refusal = "code_not_for_bundle"


class CodeNotForTicket(CodeRefused):
    refusal = "code_not_for_ticket"


class CodeNotInCurrency(CodeRefused):
    refusal = "code_not_in_currency"


class CodeBelowMinimum(CodeRefused):
    """Too few people, or too small an order."""

    refusal = "code_below_minimum"


class CodeNotYours(CodeRefused):
    """It was sent to somebody who is not on this booking."""

    refusal = "code_not_yours"


class CodeNotFirstEvent(CodeRefused):
    refusal = "code_not_first_event"


class CodeUsedByYou(CodeRefused):
    refusal = "code_used_by_you"


class CodeNotTogether(CodeRefused):
    """Two codes that may not be added to each other."""

    refusal = "code_not_together"


class CodeNotNeeded(CodeRefused):
    """It may count, and something else takes off as much or more: nothing stands against the booking."""

    refusal = "code_not_needed"


class CodeSpent(CodeRefused):
    """Its last use or the last of its budget has gone, for good or while somebody else is paying."""

    status: ClassVar[int] = 409
    refusal = "code_spent"


@dataclass(frozen=True)
class Purchase:
    """What codes are held against: who would come on which tickets of one workshop, at which prices, for whom.

    Of a bundle, `workshop` is what its workshops are together, and `bundle` its id.
    `booker` is None, and attendees' addresses are missing, while a quote is asked for before they are typed.
    """

    workshop: WorkshopFacts
    people: tuple[Person, ...]
    currency: str
    booker: str | None
    attendees: dict[int, str] = field(default_factory=dict)
    bundle: int | None = None

    @property
    def least_minor(self) -> int:
        return least.least(self.currency)

    def price(self, offers: Sequence[Reduction] = ()) -> Quote:
        """The best that these offers give. Raises OddNumber."""
        return best(self.people, self.currency, offers, least_minor=self.least_minor)


def split(text: str | None) -> list[str]:
    """The codes somebody typed, a comma or a plus between two of them, as they are shown in messages."""
    parts = re.split(r"[,;+]", unicodedata.normalize("NFKC", text or ""))
    shown = ["".join(one_line(part).split()).upper()[:40] for part in parts]
    return [each for each in shown if fold(each)]


def fold(text: str | None) -> str:
    """How a code is kept and looked up. Neither case nor space, dash or width make a difference, nor whether an O is
    a nought or an I or L a one. Empty means no code was given."""
    wide = unicodedata.normalize("NFKC", text or "").upper()
    return "".join(each for each in wide if each.isalnum()).translate(_LOOK_ALIKE)


def find(organiser_id: int, text: str) -> DiscountCode:
    """The organiser's code, however it was typed. Raises CodeUnknown."""
    code = db.session.scalars(
        select(DiscountCode).where(
            DiscountCode.organiser_id == organiser_id,
            DiscountCode.folded == fold(text),
            DiscountCode.is_automatic.is_(False),
        )
    ).one_or_none()
    if code is None:
        shown = "".join(one_line(text).split()).upper()[:40]
        raise CodeUnknown(f"We do not know the code {shown}. Check it letter by letter, or go on without it.")
    return code


def check(code: DiscountCode, purchase: Purchase, now: datetime) -> Reduction:
    """Whether the code counts at `now` for this purchase; raises the CodeRefused that says why not. Inside `redeem`
    the answer is final, elsewhere it is a forecast."""
    zone = purchase.workshop.zone
    if code.valid_from and now < code.valid_from:
        raise CodeNotYetValid(
            f"{code.code} begins on {zones.moment(code.valid_from, zone)}. Until then the price stays."
        )
    if code.valid_until and now >= code.valid_until + LAST_SECOND:
        raise CodeExpired(f"{code.code} ended on {zones.moment(code.valid_until, zone)}. {STAYS}")
    _refuse_elsewhere(code, purchase)
    if code.minor is not None and code.currency != purchase.currency:
        raise CodeNotInCurrency(f"{code.code} is in {code.currency}, and you pay in {purchase.currency}. {STAYS}")
    reduction = _reduction(code, purchase)
    covered = [each for each in purchase.people if reduction.takes(each) and not each.is_extra]
    if not covered:
        better = _cheaper(code, purchase, now)
        raise CodeNotForTicket(f"{code.code} is not for the ticket you chose. {STAYS}{better}")
    _refuse_below(code, purchase, len(covered))
    _refuse_others(code, purchase)
    if purchase.booker and code.uses_per_person is not None:
        used, _ = uses(code.id, now, person_of(purchase.booker))
        if used >= code.uses_per_person:
            raise CodeUsedByYou(f"{code.code} has already been used with this address. {STAYS}")
    if code.first_online_only:
        _refuse_second(code, purchase, covered)
    if code.uses_total is not None and uses(code.id, now)[0] >= code.uses_total:
        raise CodeSpent(f"{code.code} has been used as often as it may be. Nothing is booked; the full price is open.")
    return reduction


def hold_uses(codes: Iterable[DiscountCode], quote: Quote, booking_id: int, email: str, until: datetime) -> None:
    """One use of each code, held while the booking is, with what it took off."""
    for code in codes:
        db.session.add(
            Redemption(
                organiser_id=code.organiser_id,
                code_id=code.id,
                booking_id=booking_id,
                person=person_of(email),
                minor=quote.took(code.code),
                currency=quote.currency,
                state="held",
                held_until=until,
            )
        )
    db.session.flush()


def extend_use(booking_id: int, until: datetime) -> None:
    """The hold of the booking moved: its uses move with it."""
    _set(booking_id, ("held",), state="held", held_until=until)


def keep_use(booking_id: int, now: datetime) -> None:
    """The booking is confirmed: its uses count for good.

    One whose hold ran out is claimed again under the lock; raises CodeSpent when others have had it meanwhile.
    """
    held = db.session.scalars(
        select(Redemption).where(Redemption.booking_id == booking_id).order_by(Redemption.code_id)
    ).all()
    lock([use.code_id for use in held])
    for use in held:
        if use.state == "used" or (use.held_until is not None and use.held_until > now):
            continue
        number, given = uses(use.code_id, now)
        code = use.code
        is_gone = code.uses_total is not None and number >= code.uses_total
        if is_gone or (code.budget_minor is not None and given + use.minor > code.budget_minor):
            raise CodeSpent(f"{code.code} was used up by others after the hold on this booking had run out.")
    _set(booking_id, ("held", "released"), state="used", held_until=None)


def release_use(booking_id: int) -> None:
    """The booking came to nothing, or all of it was paid back: its uses are free again."""
    _set(booking_id, ("held", "used"), state="released", held_until=None)


def took_back(booking_id: int, code: str, minor: int) -> None:
    """Those who stay on the booking lost the code: so much less was given with it."""
    codes = select(DiscountCode.id).where(DiscountCode.code == code)
    uses = db.session.scalars(
        select(Redemption).where(Redemption.booking_id == booking_id, Redemption.code_id.in_(codes))
    )
    for use in uses:
        use.minor = max(use.minor - minor, 0)


def took_more(booking_id: int, organiser_id: int, took: Mapping[int, int], email: str, currency: str) -> None:
    """Codes without limits took this off places that came to a confirmed booking later, by code's id."""
    known = db.session.scalars(select(Redemption).where(Redemption.booking_id == booking_id)).all()
    for code_id, minor in took.items():
        use = next((each for each in known if each.code_id == code_id), None)
        if use is not None:
            use.minor += minor
            continue
        db.session.add(
            Redemption(
                organiser_id=organiser_id,
                code_id=code_id,
                booking_id=booking_id,
                person=person_of(email),
                minor=minor,
                currency=currency,
                state="used",
            )
        )


def ended(booking_id: int, now: datetime) -> DiscountCode | None:
    """A code of the booking that has ended since it was held, if there is one."""
    codes = select(DiscountCode).join(Redemption, Redemption.code_id == DiscountCode.id)
    return db.session.scalars(
        codes.where(Redemption.booking_id == booking_id, DiscountCode.valid_until <= now - LAST_SECOND)
    ).first()


def lock(code_ids: Collection[int]) -> None:
    """Lock the codes, in order of id, and read them again: from here on their uses are counted by nobody else."""
    if code_ids:
        db.session.scalars(
            select(DiscountCode)
            .where(DiscountCode.id.in_(code_ids))
            .order_by(DiscountCode.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).all()


def counting(now: datetime) -> ColumnElement[bool]:
    """The condition under which a use counts at `now`."""
    return or_(Redemption.state == "used", and_(Redemption.state == "held", Redemption.held_until > now))


def _reduction(code: DiscountCode, purchase: Purchase) -> Reduction:
    own = {n for n, email in purchase.attendees.items() if code.person and person_of(email) == code.person}
    return Reduction(
        code.code,
        code.percent or 0,
        frozenset(code.tickets) if code.tickets is not None else None,
        cast(Kind, code.kind),
        code.minor or 0,
        full_price_only=code.full_price_only,
        online_only=code.first_online_only,
        covers=code.covers,
        prefers=frozenset(own),
        least_people=code.least_people,
        is_re_rated=code.re_rate_on_cancellation,
        stacks=code.stacks,
    )


def _refuse_elsewhere(code: DiscountCode, purchase: Purchase) -> None:
    if purchase.bundle is not None:
        if purchase.bundle not in (code.bundles or ()):
            raise CodeNotForBundle(
                f"{code.code} is for workshops booked one by one. A bundle costs less than those already. {STAYS}"
            )
        return
    workshop = purchase.workshop
    if code.bundles and code.workshops is None and code.courses is None and code.topics is None:
        raise CodeNotForWorkshop(f"{code.code} is for a bundle of workshops. {STAYS}")
    scopes = ((code.workshops, workshop.id), (code.courses, workshop.course_id), (code.topics, workshop.topic))
    if any(scope is not None and here not in scope for scope, here in scopes):
        raise CodeNotForWorkshop(f"{code.code} is not for this workshop. {STAYS}")


def _cheaper(code: DiscountCode, purchase: Purchase, now: datetime) -> str:
    """The ticket on which one person would pay less with the code than the dearest of those chosen, in a sentence."""
    found = {}
    for ticket in purchase.workshop.tickets if purchase.bundle is None else ():
        is_sold = (ticket.sold_from or now) <= now and (ticket.sold_until is None or now < ticket.sold_until)
        minor = next((each.minor for each in ticket.prices if each.currency == purchase.currency), None)
        if ticket.kind != "admission" or ticket.seats > 1 or not is_sold or minor is None:
            continue
        is_online = purchase.workshop.format != "room" and not ticket.is_in_room
        one = Person(0, ticket.code, ticket.name, minor, is_full_price=ticket.is_full_price, is_online=is_online)
        alone = replace(purchase, people=(one,))
        if _reduction(code, alone).takes(one):
            with suppress(CodeRefused):
                found[ticket.name] = alone.price([check(code, alone, now)]).total_minor
    name = min(found, key=lambda each: found[each], default="")
    if not name or found[name] >= max(each.unit_minor // each.seats for each in purchase.people):
        return ""
    return f" With “{name}” and the code a place costs {money.text(found[name], purchase.currency)}."


def _refuse_below(code: DiscountCode, purchase: Purchase, number: int) -> None:
    if number < code.least_people:
        raise CodeBelowMinimum(f"{code.code} is for {code.least_people} people or more on one booking. {STAYS}")
    if code.least_order_minor is None:
        return
    if code.currency != purchase.currency:
        raise CodeNotInCurrency(f"{code.code} is in {code.currency}, and you pay in {purchase.currency}. {STAYS}")
    if purchase.price().total_minor < code.least_order_minor:
        least_order = money.text(code.least_order_minor, purchase.currency)
        raise CodeBelowMinimum(f"{code.code} is for bookings of {least_order} or more. {STAYS}")


def _refuse_others(code: DiscountCode, purchase: Purchase) -> None:
    """A personal code is for its person, as the booker or as somebody who comes."""
    here = {person_of(email) for email in (purchase.booker, *purchase.attendees.values()) if email}
    if code.person and here and code.person not in here:
        raise CodeNotYours(
            f"{code.code} was sent to one address, and neither you nor anybody coming has that. {STAYS} "
            "If it is yours, give the address the letter went to."
        )


def _refuse_second(code: DiscountCode, purchase: Purchase, covered: Sequence[Person]) -> None:
    """A first event is one for the person it counts for, under any address this booking has for them."""
    own = [each for each in covered if person_of(purchase.attendees.get(each.n, "@")) == code.person]
    counted = own or covered[: code.covers]
    emails = {purchase.booker, code.person, *(purchase.attendees.get(each.n) for each in counted)}
    if not first_event.is_first_online(code.organiser_id, [each for each in emails if each]):
        raise CodeNotFirstEvent(
            f"{code.code} is for a first online event, and one was booked and paid before under an address of this "
            f"booking. {STAYS} You can book at the full price."
        )


def uses(code_id: int, now: datetime, person: str | None = None) -> tuple[int, int]:
    """How often the code is used or held at `now`, by one person or in all, and how much was given with it."""
    query = select(func.count(), func.coalesce(func.sum(Redemption.minor), 0)).where(
        Redemption.code_id == code_id, counting(now)
    )
    if person is not None:
        query = query.where(Redemption.person == person)
    number, given = db.session.execute(query).one()
    return number, int(given)


def _set(booking_id: int, states: Collection[str], **values: object) -> None:
    db.session.execute(
        update(Redemption).where(Redemption.booking_id == booking_id, Redemption.state.in_(states)).values(**values)
    )
