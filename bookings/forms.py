"""The booking form: built for one workshop, its fields named as the address contract names them."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    FieldList,
    FormField,
    HiddenField,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from bookings import choosing, invoice_forms, terms
from bookings.asking import Asked
from bookings.choosing import DECLARED, Attending, Wish, offer_of
from courses import bundles
from courses.bundles import BundleListing
from courses.catalogue import Listing
from lib import money
from lib.forms import Email, Form, InOurWords, KnownZone, one_line

Shape = tuple[str, str, str, tuple[str, ...]]  # a question's code, kind, label and choices
Chosen = tuple[str, str]  # the code and name of a ticket whose price the buyer names
ALL_AT_ONCE = "all"  # anything else: the deposit now and the rest on its dates, where a ticket is paid so
LONGEST_NAME = 200
LONGEST_ANSWER = 1000
LONGEST_ONCE = 64
LONGEST_NUMBER = 60
_PERSON = re.compile(r"attendee-([0-9]{1,9})-")
_PRESSED = ("csrf_token", "once", "add", "remove")


class BookingForm(invoice_forms.InvoiceFields, FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """The fields that are the same for every workshop; `build` adds the attendees and their questions."""

    class Meta(InOurWords):
        pass

    ticket_type = StringField("Which ticket?", filters=[one_line])
    currency = StringField("Currency", filters=[one_line, lambda text: (text or "").upper()])
    booker_name = StringField(
        "Your name",
        filters=[one_line],
        validators=[DataRequired("Please give your name."), Length(max=LONGEST_NAME)],
    )
    booker_email = StringField("Your email address", validators=[Email()])
    discount_code = StringField("Discount code, if you have one", filters=[one_line])
    zone = StringField("Times in our letters are for", filters=[one_line], validators=[KnownZone()])
    agree_terms = BooleanField(
        "I have read the booking terms and agree to them.",
        validators=[InputRequired("Please read the booking terms and tick the box if you agree.")],
    )
    marketing = BooleanField("Write to me about new workshops. You can stop this at any time.")
    pay = StringField("How would you like to pay?", filters=[one_line])
    use_credit = BooleanField("Use my credit")
    once = HiddenField(filters=[lambda text: one_line(text)[:LONGEST_ONCE]])

    attendee: Any
    credit_of = ""  # whose credits may be used, as far as the door knows

    def fill(self, listing: Listing, questions: Sequence[Asked]) -> None:
        """Know the workshop that the form is for, and fall back to its only possible values."""
        self.listing, self.questions = listing, questions
        on_sale = [each.ticket.code for each in listing.offers if each.on_sale]
        if not self.zone.data:
            self.zone.data = listing.workshop.zone
        if not self.currency.data:
            self.currency.data = next(iter(listing.currencies), listing.currency)
        if isinstance(listing, BundleListing):
            self.ticket_type.data = bundles.TICKET  # it has no other, whatever was typed
        if not self.ticket_type.data and (len(on_sale) == 1 or not self.is_submitted()):
            self.ticket_type.data = next(iter(on_sale), "")
        for code, field in self.amounts_asked():
            offer = offer_of(listing, code)
            price = offer.in_currency(self.currency.data or "") if offer else None
            if price and price.minor is None and field.data is None:
                field.data = money.plain(price.suggested_minor or 0, price.currency)

    def begin_with(self, name: str, email: str, zone: str, ticket: str, people: int) -> None:
        """Fill the empty form in for somebody we know, who comes first of so many people."""
        self.booker_name.data, self.booker_email.data = name, email
        self.zone.data, self.ticket_type.data = zone, ticket
        while len(self.attendee.entries) < people:
            self.attendee.append_entry()
        first = self.attendee.entries[0].form
        first["name"].data, first.email.data = name, email

    def validate(self, extra_validators: Any = None) -> bool:
        """Everything that can be said without the lock, all at once."""
        is_valid = super().validate(extra_validators)
        for person in self.attendee.entries:
            is_valid &= self._check_ticket(person.form) and self._check_answers(person.form)
        is_valid &= self._check_amounts()
        if said := invoice_forms.refused(self, self.listing, {self.ticket_of(e.form) for e in self.attendee.entries}):
            is_valid = _fail(self.by_invoice, said)
        if is_valid:
            for name, sentence in choosing.faults(self.wish(""), self.listing):
                is_valid = _fail(self._named(name), sentence)
        return self._check_addresses() and is_valid

    def wish(self, slug: str) -> Wish:
        """The filled form as plain values."""
        return Wish(
            slug=slug,
            currency=self.currency.data or "",
            attending=tuple(
                Attending(
                    n=number,
                    name=entry.form["name"].data,
                    email=entry.form.email.data,
                    ticket=self.ticket_of(entry.form),
                    answers=self._answers(entry.form),
                    extras=tuple(dict.fromkeys(entry.form.extra.data or ())) if "extra" in entry.form else (),
                    proof=self._proof(entry.form),
                )
                for number, entry in zip(self.numbers(), self.attendee.entries, strict=True)
            ),
            booker_name=self.booker_name.data or "",
            booker_email=self.booker_email.data or "",
            code=self.discount_code.data or "",
            zone=self.zone.data or "",
            wants_letters=bool(self.marketing.data),
            terms_version=terms.current(self.listing.workshop.organiser.id),
            once=self.once.data or None,
            once_digest=None,
            amounts=self._amounts(),
            invoice_to=invoice_forms.to(self),
            at_once=self.pay.data == ALL_AT_ONCE,
            credit_of=self.credit_of if self.use_credit.data else "",
        )

    def numbers(self) -> list[int]:
        """The n of each person, as in the fields' names."""
        return [int(entry.name.rpartition("-")[2]) for entry in self.attendee.entries]

    def ticket_of(self, person: Form) -> str:
        if isinstance(self.listing, BundleListing):
            return bundles.TICKET
        return str(person["ticket"].data or self.ticket_type.data or "")

    def amounts_asked(self) -> list[tuple[str, Any]]:
        """The fields for prices that the buyer names, by the ticket's code."""
        return [(field.name.removeprefix("amount-"), field) for field in self if field.name.startswith("amount-")]

    def proof_asked(self, person: Form) -> tuple[str, list[Any]]:
        """What the person's ticket asks them to give, and the fields of all that any ticket asks."""
        offer = offer_of(self.listing, self.ticket_of(person))
        fields = [person[name] for name in ("declared", "number") if name in person]
        return (offer.ticket.proof if offer else "none"), fields

    def _amounts(self) -> dict[str, int]:
        """What was typed, as far as it is an amount."""
        found = {}
        for code, field in self.amounts_asked():
            try:
                found[code] = money.parse(field.data or "", self.currency.data or "GBP")
            except ValueError:
                continue
        return found

    def _check_amounts(self) -> bool:
        """An amount has to be one if its ticket is chosen; otherwise it does not matter."""
        chosen = {self.ticket_of(entry.form) for entry in self.attendee.entries}
        is_valid = True
        for code, field in self.amounts_asked():
            offer = offer_of(self.listing, code)
            price = offer.in_currency(self.currency.data or "") if offer else None
            if code in chosen and field.data and price and price.minor is None:
                try:
                    wrong = choosing.amount_fault(price, money.parse(field.data, price.currency))
                except ValueError as problem:
                    wrong = str(problem)
                is_valid &= not wrong or _fail(field, wrong)
        return is_valid

    def _proof(self, person: Form) -> str:
        wanted, _ = self.proof_asked(person)
        if wanted == "number":
            return str(person["number"].data or "")
        return DECLARED if wanted == "declaration" and person["declared"].data else ""

    def _named(self, name: str) -> Any:
        """The field of that name, wherever in the form it is."""
        every = [*self, *(field for entry in self.attendee.entries for field in entry.form)]
        return next((field for field in every if field.name == name), self.ticket_type)

    def _check_ticket(self, person: Form) -> bool:
        offer = offer_of(self.listing, self.ticket_of(person))
        field = person["ticket"] if person["ticket"].data else self.ticket_type
        if offer is None:
            return _fail(field, "Please choose a ticket.")
        # Full is decided under the lock and has its own page; here only what no luck can change.
        if not (offer.on_sale or offer.is_full):
            return _fail(field, f"“{offer.ticket.name}”: {offer.reason} Please choose another ticket.")
        if offer.price(self.currency.data or "") is None:
            sold_in = " or ".join(price.currency for price in offer.ticket.prices)
            return _fail(self.currency, f"“{offer.ticket.name}” is sold in {sold_in}. Please choose that currency.")
        return True

    def _check_answers(self, person: Form) -> bool:
        is_valid = True
        for question in self._asked(person):
            field = person[f"answer-{question.code}"]
            if question.is_required and not field.data:
                is_valid = _fail(field, f"Please answer: {question.label}")
        return is_valid

    def _check_addresses(self) -> bool:
        seen: dict[str, str] = {}
        is_valid = True
        for entry in self.attendee.entries:
            name, email = entry.form["name"].data, entry.form.email.data
            if email in seen and not entry.form.shared.data and not entry.form.email.errors:
                owner = seen[email]
                message = (
                    f"This is {owner}'s address. {name or 'This person'}'s link would go to {owner}, so please give "
                    "their own, or tick that they share this address."
                )
                is_valid = _fail(entry.form.email, message)
                entry.form.is_repeated = True
            seen.setdefault(email, name)
        return is_valid

    def _asked(self, person: Form) -> list[Asked]:
        ticket = self.ticket_of(person)
        return [each for each in self.questions if not each.tickets or ticket in {t.code for t in each.tickets}]

    def _answers(self, person: Form) -> dict[int, str]:
        given = {each.id: person[f"answer-{each.code}"].data for each in self._asked(person)}
        return {question: "yes" if text is True else one_line(str(text)) for question, text in given.items() if text}


