"""What can be chosen on one booking: how many people on a ticket, the amount that a buyer names, extras, and what some
tickets ask a person to give. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bookings.discounts import Purchase
from bookings.invoice_terms import InvoiceTo
from bookings.pricing import Person
from courses import catalogue, least
from courses.bundles import BundleListing
from courses.shelf import PriceFacts
from lib import money, web

DECLARED = "declared"


class TicketNotOnSale(web.Refusal):
    status = 422
    refusal = "ticket_not_on_sale"
    title = "This ticket cannot be chosen"


class NotPossibleSo(web.Refusal):
    """Tickets that are on sale, and cannot be had like this."""

    status = 422
    refusal = "choice_not_possible"
    title = "Something to put right"


@dataclass(frozen=True)
class Attending:
    """One person of the form. `answers` are by the question's id; `proof` is a number, or DECLARED."""

    n: int
    name: str
    email: str
    ticket: str
    answers: Mapping[int, str]
    extras: tuple[str, ...] = ()
    proof: str = ""


@dataclass(frozen=True)
class Wish:
    """A filled form, checked for shape; whether it can be had is decided under the lock.

    `amounts` are what the buyer would like to pay, in minor units, by the code of a ticket that lets them choose;
    `at_once` says that a ticket with a deposit is paid in full now, `invoice_to` whose organisation pays on an invoice,
    `credit_of` whose credits pay as far as they go: an address shown to be the booker's, never one that was typed.
    """

    slug: str
    currency: str
    attending: tuple[Attending, ...]
    booker_name: str
    booker_email: str
    code: str
    zone: str
    wants_letters: bool
    terms_version: str
    once: str | None
    once_digest: str | None
    amounts: Mapping[str, int] = field(default_factory=dict)
    at_once: bool = False
    invoice_to: InvoiceTo | None = None
    credit_of: str = ""


def offer_of(listing: catalogue.Listing, code: str) -> catalogue.Offer | None:
    return next((each for each in listing.offers if each.ticket.code == code), None)


def extra_of(listing: catalogue.Listing, code: str) -> catalogue.Offer | None:
    return next((each for each in listing.extras if each.ticket.code == code), None)


def purchase(wish: Wish, listing: catalogue.Listing) -> Purchase:
    """What a wish would buy at today's prices; an amount nobody named yet is the suggested one.

    Raises TicketNotOnSale for what is not sold in the currency, NotPossibleSo for an amount that cannot be charged.
    """
    people = []
    for person in wish.attending:
        people.append(_person(person.n, offer_of(listing, person.ticket), wish, listing))
        people += [_person(person.n, extra_of(listing, each), wish, listing) for each in person.extras]
    emails = {person.n: person.email for person in wish.attending if person.email}
    bundle = listing.bundle.id if isinstance(listing, BundleListing) else None
    return Purchase(listing.workshop, tuple(people), wish.currency, wish.booker_email or None, emails, bundle)


def faults(wish: Wish, listing: catalogue.Listing) -> Iterator[tuple[str, str]]:
    """What cannot be had like this: the name of the form's field, and a sentence."""
    on = Counter(person.ticket for person in wish.attending)
    for code, number in on.items():
        if offer := offer_of(listing, code):
            yield from _on_ticket(offer, number, wish)
    for person in wish.attending:
        if offer := offer_of(listing, person.ticket):
            yield from _proof(person, offer)
        for code in person.extras:
            extra = extra_of(listing, code)
            if extra is None or not extra.on_sale or extra.in_currency(wish.currency) is None:
                reason = extra.reason if extra and extra.reason else f"It is not sold in {wish.currency}."
                named = extra.ticket.name if extra else "This"
                yield f"attendee-{person.n}-extra", f"“{named}” cannot be added: {reason}"


def refuse_faults(wish: Wish, listing: catalogue.Listing) -> None:
    """Raise NotPossibleSo for the first fault. The form has said them all before anything was locked."""
    for _, sentence in faults(wish, listing):
        raise NotPossibleSo(f"{sentence} Nothing has been charged.")


def bounds(price: PriceFacts) -> str:
    """Between which amounts a buyer may choose, in words."""
    lowest, highest = (money.text(minor or 0, price.currency) for minor in (price.least_minor, price.most_minor))
    return f"from {lowest} to {highest}" if price.most_minor is not None else f"from {lowest}"


def _person(n: int, offer: catalogue.Offer | None, wish: Wish, listing: catalogue.Listing) -> Person:
    minor = offer.price(wish.currency) if offer else None
    if offer is None or minor is None:
        raise TicketNotOnSale(f"There is no such ticket in {wish.currency}. Please choose another one.")
    ticket = offer.ticket
    price = offer.in_currency(wish.currency)
    if price and price.minor is None and ticket.code in wish.amounts:
        minor = wish.amounts[ticket.code]
        if wrong := amount_fault(price, minor):
            raise NotPossibleSo(wrong)
    return Person(
        n,
        ticket.code,
        ticket.name,
        minor,
        ticket.seats,
        is_full_price=ticket.is_full_price,
        is_extra=ticket.kind == "extra",
        is_online=listing.workshop.format != "room" and not ticket.is_in_room,
    )


def _on_ticket(offer: catalogue.Offer, number: int, wish: Wish) -> Iterator[tuple[str, str]]:
    ticket = offer.ticket
    if number < ticket.least_people:
        yield "ticket_type", f"“{ticket.name}” is for {ticket.least_people} people or more on one booking."
    if ticket.most_people is not None and number > ticket.most_people:
        few = "one person" if ticket.most_people == 1 else f"{ticket.most_people} people"
        yield "ticket_type", f"“{ticket.name}” is for {few} at most on one booking."
    price = offer.in_currency(wish.currency)
    if price is None or price.minor is not None:
        return
    name = f"amount-{ticket.code}"
    if ticket.code not in wish.amounts:
        yield name, f"Please write what you would like to pay for “{ticket.name}”, {bounds(price)}."
    elif wrong := amount_fault(price, wish.amounts[ticket.code]):
        yield name, wrong


def amount_fault(price: PriceFacts, minor: int) -> str:
    """What is wrong with an amount a buyer named; empty when nothing is."""
    if minor < (price.least_minor or 0) or (price.most_minor is not None and minor > price.most_minor):
        return f"Please name an amount {bounds(price)}."
    if minor and minor < least.least(price.currency):
        return f"A card can pay {money.text(least.least(price.currency), price.currency)} at the least. " + (
            "Please name that or more, or nothing."
        )
    if minor % money.step(price.currency):
        return f"Cards are charged in {price.currency} with a nought as the third decimal. Please round the amount."
    return ""


def _proof(person: Attending, offer: catalogue.Offer) -> Iterator[tuple[str, str]]:
    ticket = offer.ticket
    if ticket.proof == "declaration" and person.proof != DECLARED:
        yield f"attendee-{person.n}-declared", f"“{ticket.name}” is for those it is meant for. Please tick if you are."
    if ticket.proof == "number" and person.proof in ("", DECLARED):
        yield f"attendee-{person.n}-number", f"“{ticket.name}” needs a membership number, which is checked later."
