"""What organisers type about what is sold: tickets and prices, pools, questions."""

from datetime import date, datetime, time, timedelta
from typing import Any

from wtforms import (
    BooleanField,
    DateField,
    FieldList,
    FormField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional, ValidationError

from courses import least as charges
from courses import tickets
from courses.deposits import Deposit
from lib import money, zones
from lib.forms import Form, one_line
from organisers import deposit_forms
from organisers.choices import options

KINDS = (
    ("admission", "A place in the live sessions"),
    ("catch_up", "The recording only"),
    ("extra", "Something added to a place, such as lunch"),
)
PROOFS = (
    ("none", "Nothing"),
    ("declaration", "They tick that it is meant for them"),
    ("number", "A membership number, checked later"),
)
QUESTIONS = (("text", "A few words"), ("choice", "One of some answers"), ("tick", "A box to tick"))
SECOND = timedelta(seconds=1)


class PriceForm(Form):
    """A price in one currency: fixed, or chosen by the buyer. No amount means it is not sold in that."""

    currency = StringField("Currency", [Length(max=3)], [lambda text: one_line(text).upper()])
    amount = StringField("Price", [Length(max=20)], [one_line])
    least = StringField("At the least", [Length(max=20)], [one_line])
    suggested = StringField("Suggested", [Length(max=20)], [one_line])
    most = StringField("At the most", [Length(max=20)], [one_line])

    def validate_currency(self, field: Any) -> None:
        if self.is_given and (wrong := charges.not_sold_in(field.data or "")):
            raise ValidationError(wrong)

    def validate_amount(self, field: Any) -> None:
        if field.data and self.is_chosen:
            raise ValidationError("Please give one price, or amounts to choose between, not both.")
        self._minor(field)

    def validate_least(self, field: Any) -> None:
        if not self.is_chosen:
            return
        if not (self.least.data and self.suggested.data):
            raise ValidationError("For a price that buyers choose, please give the least and a suggestion.")
        self._minor(field)

    def validate_suggested(self, field: Any) -> None:
        found, lowest = self._minor(field), self._minor(self.least)
        if self.is_chosen and found is not None and lowest is not None and found < lowest:
            raise ValidationError("The suggestion is less than the least.")

    def validate_most(self, field: Any) -> None:
        found, suggested = self._minor(field), self._minor(self.suggested)
        if found is not None and suggested is not None and found < suggested:
            raise ValidationError("The most is less than the suggestion.")

    @property
    def is_chosen(self) -> bool:
        return bool(self.least.data or self.suggested.data or self.most.data)

    @property
    def is_given(self) -> bool:
        return bool(self.amount.data) or self.is_chosen

    @property
    def price(self) -> tickets.Price:
        """The price of a form that was found right."""
        named = (self.amount, self.least, self.suggested, self.most)
        return tickets.Price(*(self._minor(field) for field in named))

    def _minor(self, field: Any) -> int | None:
        """The amount typed, if there is one. Raises ValidationError."""
        currency = self.currency.data or ""
        if not field.data or charges.not_sold_in(currency):
            return None
        try:
            minor = money.parse(field.data, currency)
        except ValueError as problem:
            raise ValidationError(str(problem)) from problem
        if wrong := charges.not_chargeable(minor, currency):
            raise ValidationError(wrong)
        return minor


class TicketForm(Form):
    """A way to take part, and what it costs."""

    name = StringField("Name", [InputRequired("Please give it a name."), Length(max=120)], [one_line])
    hint = StringField("Who it is for", [Length(max=200)], [one_line])
    kind = SelectField("What it is", choices=options(KINDS), default="admission")
    prices = FieldList(FormField(PriceForm), min_entries=4)
    deposit = StringField(
        "Deposit, paid at booking",
        [Length(max=20)],
        [one_line],
        description="Empty: the price is paid at once. Otherwise it is one fixed price, and the deposit and the "
        "instalments come to it. Their days are those of your own clock.",
    )
    instalments = FieldList(FormField(deposit_forms.PartForm), min_entries=deposit_forms.MOST)
    seats = IntegerField(
        "People on one price",
        [InputRequired("Please give a number."), NumberRange(1, 20)],
        default=1,
        description="1, or 2 for a pair that shares one price.",
    )
    includes_recording = BooleanField("The recording is included", default=True)
    is_full_price = BooleanField("This is the full price that codes and comparisons refer to")
    least_people = IntegerField(
        "At least this many people on one booking",
        [InputRequired("Please give a number."), NumberRange(1, 100)],
        default=1,
        description="More than 1 makes it a group rate.",
    )
    most_people = IntegerField(
        "At most this many people on one booking", [Optional(), NumberRange(1, 100)], description="Empty: no limit."
    )
    proof = SelectField("What people give for it", choices=options(PROOFS), default="none")
    is_in_room = BooleanField("It is for the room, where a workshop is online as well")
    pools = SelectMultipleField("Places come from")
    sessions = SelectMultipleField("Only these sessions", description="None ticked: all of them.")
    limited_to = IntegerField(
        "At most this many of this ticket",
        [Optional(), NumberRange(1, 100_000)],
        description="Empty: as many as there are places.",
    )
    sold_from = DateField("On sale from", [Optional()], description="Empty: at once.")
    sold_until = DateField(
        "On sale to the end of",
        [Optional()],
        description="Empty: until the live sessions begin; a recording, for as long as it can be watched.",
    )
    by_invoice = BooleanField(
        "An organisation may pay it on an invoice",
        description="The places are kept while the invoice is open; days to pay are in the settings of your invoices.",
    )
    is_hidden = BooleanField("Hide it: nobody can choose it any more")

    last_day: date | None = None  # the workshop's, beyond which nothing may be due

    def validate(self, extra_validators: Any = None) -> bool:
        """Each field by itself, then the parts of the price together."""
        is_valid = super().validate(extra_validators)
        if not self.prices.errors and (self.deposit.data or self.given_parts):
            if self.kind.data == "extra":
                self.deposit.errors = ["What is added to a place is paid at once. Please leave this empty."]
                return False
            for field, sentence in deposit_forms.problems(self.deposit, self.given_parts, self.amounts, self.last_day):
                field.errors = [*field.errors, sentence]
                is_valid = False
        return is_valid

    def validate_pools(self, field: Any) -> None:
        if self.kind.data == "admission" and not field.data:
            raise ValidationError("A place comes from somewhere: please tick at least one pool.")

    def validate_by_invoice(self, field: Any) -> None:
        if field.data and self.deposit.data:
            raise ValidationError("A ticket is paid in parts or on an invoice, not both.")

    def validate_prices(self, field: Any) -> None:
        currencies = [entry.form.currency.data for entry in field.entries if entry.form.is_given]
        if not currencies:
            raise ValidationError("Please give a price in at least one currency; 0 if it is free.")
        if len(set(currencies)) < len(currencies):
            raise ValidationError("A currency is there twice. One price each, please.")

    def validate_sold_until(self, field: Any) -> None:
        if self.sold_from.data and field.data and field.data < self.sold_from.data:
            raise ValidationError("The sale ends before it begins.")

    def validate_most_people(self, field: Any) -> None:
        if field.data and field.data < max(self.least_people.data or 1, self.seats.data or 1):
            raise ValidationError("That is fewer than have to come on it.")

    @property
    def given_parts(self) -> list[deposit_forms.PartForm]:
        return [entry.form for entry in self.instalments.entries if entry.form.is_given]

    @property
    def parts(self) -> Deposit | None:
        """What the price is paid in; None where it is paid at once."""
        if not self.deposit.data:
            return None
        return deposit_forms.read(self.deposit, self.given_parts, next(iter(self.amounts)))

    @property
    def amounts(self) -> dict[str, tickets.Price]:
        """The prices by currency."""
        rows = [entry.form for entry in self.prices.entries if entry.form.is_given]
        return {str(row.currency.data): row.price for row in rows}


class PoolForm(Form):
    """Places that run out together."""

    name = StringField("Name", [InputRequired("Please give it a name."), Length(max=40)], [one_line])
    capacity = IntegerField("Places", [InputRequired("Please give a number."), NumberRange(0, 100_000)])


class CapacityForm(Form):
    """How many places a pool has, and how many of them the organiser keeps to give."""

    capacity = IntegerField("Places", [InputRequired("Please give a number."), NumberRange(0, 100_000)])
    reserved = IntegerField("Kept back", [Optional(), NumberRange(0, 100_000)], default=0)

    def validate_reserved(self, field: Any) -> None:
        if (field.data or 0) > (self.capacity.data or 0):
            raise ValidationError("More cannot be kept back than there are.")


class QuestionForm(Form):
    """What each attendee is asked."""

    label = StringField("Question", [InputRequired("Please write the question."), Length(max=200)], [one_line])
    kind = SelectField("Answered by", choices=options(QUESTIONS))
    choices = TextAreaField("Answers to choose from", description="One on each line; only for a choice.")
    is_required = BooleanField("It has to be answered")
    is_private = BooleanField("Private: read only by those who need it, erased 30 days after")

    def validate_choices(self, field: Any) -> None:
        if self.kind.data == "choice" and len(self.answers) < 2:
            raise ValidationError("Please give at least two answers, one on each line.")

    @property
    def answers(self) -> list[str]:
        return [found for each in (self.choices.data or "").splitlines() if (found := one_line(each))]


def first_moment(on: date | None, zone: str) -> datetime | None:
    """The first instant of a day in a zone; where the clocks skip midnight, the first one after."""
    if on is None:
        return None
    try:
        return zones.instant(datetime.combine(on, time()), zone)
    except zones.TimeSkipped as gap:
        return zones.instant(gap.until, zone)


def last_second(on: date | None, zone: str) -> datetime | None:
    """The last second of a day in a zone."""
    following = first_moment(on + timedelta(days=1), zone) if on else None
    return following - SECOND if following else None


def end_of(on: date | None, zone: str) -> datetime | None:
    """The instant at which a day is over in a zone."""
    return first_moment(on + timedelta(days=1), zone) if on else None


def day_of(at: datetime | None, zone: str) -> date | None:
    """The day of an instant in a zone."""
    return zones.wall(at, zone).date() if at else None


def last_day(at: datetime | None, zone: str) -> date | None:
    """The day whose end an instant is."""
    return zones.wall(at - SECOND, zone).date() if at else None