class PersonForm(Form):
    """One attendee. `shared` lets one address stand for two people, `again` a second place for the same person."""

    name = StringField(
        "Name, as on the certificate",
        filters=[one_line],
        validators=[DataRequired("Please give this person's name."), Length(max=LONGEST_NAME)],
    )
    email = StringField("Email address", validators=[Email()])
    ticket = StringField("Ticket", filters=[one_line])
    shared = BooleanField("They share this address; each gets a letter of their own")
    again = BooleanField("Book another place for this person all the same")

    is_repeated = False
    is_known = False


class People(FieldList):  # type: ignore[type-arg]  # only the types are generic
    """The attendees, each with the n of its fields' names: gaps stay gaps, and what is no such n is nobody."""

    def _extract_indices(self, prefix: str, formdata: MultiDict[str, str]) -> Iterator[int]:
        yield from people_in(formdata)

    def _compact_indices(self) -> None:
        """WTForms would number people anew, and errors and bookings would name others than were typed."""


def build(listing: Listing, questions: Sequence[Asked], typed: MultiDict[str, str] | None) -> BookingForm:
    """The form for a workshop: empty, or as typed."""
    asked = tuple((each.code, each.kind, each.label, tuple(each.choices)) for each in questions)
    tickets = [offer.ticket for offer in listing.offers]
    chosen = tuple((each.code, each.name) for each in tickets if any(price.minor is None for price in each.prices))
    proofs = frozenset(each.proof for each in tickets) - {"none"}
    extras = tuple(offer.ticket.code for offer in listing.extras)
    form = _kind(asked, listing.workshop.most_attendees, chosen, proofs, extras)(formdata=typed)
    form.fill(listing, questions)
    return form


@lru_cache(maxsize=256)
def _kind(
    asked: tuple[Shape, ...], most: int, chosen: tuple[Chosen, ...], proofs: frozenset[str], extras: tuple[str, ...]
) -> type[BookingForm]:
    """The form's class for what a workshop asks: making a class takes longer than filling its form."""
    fields: dict[str, Any] = {f"answer-{each[0]}": question_field(*each[1:]) for each in asked}
    if "declaration" in proofs:
        fields["declared"] = BooleanField("This ticket is meant for me")
    if "number" in proofs:
        fields["number"] = StringField("Membership number", [Length(max=LONGEST_NUMBER)], [one_line])
    if extras:
        offered: list[Any] = list(extras)
        fields["extra"] = SelectMultipleField("To be added", choices=offered, validate_choice=False)
    people = People(FormField(type("PersonForm", (PersonForm,), fields)), min_entries=1, max_entries=most)
    amounts = {f"amount-{code}": StringField(f"What you would like to pay for {name}") for code, name in chosen}
    return type("BookingForm", (BookingForm,), {"attendee": people, **amounts})


def people_in(typed: MultiDict[str, str]) -> set[int]:
    """The n of every person typed, also those beyond what the form takes."""
    return {int(match[1]) for name in typed if (match := _PERSON.match(name))}


def digest(typed: MultiDict[str, str]) -> str:
    """What was typed, in short: tells the same form sent twice from one that was changed and sent again."""
    pairs = sorted((name, value) for name, value in typed.items(multi=True) if name not in _PRESSED)
    return hashlib.sha256(repr(pairs).encode()).hexdigest()


def errors(form: BookingForm) -> dict[str, list[str]]:
    """Every error by the name of its field, in the order of the page."""
    found = {field.name: list(field.errors) for field in form if field.errors and field.name != "attendee"}
    for entry in form.attendee.entries:
        found |= {field.name: list(field.errors) for field in entry.form if field.errors}
    return found


def _fail(field: Any, message: str) -> bool:
    field.errors = [*field.errors, message]
    return False


def question_field(kind: str, label: str, choices: tuple[str, ...]) -> Any:
    """A question as the kind of field it wants."""
    if kind == "tick":
        return BooleanField(label)
    if kind == "choice":
        offered: list[Any] = ["", *choices]
        return SelectField(label, choices=offered, validators=[Optional()])
    return StringField(label, filters=[one_line], validators=[Length(max=LONGEST_ANSWER)])
